// SPDX-License-Identifier: Apache-2.0
#include "core/annotate/bg-curves.h"

#include <math.h>

static const double train[4] = { 1.0, 0.5, 0.25, 0.2 };
static const double check[4] = { 2.0, NAN, 0.5, 0.4 };

static BgCurvePlot
make_plot(const BgCurve *curves, gboolean is_log)
{
    return (BgCurvePlot){ .curves = curves,
                          .n_curves = 2,
                          .n = 4,
                          .n_epochs = 10,
                          .is_log = is_log,
                          .from_zero = TRUE,
                          .value_title = "loss",
                          .epoch_title = "epoch",
                          .text_px = 10.0,
                          .ground = { 1, 1, 1 },
                          .ink = { 0, 0, 0 },
                          .dim = { 0.3, 0.3, 0.3 },
                          .line = { 0.8, 0.8, 0.8 } };
}

static const BgCurve curves[2] = {
    { "training", train, { 0.0, 0.0, 1.0 }, FALSE },
    { "validation", check, { 1.0, 0.0, 0.0 }, TRUE },
};

// The frame leaves 46 px left, 20 above, 12 right, 32 below; the linear axis goes from 0 to 2.12.
static void
test_places(void)
{
    BgCurvePlot plot = make_plot(curves, FALSE);
    BgCurveFrame frame = bg_curve_frame(&plot, 400, 300);

    g_assert_cmpfloat_with_epsilon(frame.left, 46.0, 1e-9);
    g_assert_cmpfloat_with_epsilon(frame.right, 388.0, 1e-9);
    g_assert_cmpfloat_with_epsilon(frame.low, 0.0, 1e-12);
    g_assert_cmpfloat_with_epsilon(frame.high, 2.12, 1e-9);
    g_assert_cmpfloat_with_epsilon(bg_curve_x(&frame, 1.0), 46.0, 1e-9);
    g_assert_cmpfloat_with_epsilon(bg_curve_x(&frame, 10.0), 388.0, 1e-9);
    g_assert_cmpfloat_with_epsilon(bg_curve_x(&frame, 4.0), 46.0 + 342.0 / 3.0, 1e-9);
    g_assert_cmpfloat_with_epsilon(bg_curve_y(&frame, 0.0), 268.0, 1e-9);
    g_assert_cmpfloat_with_epsilon(bg_curve_y(&frame, 1.06), 144.0, 1e-9);
    g_assert_true(isnan(bg_curve_y(&frame, (double) NAN)));
}

static void
test_log_places(void)
{
    BgCurvePlot plot = make_plot(curves, TRUE);
    BgCurveFrame frame = bg_curve_frame(&plot, 400, 300);
    double middle = sqrt(0.2 * 2.0), ticks[12];

    // Edges are equal, so the geometric mean of the ends is in the middle.
    g_assert_cmpfloat_with_epsilon(bg_curve_y(&frame, middle), 144.0, 1e-6);
    g_assert_cmpfloat_with_epsilon(bg_curve_y(&frame, 1.0) - bg_curve_y(&frame, 2.0),
                                   bg_curve_y(&frame, 0.2) - bg_curve_y(&frame, 0.4), 1e-6);
    g_assert_true(isnan(bg_curve_y(&frame, 0.0)));
    g_assert_cmpint(bg_curve_ticks(&frame, ticks, 12), ==, 4);
    g_assert_cmpfloat_with_epsilon(ticks[0], 0.2, 1e-12);
    g_assert_cmpfloat_with_epsilon(ticks[3], 2.0, 1e-12);
}

static void
test_ticks(void)
{
    static const struct {
        double low, high;
        int n;
        double first, last;
    } cases[] = {
        { 0.0, 2.12, 5, 0.0, 2.0 },
        { 0.313, 0.347, 3, 0.32, 0.34 },
        { 1.0, 10.0, 5, 2.0, 10.0 },
        { 1.0, 1000.0, 5, 200.0, 1000.0 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        BgCurveFrame frame = { .low = cases[i].low, .high = cases[i].high };
        double ticks[12];
        int n = bg_curve_ticks(&frame, ticks, 12);
        g_assert_cmpint(n, ==, cases[i].n);
        g_assert_cmpfloat_with_epsilon(ticks[0], cases[i].first, 1e-9);
        g_assert_cmpfloat_with_epsilon(ticks[n - 1], cases[i].last, 1e-9);
    }
}

// The pixel of a point has its curve's colour, a gap has none, and nothing is drawn beyond what was done.
static void
test_pixels(void)
{
    BgCurvePlot plot = make_plot(curves, FALSE);
    BgCurveFrame frame = bg_curve_frame(&plot, 400, 300);
    g_autoptr(GError) error = NULL;
    g_autoptr(BgImage) image = bg_curve_image(&plot, 400, 300, &error);

    g_assert_no_error(error);
    const guint8 *rgb = bg_image_get_pixels(image);
    for (int c = 0; c < 2; c++) {
        for (int i = 0; i < 4; i++) {
            double x = bg_curve_x(&frame, i + 1.0), y = bg_curve_y(&frame, curves[c].values[i]);
            if (!isfinite(y))
                continue;
            const guint8 *at = rgb + 3 * ((int) y * 400 + (int) x);
            g_assert_cmpint(at[0], ==, c == 1 ? 255 : 0);
            g_assert_cmpint(at[1], ==, 0);
            g_assert_cmpint(at[2], ==, c == 0 ? 255 : 0);
        }
    }
    for (int y = (int) frame.top; y < (int) frame.bottom; y++) {
        const guint8 *gap = rgb + 3 * (y * 400 + (int) bg_curve_x(&frame, 2.0));
        const guint8 *later = rgb + 3 * (y * 400 + (int) bg_curve_x(&frame, 6.0));
        g_assert_false(gap[0] > 200 && gap[1] < 60); // no red: the validation has no number there
        g_assert_false(later[0] != later[1] || later[1] != later[2]);
    }
}

// Nothing yet, one epoch, equal numbers, a loss of nothing: no division by zero.
static void
test_few(void)
{
    static const double same[2] = { 0.7, 0.7 }, zero[1] = { 0.0 };
    const BgCurve few[] = { { "one", same, { 0, 0, 1 }, FALSE },
                            { "two", zero, { 1, 0, 0 }, TRUE } };

    for (int is_log = 0; is_log < 2; is_log++) {
        for (gsize n = 0; n < 3; n++) {
            BgCurvePlot plot = make_plot(few, is_log);
            plot.n = n;
            plot.n_curves = n < 2 ? 2 : 1;
            plot.n_epochs = n;
            plot.from_zero = FALSE;
            BgCurveFrame frame = bg_curve_frame(&plot, 300, 200);
            g_assert_true(isfinite(frame.low) && isfinite(frame.high) && frame.low < frame.high);
            g_assert_true(isfinite(bg_curve_x(&frame, 1.0)) && isfinite(bg_curve_y(&frame, 0.7)));
            g_autoptr(BgImage) image = bg_curve_image(&plot, 300, 200, NULL);
            g_assert_nonnull(image);
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/curves/places", test_places);
    g_test_add_func("/curves/log-places", test_log_places);
    g_test_add_func("/curves/ticks", test_ticks);
    g_test_add_func("/curves/pixels", test_pixels);
    g_test_add_func("/curves/few", test_few);
    return g_test_run();
}
