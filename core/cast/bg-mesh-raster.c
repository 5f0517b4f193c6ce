// SPDX-License-Identifier: Apache-2.0
#include "bg-mesh-raster.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"
#include "core/model/bg-distance-colour.h"

#include <math.h>
#include <string.h>

// A rotated grid: no two places share a row or a column, so nearly upright and nearly level edges
// get all steps. Their mean is the pixel's centre.
static const double places[BG_FRAGMENT_SAMPLES][2] = {
    { -0.125, -0.375 },
    { 0.375, -0.125 },
    { 0.125, 0.375 },
    { -0.375, 0.125 },
};

// A mesh and where its vertices are for the camera.
typedef struct {
    const BgCastMesh *mesh; // borrowed
    const BgMeshData *data; // borrowed
    double *camera; // owned: x, y, z a vertex; z is 1 for a parallel camera's edges, see depth
    double *depth;  // owned, parallel only: along the camera's axis
    gsize first;    // number of its first triangle among all meshes'
} Part;

struct _BgMeshRaster {
    const BgCastScene *scene; // borrowed
    Part *parts;              // owned
    gsize n_parts;
    gsize n_triangles;
    int tiles_u, tiles_v;
    gsize *tile_first; // owned: index into tile_triangles; one more at the end
    guint32 *tile_triangles;
    double ambient, diffuse, specular, power;
};

// A triangle in pixel space: edge c weighs corner c; e = a u + b v + c.
typedef struct {
    double edge[3][3];
    gboolean owns[3]; // a place exactly on the edge belongs to this triangle
    double sign;
    const double *corner[3];
    double depth[3];
} Setup;

BgFragmentTile *
bg_fragment_tile_new(void)
{
    BgFragmentTile *tile = g_new0(BgFragmentTile, 1);

    tile->fragments = g_array_new(FALSE, FALSE, sizeof(BgFragment));
    return tile;
}

void
bg_fragment_tile_free(BgFragmentTile *tile)
{
    if (!tile)
        return;
    g_array_unref(tile->fragments);
    g_free(tile);
}

// The parts are few: the one that holds the triangle.
static const Part *
find_part(const BgMeshRaster *raster, gsize triangle)
{
    gsize p = raster->n_parts - 1;

    while (triangle < raster->parts[p].first)
        p--;
    return &raster->parts[p];
}

static void
project_vertices(gsize first, gsize last, guint worker, gpointer user_data)
{
    gpointer *pair = user_data;
    const BgMeshRaster *raster = pair[0];
    Part *part = pair[1];
    const BgCamera *camera = &raster->scene->camera;

    for (gsize v = first; v < last; v++) {
        const float *p = part->data->positions + 3 * v;
        BgVec3 c = bg_affine_apply(&camera->camera_from_patient,
                                   bg_vec3((double) p[0], (double) p[1], (double) p[2]));
        double *out = part->camera + 3 * v;
        out[0] = c.x;
        out[1] = c.y;
        out[2] = camera->parallel ? 1.0 : c.z;
        if (part->depth)
            part->depth[v] = c.z;
    }
}

// Camera x, y, z to homogeneous pixels.
static void
to_pixels(const BgCamera *camera, const double *p, double out[3])
{
    if (camera->parallel) {
        double per_mm = camera->height / camera->height_mm;
        out[0] = p[0] * per_mm + 0.5 * (camera->width - 1);
        out[1] = p[1] * per_mm + 0.5 * (camera->height - 1);
        out[2] = 1.0;
    } else {
        out[0] = camera->k[0] * p[0] + camera->k[1] * p[1] + camera->k[2] * p[2];
        out[1] = camera->k[4] * p[1] + camera->k[5] * p[2];
        out[2] = p[2];
    }
}

// The pixels that a triangle may touch. FALSE for none.
static gboolean
triangle_bounds(const BgMeshRaster *raster, const Part *part, const guint32 *corners, int box[4])
{
    const BgCamera *camera = &raster->scene->camera;
    double low[2] = { INFINITY, INFINITY }, high[2] = { -INFINITY, -INFINITY };
    int n_behind = 0;

    for (int c = 0; c < 3; c++) {
        double q[3];
        to_pixels(camera, part->camera + 3 * (gsize) corners[c], q);
        if (q[2] < 1e-3) {
            n_behind++;
            continue;
        }
        for (int axis = 0; axis < 2; axis++) {
            low[axis] = MIN(low[axis], q[axis] / q[2]);
            high[axis] = MAX(high[axis], q[axis] / q[2]);
        }
    }
    if (n_behind == 3)
        return FALSE;
    if (n_behind > 0) { // reaches through the camera's plane: anywhere
        low[0] = low[1] = 0.0;
        high[0] = camera->width - 1;
        high[1] = camera->height - 1;
    }
    if (!(high[0] >= -0.5 && high[1] >= -0.5 && low[0] <= camera->width - 0.5 &&
          low[1] <= camera->height - 0.5))
        return FALSE;
    box[0] = (int) MAX(ceil(low[0] - 0.5), 0.0);
    box[1] = (int) MAX(ceil(low[1] - 0.5), 0.0);
    box[2] = (int) MIN(floor(high[0] + 0.5), camera->width - 1.0);
    box[3] = (int) MIN(floor(high[1] + 0.5), camera->height - 1.0);
    return box[0] <= box[2] && box[1] <= box[3];
}

// Counts, or with @fill puts, each triangle into the tiles that it may touch: in order, so that the
// lists do not depend on threads.
static gboolean
bin_triangles(BgMeshRaster *raster, gsize *next, gboolean fill, GCancellable *cancellable,
              GError **error)
{
    for (gsize p = 0; p < raster->n_parts; p++) {
        const Part *part = &raster->parts[p];
        for (gsize t = 0; t < part->data->n_triangles; t++) {
            int box[4];
            if ((t & 0xffff) == 0 && g_cancellable_set_error_if_cancelled(cancellable, error))
                return FALSE;
            if (!triangle_bounds(raster, part, part->data->triangles + 3 * t, box))
                continue;
            for (int v = box[1] / BG_CAST_TILE; v <= box[3] / BG_CAST_TILE; v++) {
                for (int u = box[0] / BG_CAST_TILE; u <= box[2] / BG_CAST_TILE; u++) {
                    gsize tile = u + (gsize) raster->tiles_u * v;
                    if (fill)
                        raster->tile_triangles[next[tile]] = (guint32) (part->first + t);
                    next[tile]++;
                }
            }
        }
    }
    return TRUE;
}

static gboolean
make_bins(BgMeshRaster *raster, GCancellable *cancellable, GError **error)
{
    gsize n_tiles = (gsize) raster->tiles_u * raster->tiles_v;
    g_autofree gsize *count = g_new0(gsize, n_tiles);

    raster->tile_first = g_new0(gsize, n_tiles + 1);
    if (!bin_triangles(raster, count, FALSE, cancellable, error))
        return FALSE;
    for (gsize t = 0; t < n_tiles; t++) {
        raster->tile_first[t + 1] = raster->tile_first[t] + count[t];
        count[t] = raster->tile_first[t];
    }
    raster->tile_triangles =
        bg_buffer_alloc_items(MAX(raster->tile_first[n_tiles], 1), sizeof(guint32), error);
    return raster->tile_triangles && bin_triangles(raster, count, TRUE, cancellable, error);
}

static gboolean
add_part(BgMeshRaster *raster, const BgCastMesh *mesh, GCancellable *cancellable, GError **error)
{
    const BgMeshData *data = bg_mesh_get_data(mesh->mesh);
    Part *part = &raster->parts[raster->n_parts];

    if (!mesh->visible || mesh->opacity <= 0.0 || data->n_triangles == 0)
        return TRUE;
    if (data->n_triangles > G_MAXUINT32 - raster->n_triangles) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("The meshes cannot be drawn: they have more than %u triangles together. "
                      "Hide some of them, or decimate them"),
                    G_MAXUINT32);
        return FALSE;
    }
    part->mesh = mesh;
    part->data = data;
    part->first = raster->n_triangles;
    part->camera = bg_buffer_alloc_items(data->n_vertices, 3 * sizeof(double), error);
    raster->n_parts++; // from here on it is freed with the raster
    if (!part->camera)
        return FALSE;
    if (raster->scene->camera.parallel) {
        part->depth = bg_buffer_alloc_items(data->n_vertices, sizeof(double), error);
        if (!part->depth)
            return FALSE;
    }
    raster->n_triangles += data->n_triangles;
    gpointer pair[2] = { raster, part };
    if (!bg_parallel_for(data->n_vertices, 65536, project_vertices, pair, cancellable)) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                            _("The drawing was cancelled"));
        return FALSE;
    }
    return TRUE;
}

BgMeshRaster *
bg_mesh_raster_new(const BgCastScene *scene, const BgCastParams *params, GCancellable *cancellable,
                   GError **error)
{
    BgMeshRaster *raster = g_new0(BgMeshRaster, 1);

    raster->scene = scene;
    raster->parts = g_new0(Part, MAX(params->n_meshes, 1));
    raster->tiles_u = (scene->camera.width + BG_CAST_TILE - 1) / BG_CAST_TILE;
    raster->tiles_v = (scene->camera.height + BG_CAST_TILE - 1) / BG_CAST_TILE;
    raster->ambient = params->mesh_ambient;
    raster->diffuse = params->mesh_diffuse;
    raster->specular = params->mesh_specular;
    raster->power = params->mesh_power;
    for (gsize m = 0; m < params->n_meshes; m++) {
        if (!add_part(raster, &params->meshes[m], cancellable, error)) {
            bg_mesh_raster_free(raster);
            return NULL;
        }
    }
    if (!make_bins(raster, cancellable, error)) {
        bg_mesh_raster_free(raster);
        return NULL;
    }
    return raster;
}

void
bg_mesh_raster_free(BgMeshRaster *raster)
{
    if (!raster)
        return;
    for (gsize p = 0; p < raster->n_parts; p++) {
        bg_buffer_free(raster->parts[p].camera);
        bg_buffer_free(raster->parts[p].depth);
    }
    g_free(raster->parts);
    g_free(raster->tile_first);
    bg_buffer_free(raster->tile_triangles);
    g_free(raster);
}

// Homogeneous edge functions (Olano and Greer 1997): the ray through a pixel meets the triangle where
// all three have the sign of the corners' determinant; no clipping, right behind the camera too.
static gboolean
set_up(const BgMeshRaster *raster, const Part *part, const guint32 *corners, Setup *setup)
{
    double q[3][3];

    for (int c = 0; c < 3; c++) {
        setup->corner[c] = part->camera + 3 * (gsize) corners[c];
        setup->depth[c] = part->depth ? part->depth[corners[c]] : setup->corner[c][2];
        to_pixels(&raster->scene->camera, setup->corner[c], q[c]);
    }
    for (int c = 0; c < 3; c++) {
        // Always from the vertex of the lower number, so that a shared edge is the same for both of
        // its triangles to the last bit, and exactly one of them owns it.
        int a = (c + 1) % 3, b = (c + 2) % 3;
        gboolean turned = corners[a] > corners[b];
        const double *from = q[turned ? b : a], *to = q[turned ? a : b];
        double sign = turned ? -1.0 : 1.0;
        setup->edge[c][0] = sign * (from[1] * to[2] - from[2] * to[1]);
        setup->edge[c][1] = sign * (from[2] * to[0] - from[0] * to[2]);
        setup->edge[c][2] = sign * (from[0] * to[1] - from[1] * to[0]);
        setup->owns[c] = turned;
    }
    double det =
        setup->edge[0][0] * q[0][0] + setup->edge[0][1] * q[0][1] + setup->edge[0][2] * q[0][2];
    if (det == 0.0 || !isfinite(det))
        return FALSE;
    setup->sign = det > 0.0 ? 1.0 : -1.0;
    for (int c = 0; c < 3; c++)
        setup->owns[c] = setup->owns[c] == (det > 0.0);
    return TRUE;
}

static BgVec3
corner_normal(const Part *part, guint32 vertex)
{
    const float *n = part->data->normals + 3 * (gsize) vertex;

    return bg_vec3((double) n[0], (double) n[1], (double) n[2]);
}

static BgVec3
normal_at(const Part *part, const guint32 *corners, const double weight[3])
{
    BgVec3 p[3];

    if (part->data->normals) {
        BgVec3 n = bg_vec3(0.0, 0.0, 0.0);
        for (int c = 0; c < 3; c++)
            n = bg_vec3_along(n, weight[c], corner_normal(part, corners[c]));
        if (bg_vec3_dot(n, n) > 1e-12)
            return bg_vec3_normalize(n);
    }
    for (int c = 0; c < 3; c++) {
        const float *at = part->data->positions + 3 * (gsize) corners[c];
        p[c] = bg_vec3((double) at[0], (double) at[1], (double) at[2]);
    }
    return bg_vec3_normalize(bg_vec3_cross(bg_vec3_sub(p[1], p[0]), bg_vec3_sub(p[2], p[0])));
}

// Of the mesh, or of how far away it is from another one.
static void
colour_at(const Part *part, const guint32 *corners, const double weight[3], double rgb[3])
{
    const float *distances_mm = part->data->distances_mm;
    double distance_mm = 0.0;

    if (distances_mm == NULL || !(part->mesh->range_mm > 0.0)) {
        memcpy(rgb, part->mesh->rgb, 3 * sizeof(double));
        return;
    }
    for (int c = 0; c < 3; c++)
        distance_mm += weight[c] * (double) distances_mm[corners[c]];
    bg_distance_colour(distance_mm, part->mesh->range_mm, rgb);
}

static void
shade_fragment(const BgMeshRaster *raster, const Part *part, const double rgb[3], BgVec3 normal,
               BgVec3 direction, BgFragment *fragment)
{
    double nl = bg_vec3_dot(normal, raster->scene->light_mm);
    double nv = -bg_vec3_dot(normal, direction);
    double lv = -bg_vec3_dot(raster->scene->light_mm, direction);
    double rv = 2.0 * nl * nv - lv;
    double diffuse = raster->ambient + raster->diffuse * MIN(fabs(nl), 1.0);
    double specular = rv > 0.0 ? raster->specular * pow(MIN(rv, 1.0), raster->power) : 0.0;

    for (int c = 0; c < 3; c++)
        fragment->rgb[c] = (float) MIN(rgb[c] * diffuse + specular, 1.0);
    fragment->alpha = (float) part->mesh->opacity;
}

static gboolean
is_cut_away(const BgCastScene *scene, BgVec3 origin_mm, BgVec3 direction, double t_mm)
{
    double from = -INFINITY, to = INFINITY;

    bg_cast_scene_cut(scene, origin_mm, direction, &from, &to, NULL);
    return t_mm < from || t_mm > to;
}

// One pixel of one triangle. FALSE when no place is covered.
static gboolean
make_fragment(const BgMeshRaster *raster, const Part *part, const guint32 *corners,
              const Setup *setup, const int at[2], BgFragment *fragment)
{
    const BgCastScene *scene = raster->scene;
    double sum_u = 0.0, sum_v = 0.0;
    int n = 0;

    fragment->mask = 0;
    for (int s = 0; s < BG_FRAGMENT_SAMPLES; s++) {
        double u = at[0] + places[s][0], v = at[1] + places[s][1];
        gboolean inside = TRUE;
        for (int c = 0; c < 3 && inside; c++) {
            const double *e = setup->edge[c];
            double side = setup->sign * (e[0] * u + e[1] * v + e[2]);
            inside = side > 0.0 || (side == 0.0 && setup->owns[c]);
        }
        if (!inside)
            continue;
        fragment->mask |= (guint16) (1 << s);
        sum_u += u;
        sum_v += v;
        n++;
    }
    if (n == 0)
        return FALSE;

    // Depth and light where the covered places are on average: always inside the triangle.
    double u = sum_u / n, v = sum_v / n, weight[3], sum = 0.0, z = 0.0;
    for (int c = 0; c < 3; c++) {
        weight[c] = setup->edge[c][0] * u + setup->edge[c][1] * v + setup->edge[c][2];
        sum += weight[c];
    }
    if (sum == 0.0)
        return FALSE;
    for (int c = 0; c < 3; c++) {
        weight[c] /= sum;
        z += weight[c] * setup->depth[c];
    }
    BgVec3 origin, direction;
    bg_cast_scene_ray(scene, u, v, &origin, &direction);
    const double(*m)[4] = scene->camera.camera_from_patient.m;
    double along = bg_vec3_dot(direction, bg_vec3(m[2][0], m[2][1], m[2][2]));
    fragment->t_mm = z / along;
    if (!scene->camera.parallel && fragment->t_mm <= 0.0)
        return FALSE;
    if (part->mesh->clip && is_cut_away(scene, origin, direction, fragment->t_mm))
        return FALSE;
    double rgb[3];
    colour_at(part, corners, weight, rgb);
    shade_fragment(raster, part, rgb, normal_at(part, corners, weight), direction, fragment);
    return TRUE;
}

static int
compare_fragments(gconstpointer a, gconstpointer b)
{
    const BgFragment *p = a, *q = b;

    if (p->pixel != q->pixel)
        return p->pixel < q->pixel ? -1 : 1;
    if (p->t_mm != q->t_mm)
        return p->t_mm < q->t_mm ? -1 : 1;
    return p->order < q->order ? -1 : p->order > q->order;
}

static void
fill_triangle(const BgMeshRaster *raster, gsize triangle, const int corner[2], double *opaque,
              BgFragmentTile *tile)
{
    const Part *part = find_part(raster, triangle);
    const guint32 *corners = part->data->triangles + 3 * (triangle - part->first);
    int box[4];
    Setup setup;

    if (!triangle_bounds(raster, part, corners, box) || !set_up(raster, part, corners, &setup))
        return;
    int u1 = MIN(box[2], corner[0] + BG_CAST_TILE - 1),
        v1 = MIN(box[3], corner[1] + BG_CAST_TILE - 1);
    for (int v = MAX(box[1], corner[1]); v <= v1; v++) {
        for (int u = MAX(box[0], corner[0]); u <= u1; u++) {
            BgFragment fragment = { .order = triangle };
            int at[2] = { u, v };
            if (!make_fragment(raster, part, corners, &setup, at, &fragment))
                continue;
            fragment.pixel = (guint16) (u - corner[0] + BG_CAST_TILE * (v - corner[1]));
            if (fragment.t_mm > opaque[fragment.pixel])
                continue; // hidden for good: keeps the list short
            if (fragment.mask == BG_FRAGMENT_ALL && fragment.alpha >= 1.0f)
                opaque[fragment.pixel] = fragment.t_mm;
            g_array_append_val(tile->fragments, fragment);
        }
    }
}

gboolean
bg_mesh_raster_fill(const BgMeshRaster *raster, int tile_u, int tile_v, BgFragmentTile *tile)
{
    gsize t = tile_u + (gsize) raster->tiles_u * tile_v;
    int corner[2] = { tile_u * BG_CAST_TILE, tile_v * BG_CAST_TILE };
    double opaque[BG_CAST_TILE * BG_CAST_TILE];

    g_array_set_size(tile->fragments, 0);
    for (int p = 0; p < BG_CAST_TILE * BG_CAST_TILE; p++)
        opaque[p] = INFINITY;
    for (gsize e = raster->tile_first[t]; e < raster->tile_first[t + 1]; e++)
        fill_triangle(raster, raster->tile_triangles[e], corner, opaque, tile);
    if (tile->fragments->len == 0)
        return FALSE;

    g_array_sort(tile->fragments, compare_fragments);
    guint at = 0;
    for (int p = 0; p <= BG_CAST_TILE * BG_CAST_TILE; p++) {
        while (at < tile->fragments->len &&
               g_array_index(tile->fragments, BgFragment, at).pixel < p)
            at++;
        tile->first[p] = at;
    }
    return TRUE;
}
