// SPDX-License-Identifier: Apache-2.0
#include "core/annotate/bg-annotate-private.h"

#include "core/base/bg-i18n.h"
#include "core/model/bg-distance-colour.h"

#include <math.h>

#define BAR_PX 12.0
#define BANDS 64
#define LEAST_HEIGHT_PX 40.0 // below that it would say nothing

static void
add_bands(GArray *marks, double x, double top, double width, double height)
{
    // Whole pixels, so that neighbours neither overlap nor gape.
    for (int band = 0; band < BANDS; band++) {
        BgMark mark = { .kind = BG_MARK_VEIL,
                        .role = BG_MARK_ROLE_COLOUR_BAR,
                        .x = x,
                        .y = top + floor(height * band / BANDS),
                        .to_x = x + width,
                        .to_y = top + floor(height * (band + 1) / BANDS) };
        double rgb[3];
        if (mark.to_y <= mark.y)
            continue;
        bg_distance_colour(1.0 - 2.0 * band / (BANDS - 1), 1.0, rgb);
        for (int c = 0; c < 3; c++)
            mark.rgba[c] = (float) rgb[c];
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

void
bg_annotate_distance_bar(BgAnnotateLayout *layout, double range_mm, const char *to)
{
    double scale = layout->scale, margin = ceil(BG_ANNOTATE_MARGIN_PX * scale);
    double width = round(BAR_PX * scale), text = BG_ANNOTATE_TEXT_PX * scale * 1.5;
    double bottom = floor(layout->height - margin - 2.0 * text);
    double height = floor(fmin(128.0 * scale, bottom - 0.5 * layout->height - 3.0 * text));
    double top = bottom - height, right = margin + width, beside = right + margin;
    int digits = range_mm >= 10.0 ? 0 : range_mm >= 0.1 ? 1 : 3;

    if (height < LEAST_HEIGHT_PX * scale)
        return;
    // Translators: the ends of a colour bar: of a surface that lies outside or inside of another one
    g_autofree char *outside = g_strdup_printf(_("+%.*f mm outside"), digits, range_mm);
    g_autofree char *inside = g_strdup_printf(_("−%.*f mm inside"), digits, range_mm);
    // Translators: above a colour bar: the name of a surface
    g_autofree char *of = to != NULL ? g_strdup_printf(_("Distance to %s"), to) : NULL;

    add_bands(layout->marks, margin, top, width, height);
    double box[4] = { margin, top, width, height };
    g_array_append_vals(layout->boxes, box, 1);
    for (int tick = 0; tick <= 2; tick++) {
        double y = top + 0.5 * height * tick;
        BgMark line =
            bg_mark_line(BG_MARK_ROLE_COLOUR_BAR, right, y, right + 0.5 * margin, y, scale);
        g_array_append_val(layout->marks, line);
    }
    add_text(layout, beside, top, 0.5, outside);
    add_text(layout, beside, top + 0.5 * height, 0.5, _("0 mm"));
    add_text(layout, beside, bottom, 0.5, inside);
    if (of != NULL)
        add_text(layout, margin, top - text, 0.5, of);
}
