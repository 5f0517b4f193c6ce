// SPDX-License-Identifier: Apache-2.0
// The CPU's ray caster: a picture of a volume and of meshes inside it.
#pragma once

#include "core/base/bg-progress.h"
#include "core/image/bg-image.h"
#include "core/model/bg-camera.h"
#include "core/model/bg-label-table.h"
#include "core/model/bg-mesh.h"
#include "core/model/bg-transfer-function.h"
#include "core/volume/bg-label-map.h"
#include "core/volume/bg-volume.h"

G_BEGIN_DECLS

#define BG_CAST_MAX_PLANES 8
#define BG_CAST_KEY 0.65 // what a white surface that faces the key light sends back, linear
#define BG_CAST_SKY 0.45 // radiance of the sky

/**
 * BgCastPlane:
 * @normal: LPS, any length above 0; the side that it points to is kept
 * @point_mm: LPS, anywhere on the plane
 */
typedef struct {
    BgVec3 normal;
    BgVec3 point_mm;
} BgCastPlane;

/**
 * BgCastMesh:
 * @mesh: borrowed
 * @rgb: sRGB, 0..1
 * @opacity: 0..1, of each of its walls
 * @clip: the clip box and the planes cut it too
 * @range_mm: above 0, of a mesh that holds distances: they colour it, not @rgb (bg_distance_colour())
 */
typedef struct {
    BgMesh *mesh;
    double rgb[3];
    double opacity;
    gboolean visible;
    gboolean clip;
    double range_mm;
} BgCastMesh;

/**
 * BgLighting:
 * @BG_LIGHTING_LOCAL: each place is lit as if nothing else were there
 * @BG_LIGHTING_AO: and darkened by how much of the sky above it is covered nearby
 * @BG_LIGHTING_PATH: light is followed from the eye back to its sources: shadows, light that
 *   comes back from elsewhere. By chance, so it has noise, that falls with the samples
 */
typedef enum {
    BG_LIGHTING_LOCAL,
    BG_LIGHTING_AO,
    BG_LIGHTING_PATH,
} BgLighting;

/** bg_lighting_name: `local`, `ao`, `path` */
const char *bg_lighting_name(BgLighting lighting);

/** bg_lighting_parse: Returns: %FALSE for none of those */
gboolean bg_lighting_parse(const char *name, BgLighting *lighting);

/**
 * BgCastParams:
 * @camera: gives the size of the picture too; its distortion is ignored
 * @tf: (nullable): borrowed; holds technique, shading and interpolation. %NULL only without a volume
 * @step_mm: distance of two samples; 0: half the smallest distance of two voxels, which shows no rings of
 *   the steps on smooth surfaces. Twice to four times that is good enough while the view is dragged
 * @clip_low, @clip_high: LPS mm; used when @clip_box is set: what is outside is cut away
 * @planes, @n_planes: cut as well
 * @transparent: no background: the picture's alpha says where there is nothing
 * @background_top, @background_bottom: sRGB, 0..1; linear between the picture's edges
 * @meshes, @n_meshes: borrowed, any order
 * @mesh_ambient, @mesh_diffuse, @mesh_specular, @mesh_power: Phong's, all meshes'
 * @labels, @label_table: (nullable): borrowed: voxels with a visible label take its colour
 * @label_weight: 0..1: how much of the label's colour
 * @light_right, @light_up: where the headlight is, as tangents against the camera's axis; 0, 0 is
 *   at the camera. The light is parallel
 * @lighting: how light falls; AO and PATH with composite only
 * @n_paths: of PATH, a pixel: 1..65536
 * @seed: of PATH
 * @early_alpha: 0..1: a ray ends when that much is covered; the rest counts as more of the same.
 *   1 never ends early
 * @depth_alpha: 0..1: the depth is where that much is covered
 *
 * What a picture is made of. A plain value; fill it by bg_cast_params_init() first.
 */
typedef struct {
    BgCamera camera;
    BgTransferFunction *tf;
    double step_mm;
    gboolean clip_box;
    BgVec3 clip_low, clip_high;
    BgCastPlane planes[BG_CAST_MAX_PLANES];
    int n_planes;
    gboolean transparent;
    double background_top[3], background_bottom[3];
    const BgCastMesh *meshes;
    gsize n_meshes;
    double mesh_ambient, mesh_diffuse, mesh_specular, mesh_power;
    BgLabelMap *labels;
    BgLabelTable *label_table;
    double label_weight;
    double light_right, light_up;
    BgLighting lighting;
    int n_paths;
    guint64 seed;
    double early_alpha;
    double depth_alpha;
} BgCastParams;

/** bg_cast_params_init: black, headlight at the camera, local light, 64 paths, early end at 0.995, depth at 0.3, no camera */
void bg_cast_params_init(BgCastParams *params);

/**
 * BgCastImage:
 * @colour: RGBA8, straight alpha, sRGB; alpha 255 everywhere unless transparent
 * @depth: float32, one channel: mm along the pixel's ray (bg_camera_ray(): from the camera's centre,
 *   or from its z = 0 plane when parallel) to what is seen; infinite where that is background
 * @camera: the one it was made with
 */
typedef struct {
    BgImage *colour;
    BgImage *depth;
    BgCamera camera;
} BgCastImage;

void bg_cast_image_free(BgCastImage *image);

/**
 * bg_cast:
 * @volume: (nullable): meshes only
 *
 * Casts one ray through each pixel's centre. Samples lie at fixed distances from the camera
 * (odd multiples of half a step), so that the same patient on another grid gives the same picture;
 * where an edge of the volume, a cut or a mesh divides a step, each part counts by its length.
 * Between voxels values are trilinear (or nearest); to half a voxel beyond the outer centres the
 * edge's value holds, and beyond that there is nothing.
 *
 * Composite: opacity o of a sample of length s is 1 - (1 - o(value) g(|gradient|))^(s /
 * unit_distance_mm), colours are mixed front to back as they are coded (sRGB). MIP, MinIP and mean
 * (by length) take colour and opacity of that one value. Iso: the first place where the value is
 * iso_value or more, found by bisection; its colour is the colour function's there, opaque.
 * Shading is Phong's with a white headlight, two-sided: colour * (ambient + diffuse |n.l|) + specular
 * max(0, r.v)^power. The gradient is the central difference over two voxels along each axis,
 * brought to patient space by the inverse transpose of the affine, so that spacing,
 * oblique and sheared grids shade alike. Where it is 0, the sample is lit as if it faced the light.
 *
 * Meshes are drawn in exact order of depth with the volume and with each other, translucent ones
 * too, with four samples a pixel at their edges. With MIP, MinIP and mean the volume up to the first opaque wall
 * counts, and its value takes part at its own depth (mean: at the end of the ray).
 *
 * Ambient occlusion: the light of each sample is multiplied by the share of the hemisphere above its
 * surface, weighed by the cosine, that is open to an eighth of the volume's diagonal: cones through a
 * pyramid of mean extinctions (after Crassin and others 2011). It does not depend on the view.
 *
 * Paths: a ray goes in steps as above and stops in each by chance, as likely as the step is opaque. What
 * it meets there is a matt surface of the colour function's colour across the gradient, or, unshaded
 * or without a gradient, a mote that throws light all round. It is lit by a key light of
 * BG_CAST_KEY, three degrees wide, and by a sky of BG_CAST_SKY, both through what is in their
 * way, and by what the next stop along a direction by chance sends. Light is added linearly and coded
 * as sRGB at the end. Meshes are seen, with their own local light, and throw no shadows.
 *
 * The same picture, bit for bit, for any number of threads. Any thread.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_INVALID when a parameter is out of its range
 *   (picture over 16384 pixels, step below 1/64 of a voxel, box turned inside out, zero normal,
 *   a label map without a table or with another geometry, no tf, a lighting that the technique has
 *   not), %BG_ERROR_NO_MEMORY, or %G_IO_ERROR_CANCELLED
 */
BgCastImage *bg_cast(BgVolume *volume, const BgCastParams *params, const BgProgress *progress,
                     GCancellable *cancellable, GError **error);

/**
 * bg_cast_image_pick:
 * @u, @v: pixel; rounded to the next one
 * @patient_mm: (out): LPS
 *
 * Returns: %FALSE outside of the picture, and where only the background is seen
 */
gboolean bg_cast_image_pick(const BgCastImage *image, double u, double v, BgVec3 *patient_mm);

/**
 * bg_cast_prepare:
 *
 * Makes and keeps what bg_cast() needs of @volume whatever the picture, which it else does at its
 * first call: for a worker that has just loaded a volume.
 *
 * Returns: %FALSE with %BG_ERROR_NO_MEMORY or %G_IO_ERROR_CANCELLED
 */
gboolean bg_cast_prepare(BgVolume *volume, GCancellable *cancellable, GError **error);

/** bg_cast_set_cache_bytes: how much of that is kept for all volumes together; 640 MiB at the start. A volume whose preparation is larger
 * is drawn from its samples, slower */
void bg_cast_set_cache_bytes(gsize n_bytes);

/** bg_cast_fit: @centre_mm, @radius_mm: (out): the sphere around the volume's eight corners, or, without a volume, around all visible meshes */
void bg_cast_fit(const BgVolume *volume, const BgCastMesh *meshes, gsize n_meshes,
                 BgVec3 *centre_mm, double *radius_mm);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgCastImage, bg_cast_image_free)

G_END_DECLS
