// SPDX-License-Identifier: Apache-2.0
// Slice pictures: which side is where, which value is where, windows, labels, slabs, cut meshes.
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/cast/bg-slice.h"

#include <string.h>

// A grid whose axes i, j, k grow towards the patient directions of @code, of unequal sizes and
// spacings, centred on (10, -20, 30).
static BgGeometry
geometry_of_code(const char *code, const int dims[3])
{
    static const double spacing[3] = { 1.0, 1.0, 2.0 };
    BgGeometry geometry = { .dims = { dims[0], dims[1], dims[2] } };
    BgVec3 columns[3], origin = bg_vec3(10, -20, 30);

    for (int axis = 0; axis < 3; axis++) {
        int patient = 0;
        columns[axis] = bg_vec3(0, 0, 0);
        for (int p = 0; p < 3; p++) {
            if (code[axis] == "LPS"[p] || code[axis] == "RAI"[p])
                patient = p;
        }
        bg_vec3_set(&columns[axis], patient,
                    (strchr("RAI", code[axis]) != NULL ? -1.0 : 1.0) * spacing[axis]);
        origin = bg_vec3_along(origin, -0.5 * (dims[axis] - 1), columns[axis]);
    }
    geometry.patient_from_voxel =
        bg_affine_from_columns(columns[0], columns[1], columns[2], origin);
    return geometry;
}

// 100 at the patient's left third, 200 at the anterior third, 50 at the superior third: summed.
static BgVolume *
volume_with_sides(const BgGeometry *geometry)
{
    BgVec3 low, high, centre = bg_geometry_centre_mm(geometry);
    gsize n = 0;
    gint16 *samples = bg_voxels_alloc(geometry, sizeof(gint16), NULL);

    bg_geometry_bounds_mm(geometry, &low, &high);
    BgVec3 third = bg_vec3_scale(bg_vec3_sub(high, low), 1.0 / 6.0);
    for (int k = 0; k < geometry->dims[2]; k++) {
        for (int j = 0; j < geometry->dims[1]; j++) {
            for (int i = 0; i < geometry->dims[0]; i++) {
                BgVec3 p = bg_affine_apply(&geometry->patient_from_voxel, bg_vec3(i, j, k));
                BgVec3 d = bg_vec3_sub(p, centre);
                samples[n++] = (gint16) ((d.x > third.x ? 100 : 0) + (d.y < -third.y ? 200 : 0) +
                                         (d.z > third.z ? 50 : 0));
            }
        }
    }
    return bg_volume_new_take(geometry, bg_sample_format_plain(BG_SAMPLE_INT16), samples, NULL);
}

static guint8
grey_at(const guint32 *pixels, const BgSliceFrame *frame, double x, double y)
{
    int column = (int) (x * (frame->width - 1) + 0.5), row = (int) (y * (frame->height - 1) + 0.5);

    return (guint8) pixels[(gsize) row * (gsize) frame->width + (gsize) column];
}

static void
check_sides(const char *code, BgPlane plane, BgConvention convention)
{
    static const int dims[3] = { 14, 17, 12 };
    BgGeometry geometry = geometry_of_code(code, dims);
    g_autoptr(BgVolume) volume = volume_with_sides(&geometry);
    int middle = geometry.dims[bg_slice_axis_for_plane(&geometry, plane)] / 2;
    BgSliceLayer layer = bg_slice_layer_for_volume(volume, 175.0, 350.0);
    BgSliceFrame frame;
    gboolean mirrored = convention == BG_CONVENTION_NEUROLOGICAL;
    g_autoptr(GError) error = NULL;

    g_assert_true(bg_slice_frame_for_volume(&geometry, plane, middle, convention, &frame, &error));
    g_assert_no_error(error);
    g_autofree guint32 *pixels = g_new(guint32, (gsize) frame.width * (gsize) frame.height);
    g_assert_true(bg_slice_compose(&frame, &layer, 1, pixels, NULL, &error));

    guint8 left = grey_at(pixels, &frame, 0.02, 0.5), right = grey_at(pixels, &frame, 0.98, 0.5);
    guint8 top = grey_at(pixels, &frame, 0.5, 0.02), bottom = grey_at(pixels, &frame, 0.5, 0.98);
    guint8 l = 73, a = 146, s = 36; // 255 * value / 350
    if (plane == BG_PLANE_SAGITTAL) {
        g_assert_cmpint(left, ==, a);
        g_assert_cmpint(right, ==, 0);
    } else {
        g_assert_cmpint(left, ==, mirrored ? l : 0);
        g_assert_cmpint(right, ==, mirrored ? 0 : l);
    }
    g_assert_cmpint(top, ==, plane == BG_PLANE_AXIAL ? a : s);
    g_assert_cmpint(bottom, ==, 0);
}

static void
test_sides(void)
{
    static const char *const axes[3] = { "LR", "PA", "SI" };
    static const int orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
                                      { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
    int n = 0;

    for (int order = 0; order < 6; order++) {
        for (int signs = 0; signs < 8; signs++) {
            char code[4] = "";
            for (int axis = 0; axis < 3; axis++)
                code[axis] = axes[orders[order][axis]][signs >> axis & 1];
            for (int plane = 0; plane < 3; plane++)
                for (int convention = 0; convention < 2; convention++, n++)
                    check_sides(code, (BgPlane) plane, (BgConvention) convention);
        }
    }
    g_assert_cmpint(n, ==, 48 * 3 * 2);
}

// A field that is linear in the patient, so that linear interpolation is exact anywhere.
static double
field(BgVec3 p)
{
    return 3.0 * p.x - 2.0 * p.y + 0.5 * p.z + 7.0;
}

static BgVolume *
volume_with_field(const BgGeometry *geometry)
{
    float *samples = bg_voxels_alloc(geometry, sizeof(float), NULL);
    gsize n = 0;

    for (int k = 0; k < geometry->dims[2]; k++)
        for (int j = 0; j < geometry->dims[1]; j++)
            for (int i = 0; i < geometry->dims[0]; i++)
                samples[n++] =
                    (float) field(bg_affine_apply(&geometry->patient_from_voxel, bg_vec3(i, j, k)));
    return bg_volume_new_take(geometry, bg_sample_format_plain(BG_SAMPLE_FLOAT32), samples, NULL);
}

static BgGeometry
oblique_geometry(gboolean sheared)
{
    BgGeometry geometry = { .dims = { 40, 36, 30 } };
    double c = cos(0.3), s = sin(0.3);

    geometry.patient_from_voxel = bg_affine_from_columns(
        bg_vec3(0.9 * c, 0.9 * s, 0), bg_vec3(-1.1 * s, 1.1 * c, 0),
        sheared ? bg_vec3(0.2, 0.1, 1.5) : bg_vec3(0, 0, 1.5), bg_vec3(-20, -30, 5));
    return geometry;
}

static void
check_field(BgVolume *volume, const BgSliceFrame *frame, BgInterpolation interpolation)
{
    BgSliceSampling sampling = { .interpolation = interpolation };
    g_autoptr(GError) error = NULL;
    g_autoptr(BgImage) image = bg_slice_sample(volume, frame, &sampling, NULL, &error);
    g_assert_no_error(error);
    const float *values = bg_image_get_pixels(image);
    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    BgAffine voxel_from_patient = bg_geometry_voxel_from_patient(geometry);
    int n_inside = 0;

    g_assert_cmpfloat_with_epsilon(bg_vec3_length(frame->u), 1.0, 1e-12);
    g_assert_cmpfloat_with_epsilon(bg_vec3_length(frame->v), 1.0, 1e-12);
    g_assert_cmpfloat_with_epsilon(bg_vec3_dot(frame->u, frame->v), 0.0, 1e-12);
    for (int y = 0; y < frame->height; y++) {
        for (int x = 0; x < frame->width; x++) {
            BgVec3 p = bg_slice_frame_point(frame, x, y);
            BgVec3 voxel = bg_affine_apply(&voxel_from_patient, p);
            double value = (double) values[(gsize) y * (gsize) frame->width + (gsize) x];
            double margin = 1e9, border = interpolation == BG_INTERPOLATION_CUBIC ? 1.0 : 0.0;
            for (int axis = 0; axis < 3; axis++)
                margin = fmin(margin, fmin(bg_vec3_get(voxel, axis),
                                           geometry->dims[axis] - 1 - bg_vec3_get(voxel, axis)));
            if (margin < -0.5 - 1e-5)
                g_assert_true(isnan(value));
            else if (margin > -0.5)
                g_assert_false(isnan(value));
            if (margin >= border) {
                g_assert_cmpfloat_with_epsilon(value, field(p), 1e-3);
                n_inside++;
            }
        }
    }
    g_assert_cmpint(n_inside, >, frame->width * frame->height / 4);
}

static void
test_values(void)
{
    for (int sheared = 0; sheared < 2; sheared++) {
        BgGeometry geometry = oblique_geometry(sheared);
        g_autoptr(BgVolume) volume = volume_with_field(&geometry);
        BgSliceFrame frame;
        g_autoptr(GError) error = NULL;

        for (int plane = 0; plane < 3; plane++) {
            g_assert_true(bg_slice_frame_for_volume(&geometry, (BgPlane) plane, 15,
                                                    BG_CONVENTION_RADIOLOGICAL, &frame, &error));
            check_field(volume, &frame, BG_INTERPOLATION_LINEAR);
            check_field(volume, &frame, BG_INTERPOLATION_CUBIC);
        }
        BgObliquePlane oblique = { .point_mm = bg_geometry_centre_mm(&geometry),
                                   .normal = bg_vec3(0.3, -0.5, 2.0),
                                   .spacing_mm = 0.7 };
        g_assert_true(bg_slice_frame_oblique(&oblique, &geometry, &frame, &error));
        check_field(volume, &frame, BG_INTERPOLATION_LINEAR);
        check_field(volume, &frame, BG_INTERPOLATION_CUBIC);
        g_assert_cmpfloat_with_epsilon(bg_vec3_dot(frame.normal, bg_vec3_normalize(oblique.normal)),
                                       1.0, 1e-12);
    }
}

static void
test_pane(void)
{
    BgGeometry geometry = oblique_geometry(FALSE);
    BgVec3 centre = bg_geometry_centre_mm(&geometry);
    double x, y;

    for (int plane = 0; plane < 3; plane++) {
        BgSlicePane pane = { .plane = (BgPlane) plane,
                             .centre_mm = centre,
                             .through_mm = bg_vec3_add(centre, bg_vec3(3, 4, 5)),
                             .spacing_mm = 0.5,
                             .width = 101,
                             .height = 51 };
        BgSliceFrame frame = bg_slice_frame_for_pane(&pane);
        double off = bg_slice_frame_project(&frame, pane.through_mm, &x, &y);
        g_assert_cmpfloat_with_epsilon(off, 0.0, 1e-9);
        g_assert_cmpfloat_with_epsilon(x, 50.0 + (plane == BG_PLANE_SAGITTAL ? 8.0 : 6.0), 1e-9);
        g_assert_cmpfloat_with_epsilon(y, 25.0 + (plane == BG_PLANE_AXIAL ? 8.0 : -10.0), 1e-9);
    }
}

static void
test_refuses(void)
{
    BgGeometry geometry = oblique_geometry(FALSE);
    BgSliceFrame frame;
    BgObliquePlane plane = { .spacing_mm = 1.0, .normal = bg_vec3(0, 0, 1) };
    g_autoptr(GError) error = NULL;

    g_assert_false(bg_slice_frame_for_volume(&geometry, BG_PLANE_AXIAL, 30,
                                             BG_CONVENTION_RADIOLOGICAL, &frame, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_clear_error(&error);
    plane.point_mm = bg_vec3(0, 0, 1000);
    g_assert_false(bg_slice_frame_oblique(&plane, &geometry, &frame, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_clear_error(&error);
    plane.point_mm = bg_geometry_centre_mm(&geometry);
    plane.up = bg_vec3(0, 0, -2);
    g_assert_false(bg_slice_frame_oblique(&plane, &geometry, &frame, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_clear_error(&error);
    plane.up = bg_vec3(0, 1, 0);
    plane.normal = bg_vec3(0, 0, 0);
    g_assert_false(bg_slice_frame_oblique(&plane, &geometry, &frame, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
}

static void
test_slab(void)
{
    int dims[3] = { 4, 4, 11 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1, 1, 2));
    gint16 *samples = bg_voxels_alloc(&geometry, sizeof(gint16), NULL);
    BgSliceFrame frame;

    for (int n = 0; n < 4 * 4 * 11; n++)
        samples[n] = (gint16) ((n / 16 - 5) * (n / 16 - 5)); // 25 16 9 4 1 0 1 4 9 16 25
    g_autoptr(BgVolume) volume =
        bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_INT16), samples, NULL);
    g_assert_true(bg_slice_frame_for_volume(&geometry, BG_PLANE_AXIAL, 6,
                                            BG_CONVENTION_RADIOLOGICAL, &frame, NULL));

    // 8 mm around slice 6: slices 4 to 8.
    const double want[3] = { 9.0, 0.0, (1 + 0 + 1 + 4 + 9) / 5.0 };
    for (int mode = 0; mode < 3; mode++) {
        BgSliceSampling sampling = { .interpolation = BG_INTERPOLATION_LINEAR,
                                     .slab_mm = 8.0,
                                     .mode = (BgSlabMode) mode };
        g_autoptr(BgImage) image = bg_slice_sample(volume, &frame, &sampling, NULL, NULL);
        const float *values = bg_image_get_pixels(image);
        for (int n = 0; n < 16; n++)
            g_assert_cmpfloat_with_epsilon((double) values[n], want[mode], 1e-5);
    }
    // At the end of the volume only the slices that exist count: 9 and 10 of 9..11.
    g_assert_true(bg_slice_frame_for_volume(&geometry, BG_PLANE_AXIAL, 10,
                                            BG_CONVENTION_RADIOLOGICAL, &frame, NULL));
    BgSliceSampling mean = { .interpolation = BG_INTERPOLATION_LINEAR,
                             .slab_mm = 4.0,
                             .mode = BG_SLAB_MEAN };
    g_autoptr(BgImage) image = bg_slice_sample(volume, &frame, &mean, NULL, NULL);
    g_assert_cmpfloat_with_epsilon((double) *(const float *) bg_image_get_pixels(image), 20.5,
                                   1e-5);
}

static void
test_nan(void)
{
    int dims[3] = { 5, 5, 3 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1, 1, 1));
    float *samples = bg_voxels_alloc(&geometry, sizeof(float), NULL);
    BgSliceFrame frame;

    for (int n = 0; n < 75; n++)
        samples[n] = 1.0f;
    samples[25 + 12] = NAN;
    g_autoptr(BgVolume) volume =
        bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_FLOAT32), samples, NULL);
    g_assert_true(bg_slice_frame_for_volume(&geometry, BG_PLANE_AXIAL, 1,
                                            BG_CONVENTION_RADIOLOGICAL, &frame, NULL));
    g_autoptr(BgImage) image = bg_slice_sample(volume, &frame, NULL, NULL, NULL);
    const float *values = bg_image_get_pixels(image);
    for (int n = 0; n < 25; n++) // does not spread to voxels beside it
        g_assert_true(n == 12 ? isnan(values[n]) : values[n] == 1.0f);
    BgSliceLayer layer = bg_slice_layer_for_volume(volume, 0.5, 1.0);
    guint32 pixels[25];
    g_assert_true(bg_slice_compose(&frame, &layer, 1, pixels, NULL, NULL));
    g_assert_cmphex(pixels[12], ==, 0xFF000000);
    g_assert_cmphex(pixels[11], ==, 0xFFFFFFFF);
}

static void
test_labels(void)
{
    int dims[3] = { 20, 20, 1 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1, 1, 1));
    guint8 *samples = bg_voxels_alloc(&geometry, 1, NULL);
    BgLabelEntry entry = { .label = 3, .name = "three", .rgb = { 1, 0, 0 }, .visible = TRUE };
    g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(BgLabelEntry));
    BgSliceFrame frame;
    guint32 pixels[400];

    for (int n = 0; n < 400; n++)
        samples[n] = n % 20 < 10 ? 3 : n % 20 < 15 ? 7 : 0;
    g_autoptr(BgLabelMap) labels = bg_label_map_new_take(&geometry, BG_LABEL_UINT8, samples, NULL);
    g_array_append_val(entries, entry);
    g_autoptr(BgLabelTable) table = bg_label_table_new(entries);
    BgSliceLayer layer = bg_slice_layer_for_labels(labels, table);
    layer.fill_opacity = 0.5;
    g_assert_true(bg_slice_frame_for_volume(&geometry, BG_PLANE_AXIAL, 0,
                                            BG_CONVENTION_RADIOLOGICAL, &frame, NULL));
    g_assert_true(bg_slice_compose(&frame, &layer, 1, pixels, NULL, NULL));
    g_assert_cmphex(pixels[205], ==, 0xFF800000); // fill
    g_assert_cmphex(pixels[209], ==, 0xFFFF0000); // outline beside label 7
    g_assert_cmphex(pixels[208], ==, 0xFF800000);
    g_assert_cmphex(pixels[212], ==, 0xFF000000); // 7 is not in the table
    g_assert_cmphex(pixels[200], ==, 0xFFFF0000); // where the map ends is a border
    g_assert_cmphex(pixels[217], ==, 0xFF000000);
}

static BgMesh *
cube(double half)
{
    static const guint32 faces[36] = { 0, 2, 3, 0, 3, 1, 4, 5, 7, 4, 7, 6, 0, 1, 5, 0, 5, 4,
                                       2, 6, 7, 2, 7, 3, 0, 4, 6, 0, 6, 2, 1, 3, 7, 1, 7, 5 };
    BgMeshData data = { .n_vertices = 8, .n_triangles = 12 };

    data.positions = bg_buffer_alloc(24 * sizeof(float), NULL);
    data.triangles = bg_buffer_alloc(sizeof faces, NULL);
    memcpy(data.triangles, faces, sizeof faces);
    for (int v = 0; v < 8; v++)
        for (int axis = 0; axis < 3; axis++)
            data.positions[3 * v + axis] = (float) ((v >> axis & 1) ? half : -half);
    return bg_mesh_new_take(&data, NULL);
}

static double
contour_length(const BgContours *contours)
{
    double length = 0.0;

    for (guint c = 0; c < contours->starts->len; c++) {
        gsize first = g_array_index(contours->starts, gsize, c);
        gsize end = c + 1 < contours->starts->len ? g_array_index(contours->starts, gsize, c + 1)
                                                  : contours->points->len;
        for (gsize n = first + 1; n < end; n++) {
            BgContourPoint p = g_array_index(contours->points, BgContourPoint, n - 1);
            BgContourPoint q = g_array_index(contours->points, BgContourPoint, n);
            length += hypot(q.x - p.x, q.y - p.y);
        }
    }
    return length;
}

static void
test_contour(void)
{
    g_autoptr(BgMesh) mesh = cube(10.0);
    BgSlicePane pane = { .plane = BG_PLANE_AXIAL,
                         .through_mm = bg_vec3(0, 0, 3),
                         .spacing_mm = 0.5,
                         .width = 100,
                         .height = 100 };
    BgSliceFrame frame = bg_slice_frame_for_pane(&pane);
    g_autoptr(BgContours) contours = bg_slice_mesh_contour(mesh, &frame);

    g_assert_cmpuint(contours->starts->len, ==, 1);
    g_assert_cmpfloat_with_epsilon(contour_length(contours), 160.0, 1e-4); // 4 x 20 mm
    BgContourPoint first = g_array_index(contours->points, BgContourPoint, 0);
    BgContourPoint last =
        g_array_index(contours->points, BgContourPoint, contours->points->len - 1);
    g_assert_true(first.x == last.x && first.y == last.y);

    pane.through_mm.z = 10.5;
    frame = bg_slice_frame_for_pane(&pane);
    g_autoptr(BgContours) none = bg_slice_mesh_contour(mesh, &frame);
    g_assert_cmpuint(none->starts->len, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/slice/sides/48-codes-3-planes-2-conventions", test_sides);
    g_test_add_func("/slice/values/linear-field", test_values);
    g_test_add_func("/slice/pane/crosshair-in-place", test_pane);
    g_test_add_func("/slice/refuses/impossible-planes", test_refuses);
    g_test_add_func("/slice/slab/modes", test_slab);
    g_test_add_func("/slice/nan/stays-in-its-voxel", test_nan);
    g_test_add_func("/slice/labels/fill-and-outline", test_labels);
    g_test_add_func("/slice/contour/cube", test_contour);
    return g_test_run();
}
