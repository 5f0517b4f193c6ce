// SPDX-License-Identifier: Apache-2.0
// Ray casting: one line a picture: name, size, median ms, million pixels a second.
#include "core/cast/bg-cast.h"

#include <math.h>
#include <stdlib.h>

#define SIDE 256
#define ROUNDS 9

// A skull with an uneven inner side around a folded brain, in Hounsfield units, with noise.
static BgVolume *
make_head(void)
{
    const int dims[3] = { SIDE, SIDE, SIDE };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(0.9375, 0.9375, 0.9375));
    gint16 *samples = bg_voxels_alloc(&geometry, sizeof *samples, NULL);
    guint32 random = 1;
    gsize at = 0;

    for (int k = 0; k < SIDE; k++) {
        for (int j = 0; j < SIDE; j++) {
            for (int i = 0; i < SIDE; i++, at++) {
                double x = i / 127.5 - 1.0, y = j / 127.5 - 1.0, z = k / 127.5 - 1.0;
                double r = sqrt(x * x / 0.55 + y * y / 0.81 + z * z / 0.85);
                double fold = 0.02 * sin(14.0 * x) * cos(13.0 * y) * sin(12.0 * z);
                double value = r > 0.98          ? -1000.0
                               : r > 0.9         ? 40.0
                               : r > 0.82 - fold ? 1100.0
                                                 : 30.0;
                random = random * 1664525u + 1013904223u;
                samples[at] = (gint16) (value + (random >> 24) / 8.0 - 16.0);
            }
        }
    }
    return bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_INT16), samples, NULL);
}

static int
compare_times(const void *a, const void *b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return (x > y) - (x < y);
}

static void
bench(const char *name, BgVolume *volume, const char *json, int side)
{
    GError *error = NULL;
    g_autoptr(BgTransferFunction) tf = bg_transfer_function_parse(json, -1, &error);
    double times[ROUNDS];
    BgCastParams params;
    BgVec3 centre;
    double radius;

    g_assert_no_error(error);
    bg_cast_params_init(&params);
    params.tf = tf;
    params.step_mm = 0.9375;
    bg_cast_fit(volume, NULL, 0, &centre, &radius);
    for (int round = -1; round < ROUNDS; round++) { // the first one prepares the volume
        BgView view = { .elevation_deg = 10.0, .azimuth_deg = 7.0 * round, .zoom = 1.6 };
        params.camera = bg_camera_from_view(&view, centre, radius, side, side);
        gint64 start = g_get_monotonic_time();
        g_autoptr(BgCastImage) image = bg_cast(volume, &params, NULL, NULL, &error);
        g_assert_no_error(error);
        if (round >= 0)
            times[round] = (double) (g_get_monotonic_time() - start) / 1000.0;
    }
    qsort(times, ROUNDS, sizeof *times, compare_times);
    double median = times[ROUNDS / 2];
    g_print("%s\t%d^3 to %dx%d\t%.1f ms\t%.1f Mpixel/s\n", name, SIDE, side, side, median,
            side * side / 1e3 / median);
}

#define CURVES                                                                        \
    "\"opacity\":[[-400,0],[-200,0.04],[100,0.02],[300,0.12],[1000,0.6],[3000,0.9]]," \
    "\"colour\":[[-300,0.75,0.5,0.4],[60,0.85,0.6,0.5],[300,0.95,0.9,0.8],[1500,1,1,1]]"

int
main(void)
{
    g_autoptr(BgVolume) volume = make_head();

    bench("cast-shaded", volume, "{\"technique\":\"composite\",\"shade\":true," CURVES "}", 512);
    bench("cast-shaded-small", volume, "{\"technique\":\"composite\",\"shade\":true," CURVES "}",
          256);
    bench("cast-unshaded", volume, "{\"technique\":\"composite\",\"shade\":false," CURVES "}", 512);
    bench("cast-mip", volume, "{\"technique\":\"mip\",\"shade\":false," CURVES "}", 512);
    bench("cast-iso", volume, "{\"technique\":\"iso\",\"iso_value\":300," CURVES "}", 512);
    return 0;
}
