// SPDX-License-Identifier: Apache-2.0
#include "core/segment/bg-label-tools.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/filter/bg-components.h"
#include "core/segment/bg-label-clean.h"
#include "core/volume/bg-label-runs.h"
#include "core/volume/bg-resample.h"

#include <math.h>
#include <string.h>

#define SAME_GRID_MM 1e-3

// Where the values of a paint are for voxels of a map.
typedef struct {
    const BgPaint *paint;
    BgAffine values_from_map; // voxel to voxel
    gboolean same;
} Range;

static Range
range_of(const BgPaint *paint, const BgGeometry *geometry)
{
    Range range = { .paint = paint };

    if (paint->values != NULL) {
        const BgGeometry *other = bg_volume_get_geometry(paint->values);
        BgAffine voxel_from_patient = bg_geometry_voxel_from_patient(other);
        range.values_from_map =
            bg_affine_multiply(&voxel_from_patient, &geometry->patient_from_voxel);
        range.same = bg_geometry_equal(geometry, other, SAME_GRID_MM);
    }
    return range;
}

static gboolean
in_range(const Range *range, const BgGeometry *geometry, int i, int j, int k)
{
    double value;

    if (range->paint->values == NULL)
        return TRUE;
    BgVec3 at_mm = bg_affine_apply(&geometry->patient_from_voxel,
                                   (BgVec3){ (double) i, (double) j, (double) k });
    return bg_volume_sample_linear(range->paint->values, at_mm, &value) &&
           value >= range->paint->low && value <= range->paint->high;
}

// @inside: (out): of a row; of the same grid without sampling
static void
row_in_range(const Range *range, const BgGeometry *geometry, int j, int k, float *row,
             gboolean *inside)
{
    const BgPaint *paint = range->paint;

    if (paint->values == NULL || !range->same) {
        for (int i = 0; i < geometry->dims[0]; i++)
            inside[i] = in_range(range, geometry, i, j, k);
        return;
    }
    bg_volume_read_row(paint->values, j, k, row);
    for (int i = 0; i < geometry->dims[0]; i++)
        inside[i] = (double) row[i] >= paint->low && (double) row[i] <= paint->high;
}

static gboolean
may_write(const BgPaint *paint, guint32 label)
{
    return label != paint->label &&
           (paint->over == BG_OVER_ALL || (paint->over == BG_OVER_BACKGROUND && label == 0) ||
            (paint->over == BG_OVER_LABEL && label == paint->over_label));
}

static BgVec3
column(const BgGeometry *geometry, int axis)
{
    const BgAffine *a = &geometry->patient_from_voxel;

    return (BgVec3){ a->m[0][axis], a->m[1][axis], a->m[2][axis] };
}

/*
 * The layer of voxels through which a plane goes: each line of voxels along the grid's axis that is nearest
 * to the normal has one: where the plane cuts it, rounded as slices are drawn (of a tie the next one).
 */
typedef struct {
    BgVec3 point_mm, normal;
    double step_mm; // along the normal from one voxel of that axis to the next, signed
} Layer;

#define TIE 1e-6 // of a voxel: what rounding may do to a plane midway between two

static Layer
layer_of(const BgGeometry *geometry, BgVec3 point_mm, BgVec3 normal)
{
    Layer layer = { point_mm, normal, 0.0 };

    for (int axis = 0; axis < 3; axis++) {
        double step_mm = bg_vec3_dot(column(geometry, axis), normal);
        if (fabs(step_mm) > fabs(layer.step_mm))
            layer.step_mm = step_mm;
    }
    return layer;
}

static gboolean
in_layer(const Layer *layer, BgVec3 at_mm)
{
    // How many voxels further the plane is.
    double further =
        bg_vec3_dot(bg_vec3_sub(layer->point_mm, at_mm), layer->normal) / layer->step_mm;

    return further >= -0.5 - TIE && further < 0.5 - TIE;
}

// Of the line from @from_mm to @to_mm.
static double
distance_to_line(BgVec3 at_mm, BgVec3 from_mm, BgVec3 to_mm)
{
    BgVec3 along_mm = bg_vec3_sub(to_mm, from_mm), to_at_mm = bg_vec3_sub(at_mm, from_mm);
    double square = bg_vec3_dot(along_mm, along_mm);
    double t = square > 0.0 ? CLAMP(bg_vec3_dot(to_at_mm, along_mm) / square, 0.0, 1.0) : 0.0;

    return bg_vec3_length(bg_vec3_sub(to_at_mm, bg_vec3_scale(along_mm, t)));
}

static BgVec3
into_plane(BgVec3 at_mm, const Layer *layer)
{
    double away_mm = bg_vec3_dot(bg_vec3_sub(at_mm, layer->point_mm), layer->normal);

    return bg_vec3_along(at_mm, -away_mm, layer->normal);
}

// The voxels that can be within @reach_mm of the line.
static gboolean
box_of(const BgGeometry *geometry, const BgStroke *stroke, double reach_mm, int low[3], int high[3])
{
    BgAffine voxel_from_patient = bg_geometry_voxel_from_patient(geometry);
    BgVec3 a = bg_affine_apply(&voxel_from_patient, stroke->from_mm);
    BgVec3 b = bg_affine_apply(&voxel_from_patient, stroke->to_mm);

    for (int axis = 0; axis < 3; axis++) {
        const double *row = voxel_from_patient.m[axis];
        double reach = reach_mm * sqrt(row[0] * row[0] + row[1] * row[1] + row[2] * row[2]);
        double first = fmin(bg_vec3_get(a, axis), bg_vec3_get(b, axis)) - reach;
        double last = fmax(bg_vec3_get(a, axis), bg_vec3_get(b, axis)) + reach;
        if (!(first <= geometry->dims[axis] - 1) || !(last >= 0.0))
            return FALSE;
        low[axis] = (int) floor(fmax(first, 0.0));
        high[axis] = (int) ceil(fmin(last, geometry->dims[axis] - 1.0));
    }
    return TRUE;
}

// A stroke on a grid.
typedef struct {
    const BgGeometry *geometry;
    const BgStroke *stroke;
    Layer layer;
    BgVec3 from, to; // in voxels
    gboolean thin;   // smaller than a voxel may be
} Touch;

static Touch
touch_of(const BgGeometry *geometry, const BgStroke *stroke)
{
    BgAffine voxel_from_patient = bg_geometry_voxel_from_patient(geometry);
    BgVec3 spacing_mm = bg_geometry_spacing_mm(geometry);

    return (Touch){ .geometry = geometry,
                    .stroke = stroke,
                    .layer = layer_of(geometry, stroke->from_mm, stroke->normal),
                    .from = bg_affine_apply(&voxel_from_patient, stroke->from_mm),
                    .to = bg_affine_apply(&voxel_from_patient, stroke->to_mm),
                    .thin = stroke->diameter_mm < 2.0 * bg_vec3_length(spacing_mm) };
}

// Whether the line itself goes through a voxel: for a brush that is smaller.
static gboolean
goes_through(const Touch *touch, BgVec3 voxel)
{
    BgVec3 a = bg_vec3_sub(touch->from, voxel), b = bg_vec3_sub(touch->to, voxel);
    double first = 0.0, last = 1.0;

    for (int axis = 0; axis < 3; axis++) {
        double p = bg_vec3_get(a, axis), d = bg_vec3_get(b, axis) - p;
        if (fabs(d) < 1e-12 && !(p >= -0.5 && p < 0.5))
            return FALSE;
        if (fabs(d) < 1e-12)
            continue;
        first = fmax(first, fmin((-0.5 - p) / d, (0.5 - p) / d));
        last = fmin(last, fmax((-0.5 - p) / d, (0.5 - p) / d));
    }
    return first <= last;
}

static gboolean
is_touched(const Touch *touch, int i, int j, int k)
{
    const BgStroke *stroke = touch->stroke;
    BgVec3 voxel = { (double) i, (double) j, (double) k };
    BgVec3 at_mm = bg_affine_apply(&touch->geometry->patient_from_voxel, voxel), flat_mm = at_mm;

    if (!stroke->ball) {
        if (!in_layer(&touch->layer, at_mm))
            return FALSE;
        flat_mm = into_plane(at_mm, &touch->layer);
    }
    return distance_to_line(flat_mm, stroke->from_mm, stroke->to_mm) <= stroke->diameter_mm / 2.0 ||
           (touch->thin && goes_through(touch, voxel));
}

GArray *
bg_label_stroke(BgLabelMap *map, const BgPaint *paint, const BgStroke *stroke)
{
    g_return_val_if_fail(map != NULL && paint != NULL && stroke != NULL, NULL);

    const BgGeometry *geometry = bg_label_map_get_geometry(map);
    const int *dims = geometry->dims;
    GArray *runs = g_array_new(FALSE, FALSE, sizeof(BgLabelRun));
    Range range = range_of(paint, geometry);
    Touch touch = touch_of(geometry, stroke);
    double reach_mm = stroke->diameter_mm / 2.0 + (stroke->ball ? 0.0 : fabs(touch.layer.step_mm));
    int low[3], high[3];

    if (!box_of(geometry, stroke, reach_mm, low, high))
        return runs;
    for (int k = low[2]; k <= high[2]; k++) {
        for (int j = low[1]; j <= high[1]; j++) {
            for (int i = low[0]; i <= high[0]; i++) {
                guint32 label = bg_label_map_get_label(map, i, j, k);
                if (may_write(paint, label) && is_touched(&touch, i, j, k) &&
                    in_range(&range, geometry, i, j, k))
                    bg_label_runs_add(runs,
                                      (gsize) i + (gsize) dims[0] *
                                                      ((gsize) j + (gsize) dims[1] * (gsize) k),
                                      label, paint->label);
            }
        }
    }
    return runs;
}

GArray *
bg_label_threshold(BgLabelMap *map, const BgPaint *paint, const BgProgress *progress,
                   GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(map != NULL && paint != NULL && paint->values != NULL, NULL);

    const BgGeometry *geometry = bg_label_map_get_geometry(map);
    const int *dims = geometry->dims;
    g_autoptr(GArray) runs = g_array_new(FALSE, FALSE, sizeof(BgLabelRun));
    g_autofree guint32 *labels = g_new(guint32, dims[0]);
    g_autofree float *row = g_new(float, dims[0]);
    g_autofree gboolean *inside = g_new(gboolean, dims[0]);
    Range range = range_of(paint, geometry);
    gsize index = 0;

    for (int k = 0; k < dims[2]; k++) {
        bg_progress_report(progress, (double) k / dims[2]);
        for (int j = 0; j < dims[1]; j++) {
            if (g_cancellable_set_error_if_cancelled(cancellable, error))
                return NULL;
            bg_label_map_read_row(map, j, k, labels);
            row_in_range(&range, geometry, j, k, row, inside);
            for (int i = 0; i < dims[0]; i++, index++) {
                if (inside[i] && may_write(paint, labels[i]))
                    bg_label_runs_add(runs, index, labels[i], paint->label);
            }
        }
    }
    return g_steal_pointer(&runs);
}

static gboolean
nearest_voxel(const BgGeometry *geometry, BgVec3 at_mm, int voxel[3])
{
    BgAffine voxel_from_patient = bg_geometry_voxel_from_patient(geometry);
    BgVec3 at = bg_affine_apply(&voxel_from_patient, at_mm);

    for (int axis = 0; axis < 3; axis++) {
        double nearest = floor(bg_vec3_get(at, axis) + 0.5 + TIE);
        if (!(nearest >= 0.0 && nearest < geometry->dims[axis]))
            return FALSE;
        voxel[axis] = (int) nearest;
    }
    return TRUE;
}

static gsize
index_of(const int dims[3], const int v[3])
{
    return (gsize) v[0] + (gsize) dims[0] * ((gsize) v[1] + (gsize) dims[1] * (gsize) v[2]);
}

typedef struct {
    BgLabelMap *map;
    const BgGeometry *geometry;
    const BgPaint *paint;
    Range range;
    Layer layer;
    gboolean flat;
    guint32 seed_label;
    guint8 *seen;  // owned
    GArray *queue; // owned: of int[3]
} Flood;

static void
flood_visit(Flood *flood, const int v[3])
{
    const int *dims = flood->geometry->dims;

    for (int axis = 0; axis < 3; axis++) {
        if (v[axis] < 0 || v[axis] >= dims[axis])
            return;
    }
    gsize index = index_of(dims, v);
    if (flood->seen[index] != 0)
        return;
    flood->seen[index] = 2; // looked at
    if (flood->flat) {
        BgVec3 at_mm = bg_affine_apply(&flood->geometry->patient_from_voxel,
                                       (BgVec3){ (double) v[0], (double) v[1], (double) v[2] });
        if (!in_layer(&flood->layer, at_mm))
            return;
    }
    if (flood->paint->values != NULL
            ? !in_range(&flood->range, flood->geometry, v[0], v[1], v[2])
            : bg_label_map_get_label(flood->map, v[0], v[1], v[2]) != flood->seed_label)
        return;
    flood->seen[index] = 1;
    g_array_append_vals(flood->queue, v, 3);
}

static gboolean
flood_run(Flood *flood, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    static const int steps[6][3] = { { 1, 0, 0 },  { -1, 0, 0 }, { 0, 1, 0 },
                                     { 0, -1, 0 }, { 0, 0, 1 },  { 0, 0, -1 } };
    gsize n_voxels = bg_geometry_count_voxels(flood->geometry);

    for (guint at = 0; at < flood->queue->len; at += 3) {
        if (at % 12288 == 0) {
            if (g_cancellable_set_error_if_cancelled(cancellable, error))
                return FALSE;
            bg_progress_report(progress, (double) (at / 3) / (double) n_voxels);
        }
        const int *v = &g_array_index(flood->queue, int, at);
        const int here[3] = { v[0], v[1], v[2] }; // the queue moves as it grows
        for (int s = 0; s < 6; s++) {
            const int next[3] = { here[0] + steps[s][0], here[1] + steps[s][1],
                                  here[2] + steps[s][2] };
            flood_visit(flood, next);
        }
    }
    return TRUE;
}

// Runs of what is 1 in @chosen and that @paint lets be written to.
static GArray *
runs_of(BgLabelMap *map, const guint8 *chosen, const BgPaint *paint)
{
    const int *dims = bg_label_map_get_geometry(map)->dims;
    GArray *runs = g_array_new(FALSE, FALSE, sizeof(BgLabelRun));
    g_autofree guint32 *labels = g_new(guint32, dims[0]);
    gsize index = 0;

    for (int k = 0; k < dims[2]; k++) {
        for (int j = 0; j < dims[1]; j++) {
            bg_label_map_read_row(map, j, k, labels);
            for (int i = 0; i < dims[0]; i++, index++) {
                if (chosen[index] == 1 && may_write(paint, labels[i]))
                    bg_label_runs_add(runs, index, labels[i], paint->label);
            }
        }
    }
    return runs;
}

GArray *
bg_label_flood(BgLabelMap *map, const BgPaint *paint, BgVec3 seed_mm, const BgVec3 *normal,
               const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(map != NULL && paint != NULL, NULL);

    const BgGeometry *geometry = bg_label_map_get_geometry(map);
    Flood flood = { .map = map, .geometry = geometry, .paint = paint, .flat = normal != NULL };
    GArray *runs = NULL;
    int seed[3];

    if (!nearest_voxel(geometry, seed_mm, seed)) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("There is nothing to fill: this place is outside of the label map. "
                              "Choose one inside"));
        return NULL;
    }
    flood.range = range_of(paint, geometry);
    // Through the centre of the seed's voxel, which is so in the layer whatever rounding says.
    if (normal != NULL) {
        BgVec3 centre = { (double) seed[0], (double) seed[1], (double) seed[2] };
        flood.layer =
            layer_of(geometry, bg_affine_apply(&geometry->patient_from_voxel, centre), *normal);
    }
    flood.seed_label = bg_label_map_get_label(map, seed[0], seed[1], seed[2]);
    flood.seen = bg_buffer_alloc(bg_geometry_count_voxels(geometry), error);
    if (flood.seen == NULL)
        return NULL;
    memset(flood.seen, 0, bg_geometry_count_voxels(geometry));
    flood.queue = g_array_new(FALSE, FALSE, sizeof(int));
    flood_visit(&flood, seed);
    if (flood.queue->len == 0)
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("There is nothing to fill: the value here is not within the range. "
                              "Choose another place or another range"));
    else if (flood_run(&flood, progress, cancellable, error))
        runs = runs_of(map, flood.seen, paint);
    g_array_unref(flood.queue);
    bg_buffer_free(flood.seen);
    return runs;
}

static guint8 *
mask_of(BgLabelMap *map, guint32 label, GError **error)
{
    const int *dims = bg_label_map_get_geometry(map)->dims;
    gsize index = 0;
    guint8 *mask =
        bg_buffer_alloc_items(bg_geometry_count_voxels(bg_label_map_get_geometry(map)), 1, error);
    g_autofree guint32 *labels = g_new(guint32, dims[0]);

    for (int k = 0; mask != NULL && k < dims[2]; k++) {
        for (int j = 0; j < dims[1]; j++) {
            bg_label_map_read_row(map, j, k, labels);
            for (int i = 0; i < dims[0]; i++)
                mask[index++] = label != 0 ? labels[i] == label : labels[i] != 0;
        }
    }
    return mask;
}

// Which parts go; FALSE with an error when nothing was picked.
static gboolean
choose_parts(BgLabelMap *map, const BgIslandsParams *params, const guint32 *parts,
             const GArray *sizes, gboolean *goes, GError **error)
{
    const BgGeometry *geometry = bg_label_map_get_geometry(map);
    double voxel_mm3 = bg_geometry_voxel_volume_mm3(geometry);
    guint32 picked = 0, largest = 0;
    int seed[3];

    for (guint p = 0; p < sizes->len; p++) {
        if (largest == 0 ||
            g_array_index(sizes, gsize, p) > g_array_index(sizes, gsize, largest - 1))
            largest = p + 1;
    }
    if (nearest_voxel(geometry, params->seed_mm, seed))
        picked = parts[index_of(geometry->dims, seed)];
    if (picked == 0 &&
        (params->what == BG_ISLANDS_KEEP_PICKED || params->what == BG_ISLANDS_REMOVE_PICKED)) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("No island is there: put the crosshair onto the one that is meant"));
        return FALSE;
    }
    for (guint p = 0; p < sizes->len; p++) {
        double mm3 = (double) g_array_index(sizes, gsize, p) * voxel_mm3;
        goes[p] = params->what == BG_ISLANDS_KEEP_LARGEST   ? p + 1 != largest
                  : params->what == BG_ISLANDS_REMOVE_SMALL ? mm3 < params->least_mm3
                  : params->what == BG_ISLANDS_KEEP_PICKED  ? p + 1 != picked
                                                            : p + 1 == picked;
    }
    return TRUE;
}

GArray *
bg_label_islands(BgLabelMap *map, const BgIslandsParams *params, const BgProgress *progress,
                 GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(map != NULL && params != NULL, NULL);

    const BgGeometry *geometry = bg_label_map_get_geometry(map);
    gsize n_voxels = bg_geometry_count_voxels(geometry);
    guint8 *mask = mask_of(map, params->label, error);
    guint32 *parts = mask != NULL ? bg_buffer_alloc_items(n_voxels, sizeof *parts, error) : NULL;
    g_autoptr(GArray) sizes = NULL;
    GArray *runs = NULL;
    const BgPaint erase = { .label = 0, .over = BG_OVER_ALL };

    bg_progress_report(progress, 0.1);
    if (parts != NULL &&
        bg_components(mask, geometry->dims, BG_CONNECT_26, parts, &sizes, cancellable, error)) {
        g_autofree gboolean *goes = g_new0(gboolean, sizes->len + 1);
        bg_progress_report(progress, 0.7);
        if (choose_parts(map, params, parts, sizes, goes, error)) {
            for (gsize v = 0; v < n_voxels; v++)
                mask[v] = parts[v] != 0 && goes[parts[v] - 1];
            runs = runs_of(map, mask, &erase);
        }
    }
    bg_buffer_free(parts);
    bg_buffer_free(mask);
    return runs;
}

GArray *
bg_label_fill_holes(BgLabelMap *map, guint32 label, const BgProgress *progress,
                    GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(map != NULL, NULL);

    if (label == 0) {
        const BgLabelCleaning cleaning = { .fill_holes = TRUE };
        g_autoptr(BgLabelMap) filled =
            bg_label_map_clean(map, &cleaning, NULL, progress, cancellable, error);
        return filled != NULL ? bg_label_runs_between(map, filled) : NULL;
    }
    const BgGeometry *geometry = bg_label_map_get_geometry(map);
    const BgPaint fill = { .label = label, .over = BG_OVER_BACKGROUND };
    GArray *runs = NULL;
    guint8 *mask = mask_of(map, label, error);

    bg_progress_report(progress, 0.1);
    // What was the label already is left out by the paint.
    if (mask != NULL && bg_fill_holes(mask, geometry->dims, cancellable, error))
        runs = runs_of(map, mask, &fill);
    bg_buffer_free(mask);
    return runs;
}
