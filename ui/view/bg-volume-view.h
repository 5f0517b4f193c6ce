// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/model/bg-session.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/**
 * BgVolumeView:
 *
 * The 3D pane. Pictures come from a worker: coarser ones while something moves, a fine one when it
 * is still. The main thread only shows the newest.
 */
#define BG_TYPE_VOLUME_VIEW (bg_volume_view_get_type())
G_DECLARE_FINAL_TYPE(BgVolumeView, bg_volume_view, BG, VOLUME_VIEW, GtkWidget)

GtkWidget *bg_volume_view_new(BgSession *session);

/** bg_volume_view_key: as bg_slice_view_key() */
gboolean bg_volume_view_key(BgVolumeView *self, guint keyval, GdkModifierType state,
                            gboolean pressed);

/** bg_volume_view_look_from: @letter: 'A', 'P', 'L', 'R', 'S' or 'I' */
void bg_volume_view_look_from(BgVolumeView *self, char letter);

/** bg_volume_view_get_engine: (nullable): "CPU" or "GL": what drew the picture that is shown */
const char *bg_volume_view_get_engine(BgVolumeView *self);

G_END_DECLS
