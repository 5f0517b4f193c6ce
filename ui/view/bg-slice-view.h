// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/model/bg-session.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/**
 * BgSliceView:
 *
 * One plane of what the session shows. Pictures are composed on the session's slice worker; the
 * widget shows the newest one, moved to where the pane is by now, and draws the marks over it.
 */
#define BG_TYPE_SLICE_VIEW (bg_slice_view_get_type())
G_DECLARE_FINAL_TYPE(BgSliceView, bg_slice_view, BG, SLICE_VIEW, GtkWidget)

GtkWidget *bg_slice_view_new(BgSession *session, BgPlane plane);

BgPlane bg_slice_view_get_plane(BgSliceView *self);

/** bg_slice_view_count_pictures: Returns: how many were shown so far: for measuring */
guint bg_slice_view_count_pictures(BgSliceView *self);

/**
 * bg_slice_view_key:
 * @pressed: else released
 *
 * A key while the pointer is over the pane, or the pane has the focus. Returns: whether it was used
 */
gboolean bg_slice_view_key(BgSliceView *self, guint keyval, GdkModifierType state,
                           gboolean pressed);

G_END_DECLS
