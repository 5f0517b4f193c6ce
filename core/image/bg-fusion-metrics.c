// SPDX-License-Identifier: Apache-2.0
#include "core/image/bg-fusion-metrics.h"

#include "bg-fusion-private.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>

#define LEVELS 256
#define MAX_PICTURES (BG_FUSION_MAX_SOURCES + 1)
#define JACOBI_SWEEPS 60

static int
level_of(double value)
{
    return value > 0.0 ? (int) floor(MIN(value, 1.0) * (LEVELS - 1) + 0.5) : 0;
}

static BgField *
to_levels(const BgChannel *plane, GError **error)
{
    BgField *self = bg_field_new(plane->width, plane->height, error);

    for (gsize i = 0; self != NULL && i < bg_field_count(self); i++)
        self->values[i] = level_of((double) plane->values[i]);
    return self;
}

static double
entropy_of(const gsize *counts, gsize n_bins, gsize total)
{
    double bits = 0.0;

    for (gsize bin = 0; bin < n_bins; bin++) {
        double p = (double) counts[bin] / (double) total;
        if (counts[bin] > 0)
            bits -= p * log2(p);
    }
    return bits;
}

double
bg_channel_entropy(const BgChannel *plane)
{
    gsize counts[LEVELS] = { 0 };

    for (gsize i = 0; i < bg_channel_count(plane); i++)
        counts[level_of((double) plane->values[i])]++;
    return entropy_of(counts, LEVELS, bg_channel_count(plane));
}

static double
field_entropy(const BgField *field)
{
    gsize counts[LEVELS] = { 0 };

    for (gsize i = 0; i < bg_field_count(field); i++)
        counts[(int) field->values[i]]++;
    return entropy_of(counts, LEVELS, bg_field_count(field));
}

// H(a) + H(b) - H(a, b), in bits.
static double
information(const BgField *a, const BgField *b)
{
    g_autofree gsize *counts = g_new0(gsize, LEVELS * LEVELS);
    gsize n = bg_field_count(a);

    for (gsize i = 0; i < n; i++)
        counts[(gsize) a->values[i] * LEVELS + (gsize) b->values[i]]++;
    return field_entropy(a) + field_entropy(b) - entropy_of(counts, LEVELS * LEVELS, n);
}

// Eigenvalues of a symmetric matrix by Jacobi's rotations; @m is used up.
static void
eigenvalues(double m[MAX_PICTURES][MAX_PICTURES], int n, double *values)
{
    for (int sweep = 0; sweep < JACOBI_SWEEPS; sweep++) {
        double off = 0.0;
        for (int p = 0; p < n; p++) {
            for (int q = p + 1; q < n; q++) {
                off += m[p][q] * m[p][q];
                if (fabs(m[p][q]) < 1e-300)
                    continue;
                double theta = (m[q][q] - m[p][p]) / (2.0 * m[p][q]);
                double t = (theta >= 0.0 ? 1.0 : -1.0) / (fabs(theta) + sqrt(theta * theta + 1.0));
                double c = 1.0 / sqrt(t * t + 1.0), s = t * c;
                for (int k = 0; k < n; k++) {
                    double kp = m[k][p], kq = m[k][q];
                    m[k][p] = c * kp - s * kq;
                    m[k][q] = s * kp + c * kq;
                }
                for (int k = 0; k < n; k++) {
                    double pk = m[p][k], qk = m[q][k];
                    m[p][k] = c * pk - s * qk;
                    m[q][k] = s * pk + c * qk;
                }
            }
        }
        if (off < 1e-28)
            break;
    }
    for (int p = 0; p < n; p++)
        values[p] = m[p][p];
}

// 1 + sum of lambda / K log_256 (lambda / K) over the K eigenvalues of the correlations' matrix.
static double
correlation_entropy(BgField *const *pictures, int n)
{
    double m[MAX_PICTURES][MAX_PICTURES], values[MAX_PICTURES], sum = 1.0;
    double bits = log2(LEVELS);

    for (int p = 0; p < n; p++) {
        m[p][p] = 1.0;
        for (int q = p + 1; q < n; q++)
            m[p][q] = m[q][p] = information(pictures[p], pictures[q]) / bits;
    }
    eigenvalues(m, n, values);
    for (int p = 0; p < n; p++) {
        double share = values[p] / n;
        if (share > 0.0)
            sum += share * log2(share) / bits;
    }
    return sum;
}

// Pearson's correlation of (f - d) with a.
static double
correlate(const BgField *f, const BgField *d, const BgField *a)
{
    gsize n = bg_field_count(f);
    double mean_x = 0.0, mean_a = 0.0, xx = 0.0, aa = 0.0, xa = 0.0;

    for (gsize i = 0; i < n; i++) {
        mean_x += (f->values[i] - d->values[i]) / (double) n;
        mean_a += a->values[i] / (double) n;
    }
    for (gsize i = 0; i < n; i++) {
        double x = f->values[i] - d->values[i] - mean_x, y = a->values[i] - mean_a;
        xx += x * x;
        aa += y * y;
        xa += x * y;
    }
    return xa / sqrt(xx * aa);
}

static gboolean
measure_windows(BgField *const *sources, gsize n, const BgField *fused, BgFusionMetrics *m,
                GCancellable *cancellable, GError **error)
{
    if (!bg_fusion_q_g(sources, n, fused, &m->q_g, error) ||
        !bg_fusion_fmi(sources, n, fused, &m->fmi, cancellable, error))
        return FALSE;
    if (fused->width < BG_FUSION_SMALLEST || fused->height < BG_FUSION_SMALLEST)
        return TRUE;
    return bg_fusion_viff(sources, n, fused, &m->viff, error) &&
           bg_fusion_piella(sources, n, fused, &m->piella, &m->piella_weighted, &m->piella_edge,
                            error) &&
           bg_fusion_q_ssim(sources, n, fused, &m->q_ssim, error) &&
           !g_cancellable_set_error_if_cancelled(cancellable, error);
}

static gboolean
measure(BgField *const *pictures, gsize n, BgFusionMetrics *metrics, GCancellable *cancellable,
        GError **error)
{
    const BgField *fused = pictures[n];

    *metrics = (BgFusionMetrics){ .q_g = NAN,
                                  .fmi = NAN,
                                  .piella = NAN,
                                  .piella_weighted = NAN,
                                  .piella_edge = NAN,
                                  .q_ssim = NAN,
                                  .viff = NAN,
                                  .scd = NAN };
    metrics->entropy = field_entropy(fused);
    for (gsize i = 0; i < n; i++)
        metrics->mutual_information += information(pictures[i], fused);
    metrics->q_ie = correlation_entropy(pictures, (int) n + 1);
    if (n == 2)
        metrics->scd =
            correlate(fused, pictures[1], pictures[0]) + correlate(fused, pictures[0], pictures[1]);
    return measure_windows(pictures, n, fused, metrics, cancellable, error);
}

gboolean
bg_fusion_metrics(const BgChannel *const *sources, gsize n_sources, const BgChannel *fused,
                  BgFusionMetrics *metrics, GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(sources != NULL && fused != NULL && metrics != NULL, FALSE);
    g_return_val_if_fail(n_sources >= 2 && n_sources <= BG_FUSION_MAX_SOURCES, FALSE);

    BgField *pictures[MAX_PICTURES] = { NULL };
    gboolean ok = TRUE;

    for (gsize i = 0; ok && i <= n_sources; i++) {
        const BgChannel *plane = i < n_sources ? sources[i] : fused;
        if (plane->width != fused->width || plane->height != fused->height) {
            g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                        _("Pictures of %d × %d and %d × %d pixels cannot be compared; bring them "
                          "to one size"),
                        plane->width, plane->height, fused->width, fused->height);
            ok = FALSE;
        } else {
            pictures[i] = to_levels(plane, error);
            ok = pictures[i] != NULL;
        }
    }
    ok = ok && measure(pictures, n_sources, metrics, cancellable, error);
    for (gsize i = 0; i <= n_sources; i++)
        bg_field_free(pictures[i]);
    return ok;
}
