// SPDX-License-Identifier: Apache-2.0
#include "bg-mesh-smooth.h"

#include "bg-mesh-normals.h"
#include "bg-mesh-private.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#include <string.h>

#define MAX_PASSES 1000
#define GRAIN 8192 // vertices

// x y z and nothing: one load.
typedef float Point __attribute__((vector_size(16)));

typedef struct {
    const BgMeshData *data; // borrowed
    BgMeshCorners corners;  // owned; corner[] is replaced by the neighbours' numbers
    float *share;           // owned: 1 / number of neighbours; 0 for a vertex that stays
    BgVec3 middle_mm;
    Point *at, *before, *sum; // owned; before and sum for the sinc only
    float scale;              // of this pass
    float weight;             // of this pass in the sum
} Smooth;

// Whether each edge that leaves the vertex comes back once.
static gboolean
is_closed_fan(const BgMeshData *data, const guint32 *corner, guint n)
{
    for (guint i = 0; i < n; i++) {
        guint32 to = data->triangles[bg_mesh_next_corner(corner[i])];
        guint n_out = 0, n_in = 0;
        for (guint j = 0; j < n; j++) {
            n_out += data->triangles[bg_mesh_next_corner(corner[j])] == to;
            n_in += data->triangles[bg_mesh_previous_corner(corner[j])] == to;
        }
        if (n_out != 1 || n_in != 1)
            return FALSE;
    }
    return n > 0;
}

static void
find_neighbours(gsize first, gsize last, guint worker, gpointer user_data)
{
    Smooth *self = user_data;

    for (gsize v = first; v < last; v++) {
        guint32 *corner = self->corners.corner + self->corners.first[v];
        guint n = self->corners.first[v + 1] - self->corners.first[v];
        self->share[v] = is_closed_fan(self->data, corner, n) ? 1.0f / (float) n : 0.0f;
        for (guint i = 0; i < n; i++)
            corner[i] = self->data->triangles[bg_mesh_next_corner(corner[i])];
        self->at[v] =
            (Point){ (float) ((double) self->data->positions[3 * v] - self->middle_mm.x),
                     (float) ((double) self->data->positions[3 * v + 1] - self->middle_mm.y),
                     (float) ((double) self->data->positions[3 * v + 2] - self->middle_mm.z) };
    }
}

// The mean of the neighbours less the vertex: minus K x, with eigenvalues of K in 0..2.
static inline Point
laplacian(const Smooth *self, const Point *at, gsize v)
{
    const guint32 *neighbour = self->corners.corner + self->corners.first[v];
    const guint32 *end = self->corners.corner + self->corners.first[v + 1];
    Point sum = { 0 };
    float n = (float) (end - neighbour), share = self->share[v];

    for (; neighbour < end; neighbour++)
        sum += at[*neighbour];
    return (sum - n * at[v]) * share;
}

// T1 = x - K x / 2, and the first two terms of the sum.
static void
first_pass(gsize first, gsize last, guint worker, gpointer user_data)
{
    Smooth *self = user_data;

    for (gsize v = first; v < last; v++) {
        self->before[v] = self->at[v] + 0.5f * laplacian(self, self->at, v);
        self->sum[v] = self->scale * self->at[v] + self->weight * self->before[v];
    }
}

// T(n+1) = 2 (1 - K / 2) T(n) - T(n-1), in the place of T(n-1).
static void
next_pass(gsize first, gsize last, guint worker, gpointer user_data)
{
    Smooth *self = user_data;

    for (gsize v = first; v < last; v++) {
        Point next = 2.0f * self->at[v] + laplacian(self, self->at, v) - self->before[v];
        self->before[v] = next;
        self->sum[v] += self->weight * next;
    }
}

static void
step_pass(gsize first, gsize last, guint worker, gpointer user_data)
{
    Smooth *self = user_data;

    for (gsize v = first; v < last; v++)
        self->before[v] = self->at[v] + self->scale * laplacian(self, self->at, v);
}

static void
swap_points(Smooth *self)
{
    Point *at = self->at;

    self->at = self->before;
    self->before = at;
}

static double
filter_at(const double *coefficient, guint n_passes, double theta)
{
    double sum = 0.0;

    for (guint n = 0; n <= n_passes; n++)
        sum += coefficient[n] * cos(n * theta);
    return sum;
}

// Taubin, Zhang and Golub 1996, equations 6 and 8: a box of half width theta, cut after n_passes terms with
// a Hamming window.
static void
box_coefficients(double *coefficient, guint n_passes, double theta)
{
    coefficient[0] = theta / G_PI;
    for (guint n = 1; n <= n_passes; n++) {
        double window = 0.54 + 0.46 * cos(n * G_PI / (n_passes + 1));
        coefficient[n] = window * 2.0 * sin(n * theta) / (n * G_PI);
    }
}

// The box is widened until the pass band is let through whole (section 5 there), and all is scaled to leave
// a constant alone.
static double *
make_coefficients(const BgSincParams *params)
{
    double *coefficient = g_new(double, params->n_passes + 1);
    double theta = acos(1.0 - 0.5 * params->pass_band), widened = theta;

    for (; widened < G_PI; widened += 1e-4) {
        box_coefficients(coefficient, params->n_passes, widened);
        if (filter_at(coefficient, params->n_passes, theta) >= 1.0)
            break;
    }
    double whole = filter_at(coefficient, params->n_passes, 0.0);
    for (guint n = 0; n <= params->n_passes; n++)
        coefficient[n] /= whole;
    return coefficient;
}

static gboolean
run_sinc(Smooth *self, const BgSincParams *params, const BgProgress *progress,
         GCancellable *cancellable)
{
    gsize n = self->data->n_vertices;
    g_autofree double *coefficient = make_coefficients(params);

    self->scale = (float) coefficient[0];
    self->weight = (float) coefficient[1];
    if (!bg_parallel_for(n, GRAIN, first_pass, self, cancellable))
        return FALSE;
    swap_points(self);
    for (guint pass = 2; pass <= params->n_passes; pass++) {
        self->weight = (float) coefficient[pass];
        if (!bg_parallel_for(n, GRAIN, next_pass, self, cancellable))
            return FALSE;
        swap_points(self);
        bg_progress_report(progress, (double) pass / params->n_passes);
    }
    memcpy(self->at, self->sum, n * sizeof(Point));
    return TRUE;
}

static gboolean
run_taubin(Smooth *self, const BgTaubinParams *params, const BgProgress *progress,
           GCancellable *cancellable)
{
    for (guint pass = 0; pass < 2 * params->n_passes; pass++) {
        self->scale = (float) (pass % 2 == 0 ? params->lambda : params->mu);
        if (!bg_parallel_for(self->data->n_vertices, GRAIN, step_pass, self, cancellable))
            return FALSE;
        swap_points(self);
        bg_progress_report(progress, (pass + 1) / (2.0 * params->n_passes));
    }
    return TRUE;
}

static gboolean
smooth_init(Smooth *self, BgMesh *mesh, GError **error)
{
    BgVec3 low, high;
    gsize n;

    bg_mesh_get_bounds_mm(mesh, &low, &high);
    *self = (Smooth){ .data = bg_mesh_get_data(mesh),
                      .middle_mm = bg_vec3_scale(bg_vec3_add(low, high), 0.5) };
    n = self->data->n_vertices;
    if (!bg_mesh_corners_init(&self->corners, self->data, error))
        return FALSE;
    self->share = bg_buffer_alloc_items(n, sizeof(float), error);
    if (self->share != NULL)
        self->at = bg_buffer_alloc_items(n, sizeof(Point), error);
    if (self->at != NULL)
        self->before = bg_buffer_alloc_items(n, sizeof(Point), error);
    if (self->before != NULL)
        self->sum = bg_buffer_alloc_items(n, sizeof(Point), error);
    if (self->sum == NULL)
        return FALSE;
    bg_parallel_for(n, GRAIN, find_neighbours, self, NULL);
    return TRUE;
}

static void
smooth_clear(Smooth *self)
{
    bg_mesh_corners_clear(&self->corners);
    bg_buffer_free(self->share);
    bg_buffer_free(self->at);
    bg_buffer_free(self->before);
    bg_buffer_free(self->sum);
}

static BgMesh *
make_mesh(const Smooth *self, GError **error)
{
    BgMeshData made;

    if (!bg_mesh_data_copy(self->data, &made, error))
        return NULL;
    for (gsize v = 0; v < made.n_vertices; v++) {
        if (self->share[v] == 0.0f) // stays to the last bit
            continue;
        made.positions[3 * v] = (float) ((double) self->at[v][0] + self->middle_mm.x);
        made.positions[3 * v + 1] = (float) ((double) self->at[v][1] + self->middle_mm.y);
        made.positions[3 * v + 2] = (float) ((double) self->at[v][2] + self->middle_mm.z);
    }
    if (self->data->normals != NULL && !bg_mesh_data_compute_normals(&made, error)) {
        bg_mesh_data_clear(&made);
        return NULL;
    }
    return bg_mesh_new_take(&made, error);
}

static gboolean
check_passes(guint n_passes, GError **error)
{
    if (n_passes >= 1 && n_passes <= MAX_PASSES)
        return TRUE;
    g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                _("The mesh cannot be smoothed %u times. Choose 1 to %d passes"), n_passes,
                MAX_PASSES);
    return FALSE;
}

BgMesh *
bg_mesh_smooth_sinc(BgMesh *mesh, const BgSincParams *params, const BgProgress *progress,
                    GCancellable *cancellable, GError **error)
{
    BgMesh *made = NULL;
    Smooth self;

    g_return_val_if_fail(mesh != NULL, NULL);
    g_return_val_if_fail(params != NULL, NULL);

    if (!check_passes(params->n_passes, error))
        return NULL;
    if (!(params->pass_band > 0.0 && params->pass_band < 2.0)) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("The mesh cannot be smoothed with a pass band of %g. Choose one between 0 "
                      "and 2"),
                    params->pass_band);
        return NULL;
    }
    if (smooth_init(&self, mesh, error) &&
        (run_sinc(&self, params, progress, cancellable) ||
         !g_cancellable_set_error_if_cancelled(cancellable, error)))
        made = make_mesh(&self, error);
    smooth_clear(&self);
    return made;
}

BgMesh *
bg_mesh_smooth_taubin(BgMesh *mesh, const BgTaubinParams *params, const BgProgress *progress,
                      GCancellable *cancellable, GError **error)
{
    BgMesh *made = NULL;
    Smooth self;

    g_return_val_if_fail(mesh != NULL, NULL);
    g_return_val_if_fail(params != NULL, NULL);

    if (!check_passes(params->n_passes, error))
        return NULL;
    if (!(params->lambda > 0.0 && params->lambda < 1.0 && params->mu < -params->lambda &&
          params->mu > -2.0)) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("The mesh cannot be smoothed with lambda %g and mu %g. Choose 0 < lambda < 1 "
                      "and -2 < mu < -lambda"),
                    params->lambda, params->mu);
        return NULL;
    }
    if (smooth_init(&self, mesh, error) &&
        (run_taubin(&self, params, progress, cancellable) ||
         !g_cancellable_set_error_if_cancelled(cancellable, error)))
        made = make_mesh(&self, error);
    smooth_clear(&self);
    return made;
}
