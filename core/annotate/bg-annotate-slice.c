// SPDX-License-Identifier: Apache-2.0
#include "core/annotate/bg-annotate-private.h"

#include "core/base/bg-i18n.h"

#define CROSSHAIR_GAP_PX 12.0

char *
bg_format_position(BgVec3 patient_mm)
{
    static const char letters[3][2] = { { 'L', 'R' }, { 'P', 'A' }, { 'S', 'I' } };
    char number[3][G_ASCII_DTOSTR_BUF_SIZE], letter[3];

    for (int axis = 0; axis < 3; axis++) {
        double at = bg_vec3_get(patient_mm, axis);
        letter[axis] = letters[axis][at <= -0.05 ? 1 : 0]; // "-0.0" has no side
        g_ascii_formatd(number[axis], sizeof number[axis], "%.1f", fabs(at));
    }
    return g_strdup_printf("%c %s  %c %s  %c %s mm", letter[0], number[0], letter[1], number[1],
                           letter[2], number[2]);
}

char *
bg_format_window(double centre, double width)
{
    char w[G_ASCII_DTOSTR_BUF_SIZE], c[G_ASCII_DTOSTR_BUF_SIZE];
    const char *format = fabs(width) >= 20.0 ? "%.0f" : "%.3g";

    g_ascii_formatd(w, sizeof w, format, width);
    g_ascii_formatd(c, sizeof c, format, centre == 0.0 ? 0.0 : centre);
    return g_strdup_printf("W %s L %s", w, c);
}

void
bg_annotate_slice_init(BgAnnotateSlice *params, const BgSliceFrame *frame)
{
    *params = (BgAnnotateSlice){
        .frame = *frame, .scale = 1.0, .calibrated = TRUE, .side_known = TRUE, .plane = -1
    };
}

static void
colour_of_plane(BgMark *mark, int plane)
{
    double rgb[3] = { 0.6, 0.6, 0.6 };

    if (plane >= 0)
        bg_plane_rgb((BgPlane) plane, rgb);
    for (int c = 0; c < 3; c++)
        mark->rgba[c] = (float) rgb[c];
    mark->rgba[3] = 0.9f;
}

// The planes that the vertical and the horizontal line of a pane's crosshair mark.
static void
marked_planes(int plane, int *vertical, int *horizontal)
{
    *vertical = plane < 0 ? -1 : plane == BG_PLANE_SAGITTAL ? BG_PLANE_CORONAL : BG_PLANE_SAGITTAL;
    *horizontal = plane < 0 ? -1 : plane == BG_PLANE_AXIAL ? BG_PLANE_CORONAL : BG_PLANE_AXIAL;
}

static void
add_segment(GArray *marks, int plane, double x, double y, double to_x, double to_y, double width)
{
    if (to_x < x || to_y < y)
        return;
    BgMark mark = bg_mark_line(BG_MARK_ROLE_CROSSHAIR, x, y, to_x, to_y, width);
    colour_of_plane(&mark, plane);
    g_array_append_val(marks, mark);
}

static void
add_crosshair(const BgAnnotateSlice *params, BgAnnotateLayout *layout)
{
    double x, y, w = layout->width, h = layout->height, s = layout->scale;
    double gap = CROSSHAIR_GAP_PX * s;
    int vertical, horizontal;

    bg_slice_frame_project(&params->frame, params->crosshair_mm, &x, &y);
    x = floor(x + 0.5) + 0.5; // pixel centres: a line of one whole pixel
    y = floor(y + 0.5) + 0.5;
    marked_planes(params->plane, &vertical, &horizontal);
    if (x >= 0.0 && x <= w) {
        add_segment(layout->marks, vertical, x, 0.0, x, fmin(y - gap, h), s);
        add_segment(layout->marks, vertical, x, fmax(y + gap, 0.0), x, h, s);
    }
    if (y >= 0.0 && y <= h) {
        add_segment(layout->marks, horizontal, 0.0, y, fmin(x - gap, w), y, s);
        add_segment(layout->marks, horizontal, fmax(x + gap, 0.0), y, w, y, s);
    }
    layout->has_clear = x >= 0.0 && x <= w && y >= 0.0 && y <= h;
    layout->clear_x = x;
    layout->clear_y = y;
}

static void
add_position(const BgAnnotateSlice *params, BgAnnotateLayout *layout)
{
    g_autofree char *position = bg_format_position(params->position_mm);
    g_autofree char *both =
        params->value != NULL ? g_strdup_printf("%s   %s", position, params->value) : NULL;

    if (both == NULL ||
        !bg_annotate_in_corner(layout, BG_CORNER_BOTTOM_LEFT, BG_MARK_ROLE_POSITION, both))
        bg_annotate_in_corner(layout, BG_CORNER_BOTTOM_LEFT, BG_MARK_ROLE_POSITION, position);
}

// The name loses its end before it is left out, the plane's name is never lost to it.
static void
add_title(const BgAnnotateSlice *params, BgAnnotateLayout *layout)
{
    static const glong lengths[] = { 32, 16, 8 };
    glong length = params->series != NULL ? g_utf8_strlen(params->series, -1) : 0;
    const char *title = params->title != NULL ? params->title : "";

    for (gsize i = 0; length > 0 && i < G_N_ELEMENTS(lengths); i++) {
        if (i > 0 && length <= lengths[i])
            continue; // tried whole
        g_autofree char *start = g_utf8_substring(params->series, 0, MIN(length, lengths[i]));
        g_autofree char *both = g_strdup_printf("%s%s%s%s", title, title[0] != '\0' ? "  " : "",
                                                start, length > lengths[i] ? "…" : "");
        if (bg_annotate_in_corner(layout, BG_CORNER_TOP_LEFT, BG_MARK_ROLE_TITLE, both))
            return;
    }
    bg_annotate_in_corner(layout, BG_CORNER_TOP_LEFT, BG_MARK_ROLE_TITLE, title);
}

// Returns: whether the note found its place, which it does not have first of all
static gboolean
lay_out(const BgAnnotateSlice *params, gboolean note_first, GArray *marks)
{
    BgAnnotateLayout layout;
    char text[64];

    bg_annotate_layout_init(&layout, marks, params->frame.width, params->frame.height,
                            params->scale);
    if (params->has_crosshair)
        add_crosshair(params, &layout);
    bg_annotate_letters(&layout, params->frame.u, params->frame.v, params->side_known);
    if (note_first)
        bg_annotate_note(&layout, params->note);
    bg_annotate_badges(&layout, params->badges, params->side_known);
    bg_annotate_in_corner(&layout, BG_CORNER_BOTTOM_RIGHT, BG_MARK_ROLE_CONVENTION,
                          bg_convention_name(params->convention));
    bg_annotate_scale_bar(&layout, params->frame.spacing_mm, params->calibrated, "");
    bg_annotate_in_corner(&layout, BG_CORNER_BOTTOM_RIGHT, BG_MARK_ROLE_ENGINE, params->engine);
    add_title(params, &layout);
    bg_annotate_in_corner(&layout, BG_CORNER_TOP_LEFT, BG_MARK_ROLE_WINDOW, params->window);
    bg_annotate_in_corner(&layout, BG_CORNER_TOP_LEFT, BG_MARK_ROLE_WINDOW, params->other_window);
    if (params->has_position)
        add_position(params, &layout);
    if (params->n_slices > 0) {
        g_snprintf(text, sizeof text, "%d/%d", params->slice + 1, params->n_slices);
        bg_annotate_in_corner(&layout, BG_CORNER_BOTTOM_LEFT, BG_MARK_ROLE_SLICE, text);
    }
    gboolean noted = note_first || bg_annotate_in_corner(&layout, BG_CORNER_BOTTOM_RIGHT,
                                                         BG_MARK_ROLE_NOTE, params->note);
    bg_annotate_in_corner(&layout, BG_CORNER_BOTTOM_RIGHT, BG_MARK_ROLE_INTERPOLATION,
                          params->interpolation);
    bg_annotate_layout_clear(&layout);
    return noted;
}

void
bg_annotate_slice(const BgAnnotateSlice *params, GArray *marks)
{
    g_return_if_fail(params != NULL && params->scale > 0.0);
    g_return_if_fail(marks != NULL);

    guint n_marks = marks->len;
    if (lay_out(params, FALSE, marks) || params->note == NULL)
        return;
    g_array_set_size(marks, n_marks);
    lay_out(params, TRUE, marks);
}
