// SPDX-License-Identifier: Apache-2.0
#include "core/annotate/bg-annotate-private.h"

#include "core/base/bg-i18n.h"

#include <string.h>

#define TEXT_ALPHA 0.85f
#define MAX_LINES 8 // tried in a corner

BgMark
bg_mark_text(BgMarkKind kind, BgMarkRole role, double size, const char *text)
{
    BgMark mark = {
        .kind = kind, .role = role, .size = size, .rgba = { 0.91f, 0.91f, 0.91f, TEXT_ALPHA }
    };

    g_strlcpy(mark.text, text, sizeof mark.text);
    // A cut in the middle of a letter would not be UTF-8.
    const char *end;
    if (!g_utf8_validate(mark.text, -1, &end))
        mark.text[end - mark.text] = '\0';
    return mark;
}

BgMark
bg_mark_line(BgMarkRole role, double x, double y, double to_x, double to_y, double width)
{
    return (BgMark){ .kind = BG_MARK_LINE,
                     .role = role,
                     .x = x,
                     .y = y,
                     .to_x = to_x,
                     .to_y = to_y,
                     .size = width,
                     .rgba = { 0.91f, 0.91f, 0.91f, TEXT_ALPHA } };
}

void
bg_annotate_layout_init(BgAnnotateLayout *layout, GArray *marks, double width, double height,
                        double scale)
{
    double margin = BG_ANNOTATE_MARGIN_PX * scale;

    *layout = (BgAnnotateLayout){ .marks = marks,
                                  .width = width,
                                  .height = height,
                                  .scale = scale,
                                  .column = { margin, margin, height - margin, height - margin } };
    layout->boxes = g_array_new(FALSE, FALSE, 4 * sizeof(double));
}

void
bg_annotate_layout_clear(BgAnnotateLayout *layout)
{
    g_clear_pointer(&layout->boxes, g_array_unref);
}

static gboolean
near_crosshair(const BgAnnotateLayout *layout, const double box[4])
{
    if (!layout->has_clear)
        return FALSE;

    double dx = fmax(fmax(box[0] - layout->clear_x, layout->clear_x - box[0] - box[2]), 0.0);
    double dy = fmax(fmax(box[1] - layout->clear_y, layout->clear_y - box[1] - box[3]), 0.0);
    return hypot(dx, dy) < BG_ANNOTATE_CLEAR_PX * layout->scale;
}

static gboolean
has_room(const BgAnnotateLayout *layout, const double box[4])
{
    if (box[0] < 0.0 || box[1] < 0.0 || box[0] + box[2] > layout->width ||
        box[1] + box[3] > layout->height || near_crosshair(layout, box))
        return FALSE;

    double gap = 2.0 * layout->scale;
    for (guint i = 0; i < layout->boxes->len; i++) {
        const double *other = (const double *) (gpointer) layout->boxes->data + 4 * (gsize) i;
        if (box[0] < other[0] + other[2] + gap && other[0] < box[0] + box[2] + gap &&
            box[1] < other[1] + other[3] && other[1] < box[1] + box[3])
            return FALSE;
    }
    return TRUE;
}

static void
add(BgAnnotateLayout *layout, const BgMark *mark, const double box[4])
{
    g_array_append_vals(layout->marks, mark, 1);
    g_array_append_vals(layout->boxes, box, 1);
}

gboolean
bg_annotate_place(BgAnnotateLayout *layout, const BgMark *mark)
{
    double box[4];

    bg_mark_get_box(mark, box);
    if (!has_room(layout, box))
        return FALSE;
    add(layout, mark, box);
    return TRUE;
}

gboolean
bg_annotate_in_corner(BgAnnotateLayout *layout, BgCorner corner, BgMarkRole role, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return FALSE;

    gboolean right = corner == BG_CORNER_TOP_RIGHT || corner == BG_CORNER_BOTTOM_RIGHT;
    gboolean bottom = corner == BG_CORNER_BOTTOM_LEFT || corner == BG_CORNER_BOTTOM_RIGHT;
    double margin = BG_ANNOTATE_MARGIN_PX * layout->scale, box[4];
    BgMarkKind kind = role == BG_MARK_ROLE_BADGE ? BG_MARK_PILL : BG_MARK_TEXT;
    BgMark mark = bg_mark_text(kind, role, BG_ANNOTATE_TEXT_PX * layout->scale, text);

    mark.x = right ? layout->width - margin : margin;
    mark.to_x = right ? 1.0 : 0.0;
    mark.to_y = bottom ? 1.0 : 0.0;
    mark.y = layout->column[corner];
    for (int line = 0; line < MAX_LINES; line++) {
        bg_mark_get_box(&mark, box);
        double step = (box[3] + 2.0 * layout->scale) * (bottom ? -1.0 : 1.0);
        if (has_room(layout, box)) {
            add(layout, &mark, box);
            layout->column[corner] = mark.y + step;
            return TRUE;
        }
        mark.y += step;
    }
    return FALSE;
}

// All its lines in one corner or none. A small one is still read, a missing one is not.
static gboolean
note_in_corner(BgAnnotateLayout *layout, BgCorner corner, double size, char **lines, double shift,
               gboolean anywhere)
{
    gboolean right = corner == BG_CORNER_TOP_RIGHT || corner == BG_CORNER_BOTTOM_RIGHT;
    gboolean bottom = corner == BG_CORNER_BOTTOM_LEFT || corner == BG_CORNER_BOTTOM_RIGHT;
    double margin = 0.5 * BG_ANNOTATE_MARGIN_PX * layout->scale;
    double y = layout->column[corner] + (bottom ? -shift : shift);
    guint n_marks = layout->marks->len, n_boxes = layout->boxes->len, n = g_strv_length(lines);

    for (guint line = 0; line < n; line++) {
        BgMark mark = bg_mark_text(BG_MARK_TEXT, BG_MARK_ROLE_NOTE, size,
                                   lines[bottom ? n - 1 - line : line]);
        double box[4];
        mark.x = right ? layout->width - margin : margin;
        mark.to_x = right ? 1.0 : 0.0;
        mark.y = y;
        mark.to_y = bottom ? 1.0 : 0.0;
        bg_mark_get_box(&mark, box);
        if (!anywhere && !has_room(layout, box)) {
            g_array_set_size(layout->marks, n_marks);
            g_array_set_size(layout->boxes, n_boxes);
            return FALSE;
        }
        add(layout, &mark, box);
        y = bottom ? box[1] : box[1] + box[3];
    }
    layout->column[corner] = y + (bottom ? -2.0 : 2.0) * layout->scale;
    return TRUE;
}

static gboolean
place_note(BgAnnotateLayout *layout, double size, const char *text)
{
    static const BgCorner corners[] = { BG_CORNER_BOTTOM_RIGHT, BG_CORNER_BOTTOM_LEFT,
                                        BG_CORNER_TOP_RIGHT, BG_CORNER_TOP_LEFT };
    g_auto(GStrv) lines = g_strsplit(text, "\n", 0);

    for (gsize i = 0; i < G_N_ELEMENTS(corners); i++)
        for (int step = 0; step < 2 * MAX_LINES; step++)
            if (note_in_corner(layout, corners[i], size, lines, 0.5 * step * size, FALSE))
                return TRUE;
    return FALSE;
}

void
bg_annotate_note(BgAnnotateLayout *layout, const char *text)
{
    static const double sizes[] = { 1.0, 0.8, 0.65 };

    if (text == NULL || text[0] == '\0')
        return;
    g_autofree char *two = g_strdup(text), *words = g_strdelimit(g_strdup(text), " ", '\n');
    char *last = strrchr(two, ' ');
    if (last != NULL)
        *last = '\n';
    const char *const ways[] = { text, two, words };
    gboolean has_clear = layout->has_clear, placed = FALSE;
    for (int clear = 1; clear >= 0; clear--) { // at last, near the crosshair too
        layout->has_clear = clear && has_clear;
        for (gsize way = 0; !placed && way < G_N_ELEMENTS(ways); way++)
            for (gsize i = 0; !placed && i < G_N_ELEMENTS(sizes); i++)
                placed =
                    place_note(layout, sizes[i] * BG_ANNOTATE_TEXT_PX * layout->scale, ways[way]);
    }
    layout->has_clear = has_clear;
    if (placed)
        return;
    g_auto(GStrv) lines = g_strsplit(two, "\n", 0);
    note_in_corner(layout, BG_CORNER_BOTTOM_RIGHT, 0.65 * BG_ANNOTATE_TEXT_PX * layout->scale,
                   lines, 0.0, TRUE);
}

void
bg_direction_letters(BgVec3 direction, char letters[4])
{
    static const double sin_15_deg = 0.25881904510252074;
    BgVec3 d = bg_vec3_normalize(direction);
    gboolean used[3] = { FALSE, FALSE, FALSE };
    int n = 0;

    for (int turn = 0; turn < 3; turn++) {
        int best = -1;
        for (int axis = 0; axis < 3; axis++)
            if (!used[axis] &&
                (best < 0 || fabs(bg_vec3_get(d, axis)) > fabs(bg_vec3_get(d, best)) + 1e-9))
                best = axis;
        double part = bg_vec3_get(d, best);
        used[best] = TRUE;
        if (!(fabs(part) > sin_15_deg))
            break;
        letters[n++] = (part > 0.0 ? "LPS" : "RAI")[best];
    }
    letters[n] = '\0';
}

static void
place_letter(BgAnnotateLayout *layout, BgMark *mark, gboolean along_x)
{
    double step = 0.25 * mark->size, from = along_x ? mark->x : mark->y, box[4];
    double *at = along_x ? &mark->x : &mark->y;

    // It may slide along its edge to keep off the crosshair, and is there in any case.
    for (int n = 0; n < 60; n++) {
        *at = from + ((n & 1) ? -1.0 : 1.0) * ((n + 1) / 2) * step;
        if (bg_annotate_place(layout, mark))
            return;
    }
    *at = from;
    bg_mark_get_box(mark, box);
    add(layout, mark, box);
}

void
bg_annotate_letters(BgAnnotateLayout *layout, BgVec3 right, BgVec3 down, gboolean side_known)
{
    const double margin = BG_ANNOTATE_MARGIN_PX * layout->scale;
    const double size =
        fmin(BG_ANNOTATE_LETTER_PX * layout->scale, 0.22 * fmin(layout->width, layout->height));
    const BgVec3 directions[4] = { bg_vec3_scale(right, -1.0), right, bg_vec3_scale(down, -1.0),
                                   down };
    const double places[4][4] = {
        { margin, 0.5 * layout->height, 0.0, 0.5 },
        { layout->width - margin, 0.5 * layout->height, 1.0, 0.5 },
        { 0.5 * layout->width, margin, 0.5, 0.0 },
        { 0.5 * layout->width, layout->height - margin, 0.5, 1.0 },
    };

    for (int edge = 0; edge < 4; edge++) {
        char letters[4];
        bg_direction_letters(directions[edge], letters);
        for (char *letter = letters; !side_known && *letter != '\0'; letter++)
            if (*letter == 'L' || *letter == 'R')
                *letter = '?';
        BgMark mark = bg_mark_text(BG_MARK_TEXT, (BgMarkRole) (BG_MARK_ROLE_LETTER_LEFT + edge),
                                   size, letters);
        mark.x = places[edge][0];
        mark.y = places[edge][1];
        mark.to_x = places[edge][2];
        mark.to_y = places[edge][3];
        mark.rgba[3] = 1.0f;
        place_letter(layout, &mark, edge >= 2);
    }
}

void
bg_annotate_badges(BgAnnotateLayout *layout, const char *const *badges, gboolean side_known)
{
    if (!side_known &&
        bg_annotate_in_corner(layout, BG_CORNER_TOP_RIGHT, BG_MARK_ROLE_BADGE, _("SIDE UNKNOWN"))) {
        // caution, #F0B429
        BgMark *mark = &g_array_index(layout->marks, BgMark, layout->marks->len - 1);
        mark->rgba[0] = 0xF0 / 255.0f;
        mark->rgba[1] = 0xB4 / 255.0f;
        mark->rgba[2] = 0x29 / 255.0f;
        mark->rgba[3] = 1.0f;
    }
    for (gsize i = 0; badges != NULL && badges[i] != NULL; i++)
        bg_annotate_in_corner(layout, BG_CORNER_TOP_RIGHT, BG_MARK_ROLE_BADGE, badges[i]);
}

// The longest of 1, 2, 5, 10 ... that is no longer than @most.
static double
round_length(double most)
{
    double decade = pow(10.0, floor(log10(most)));

    if (5.0 * decade <= most * (1.0 + 1e-9))
        return 5.0 * decade;
    return 2.0 * decade <= most * (1.0 + 1e-9) ? 2.0 * decade : decade;
}

void
bg_annotate_scale_bar(BgAnnotateLayout *layout, double mm_per_px, gboolean calibrated,
                      const char *suffix)
{
    double unit_per_px = calibrated ? mm_per_px : 1.0;
    double s = layout->scale, line = 1.5 * s, tick = 4.0 * s;
    char number[G_ASCII_DTOSTR_BUF_SIZE], text[64];

    if (!(unit_per_px > 0.0) || !isfinite(unit_per_px))
        return;
    double length = round_length(0.28 * layout->width * unit_per_px);
    double px = length / unit_per_px;
    g_snprintf(text, sizeof text, "%s %s%s",
               g_ascii_formatd(number, sizeof number, "%.10g", length), calibrated ? "mm" : "px",
               suffix);

    const BgMark *letter = bg_annotations_find(layout->marks, BG_MARK_ROLE_LETTER_BOTTOM);
    double y = layout->height - 30.0 * s, x = 0.5 * (layout->width - px), box[4];
    if (letter != NULL) {
        bg_mark_get_box(letter, box);
        y = box[1] - tick - 2.0 * s;
    }
    BgMark bar = bg_mark_line(BG_MARK_ROLE_SCALE_BAR, x, y, x + px, y, line);
    BgMark label =
        bg_mark_text(BG_MARK_TEXT, BG_MARK_ROLE_SCALE_TEXT, BG_ANNOTATE_TEXT_PX * s, text);
    label.x = 0.5 * layout->width;
    label.y = y - tick;
    label.to_x = 0.5;
    label.to_y = 1.0;

    // Bar and number only together, and a line or two higher where the crosshair is.
    for (int n = 0; n < 8; n++) {
        double bar_box[4], label_box[4];
        bg_mark_get_box(&bar, bar_box);
        bar_box[1] -= tick;
        bar_box[3] += 2.0 * tick;
        bg_mark_get_box(&label, label_box);
        if (has_room(layout, bar_box) && has_room(layout, label_box)) {
            BgMark ends[2] = {
                bg_mark_line(BG_MARK_ROLE_OTHER, x, bar.y - tick, x, bar.y + tick, line),
                bg_mark_line(BG_MARK_ROLE_OTHER, x + px, bar.y - tick, x + px, bar.y + tick, line),
            };
            add(layout, &bar, bar_box);
            g_array_append_vals(layout->marks, ends, 2);
            add(layout, &label, label_box);
            return;
        }
        bar.y = bar.to_y = bar.y - 12.0 * s;
        label.y -= 12.0 * s;
    }
}
