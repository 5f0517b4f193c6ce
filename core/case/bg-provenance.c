// SPDX-License-Identifier: Apache-2.0
#include "bg-provenance.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#define SCHEMA 1

// In the file, so in English whatever the locale.
#define NOTE "Not for diagnosis: research and planning review only"

typedef struct {
    char *path;
    char *sha256; // NULL when unknown
} Input;

struct _BgProvenance {
    char *command, *version, *backend;
    gint64 seed;
    GArray *inputs; // of Input
    BgJson *parameters;
};

static void
clear_input(gpointer data)
{
    Input *input = data;

    g_free(input->path);
    g_free(input->sha256);
}

BgProvenance *
bg_provenance_new(const char *command)
{
    g_return_val_if_fail(command != NULL, NULL);

    BgProvenance *self = g_new0(BgProvenance, 1);
    self->command = g_utf8_make_valid(command, -1);
    self->version = g_strdup(BG_VERSION);
    self->backend = g_strdup("cpu");
    self->inputs = g_array_new(FALSE, FALSE, sizeof(Input));
    g_array_set_clear_func(self->inputs, clear_input);
    self->parameters = bg_json_new_object();
    return self;
}

void
bg_provenance_free(BgProvenance *provenance)
{
    if (provenance == NULL)
        return;
    g_free(provenance->command);
    g_free(provenance->version);
    g_free(provenance->backend);
    g_array_unref(provenance->inputs);
    bg_json_free(provenance->parameters);
    g_free(provenance);
}

void
bg_provenance_add_input(BgProvenance *provenance, const char *path, const char *sha256)
{
    g_return_if_fail(path != NULL);

    // A file name may be in any encoding; what is written is text.
    Input input = { g_filename_display_name(path),
                    sha256 != NULL && *sha256 != '\0' ? g_strdup(sha256) : NULL };
    g_array_append_val(provenance->inputs, input);
}

BgJson *
bg_provenance_get_parameters(BgProvenance *provenance)
{
    return provenance->parameters;
}

void
bg_provenance_set_backend(BgProvenance *provenance, const char *backend)
{
    g_free(provenance->backend);
    provenance->backend = g_strdup(backend);
}

void
bg_provenance_set_seed(BgProvenance *provenance, gint64 seed)
{
    provenance->seed = seed;
}

const char *
bg_provenance_get_command(const BgProvenance *provenance)
{
    return provenance->command;
}

const char *
bg_provenance_get_version(const BgProvenance *provenance)
{
    return provenance->version;
}

const char *
bg_provenance_get_backend(const BgProvenance *provenance)
{
    return provenance->backend;
}

gint64
bg_provenance_get_seed(const BgProvenance *provenance)
{
    return provenance->seed;
}

gsize
bg_provenance_count_inputs(const BgProvenance *provenance)
{
    return provenance->inputs->len;
}

const char *
bg_provenance_get_input_path(const BgProvenance *provenance, gsize index)
{
    return g_array_index(provenance->inputs, Input, index).path;
}

const char *
bg_provenance_get_input_sha256(const BgProvenance *provenance, gsize index)
{
    return g_array_index(provenance->inputs, Input, index).sha256;
}

char *
bg_provenance_print(const BgProvenance *provenance)
{
    g_autoptr(BgJson) json = bg_json_new_object();
    BgJson *inputs = bg_json_new_array();

    for (guint i = 0; i < provenance->inputs->len; i++) {
        const Input *input = &g_array_index(provenance->inputs, Input, i);
        BgJson *item = bg_json_new_object();

        bg_json_set_string(item, "path", input->path);
        bg_json_set_string(item, "sha256", input->sha256);
        bg_json_append(inputs, item);
    }

    bg_json_set_integer(json, "schema", SCHEMA);
    bg_json_set(json, "inputs", inputs);
    bg_json_set_string(json, "command", provenance->command);
    bg_json_set(json, "parameters", bg_json_copy(provenance->parameters));
    bg_json_set_string(json, "version", provenance->version);
    bg_json_set_string(json, "backend", provenance->backend);
    bg_json_set_integer(json, "seed", provenance->seed);
    bg_json_set_string(json, "note", NOTE);
    return bg_json_print(json, FALSE);
}

static gboolean
refuse(const char *field, GError **error)
{
    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                // Translators: %s is the name of a field
                _("The provenance is damaged: “%s” is missing or of another kind. Make the file "
                  "again from its sources"),
                field);
    return FALSE;
}

static gboolean
read_inputs(BgProvenance *self, const BgJson *inputs, GError **error)
{
    if (inputs == NULL || bg_json_get_kind(inputs) != BG_JSON_ARRAY)
        return refuse("inputs", error);

    for (gsize i = 0; i < bg_json_count(inputs); i++) {
        const BgJson *item = bg_json_at(inputs, i);
        const char *path = bg_json_to_string(bg_json_get(item, "path"), NULL);

        if (path == NULL)
            return refuse("path", error);
        bg_provenance_add_input(self, path, bg_json_to_string(bg_json_get(item, "sha256"), NULL));
    }
    return TRUE;
}

static gboolean
check_schema(const BgJson *json, GError **error)
{
    gint64 schema = bg_json_to_integer(bg_json_get(json, "schema"), 0);

    if (schema < 1)
        return refuse("schema", error);
    if (schema > SCHEMA) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("The provenance was written by a newer bregma (schema %" G_GINT64_FORMAT
                      "). Update bregma to read it"),
                    schema);
        return FALSE;
    }
    return TRUE;
}

BgProvenance *
bg_provenance_parse(const char *text, gssize length, GError **error)
{
    g_return_val_if_fail(text != NULL, NULL);

    g_autoptr(BgJson) json = bg_json_parse(text, length, error);
    if (json == NULL || !check_schema(json, error))
        return NULL;

    const char *command = bg_json_to_string(bg_json_get(json, "command"), NULL);
    const char *version = bg_json_to_string(bg_json_get(json, "version"), NULL);
    const BgJson *parameters = bg_json_get(json, "parameters");
    if (command == NULL || version == NULL) {
        refuse(command == NULL ? "command" : "version", error);
        return NULL;
    }
    if (parameters == NULL || bg_json_get_kind(parameters) != BG_JSON_OBJECT) {
        refuse("parameters", error);
        return NULL;
    }

    g_autoptr(BgProvenance) self = bg_provenance_new(command);
    if (!read_inputs(self, bg_json_get(json, "inputs"), error))
        return NULL;

    g_free(self->version);
    self->version = g_strdup(version);
    bg_provenance_set_backend(self, bg_json_to_string(bg_json_get(json, "backend"), "cpu"));
    self->seed = bg_json_to_integer(bg_json_get(json, "seed"), 0);
    bg_json_free(self->parameters);
    self->parameters = bg_json_copy(parameters);
    return g_steal_pointer(&self);
}
