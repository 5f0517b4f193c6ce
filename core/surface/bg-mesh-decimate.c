// SPDX-License-Identifier: Apache-2.0
#include "bg-mesh-decimate.h"

#include "bg-mesh-collapse.h"
#include "bg-mesh-normals.h"
#include "bg-mesh-private.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#include <string.h>

#define NONE G_MAXUINT32
#define PIECE 65536     // triangles
#define PIECE_SHARE 2.5 // pieces are left so many times the share that is asked for
#define MAX_SPREAD 4    // vertex numbers that a piece may reach over, for each of its triangles

typedef struct {
    const BgMeshData *data;         // borrowed
    const BgDecimateParams *params; // borrowed
    BgVec3 middle_mm;               // what is worked on is relative to it
    BgMeshData made;                // all vertices, the triangles that are left; owned
    double error_mm;
} Decimate;

// A run of made.triangles that is simplified on its own.
typedef struct {
    guint32 *triangles; // in made; those that are left come first
    gsize n_triangles;
    gsize n_target;
    gsize n_vertices;
    guint32 *global; // owned: the vertices' numbers in made
    guint32 *local;  // owned: the other way: of made's vertices low.., or NONE
    guint32 low, high;
    BgVec3 *positions;   // owned
    BgQuadric *quadrics; // owned
    double error_mm;
} Part;

static void
part_clear(Part *part)
{
    g_clear_pointer(&part->global, bg_buffer_free);
    g_clear_pointer(&part->local, bg_buffer_free);
    g_clear_pointer(&part->positions, bg_buffer_free);
    g_clear_pointer(&part->quadrics, bg_buffer_free);
}

static void
find_range(Part *part)
{
    part->low = NONE;
    part->high = 0;
    for (gsize c = 0; c < 3 * part->n_triangles; c++) {
        part->low = MIN(part->low, part->triangles[c]);
        part->high = MAX(part->high, part->triangles[c]);
    }
}

// Numbers the part's vertices in the order of its triangles, and its triangles by them.
static gboolean
part_number(Part *part, GError **error)
{
    gsize n_corners = 3 * part->n_triangles, n_range;

    find_range(part);
    n_range = n_corners == 0 ? 0 : (gsize) part->high - part->low + 1;
    part->local = bg_buffer_alloc_items(n_range, sizeof(guint32), error);
    if (part->local == NULL)
        return FALSE;
    memset(part->local, 0xff, n_range * sizeof(guint32));
    part->n_vertices = 0;
    for (gsize c = 0; c < n_corners; c++) {
        guint32 *number = &part->local[part->triangles[c] - part->low];
        if (*number == NONE)
            *number = (guint32) part->n_vertices++;
    }
    part->global = bg_buffer_alloc_items(part->n_vertices, sizeof(guint32), error);
    if (part->global == NULL)
        return FALSE;
    for (gsize c = 0; c < n_corners; c++) {
        guint32 vertex = part->triangles[c];
        part->triangles[c] = part->local[vertex - part->low];
        part->global[part->triangles[c]] = vertex;
    }
    return TRUE;
}

static gboolean
part_load(const Decimate *self, Part *part, GError **error)
{
    if (!part_number(part, error))
        return FALSE;
    part->positions = bg_buffer_alloc_items(part->n_vertices, sizeof(BgVec3), error);
    if (part->positions == NULL)
        return FALSE;
    part->quadrics = bg_buffer_alloc_items(part->n_vertices, sizeof(BgQuadric), error);
    if (part->quadrics == NULL)
        return FALSE;
    for (gsize v = 0; v < part->n_vertices; v++)
        part->positions[v] =
            bg_vec3_sub(bg_mesh_vertex(&self->made, part->global[v]), self->middle_mm);
    return TRUE;
}

// What did not move is not written: it may be another part's, too.
static void
part_store(Decimate *self, Part *part)
{
    for (gsize c = 0; c < 3 * part->n_triangles; c++)
        part->triangles[c] = part->global[part->triangles[c]];
    for (gsize v = 0; v < part->n_vertices; v++) {
        float *p = self->made.positions + 3 * (gsize) part->global[v];
        BgVec3 at = bg_vec3_add(part->positions[v], self->middle_mm);
        float moved[3] = { (float) at.x, (float) at.y, (float) at.z };
        if (memcmp(p, moved, sizeof moved) != 0)
            memcpy(p, moved, sizeof moved);
    }
}

static gboolean
part_run(Decimate *self, Part *part, gboolean has_quadrics, const BgProgress *progress,
         GCancellable *cancellable, GError **error)
{
    double bound = self->params->max_error_mm;
    BgCollapse collapse = { .n_vertices = part->n_vertices,
                            .n_triangles = part->n_triangles,
                            .positions = part->positions,
                            .triangles = part->triangles,
                            .quadrics = part->quadrics,
                            .has_quadrics = has_quadrics,
                            .n_target = part->n_target,
                            .max_error_mm = bound > 0.0 ? bound : (double) INFINITY };

    if (!bg_mesh_collapse(&collapse, progress, cancellable, error))
        return FALSE;
    part->n_triangles = collapse.n_triangles;
    part->error_mm = collapse.error_mm;
    part_store(self, part);
    return TRUE;
}

typedef struct {
    Decimate *decimate;
    Part *parts;
    GCancellable *cancellable;
    GError *error; // the first; by lock
    GMutex lock;
} Pieces;

static void
run_pieces(gsize first, gsize last, guint worker, gpointer user_data)
{
    Pieces *self = user_data;

    for (gsize i = first; i < last; i++) {
        g_autoptr(GError) error = NULL;
        Part *part = &self->parts[i];
        if (part_load(self->decimate, part, &error) &&
            part_run(self->decimate, part, FALSE, NULL, self->cancellable, &error))
            continue;
        g_mutex_lock(&self->lock);
        if (self->error == NULL)
            self->error = g_steal_pointer(&error);
        g_mutex_unlock(&self->lock);
    }
}

// Equal runs; their number does not depend on the number of threads. Returns: 0 when the triangles are too few,
// or so ordered that a run of them is no patch of the surface.
static gsize
cut_pieces(const Decimate *self, const Part *whole, Part **pieces)
{
    gsize n = whole->n_triangles / PIECE;
    double share = self->params->ratio * PIECE_SHARE;

    if (n < 2 || share > 0.7)
        return 0;
    *pieces = g_new0(Part, n);
    for (gsize i = 0; i < n; i++) {
        gsize from = whole->n_triangles * i / n, to = whole->n_triangles * (i + 1) / n;
        Part *part = &(*pieces)[i];
        part->triangles = whole->triangles + 3 * from;
        part->n_triangles = to - from;
        part->n_target = (gsize) ceil((double) part->n_triangles * share);
        find_range(part);
        if ((gsize) part->high - part->low > MAX_SPREAD * part->n_triangles) {
            g_clear_pointer(pieces, g_free);
            return 0;
        }
    }
    return n;
}

// The pieces' triangles side by side, and their quadrics summed: where two meet, each has a share.
static gboolean
join_pieces(Decimate *self, Part *whole, Part *pieces, gsize n, GError **error)
{
    guint32 *to = whole->triangles;

    for (gsize i = 0; i < n; i++) {
        memmove(to, pieces[i].triangles, 3 * pieces[i].n_triangles * sizeof *to);
        to += 3 * pieces[i].n_triangles;
        whole->error_mm = MAX(whole->error_mm, pieces[i].error_mm);
    }
    whole->n_triangles = (gsize) (to - whole->triangles) / 3;
    if (!part_load(self, whole, error))
        return FALSE;
    memset(whole->quadrics, 0, whole->n_vertices * sizeof *whole->quadrics);
    for (gsize i = 0; i < n; i++) {
        const Part *part = &pieces[i];
        for (gsize v = 0; v < part->n_vertices; v++) {
            guint32 global = part->global[v];
            guint32 number = global < whole->low || global > whole->high
                                 ? NONE
                                 : whole->local[global - whole->low];
            if (number != NONE)
                whole->quadrics[number] =
                    bg_quadric_sum(&whole->quadrics[number], &part->quadrics[v]);
        }
    }
    return TRUE;
}

static gboolean
decimate_by_pieces(Decimate *self, Part *whole, Part *parts, gsize n, const BgProgress *progress,
                   GCancellable *cancellable, GError **error)
{
    Pieces pieces = { .decimate = self, .parts = parts, .cancellable = cancellable };
    BgProgressSpan rest;
    gboolean ok;

    g_mutex_init(&pieces.lock);
    bg_parallel_for(n, 1, run_pieces, &pieces, cancellable);
    g_mutex_clear(&pieces.lock);
    if (pieces.error != NULL)
        g_propagate_error(error, pieces.error);
    ok = pieces.error == NULL && !g_cancellable_set_error_if_cancelled(cancellable, error) &&
         join_pieces(self, whole, parts, n, error);
    for (gsize i = 0; i < n; i++)
        part_clear(&parts[i]);
    double error_mm = whole->error_mm;
    bg_progress_report(progress, 0.7);
    ok = ok && part_run(self, whole, TRUE, bg_progress_span_init(&rest, progress, 0.7, 1.0),
                        cancellable, error);
    whole->error_mm = MAX(whole->error_mm, error_mm);
    return ok;
}

// Brings what is left of the group to the end of made.
static gboolean
decimate_group(Decimate *self, BgMeshGroup *group, const BgProgress *progress,
               GCancellable *cancellable, GError **error)
{
    g_autofree Part *pieces = NULL;
    Part whole = { .triangles = self->made.triangles + 3 * group->first_triangle,
                   .n_triangles = group->n_triangles,
                   .n_target = (gsize) ceil((double) group->n_triangles * self->params->ratio) };
    gsize n_pieces = cut_pieces(self, &whole, &pieces);
    gboolean ok = TRUE;

    if (n_pieces > 0)
        ok = decimate_by_pieces(self, &whole, pieces, n_pieces, progress, cancellable, error);
    else if (self->params->ratio < 1.0)
        ok = part_load(self, &whole, error) &&
             part_run(self, &whole, FALSE, progress, cancellable, error);
    part_clear(&whole);
    if (!ok)
        return FALSE;

    memmove(self->made.triangles + 3 * self->made.n_triangles, whole.triangles,
            3 * whole.n_triangles * sizeof(guint32));
    group->first_triangle = self->made.n_triangles;
    group->n_triangles = whole.n_triangles;
    self->made.n_triangles += whole.n_triangles;
    self->error_mm = MAX(self->error_mm, whole.error_mm);
    return TRUE;
}

static gboolean
decimate_all(Decimate *self, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    double n = (double) MAX(self->data->n_triangles, 1);
    BgMeshGroup all = { .n_triangles = self->data->n_triangles };
    BgProgressSpan span;

    self->made.n_triangles = 0;
    for (guint i = 0; self->made.groups != NULL && i < self->made.groups->len; i++) {
        BgMeshGroup *group = &g_array_index(self->made.groups, BgMeshGroup, i);
        double from = (double) group->first_triangle / n;
        double to = (double) (group->first_triangle + group->n_triangles) / n;
        if (!decimate_group(self, group, bg_progress_span_init(&span, progress, from, to),
                            cancellable, error))
            return FALSE;
    }
    return self->made.groups != NULL || decimate_group(self, &all, progress, cancellable, error);
}

// The vertices that are left.
static BgMesh *
finish(Decimate *self, GError **error)
{
    bg_auto_buffer guint8 *chosen = bg_buffer_alloc(self->made.n_triangles + 1, error);
    BgMeshData kept;

    if (chosen == NULL)
        return NULL;
    memset(chosen, 1, self->made.n_triangles + 1);
    if (!bg_mesh_data_select(&self->made, chosen, &kept, error))
        return NULL;
    if (self->data->normals != NULL && !bg_mesh_data_compute_normals(&kept, error)) {
        bg_mesh_data_clear(&kept);
        return NULL;
    }
    return bg_mesh_new_take(&kept, error);
}

BgMesh *
bg_mesh_decimate(BgMesh *mesh, const BgDecimateParams *params, BgDecimateResult *result,
                 const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    Decimate self = { .params = params };
    BgMesh *made = NULL;
    BgVec3 low, high;

    g_return_val_if_fail(mesh != NULL, NULL);
    g_return_val_if_fail(params != NULL, NULL);

    if (!(params->ratio > 0.0 && params->ratio <= 1.0)) {
        g_set_error(
            error, BG_ERROR, BG_ERROR_INVALID,
            _("The mesh cannot be reduced to %g of its triangles. Choose a share above 0 and "
              "up to 1"),
            params->ratio);
        return NULL;
    }
    self.data = bg_mesh_get_data(mesh);
    bg_mesh_get_bounds_mm(mesh, &low, &high);
    self.middle_mm = bg_vec3_scale(bg_vec3_add(low, high), 0.5);
    if (!bg_mesh_data_copy(self.data, &self.made, error))
        return NULL;
    if (decimate_all(&self, progress, cancellable, error))
        made = finish(&self, error);
    if (made != NULL && result != NULL)
        result->error_mm = self.error_mm;
    bg_mesh_data_clear(&self.made);
    return made;
}
