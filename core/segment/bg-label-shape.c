// SPDX-License-Identifier: Apache-2.0
#include "bg-label-shape.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/filter/bg-components.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ACROSS_WITHIN_DEG 5.0
#define AXIAL 2 // patient axis S/I
#define MOST_SAMPLES 1000000.0

typedef struct {
    BgVec3 mm;
    double radius; // from the centroid
} Point;

typedef struct {
    BgLabelMap *labels;
    const BgLabelRegion *region;
    const int *dims;
    guint8 *mask; // one more voxel on all sides
    gsize wide, high;
} Grid;

static gboolean
in_region(const BgLabelRegion *region, guint32 label)
{
    for (int n = 0; n < region->n_labels; n++) {
        if (region->labels[n] == label)
            return TRUE;
    }
    return FALSE;
}

static gsize
read_mask(Grid *grid, BgVec3 *sum)
{
    g_autofree guint32 *row = g_new(guint32, grid->dims[0]);
    gsize n = 0;

    for (int k = 0; k < grid->dims[2]; k++) {
        for (int j = 0; j < grid->dims[1]; j++) {
            guint8 *out =
                grid->mask + 1 + grid->wide * ((gsize) j + 1 + grid->high * ((gsize) k + 1));
            bg_label_map_read_row(grid->labels, j, k, row);
            for (int i = 0; i < grid->dims[0]; i++) {
                out[i] = in_region(grid->region, row[i]);
                if (out[i]) {
                    *sum = bg_vec3_add(*sum, bg_vec3(i, j, k));
                    n++;
                }
            }
        }
    }
    return n;
}

// Points half-way to a neighbour outside; @axis < 0: of all; else only of slice @slice along it, and
// to neighbours in that slice.
static void
add_points(const Grid *grid, int axis, int slice, GArray *points)
{
    const BgAffine *patient_from_voxel =
        &bg_label_map_get_geometry(grid->labels)->patient_from_voxel;
    gssize steps[3] = { 1, (gssize) grid->wide, (gssize) (grid->wide * grid->high) };
    int low[3] = { 0, 0, 0 }, high[3] = { grid->dims[0], grid->dims[1], grid->dims[2] };

    if (axis >= 0) {
        low[axis] = slice;
        high[axis] = slice + 1;
    }
    for (int k = low[2]; k < high[2]; k++) {
        for (int j = low[1]; j < high[1]; j++) {
            for (int i = low[0]; i < high[0]; i++) {
                const guint8 *v = grid->mask + (gsize) i + 1 +
                                  grid->wide * ((gsize) j + 1 + grid->high * ((gsize) k + 1));
                for (int a = 0; *v && a < 3; a++) {
                    for (int side = -1; side <= 1 && a != axis; side += 2) {
                        double at[3] = { i, j, k };
                        if (v[side * steps[a]])
                            continue;
                        at[a] += 0.5 * side;
                        Point p = {
                            bg_affine_apply(patient_from_voxel, bg_vec3(at[0], at[1], at[2])), 0.0
                        };
                        g_array_append_val(points, p);
                    }
                }
            }
        }
    }
}

static int
compare_radii(gconstpointer a, gconstpointer b)
{
    double x = ((const Point *) a)->radius, y = ((const Point *) b)->radius;

    return x > y ? -1 : x < y;
}

// The farthest pair. Sorted by their distance from a middle, two points cannot be farther apart than
// these together, which ends most searches early.
static double
farthest(GArray *points, BgVec3 middle, BgVec3 ends[2])
{
    double best = 0.0;

    for (guint n = 0; n < points->len; n++) {
        Point *p = &g_array_index(points, Point, n);
        p->radius = bg_vec3_distance(p->mm, middle);
    }
    g_array_sort(points, compare_radii);
    for (guint a = 0; a < points->len; a++) {
        const Point *p = &g_array_index(points, Point, a);
        if (2.0 * p->radius <= best)
            break;
        for (guint b = a + 1; b < points->len; b++) {
            const Point *q = &g_array_index(points, Point, b);
            if (p->radius + q->radius <= best)
                break;
            double d = bg_vec3_distance(p->mm, q->mm);
            if (d > best) {
                best = d;
                ends[0] = p->mm;
                ends[1] = q->mm;
            }
        }
    }
    return best;
}

// The longest pair across a line.
static double
farthest_across(const GArray *points, BgVec3 along, BgVec3 ends[2])
{
    double most = sin(ACROSS_WITHIN_DEG * M_PI / 180.0), best = 0.0;

    for (guint a = 0; a < points->len; a++) {
        for (guint b = a + 1; b < points->len; b++) {
            BgVec3 p = g_array_index(points, Point, a).mm, q = g_array_index(points, Point, b).mm;
            BgVec3 d = bg_vec3_sub(q, p);
            double length = bg_vec3_length(d);
            if (length > best && fabs(bg_vec3_dot(d, along)) <= most * length) {
                best = length;
                ends[0] = p;
                ends[1] = q;
            }
        }
    }
    return best;
}

static gboolean
measure_rano(const Grid *grid, BgLabelShape *shape, GCancellable *cancellable, GError **error)
{
    int patient_axis[3], sign[3];

    bg_geometry_axes(bg_label_map_get_geometry(grid->labels), patient_axis, sign);
    for (int axis = 0; axis < 3; axis++) {
        if (patient_axis[axis] == AXIAL)
            shape->rano_axis = axis;
    }
    g_autoptr(GArray) points = g_array_new(FALSE, FALSE, sizeof(Point));
    for (int slice = 0; slice < grid->dims[shape->rano_axis]; slice++) {
        BgVec3 ends[2];
        if (g_cancellable_set_error_if_cancelled(cancellable, error))
            return FALSE;
        g_array_set_size(points, 0);
        add_points(grid, shape->rano_axis, slice, points);
        double longest = farthest(points, shape->centroid_mm, ends);
        if (longest > shape->rano_long_mm) {
            shape->rano_long_mm = longest;
            shape->rano_slice = slice;
            memcpy(shape->rano_long_ends_mm, ends, sizeof ends);
        }
    }
    g_array_set_size(points, 0);
    add_points(grid, shape->rano_axis, shape->rano_slice, points);
    BgVec3 along =
        bg_vec3_normalize(bg_vec3_sub(shape->rano_long_ends_mm[1], shape->rano_long_ends_mm[0]));
    shape->rano_short_mm = farthest_across(points, along, shape->rano_short_ends_mm);
    shape->rano_product_mm2 = shape->rano_long_mm * shape->rano_short_mm;
    return TRUE;
}

static gboolean
count_parts(const guint8 *mask, const BgGeometry *geometry, gsize *n_parts,
            GCancellable *cancellable, GError **error)
{
    guint32 *parts = bg_voxels_alloc(geometry, sizeof *parts, error);
    g_autoptr(GArray) sizes = NULL;

    if (parts == NULL)
        return FALSE;
    gboolean done =
        bg_components(mask, geometry->dims, BG_CONNECT_26, parts, &sizes, cancellable, error);
    bg_voxels_free(parts);
    *n_parts = done ? sizes->len : 0;
    return done;
}

gboolean
bg_label_shape(BgLabelMap *labels, const BgLabelRegion *region, BgLabelShape *shape,
               GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(labels != NULL && region != NULL && shape != NULL, FALSE);

    const BgGeometry *geometry = bg_label_map_get_geometry(labels);
    BgGeometry padded = *geometry;
    Grid grid = { .labels = labels, .region = region, .dims = geometry->dims };
    BgVec3 sum = { 0.0, 0.0, 0.0 };

    *shape = (BgLabelShape){ 0 };
    for (int axis = 0; axis < 3; axis++)
        padded.dims[axis] += 2;
    grid.wide = (gsize) padded.dims[0];
    grid.high = (gsize) padded.dims[1];
    grid.mask = bg_voxels_alloc(&padded, 1, error);
    if (grid.mask == NULL)
        return FALSE;
    memset(grid.mask, 0, bg_geometry_count_voxels(&padded));
    shape->n_voxels = read_mask(&grid, &sum);
    gboolean ok = TRUE;
    if (shape->n_voxels > 0) {
        g_autoptr(GArray) points = g_array_new(FALSE, FALSE, sizeof(Point));
        shape->volume_ml =
            (double) shape->n_voxels * bg_geometry_voxel_volume_mm3(geometry) / 1000.0;
        shape->centroid_mm = bg_affine_apply(&geometry->patient_from_voxel,
                                             bg_vec3_scale(sum, 1.0 / (double) shape->n_voxels));
        add_points(&grid, -1, 0, points);
        shape->diameter_mm = farthest(points, shape->centroid_mm, shape->diameter_ends_mm);
        ok = measure_rano(&grid, shape, cancellable, error) &&
             count_parts(grid.mask, &padded, &shape->n_parts, cancellable, error);
    }
    bg_voxels_free(grid.mask);
    return ok;
}

static BgVec3
along_path(const BgVec3 *points, gsize n, double at_mm)
{
    for (gsize p = 0; p + 1 < n; p++) {
        double length = bg_vec3_distance(points[p], points[p + 1]);
        if (at_mm <= length || p + 2 == n)
            return length > 0.0 ? bg_vec3_along(points[p], MIN(at_mm / length, 1.0),
                                                bg_vec3_sub(points[p + 1], points[p]))
                                : points[p];
        at_mm -= length;
    }
    return points[n - 1];
}

gboolean
bg_path_distance(BgVolume *distances, const BgVec3 *points_mm, gsize n_points, double step_mm,
                 BgPathDistance *result, GArray **profile, GError **error)
{
    g_return_val_if_fail(distances != NULL && n_points >= 2 && step_mm > 0.0, FALSE);

    BgPathDistance found = { .nearest_mm = HUGE_VAL, .entry_at_mm = (double) NAN };

    for (gsize p = 0; p + 1 < n_points; p++)
        found.length_mm += bg_vec3_distance(points_mm[p], points_mm[p + 1]);
    if (!(found.length_mm > 0.0) || found.length_mm / step_mm > MOST_SAMPLES) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("A path of %g mm cannot be measured in steps of %g mm; choose other points"),
                    found.length_mm, step_mm);
        return FALSE;
    }
    gsize n = (gsize) ceil(found.length_mm / step_mm - 1e-9) + 1;
    double step = found.length_mm / (double) (n - 1);
    g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(double));
    for (gsize s = 0; s < n; s++) {
        double at = (double) s * step, value = (double) NAN;
        if (!bg_volume_sample_linear(distances, along_path(points_mm, n_points, at), &value)) {
            value = (double) NAN;
            found.n_outside++;
        }
        g_array_append_val(values, value);
        if (value < found.nearest_mm) {
            found.nearest_mm = value;
            found.nearest_at_mm = at;
        }
        if (value < 0.0) {
            found.inside_mm += s == 0 || s == n - 1 ? 0.5 * step : step;
            if (isnan(found.entry_at_mm))
                found.entry_at_mm = at;
        }
    }
    if (found.n_outside == n) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("The path lies outside of the label map; choose points inside"));
        return FALSE;
    }
    *result = found;
    if (profile != NULL)
        *profile = g_steal_pointer(&values);
    return TRUE;
}
