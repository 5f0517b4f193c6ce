// SPDX-License-Identifier: Apache-2.0
// The commands: the only way to change a case.
#pragma once

#include "core/case/bg-case-plan.h"
#include "core/case/bg-layer.h"

G_BEGIN_DECLS

/**
 * BgCommand:
 *
 * A change of a case as a record of values and ids, never pointers: a name and a GVariant. So
 * undo, the journal on disk and doing it again are one mechanism. Immutable, reference counted.
 */
typedef struct _BgCommand BgCommand;

#define BG_TYPE_COMMAND (bg_command_get_type())
GType bg_command_get_type(void);

BgCommand *bg_command_ref(BgCommand *command);
void bg_command_unref(BgCommand *command);

/** bg_command_get_name: "set-window", ...; static */
const char *bg_command_get_name(const BgCommand *command);

/** bg_command_get_title: (transfer none): translated: "Window", for "Undo Window" */
const char *bg_command_get_title(const BgCommand *command);

/** bg_command_get_target: (transfer none): id of the layer, measurement ... it is about, or "" */
const char *bg_command_get_target(const BgCommand *command);

/** bg_command_is_view: cursor, 3D view and panes: an undo pile of their own, no unsaved changes */
gboolean bg_command_is_view(const BgCommand *command);

/** bg_command_is: whether that is its name */
gboolean bg_command_is(const BgCommand *command, const char *name);

/** bg_command_get_args: (transfer none) */
GVariant *bg_command_get_args(const BgCommand *command);

/** bg_command_to_variant: (transfer full): "(sv)" */
GVariant *bg_command_to_variant(const BgCommand *command);

/** bg_command_from_variant: (transfer full): or %NULL with %BG_ERROR_CORRUPT: no such command, other arguments */
BgCommand *bg_command_from_variant(GVariant *variant, GError **error);

// Makers, each (transfer full). Values are checked when the command is done.

/** bg_command_add_layer: on top of the others; @layer: copied, without its payload */
BgCommand *bg_command_add_layer(const BgLayer *layer);
BgCommand *bg_command_remove_layer(const char *id);
BgCommand *bg_command_rename_layer(const char *id, const char *name);

/** bg_command_move_layer: @position: 0 is the lowest */
BgCommand *bg_command_move_layer(const char *id, guint position);
BgCommand *bg_command_set_visible(const char *id, gboolean visible);
BgCommand *bg_command_set_opacity(const char *id, double opacity);
BgCommand *bg_command_set_window(const char *id, double centre, double width);
BgCommand *bg_command_set_colour_map(const char *id, const char *colour_map);

/** bg_command_set_transfer_function: @tf: (nullable): none */
BgCommand *bg_command_set_transfer_function(const char *id, const BgTransferFunction *tf);

/** bg_command_set_labels: @table: (nullable): the whole table */
BgCommand *bg_command_set_labels(const char *id, const BgLabelTable *table);

/** bg_command_set_label: name, colour and visibility of one label */
BgCommand *bg_command_set_label(const char *id, const BgLabelEntry *entry);

/** bg_command_set_label_style: @fill: 0..1; @outline_px: 0..20 */
BgCommand *bg_command_set_label_style(const char *id, double fill, double outline_px);

/** bg_command_set_mesh_style: @rgb: sRGB 0..1. Opacity is bg_command_set_opacity() */
BgCommand *bg_command_set_mesh_style(const char *id, const double rgb[3], gboolean wireframe);
BgCommand *bg_command_set_interpolation(const char *id, gboolean linear);

/** BgGeometryAnswer: of BgLayer's members of like names */
typedef struct {
    gboolean side_unknown, mirrored, spacing_unknown;
    double spacing_mm[3];
} BgGeometryAnswer;

/** bg_command_answer_geometry: what the file of a layer does not say, and the user does */
BgCommand *bg_command_answer_geometry(const char *id, const BgGeometryAnswer *answer);

/** bg_command_set_frame: another frame of a 4D source: the layer is LOADING then */
BgCommand *bg_command_set_frame(const char *id, int frame);

/**
 * bg_command_locate_layer: the source is at @path now
 * @sha256: (nullable): of what is there; %BG_ERROR_MISMATCH when the case remembers another one
 */
BgCommand *bg_command_locate_layer(const char *id, const char *path, const char *sha256);

/** bg_command_accept_source: the same for a file that is known to differ, after the user said yes */
BgCommand *bg_command_accept_source(const char *id, const char *path, const char *sha256);

/** bg_command_override_patient: @reason: why another patient's layers may come in: 3 letters at least */
BgCommand *bg_command_override_patient(const BgPatient *patient, const char *reason);
BgCommand *bg_command_set_patient(const BgPatient *patient);
BgCommand *bg_command_set_study(const char *date, const char *description);
BgCommand *bg_command_set_cursor(BgVec3 cursor_mm);
BgCommand *bg_command_set_view(const BgView *view);

/** bg_command_set_pane: @plane: 0 axial, 1 coronal, 2 sagittal; @pan_mm: right and down */
BgCommand *bg_command_set_pane(guint plane, double zoom, const double pan_mm[2]);
BgCommand *bg_command_set_layout(const char *layout);

/** bg_command_set_convention: the patient's right on the left of axial and coronal pictures */
BgCommand *bg_command_set_convention(gboolean radiological);
BgCommand *bg_command_set_clip(gboolean enabled, BgVec3 low_mm, BgVec3 high_mm);
BgCommand *bg_command_add_measurement(const BgMeasurement *measurement);
BgCommand *bg_command_remove_measurement(const char *id);

/** bg_command_change_measurement: the one with that id becomes @measurement */
BgCommand *bg_command_change_measurement(const BgMeasurement *measurement);

/** bg_command_set_landmarks: adds or replaces the list of that id */
BgCommand *bg_command_set_landmarks(const BgLandmarkList *list);
BgCommand *bg_command_remove_landmarks(const char *id);

/**
 * bg_command_set_registration: adds or replaces the one of that id. Refused when the moving layer would
 * have two, when it would follow itself, or when one of the two is no layer of the case
 */
BgCommand *bg_command_set_registration(const BgRegistration *registration);
BgCommand *bg_command_remove_registration(const char *id);

/** bg_command_set_camera: adds or replaces the one of that id; a photograph has one */
BgCommand *bg_command_set_camera(const BgPhotoCamera *camera);
BgCommand *bg_command_remove_camera(const char *id);

/** bg_command_set_plan: adds or replaces the one of that id */
BgCommand *bg_command_set_plan(const BgCasePlan *plan);
BgCommand *bg_command_remove_plan(const char *id);
BgCommand *bg_command_set_notes(const char *notes);

/**
 * bg_command_edit_labels: changes voxels of a computed label map
 * @layer: of the case; a map that is read from a file is refused: correct a copy of it
 * @runs: of bg_label_runs_pack(); referenced
 *
 * The record holds the labels before and after, so it can be undone, and be done again on a map that is
 * only read later. The oldest steps of undo go when all records hold more than
 * bg_case_set_edit_budget().
 */
BgCommand *bg_command_edit_labels(const BgLayer *layer, GBytes *runs);

/** bg_command_get_edit: (transfer full): the runs of an edit-labels; @reverse: (out): undo them */
GBytes *bg_command_get_edit(const BgCommand *command, gboolean *reverse);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgCommand, bg_command_unref)

G_END_DECLS
