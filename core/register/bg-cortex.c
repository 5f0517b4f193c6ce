// SPDX-License-Identifier: Apache-2.0
#include "core/register/bg-cortex.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"
#include "core/surface/bg-mesh-normals.h"

#include <math.h>
#include <string.h>

#define N_LAYERS 6     // values taken along the normal
#define NEAREST_MM 1.0 // nothing nearer to the camera is drawn
#define N_STEPS 1024   // of the histogram for percentiles
#define LEAST_LIGHT 0.35f

struct _BgCortex {
    BgMesh *mesh;  // with normals
    float *values; // of the vertices
};

typedef struct {
    BgCortex *cortex;
    BgVolume *volume;
    double outside_mm, inside_mm;
} Sampling;

static void
sample_vertices(gsize first, gsize last, guint worker, gpointer user_data)
{
    const Sampling *sampling = user_data;
    const BgMeshData *data = bg_mesh_get_data(sampling->cortex->mesh);

    for (gsize i = first; i < last; i++) {
        const float *p = data->positions + 3 * i, *n = data->normals + 3 * i;
        BgVec3 at = { (double) p[0], (double) p[1], (double) p[2] };
        BgVec3 out = { (double) n[0], (double) n[1], (double) n[2] };
        double sum = 0.0;
        for (int layer = 0; layer < N_LAYERS; layer++) {
            double share = (double) layer / (N_LAYERS - 1), value;
            double mm = sampling->outside_mm - share * (sampling->outside_mm + sampling->inside_mm);
            if (bg_volume_sample_linear(sampling->volume, bg_vec3_along(at, mm, out), &value) &&
                isfinite(value))
                sum += value / N_LAYERS;
        }
        sampling->cortex->values[i] = (float) sum;
    }
}

BgCortex *
bg_cortex_new(BgMesh *mesh, BgVolume *volume, double outside_mm, double inside_mm,
              GCancellable *cancellable, GError **error)
{
    const BgMeshData *data = bg_mesh_get_data(mesh);

    if (data->n_triangles == 0) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("The surface has no triangles. Make one of the brain's mask"));
        return NULL;
    }
    g_autoptr(BgMesh) with_normals =
        data->normals != NULL ? bg_mesh_ref(mesh) : bg_mesh_compute_normals(mesh, error);
    if (with_normals == NULL)
        return NULL;
    g_autoptr(BgCortex) self = g_atomic_rc_box_new0(BgCortex);
    self->mesh = g_steal_pointer(&with_normals);
    self->values = bg_buffer_alloc_items(data->n_vertices, sizeof *self->values, error);
    if (self->values == NULL)
        return NULL;
    memset(self->values, 0, data->n_vertices * sizeof *self->values);
    Sampling sampling = { self, volume, outside_mm, inside_mm };
    if (volume != NULL &&
        !bg_parallel_for(data->n_vertices, 4096, sample_vertices, &sampling, cancellable)) {
        g_cancellable_set_error_if_cancelled(cancellable, error);
        return NULL;
    }
    return g_steal_pointer(&self);
}

BgCortex *
bg_cortex_ref(BgCortex *cortex)
{
    return g_atomic_rc_box_acquire(cortex);
}

static void
cortex_clear(gpointer data)
{
    BgCortex *cortex = data;

    g_clear_pointer(&cortex->mesh, bg_mesh_unref);
    g_clear_pointer(&cortex->values, bg_buffer_free);
}

void
bg_cortex_unref(BgCortex *cortex)
{
    g_atomic_rc_box_release_full(cortex, cortex_clear);
}

// A vertex on its way to the picture: pixel, 1 / depth.
typedef struct {
    float u, v, w;
} Seen;

typedef struct {
    BgCortex *cortex;
    BgCortexView *view;
    Seen *seen; // of the vertices; w is 0 behind the camera
    int band;   // rows a worker takes
} Drawing;

static void
project_vertices(gsize first, gsize last, guint worker, gpointer user_data)
{
    Drawing *drawing = user_data;
    const float *positions = bg_mesh_get_data(drawing->cortex->mesh)->positions;
    const BgCamera *camera = &drawing->view->camera;

    for (gsize i = first; i < last; i++) {
        const float *p = positions + 3 * i;
        BgVec3 at = { (double) p[0], (double) p[1], (double) p[2] };
        double u, v, depth_mm;
        gboolean ok = bg_camera_project(camera, at, &u, &v, &depth_mm) && depth_mm > NEAREST_MM;
        drawing->seen[i] = ok ? (Seen){ (float) u, (float) v, (float) (1.0 / depth_mm) }
                              : (Seen){ 0.0f, 0.0f, 0.0f };
    }
}

// Returns: how much the surface faces the camera
static float
normal_at(const Drawing *drawing, const guint32 *t, const float b[3], float out[3])
{
    const BgMeshData *data = bg_mesh_get_data(drawing->cortex->mesh);
    BgVec3 eye, way, n = { 0 }, p = { 0 };

    for (int k = 0; k < 3; k++) {
        const float *normal = data->normals + 3 * (gsize) t[k];
        const float *position = data->positions + 3 * (gsize) t[k];
        double w = (double) b[k];
        n = bg_vec3_along(n, w,
                          bg_vec3((double) normal[0], (double) normal[1], (double) normal[2]));
        p = bg_vec3_along(
            p, w, bg_vec3((double) position[0], (double) position[1], (double) position[2]));
    }
    bg_camera_ray(&drawing->view->camera, 0.0, 0.0, &eye, &way);
    way = bg_vec3_normalize(bg_vec3_sub(eye, p));
    n = bg_vec3_normalize(n);
    for (int axis = 0; axis < 3; axis++)
        out[axis] = (float) bg_vec3_get(n, axis);
    return (float) MAX(bg_vec3_dot(n, way), 0.0);
}

// One triangle's pixels in the rows low..high - 1. Barycentric weights are linear in the picture over
// the depth, so values divided by depth are what is interpolated.
static void
draw_triangle(const Drawing *drawing, const guint32 *t, int low, int high)
{
    const Seen *a = &drawing->seen[t[0]], *b = &drawing->seen[t[1]], *c = &drawing->seen[t[2]];
    const BgCortexView *view = drawing->view;
    float area = (b->u - a->u) * (c->v - a->v) - (b->v - a->v) * (c->u - a->u);
    int w = view->camera.width;

    if (a->w <= 0.0f || b->w <= 0.0f || c->w <= 0.0f || !(area < 0.0f)) // seen from behind: > 0
        return;
    int u0 = MAX((int) ceilf(MIN(a->u, MIN(b->u, c->u))), 0);
    int u1 = MIN((int) floorf(MAX(a->u, MAX(b->u, c->u))), w - 1);
    int v0 = MAX((int) ceilf(MIN(a->v, MIN(b->v, c->v))), low);
    int v1 = MIN((int) floorf(MAX(a->v, MAX(b->v, c->v))), high - 1);
    const float *values = drawing->cortex->values;
    for (int v = v0; v <= v1; v++) {
        for (int u = u0; u <= u1; u++) {
            float x = (float) u, y = (float) v;
            float p = ((b->u - x) * (c->v - y) - (b->v - y) * (c->u - x)) / area;
            float q = ((c->u - x) * (a->v - y) - (c->v - y) * (a->u - x)) / area;
            float r = 1.0f - p - q;
            if (p < 0.0f || q < 0.0f || r < 0.0f)
                continue;
            float weights[3] = { p * a->w, q * b->w, r * c->w };
            float inverse = weights[0] + weights[1] + weights[2], depth = 1.0f / inverse;
            gsize at = (gsize) v * (gsize) w + (gsize) u;
            if (!(depth < view->depth_mm[at]))
                continue;
            for (int k = 0; k < 3; k++)
                weights[k] *= depth;
            view->depth_mm[at] = depth;
            view->value[at] =
                weights[0] * values[t[0]] + weights[1] * values[t[1]] + weights[2] * values[t[2]];
            view->facing[at] = normal_at(drawing, t, weights, view->normal + 3 * at);
        }
    }
}

static void
draw_bands(gsize first, gsize last, guint worker, gpointer user_data)
{
    const Drawing *drawing = user_data;
    const BgMeshData *data = bg_mesh_get_data(drawing->cortex->mesh);

    for (gsize band = first; band < last; band++) {
        int low = (int) band * drawing->band;
        int high = MIN(low + drawing->band, drawing->view->camera.height);
        for (gsize i = 0; i < data->n_triangles; i++)
            draw_triangle(drawing, data->triangles + 3 * i, low, high);
    }
}

static BgCortexView *
view_alloc(const BgCamera *camera, GError **error)
{
    g_autoptr(BgCortexView) view = g_new0(BgCortexView, 1);
    gsize n = (gsize) camera->width * (gsize) camera->height;

    view->camera = *camera;
    memset(view->camera.distortion, 0, sizeof view->camera.distortion);
    view->depth_mm = bg_buffer_alloc_items(n, sizeof(float), error);
    if (view->depth_mm == NULL)
        return NULL;
    view->value = bg_buffer_alloc_items(n, sizeof(float), error);
    if (view->value == NULL)
        return NULL;
    view->facing = bg_buffer_alloc_items(n, sizeof(float), error);
    if (view->facing == NULL)
        return NULL;
    view->normal = bg_buffer_alloc_items(n, 3 * sizeof(float), error);
    if (view->normal == NULL)
        return NULL;
    memset(view->normal, 0, 3 * n * sizeof(float));
    memset(view->value, 0, n * sizeof(float));
    memset(view->facing, 0, n * sizeof(float));
    for (gsize i = 0; i < n; i++)
        view->depth_mm[i] = HUGE_VALF;
    return g_steal_pointer(&view);
}

BgCortexView *
bg_cortex_view_new(BgCortex *cortex, const BgCamera *camera, GCancellable *cancellable,
                   GError **error)
{
    gsize n_vertices = bg_mesh_get_data(cortex->mesh)->n_vertices;
    g_autoptr(BgCortexView) view = view_alloc(camera, error);
    bg_auto_buffer Seen *seen =
        view != NULL ? bg_buffer_alloc_items(n_vertices, sizeof *seen, error) : NULL;

    if (seen == NULL)
        return NULL;
    int n_bands = (int) bg_parallel_count_threads();
    Drawing drawing = { .cortex = cortex,
                        .view = view,
                        .seen = seen,
                        .band = (camera->height + n_bands - 1) / n_bands };
    if (!bg_parallel_for(n_vertices, 16384, project_vertices, &drawing, cancellable) ||
        !bg_parallel_for((gsize) n_bands, 1, draw_bands, &drawing, cancellable)) {
        g_cancellable_set_error_if_cancelled(cancellable, error);
        return NULL;
    }
    return g_steal_pointer(&view);
}

void
bg_cortex_view_free(BgCortexView *view)
{
    if (view == NULL)
        return;
    bg_buffer_free(view->depth_mm);
    bg_buffer_free(view->value);
    bg_buffer_free(view->facing);
    bg_buffer_free(view->normal);
    g_free(view);
}

gboolean
bg_cortex_view_point(const BgCortexView *view, int u, int v, BgVec3 *patient_mm)
{
    const BgCamera *camera = &view->camera;
    BgVec3 eye, way;

    if (u < 0 || v < 0 || u >= camera->width || v >= camera->height)
        return FALSE;
    double depth_mm = (double) view->depth_mm[(gsize) v * (gsize) camera->width + (gsize) u];
    if (!isfinite(depth_mm))
        return FALSE;
    bg_camera_ray(camera, u, v, &eye, &way);
    const double *forwards = camera->camera_from_patient.m[2];
    double along = way.x * forwards[0] + way.y * forwards[1] + way.z * forwards[2];
    *patient_mm = bg_vec3_along(eye, depth_mm / along, way);
    return TRUE;
}

// The values that 1 % and 99 % of the seen ones lie below.
static void
get_range(const BgCortexView *view, float *low, float *high)
{
    gsize n = (gsize) view->camera.width * (gsize) view->camera.height, n_seen = 0;
    g_autofree gsize *counts = g_new0(gsize, N_STEPS);
    float least = HUGE_VALF, most = -HUGE_VALF;

    for (gsize i = 0; i < n; i++) {
        if (!isfinite(view->depth_mm[i]))
            continue;
        least = MIN(least, view->value[i]);
        most = MAX(most, view->value[i]);
        n_seen++;
    }
    float step = n_seen > 0 && most > least ? (most - least) / N_STEPS : 1.0f;
    for (gsize i = 0; i < n; i++) {
        if (isfinite(view->depth_mm[i]))
            counts[MIN((int) ((view->value[i] - least) / step), N_STEPS - 1)]++;
    }
    *low = least;
    *high = most;
    gsize sum = 0;
    for (int k = 0; k < N_STEPS; k++) {
        gsize before = sum;
        sum += counts[k];
        if (before * 100 < n_seen && sum * 100 >= n_seen)
            *low = least + (float) k * step;
        if (before * 100 < 99 * n_seen && sum * 100 >= 99 * n_seen)
            *high = least + (float) (k + 1) * step;
    }
}

BgImage *
bg_cortex_view_picture(const BgCortexView *view, GError **error)
{
    BgImageFormat format = { view->camera.width, view->camera.height, 2, BG_PIXEL_UINT8 };
    gsize n = (gsize) format.width * (gsize) format.height;
    guint8 *pixels = bg_buffer_alloc(2 * n, error);
    float low, high;

    if (pixels == NULL)
        return NULL;
    get_range(view, &low, &high);
    for (gsize i = 0; i < n; i++) {
        gboolean seen = isfinite(view->depth_mm[i]);
        float share = high > low ? (view->value[i] - low) / (high - low) : 1.0f;
        float light = LEAST_LIGHT + (1.0f - LEAST_LIGHT) * view->facing[i];
        pixels[2 * i] = seen ? (guint8) (255.0f * CLAMP(share, 0.0f, 1.0f) * light + 0.5f) : 0;
        pixels[2 * i + 1] = seen ? 255 : 0;
    }
    return bg_image_new_take(&format, pixels, error);
}
