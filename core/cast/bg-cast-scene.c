// SPDX-License-Identifier: Apache-2.0
#include "bg-cast-occlusion.h"
#include "bg-cast-private.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define LUT_MIN 4096
#define LUT_MAX 32768
#define LUT_PER_SEGMENT 16 // entries across the shortest segment of a curve, where LUT_MAX allows
#define GRADIENT_LUT 4096
#define OFF_SURFACE 1.5 // voxels

// A curve of points with n numbers each beside the value, which comes first.
typedef struct {
    const double *points;
    guint n_points;
    guint n_numbers;
} Curve;

static Curve
opacity_curve(const GArray *array)
{
    G_STATIC_ASSERT(sizeof(BgOpacityPoint) == 2 * sizeof(double));
    return (Curve){ (const double *) (gpointer) array->data, array->len, 1 };
}

static Curve
colour_curve(const GArray *array)
{
    G_STATIC_ASSERT(sizeof(BgColourPoint) == 4 * sizeof(double));
    return (Curve){ (const double *) (gpointer) array->data, array->len, 3 };
}

// @at: where the last call with a smaller or equal @value ended; 0 at first.
static void
curve_value(const Curve *curve, double value, guint *at, double *numbers)
{
    guint stride = 1 + curve->n_numbers;

    while (*at < curve->n_points && curve->points[*at * stride] <= value)
        (*at)++;
    const double *after = curve->points + MIN(*at, curve->n_points - 1) * stride;
    const double *before = *at > 0 ? curve->points + (*at - 1) * stride : after;
    double span = after[0] - before[0];
    double share = span > 0.0 ? (value - before[0]) / span : 0.0;

    for (guint n = 1; n <= curve->n_numbers; n++)
        numbers[n - 1] = before[n] + share * (after[n] - before[n]);
}

// Widens @low..@high to the curve's ends and narrows @shortest to its shortest segment.
static void
curve_extent(const Curve *curve, double *low, double *high, double *shortest)
{
    guint stride = 1 + curve->n_numbers;

    for (guint p = 0; p < curve->n_points; p++) {
        double value = curve->points[p * stride];
        *low = MIN(*low, value);
        *high = MAX(*high, value);
        double span = p > 0 ? value - curve->points[(p - 1) * stride] : 0.0;
        if (span > 0.0)
            *shortest = MIN(*shortest, span);
    }
}

// Where the values of the curves lie, met with what the volume has.
static gboolean
make_lut(BgCastScene *scene, const BgTransferFunctionData *data, BgSampleFormat format,
         GError **error)
{
    Curve opacity = opacity_curve(data->opacity), colour = colour_curve(data->colour);
    double least = INFINITY, largest = -INFINITY, shortest = INFINITY;
    double lowest = scene->bricks->lowest, highest = scene->bricks->highest;

    curve_extent(&opacity, &least, &largest, &shortest);
    curve_extent(&colour, &least, &largest, &shortest);
    double end0 = (least - format.intercept) / format.slope;
    double end1 = (largest - format.intercept) / format.slope;
    if (!(lowest <= highest))
        lowest = highest = 0.0; // nothing finite: never looked up
    double low = CLAMP(MIN(end0, end1), lowest, highest);
    double high = CLAMP(MAX(end0, end1), lowest, highest);
    shortest /= fabs(format.slope);

    guint n = 1;
    if (high > low)
        n = (guint) CLAMP(ceil((high - low) / shortest * LUT_PER_SEGMENT), LUT_MIN, LUT_MAX);
    scene->lut = bg_buffer_alloc_items(n, 4 * sizeof(float), error);
    if (!scene->lut)
        return FALSE;
    scene->lut_low = (float) low;
    scene->lut_last = (int) n - 1;
    scene->lut_scale = n > 1 ? (float) ((n - 1) / (high - low)) : 0.0f;

    gboolean per_step = scene->technique == BG_TECHNIQUE_COMPOSITE && !data->gradient_opacity;
    guint at_opacity = 0, at_colour = 0;
    for (guint e = 0; e < n; e++) {
        // By ascending value, whatever the sign of the slope.
        guint entry = format.slope > 0.0 ? e : n - 1 - e;
        double sample = n > 1 ? low + (high - low) * entry / (n - 1) : low;
        double value = format.slope * sample + format.intercept, rgb[3], alpha;
        curve_value(&opacity, value, &at_opacity, &alpha);
        curve_value(&colour, value, &at_colour, rgb);
        if (per_step)
            alpha = 1.0 - pow(1.0 - alpha, scene->step_mm / data->unit_distance_mm);
        float *out = scene->lut + 4 * (gsize) entry;
        for (int c = 0; c < 3; c++)
            out[c] = (float) rgb[c];
        out[3] = (float) alpha;
    }
    return TRUE;
}

static gboolean
make_gradient_lut(BgCastScene *scene, const BgTransferFunctionData *data, double slope,
                  GError **error)
{
    if (scene->technique != BG_TECHNIQUE_COMPOSITE || !data->gradient_opacity)
        return TRUE;

    Curve curve = opacity_curve(data->gradient_opacity);
    double least = INFINITY, largest = -INFINITY, shortest = INFINITY;
    curve_extent(&curve, &least, &largest, &shortest);
    largest = MAX(largest, 0.0);
    guint n = largest > 0.0 ? GRADIENT_LUT : 1, at = 0;
    scene->gradient_lut = bg_buffer_alloc_items(n, sizeof(float), error);
    if (!scene->gradient_lut)
        return FALSE;
    for (guint e = 0; e < n; e++) {
        double alpha;
        curve_value(&curve, n > 1 ? largest * e / (n - 1) : 0.0, &at, &alpha);
        scene->gradient_lut[e] = (float) alpha;
    }
    scene->gradient_last = (int) n - 1;
    scene->gradient_scale = n > 1 ? (float) (fabs(slope) * (n - 1) / largest) : 0.0f;
    return TRUE;
}

// The entry of @sample moved by @off entries.
static int
lut_entry_near(const BgCastScene *scene, float sample, float off)
{
    float e = (sample - scene->lut_low) * scene->lut_scale + 0.5f + off;

    e = e > 0.0f ? e : 0.0f;
    return (int) MIN(e, (float) scene->lut_last);
}

static int
lut_entry(const BgCastScene *scene, float sample)
{
    return lut_entry_near(scene, sample, 0.0f);
}

void
bg_cast_scene_classify(const BgCastScene *scene, float sample, float rgba[4])
{
    memcpy(rgba, scene->lut + 4 * (gsize) lut_entry(scene, sample), 4 * sizeof(float));
}

typedef struct {
    BgCastScene *scene;
    int *below; // how many entries of the LUT before each are not clear
} Marking;

static void
mark_range(gsize first, gsize last, guint worker, gpointer user_data)
{
    const Marking *marking = user_data;
    const BgCastScene *scene = marking->scene;

    for (gsize b = first; b < last; b++) {
        float low = scene->low[b], high = scene->high[b];
        gboolean counts = FALSE;
        if (low <= high && scene->technique == BG_TECHNIQUE_ISO) {
            counts = (scene->sign > 0.0f ? high : -low) >= scene->iso - 1e-6f * fabsf(scene->iso);
        } else if (low <= high) {
            // Interpolation rounds. Not a whole entry more: all that lies before the curve would see
            // its first rise.
            float off = 0.01f + 2e-6f * MAX(fabsf(low), fabsf(high)) * scene->lut_scale;
            int e0 = lut_entry_near(scene, low, -off), e1 = lut_entry_near(scene, high, off);
            counts = marking->below[e1 + 1] > marking->below[e0];
        }
        scene->distance[b] = counts ? 0xff : 0;
    }
}

// Which bricks can be seen.
static gboolean
mark_bricks(BgCastScene *scene, GError **error)
{
    gsize n_bricks = scene->bricks->n_bricks;
    g_autofree int *below = g_new(int, scene->lut_last + 2);
    Marking marking = { scene, below };

    scene->distance = bg_buffer_alloc(n_bricks + 4, error); // gathers read four bytes
    if (!scene->distance)
        return FALSE;
    below[0] = 0;
    for (int e = 0; e <= scene->lut_last; e++)
        below[e + 1] = below[e] + (scene->lut[4 * (gsize) e + 3] > 0.0f);
    bg_parallel_for(n_bricks, 32768, mark_range, &marking, NULL);
    return TRUE;
}

// @to: a row of bytes or'ed with two others.
static void
join_rows(guint8 *restrict to, const guint8 *row, const guint8 *before, const guint8 *after,
          gsize n)
{
    for (gsize i = 0; i < n; i++)
        to[i] = row[i] | before[i] | after[i];
}

// One step wider along all axes, one axis after the other.
static void
widen(guint8 *marks, guint8 *scratch, const int n[3])
{
    gsize row = (gsize) n[0], slice = row * n[1];

    for (int k = 0; k < n[2]; k++) {
        for (int j = 0; j < n[1]; j++) {
            const guint8 *from = marks + slice * k + row * j;
            guint8 *to = scratch + slice * k + row * j;
            if (row == 1) {
                to[0] = from[0];
                continue;
            }
            to[0] = from[0] | from[1];
            join_rows(to + 1, from + 1, from, from + 2, row - 2);
            to[row - 1] = from[row - 2] | from[row - 1];
        }
    }
    for (int k = 0; k < n[2]; k++) {
        for (int j = 0; j < n[1]; j++) {
            const guint8 *from = scratch + slice * k;
            join_rows(marks + slice * k + row * j, from + row * j, from + row * MAX(j - 1, 0),
                      from + row * MIN(j + 1, n[1] - 1), row);
        }
    }
    for (int k = 0; k < n[2]; k++)
        join_rows(scratch + slice * k, marks + slice * k, marks + slice * MAX(k - 1, 0),
                  marks + slice * MIN(k + 1, n[2] - 1), slice);
}

// Adds one where @marks is clear. Returns: whether none is.
static gboolean
count_clear(guint8 *restrict distance, const guint8 *restrict marks, gsize n)
{
    guint8 all = 0xff;

    for (gsize b = 0; b < n; b++) {
        distance[b] += (guint8) (~marks[b] & 1);
        all &= marks[b];
    }
    return all != 0;
}

// The chessboard distance: how often the marks must be widened to reach a brick.
static gboolean
find_distances(BgCastScene *scene, GError **error)
{
    gsize n = scene->bricks->n_bricks;
    bg_auto_buffer guint8 *one = bg_buffer_alloc(n, error);
    bg_auto_buffer guint8 *two = one ? bg_buffer_alloc(n, error) : NULL;

    if (!two)
        return FALSE;
    memcpy(one, scene->distance, n);
    guint8 *marks = one, *other = two;
    for (gsize b = 0; b < n; b++)
        scene->distance[b] = (guint8) (~marks[b] & 1);
    for (int step = 1; step < BG_CAST_FAR; step++) {
        widen(marks, other, scene->n_bricks);
        guint8 *swap = marks;
        marks = other;
        other = swap;
        if (count_clear(scene->distance, marks, n))
            break;
    }
    return TRUE;
}

static void
bound_active(BgCastScene *scene)
{
    const int *n = scene->n_bricks;
    int low[3] = { G_MAXINT, G_MAXINT, G_MAXINT }, high[3] = { -1, -1, -1 };
    gsize b = 0;

    for (int k = 0; k < n[2]; k++) {
        for (int j = 0; j < n[1]; j++) {
            for (int i = 0; i < n[0]; i++, b++) {
                if (scene->distance[b] != 0)
                    continue;
                int at[3] = { i, j, k };
                for (int axis = 0; axis < 3; axis++) {
                    low[axis] = MIN(low[axis], at[axis]);
                    high[axis] = MAX(high[axis], at[axis]);
                }
            }
        }
    }
    scene->empty = high[0] < 0;
    for (int axis = 0; axis < 3; axis++) {
        double side = 1 << BG_CAST_BRICK_SHIFT;
        bg_vec3_set(&scene->active_low, axis, low[axis] == 0 ? -0.5 : side * low[axis]);
        bg_vec3_set(&scene->active_high, axis,
                    high[axis] == n[axis] - 1 ? scene->dims[axis] - 0.5 : side * (high[axis] + 1));
    }
}

static void
init_rays(BgCastScene *scene, const BgCastParams *params)
{
    const BgCamera *camera = &params->camera;
    const BgAffine *m = &camera->camera_from_patient;
    // The rows of the rotation are the camera's axes in the patient; its inverse is its transpose.
    BgVec3 right = bg_vec3(m->m[0][0], m->m[0][1], m->m[0][2]);
    BgVec3 down = bg_vec3(m->m[1][0], m->m[1][1], m->m[1][2]);
    BgVec3 ahead = bg_vec3(m->m[2][0], m->m[2][1], m->m[2][2]);
    BgVec3 centre = bg_vec3_scale(right, -m->m[0][3]);

    centre = bg_vec3_along(centre, -m->m[1][3], down);
    centre = bg_vec3_along(centre, -m->m[2][3], ahead);
    scene->camera = *camera;
    scene->origin_mm = centre;
    if (camera->parallel) {
        double mm = camera->height_mm / camera->height;
        scene->origin_u_mm = bg_vec3_scale(right, mm);
        scene->origin_v_mm = bg_vec3_scale(down, mm);
        scene->origin_mm = bg_vec3_along(centre, -0.5 * (camera->width - 1), scene->origin_u_mm);
        scene->origin_mm =
            bg_vec3_along(scene->origin_mm, -0.5 * (camera->height - 1), scene->origin_v_mm);
        scene->ray = bg_vec3_normalize(ahead);
    } else {
        // K^-1 (u, v, 1) of [fx s cx; 0 fy cy; 0 0 1].
        double fx = camera->k[0], skew = camera->k[1], cx = camera->k[2];
        double fy = camera->k[4], cy = camera->k[5];
        scene->ray_u = bg_vec3_scale(right, 1.0 / fx);
        scene->ray_v =
            bg_vec3_add(bg_vec3_scale(down, 1.0 / fy), bg_vec3_scale(right, -skew / (fx * fy)));
        scene->ray = bg_vec3_along(bg_vec3_along(ahead, -cx, scene->ray_u), -cy, scene->ray_v);
    }

    BgVec3 light = bg_vec3_scale(ahead, -1.0);
    light = bg_vec3_along(light, params->light_right, right);
    light = bg_vec3_along(light, -params->light_up, down);
    scene->light_mm = bg_vec3_normalize(light);
}

void
bg_cast_scene_ray(const BgCastScene *scene, double u, double v, BgVec3 *origin_mm,
                  BgVec3 *direction)
{
    if (scene->camera.parallel) {
        *origin_mm = bg_vec3_along(bg_vec3_along(scene->origin_mm, u, scene->origin_u_mm), v,
                                   scene->origin_v_mm);
        *direction = scene->ray;
        return;
    }
    *origin_mm = scene->origin_mm;
    *direction = bg_vec3_normalize(
        bg_vec3_along(bg_vec3_along(scene->ray, u, scene->ray_u), v, scene->ray_v));
}

static void
cut_by_plane(BgVec3 origin_mm, BgVec3 direction, BgVec3 point_mm, BgVec3 normal, double *from,
             double *to, BgVec3 *cut_normal)
{
    double height = bg_vec3_dot(bg_vec3_sub(origin_mm, point_mm), normal);
    double rise = bg_vec3_dot(direction, normal);

    if (rise > 0.0) {
        double t = -height / rise;
        if (t > *from) {
            *from = t;
            if (cut_normal)
                *cut_normal = normal;
        }
    } else if (rise < 0.0) {
        *to = MIN(*to, -height / rise);
    } else if (height < 0.0) {
        *to = -INFINITY;
    }
}

void
bg_cast_scene_cut(const BgCastScene *scene, BgVec3 origin_mm, BgVec3 direction, double *from,
                  double *to, BgVec3 *normal)
{
    for (int axis = 0; axis < 3 && scene->clip_box; axis++) {
        BgVec3 unit = bg_vec3(axis == 0, axis == 1, axis == 2);
        cut_by_plane(origin_mm, direction, scene->clip_low, unit, from, to, normal);
        cut_by_plane(origin_mm, direction, scene->clip_high, bg_vec3_scale(unit, -1.0), from, to,
                     normal);
    }
    for (int p = 0; p < scene->n_planes; p++)
        cut_by_plane(origin_mm, direction, scene->planes[p].point_mm, scene->planes[p].normal, from,
                     to, normal);
}

static void
init_light(BgCastScene *scene, double range)
{
    const BgAffine *m = &scene->voxel_from_patient;
    BgVec3 rows[3];
    BgVec3 light = bg_affine_apply_vector(m, scene->light_mm);

    for (int r = 0; r < 3; r++)
        rows[r] = bg_vec3(m->m[r][0], m->m[r][1], m->m[r][2]);
    // A gradient g in voxels is M^T g in patient space, M = voxel_from_patient: so its product with
    // l is g . M l, and its squared length g . (M M^T) g.
    scene->light[0] = (float) light.x;
    scene->light[1] = (float) light.y;
    scene->light[2] = (float) light.z;
    for (int r = 0; r < 3; r++)
        scene->metric[r] = (float) bg_vec3_dot(rows[r], rows[r]);
    scene->metric[3] = (float) (2.0 * bg_vec3_dot(rows[0], rows[1]));
    scene->metric[4] = (float) (2.0 * bg_vec3_dot(rows[0], rows[2]));
    scene->metric[5] = (float) (2.0 * bg_vec3_dot(rows[1], rows[2]));
    double least = MIN(scene->metric[0], MIN(scene->metric[1], scene->metric[2]));
    scene->flat = (float) MAX(1e-12 * range * range * least, (double) FLT_MIN);
}

static void
init_labels(BgCastScene *scene, const BgCastParams *params)
{
    if (!params->labels)
        return;
    scene->labels = params->labels;
    scene->label_table = params->label_table;
    scene->label_weight = (float) params->label_weight;
    gsize n = bg_label_table_count(params->label_table);
    for (gsize e = 0; e < n; e++) {
        guint32 label = bg_label_table_get(params->label_table, e)->label;
        if (label < 65536)
            scene->n_label_rgb = MAX(scene->n_label_rgb, label + 1);
    }
    scene->label_rgb = g_new0(float, 4 * (gsize) scene->n_label_rgb + 4);
    for (gsize e = 0; e < n; e++) {
        const BgLabelEntry *entry = bg_label_table_get(params->label_table, e);
        if (entry->label == 0 || entry->label >= scene->n_label_rgb || !entry->visible)
            continue;
        float *out = scene->label_rgb + 4 * (gsize) entry->label;
        memcpy(out, entry->rgb, 3 * sizeof(float));
        out[3] = scene->label_weight;
    }
}

static guint32
label_at(const BgLabelMap *labels, gint64 index)
{
    gconstpointer all = bg_label_map_get_labels(labels);

    switch (bg_label_map_get_label_type(labels)) {
    case BG_LABEL_UINT8:
        return ((const guint8 *) all)[index];
    case BG_LABEL_UINT16:
        return ((const guint16 *) all)[index];
    case BG_LABEL_UINT32:
        return ((const guint32 *) all)[index];
    }
    return 0;
}

void
bg_cast_scene_tint(const BgCastScene *scene, const gint64 index[BG_CAST_LANES],
                   const int mask[BG_CAST_LANES], float *r, float *g, float *b)
{
    for (int l = 0; l < BG_CAST_LANES; l++) {
        guint32 label = mask[l] ? label_at(scene->labels, index[l]) : 0;
        float own[4];
        const float *tint = NULL;
        if (label == 0)
            continue;
        if (label < scene->n_label_rgb) {
            tint = scene->label_rgb + 4 * (gsize) label;
        } else { // numbers beyond the table of colours are rare
            const BgLabelEntry *entry = bg_label_table_find(scene->label_table, label);
            if (!entry || !entry->visible)
                continue;
            memcpy(own, entry->rgb, 3 * sizeof(float));
            own[3] = scene->label_weight;
            tint = own;
        }
        r[l] += tint[3] * (tint[0] - r[l]);
        g[l] += tint[3] * (tint[1] - g[l]);
        b[l] += tint[3] * (tint[2] - b[l]);
    }
}

// The pixels around the box that counts; all when the camera is in it or beside it.
static void
bound_pixels(BgCastScene *scene, BgVolume *volume)
{
    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    double low[2] = { HUGE_VAL, HUGE_VAL }, high[2] = { -HUGE_VAL, -HUGE_VAL };
    const int whole[4] = { 0, 0, scene->camera.width - 1, scene->camera.height - 1 };

    memcpy(scene->box, whole, sizeof whole);
    for (int corner = 0; corner < 8; corner++) {
        BgVec3 p = bg_vec3(corner & 1 ? scene->active_high.x : scene->active_low.x,
                           corner & 2 ? scene->active_high.y : scene->active_low.y,
                           corner & 4 ? scene->active_high.z : scene->active_low.z);
        double u, v, depth;
        p = bg_affine_apply(&geometry->patient_from_voxel, p);
        if (!bg_camera_project(&scene->camera, p, &u, &v, &depth) ||
            (!scene->camera.parallel && depth < 1e-3))
            return;
        low[0] = MIN(low[0], u);
        low[1] = MIN(low[1], v);
        high[0] = MAX(high[0], u);
        high[1] = MAX(high[1], v);
    }
    for (int axis = 0; axis < 2; axis++) {
        scene->box[axis] = (int) CLAMP(floor(low[axis]) - 1.0, 0.0, whole[2 + axis]);
        scene->box[2 + axis] = (int) CLAMP(ceil(high[axis]) + 1.0, 0.0, whole[2 + axis]);
    }
}

static gboolean
init_volume(BgCastScene *scene, BgVolume *volume, const BgCastParams *params,
            GCancellable *cancellable, GError **error)
{
    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    const BgTransferFunctionData *data = bg_transfer_function_get_data(params->tf);
    BgSampleFormat format = bg_volume_get_format(volume);

    scene->bricks = bg_cast_bricks_get(volume, cancellable, error);
    if (!scene->bricks)
        return FALSE;
    scene->low = scene->bricks->low;
    scene->high = scene->bricks->high;
    scene->samples = bg_volume_get_samples(volume);
    scene->type = format.type;
    memcpy(scene->dims, geometry->dims, sizeof scene->dims);
    memcpy(scene->n_bricks, scene->bricks->n, sizeof scene->n_bricks);
    scene->stride_y = scene->dims[1] > 1 ? (gsize) scene->dims[0] : 0;
    scene->stride_z = scene->dims[2] > 1 ? (gsize) scene->dims[0] * scene->dims[1] : 0;
    scene->huge = bg_geometry_count_voxels(geometry) > (gsize) G_MAXINT32;
    scene->linear = data->linear;
    scene->voxel_from_patient = bg_geometry_voxel_from_patient(geometry);

    scene->technique = data->technique;
    scene->sign = format.slope > 0.0 ? 1.0f : -1.0f;
    scene->iso = scene->sign * (float) ((data->iso_value - format.intercept) / format.slope);
    scene->exponent = (float) (scene->step_mm / data->unit_distance_mm);
    scene->shade = data->shade;
    scene->ambient = (float) data->ambient;
    scene->diffuse = (float) data->diffuse;
    scene->specular = (float) data->specular;
    scene->power = (float) data->power;
    init_light(scene, MAX(0.0, (double) scene->bricks->highest - (double) scene->bricks->lowest));
    if (!make_lut(scene, data, format, error) ||
        !make_gradient_lut(scene, data, format.slope, error))
        return FALSE;

    if (scene->technique == BG_TECHNIQUE_COMPOSITE && (scene->shade || scene->gradient_lut)) {
        if (!bg_cast_packed_get(volume, scene->bricks, &scene->packing, cancellable, error))
            return FALSE;
        scene->packed = scene->packing ? scene->packing->voxels : NULL;
        scene->packed_offset = scene->bricks->lowest;
    }

    scene->active_low = bg_vec3(-0.5, -0.5, -0.5);
    scene->active_high = bg_vec3(scene->dims[0] - 0.5, scene->dims[1] - 0.5, scene->dims[2] - 0.5);
    scene->empty = !(scene->bricks->lowest <= scene->bricks->highest);
    if (scene->technique == BG_TECHNIQUE_COMPOSITE || scene->technique == BG_TECHNIQUE_ISO) {
        if (!mark_bricks(scene, error) || !find_distances(scene, error))
            return FALSE;
        bound_active(scene);
    }
    bound_pixels(scene, volume);
    init_labels(scene, params);
    return scene->lighting != BG_LIGHTING_AO || scene->empty ||
           bg_cast_occlusion_init(scene, geometry, cancellable, error);
}

gboolean
bg_cast_scene_init(BgCastScene *scene, BgVolume *volume, const BgCastParams *params,
                   GCancellable *cancellable, GError **error)
{
    memset(scene, 0, sizeof *scene);
    scene->empty = TRUE;
    scene->early_alpha = (float) params->early_alpha;
    scene->depth_alpha = (float) params->depth_alpha;
    scene->clip_box = params->clip_box;
    scene->clip_low = params->clip_low;
    scene->clip_high = params->clip_high;
    scene->lighting = params->lighting;
    scene->n_paths = params->n_paths;
    scene->seed = params->seed;
    scene->n_planes = params->n_planes;
    for (int p = 0; p < params->n_planes; p++) {
        scene->planes[p] = params->planes[p];
        scene->planes[p].normal = bg_vec3_normalize(params->planes[p].normal);
    }
    init_rays(scene, params);
    if (!volume)
        return TRUE;

    BgVec3 spacing = bg_geometry_spacing_mm(bg_volume_get_geometry(volume));
    scene->step_mm = params->step_mm;
    if (!(scene->step_mm > 0.0))
        scene->step_mm = 0.5 * MIN(spacing.x, MIN(spacing.y, spacing.z));
    scene->off_surface_mm = OFF_SURFACE * MIN(spacing.x, MIN(spacing.y, spacing.z));
    if (!init_volume(scene, volume, params, cancellable, error)) {
        bg_cast_scene_clear(scene);
        return FALSE;
    }
    return TRUE;
}

void
bg_cast_scene_clear(BgCastScene *scene)
{
    g_clear_pointer(&scene->packing, bg_cast_packed_unref);
    g_clear_pointer(&scene->bricks, bg_cast_bricks_unref);
    g_clear_pointer(&scene->distance, bg_buffer_free);
    g_clear_pointer(&scene->lut, bg_buffer_free);
    g_clear_pointer(&scene->gradient_lut, bg_buffer_free);
    g_clear_pointer(&scene->label_rgb, g_free);
    g_clear_pointer(&scene->openness, bg_buffer_free);
}
