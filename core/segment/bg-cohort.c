// SPDX-License-Identifier: Apache-2.0
#include "bg-cohort.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PLOT_WIDTH 640.0
#define PLOT_HEIGHT 360.0
#define PLOT_LEFT 48.0
#define PLOT_TOP 16.0
#define PLOT_BOTTOM 312.0
#define PLOT_TICKS 5
#define SAME_GRID_MM 0.01

static const char *const colours[] = { "#c0392b", "#2980b9", "#27ae60", "#8e44ad",
                                       "#d68910", "#16a085", "#7f8c8d", "#2c3e50" };

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return x < y ? -1 : x > y;
}

static double
rank(const double *sorted, gsize n, double share)
{
    double at = share * (double) (n - 1);
    gsize low = (gsize) at, high = MIN(low + 1, n - 1);

    return sorted[low] + (at - (double) low) * (sorted[high] - sorted[low]);
}

BgSummary
bg_summary(const double *values, gsize n)
{
    g_autofree double *sorted = g_new(double, MAX(n, 1));
    double none = (double) NAN, sum = 0.0;
    BgSummary s = { 0, none, none, none, none, none, none };

    for (gsize i = 0; i < n; i++) {
        if (isfinite(values[i])) {
            sorted[s.n++] = values[i];
            sum += values[i];
        }
    }
    if (s.n == 0)
        return s;
    qsort(sorted, s.n, sizeof(double), compare_doubles);
    s.mean = sum / (double) s.n;
    s.least = sorted[0];
    s.q1 = rank(sorted, s.n, 0.25);
    s.median = rank(sorted, s.n, 0.5);
    s.q3 = rank(sorted, s.n, 0.75);
    s.most = sorted[s.n - 1];
    return s;
}

static gboolean
is_in(const BgLabelRegion *region, guint32 label)
{
    for (int i = 0; i < region->n_labels; i++) {
        if (region->labels[i] == label)
            return TRUE;
    }
    return FALSE;
}

gboolean
bg_slice_dice(BgLabelMap *pred, BgLabelMap *truth, const BgLabelRegion *region, double *dice,
              GError **error)
{
    const BgGeometry *geometry = bg_label_map_get_geometry(pred);
    const int *d = geometry->dims;

    if (!bg_geometry_equal(geometry, bg_label_map_get_geometry(truth), SAME_GRID_MM)) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_MISMATCH,
                            _("Label maps on different grids cannot be compared; bring them onto "
                              "one"));
        return FALSE;
    }
    g_autofree guint32 *p = g_new(guint32, d[0]), *t = g_new(guint32, d[0]);
    for (int k = 0; k < d[2]; k++) {
        gsize n_both = 0, n_all = 0;
        for (int j = 0; j < d[1]; j++) {
            bg_label_map_read_row(pred, j, k, p);
            bg_label_map_read_row(truth, j, k, t);
            for (int i = 0; i < d[0]; i++) {
                gboolean in_p = is_in(region, p[i]), in_t = is_in(region, t[i]);
                n_both += (gsize) (in_p && in_t);
                n_all += (gsize) in_p + (gsize) in_t;
            }
        }
        dice[k] = n_all > 0 ? 2.0 * (double) n_both / (double) n_all : (double) NAN;
    }
    return TRUE;
}

// Numbers in SVG have a point, whatever the locale.
static void
put(GString *svg, const char *format, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append(svg, g_ascii_formatd(text, sizeof text, format, value));
}

static void
line(GString *svg, double x1, double y1, double x2, double y2, const char *style)
{
    const double at[4] = { x1, y1, x2, y2 };
    static const char *const names[4] = { "x1", "y1", "x2", "y2" };

    g_string_append(svg, "<line");
    for (int i = 0; i < 4; i++) {
        g_string_append_printf(svg, " %s=\"", names[i]);
        put(svg, "%.1f", at[i]);
        g_string_append_c(svg, '"');
    }
    g_string_append_printf(svg, " %s/>\n", style);
}

static void
write_text(GString *svg, double x, double y, const char *anchor, const char *words)
{
    g_autofree char *safe = g_markup_escape_text(words, -1);

    g_string_append(svg, "<text x=\"");
    put(svg, "%.1f", x);
    g_string_append(svg, "\" y=\"");
    put(svg, "%.1f", y);
    g_string_append_printf(svg, "\" text-anchor=\"%s\">%s</text>\n", anchor, safe);
}

static double
height_of(double value, double top)
{
    return PLOT_BOTTOM - (PLOT_BOTTOM - PLOT_TOP) * CLAMP(value / top, 0.0, 1.0);
}

static GString *
begin(double top)
{
    GString *svg = g_string_new("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 640 360\" "
                                "font-family=\"sans-serif\" font-size=\"12\">\n"
                                "<rect width=\"640\" height=\"360\" fill=\"#fff\"/>\n");

    for (int tick = 0; tick <= PLOT_TICKS; tick++) {
        double value = top * tick / PLOT_TICKS, y = height_of(value, top);
        char words[G_ASCII_DTOSTR_BUF_SIZE];
        g_ascii_formatd(words, sizeof words, "%.4g", value);
        line(svg, PLOT_LEFT, y, PLOT_WIDTH - 8.0, y, "stroke=\"#ddd\"");
        write_text(svg, PLOT_LEFT - 6.0, y + 4.0, "end", words);
    }
    return svg;
}

char *
bg_plot_boxes(const char *const *names, const BgSummary *boxes, gsize n, const char *unit,
              double top)
{
    GString *svg = begin(top);
    double step = (PLOT_WIDTH - PLOT_LEFT - 8.0) / (double) MAX(n, 1), half = MIN(step / 4.0, 40.0);

    for (gsize i = 0; i < n; i++) {
        double x = PLOT_LEFT + step * ((double) i + 0.5);
        write_text(svg, x, PLOT_BOTTOM + 18.0, "middle", names[i]);
        if (boxes[i].n == 0)
            continue;
        double q1 = height_of(boxes[i].q1, top), q3 = height_of(boxes[i].q3, top);
        double median = height_of(boxes[i].median, top);
        line(svg, x, height_of(boxes[i].least, top), x, q1, "stroke=\"#333\"");
        line(svg, x, q3, x, height_of(boxes[i].most, top), "stroke=\"#333\"");
        g_string_append(svg, "<rect x=\"");
        put(svg, "%.1f", x - half);
        g_string_append(svg, "\" y=\"");
        put(svg, "%.1f", q3);
        g_string_append(svg, "\" width=\"");
        put(svg, "%.1f", 2.0 * half);
        g_string_append(svg, "\" height=\"");
        put(svg, "%.1f", q1 - q3);
        g_string_append_printf(svg, "\" fill=\"%s\" fill-opacity=\"0.4\" stroke=\"#333\"/>\n",
                               colours[i % G_N_ELEMENTS(colours)]);
        line(svg, x - half, median, x + half, median, "stroke=\"#000\" stroke-width=\"2\"");
    }
    write_text(svg, PLOT_LEFT, PLOT_HEIGHT - 8.0, "start", unit);
    g_string_append(svg, "</svg>\n");
    return g_string_free(svg, FALSE);
}

char *
bg_plot_slices(const char *const *names, const double *const *series, gsize n_series, gsize n)
{
    GString *svg = begin(1.0);
    double step = (PLOT_WIDTH - PLOT_LEFT - 8.0) / (double) MAX(n, 2);

    for (gsize s = 0; s < n_series; s++) {
        const char *colour = colours[s % G_N_ELEMENTS(colours)];
        gboolean drawing = FALSE;
        g_string_append(svg, "<path fill=\"none\" stroke-width=\"1.5\" d=\"");
        for (gsize k = 0; k < n; k++) {
            if (!isfinite(series[s][k])) {
                drawing = FALSE;
                continue;
            }
            g_string_append_c(svg, drawing ? 'L' : 'M');
            put(svg, "%.1f", PLOT_LEFT + step * ((double) k + 0.5));
            g_string_append_c(svg, ' ');
            put(svg, "%.1f", height_of(series[s][k], 1.0));
            drawing = TRUE;
        }
        g_string_append_printf(svg, "\" stroke=\"%s\"/>\n<g fill=\"%s\">", colour, colour);
        write_text(svg, PLOT_LEFT + 80.0 * (double) s, PLOT_HEIGHT - 8.0, "start", names[s]);
        g_string_append(svg, "</g>\n");
    }
    char last[32];
    g_snprintf(last, sizeof last, "%zu", n > 0 ? n - 1 : 0);
    write_text(svg, PLOT_LEFT, PLOT_BOTTOM + 18.0, "start", "0");
    write_text(svg, PLOT_WIDTH - 8.0, PLOT_BOTTOM + 18.0, "end", last);
    g_string_append(svg, "</svg>\n");
    return g_string_free(svg, FALSE);
}
