// SPDX-License-Identifier: Apache-2.0
#include "core/register/bg-mutual-information-private.h"

#include "core/volume/bg-label-map.h"

#define LEAST_SAMPLES 64

// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): one state, any seed is good.
static double
next_random(guint64 *state)
{
    guint64 z = (*state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double) ((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static gboolean
is_inside(const BgMiRegion *region, BgVec3 p)
{
    if (region->mask != NULL && bg_label_map_sample_nearest(region->mask, p) == 0)
        return FALSE;
    if (region->is_ball)
        return bg_vec3_distance(p, region->centre) <= region->radius_mm;
    return p.x >= region->low.x && p.x <= region->high.x && p.y >= region->low.y &&
           p.y <= region->high.y && p.z >= region->low.z && p.z <= region->high.z;
}

// The voxels of @level around the region, so that no sample is thrown far outside of it.
static void
find_box(const BgPyramidLevel *level, const BgMiRegion *region, double first[3], double size[3])
{
    BgAffine voxel = bg_geometry_voxel_from_patient(&level->geometry);
    BgVec3 ball = { region->radius_mm, region->radius_mm, region->radius_mm };
    BgVec3 low = region->is_ball ? bg_vec3_sub(region->centre, ball) : region->low;
    BgVec3 high = region->is_ball ? bg_vec3_add(region->centre, ball) : region->high;
    double most[3] = { -INFINITY, -INFINITY, -INFINITY };

    first[0] = first[1] = first[2] = INFINITY;
    for (int corner = 0; corner < 8; corner++) {
        BgVec3 v = bg_affine_apply(&voxel,
                                   bg_vec3(corner & 1 ? high.x : low.x, corner & 2 ? high.y : low.y,
                                           corner & 4 ? high.z : low.z));
        for (int axis = 0; axis < 3; axis++) {
            first[axis] = fmin(first[axis], bg_vec3_get(v, axis));
            most[axis] = fmax(most[axis], bg_vec3_get(v, axis));
        }
    }
    for (int axis = 0; axis < 3; axis++) {
        first[axis] = fmax(first[axis], 0.0);
        size[axis] = fmin(most[axis], level->geometry.dims[axis] - 1) - first[axis];
        size[axis] = fmax(size[axis], 0.0);
    }
}

// Cells of about equal sides that fill the box, about @n_wanted of them.
static void
divide(const double size[3], gsize n_wanted, int cells[3])
{
    double side =
        cbrt(fmax(size[0], 1.0) * fmax(size[1], 1.0) * fmax(size[2], 1.0) / (double) n_wanted);

    for (int axis = 0; axis < 3; axis++)
        cells[axis] = MAX(1, (int) (size[axis] / side + 0.5));
}

static void
add_sample(BgMiSamples *samples, BgVec3 p, float value, const BgPyramid *fixed)
{
    float t = (value - fixed->low) / (fixed->high - fixed->low) * (float) BG_MI_BINS;
    gsize at = samples->n++;

    samples->x[at] = (float) p.x;
    samples->y[at] = (float) p.y;
    samples->z[at] = (float) p.z;
    samples->bin[at] = (gint32) CLAMP(t, 0.0f, (float) BG_MI_BINS - 0.5f);
    samples->centre = bg_vec3_add(samples->centre, p);
}

static void
centre_samples(BgMiSamples *samples)
{
    double square = 0.0;

    samples->centre = bg_vec3_scale(samples->centre, 1.0 / (double) samples->n);
    for (gsize i = 0; i < samples->n; i++) {
        BgVec3 d = bg_vec3_sub(
            bg_vec3((double) samples->x[i], (double) samples->y[i], (double) samples->z[i]),
            samples->centre);
        samples->x[i] = (float) d.x;
        samples->y[i] = (float) d.y;
        samples->z[i] = (float) d.z;
        square += bg_vec3_dot(d, d);
    }
    samples->radius_mm = sqrt(square / (double) samples->n);
    while (samples->n % 8 != 0) {
        gsize at = samples->n++;
        samples->x[at] = samples->x[at - 1];
        samples->y[at] = samples->y[at - 1];
        samples->z[at] = samples->z[at - 1];
        samples->bin[at] = -1;
    }
}

BgMiSamples *
bg_mi_samples_new(const BgPyramid *fixed, int level, const BgMiRegion *region, gsize n_wanted,
                  guint64 seed)
{
    const BgPyramidLevel *grid = &fixed->levels[level];
    g_autoptr(BgMiSamples) samples = g_new0(BgMiSamples, 1);
    double first[3], size[3];
    int cells[3];

    find_box(grid, region, first, size);
    divide(size, n_wanted, cells);
    gsize n_cells = (gsize) cells[0] * (gsize) cells[1] * (gsize) cells[2];
    samples->x = g_new(float, n_cells + 8);
    samples->y = g_new(float, n_cells + 8);
    samples->z = g_new(float, n_cells + 8);
    samples->bin = g_new(gint32, n_cells + 8);
    for (gsize cell = 0; cell < n_cells; cell++) {
        gsize at[3] = { cell % (gsize) cells[0], cell / (gsize) cells[0] % (gsize) cells[1],
                        cell / ((gsize) cells[0] * (gsize) cells[1]) };
        BgVec3 voxel;
        float value;
        for (int axis = 0; axis < 3; axis++)
            bg_vec3_set(&voxel, axis,
                        first[axis] +
                            ((double) at[axis] + next_random(&seed)) * size[axis] / cells[axis]);
        BgVec3 p = bg_affine_apply(&grid->geometry.patient_from_voxel, voxel);
        if (is_inside(region, p) && bg_pyramid_level_sample(grid, voxel, &value))
            add_sample(samples, p, value, fixed);
    }
    if (samples->n < LEAST_SAMPLES)
        return NULL;
    centre_samples(samples);
    return g_steal_pointer(&samples);
}

void
bg_mi_samples_free(BgMiSamples *samples)
{
    g_free(samples->x);
    g_free(samples->y);
    g_free(samples->z);
    g_free(samples->bin);
    g_free(samples);
}
