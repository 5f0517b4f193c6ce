// SPDX-License-Identifier: Apache-2.0
// A volume through a spline: against the spline's own inverse at every voxel, and plain resampling.
#include "core/base/bg-error.h"
#include "core/register/bg-point-fit.h"
#include "core/register/bg-volume-warp.h"
#include "core/volume/bg-resample.h"

#define N_POINTS 12

// What the moving volume holds: different everywhere, and linear between voxels.
static double
value_at(BgVec3 at)
{
    return 3.0 * at.x - 2.0 * at.y + 5.0 * at.z;
}

static BgVolume *
make_moving(BgSampleType type)
{
    int dims[3] = { 50, 44, 40 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(2.0, 2.5, 3.0));
    BgSampleFormat format = bg_sample_format_plain(type);
    gpointer samples = bg_voxels_alloc(&geometry, bg_sample_type_size(type), NULL);
    gsize at = 0;

    format.slope = 0.5;
    for (int k = 0; k < dims[2]; k++)
        for (int j = 0; j < dims[1]; j++)
            for (int i = 0; i < dims[0]; i++, at++) {
                BgVec3 place =
                    bg_affine_apply(&geometry.patient_from_voxel, bg_vec3(i, j, (double) k));
                if (type == BG_SAMPLE_INT16)
                    ((gint16 *) samples)[at] = (gint16) lrint(value_at(place) / 0.5);
                else
                    ((float *) samples)[at] = (float) (value_at(place) / 0.5);
            }
    return bg_volume_new_take(&geometry, format, samples, NULL);
}

static BgTransform *
make_spline(int n_axes)
{
    BgPointFitParams params = bg_point_fit_params(BG_TRANSFORM_TPS);
    BgPointPair pairs[N_POINTS] = { 0 };
    g_autoptr(GError) error = NULL;

    params.n_axes = n_axes;
    for (int i = 0; i < N_POINTS; i++) {
        g_snprintf(pairs[i].name, sizeof pairs[i].name, "P%d", i);
        pairs[i].weight = 1.0;
        pairs[i].moving = bg_vec3(40.0 * sin(5.0 * i), 45.0 * cos(3.0 * i + 1.0),
                                  n_axes == 3 ? 50.0 * sin(7.0 * i + 2.0) : 0.0);
        pairs[i].fixed = bg_vec3(pairs[i].moving.x + 4.0 * sin(9.0 * i) + 6.0,
                                 pairs[i].moving.y + 4.0 * cos(4.0 * i) - 3.0,
                                 n_axes == 3 ? pairs[i].moving.z + 4.0 * sin(2.0 * i + 1.0) : 0.0);
    }
    g_autoptr(BgPointFit) fit = bg_point_fit(pairs, N_POINTS, &params, &error);
    g_assert_no_error(error);
    return bg_transform_ref(fit->transform);
}

// Far enough inside for all eight voxels around.
static gboolean
is_inside(const BgGeometry *geometry, BgVec3 at)
{
    BgAffine voxel_from_patient = bg_geometry_voxel_from_patient(geometry);
    BgVec3 voxel = bg_affine_apply(&voxel_from_patient, at);

    for (int axis = 0; axis < 3; axis++) {
        double x = bg_vec3_get(voxel, axis);
        if (x < 0.1 || x > geometry->dims[axis] - 1.1)
            return FALSE;
    }
    return TRUE;
}

// @tolerance_mm: along the steepest way of the values
static void
check_warp(BgSampleType type, double tolerance_mm)
{
    g_autoptr(BgVolume) moving = make_moving(type);
    g_autoptr(BgTransform) spline = make_spline(3);
    g_autoptr(GError) error = NULL;
    int dims[3] = { 46, 41, 43 }, n_inside = 0;
    BgGeometry target = bg_geometry_new_regular(dims, bg_vec3(2.2, 2.0, 2.4));
    g_autoptr(BgVolume) warped = bg_volume_warp(moving, spline, &target, NULL, NULL, &error);
    double worst = 0.0, lowest = HUGE_VAL;

    g_assert_no_error(error);
    g_assert_cmpint(bg_volume_get_format(warped).type, ==, type);
    const int *from = bg_volume_get_geometry(moving)->dims;
    for (int corner = 0; corner < 8; corner++)
        lowest = fmin(lowest, bg_volume_get_value(moving, corner & 1 ? from[0] - 1 : 0,
                                                  corner & 2 ? from[1] - 1 : 0,
                                                  corner & 4 ? from[2] - 1 : 0));
    for (int k = 0; k < dims[2]; k++)
        for (int j = 0; j < dims[1]; j++)
            for (int i = 0; i < dims[0]; i++) {
                BgVec3 at = bg_affine_apply(&target.patient_from_voxel, bg_vec3(i, j, (double) k));
                BgVec3 origin;
                double value = bg_volume_get_value(warped, i, j, k);
                g_assert_true(bg_transform_apply_inverse(spline, at, &origin));
                if (!is_inside(bg_volume_get_geometry(moving), origin))
                    continue;
                worst = fmax(worst, fabs(value - value_at(origin)) / sqrt(38.0));
                n_inside++;
            }
    g_test_message("%d voxels, at most %.4f mm off", n_inside, worst);
    g_assert_cmpint(n_inside, >, 20000);
    g_assert_cmpfloat(worst, <, tolerance_mm);
    g_assert_cmpfloat(bg_volume_get_value(warped, 0, 0, 0), ==, lowest); // beside the moving volume
}

static void
test_spline(void)
{
    check_warp(BG_SAMPLE_FLOAT32, 0.1);
    check_warp(BG_SAMPLE_INT16, 0.2); // of it 0.04 mm are rounding
}

// Without a spline it is plain resampling.
static void
test_plain_models(void)
{
    g_autoptr(BgVolume) moving = make_moving(BG_SAMPLE_FLOAT32);
    g_autoptr(GError) error = NULL;
    int dims[3] = { 31, 33, 29 };
    BgGeometry target = bg_geometry_new_regular(dims, bg_vec3(2.0, 2.0, 2.0));
    BgAffine map = bg_affine_from_columns(bg_vec3(0, 1, 0), bg_vec3(-1, 0, 0), bg_vec3(0, 0, 1.1),
                                          bg_vec3(3, -2, 1));
    BgResampleParams params = bg_resample_params(&target);
    g_autoptr(BgTransform) transform = bg_transform_new(BG_TRANSFORM_AFFINE, 3, &map, &error);

    bg_affine_invert(&map, &params.source_from_target);
    g_autoptr(BgVolume) other = bg_resample(moving, &params, NULL, NULL, &error);
    g_autoptr(BgVolume) warped = bg_volume_warp(moving, transform, &target, NULL, NULL, &error);
    g_assert_no_error(error);
    for (int k = 0; k < dims[2]; k++)
        for (int j = 0; j < dims[1]; j++)
            for (int i = 0; i < dims[0]; i++)
                g_assert_cmpfloat_with_epsilon(bg_volume_get_value(warped, i, j, k),
                                               bg_volume_get_value(other, i, j, k), 1e-3);
}

static void
test_refuses(void)
{
    g_autoptr(BgVolume) moving = make_moving(BG_SAMPLE_FLOAT32);
    g_autoptr(BgTransform) flat = make_spline(2);
    g_autoptr(BgTransform) spline = make_spline(3);
    g_autoptr(GCancellable) cancelled = g_cancellable_new();
    g_autoptr(GError) error = NULL;
    const BgGeometry *target = bg_volume_get_geometry(moving);

    g_assert_null(bg_volume_warp(moving, flat, target, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_clear_error(&error);
    g_cancellable_cancel(cancelled);
    g_assert_null(bg_volume_warp(moving, spline, target, NULL, cancelled, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/volume-warp/spline", test_spline);
    g_test_add_func("/volume-warp/plain-models", test_plain_models);
    g_test_add_func("/volume-warp/refuses", test_refuses);
    return g_test_run();
}
