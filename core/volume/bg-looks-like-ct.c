// SPDX-License-Identifier: Apache-2.0
#include "bg-statistics.h"

#include <math.h>

#define MAX_LOOKED_AT (1u << 18) // values: enough for a percentile, and some ms

// Room for what look_at_some() finds.
static gsize
count_looked_at(const BgVolume *volume)
{
    return MIN(bg_geometry_count_voxels(bg_volume_get_geometry(volume)), 2 * MAX_LOOKED_AT);
}

// Finite values from rows spread over the whole volume. Returns how many.
static gsize
look_at_some(const BgVolume *volume, float *values)
{
    const int *dims = bg_volume_get_geometry(volume)->dims;
    gsize n_rows = (gsize) dims[1] * (gsize) dims[2];
    gsize wanted = MAX(MAX_LOOKED_AT / (gsize) dims[0], 1);
    gsize step = MAX(n_rows / wanted, 1) | 1; // odd: not the same j in each slice
    g_autofree float *row = g_new(float, dims[0]);
    gsize n = 0, most = count_looked_at(volume);

    for (gsize r = 0; r < n_rows; r += step) {
        bg_volume_read_row(volume, (int) (r % (gsize) dims[1]), (int) (r / (gsize) dims[1]), row);
        for (int i = 0; i < dims[0] && n < most; i++) {
            if (isfinite(row[i]))
                values[n++] = row[i];
        }
    }
    return n;
}

gboolean
bg_volume_looks_like_ct(const BgVolume *volume)
{
    g_autofree float *values = g_new(float, count_looked_at(volume));
    gsize n = look_at_some(volume, values);
    gsize n_air = 0, n_tissue = 0, n_between = 0, n_outside = 0, n_high = 0;

    for (gsize i = 0; i < n; i++) {
        float v = values[i];
        // Scanners pad what they did not see with -1500 to -3024; fillings and metal reach 30000.
        n_outside += v < -3100.0f || v > 32767.0f;
        n_air += v >= -1100.0f && v <= -850.0f;
        n_tissue += v >= -150.0f && v <= 150.0f && v != 0.0f;
        n_high += v > 150.0f;
        n_between += v >= -600.0f && v <= -350.0f;
    }
    // Air is a peak: a phase image or a noise has as many values on either side of it.
    return n > 0 && n_outside == 0 && n_air * 50 >= n && n_air * 2 >= n_between * 3 &&
           n_tissue * 50 >= n && n_high * 1000 >= n;
}
