// SPDX-License-Identifier: Apache-2.0
// Corrections of label maps: the one command that changes voxels.
#include "bg-case-private.h"
#include "bg-variant-private.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

static GVariant *
edit_args(const char *id, gboolean reverse, guint64 before, guint64 after, GBytes *runs)
{
    return g_variant_new("(@sbtt@ay)", bg_variant_string(id), reverse, before, after,
                         g_variant_new_from_bytes(G_VARIANT_TYPE_BYTESTRING, runs, TRUE));
}

BgCommand *
bg_command_edit_labels(const BgLayer *layer, GBytes *runs)
{
    guint64 after = ((guint64) g_random_int() << 32 | g_random_int()) >> 1;

    return bg_command_new("edit-labels", edit_args(layer->id, FALSE, (guint64) layer->content_tag,
                                                   MAX(after, 1), runs));
}

GBytes *
bg_command_get_edit(const BgCommand *command, gboolean *reverse)
{
    g_autoptr(GVariant) runs = NULL;

    g_variant_get(command->args, "(&sbtt@ay)", NULL, reverse, NULL, NULL, &runs);
    return g_variant_get_data_as_bytes(runs);
}

static BgCommand *
apply_edit_labels(BgCase *self, GVariant *args, GError **error)
{
    const char *id;
    gboolean reverse;
    guint64 before, after;
    g_autoptr(GVariant) data = NULL;
    g_variant_get(args, "(&sbtt@ay)", &id, &reverse, &before, &after, &data);

    BgLayer *layer = bg_case_find_layer(self, id, NULL, error);
    if (layer == NULL)
        return NULL;
    if (layer->kind != BG_KIND_LABELS || *layer->blob_id == '\0') {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("“%s” is read from a file, which stays as it is. Correct a copy of it"),
                    layer->name);
        return NULL;
    }
    g_autoptr(GBytes) runs = g_variant_get_data_as_bytes(data);
    const BgLabelEdit edit = { .runs = runs, .reverse = reverse };
    if (!bg_case_edit_content(self, layer, &edit, error))
        return NULL;
    layer->content_tag = (gint64) (reverse ? before : after);
    return bg_command_new("edit-labels", edit_args(id, !reverse, before, after, runs));
}

const BgCommandKind bg_edit_command_kinds[] = {
    { "edit-labels", N_("Edit Labels"), "(sbttay)", 1, BG_COMMAND_VOXELS, apply_edit_labels },
    { NULL },
};
