// SPDX-License-Identifier: Apache-2.0
#include "core/phantom/bg-phantom.h"

#include "bg-phantom-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#define HEAD_MM 240.0 // the field of view's side
#define SHAPES_MM 160.0
#define N_SPHERES 3
#define MAX_PARTS 6
#define SPHERE_INSIDE 1000.0
#define SLAB_INSIDE 0.0      // HU: water
#define SLAB_OUTSIDE -1000.0 // HU: air
#define RAMP_VOXELS 1.5      // half the width of a surface's ramp: linear across both neighbours

static const char *const kind_names[] = {
    [BG_PHANTOM_HEAD] = "head",
    [BG_PHANTOM_CT_HEAD] = "ct-head",
    [BG_PHANTOM_SPHERES] = "spheres",
    [BG_PHANTOM_SLAB] = "slab",
};

typedef struct {
    BgVec3 centre_mm;
    double radius_mm;
} Sphere;

typedef struct {
    BgGeometry geometry;
    double ramp_mm;
    gint16 *samples; // borrowed
    Sphere spheres[N_SPHERES];
    BgVec3 slab_centre_mm, slab_normal;
    double slab_half_mm;
} Shapes;

void
bg_phantom_add(BgPhantom *phantom, const char *name, const char *modality, BgVolume *volume,
               BgLabelMap *labels)
{
    g_assert(phantom->n_parts < MAX_PARTS);
    phantom->parts[phantom->n_parts++] = (BgPhantomPart){ name, modality, volume, labels };
}

BgJson *
bg_phantom_vec3(BgVec3 vector)
{
    const double numbers[3] = { vector.x, vector.y, vector.z };

    return bg_json_new_doubles(numbers, 3);
}

// 0 inside .. 1 outside, a half on the surface: linear in the distance, so that a surface taken
// from the samples by linear interpolation lies where it should.
static double
ramp(double distance_mm, double ramp_mm)
{
    return CLAMP(0.5 + 0.5 * distance_mm / ramp_mm, 0.0, 1.0);
}

static double
spheres_at(const Shapes *shapes, BgVec3 at_mm)
{
    double outside = 1.0;

    for (int s = 0; s < N_SPHERES; s++) {
        double distance_mm = bg_vec3_distance(at_mm, shapes->spheres[s].centre_mm);
        outside = MIN(outside, ramp(distance_mm - shapes->spheres[s].radius_mm, shapes->ramp_mm));
    }
    return SPHERE_INSIDE * (1.0 - outside);
}

static double
slab_at(const Shapes *shapes, BgVec3 at_mm)
{
    BgVec3 from_centre = bg_vec3_sub(at_mm, shapes->slab_centre_mm);
    double distance_mm = fabs(bg_vec3_dot(from_centre, shapes->slab_normal));
    double outside = ramp(distance_mm - shapes->slab_half_mm, shapes->ramp_mm);

    return SLAB_INSIDE + outside * (SLAB_OUTSIDE - SLAB_INSIDE);
}

static void
draw(const Shapes *shapes, double (*value_at)(const Shapes *, BgVec3), gsize first, gsize last)
{
    const int *dims = shapes->geometry.dims;

    for (gsize k = first; k < last; k++) {
        gint16 *to = shapes->samples + k * (gsize) dims[0] * (gsize) dims[1];
        for (int j = 0; j < dims[1]; j++) {
            for (int i = 0; i < dims[0]; i++) {
                BgVec3 at_mm = bg_affine_apply(&shapes->geometry.patient_from_voxel,
                                               bg_vec3(i, j, (double) k));
                *to++ = (gint16) lround(value_at(shapes, at_mm));
            }
        }
    }
}

static void
draw_spheres(gsize first, gsize last, guint worker, gpointer user_data)
{
    draw(user_data, spheres_at, first, last);
}

static void
draw_slab(gsize first, gsize last, guint worker, gpointer user_data)
{
    draw(user_data, slab_at, first, last);
}

static BgVolume *
draw_volume(Shapes *shapes, BgParallelFunc func, GCancellable *cancellable, GError **error)
{
    shapes->samples = bg_voxels_alloc(&shapes->geometry, sizeof(gint16), error);
    if (shapes->samples == NULL)
        return NULL;
    if (!bg_parallel_for((gsize) shapes->geometry.dims[2], 1, func, shapes, cancellable)) {
        bg_voxels_free(shapes->samples);
        g_cancellable_set_error_if_cancelled(cancellable, error);
        return NULL;
    }
    return bg_volume_new_take(&shapes->geometry, bg_sample_format_plain(BG_SAMPLE_INT16),
                              shapes->samples, error);
}

// Large, middle and small; nowhere symmetric, never closer to each other than their ramps.
static void
place_spheres(Shapes *shapes, guint64 seed)
{
    static const Sphere rest[N_SPHERES] = {
        { { 28.0, -14.0, 10.0 }, 30.0 },
        { { -36.0, 24.0, -22.0 }, 18.0 },
        { { -20.0, -38.0, 40.0 }, 9.0 },
    };

    for (int s = 0; s < N_SPHERES; s++) {
        guint64 n = 4 * (guint64) s;
        shapes->spheres[s] = rest[s];
        shapes->spheres[s].centre_mm.x += bg_phantom_uniform(seed, n);
        shapes->spheres[s].centre_mm.y += bg_phantom_uniform(seed, n + 1);
        shapes->spheres[s].centre_mm.z += bg_phantom_uniform(seed, n + 2);
        shapes->spheres[s].radius_mm += 0.5 * bg_phantom_uniform(seed, n + 3);
    }
}

static gboolean
fill_spheres(BgPhantom *phantom, Shapes *shapes, guint64 seed, GCancellable *cancellable,
             GError **error)
{
    place_spheres(shapes, seed);
    BgVolume *volume = draw_volume(shapes, draw_spheres, cancellable, error);
    if (volume == NULL)
        return FALSE;
    bg_phantom_add(phantom, "spheres", "", volume, NULL);

    BgJson *list = bg_json_new_array();
    for (int s = 0; s < N_SPHERES; s++) {
        double radius_mm = shapes->spheres[s].radius_mm;
        BgJson *sphere = bg_json_new_object();
        bg_json_set(sphere, "centre_mm", bg_phantom_vec3(shapes->spheres[s].centre_mm));
        bg_json_set_double(sphere, "radius_mm", radius_mm);
        bg_json_set_double(sphere, "volume_ml", 4.0 / 3.0 * G_PI * pow(radius_mm, 3.0) / 1000.0);
        bg_json_set_double(sphere, "area_cm2", 4.0 * G_PI * radius_mm * radius_mm / 100.0);
        bg_json_append(list, sphere);
    }
    bg_json_set_double(phantom->truth, "iso_value", 0.5 * SPHERE_INSIDE);
    bg_json_set(phantom->truth, "spheres", list);
    return TRUE;
}

static gboolean
fill_slab(BgPhantom *phantom, Shapes *shapes, guint64 seed, GCancellable *cancellable,
          GError **error)
{
    BgVec3 normal = bg_vec3(0.25 + 0.05 * bg_phantom_uniform(seed, 0),
                            -0.35 + 0.05 * bg_phantom_uniform(seed, 1), 1.0);

    shapes->slab_normal = bg_vec3_normalize(normal);
    shapes->slab_centre_mm =
        bg_vec3(3.0 * bg_phantom_uniform(seed, 2), 3.0 * bg_phantom_uniform(seed, 3),
                3.0 * bg_phantom_uniform(seed, 4));
    shapes->slab_half_mm = 10.0 + bg_phantom_uniform(seed, 5);

    BgVolume *volume = draw_volume(shapes, draw_slab, cancellable, error);
    if (volume == NULL)
        return FALSE;
    bg_phantom_add(phantom, "slab", "CT", volume, NULL);
    bg_json_set_double(phantom->truth, "iso_value", 0.5 * (SLAB_INSIDE + SLAB_OUTSIDE));
    bg_json_set_double(phantom->truth, "thickness_mm", 2.0 * shapes->slab_half_mm);
    bg_json_set(phantom->truth, "normal", bg_phantom_vec3(shapes->slab_normal));
    bg_json_set(phantom->truth, "centre_mm", bg_phantom_vec3(shapes->slab_centre_mm));
    return TRUE;
}

static gboolean
fill(BgPhantom *phantom, const BgPhantomParams *params, const BgProgress *progress,
     GCancellable *cancellable, GError **error)
{
    gboolean is_head = params->kind == BG_PHANTOM_HEAD || params->kind == BG_PHANTOM_CT_HEAD;
    double spacing = (is_head ? HEAD_MM : SHAPES_MM) / params->size;
    const int dims[3] = { params->size, params->size, params->size };
    Shapes shapes = {
        .geometry = bg_geometry_new_regular(dims, bg_vec3(spacing, spacing, spacing)),
        .ramp_mm = RAMP_VOXELS * spacing,
    };

    bg_json_set_integer(phantom->truth, "schema", 1);
    bg_json_set_string(phantom->truth, "kind", kind_names[params->kind]);
    bg_json_set_integer(phantom->truth, "size", params->size);
    bg_json_set_integer(phantom->truth, "seed", (gint64) params->seed);
    bg_json_set_doubles(phantom->truth, "spacing_mm", (double[3]){ spacing, spacing, spacing }, 3);

    switch (params->kind) {
    case BG_PHANTOM_HEAD:
    case BG_PHANTOM_CT_HEAD:
        return bg_phantom_fill_head(phantom, params, &shapes.geometry, progress, cancellable,
                                    error);
    case BG_PHANTOM_SPHERES:
        return fill_spheres(phantom, &shapes, params->seed, cancellable, error);
    case BG_PHANTOM_SLAB:
        return fill_slab(phantom, &shapes, params->seed, cancellable, error);
    }
    g_assert_not_reached();
}

BgPhantom *
bg_phantom_new(const BgPhantomParams *params, const BgProgress *progress, GCancellable *cancellable,
               GError **error)
{
    g_return_val_if_fail(params != NULL, NULL);

    if (params->size < BG_PHANTOM_MIN_SIZE || params->size > BG_PHANTOM_MAX_SIZE) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("A phantom of %d voxels a side cannot be made: give %d to %d"), params->size,
                    BG_PHANTOM_MIN_SIZE, BG_PHANTOM_MAX_SIZE);
        return NULL;
    }

    g_autoptr(BgPhantom) self = g_new0(BgPhantom, 1);
    self->parts = g_new0(BgPhantomPart, MAX_PARTS);
    self->truth = bg_json_new_object();
    if (!fill(self, params, progress, cancellable, error))
        return NULL;
    bg_progress_report(progress, 1.0);
    return g_steal_pointer(&self);
}

void
bg_phantom_free(BgPhantom *phantom)
{
    if (phantom == NULL)
        return;
    for (guint i = 0; i < phantom->n_parts; i++) {
        g_clear_pointer(&phantom->parts[i].volume, bg_volume_unref);
        g_clear_pointer(&phantom->parts[i].labels, bg_label_map_unref);
    }
    g_free(phantom->parts);
    bg_json_free(phantom->truth);
    g_free(phantom);
}

const BgPhantomPart *
bg_phantom_find(const BgPhantom *phantom, const char *name)
{
    for (guint i = 0; i < phantom->n_parts; i++) {
        if (g_str_equal(phantom->parts[i].name, name))
            return &phantom->parts[i];
    }
    return NULL;
}

gboolean
bg_phantom_kind_from_name(const char *name, BgPhantomKind *kind)
{
    for (guint i = 0; i < G_N_ELEMENTS(kind_names); i++) {
        if (g_str_equal(kind_names[i], name)) {
            *kind = (BgPhantomKind) i;
            return TRUE;
        }
    }
    return FALSE;
}
