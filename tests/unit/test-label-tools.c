// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-error.h"
#include "core/segment/bg-label-tools.h"
#include "core/volume/bg-label-runs.h"
#include "core/volume/bg-volume.h"

#include <math.h>
#include <string.h>

// Turned about z by 0.3 and about x by 0.2, of anisotropic voxels, off the origin.
static BgGeometry
oblique(int nx, int ny, int nz, BgVec3 spacing_mm)
{
    BgGeometry geometry = { .dims = { nx, ny, nz } };
    double a = 0.3, b = 0.2;
    const double turn[3][3] = { { cos(a), -sin(a) * cos(b), sin(a) * sin(b) },
                                { sin(a), cos(a) * cos(b), -cos(a) * sin(b) },
                                { 0.0, sin(b), cos(b) } };

    geometry.patient_from_voxel = bg_affine_identity();
    for (int r = 0; r < 3; r++) {
        for (int c = 0; c < 3; c++)
            geometry.patient_from_voxel.m[r][c] = turn[r][c] * bg_vec3_get(spacing_mm, c);
        geometry.patient_from_voxel.m[r][3] = -7.0 + 3.0 * r;
    }
    return geometry;
}

static BgGeometry
straight(int nx, int ny, int nz, BgVec3 spacing_mm)
{
    BgGeometry geometry = { .dims = { nx, ny, nz } };

    geometry.patient_from_voxel = bg_affine_identity();
    for (int c = 0; c < 3; c++)
        geometry.patient_from_voxel.m[c][c] = bg_vec3_get(spacing_mm, c);
    return geometry;
}

static BgLabelMap *
new_map(const BgGeometry *geometry, guint8 **labels)
{
    g_autoptr(GError) error = NULL;
    gsize n = bg_geometry_count_voxels(geometry);

    *labels = bg_voxels_alloc(geometry, 1, &error);
    g_assert_no_error(error);
    memset(*labels, 0, n);
    BgLabelMap *map = bg_label_map_new_take(geometry, BG_LABEL_UINT8, *labels, &error);
    g_assert_no_error(error);
    return map;
}

static BgLabelMap *
edited(BgLabelMap *map, const GArray *runs)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes =
        bg_label_runs_pack(bg_geometry_count_voxels(bg_label_map_get_geometry(map)), runs);
    const BgLabelEdit edit = { .runs = bytes };
    BgLabelMap *result = bg_label_map_new_edited(map, &edit, NULL, NULL, &error);

    g_assert_no_error(error);
    return result;
}

static BgVec3
middle(const BgGeometry *geometry)
{
    const int *d = geometry->dims;

    return bg_affine_apply(&geometry->patient_from_voxel,
                           (BgVec3){ (d[0] - 1) / 2.0, (d[1] - 1) / 2.0, (d[2] - 1) / 2.0 });
}

// A ball's volume in mm3 is that of its formula, on any grid; each voxel is right by its own distance.
static void
test_ball(void)
{
    const BgGeometry grids[] = {
        straight(60, 60, 60, (BgVec3){ 1.0, 1.0, 1.0 }),
        straight(60, 60, 20, (BgVec3){ 0.5, 0.5, 3.0 }),
        oblique(60, 50, 30, (BgVec3){ 0.7, 0.9, 2.0 }),
    };

    for (gsize g = 0; g < G_N_ELEMENTS(grids); g++) {
        guint8 *labels;
        g_autoptr(BgLabelMap) map = new_map(&grids[g], &labels);
        const BgPaint paint = { .label = 3 };
        BgVec3 at_mm = middle(&grids[g]);
        const BgStroke stroke = {
            .from_mm = at_mm, .to_mm = at_mm, .diameter_mm = 20.0, .ball = TRUE
        };
        g_autoptr(GArray) runs = bg_label_stroke(map, &paint, &stroke);
        g_autoptr(BgLabelMap) after = edited(map, runs);
        double mm3 = (double) bg_label_runs_count(runs) * bg_geometry_voxel_volume_mm3(&grids[g]);
        g_assert_cmpfloat_with_epsilon(mm3, 4.0 / 3.0 * G_PI * 1000.0, 0.06 * 4188.0);
        for (int k = 0; k < grids[g].dims[2]; k++) {
            for (int j = 0; j < grids[g].dims[1]; j++) {
                for (int i = 0; i < grids[g].dims[0]; i++) {
                    BgVec3 voxel_mm =
                        bg_affine_apply(&grids[g].patient_from_voxel,
                                        (BgVec3){ (double) i, (double) j, (double) k });
                    gboolean inside = bg_vec3_distance(voxel_mm, at_mm) <= 10.0;
                    g_assert_cmpuint(bg_label_map_get_label(after, i, j, k), ==, inside ? 3 : 0);
                }
            }
        }
    }
}

// A disc is one layer thick, and of the area of its formula.
static void
test_disc(void)
{
    BgGeometry geometry = straight(80, 80, 12, (BgVec3){ 0.5, 0.5, 3.0 });
    guint8 *labels;
    g_autoptr(BgLabelMap) map = new_map(&geometry, &labels);
    const BgPaint paint = { .label = 1 };
    const BgVec3 at_mm = { 20.0, 20.0, 16.0 }; // layer 5 is at 15 mm, 6 at 18 mm
    const BgStroke stroke = {
        .from_mm = at_mm, .to_mm = at_mm, .diameter_mm = 10.0, .normal = { 0.0, 0.0, 1.0 }
    };
    g_autoptr(GArray) runs = bg_label_stroke(map, &paint, &stroke);
    gsize layer = 80 * 80;

    g_assert_cmpfloat_with_epsilon((double) bg_label_runs_count(runs) * 0.25, 25.0 * G_PI, 2.0);
    for (guint r = 0; r < runs->len; r++)
        g_assert_cmpuint(g_array_index(runs, BgLabelRun, r).first / layer, ==, 5);

    // Midway between two layers: the one that is drawn there.
    BgStroke midway = stroke;
    midway.from_mm.z = midway.to_mm.z = 16.5;
    g_autoptr(GArray) upper = bg_label_stroke(map, &paint, &midway);
    g_assert_cmpuint(bg_label_runs_count(upper), ==, bg_label_runs_count(runs));
    g_assert_cmpuint(g_array_index(upper, BgLabelRun, 0).first / layer, ==, 6);

    // Oblique: each line of voxels along the third axis has one at most.
    BgGeometry tilted = oblique(60, 60, 40, (BgVec3){ 1.0, 1.0, 1.2 });
    g_autoptr(BgLabelMap) other = new_map(&tilted, &labels);
    const BgStroke wide = { .from_mm = middle(&tilted),
                            .to_mm = middle(&tilted),
                            .diameter_mm = 24.0,
                            .normal = { 0.0, 0.0, 1.0 } };
    g_autoptr(GArray) found = bg_label_stroke(other, &paint, &wide);
    g_autoptr(BgLabelMap) after = edited(other, found);
    for (int j = 0; j < 60; j++) {
        for (int i = 0; i < 60; i++) {
            int n = 0;
            for (int k = 0; k < 40; k++)
                n += bg_label_map_get_label(after, i, j, k) != 0;
            g_assert_cmpint(n, <=, 1);
        }
    }
    double area_mm2 = (double) bg_label_runs_count(found) / cos(0.2);
    g_assert_cmpfloat_with_epsilon(area_mm2, 144.0 * G_PI, 0.05 * 144.0 * G_PI);
}

// A thin brush drawn quickly leaves no gap; a line is as long as it is.
static void
test_line(void)
{
    BgGeometry geometry = straight(40, 40, 5, (BgVec3){ 1.0, 1.0, 4.0 });
    guint8 *labels;
    g_autoptr(BgLabelMap) map = new_map(&geometry, &labels);
    const BgPaint paint = { .label = 1 };
    const BgStroke stroke = { .from_mm = { 5.0, 7.0, 8.0 },
                              .to_mm = { 30.0, 7.0, 8.0 },
                              .diameter_mm = 0.1,
                              .normal = { 0.0, 0.0, 1.0 } };
    g_autoptr(GArray) runs = bg_label_stroke(map, &paint, &stroke);

    g_assert_cmpuint(runs->len, ==, 1);
    g_assert_cmpuint(g_array_index(runs, BgLabelRun, 0).first, ==, 5 + 40 * (7 + 40 * 2));
    g_assert_cmpuint(g_array_index(runs, BgLabelRun, 0).length, ==, 26);

    const BgStroke outside = { .from_mm = { -50.0, 0.0, 0.0 },
                               .to_mm = { -50.0, 0.0, 0.0 },
                               .diameter_mm = 5.0,
                               .ball = TRUE };
    g_autoptr(GArray) none = bg_label_stroke(map, &paint, &outside);
    g_assert_cmpuint(none->len, ==, 0);
}

// Values rise by 1 a mm along x, on a grid of their own.
static BgVolume *
ramp(void)
{
    g_autoptr(GError) error = NULL;
    BgGeometry geometry = straight(81, 10, 10, (BgVec3){ 0.5, 5.0, 5.0 });
    float *samples = bg_voxels_alloc(&geometry, sizeof(float), &error);

    g_assert_no_error(error);
    for (gsize v = 0; v < bg_geometry_count_voxels(&geometry); v++)
        samples[v] = 0.5f * (float) (v % 81);
    BgVolume *volume =
        bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_FLOAT32), samples, &error);
    g_assert_no_error(error);
    return volume;
}

static void
test_range_and_over(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgVolume) values = ramp();
    BgGeometry geometry = straight(40, 20, 10, (BgVec3){ 1.0, 1.0, 1.0 });
    guint8 *labels;
    g_autoptr(BgLabelMap) map = new_map(&geometry, &labels);
    BgPaint paint = { .label = 2, .values = values, .low = 9.5, .high = 19.5 };

    for (int j = 0; j < 20; j++)
        labels[10 + 40 * j] = 1; // a wall of another label, in the first layer
    g_autoptr(GArray) all = bg_label_threshold(map, &paint, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(bg_label_runs_count(all), ==, 10 * 20 * 10);
    paint.over = BG_OVER_BACKGROUND;
    g_autoptr(GArray) free = bg_label_threshold(map, &paint, NULL, NULL, &error);
    g_assert_cmpuint(bg_label_runs_count(free), ==, 10 * 20 * 10 - 20);
    paint.over = BG_OVER_LABEL;
    paint.over_label = 1;
    g_autoptr(GArray) one = bg_label_threshold(map, &paint, NULL, NULL, &error);
    g_assert_cmpuint(bg_label_runs_count(one), ==, 20);

    const BgStroke stroke = { .from_mm = { 10.0, 10.0, 5.0 },
                              .to_mm = { 10.0, 10.0, 5.0 },
                              .diameter_mm = 6.0,
                              .ball = TRUE };
    paint.over = BG_OVER_ALL;
    g_autoptr(GArray) limited = bg_label_stroke(map, &paint, &stroke);
    for (guint r = 0; r < limited->len; r++)
        g_assert_cmpuint(g_array_index(limited, BgLabelRun, r).first % 40, >=, 10);
    g_assert_cmpuint(limited->len, >, 5);
}

static void
test_flood(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgVolume) values = ramp();
    BgGeometry geometry = straight(40, 20, 10, (BgVec3){ 1.0, 1.0, 1.0 });
    guint8 *labels;
    g_autoptr(BgLabelMap) map = new_map(&geometry, &labels);
    BgPaint paint = { .label = 4 };
    const BgVec3 seed_mm = { 3.0, 3.0, 3.0 }, normal = { 0.0, 0.0, 1.0 };

    for (int k = 0; k < 10; k++) {
        for (int j = 0; j < 20; j++)
            labels[20 + 40 * (j + 20 * k)] = 1; // shuts off the other half
    }
    g_autoptr(GArray) half = bg_label_flood(map, &paint, seed_mm, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(bg_label_runs_count(half), ==, 20 * 20 * 10);
    g_autoptr(GArray) flat = bg_label_flood(map, &paint, seed_mm, &normal, NULL, NULL, &error);
    g_assert_cmpuint(bg_label_runs_count(flat), ==, 20 * 20);
    paint.values = values;
    paint.low = -0.1;
    paint.high = 5.1;
    g_autoptr(GArray) range = bg_label_flood(map, &paint, seed_mm, NULL, NULL, NULL, &error);
    g_assert_cmpuint(bg_label_runs_count(range), ==, 6 * 20 * 10);

    paint.low = 30.0;
    paint.high = 40.0;
    g_assert_null(bg_label_flood(map, &paint, seed_mm, NULL, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_clear_error(&error);
    g_assert_null(
        bg_label_flood(map, &paint, (BgVec3){ -9.0, 0.0, 0.0 }, NULL, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_autoptr(GCancellable) cancelled = g_cancellable_new();
    g_cancellable_cancel(cancelled);
    g_clear_error(&error);
    paint.values = NULL;
    g_assert_null(bg_label_flood(map, &paint, seed_mm, NULL, NULL, cancelled, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
put_cube(guint8 *labels, int at, int side, guint8 label)
{
    for (int k = at; k < at + side; k++) {
        for (int j = at; j < at + side; j++) {
            for (int i = at; i < at + side; i++)
                labels[i + 30 * (j + 30 * k)] = label;
        }
    }
}

static void
test_islands(void)
{
    g_autoptr(GError) error = NULL;
    BgGeometry geometry = straight(30, 30, 30, (BgVec3){ 2.0, 2.0, 2.0 }); // 8 mm3 a voxel
    guint8 *labels;
    g_autoptr(BgLabelMap) map = new_map(&geometry, &labels);
    BgIslandsParams params = { .label = 1, .least_mm3 = 8.0 * 28.0 };

    put_cube(labels, 1, 2, 1);  // 8 voxels
    put_cube(labels, 5, 3, 1);  // 27
    put_cube(labels, 12, 6, 1); // 216
    put_cube(labels, 22, 2, 2); // another label
    static const gsize goes[] = { 8 + 27, 8 + 27, 8 + 216, 27 };
    params.seed_mm = (BgVec3){ 12.0, 12.0, 12.0 };
    for (int what = 0; what < 4; what++) {
        params.what = (BgIslands) what;
        g_autoptr(GArray) runs = bg_label_islands(map, &params, NULL, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(bg_label_runs_count(runs), ==, goes[what]);
    }
    params.label = 0;
    params.what = BG_ISLANDS_KEEP_LARGEST;
    g_autoptr(GArray) together = bg_label_islands(map, &params, NULL, NULL, &error);
    g_assert_cmpuint(bg_label_runs_count(together), ==, 8 + 27 + 8);
    params.what = BG_ISLANDS_KEEP_PICKED;
    params.seed_mm = (BgVec3){ 0.0, 0.0, 0.0 };
    g_assert_null(bg_label_islands(map, &params, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

static void
test_holes(void)
{
    g_autoptr(GError) error = NULL;
    BgGeometry geometry = straight(30, 30, 30, (BgVec3){ 1.0, 1.0, 1.0 });
    guint8 *labels;
    g_autoptr(BgLabelMap) map = new_map(&geometry, &labels);

    put_cube(labels, 5, 10, 1);
    put_cube(labels, 8, 4, 0); // a hole
    put_cube(labels, 9, 1, 2); // with another label in it
    g_autoptr(GArray) runs = bg_label_fill_holes(map, 1, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(bg_label_runs_count(runs), ==, 64 - 1);

    // Half of the shell is another label: neither shuts the hole off alone, both together do.
    for (int k = 5; k < 15; k++)
        for (int j = 5; j < 15; j++)
            for (int i = 12; i < 15; i++)
                labels[i + 30 * (j + 30 * k)] = 2;
    g_autoptr(GArray) alone = bg_label_fill_holes(map, 1, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(bg_label_runs_count(alone), ==, 0);
    g_autoptr(GArray) together = bg_label_fill_holes(map, 0, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(bg_label_runs_count(together), ==, 64 - 1);
    g_assert_cmpuint(g_array_index(together, BgLabelRun, 0).to, ==, 1);
}

// Packing, doing and undoing give back what was; the memory of a map that is held is left alone.
static void
test_runs(void)
{
    g_autoptr(GError) error = NULL;
    BgGeometry geometry = straight(30, 30, 30, (BgVec3){ 1.0, 1.0, 1.0 });
    guint8 *labels;
    BgLabelMap *map = new_map(&geometry, &labels);
    g_autoptr(BgLabelMap) first = bg_label_map_ref(map), held = NULL;
    BgLabelMap *spare = NULL;
    const BgLabelEdit *behind = NULL;
    BgLabelEdit edits[20];
    g_autofree guint8 *truth = g_malloc0(27000), *when_held = NULL;

    for (int n = 0; n < 20; n++) {
        g_autoptr(GArray) runs = g_array_new(FALSE, FALSE, sizeof(BgLabelRun));
        for (gsize v = 0; v < 27000; v++) {
            guint8 to = (guint8) g_test_rand_int_range(0, 4);
            if (g_test_rand_int_range(0, 40) == 0 && truth[v] != to) {
                bg_label_runs_add(runs, v, truth[v], to);
                truth[v] = to;
            }
        }
        edits[n] = (BgLabelEdit){ .runs = bg_label_runs_pack(27000, runs) };
        BgLabelMap *next = bg_label_map_new_edited(map, &edits[n], spare, behind, &error);
        g_assert_no_error(error);
        g_assert_cmpmem(bg_label_map_get_labels(next), 27000, truth, 27000);
        if (n == 10) {
            held = bg_label_map_ref(next);
            when_held = g_memdup2(truth, 27000);
        }
        spare = map;
        map = next;
        behind = &edits[n];
    }
    g_assert_cmpmem(bg_label_map_get_labels(held), 27000, when_held, 27000);
    g_autoptr(GArray) change = bg_label_runs_between(first, map);
    for (int n = 19; n >= 0; n--) {
        edits[n].reverse = TRUE;
        BgLabelEdit last = n < 19 ? edits[n + 1] : (BgLabelEdit){ edits[19].runs, FALSE };
        BgLabelMap *next = bg_label_map_new_edited(map, &edits[n], spare, &last, &error);
        g_assert_no_error(error);
        spare = map;
        map = next;
    }
    g_assert_cmpmem(bg_label_map_get_labels(map), 27000, bg_label_map_get_labels(first), 27000);
    g_assert_cmpuint(bg_label_runs_count(change), >, 1000);
    for (int n = 0; n < 20; n++)
        g_bytes_unref(edits[n].runs);
    bg_label_map_unref(spare);
    bg_label_map_unref(map);
}

static void
test_refuses_bytes(void)
{
    BgGeometry geometry = straight(10, 10, 10, (BgVec3){ 1.0, 1.0, 1.0 });
    static const struct {
        const char *name;
        guint8 bytes[12];
        gsize n;
    } cases[] = {
        { "nothing", { 0 }, 0 },
        { "of another size", { 0xe9, 0x07, 0, 1, 0, 1 }, 6 },
        { "ends early", { 0xe8, 0x07, 0, 1, 0 }, 5 },
        { "without end",
          { 0xe8, 0x07, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
          12 },
        { "beyond the end", { 0xe8, 0x07, 0xe7, 0x07, 2, 0, 1 }, 7 },
        { "no length", { 0xe8, 0x07, 0, 0, 0, 1 }, 6 },
        { "label of 256", { 0xe8, 0x07, 0, 1, 0, 0x80, 0x02 }, 7 },
    };

    for (gsize c = 0; c < G_N_ELEMENTS(cases); c++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) bytes = g_bytes_new(cases[c].bytes, cases[c].n);
        g_autoptr(GArray) runs = bg_label_runs_unpack(bytes, &geometry, BG_LABEL_UINT8, &error);
        if (runs != NULL)
            g_error("taken: %s", cases[c].name);
        g_assert_error(error, BG_ERROR, BG_ERROR_CORRUPT);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/label-tools/ball", test_ball);
    g_test_add_func("/label-tools/disc", test_disc);
    g_test_add_func("/label-tools/line", test_line);
    g_test_add_func("/label-tools/range-and-over", test_range_and_over);
    g_test_add_func("/label-tools/flood", test_flood);
    g_test_add_func("/label-tools/islands", test_islands);
    g_test_add_func("/label-tools/holes", test_holes);
    g_test_add_func("/label-runs/do-and-undo", test_runs);
    g_test_add_func("/label-runs/refuses", test_refuses_bytes);

    return g_test_run();
}
