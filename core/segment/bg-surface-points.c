// SPDX-License-Identifier: Apache-2.0
#include "bg-surface-points-private.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-parallel.h"
#include "core/surface/bg-marching-table.h"

#include <string.h>

#define CODES 256
#define FLAT_CODES 16

void
bg_surface_points_clear(BgSurfacePoints *points)
{
    g_clear_pointer(&points->at, bg_buffer_free);
    g_clear_pointer(&points->weights, bg_buffer_free);
    points->n = 0;
}

typedef struct {
    const guint8 *mask;
    const int *dims;
    guint8 bit;
    const double *areas; // by code; NULL: voxels
    gboolean flat;       // a single slice: codes of four
    gsize *starts;       // of each slice of places: counts, then where they begin
    BgSurfacePoints *points;
} Job;

// Bit n of the code: mask voxel (i - 1 + (n & 1), j - 1 + (n >> 1 & 1), k - 1 + (n >> 2)).
static inline guint
corner_code(const Job *job, int i, int j, int k)
{
    guint code = 0, n = job->flat ? 4 : 8;

    for (guint c = 0; c < n; c++) {
        int x = i - 1 + (int) (c & 1), y = j - 1 + (int) (c >> 1 & 1);
        int z = job->flat ? k : k - 1 + (int) (c >> 2);
        if (x < 0 || y < 0 || z < 0 || x >= job->dims[0] || y >= job->dims[1] || z >= job->dims[2])
            continue;
        gsize at =
            (gsize) x + (gsize) job->dims[0] * ((gsize) y + (gsize) job->dims[1] * (gsize) z);
        if (job->mask[at] & job->bit)
            code |= 1u << c;
    }
    return code;
}

// Calls found for all corners of one slice whose surroundings are mixed.
static gsize
scan_corners(const Job *job, int k, guint32 *at, double *weights)
{
    int nx = job->dims[0] + 1, ny = job->dims[1] + 1;
    guint full = job->flat ? FLAT_CODES - 1 : CODES - 1;
    gsize n = 0;

    for (int j = 0; j < ny; j++) {
        for (int i = 0; i < nx; i++) {
            guint code = corner_code(job, i, j, k);
            if (code == 0 || code == full)
                continue;
            if (at != NULL) {
                at[n] = (guint32) i + (guint32) nx * ((guint32) j + (guint32) ny * (guint32) k);
                weights[n] = job->areas[code];
            }
            n++;
        }
    }
    return n;
}

static gsize
scan_voxels(const Job *job, int k, guint32 *at)
{
    gsize nx = (gsize) job->dims[0], slice = nx * (gsize) job->dims[1], n = 0;

    for (int j = 0; j < job->dims[1]; j++) {
        gsize row = (gsize) k * slice + (gsize) j * nx;
        const guint8 *here = job->mask + row;
        gboolean edge =
            j == 0 || j == job->dims[1] - 1 || (!job->flat && (k == 0 || k == job->dims[2] - 1));
        gsize down = job->flat ? 0 : slice;
        for (int i = 0; i < job->dims[0]; i++) {
            if (!(here[i] & job->bit))
                continue;
            const guint8 *v = here + i;
            gboolean inner = !edge && i > 0 && i < job->dims[0] - 1 &&
                             (v[-1] & v[1] & *(v - nx) & v[nx] & *(v - down) & v[down] & job->bit);
            if (inner)
                continue;
            if (at != NULL)
                at[n] = (guint32) (row + (gsize) i);
            n++;
        }
    }
    return n;
}

static void
scan_slices(gsize first, gsize last, guint worker, gpointer user_data)
{
    const Job *job = user_data;

    for (gsize k = first; k < last; k++) {
        gboolean write = job->points->at != NULL;
        guint32 *at = write ? job->points->at + job->starts[k] : NULL;
        double *weights =
            write && job->areas != NULL ? job->points->weights + job->starts[k] : NULL;
        gsize n = job->areas != NULL ? scan_corners(job, (int) k, at, weights)
                                     : scan_voxels(job, (int) k, at);
        if (!write)
            job->starts[k] = n;
    }
}

// Once to count, once to write, slice by slice: the order is that of the places.
static gboolean
scan(Job *job, gsize n_slices, GError **error)
{
    g_autofree gsize *starts = g_new0(gsize, n_slices);
    BgSurfacePoints *points = job->points;
    gsize n = 0;

    *points = (BgSurfacePoints){ 0 };
    job->starts = starts;
    bg_parallel_for(n_slices, 2, scan_slices, job, NULL);
    for (gsize k = 0; k < n_slices; k++) {
        gsize here = starts[k];
        starts[k] = n;
        n += here;
    }
    if (n == 0)
        return TRUE;
    points->at = bg_buffer_alloc_items(n, sizeof(guint32), error);
    if (points->at == NULL)
        return FALSE;
    if (job->areas != NULL) {
        points->weights = bg_buffer_alloc_items(n, sizeof(double), error);
        if (points->weights == NULL) {
            bg_surface_points_clear(points);
            return FALSE;
        }
    }
    points->n = n;
    bg_parallel_for(n_slices, 2, scan_slices, job, NULL);
    return TRUE;
}

gboolean
bg_surface_voxels(const guint8 *mask, const int dims[3], gboolean flat, guint8 bit,
                  BgSurfacePoints *points, GError **error)
{
    Job job = { .mask = mask, .dims = dims, .bit = bit, .flat = flat, .points = points };

    return scan(&job, (gsize) dims[2], error);
}

// The middle of an edge of the unit cell, in mm.
static BgVec3
edge_middle(int edge, const double spacing_mm[3])
{
    int axis = edge / 4;
    double p[3];

    p[axis] = 0.5;
    p[axis == 0 ? 1 : 0] = edge & 1;
    p[axis == 2 ? 1 : 2] = edge >> 1 & 1;
    return bg_vec3(p[0] * spacing_mm[0], p[1] * spacing_mm[1], p[2] * spacing_mm[2]);
}

static void
set_areas(double areas[CODES], const double spacing_mm[3])
{
    BgMarchingCase table[CODES];
    BgGeometry grid = bg_geometry_new_regular((const int[3]){ 2, 2, 2 },
                                              bg_vec3(spacing_mm[0], spacing_mm[1], spacing_mm[2]));

    bg_marching_table_init(table, &grid.patient_from_voxel);
    for (int code = 0; code < CODES; code++) {
        areas[code] = 0.0;
        for (int t = 0; t < table[code].n_triangles; t++) {
            const guint8 *edges = table[code].edges + 3 * t;
            BgVec3 a = edge_middle(edges[0], spacing_mm);
            BgVec3 ab = bg_vec3_sub(edge_middle(edges[1], spacing_mm), a);
            BgVec3 ac = bg_vec3_sub(edge_middle(edges[2], spacing_mm), a);
            areas[code] += 0.5 * bg_vec3_length(bg_vec3_cross(ab, ac));
        }
    }
}

// Lengths of contour: one corner cut off, a straight line, or two corners.
static void
set_lengths(double lengths[CODES], const double spacing_mm[3])
{
    double slant = 0.5 * hypot(spacing_mm[0], spacing_mm[1]);

    memset(lengths, 0, CODES * sizeof(double));
    for (int code = 1; code < FLAT_CODES - 1; code++) {
        int n = __builtin_popcount((guint) code);
        if (n != 2)
            lengths[code] = slant;
        else if (code == 0x3 || code == 0xc) // a row: the line runs along i
            lengths[code] = spacing_mm[0];
        else if (code == 0x5 || code == 0xa)
            lengths[code] = spacing_mm[1];
        else
            lengths[code] = 2.0 * slant;
    }
}

gboolean
bg_surface_surfels(const guint8 *mask, const int dims[3], gboolean flat, const double spacing_mm[3],
                   guint8 bit, BgSurfacePoints *points, GError **error)
{
    double areas[CODES];
    Job job = {
        .mask = mask, .dims = dims, .bit = bit, .areas = areas, .flat = flat, .points = points
    };

    if (job.flat)
        set_lengths(areas, spacing_mm);
    else
        set_areas(areas, spacing_mm);
    return scan(&job, job.flat ? 1 : (gsize) dims[2] + 1, error);
}
