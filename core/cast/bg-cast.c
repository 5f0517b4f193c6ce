// SPDX-License-Identifier: Apache-2.0
#include "bg-cast.h"

#include "bg-cast-path.h"
#include "bg-cast-private.h"
#include "bg-mesh-raster.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#include <math.h>
#include <string.h>

#define MAX_SIDE 16384        // pixels
#define MAX_SAMPLES (1 << 20) // along a ray: more than any volume has voxels, 64 times over
#define MAX_PATHS 65536
#define PACKET_U 4
#define PACKET_V 2

// One picture on its way.
typedef struct {
    BgCastScene scene;
    const BgCastKernel *kernel;
    BgMeshRaster *raster; // owned, nullable
    gboolean transparent;
    float top[3], bottom[3];
    int width, height, tiles_u, tiles_v;
    guint8 *colour;                // owned until the end
    float *depth;                  // likewise
    BgFragmentTile *fragments[64]; // owned: a worker's own
    double *depths[64];            // likewise: of paths
    const BgProgress *progress;
    gint n_done; // atomic
} Picture;

// What a pixel has got so far: its sample places apart, where meshes' edges divide it.
typedef struct {
    float rgba[BG_FRAGMENT_SAMPLES][4]; // premultiplied
    int n_places;                       // 1 where no mesh is
    double seen_mm;
} Pixel;

static gint plain_forced; // atomic

void
bg_cast_force_plain(gboolean plain)
{
    g_atomic_int_set(&plain_forced, plain);
}

static const BgCastKernel *
choose_kernel(const BgCastScene *scene)
{
#if defined(__x86_64__)
    gboolean narrow = scene->dims[0] < 2 || scene->huge; // a pair of voxels is loaded at once
    if (!g_atomic_int_get(&plain_forced) && !narrow && __builtin_cpu_supports("avx2") &&
        __builtin_cpu_supports("fma"))
        return &bg_cast_kernel_avx2;
#endif
    return &bg_cast_kernel_plain;
}

void
bg_cast_params_init(BgCastParams *params)
{
    *params = (BgCastParams){
        .mesh_ambient = 0.2,
        .mesh_diffuse = 0.75,
        .mesh_specular = 0.25,
        .mesh_power = 20.0,
        .label_weight = 0.6,
        .n_paths = 64,
        .early_alpha = 0.995,
        .depth_alpha = 0.3,
    };
}

static const char *const lighting_names[] = { "local", "ao", "path" };

const char *
bg_lighting_name(BgLighting lighting)
{
    return lighting_names[lighting];
}

gboolean
bg_lighting_parse(const char *name, BgLighting *lighting)
{
    for (guint l = 0; l < G_N_ELEMENTS(lighting_names); l++) {
        if (strcmp(name, lighting_names[l]) == 0) {
            *lighting = (BgLighting) l;
            return TRUE;
        }
    }
    return FALSE;
}

void
bg_cast_image_free(BgCastImage *image)
{
    if (!image)
        return;
    g_clear_pointer(&image->colour, bg_image_unref);
    g_clear_pointer(&image->depth, bg_image_unref);
    g_free(image);
}

static gboolean
set_lane(const BgCastScene *scene, double u, double v, BgCastRay *lane)
{
    BgVec3 origin, direction;

    bg_cast_scene_ray(scene, u, v, &origin, &direction);
    return bg_cast_ray_init(scene, origin, direction, scene->camera.parallel ? -HUGE_VAL : 0.0,
                            lane);
}

// Where the packet's lanes start to differ from one another is small against a float's digits only
// near the volume: so everything counts from the sample before it.
static gboolean
set_packet(const BgCastScene *scene, const int at[2], int width, int height, BgCastPacket *packet)
{
    BgCastRay lanes[BG_CAST_LANES];
    gboolean used[BG_CAST_LANES];
    double first = INFINITY, last = -INFINITY, fastest = 0.0;
    double step = scene->step_mm;

    for (int l = 0; l < BG_CAST_LANES; l++) {
        int u = at[0] + l % PACKET_U, v = at[1] + l / PACKET_U;
        used[l] = u < width && v < height && set_lane(scene, u, v, &lanes[l]);
        if (!used[l])
            continue;
        first = MIN(first, lanes[l].first);
        last = MAX(last, lanes[l].last);
        for (int axis = 0; axis < 3; axis++)
            fastest = MAX(fastest, fabs(lanes[l].direction[axis]));
    }
    if (!(first < last))
        return FALSE;

    // One sample more at both ends: bricks round up, and a sample's middle may lie beyond.
    double start = floor(first / step) - 1.0;
    packet->t_mm = start * step;
    packet->first = 0;
    packet->last = (int) MIN(ceil((last - packet->t_mm) / step) + 1.0, MAX_SAMPLES);
    packet->leap = (float) ((1 << BG_CAST_BRICK_SHIFT) / (fastest * step));
    for (int l = 0; l < BG_CAST_LANES; l++) {
        if (!used[l]) {
            packet->x[l] = packet->y[l] = packet->z[l] = 0.0f;
            packet->dx[l] = packet->dy[l] = packet->dz[l] = 0.0f;
            packet->light_view[l] = 0.0f;
            packet->from[l] = packet->to[l] = 0.0f;
            continue;
        }
        const BgCastRay *lane = &lanes[l];
        packet->x[l] = (float) (lane->origin[0] + packet->t_mm * lane->direction[0]);
        packet->y[l] = (float) (lane->origin[1] + packet->t_mm * lane->direction[1]);
        packet->z[l] = (float) (lane->origin[2] + packet->t_mm * lane->direction[2]);
        packet->dx[l] = (float) lane->direction[0];
        packet->dy[l] = (float) lane->direction[1];
        packet->dz[l] = (float) lane->direction[2];
        packet->light_view[l] = (float) -bg_vec3_dot(scene->light_mm, lane->direction_mm);
        packet->from[l] = (float) (lane->from - packet->t_mm);
        packet->to[l] = (float) (lane->to - packet->t_mm);
    }
    return TRUE;
}

static void
write_pixel(Picture *picture, int u, int v, const Pixel *pixel)
{
    float down = picture->height > 1 ? (float) v / (float) (picture->height - 1) : 0.0f;
    float share = 1.0f / (float) pixel->n_places;
    float rgba[4] = { 0.0f, 0.0f, 0.0f, 0.0f };
    gsize at = u + (gsize) picture->width * v;
    guint8 *out = picture->colour + 4 * at;

    for (int s = 0; s < pixel->n_places; s++) {
        const float *from = pixel->rgba[s];
        // A ray that ended early is all covered: the rest is taken to be more of the same.
        float scale = from[3] >= picture->scene.early_alpha ? 1.0f / from[3] : 1.0f;
        for (int c = 0; c < 4; c++)
            rgba[c] += from[c] * scale * share;
    }
    for (int c = 0; c < 3; c++) {
        float x = rgba[c];
        if (picture->transparent)
            x = rgba[3] > 0.0f ? x / rgba[3] : 0.0f;
        else
            x += (1.0f - rgba[3]) *
                 (picture->top[c] + down * (picture->bottom[c] - picture->top[c]));
        out[c] = (guint8) (CLAMP(x, 0.0f, 1.0f) * 255.0f + 0.5f);
    }
    out[3] = picture->transparent ? (guint8) (CLAMP(rgba[3], 0.0f, 1.0f) * 255.0f + 0.5f) : 255;
    picture->depth[at] = (float) pixel->seen_mm;
}

static float
pixel_coverage(const Pixel *pixel)
{
    float sum = 0.0f;

    for (int s = 0; s < pixel->n_places; s++)
        sum += pixel->rgba[s][3];
    return sum / (float) pixel->n_places;
}

// Lays a layer under what is there. @rgba: premultiplied.
static void
put_under(const Picture *picture, Pixel *pixel, const float rgba[4], int mask, double t_mm)
{
    float before = pixel_coverage(pixel);

    for (int s = 0; s < pixel->n_places; s++) {
        if (!(mask & (1 << s)))
            continue;
        float clear = 1.0f - pixel->rgba[s][3];
        for (int c = 0; c < 4; c++)
            pixel->rgba[s][c] += clear * rgba[c];
    }
    if (isinf(pixel->seen_mm) && before < picture->scene.depth_alpha &&
        pixel_coverage(pixel) >= picture->scene.depth_alpha)
        pixel->seen_mm = t_mm;
}

static void
put_fragment(const Picture *picture, Pixel *pixel, const BgFragment *fragment)
{
    float a = fragment->alpha;
    float rgba[4] = { fragment->rgb[0] * a, fragment->rgb[1] * a, fragment->rgb[2] * a, a };

    put_under(picture, pixel, rgba, fragment->mask, fragment->t_mm);
}

// The fragments of each lane of a packet.
typedef struct {
    const BgFragment *fragments[BG_CAST_LANES];
    guint n[BG_CAST_LANES];
    guint most;
} Walls;

static void
find_walls(const BgFragmentTile *tile, const int at[2], const int corner[2], Walls *walls)
{
    memset(walls, 0, sizeof *walls);
    if (!tile)
        return;
    for (int l = 0; l < BG_CAST_LANES; l++) {
        int pixel =
            at[0] - corner[0] + l % PACKET_U + BG_CAST_TILE * (at[1] - corner[1] + l / PACKET_U);
        guint first = tile->first[pixel];
        walls->n[l] = tile->first[pixel + 1] - first;
        walls->fragments[l] = &g_array_index(tile->fragments, BgFragment, first);
        walls->most = MAX(walls->most, walls->n[l]);
    }
}

// The volume between one wall and the next, for all lanes; then those walls.
static void
composite_packet(const Picture *picture, BgCastPacket *packet, const Walls *walls, Pixel *pixels)
{
    const BgCastScene *scene = &picture->scene;
    float from[BG_CAST_LANES], to[BG_CAST_LANES];

    memcpy(from, packet->from, sizeof from);
    memcpy(to, packet->to, sizeof to);
    for (guint w = 0; w <= walls->most; w++) {
        gboolean any = FALSE;
        for (int l = 0; l < BG_CAST_LANES; l++) {
            packet->from[l] = from[l];
            packet->to[l] = to[l];
            if (w < walls->n[l])
                packet->to[l] = MIN(to[l], (float) (walls->fragments[l][w].t_mm - packet->t_mm));
            packet->before[l] = walls->most > 0 ? pixel_coverage(&pixels[l]) : 0.0f;
            if (w > walls->n[l] || packet->before[l] >= scene->early_alpha)
                packet->to[l] = from[l];
            any = any || packet->to[l] > from[l];
            from[l] = MAX(from[l], packet->to[l]);
        }
        if (any) {
            picture->kernel->composite(scene, packet);
            for (int l = 0; l < BG_CAST_LANES; l++) {
                float clear = 1.0f - packet->before[l];
                if (!(packet->a[l] > 0.0f) || !(clear > 0.0f))
                    continue;
                // The kernel saw the mean of the places; each takes its own share.
                float rgba[4] = { packet->r[l] / clear, packet->g[l] / clear, packet->b[l] / clear,
                                  packet->a[l] / clear };
                put_under(picture, &pixels[l], rgba, BG_FRAGMENT_ALL,
                          packet->t_mm + (double) packet->seen[l]);
            }
        }
        for (int l = 0; l < BG_CAST_LANES; l++) {
            if (w < walls->n[l])
                put_fragment(picture, &pixels[l], &walls->fragments[l][w]);
        }
    }
}

// What a projection or an iso surface gives is one layer at one depth.
static void
project_packet(const Picture *picture, BgCastPacket *packet, const Walls *walls, Pixel *pixels)
{
    const BgCastScene *scene = &picture->scene;
    gboolean iso = scene->technique == BG_TECHNIQUE_ISO;

    for (int l = 0; l < BG_CAST_LANES; l++) {
        packet->before[l] = 0.0f;
        for (guint w = 0; w < walls->n[l]; w++) {
            const BgFragment *wall = &walls->fragments[l][w];
            if (wall->alpha >= 1.0f && wall->mask == BG_FRAGMENT_ALL)
                packet->to[l] = MIN(packet->to[l], (float) (wall->t_mm - packet->t_mm));
        }
    }
    if (iso)
        picture->kernel->iso(scene, packet);
    else
        picture->kernel->project(scene, packet);

    for (int l = 0; l < BG_CAST_LANES; l++) {
        float rgba[4] = { packet->r[l], packet->g[l], packet->b[l], packet->a[l] };
        gboolean there = iso ? packet->a[l] > 0.0f : !isnan(packet->value[l]);
        double t_mm = packet->t_mm + (double) packet->seen[l];
        guint w = 0;
        if (there && !iso) {
            bg_cast_scene_classify(scene, packet->value[l], rgba);
            for (int c = 0; c < 3; c++)
                rgba[c] *= rgba[3];
            if (scene->technique == BG_TECHNIQUE_MEAN)
                t_mm = packet->t_mm + (double) packet->to[l];
        }
        for (; w < walls->n[l] && (!there || walls->fragments[l][w].t_mm < t_mm); w++)
            put_fragment(picture, &pixels[l], &walls->fragments[l][w]);
        if (there) // a mean is nowhere in particular
            put_under(picture, &pixels[l], rgba, BG_FRAGMENT_ALL,
                      scene->technique == BG_TECHNIQUE_MEAN ? HUGE_VAL : t_mm);
        for (; w < walls->n[l]; w++)
            put_fragment(picture, &pixels[l], &walls->fragments[l][w]);
    }
}

static void
cast_packet(Picture *picture, const BgFragmentTile *tile, const int at[2], const int corner[2])
{
    const BgCastScene *scene = &picture->scene;
    Pixel pixels[BG_CAST_LANES];
    BgCastPacket packet;
    Walls walls;

    find_walls(tile, at, corner, &walls);
    for (int l = 0; l < BG_CAST_LANES; l++) {
        pixels[l].n_places = walls.most > 0 ? BG_FRAGMENT_SAMPLES : 1;
        pixels[l].seen_mm = INFINITY;
        memset(pixels[l].rgba, 0, sizeof pixels[l].rgba[0] * (gsize) pixels[l].n_places);
    }
    gboolean met = !scene->empty && at[0] <= scene->box[2] && at[0] + PACKET_U > scene->box[0] &&
                   at[1] <= scene->box[3] && at[1] + PACKET_V > scene->box[1];
    if (met && set_packet(scene, at, picture->width, picture->height, &packet)) {
        if (scene->technique == BG_TECHNIQUE_COMPOSITE)
            composite_packet(picture, &packet, &walls, pixels);
        else
            project_packet(picture, &packet, &walls, pixels);
    } else {
        for (int l = 0; l < BG_CAST_LANES; l++) {
            for (guint w = 0; w < walls.n[l]; w++)
                put_fragment(picture, &pixels[l], &walls.fragments[l][w]);
        }
    }

    for (int l = 0; l < BG_CAST_LANES; l++) {
        int u = at[0] + l % PACKET_U, v = at[1] + l / PACKET_U;
        if (u < picture->width && v < picture->height)
            write_pixel(picture, u, v, &pixels[l]);
    }
}

// A pixel by light's paths.
static void
trace_pixel(Picture *picture, const BgFragmentTile *tile, const int at[2], const int corner[2],
            guint worker)
{
    const BgFragment *walls = NULL;
    guint n_walls = 0;
    Pixel pixel = { .n_places = 1 };

    if (tile) {
        int place = at[0] - corner[0] + BG_CAST_TILE * (at[1] - corner[1]);
        walls = &g_array_index(tile->fragments, BgFragment, tile->first[place]);
        n_walls = tile->first[place + 1] - tile->first[place];
    }
    if (!picture->depths[worker])
        picture->depths[worker] = g_new(double, picture->scene.n_paths);
    bg_cast_path_pixel(&picture->scene, at[0], at[1], walls, n_walls, picture->depths[worker],
                       pixel.rgba[0], &pixel.seen_mm);
    write_pixel(picture, at[0], at[1], &pixel);
}

static void
trace_tile(Picture *picture, const BgFragmentTile *tile, const int corner[2], const int end[2],
           guint worker)
{
    for (int v = corner[1]; v < end[1]; v++) {
        for (int u = corner[0]; u < end[0]; u++) {
            int at[2] = { u, v };
            trace_pixel(picture, tile, at, corner, worker);
        }
    }
}

static void
cast_tiles(gsize first, gsize last, guint worker, gpointer user_data)
{
    Picture *picture = user_data;
    int n_tiles = picture->tiles_u * picture->tiles_v;

    for (gsize t = first; t < last; t++) {
        int tile_u = (int) (t % (gsize) picture->tiles_u),
            tile_v = (int) (t / (gsize) picture->tiles_u);
        int corner[2] = { tile_u * BG_CAST_TILE, tile_v * BG_CAST_TILE };
        const BgFragmentTile *tile = NULL;

        if (picture->raster) {
            if (!picture->fragments[worker])
                picture->fragments[worker] = bg_fragment_tile_new();
            if (bg_mesh_raster_fill(picture->raster, tile_u, tile_v, picture->fragments[worker]))
                tile = picture->fragments[worker];
        }
        int end[2] = { MIN(corner[0] + BG_CAST_TILE, picture->width),
                       MIN(corner[1] + BG_CAST_TILE, picture->height) };
        gboolean traced = picture->scene.lighting == BG_LIGHTING_PATH;
        if (traced)
            trace_tile(picture, tile, corner, end, worker);
        for (int v = corner[1]; v < end[1] && !traced; v += PACKET_V) {
            for (int u = corner[0]; u < end[0]; u += PACKET_U) {
                int at[2] = { u, v };
                cast_packet(picture, tile, at, corner);
            }
        }
        int n_done = g_atomic_int_add(&picture->n_done, 1) + 1;
        bg_progress_report(picture->progress, (double) n_done / n_tiles);
    }
}

static gboolean
refuse(GError **error, const char *what, double value)
{
    g_set_error(
        error, BG_ERROR, BG_ERROR_INVALID,
        _("The 3D picture cannot be drawn: %s is %g, which is out of its range. Change it and "
          "draw again"),
        what, value);
    return FALSE;
}

static gboolean
check_meshes(const BgCastParams *params, GError **error)
{
    for (gsize m = 0; m < params->n_meshes; m++) {
        const BgCastMesh *mesh = &params->meshes[m];
        g_return_val_if_fail(mesh->mesh, FALSE);
        if (!(mesh->opacity >= 0.0 && mesh->opacity <= 1.0))
            return refuse(error, _("a mesh's opacity"), mesh->opacity);
        if (!(mesh->range_mm >= 0.0 && isfinite(mesh->range_mm)))
            return refuse(error, _("the range of a mesh's distances"), mesh->range_mm);
    }
    return TRUE;
}

static gboolean
check_camera(const BgCamera *camera, GError **error)
{
    if (camera->width < 1 || camera->width > MAX_SIDE)
        return refuse(error, _("the picture's width"), camera->width);
    if (camera->height < 1 || camera->height > MAX_SIDE)
        return refuse(error, _("the picture's height"), camera->height);
    if (!bg_affine_is_finite(&camera->camera_from_patient))
        return refuse(error, _("the camera's position"), NAN);
    if (camera->parallel && !(camera->height_mm > 0.0 && isfinite(camera->height_mm)))
        return refuse(error, _("what the picture's height shows, in mm,"), camera->height_mm);
    if (!camera->parallel && !(camera->k[0] > 0.0 && isfinite(camera->k[0])))
        return refuse(error, _("the camera's focal length"), camera->k[0]);
    if (!camera->parallel && !(camera->k[4] > 0.0 && isfinite(camera->k[4])))
        return refuse(error, _("the camera's focal length"), camera->k[4]);
    return TRUE;
}

static gboolean
check_cuts(const BgCastParams *params, GError **error)
{
    for (int axis = 0; axis < 3 && params->clip_box; axis++) {
        double low = bg_vec3_get(params->clip_low, axis),
               high = bg_vec3_get(params->clip_high, axis);
        if (!(low <= high))
            return refuse(error, _("the clip box's extent in mm"), high - low);
    }
    if (params->n_planes < 0 || params->n_planes > BG_CAST_MAX_PLANES)
        return refuse(error, _("the number of clip planes"), params->n_planes);
    for (int p = 0; p < params->n_planes; p++) {
        double length = bg_vec3_length(params->planes[p].normal);
        if (!(length > 0.0 && isfinite(length)) || !bg_vec3_is_finite(params->planes[p].point_mm))
            return refuse(error, _("the length of a clip plane's normal"), length);
    }
    return TRUE;
}

static gboolean
check_volume(BgVolume *volume, const BgCastParams *params, GError **error)
{
    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    BgVec3 spacing = bg_geometry_spacing_mm(geometry);
    double least = MIN(spacing.x, MIN(spacing.y, spacing.z));

    if (!params->tf) {
        g_set_error_literal(
            error, BG_ERROR, BG_ERROR_INVALID,
            _("The volume cannot be drawn: it has no transfer function. Choose a preset"));
        return FALSE;
    }
    if (!(params->step_mm >= 0.0 && isfinite(params->step_mm)) ||
        (params->step_mm > 0.0 && params->step_mm < least / 64.0))
        return refuse(error, _("the distance of samples in mm"), params->step_mm);
    if (params->lighting != BG_LIGHTING_LOCAL &&
        bg_transfer_function_get_data(params->tf)->technique != BG_TECHNIQUE_COMPOSITE) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("The 3D picture cannot be drawn: the technique %s has no lighting %s. Choose "
                      "composite or local"),
                    bg_technique_name(bg_transfer_function_get_data(params->tf)->technique),
                    bg_lighting_name(params->lighting));
        return FALSE;
    }
    if (!params->labels)
        return TRUE;
    if (!params->label_table || !(params->label_weight >= 0.0 && params->label_weight <= 1.0))
        return refuse(error, _("the weight of the labels' colours"), params->label_weight);
    if (!bg_geometry_equal(geometry, bg_label_map_get_geometry(params->labels), 0.01 * least)) {
        g_set_error_literal(
            error, BG_ERROR, BG_ERROR_INVALID,
            _("The labels cannot colour the volume: they lie on another grid. Resample "
              "them to the volume"));
        return FALSE;
    }
    return TRUE;
}

gboolean
bg_cast_check(BgVolume *volume, const BgCastParams *params, GError **error)
{
    if (!check_camera(&params->camera, error) || !check_cuts(params, error) ||
        !check_meshes(params, error))
        return FALSE;
    if (!(params->early_alpha > 0.0 && params->early_alpha <= 1.0))
        return refuse(error, _("the opacity at which a ray ends"), params->early_alpha);
    if (!(params->depth_alpha > 0.0 && params->depth_alpha <= 1.0))
        return refuse(error, _("the opacity at which depth is taken"), params->depth_alpha);
    if (params->n_paths < 1 || params->n_paths > MAX_PATHS)
        return refuse(error, _("the number of paths of a pixel"), params->n_paths);
    if (!isfinite(params->light_right) || !isfinite(params->light_up))
        return refuse(error, _("the light's direction"), NAN);
    return !volume || check_volume(volume, params, error);
}

static void
picture_clear(Picture *picture)
{
    bg_cast_scene_clear(&picture->scene);
    bg_mesh_raster_free(picture->raster);
    bg_buffer_free(picture->colour);
    bg_buffer_free(picture->depth);
    for (guint w = 0; w < G_N_ELEMENTS(picture->fragments); w++)
        bg_fragment_tile_free(picture->fragments[w]);
    for (guint w = 0; w < G_N_ELEMENTS(picture->depths); w++)
        g_free(picture->depths[w]);
    g_free(picture);
}

static gboolean
picture_prepare(Picture *picture, BgVolume *volume, const BgCastParams *params,
                GCancellable *cancellable, GError **error)
{
    gsize n_pixels = (gsize) params->camera.width * params->camera.height;

    if (!bg_cast_scene_init(&picture->scene, volume, params, cancellable, error))
        return FALSE;
    picture->kernel = choose_kernel(&picture->scene);
    picture->width = params->camera.width;
    picture->height = params->camera.height;
    picture->tiles_u = (picture->width + BG_CAST_TILE - 1) / BG_CAST_TILE;
    picture->tiles_v = (picture->height + BG_CAST_TILE - 1) / BG_CAST_TILE;
    picture->transparent = params->transparent;
    for (int c = 0; c < 3; c++) {
        picture->top[c] = (float) params->background_top[c];
        picture->bottom[c] = (float) params->background_bottom[c];
    }
    if (params->n_meshes > 0) {
        picture->raster = bg_mesh_raster_new(&picture->scene, params, cancellable, error);
        if (!picture->raster)
            return FALSE;
    }
    picture->colour = bg_buffer_alloc_items(n_pixels, 4, error);
    if (!picture->colour)
        return FALSE;
    picture->depth = bg_buffer_alloc_items(n_pixels, sizeof(float), error);
    return picture->depth != NULL;
}

static BgCastImage *
picture_finish(Picture *picture, GError **error)
{
    BgImageFormat format = { picture->width, picture->height, 4, BG_PIXEL_UINT8 };
    g_autoptr(BgCastImage) image = g_new0(BgCastImage, 1);

    image->camera = picture->scene.camera;
    image->colour = bg_image_new_take(&format, g_steal_pointer(&picture->colour), error);
    if (!image->colour)
        return NULL;
    format.n_channels = 1;
    format.type = BG_PIXEL_FLOAT32;
    image->depth = bg_image_new_take(&format, g_steal_pointer(&picture->depth), error);
    return image->depth ? g_steal_pointer(&image) : NULL;
}

BgCastImage *
bg_cast(BgVolume *volume, const BgCastParams *params, const BgProgress *progress,
        GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(params, NULL);
    BgCastImage *image = NULL;

    if (!bg_cast_check(volume, params, error))
        return NULL;
    Picture *picture = g_new0(Picture, 1);
    picture->progress = progress;
    if (picture_prepare(picture, volume, params, cancellable, error)) {
        gsize n_tiles = (gsize) picture->tiles_u * picture->tiles_v;
        if (bg_parallel_for(n_tiles, 1, cast_tiles, picture, cancellable))
            image = picture_finish(picture, error);
        else
            g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                                _("The drawing was cancelled"));
    }
    picture_clear(picture);
    return image;
}

gboolean
bg_cast_image_pick(const BgCastImage *image, double u, double v, BgVec3 *patient_mm)
{
    g_return_val_if_fail(image && patient_mm, FALSE);
    const BgImageFormat *format = bg_image_get_format(image->depth);
    const float *depth = bg_image_get_pixels(image->depth);
    double at_u = floor(u + 0.5), at_v = floor(v + 0.5);
    BgVec3 origin, direction;

    if (!(at_u >= 0.0 && at_v >= 0.0 && at_u < format->width && at_v < format->height))
        return FALSE;
    float t = depth[(gsize) at_u + (gsize) format->width * (gsize) at_v];
    if (!isfinite(t))
        return FALSE;
    bg_camera_ray(&image->camera, at_u, at_v, &origin, &direction);
    *patient_mm = bg_vec3_along(origin, (double) t, direction);
    return TRUE;
}

void
bg_cast_fit(const BgVolume *volume, const BgCastMesh *meshes, gsize n_meshes, BgVec3 *centre_mm,
            double *radius_mm)
{
    g_return_if_fail(centre_mm && radius_mm);
    BgVec3 low = bg_vec3(INFINITY, INFINITY, INFINITY), high = bg_vec3_scale(low, -1.0);

    if (volume) {
        // Around the grid's own corners: an oblique grid's box in the patient is larger than it is.
        const BgGeometry *geometry = bg_volume_get_geometry(volume);
        *centre_mm = bg_geometry_centre_mm(geometry);
        *radius_mm = 0.0;
        for (int corner = 0; corner < 8; corner++) {
            BgVec3 p = bg_vec3(corner & 1 ? geometry->dims[0] - 0.5 : -0.5,
                               corner & 2 ? geometry->dims[1] - 0.5 : -0.5,
                               corner & 4 ? geometry->dims[2] - 0.5 : -0.5);
            p = bg_affine_apply(&geometry->patient_from_voxel, p);
            *radius_mm = MAX(*radius_mm, bg_vec3_distance(p, *centre_mm));
        }
        return;
    }
    for (gsize m = 0; m < n_meshes; m++) {
        BgVec3 a, b;
        if (!meshes[m].visible || bg_mesh_get_data(meshes[m].mesh)->n_triangles == 0)
            continue;
        bg_mesh_get_bounds_mm(meshes[m].mesh, &a, &b);
        low = bg_vec3(MIN(low.x, a.x), MIN(low.y, a.y), MIN(low.z, a.z));
        high = bg_vec3(MAX(high.x, b.x), MAX(high.y, b.y), MAX(high.z, b.z));
    }
    if (!(low.x <= high.x)) {
        *centre_mm = bg_vec3(0.0, 0.0, 0.0);
        *radius_mm = 1.0;
        return;
    }
    *centre_mm = bg_vec3_scale(bg_vec3_add(low, high), 0.5);
    *radius_mm = MAX(0.5 * bg_vec3_distance(low, high), 1e-3);
}
