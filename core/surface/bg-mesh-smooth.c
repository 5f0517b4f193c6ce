// SPDX-License-Identifier: Apache-2.0
#include "bg-mesh-smooth.h"

#include "bg-mesh-neighbours.h"
#include "bg-mesh-normals.h"
#include "bg-mesh-private.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#include <string.h>

#define MAX_PASSES 1000
#define GRAIN 16 // blocks

// x y z and nothing: one load.
typedef float Point __attribute__((vector_size(16)));
typedef gint64 Halves __attribute__((vector_size(16)));

typedef struct {
    const BgMeshData *data;       // borrowed
    BgMeshNeighbours neighbours;  // owned
    Point middle;                 // of the bounds: positions are relative to it
    float *start, *at, *before;   // owned: x y z, and one number more at the end
    float own, here, share, last; // of this pass
} Smooth;

// Relative to the middle, so that the result does not depend on where the mesh lies.
static inline Point
position(const Smooth *self, gsize v)
{
    const float *p = self->data->positions + 3 * v;

    return (Point){ p[0], p[1], p[2], 0.0f } - self->middle;
}

// The fourth number is the next point's, and means nothing.
static inline Point
load_point(const float *x)
{
    Point point;

    memcpy(&point, x, sizeof point);
    return point;
}

// In two parts: what a memcpy() of three numbers becomes goes through the stack.
static inline void
store_point(float *x, Point point)
{
    gint64 first = ((Halves) point)[0];

    memcpy(x, &first, sizeof first);
    x[2] = point[2];
}

// own * x + here * at + share * (mean of the neighbours - at) - last * before, in the place of before, for n
// vertices that have @degree neighbours each. One without any is its own mean.
static inline __attribute__((always_inline)) const guint32 *
pass_vertices(const Smooth *pass, const guint16 *order, guint n, gsize first,
              const guint32 *neighbour, guint degree)
{
    const Smooth self = *pass; // so that it can stay in registers
    float share = degree > 0 ? self.share / (float) degree : 0.0f;
    float here = degree > 0 ? self.here - self.share : self.here;

    for (guint i = 0; i < n; i++, neighbour += degree) {
        gsize v = first + order[i];
        Point sum = { 0 };
        for (guint k = 0; k < degree; k++)
            sum += load_point(self.at + neighbour[k]);
        store_point(self.before + 3 * v, self.own * load_point(self.start + 3 * v) +
                                             here * load_point(self.at + 3 * v) + share * sum -
                                             self.last * load_point(self.before + 3 * v));
    }
    return neighbour;
}

static inline __attribute__((always_inline)) void
pass_block(const Smooth *self, gsize number)
{
    const BgMeshBlock *block = &self->neighbours.blocks[number];
    gsize first = number * BG_MESH_BLOCK;
    const guint16 *order = self->neighbours.order + first;
    const guint32 *neighbour = self->neighbours.neighbours + block->first;

    for (guint degree = 0; degree < BG_MESH_MANY_NEIGHBOURS; degree++) {
        guint n = block->n_vertices[degree];
        switch (degree) { // the usual ones with loops of fixed length
#define CASE(d)                                                         \
    case d:                                                             \
        neighbour = pass_vertices(self, order, n, first, neighbour, d); \
        break;
            CASE(4)
            CASE(5)
            CASE(6)
            CASE(7)
            CASE(8)
#undef CASE
        default:
            neighbour = pass_vertices(self, order, n, first, neighbour, degree);
        }
        order += n;
    }
    for (guint i = 0; i < block->n_vertices[BG_MESH_MANY_NEIGHBOURS]; i++) {
        guint degree = *neighbour++;
        neighbour = pass_vertices(self, order++, 1, first, neighbour, degree);
    }
}

static void
pass_blocks_plain(gsize first, gsize last, guint worker, gpointer user_data)
{
    for (gsize block = first; block < last; block++)
        pass_block(user_data, block);
}

#if defined(__x86_64__)
// Sums straight from memory; the same numbers to the last bit.
__attribute__((target("avx"))) static void
pass_blocks_avx(gsize first, gsize last, guint worker, gpointer user_data)
{
    for (gsize block = first; block < last; block++)
        pass_block(user_data, block);
}
#endif

static BgParallelFunc
choose_pass(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx"))
        return pass_blocks_avx;
#endif
    return pass_blocks_plain;
}

static void
init_points(gsize first, gsize last, guint worker, gpointer user_data)
{
    Smooth *self = user_data;

    last = MIN(last * BG_MESH_BLOCK, self->data->n_vertices);
    for (gsize v = first * BG_MESH_BLOCK; v < last; v++) {
        Point point = position(self, v);
        store_point(self->start + 3 * v, point);
        store_point(self->at + 3 * v, self->own * point);
        store_point(self->before + 3 * v, (Point){ 0 });
    }
}

static void
swap_points(Smooth *self)
{
    float *at = self->at;

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

// How much a box of half width @widened lets through at @theta.
static double
let_through(double *coefficient, guint n_passes, double widened, double theta)
{
    box_coefficients(coefficient, n_passes, widened);
    return filter_at(coefficient, n_passes, theta);
}

// The box is widened until the pass band is let through whole (section 5 there), and all is scaled to leave
// a constant alone. The step is small against the ripples, whose width is pi / (n_passes + 1).
static double *
make_coefficients(const BgSincParams *params)
{
    guint n = params->n_passes;
    double *coefficient = g_new(double, n + 1);
    double theta = acos(1.0 - 0.5 * params->pass_band), step = 0.05 * G_PI / (n + 1);
    double low = theta, high = theta;

    while (high < G_PI && let_through(coefficient, n, high, theta) < 1.0) {
        low = high;
        high += step;
    }
    for (int round = 0; round < 30 && low < high; round++) {
        double middle = 0.5 * (low + high);
        if (let_through(coefficient, n, middle, theta) < 1.0)
            low = middle;
        else
            high = middle;
    }
    box_coefficients(coefficient, n, MIN(high, G_PI));
    double whole = filter_at(coefficient, n, 0.0);
    for (guint i = 0; i <= n; i++)
        coefficient[i] /= whole;
    return coefficient;
}

static gboolean
run_pass(Smooth *self, float own, float here, float share, float last, GCancellable *cancellable)
{
    self->own = own;
    self->here = here;
    self->share = share;
    self->last = last;
    if (!bg_parallel_for(self->neighbours.n_blocks, GRAIN, choose_pass(), self, cancellable))
        return FALSE;
    swap_points(self);
    return TRUE;
}

static gboolean
start(Smooth *self, float own, GCancellable *cancellable)
{
    self->own = own;
    return bg_parallel_for(self->neighbours.n_blocks, GRAIN, init_points, self, cancellable);
}

// The sum of c(n) T(n)(M) x, M = 1 - K / 2, by Clenshaw's recurrence: b(n) = c(n) x + 2 M b(n+1) - b(n+2),
// at last c(0) x + M b(1) - b(2). 2 M b is 2 b + (mean of the neighbours - b).
static gboolean
run_sinc(Smooth *self, const BgSincParams *params, const BgProgress *progress,
         GCancellable *cancellable)
{
    guint n_passes = params->n_passes;
    g_autofree double *c = make_coefficients(params);

    if (!start(self, (float) c[n_passes], cancellable))
        return FALSE;
    for (guint n = n_passes - 1; n > 0; n--) {
        if (!run_pass(self, (float) c[n], 2.0f, 1.0f, 1.0f, cancellable))
            return FALSE;
        bg_progress_report(progress, 1.0 - (double) n / n_passes);
    }
    return run_pass(self, (float) c[0], 1.0f, 0.5f, 1.0f, cancellable);
}

static gboolean
run_taubin(Smooth *self, const BgTaubinParams *params, const BgProgress *progress,
           GCancellable *cancellable)
{
    if (!start(self, 1.0f, cancellable))
        return FALSE;
    for (guint pass = 0; pass < params->n_passes; pass++) {
        if (!run_pass(self, 0.0f, 1.0f, (float) params->lambda, 0.0f, cancellable) ||
            !run_pass(self, 0.0f, 1.0f, (float) params->mu, 0.0f, cancellable))
            return FALSE;
        bg_progress_report(progress, (pass + 1.0) / params->n_passes);
    }
    return TRUE;
}

static gboolean
smooth_init(Smooth *self, BgMesh *mesh, GError **error)
{
    BgVec3 low, high;
    gsize n;

    bg_mesh_get_bounds_mm(mesh, &low, &high);
    *self =
        (Smooth){ .data = bg_mesh_get_data(mesh),
                  .middle = { (float) (0.5 * (low.x + high.x)), (float) (0.5 * (low.y + high.y)),
                              (float) (0.5 * (low.z + high.z)) } };
    n = self->data->n_vertices;
    if (!bg_mesh_neighbours_init(&self->neighbours, self->data, error))
        return FALSE;
    float **const all[] = { &self->start, &self->at, &self->before };
    for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
        *all[i] = bg_buffer_alloc_items(3 * n + 1, sizeof(float), error);
        if (*all[i] == NULL)
            return FALSE;
        (*all[i])[3 * n] = 0.0f;
    }
    return TRUE;
}

static void
smooth_clear(Smooth *self)
{
    bg_mesh_neighbours_clear(&self->neighbours);
    bg_buffer_free(self->start);
    bg_buffer_free(self->at);
    bg_buffer_free(self->before);
}

// Those that stay keep their last bit.
static void
copy_points(const Smooth *self, float *positions)
{
    for (gsize number = 0; number < self->neighbours.n_blocks; number++) {
        gsize first = number * BG_MESH_BLOCK,
              n = MIN(self->data->n_vertices - first, BG_MESH_BLOCK);
        const guint16 *order = self->neighbours.order + first;
        for (gsize i = self->neighbours.blocks[number].n_vertices[0]; i < n; i++) {
            gsize v = first + order[i];
            store_point(positions + 3 * v, load_point(self->at + 3 * v) + self->middle);
        }
    }
}

static BgMesh *
make_mesh(const Smooth *self, GError **error)
{
    BgMeshData made;

    if (!bg_mesh_data_copy(self->data, &made, error))
        return NULL;
    copy_points(self, made.positions);
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
