// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/view/bg-volume-scene.h"
#include "ui/view/bg-volume-view.h"

G_BEGIN_DECLS

typedef enum {
    BG_DRAG_3D_NONE,
    BG_DRAG_3D_ROTATE,
    BG_DRAG_3D_SPIN,
    BG_DRAG_3D_PAN,
    BG_DRAG_3D_ZOOM,
    BG_DRAG_3D_CLIP,
} BgDrag3d;

struct _BgVolumeView {
    GtkWidget parent_instance;

    BgSession *session;       // owned
    GdkTexture *texture;      // owned, nullable: the newest picture
    BgVolumePicture *picture; // owned, nullable: its depth, for picking
    gboolean texture_is_draft;
    double seconds_per_pixel; // what drafts cost lately
    guint slow_id;            // until it is said that the first picture takes long
    gboolean is_slow;
    guint refine_id;

    BgDrag3d drag;
    double drag_x, drag_y;
    gboolean drag_moved;
    BgView start_view;
    BgVec3 start_low_mm, start_high_mm;
    int clip_face;
    double pointer_x, pointer_y;
    GtkWidget *menu;
};

/** bg_volume_view_camera: of the widget, in its own pixels; FALSE when nothing is shown */
gboolean bg_volume_view_camera(BgVolumeView *self, BgCamera *camera, BgVec3 *centre_mm);

void bg_volume_view_init_input(BgVolumeView *self);

G_END_DECLS
