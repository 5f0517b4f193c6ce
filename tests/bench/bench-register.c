// SPDX-License-Identifier: Apache-2.0
// Rigid landmarks, 20 points: us a call; poses of a camera, 8 and 100; volumes of a made-up head of 192^3 (or of the size given): s.
#include "core/phantom/bg-phantom.h"
#include "core/register/bg-pose.h"
#include "core/register/bg-volume-register.h"

#include <stdlib.h>
#include <time.h>

#define N_POINTS 20
#define N_CALLS 200000
#define N_POSES 4000
#define N_RUNS 5

static int
compare_doubles(gconstpointer a, gconstpointer b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return x < y ? -1 : x > y;
}

static double
median(double *values, gsize n)
{
    qsort(values, n, sizeof *values, compare_doubles);
    return values[n / 2];
}

// Of this thread alone: it computes on no other.
static double
cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double) t.tv_sec * 1e6 + (double) t.tv_nsec / 1e3;
}

static void
bench_points(void)
{
    BgVec3 fixed[N_POINTS], moving[N_POINTS];
    double us[N_RUNS], sum = 0.0;
    BgAffine map;

    for (int i = 0; i < N_POINTS; i++) {
        moving[i] = bg_vec3(60.0 * sin(i), 50.0 * cos(2.0 * i), 40.0 * sin(3.0 * i + 1.0));
        fixed[i] = bg_vec3(-moving[i].y + sin(7.0 * i), moving[i].x, moving[i].z + 5.0);
    }
    for (int run = 0; run < N_RUNS; run++) {
        double start = cpu_us();
        for (int call = 0; call < N_CALLS; call++) {
            moving[0].x += 1e-9;
            bg_point_fit_rigid(BG_TRANSFORM_RIGID, fixed, moving, NULL, N_POINTS, &map);
            sum += map.m[0][0];
        }
        us[run] = (cpu_us() - start) / N_CALLS;
    }
    g_print("rigid-landmarks %d points %.3f us (%.3g)\n", N_POINTS, median(us, N_RUNS), sum);
}

// The pose of a camera from points of a curved surface, placed with errors of about 1 px.
static void
bench_pose(int n_points)
{
    g_autofree BgPosePoint *points = g_new0(BgPosePoint, n_points);
    BgPoseParams params = { .camera = { .k = { 2200, 0, 640, 0, 2200, 480, 0, 0, 1 },
                                        .width = 1280,
                                        .height = 960,
                                        .camera_from_patient = bg_affine_from_columns(
                                            bg_vec3(0, 1, 0), bg_vec3(-0.6, 0, 0.8),
                                            bg_vec3(0.8, 0, 0.6), bg_vec3(5, -3, 480)) } };
    double us[N_RUNS], sum = 0.0, depth_mm;
    BgPoseResult result;

    for (int i = 0; i < n_points; i++) {
        double a = 35.0 * sin(12.9898 * i), b = 35.0 * cos(78.233 * i);
        points[i].patient_mm = bg_vec3(a, b, (a * a + b * b) / 160.0);
        bg_camera_project(&params.camera, points[i].patient_mm, &points[i].u, &points[i].v,
                          &depth_mm);
        points[i].u += sin(39.0 * i);
        points[i].v += cos(57.0 * i);
    }
    for (int run = 0; run < N_RUNS; run++) {
        double start = cpu_us();
        for (int call = 0; call < N_POSES; call++) {
            points[0].u += 1e-9;
            if (bg_pose_estimate(points, (gsize) n_points, &params, NULL, &result, NULL))
                sum += result.rms_px;
        }
        us[run] = (cpu_us() - start) / N_POSES;
    }
    g_print("pose %d points %.1f us (%.3g px)\n", n_points, median(us, N_RUNS),
            sum / (N_RUNS * N_POSES));
}

static void
bench_volumes(int size, BgTransformModel model)
{
    BgPhantomParams params = { .kind = BG_PHANTOM_HEAD, .size = size, .seed = 1, .tumour = TRUE };
    g_autoptr(BgPhantom) head = bg_phantom_new(&params, NULL, NULL, NULL);
    BgVolume *fixed = bg_phantom_find(head, "t1")->volume;
    BgVolume *moving = bg_phantom_find(head, "t2")->volume;
    BgVolumeRegisterParams how = bg_volume_register_params(model);
    double seconds[N_RUNS];
    guint n = 0;

    for (int run = 0; run < N_RUNS; run++) {
        gint64 start = g_get_monotonic_time();
        g_autoptr(BgVolumeRegistration) done =
            bg_volume_register(fixed, moving, &how, NULL, NULL, NULL);
        seconds[run] = (double) (g_get_monotonic_time() - start) / 1e6;
        n = done->n_evaluations;
    }
    g_print("register-volumes-%s %d^3 %.3f s (%u evaluations)\n", bg_transform_model_name(model),
            size, median(seconds, N_RUNS), n);
}

int
main(int argc, char **argv)
{
    int size = argc > 1 ? atoi(argv[1]) : 192;

    bench_points();
    bench_pose(8);
    bench_pose(100);
    bench_volumes(size, BG_TRANSFORM_RIGID);
    bench_volumes(size, BG_TRANSFORM_AFFINE);
    return EXIT_SUCCESS;
}
