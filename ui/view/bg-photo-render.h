// SPDX-License-Identifier: Apache-2.0
// The volume as a photograph's camera sees it: one picture for all panes that show it.
#pragma once

#include "ui/model/bg-session.h"

#include <gdk/gdk.h>

G_BEGIN_DECLS

/**
 * BgPhotoRect:
 * @left, @top: pixel of the photograph at the corner; (-0.5, -0.5) is the photograph's own
 * @width, @height: in its pixels
 */
typedef struct {
    double left, top, width, height;
} BgPhotoRect;

/**
 * BgPhotoRender:
 *
 * Main thread only. Signal ::changed (): there is another picture, or none.
 */
#define BG_TYPE_PHOTO_RENDER (bg_photo_render_get_type())
G_DECLARE_FINAL_TYPE(BgPhotoRender, bg_photo_render, BG, PHOTO_RENDER, GObject)

BgPhotoRender *bg_photo_render_new(BgSession *session);

/**
 * bg_photo_render_want:
 * @rect: what is to be seen
 * @scale: pixels of the picture in one of the photograph
 *
 * Draws a coarse picture and then, when nothing was wanted anew for a moment, a fine one.
 */
void bg_photo_render_want(BgPhotoRender *self, const BgPhotoRect *rect, double scale);

/** bg_photo_render_get: (transfer none) (nullable): transparent where there is nothing; @rect: (out): what it shows */
GdkTexture *bg_photo_render_get(BgPhotoRender *self, BgPhotoRect *rect);

/** bg_photo_render_get_image: (transfer none) (nullable): the same, RGBA; @layer_id: (out) (nullable): the photograph that it belongs to */
BgImage *bg_photo_render_get_image(BgPhotoRender *self, BgPhotoRect *rect, const char **layer_id);

/** bg_photo_render_get_engine: (nullable): "CPU" or "GL" */
const char *bg_photo_render_get_engine(BgPhotoRender *self);

/** bg_photo_render_pick: what is seen at a pixel of the photograph; %FALSE where there is nothing */
gboolean bg_photo_render_pick(BgPhotoRender *self, double u, double v, BgVec3 *at_mm);

G_END_DECLS
