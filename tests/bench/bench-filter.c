// SPDX-License-Identifier: Apache-2.0
// Filters and resampling of a CT of 256^3 (or of the size given): name, size, ms, GB/s of samples
// read and written once. Medians of seven.
#include "core/filter/bg-gaussian.h"
#include "core/filter/bg-median.h"
#include "core/phantom/bg-phantom.h"
#include "core/volume/bg-histogram.h"
#include "core/volume/bg-resample.h"
#include "core/volume/bg-statistics.h"

#include <stdlib.h>

#define N_RUNS 7

static void
run_statistics(BgVolume *volume)
{
    BgStatistics statistics;

    bg_volume_statistics(volume, &statistics, NULL, NULL);
}

static void
run_histogram(BgVolume *volume)
{
    bg_histogram_free(bg_histogram_new(volume, 256, -1000.0, 2000.0, NULL, NULL));
}

static void
run_window(BgVolume *volume)
{
    BgWindow window;

    bg_volume_default_window(volume, &window, NULL, NULL);
}

// A turn of 0.2 about an oblique axis and 5 % smaller: no coordinate is whole.
static void
run_resample(BgVolume *volume, BgResampleMethod method)
{
    static const double turn[3][3] = { { 1.0421, -0.0511, 0.1183 },
                                       { 0.0725, 1.0348, -0.1624 },
                                       { -0.1066, 0.1704, 1.0304 } };
    BgGeometry target = *bg_volume_get_geometry(volume);
    BgAffine rotation = bg_affine_identity();

    for (int row = 0; row < 3; row++) {
        for (int column = 0; column < 3; column++)
            rotation.m[row][column] = turn[row][column];
    }
    target.patient_from_voxel = bg_affine_multiply(&rotation, &target.patient_from_voxel);

    BgResampleParams params = bg_resample_params(&target);
    params.method = method;
    params.outside_value = -1000.0;
    bg_volume_unref(bg_resample(volume, &params, NULL, NULL, NULL));
}

static void
run_nearest(BgVolume *volume)
{
    run_resample(volume, BG_RESAMPLE_NEAREST);
}

static void
run_linear(BgVolume *volume)
{
    run_resample(volume, BG_RESAMPLE_LINEAR);
}

static void
run_cubic(BgVolume *volume)
{
    run_resample(volume, BG_RESAMPLE_CUBIC);
}

static void
run_gaussian(BgVolume *volume)
{
    BgVec3 spacing_mm = bg_geometry_spacing_mm(bg_volume_get_geometry(volume));

    bg_volume_unref(bg_gaussian(volume, bg_vec3_scale(spacing_mm, 2.0), NULL, NULL, NULL));
}

static void
run_median(BgVolume *volume)
{
    bg_volume_unref(bg_median(volume, 1, NULL, NULL, NULL));
}

// @n_bytes: of a voxel, read and written
static const struct {
    const char *name;
    void (*run)(BgVolume *volume);
    double n_bytes;
} jobs[] = {
    { "statistics", run_statistics, 2 },      { "histogram", run_histogram, 2 },
    { "default-window", run_window, 2 },      { "resample-nearest", run_nearest, 4 },
    { "resample-linear", run_linear, 4 },     { "resample-cubic", run_cubic, 4 },
    { "gaussian-2-voxels", run_gaussian, 6 }, { "median-27", run_median, 4 },
};

static int
compare(gconstpointer a, gconstpointer b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return x < y ? -1 : x > y;
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    int size = argc > 1 ? atoi(argv[1]) : 256;
    BgPhantomParams params = { .kind = BG_PHANTOM_CT_HEAD, .size = size, .seed = 1 };
    g_autoptr(BgPhantom) phantom = bg_phantom_new(&params, NULL, NULL, &error);

    if (phantom == NULL) {
        g_printerr("%s\n", error->message);
        return 1;
    }
    BgVolume *volume = bg_phantom_find(phantom, "ct")->volume;
    double n_voxels = (double) size * size * size;
    for (guint job = 0; job < G_N_ELEMENTS(jobs); job++) {
        double ms[N_RUNS];

        jobs[job].run(volume); // warm
        for (guint i = 0; i < N_RUNS; i++) {
            gint64 start_us = g_get_monotonic_time();
            jobs[job].run(volume);
            ms[i] = (double) (g_get_monotonic_time() - start_us) / 1000.0;
        }
        qsort(ms, N_RUNS, sizeof *ms, compare);
        double median = ms[N_RUNS / 2];
        g_print("%-20s %4d^3 int16 %9.2f ms %7.2f GB/s\n", jobs[job].name, size, median,
                n_voxels * jobs[job].n_bytes / (median * 1e6));
    }
    return 0;
}
