// SPDX-License-Identifier: Apache-2.0
#include "core/annotate/bg-annotate-private.h"

#include <string.h>

#define HALO_PX 1.5
#define SMALL_PX 1e-3       // an ellipse that is thinner cannot be scaled
#define PILL_PADDING_X 0.45 // of the font's height
#define PILL_PADDING_Y 0.2

// DejaVu's figures all have one width.
#define FONT_FAMILY "DejaVu Sans"

static void
free_context(gpointer context)
{
    g_object_unref(context);
}

// One a thread: a screenshot's worker measures while the window draws.
static GPrivate context_of_thread = G_PRIVATE_INIT(free_context);

static PangoContext *
get_context(void)
{
    PangoContext *context = g_private_get(&context_of_thread);

    if (context == NULL) {
        cairo_font_options_t *options = cairo_font_options_create();
        context = pango_font_map_create_context(pango_cairo_font_map_get_default());
        // The same widths whatever is drawn on, so that what was measured is what is drawn.
        cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
        cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_SLIGHT);
        cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
        pango_cairo_context_set_font_options(context, options);
        cairo_font_options_destroy(options);
        g_private_set(&context_of_thread, context);
    }
    return context;
}

static PangoLayout *
new_layout(const char *text, double size)
{
    PangoLayout *layout = pango_layout_new(get_context());
    PangoFontDescription *font = pango_font_description_new();

    pango_font_description_set_family_static(font, FONT_FAMILY);
    pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
    pango_layout_set_font_description(layout, font);
    pango_layout_set_text(layout, text, -1);
    pango_font_description_free(font);
    return layout;
}

GArray *
bg_annotations_new(void)
{
    return g_array_new(FALSE, TRUE, sizeof(BgMark));
}

static void
box_of_layout(const BgMark *mark, PangoLayout *layout, double box[4])
{
    PangoRectangle logical;

    pango_layout_get_extents(layout, NULL, &logical);
    box[2] = (double) logical.width / PANGO_SCALE;
    box[3] = (double) logical.height / PANGO_SCALE;
    if (mark->kind == BG_MARK_PILL) {
        box[2] += 2.0 * PILL_PADDING_X * mark->size;
        box[3] += 2.0 * PILL_PADDING_Y * mark->size;
    }
    box[0] = mark->x - mark->to_x * box[2];
    box[1] = mark->y - mark->to_y * box[3];
}

void
bg_mark_get_box(const BgMark *mark, double box[4])
{
    double half = 0.5 * mark->size;

    switch (mark->kind) {
    case BG_MARK_TEXT:
    case BG_MARK_PILL: {
        g_autoptr(PangoLayout) layout = new_layout(mark->text, mark->size);
        box_of_layout(mark, layout, box);
        return;
    }
    case BG_MARK_LINE:
    case BG_MARK_VEIL:
        box[0] = fmin(mark->x, mark->to_x);
        box[1] = fmin(mark->y, mark->to_y);
        box[2] = fabs(mark->to_x - mark->x);
        box[3] = fabs(mark->to_y - mark->y);
        return;
    case BG_MARK_ELLIPSE: {
        double dx = mark->to_x - mark->x, dy = mark->to_y - mark->y, major = hypot(dx, dy);
        // Half widths of a turned ellipse: sqrt(a^2 cos^2 + b^2 sin^2), and the other way round.
        double cosine = major > 0.0 ? dx / major : 1.0, sine = major > 0.0 ? dy / major : 0.0;
        double wide = hypot(major * cosine, mark->size * sine);
        double high = hypot(major * sine, mark->size * cosine);
        box[0] = mark->x - wide;
        box[1] = mark->y - high;
        box[2] = 2.0 * wide;
        box[3] = 2.0 * high;
        return;
    }
    case BG_MARK_RECT:
        box[0] = fmin(mark->x, mark->to_x) - half;
        box[1] = fmin(mark->y, mark->to_y) - half;
        box[2] = fabs(mark->to_x - mark->x) + mark->size;
        box[3] = fabs(mark->to_y - mark->y) + mark->size;
        return;
    case BG_MARK_RING:
    case BG_MARK_DIAMOND:
    case BG_MARK_CROSS:
        box[0] = mark->x - half;
        box[1] = mark->y - half;
        box[2] = box[3] = mark->size;
        return;
    }
}

const BgMark *
bg_annotations_find(const GArray *marks, BgMarkRole role)
{
    for (guint i = 0; i < marks->len; i++) {
        const BgMark *mark = &g_array_index(marks, BgMark, i);
        if (mark->role == role)
            return mark;
    }
    return NULL;
}

static void
set_colour(cairo_t *cr, const BgMark *mark)
{
    cairo_set_source_rgba(cr, (double) mark->rgba[0], (double) mark->rgba[1],
                          (double) mark->rgba[2], (double) mark->rgba[3]);
}

static void
set_halo(cairo_t *cr, const BgMark *mark)
{
    cairo_set_source_rgba(cr, 0.0, 0.0, 0.0, 0.6 * (double) mark->rgba[3]);
}

static void
draw_text(const BgMark *mark, cairo_t *cr)
{
    g_autoptr(PangoLayout) layout = new_layout(mark->text, mark->size);
    double box[4];

    box_of_layout(mark, layout, box);
    if (mark->kind == BG_MARK_PILL) {
        double radius = 0.5 * box[3];
        cairo_new_path(cr);
        cairo_arc(cr, box[0] + box[2] - radius, box[1] + radius, radius, -G_PI / 2, G_PI / 2);
        cairo_arc(cr, box[0] + radius, box[1] + radius, radius, G_PI / 2, 3 * G_PI / 2);
        cairo_close_path(cr);
        cairo_set_source_rgba(cr, 0.08, 0.085, 0.095, 0.85);
        cairo_fill(cr);
        box[0] += PILL_PADDING_X * mark->size;
        box[1] += PILL_PADDING_Y * mark->size;
    }
    if (mark->kind == BG_MARK_TEXT)
        bg_halo_draw(cr, layout, box[0], box[1], 2.0 * HALO_PX * mark->size / BG_ANNOTATE_TEXT_PX,
                     (double) mark->rgba[3]);
    cairo_move_to(cr, box[0], box[1]);
    set_colour(cr, mark);
    pango_cairo_show_layout(cr, layout);
}

static double
trace(const BgMark *mark, cairo_t *cr)
{
    double half = 0.5 * mark->size, width = 1.5;

    cairo_new_path(cr);
    switch (mark->kind) {
    case BG_MARK_LINE:
        cairo_move_to(cr, mark->x, mark->y);
        cairo_line_to(cr, mark->to_x, mark->to_y);
        width = mark->size;
        break;
    case BG_MARK_RECT:
        cairo_rectangle(cr, mark->x, mark->y, mark->to_x - mark->x, mark->to_y - mark->y);
        width = mark->size;
        break;
    case BG_MARK_RING:
        cairo_arc(cr, mark->x, mark->y, half, 0.0, 2.0 * G_PI);
        break;
    case BG_MARK_VEIL:
        cairo_rectangle(cr, mark->x, mark->y, mark->to_x - mark->x, mark->to_y - mark->y);
        break;
    case BG_MARK_ELLIPSE:
        cairo_save(cr);
        cairo_translate(cr, mark->x, mark->y);
        cairo_rotate(cr, atan2(mark->to_y - mark->y, mark->to_x - mark->x));
        cairo_scale(cr, fmax(hypot(mark->to_x - mark->x, mark->to_y - mark->y), SMALL_PX),
                    fmax(mark->size, SMALL_PX));
        cairo_arc(cr, 0.0, 0.0, 1.0, 0.0, 2.0 * G_PI);
        cairo_restore(cr);
        break;
    case BG_MARK_DIAMOND:
        cairo_move_to(cr, mark->x, mark->y - half);
        cairo_line_to(cr, mark->x + half, mark->y);
        cairo_line_to(cr, mark->x, mark->y + half);
        cairo_line_to(cr, mark->x - half, mark->y);
        cairo_close_path(cr);
        break;
    case BG_MARK_CROSS:
        cairo_move_to(cr, mark->x - half, mark->y);
        cairo_line_to(cr, mark->x + half, mark->y);
        cairo_move_to(cr, mark->x, mark->y - half);
        cairo_line_to(cr, mark->x, mark->y + half);
        break;
    case BG_MARK_TEXT:
    case BG_MARK_PILL:
        break;
    }
    return width;
}

void
bg_annotations_draw(const GArray *marks, cairo_t *cr)
{
    g_return_if_fail(marks != NULL);
    g_return_if_fail(cr != NULL);

    cairo_save(cr);
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_BUTT);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    for (guint i = 0; i < marks->len; i++) {
        const BgMark *mark = &g_array_index(marks, BgMark, i);
        if (mark->kind == BG_MARK_PILL)
            continue;
        if (mark->kind == BG_MARK_TEXT) {
            draw_text(mark, cr);
            continue;
        }
        double width = trace(mark, cr);
        if (mark->kind == BG_MARK_VEIL) {
            set_colour(cr, mark);
            cairo_set_antialias(cr, CAIRO_ANTIALIAS_NONE); // no seams between neighbours
            cairo_fill(cr);
            cairo_set_antialias(cr, CAIRO_ANTIALIAS_DEFAULT);
            continue;
        }
        // A dark halo first: legible on bone and on air.
        set_halo(cr, mark);
        cairo_set_line_width(cr, width + 2.0 * HALO_PX);
        cairo_stroke_preserve(cr);
        set_colour(cr, mark);
        cairo_set_line_width(cr, width);
        cairo_stroke(cr);
    }
    for (guint i = 0; i < marks->len; i++) { // no line goes through a number
        const BgMark *mark = &g_array_index(marks, BgMark, i);
        if (mark->kind == BG_MARK_PILL)
            draw_text(mark, cr);
    }
    cairo_restore(cr);
}

void
bg_contours_draw(const BgContours *contours, const double rgb[3], double width_px, cairo_t *cr)
{
    g_return_if_fail(contours != NULL);
    g_return_if_fail(cr != NULL);

    cairo_save(cr);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_width(cr, width_px);
    cairo_set_source_rgb(cr, rgb[0], rgb[1], rgb[2]);
    cairo_new_path(cr);
    for (guint c = 0; c < contours->starts->len; c++) {
        gsize first = g_array_index(contours->starts, gsize, c);
        gsize end = c + 1 < contours->starts->len ? g_array_index(contours->starts, gsize, c + 1)
                                                  : contours->points->len;
        for (gsize n = first; n < end; n++) {
            BgContourPoint p = g_array_index(contours->points, BgContourPoint, n);
            if (n == first)
                cairo_move_to(cr, p.x + 0.5, p.y + 0.5);
            else
                cairo_line_to(cr, p.x + 0.5, p.y + 0.5);
        }
    }
    cairo_stroke(cr);
    cairo_restore(cr);
}
