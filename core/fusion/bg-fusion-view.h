// SPDX-License-Identifier: Apache-2.0
// A photograph and what its camera would have seen of a volume, in one picture.
#pragma once

#include "core/fusion/bg-fusion.h"

G_BEGIN_DECLS

/**
 * BgFusionRect: what a rendering shows of a photograph
 * @left, @top: pixel of the photograph at the rendering's corner: (-0.5, -0.5) is the photograph's own
 * @width, @height: in pixels of the photograph
 */
typedef struct {
    double left, top, width, height;
} BgFusionRect;

/**
 * BgFusionView:
 * @image: owned: RGBA, uint8, of the rendering's size: transparent where the volume is not seen or the
 *   photograph has ended
 * @whole: owned: RGB: the same, and the photograph around; black outside of it
 * @box: u, v, width and height of the part of it that was fused, and measured
 * @n_seen: pixels in which both are
 * @metrics, @ssim: of that part; the volume's likeness first, then the photograph's; NaN in small ones
 * @levels: as of BgFusionResult
 * @maps: (element-type BgChannel) (nullable): owned: weight maps, as of BgFusionResult
 */
typedef struct {
    BgImage *image, *whole;
    int box[4];
    gsize n_seen;
    BgFusionMetrics metrics;
    double ssim[2];
    int levels[2];
    GPtrArray *maps;
} BgFusionView;

void bg_fusion_view_clear(BgFusionView *view);

/**
 * bg_fuse_view:
 * @rendering: RGBA, uint8, alpha straight
 * @photograph: RGB, uint8
 * @model: (nullable): of the method
 * @view: (out caller-allocates): untouched on failure
 *
 * Brightness is fused, the photograph's colours stay (BG_FUSION_YUV). Where the volume is not, or not
 * quite, its likeness is the photograph's, so that no edge comes from where it ends. Pixels of the
 * photograph are means over those of the rendering.
 *
 * Returns: %FALSE with %BG_ERROR_INVALID: nothing, or too little for @params' method, of the volume lies
 *   on the photograph; errors as bg_fuse_images()
 */
gboolean bg_fuse_view(BgImage *rendering, BgImage *photograph, const BgFusionRect *rect,
                      const BgFusionParams *params, BgFusionModel *model, BgFusionView *view,
                      const BgProgress *progress, GCancellable *cancellable, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BgFusionView, bg_fusion_view_clear)

G_END_DECLS
