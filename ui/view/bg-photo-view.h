// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/view/bg-photo-render.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/** BgPhotoRole: what is shown, all in the frame of the photograph */
typedef enum {
    BG_PHOTO_ROLE_PICTURE, // the photograph
    BG_PHOTO_ROLE_RENDER,  // the volume from its camera
    BG_PHOTO_ROLE_OVERLAY, // one over the other
} BgPhotoRole;

#define BG_TYPE_PHOTO_VIEW (bg_photo_view_get_type())
G_DECLARE_FINAL_TYPE(BgPhotoView, bg_photo_view, BG, PHOTO_VIEW, GtkWidget)

/** bg_photo_view_new: @render: shared by the views of all roles */
GtkWidget *bg_photo_view_new(BgSession *session, BgPhotoRender *render, BgPhotoRole role);

/** bg_photo_view_key: Returns: whether the key was used */
gboolean bg_photo_view_key(BgPhotoView *self, guint keyval, GdkModifierType state,
                           gboolean pressed);

G_END_DECLS
