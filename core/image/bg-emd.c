// SPDX-License-Identifier: Apache-2.0
#include "core/image/bg-emd.h"

#include "core/base/bg-buffer.h"

#include <math.h>
#include <string.h>

#define BINS_L 8
#define BINS_AB 12
#define N_BINS (BINS_L * BINS_AB * BINS_AB)
#define ARTIFICIAL_COST 1e4 // over any real path: nodes times the largest cost
#define OPTIMAL 1e-11       // a reduced cost over -this gains nothing
#define PIVOTS_A_LOOK 64

// The spanning tree of the network simplex. Nodes: supplies, then demands, then the root. The arc
// of a node goes to its parent (@up) or comes from it; arcs outside the tree carry nothing.
typedef struct {
    int n_supply, n_demand, root;
    const double *cost; // borrowed
    int *parent, *child, *next, *previous, *depth;
    gboolean *up;
    gint64 *flow;
    double *potential;
    int *stack;
    gsize at; // where the search for an entering arc goes on
} Tree;

static void
unlink_node(Tree *tree, int node)
{
    int parent = tree->parent[node];

    if (tree->previous[node] >= 0)
        tree->next[tree->previous[node]] = tree->next[node];
    else
        tree->child[parent] = tree->next[node];
    if (tree->next[node] >= 0)
        tree->previous[tree->next[node]] = tree->previous[node];
}

static void
link_node(Tree *tree, int node, int parent)
{
    tree->parent[node] = parent;
    tree->previous[node] = -1;
    tree->next[node] = tree->child[parent];
    if (tree->child[parent] >= 0)
        tree->previous[tree->child[parent]] = node;
    tree->child[parent] = node;
}

// All nodes hang on the root by artificial arcs.
static void
tree_start(Tree *tree, const gint64 *supply, const gint64 *demand)
{
    for (int node = 0; node <= tree->root; node++)
        tree->child[node] = -1;
    tree->parent[tree->root] = -1;
    for (int node = 0; node < tree->root; node++) {
        gboolean from = node < tree->n_supply;
        link_node(tree, node, tree->root);
        tree->up[node] = from;
        tree->flow[node] = from ? supply[node] : demand[node - tree->n_supply];
        tree->potential[node] = from ? -ARTIFICIAL_COST : ARTIFICIAL_COST;
        tree->depth[node] = 1;
    }
}

// Block search: the most negative reduced cost of a block of arcs, from where the last one ended.
static gboolean
find_entering(Tree *tree, int *from, int *to)
{
    gsize n = (gsize) tree->n_supply * (gsize) tree->n_demand, width = (gsize) tree->n_demand;
    gsize block = MAX((gsize) (4.0 * sqrt((double) n)), 16), in_block = 0, best_at = 0;
    double best = -OPTIMAL;

    for (gsize seen = 0; seen < n; seen++) {
        gsize arc = tree->at;
        gsize i = arc / width, j = arc % width;
        double reduced =
            tree->cost[arc] + tree->potential[i] - tree->potential[(gsize) tree->n_supply + j];
        if (reduced < best) {
            best = reduced;
            best_at = arc;
        }
        tree->at = arc + 1 == n ? 0 : arc + 1;
        if (++in_block == block) {
            if (best < -OPTIMAL)
                break;
            in_block = 0;
        }
    }
    *from = (int) (best_at / width);
    *to = tree->n_supply + (int) (best_at % width);
    return best < -OPTIMAL;
}

static int
find_join(const Tree *tree, int a, int b)
{
    while (a != b) {
        if (tree->depth[a] >= tree->depth[b])
            a = tree->parent[a];
        else
            b = tree->parent[b];
    }
    return a;
}

// The arc that empties first when flow is pushed round the cycle; ties as a strongly feasible tree
// wants them, so that the simplex cannot go round in circles (Cunningham 1976).
static int
find_leaving(const Tree *tree, int from, int to, int join, gint64 *delta, gboolean *on_from)
{
    int leaving = -1;

    *delta = G_MAXINT64;
    for (int node = from; node != join; node = tree->parent[node]) {
        if (tree->up[node] && tree->flow[node] < *delta) {
            *delta = tree->flow[node];
            leaving = node;
            *on_from = TRUE;
        }
    }
    for (int node = to; node != join; node = tree->parent[node]) {
        if (!tree->up[node] && tree->flow[node] <= *delta) {
            *delta = tree->flow[node];
            leaving = node;
            *on_from = FALSE;
        }
    }
    return leaving;
}

// The subtree cut off at @leaving is hung up by @node on @parent, with the entering arc.
static void
rehang(Tree *tree, int node, int parent, gboolean up, gint64 flow, int leaving)
{
    for (;;) {
        int old_parent = tree->parent[node];
        gboolean old_up = tree->up[node];
        gint64 old_flow = tree->flow[node];
        gboolean last = node == leaving;

        unlink_node(tree, node);
        link_node(tree, node, parent);
        tree->up[node] = up;
        tree->flow[node] = flow;
        if (last)
            break;
        parent = node;
        node = old_parent;
        up = !old_up;
        flow = old_flow;
    }
}

static void
shift_subtree(Tree *tree, int top, double by)
{
    int n = 0;

    tree->stack[n++] = top;
    while (n > 0) {
        int node = tree->stack[--n];
        tree->potential[node] += by;
        tree->depth[node] = tree->depth[tree->parent[node]] + 1;
        for (int child = tree->child[node]; child >= 0; child = tree->next[child])
            tree->stack[n++] = child;
    }
}

static void
pivot(Tree *tree, int from, int to)
{
    gint64 delta;
    gboolean on_from = FALSE;
    int join = find_join(tree, from, to);
    int leaving = find_leaving(tree, from, to, join, &delta, &on_from);
    double cost = tree->cost[(gsize) from * (gsize) tree->n_demand + (gsize) (to - tree->n_supply)];

    g_assert(leaving >= 0);
    for (int node = from; node != join; node = tree->parent[node])
        tree->flow[node] += tree->up[node] ? -delta : delta;
    for (int node = to; node != join; node = tree->parent[node])
        tree->flow[node] += tree->up[node] ? delta : -delta;
    double reduced = cost + tree->potential[from] - tree->potential[to];
    if (on_from) {
        rehang(tree, from, to, TRUE, delta, leaving);
        shift_subtree(tree, from, -reduced);
    } else {
        rehang(tree, to, from, FALSE, delta, leaving);
        shift_subtree(tree, to, reduced);
    }
}

static double
total_cost(const Tree *tree)
{
    double sum = 0.0;

    for (int node = 0; node < tree->root; node++) {
        int parent = tree->parent[node];
        if (parent == tree->root)
            continue; // artificial: empty in the end, as the masses are equal
        int from = tree->up[node] ? node : parent, to = tree->up[node] ? parent : node;
        sum += (double) tree->flow[node] *
               tree->cost[(gsize) from * (gsize) tree->n_demand + (gsize) (to - tree->n_supply)];
    }
    return sum;
}

static gboolean
solve(Tree *tree, double *cost, GCancellable *cancellable, GError **error)
{
    int from, to;

    for (int n = 0; find_entering(tree, &from, &to); n++) {
        if (n % PIVOTS_A_LOOK == 0 && g_cancellable_set_error_if_cancelled(cancellable, error))
            return FALSE;
        pivot(tree, from, to);
    }
    *cost = total_cost(tree);
    return TRUE;
}

gboolean
bg_emd(const gint64 *supply, gsize n_supply, const gint64 *demand, gsize n_demand,
       const double *cost, double *result, GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(n_supply >= 1 && n_supply < G_MAXINT / 4, FALSE);
    g_return_val_if_fail(n_demand >= 1 && n_demand < G_MAXINT / 4, FALSE);

    gsize n = n_supply + n_demand + 1;
    g_autofree int *links = g_new(int, 6 * n);
    g_autofree gboolean *up = g_new0(gboolean, n);
    g_autofree gint64 *flow = g_new0(gint64, n);
    g_autofree double *potential = g_new0(double, n);
    Tree tree = { .n_supply = (int) n_supply,
                  .n_demand = (int) n_demand,
                  .root = (int) n - 1,
                  .cost = cost,
                  .parent = links,
                  .child = links + n,
                  .next = links + 2 * n,
                  .previous = links + 3 * n,
                  .depth = links + 4 * n,
                  .stack = links + 5 * n,
                  .up = up,
                  .flow = flow,
                  .potential = potential };
    gint64 total = 0, wanted = 0;
    double sum;

    tree.depth[tree.root] = 0;
    for (gsize i = 0; i < n_supply; i++)
        total += supply[i];
    for (gsize j = 0; j < n_demand; j++)
        wanted += demand[j];
    g_return_val_if_fail(total == wanted && total > 0, FALSE);
    tree_start(&tree, supply, demand);
    if (!solve(&tree, &sum, cancellable, error))
        return FALSE;
    *result = sum / (double) total;
    return TRUE;
}

static double
linear(double code)
{
    return code <= 0.04045 ? code / 12.92 : pow((code + 0.055) / 1.055, 2.4);
}

static double
lab_root(double t)
{
    return t > 0.008856 ? cbrt(t) : 7.787 * t + 16.0 / 116.0;
}

static int
bin_of(double value, double low, double high, int n)
{
    return CLAMP((int) floor((value - low) / (high - low) * n), 0, n - 1);
}

// IEC 61966-2-1 to CIE 1976 L*a*b*, white D65 of the 2 degree observer.
static int
colour_bin(const double rgb[3])
{
    double r = linear(rgb[0]), g = linear(rgb[1]), b = linear(rgb[2]);
    double x = lab_root((0.412453 * r + 0.357580 * g + 0.180423 * b) / 0.95047);
    double y = lab_root(0.212671 * r + 0.715160 * g + 0.072169 * b);
    double z = lab_root((0.019334 * r + 0.119193 * g + 0.950227 * b) / 1.08883);
    int l_bin = bin_of(116.0 * y - 16.0, 0.0, 100.0, BINS_L);
    int a_bin = bin_of(500.0 * (x - y), -86.185, 98.254, BINS_AB);
    int b_bin = bin_of(200.0 * (y - z), -107.863, 94.482, BINS_AB);

    return (l_bin * BINS_AB + a_bin) * BINS_AB + b_bin;
}

static void
count_colours(const BgChannel *const *planes, int n_planes, const BgChannel *mask, gint64 *counts)
{
    for (gsize i = 0; i < bg_channel_count(planes[0]); i++) {
        double rgb[3];
        if (mask != NULL && !(mask->values[i] > 0.5f))
            continue;
        for (int c = 0; c < 3; c++)
            rgb[c] = CLAMP((double) planes[n_planes == 3 ? c : 0]->values[i], 0.0, 1.0);
        counts[colour_bin(rgb)]++;
    }
}

static gsize
compact(const gint64 *counts, gint64 *masses, int *bins)
{
    gsize n = 0;

    for (int bin = 0; bin < N_BINS; bin++) {
        if (counts[bin] > 0) {
            masses[n] = counts[bin];
            bins[n++] = bin;
        }
    }
    return n;
}

static double
bin_distance(int p, int q)
{
    double dl = p / (BINS_AB * BINS_AB) - q / (BINS_AB * BINS_AB);
    double da = p / BINS_AB % BINS_AB - q / BINS_AB % BINS_AB;
    double db = p % BINS_AB - q % BINS_AB;
    double largest = sqrt((BINS_L - 1) * (BINS_L - 1) + 2 * (BINS_AB - 1) * (BINS_AB - 1));

    return sqrt(dl * dl + da * da + db * db) / largest;
}

gboolean
bg_emd_colours(const BgChannel *const *a, const BgChannel *const *b, int n_planes,
               const BgChannel *mask, double *result, GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(n_planes == 1 || n_planes == 3, FALSE);

    g_autofree gint64 *counts = g_new0(gint64, 2 * N_BINS);
    g_autofree gint64 *masses = g_new(gint64, 2 * N_BINS);
    g_autofree int *bins = g_new(int, 2 * N_BINS);

    count_colours(a, n_planes, mask, counts);
    count_colours(b, n_planes, mask, counts + N_BINS);
    gsize n_a = compact(counts, masses, bins);
    gsize n_b = compact(counts + N_BINS, masses + N_BINS, bins + N_BINS);
    bg_auto_buffer double *cost = bg_buffer_alloc_items(n_a * n_b, sizeof(double), error);
    if (cost == NULL)
        return FALSE;
    for (gsize i = 0; i < n_a; i++) {
        for (gsize j = 0; j < n_b; j++)
            cost[i * n_b + j] = bin_distance(bins[i], bins[N_BINS + j]);
    }
    return bg_emd(masses, n_a, masses + N_BINS, n_b, cost, result, cancellable, error);
}
