// SPDX-License-Identifier: Apache-2.0
#include "bg-mesh-print.h"

#include "bg-mesh-distance.h"
#include "bg-mesh-measures.h"
#include "bg-mesh-normals.h"
#include "bg-mesh-parts.h"
#include "bg-mesh-private.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#include <string.h>

#define N_POINTS 30000
#define LEFT_OUT 0.001 // of the area: rounding at edges
#define GRAIN 256
#define OFF_THE_WALL_MM 1e-4

/** Border: an edge that one triangle has alone, in that triangle's direction */
typedef struct {
    guint32 from, to, triangle;
    gboolean used;
} Border;

BgPrintParams
bg_print_params(void)
{
    return (BgPrintParams){ .least_wall_mm = 1.0, .least_part_ml = 0.05 };
}

static gboolean
check_params(BgMesh *mesh, const BgPrintParams *params, GError **error)
{
    if (bg_mesh_get_data(mesh)->n_triangles == 0) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("There is nothing to print: the surface has no triangles"));
        return FALSE;
    }
    if (params->least_wall_mm > 0.0 && params->least_wall_mm < 1000.0 &&
        params->least_part_ml >= 0.0 && isfinite(params->least_part_ml))
        return TRUE;
    g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                _("Walls of %g mm and parts of %g ml cannot be asked for. Give walls between 0 and "
                  "1000 mm, and parts of 0 ml or more"),
                params->least_wall_mm, params->least_part_ml);
    return FALSE;
}

// ------------------------------------------------------------------------------------------------
// Parts

/** Parts: @islands: for each part whether it is one; @of: the part of each triangle */
typedef struct {
    guint n, n_islands;
    double islands_ml;
    guint32 *of;
    guint8 *islands;
} Parts;

static void
parts_clear(Parts *parts)
{
    bg_buffer_free(parts->of);
    g_free(parts->islands);
}

static gboolean
find_islands(BgMesh *mesh, double least_ml, Parts *parts, GError **error)
{
    const BgMeshData *data = bg_mesh_get_data(mesh);
    g_autoptr(GArray) found = bg_mesh_find_parts(mesh, &parts->of, error);
    guint largest = 0;

    if (found == NULL)
        return FALSE;
    parts->n = found->len;
    parts->islands = g_new0(guint8, parts->n);
    g_autofree double *ml = g_new0(double, parts->n);
    for (gsize t = 0; t < data->n_triangles; t++) {
        guint32 part = parts->of[t];
        gsize first = g_array_index(found, BgMeshPart, part).first_triangle;
        BgVec3 origin = bg_mesh_vertex(data, data->triangles[3 * first]);
        BgVec3 at = bg_vec3_sub(bg_mesh_vertex(data, data->triangles[3 * t]), origin);
        ml[part] += bg_vec3_dot(at, bg_mesh_double_area(data, t)) / 6000.0;
    }
    for (guint i = 1; i < parts->n; i++)
        largest = fabs(ml[i]) > fabs(ml[largest]) ? i : largest;
    for (guint i = 0; i < parts->n; i++) {
        parts->islands[i] = i != largest && fabs(ml[i]) < least_ml;
        parts->n_islands += parts->islands[i];
        parts->islands_ml += parts->islands[i] ? fabs(ml[i]) : 0.0;
    }
    return TRUE;
}

// ------------------------------------------------------------------------------------------------
// Holes

static int
compare_borders(gconstpointer a, gconstpointer b)
{
    const Border *x = a, *y = b;

    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return x->to < y->to ? -1 : x->to > y->to;
}

// Whether a triangle at @from has the edge the other way round.
static gboolean
has_twin(const BgMeshData *data, const BgMeshCorners *corners, guint32 from, guint32 to)
{
    for (guint32 c = corners->first[from]; c < corners->first[from + 1]; c++)
        if (data->triangles[bg_mesh_previous_corner(corners->corner[c])] == to)
            return TRUE;
    return FALSE;
}

// Returns: (transfer full): of Border, by @from
static GArray *
find_borders(const BgMeshData *data, GError **error)
{
    GArray *borders = g_array_new(FALSE, FALSE, sizeof(Border));
    BgMeshCorners corners;

    if (!bg_mesh_corners_init(&corners, data, error)) {
        g_array_unref(borders);
        return NULL;
    }
    for (gsize c = 0; c < 3 * data->n_triangles; c++) {
        Border border = { .from = data->triangles[c],
                          .to = data->triangles[bg_mesh_next_corner((guint32) c)],
                          .triangle = (guint32) (c / 3) };
        if (border.from != border.to && !has_twin(data, &corners, border.from, border.to))
            g_array_append_val(borders, border);
    }
    bg_mesh_corners_clear(&corners);
    g_array_sort(borders, compare_borders);
    return borders;
}

static Border *
find_unused(GArray *borders, guint32 from)
{
    guint low = 0, high = borders->len;

    while (low < high) {
        guint middle = (low + high) / 2;
        if (g_array_index(borders, Border, middle).from < from)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < borders->len && g_array_index(borders, Border, low).from == from; low++)
        if (!g_array_index(borders, Border, low).used)
            return &g_array_index(borders, Border, low);
    return NULL;
}

/** Loop: round a hole: a run of @Holes.vertices; @triangle: one that lies beside it */
typedef struct {
    guint first, n;
    guint32 triangle;
} Loop;

typedef struct {
    GArray *vertices, *loops; // of guint32, of Loop
    gsize n_open;             // chains that do not come back
} Holes;

static void
holes_clear(Holes *holes)
{
    g_array_unref(holes->vertices);
    g_array_unref(holes->loops);
}

// @chain from @first on came back to where it began.
static void
close_loop(Holes *holes, GArray *chain, guint first, guint32 triangle, GHashTable *places)
{
    Loop loop = { .first = holes->vertices->len, .n = chain->len - first, .triangle = triangle };

    for (guint i = first; i < chain->len; i++)
        g_hash_table_remove(places, GUINT_TO_POINTER(g_array_index(chain, guint32, i)));
    if (loop.n >= 3) {
        g_array_append_vals(holes->vertices, &g_array_index(chain, guint32, first), loop.n);
        g_array_append_val(holes->loops, loop);
    } else {
        holes->n_open++;
    }
    g_array_set_size(chain, first);
}

// From one edge on as far as edges follow each other. Where holes touch in a vertex, each is a loop of
// its own.
static void
walk(GArray *borders, Border *border, GArray *chain, GHashTable *places, Holes *holes)
{
    g_array_set_size(chain, 0);
    g_hash_table_remove_all(places);
    do {
        guint32 triangle = border->triangle;
        gpointer place;
        border->used = TRUE;
        g_hash_table_insert(places, GUINT_TO_POINTER(border->from), GUINT_TO_POINTER(chain->len));
        g_array_append_val(chain, border->from);
        if (g_hash_table_lookup_extended(places, GUINT_TO_POINTER(border->to), NULL, &place))
            close_loop(holes, chain, GPOINTER_TO_UINT(place), triangle, places);
        border = chain->len > 0 ? find_unused(borders, border->to) : NULL;
    } while (border != NULL);
    holes->n_open += chain->len > 0;
}

static gboolean
find_holes(const BgMeshData *data, Holes *holes, GError **error)
{
    g_autoptr(GArray) borders = find_borders(data, error);
    g_autoptr(GArray) chain = g_array_new(FALSE, FALSE, sizeof(guint32));
    g_autoptr(GHashTable) places = g_hash_table_new(NULL, NULL);

    *holes = (Holes){ .vertices = g_array_new(FALSE, FALSE, sizeof(guint32)),
                      .loops = g_array_new(FALSE, FALSE, sizeof(Loop)) };
    for (guint i = 0; borders != NULL && i < borders->len; i++) {
        Border *border = &g_array_index(borders, Border, i);
        if (!border->used)
            walk(borders, border, chain, places, holes);
    }
    return borders != NULL;
}

static guint32
loop_vertex(const Holes *holes, const Loop *loop, guint i)
{
    return g_array_index(holes->vertices, guint32, loop->first + i % loop->n);
}

static double
longest_mm(const BgMeshData *data, const Holes *holes)
{
    double longest = 0.0;

    for (guint h = 0; h < holes->loops->len; h++) {
        const Loop *loop = &g_array_index(holes->loops, Loop, h);
        double round = 0.0;
        for (guint i = 0; i < loop->n; i++)
            round += bg_vec3_distance(bg_mesh_vertex(data, loop_vertex(holes, loop, i)),
                                      bg_mesh_vertex(data, loop_vertex(holes, loop, i + 1)));
        longest = MAX(longest, round);
    }
    return longest;
}

// ------------------------------------------------------------------------------------------------
// Walls

typedef struct {
    const BgMeshTree *tree;
    const BgVec3 *points, *inwards;
    double *walls_mm;
    const BgProgress *progress;
} Walls;

static void
measure_walls(gsize first, gsize last, guint worker, gpointer user_data)
{
    Walls *walls = user_data;

    for (gsize i = first; i < last; i++)
        walls->walls_mm[i] =
            bg_mesh_tree_exit_mm(walls->tree, walls->points[i], walls->inwards[i], OFF_THE_WALL_MM);
}

static BgVec3
corner_normal(const BgMeshData *data, guint32 vertex)
{
    const float *n = data->normals + 3 * (gsize) vertex;

    return bg_vec3((double) n[0], (double) n[1], (double) n[2]);
}

// One point in each of N_POINTS pieces of equal area; which way is inwards there, by the vertices' normals,
// which steps of voxels do not sway.
static gsize
spread_points(const BgMeshData *data, BgVec3 *points, BgVec3 *inwards)
{
    double area = 0.0, sum = 0.0;
    gsize n = 0;

    for (gsize t = 0; t < data->n_triangles; t++)
        area += bg_vec3_length(bg_mesh_double_area(data, t));
    for (gsize t = 0; t < data->n_triangles; t++) {
        const guint32 *v = data->triangles + 3 * t;
        sum += bg_vec3_length(bg_mesh_double_area(data, t));
        for (; n < N_POINTS && ((double) n + 0.5) * area / N_POINTS < sum; n++) {
            // The golden ratio's multiples spread evenly over the unit interval.
            double a = fmod(0.618033988749895 * (double) n + 0.3, 1.0);
            double b = fmod(0.754877666246693 * (double) n + 0.7, 1.0);
            double u = a + b > 1.0 ? 1.0 - a : a, w = a + b > 1.0 ? 1.0 - b : b;
            BgVec3 p = bg_mesh_vertex(data, v[0]);
            BgVec3 normal = bg_vec3_scale(corner_normal(data, v[0]), 1.0 - u - w);
            points[n] =
                bg_vec3_along(bg_vec3_along(p, u, bg_vec3_sub(bg_mesh_vertex(data, v[1]), p)), w,
                              bg_vec3_sub(bg_mesh_vertex(data, v[2]), p));
            normal = bg_vec3_along(normal, u, corner_normal(data, v[1]));
            normal = bg_vec3_along(normal, w, corner_normal(data, v[2]));
            inwards[n] = bg_vec3_scale(bg_vec3_normalize(normal), -1.0);
        }
    }
    return n;
}

static int
compare_doubles(gconstpointer a, gconstpointer b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return x < y ? -1 : x > y;
}

static gboolean
check_walls(BgMesh *mesh, const BgPrintParams *params, BgPrintCheck *check,
            GCancellable *cancellable, GError **error)
{
    g_autoptr(BgMesh) smooth = bg_mesh_compute_normals(mesh, error);
    g_autoptr(BgMeshTree) tree = smooth != NULL ? bg_mesh_tree_new(smooth, error) : NULL;

    if (tree == NULL)
        return FALSE;
    g_autofree BgVec3 *points = g_new(BgVec3, N_POINTS), *inwards = g_new(BgVec3, N_POINTS);
    g_autofree double *walls_mm = g_new(double, N_POINTS), *sorted = NULL;
    gsize n = spread_points(bg_mesh_get_data(smooth), points, inwards), n_thin = 0;
    Walls walls = { .tree = tree, .points = points, .inwards = inwards, .walls_mm = walls_mm };
    if (!bg_parallel_for(n, GRAIN, measure_walls, &walls, cancellable)) {
        g_cancellable_set_error_if_cancelled(cancellable, error);
        return FALSE;
    }
    sorted = g_memdup2(walls_mm, MAX(n, 1) * sizeof(double));
    qsort(sorted, n, sizeof(double), compare_doubles);
    gsize at = (gsize) (LEFT_OUT * (double) n);
    check->thinnest_mm = n > 0 ? sorted[at] : (double) INFINITY;
    for (gsize i = 0; i < n; i++) {
        n_thin += walls_mm[i] < params->least_wall_mm;
        if (walls_mm[i] == check->thinnest_mm)
            check->thinnest_at_mm = points[i];
    }
    check->thin_share = n_thin > at ? (double) n_thin / (double) n : 0.0;
    return TRUE;
}

// ------------------------------------------------------------------------------------------------

gboolean
bg_mesh_print_check(BgMesh *mesh, const BgPrintParams *params, BgPrintCheck *check,
                    const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    BgPrintCheck found = { .thinnest_mm = (double) INFINITY };
    BgMeshMeasures measures;
    Parts parts = { 0 };
    Holes holes;

    g_return_val_if_fail(mesh != NULL, FALSE);
    g_return_val_if_fail(check != NULL, FALSE);

    if (!check_params(mesh, params, error) || !bg_mesh_measure(mesh, &measures, error))
        return FALSE;
    gboolean ok = find_islands(mesh, params->least_part_ml, &parts, error);
    found.n_parts = parts.n;
    found.n_islands = parts.n_islands;
    found.islands_ml = parts.islands_ml;
    parts_clear(&parts);
    if (!ok)
        return FALSE;
    bg_progress_report(progress, 0.3);
    ok = find_holes(bg_mesh_get_data(mesh), &holes, error);
    found.n_holes = holes.loops->len + holes.n_open;
    found.longest_hole_mm = longest_mm(bg_mesh_get_data(mesh), &holes);
    holes_clear(&holes);
    if (!ok)
        return FALSE;
    bg_progress_report(progress, 0.5);
    found.closed = measures.closed;
    found.n_bad_edges = measures.n_bad_edges;
    found.n_degenerate = measures.n_degenerate;
    found.volume_ml = measures.volume_ml;
    found.inside_out = measures.volume_ml < 0.0;
    // Inwards means little where the surface is inside out.
    if (!found.inside_out && !check_walls(mesh, params, &found, cancellable, error))
        return FALSE;
    found.printable =
        found.closed && !found.inside_out && found.n_islands == 0 && !(found.thin_share > 0.0);
    *check = found;
    return !g_cancellable_set_error_if_cancelled(cancellable, error);
}

static void
say(GPtrArray *words, char *text)
{
    g_ptr_array_add(words, text);
}

GPtrArray *
bg_print_check_words(const BgPrintCheck *check, const BgPrintParams *params)
{
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);

    if (check->inside_out)
        say(words, g_strdup(_("Inside out: what it encloses is negative. Repair turns it")));
    if (check->n_holes > 0)
        // Translators: how many holes, and how far it is round the longest
        say(words, g_strdup_printf(_("%zu holes, the longest %.1f mm round. Repair closes them"),
                                   check->n_holes, check->longest_hole_mm));
    if (check->n_bad_edges > 0)
        say(words, g_strdup_printf(_("%zu edges do not belong to two triangles that agree. Cut the "
                                     "surface again"),
                                   check->n_bad_edges));
    if (check->n_islands > 0)
        // Translators: how many parts, less than how many ml each, how many in all
        say(words, g_strdup_printf(_("%zu islands of less than %.3g ml, %.3f ml together. Repair "
                                     "leaves them out"),
                                   check->n_islands, params->least_part_ml, check->islands_ml));
    if (check->thin_share > 0.0)
        say(words, g_strdup_printf(_("%.1f %% of the walls are thinner than %.3g mm, the thinnest "
                                     "%.2f mm at L %.1f P %.1f S %.1f. Fill or smooth what it is "
                                     "cut from"),
                                   100.0 * check->thin_share, params->least_wall_mm,
                                   check->thinnest_mm, check->thinnest_at_mm.x,
                                   check->thinnest_at_mm.y, check->thinnest_at_mm.z));
    return words;
}

gboolean
bg_print_check_can_repair(const BgPrintCheck *check)
{
    return check->inside_out || check->n_holes > 0 || check->n_islands > 0;
}

// ------------------------------------------------------------------------------------------------
// Repair

// Without islands and without triangles that name a vertex twice.
static gboolean
select_sound(BgMesh *mesh, const BgPrintParams *params, BgPrintRepair *done, BgMeshData *kept,
             GError **error)
{
    const BgMeshData *data = bg_mesh_get_data(mesh);
    g_autofree guint8 *chosen = g_new(guint8, data->n_triangles);
    Parts parts = { 0 };

    if (!find_islands(mesh, params->least_part_ml, &parts, error)) {
        parts_clear(&parts);
        return FALSE;
    }
    for (gsize t = 0; t < data->n_triangles; t++) {
        const guint32 *v = data->triangles + 3 * t;
        gboolean twice = v[0] == v[1] || v[1] == v[2] || v[2] == v[0];
        chosen[t] = !twice && !parts.islands[parts.of[t]];
        done->n_triangles_removed += !chosen[t];
    }
    done->n_islands_removed = parts.n_islands;
    parts_clear(&parts);
    return bg_mesh_data_select(data, chosen, kept, error);
}

static guint
group_of(const GArray *groups, gsize triangle)
{
    guint g = 0;

    while (groups != NULL && g + 1 < groups->len &&
           triangle >= g_array_index(groups, BgMeshGroup, g + 1).first_triangle)
        g++;
    return g;
}

// A fan round the middle of the loop's vertices.
static void
append_fan(const Holes *holes, const Loop *loop, guint32 middle, GArray *triangles)
{
    for (guint i = 0; i < loop->n; i++) {
        const guint32 fan[3] = { loop_vertex(holes, loop, i + 1), loop_vertex(holes, loop, i),
                                 middle };
        g_array_append_vals(triangles, fan, 3);
    }
}

static BgVec3
loop_middle(const BgMeshData *data, const Holes *holes, const Loop *loop)
{
    BgVec3 sum = bg_vec3(0.0, 0.0, 0.0);

    for (guint i = 0; i < loop->n; i++)
        sum = bg_vec3_add(sum, bg_mesh_vertex(data, loop_vertex(holes, loop, i)));
    return bg_vec3_scale(sum, 1.0 / loop->n);
}

// @data with every hole closed, group by group.
static gboolean
fill_holes(const BgMeshData *data, const Holes *holes, BgMeshData *made, GError **error)
{
    g_autoptr(GArray) triangles = g_array_new(FALSE, FALSE, sizeof(guint32));
    guint n_groups = data->groups != NULL ? data->groups->len : 1;

    *made = (BgMeshData){ .n_vertices = data->n_vertices + holes->loops->len };
    made->groups = data->groups != NULL ? g_array_copy(data->groups) : NULL;
    for (guint g = 0; g < n_groups; g++) {
        const BgMeshGroup whole = { .n_triangles = data->n_triangles };
        const BgMeshGroup *run =
            data->groups != NULL ? &g_array_index(data->groups, BgMeshGroup, g) : &whole;
        gsize first = triangles->len / 3;
        g_array_append_vals(triangles, data->triangles + 3 * run->first_triangle,
                            (guint) (3 * run->n_triangles));
        for (guint h = 0; h < holes->loops->len; h++) {
            const Loop *loop = &g_array_index(holes->loops, Loop, h);
            if (group_of(data->groups, loop->triangle) == g)
                append_fan(holes, loop, (guint32) (data->n_vertices + h), triangles);
        }
        if (made->groups != NULL) {
            BgMeshGroup *group = &g_array_index(made->groups, BgMeshGroup, g);
            group->first_triangle = first;
            group->n_triangles = triangles->len / 3 - first;
        }
    }
    made->n_triangles = triangles->len / 3;
    made->positions = bg_buffer_alloc_items(3 * made->n_vertices, sizeof(float), error);
    if (made->positions != NULL)
        made->triangles = bg_buffer_alloc_items(3 * made->n_triangles, sizeof(guint32), error);
    if (made->triangles == NULL) {
        bg_mesh_data_clear(made);
        return FALSE;
    }
    memcpy(made->positions, data->positions, 3 * data->n_vertices * sizeof(float));
    memcpy(made->triangles, triangles->data, triangles->len * sizeof(guint32));
    for (guint h = 0; h < holes->loops->len; h++) {
        BgVec3 at = loop_middle(data, holes, &g_array_index(holes->loops, Loop, h));
        float *to = made->positions + 3 * (data->n_vertices + h);
        to[0] = (float) at.x;
        to[1] = (float) at.y;
        to[2] = (float) at.z;
    }
    return TRUE;
}

static BgMesh *
turn_out(BgMeshData *data, BgPrintRepair *done, GError **error)
{
    double six_volumes = 0.0;

    for (gsize t = 0; t < data->n_triangles; t++) {
        BgVec3 at =
            bg_vec3_sub(bg_mesh_vertex(data, data->triangles[3 * t]), bg_mesh_vertex(data, 0));
        six_volumes += bg_vec3_dot(at, bg_mesh_double_area(data, t));
    }
    done->turned = six_volumes < 0.0;
    for (gsize t = 0; done->turned && t < data->n_triangles; t++) {
        guint32 *v = data->triangles + 3 * t, other = v[1];
        v[1] = v[2];
        v[2] = other;
    }
    return bg_mesh_new_take(data, error);
}

BgMesh *
bg_mesh_print_repair(BgMesh *mesh, const BgPrintParams *params, BgPrintRepair *done, GError **error)
{
    BgMeshData kept, made;
    Holes holes;

    g_return_val_if_fail(mesh != NULL, NULL);
    g_return_val_if_fail(done != NULL, NULL);

    *done = (BgPrintRepair){ 0 };
    if (!check_params(mesh, params, error) || !select_sound(mesh, params, done, &kept, error))
        return NULL;
    gboolean ok = find_holes(&kept, &holes, error) && fill_holes(&kept, &holes, &made, error);
    done->n_holes_filled = holes.loops->len;
    holes_clear(&holes);
    bg_mesh_data_clear(&kept);
    return ok ? turn_out(&made, done, error) : NULL;
}
