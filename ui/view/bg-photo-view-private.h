// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/model/bg-photo-paint.h"
#include "ui/view/bg-photo-view.h"

G_BEGIN_DECLS

typedef enum {
    BG_PHOTO_DRAG_NONE,
    BG_PHOTO_DRAG_CROSSHAIR,
    BG_PHOTO_DRAG_PAN,
    BG_PHOTO_DRAG_ZOOM,
    BG_PHOTO_DRAG_POINT,
    BG_PHOTO_DRAG_SWIPE,
} BgPhotoDrag;

struct _BgPhotoView {
    GtkWidget parent_instance;

    BgSession *session;    // owned
    BgPhotoRender *render; // owned
    BgPhotoRole role;
    GdkTexture *texture;    // owned, nullable: the photograph
    BgPhotoPaint *textured; // owned, nullable: what @texture was made of
    GdkTexture *over;       // owned, nullable: the photograph that was registered to it
    BgPhotoPaint *over_of;  // owned, nullable: what @over was made of
    gboolean has_pointer;   // over the pane

    BgPhotoDrag drag;
    double drag_x, drag_y;
    gboolean drag_moved;
    BgPhotoLook start_look;
    double pointer_x, pointer_y;
};

/** BgPhotoFrame: pixel (u, v) of the photograph is at (left + (u + 0.5) scale, ...) of the widget */
typedef struct {
    double left, top, scale;
    int width, height; // of the photograph
} BgPhotoFrame;

/** bg_photo_view_layer: (transfer none) (nullable): the photograph whose pixels the pane counts in */
const BgLayer *bg_photo_view_layer(BgPhotoView *self);

/** bg_photo_view_frame: FALSE without a photograph */
gboolean bg_photo_view_frame(BgPhotoView *self, BgPhotoFrame *frame);

/** bg_photo_view_want: the volume's picture as this pane needs it */
void bg_photo_view_want(BgPhotoView *self);

void bg_photo_view_init_input(BgPhotoView *self);

G_END_DECLS
