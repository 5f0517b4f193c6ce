// SPDX-License-Identifier: Apache-2.0
// What the files of this folder share about a case; nobody else includes it.
#pragma once

#include "core/case/bg-blob-private.h"
#include "core/case/bg-case.h"
#include "core/volume/bg-label-runs.h"

G_BEGIN_DECLS

typedef struct _BgJournal BgJournal;

/**
 * BgCommandKind:
 * @arg_type: of the tuple of arguments; where the first is "s" it is the target's id
 * @n_key: how many first arguments say what is set; the others say to what
 * @apply: checks everything before it changes anything; Returns: (transfer full): the command
 *   that undoes it, or %NULL with @error and the state as it was
 */
typedef struct {
    const char *name, *title, *arg_type;
    guint n_key;
    enum {
        BG_COMMAND_SETTING = 1 << 0, // its inverse is of the same kind: may be merged in a gesture
        BG_COMMAND_VIEW = 1 << 1,
        BG_COMMAND_ROWS = 1 << 2,   // ::layers-changed
        BG_COMMAND_VOXELS = 1 << 3, // its record may be large
    } flags;
    BgCommand *(*apply)(BgCase *self, GVariant *args, GError **error);
    const char *older_type; // nullable: of the arguments in older journals
} BgCommandKind;

// How add-layer takes a layer in: what was there before comes back without the hard stop.
typedef enum {
    BG_ADD_NEW,
    BG_ADD_RESTORE,
    BG_ADD_RESTORE_WITH_PATIENT, // and the case takes its patient from it again
} BgAddMode;

struct _BgCommand {
    gatomicrefcount ref_count;
    const BgCommandKind *kind;
    GVariant *args;
};

/** bg_command_new: @args: floating or not; of the kind's type */
BgCommand *bg_command_new(const char *name, GVariant *args);

/** bg_command_same_key: whether both set the same thing */
gboolean bg_command_same_key(const BgCommand *a, const BgCommand *b);

// The kinds of commands, in tables of the files that apply them; ended by a NULL name.
extern const BgCommandKind bg_layer_command_kinds[];
extern const BgCommandKind bg_state_command_kinds[];
extern const BgCommandKind bg_alignment_command_kinds[];
extern const BgCommandKind bg_edit_command_kinds[];

/**
 * BgSlot:
 * @payload: owned; as the file has it; also while the layer is removed, and undo could bring it back
 * @placed, @placement: owned: the same where registrations put it; empty for the identity
 * @n_history: commands in the piles that add or remove the layer
 * @detached_at: order of removal; 0 while the layer is there
 * @edits: owned, nullable: edit-labels that were done since the content was computed or read: to do
 *   again on what comes back from a blob. Doing them twice does no harm: they set labels
 * @spare: owned, nullable: the label map before the last of @edits, for its memory
 *
 * The content of a layer, by its id.
 */
typedef struct {
    BgPayload payload, placed;
    BgAffine placement;
    BgLayerStatus status;
    char *status_text, *blob_id;
    guint n_history;
    guint64 detached_at;
    GPtrArray *edits;
    BgLabelMap *spare;
} BgSlot;

/** BgPile: steps of undo and redo, owned; @open: (nullable): borrowed: the gesture's step */
typedef struct _BgStep BgStep;
typedef struct {
    GPtrArray *undo, *redo;
    BgStep *open;
} BgPile;

struct _BgCase {
    GObject parent_instance;

    BgCaseState state;
    GHashTable *slots; // id: BgSlot
    guint64 next_id, next_detached;

    BgPile edits, views;
    guint gesture_depth;
    char *gesture_title;
    guint64 revision, saved_revision, next_revision; // of the edits

    gsize undo_budget, detached_bytes;
    gsize edit_budget, edit_bytes; // of records with voxels in the piles
    BgBlobStore *blobs;            // owned, made when first needed
    BgJournal *journal;            // owned, nullable
    char *journal_problem;
    char *project_path;
    gboolean in_review;
};

/** bg_case_find_layer: @index: (out) (optional); %NULL with %BG_ERROR_INVALID */
BgLayer *bg_case_find_layer(BgCase *self, const char *id, guint *index, GError **error);

void bg_case_state_init(BgCaseState *state);
void bg_case_state_clear(BgCaseState *state);
GVariant *bg_case_state_to_variant(const BgCaseState *state); // (transfer full)

/** bg_case_state_from_variant: @state: initialised; %BG_ERROR_CORRUPT leaves it half filled */
gboolean bg_case_state_from_variant(BgCaseState *state, GVariant *variant, GError **error);

/** bg_case_add_override: @patient: BG_VARIANT_PATIENT */
void bg_case_add_override(BgCaseState *state, GVariant *patient, const char *reason);

/** bg_case_apply: changes the state and nothing else; for the piles and for replaying a journal */
BgCommand *bg_case_apply(BgCase *self, const BgCommand *command, GError **error);

void bg_case_attach_layer(BgCase *self, BgLayer *layer);
void bg_case_detach_layer(BgCase *self, const BgLayer *layer);

/** bg_case_get_content: (transfer none): of a layer, as its file or its computation has it: not placed */
const BgPayload *bg_case_get_content(BgCase *self, const char *layer_id);

/** bg_case_edit_content: changes a label map, or remembers to when its voxels are not there */
gboolean bg_case_edit_content(BgCase *self, BgLayer *layer, const BgLabelEdit *edit,
                              GError **error);

/** bg_case_edits_to_variant: (transfer full) (nullable): a(sbay): edits that no blob has */
GVariant *bg_case_edits_to_variant(BgCase *self);

/** bg_case_check_edits: that all are of layers of @state; %BG_ERROR_CORRUPT */
gboolean bg_case_check_edits(const BgCaseState *state, GVariant *edits, GError **error);

/** bg_case_copy_edits: (transfer full) (nullable): of a layer, for bg_edits_apply() on another thread */
GPtrArray *bg_case_copy_edits(BgCase *self, const char *layer_id);

/**
 * bg_edits_apply:
 * @edits: (nullable): as of bg_case_copy_edits()
 * @edited: (out): what came back from a blob or a project, with the corrections that were made since
 *
 * Returns: %FALSE with %BG_ERROR_CORRUPT or %BG_ERROR_NO_MEMORY
 */
gboolean bg_edits_apply(const GPtrArray *edits, const BgPayload *payload, BgPayload *edited,
                        GError **error);

/** bg_case_take_edits: for layers whose voxels are not there yet */
void bg_case_take_edits(BgCase *self, GVariant *edits);

/** bg_case_to_variant_with_edits: (transfer full): what a journal needs to make the voxels again, too */
GVariant *bg_case_to_variant_with_edits(BgCase *self);

#define BG_VARIANT_EDITS "a(sbay)" // layer, reverse, runs

/** bg_case_place_layers: all payloads, after a registration has changed */
void bg_case_place_layers(BgCase *self);

/** bg_case_drop_content: the layer's source became another one: LOADING */
void bg_case_drop_content(BgCase *self, BgLayer *layer);

void bg_case_slots_init(BgCase *self);
void bg_case_slots_clear(BgCase *self);
void bg_case_note_history(BgCase *self, const BgCommand *command, int change);

void bg_case_history_init(BgCase *self);
void bg_case_history_clear(BgCase *self);
void bg_case_tell_changed(BgCase *self, const BgCommand *command);
void bg_case_tell_layers(BgCase *self);
void bg_case_tell_history(BgCase *self);

/** bg_case_write_journal: @commands: of BgCommand: were applied, as one action; nothing without a journal */
void bg_case_write_journal(BgCase *self, const GPtrArray *commands);

/** bg_case_write_waiting: the last of a drag, now that it has ended */
void bg_case_write_waiting(BgCase *self);

/** bg_case_write_snapshot: the whole state, and whether it is saved, to the journal */
void bg_case_write_snapshot(BgCase *self);

/** bg_case_get_blobs: (transfer none): where computed results wait: made when first asked for */
BgBlobStore *bg_case_get_blobs(BgCase *self);

/** bg_case_put_blobs: all computed results there are */
void bg_case_put_blobs(BgCase *self);

G_END_DECLS
