// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/annotate/bg-annotations.h"
#include "ui/view/bg-slice-scene.h"
#include "ui/view/bg-slice-view.h"

G_BEGIN_DECLS

typedef enum {
    BG_DRAG_NONE,
    BG_DRAG_CROSSHAIR,
    BG_DRAG_PAN,
    BG_DRAG_ZOOM,
    BG_DRAG_WINDOW,
    BG_DRAG_MEASURE,       // a new one
    BG_DRAG_MEASURE_POINT, // an end of an old one
    BG_DRAG_POINT,
    BG_DRAG_MOVE, // the volume, by hand
    BG_DRAG_TURN, // the same, about the crosshair
    BG_DRAG_PAINT,
} BgDrag;

struct _BgSliceView {
    GtkWidget parent_instance;

    BgSession *session; // owned
    BgPlane plane;
    GdkTexture *texture;        // owned, nullable: the newest picture
    BgSliceFrame texture_frame; // in device pixels
    GPtrArray *contours;        // owned, nullable: of BgMeshLines, in texture_frame's pixels
    guint n_pictures;
    gint64 requested_us;

    // input
    BgDrag drag;
    guint drag_button;
    double drag_x, drag_y; // where it began, in widget pixels
    double last_x, last_y;
    gboolean drag_moved;
    double start_zoom, start_pan_mm[2];
    double start_centre, start_width;
    char *measure_id; // owned, nullable: what is drawn or moved
    int measure_point;
    int n_placed; // points of a new measurement that stand
    double pointer_x, pointer_y;
    double scrolled; // what smooth scrolling has gathered
    gboolean w_held, pointer_inside;
    BgVec3 stroke_mm; // where the brush is
    gint64 stroke_us; // when it came there; 0 once that is shown
    GtkWidget *menu;  // owned by the widget tree
};

/** bg_slice_view_frame: of the widget, in its own pixels; FALSE when there is nothing to show */
gboolean bg_slice_view_frame(BgSliceView *self, BgSliceFrame *frame);

/** bg_slice_view_point_mm: LPS of widget pixel (x, y); FALSE when there is nothing */
gboolean bg_slice_view_point_mm(BgSliceView *self, double x, double y, BgVec3 *patient_mm);

/** bg_slice_view_begin_stroke: a click of brush, eraser or fill; FALSE when no drag follows */
gboolean bg_slice_view_begin_stroke(BgSliceView *self, double x, double y);
void bg_slice_view_stroke_to(BgSliceView *self, double x, double y);

/** bg_slice_view_edit_key: the tools, their size, and a dab at the crosshair */
gboolean bg_slice_view_edit_key(BgSliceView *self, guint keyval, GdkModifierType state);

/** bg_slice_view_draw_brush: its outline at the pointer */
void bg_slice_view_draw_brush(BgSliceView *self, const BgSliceFrame *frame, cairo_t *cr);

void bg_slice_view_init_input(BgSliceView *self);

G_END_DECLS
