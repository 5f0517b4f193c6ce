// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/bg-transfer-function.h"
#include "core/volume/bg-histogram.h"
#include "ui/model/bg-tf-edit.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define BG_TYPE_TF_EDITOR (bg_tf_editor_get_type())

/**
 * BgTfEditor:
 *
 * The curve of a transfer function over the histogram, and its colour stops on a strip below.
 * Left button: adds a point or moves the one under the pointer; on the strip, a stop. Right selects,
 * middle removes. Arrows move the selected point (Shift: a tenth, Ctrl: ten times), Tab goes to the next,
 * Delete removes, Insert adds one beside it, Return opens a stop's colour, Escape in a drag puts back what was.
 * The wheel zooms the value axis about the pointer; double click on the axis shows all.
 *
 * Signals:
 * ::changed (): the user made another function: bg_tf_editor_get_transfer_function()
 * ::gesture-begin (), ::gesture-end (): around a drag: what lies between is one step
 * ::gesture-cancel (): in place of gesture-end: Escape; the old function is back
 * ::colour-wanted (): a stop's colour is to be chosen: by bg_tf_editor_set_selected_colour()
 */
G_DECLARE_FINAL_TYPE(BgTfEditor, bg_tf_editor, BG, TF_EDITOR, GtkWidget)

GtkWidget *bg_tf_editor_new(void);

/** bg_tf_editor_set_transfer_function: (nullable): shown; no signal */
void bg_tf_editor_set_transfer_function(BgTfEditor *self, BgTransferFunction *tf);

/** bg_tf_editor_get_transfer_function: (transfer none) (nullable) */
BgTransferFunction *bg_tf_editor_get_transfer_function(BgTfEditor *self);

/** bg_tf_editor_set_histogram: (transfer full) (nullable): gives the value axis its range too */
void bg_tf_editor_set_histogram(BgTfEditor *self, BgHistogram *histogram);

/** bg_tf_editor_set_unit: under the axis: "HU", or "" */
void bg_tf_editor_set_unit(BgTfEditor *self, const char *unit);

/** bg_tf_editor_set_logarithmic: of the histogram's counts; so at the start */
void bg_tf_editor_set_logarithmic(BgTfEditor *self, gboolean logarithmic);

/** bg_tf_editor_set_marker: a value that is pointed at elsewhere, as a thin line; NaN for none */
void bg_tf_editor_set_marker(BgTfEditor *self, double value);

BgTfHandle bg_tf_editor_get_selected(BgTfEditor *self);
void bg_tf_editor_select(BgTfEditor *self, BgTfHandle handle);

/** bg_tf_editor_set_selected_value: typed: moves the selected point, with ::changed */
void bg_tf_editor_set_selected_value(BgTfEditor *self, double value);
void bg_tf_editor_set_selected_alpha(BgTfEditor *self, double alpha);
void bg_tf_editor_set_selected_colour(BgTfEditor *self, const double rgb[3]);
void bg_tf_editor_remove_selected(BgTfEditor *self);

G_END_DECLS
