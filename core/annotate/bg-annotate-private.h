// SPDX-License-Identifier: Apache-2.0
// How marks find their place in a pane, for the sources beside this one.
#pragma once

#include "core/annotate/bg-annotations.h"

#include <pango/pangocairo.h>

#define BG_ANNOTATE_TEXT_PX 11.0
#define BG_ANNOTATE_LETTER_PX 16.0
#define BG_ANNOTATE_MARGIN_PX 6.0
#define BG_ANNOTATE_CLEAR_PX 24.0 // around the crosshair

/**
 * BgAnnotateLayout:
 * @boxes: of four doubles: what is taken
 * @clear_x, @clear_y: the crosshair's centre, where @has_clear
 * @column: the next free line of each corner: top left, top right, bottom left, bottom right
 */
typedef struct {
    GArray *marks; // borrowed
    GArray *boxes; // owned
    double width, height, scale;
    gboolean has_clear;
    double clear_x, clear_y;
    double column[4];
} BgAnnotateLayout;

typedef enum {
    BG_CORNER_TOP_LEFT,
    BG_CORNER_TOP_RIGHT,
    BG_CORNER_BOTTOM_LEFT,
    BG_CORNER_BOTTOM_RIGHT,
} BgCorner;

/**
 * bg_halo_draw:
 * @x, @y: where @layout's top left corner is; the letters themselves are not drawn
 * @reach: how far the dark goes around the letters, in units of @cr
 *
 * Draws the dark around letters that makes them legible on bright and on dark.
 */
void bg_halo_draw(cairo_t *cr, PangoLayout *layout, double x, double y, double reach, double alpha);

/** bg_annotate_to_rgb: (transfer full): pixels of an RGB24 surface, three bytes each; or %NULL with %BG_ERROR_NO_MEMORY */
guint8 *bg_annotate_to_rgb(cairo_surface_t *surface, GError **error);

void bg_annotate_layout_init(BgAnnotateLayout *layout, GArray *marks, double width, double height,
                             double scale);
void bg_annotate_layout_clear(BgAnnotateLayout *layout);

/** bg_annotate_place: adds @mark where it is if nothing is in its way; whether it did */
gboolean bg_annotate_place(BgAnnotateLayout *layout, const BgMark *mark);

/** bg_annotate_in_corner: the next line of that corner with room for it; @text: (nullable) */
gboolean bg_annotate_in_corner(BgAnnotateLayout *layout, BgCorner corner, BgMarkRole role,
                               const char *text);

/**
 * bg_annotate_note:
 *
 * What no picture may lose: smaller, a word a line, over other marks where nothing else helps.
 */
void bg_annotate_note(BgAnnotateLayout *layout, const char *text);

/** bg_annotate_letters: on the four edges, for directions right and down; always there */
void bg_annotate_letters(BgAnnotateLayout *layout, BgVec3 right, BgVec3 down, gboolean side_known);

/** bg_annotate_badges: SIDE UNKNOWN first, then @badges: (nullable) */
void bg_annotate_badges(BgAnnotateLayout *layout, const char *const *badges, gboolean side_known);

/** bg_annotate_scale_bar: @mm_per_px; @suffix: after the unit, "" or " at centre" */
void bg_annotate_scale_bar(BgAnnotateLayout *layout, double mm_per_px, gboolean calibrated,
                           const char *suffix);

/**
 * bg_annotate_distance_bar: bottom left: what colours of distances mean, from inside to outside
 * @to: (nullable): the name of the surface
 */
void bg_annotate_distance_bar(BgAnnotateLayout *layout, double range_mm, const char *to);

/** bg_annotate_values_bar: bottom left */
void bg_annotate_values_bar(BgAnnotateLayout *layout, const BgAnnotateValues *values);

/** bg_mark_text: a TEXT or PILL in the usual colour */
BgMark bg_mark_text(BgMarkKind kind, BgMarkRole role, double size, const char *text);
BgMark bg_mark_line(BgMarkRole role, double x, double y, double to_x, double to_y, double width);
