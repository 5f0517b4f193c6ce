// SPDX-License-Identifier: Apache-2.0
// A photograph and a volume's likeness from its camera, in one picture: what lies where, by known pixels.
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/fusion/bg-fusion-view.h"

#include <math.h>

#define PHOTO_WIDTH 120
#define PHOTO_HEIGHT 80
#define SIDE 40

// Red grows to the right, green downwards: no two pixels are alike, and a mirror shows.
static BgImage *
make_photograph(void)
{
    const BgImageFormat format = { PHOTO_WIDTH, PHOTO_HEIGHT, 3, BG_PIXEL_UINT8 };
    guint8 *rgb = bg_buffer_alloc_items(PHOTO_WIDTH * PHOTO_HEIGHT, 3, NULL);

    for (int v = 0; v < PHOTO_HEIGHT; v++)
        for (int u = 0; u < PHOTO_WIDTH; u++) {
            guint8 *pixel = rgb + 3 * (u + PHOTO_WIDTH * v);
            pixel[0] = (guint8) (2 * u);
            pixel[1] = (guint8) (3 * v);
            pixel[2] = 90;
        }
    return bg_image_new_take(&format, rgb, NULL);
}

// Grey 200 from column 8 and row 4 on, half of it in column 30, nothing before.
static BgImage *
make_rendering(void)
{
    const BgImageFormat format = { SIDE, SIDE, 4, BG_PIXEL_UINT8 };
    guint8 *rgba = bg_buffer_alloc_items(SIDE * SIDE, 4, NULL);

    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            guint8 *pixel = rgba + 4 * (x + SIDE * y);
            pixel[0] = pixel[1] = pixel[2] = 200;
            pixel[3] = x < 8 || y < 4 ? 0 : x == 30 ? 102 : 255;
        }
    return bg_image_new_take(&format, rgba, NULL);
}

static double
luma_of(const double rgb[3])
{
    return 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
}

static const guint8 *
pixel_of(const BgImage *image, int x, int y)
{
    return (const guint8 *) bg_image_get_pixels(image) + 4 * (x + SIDE * y);
}

// The mean of both in brightness, the photograph in colour.
static void
check_pixel(const BgImage *image, int x, int y, double u, double v)
{
    const double rgb[3] = { 2.0 * u, 3.0 * v, 90.0 };
    double alpha = x == 30 ? 102.0 / 255.0 : 1.0, taken = luma_of(rgb);
    double seen = alpha * 200.0 + (1.0 - alpha) * taken, brighter = 0.5 * (seen - taken);
    const guint8 *pixel = pixel_of(image, x, y);

    g_assert_cmpint(pixel[3], ==, 255);
    for (int c = 0; c < 3; c++)
        g_assert_cmpfloat_with_epsilon((double) pixel[c], CLAMP(rgb[c] + brighter, 0.0, 255.0),
                                       2.5);
}

static void
fuse(const BgFusionRect *rect, BgFusionView *view)
{
    g_autoptr(BgImage) photograph = make_photograph(), rendering = make_rendering();
    BgFusionParams params = bg_fusion_params(BG_FUSION_AVERAGE);
    g_autoptr(GError) error = NULL;

    bg_fuse_view(rendering, photograph, rect, &params, NULL, view, NULL, NULL, &error);
    g_assert_no_error(error);
}

static void
test_places(void)
{
    const BgFusionRect rect = { 19.5, 9.5, SIDE, SIDE }; // pixel 0 is pixel (20, 10)
    g_auto(BgFusionView) view = { 0 };

    fuse(&rect, &view);
    g_assert_cmpint(view.box[0], ==, 8);
    g_assert_cmpint(view.box[1], ==, 4);
    g_assert_cmpint(view.box[2], ==, 32);
    g_assert_cmpint(view.box[3], ==, 36);
    g_assert_cmpuint(view.n_seen, ==, 32 * 36);
    for (int y = 0; y < SIDE; y += 3)
        for (int x = 0; x < SIDE; x++) {
            if (x < 8 || y < 4)
                g_assert_cmpint(pixel_of(view.image, x, y)[3], ==, 0);
            else
                check_pixel(view.image, x, y, 20.0 + x, 10.0 + y);
            const guint8 *whole = bg_image_get_pixels(view.whole);
            for (int c = 0; c < 3; c++) // the photograph's own where the volume is not
                g_assert_cmpint(whole[3 * (x + SIDE * y) + c], ==,
                                x >= 8 && y >= 4 ? pixel_of(view.image, x, y)[c]
                                : c == 0         ? 2 * (20 + x)
                                : c == 1         ? 3 * (10 + y)
                                                 : 90);
        }
    g_assert_true(view.metrics.entropy > 0.0 && isnan(view.metrics.viff)); // 32 pixels are too few
    for (int k = 0; k < 2; k++)
        g_assert_true(view.ssim[k] > 0.0 && view.ssim[k] < 1.0);
}

// Half of the pixels, and the photograph's end.
static void
test_scales(void)
{
    const BgFusionRect rect = { 59.5, 19.5, 2 * SIDE, 2 * SIDE };
    g_auto(BgFusionView) view = { 0 };

    fuse(&rect, &view);
    g_assert_cmpint(view.box[0] + view.box[2], ==, 30); // at u = 59.5 + 60 the photograph ends
    g_assert_cmpint(view.box[1] + view.box[3], ==, 30);
    for (int y = 4; y < SIDE; y++)
        for (int x = 8; x < SIDE; x++) {
            if (x >= 30 || y >= 30)
                g_assert_cmpint(pixel_of(view.image, x, y)[3], ==, 0);
            else
                check_pixel(view.image, x, y, 60.5 + 2.0 * x, 20.5 + 2.0 * y);
        }
}

static void
test_nothing(void)
{
    static const BgFusionRect rects[] = { { 200.0, 0.0, SIDE, SIDE },
                                          { -10.0, -10.0, 10.0, 10.0 } };
    g_autoptr(BgImage) photograph = make_photograph(), rendering = make_rendering();
    BgFusionParams params = bg_fusion_params(BG_FUSION_AVERAGE);

    for (gsize i = 0; i < G_N_ELEMENTS(rects); i++) {
        g_autoptr(GError) error = NULL;
        g_auto(BgFusionView) view = { 0 };
        g_assert_false(bg_fuse_view(rendering, photograph, &rects[i], &params, NULL, &view, NULL,
                                    NULL, &error));
        g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
        g_assert_null(view.image);
    }
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fusion-view/places", test_places);
    g_test_add_func("/fusion-view/scales", test_scales);
    g_test_add_func("/fusion-view/nothing", test_nothing);
    return g_test_run();
}
