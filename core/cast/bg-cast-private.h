// SPDX-License-Identifier: Apache-2.0
// What the sisters of bg-cast share: the scene as the kernels see it, and packets of rays.
#pragma once

#include "bg-cast.h"

#include <stdint.h>

G_BEGIN_DECLS

#define BG_CAST_LANES 8
#define BG_CAST_BRICK_SHIFT 2 // bricks of 4 x 4 x 4 cells
#define BG_CAST_FAR 15
#define BG_CAST_TILE 16 // pixels along a tile's side

/**
 * BgCastBricks:
 * @n: bricks along i, j, k; brick b covers cells 4 b .. 4 b + 3, voxels 4 b .. 4 b + 4
 * @low, @high: the least and the largest sample of each; low > high where none is finite
 *
 * The smallest and largest sample of each brick. Not a number is left out. Immutable, reference counted.
 */
typedef struct {
    gint ref_count; // atomic
    int n[3];
    gsize n_bricks;
    float *low, *high;
    float lowest, highest; // of all
} BgCastBricks;

/**
 * BgCastPacked:
 * @voxels: four int16 a voxel, in the volume's order: sample - lowest, and its differences
 *   between the next and the last voxel along i, j, k (the edge's voxel stands for those beyond)
 *
 * Value and gradient side by side, so that a shaded sample is four loads of 16 bytes. Exact: made
 * only of integers whose range is at most 32767. Immutable, reference counted.
 */
typedef struct {
    gint ref_count; // atomic
    gsize n_bytes;
    gint16 *voxels;
} BgCastPacked;

/**
 * bg_cast_packed_get:
 * @bricks: the volume's
 * @packed: (out) (transfer full) (nullable): %NULL when it would be too large for the cache, or not
 *   exact: that depends on the volume and the cache's limit alone, so pictures do not depend on what was
 *   drawn before
 *
 * Returns: %FALSE with %BG_ERROR_NO_MEMORY or %G_IO_ERROR_CANCELLED
 */
gboolean bg_cast_packed_get(BgVolume *volume, const BgCastBricks *bricks, BgCastPacked **packed,
                            GCancellable *cancellable, GError **error);
void bg_cast_packed_unref(BgCastPacked *packed);

/** bg_cast_bricks_get: (transfer full): from the cache, or made and kept there */
BgCastBricks *bg_cast_bricks_get(BgVolume *volume, GCancellable *cancellable, GError **error);
void bg_cast_bricks_unref(BgCastBricks *bricks);

/**
 * BgCastScene:
 *
 * One picture's constants. Values are samples as stored; positions are voxel coordinates. What a
 * field is for stands where it is filled, in bg-cast-scene.c.
 */
typedef struct {
    // The grid.
    gconstpointer samples;
    BgSampleType type;
    int dims[3];
    gsize stride_y, stride_z; // in samples; 0 along an axis of one voxel
    gboolean linear;
    gboolean huge;        // an index may not fit 31 bits
    const gint16 *packed; // NULL: samples are read; borrowed from @packing
    BgCastPacked *packing;
    float packed_offset; // what to add to a packed value
    // Bricks.
    int n_bricks[3];
    guint8 *distance;  // to the nearest brick that counts, in bricks (chessboard), to
                       // BG_CAST_FAR at most; 0: it counts
    const float *low;  // borrowed from @bricks
    const float *high; // likewise
    BgCastBricks *bricks;
    BgVec3 active_low, active_high; // voxel coordinates around all that count
    gboolean empty;                 // none counts
    int box[4];                     // pixels u0 v0 u1 v1 that may see any of it
    // Classification: entry = clamp((sample - lut_low) * lut_scale).
    float *lut; // r, g, b, opacity (of a step, unless gradient opacity follows)
    float lut_low, lut_scale;
    int lut_last;
    float *gradient_lut; // NULL without gradient opacity; over the magnitude
    float gradient_scale;
    int gradient_last;
    float exponent; // step over unit distance
    // Light.
    gboolean shade;
    float ambient, diffuse, specular, power;
    float light[3];  // towards it, brought to voxel space for products with gradients
    float metric[6]; // xx yy zz 2xy 2xz 2yz: gradients in voxels to their squared length in mm
    float flat;      // squared length below which a gradient has no direction
    BgVec3 light_mm; // unit length, LPS
    BgLighting lighting;
    int n_paths; // a pixel
    guint64 seed;
    double off_surface_mm; // where paths leave a surface
    // Marching.
    BgTechnique technique;
    double step_mm;
    float early_alpha, depth_alpha;
    float iso;  // as a sample, times sign
    float sign; // -1 where larger samples are smaller values
    // Labels.
    BgLabelMap *labels; // borrowed, nullable
    BgLabelTable *label_table;
    float *label_rgb; // 4 floats a label below n_label_rgb: r, g, b, weight
    guint32 n_label_rgb;
    float label_weight;
    // Ambient occlusion: the open share of the sky on a coarse grid; NULL: not asked for.
    float *openness;
    int n_openness[3];
    float openness_scale[3]; // of its cells, a voxel
    // Rays: unnormalised direction or origin are affine in the pixel.
    BgCamera camera;
    BgVec3 origin_mm, origin_u_mm, origin_v_mm;
    BgVec3 ray, ray_u, ray_v;
    BgAffine voxel_from_patient;
    // Cuts.
    gboolean clip_box;
    BgVec3 clip_low, clip_high;
    BgCastPlane planes[BG_CAST_MAX_PLANES];
    int n_planes;
} BgCastScene;

gboolean bg_cast_scene_init(BgCastScene *scene, BgVolume *volume, const BgCastParams *params,
                            GCancellable *cancellable, GError **error);
void bg_cast_scene_clear(BgCastScene *scene);

/** bg_cast_check: Returns: %FALSE with %BG_ERROR_INVALID, as bg_cast() */
gboolean bg_cast_check(BgVolume *volume, const BgCastParams *params, GError **error);

/** bg_cast_scene_ray: as bg_camera_ray(), from the scene's constants */
void bg_cast_scene_ray(const BgCastScene *scene, double u, double v, BgVec3 *origin_mm,
                       BgVec3 *direction);

/** bg_cast_scene_cut: narrows @from..@to (mm along the ray) to the clip box and planes; @normal:
 * (out) (nullable): of the cut that it starts at, else untouched */
void bg_cast_scene_cut(const BgCastScene *scene, BgVec3 origin_mm, BgVec3 direction, double *from,
                       double *to, BgVec3 *normal);

/**
 * BgCastRay:
 * @direction_mm: unit length, LPS
 * @origin, @direction: voxel coordinates, per mm
 * @inverse: of @direction; infinite along an axis that it does not take
 * @from, @to: the part that is inside the volume and not cut away, mm
 * @first, @last: of it what may hold anything to see
 */
typedef struct {
    BgVec3 direction_mm;
    double origin[3], direction[3];
    double inverse[3];
    double from, to;
    double first, last;
} BgCastRay;

/** bg_cast_ray_init: @start_mm: where it begins; Returns: %FALSE when there is nothing to see along it */
gboolean bg_cast_ray_init(const BgCastScene *scene, BgVec3 origin_mm, BgVec3 direction,
                          double start_mm, BgCastRay *ray);

/** bg_cast_scene_classify: @rgba: (out): of one sample, for the projections */
void bg_cast_scene_classify(const BgCastScene *scene, float sample, float rgba[4]);

/** bg_cast_scene_tint: mixes the labels' colours at voxels @index (i + nx (j + ny k)) in */
void bg_cast_scene_tint(const BgCastScene *scene, const gint64 index[BG_CAST_LANES],
                        const int mask[BG_CAST_LANES], float *r, float *g, float *b);

/**
 * BgCastPacket:
 * @x, @y, @z: voxel coordinates of the rays at @t_mm; @dx, @dy, @dz: per mm
 * @from, @to: which part of each ray to march, mm after @t_mm; from >= to for none
 * @first, @last: half-open: samples n lie at (n + 0.5) step_mm after @t_mm
 * @light_view: cosine between light and view
 * @before: share that is covered before @from
 * @r, @g, @b, @a: (out): premultiplied, of this part only
 * @seen: (out): mm after @t_mm where before + this part reach depth_alpha, else infinite
 * @value: (out): projections: the sample, times the sign; iso: not used
 */
typedef struct {
    double t_mm;
    int first, last;
    float x[BG_CAST_LANES] __attribute__((aligned(32)));
    float y[BG_CAST_LANES] __attribute__((aligned(32)));
    float z[BG_CAST_LANES] __attribute__((aligned(32)));
    float dx[BG_CAST_LANES] __attribute__((aligned(32)));
    float dy[BG_CAST_LANES] __attribute__((aligned(32)));
    float dz[BG_CAST_LANES] __attribute__((aligned(32)));
    float from[BG_CAST_LANES] __attribute__((aligned(32)));
    float to[BG_CAST_LANES] __attribute__((aligned(32)));
    float light_view[BG_CAST_LANES] __attribute__((aligned(32)));
    float before[BG_CAST_LANES] __attribute__((aligned(32)));
    float r[BG_CAST_LANES] __attribute__((aligned(32)));
    float g[BG_CAST_LANES] __attribute__((aligned(32)));
    float b[BG_CAST_LANES] __attribute__((aligned(32)));
    float a[BG_CAST_LANES] __attribute__((aligned(32)));
    float seen[BG_CAST_LANES] __attribute__((aligned(32)));
    float value[BG_CAST_LANES] __attribute__((aligned(32)));
    float leap; // samples a brick's side is worth, along the fastest axis of all rays
} BgCastPacket;

/**
 * BgCastKernel:
 * @composite: fills r, g, b, a and seen
 * @project: MIP, MinIP and mean: fills value (not a number where there is none) and seen
 * @iso: fills seen (infinite where there is none) and r, g, b, a
 */
typedef struct {
    const char *name;
    void (*composite)(const BgCastScene *scene, BgCastPacket *packet);
    void (*project)(const BgCastScene *scene, BgCastPacket *packet);
    void (*iso)(const BgCastScene *scene, BgCastPacket *packet);
} BgCastKernel;

extern const BgCastKernel bg_cast_kernel_plain;
#if defined(__x86_64__)
extern const BgCastKernel bg_cast_kernel_avx2;
#endif

/** bg_cast_force_plain: for tests: not the fast kernels. Not while bg_cast() runs */
void bg_cast_force_plain(gboolean plain);

G_END_DECLS
