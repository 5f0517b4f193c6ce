// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-settings.h"

#define MAX_RECENT 10

// The build folder's data/, seen from app/ and from tests/ui/.
static const char *const beside[] = { "../data", "../../data" };

static GSettingsSchema *
look_up_beside_program(void)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = program != NULL ? g_path_get_dirname(program) : NULL;

    for (gsize i = 0; folder != NULL && i < G_N_ELEMENTS(beside); i++) {
        g_autofree char *path = g_build_filename(folder, beside[i], NULL);
        g_autoptr(GSettingsSchemaSource) source = g_settings_schema_source_new_from_directory(
            path, g_settings_schema_source_get_default(), FALSE, NULL);
        if (source == NULL)
            continue;
        GSettingsSchema *schema = g_settings_schema_source_lookup(source, BG_APP_ID, TRUE);
        if (schema != NULL)
            return schema;
    }

    return NULL;
}

GSettings *
bg_settings_get(void)
{
    static GSettings *settings;

    if (settings != NULL)
        return settings;

    g_autoptr(GSettingsSchema) schema = look_up_beside_program();
    GSettingsSchemaSource *installed = g_settings_schema_source_get_default();
    if (schema == NULL && installed != NULL)
        schema = g_settings_schema_source_lookup(installed, BG_APP_ID, TRUE);
    if (schema == NULL)
        g_error("the settings schema %s is not installed", BG_APP_ID);

    settings = g_settings_new_full(schema, NULL, NULL);
    return settings;
}

void
bg_settings_add_recent(const char *path)
{
    GSettings *settings = bg_settings_get();
    g_auto(GStrv) old = g_settings_get_strv(settings, "recent-files");
    g_autoptr(GPtrArray) paths = g_ptr_array_new();

    g_ptr_array_add(paths, (gpointer) path);
    for (char **item = old; *item != NULL && paths->len < MAX_RECENT; item++)
        if (g_strcmp0(*item, path) != 0)
            g_ptr_array_add(paths, *item);
    g_ptr_array_add(paths, NULL);

    g_settings_set_strv(settings, "recent-files", (const char *const *) paths->pdata);
}
