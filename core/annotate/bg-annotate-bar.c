// SPDX-License-Identifier: Apache-2.0
#include "core/annotate/bg-annotate-private.h"

#include "core/base/bg-i18n.h"
#include "core/model/bg-distance-colour.h"

#include <math.h>
#include <string.h>

#define BAR_PX 12.0
#define LEAST_HEIGHT_PX 40.0 // below that it would say nothing

/** Bar: of a bar, from the top: what its ends and its middle say, and the words above it (nullable) */
typedef struct {
    guint8 rgb[BG_ANNOTATE_BANDS][3];
    const char *texts[3];
    const char *title;
} Bar;

static void
add_bands(GArray *marks, const Bar *bar, double x, double top, double width, double height)
{
    // Whole pixels, so that neighbours neither overlap nor gape.
    for (int band = 0; band < BG_ANNOTATE_BANDS; band++) {
        BgMark mark = { .kind = BG_MARK_VEIL,
                        .role = BG_MARK_ROLE_COLOUR_BAR,
                        .x = x,
                        .y = top + floor(height * band / BG_ANNOTATE_BANDS),
                        .to_x = x + width,
                        .to_y = top + floor(height * (band + 1) / BG_ANNOTATE_BANDS) };
        if (mark.to_y <= mark.y)
            continue;
        for (int c = 0; c < 3; c++)
            mark.rgba[c] = bar->rgb[band][c] / 255.0f;
        mark.rgba[3] = 1.0f;
        g_array_append_val(marks, mark);
    }
}

static void
add_text(BgAnnotateLayout *layout, double x, double y, double anchor, const char *text)
{
    BgMark mark = bg_mark_text(BG_MARK_TEXT, BG_MARK_ROLE_COLOUR_TEXT,
                               BG_ANNOTATE_TEXT_PX * layout->scale, text);

    mark.x = x;
    mark.y = y;
    mark.to_y = anchor;
    bg_annotate_place(layout, &mark);
}

static void
add_bar(BgAnnotateLayout *layout, const Bar *bar)
{
    double scale = layout->scale, margin = ceil(BG_ANNOTATE_MARGIN_PX * scale);
    double width = round(BAR_PX * scale), text = BG_ANNOTATE_TEXT_PX * scale * 1.5;
    double bottom = floor(layout->height - margin - 2.0 * text);
    double height = floor(fmin(128.0 * scale, bottom - 0.5 * layout->height - 3.0 * text));
    double top = bottom - height, right = margin + width, beside = right + margin;

    if (height < LEAST_HEIGHT_PX * scale)
        return;
    add_bands(layout->marks, bar, margin, top, width, height);
    double box[4] = { margin, top, width, height };
    g_array_append_vals(layout->boxes, box, 1);
    for (int tick = 0; tick <= 2; tick++) {
        double y = top + 0.5 * height * tick;
        BgMark line =
            bg_mark_line(BG_MARK_ROLE_COLOUR_BAR, right, y, right + 0.5 * margin, y, scale);
        g_array_append_val(layout->marks, line);
        add_text(layout, beside, y, 0.5, bar->texts[tick]);
    }
    if (bar->title != NULL)
        add_text(layout, margin, top - text, 0.5, bar->title);
}

void
bg_annotate_distance_bar(BgAnnotateLayout *layout, double range_mm, const char *to)
{
    int digits = range_mm >= 10.0 ? 0 : range_mm >= 0.1 ? 1 : 3;
    // Translators: the ends of a colour bar: of a surface that lies outside or inside of another one
    g_autofree char *outside = g_strdup_printf(_("+%.*f mm outside"), digits, range_mm);
    g_autofree char *inside = g_strdup_printf(_("−%.*f mm inside"), digits, range_mm);
    // Translators: above a colour bar: the name of a surface
    g_autofree char *of = to != NULL ? g_strdup_printf(_("Distance to %s"), to) : NULL;
    Bar bar = { .texts = { outside, _("0 mm"), inside }, .title = of };

    for (int band = 0; band < BG_ANNOTATE_BANDS; band++) {
        double rgb[3];
        bg_distance_colour(1.0 - 2.0 * band / (BG_ANNOTATE_BANDS - 1), 1.0, rgb);
        for (int c = 0; c < 3; c++)
            bar.rgb[band][c] = (guint8) (255.0 * rgb[c] + 0.5);
    }
    add_bar(layout, &bar);
}

char *
bg_annotate_value(const BgAnnotateValues *values, double value)
{
    double range = fabs(values->high - values->low);
    int digits = range >= 100.0 ? 0 : range >= 1.0 ? 1 : range >= 0.1 ? 2 : 4;
    char number[G_ASCII_DTOSTR_BUF_SIZE], format[8];

    g_snprintf(format, sizeof format, "%%.%df", digits);
    g_ascii_formatd(number, sizeof number, format, value);
    return g_strdup_printf("%s %s", number, values->unit);
}

void
bg_annotate_values_bar(BgAnnotateLayout *layout, const BgAnnotateValues *values)
{
    g_autofree char *high = bg_annotate_value(values, values->high);
    g_autofree char *middle = bg_annotate_value(values, 0.5 * (values->low + values->high));
    g_autofree char *low = bg_annotate_value(values, values->low);
    Bar bar = { .texts = { high, middle, low }, .title = values->title };

    for (int band = 0; band < BG_ANNOTATE_BANDS; band++)
        memcpy(bar.rgb[band], values->rgb[BG_ANNOTATE_BANDS - 1 - band], 3);
    add_bar(layout, &bar);
}

void
bg_annotate_values(const BgAnnotateValues *values, double width, double height, double scale,
                   GArray *marks)
{
    BgAnnotateLayout layout;

    bg_annotate_layout_init(&layout, marks, width, height, scale);
    bg_annotate_values_bar(&layout, values);
    bg_annotate_layout_clear(&layout);
}
