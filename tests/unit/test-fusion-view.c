// SPDX-License-Identifier: Apache-2.0
// A photograph and a volume's likeness from its camera, in one picture: what lies where, by known pixels.
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/fusion/bg-fusion-outline.h"
#include "core/fusion/bg-fusion-view.h"
#include "core/model/bg-distortion.h"

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

// An L of voxels of 2 mm, turned and moved in the patient; a block of another label within its shadow.
#define N 12

static BgGeometry
make_grid(void)
{
    const double a = 0.4, c = cos(a), n = sin(a);
    BgGeometry geometry = { .dims = { N, N, N } };

    geometry.patient_from_voxel =
        bg_affine_from_columns(bg_vec3(2.0 * c, 2.0 * n, 0.0), bg_vec3(-2.0 * n, 2.0 * c, 0.0),
                               bg_vec3(0.0, 0.0, 2.0), bg_vec3(-9.0, 4.0, 7.0));
    return geometry;
}

static guint32
label_at(int i, int j, int k)
{
    if (i >= 4 && i <= 5 && j >= 7 && j <= 8 && k == 9)
        return 1000; // deep
    if (k == 3 &&
        ((i >= 3 && i <= 8 && j >= 7 && j <= 9) || (i >= 3 && i <= 4 && j >= 2 && j <= 9)))
        return 7;
    return k == 0 && i == 0 && j == 0 ? 9 : 0;
}

static BgLabelMap *
make_labels(void)
{
    const BgGeometry geometry = make_grid();
    guint16 *labels = bg_voxels_alloc(&geometry, sizeof *labels, NULL);

    for (int k = 0; k < N; k++)
        for (int j = 0; j < N; j++)
            for (int i = 0; i < N; i++)
                labels[i + N * (j + N * k)] = (guint16) label_at(i, j, k);
    return bg_label_map_new_take(&geometry, BG_LABEL_UINT16, labels, NULL);
}

static BgLabelTable *
make_table(void)
{
    const BgLabelEntry entries[] = {
        { .label = 7, .name = "L", .rgb = { 1.0f, 0.0f, 0.0f }, .visible = TRUE },
        { .label = 9, .name = "hidden", .rgb = { 0.0f, 1.0f, 0.0f }, .visible = FALSE },
        { .label = 1000, .name = "deep", .rgb = { 0.0f, 0.0f, 1.0f }, .visible = TRUE },
    };
    g_autoptr(GArray) array = g_array_new(FALSE, FALSE, sizeof(BgLabelEntry));

    g_array_append_vals(array, entries, G_N_ELEMENTS(entries));
    return bg_label_table_new(array);
}

// From the side of low k, through a lens.
static BgFusionGrid
make_view(gboolean mirrored)
{
    BgCamera camera = { .width = 200,
                        .height = 160,
                        .k = { 900.0, 0.0, 97.0, 0.0, 910.0, 81.0, 0.0, 0.0, 1.0 },
                        .distortion = { -0.3, 0.1, 0.001, -0.002, 0.0 },
                        .camera_from_patient = bg_affine_identity() };

    camera.camera_from_patient.m[0][3] = 5.0;
    camera.camera_from_patient.m[1][3] = -17.0;
    camera.camera_from_patient.m[2][3] = 160.0;
    return (BgFusionGrid){ camera, mirrored, { 9.5, 4.5, 180.0, 150.0 }, 120, 100 };
}

// By points close to each other along the line of sight, of which none is computed as outlines are.
static gboolean
meets(const BgFusionGrid *grid, int x, int y, guint32 label)
{
    const BgGeometry geometry = make_grid();
    const BgAffine voxel = bg_geometry_voxel_from_patient(&geometry);
    double u = grid->rect.left + (x + 0.5) * grid->rect.width / grid->width;
    double v = grid->rect.top + (y + 0.5) * grid->rect.height / grid->height;
    BgVec3 from, way;

    if (!bg_camera_ray_lens(&grid->camera, grid->mirrored ? grid->camera.width - 1 - u : u, v,
                            &from, &way))
        return FALSE;
    for (double t = 164.0; t < 200.0; t += 0.05) {
        BgVec3 at = bg_affine_apply(&voxel, bg_vec3_along(from, t, way));
        int i = (int) lround(at.x), j = (int) lround(at.y), k = (int) lround(at.z);
        if (MIN(i, MIN(j, k)) >= 0 && MAX(i, MAX(j, k)) < N && label_at(i, j, k) == label)
            return TRUE;
    }
    return FALSE;
}

// Whether a pixel's middle is inside of the lines: by how often a ray to the right crosses them.
static gboolean
is_inside(const BgContours *lines, double x, double y)
{
    gboolean inside = FALSE;

    for (guint l = 0; l < lines->starts->len; l++) {
        gsize first = g_array_index(lines->starts, gsize, l);
        gsize end = l + 1 < lines->starts->len ? g_array_index(lines->starts, gsize, l + 1)
                                               : lines->points->len;
        for (gsize p = first; p + 1 < end; p++) {
            BgContourPoint a = g_array_index(lines->points, BgContourPoint, p);
            BgContourPoint b = g_array_index(lines->points, BgContourPoint, p + 1);
            if ((a.y > y) != (b.y > y) && x < a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x))
                inside = !inside;
        }
    }
    return inside;
}

static GPtrArray *
outline(const BgFusionGrid *grid)
{
    g_autoptr(BgLabelMap) map = make_labels();
    g_autoptr(BgLabelTable) table = make_table();
    g_autoptr(GError) error = NULL;
    g_autoptr(BgFusionLabels) labels = bg_fusion_labels_new(map, table, NULL, &error);
    GPtrArray *outlines = g_ptr_array_new_with_free_func((GDestroyNotify) bg_fusion_outline_free);

    g_assert_no_error(error);
    g_assert_cmpuint(bg_fusion_labels_count_left_out(labels), ==, 0);
    bg_fusion_labels_outline(labels, grid, outlines, NULL, &error);
    g_assert_no_error(error);
    return outlines;
}

static void
test_outlines(gconstpointer mirrored)
{
    const BgFusionGrid grid = make_view(GPOINTER_TO_INT(mirrored));
    g_autoptr(GPtrArray) outlines = outline(&grid);
    const guint32 labels[] = { 7, 1000 };

    g_assert_cmpuint(outlines->len, ==, 2); // the third is not visible
    for (guint o = 0; o < outlines->len; o++) {
        const BgFusionOutline *one = outlines->pdata[o];
        gsize n = 0, n_wrong = 0;
        g_assert_cmpuint(one->label, ==, labels[o]);
        g_assert_cmpfloat(one->rgb[o == 0 ? 0 : 2], ==, 1.0);
        g_assert_cmpuint(one->lines->starts->len, ==, 1);
        for (int y = 0; y < grid.height; y++)
            for (int x = 0; x < grid.width; x++) {
                gboolean is = meets(&grid, x, y, one->label);
                n += is;
                n_wrong += is != is_inside(one->lines, x, y);
            }
        g_assert_cmpuint(n, >, 60);
        g_assert_cmpuint(n_wrong, <=, 2); // a pixel that a voxel's edge goes through
    }
}

// A label without a voxel in sight, and more labels than there are lines for.
static void
test_outline_limits(void)
{
    BgFusionGrid grid = make_view(FALSE);
    const BgGeometry geometry = make_grid();
    guint8 *voxels = bg_voxels_alloc(&geometry, 1, NULL);
    g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(BgLabelEntry));
    g_autoptr(GError) error = NULL;

    for (int i = 0; i < N * N * N; i++)
        voxels[i] = (guint8) (i % 71);
    for (guint32 l = 1; l < 71; l++) {
        BgLabelEntry entry = { .label = l, .visible = TRUE };
        g_array_append_val(entries, entry);
    }
    g_autoptr(BgLabelTable) table = bg_label_table_new(entries);
    g_autoptr(BgLabelMap) map = bg_label_map_new_take(&geometry, BG_LABEL_UINT8, voxels, &error);
    g_autoptr(BgFusionLabels) labels = bg_fusion_labels_new(map, table, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(bg_fusion_labels_count_left_out(labels), ==, 70 - BG_FUSION_MAX_OUTLINES);
    g_autoptr(GPtrArray) outlines =
        g_ptr_array_new_with_free_func((GDestroyNotify) bg_fusion_outline_free);
    g_assert_true(bg_fusion_labels_outline(labels, &grid, outlines, NULL, &error));
    g_assert_cmpuint(outlines->len, ==, BG_FUSION_MAX_OUTLINES);
    grid.camera.camera_from_patient.m[2][3] = -400.0; // all of it lies behind
    g_ptr_array_set_size(outlines, 0);
    g_assert_true(bg_fusion_labels_outline(labels, &grid, outlines, NULL, &error));
    g_assert_cmpuint(outlines->len, ==, 0);
    g_autoptr(GCancellable) cancelled = g_cancellable_new();
    g_cancellable_cancel(cancelled);
    g_assert_null(bg_fusion_labels_new(map, table, cancelled, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fusion-view/places", test_places);
    g_test_add_func("/fusion-view/scales", test_scales);
    g_test_add_func("/fusion-view/nothing", test_nothing);
    g_test_add_data_func("/fusion-view/outlines", GINT_TO_POINTER(FALSE), test_outlines);
    g_test_add_data_func("/fusion-view/outlines-mirrored", GINT_TO_POINTER(TRUE), test_outlines);
    g_test_add_func("/fusion-view/outline-limits", test_outline_limits);
    return g_test_run();
}
