// SPDX-License-Identifier: Apache-2.0
#include "bg-mesh-collapse.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-parallel.h"

#include <string.h>

#define GONE G_MAXUINT32 // a triangle's first vertex
#define GRAIN 8192       // triangles
#define EDGES_SHARE 3    // a pass looks at the cheapest edges, so many triangles for one of them
#define N_KEYS (1u << 16)
#define NO_EDGE (-1.0f)
#define MAX_RING 48    // triangles round one vertex that a step deals with
#define MIN_TURN 0.1   // cosine between a triangle's normals before and after a step
#define MIN_SHAPE 0.02 // twice the area over the longest edge's square, after a step
// The share of an edge's squared length in its cost: settles what lies in a plane.
#define SHAPE_WEIGHT 1e-5

typedef struct {
    BgCollapse *mesh;    // borrowed
    BgQuadric *quadrics; // mesh's
    guint8 *fixed;       // the vertex stays
    float *costs;        // of the edge from corner c to the next, or NO_EDGE
    guint32 *order;      // corners, the cheapest edges first
    guint32 *first;      // of each vertex's triangles in refs
    guint32 *count;
    guint32 *refs;
    gsize n_refs, room;
    guint32 *seen; // by which step a vertex was last seen as a neighbour
    guint32 step;
    double dearest;  // cost of an edge that this pass looks at
    guint8 *changed; // the vertex was in a step since the edges were ranked
    guint8 *degree;  // how many triangles the vertex has now; at most 255 is told
} Work;

// The triangles that an edge's two ends have besides the two between them.
typedef struct {
    guint32 triangles[2 * MAX_RING];
    guint n;
} Ring;

static BgVec3
triangle_normal(const Work *w, const guint32 *t)
{
    const BgVec3 *p = w->mesh->positions;

    return bg_vec3_cross(bg_vec3_sub(p[t[1]], p[t[0]]), bg_vec3_sub(p[t[2]], p[t[0]]));
}

static void
init_quadrics(Work *w)
{
    const BgCollapse *mesh = w->mesh;

    memset(w->quadrics, 0, mesh->n_vertices * sizeof *w->quadrics);
    for (const guint32 *t = mesh->triangles; t < mesh->triangles + 3 * mesh->n_triangles; t += 3) {
        BgVec3 normal = triangle_normal(w, t);
        double length = bg_vec3_length(normal);
        if (length > 0.0) {
            for (int corner = 0; corner < 3; corner++)
                bg_quadric_add_plane(&w->quadrics[t[corner]], bg_vec3_scale(normal, 1.0 / length),
                                     mesh->positions[t[0]], 0.5 * length);
        }
    }
}

// Triangles by vertex, after those that are gone were dropped.
static void
rebuild(Work *w)
{
    BgCollapse *mesh = w->mesh;
    guint32 *to = mesh->triangles;
    float *costs_to = w->costs;
    guint32 sum = 0;

    for (gsize c = 0; c < 3 * mesh->n_triangles; c += 3) {
        if (mesh->triangles[c] == GONE)
            continue;
        memmove(to, mesh->triangles + c, 3 * sizeof *to);
        memmove(costs_to, w->costs + c, 3 * sizeof *costs_to);
        to += 3;
        costs_to += 3;
    }
    mesh->n_triangles = (gsize) (to - mesh->triangles) / 3;

    memset(w->count, 0, mesh->n_vertices * sizeof *w->count);
    for (gsize c = 0; c < 3 * mesh->n_triangles; c++)
        w->count[mesh->triangles[c]]++;
    for (gsize v = 0; v < mesh->n_vertices; v++) {
        w->first[v] = sum;
        sum += w->count[v];
        w->count[v] = 0;
    }
    for (gsize c = 0; c < 3 * mesh->n_triangles; c++) {
        guint32 v = mesh->triangles[c];
        w->refs[w->first[v] + w->count[v]++] = (guint32) (c / 3);
    }
    for (gsize v = 0; v < mesh->n_vertices; v++)
        w->degree[v] = (guint8) MIN(w->count[v], 255);
    w->n_refs = sum;
}

static guint
corner_of(const guint32 *t, guint32 vertex)
{
    return t[0] == vertex ? 0 : t[1] == vertex ? 1 : 2;
}

// Whether each edge that leaves v comes back once.
static gboolean
is_closed_fan(const Work *w, guint32 v)
{
    const guint32 *refs = w->refs + w->first[v];

    if (w->count[v] < 3 || w->count[v] > MAX_RING)
        return FALSE;
    for (guint i = 0; i < w->count[v]; i++) {
        const guint32 *t = w->mesh->triangles + 3 * (gsize) refs[i];
        guint32 to = t[(corner_of(t, v) + 1) % 3];
        guint n_out = 0, n_in = 0;
        for (guint k = 0; k < w->count[v]; k++) {
            const guint32 *u = w->mesh->triangles + 3 * (gsize) refs[k];
            guint corner = corner_of(u, v);
            n_out += u[(corner + 1) % 3] == to;
            n_in += u[(corner + 2) % 3] == to;
        }
        if (n_out != 1 || n_in != 1 || to == v)
            return FALSE;
    }
    return TRUE;
}

static void
find_fixed(gsize first, gsize last, guint worker, gpointer user_data)
{
    Work *w = user_data;

    for (gsize v = first; v < last; v++)
        w->fixed[v] = !is_closed_fan(w, (guint32) v);
}

// Where the ends of an edge would meet. An end that is fixed stays.
static BgVec3
meeting_place(const Work *w, guint32 a, guint32 b, const BgQuadric *q)
{
    BgVec3 pa = w->mesh->positions[a], pb = w->mesh->positions[b];

    if (w->fixed[a] || w->fixed[b])
        return w->fixed[a] ? pa : pb;
    return bg_quadric_best(q, bg_vec3_scale(bg_vec3_add(pa, pb), 0.5));
}

static float
edge_cost(const Work *w, guint32 a, guint32 b)
{
    if (w->fixed[a] && w->fixed[b])
        return NO_EDGE;
    BgQuadric q = bg_quadric_sum(&w->quadrics[a], &w->quadrics[b]);
    BgVec3 edge = bg_vec3_sub(w->mesh->positions[a], w->mesh->positions[b]);
    double shape = SHAPE_WEIGHT * bg_vec3_dot(edge, edge) * bg_quadric_area(&q);

    return (float) (bg_quadric_at(&q, meeting_place(w, a, b, &q)) + shape);
}

// Each edge of a closed surface once: in the triangle where it goes from the smaller number to the larger.
// Those that no step has touched cost what they did.
static void
rank_triangles(gsize first, gsize last, guint worker, gpointer user_data)
{
    Work *w = user_data;

    for (gsize t = first; t < last; t++) {
        const guint32 *v = w->mesh->triangles + 3 * t;
        for (guint corner = 0; corner < 3; corner++) {
            guint32 a = v[corner], b = v[(corner + 1) % 3];
            if (w->changed[a] || w->changed[b])
                w->costs[3 * t + corner] = a < b ? edge_cost(w, a, b) : NO_EDGE;
        }
    }
}

// The sign is 0, so the upper bits of a float sort as it does.
static guint
cost_key(float cost)
{
    guint32 bits;

    memcpy(&bits, &cost, sizeof bits);
    return bits >> 22;
}

// Counting sort. Only what is cheaper than the @n_wanted'th edge, or a little dearer, is kept. Returns: how many.
static gsize
sort_edges(Work *w, gsize n_wanted)
{
    gsize n_corners = 3 * w->mesh->n_triangles, n_kept = 0;
    g_autofree guint32 *starts = g_new0(guint32, N_KEYS);
    guint32 sum = 0;
    guint last = 0;

    for (gsize c = 0; c < n_corners; c++) {
        if (w->costs[c] >= 0.0f)
            starts[cost_key(w->costs[c])]++;
    }
    for (guint key = 0; key < N_KEYS; key++) {
        guint32 n = starts[key];
        if (sum < n_wanted && n > 0)
            last = key; // a quarter more: eight bits of the fraction are in the key
        starts[key] = sum;
        sum += n;
    }
    for (gsize c = 0; c < n_corners; c++) {
        if (!(w->costs[c] >= 0.0f))
            continue;
        guint key = cost_key(w->costs[c]);
        if (key <= last) {
            w->order[starts[key]++] = (guint32) c;
            n_kept++;
        }
    }
    return n_kept;
}

// Marks the neighbours of v as seen in this step.
static void
mark_neighbours(Work *w, guint32 v)
{
    for (guint i = 0; i < w->count[v]; i++) {
        const guint32 *t = w->mesh->triangles + 3 * (gsize) w->refs[w->first[v] + i];
        if (t[0] == GONE)
            continue;
        for (int corner = 0; corner < 3; corner++)
            w->seen[t[corner]] = w->step;
    }
}

// The two triangles between a and b go to @between, the others of v to @ring.
static gboolean
collect_ring(const Work *w, guint32 v, guint32 a, guint32 b, Ring *ring, guint32 between[2],
             guint *n_between)
{
    *n_between = 0;
    for (guint i = 0; i < w->count[v]; i++) {
        guint32 number = w->refs[w->first[v] + i];
        const guint32 *t = w->mesh->triangles + 3 * (gsize) number;
        if (t[0] == GONE)
            continue;
        gboolean has_a = t[0] == a || t[1] == a || t[2] == a;
        gboolean has_b = t[0] == b || t[1] == b || t[2] == b;
        if (has_a && has_b) {
            if (*n_between == 2)
                return FALSE;
            between[(*n_between)++] = number;
        } else {
            if (ring->n == G_N_ELEMENTS(ring->triangles))
                return FALSE;
            ring->triangles[ring->n++] = number;
        }
    }
    return *n_between == 2;
}

static guint32
opposite(const guint32 *t, guint32 a, guint32 b)
{
    return t[0] != a && t[0] != b ? t[0] : t[1] != a && t[1] != b ? t[1] : t[2];
}

// a's neighbours are marked; a and b themselves count as seen. In common with b may be the two opposite
// vertices only, and those keep three triangles.
static gboolean
link_allows(Work *w, guint32 a, guint32 b, const Ring *ring, guint from, const guint32 between[2])
{
    guint32 c = opposite(w->mesh->triangles + 3 * (gsize) between[0], a, b);
    guint32 d = opposite(w->mesh->triangles + 3 * (gsize) between[1], a, b);

    if (c == d || w->degree[c] <= 3 || w->degree[d] <= 3)
        return FALSE;
    for (guint i = from; i < ring->n; i++) {
        const guint32 *t = w->mesh->triangles + 3 * (gsize) ring->triangles[i];
        for (int corner = 0; corner < 3; corner++) {
            guint32 v = t[corner];
            if (v != b && v != c && v != d && w->seen[v] == w->step)
                return FALSE;
        }
    }
    return TRUE;
}

static double
longest_edge2(const BgVec3 p[3])
{
    double longest = 0.0;

    for (int i = 0; i < 3; i++) {
        BgVec3 edge = bg_vec3_sub(p[(i + 1) % 3], p[i]);
        longest = MAX(longest, bg_vec3_dot(edge, edge));
    }
    return longest;
}

// Whether the triangle keeps its side and does not become flat when a and b move to @to. The normal of one that
// is flat already is chance: it is held against @around, the sum of all that move.
static gboolean
triangle_allows(const Work *w, const guint32 *t, guint32 a, guint32 b, BgVec3 to, BgVec3 around)
{
    BgVec3 p[3], q[3], before = triangle_normal(w, t);

    for (int corner = 0; corner < 3; corner++) {
        q[corner] = w->mesh->positions[t[corner]];
        p[corner] = t[corner] == a || t[corner] == b ? to : q[corner];
    }
    BgVec3 after = bg_vec3_cross(bg_vec3_sub(p[1], p[0]), bg_vec3_sub(p[2], p[0]));
    double after2 = bg_vec3_dot(after, after), before2 = bg_vec3_dot(before, before);
    double longest2 = longest_edge2(p), was2 = longest_edge2(q);
    gboolean was_flat = !(before2 > MIN_SHAPE * MIN_SHAPE * was2 * was2);

    if (!(after2 > MIN_SHAPE * MIN_SHAPE * longest2 * longest2) &&
        (!was_flat || after2 * was2 * was2 < before2 * longest2 * longest2))
        return FALSE;
    if (before2 == 0.0 && after2 == 0.0)
        return TRUE; // as it was
    BgVec3 side = was_flat ? around : before;
    double dot = bg_vec3_dot(side, after);
    return dot > 0.0 && dot * dot > MIN_TURN * MIN_TURN * bg_vec3_dot(side, side) * after2;
}

static void
join_ends(Work *w, guint32 a, guint32 b, BgVec3 to, const BgQuadric *q, const Ring *ring,
          const guint32 between[2])
{
    guint32 *triangles = w->mesh->triangles;

    w->mesh->positions[a] = to;
    w->quadrics[a] = *q;
    w->fixed[a] |= w->fixed[b];
    w->changed[a] = w->changed[b] = 1;
    for (int i = 0; i < 2; i++) {
        guint32 *t = triangles + 3 * (gsize) between[i];
        w->degree[opposite(t, a, b)]--;
        t[0] = GONE;
    }
    w->degree[a] = (guint8) ring->n;
    for (guint i = 0; i < ring->n; i++) {
        guint32 *t = triangles + 3 * (gsize) ring->triangles[i];
        for (int corner = 0; corner < 3; corner++) {
            if (t[corner] == b)
                t[corner] = a;
        }
    }
    w->first[a] = (guint32) w->n_refs;
    w->count[a] = ring->n;
    w->count[b] = 0;
    memcpy(w->refs + w->n_refs, ring->triangles, ring->n * sizeof(guint32));
    w->n_refs += ring->n;
}

static gboolean
ring_allows(const Work *w, const Ring *ring, guint32 a, guint32 b, BgVec3 to, BgVec3 around)
{
    for (guint i = 0; i < ring->n; i++) {
        const guint32 *t = w->mesh->triangles + 3 * (gsize) ring->triangles[i];
        if (!triangle_allows(w, t, a, b, to, around))
            return FALSE;
    }
    return TRUE;
}

// The best place that no triangle forbids: among small rough triangles the one of least error is often
// beyond them, and then the middle or an end may do. Returns: whether there is one, not dearer than the pass.
static gboolean
find_place(const Work *w, const Ring *ring, guint32 a, guint32 b, const BgQuadric *q, BgVec3 *place)
{
    BgVec3 pa = w->mesh->positions[a], pb = w->mesh->positions[b], around = bg_vec3(0, 0, 0);
    BgVec3 places[4] = { meeting_place(w, a, b, q), bg_vec3_scale(bg_vec3_add(pa, pb), 0.5), pa,
                         pb };
    int n_places = w->fixed[a] || w->fixed[b] ? 1 : 4;
    double area = bg_quadric_area(q), bound = w->mesh->max_error_mm;

    for (guint i = 0; i < ring->n; i++)
        around = bg_vec3_add(
            around, triangle_normal(w, w->mesh->triangles + 3 * (gsize) ring->triangles[i]));
    for (int i = 0; i < n_places; i++) {
        double value = bg_quadric_at(q, places[i]);
        if (value > bound * bound * area || (i > 0 && value > w->dearest) ||
            !ring_allows(w, ring, a, b, places[i], around))
            continue;
        *place = places[i];
        return TRUE;
    }
    return FALSE;
}

// Returns: whether the edge was taken.
static gboolean
try_edge(Work *w, guint32 a, guint32 b)
{
    Ring ring = { .n = 0 };
    guint32 between[2];
    guint n_between;
    BgQuadric q = bg_quadric_sum(&w->quadrics[a], &w->quadrics[b]);
    double area = bg_quadric_area(&q);
    BgVec3 to;

    if (!collect_ring(w, a, a, b, &ring, between, &n_between))
        return FALSE;
    guint n_of_a = ring.n;
    if (!collect_ring(w, b, a, b, &ring, between, &n_between) || ring.n > MAX_RING ||
        w->n_refs + ring.n > w->room)
        return FALSE;
    w->step++;
    mark_neighbours(w, a);
    if (!link_allows(w, a, b, &ring, n_of_a, between) || !find_place(w, &ring, a, b, &q, &to))
        return FALSE;
    // The one that stays gives the joint vertex its number.
    join_ends(w, w->fixed[b] ? b : a, w->fixed[b] ? a : b, to, &q, &ring, between);
    if (area > 0.0)
        w->mesh->error_mm = MAX(w->mesh->error_mm, sqrt(bg_quadric_at(&q, to) / area));
    return TRUE;
}

// What edge i will ask for: nearly each of these is in another line of the cache.
static void
fetch_ahead(const Work *w, gsize i, gsize n_edges)
{
    if (i + 32 < n_edges)
        __builtin_prefetch(w->mesh->triangles + w->order[i + 32]);
    for (guint end = 0; i + 16 < n_edges && end < 2; end++) {
        guint32 corner = w->order[i + 16], rest = corner % 3;
        guint32 v = w->mesh->triangles[corner - rest + (rest + end) % 3];
        if (v == GONE)
            continue;
        __builtin_prefetch(w->first + v);
        __builtin_prefetch(w->quadrics + v);
        __builtin_prefetch((const guint8 *) (w->quadrics + v) + 64);
    }
    for (guint end = 0; i + 8 < n_edges && end < 2; end++) {
        guint32 corner = w->order[i + 8], rest = corner % 3;
        guint32 v = w->mesh->triangles[corner - rest + (rest + end) % 3];
        if (v != GONE)
            __builtin_prefetch(w->refs + w->first[v]);
    }
}

// The edges in order; those whose ends another step of this pass has moved wait for the next.
static gsize
take_edges(Work *w, gsize n_edges, gsize n_wanted, GCancellable *cancellable)
{
    gsize n_taken = 0;

    w->dearest = n_edges > 0 ? (double) w->costs[w->order[n_edges - 1]] : 0.0;
    for (gsize i = 0; i < n_edges && n_taken < n_wanted; i++) {
        guint32 corner = w->order[i], rest = corner % 3;
        const guint32 *t = w->mesh->triangles + (corner - rest);
        guint32 a = t[rest], b = t[(rest + 1) % 3];
        if (i % 8192 == 0 && g_cancellable_is_cancelled(cancellable))
            break;
        fetch_ahead(w, i, n_edges);
        if (t[0] != GONE && !w->changed[a] && !w->changed[b])
            n_taken += try_edge(w, a, b);
    }
    return n_taken;
}

static gboolean
run(Work *w, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    BgCollapse *mesh = w->mesh;
    gsize n_start = mesh->n_triangles;

    memset(w->changed, 1, mesh->n_vertices);
    memset(w->costs, 0, 3 * mesh->n_triangles * sizeof *w->costs);
    rebuild(w);
    bg_parallel_for(mesh->n_vertices, GRAIN, find_fixed, w, cancellable);
    if (!mesh->has_quadrics)
        init_quadrics(w);
    for (gsize share = EDGES_SHARE; mesh->n_triangles > mesh->n_target && share > 0;) {
        gsize n_wanted = (mesh->n_triangles - mesh->n_target + 1) / 2; // a step takes two triangles
        bg_parallel_for(mesh->n_triangles, GRAIN, rank_triangles, w, cancellable);
        memset(w->changed, 0, mesh->n_vertices);
        gsize n_edges = sort_edges(w, share > 1 ? mesh->n_triangles / share : G_MAXSIZE);
        gsize n_taken = take_edges(w, n_edges, n_wanted, cancellable);
        rebuild(w);
        bg_progress_report(progress, (double) (n_start - mesh->n_triangles) /
                                         (double) MAX(n_start - mesh->n_target, 1));
        if (g_cancellable_is_cancelled(cancellable))
            break;
        if (n_taken <= n_edges / 32) // the cheap ones cannot be taken: look at dearer ones
            share /= 2;
    }
    return !g_cancellable_set_error_if_cancelled(cancellable, error);
}

static gpointer
alloc_items(gsize n, gsize size, gboolean *ok, GError **error)
{
    gpointer items = *ok ? bg_buffer_alloc_items(n, size, error) : NULL;

    *ok = items != NULL;
    return items;
}

gboolean
bg_mesh_collapse(BgCollapse *self, const BgProgress *progress, GCancellable *cancellable,
                 GError **error)
{
    gsize n = self->n_vertices, n_corners = 3 * self->n_triangles;
    gboolean ok = TRUE;
    Work w = { .mesh = self, .room = n_corners + n_corners / 2 };

    self->error_mm = 0.0;
    bg_auto_buffer guint8 *fixed = alloc_items(n, 1, &ok, error);
    bg_auto_buffer guint8 *changed = alloc_items(n, 1, &ok, error);
    bg_auto_buffer guint8 *degree = alloc_items(n, 1, &ok, error);
    bg_auto_buffer float *costs = alloc_items(n_corners, sizeof(float), &ok, error);
    bg_auto_buffer guint32 *order = alloc_items(n_corners, sizeof(guint32), &ok, error);
    bg_auto_buffer guint32 *first = alloc_items(n, sizeof(guint32), &ok, error);
    bg_auto_buffer guint32 *count = alloc_items(n, sizeof(guint32), &ok, error);
    bg_auto_buffer guint32 *seen = alloc_items(n, sizeof(guint32), &ok, error);
    bg_auto_buffer guint32 *refs = alloc_items(w.room, sizeof(guint32), &ok, error);
    if (!ok)
        return FALSE;

    memset(seen, 0, n * sizeof *seen);
    w.quadrics = self->quadrics;
    w.fixed = fixed;
    w.changed = changed;
    w.degree = degree;
    w.costs = costs;
    w.order = order;
    w.first = first;
    w.count = count;
    w.seen = seen;
    w.refs = refs;
    return run(&w, progress, cancellable, error);
}
