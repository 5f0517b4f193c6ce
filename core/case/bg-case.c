// SPDX-License-Identifier: Apache-2.0
#include "bg-case-private.h"
#include "bg-journal.h"

#include "core/base/bg-hash.h"
#include "core/base/bg-i18n.h"

enum {
    SIGNAL_CHANGED,
    SIGNAL_LAYERS_CHANGED,
    SIGNAL_HISTORY_CHANGED,
    N_SIGNALS,
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE(BgCase, bg_case, G_TYPE_OBJECT)

BgCase *
bg_case_new(void)
{
    return g_object_new(BG_TYPE_CASE, NULL);
}

void
bg_case_set_selected(BgCase *self, const char *layer_id)
{
    g_return_if_fail(BG_IS_CASE(self));

    bg_layer_set_string(&self->state.selected, layer_id);
}

const BgCaseState *
bg_case_get_state(BgCase *self)
{
    g_return_val_if_fail(BG_IS_CASE(self), NULL);

    return &self->state;
}

const BgLayer *
bg_case_get_layer(BgCase *self, const char *id)
{
    g_return_val_if_fail(BG_IS_CASE(self), NULL);

    return id != NULL ? bg_case_find_layer(self, id, NULL, NULL) : NULL;
}

char *
bg_case_new_id(BgCase *self, const char *prefix)
{
    g_return_val_if_fail(BG_IS_CASE(self), NULL);

    return g_strdup_printf("%s-%" G_GUINT64_FORMAT, prefix, ++self->next_id);
}

gboolean
bg_case_layer_lacks_identity(BgCase *self, const BgLayer *layer)
{
    return bg_patient_is_known(&self->state.patient) && !bg_patient_is_known(&layer->patient);
}

BgCommand *
bg_case_apply(BgCase *self, const BgCommand *command, GError **error)
{
    return command->kind->apply(self, command->args, error);
}

void
bg_case_tell_changed(BgCase *self, const BgCommand *command)
{
    g_signal_emit(self, signals[SIGNAL_CHANGED], 0, command);
    if (command == NULL || (command->kind->flags & BG_COMMAND_ROWS) != 0)
        bg_case_tell_layers(self);
}

void
bg_case_tell_layers(BgCase *self)
{
    g_signal_emit(self, signals[SIGNAL_LAYERS_CHANGED], 0);
}

void
bg_case_tell_history(BgCase *self)
{
    g_signal_emit(self, signals[SIGNAL_HISTORY_CHANGED], 0);
}

GVariant *
bg_case_to_variant(BgCase *self)
{
    g_return_val_if_fail(BG_IS_CASE(self), NULL);

    return bg_case_state_to_variant(&self->state);
}

GVariant *
bg_case_to_variant_with_edits(BgCase *self)
{
    g_autoptr(GVariant) state = bg_case_to_variant(self);
    g_autoptr(GVariant) edits = bg_case_edits_to_variant(self);
    GVariantDict dict;

    g_variant_dict_init(&dict, state);
    if (edits != NULL)
        g_variant_dict_insert_value(&dict, "edits", edits);
    return g_variant_ref_sink(g_variant_dict_end(&dict));
}

// Ids in what was read must not be given again.
static void
skip_id(BgCase *self, const char *id)
{
    const char *dash = strrchr(id, '-');
    guint64 number = dash != NULL ? g_ascii_strtoull(dash + 1, NULL, 10) : 0;

    if (number < G_MAXUINT32)
        self->next_id = MAX(self->next_id, number);
}

static void
skip_ids(BgCase *self)
{
    const BgCaseState *state = &self->state;

    for (guint i = 0; i < state->layers->len; i++)
        skip_id(self, ((const BgLayer *) g_ptr_array_index(state->layers, i))->id);
    for (guint i = 0; i < state->measurements->len; i++)
        skip_id(self, ((const BgMeasurement *) g_ptr_array_index(state->measurements, i))->id);
    for (guint i = 0; i < state->landmarks->len; i++)
        skip_id(self, ((const BgLandmarkList *) g_ptr_array_index(state->landmarks, i))->id);
    for (guint i = 0; i < state->registrations->len; i++)
        skip_id(self, ((const BgRegistration *) g_ptr_array_index(state->registrations, i))->id);
    for (guint i = 0; i < state->cameras->len; i++)
        skip_id(self, ((const BgPhotoCamera *) g_ptr_array_index(state->cameras, i))->id);
    for (guint i = 0; i < state->plans->len; i++)
        skip_id(self, ((const BgCasePlan *) g_ptr_array_index(state->plans, i))->id);
}

gboolean
bg_case_set_from_variant(BgCase *self, GVariant *state, GError **error)
{
    g_return_val_if_fail(BG_IS_CASE(self) && state != NULL, FALSE);

    BgCaseState read;
    bg_case_state_init(&read);
    g_autoptr(GVariant) edits =
        g_variant_lookup_value(state, "edits", G_VARIANT_TYPE(BG_VARIANT_EDITS));
    if (!bg_case_state_from_variant(&read, state, error) ||
        (edits != NULL && !bg_case_check_edits(&read, edits, error))) {
        bg_case_state_clear(&read);
        return FALSE;
    }

    bg_case_history_clear(self);
    bg_case_slots_clear(self);
    bg_case_state_clear(&self->state);
    self->state = read;
    self->saved_revision = self->revision = ++self->next_revision;
    self->in_review = FALSE;
    skip_ids(self);
    for (guint i = 0; i < self->state.layers->len; i++)
        bg_case_attach_layer(self, g_ptr_array_index(self->state.layers, i));
    if (edits != NULL)
        bg_case_take_edits(self, edits);
    bg_case_write_snapshot(self);
    bg_case_tell_changed(self, NULL);
    bg_case_tell_history(self);
    return TRUE;
}

char *
bg_case_hash(BgCase *self)
{
    g_autoptr(GVariant) state = bg_case_to_variant(self);
    g_autoptr(GVariant) normal = g_variant_get_normal_form(state);

    return bg_hash_bytes(g_variant_get_data(normal), g_variant_get_size(normal));
}

const char *
bg_case_get_project_path(BgCase *self)
{
    return self->project_path;
}

void
bg_case_set_project_path(BgCase *self, const char *path)
{
    g_return_if_fail(BG_IS_CASE(self));

    g_free(self->project_path);
    self->project_path = path != NULL ? g_canonicalize_filename(path, NULL) : NULL;
}

gboolean
bg_case_is_in_review(BgCase *self)
{
    return self->in_review;
}

GPtrArray *
bg_case_get_review_items(BgCase *self)
{
    GPtrArray *items = g_ptr_array_new_with_free_func(g_free);
    const BgCaseState *state = &self->state;

    if (bg_patient_is_known(&state->patient)) {
        g_autofree char *patient = bg_patient_describe(&state->patient);
        // Translators: name, number and birth date
        g_ptr_array_add(items, g_strdup_printf(_("Patient: %s"), patient));
    } else {
        g_ptr_array_add(items, g_strdup(_("Patient: not named in the files")));
    }
    g_ptr_array_add(items,
                    g_strdup(state->radiological
                                 ? _("Sides: the patient's right is on the left of the picture")
                                 : _("Sides: the patient's right is on the right of the picture")));
    for (guint i = 0; i < state->registrations->len; i++) {
        const BgRegistration *item = g_ptr_array_index(state->registrations, i);
        const BgLayer *moving = bg_case_get_layer(self, item->moving);
        const BgLayer *fixed = bg_case_get_layer(self, item->fixed);
        g_ptr_array_add(items, g_strdup_printf(
                                   // Translators: names of two layers, and of a method
                                   _("Registration of “%s” to “%s”: %s"),
                                   moving != NULL ? moving->name : item->moving,
                                   fixed != NULL ? fixed->name : item->fixed, item->method));
    }
    return items;
}

void
bg_case_begin_review(BgCase *self)
{
    g_return_if_fail(BG_IS_CASE(self));

    self->in_review = TRUE;
    bg_case_tell_history(self);
}

void
bg_case_confirm_review(BgCase *self)
{
    g_return_if_fail(BG_IS_CASE(self));

    self->in_review = FALSE;
    bg_case_tell_history(self);
}

static void
bg_case_finalize(GObject *object)
{
    BgCase *self = BG_CASE(object);

    bg_case_close_journal(self);
    bg_case_history_clear(self);
    g_ptr_array_unref(self->edits.undo);
    g_ptr_array_unref(self->edits.redo);
    g_ptr_array_unref(self->views.undo);
    g_ptr_array_unref(self->views.redo);
    g_hash_table_unref(self->slots);
    bg_case_state_clear(&self->state);
    g_clear_pointer(&self->blobs, bg_blob_store_unref);
    g_free(self->project_path);
    g_free(self->journal_problem);

    G_OBJECT_CLASS(bg_case_parent_class)->finalize(object);
}

static void
bg_case_class_init(BgCaseClass *klass)
{
    GType type = G_TYPE_FROM_CLASS(klass);

    G_OBJECT_CLASS(klass)->finalize = bg_case_finalize;
    signals[SIGNAL_CHANGED] = g_signal_new("changed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                           G_TYPE_NONE, 1, BG_TYPE_COMMAND);
    signals[SIGNAL_LAYERS_CHANGED] = g_signal_new("layers-changed", type, G_SIGNAL_RUN_LAST, 0,
                                                  NULL, NULL, NULL, G_TYPE_NONE, 0);
    signals[SIGNAL_HISTORY_CHANGED] = g_signal_new("history-changed", type, G_SIGNAL_RUN_LAST, 0,
                                                   NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
bg_case_init(BgCase *self)
{
    bg_case_state_init(&self->state);
    bg_case_slots_init(self);
    bg_case_history_init(self);
}
