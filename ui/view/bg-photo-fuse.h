// SPDX-License-Identifier: Apache-2.0
// Fuses the photograph with the volume from its camera, whenever one of them is drawn anew.
#pragma once

#include "ui/view/bg-photo-render.h"

G_BEGIN_DECLS

/**
 * BgPhotoFuse:
 *
 * Gives the session its BgFused while the look of photographs says by which method. Main thread only;
 * the work is done on a thread of its own, the newest wish first.
 */
#define BG_TYPE_PHOTO_FUSE (bg_photo_fuse_get_type())
G_DECLARE_FINAL_TYPE(BgPhotoFuse, bg_photo_fuse, BG, PHOTO_FUSE, GObject)

BgPhotoFuse *bg_photo_fuse_new(BgSession *session, BgPhotoRender *render);

G_END_DECLS
