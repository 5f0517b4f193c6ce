// SPDX-License-Identifier: Apache-2.0
// Brush, eraser and fill in a slice: by the pointer, and by keys at the crosshair.
#include "core/base/bg-i18n.h"
#include "ui/model/bg-label-edit.h"
#include "ui/view/bg-slice-view-private.h"

#define GROW 1.25 // a press of plus or minus

static gboolean
is_brush(BgTool tool)
{
    return tool == BG_TOOL_BRUSH || tool == BG_TOOL_ERASER;
}

gboolean
bg_slice_view_begin_stroke(BgSliceView *self, double x, double y)
{
    BgTool tool = bg_session_get_tool(self->session);

    if (!bg_slice_view_point_mm(self, x, y, &self->stroke_mm))
        return FALSE;
    if (tool == BG_TOOL_FILL) {
        bg_label_edit_run(self->session, BG_EDIT_FLOOD, self->plane, self->stroke_mm);
        return FALSE;
    }
    if (!bg_label_edit_begin(self->session, tool == BG_TOOL_ERASER ? _("Eraser") : _("Brush")))
        return FALSE;
    bg_session_set_dragging(self->session, TRUE);
    self->stroke_us = g_get_monotonic_time();
    bg_label_edit_stroke(self->session, self->plane, self->stroke_mm, self->stroke_mm,
                         tool == BG_TOOL_ERASER);
    return TRUE;
}

void
bg_slice_view_stroke_to(BgSliceView *self, double x, double y)
{
    BgVec3 to_mm;

    if (!bg_slice_view_point_mm(self, x, y, &to_mm))
        return;
    self->stroke_us = g_get_monotonic_time();
    bg_label_edit_stroke(self->session, self->plane, self->stroke_mm, to_mm,
                         bg_session_get_tool(self->session) == BG_TOOL_ERASER);
    self->stroke_mm = to_mm;
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

// What a click there would do.
static void
dab(BgSliceView *self)
{
    BgTool tool = bg_session_get_tool(self->session);
    BgVec3 at_mm = bg_session_get_state(self->session)->cursor_mm;

    if (tool == BG_TOOL_FILL) {
        bg_label_edit_run(self->session, BG_EDIT_FLOOD, self->plane, at_mm);
        return;
    }
    if (!bg_label_edit_begin(self->session, tool == BG_TOOL_ERASER ? _("Eraser") : _("Brush")))
        return;
    bg_label_edit_stroke(self->session, self->plane, at_mm, at_mm, tool == BG_TOOL_ERASER);
    bg_label_edit_end(self->session);
}

static void
grow(BgSliceView *self, double factor)
{
    BgEditSettings settings = *bg_session_get_edit(self->session);

    settings.diameter_mm *= factor;
    bg_session_set_edit(self->session, &settings);
}

static void
take(BgSliceView *self, BgTool tool)
{
    BgTool now = bg_session_get_tool(self->session);

    bg_session_set_tool(self->session, now == tool ? BG_TOOL_CROSSHAIR : tool);
}

gboolean
bg_slice_view_edit_key(BgSliceView *self, guint keyval, GdkModifierType state)
{
    BgTool tool = bg_session_get_tool(self->session);

    if (state & (GDK_CONTROL_MASK | GDK_ALT_MASK))
        return FALSE;
    switch (gdk_keyval_to_lower(keyval)) {
    case GDK_KEY_b:
        take(self, BG_TOOL_BRUSH);
        return TRUE;
    case GDK_KEY_e:
        take(self, BG_TOOL_ERASER);
        return TRUE;
    case GDK_KEY_k:
        take(self, BG_TOOL_FILL);
        return TRUE;
    default:
        break;
    }
    if (!is_brush(tool) && tool != BG_TOOL_FILL)
        return FALSE;
    switch (keyval) {
    case GDK_KEY_space:
        dab(self);
        return TRUE;
    case GDK_KEY_plus:
    case GDK_KEY_KP_Add:
        grow(self, GROW);
        return TRUE;
    case GDK_KEY_minus:
    case GDK_KEY_KP_Subtract:
        grow(self, 1.0 / GROW);
        return TRUE;
    default:
        return FALSE;
    }
}

void
bg_slice_view_draw_brush(BgSliceView *self, const BgSliceFrame *frame, cairo_t *cr)
{
    if (!is_brush(bg_session_get_tool(self->session)) || !self->pointer_inside)
        return;
    double radius = bg_session_get_edit(self->session)->diameter_mm / 2.0 / frame->spacing_mm;
    double x = self->drag == BG_DRAG_PAINT ? self->last_x : self->pointer_x;
    double y = self->drag == BG_DRAG_PAINT ? self->last_y : self->pointer_y;

    cairo_save(cr);
    cairo_new_path(cr);
    cairo_arc(cr, x, y, MAX(radius, 1.0), 0.0, 2.0 * G_PI);
    cairo_set_source_rgba(cr, 0.0, 0.0, 0.0, 0.6);
    cairo_set_line_width(cr, 3.0);
    cairo_stroke_preserve(cr);
    cairo_set_source_rgba(cr, 1.0, 1.0, 1.0, 0.9);
    cairo_set_line_width(cr, 1.0);
    cairo_stroke(cr);
    cairo_restore(cr);
}
