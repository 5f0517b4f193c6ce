// SPDX-License-Identifier: Apache-2.0
#include "bg-curves.h"

#include "bg-annotate-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>

#define MAX_TICKS 12
#define WANTED_TICKS 5
#define EDGE_SHARE 0.06 // room above and below the values
#define MANY_POINTS 60  // beyond which single ones are not marked

static void
reach(const BgCurvePlot *plot, double *low, double *high)
{
    *low = HUGE_VAL;
    *high = -HUGE_VAL;
    for (int c = 0; c < plot->n_curves; c++) {
        for (gsize i = 0; i < plot->n; i++) {
            double value = plot->curves[c].values[i];
            if (!isfinite(value) || (plot->is_log && value <= 0.0))
                continue;
            *low = MIN(*low, value);
            *high = MAX(*high, value);
        }
    }
}

BgCurveFrame
bg_curve_frame(const BgCurvePlot *plot, double width, double height)
{
    double text = plot->text_px, head = plot->title != NULL ? 2.0 * text : 0.0;
    BgCurveFrame frame = { .left = 4.6 * text,
                           .top = head + 2.0 * text,
                           .right = width - 1.2 * text,
                           .bottom = height - (plot->epoch_title != NULL ? 3.2 : 2.0) * text,
                           .last = (double) MAX(MAX(plot->n, plot->n_epochs), 2),
                           .is_log = plot->is_log };

    reach(plot, &frame.low, &frame.high);
    if (frame.low > frame.high) {
        frame.low = plot->is_log ? 0.1 : 0.0;
        frame.high = 1.0;
    }
    if (plot->is_log) {
        double edge = MAX(EDGE_SHARE * log(frame.high / frame.low), 0.05);
        frame.low *= exp(-edge);
        frame.high *= exp(edge);
        return frame;
    }
    double edge = EDGE_SHARE * (frame.high - MIN(frame.low, plot->from_zero ? 0.0 : frame.low));
    edge = edge > 0.0 ? edge : MAX(0.05 * fabs(frame.high), 1e-6);
    frame.high += edge;
    frame.low = plot->from_zero ? MIN(frame.low, 0.0) : frame.low - edge;
    return frame;
}

double
bg_curve_x(const BgCurveFrame *frame, double epoch)
{
    return frame->left + (frame->right - frame->left) * (epoch - 1.0) / (frame->last - 1.0);
}

double
bg_curve_y(const BgCurveFrame *frame, double value)
{
    double share;

    if (!isfinite(value) || (frame->is_log && value <= 0.0))
        return (double) NAN;
    share = frame->is_log ? log(value / frame->low) / log(frame->high / frame->low)
                          : (value - frame->low) / (frame->high - frame->low);
    return frame->bottom - (frame->bottom - frame->top) * share;
}

// 1, 2 or 5 times a power of ten, so that about WANTED_TICKS fit into @span.
static double
round_step(double span)
{
    double rough = span / WANTED_TICKS, power = pow(10.0, floor(log10(rough)));
    double share = rough / power;

    return power * (share <= 1.0 ? 1.0 : share <= 2.0 ? 2.0 : share <= 5.0 ? 5.0 : 10.0);
}

static int
log_ticks(const BgCurveFrame *frame, double *ticks, int most)
{
    static const double parts[3] = { 1.0, 2.0, 5.0 };
    int n = 0, n_parts = log10(frame->high / frame->low) > 2.5 ? 1 : 3;

    for (int power = (int) floor(log10(frame->low)); power <= (int) ceil(log10(frame->high));
         power++) {
        for (int p = 0; p < n_parts; p++) {
            double value = parts[p] * pow(10.0, power);
            if (value >= frame->low && value <= frame->high && n < most)
                ticks[n++] = value;
        }
    }
    return n;
}

int
bg_curve_ticks(const BgCurveFrame *frame, double *ticks, int most)
{
    int n = frame->is_log ? log_ticks(frame, ticks, most) : 0;

    if (n >= 2)
        return n;
    double step = round_step(frame->high - frame->low);
    n = 0;
    for (double k = ceil(frame->low / step - 1e-9); k * step <= frame->high && n < most; k++)
        ticks[n++] = fabs(k) < 0.5 ? 0.0 : k * step;
    return n;
}

// ------------------------------------------------------------------------------------------------

static void
set_rgb(cairo_t *cr, const double rgb[3])
{
    cairo_set_source_rgb(cr, rgb[0], rgb[1], rgb[2]);
}

// (@share_x, @share_y) of the words' box lies at (@x, @y). Returns: how wide they are
static double
put(cairo_t *cr, double text_px, double x, double y, double share_x, double share_y,
    const char *words)
{
    PangoLayout *layout = pango_cairo_create_layout(cr);
    PangoFontDescription *font = pango_font_description_from_string("Sans");
    int width, height;

    pango_font_description_set_absolute_size(font, text_px * PANGO_SCALE);
    pango_layout_set_font_description(layout, font);
    pango_layout_set_text(layout, words, -1);
    pango_layout_get_pixel_size(layout, &width, &height);
    cairo_move_to(cr, x - share_x * width, y - share_y * height);
    pango_cairo_show_layout(cr, layout);
    pango_font_description_free(font);
    g_object_unref(layout);
    return width;
}

static void
draw_grid(const BgCurvePlot *plot, const BgCurveFrame *frame, cairo_t *cr)
{
    double ticks[MAX_TICKS];
    int n = bg_curve_ticks(frame, ticks, MAX_TICKS);
    char words[G_ASCII_DTOSTR_BUF_SIZE];
    BgCurveFrame epochs = { .low = 1.0, .high = frame->last };

    cairo_set_line_width(cr, 1.0);
    for (int i = 0; i < n; i++) {
        double y = floor(bg_curve_y(frame, ticks[i])) + 0.5;
        set_rgb(cr, plot->line);
        cairo_move_to(cr, frame->left, y);
        cairo_line_to(cr, frame->right, y);
        cairo_stroke(cr);
        set_rgb(cr, plot->dim);
        g_ascii_formatd(words, sizeof words, "%.4g", ticks[i]);
        put(cr, plot->text_px, frame->left - 0.5 * plot->text_px, y, 1.0, 0.5, words);
    }
    n = bg_curve_ticks(&epochs, ticks, MAX_TICKS);
    for (int i = 0; i < n; i++) {
        if (fabs(ticks[i] - round(ticks[i])) > 1e-6 || ticks[i] < 1.0)
            continue;
        double x = floor(bg_curve_x(frame, ticks[i])) + 0.5;
        set_rgb(cr, plot->line);
        cairo_move_to(cr, x, frame->bottom);
        cairo_line_to(cr, x, frame->bottom + 4.0);
        cairo_stroke(cr);
        set_rgb(cr, plot->dim);
        g_snprintf(words, sizeof words, "%d", (int) round(ticks[i]));
        put(cr, plot->text_px, x, frame->bottom + 0.3 * plot->text_px, 0.5, 0.0, words);
    }
    set_rgb(cr, plot->dim);
    cairo_move_to(cr, frame->left, floor(frame->bottom) + 0.5);
    cairo_line_to(cr, frame->right, floor(frame->bottom) + 0.5);
    cairo_stroke(cr);
}

static void
mark(cairo_t *cr, double x, double y, double size, gboolean square)
{
    if (square)
        cairo_rectangle(cr, x - size, y - size, 2.0 * size, 2.0 * size);
    else
        cairo_arc(cr, x, y, size, 0.0, 2.0 * G_PI);
    cairo_fill(cr);
}

static void
set_dashes(cairo_t *cr, gboolean dashed)
{
    static const double dashes[2] = { 6.0, 3.0 };

    cairo_set_dash(cr, dashes, dashed ? 2 : 0, 0.0);
}

static void
draw_curve(const BgCurve *curve, gsize n, const BgCurveFrame *frame, cairo_t *cr)
{
    gboolean drawing = FALSE;

    set_rgb(cr, curve->rgb);
    cairo_set_line_width(cr, 2.0);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    set_dashes(cr, curve->dashed);
    cairo_new_path(cr);
    for (gsize i = 0; i < n; i++) {
        double x = bg_curve_x(frame, (double) i + 1.0), y = bg_curve_y(frame, curve->values[i]);
        if (isfinite(y) && drawing)
            cairo_line_to(cr, x, y);
        else if (isfinite(y))
            cairo_move_to(cr, x, y);
        drawing = isfinite(y);
    }
    cairo_stroke(cr);
    set_dashes(cr, FALSE);
    for (gsize i = 0; i < n; i++) {
        double y = bg_curve_y(frame, curve->values[i]);
        if (isfinite(y) && (n <= MANY_POINTS || i + 1 == n))
            mark(cr, bg_curve_x(frame, (double) i + 1.0), y, curve->dashed ? 2.5 : 3.0,
                 curve->dashed);
    }
}

// Right of the value's title, on its line.
static void
draw_legend(const BgCurvePlot *plot, const BgCurveFrame *frame, cairo_t *cr)
{
    double text = plot->text_px, x = frame->right, y = frame->top - 1.1 * text;

    for (int c = plot->n_curves - 1; c >= 0 && plot->n_curves > 1; c--) {
        const BgCurve *curve = &plot->curves[c];
        set_rgb(cr, plot->ink);
        x -= put(cr, text, x, y, 1.0, 0.5, curve->name) + 0.5 * text;
        set_rgb(cr, curve->rgb);
        cairo_set_line_width(cr, 2.0);
        set_dashes(cr, curve->dashed);
        cairo_move_to(cr, x - 2.2 * text, y);
        cairo_line_to(cr, x, y);
        cairo_stroke(cr);
        set_dashes(cr, FALSE);
        mark(cr, x - 1.1 * text, y, curve->dashed ? 2.5 : 3.0, curve->dashed);
        x -= 3.6 * text;
    }
}

void
bg_curve_draw(const BgCurvePlot *plot, cairo_t *cr, double width, double height)
{
    BgCurveFrame frame = bg_curve_frame(plot, width, height);
    double text = plot->text_px;

    set_rgb(cr, plot->ground);
    cairo_paint(cr);
    if (frame.right - frame.left < 4.0 * text || frame.bottom - frame.top < 2.0 * text)
        return;
    draw_grid(plot, &frame, cr);
    set_rgb(cr, plot->ink);
    if (plot->title != NULL)
        put(cr, 1.2 * text, 0.6 * text, 0.5 * text, 0.0, 0.0, plot->title);
    put(cr, text, 0.6 * text, frame.top - 1.1 * text, 0.0, 0.5, plot->value_title);
    if (plot->epoch_title != NULL)
        put(cr, text, frame.right, height - 0.2 * text, 1.0, 1.0, plot->epoch_title);
    draw_legend(plot, &frame, cr);
    for (int c = 0; c < plot->n_curves; c++)
        draw_curve(&plot->curves[c], plot->n, &frame, cr);
}

BgImage *
bg_curve_image(const BgCurvePlot *plot, int width, int height, GError **error)
{
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    const BgImageFormat format = { width, height, 3, BG_PIXEL_UINT8 };
    guint8 *rgb = NULL;

    if (cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS) {
        cairo_t *cr = cairo_create(surface);
        bg_curve_draw(plot, cr, width, height);
        cairo_destroy(cr);
        rgb = bg_annotate_to_rgb(surface, error);
    } else {
        g_set_error(error, BG_ERROR, BG_ERROR_NO_MEMORY,
                    _("A picture of %d × %d pixels cannot be drawn: there is no memory. Close "
                      "something"),
                    width, height);
    }
    cairo_surface_destroy(surface);
    return rgb != NULL ? bg_image_new_take(&format, rgb, error) : NULL;
}
