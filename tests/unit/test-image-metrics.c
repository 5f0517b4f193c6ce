// SPDX-License-Identifier: Apache-2.0
// Measures of pictures against numbers of numpy, scipy and scikit-image
// (tests/reference/make-image-metrics.py).
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/image/bg-emd.h"
#include "core/image/bg-fusion-metrics.h"
#include "core/image/bg-image-metrics.h"
#include "core/image/bg-ssim.h"
#include "core/io/bg-image-io.h"

#include "tests/reference/image-metrics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// As made() of the script.
static BgImage *
make_picture(int width, int height, int seed, int n_channels)
{
    BgImageFormat format = { width, height, n_channels, BG_PIXEL_UINT8 };
    guint8 *pixels = bg_buffer_alloc((gsize) width * (gsize) height * (gsize) n_channels, NULL);

    for (gint64 v = 0; v < height; v++) {
        for (gint64 u = 0; u < width; u++) {
            for (gint64 c = 0; c < n_channels; c++) {
                gint64 h =
                    (u * 7919 + v * 104729 + c * 15485863 + u * v * 31 + seed * 1299709) % 101;
                gint64 p = (u * (3 + seed)) % 64 - 32, q = (v * 5 + 11 * c * seed) % 80 - 40;
                gboolean inside = u >= 5 && v >= 5 && u < width - 5 && v < height - 5;
                pixels[c + n_channels * (u + width * v)] =
                    inside ? (guint8) ((h + 40 * c + p * p / 16 + q * q / 16) % 256) : 0;
            }
        }
    }
    return bg_image_new_take(&format, pixels, NULL);
}

// (wa * a + b) / (wa + 1), cut to whole levels.
static BgImage *
mix(BgImage *a, BgImage *b, int wa)
{
    BgImageFormat format = *bg_image_get_format(a);
    gsize n = bg_image_get_n_bytes(a);
    guint8 *pixels = bg_buffer_alloc(n, NULL);
    const guint8 *pa = bg_image_get_pixels(a), *pb = bg_image_get_pixels(b);

    for (gsize i = 0; i < n; i++)
        pixels[i] = (guint8) ((wa * pa[i] + pb[i]) / (wa + 1));
    return bg_image_new_take(&format, pixels, NULL);
}

// "183x171x1", or two names of files in the folder of test data. FALSE when that is not there.
static gboolean
find_pair(const char *name, BgImage **a, BgImage **b)
{
    int w, h, c;

    if (sscanf(name, "%dx%dx%d", &w, &h, &c) == 3) {
        *a = make_picture(w, h, 1, c);
        *b = make_picture(w, h, 2, c);
        return TRUE;
    }
    const char *shared = g_getenv("BREGMA_TEST_SHARED");
    if (shared == NULL)
        return FALSE;
    g_auto(GStrv) names = g_strsplit(name, " ", 3);
    BgImage **pictures[2] = { a, b };
    for (int i = 0; i < 2; i++) {
        g_autofree char *file = g_strconcat(names[i], ".png", NULL);
        g_autofree char *path = g_build_filename(shared, "fusion2d", file, NULL);
        *pictures[i] = bg_png_load(path, NULL);
        if (*pictures[i] == NULL) {
            g_clear_pointer(a, bg_image_unref);
            return FALSE;
        }
    }
    return TRUE;
}

static void
assert_near(const char *name, const char *what, double value, double wanted, double tolerance)
{
    if (!(fabs(value - wanted) <= tolerance))
        g_error("%s: %s is %.12g, wanted %.12g", name, what, value, wanted);
}

static void
test_pairs(void)
{
    static const char *const names[] = { "rmse", "relative",      "mae",     "psnr",
                                         "ssim", "ssim_channels", "ms_ssim", "emd" };
    int n_done = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(pair_numbers); i++) {
        const double *wanted = pair_numbers[i].numbers;
        g_autoptr(BgImage) a = NULL;
        g_autoptr(BgImage) b = NULL;
        g_autoptr(BgImage) mixed = NULL;
        BgImageMetrics m;
        if (!find_pair(pair_numbers[i].name, &a, &b))
            continue;
        gboolean is_mixed = g_str_has_suffix(pair_numbers[i].name, " mixed");
        if (is_mixed)
            mixed = mix(a, b, 3);
        g_assert_true(
            bg_image_metrics(is_mixed ? mixed : a, is_mixed ? a : b, NULL, 1.0, &m, NULL, NULL));
        double got[8] = { m.rmse, m.relative,      m.mae,     m.psnr,
                          m.ssim, m.ssim_channels, m.ms_ssim, m.emd };
        for (int n = 0; n < 8; n++) {
            if (n == 6 && wanted[n] < 0.0)
                g_assert_true(isnan(got[n]));
            else
                assert_near(pair_numbers[i].name, names[n], got[n], wanted[n],
                            n == 3 ? 1e-4 : (n < 3 ? 1e-6 : 5e-6));
        }
        n_done++;
    }
    g_assert_cmpint(n_done, >=, 4);
}

static void
test_fusion(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(fusion_numbers); i++) {
        g_autoptr(BgImage) a = NULL;
        g_autoptr(BgImage) b = NULL;
        if (!find_pair(fusion_numbers[i].name, &a, &b))
            continue;
        g_autoptr(BgChannel) pa = bg_channel_luma(a, NULL);
        g_autoptr(BgChannel) pb = bg_channel_luma(b, NULL);
        g_autoptr(BgChannel) fused = bg_channel_new(pa->width, pa->height, NULL);
        for (gsize k = 0; k < bg_channel_count(fused); k++) {
            int la = (int) floor((double) pa->values[k] * 255.0 + 0.5);
            int lb = (int) floor((double) pb->values[k] * 255.0 + 0.5);
            fused->values[k] = (float) ((la + lb) / 2) / 255.0f;
        }
        const BgChannel *sources[2] = { pa, pb };
        BgFusionMetrics m;
        g_assert_true(bg_fusion_metrics(sources, 2, fused, &m, NULL, NULL));
        double got[11] = { m.q_g,    m.q_ie, m.fmi, m.piella,  m.piella_weighted,   m.piella_edge,
                           m.q_ssim, m.viff, m.scd, m.entropy, m.mutual_information };
        static const char *const names[11] = {
            "q_g",    "q_ie", "fmi", "piella",  "piella_weighted", "edge",
            "q_ssim", "viff", "scd", "entropy", "mutual"
        };
        // Rounding of grey from colour may move a pixel by a level.
        double tolerance =
            bg_image_count_colours(a) == bg_image_count_colours(b) && bg_image_count_colours(a) == 1
                ? 1e-9
                : 2e-4;
        for (int n = 0; n < 11; n++)
            assert_near(fusion_numbers[i].name, names[n], got[n], fusion_numbers[i].numbers[n],
                        tolerance);
    }
}

static void
test_fused_is_source(void)
{
    g_autoptr(BgImage) a = make_picture(70, 60, 1, 1);
    g_autoptr(BgChannel) pa = bg_channel_luma(a, NULL);
    const BgChannel *sources[3] = { pa, pa, pa };
    BgFusionMetrics m;

    g_assert_true(bg_fusion_metrics(sources, 3, pa, &m, NULL, NULL));
    g_assert_cmpfloat_with_epsilon(m.fmi, 1.0, 1e-12);
    g_assert_cmpfloat_with_epsilon(m.piella, 1.0, 1e-12);
    g_assert_cmpfloat_with_epsilon(m.q_ssim, 1.0, 1e-12);
    g_assert_cmpfloat_with_epsilon(m.viff, 1.0, 1e-3);
    g_assert_true(isnan(m.scd));
}

// A transport whose answer is known, against a sum over sorted masses (one dimension).
static void
test_emd_line(void)
{
    enum { N = 40 };
    gint64 supply[N], demand[N];
    double *cost = g_new(double, N *N), result, wanted = 0.0;
    gint64 total_a = 0, total_b = 0, carried = 0;

    for (int i = 0; i < N; i++) {
        supply[i] = g_test_rand_int_range(1, 50);
        demand[i] = g_test_rand_int_range(1, 50);
        total_a += supply[i];
        total_b += demand[i];
        for (int j = 0; j < N; j++)
            cost[i * N + j] = (double) ABS(i - j) / (N - 1);
    }
    if (total_a > total_b)
        demand[7] += total_a - total_b;
    else
        supply[11] += total_b - total_a;
    for (int i = 0; i < N; i++) {
        carried += supply[i] - demand[i];
        wanted += (double) ABS(carried) / (N - 1);
    }
    wanted /= (double) MAX(total_a, total_b);
    g_assert_true(bg_emd(supply, N, demand, N, cost, &result, NULL, NULL));
    g_assert_cmpfloat_with_epsilon(result, wanted, 1e-12);
    g_free(cost);
}

// The same numbers from any number of threads and from masks that keep everything.
static void
test_mask(void)
{
    g_autoptr(BgImage) a = make_picture(64, 47, 1, 3);
    g_autoptr(BgImage) b = make_picture(64, 47, 2, 3);
    g_autoptr(BgChannel) mask = bg_channel_new(64, 47, NULL);
    BgImageMetrics all, masked, left;

    for (gsize i = 0; i < bg_channel_count(mask); i++)
        mask->values[i] = 1.0f;
    g_assert_true(bg_image_metrics(a, b, NULL, 1.0, &all, NULL, NULL));
    g_assert_true(bg_image_metrics(a, b, mask, 1.0, &masked, NULL, NULL));
    g_assert_cmpfloat(all.rmse, ==, masked.rmse);
    g_assert_cmpfloat_with_epsilon(all.ssim, masked.ssim, 1e-6);
    g_assert_cmpfloat(all.emd, ==, masked.emd);
    for (gsize i = 0; i < bg_channel_count(mask); i++)
        mask->values[i] = i % 64 < 32 ? 1.0f : 0.0f;
    g_assert_true(bg_image_metrics(a, b, mask, 1.0, &left, NULL, NULL));
    g_assert_cmpuint(left.n_pixels, ==, 32 * 47);
    g_assert_cmpfloat(left.rmse, !=, all.rmse);
    memset(mask->values, 0, bg_channel_count(mask) * sizeof(float));
    g_autoptr(GError) error = NULL;
    g_assert_false(bg_image_metrics(a, b, mask, 1.0, &left, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

static void
test_refuses(void)
{
    g_autoptr(BgImage) a = make_picture(64, 47, 1, 3);
    g_autoptr(BgImage) b = make_picture(64, 48, 2, 3);
    g_autoptr(BgImage) grey = make_picture(64, 47, 2, 1);
    g_autoptr(BgImage) tiny = make_picture(9, 9, 2, 1);
    g_autoptr(BgChannel) p = bg_channel_luma(tiny, NULL);
    g_autoptr(GError) sizes = NULL;
    g_autoptr(GError) colours = NULL;
    g_autoptr(GError) small = NULL;
    BgImageMetrics m;
    double value;

    g_assert_false(bg_image_metrics(a, b, NULL, 1.0, &m, NULL, &sizes));
    g_assert_error(sizes, BG_ERROR, BG_ERROR_INVALID);
    g_assert_false(bg_image_metrics(a, grey, NULL, 1.0, &m, NULL, &colours));
    g_assert_error(colours, BG_ERROR, BG_ERROR_INVALID);
    g_assert_false(bg_ssim(p, p, 1.0, &value, NULL, NULL, &small));
    g_assert_error(small, BG_ERROR, BG_ERROR_INVALID);
    g_assert_true(bg_image_metrics(tiny, tiny, NULL, 1.0, &m, NULL, NULL));
    g_assert_true(isnan(m.ssim) && isinf(m.psnr));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/image-metrics/pairs", test_pairs);
    g_test_add_func("/image-metrics/fusion", test_fusion);
    g_test_add_func("/image-metrics/fused-is-source", test_fused_is_source);
    g_test_add_func("/image-metrics/emd-line", test_emd_line);
    g_test_add_func("/image-metrics/mask", test_mask);
    g_test_add_func("/image-metrics/refuses", test_refuses);
    return g_test_run();
}
