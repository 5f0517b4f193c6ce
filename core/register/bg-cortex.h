// SPDX-License-Identifier: Apache-2.0
// A surface with the volume's values on it, as a camera sees it.
#pragma once

#include "core/image/bg-image.h"
#include "core/model/bg-camera.h"
#include "core/model/bg-mesh.h"
#include "core/volume/bg-volume.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * BgCortex:
 *
 * A mesh, its normals, and a value for each vertex. Immutable, reference counted (atomically).
 */
typedef struct _BgCortex BgCortex;

/**
 * bg_cortex_new:
 * @mesh: the surface that the photograph shows: the brain's
 * @volume: (nullable): a vertex's value is the volume's mean along its normal, from @outside_mm before
 *   the surface to @inside_mm below it; without a volume, and off its grid, values are 0
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_INVALID for a mesh without triangles,
 *   %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
BgCortex *bg_cortex_new(BgMesh *mesh, BgVolume *volume, double outside_mm, double inside_mm,
                        GCancellable *cancellable, GError **error);
BgCortex *bg_cortex_ref(BgCortex *cortex);
void bg_cortex_unref(BgCortex *cortex);

/**
 * BgCortexView:
 * @camera: a pinhole; the size is the view's
 * @depth_mm: along the camera's z axis; infinite where there is no surface
 * @value: interpolated
 * @facing: cosine between the normal and the way to the camera, 0..1
 * @normal: 3 a pixel: LPS, outwards, unit length; zeros where there is no surface
 *
 * What a pinhole camera sees. Arrays of width x height from bg_buffer_alloc(), owned.
 */
typedef struct {
    BgCamera camera;
    float *depth_mm, *value, *facing, *normal;
} BgCortexView;

/** bg_cortex_view_new: the camera's lens is left out; %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED */
BgCortexView *bg_cortex_view_new(BgCortex *cortex, const BgCamera *camera,
                                 GCancellable *cancellable, GError **error);
void bg_cortex_view_free(BgCortexView *view);

/** bg_cortex_view_point: where the surface at a pixel is, LPS mm; %FALSE where there is none */
gboolean bg_cortex_view_point(const BgCortexView *view, int u, int v, BgVec3 *patient_mm);

/**
 * bg_cortex_view_picture:
 *
 * Grey with alpha, 8 bits: values between their 1st and 99th percentile, shaded by how the surface faces
 * the camera; transparent where there is no surface. Bend it by bg_image_distort() to lay it over the
 * photograph as it was taken.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_NO_MEMORY
 */
BgImage *bg_cortex_view_picture(const BgCortexView *view, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgCortex, bg_cortex_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgCortexView, bg_cortex_view_free)

G_END_DECLS
