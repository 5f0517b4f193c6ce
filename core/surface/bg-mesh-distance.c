// SPDX-License-Identifier: Apache-2.0
#include "bg-mesh-distance.h"

#include "bg-mesh-private.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#include <string.h>

#define LEAF_TRIANGLES 4
#define MAX_DEPTH 64
#define GRAIN 1024 // points
#define MAX_SAMPLES 100000000u

// In depth-first order: the first child follows its parent.
typedef struct {
    float low[3], high[3]; // round all of its triangles
    guint32 second;        // the second child, or 0 for a leaf
    guint32 first, n;      // a leaf's run in order[]
} Node;

struct _BgMeshTree {
    BgMesh *mesh;           // owned reference
    const BgMeshData *data; // of mesh
    Node *nodes;            // owned
    guint32 *order;         // owned: triangles by leaves
    gsize n_nodes;
};

typedef struct {
    BgMeshTree *tree;
    float *centres; // 3 a triangle: three times the centroid
} Build;

static void
bound_triangles(const Build *build, gsize first, gsize n, Node *node, float *low, float *high)
{
    const BgMeshData *data = build->tree->data;

    for (int axis = 0; axis < 3; axis++) {
        node->low[axis] = low[axis] = INFINITY;
        node->high[axis] = high[axis] = -INFINITY;
    }
    for (gsize i = first; i < first + n; i++) {
        gsize t = build->tree->order[i];
        for (int axis = 0; axis < 3; axis++) {
            float centre = build->centres[3 * t + (gsize) axis];
            low[axis] = MIN(low[axis], centre);
            high[axis] = MAX(high[axis], centre);
            for (int corner = 0; corner < 3; corner++) {
                gsize vertex = data->triangles[3 * t + (gsize) corner];
                float at = data->positions[3 * vertex + (gsize) axis];
                node->low[axis] = MIN(node->low[axis], at);
                node->high[axis] = MAX(node->high[axis], at);
            }
        }
    }
}

// Brings the smaller half of order[first..first+n-1] along @axis to the front (Hoare's selection).
static void
split_half(const Build *build, gsize first, gsize n, int axis)
{
    guint32 *order = build->tree->order;
    gssize low = (gssize) first, high = (gssize) (first + n - 1), middle = (gssize) (first + n / 2);

    while (low < high) {
        float pivot = build->centres[3 * (gsize) order[(low + high) / 2] + (gsize) axis];
        gssize i = low, j = high;
        while (i <= j) {
            while (build->centres[3 * (gsize) order[i] + (gsize) axis] < pivot)
                i++;
            while (build->centres[3 * (gsize) order[j] + (gsize) axis] > pivot)
                j--;
            if (i <= j) {
                guint32 other = order[i];
                order[i++] = order[j];
                order[j--] = other;
            }
        }
        if (middle <= j)
            high = j;
        else if (middle >= i)
            low = i;
        else
            break;
    }
}

static guint32
build_node(const Build *build, gsize first, gsize n)
{
    BgMeshTree *tree = build->tree;
    guint32 number = (guint32) tree->n_nodes++;
    Node *node = &tree->nodes[number];
    float low[3], high[3];
    int axis = 0;

    *node = (Node){ .first = (guint32) first, .n = (guint32) n };
    bound_triangles(build, first, n, node, low, high);
    if (n <= LEAF_TRIANGLES)
        return number;
    for (int other = 1; other < 3; other++) {
        if (high[other] - low[other] > high[axis] - low[axis])
            axis = other;
    }
    split_half(build, first, n, axis);
    build_node(build, first, n / 2);
    node->second = build_node(build, first + n / 2, n - n / 2);
    return number;
}

BgMeshTree *
bg_mesh_tree_new(BgMesh *mesh, GError **error)
{
    g_return_val_if_fail(mesh != NULL, NULL);

    const BgMeshData *data = bg_mesh_get_data(mesh);
    g_autoptr(BgMeshTree) tree = g_new0(BgMeshTree, 1);
    tree->mesh = bg_mesh_ref(mesh);
    tree->data = data;
    bg_auto_buffer float *centres =
        bg_buffer_alloc_items(3 * data->n_triangles, sizeof(float), error);
    if (centres == NULL)
        return NULL;
    tree->order = bg_buffer_alloc_items(data->n_triangles, sizeof(guint32), error);
    if (tree->order == NULL)
        return NULL;
    tree->nodes = bg_buffer_alloc_items(data->n_triangles, sizeof(Node), error);
    if (tree->nodes == NULL)
        return NULL;

    for (gsize t = 0; t < data->n_triangles; t++) {
        const guint32 *vertex = data->triangles + 3 * t;
        tree->order[t] = (guint32) t;
        for (gsize axis = 0; axis < 3; axis++)
            centres[3 * t + axis] = data->positions[3 * (gsize) vertex[0] + axis] +
                                    data->positions[3 * (gsize) vertex[1] + axis] +
                                    data->positions[3 * (gsize) vertex[2] + axis];
    }
    Build build = { .tree = tree, .centres = centres };
    if (data->n_triangles > 0)
        build_node(&build, 0, data->n_triangles);
    return g_steal_pointer(&tree);
}

void
bg_mesh_tree_free(BgMeshTree *tree)
{
    if (tree == NULL)
        return;
    bg_buffer_free(tree->nodes);
    bg_buffer_free(tree->order);
    bg_mesh_unref(tree->mesh);
    g_free(tree);
}

static BgVec3
nearest_on_segment(BgVec3 p, BgVec3 a, BgVec3 b)
{
    BgVec3 ab = bg_vec3_sub(b, a);
    double length2 = bg_vec3_dot(ab, ab);
    double t = length2 > 0.0 ? bg_vec3_dot(bg_vec3_sub(p, a), ab) / length2 : 0.0;

    return bg_vec3_along(a, CLAMP(t, 0.0, 1.0), ab);
}

static double
squared_distance(BgVec3 a, BgVec3 b)
{
    BgVec3 d = bg_vec3_sub(a, b);

    return bg_vec3_dot(d, d);
}

// The foot of the perpendicular where that is inside all three edges, else the nearest point of the edges:
// for flat triangles too.
static BgVec3
nearest_on_triangle(BgVec3 p, const BgVec3 v[3])
{
    BgVec3 normal = bg_vec3_cross(bg_vec3_sub(v[1], v[0]), bg_vec3_sub(v[2], v[0]));
    double length2 = bg_vec3_dot(normal, normal), best = INFINITY;
    gboolean inside = length2 > 0.0;
    BgVec3 nearest = v[0];

    for (int i = 0; inside && i < 3; i++) {
        BgVec3 edge = bg_vec3_sub(v[(i + 1) % 3], v[i]);
        inside = bg_vec3_dot(bg_vec3_cross(edge, bg_vec3_sub(p, v[i])), normal) >= 0.0;
    }
    if (inside)
        return bg_vec3_along(p, -bg_vec3_dot(bg_vec3_sub(p, v[0]), normal) / length2, normal);
    for (int i = 0; i < 3; i++) {
        BgVec3 at = nearest_on_segment(p, v[i], v[(i + 1) % 3]);
        double d2 = squared_distance(p, at);
        if (d2 < best) {
            best = d2;
            nearest = at;
        }
    }
    return nearest;
}

static double
box_distance2(const Node *node, const double p[3])
{
    double sum = 0.0;

    for (int axis = 0; axis < 3; axis++) {
        double d =
            MAX(MAX((double) node->low[axis] - p[axis], p[axis] - (double) node->high[axis]), 0.0);
        sum += d * d;
    }
    return sum;
}

static void
search_leaf(const BgMeshTree *tree, const Node *node, BgVec3 p, double *best, BgVec3 *nearest)
{
    for (guint32 i = 0; i < node->n; i++) {
        const guint32 *t = tree->data->triangles + 3 * (gsize) tree->order[node->first + i];
        BgVec3 v[3] = { bg_mesh_vertex(tree->data, t[0]), bg_mesh_vertex(tree->data, t[1]),
                        bg_mesh_vertex(tree->data, t[2]) };
        BgVec3 at = nearest_on_triangle(p, v);
        double d2 = squared_distance(p, at);
        if (d2 < *best) {
            *best = d2;
            *nearest = at;
        }
    }
}

// Where a ray enters a box, infinity where it passes by.
static double
enter_box(const Node *node, const double origin[3], const double inverse[3])
{
    double enter = 0.0, leave = INFINITY;

    for (int axis = 0; axis < 3; axis++) {
        double a = ((double) node->low[axis] - origin[axis]) * inverse[axis];
        double b = ((double) node->high[axis] - origin[axis]) * inverse[axis];
        enter = fmax(enter, fmin(a, b)); // a ray within a face gives NaN, which these leave out
        leave = fmin(leave, fmax(a, b));
    }
    return enter <= leave ? enter : (double) INFINITY;
}

// Moeller and Trumbore 1997, of triangles that face along with the ray.
static double
exit_triangle(const BgMeshData *data, gsize triangle, BgVec3 origin, BgVec3 direction)
{
    const guint32 *t = data->triangles + 3 * triangle;
    BgVec3 a = bg_mesh_vertex(data, t[0]);
    BgVec3 ab = bg_vec3_sub(bg_mesh_vertex(data, t[1]), a);
    BgVec3 ac = bg_vec3_sub(bg_mesh_vertex(data, t[2]), a);
    BgVec3 p = bg_vec3_cross(direction, ac);
    double determinant = bg_vec3_dot(ab, p);

    if (determinant >= 0.0)
        return INFINITY;
    BgVec3 from_a = bg_vec3_sub(origin, a), q = bg_vec3_cross(from_a, ab);
    double u = bg_vec3_dot(from_a, p) / determinant, v = bg_vec3_dot(direction, q) / determinant;
    if (u < -1e-9 || v < -1e-9 || u + v > 1.0 + 1e-9)
        return INFINITY;
    return bg_vec3_dot(ac, q) / determinant;
}

double
bg_mesh_tree_exit_mm(const BgMeshTree *tree, BgVec3 origin_mm, BgVec3 direction, double from_mm)
{
    const double origin[3] = { origin_mm.x, origin_mm.y, origin_mm.z };
    const double inverse[3] = { 1.0 / direction.x, 1.0 / direction.y, 1.0 / direction.z };
    guint32 stack[MAX_DEPTH];
    double best = INFINITY;
    guint n = 0;

    if (tree->n_nodes > 0)
        stack[n++] = 0;
    while (n > 0) {
        const Node *node = &tree->nodes[stack[--n]];
        if (enter_box(node, origin, inverse) >= best)
            continue;
        for (guint32 i = 0; node->second == 0 && i < node->n; i++) {
            double at =
                exit_triangle(tree->data, tree->order[node->first + i], origin_mm, direction);
            if (at >= from_mm && at < best)
                best = at;
        }
        if (node->second != 0) {
            stack[n++] = node->second;
            stack[n++] = (guint32) (node - tree->nodes) + 1;
        }
    }
    return best;
}

double
bg_mesh_tree_distance_mm(const BgMeshTree *tree, BgVec3 point_mm, BgVec3 *nearest)
{
    const double p[3] = { point_mm.x, point_mm.y, point_mm.z };
    struct {
        guint32 node;
        double d2;
    } stack[MAX_DEPTH];
    double best = INFINITY;
    BgVec3 found = point_mm;
    guint n = 0;

    if (tree->n_nodes == 0)
        return INFINITY;
    stack[n].node = 0;
    stack[n++].d2 = box_distance2(&tree->nodes[0], p);
    while (n > 0) {
        const Node *node = &tree->nodes[stack[--n].node];
        if (stack[n].d2 >= best)
            continue;
        if (node->second == 0) {
            search_leaf(tree, node, point_mm, &best, &found);
            continue;
        }
        guint32 near = (guint32) (node - tree->nodes) + 1, far = node->second;
        double near2 = box_distance2(&tree->nodes[near], p);
        double far2 = box_distance2(&tree->nodes[far], p);
        if (far2 < near2) {
            guint32 other = near;
            double other2 = near2;
            near = far;
            near2 = far2;
            far = other;
            far2 = other2;
        }
        stack[n].node = far;
        stack[n++].d2 = far2;
        stack[n].node = near;
        stack[n++].d2 = near2;
    }
    if (nearest != NULL)
        *nearest = found;
    return sqrt(best);
}

// Where @at lies on the triangle, as the share of a full turn around it that the triangle takes: a corner's
// angle, half a turn on an edge, all of it within.
static double
angle_at(const BgVec3 v[3], BgVec3 at, double reach2)
{
    for (int i = 0; i < 3; i++) {
        if (squared_distance(at, v[i]) > reach2)
            continue;
        BgVec3 a = bg_vec3_normalize(bg_vec3_sub(v[(i + 1) % 3], v[i]));
        BgVec3 b = bg_vec3_normalize(bg_vec3_sub(v[(i + 2) % 3], v[i]));
        return acos(CLAMP(bg_vec3_dot(a, b), -1.0, 1.0));
    }
    for (int i = 0; i < 3; i++) {
        if (squared_distance(at, nearest_on_segment(at, v[i], v[(i + 1) % 3])) <= reach2)
            return G_PI;
    }
    return 2.0 * G_PI;
}

// Sums the normals of the triangles that hold the point @at, by a walk of the boxes that touch it.
static BgVec3
pseudonormal(const BgMeshTree *tree, BgVec3 at, double reach2)
{
    const double p[3] = { at.x, at.y, at.z };
    BgVec3 sum = bg_vec3(0.0, 0.0, 0.0);
    guint32 stack[MAX_DEPTH];
    guint n = 0;

    stack[n++] = 0;
    while (n > 0) {
        const Node *node = &tree->nodes[stack[--n]];
        if (box_distance2(node, p) > reach2)
            continue;
        if (node->second != 0) {
            stack[n++] = node->second;
            stack[n++] = (guint32) (node - tree->nodes) + 1;
            continue;
        }
        for (guint32 i = 0; i < node->n; i++) {
            guint32 number = tree->order[node->first + i];
            const guint32 *t = tree->data->triangles + 3 * (gsize) number;
            BgVec3 v[3] = { bg_mesh_vertex(tree->data, t[0]), bg_mesh_vertex(tree->data, t[1]),
                            bg_mesh_vertex(tree->data, t[2]) };
            BgVec3 normal = bg_mesh_double_area(tree->data, number);
            if (bg_vec3_dot(normal, normal) > 0.0 &&
                squared_distance(at, nearest_on_triangle(at, v)) <= reach2)
                sum = bg_vec3_along(sum, angle_at(v, at, reach2), bg_vec3_normalize(normal));
        }
    }
    return sum;
}

double
bg_mesh_tree_signed_mm(const BgMeshTree *tree, BgVec3 point_mm)
{
    BgVec3 nearest;
    double distance = bg_mesh_tree_distance_mm(tree, point_mm, &nearest);

    if (!isfinite(distance) || distance == 0.0)
        return distance;
    // Rounding of a foot, in mm squared: 1e-9 of the largest coordinate, at least a nanometre.
    double size = 1.0 + fabs(nearest.x) + fabs(nearest.y) + fabs(nearest.z);
    BgVec3 normal = pseudonormal(tree, nearest, 1e-18 * size * size);
    return bg_vec3_dot(normal, bg_vec3_sub(point_mm, nearest)) < 0.0 ? -distance : distance;
}

// The radical inverse: 0..1, spread evenly (van der Corput 1935).
static double
radical_inverse(gsize n, gsize base)
{
    double inverse = 0.0, digit = 1.0 / (double) base;

    for (; n > 0; n /= base, digit /= (double) base)
        inverse += (double) (n % base) * digit;
    return inverse;
}

// One point in each of n pieces of equal area, in the order of the triangles.
static gboolean
sample_surface(const BgMeshData *data, gsize n, BgVec3 *points, GError **error)
{
    double total = 0.0, before = 0.0, area = 0.0;
    gsize next = 0;

    for (gsize t = 0; t < data->n_triangles; t++)
        total += bg_vec3_length(bg_mesh_double_area(data, t));
    if (!(total > 0.0)) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("Distances between surfaces cannot be measured: one of them is "
                              "empty. Choose two meshes with triangles"));
        return FALSE;
    }
    for (gsize i = 0; i < n; i++) {
        double at = ((double) i + 0.5) / (double) n * total;
        while (next < data->n_triangles && before + area <= at) {
            before += area;
            area = bg_vec3_length(bg_mesh_double_area(data, next++));
        }
        // Uniform in a triangle: (Osada et al. 2002) 1 - sqrt(u), sqrt(u) (1 - v), sqrt(u) v.
        double root = sqrt(radical_inverse(i + 1, 2)), v = radical_inverse(i + 1, 3);
        const guint32 *t = data->triangles + 3 * (next - 1);
        BgVec3 point = bg_vec3_scale(bg_mesh_vertex(data, t[0]), 1.0 - root);
        point = bg_vec3_along(point, root * (1.0 - v), bg_mesh_vertex(data, t[1]));
        points[i] = bg_vec3_along(point, root * v, bg_mesh_vertex(data, t[2]));
    }
    return TRUE;
}

typedef struct {
    const BgMeshTree *tree;
    const BgVec3 *points;
    double *distances;
} Measure;

static void
measure_points(gsize first, gsize last, guint worker, gpointer user_data)
{
    Measure *self = user_data;

    for (gsize i = first; i < last; i++)
        self->distances[i] = bg_mesh_tree_distance_mm(self->tree, self->points[i], NULL);
}

static gboolean
measure_one_way(BgMesh *from, BgMesh *to, gsize n, double *distances, GCancellable *cancellable,
                GError **error)
{
    bg_auto_buffer BgVec3 *points = bg_buffer_alloc_items(n, sizeof(BgVec3), error);

    if (points == NULL || !sample_surface(bg_mesh_get_data(from), n, points, error))
        return FALSE;
    g_autoptr(BgMeshTree) tree = bg_mesh_tree_new(to, error);
    if (tree == NULL)
        return FALSE;
    Measure measure = { .tree = tree, .points = points, .distances = distances };
    if (!bg_parallel_for(n, GRAIN, measure_points, &measure, cancellable)) {
        g_cancellable_set_error_if_cancelled(cancellable, error);
        return FALSE;
    }
    return TRUE;
}

static int
compare_doubles(gconstpointer a, gconstpointer b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return x < y ? -1 : x > y;
}

static void
summarise(const double *distances, gsize n, double *mean, double *mean_square, double *max)
{
    double sum = 0.0, squares = 0.0;

    *max = 0.0;
    for (gsize i = 0; i < n; i++) {
        sum += distances[i];
        squares += distances[i] * distances[i];
        *max = MAX(*max, distances[i]);
    }
    *mean = sum / (double) n;
    *mean_square = squares / (double) n;
}

gboolean
bg_mesh_distance(BgMesh *a, BgMesh *b, gsize n_samples, BgMeshDistance *distance,
                 const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    BgMeshDistance found;
    double square_ab, square_ba;

    g_return_val_if_fail(a != NULL && b != NULL, FALSE);
    g_return_val_if_fail(distance != NULL, FALSE);
    g_return_val_if_fail(n_samples >= 1 && n_samples <= MAX_SAMPLES, FALSE);

    bg_auto_buffer double *distances = bg_buffer_alloc_items(2 * n_samples, sizeof(double), error);
    if (distances == NULL || !measure_one_way(a, b, n_samples, distances, cancellable, error))
        return FALSE;
    bg_progress_report(progress, 0.5);
    if (!measure_one_way(b, a, n_samples, distances + n_samples, cancellable, error))
        return FALSE;

    summarise(distances, n_samples, &found.mean_ab_mm, &square_ab, &found.max_ab_mm);
    summarise(distances + n_samples, n_samples, &found.mean_ba_mm, &square_ba, &found.max_ba_mm);
    found.mean_mm = 0.5 * (found.mean_ab_mm + found.mean_ba_mm);
    found.rms_mm = sqrt(0.5 * (square_ab + square_ba));
    found.max_mm = MAX(found.max_ab_mm, found.max_ba_mm);
    qsort(distances, 2 * n_samples, sizeof(double), compare_doubles);
    double at = 0.95 * (double) (2 * n_samples - 1);
    gsize low = (gsize) at;
    found.p95_mm = distances[low] + (at - (double) low) * (distances[low + 1] - distances[low]);
    *distance = found;
    bg_progress_report(progress, 1.0);
    return TRUE;
}
