// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-data.h"

#define MAX_UP 3 // folders from build/app/cli to the source tree

// (transfer full) (nullable): when it is there
static char *
existing(const char *folder, const char *place, const char *part)
{
    g_autofree char *path = g_build_filename(folder, place, part, NULL);

    return g_file_test(path, G_FILE_TEST_IS_DIR) ? g_steal_pointer(&path) : NULL;
}

char *
bg_data_folder_beside(const char *program_folder, const char *part)
{
    g_autofree char *prefix = g_path_get_dirname(program_folder);
    char *found = existing(prefix, "share/bregma", part);
    g_autofree char *folder = g_strdup(program_folder);

    for (int up = 0; found == NULL && up <= MAX_UP; up++) {
        found = existing(folder, "data", part);
        g_autofree char *child = g_steal_pointer(&folder);
        folder = g_path_get_dirname(child);
    }
    return found;
}

char *
bg_data_folder(const char *part)
{
    const char *chosen = g_getenv("BREGMA_DATA_DIR");
    const char *source = g_getenv("BREGMA_SOURCE_ROOT");
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    char *found = NULL;

    if (chosen != NULL && *chosen != '\0')
        return g_build_filename(chosen, part, NULL);
    if (program != NULL) {
        g_autofree char *folder = g_path_get_dirname(program);
        found = bg_data_folder_beside(folder, part);
    }
    if (found == NULL && source != NULL && *source != '\0')
        found = existing(source, "data", part);
    return found != NULL ? found : g_build_filename(BG_DATA_DIR, part, NULL);
}
