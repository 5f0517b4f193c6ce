// SPDX-License-Identifier: Apache-2.0
// Correcting labels by hand: what the tools of panes and panel do to the case.
#pragma once

#include "core/segment/bg-label-tools.h"
#include "ui/model/bg-session.h"

G_BEGIN_DECLS

#define BG_BRUSH_MIN_MM 0.2
#define BG_BRUSH_MAX_MM 100.0

/**
 * bg_label_edit_target: (transfer none) (nullable): the label map that tools work on: the selected one, or
 *   the uppermost visible one
 */
const BgLayer *bg_label_edit_target(BgSession *session);

/**
 * bg_label_edit_begin:
 * @title: of the step of undo
 *
 * Begins a stroke, which bg_label_edit_end() or bg_case_cancel_gesture() ends: one step of undo. Labels of
 * a file are copied first: the file's own stay.
 *
 * Returns: %FALSE when there is nothing to correct, which ::failed has told; nothing is begun then
 */
gboolean bg_label_edit_begin(BgSession *session, const char *title);

/** bg_label_edit_stroke: with the session's brush, in a slice of @plane; @erase: background */
void bg_label_edit_stroke(BgSession *session, BgPlane plane, BgVec3 from_mm, BgVec3 to_mm,
                          gboolean erase);

void bg_label_edit_end(BgSession *session);

/** BgEditTask: what is done to the whole map, as a job */
typedef enum {
    BG_EDIT_THRESHOLD,
    BG_EDIT_FLOOD, // 3D, or in the slice, by the brush's @ball
    BG_EDIT_KEEP_LARGEST,
    BG_EDIT_REMOVE_SMALL,
    BG_EDIT_KEEP_PICKED,
    BG_EDIT_REMOVE_PICKED,
    BG_EDIT_FILL_HOLES,
} BgEditTask;

/** bg_label_edit_run: @plane: of a flood in a slice; @at_mm: the seed, or what is picked. One step of undo */
void bg_label_edit_run(BgSession *session, BgEditTask task, BgPlane plane, BgVec3 at_mm);

/** bg_label_edit_new: an empty label map on the grid of @volume's layer, as a layer, to paint from nothing */
void bg_label_edit_new(BgSession *session, const BgLayer *volume);

/** bg_label_edit_add_label: the next free number, with a name and a colour; it is painted with then */
void bg_label_edit_add_label(BgSession *session);

G_END_DECLS
