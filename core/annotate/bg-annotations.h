// SPDX-License-Identifier: Apache-2.0
// What is written over a picture: one list of marks, made here for window, screenshot and command
// line alike, and the one function that draws such a list.
#pragma once

#include "core/image/bg-image.h"
#include "core/model/bg-camera.h"
#include "core/model/bg-slice-frame.h"

#include <cairo.h>
#include <glib.h>

G_BEGIN_DECLS

/**
 * BgMarkKind:
 * @BG_MARK_LINE: from (x, y) to (to_x, to_y), of width size
 * @BG_MARK_TEXT: its box has the point (to_x, to_y) of itself (0, 0 top left, 1, 1 bottom right)
 *   at (x, y); size is the font's height
 * @BG_MARK_PILL: as TEXT, on a dark rounded ground
 * @BG_MARK_RING: a circle around (x, y) of diameter size
 * @BG_MARK_DIAMOND: around (x, y), of width size
 * @BG_MARK_CROSS: around (x, y), of width size, upright
 * @BG_MARK_RECT: from (x, y) to (to_x, to_y), line width size
 * @BG_MARK_ELLIPSE: around (x, y), one end of its major axis at (to_x, to_y); size is the minor one's
 *   half
 * @BG_MARK_VEIL: a filled rectangle from (x, y) to (to_x, to_y), without a halo
 */
typedef enum {
    BG_MARK_LINE,
    BG_MARK_TEXT,
    BG_MARK_PILL,
    BG_MARK_RING,
    BG_MARK_DIAMOND,
    BG_MARK_CROSS,
    BG_MARK_RECT,
    BG_MARK_ELLIPSE,
    BG_MARK_VEIL,
} BgMarkKind;

/** BgMarkRole: what a mark says: for tests, and for those who pick marks with the pointer */
typedef enum {
    BG_MARK_ROLE_OTHER,
    BG_MARK_ROLE_LETTER_LEFT,
    BG_MARK_ROLE_LETTER_RIGHT,
    BG_MARK_ROLE_LETTER_TOP,
    BG_MARK_ROLE_LETTER_BOTTOM,
    BG_MARK_ROLE_TITLE,
    BG_MARK_ROLE_WINDOW,
    BG_MARK_ROLE_SLICE,
    BG_MARK_ROLE_POSITION,
    BG_MARK_ROLE_ENGINE,
    BG_MARK_ROLE_CONVENTION,
    BG_MARK_ROLE_INTERPOLATION,
    BG_MARK_ROLE_BADGE,
    BG_MARK_ROLE_NOTE,
    BG_MARK_ROLE_SCALE_BAR,
    BG_MARK_ROLE_SCALE_TEXT,
    BG_MARK_ROLE_CROSSHAIR,
    BG_MARK_ROLE_LANDMARK,
    BG_MARK_ROLE_MEASUREMENT,
    BG_MARK_ROLE_MEASUREMENT_VALUE,
    BG_MARK_ROLE_EXPECTED_ERROR,
    BG_MARK_ROLE_COLOUR_BAR,
    BG_MARK_ROLE_COLOUR_TEXT,
} BgMarkRole;

/**
 * BgMark:
 * @x, @y, @to_x, @to_y, @size: in pane pixels, from the pane's top left corner, y down. The
 *   middle of a frame's pixel (0, 0) is at (0.5, 0.5)
 * @rgba: sRGB, straight alpha, 0..1
 * @text: NUL-terminated UTF-8
 *
 * One thing drawn over a picture. A list of them is a GArray.
 */
typedef struct {
    BgMarkKind kind;
    BgMarkRole role;
    double x, y;
    double to_x, to_y;
    double size;
    float rgba[4];
    char text[96];
} BgMark;

/** bg_annotations_new: (transfer full): an empty GArray of BgMark */
GArray *bg_annotations_new(void);

/**
 * bg_annotations_draw:
 * @cr: in pane pixels
 *
 * Draws in the order of the list, each with a soft dark halo.
 */
void bg_annotations_draw(const GArray *marks, cairo_t *cr);

/** bg_contours_draw: lines of a cut mesh; @width_px of the line */
void bg_contours_draw(const BgContours *contours, const double rgb[3], double width_px,
                      cairo_t *cr);

#define BG_ANNOTATE_BANDS 64

/**
 * BgAnnotateValues: what the colours of a picture mean
 * @low, @high: values of the first and of the last colour
 * @unit: "°C"
 * @title: (nullable): above the bar
 * @rgb: sRGB, from @low to @high in even steps
 */
typedef struct {
    double low, high;
    const char *unit;
    const char *title;
    guint8 rgb[BG_ANNOTATE_BANDS][3];
} BgAnnotateValues;

/** bg_annotate_value: (transfer full): one of its values with the unit: "31.5 °C", the same in every locale */
char *bg_annotate_value(const BgAnnotateValues *values, double value);

/**
 * bg_annotate_values:
 * @width, @height: of the pane
 *
 * Appends a bar at the bottom left, @high at its top, with its ends' and its middle's values. Nothing
 * where there is no room for one that says anything.
 */
void bg_annotate_values(const BgAnnotateValues *values, double width, double height, double scale,
                        GArray *marks);

/** BgAnnotateLine: lines in pixels of a picture, centres at integers; all borrowed */
typedef struct {
    const BgContours *lines;
    double rgb[3];
    double width_px;
} BgAnnotateLine;

/**
 * BgAnnotateImage:
 * @right, @down: where these go in the patient, LPS
 * @side_known: FALSE: left and right are shown as "?"
 * @note: (nullable): in the lower right corner
 * @values: (nullable): for a bar of colours
 * @lines: (array length=n_lines) (nullable): under all words
 */
typedef struct {
    BgVec3 right, down;
    gboolean side_known;
    const char *note;
    const BgAnnotateValues *values;
    const BgAnnotateLine *lines;
    gsize n_lines;
} BgAnnotateImage;

/**
 * bg_annotate_image:
 * @image: uint8 RGB
 *
 * Returns: (transfer full): @image with letters on its four edges, and what else there is; or %NULL with
 *   %BG_ERROR_NO_MEMORY
 */
BgImage *bg_annotate_image(BgImage *image, const BgAnnotateImage *params, GError **error);

/** bg_mark_get_box: @box: (out): x, y, width, height that the mark covers, halo left out */
void bg_mark_get_box(const BgMark *mark, double box[4]);

/** bg_annotations_find: (transfer none) (nullable): the first mark of @role */
const BgMark *bg_annotations_find(const GArray *marks, BgMarkRole role);

/**
 * bg_direction_letters:
 * @direction: LPS, any length
 * @letters: (out): "L", or "LA", "LAS" where the direction is more than 15 degrees off the axis,
 *   the largest part first; "" for zeros
 */
void bg_direction_letters(BgVec3 direction, char letters[4]);

/**
 * bg_format_position:
 *
 * Returns: (transfer full): "R 17.6  P 35.3  S 12.1 mm": one decimal, by letters, the same in
 *   every locale
 */
char *bg_format_position(BgVec3 patient_mm);

/** bg_format_window: (transfer full): "W 900 L 450", with decimals where the width is small */
char *bg_format_window(double centre, double width);

/**
 * BgAnnotateSlice:
 * @frame: of the pane
 * @scale: 1.0 for 100 %
 * @convention: its word is always written
 * @calibrated: FALSE: nothing is in mm, the bar is in px
 * @side_known: FALSE: left and right are shown as "?", with a badge
 * @title, @window, @value, @engine, @interpolation: (nullable): words; @value stands behind the
 *   position
 * @series: (nullable): what the picture shows; stands behind the title, shortened where there is
 *   little room
 * @other_window: (nullable): a line below @window, of a volume that lies over or under the shown one
 * @slice, @n_slices: "slice + 1/n_slices" when n_slices is above 0
 * @position_mm: written when @has_position
 * @crosshair_mm: drawn when @has_crosshair; its lines have the colours of the planes they mark
 * @plane: which of the three this is, or -1: the crosshair is then grey
 * @badges: (nullable) (array zero-terminated=1)
 * @note: (nullable): a small line at the bottom, "Not for diagnosis"
 *
 * All strings are borrowed for the call.
 */
typedef struct {
    BgSliceFrame frame;
    double scale;
    BgConvention convention;
    gboolean calibrated;
    gboolean side_known;
    const char *title;
    const char *series;
    const char *window;
    const char *other_window;
    const char *value;
    const char *engine;
    const char *interpolation;
    int slice, n_slices;
    gboolean has_position;
    BgVec3 position_mm;
    gboolean has_crosshair;
    BgVec3 crosshair_mm;
    int plane;
    const char *const *badges;
    const char *note;
} BgAnnotateSlice;

/** bg_annotate_slice_init: scale 1, radiological, calibrated, side known, no plane, no words */
void bg_annotate_slice_init(BgAnnotateSlice *params, const BgSliceFrame *frame);

/**
 * bg_annotate_slice:
 *
 * Appends to @marks. No two texts overlap and none is cut: what does not fit is left out, the
 * letters never; after them badges, convention, scale bar, engine, title, window, position, slice,
 * note, interpolation. No text lies within 24 px of the crosshair's centre.
 */
void bg_annotate_slice(const BgAnnotateSlice *params, GArray *marks);

/**
 * BgAnnotateView:
 * @camera: of the pane
 * @centre_mm: LPS: the scale bar is right at its depth, and says so in perspective
 * @title, @engine, @preset: (nullable)
 * @badges, @note, @scale, @side_known, @calibrated: as of BgAnnotateSlice
 * @distance_range_mm: above 0: a bar shows what the colours of bg_distance_colour() mean
 * @distance_to: (nullable): the surface that distances are of; above the bar
 */
typedef struct {
    BgCamera camera;
    BgVec3 centre_mm;
    double scale;
    gboolean calibrated;
    gboolean side_known;
    const char *title;
    const char *engine;
    const char *preset;
    const char *const *badges;
    const char *note;
    double distance_range_mm;
    const char *distance_to;
} BgAnnotateView;

void bg_annotate_view_init(BgAnnotateView *params, const BgCamera *camera, BgVec3 centre_mm);

/** bg_annotate_view: as bg_annotate_slice(): letters by the camera's axes */
void bg_annotate_view(const BgAnnotateView *params, GArray *marks);

/**
 * BgAnnotateMeasure:
 * @n_points: 2 for a ruler, 3 for an angle (its vertex is the second)
 * @points_mm: LPS: what the value is computed from
 * @points: where they are in the pane, in pane pixels
 * @calibrated: FALSE: a ruler's value is the distance of @points_mm in px
 * @selected: in the accent colour
 * @pill_dx, @pill_dy: pane pixels from where the value stands by itself
 */
typedef struct {
    int n_points;
    BgVec3 points_mm[3];
    BgContourPoint points[3];
    double scale;
    gboolean calibrated;
    gboolean selected;
    double pill_dx, pill_dy;
    const char *name; // nullable
} BgAnnotateMeasure;

/** bg_measure_length_mm, bg_measure_angle_deg: what a ruler and an angle show */
double bg_measure_length_mm(BgVec3 a, BgVec3 b);
double bg_measure_angle_deg(BgVec3 a, BgVec3 vertex, BgVec3 b);

void bg_annotate_measure(const BgAnnotateMeasure *params, GArray *marks);

/**
 * BgAnnotateLandmark:
 * @x, @y: pane pixels
 * @check_only: a diamond instead of a ring
 * @has_residual: a thin line to (residual_x, residual_y), where the fit puts it
 * @name: (nullable): written when @selected
 */
typedef struct {
    double x, y;
    int number;
    const char *name;
    gboolean selected;
    gboolean check_only;
    gboolean has_residual;
    double residual_x, residual_y;
    double scale;
} BgAnnotateLandmark;

void bg_annotate_landmark(const BgAnnotateLandmark *params, GArray *marks);

/**
 * BgAnnotateError:
 * @x, @y: pane pixels
 * @major, @minor: half axes in pane pixels; @angle_rad: of the major one, from right to down
 *
 * Where a point is expected to lie in truth.
 */
typedef struct {
    double x, y;
    double major, minor, angle_rad;
    double scale;
} BgAnnotateError;

void bg_annotate_error(const BgAnnotateError *params, GArray *marks);

G_END_DECLS
