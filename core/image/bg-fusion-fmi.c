// SPDX-License-Identifier: Apache-2.0
// Feature mutual information in windows (Haghighat and Razian, AICT 2014). The values of a window,
// scaled to 0..1 and of sum 1, are taken as a distribution over its places; the joint distribution
// of two windows with the wanted correlation is a mixture of independence and a Frechet bound
// (Nelsen 1987).
#include "bg-fusion-private.h"

#include "core/base/bg-parallel.h"

#include <math.h>

#define SIDE 3
#define PLACES (SIDE * SIDE)
#define ROWS_A_GRAIN 4

typedef struct {
    double raw[PLACES];
    double pdf[PLACES], cdf[PLACES + 1]; // cdf[0] is 0
    double spread;                       // standard deviation of the place
    double bits;                         // entropy
    gboolean flat;
} Window;

static void
window_read(const BgField *field, int u, int v, Window *window)
{
    double low = INFINITY, high = -INFINITY, sum = 0.0, mean = 0.0, square = 0.0;
    int n = 0;

    // Down the columns first, as the publication's own program numbers the places.
    for (int du = 0; du < SIDE; du++) {
        for (int dv = 0; dv < SIDE; dv++, n++) {
            window->raw[n] =
                field->values[(gsize) (v + dv) * (gsize) field->width + (gsize) (u + du)];
            low = MIN(low, window->raw[n]);
            high = MAX(high, window->raw[n]);
        }
    }
    window->flat = !(high > low);
    for (n = 0; n < PLACES; n++) {
        window->pdf[n] = window->flat ? 1.0 : (window->raw[n] - low) / (high - low);
        sum += window->pdf[n];
    }
    window->cdf[0] = 0.0;
    window->bits = 0.0;
    for (n = 0; n < PLACES; n++) {
        double p = window->pdf[n] /= sum;
        window->cdf[n + 1] = window->cdf[n] + p;
        mean += (n + 1) * p;
        square += (n + 1) * (n + 1) * p;
        if (p > 0.0)
            window->bits -= p * log2(p);
    }
    window->spread = sqrt(MAX(square - mean * mean, 0.0));
}

// Pearson's correlation of the two distributions' values; 0 when one is flat.
static double
correlation(const Window *a, const Window *f)
{
    double aa = 0.0, ff = 0.0, af = 0.0;

    if (a->flat || f->flat)
        return 0.0;
    for (int n = 0; n < PLACES; n++) {
        double da = a->pdf[n] - 1.0 / PLACES, df = f->pdf[n] - 1.0 / PLACES;
        aa += da * da;
        ff += df * df;
        af += da * df;
    }
    return af / sqrt(aa * ff);
}

// Frechet's bound of the joint distribution: the upper for a correlation over 0, else the lower.
static inline double
bound(double f, double a, gboolean upper)
{
    return upper ? MIN(f, a) : MAX(f + a - 1.0, 0.0);
}

static double
joint_bits(const Window *a, const Window *f)
{
    double c = correlation(a, f), share = 0.0, bits = 0.0;
    gboolean upper = c >= 0.0;

    if (c != 0.0 && a->spread > 0.0 && f->spread > 0.0) {
        double covariance = 0.0;
        for (int i = 1; i <= PLACES; i++) {
            for (int j = 1; j <= PLACES; j++)
                covariance += bound(f->cdf[i], a->cdf[j], upper) - f->cdf[i] * a->cdf[j];
        }
        share = c / (covariance / (f->spread * a->spread));
    }
    for (int i = 1; i <= PLACES; i++) {
        for (int j = 1; j <= PLACES; j++) {
            double corner =
                bound(f->cdf[i], a->cdf[j], upper) - bound(f->cdf[i - 1], a->cdf[j], upper) -
                bound(f->cdf[i], a->cdf[j - 1], upper) + bound(f->cdf[i - 1], a->cdf[j - 1], upper);
            double p = share * corner + (1.0 - share) * f->pdf[i - 1] * a->pdf[j - 1];
            if (p != 0.0)
                bits -= p * log2(fabs(p));
        }
    }
    return bits;
}

static double
shared_information(const Window *a, const Window *f)
{
    gboolean equal = TRUE;

    for (int n = 0; equal && n < PLACES; n++)
        equal = a->raw[n] == f->raw[n];
    if (equal)
        return 1.0;
    double bits = a->bits + f->bits - joint_bits(a, f);
    return bits == 0.0 ? 0.0 : 2.0 * bits / (a->bits + f->bits);
}

typedef struct {
    BgField *const *sources;
    gsize n_sources;
    const BgField *fused;
    double *rows; // sum of each
} Job;

static void
measure_rows(gsize first, gsize last, guint worker, gpointer user_data)
{
    Job *job = user_data;

    for (gsize v = first; v < last; v++) {
        double sum = 0.0;
        for (int u = 0; u <= job->fused->width - SIDE; u++) {
            Window f, a;
            window_read(job->fused, u, (int) v, &f);
            for (gsize s = 0; s < job->n_sources; s++) {
                window_read(job->sources[s], u, (int) v, &a);
                sum += shared_information(&a, &f);
            }
        }
        job->rows[v] = sum;
    }
}

gboolean
bg_fusion_fmi(BgField *const *sources, gsize n_sources, const BgField *fused, double *result,
              GCancellable *cancellable, GError **error)
{
    if (fused->width < SIDE || fused->height < SIDE)
        return TRUE;

    gsize n_rows = (gsize) (fused->height - SIDE + 1),
          n_columns = (gsize) (fused->width - SIDE + 1);
    g_autofree double *rows = g_new0(double, n_rows);
    Job job = { .sources = sources, .n_sources = n_sources, .fused = fused, .rows = rows };
    double sum = 0.0;

    if (!bg_parallel_for(n_rows, ROWS_A_GRAIN, measure_rows, &job, cancellable)) {
        g_cancellable_set_error_if_cancelled(cancellable, error);
        return FALSE;
    }
    for (gsize v = 0; v < n_rows; v++)
        sum += rows[v];
    *result = sum / (double) (n_rows * n_columns * n_sources);
    return TRUE;
}
