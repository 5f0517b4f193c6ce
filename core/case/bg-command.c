// SPDX-License-Identifier: Apache-2.0
#include "bg-case-private.h"
#include "bg-variant-private.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

G_DEFINE_BOXED_TYPE(BgCommand, bg_command, bg_command_ref, bg_command_unref)

static const BgCommandKind *
find_kind(const char *name)
{
    const BgCommandKind *const tables[] = { bg_layer_command_kinds, bg_state_command_kinds,
                                            bg_alignment_command_kinds, bg_edit_command_kinds };

    for (gsize t = 0; t < G_N_ELEMENTS(tables); t++) {
        for (const BgCommandKind *kind = tables[t]; kind->name != NULL; kind++) {
            if (g_str_equal(kind->name, name))
                return kind;
        }
    }
    return NULL;
}

static BgCommand *
new_of_kind(const BgCommandKind *kind, GVariant *args)
{
    BgCommand *self = g_new0(BgCommand, 1);

    g_atomic_ref_count_init(&self->ref_count);
    self->kind = kind;
    self->args = g_variant_ref_sink(args);
    return self;
}

BgCommand *
bg_command_new(const char *name, GVariant *args)
{
    const BgCommandKind *kind = find_kind(name);

    g_assert(kind != NULL);
    g_assert(g_variant_is_of_type(args, G_VARIANT_TYPE(kind->arg_type)));
    return new_of_kind(kind, args);
}

BgCommand *
bg_command_ref(BgCommand *command)
{
    g_atomic_ref_count_inc(&command->ref_count);
    return command;
}

void
bg_command_unref(BgCommand *command)
{
    if (command == NULL || !g_atomic_ref_count_dec(&command->ref_count))
        return;
    g_variant_unref(command->args);
    g_free(command);
}

const char *
bg_command_get_name(const BgCommand *command)
{
    return command->kind->name;
}

const char *
bg_command_get_title(const BgCommand *command)
{
    return _(command->kind->title);
}

const char *
bg_command_get_target(const BgCommand *command)
{
    if (g_str_equal(command->kind->name, "add-layer")) {
        g_autoptr(GVariant) layer = g_variant_get_child_value(command->args, 0);
        const char *id = "";
        g_variant_lookup(layer, "id", "&s", &id);
        return id; // points into the arguments, which stay
    }
    if (g_str_equal(command->kind->name, "add-measurement")) {
        g_autoptr(GVariant) measurement = g_variant_get_child_value(command->args, 0);
        const char *id;
        g_variant_get_child(measurement, 0, "&s", &id);
        return id;
    }
    if (!g_str_has_prefix(command->kind->arg_type, "(s") || command->kind->n_key == 0)
        return "";

    const char *id;
    g_variant_get_child(command->args, 0, "&s", &id);
    return id;
}

gboolean
bg_command_is_view(const BgCommand *command)
{
    return (command->kind->flags & BG_COMMAND_VIEW) != 0;
}

gboolean
bg_command_is(const BgCommand *command, const char *name)
{
    return command != NULL && g_str_equal(command->kind->name, name);
}

GVariant *
bg_command_get_args(const BgCommand *command)
{
    return command->args;
}

gboolean
bg_command_same_key(const BgCommand *a, const BgCommand *b)
{
    if (a->kind != b->kind)
        return FALSE;

    for (guint i = 0; i < a->kind->n_key; i++) {
        g_autoptr(GVariant) first = g_variant_get_child_value(a->args, i);
        g_autoptr(GVariant) second = g_variant_get_child_value(b->args, i);
        if (!g_variant_equal(first, second))
            return FALSE;
    }
    return TRUE;
}

GVariant *
bg_command_to_variant(const BgCommand *command)
{
    return g_variant_ref_sink(g_variant_new("(sv)", command->kind->name, command->args));
}

BgCommand *
bg_command_from_variant(GVariant *variant, GError **error)
{
    if (!g_variant_is_of_type(variant, G_VARIANT_TYPE("(sv)")) ||
        !g_variant_is_normal_form(variant)) {
        bg_variant_refuse("command", error);
        return NULL;
    }

    const char *name;
    g_autoptr(GVariant) args = NULL;
    g_variant_get(variant, "(&sv)", &name, &args);

    const BgCommandKind *kind = find_kind(name);
    if (kind == NULL || (!g_variant_is_of_type(args, G_VARIANT_TYPE(kind->arg_type)) &&
                         (kind->older_type == NULL ||
                          !g_variant_is_of_type(args, G_VARIANT_TYPE(kind->older_type))))) {
        bg_variant_refuse(kind == NULL ? "command" : kind->name, error);
        return NULL;
    }
    return new_of_kind(kind, args);
}
