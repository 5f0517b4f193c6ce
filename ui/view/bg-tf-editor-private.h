// SPDX-License-Identifier: Apache-2.0
// What the editor's two sources share: where things lie, and how they are drawn.
#pragma once

#include "ui/view/bg-tf-editor.h"

#define BG_TF_MARGIN_PX 10.0
#define BG_TF_STRIP_PX 14.0
#define BG_TF_AXIS_PX 18.0
#define BG_TF_HANDLE_PX 4.0 // half a handle
#define BG_TF_HIT_PX 6.0    // half of where it can be grabbed

/**
 * BgTfLayout:
 * @left, @right, @top, @bottom: of the curve's box, widget pixels
 * @strip_top: of the colour strip
 * @low, @high: values at @left and @right
 */
typedef struct {
    double left, right, top, bottom, strip_top;
    double low, high;
} BgTfLayout;

static inline double
bg_tf_layout_x(const BgTfLayout *layout, double value)
{
    return layout->left +
           (value - layout->low) / (layout->high - layout->low) * (layout->right - layout->left);
}

static inline double
bg_tf_layout_value(const BgTfLayout *layout, double x)
{
    return layout->low +
           (x - layout->left) / (layout->right - layout->left) * (layout->high - layout->low);
}

static inline double
bg_tf_layout_y(const BgTfLayout *layout, double alpha)
{
    return layout->bottom - alpha * (layout->bottom - layout->top);
}

static inline double
bg_tf_layout_alpha(const BgTfLayout *layout, double y)
{
    return (layout->bottom - y) / (layout->bottom - layout->top);
}

/**
 * BgTfPicture:
 *
 * All that the editor shows. Everything borrowed.
 */
typedef struct {
    BgTfLayout layout;
    const BgTransferFunction *tf;
    const BgHistogram *histogram; // nullable
    const char *unit;
    gboolean logarithmic;
    double marker; // NaN for none
    BgTfHandle selected;
    gboolean focused;
    GdkRGBA accent, text, fill;
} BgTfPicture;

/** bg_tf_picture_draw: on a widget of that layout */
void bg_tf_picture_draw(const BgTfPicture *picture, cairo_t *cr);
