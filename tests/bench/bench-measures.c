// SPDX-License-Identifier: Apache-2.0
// Label measures and distance maps of two masks of 256^3 (or of the two files given): name, size, ms.
// Medians of five.
#include "core/filter/bg-distance-map.h"
#include "core/io/bg-io.h"
#include "core/segment/bg-label-metrics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SIZE 256
#define N_RUNS 5

static BgLabelMap *
make_mask(double shift, double scale)
{
    BgGeometry geometry =
        bg_geometry_new_regular((const int[3]){ SIZE, SIZE, SIZE }, bg_vec3(1, 1, 1));
    guint8 *v = bg_voxels_alloc(&geometry, 1, NULL), *at = v;

    for (int k = 0; k < SIZE; k++) {
        for (int j = 0; j < SIZE; j++) {
            for (int i = 0; i < SIZE; i++) {
                double x = 2.0 * i / (SIZE - 1) - 1, y = 2.0 * j / (SIZE - 1) - 1;
                double z = 2.0 * k / (SIZE - 1) - 1;
                double r =
                    sqrt(pow((x - shift) / (.55 * scale), 2) + pow(y / .6, 2) + pow(z / .5, 2));
                *at++ = r + 0.06 * sin(11 * x) * sin(9 * y) * sin(10 * z) < 1;
            }
        }
    }
    return bg_label_map_new_take(&geometry, BG_LABEL_UINT8, v, NULL);
}

static int
compare(const void *a, const void *b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return x < y ? -1 : x > y;
}

int
main(int argc, char **argv)
{
    g_autoptr(BgLabelMap) a =
        argc > 2 ? bg_io_load_labels(argv[1], NULL, NULL, NULL) : make_mask(0, 1);
    g_autoptr(BgLabelMap) b =
        argc > 2 ? bg_io_load_labels(argv[2], NULL, NULL, NULL) : make_mask(0.03, 1.04);
    BgLabelRegion region = { "1", { 1 }, 1 };
    BgLabelMetrics m;
    double ms[3][N_RUNS];

    g_return_val_if_fail(a != NULL && b != NULL, 1);
    for (int run = 0; run < N_RUNS; run++) {
        for (int job = 0; job < 3; job++) {
            gint64 start = g_get_monotonic_time();
            if (job < 2)
                bg_label_metrics(a, b, &region, job == 0 ? BG_SURFACE_VOXELS : BG_SURFACE_SURFELS,
                                 1.0, &m, NULL, NULL, NULL);
            else
                bg_volume_unref(bg_distance_map(a, 1, BG_DISTANCE_OUTSIDE, NULL, NULL, NULL));
            ms[job][run] = (double) (g_get_monotonic_time() - start) / 1000.0;
            if (run == 0 && job < 2)
                printf("# dice %.6f hausdorff %.6f hd95 %.6f mean %.6f\n", m.dice, m.hausdorff_mm,
                       m.hd95_mm, m.mean_surface_mm);
        }
    }
    static const char *const names[3] = { "label-metrics", "label-metrics-surfels",
                                          "distance-map" };
    for (int job = 0; job < 3; job++) {
        qsort(ms[job], N_RUNS, sizeof(double), compare);
        printf("%-24s %d^3 %8.1f ms\n", names[job], SIZE, ms[job][N_RUNS / 2]);
    }
    return 0;
}
