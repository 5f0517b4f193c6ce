// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-error.h"
#include "core/io/bg-io.h"
#include "core/surface/bg-iso-private.h"
#include "core/surface/bg-isosurface.h"
#include "core/surface/bg-label-surface.h"
#include "core/surface/bg-mesh-measures.h"
#include "core/surface/bg-mesh-parts.h"
#include "core/surface/bg-mesh-refine.h"

#include <string.h>

typedef guint32 (*Label)(int i, int j, int k);

static BgLabelMap *
make_labels(const int dims[3], BgVec3 spacing_mm, BgLabelType type, Label label)
{
    BgGeometry geometry = bg_geometry_new_regular(dims, spacing_mm);
    gpointer labels = bg_voxels_alloc(&geometry, bg_label_type_size(type), NULL);
    g_autoptr(GError) error = NULL;
    gsize at = 0;

    for (int k = 0; k < dims[2]; k++) {
        for (int j = 0; j < dims[1]; j++) {
            for (int i = 0; i < dims[0]; i++, at++) {
                guint32 value = label(i, j, k);
                if (type == BG_LABEL_UINT8)
                    ((guint8 *) labels)[at] = (guint8) value;
                else if (type == BG_LABEL_UINT16)
                    ((guint16 *) labels)[at] = (guint16) value;
                else
                    ((guint32 *) labels)[at] = value;
            }
        }
    }
    BgLabelMap *map = bg_label_map_new_take(&geometry, type, labels, &error);
    g_assert_no_error(error);
    return map;
}

static BgMesh *
make_surface(BgLabelMap *map, const guint32 *labels, gsize n_labels, guint n_passes)
{
    g_autoptr(GError) error = NULL;
    BgLabelSurfaceParams params = { .labels = labels,
                                    .n_labels = n_labels,
                                    .n_smooth_passes = n_passes };
    BgMesh *mesh = bg_label_surface(map, &params, NULL, NULL, &error);

    g_assert_no_error(error);
    return mesh;
}

static BgMeshMeasures
measure(BgMesh *mesh)
{
    BgMeshMeasures measures;

    g_assert_true(bg_mesh_measure(mesh, &measures, NULL));
    return measures;
}

// 5 in front, 200 behind it and touching, 70 a single voxel in the corner of the grid.
static guint32
three(int i, int j, int k)
{
    if (i == 0 && j == 0 && k == 0)
        return 70;
    if (j < 4 || j > 11 || k < 3 || k > 9)
        return 0;
    return i >= 5 && i < 12 ? 5 : i >= 12 && i < 20 ? 200 : 0;
}

static void
test_several(void)
{
    static const guint32 wanted[3] = { 200, 70, 5 };
    static const double voxels[3] = { 8 * 8 * 7, 1, 7 * 8 * 7 };
    static const BgLabelType types[3] = { BG_LABEL_UINT8, BG_LABEL_UINT16, BG_LABEL_UINT32 };

    for (int t = 0; t < 3; t++) {
        g_autoptr(BgLabelMap) map =
            make_labels((int[]){ 70, 14, 12 }, bg_vec3(0.5, 1.0, 2.0), types[t], three);
        g_autoptr(BgMesh) mesh = make_surface(map, wanted, 3, 0);
        g_assert_cmpuint(bg_mesh_get_data(mesh)->groups->len, ==, 3);
        g_assert_true(measure(mesh).closed);
        for (guint i = 0; i < 3; i++) {
            const BgMeshGroup *group =
                &g_array_index(bg_mesh_get_data(mesh)->groups, BgMeshGroup, i);
            g_autofree char *name = g_strdup_printf("%u", wanted[i]);
            g_autoptr(BgMesh) one = bg_mesh_extract_group(mesh, i, NULL);
            BgMeshMeasures m = measure(one);
            g_assert_cmpuint(group->label, ==, wanted[i]);
            g_assert_cmpstr(group->name, ==, name);
            g_assert_true(m.closed);
            g_assert_cmpuint(m.n_components, ==, 1);
            g_assert_cmpint(m.euler, ==, 2);
            // The voxels of 1 mm^3 less what the cut corners and edges take.
            g_assert_cmpfloat(m.volume_ml * 1e3, <, voxels[i]);
            g_assert_cmpfloat(m.volume_ml * 1e3, >, i == 1 ? 0.16 : 0.85 * voxels[i]);
        }
    }
}

// Half a voxel outside the outer voxels' centres, as the border of the voxels is.
static void
test_bounds(void)
{
    g_autoptr(BgLabelMap) map =
        make_labels((int[]){ 70, 14, 12 }, bg_vec3(0.5, 1.0, 2.0), BG_LABEL_UINT8, three);
    g_autoptr(BgMesh) mesh = make_surface(map, (guint32[]){ 5 }, 1, 0);
    const BgAffine *m = &bg_label_map_get_geometry(map)->patient_from_voxel;
    BgVec3 low = bg_affine_apply(m, bg_vec3(4.5, 3.5, 2.5));
    BgVec3 high = bg_affine_apply(m, bg_vec3(11.5, 11.5, 9.5));
    BgMeshMeasures measures = measure(mesh);

    g_assert_cmpfloat_with_epsilon(bg_vec3_distance(measures.low_mm, low), 0.0, 1e-5);
    g_assert_cmpfloat_with_epsilon(bg_vec3_distance(measures.high_mm, high), 0.0, 1e-5);
}

static guint32
ball(int i, int j, int k)
{
    double x = i - 31.5, y = j - 31.5, z = k - 31.5;

    return x * x + y * y + z * z < 24.0 * 24.0;
}

static void
test_smoothing(void)
{
    g_autoptr(BgLabelMap) map =
        make_labels((int[]){ 64, 64, 64 }, bg_vec3(1, 1, 1), BG_LABEL_UINT8, ball);
    g_autoptr(BgMesh) steps = make_surface(map, NULL, 0, 0);
    g_autoptr(BgMesh) smooth = make_surface(map, NULL, 0, BG_LABEL_SURFACE_PASSES);
    BgMeshMeasures a = measure(steps), b = measure(smooth);
    double area_cm2 = 4.0 * G_PI * 24.0 * 24.0 * 1e-2;

    g_assert_true(b.closed);
    g_assert_cmpuint(bg_mesh_get_data(smooth)->groups->len, ==, 1);
    g_assert_cmpfloat_with_epsilon(b.volume_ml / a.volume_ml, 1.0, 0.005);
    g_assert_cmpfloat(a.area_cm2, >, 1.05 * area_cm2);
    g_assert_cmpfloat_with_epsilon(b.area_cm2 / area_cm2, 1.0, 0.02);
}

static void
test_refuses(void)
{
    static const struct {
        guint32 labels[2];
        gsize n;
        const char *word;
    } cases[] = { { { 0 }, 1, "0" }, { { 5, 5 }, 2, "5" }, { { 5, 6 }, 2, "6" } };
    g_autoptr(BgLabelMap) map =
        make_labels((int[]){ 70, 14, 12 }, bg_vec3(0.5, 1.0, 2.0), BG_LABEL_UINT8, three);

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        BgLabelSurfaceParams params = { .labels = cases[i].labels, .n_labels = cases[i].n };
        g_assert_null(bg_label_surface(map, &params, NULL, NULL, &error));
        g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
        g_assert_nonnull(strstr(error->message, cases[i].word));
    }
}

// PyRadiomics: pyradiomics_brain1.json; marching cubes of the mask at 0.5, 4137 voxels.
static void
test_as_pyradiomics(void)
{
    const char *shared = g_getenv("BREGMA_TEST_SHARED");
    g_autofree char *path =
        g_build_filename(shared != NULL ? shared : "", "brats", "brain1_label.nrrd", NULL);
    g_autoptr(GError) error = NULL;

    if (shared == NULL || !g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_test_skip("without the shared data");
        return;
    }
    g_autoptr(BgLabelMap) map = bg_io_load_labels(path, NULL, NULL, &error);
    g_assert_no_error(error);
    g_autoptr(BgMesh) mesh = make_surface(map, (guint32[]){ 1 }, 1, 0);
    BgMeshMeasures m = measure(mesh);
    g_assert_true(m.closed);
    g_assert_cmpfloat_with_epsilon(m.volume_ml, 16.1494954427, 0.005 * 16.149);
    g_assert_cmpfloat_with_epsilon(m.area_cm2, 64.337343171, 0.01 * 64.337);
}

static void
fill_randomly(guint8 *bytes, gsize n)
{
    for (gsize i = 0; i < n; i++)
        bytes[i] = (guint8) g_test_rand_int_range(0, 256);
}

// The faster comparisons against the plain ones, on all bit patterns that chance brings (NaN among them).
static void
test_classifiers(void)
{
    static const double isos[] = { -1e9, -32769, -300.5, -128, -1,    0,     0.5,
                                   1,    127,    200,    255,  40000, 65536, 1e9 };
    guint8 samples[4 * 64];

    for (int type = BG_SAMPLE_UINT8; type <= BG_SAMPLE_FLOAT32; type++) {
        BgIsoClassify plain = bg_iso_classifier((BgSampleType) type, TRUE);
        BgIsoClassify fast = bg_iso_classifier((BgSampleType) type, FALSE);
        for (guint n = 0; n < 4000; n++) {
            double slope = n % 2 == 0 ? 1.0 : -0.5;
            BgIsoTest test;
            bg_iso_test_init(&test, (BgSampleType) type, slope, 3.0,
                             isos[n / 2 % G_N_ELEMENTS(isos)]);
            fill_randomly(samples, sizeof samples);
            int length = n % 3 == 0 ? g_test_rand_int_range(1, 65) : 64;
            g_assert_cmphex(plain(samples, length, &test), ==, fast(samples, length, &test));
        }
    }
    for (int type = BG_LABEL_UINT8; type <= BG_LABEL_UINT32; type++) {
        BgIsoClassify plain = bg_iso_label_classifier((BgLabelType) type, TRUE);
        BgIsoClassify fast = bg_iso_label_classifier((BgLabelType) type, FALSE);
        for (guint n = 0; n < 1000; n++) {
            BgIsoTest test = { 0 };
            fill_randomly(samples, sizeof samples);
            for (gsize b = 0; b < sizeof samples; b++)
                samples[b] &= 0x81; // so that labels come again
            memcpy(&test.bound, samples + 64, bg_label_type_size((BgLabelType) type));
            g_assert_cmphex(plain(samples, 64, &test), ==, fast(samples, 64, &test));
        }
    }
}

// Inside is value >= iso, to the last bit, for each sample of a type, each sign of the slope.
static void
test_bound_is_exact(void)
{
    static const double slopes[] = { 1.0, -1.0, 0.1, -0.3, 1e-7 };

    for (int type = BG_SAMPLE_INT16; type <= BG_SAMPLE_UINT16; type++) {
        BgIsoClassify classify = bg_iso_classifier((BgSampleType) type, TRUE);
        for (gsize s = 0; s < G_N_ELEMENTS(slopes); s++) {
            for (int n = 0; n < 40; n++) {
                double chosen = g_test_rand_int_range(-40000, 70000);
                double iso = slopes[s] * chosen - 7.0;
                BgIsoTest test;
                bg_iso_test_init(&test, (BgSampleType) type, slopes[s], -7.0, iso);
                for (int near = -3; near <= 3; near++) {
                    int low = type == BG_SAMPLE_INT16 ? G_MININT16 : 0;
                    int sample = CLAMP((int) chosen + near, low, low + 65535);
                    guint16 stored = (guint16) sample;
                    gboolean inside = slopes[s] * sample - 7.0 >= iso;
                    g_assert_cmpint(classify(&stored, 1, &test) != 0, ==, inside);
                }
            }
        }
    }
}

static double
at_position(const float *p, int axis)
{
    return (double) p[axis];
}

// NaN and infinities: outside and inside, and the surface is closed and finite.
static void
test_not_finite(void)
{
    BgGeometry geometry = bg_geometry_new_regular((int[]){ 7, 7, 7 }, bg_vec3(1, 1, 1));
    float *samples = bg_voxels_alloc(&geometry, sizeof(float), NULL);
    BgIsoParams params = { .iso = 0.5 };
    g_autoptr(GError) error = NULL;

    for (gsize i = 0; i < 343; i++)
        samples[i] = i % 5 == 0 ? NAN : i % 7 == 0 ? INFINITY : i % 3 == 0 ? -INFINITY : 1.0f;
    g_autoptr(BgVolume) volume =
        bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_FLOAT32), samples, NULL);
    g_autoptr(BgMesh) mesh = bg_isosurface(volume, &params, NULL, NULL, &error);
    g_assert_no_error(error);
    BgMeshMeasures m = measure(mesh);
    g_assert_true(m.closed);
    g_assert_cmpuint(m.n_degenerate, ==, 0);

    params.iso = NAN;
    g_assert_null(bg_isosurface(volume, &params, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

// A box gives what a cropped volume gives, in its place.
static void
test_box(void)
{
    BgGeometry geometry = bg_geometry_new_regular((int[]){ 70, 20, 18 }, bg_vec3(1, 1.5, 2));
    gint16 *samples = bg_voxels_alloc(&geometry, sizeof(gint16), NULL);
    BgIsoParams params = {
        .iso = 10.0, .use_box = TRUE, .box_low = { 3, 2, 4 }, .box_high = { 67, 17, 12 }
    };
    g_autoptr(GError) error = NULL;

    for (gsize i = 0; i < 70 * 20 * 18; i++)
        samples[i] = (gint16) g_test_rand_int_range(0, 20);
    g_autoptr(BgVolume) volume =
        bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_INT16), samples, NULL);
    BgGeometry part = geometry;
    gint16 *cropped;
    gsize at = 0;
    for (int axis = 0; axis < 3; axis++) {
        part.dims[axis] = params.box_high[axis] - params.box_low[axis] + 1;
        double origin = geometry.patient_from_voxel.m[axis][axis] * params.box_low[axis];
        part.patient_from_voxel.m[axis][3] += origin;
    }
    cropped = bg_voxels_alloc(&part, sizeof(gint16), NULL);
    for (int k = 4; k <= 12; k++) {
        for (int j = 2; j <= 17; j++) {
            for (int i = 3; i <= 67; i++)
                cropped[at++] = samples[i + 70 * (j + 20 * k)];
        }
    }
    g_autoptr(BgVolume) crop =
        bg_volume_new_take(&part, bg_sample_format_plain(BG_SAMPLE_INT16), cropped, NULL);
    for (int open = 0; open < 2; open++) {
        BgIsoParams whole = { .iso = 10.0, .open_border = open };
        params.open_border = open;
        g_autoptr(BgMesh) a = bg_isosurface(volume, &params, NULL, NULL, &error);
        g_autoptr(BgMesh) b = bg_isosurface(crop, &whole, NULL, NULL, &error);
        const BgMeshData *da = bg_mesh_get_data(a), *db = bg_mesh_get_data(b);
        g_assert_cmpmem(da->triangles, 12 * da->n_triangles, db->triangles, 12 * db->n_triangles);
        g_assert_cmpuint(da->n_vertices, ==, db->n_vertices);
        for (gsize v = 0; v < da->n_vertices; v++) {
            for (int axis = 0; axis < 3; axis++)
                g_assert_cmpfloat_with_epsilon(at_position(da->positions + 3 * v, axis),
                                               at_position(db->positions + 3 * v, axis), 1e-4);
        }
        g_assert_cmpint(measure(a).closed, ==, !open);
    }

    params.box_high[1] = 20;
    g_assert_null(bg_isosurface(volume, &params, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

// A ragged ball, as corrections and networks leave them (1), and a plate of two voxels' thickness (2).
static guint32
ragged(int i, int j, int k)
{
    guint64 noise = (guint64) i * 73856093 ^ (guint64) j * 19349663 ^ (guint64) k * 83492791;
    double away = sqrt((i - 16) * (i - 16) + (j - 16) * (j - 16) + (k - 15) * (k - 15));

    if (away < 10.0 + (double) (noise % 7) * 0.3)
        return 1;
    return i >= 28 && i < 30 && j >= 3 && j < 28 && k >= 3 && k < 28 ? 2 : 0;
}

// What is smoothed and thinned encloses what its voxels fill, group by group, is closed, and stays
// within half a voxel of them.
static void
test_refined_keeps_volumes(void)
{
    static const BgMeshRefineParams ways[] = { { .n_smooth = 20, .keep = 1.0 },
                                               { .keep = 0.3 },
                                               { .n_smooth = 30, .keep = 0.25 },
                                               { .n_smooth = 15, .keep = 0.5, .largest = TRUE } };
    const int dims[3] = { 32, 32, 31 };
    g_autoptr(BgLabelMap) map = make_labels(dims, bg_vec3(0.8, 1.0, 1.2), BG_LABEL_UINT8, ragged);
    g_autoptr(BgMesh) raw = make_surface(map, NULL, 0, 0);
    g_autoptr(GArray) counts = bg_label_map_count(map);

    for (gsize w = 0; w < G_N_ELEMENTS(ways); w++) {
        BgMeshRefineParams params = ways[w];
        g_autoptr(GError) error = NULL;
        BgMeshRefined refined;
        params.labels = map;
        params.measure = TRUE;
        g_autoptr(BgMesh) mesh = bg_mesh_refine(raw, &params, &refined, NULL, NULL, &error);
        g_assert_no_error(error);
        g_assert_true(measure(mesh).closed);
        g_assert_true(refined.measured);
        g_assert_cmpfloat(refined.distance.p95_mm, <=, 0.5 * 1.2);
        g_assert_cmpfloat(fabs(refined.offset_mm), <=, 0.25 * 0.8);
        for (guint g = 0; g < 2; g++) {
            g_autoptr(BgMesh) group = bg_mesh_extract_group(mesh, g, &error);
            double ml = (double) g_array_index(counts, BgLabelCount, g).n_voxels * 0.8 * 1.2 / 1e3;
            // Of the ball a few voxels lie apart, which --largest leaves out.
            g_assert_cmpfloat_with_epsilon(measure(group).volume_ml, ml,
                                           (params.largest ? 0.02 : 2e-4) * ml);
        }
        g_assert_cmpfloat(refined.volume_error, <, 2e-4);
    }
}

// A ball that is to hold 20 % more or less grows or shrinks by what that makes of its radius; what has no
// wish stays where it is, and nothing goes further than it may.
static void
test_match_volumes(void)
{
    const int dims[3] = { 32, 32, 31 };
    const guint32 one[] = { 1 };
    g_autoptr(BgLabelMap) map = make_labels(dims, bg_vec3(1.0, 1.0, 1.0), BG_LABEL_UINT8, ragged);
    g_autoptr(BgMesh) mesh = make_surface(map, one, 1, 30);
    BgMeshMeasures before = measure(mesh);
    double offset_mm, left;

    for (double factor = 0.8; factor < 1.3; factor += 0.2) {
        double wanted = before.volume_ml * factor;
        g_autoptr(GError) error = NULL;
        g_autoptr(BgMesh) made =
            bg_mesh_match_volumes(mesh, &wanted, 3.0, &offset_mm, &left, &error);
        g_assert_no_error(error);
        g_assert_cmpfloat_with_epsilon(measure(made).volume_ml, wanted, 1e-4 * wanted);
        g_assert_cmpfloat(left, <, 1e-4);
        double radius_mm = cbrt(before.volume_ml * 1e3 * 0.75 / G_PI);
        g_assert_cmpfloat_with_epsilon(offset_mm, radius_mm * (cbrt(factor) - 1.0), 0.12);
    }
    double nothing = 0.0;
    g_autoptr(BgMesh) same = bg_mesh_match_volumes(mesh, &nothing, 3.0, &offset_mm, &left, NULL);
    g_assert_cmpfloat(offset_mm, ==, 0.0);
    g_assert_cmpmem(bg_mesh_get_data(same)->positions, 12, bg_mesh_get_data(mesh)->positions, 12);
    double far = before.volume_ml * 4.0;
    g_autoptr(BgMesh) bound = bg_mesh_match_volumes(mesh, &far, 0.5, &offset_mm, &left, NULL);
    g_assert_cmpfloat(offset_mm, ==, 0.5);
    g_assert_cmpfloat(left, >, 0.5);
    g_assert_true(measure(bound).closed);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/label-surface/several", test_several);
    g_test_add_func("/label-surface/bounds", test_bounds);
    g_test_add_func("/label-surface/smoothing", test_smoothing);
    g_test_add_func("/label-surface/refined-keeps-volumes", test_refined_keeps_volumes);
    g_test_add_func("/label-surface/match-volumes", test_match_volumes);
    g_test_add_func("/label-surface/refuses", test_refuses);
    g_test_add_func("/label-surface/as-pyradiomics", test_as_pyradiomics);
    g_test_add_func("/isosurface/classifiers", test_classifiers);
    g_test_add_func("/isosurface/bound-is-exact", test_bound_is_exact);
    g_test_add_func("/isosurface/not-finite", test_not_finite);
    g_test_add_func("/isosurface/box", test_box);

    return g_test_run();
}
