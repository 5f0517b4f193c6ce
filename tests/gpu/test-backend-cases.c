// SPDX-License-Identifier: Apache-2.0
// Each operation of a backend against the CPU, at sizes that break grids. Run with the device in
// host memory, and on a real one, where there is one.
#include "backend-main.h"

static BgBackend *backend; // NULL: there is no device

typedef struct {
    const char *name;
    int source[3], target[3];
} Size;

// Around the block of 256, a single voxel, flat grids, and more voxels than blocks * threads would
// be without a stride.
static const Size sizes[] = {
    { "one", { 1, 1, 1 }, { 1, 1, 1 } },       { "255", { 7, 6, 5 }, { 255, 1, 1 } },
    { "256", { 7, 6, 5 }, { 16, 16, 1 } },     { "257", { 7, 6, 5 }, { 1, 257, 1 } },
    { "flat", { 40, 30, 1 }, { 33, 31, 1 } },  { "line", { 1, 1, 50 }, { 3, 3, 60 } },
    { "odd", { 31, 29, 37 }, { 45, 23, 51 } },
};

#define FOR_CTYPE(TYPE, name, ctype)                                        \
    case TYPE:                                                              \
        for (gsize i = 0; i < n; i++)                                       \
            ((ctype *) samples)[i] = (ctype) g_test_rand_int_range(0, 120); \
        break;

static BgVolume *
noise(const int dims[3], BgSampleType type)
{
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1.1, 0.9, 1.7));
    gpointer samples = bg_voxels_alloc(&geometry, bg_sample_type_size(type), NULL);
    gsize n = bg_geometry_count_voxels(&geometry);
    BgSampleFormat format = { .type = type, .slope = 0.5, .intercept = -20.0 };

    switch (type) {
        BG_FOR_SAMPLE_TYPES(FOR_CTYPE)
    }
    if (type == BG_SAMPLE_FLOAT32 && n > 20) {
        ((float *) samples)[n / 2] = NAN;
        ((float *) samples)[n / 3] = INFINITY;
    }
    return bg_volume_new_take(&geometry, format, samples, NULL);
}

// Oblique, sheared, partly outside.
static BgGeometry
target_grid(const BgGeometry *source, const int dims[3])
{
    BgGeometry target = bg_geometry_new_regular(dims, bg_vec3(0.83, 0.91, 1.37));
    static const double turn[3][3] = { { 0.96, -0.21, 0.10 },
                                       { 0.19, 0.95, 0.13 },
                                       { -0.11, -0.08, 0.99 } };
    BgAffine rotation = bg_affine_identity();

    for (int row = 0; row < 3; row++) {
        for (int column = 0; column < 3; column++)
            rotation.m[row][column] = turn[row][column];
    }
    target.patient_from_voxel = bg_affine_multiply(&rotation, &target.patient_from_voxel);
    return target;
}

static void
assert_close(BgVolume *ours, BgVolume *theirs, double tolerance, double step)
{
    const int *dims = bg_volume_get_geometry(ours)->dims;
    BgSampleFormat a = bg_volume_get_format(ours), b = bg_volume_get_format(theirs);
    gsize n_off = 0, n_inside = 0;

    g_assert_true(
        bg_geometry_equal(bg_volume_get_geometry(ours), bg_volume_get_geometry(theirs), 0.0));
    g_assert_cmpint(a.type, ==, b.type);
    g_assert_cmpfloat(a.slope, ==, b.slope);
    for (int k = 0; k < dims[2]; k++) {
        for (int j = 0; j < dims[1]; j++) {
            for (int i = 0; i < dims[0]; i++) {
                double x = bg_volume_get_value(ours, i, j, k);
                double y = bg_volume_get_value(theirs, i, j, k);
                n_inside += x != -7.5 ? 1 : 0;
                g_assert_cmpint(isnan(x), ==, isnan(y));
                g_assert_cmpint(isinf(x), ==, isinf(y));
                if (isfinite(x) && !(fabs(x - y) <= tolerance)) {
                    // Rounded to a sample: one step off where the two lie around a half.
                    g_assert_cmpfloat(fabs(x - y), <=, step);
                    n_off++;
                }
            }
        }
    }
    // Of a few voxels a random one can have the value that stands for outside.
    g_assert_true(n_inside > 0 || dims[0] * dims[1] * dims[2] < 100);
    g_assert_cmpuint(n_off, <=, (gsize) dims[0] * (gsize) dims[1] * (gsize) dims[2] / 1000);
}

static void
test_resample(gconstpointer data)
{
    const Size *size = data;
    double tolerance = bg_backend_get_tolerance("resample")->max_share * 60.0;

    if (backend == NULL) {
        g_test_skip("no device");
        return;
    }
    for (int type = BG_SAMPLE_UINT8; type <= BG_SAMPLE_FLOAT32; type++) {
        g_autoptr(BgVolume) source = noise(size->source, (BgSampleType) type);
        BgGeometry target = target_grid(bg_volume_get_geometry(source), size->target);

        for (int variant = 0; variant < 4; variant++) {
            g_autoptr(GError) error = NULL;
            BgResampleParams params = bg_resample_params(&target);
            params.method = variant & 1 ? BG_RESAMPLE_NEAREST : BG_RESAMPLE_LINEAR;
            params.output = variant & 2 ? BG_RESAMPLE_FLOAT32 : BG_RESAMPLE_SAME_TYPE;
            params.outside_value = -7.5;

            g_autoptr(BgVolume) theirs =
                bg_backend_resample(backend, source, &params, NULL, NULL, &error);
            g_assert_no_error(error);
            g_autoptr(BgVolume) ours = bg_resample(source, &params, NULL, NULL, NULL);
            gboolean rounds = params.output == BG_RESAMPLE_SAME_TYPE && type != BG_SAMPLE_FLOAT32;
            assert_close(ours, theirs, tolerance, rounds ? 0.5 + 1e-9 : tolerance);
        }
    }
}

// 17 million voxels: more than blocks * threads, so that the stride is walked.
static void
test_resample_more_than_the_grid(void)
{
    static const int source_dims[3] = { 9, 9, 9 }, target_dims[3] = { 257, 257, 255 };

    if (backend == NULL || !g_test_slow()) {
        g_test_skip(backend == NULL ? "no device" : "slow");
        return;
    }
    g_autoptr(BgVolume) source = noise(source_dims, BG_SAMPLE_UINT8);
    BgGeometry target = bg_geometry_new_regular(target_dims, bg_vec3(0.04, 0.04, 0.06));
    BgResampleParams params = bg_resample_params(&target);
    g_autoptr(BgVolume) theirs = bg_backend_resample(backend, source, &params, NULL, NULL, NULL);
    g_autoptr(BgVolume) ours = bg_resample(source, &params, NULL, NULL, NULL);

    assert_close(ours, theirs, 0.0, 0.5 + 1e-9);
}

// ------------------------------------------------------------------------------------------------

#define COLOURS "\"colour\":[[-20,0.2,0.1,0.1],[0,0.9,0.5,0.3],[20,0.9,0.9,0.6],[40,0.5,0.8,1]]"

// Values are -20 to 40.
static const struct {
    const char *name, *tf;
    gboolean parallel, transparent, cut;
} pictures[] = {
    { "soft",
      "{\"technique\":\"composite\",\"opacity\":[[-15,0],[5,0.15],[30,0.6]]," COLOURS
      ",\"shade\":true,\"ambient\":0.2,\"diffuse\":0.7,\"specular\":0.3,\"power\":12}",
      FALSE, FALSE, FALSE },
    { "clear",
      "{\"technique\":\"composite\",\"opacity\":[[-20,0],[0,0.06],[20,0.02],[40,0.3]]," COLOURS
      ",\"shade\":false,\"unit_distance_mm\":2}",
      TRUE, TRUE, FALSE },
    { "edges",
      "{\"technique\":\"composite\",\"opacity\":[[-19,0],[0,0.5],[40,0.9]]," COLOURS
      ",\"gradient_opacity\":[[1,0],[6,0.5],[20,1]],\"shade\":true,\"specular\":0.1}",
      FALSE, FALSE, TRUE },
    { "nearest",
      "{\"technique\":\"composite\",\"interpolation\":\"nearest\",\"opacity\":[[-10,0],[40,0.3]]," COLOURS
      ",\"shade\":false}",
      TRUE, FALSE, TRUE },
    { "largest", "{\"technique\":\"mip\",\"opacity\":[[-20,0.2],[10,1]]," COLOURS "}", FALSE, TRUE,
      FALSE },
    { "smallest", "{\"technique\":\"minip\",\"opacity\":[[-20,1]]," COLOURS "}", TRUE, FALSE,
      TRUE },
    { "mean", "{\"technique\":\"mean\",\"opacity\":[[-20,0.2],[10,1]]," COLOURS "}", FALSE, FALSE,
      TRUE },
    { "iso",
      "{\"technique\":\"iso\",\"iso_value\":12,\"opacity\":[[-20,1]]," COLOURS
      ",\"shade\":true,\"specular\":0.2}",
      FALSE, FALSE, TRUE },
};

// Smooth, for pictures: noise would make each surface a matter of rounding.
static BgVolume *
waves(const int dims[3], BgSampleType type, double slope)
{
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1.1, 0.9, 1.7));
    gpointer samples = bg_voxels_alloc(&geometry, bg_sample_type_size(type), NULL);
    BgSampleFormat format = { .type = type, .slope = slope, .intercept = slope > 0 ? -20.0 : 40.0 };
    gsize at = 0;

    for (int k = 0; k < dims[2]; k++)
        for (int j = 0; j < dims[1]; j++)
            for (int i = 0; i < dims[0]; i++, at++) {
                double s = 60.0 + 50.0 * sin(0.31 * i) * cos(0.27 * j) * sin(0.4 * k + 1.0);
                switch (type) {
#define FILL(TYPE, name, ctype)              \
    case TYPE:                               \
        ((ctype *) samples)[at] = (ctype) s; \
        break;
                    BG_FOR_SAMPLE_TYPES(FILL)
#undef FILL
                }
            }
    return bg_volume_new_take(&geometry, format, samples, NULL);
}

static BgCastParams
picture_params(gsize index, BgTransferFunction *tf, BgVolume *volume)
{
    BgView view = { .elevation_deg = 25,
                    .azimuth_deg = -40,
                    .roll_deg = 10,
                    .zoom = 1.2,
                    .parallel = pictures[index].parallel };
    BgCastParams params;
    BgVec3 centre;
    double radius;

    bg_cast_params_init(&params);
    bg_cast_fit(volume, NULL, 0, &centre, &radius);
    params.camera = bg_camera_from_view(&view, centre, radius, 67, 53);
    params.tf = tf;
    params.transparent = pictures[index].transparent;
    params.background_bottom[2] = 0.7;
    params.light_right = 0.2;
    if (pictures[index].cut) {
        params.n_planes = 1;
        params.planes[0] = (BgCastPlane){ bg_vec3(0.3, 1.0, 0.2), centre };
        params.clip_box = TRUE;
        params.clip_low = bg_vec3_sub(centre, bg_vec3(9, 30, 30));
        params.clip_high = bg_vec3_add(centre, bg_vec3(30, 30, 30));
    }
    return params;
}

// At edges a sample more or less, or another place of the same value, is a matter of rounding.
static void
assert_same_picture(const BgCastImage *ours, const BgCastImage *theirs, const char *what)
{
    const guint8 *a = bg_image_get_pixels(ours->colour), *b = bg_image_get_pixels(theirs->colour);
    const float *x = bg_image_get_pixels(ours->depth), *y = bg_image_get_pixels(theirs->depth);
    int n = ours->camera.width * ours->camera.height, n_off = 0, n_deep = 0, n_seen = 0;
    double step = bg_backend_get_tolerance("cast")->max_share * 255.0;

    for (int i = 0; i < 4 * n; i++)
        n_off += abs(a[i] - b[i]) > step ? 1 : 0;
    for (int i = 0; i < n; i++) {
        n_seen += isfinite(x[i]) ? 1 : 0;
        n_deep += isfinite(x[i]) != isfinite(y[i]) || fabsf(x[i] - y[i]) > 0.02f ? 1 : 0;
    }
    g_test_message("%s: %d of %d numbers off, %d of %d depths", what, n_off, 4 * n, n_deep, n_seen);
    g_assert_cmpint(n_off, <=, 4 * n / 200);
    g_assert_cmpint(n_deep, <=, n / 100);
}

static void
test_cast(gconstpointer data)
{
    static const int sizes_of[][3] = { { 31, 29, 17 }, { 12, 40, 1 }, { 1, 20, 30 } };
    gsize index = GPOINTER_TO_SIZE(data);
    g_autoptr(GError) error = NULL;

    if (backend == NULL) {
        g_test_skip("no device");
        return;
    }
    g_autoptr(BgTransferFunction) tf = bg_transfer_function_parse(pictures[index].tf, -1, &error);
    g_assert_no_error(error);
    for (gsize s = 0; s < G_N_ELEMENTS(sizes_of); s++)
        for (int type = BG_SAMPLE_UINT8; type <= BG_SAMPLE_FLOAT32; type++) {
            double slope = type == BG_SAMPLE_INT16 ? -0.5 : 0.5;
            g_autoptr(BgVolume) volume = waves(sizes_of[s], (BgSampleType) type, slope);
            BgCastParams params = picture_params(index, tf, volume);
            g_autoptr(BgCastImage) theirs =
                backend->ops->cast(backend, volume, &params, NULL, NULL, &error);
            g_assert_no_error(error);
            g_autoptr(BgCastImage) ours = bg_cast(volume, &params, NULL, NULL, NULL);
            g_autofree char *what = g_strdup_printf("%s %d %s", pictures[index].name, (int) s,
                                                    bg_sample_type_name((BgSampleType) type));
            assert_same_picture(ours, theirs, what);
        }
}

// What the card does not draw comes from the CPU; nothing is left on the device.
static void
test_cast_falls_back(void)
{
    static const int dims[3] = { 8, 8, 8 };
    g_autoptr(GError) error = NULL;

    if (backend == NULL) {
        g_test_skip("no device");
        return;
    }
    g_autoptr(BgTransferFunction) tf = bg_transfer_function_parse(pictures[0].tf, -1, &error);
    g_autoptr(BgVolume) volume = waves(dims, BG_SAMPLE_UINT8, 0.5);
    BgCastParams params = picture_params(0, tf, volume);
    params.lighting = BG_LIGHTING_AO;
    g_assert_null(backend->ops->cast(backend, volume, &params, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED);
    g_clear_error(&error);
    g_autoptr(BgCastImage) image = bg_backend_cast(backend, volume, &params, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(image);
    params.camera.width = 0;
    g_assert_null(bg_backend_cast(backend, volume, &params, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

// ------------------------------------------------------------------------------------------------

// The same vertices in the same order, by the same formula: a float's last bits at most.
static void
test_isosurface(gconstpointer data)
{
    static const int sizes_of[][3] = {
        { 31, 29, 17 }, { 63, 5, 4 }, { 62, 9, 3 }, { 130, 6, 7 }, { 12, 40, 1 }, { 1, 1, 1 },
    };
    int variant = GPOINTER_TO_INT(data);
    g_autoptr(GError) error = NULL;

    if (backend == NULL) {
        g_test_skip("no device");
        return;
    }
    for (gsize s = 0; s < G_N_ELEMENTS(sizes_of); s++)
        for (int type = BG_SAMPLE_UINT8; type <= BG_SAMPLE_FLOAT32; type++) {
            double slope = type == BG_SAMPLE_INT16 || variant == 3 ? -0.5 : 0.5;
            g_autoptr(BgVolume) volume = variant == 1
                                             ? noise(sizes_of[s], (BgSampleType) type)
                                             : waves(sizes_of[s], (BgSampleType) type, slope);
            BgIsoParams params = { .iso = 11.3,
                                   .normals = variant == 2,
                                   .open_border = variant == 1 };
            if (variant == 3 && s == 0) {
                params.use_box = TRUE;
                for (int axis = 0; axis < 3; axis++) {
                    params.box_low[axis] = 3 + axis;
                    params.box_high[axis] = 12 + axis;
                }
            }
            g_autoptr(BgMesh) theirs =
                backend->ops->isosurface(backend, volume, &params, NULL, NULL, &error);
            g_assert_no_error(error);
            g_autoptr(BgMesh) ours = bg_isosurface(volume, &params, NULL, NULL, NULL);
            const BgMeshData *a = bg_mesh_get_data(ours), *b = bg_mesh_get_data(theirs);
            g_assert_cmpuint(a->n_vertices, ==, b->n_vertices);
            g_assert_cmpmem(a->triangles, 12 * a->n_triangles, b->triangles, 12 * b->n_triangles);
            g_assert_cmpint(a->normals != NULL, ==, b->normals != NULL);
            g_assert_true(s != 0 || a->n_triangles > 100);
            for (gsize i = 0; i < 3 * a->n_vertices; i++)
                g_assert_cmpfloat(fabsf(a->positions[i] - b->positions[i]), <=,
                                  1e-5f * MAX(1.0f, fabsf(a->positions[i])));
        }
    BgIsoParams bad = { .iso = NAN };
    g_autoptr(BgVolume) volume = waves(sizes_of[0], BG_SAMPLE_UINT8, 0.5);
    g_assert_null(backend->ops->isosurface(backend, volume, &bad, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    backend = open_backend();

    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *name = g_strdup_printf("/backend/resample/%s", sizes[i].name);
        g_test_add_data_func(name, &sizes[i], test_resample);
    }
    g_test_add_func("/backend/resample/more-than-the-grid", test_resample_more_than_the_grid);
    for (gsize i = 0; i < G_N_ELEMENTS(pictures); i++) {
        g_autofree char *name = g_strdup_printf("/backend/cast/%s", pictures[i].name);
        g_test_add_data_func(name, GSIZE_TO_POINTER(i), test_cast);
    }
    g_test_add_func("/backend/cast/falls-back", test_cast_falls_back);
    static const char *const variants[] = { "closed", "noise-open", "normals", "box-mirrored" };
    for (gsize i = 0; i < G_N_ELEMENTS(variants); i++) {
        g_autofree char *name = g_strdup_printf("/backend/isosurface/%s", variants[i]);
        g_test_add_data_func(name, GSIZE_TO_POINTER(i), test_isosurface);
    }

    int status = g_test_run();
    bg_backend_free(backend);
    return status;
}
