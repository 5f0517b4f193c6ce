// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/case/bg-command.h"

G_BEGIN_DECLS

/** BgPaneState: @zoom: 1 fits the volume; @pan_mm: right and down in the picture */
typedef struct {
    double zoom;
    double pan_mm[2];
} BgPaneState;

/** BgClip: an LPS box outside of which 3D pictures show nothing */
typedef struct {
    gboolean enabled;
    BgVec3 low_mm, high_mm;
} BgClip;

/**
 * BgCaseState:
 * @layers: of BgLayer, the lowest first
 * @measurements, @landmarks, @registrations, @cameras, @plans, @overrides: of BgMeasurement,
 *   BgLandmarkList, BgRegistration, BgPhotoCamera, BgCasePlan, BgPatientOverride; the middle four by id
 * @panes: axial, coronal, sagittal
 * @selected: id of the layer that was looked at last, or ""; bg_case_set_selected()
 * @radiological: the patient's right on the left; else the neurological convention
 *
 * All that a case says. To read only; pointers into it are good until the next command.
 */
typedef struct {
    BgPatient patient;
    char *study_date, *study_description;
    GPtrArray *layers, *measurements, *landmarks, *registrations, *cameras, *plans, *overrides;
    BgVec3 cursor_mm;
    BgView view;
    BgPaneState panes[3];
    char *layout;
    char *selected;
    gboolean radiological;
    BgClip clip;
    char *notes;
} BgCaseState;

#define BG_TYPE_CASE (bg_case_get_type())

/**
 * BgCase:
 *
 * The one truth about what is looked at. Main thread only. It is changed by commands alone,
 * which can be undone, are journalled, saved and told in the provenance.
 *
 * Signals:
 * ::changed (BgCommand *command): after a command was done, undone or redone; @command is what
 *   was applied (undoing a set-window is a set-window back). Also once with %NULL after the whole
 *   state was replaced (opened, recovered)
 * ::layers-changed (): rows were added, removed, moved, or status or payload of one changed
 * ::history-changed (): titles of undo and redo, and whether there are unsaved changes
 */
G_DECLARE_FINAL_TYPE(BgCase, bg_case, BG, CASE, GObject)

BgCase *bg_case_new(void);

const BgCaseState *bg_case_get_state(BgCase *self);

/** bg_case_get_layer: (transfer none) (nullable) */
const BgLayer *bg_case_get_layer(BgCase *self, const char *id);
const BgMeasurement *bg_case_get_measurement(BgCase *self, const char *id);
const BgLandmarkList *bg_case_get_landmarks(BgCase *self, const char *id);
const BgCasePlan *bg_case_get_plan(BgCase *self, const char *id);

/** bg_case_get_registration: (transfer none) (nullable): the one that moves that layer */
const BgRegistration *bg_case_get_registration(BgCase *self, const char *layer_id);

/** bg_case_get_camera: (transfer none) (nullable): of that photograph */
const BgPhotoCamera *bg_case_get_camera(BgCase *self, const char *layer_id);

/**
 * bg_case_get_placement:
 *
 * Where registrations put a layer: from the space of its file to the space of the case, over as many
 * registrations as follow each other. The payload of the layer lies there already.
 */
BgAffine bg_case_get_placement(BgCase *self, const char *layer_id);

/** bg_case_new_id: (transfer full): @prefix: "layer", "measurement" ...: never given twice */
char *bg_case_new_id(BgCase *self, const char *prefix);

/**
 * bg_case_layer_lacks_identity:
 *
 * Returns: whether the patient of the case is known, and the layer's file does not say whose it
 *   is: the row shows "identity not in file"
 */
gboolean bg_case_layer_lacks_identity(BgCase *self, const BgLayer *layer);

/**
 * bg_case_do:
 * @command: (transfer full)
 *
 * Nothing happens, and nothing is told, when the command changes nothing.
 *
 * Returns: %FALSE and the case as it was, with
 *   %BG_ERROR_MISMATCH: add-layer or set-patient would bring two patients together, and no
 *     override-patient was done for the second;
 *   %BG_ERROR_INVALID: a value out of its range, an empty reason, no such id
 */
gboolean bg_case_do(BgCase *self, BgCommand *command, GError **error);

/** bg_command_take_study: (transfer full) (nullable): a set-study of a file's, where @self has none yet and @info tells one */
BgCommand *bg_command_take_study(BgCase *self, const BgFileInfo *info);

/** bg_case_undo: Returns: %FALSE when there is nothing to undo; ends an open gesture */
gboolean bg_case_undo(BgCase *self);
gboolean bg_case_redo(BgCase *self);

/** bg_case_get_undo_title: (transfer none) (nullable): "Window": for "Undo Window" */
const char *bg_case_get_undo_title(BgCase *self);
const char *bg_case_get_redo_title(BgCase *self);

/**
 * bg_case_undo_view: of moves of cursor, 3D view and panes, which have a pile of their own, so
 * that undoing an edit never turns the picture. Moves of one kind within a second, and those of a
 * gesture, are one step.
 */
gboolean bg_case_undo_view(BgCase *self);
gboolean bg_case_redo_view(BgCase *self);
gboolean bg_case_can_undo_view(BgCase *self);
gboolean bg_case_can_redo_view(BgCase *self);

/**
 * bg_case_begin_gesture:
 * @title: (nullable): of the step; the first command's when %NULL
 *
 * All commands until bg_case_end_gesture() are one step of undo (a drag, "add volume and its
 * window"); of settings that follow each other only the first's old value is kept. Nests.
 */
void bg_case_begin_gesture(BgCase *self, const char *title);
void bg_case_end_gesture(BgCase *self);

/** bg_case_cancel_gesture: undoes what the gesture did, leaving no redo (Escape in a drag) */
void bg_case_cancel_gesture(BgCase *self);

/**
 * bg_case_set_undo_budget:
 * @n_bytes: of voxels and meshes that only undo or redo could bring back; 512 MiB by default
 *
 * Beyond it the oldest are let go from memory: those read from a file are read again when needed
 * (LOADING), computed ones come back from a compressed file in the cache folder.
 */
void bg_case_set_undo_budget(BgCase *self, gsize n_bytes);

/** bg_case_get_undo_bytes: held in memory for undo and redo alone */
gsize bg_case_get_undo_bytes(BgCase *self);

/** bg_case_set_edit_budget: of the records of corrected voxels in undo and redo; 64 MiB by default */
void bg_case_set_edit_budget(BgCase *self, gsize n_bytes);

/** bg_case_is_modified: whether anything but the view changed since bg_case_mark_saved() */
gboolean bg_case_is_modified(BgCase *self);
void bg_case_mark_saved(BgCase *self);

/** bg_case_set_selected: @layer_id: (nullable): which row is looked at: saved, but no step of undo and no change */
void bg_case_set_selected(BgCase *self, const char *layer_id);

/**
 * bg_case_set_payload:
 * @payload: referenced
 *
 * Attaches what a job has read or computed: the layer is OK then. No step of undo. Of a computed
 * layer a compressed copy goes to the cache folder, by a thread of its own, so that a crash does
 * not lose it.
 *
 * Returns: %FALSE with %BG_ERROR_INVALID: no such layer (it was removed meanwhile: drop the
 *   result), or the content is of another kind
 */
gboolean bg_case_set_payload(BgCase *self, const char *layer_id, const BgPayload *payload,
                             GError **error);

/** bg_case_set_loaded: the same with what bg_io_load() gave */
gboolean bg_case_set_loaded(BgCase *self, const char *layer_id, const BgLoaded *loaded,
                            GError **error);

/** bg_case_set_layer_status: no step of undo; @text: (nullable): for people; ignored without such a layer */
void bg_case_set_layer_status(BgCase *self, const char *layer_id, BgLayerStatus status,
                              const char *text);

/** bg_case_set_source_hash: no step of undo: what a job has computed of the layer's source */
void bg_case_set_source_hash(BgCase *self, const char *layer_id, const char *sha256);

/** bg_case_to_variant: (transfer full): a{sv}: all that is saved */
GVariant *bg_case_to_variant(BgCase *self);

/**
 * bg_case_set_from_variant:
 *
 * Replaces the whole state; undo is empty, nothing modified, layers LOADING then.
 *
 * Returns: %FALSE and the case as it was, with %BG_ERROR_CORRUPT, naming the field
 */
gboolean bg_case_set_from_variant(BgCase *self, GVariant *state, GError **error);

/** bg_case_hash: (transfer full): SHA-256 of bg_case_to_variant(): equal for equal states */
char *bg_case_hash(BgCase *self);

/** bg_case_get_project_path: (transfer none) (nullable): where it was saved to or opened from */
const char *bg_case_get_project_path(BgCase *self);
void bg_case_set_project_path(BgCase *self, const char *path);

/**
 * bg_case_is_in_review:
 *
 * After a recovery the user confirms patient, sides and registrations before going on: a wrong
 * restored picture must not be taken for a checked one. Show bg_case_get_review_items().
 */
gboolean bg_case_is_in_review(BgCase *self);

/** bg_case_get_review_items: (transfer full): of char *: sentences for people */
GPtrArray *bg_case_get_review_items(BgCase *self);
void bg_case_begin_review(BgCase *self);
void bg_case_confirm_review(BgCase *self);

G_END_DECLS
