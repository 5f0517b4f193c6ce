// SPDX-License-Identifier: Apache-2.0
// bregma-cli self-test: numbers that the program shows, against ones that are known.
#include "bg-cli.h"

#include "core/annotate/bg-annotations.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-hash.h"
#include "core/cast/bg-slice.h"
#include "core/io/bg-mesh-io.h"
#include "core/phantom/bg-phantom.h"
#include "core/surface/bg-mesh-measures.h"
#include "core/volume/bg-statistics.h"

#include <glib/gstdio.h>
#include <string.h>

#define PHANTOM_SIZE 128

static const BgCliOption options[] = { { NULL } };

typedef struct {
    BgCli *cli;
    BgJson *checks;
    int n_passed, n_failed;
} Test;

static void
record(Test *test, const char *name, gboolean passed, double value, double expected,
       double tolerance)
{
    BgJson *check = bg_json_new_object();

    bg_json_set_string(check, "name", name);
    bg_json_set_boolean(check, "passed", passed);
    bg_json_set_double(check, "value", value);
    bg_json_set_double(check, "expected", expected);
    bg_json_set_double(check, "tolerance", tolerance);
    bg_json_append(test->checks, check);
    *(passed ? &test->n_passed : &test->n_failed) += 1;
}

static void
check(Test *test, const char *name, double value, double expected, double tolerance)
{
    record(test, name, fabs(value - expected) <= tolerance, value, expected, tolerance);
}

static BgGeometry
oblique_geometry(void)
{
    BgGeometry geometry = { .dims = { 30, 28, 26 } };
    double c = cos(0.4), s = sin(0.4);

    geometry.patient_from_voxel =
        bg_affine_from_columns(bg_vec3(-0.8 * c, 0.8 * s, 0), bg_vec3(1.1 * s, 1.1 * c, 0),
                               bg_vec3(0, 0, -1.7), bg_vec3(12, -20, 31));
    return geometry;
}

// Linear in the patient, so that linear interpolation is exact.
static double
field(BgVec3 p)
{
    return 40.0 + 2.0 * p.x - 3.0 * p.y + 1.5 * p.z;
}

static BgVolume *
field_volume(const BgGeometry *geometry, GError **error)
{
    float *samples = bg_voxels_alloc(geometry, sizeof(float), error);
    gsize n = 0;

    if (samples == NULL)
        return NULL;
    for (int k = 0; k < geometry->dims[2]; k++)
        for (int j = 0; j < geometry->dims[1]; j++)
            for (int i = 0; i < geometry->dims[0]; i++)
                samples[n++] =
                    (float) field(bg_affine_apply(&geometry->patient_from_voxel, bg_vec3(i, j, k)));
    return bg_volume_new_take(geometry, bg_sample_format_plain(BG_SAMPLE_FLOAT32), samples, error);
}

static void
test_measurements(Test *test)
{
    g_autofree char *hash = bg_hash_bytes("abc", 3);

    check(test, "length of a ruler, mm", bg_measure_length_mm(bg_vec3(1, 2, 3), bg_vec3(4, 6, 15)),
          13.0, 1e-12);
    check(test, "angle, degrees",
          bg_measure_angle_deg(bg_vec3(2, 0, 0), bg_vec3(0, 0, 0), bg_vec3(1, 0, sqrt(3.0))), 60.0,
          1e-9);
    // FIPS 180-2, appendix B.1
    check(test, "SHA-256 of a known text",
          strcmp(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), 0.0,
          0.0);
}

static gboolean
test_grid(Test *test, GError **error)
{
    BgGeometry geometry = oblique_geometry(), target;
    g_autoptr(BgVolume) volume = field_volume(&geometry, error);
    BgVec3 spacing = bg_geometry_spacing_mm(&geometry);
    double value = NAN, worst = 0.0;

    if (volume == NULL)
        return FALSE;
    check(test, "spacing along j, mm", spacing.y, 1.1, 1e-12);
    check(test, "volume of a voxel, mm3", bg_geometry_voxel_volume_mm3(&geometry), 0.8 * 1.1 * 1.7,
          1e-12);
    BgVec3 centre = bg_geometry_centre_mm(&geometry);
    bg_volume_sample_linear(volume, centre, &value);
    check(test, "probe at a patient position", value, field(centre), 1e-3);

    if (!bg_geometry_new_spacing(&geometry, bg_vec3(0.9, 0.9, 0.9), &target, error))
        return FALSE;
    BgResampleParams params = bg_resample_params(&target);
    g_autoptr(BgVolume) finer = bg_resample(volume, &params, NULL, test->cli->cancellable, error);
    if (finer == NULL)
        return FALSE;
    for (int n = 3; n < 20; n++) {
        BgVec3 p = bg_affine_apply(&target.patient_from_voxel, bg_vec3(n, n, n));
        worst = fmax(worst, fabs(bg_volume_get_value(finer, n, n, n) - field(p)));
    }
    check(test, "resampling, largest error", worst, 0.0, 1e-3);
    return TRUE;
}

static gboolean
test_oblique_slice(Test *test, GError **error)
{
    BgGeometry geometry = oblique_geometry();
    g_autoptr(BgVolume) volume = field_volume(&geometry, error);
    BgObliquePlane plane = { .point_mm = bg_geometry_centre_mm(&geometry),
                             .normal = bg_vec3(0.2, 0.4, 1.0),
                             .spacing_mm = 0.5,
                             .width = 20,
                             .height = 16 };
    BgSliceFrame frame;
    double worst = 0.0;

    if (volume == NULL || !bg_slice_frame_oblique(&plane, &geometry, &frame, error))
        return FALSE;
    g_autoptr(BgImage) image = bg_slice_sample(volume, &frame, NULL, test->cli->cancellable, error);
    if (image == NULL)
        return FALSE;
    const float *values = bg_image_get_pixels(image);
    for (int y = 0; y < frame.height; y++)
        for (int x = 0; x < frame.width; x++)
            worst = fmax(worst, fabs((double) values[y * frame.width + x] -
                                     field(bg_slice_frame_point(&frame, x, y))));
    check(test, "oblique slice, largest error", worst, 0.0, 1e-3);
    return TRUE;
}

// A block at the patient's left, anterior and superior, in a grid of that code.
static BgVolume *
block_volume(const int order[3], int signs, GError **error)
{
    BgGeometry geometry = { .dims = { 12, 14, 10 } };
    BgVec3 columns[3], origin = bg_vec3(0, 0, 0);

    for (int axis = 0; axis < 3; axis++) {
        columns[axis] = bg_vec3(0, 0, 0);
        bg_vec3_set(&columns[axis], order[axis], (signs >> axis & 1) ? -2.0 : 2.0);
        origin = bg_vec3_along(origin, -0.5 * (geometry.dims[axis] - 1), columns[axis]);
    }
    geometry.patient_from_voxel =
        bg_affine_from_columns(columns[0], columns[1], columns[2], origin);
    guint8 *samples = bg_voxels_alloc(&geometry, 1, error);
    gsize n = 0;
    if (samples == NULL)
        return NULL;
    for (int k = 0; k < geometry.dims[2]; k++) {
        for (int j = 0; j < geometry.dims[1]; j++) {
            for (int i = 0; i < geometry.dims[0]; i++) {
                BgVec3 p = bg_affine_apply(&geometry.patient_from_voxel, bg_vec3(i, j, k));
                samples[n++] =
                    (guint8) ((p.x > 4 ? 100 : 0) + (p.y < -4 ? 100 : 0) + (p.z > 4 ? 55 : 0));
            }
        }
    }
    return bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_UINT8), samples, error);
}

static guint
grey_at(const guint32 *pixels, const BgSliceFrame *frame, char edge)
{
    int x = edge == 'l' ? 0 : edge == 'r' ? frame->width - 1 : frame->width / 2;
    int y = edge == 't' ? 0 : edge == 'b' ? frame->height - 1 : frame->height / 2;

    return pixels[y * frame->width + x] & 0xFF;
}

// Whether letters and pixels say the same: the block is where its letters are.
static gboolean
sides_are_right(BgVolume *volume, BgPlane plane, BgConvention convention, GError **error)
{
    static const BgMarkRole roles[4] = { BG_MARK_ROLE_LETTER_LEFT, BG_MARK_ROLE_LETTER_RIGHT,
                                         BG_MARK_ROLE_LETTER_TOP, BG_MARK_ROLE_LETTER_BOTTOM };
    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    int middle = geometry->dims[bg_slice_axis_for_plane(geometry, plane)] / 2;
    BgSliceLayer layer = bg_slice_layer_for_volume(volume, 127.5, 255.0);
    g_autoptr(GArray) marks = bg_annotations_new();
    BgAnnotateSlice params;
    BgSliceFrame frame;
    gboolean right = TRUE;

    if (!bg_slice_frame_for_volume(geometry, plane, middle, convention, &frame, error))
        return FALSE;
    g_autofree guint32 *pixels = g_new(guint32, (gsize) frame.width * (gsize) frame.height);
    if (!bg_slice_compose(&frame, &layer, 1, pixels, NULL, error))
        return FALSE;
    bg_annotate_slice_init(&params, &frame);
    bg_annotate_slice(&params, marks);
    for (int edge = 0; edge < 4; edge++) {
        const BgMark *mark = bg_annotations_find(marks, roles[edge]);
        guint grey = grey_at(pixels, &frame, "lrtb"[edge]);
        char letter = mark != NULL ? mark->text[0] : '?';
        guint wanted = letter == 'L' || letter == 'A' ? 100 : letter == 'S' ? 55 : 0;
        right = right && letter != '?' && grey == wanted;
    }
    return right;
}

static gboolean
test_sides(Test *test, GError **error)
{
    static const int orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
                                      { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
    int n_right = 0;

    for (int order = 0; order < 6; order++) {
        for (int signs = 0; signs < 8; signs++) {
            g_autoptr(BgVolume) volume = block_volume(orders[order], signs, error);
            if (volume == NULL)
                return FALSE;
            for (int n = 0; n < 6; n++)
                n_right += sides_are_right(volume, (BgPlane) (n % 3), (BgConvention) (n / 3), NULL);
        }
    }
    check(test, "sides in 48 orientations, 3 planes, 2 conventions", n_right, 288.0, 0.0);
    return TRUE;
}

static void
test_window(Test *test)
{
    static const double values[4] = { -60.0, 40.0, 140.0, 1000.0 };
    static const guint greys[4] = { 64, 128, 191, 255 }; // of 40/400
    int dims[3] = { 4, 1, 1 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1, 1, 1));
    gint16 *samples = bg_voxels_alloc(&geometry, sizeof(gint16), NULL);
    BgSliceFrame frame;
    guint32 pixels[4];
    int n_right = 0;

    for (int n = 0; samples != NULL && n < 4; n++)
        samples[n] = (gint16) values[n];
    g_autoptr(BgVolume) volume =
        samples != NULL
            ? bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_INT16), samples, NULL)
            : NULL;
    if (volume != NULL && bg_slice_frame_for_volume(&geometry, BG_PLANE_AXIAL, 0,
                                                    BG_CONVENTION_RADIOLOGICAL, &frame, NULL)) {
        BgSliceLayer layer = bg_slice_layer_for_volume(volume, 40.0, 400.0);
        if (bg_slice_compose(&frame, &layer, 1, pixels, NULL, NULL))
            for (int n = 0; n < 4; n++)
                n_right += (pixels[n] & 0xFF) == greys[n];
    }
    check(test, "greys of a window of 40/400", n_right, 4.0, 0.0);
}

static gboolean
test_spheres(Test *test, GError **error)
{
    BgPhantomParams params = { .kind = BG_PHANTOM_SPHERES, .size = PHANTOM_SIZE };
    g_autoptr(BgPhantom) phantom = bg_phantom_new(&params, NULL, test->cli->cancellable, error);
    double volume_ml = 0.0, area_cm2 = 0.0;
    BgMeshMeasures measures;

    if (phantom == NULL)
        return FALSE;
    const BgJson *spheres = bg_json_get(phantom->truth, "spheres");
    for (gsize i = 0; i < bg_json_count(spheres); i++) {
        volume_ml += bg_json_to_double(bg_json_get(bg_json_at(spheres, i), "volume_ml"), NAN);
        area_cm2 += bg_json_to_double(bg_json_get(bg_json_at(spheres, i), "area_cm2"), NAN);
    }
    BgIsoParams iso = { .iso = bg_json_to_double(bg_json_get(phantom->truth, "iso_value"), NAN) };
    g_autoptr(BgMesh) mesh =
        bg_backend_isosurface(bg_cli_get_backend(test->cli), phantom->parts[0].volume, &iso, NULL,
                              test->cli->cancellable, error);
    if (mesh == NULL || !bg_mesh_measure(mesh, &measures, error))
        return FALSE;
    check(test, "volume of spheres as a mesh, ml", measures.volume_ml, volume_ml,
          0.005 * volume_ml);
    check(test, "area of spheres as a mesh, cm2", measures.area_cm2, area_cm2, 0.01 * area_cm2);
    check(test, "spheres found", (double) measures.n_components, (double) bg_json_count(spheres),
          0.0);
    check(test, "their mesh is closed", measures.closed, 1.0, 0.0);
    return TRUE;
}

// Where the value crosses @iso between two points, by halving.
static double
crossing_mm(BgVolume *volume, BgVec3 from, BgVec3 direction, double length_mm, double iso)
{
    double low = 0.0, high = length_mm, at_low = NAN, value = NAN;

    bg_volume_sample_linear(volume, from, &at_low);
    for (int n = 0; n < 60; n++) {
        double middle = 0.5 * (low + high);
        if (!bg_volume_sample_linear(volume, bg_vec3_along(from, middle, direction), &value))
            return NAN;
        *((value >= iso) == (at_low >= iso) ? &low : &high) = middle;
    }
    return 0.5 * (low + high);
}

static gboolean
test_slab(Test *test, GError **error)
{
    BgPhantomParams params = { .kind = BG_PHANTOM_SLAB, .size = PHANTOM_SIZE };
    g_autoptr(BgPhantom) phantom = bg_phantom_new(&params, NULL, test->cli->cancellable, error);
    double n[3], c[3];

    if (phantom == NULL)
        return FALSE;
    if (!bg_json_to_doubles(bg_json_get(phantom->truth, "normal"), n, 3) ||
        !bg_json_to_doubles(bg_json_get(phantom->truth, "centre_mm"), c, 3)) {
        record(test, "thickness of an oblique slab, mm", FALSE, NAN, NAN, 0.0);
        return TRUE;
    }
    double thickness_mm = bg_json_to_double(bg_json_get(phantom->truth, "thickness_mm"), NAN);
    double iso = bg_json_to_double(bg_json_get(phantom->truth, "iso_value"), NAN);
    BgVec3 normal = bg_vec3(n[0], n[1], n[2]), centre = bg_vec3(c[0], c[1], c[2]);
    BgVolume *volume = phantom->parts[0].volume;
    double voxel = bg_geometry_spacing_mm(bg_volume_get_geometry(volume)).x;
    double measured = crossing_mm(volume, centre, normal, thickness_mm, iso) +
                      crossing_mm(volume, centre, bg_vec3_scale(normal, -1.0), thickness_mm, iso);
    check(test, "thickness of an oblique slab, mm", measured, thickness_mm, 0.1 * voxel);
    return TRUE;
}

// What is written is what is read: voxels, their places, and surfaces.
static gboolean
test_files_in(Test *test, const char *folder, GError **error)
{
    BgGeometry geometry = oblique_geometry();
    g_autoptr(BgVolume) volume = field_volume(&geometry, error);
    static const char *const names[] = { "a.nii.gz", "a.nrrd", "a.mha" };
    double worst_value = 0.0, worst_mm = 0.0;

    for (gsize i = 0; volume != NULL && i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        if (!bg_io_save_volume(volume, path, NULL, NULL, test->cli->cancellable, error))
            return FALSE;
        g_autoptr(BgVolume) again = bg_io_load_volume(path, NULL, test->cli->cancellable, error);
        g_unlink(path);
        if (again == NULL)
            return FALSE;
        worst_mm = fmax(
            worst_mm, bg_affine_max_difference(&geometry.patient_from_voxel,
                                               &bg_volume_get_geometry(again)->patient_from_voxel));
        for (int n = 0; n < 26; n++)
            worst_value = fmax(worst_value, fabs(bg_volume_get_value(again, n, n, n) -
                                                 bg_volume_get_value(volume, n, n, n)));
    }
    check(test, "values after writing and reading", worst_value, 0.0, 0.0);
    check(test, "places after writing and reading, mm", worst_mm, 0.0, 1e-4);

    BgIsoParams iso = { .iso = field(bg_geometry_centre_mm(&geometry)) };
    g_autoptr(BgMesh) mesh = bg_isosurface(volume, &iso, NULL, test->cli->cancellable, error);
    g_autofree char *stl = g_build_filename(folder, "a.stl", NULL);
    BgMeshMeasures before, after;
    if (mesh == NULL || !bg_mesh_save(mesh, stl, NULL, NULL, NULL, error))
        return FALSE;
    g_autoptr(BgMesh) read = bg_mesh_load(stl, NULL, NULL, error);
    g_unlink(stl);
    if (read == NULL || !bg_mesh_measure(mesh, &before, error) ||
        !bg_mesh_measure(read, &after, error))
        return FALSE;
    check(test, "volume of a surface after STL, ml", after.volume_ml, before.volume_ml, 1e-9);
    return TRUE;
}

static gboolean
test_files(Test *test, GError **error)
{
    g_autofree char *folder = g_dir_make_tmp("bregma-self-test-XXXXXX", error);

    if (folder == NULL)
        return FALSE;
    gboolean ok = test_files_in(test, folder, error);
    g_rmdir(folder);
    return ok;
}

// A ball seen from the front by a parallel camera: as many pixels as its disk has.
static gboolean
test_picture(Test *test, GError **error)
{
    int dims[3] = { 48, 48, 48 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1, 1, 1));
    gint16 *samples = bg_voxels_alloc(&geometry, sizeof(gint16), error);
    BgView view = { .zoom = 1.0, .parallel = TRUE };
    BgCastParams params;
    BgTransferFunctionData data;
    const double radius = 15.0;
    gsize n = 0;

    if (samples == NULL)
        return FALSE;
    for (int k = 0; k < 48; k++)
        for (int j = 0; j < 48; j++)
            for (int i = 0; i < 48; i++)
                samples[n++] =
                    (gint16) (100.0 *
                              (radius - bg_vec3_length(bg_vec3(i - 23.5, j - 23.5, k - 23.5))));
    g_autoptr(BgVolume) volume =
        bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_INT16), samples, error);
    if (volume == NULL)
        return FALSE;

    bg_transfer_function_data_init(&data);
    g_array_append_val(data.opacity, ((BgOpacityPoint){ 0.0, 1.0 }));
    g_array_append_val(data.colour, ((BgColourPoint){ 0.0, { 1.0, 1.0, 1.0 } }));
    data.technique = BG_TECHNIQUE_ISO;
    data.iso_value = 0.0;
    g_autoptr(BgTransferFunction) tf = bg_transfer_function_new(&data, error);
    bg_transfer_function_data_clear(&data);
    if (tf == NULL)
        return FALSE;
    bg_cast_params_init(&params);
    params.tf = tf;
    params.transparent = TRUE;
    params.camera = bg_camera_from_view(&view, bg_vec3(0, 0, 0), 24.0, 200, 200);
    g_autoptr(BgCastImage) picture = bg_backend_cast(bg_cli_get_backend(test->cli), volume, &params,
                                                     NULL, test->cli->cancellable, error);
    if (picture == NULL)
        return FALSE;

    const guint8 *rgba = bg_image_get_pixels(picture->colour);
    double n_covered = 0.0, mm = bg_camera_mm_per_pixel(&params.camera, bg_vec3(0, 0, 0));
    BgVec3 nearest;
    for (int i = 0; i < 200 * 200; i++)
        n_covered += rgba[4 * i + 3] / 255.0;
    double disk = G_PI * radius * radius;
    check(test, "disk of a ball in 3D, mm2", n_covered * mm * mm, disk, 0.02 * disk);
    if (!bg_cast_image_pick(picture, 99.5, 99.5, &nearest))
        nearest = bg_vec3(NAN, NAN, NAN);
    check(test, "its nearest point to the front, mm posterior", nearest.y, -radius, 0.1);
    return TRUE;
}

static gboolean
run(BgCli *cli, GError **error)
{
    Test test = { .cli = cli, .checks = bg_json_new_array() };
    gboolean (*const groups[])(Test *, GError **) = { test_grid,    test_oblique_slice, test_sides,
                                                      test_spheres, test_slab,          test_files,
                                                      test_picture };

    bg_json_set(cli->result, "checks", test.checks);
    test_measurements(&test);
    test_window(&test);
    for (gsize i = 0; i < G_N_ELEMENTS(groups); i++) {
        g_autoptr(GError) failure = NULL;
        if (g_cancellable_set_error_if_cancelled(cli->cancellable, error))
            return FALSE;
        if (!groups[i](&test, &failure))
            record(&test, failure->message, FALSE, NAN, NAN, 0.0);
        bg_progress_report(&cli->progress, (i + 1.0) / G_N_ELEMENTS(groups));
    }
    bg_json_set_integer(cli->result, "passed", test.n_passed);
    bg_json_set_integer(cli->result, "failed", test.n_failed);
    cli->failed = test.n_failed > 0;
    return TRUE;
}

const BgCliCommand bg_cli_command_self_test = {
    .name = "self-test",
    .arguments = "",
    .summary = "the built-in phantoms through every number that is shown",
    .min_args = 0,
    .max_args = 0,
    .output_arg = -1,
    .options = options,
    .run = run,
};
