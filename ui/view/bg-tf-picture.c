// SPDX-License-Identifier: Apache-2.0
#include "ui/view/bg-tf-editor-private.h"

#define CURVE_PX 2.0
#define TICK_PX 4.0
#define TICK_DISTANCE_PX 60.0
#define FONT_PX 10.0

// 1, 2 or 5 times a power of ten, at least @least.
static double
round_step(double least)
{
    double decade = pow(10.0, floor(log10(least)));

    for (int i = 0; i < 3; i++) {
        static const double steps[] = { 1.0, 2.0, 5.0 };
        if (steps[i] * decade >= least)
            return steps[i] * decade;
    }
    return 10.0 * decade;
}

// Of the bins that fall on one column the fullest counts, so that a thin peak is not lost.
static double
column_height(const BgTfPicture *picture, double from, double to)
{
    const BgHistogram *histogram = picture->histogram;
    double bin_width = (histogram->high - histogram->low) / histogram->n_bins;
    double first = floor((from - histogram->low) / bin_width);
    double last = floor((to - histogram->low) / bin_width);
    guint64 most = 0;

    for (double bin = MAX(first, 0.0); bin <= MIN(last, histogram->n_bins - 1.0); bin += 1.0)
        most = MAX(most, histogram->counts[(guint) bin]);
    return picture->logarithmic ? log1p((double) most) : (double) most;
}

static void
draw_histogram(const BgTfPicture *picture, cairo_t *cr)
{
    const BgTfLayout *layout = &picture->layout;
    int n_columns = (int) (layout->right - layout->left);
    g_autofree double *heights = NULL;
    double tallest = 0.0;

    if (picture->histogram == NULL || n_columns < 2)
        return;

    heights = g_new(double, n_columns);
    for (int i = 0; i < n_columns; i++) {
        heights[i] = column_height(picture, bg_tf_layout_value(layout, layout->left + i),
                                   bg_tf_layout_value(layout, layout->left + i + 1));
        tallest = MAX(tallest, heights[i]);
    }
    if (tallest <= 0.0)
        return;

    cairo_move_to(cr, layout->left, layout->bottom);
    for (int i = 0; i < n_columns; i++) {
        double y = bg_tf_layout_y(layout, 0.98 * heights[i] / tallest);
        cairo_line_to(cr, layout->left + i, y);
        cairo_line_to(cr, layout->left + i + 1, y);
    }
    cairo_line_to(cr, layout->left + n_columns, layout->bottom);
    cairo_close_path(cr);
    gdk_cairo_set_source_rgba(cr, &picture->fill);
    cairo_fill(cr);
}

static void
draw_axis(const BgTfPicture *picture, cairo_t *cr)
{
    const BgTfLayout *layout = &picture->layout;
    double per_px = (layout->high - layout->low) / (layout->right - layout->left);
    double step = round_step(TICK_DISTANCE_PX * per_px);
    int decimals = step >= 1.0 ? 0 : (int) ceil(-log10(step));
    double y = layout->bottom;

    cairo_set_font_size(cr, FONT_PX);
    gdk_cairo_set_source_rgba(cr, &picture->text);
    cairo_set_line_width(cr, 1.0);
    cairo_move_to(cr, layout->left, floor(y) + 0.5);
    cairo_line_to(cr, layout->right, floor(y) + 0.5);
    for (double value = ceil(layout->low / step) * step; value <= layout->high; value += step) {
        double x = floor(bg_tf_layout_x(layout, value)) + 0.5;
        g_autofree char *text = g_strdup_printf("%.*f", decimals, value == 0.0 ? 0.0 : value);
        cairo_text_extents_t extents;
        cairo_text_extents(cr, text, &extents);
        cairo_move_to(cr, x, y);
        cairo_line_to(cr, x, y + TICK_PX);
        if (x - extents.width / 2 >= 0.0 && x + extents.width / 2 < layout->right - 16.0) {
            cairo_move_to(cr, x - extents.width / 2, y + TICK_PX + FONT_PX);
            cairo_show_text(cr, text);
        }
        cairo_new_sub_path(cr);
    }
    cairo_stroke(cr);

    cairo_text_extents_t extents;
    cairo_text_extents(cr, picture->unit, &extents);
    cairo_move_to(cr, layout->right - extents.width, y + TICK_PX + FONT_PX);
    cairo_show_text(cr, picture->unit);
}

static void
trace_curve(const BgTfPicture *picture, cairo_t *cr)
{
    const BgTfLayout *layout = &picture->layout;
    const GArray *points = bg_transfer_function_get_data(picture->tf)->opacity;

    cairo_move_to(
        cr, layout->left,
        bg_tf_layout_y(layout, bg_transfer_function_opacity_at(picture->tf, layout->low)));
    for (guint i = 0; i < points->len; i++) {
        const BgOpacityPoint *point = &g_array_index(points, BgOpacityPoint, i);
        if (point->value > layout->low && point->value < layout->high)
            cairo_line_to(cr, bg_tf_layout_x(layout, point->value),
                          bg_tf_layout_y(layout, point->alpha));
    }
    cairo_line_to(
        cr, layout->right,
        bg_tf_layout_y(layout, bg_transfer_function_opacity_at(picture->tf, layout->high)));
}

static gboolean
is_selected(const BgTfPicture *picture, BgTfPart part, guint index)
{
    return picture->selected.part == part && picture->selected.index == index;
}

static void
draw_curve(const BgTfPicture *picture, cairo_t *cr)
{
    const BgTfLayout *layout = &picture->layout;
    const GArray *points = bg_transfer_function_get_data(picture->tf)->opacity;

    cairo_save(cr);
    cairo_rectangle(cr, layout->left, layout->top - BG_TF_HANDLE_PX, layout->right - layout->left,
                    layout->bottom - layout->top + 8.0);
    cairo_clip(cr);
    trace_curve(picture, cr);
    cairo_set_source_rgb(cr, 1.0, 1.0, 1.0);
    cairo_set_line_width(cr, CURVE_PX);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    cairo_stroke(cr);
    cairo_restore(cr);

    for (guint i = 0; i < points->len; i++) {
        const BgOpacityPoint *point = &g_array_index(points, BgOpacityPoint, i);
        if (point->value < layout->low || point->value > layout->high)
            continue;
        cairo_arc(cr, bg_tf_layout_x(layout, point->value), bg_tf_layout_y(layout, point->alpha),
                  BG_TF_HANDLE_PX, 0.0, 2.0 * G_PI);
        if (is_selected(picture, BG_TF_OPACITY_POINT, i))
            gdk_cairo_set_source_rgba(cr, &picture->accent);
        else
            cairo_set_source_rgb(cr, 0.12, 0.13, 0.14);
        cairo_fill_preserve(cr);
        cairo_set_source_rgb(cr, 1.0, 1.0, 1.0);
        cairo_set_line_width(cr, 1.5);
        cairo_stroke(cr);
    }
}

static void
draw_ramp(const BgTfPicture *picture, cairo_t *cr)
{
    const BgTfLayout *layout = &picture->layout;

    for (double x = layout->left; x < layout->right; x += 1.0) {
        double rgb[3];
        bg_transfer_function_colour_at(picture->tf, bg_tf_layout_value(layout, x + 0.5), rgb);
        cairo_set_source_rgb(cr, rgb[0], rgb[1], rgb[2]);
        cairo_rectangle(cr, floor(x), layout->strip_top, 1.0, BG_TF_STRIP_PX);
        cairo_fill(cr);
    }
}

static void
draw_stops(const BgTfPicture *picture, cairo_t *cr)
{
    const BgTfLayout *layout = &picture->layout;
    const GArray *stops = bg_transfer_function_get_data(picture->tf)->colour;

    for (guint i = 0; i < stops->len; i++) {
        const BgColourPoint *stop = &g_array_index(stops, BgColourPoint, i);
        double x = bg_tf_layout_x(layout, stop->value);
        if (stop->value < layout->low || stop->value > layout->high)
            continue;
        cairo_rectangle(cr, x - BG_TF_HANDLE_PX, layout->strip_top + 1.0, 2.0 * BG_TF_HANDLE_PX,
                        BG_TF_STRIP_PX - 2.0);
        cairo_set_source_rgb(cr, stop->rgb[0], stop->rgb[1], stop->rgb[2]);
        cairo_fill_preserve(cr);
        cairo_set_line_width(cr, 3.0);
        cairo_set_source_rgba(cr, 0.0, 0.0, 0.0, 0.7);
        cairo_stroke_preserve(cr);
        cairo_set_line_width(cr, 1.5);
        if (is_selected(picture, BG_TF_COLOUR_STOP, i))
            gdk_cairo_set_source_rgba(cr, &picture->accent);
        else
            cairo_set_source_rgb(cr, 1.0, 1.0, 1.0);
        cairo_stroke(cr);
    }
}

static void
draw_line_at(const BgTfPicture *picture, cairo_t *cr, double value, const double *dashes)
{
    const BgTfLayout *layout = &picture->layout;
    double x = floor(bg_tf_layout_x(layout, value)) + 0.5;

    if (!(value >= layout->low && value <= layout->high))
        return;
    cairo_save(cr);
    if (dashes != NULL)
        cairo_set_dash(cr, dashes, 2, 0.0);
    gdk_cairo_set_source_rgba(cr, &picture->accent);
    cairo_set_line_width(cr, 1.0);
    cairo_move_to(cr, x, layout->top);
    cairo_line_to(cr, x, layout->bottom);
    cairo_stroke(cr);
    cairo_restore(cr);
}

void
bg_tf_picture_draw(const BgTfPicture *picture, cairo_t *cr)
{
    static const double dashes[] = { 4.0, 3.0 };

    draw_histogram(picture, cr);
    draw_axis(picture, cr);
    if (picture->tf == NULL)
        return;

    if (bg_transfer_function_get_data(picture->tf)->technique == BG_TECHNIQUE_ISO)
        draw_line_at(picture, cr, bg_transfer_function_get_data(picture->tf)->iso_value, dashes);
    draw_line_at(picture, cr, picture->marker, NULL);
    draw_curve(picture, cr);
    draw_ramp(picture, cr);
    draw_stops(picture, cr);
}
