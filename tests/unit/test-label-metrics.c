// SPDX-License-Identifier: Apache-2.0
// Overlap and surface distances of label maps against brute force, and against figures that the
// tests of other people's packages assert.
#include "core/base/bg-error.h"
#include "core/filter/bg-distance-map.h"
#include "core/segment/bg-label-metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static BgLabelMap *
new_map(const int dims[3], BgVec3 spacing_mm, guint8 **voxels)
{
    BgGeometry geometry = bg_geometry_new_regular(dims, spacing_mm);
    guint8 *labels = bg_voxels_alloc(&geometry, 1, NULL);

    memset(labels, 0, bg_geometry_count_voxels(&geometry));
    *voxels = labels;
    return bg_label_map_new_take(&geometry, BG_LABEL_UINT8, labels, NULL);
}

static gsize
place(const int dims[3], int i, int j, int k)
{
    return (gsize) i + (gsize) dims[0] * ((gsize) j + (gsize) dims[1] * (gsize) k);
}

// A ball with holes and specks.
static void
draw(guint8 *voxels, const int dims[3], double ci, double cj, double ck, double r, guint8 label)
{
    for (int k = 0; k < dims[2]; k++) {
        for (int j = 0; j < dims[1]; j++) {
            for (int i = 0; i < dims[0]; i++) {
                double d = (i - ci) * (i - ci) + (j - cj) * (j - cj) + (k - ck) * (k - ck);
                gboolean in = d <= r * r ? g_test_rand_int_range(0, 12) > 0
                                         : g_test_rand_int_range(0, 300) == 0;
                if (in)
                    voxels[place(dims, i, j, k)] = label;
            }
        }
    }
}

typedef struct {
    int at[3];
} Point;

static GArray *
brute_surface(const guint8 *voxels, const int dims[3])
{
    static const int steps[6][3] = { { 1, 0, 0 },  { -1, 0, 0 }, { 0, 1, 0 },
                                     { 0, -1, 0 }, { 0, 0, 1 },  { 0, 0, -1 } };
    GArray *points = g_array_new(FALSE, FALSE, sizeof(Point));
    int n_steps = dims[2] == 1 ? 4 : 6;

    for (int k = 0; k < dims[2]; k++) {
        for (int j = 0; j < dims[1]; j++) {
            for (int i = 0; i < dims[0]; i++) {
                gboolean edge = FALSE;
                if (voxels[place(dims, i, j, k)] == 0)
                    continue;
                for (int s = 0; s < n_steps; s++) {
                    int p[3] = { i + steps[s][0], j + steps[s][1], k + steps[s][2] };
                    gboolean in = TRUE;
                    for (int a = 0; a < 3; a++)
                        in = in && p[a] >= 0 && p[a] < dims[a];
                    edge = edge || !in || voxels[place(dims, p[0], p[1], p[2])] == 0;
                }
                Point point = { { i, j, k } };
                if (edge)
                    g_array_append_val(points, point);
            }
        }
    }
    return points;
}

static void
brute_directed(const GArray *from, const GArray *to, const double spacing[3], GArray *pool)
{
    for (guint a = 0; a < from->len; a++) {
        double best = HUGE_VAL;
        for (guint b = 0; b < to->len; b++) {
            double d = 0.0;
            for (int axis = 0; axis < 3; axis++) {
                double step = spacing[axis] * (g_array_index(from, Point, a).at[axis] -
                                               g_array_index(to, Point, b).at[axis]);
                d += step * step;
            }
            best = MIN(best, d);
        }
        best = sqrt(best);
        g_array_append_val(pool, best);
    }
}

static int
compare(gconstpointer a, gconstpointer b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return x < y ? -1 : x > y;
}

static void
check_brute(const int dims[3], const double spacing[3])
{
    guint8 *p, *t;
    BgVec3 mm = bg_vec3(spacing[0], spacing[1], spacing[2]);
    g_autoptr(BgLabelMap) pred = new_map(dims, mm, &p);
    g_autoptr(BgLabelMap) truth = new_map(dims, mm, &t);
    BgLabelRegion region = { "all", { 1, 2 }, 2 };
    BgLabelMetrics m;

    draw(p, dims, 9, 8, dims[2] / 2.0, 6.5, 1);
    draw(t, dims, 11, 9, dims[2] / 2.0 + 1, 5.5, 2);
    g_assert_true(
        bg_label_metrics(pred, truth, &region, BG_SURFACE_VOXELS, 1.0, &m, NULL, NULL, NULL));

    gsize tp = 0, fp = 0, fn = 0, tn = 0,
          n = bg_geometry_count_voxels(bg_label_map_get_geometry(pred));
    for (gsize i = 0; i < n; i++) {
        tp += p[i] && t[i];
        fp += p[i] && !t[i];
        fn += !p[i] && t[i];
        tn += !p[i] && !t[i];
    }
    g_autoptr(GArray) from = brute_surface(p, dims);
    g_autoptr(GArray) to = brute_surface(t, dims);
    g_autoptr(GArray) pool = g_array_new(FALSE, FALSE, sizeof(double));
    brute_directed(from, to, spacing, pool);
    brute_directed(to, from, spacing, pool);
    g_array_sort(pool, compare);
    double mean = 0.0, rank = 0.95 * (pool->len - 1);
    for (guint i = 0; i < pool->len; i++)
        mean += g_array_index(pool, double, i) / pool->len;
    guint below = (guint) rank;
    double low = g_array_index(pool, double, below);
    double high = g_array_index(pool, double, MIN(below + 1, pool->len - 1));
    double mm3 = spacing[0] * spacing[1] * spacing[2];

    g_assert_cmpfloat_with_epsilon(m.dice, 2.0 * tp / (2.0 * tp + fp + fn), 1e-12);
    g_assert_cmpfloat_with_epsilon(m.jaccard, (double) tp / (tp + fp + fn), 1e-12);
    g_assert_cmpfloat_with_epsilon(m.sensitivity, (double) tp / (tp + fn), 1e-12);
    g_assert_cmpfloat_with_epsilon(m.specificity, (double) tn / (tn + fp), 1e-12);
    g_assert_cmpfloat_with_epsilon(m.precision, (double) tp / (tp + fp), 1e-12);
    g_assert_cmpfloat_with_epsilon(m.hausdorff_mm, g_array_index(pool, double, pool->len - 1),
                                   1e-9);
    g_assert_cmpfloat_with_epsilon(m.hd95_mm, low + (high - low) * (rank - below), 1e-9);
    g_assert_cmpfloat_with_epsilon(m.mean_surface_mm, mean, 1e-9);
    g_assert_cmpfloat_with_epsilon(m.volume_pred_ml, (tp + fp) * mm3 / 1000.0, 1e-9);
    g_assert_cmpfloat_with_epsilon(m.volume_true_ml, (tp + fn) * mm3 / 1000.0, 1e-9);
}

static void
test_brute(void)
{
    for (int n = 0; n < 6; n++) {
        check_brute((const int[3]){ 23, 19, 17 }, (const double[3]){ 0.7, 1.3, 2.9 });
        check_brute((const int[3]){ 20, 21, 1 }, (const double[3]){ 1.5, 0.4, 5.0 });
    }
}

// MONAI's tests of the Hausdorff distance (Project-MONAI/MONAI, Apache-2.0): balls in a grid of 99^3.
static void
test_balls(void)
{
    static const struct {
        int rp, cp[3], rt, ct[3];
        double hausdorff;
    } cases[] = {
        { 20, { 49, 49, 49 }, 20, { 49, 49, 49 }, 0.0 },
        { 20, { 20, 20, 20 }, 20, { 19, 19, 19 }, 1.7320508 },
        { 33, { 19, 33, 22 }, 33, { 20, 33, 22 }, 1.0 },
        { 20, { 20, 33, 22 }, 40, { 20, 33, 22 }, 20.22374842 },
    };
    const int dims[3] = { 99, 99, 99 };

    for (gsize c = 0; c < G_N_ELEMENTS(cases); c++) {
        guint8 *v[2];
        g_autoptr(BgLabelMap) pred = new_map(dims, bg_vec3(1, 1, 1), &v[0]);
        g_autoptr(BgLabelMap) truth = new_map(dims, bg_vec3(1, 1, 1), &v[1]);
        BgLabelRegion region = { "1", { 1 }, 1 };
        BgLabelMetrics m;
        for (int which = 0; which < 2; which++) {
            const int *centre = which == 0 ? cases[c].cp : cases[c].ct;
            int r = which == 0 ? cases[c].rp : cases[c].rt;
            for (int k = 0; k < 99; k++) {
                for (int j = 0; j < 99; j++) {
                    for (int i = 0; i < 99; i++) {
                        int a = i - centre[0], b = j - centre[1], d = k - centre[2];
                        v[which][place(dims, i, j, k)] = a * a + b * b + d * d <= r * r;
                    }
                }
            }
        }
        g_assert_true(
            bg_label_metrics(pred, truth, &region, BG_SURFACE_VOXELS, 1.0, &m, NULL, NULL, NULL));
        g_assert_cmpfloat_with_epsilon(m.hausdorff_mm, cases[c].hausdorff, 1e-6);
    }
}

// What the tests of google-deepmind/surface-distance (Apache-2.0) assert.
static void
test_surfels(void)
{
    BgLabelRegion region = { "1", { 1 }, 1 };
    guint8 *p, *t;
    BgLabelMetrics m;

    // Two voxels two apart; the package's arrays are indexed with the last axis fastest.
    const int dims[3] = { 128, 128, 128 };
    g_autoptr(BgLabelMap) pred = new_map(dims, bg_vec3(1, 2, 3), &p);
    g_autoptr(BgLabelMap) truth = new_map(dims, bg_vec3(1, 2, 3), &t);
    t[place(dims, 70, 60, 50)] = 1;
    p[place(dims, 72, 60, 50)] = 1;
    g_assert_true(
        bg_label_metrics(pred, truth, &region, BG_SURFACE_SURFELS, 1.0, &m, NULL, NULL, NULL));
    g_assert_cmpfloat_with_epsilon(m.mean_true_mm, 1.5, 1e-12);
    g_assert_cmpfloat_with_epsilon(m.mean_pred_mm, 1.5, 1e-12);
    g_assert_cmpfloat_with_epsilon(m.hausdorff_mm, 2.0, 1e-12);
    g_assert_cmpfloat_with_epsilon(m.hd95_mm, 2.0, 1e-12);
    g_assert_cmpfloat_with_epsilon(m.surface_dice, 0.5, 1e-12);
    g_assert_cmpfloat(m.dice, ==, 0.0);

    const int flat[3] = { 128, 128, 1 };
    g_autoptr(BgLabelMap) pred2 = new_map(flat, bg_vec3(1, 2, 7), &p);
    g_autoptr(BgLabelMap) truth2 = new_map(flat, bg_vec3(1, 2, 7), &t);
    t[place(flat, 70, 50, 0)] = 1;
    p[place(flat, 72, 50, 0)] = 1;
    g_assert_true(
        bg_label_metrics(pred2, truth2, &region, BG_SURFACE_SURFELS, 1.0, &m, NULL, NULL, NULL));
    g_assert_cmpfloat_with_epsilon(m.mean_true_mm, 1.5, 1e-12);
    g_assert_cmpfloat_with_epsilon(m.mean_pred_mm, 1.5, 1e-12);
    g_assert_cmpfloat_with_epsilon(m.hausdorff_mm, 2.0, 1e-12);
    g_assert_cmpfloat_with_epsilon(m.hd95_mm, 2.0, 1e-12);
    g_assert_cmpfloat_with_epsilon(m.surface_dice, 0.5, 1e-12);

    // A pixel in the corner of the grid still has a closed contour.
    memset(p, 0, 128 * 128);
    p[place(flat, 0, 0, 0)] = t[place(flat, 0, 0, 0)] = 1; // at the edge of the grid
    t[place(flat, 70, 50, 0)] = 0;
    g_assert_true(
        bg_label_metrics(pred2, truth2, &region, BG_SURFACE_SURFELS, 0.0, &m, NULL, NULL, NULL));
    g_assert_cmpfloat(m.hausdorff_mm, ==, 0.0);
    g_assert_cmpfloat(m.surface_dice, ==, 1.0);
}

static void
test_empty(void)
{
    const int dims[3] = { 8, 8, 8 };
    guint8 *p, *t;
    g_autoptr(BgLabelMap) pred = new_map(dims, bg_vec3(1, 1, 1), &p);
    g_autoptr(BgLabelMap) truth = new_map(dims, bg_vec3(1, 1, 1), &t);
    BgLabelRegion region = { "1", { 1 }, 1 };
    BgLabelMetrics m;

    for (int kind = 0; kind < 2; kind++) {
        t[9] = 0;
        g_assert_true(bg_label_metrics(pred, truth, &region, (BgSurfaceKind) kind, 1.0, &m, NULL,
                                       NULL, NULL));
        g_assert_cmpfloat(m.dice, ==, 1.0);
        g_assert_cmpfloat(m.hausdorff_mm, ==, 0.0);
        g_assert_true(isnan(m.sensitivity) && isnan(m.precision));
        t[9] = 1;
        g_assert_true(bg_label_metrics(pred, truth, &region, (BgSurfaceKind) kind, 1.0, &m, NULL,
                                       NULL, NULL));
        g_assert_cmpfloat(m.dice, ==, 0.0);
        g_assert_true(isnan(m.hausdorff_mm) && isnan(m.hd95_mm) && isnan(m.mean_surface_mm));
    }
    g_autoptr(BgLabelMap) other = new_map(dims, bg_vec3(1, 1, 2), &p);
    g_autoptr(GError) error = NULL;
    g_assert_false(
        bg_label_metrics(other, truth, &region, BG_SURFACE_VOXELS, 1.0, &m, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_MISMATCH);
}

static void
test_distance_map(void)
{
    const int dims[3] = { 21, 17, 13 };
    const double spacing[3] = { 0.7, 1.9, 1.1 };
    guint8 *v;
    g_autoptr(BgLabelMap) labels = new_map(dims, bg_vec3(spacing[0], spacing[1], spacing[2]), &v);
    g_autoptr(GError) error = NULL;

    g_assert_null(bg_distance_map(labels, 1, BG_DISTANCE_OUTSIDE, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    draw(v, dims, 9, 8, 6, 4.5, 1);
    g_autoptr(BgVolume) map = bg_distance_map(labels, 1, BG_DISTANCE_SIGNED, NULL, NULL, NULL);
    const float *values = bg_volume_get_samples(map);
    gsize n = bg_geometry_count_voxels(bg_label_map_get_geometry(labels));
    for (gsize a = 0; a < n; a += 7) {
        double best = HUGE_VAL;
        for (gsize b = 0; b < n; b++) {
            if (v[a] == v[b])
                continue;
            double di = spacing[0] * ((int) (a % 21) - (int) (b % 21));
            double dj = spacing[1] * ((int) (a / 21 % 17) - (int) (b / 21 % 17));
            double dk = spacing[2] * ((int) (a / 357) - (int) (b / 357));
            best = MIN(best, di * di + dj * dj + dk * dk);
        }
        double wanted = v[a] != 0 ? -sqrt(best) : sqrt(best);
        g_assert_cmpfloat_with_epsilon((double) values[a], wanted, 1e-6 * (1.0 + fabs(wanted)));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/label-metrics/brute-force", test_brute);
    g_test_add_func("/label-metrics/balls", test_balls);
    g_test_add_func("/label-metrics/surfels", test_surfels);
    g_test_add_func("/label-metrics/empty", test_empty);
    g_test_add_func("/label-metrics/distance-map", test_distance_map);
    return g_test_run();
}
