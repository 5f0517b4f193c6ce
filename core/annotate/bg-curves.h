// SPDX-License-Identifier: Apache-2.0
// Curves of numbers over epochs: one drawing for the window and for pictures that are saved.
#pragma once

#include "core/image/bg-image.h"

#include <cairo.h>

G_BEGIN_DECLS

/**
 * BgCurve:
 * @name: for the legend
 * @values: those of epochs 1, 2, ...: gaps where not finite
 * @rgb: sRGB of 0..1
 * @dashed: told apart without colour, too: dashes, and squares in place of circles
 */
typedef struct {
    const char *name;
    const double *values;
    double rgb[3];
    gboolean dashed;
} BgCurve;

/**
 * BgCurvePlot: all borrowed
 * @n: epochs so far; @n_epochs: to where the axis reaches at least
 * @is_log: values by their logarithm; those of 0 and less are gaps then
 * @from_zero: a linear axis begins at 0
 * @title: (nullable): above all
 * @value_title: what values are: above their axis
 * @text_px: height of the letters
 * @ground, @ink, @dim, @line: sRGB of 0..1: behind it, of words, of lesser words, of the grid
 */
typedef struct {
    const BgCurve *curves;
    int n_curves;
    gsize n, n_epochs;
    gboolean is_log, from_zero;
    const char *title, *value_title, *epoch_title;
    double text_px;
    double ground[3], ink[3], dim[3], line[3];
} BgCurvePlot;

/** BgCurveFrame: where the plot's axes lie in a drawing, in its pixels, and which values their ends are */
typedef struct {
    double left, top, right, bottom;
    double low, high;
    double last; // epoch at the right end; the first is 1
    gboolean is_log;
} BgCurveFrame;

/** bg_curve_frame: of a drawing of @width x @height pixels */
BgCurveFrame bg_curve_frame(const BgCurvePlot *plot, double width, double height);

double bg_curve_x(const BgCurveFrame *frame, double epoch);

/** bg_curve_y: NaN where a value has no place: not finite, or 0 and less by logarithm */
double bg_curve_y(const BgCurveFrame *frame, double value);

/**
 * bg_curve_ticks:
 * @ticks: (out caller-allocates): of @most numbers at most
 *
 * Returns: how many round numbers (1, 2 or 5 times a power of ten) there are from low to high of
 *   @frame, few enough
 */
int bg_curve_ticks(const BgCurveFrame *frame, double *ticks, int most);

void bg_curve_draw(const BgCurvePlot *plot, cairo_t *cr, double width, double height);

/** bg_curve_image: Returns: (transfer full): uint8 RGB; or %NULL with %BG_ERROR_NO_MEMORY */
BgImage *bg_curve_image(const BgCurvePlot *plot, int width, int height, GError **error);

G_END_DECLS
