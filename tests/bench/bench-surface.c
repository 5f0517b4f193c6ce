// SPDX-License-Identifier: Apache-2.0
// A folded ball with noise, 256^3: one line per job: name, size, ms (median of 7), GB/s of what is read.
#include "core/base/bg-parallel.h"
#include "core/surface/bg-isosurface.h"
#include "core/surface/bg-label-surface.h"
#include "core/surface/bg-mesh-decimate.h"
#include "core/surface/bg-mesh-distance.h"
#include "core/surface/bg-mesh-measures.h"
#include "core/surface/bg-mesh-normals.h"
#include "core/surface/bg-mesh-parts.h"
#include "core/surface/bg-mesh-smooth.h"

#include <stdio.h>
#include <stdlib.h>

#define N 256
#define RUNS 7

typedef struct {
    BgVolume *volume;
    BgLabelMap *labels;
    BgMesh *mesh;
} Data;

typedef struct {
    Data *data;
    gint16 *samples;
    guint8 *labels;
} Fill;

static void
fill_slices(gsize first, gsize last, guint worker, gpointer user_data)
{
    Fill *fill = user_data;
    guint32 seed = (guint32) first;

    for (gsize k = first; k < last; k++) {
        double z = 2.0 * (double) k / N - 1.0;
        for (gsize at = 0; at < N * N; at++) {
            double x = 2.0 * (double) (at % N) / N - 1.0, y = 2.0 * (double) (at / N) / N - 1.0;
            double r = sqrt(x * x + y * y + z * z);
            double fold = 0.08 * sin(26.0 * x) * sin(24.0 * y) * sin(25.0 * z);
            seed = seed * 1664525u + 1013904223u;
            double value =
                1000.0 * (0.8 - r + fold) + 6.0 * ((double) (seed >> 8) / (1u << 24) - 0.5);
            fill->samples[k * N * N + at] = (gint16) value;
            fill->labels[k * N * N + at] =
                value < 0.0 ? 0 : (guint8) (1 + (x > 0.0) + 2 * (y > 0.0));
        }
    }
}

static void
data_init(Data *data)
{
    BgGeometry geometry = bg_geometry_new_regular((int[]){ N, N, N }, bg_vec3(0.9, 0.9, 0.9));
    Fill fill = { .data = data,
                  .samples = bg_voxels_alloc(&geometry, sizeof(gint16), NULL),
                  .labels = bg_voxels_alloc(&geometry, 1, NULL) };
    BgIsoParams params = { .iso = 0.0 };

    bg_parallel_for(N, 1, fill_slices, &fill, NULL);
    data->volume =
        bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_INT16), fill.samples, NULL);
    data->labels = bg_label_map_new_take(&geometry, BG_LABEL_UINT8, fill.labels, NULL);
    data->mesh = bg_isosurface(data->volume, &params, NULL, NULL, NULL);
}

static BgMesh *
run_isosurface(const Data *data)
{
    BgIsoParams params = { .iso = 0.0 };

    return bg_isosurface(data->volume, &params, NULL, NULL, NULL);
}

static BgMesh *
run_labels(const Data *data)
{
    BgLabelSurfaceParams params = { .n_smooth_passes = 0 };

    return bg_label_surface(data->labels, &params, NULL, NULL, NULL);
}

static BgMesh *
run_sinc(const Data *data)
{
    BgSincParams params = { .n_passes = 20, .pass_band = 0.1 };

    return bg_mesh_smooth_sinc(data->mesh, &params, NULL, NULL, NULL);
}

static BgMesh *
run_decimate(const Data *data)
{
    BgDecimateParams params = { .ratio = 0.1 };

    return bg_mesh_decimate(data->mesh, &params, NULL, NULL, NULL, NULL);
}

static BgMesh *
run_normals(const Data *data)
{
    return bg_mesh_compute_normals(data->mesh, NULL);
}

static BgMesh *
run_parts(const Data *data)
{
    g_autoptr(GArray) parts = bg_mesh_find_parts(data->mesh, NULL, NULL);

    return parts != NULL ? bg_mesh_ref(data->mesh) : NULL;
}

static BgMesh *
run_measures(const Data *data)
{
    BgMeshMeasures measures;

    return bg_mesh_measure(data->mesh, &measures, NULL) ? bg_mesh_ref(data->mesh) : NULL;
}

static int
compare_doubles(gconstpointer a, gconstpointer b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return x < y ? -1 : x > y;
}

static int
bench(const char *name, BgMesh *(*run)(const Data *data), const Data *data, double n_bytes)
{
    double times[RUNS];
    gsize n_triangles = 0;

    for (int i = -1; i < RUNS; i++) { // the first is not counted
        gint64 start = g_get_monotonic_time();
        BgMesh *mesh = run(data);
        if (mesh == NULL)
            return EXIT_FAILURE;
        if (i >= 0)
            times[i] = (double) (g_get_monotonic_time() - start) * 1e-3;
        n_triangles = bg_mesh_get_data(mesh)->n_triangles;
        bg_mesh_unref(mesh);
    }
    qsort(times, RUNS, sizeof *times, compare_doubles);
    printf("%-14s %8zu triangles %9.2f ms (%.2f..%.2f) %6.2f GB/s\n", name, n_triangles,
           times[RUNS / 2], times[0], times[RUNS - 1], n_bytes / times[RUNS / 2] * 1e-6);
    return EXIT_SUCCESS;
}

int
main(void)
{
    Data data;
    int failed;

    data_init(&data);
    double voxels = (double) N * N * N,
           mesh = 12.0 * (double) bg_mesh_get_data(data.mesh)->n_vertices +
                  12.0 * (double) bg_mesh_get_data(data.mesh)->n_triangles;
    failed = bench("isosurface", run_isosurface, &data, 2.0 * voxels) |
             bench("label-surface", run_labels, &data, voxels) |
             bench("sinc-20", run_sinc, &data, 20.0 * mesh) |
             bench("decimate-10%", run_decimate, &data, mesh) |
             bench("normals", run_normals, &data, mesh) | bench("parts", run_parts, &data, mesh) |
             bench("measures", run_measures, &data, mesh);
    bg_mesh_unref(data.mesh);
    bg_label_map_unref(data.labels);
    bg_volume_unref(data.volume);
    return failed;
}
