// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/bg-slice-frame.h"
#include "ui/model/bg-session.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define BG_TYPE_OBLIQUE_VIEW (bg_oblique_view_get_type())

/**
 * BgObliqueView:
 *
 * A slice across a normal, with where the visible meshes go through it, coloured by the volume's values there.
 * Small: it stands in a section of the inspector.
 */
G_DECLARE_FINAL_TYPE(BgObliqueView, bg_oblique_view, BG, OBLIQUE_VIEW, GtkWidget)

/**
 * bg_oblique_view_show:
 * @session: (nullable): %NULL empties it
 * @middle_mm: LPS: in the middle of the picture
 * @normal: away from the viewer
 * @extent_mm: how much of the plane is seen across the shorter side
 * @depth_mm: what it is called by
 */
typedef struct {
    BgVec3 middle_mm, normal;
    double extent_mm, depth_mm;
} BgObliqueLook;

void bg_oblique_view_show(BgObliqueView *self, BgSession *session, const BgObliqueLook *look);

G_END_DECLS
