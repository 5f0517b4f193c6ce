// SPDX-License-Identifier: Apache-2.0
#include "core/annotate/bg-annotate-private.h"

#define LINE_PX 1.5
#define CROSS_PX 9.0
#define RING_PX 7.0

double
bg_measure_length_mm(BgVec3 a, BgVec3 b)
{
    return bg_vec3_distance(a, b);
}

double
bg_measure_angle_deg(BgVec3 a, BgVec3 vertex, BgVec3 b)
{
    BgVec3 p = bg_vec3_sub(a, vertex), q = bg_vec3_sub(b, vertex);

    // By both sine and cosine: exact near 0 and 180 degrees too.
    return atan2(bg_vec3_length(bg_vec3_cross(p, q)), bg_vec3_dot(p, q)) * 180.0 / G_PI;
}

static void
set_measure_colour(BgMark *mark, gboolean selected)
{
    static const float plain[4] = { 0.91f, 0.91f, 0.91f, 1.0f };
    static const float accent[4] = { 0x4A / 255.0f, 0xA3 / 255.0f, 0xDF / 255.0f, 1.0f };

    for (int c = 0; c < 4; c++)
        mark->rgba[c] = selected ? accent[c] : plain[c];
}

static char *
measure_text(const BgAnnotateMeasure *params)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    const char *unit;
    double value;

    if (params->n_points == 3) {
        value =
            bg_measure_angle_deg(params->points_mm[0], params->points_mm[1], params->points_mm[2]);
        unit = "°";
    } else {
        value = bg_measure_length_mm(params->points_mm[0], params->points_mm[1]);
        unit = params->calibrated ? " mm" : " px";
    }
    g_ascii_formatd(number, sizeof number, "%.1f", value);
    return params->name != NULL && params->name[0] != '\0'
               ? g_strdup_printf("%s  %s%s", params->name, number, unit)
               : g_strdup_printf("%s%s", number, unit);
}

void
bg_annotate_measure(const BgAnnotateMeasure *params, GArray *marks)
{
    g_return_if_fail(params != NULL && (params->n_points == 2 || params->n_points == 3));
    g_return_if_fail(marks != NULL);

    const BgContourPoint *at = params->points;
    double s = params->scale;
    for (int n = 1; n < params->n_points; n++) {
        BgMark line = bg_mark_line(BG_MARK_ROLE_MEASUREMENT, at[n - 1].x, at[n - 1].y, at[n].x,
                                   at[n].y, LINE_PX * s);
        set_measure_colour(&line, params->selected);
        g_array_append_val(marks, line);
    }
    for (int n = 0; n < params->n_points; n++) {
        BgMark cross = { .kind = BG_MARK_CROSS,
                         .role = BG_MARK_ROLE_MEASUREMENT,
                         .x = at[n].x,
                         .y = at[n].y,
                         .size = CROSS_PX * s };
        set_measure_colour(&cross, params->selected);
        g_array_append_val(marks, cross);
    }

    g_autofree char *text = measure_text(params);
    BgMark pill =
        bg_mark_text(BG_MARK_PILL, BG_MARK_ROLE_MEASUREMENT_VALUE, BG_ANNOTATE_TEXT_PX * s, text);
    set_measure_colour(&pill, params->selected);
    if (params->n_points == 3) {
        pill.x = at[1].x + 14.0 * s;
        pill.y = at[1].y;
        pill.to_x = 0.0;
    } else {
        pill.x = 0.5 * (at[0].x + at[1].x);
        pill.y = 0.5 * (at[0].y + at[1].y) - 14.0 * s;
        pill.to_x = 0.5;
    }
    pill.x += params->pill_dx;
    pill.y += params->pill_dy;
    pill.to_y = 0.5;
    g_array_append_val(marks, pill);
}

void
bg_annotate_landmark(const BgAnnotateLandmark *params, GArray *marks)
{
    g_return_if_fail(params != NULL);
    g_return_if_fail(marks != NULL);

    double s = params->scale;
    char text[96];
    BgMark ring = { .kind = params->check_only ? BG_MARK_DIAMOND : BG_MARK_RING,
                    .role = BG_MARK_ROLE_LANDMARK,
                    .x = params->x,
                    .y = params->y,
                    .size = RING_PX * s };

    if (params->has_residual) {
        BgMark line = bg_mark_line(BG_MARK_ROLE_LANDMARK, params->x, params->y, params->residual_x,
                                   params->residual_y, s);
        g_array_append_val(marks, line);
    }
    set_measure_colour(&ring, params->selected);
    g_array_append_val(marks, ring);

    if (params->selected && params->name != NULL)
        g_snprintf(text, sizeof text, "%d %s", params->number, params->name);
    else
        g_snprintf(text, sizeof text, "%d", params->number);
    BgMark number =
        bg_mark_text(BG_MARK_TEXT, BG_MARK_ROLE_LANDMARK, BG_ANNOTATE_TEXT_PX * s, text);
    number.x = params->x + 7.0 * s;
    number.y = params->y - 5.0 * s;
    number.to_y = 0.5;
    g_array_append_val(marks, number);
}

void
bg_annotate_error(const BgAnnotateError *params, GArray *marks)
{
    g_return_if_fail(params != NULL);
    g_return_if_fail(marks != NULL);

    BgMark ellipse = { .kind = BG_MARK_ELLIPSE,
                       .role = BG_MARK_ROLE_EXPECTED_ERROR,
                       .x = params->x,
                       .y = params->y,
                       .to_x = params->x + params->major * cos(params->angle_rad),
                       .to_y = params->y + params->major * sin(params->angle_rad),
                       .size = params->minor,
                       .rgba = { 0.94f, 0.71f, 0.16f, 0.9f } }; // caution, of the palette

    g_array_append_val(marks, ellipse);
}
