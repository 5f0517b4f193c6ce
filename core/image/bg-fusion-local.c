// SPDX-License-Identifier: Apache-2.0
// Q_G, Piella's measures and VIFF.
#include "bg-fusion-private.h"

#include "bg-ssim.h"

#include <math.h>

// Xydeas and Petrovic 2000, table of constants.
#define GAMMA_G 0.9994
#define KAPPA_G (-15.0)
#define SIGMA_G 0.5
#define GAMMA_A 0.9879
#define KAPPA_A (-22.0)
#define SIGMA_A 0.8

#define PIELLA_WINDOW 8
#define SSIM_SIGMA 1.5
#define SSIM_C1 (0.01 * 0.01 * 255.0 * 255.0)
#define SSIM_C2 (0.03 * 0.03 * 255.0 * 255.0)

#define VIFF_SCALES 4
#define VIFF_NOISE (0.005 * 255.0 * 255.0)
#define VIFF_FLAT 1e-8 // variance of grey levels that is none
#define VIFF_C 1e-7

typedef struct {
    BgField *gu, *gv; // owned
} Gradient;

static void
gradient_clear(Gradient *gradient)
{
    g_clear_pointer(&gradient->gu, bg_field_free);
    g_clear_pointer(&gradient->gv, bg_field_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Gradient, gradient_clear)

static double
strength_at(const Gradient *gradient, gsize i)
{
    return hypot(gradient->gu->values[i], gradient->gv->values[i]);
}

static double
angle_at(const Gradient *gradient, gsize i)
{
    double gu = gradient->gu->values[i];

    return gu == 0.0 ? G_PI_2 : atan(gradient->gv->values[i] / gu);
}

static double
edge_kept(const Gradient *source, const Gradient *fused, gsize i)
{
    double gs = strength_at(source, i), gf = strength_at(fused, i);
    double strength = gs > gf ? gf / gs : (gf > 0.0 ? gs / gf : 0.0);
    double angle = fabs(fabs(angle_at(source, i) - angle_at(fused, i)) - G_PI_2) / G_PI_2;

    return GAMMA_G / (1.0 + exp(KAPPA_G * (strength - SIGMA_G))) * GAMMA_A /
           (1.0 + exp(KAPPA_A * (angle - SIGMA_A)));
}

gboolean
bg_fusion_q_g(BgField *const *sources, gsize n_sources, const BgField *fused, double *result,
              GError **error)
{
    g_auto(Gradient) kept = { 0 };
    double top = 0.0, low = 0.0;

    if (!bg_field_sobel(fused, &kept.gu, &kept.gv, error))
        return FALSE;
    for (gsize s = 0; s < n_sources; s++) {
        g_auto(Gradient) source = { 0 };
        if (!bg_field_sobel(sources[s], &source.gu, &source.gv, error))
            return FALSE;
        for (gsize i = 0; i < bg_field_count(fused); i++) {
            double weight = strength_at(&source, i);
            if (weight > 0.0) {
                top += weight * edge_kept(&source, &kept, i);
                low += weight;
            }
        }
    }
    *result = low > 0.0 ? top / low : (double) NAN;
    return TRUE;
}

// Wang and Bovik 2002. Two flat windows are compared by their means alone.
static double
universal_index(const BgWindowMoments *m, gsize i)
{
    double ma = m->mean_a->values[i], mb = m->mean_b->values[i];
    double means = ma * ma + mb * mb, variances = m->var_a->values[i] + m->var_b->values[i];

    if (means <= 0.0)
        return 1.0;
    if (variances <= 1e-9)
        return 2.0 * ma * mb / means;
    return 4.0 * m->cov->values[i] * ma * mb / (variances * means);
}

static double
similarity_index(const BgWindowMoments *m, gsize i)
{
    double ma = m->mean_a->values[i], mb = m->mean_b->values[i];

    return (2.0 * ma * mb + SSIM_C1) * (2.0 * m->cov->values[i] + SSIM_C2) /
           ((ma * ma + mb * mb + SSIM_C1) * (m->var_a->values[i] + m->var_b->values[i] + SSIM_C2));
}

// The sources' indices to the fused picture, weighted by the sources' variances in each window
// (plain), and then over the windows by the largest of these variances (weighted).
static gboolean
weigh(BgField *const *sources, gsize n_sources, const BgField *fused, const double *taps, int n,
      double (*index)(const BgWindowMoments *, gsize), double *plain, double *weighted,
      GError **error)
{
    g_autofree BgWindowMoments *moments = g_new0(BgWindowMoments, n_sources);
    double sum = 0.0, top = 0.0, low = 0.0;
    gboolean ok = TRUE;

    for (gsize s = 0; ok && s < n_sources; s++)
        ok = bg_window_moments(sources[s], fused, taps, n, &moments[s], error);
    gsize n_windows = ok ? bg_field_count(moments[0].cov) : 0;
    for (gsize i = 0; i < n_windows; i++) {
        double total = 0.0, largest = 0.0, q = 0.0;
        for (gsize s = 0; s < n_sources; s++) {
            total += moments[s].var_a->values[i];
            largest = MAX(largest, moments[s].var_a->values[i]);
        }
        for (gsize s = 0; s < n_sources; s++) {
            double share =
                total > 1e-9 ? moments[s].var_a->values[i] / total : 1.0 / (double) n_sources;
            q += share * index(&moments[s], i);
        }
        sum += q;
        top += largest * q;
        low += largest;
    }
    for (gsize s = 0; s < n_sources; s++)
        bg_window_moments_clear(&moments[s]);
    if (ok) {
        *plain = sum / (double) n_windows;
        *weighted = low > 0.0 ? top / low : (double) NAN;
    }
    return ok;
}

static BgField *
edge_picture(const BgField *field, GError **error)
{
    g_auto(Gradient) gradient = { 0 };

    if (!bg_field_sobel(field, &gradient.gu, &gradient.gv, error))
        return NULL;
    for (gsize i = 0; i < bg_field_count(field); i++)
        gradient.gu->values[i] = strength_at(&gradient, i);
    return g_steal_pointer(&gradient.gu);
}

gboolean
bg_fusion_piella(BgField *const *sources, gsize n_sources, const BgField *fused, double *plain,
                 double *weighted, double *edge, GError **error)
{
    double taps[PIELLA_WINDOW], unused, of_edges = NAN;
    g_autoptr(GPtrArray) edges = g_ptr_array_new_with_free_func((GDestroyNotify) bg_field_free);

    for (int t = 0; t < PIELLA_WINDOW; t++)
        taps[t] = 1.0 / PIELLA_WINDOW;
    for (gsize s = 0; s <= n_sources; s++) {
        BgField *picture = edge_picture(s < n_sources ? sources[s] : fused, error);
        if (picture == NULL)
            return FALSE;
        g_ptr_array_add(edges, picture);
    }
    if (!weigh(sources, n_sources, fused, taps, PIELLA_WINDOW, universal_index, plain, weighted,
               error) ||
        !weigh((BgField *const *) edges->pdata, n_sources, edges->pdata[n_sources], taps,
               PIELLA_WINDOW, universal_index, &unused, &of_edges, error))
        return FALSE;
    *edge = *weighted * of_edges;
    return TRUE;
}

gboolean
bg_fusion_q_ssim(BgField *const *sources, gsize n_sources, const BgField *fused, double *result,
                 GError **error)
{
    double taps[BG_SSIM_WINDOW], unused;

    bg_taps_gaussian(taps, BG_SSIM_WINDOW, SSIM_SIGMA);
    return weigh(sources, n_sources, fused, taps, BG_SSIM_WINDOW, similarity_index, result, &unused,
                 error);
}

// Information of a window with (@kept) and without the fusion's distortion, and its gain.
static void
window_information(const BgWindowMoments *m, gsize i, double *gain, double *kept, double *all)
{
    double vs = m->var_a->values[i], vf = m->var_b->values[i], cov = m->cov->values[i];
    double g = cov / (vs + 1e-10), noise = vf - g * cov;

    if (vs < VIFF_FLAT) {
        g = 0.0;
        noise = vf;
        vs = 0.0;
    }
    if (vf < VIFF_FLAT) {
        g = 0.0;
        noise = 0.0;
    }
    if (g < 0.0) {
        noise = vf;
        g = 0.0;
    }
    *gain = g;
    *kept = log10(1.0 + g * g * vs / (MAX(noise, 1e-10) + VIFF_NOISE));
    *all = log10(1.0 + vs / VIFF_NOISE);
}

// One scale: in each window the source whose gain is least speaks.
static gboolean
fidelity(BgField *const *sources, gsize n_sources, const BgField *fused, const double *taps, int n,
         double *result, GError **error)
{
    g_autofree BgWindowMoments *moments = g_new0(BgWindowMoments, n_sources);
    double top = 0.0, low = 0.0;
    gboolean ok = TRUE;

    for (gsize s = 0; ok && s < n_sources; s++)
        ok = bg_window_moments(sources[s], fused, taps, n, &moments[s], error);
    gsize n_windows = ok ? bg_field_count(moments[0].cov) : 0;
    for (gsize i = 0; i < n_windows; i++) {
        double least = INFINITY, kept = 0.0, all = 0.0;
        for (gsize s = 0; s < n_sources; s++) {
            double gain, one_kept, one_all;
            window_information(&moments[s], i, &gain, &one_kept, &one_all);
            if (gain <= least) {
                least = gain;
                kept = one_kept;
                all = one_all;
            }
        }
        top += kept + VIFF_C;
        low += all + VIFF_C;
    }
    for (gsize s = 0; s < n_sources; s++)
        bg_window_moments_clear(&moments[s]);
    *result = top / low;
    return ok;
}

static gboolean
shrink(BgField **field, const double *taps, int n, GError **error)
{
    g_autoptr(BgField) smooth = bg_field_filter(*field, taps, n, error);
    BgField *thin = smooth != NULL ? bg_field_thin(smooth, error) : NULL;

    if (thin == NULL)
        return FALSE;
    bg_field_free(*field);
    *field = thin;
    return TRUE;
}

gboolean
bg_fusion_viff(BgField *const *sources, gsize n_sources, const BgField *fused, double *result,
               GError **error)
{
    static const double weights[VIFF_SCALES] = { 1.0 / 2.15, 0.0, 0.15 / 2.15, 1.0 / 2.15 };
    g_autoptr(GPtrArray) pictures = g_ptr_array_new_with_free_func((GDestroyNotify) bg_field_free);
    double sum = 0.0;

    for (gsize s = 0; s <= n_sources; s++) {
        BgField *copy = bg_field_product(s < n_sources ? sources[s] : fused, NULL, error);
        if (copy == NULL)
            return FALSE;
        g_ptr_array_add(pictures, copy);
    }
    for (int scale = 0; scale < VIFF_SCALES; scale++) {
        double taps[17], value;
        int n = (1 << (VIFF_SCALES - scale)) + 1;
        bg_taps_gaussian(taps, n, n / 5.0);
        for (gsize s = 0; scale > 0 && s <= n_sources; s++) {
            if (!shrink((BgField **) &pictures->pdata[s], taps, n, error))
                return FALSE;
        }
        if (!fidelity((BgField *const *) pictures->pdata, n_sources, pictures->pdata[n_sources],
                      taps, n, &value, error))
            return FALSE;
        sum += weights[scale] * value;
    }
    *result = sum;
    return TRUE;
}
