// SPDX-License-Identifier: Apache-2.0
// Commands on layers: each checks, changes, and returns what undoes it.
#include "bg-case-private.h"
#include "bg-variant-private.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define MAX_LAYERS 4096

static BgCommand *
refuse_value(const BgLayer *layer, GError **error)
{
    g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                _("The layer “%s” cannot have this value: it is out of range. Choose another one"),
                layer->name);
    return NULL;
}

BgLayer *
bg_case_find_layer(BgCase *self, const char *id, guint *index, GError **error)
{
    for (guint i = 0; i < self->state.layers->len; i++) {
        BgLayer *layer = g_ptr_array_index(self->state.layers, i);
        if (g_str_equal(layer->id, id)) {
            if (index != NULL)
                *index = i;
            return layer;
        }
    }
    g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                _("There is no layer “%s” any more. Choose one from the list"), id);
    return NULL;
}

// The layer that the first argument names.
static BgLayer *
target(BgCase *self, GVariant *args, GError **error)
{
    const char *id;

    g_variant_get_child(args, 0, "&s", &id);
    return bg_case_find_layer(self, id, NULL, error);
}

static const BgPatientOverride *
find_override(BgCase *self, const BgPatient *patient)
{
    for (guint i = 0; i < self->state.overrides->len; i++) {
        const BgPatientOverride *item = g_ptr_array_index(self->state.overrides, i);
        if (bg_patient_is_known(&item->patient) && bg_patient_same(&item->patient, patient))
            return item;
    }
    return NULL;
}

static gboolean
refuse_patient(const BgLayer *layer, const BgPatient *here, GError **error)
{
    g_autofree char *theirs = bg_patient_describe(&layer->patient);
    g_autofree char *ours = bg_patient_describe(here);

    g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                // Translators: layer, then name, number and birth date of two patients
                _("“%s” is of another patient (%s) than the case (%s). Open it as a case of its "
                  "own, or type the reason why both belong together"),
                layer->name, theirs, ours);
    return FALSE;
}

// The hard stop: two known people never meet but by a typed reason.
static gboolean
check_patient(BgCase *self, BgLayer *layer, GError **error)
{
    const BgPatient *other = NULL;

    if (!bg_patient_is_known(&layer->patient))
        return TRUE;
    if (!bg_patient_same(&self->state.patient, &layer->patient))
        other = &self->state.patient;
    for (guint i = 0; other == NULL && i < self->state.layers->len; i++) {
        const BgLayer *present = g_ptr_array_index(self->state.layers, i);
        if (!bg_patient_same(&present->patient, &layer->patient) &&
            *present->override_reason == '\0')
            other = &present->patient;
    }
    if (other == NULL)
        return TRUE;

    const BgPatientOverride *item = find_override(self, &layer->patient);
    if (item == NULL)
        return refuse_patient(layer, other, error);
    bg_layer_set_string(&layer->override_reason, item->reason);
    return TRUE;
}

static BgCommand *
apply_add_layer(BgCase *self, GVariant *args, GError **error)
{
    g_autoptr(GVariant) variant = NULL;
    guint position;
    guint8 mode;
    g_variant_get(args, "(@a{sv}uy)", &variant, &position, &mode);

    g_autoptr(BgLayer) layer = bg_layer_from_variant(variant, error);
    if (layer == NULL)
        return NULL;
    if (mode > BG_ADD_RESTORE_WITH_PATIENT ||
        bg_case_find_layer(self, layer->id, NULL, NULL) != NULL ||
        self->state.layers->len >= MAX_LAYERS) {
        refuse_value(layer, error);
        return NULL;
    }
    // What undo brings back was let in before, perhaps under a patient who has changed since.
    if (mode == BG_ADD_NEW && !check_patient(self, layer, error))
        return NULL;

    gboolean gives_patient = mode == BG_ADD_NEW ? !bg_patient_is_known(&self->state.patient) &&
                                                      bg_patient_is_known(&layer->patient)
                                                : mode == BG_ADD_RESTORE_WITH_PATIENT;
    BgCommand *inverse = bg_command_new(
        "remove-layer", g_variant_new("(s@" BG_VARIANT_PATIENT "b)", layer->id,
                                      bg_patient_to_variant(&self->state.patient), gives_patient));
    if (gives_patient)
        bg_patient_copy(&layer->patient, &self->state.patient);
    bg_case_attach_layer(self, layer);
    g_ptr_array_insert(self->state.layers, (int) MIN(position, self->state.layers->len),
                       g_steal_pointer(&layer));
    return inverse;
}

static BgCommand *
apply_remove_layer(BgCase *self, GVariant *args, GError **error)
{
    const char *id;
    g_autoptr(GVariant) patient = NULL;
    gboolean gave_patient;
    guint position;
    g_variant_get(args, "(&s@" BG_VARIANT_PATIENT "b)", &id, &patient, &gave_patient);

    BgLayer *layer = bg_case_find_layer(self, id, &position, error);
    if (layer == NULL)
        return NULL;

    g_autoptr(GVariant) variant = bg_layer_to_variant(layer);
    BgCommand *inverse = bg_command_new(
        "add-layer",
        g_variant_new("(@a{sv}uy)", variant, position,
                      (guint8) (gave_patient ? BG_ADD_RESTORE_WITH_PATIENT : BG_ADD_RESTORE)));
    bg_case_detach_layer(self, layer);
    g_ptr_array_remove_index(self->state.layers, position);
    if (gave_patient)
        bg_patient_from_variant(patient, &self->state.patient);
    return inverse;
}

static BgCommand *
apply_rename_layer(BgCase *self, GVariant *args, GError **error)
{
    BgLayer *layer = target(self, args, error);
    if (layer == NULL)
        return NULL;

    const char *name;
    g_variant_get_child(args, 1, "&s", &name);
    BgCommand *inverse = bg_command_rename_layer(layer->id, layer->name);
    bg_layer_set_string(&layer->name, name);
    return inverse;
}

static BgCommand *
apply_move_layer(BgCase *self, GVariant *args, GError **error)
{
    const char *id;
    guint from, to;
    g_variant_get(args, "(&su)", &id, &to);

    if (bg_case_find_layer(self, id, &from, error) == NULL)
        return NULL;
    to = MIN(to, self->state.layers->len - 1);
    BgCommand *inverse = bg_command_move_layer(id, from);
    gpointer layer = g_ptr_array_steal_index(self->state.layers, from);
    g_ptr_array_insert(self->state.layers, (int) to, layer);
    return inverse;
}

static BgCommand *
apply_set_visible(BgCase *self, GVariant *args, GError **error)
{
    BgLayer *layer = target(self, args, error);
    if (layer == NULL)
        return NULL;

    BgCommand *inverse = bg_command_set_visible(layer->id, layer->visible);
    g_variant_get_child(args, 1, "b", &layer->visible);
    return inverse;
}

static BgCommand *
apply_set_opacity(BgCase *self, GVariant *args, GError **error)
{
    BgLayer *layer = target(self, args, error);
    double opacity;
    g_variant_get_child(args, 1, "d", &opacity);

    if (layer == NULL)
        return NULL;
    if (!(opacity >= 0.0 && opacity <= 1.0))
        return refuse_value(layer, error);
    BgCommand *inverse = bg_command_set_opacity(layer->id, layer->opacity);
    layer->opacity = opacity;
    return inverse;
}

static BgCommand *
apply_set_window(BgCase *self, GVariant *args, GError **error)
{
    BgLayer *layer = target(self, args, error);
    const char *id;
    double centre, width;
    g_variant_get(args, "(&sdd)", &id, &centre, &width);

    if (layer == NULL)
        return NULL;
    if (!isfinite(centre) || !isfinite(width) || !(width > 0.0))
        return refuse_value(layer, error);
    BgCommand *inverse = bg_command_set_window(id, layer->window_centre, layer->window_width);
    layer->window_centre = centre;
    layer->window_width = width;
    return inverse;
}

static BgCommand *
apply_set_colour_map(BgCase *self, GVariant *args, GError **error)
{
    BgLayer *layer = target(self, args, error);
    if (layer == NULL)
        return NULL;

    const char *name;
    g_variant_get_child(args, 1, "&s", &name);
    BgCommand *inverse = bg_command_set_colour_map(layer->id, layer->colour_map);
    bg_layer_set_string(&layer->colour_map, name);
    return inverse;
}

static BgCommand *
apply_set_transfer_function(BgCase *self, GVariant *args, GError **error)
{
    BgLayer *layer = target(self, args, error);
    if (layer == NULL)
        return NULL;

    const char *json;
    BgTransferFunction *tf = NULL;
    g_variant_get_child(args, 1, "&s", &json);
    if (*json != '\0') {
        tf = bg_transfer_function_parse(json, -1, error);
        if (tf == NULL)
            return NULL;
    }

    BgCommand *inverse = bg_command_set_transfer_function(layer->id, layer->transfer_function);
    g_clear_pointer(&layer->transfer_function, bg_transfer_function_unref);
    layer->transfer_function = tf;
    return inverse;
}

static BgCommand *
apply_set_labels(BgCase *self, GVariant *args, GError **error)
{
    BgLayer *layer = target(self, args, error);
    if (layer == NULL)
        return NULL;
    if (!bg_variant_doubles_ok(args))
        return refuse_value(layer, error);

    g_autoptr(GVariant) table = g_variant_get_child_value(args, 1);
    BgCommand *inverse = bg_command_set_labels(layer->id, layer->labels);
    g_clear_pointer(&layer->labels, bg_label_table_unref);
    layer->labels = bg_label_table_from_variant(table);
    return inverse;
}

// @table without @label, NULL when nothing is left.
static BgLabelTable *
table_without(const BgLabelTable *table, guint32 label)
{
    g_autoptr(GArray) entries = g_array_new(FALSE, TRUE, sizeof(BgLabelEntry));

    for (gsize i = 0; table != NULL && i < bg_label_table_count(table); i++) {
        const BgLabelEntry *entry = bg_label_table_get(table, i);
        if (entry->label != label)
            g_array_append_val(entries, *entry);
    }
    return entries->len > 0 ? bg_label_table_new(entries) : NULL;
}

static BgLabelTable *
table_with(const BgLabelTable *table, const BgLabelEntry *entry)
{
    if (table != NULL)
        return bg_label_table_with(table, entry);

    g_autoptr(GArray) entries = g_array_new(FALSE, TRUE, sizeof(BgLabelEntry));
    g_array_append_val(entries, *entry);
    return bg_label_table_new(entries);
}

static BgCommand *
apply_set_label(BgCase *self, GVariant *args, GError **error)
{
    BgLayer *layer = target(self, args, error);
    if (layer == NULL)
        return NULL;
    if (!bg_variant_doubles_ok(args))
        return refuse_value(layer, error);

    const char *id, *name;
    guint32 label;
    double rgb[3];
    gboolean visible, present;
    g_variant_get(args, "(&su&sdddbb)", &id, &label, &name, &rgb[0], &rgb[1], &rgb[2], &visible,
                  &present);
    g_autoptr(GVariant) variant = g_variant_ref_sink(
        g_variant_new(BG_VARIANT_LABEL, label, name, rgb[0], rgb[1], rgb[2], visible));
    BgLabelEntry entry = bg_label_entry_from_variant(variant);

    const BgLabelEntry *old =
        layer->labels != NULL ? bg_label_table_find(layer->labels, label) : NULL;
    BgCommand *inverse =
        old != NULL ? bg_command_set_label(id, old)
                    : bg_command_new("set-label", g_variant_new("(susdddbb)", id, label, "", 0.0,
                                                                0.0, 0.0, FALSE, FALSE));
    BgLabelTable *table =
        present ? table_with(layer->labels, &entry) : table_without(layer->labels, label);
    g_clear_pointer(&layer->labels, bg_label_table_unref);
    layer->labels = table;
    return inverse;
}

static BgCommand *
apply_set_label_style(BgCase *self, GVariant *args, GError **error)
{
    BgLayer *layer = target(self, args, error);
    const char *id;
    double fill, outline;
    g_variant_get(args, "(&sdd)", &id, &fill, &outline);

    if (layer == NULL)
        return NULL;
    if (!(fill >= 0.0 && fill <= 1.0) || !(outline >= 0.0 && outline <= 20.0))
        return refuse_value(layer, error);
    BgCommand *inverse = bg_command_set_label_style(id, layer->label_fill, layer->label_outline);
    layer->label_fill = fill;
    layer->label_outline = outline;
    return inverse;
}

static BgCommand *
apply_set_mesh_style(BgCase *self, GVariant *args, GError **error)
{
    BgLayer *layer = target(self, args, error);
    const char *id;
    double rgb[3];
    gboolean wireframe;
    g_variant_get(args, "(&sdddb)", &id, &rgb[0], &rgb[1], &rgb[2], &wireframe);

    if (layer == NULL)
        return NULL;
    for (int c = 0; c < 3; c++) {
        if (!(rgb[c] >= 0.0 && rgb[c] <= 1.0))
            return refuse_value(layer, error);
    }
    BgCommand *inverse = bg_command_set_mesh_style(id, layer->mesh_rgb, layer->mesh_wireframe);
    memcpy(layer->mesh_rgb, rgb, sizeof rgb);
    layer->mesh_wireframe = wireframe;
    return inverse;
}

static BgCommand *
apply_set_interpolation(BgCase *self, GVariant *args, GError **error)
{
    BgLayer *layer = target(self, args, error);
    if (layer == NULL)
        return NULL;

    BgCommand *inverse = bg_command_set_interpolation(layer->id, layer->linear);
    g_variant_get_child(args, 1, "b", &layer->linear);
    return inverse;
}

static BgCommand *
apply_answer_geometry(BgCase *self, GVariant *args, GError **error)
{
    BgLayer *layer = target(self, args, error);
    const char *id;
    BgGeometryAnswer answer;
    g_variant_get(args, "(&sbbbddd)", &id, &answer.side_unknown, &answer.mirrored,
                  &answer.spacing_unknown, &answer.spacing_mm[0], &answer.spacing_mm[1],
                  &answer.spacing_mm[2]);

    if (layer == NULL)
        return NULL;
    for (int c = 0; c < 3; c++) {
        if (!(answer.spacing_mm[c] >= 0.0 && answer.spacing_mm[c] <= 1e4))
            return refuse_value(layer, error);
    }
    BgGeometryAnswer old = { .side_unknown = layer->side_unknown,
                             .mirrored = layer->answer_mirrored,
                             .spacing_unknown = layer->spacing_unknown };
    memcpy(old.spacing_mm, layer->answer_spacing_mm, sizeof old.spacing_mm);
    layer->side_unknown = answer.side_unknown;
    layer->answer_mirrored = answer.mirrored;
    layer->spacing_unknown = answer.spacing_unknown;
    memcpy(layer->answer_spacing_mm, answer.spacing_mm, sizeof answer.spacing_mm);
    bg_case_place_layers(self);
    return bg_command_answer_geometry(layer->id, &old);
}

static BgCommand *
apply_set_frame(BgCase *self, GVariant *args, GError **error)
{
    BgLayer *layer = target(self, args, error);
    int frame;
    g_variant_get_child(args, 1, "i", &frame);

    if (layer == NULL)
        return NULL;
    if (frame < 0 || frame >= layer->n_frames)
        return refuse_value(layer, error);
    BgCommand *inverse = bg_command_set_frame(layer->id, layer->frame);
    if (frame != layer->frame) {
        layer->frame = layer->source.frame = frame;
        // Else the old frame would be shown under the new one's number.
        bg_case_drop_content(self, layer);
    }
    return inverse;
}

static BgCommand *
apply_locate_layer(BgCase *self, GVariant *args, GError **error)
{
    BgLayer *layer = target(self, args, error);
    const char *id, *sha256;
    g_autofree char *path = NULL;
    g_autofree char *relative_path = NULL;
    gboolean accept;
    g_variant_get(args, "(&s^ay^ay&sb)", &id, &path, &relative_path, &sha256, &accept);

    if (layer == NULL)
        return NULL;
    BgLayerSource *source = &layer->source;
    if (!accept && *sha256 != '\0' && *source->sha256 != '\0' &&
        !g_str_equal(sha256, source->sha256)) {
        g_autofree char *name = g_filename_display_name(path);
        g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                    _("“%s” is not the file that “%s” was made from: its content differs. Choose "
                      "another file, or accept this one in its place"),
                    name, layer->name);
        return NULL;
    }

    BgCommand *inverse =
        bg_command_new("locate-layer", g_variant_new("(s^ay^aysb)", id, source->path,
                                                     source->relative_path, source->sha256, TRUE));
    g_free(source->path);
    g_free(source->relative_path);
    source->path = g_steal_pointer(&path);
    source->relative_path = g_steal_pointer(&relative_path);
    if (*sha256 != '\0' || accept)
        bg_layer_set_string(&source->sha256, sha256);
    bg_case_drop_content(self, layer);
    return inverse;
}

#define SETTING BG_COMMAND_SETTING
#define ROWS BG_COMMAND_ROWS

const BgCommandKind bg_layer_command_kinds[] = {
    { "add-layer", N_("Add Layer"), "(a{sv}uy)", 0, ROWS, apply_add_layer },
    { "remove-layer", N_("Remove Layer"), "(s" BG_VARIANT_PATIENT "b)", 1, ROWS,
      apply_remove_layer },
    { "rename-layer", N_("Rename Layer"), "(ss)", 1, SETTING, apply_rename_layer },
    { "move-layer", N_("Move Layer"), "(su)", 1, ROWS, apply_move_layer },
    { "set-visible", N_("Visibility"), "(sb)", 1, SETTING, apply_set_visible },
    { "set-opacity", N_("Opacity"), "(sd)", 1, SETTING, apply_set_opacity },
    { "set-window", N_("Window"), "(sdd)", 1, SETTING, apply_set_window },
    { "set-colour-map", N_("Colour Map"), "(ss)", 1, SETTING, apply_set_colour_map },
    { "set-transfer-function", N_("Transfer Function"), "(ss)", 1, SETTING,
      apply_set_transfer_function },
    { "set-labels", N_("Labels"), "(sa(usdddb))", 1, SETTING, apply_set_labels },
    { "set-label", N_("Label"), "(susdddbb)", 2, SETTING, apply_set_label },
    { "set-label-style", N_("Label Style"), "(sdd)", 1, SETTING, apply_set_label_style },
    { "set-mesh-style", N_("Mesh Style"), "(sdddb)", 1, SETTING, apply_set_mesh_style },
    { "set-interpolation", N_("Interpolation"), "(sb)", 1, SETTING, apply_set_interpolation },
    { "answer-geometry", N_("Geometry"), "(sbbbddd)", 1, SETTING | ROWS, apply_answer_geometry },
    { "set-frame", N_("Frame"), "(si)", 1, SETTING | ROWS, apply_set_frame },
    { "locate-layer", N_("Locate File"), "(sayaysb)", 1, ROWS, apply_locate_layer },
    { NULL },
};
