// SPDX-License-Identifier: Apache-2.0
#include "bg-marching-table.h"

#include <math.h>

#define N_EDGES 12
#define FORBIDDEN 1e12

// The lower corner of an edge; the upper one is 1 << axis more.
static int
edge_corner(int edge)
{
    int axis = edge >> 2, a = edge & 1, b = edge >> 1 & 1;

    return axis == 0 ? a << 1 | b << 2 : axis == 1 ? a | b << 2 : a | b << 1;
}

static int
find_edge(int corner_a, int corner_b)
{
    int low = MIN(corner_a, corner_b), axis = (corner_a ^ corner_b) >> 1; // 1, 2, 4 to 0, 1, 2

    for (int edge = 4 * axis; edge < 4 * axis + 4; edge++) {
        if (edge_corner(edge) == low)
            return edge;
    }
    g_assert_not_reached();
}

// Bit 2 * axis + side for each of the edge's two faces.
static guint
edge_faces(int edge)
{
    int axis = edge >> 2, corner = edge_corner(edge);
    guint faces = 0;

    for (int other = 0; other < 3; other++) {
        if (other != axis)
            faces |= 1u << (2 * other + (corner >> other & 1));
    }
    return faces;
}

static BgVec3
edge_middle(int edge)
{
    int corner = edge_corner(edge), axis = edge >> 2;
    BgVec3 middle = bg_vec3(corner & 1, corner >> 1 & 1, corner >> 2);

    bg_vec3_set(&middle, axis, 0.5);
    return middle;
}

/* Walking round a face counter-clockwise, as seen from outside of the cell, each stretch of inside
 * corners is entered by one edge and left by another: the surface's line goes from the first to the
 * second, with the outside on its right. On the neighbour's face the same line runs the other way. */
static void
link_face(guint inside, int axis, int side, int next[N_EDGES])
{
    int u = (axis + 1) % 3, v = (axis + 2) % 3;
    static const int ring[4][2] = { { 0, 0 }, { 1, 0 }, { 1, 1 }, { 0, 1 } };
    int corners[4];

    for (int n = 0; n < 4; n++) {
        const int *at = ring[side == 1 ? n : 3 - n];
        corners[n] = side << axis | at[0] << u | at[1] << v;
    }
    for (int n = 0; n < 4; n++) {
        int before = corners[n], at = corners[(n + 1) % 4], m = n + 1;
        if ((inside >> before & 1) != 0 || (inside >> at & 1) == 0)
            continue;
        while ((inside >> corners[(m + 1) % 4] & 1) != 0)
            m++;
        next[find_edge(before, at)] = find_edge(corners[m % 4], corners[(m + 1) % 4]);
    }
}

// Whether the line that joins two points of a loop lies in a face of the cell.
static gboolean
is_forbidden(const int *loop, int n, int a, int b)
{
    gboolean is_side = b == a + 1 || (a == 0 && b == n - 1);

    return !is_side && (edge_faces(loop[a]) & edge_faces(loop[b])) != 0;
}

// With the crossings in the middle of their edges.
static double
triangle_area(const BgAffine *grid, int a, int b, int c)
{
    BgVec3 p = bg_affine_apply_vector(grid, edge_middle(a));
    BgVec3 u = bg_vec3_sub(bg_affine_apply_vector(grid, edge_middle(b)), p);
    BgVec3 v = bg_vec3_sub(bg_affine_apply_vector(grid, edge_middle(c)), p);

    return 0.5 * bg_vec3_length(bg_vec3_cross(u, v));
}

static void
emit(BgMarchingCase *entry, const int *loop, int split[N_EDGES][N_EDGES], int a, int b)
{
    if (b - a < 2)
        return;
    int m = split[a][b];
    guint8 *to = entry->edges + 3 * entry->n_triangles++;
    g_assert(entry->n_triangles <= BG_MARCHING_MAX_TRIANGLES);
    to[0] = (guint8) loop[a];
    to[1] = (guint8) loop[m];
    to[2] = (guint8) loop[b];
    emit(entry, loop, split, a, m);
    emit(entry, loop, split, m, b);
}

// The triangulation of least area (Klincsek 1980), by dynamic programming.
static void
triangulate(BgMarchingCase *entry, const BgAffine *grid, const int *loop, int n)
{
    double cost[N_EDGES][N_EDGES] = { 0 };
    int split[N_EDGES][N_EDGES] = { 0 };

    for (int span = 2; span < n; span++) {
        for (int a = 0; a + span < n; a++) {
            int b = a + span;
            cost[a][b] = INFINITY;
            for (int m = a + 1; m < b; m++) {
                double sum =
                    cost[a][m] + cost[m][b] + triangle_area(grid, loop[a], loop[m], loop[b]);
                if (sum < cost[a][b]) {
                    cost[a][b] = sum;
                    split[a][b] = m;
                }
            }
            if (is_forbidden(loop, n, a, b))
                cost[a][b] += FORBIDDEN;
        }
    }
    g_assert(cost[0][n - 1] < FORBIDDEN);
    emit(entry, loop, split, 0, n - 1);
}

static void
make_case(BgMarchingCase *entry, const BgAffine *grid, guint inside)
{
    int next[N_EDGES];
    guint done = 0;

    for (int edge = 0; edge < N_EDGES; edge++)
        next[edge] = -1;
    for (int face = 0; face < 6; face++) {
        if (inside != 0 && inside != 255)
            link_face(inside, face >> 1, face & 1, next);
    }

    for (int edge = 0; edge < N_EDGES; edge++) {
        int loop[N_EDGES], n = 0;

        if (next[edge] < 0)
            continue;
        entry->crossed |= (guint16) (1u << edge);
        for (int at = edge; (done >> at & 1) == 0; at = next[at]) {
            done |= 1u << at;
            loop[n++] = at;
        }
        if (n > 0)
            triangulate(entry, grid, loop, n);
    }
}

static void
turn_round(BgMarchingCase *entry)
{
    for (guint8 *edge = entry->edges; edge < entry->edges + 3 * entry->n_triangles; edge += 3) {
        guint8 second = edge[1];
        edge[1] = edge[2];
        edge[2] = second;
    }
}

void
bg_marching_table_init(BgMarchingCase table[256], const BgAffine *patient_from_voxel)
{
    double det = bg_affine_determinant(patient_from_voxel), scale = 1.0 / cbrt(fabs(det));
    BgAffine grid = *patient_from_voxel;

    // In units of the cell, so that areas are far below what a forbidden line costs.
    for (int row = 0; row < 3; row++) {
        for (int column = 0; column < 3; column++)
            grid.m[row][column] *= scale;
    }
    for (guint inside = 0; inside < 256; inside++) {
        table[inside] = (BgMarchingCase){ 0 };
        make_case(&table[inside], &grid, inside);
        if (det < 0.0)
            turn_round(&table[inside]);
    }
}
