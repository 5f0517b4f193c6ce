// SPDX-License-Identifier: Apache-2.0
#include "bg-mesh-distance.h"

#include "bg-mesh-measures.h"
#include "bg-mesh-private.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#define LEAST_RANGE_MM 0.5 // of colours

#define GRAIN 1024   // vertices
#define CHUNK 262144 // vertices between two reports

typedef struct {
    const BgMeshTree *tree;
    const BgMeshData *data;
    gsize first;
    float *distances_mm;
} Map;

static void
map_vertices(gsize first, gsize last, guint worker, gpointer user_data)
{
    const Map *map = user_data;

    for (gsize i = map->first + first; i < map->first + last; i++)
        map->distances_mm[i] =
            (float) bg_mesh_tree_signed_mm(map->tree, bg_mesh_vertex(map->data, (guint32) i));
}

static gboolean
check_meshes(BgMesh *mesh, BgMesh *to, GError **error)
{
    BgMeshMeasures measures;

    if (bg_mesh_get_data(mesh)->n_vertices == 0) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("Distances cannot be shown: the surface is empty. Choose another"));
        return FALSE;
    }
    const GArray *groups = bg_mesh_get_data(to)->groups;
    if (groups != NULL && groups->len > 1) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("Distances cannot be shown: the surface that is compared with is of "
                              "several labels, with walls inside. Choose one of a single label"));
        return FALSE;
    }
    if (!bg_mesh_measure(to, &measures, error))
        return FALSE;
    if (!measures.closed) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("Distances cannot be shown: the surface that is compared with is not "
                              "closed, so it has no inside. Choose one that is closed"));
        return FALSE;
    }
    return TRUE;
}

BgMesh *
bg_mesh_map_distance(BgMesh *mesh, BgMesh *to, const BgProgress *progress,
                     GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(mesh != NULL && to != NULL, NULL);

    const BgMeshData *data = bg_mesh_get_data(mesh);
    if (!check_meshes(mesh, to, error))
        return NULL;
    bg_auto_buffer float *distances_mm =
        bg_buffer_alloc_items(data->n_vertices, sizeof(float), error);
    g_autoptr(BgMeshTree) tree = distances_mm != NULL ? bg_mesh_tree_new(to, error) : NULL;
    if (tree == NULL)
        return NULL;

    for (gsize first = 0; first < data->n_vertices; first += CHUNK) {
        Map map = { .tree = tree, .data = data, .first = first, .distances_mm = distances_mm };
        gsize n = MIN(CHUNK, data->n_vertices - first);
        if (!bg_parallel_for(n, GRAIN, map_vertices, &map, cancellable)) {
            g_cancellable_set_error_if_cancelled(cancellable, error);
            return NULL;
        }
        bg_progress_report(progress, (double) (first + n) / (double) data->n_vertices);
    }
    return bg_mesh_with_distances(mesh, g_steal_pointer(&distances_mm), error);
}

typedef struct {
    double distance_mm, area; // without sign
} Weighed;

static int
compare_weighed(gconstpointer a, gconstpointer b)
{
    double x = ((const Weighed *) a)->distance_mm, y = ((const Weighed *) b)->distance_mm;

    return x < y ? -1 : x > y;
}

// The first distance that, with all below it, has 95 % of the area.
static double
find_p95(Weighed *weighed, gsize n, double total)
{
    double sum = 0.0;
    gsize i = 0;

    qsort(weighed, n, sizeof *weighed, compare_weighed);
    for (; i + 1 < n; i++) {
        sum += weighed[i].area;
        if (sum >= 0.95 * total)
            break;
    }
    return weighed[i].distance_mm;
}

gboolean
bg_mesh_spread(BgMesh *mesh, BgMeshSpread *spread, GError **error)
{
    const BgMeshData *data = bg_mesh_get_data(mesh);
    BgMeshSpread found = { .low_mm = INFINITY, .high_mm = -INFINITY };
    double total = 0.0;

    g_return_val_if_fail(spread != NULL, FALSE);

    if (data->distances_mm == NULL || data->n_vertices == 0) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("The mesh holds no distances to another one"));
        return FALSE;
    }
    bg_auto_buffer Weighed *weighed =
        bg_buffer_alloc_items(data->n_vertices, sizeof(Weighed), error);
    if (weighed == NULL)
        return FALSE;
    for (gsize i = 0; i < data->n_vertices; i++)
        weighed[i] = (Weighed){ fabs((double) data->distances_mm[i]), 0.0 };
    for (gsize t = 0; t < data->n_triangles; t++) {
        double third = bg_vec3_length(bg_mesh_double_area(data, t)) / 6.0;
        for (gsize c = 0; c < 3; c++)
            weighed[data->triangles[3 * t + c]].area += third;
        total += 3.0 * third;
    }
    if (!(total > 0.0)) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID, _("The mesh has no surface"));
        return FALSE;
    }
    for (gsize i = 0; i < data->n_vertices; i++) {
        double d = (double) data->distances_mm[i];
        found.low_mm = MIN(found.low_mm, d);
        found.high_mm = MAX(found.high_mm, d);
        found.mean_mm += d * weighed[i].area / total;
        found.mean_abs_mm += fabs(d) * weighed[i].area / total;
    }
    found.p95_abs_mm = find_p95(weighed, data->n_vertices, total);
    *spread = found;
    return TRUE;
}

double
bg_mesh_spread_range_mm(const BgMeshSpread *spread)
{
    static const double steps[] = { 1.0, 2.0, 5.0 };
    double decade = 0.1;

    for (int i = 0; i < 18; i++) {
        double range = steps[i % 3] * decade;
        if (range >= LEAST_RANGE_MM && range >= spread->p95_abs_mm)
            return range;
        if (i % 3 == 2)
            decade *= 10.0;
    }
    return 1e5;
}
