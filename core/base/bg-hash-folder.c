// SPDX-License-Identifier: Apache-2.0
// One hash for all that lies in a folder: a series of DICOM is hundreds of files.
#include "core/base/bg-error.h"
#include "core/base/bg-hash.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define MAX_DEPTH 32
#define MAX_FILES 200000u

// Paths relative to @top; links are not followed.
static gboolean
list_files(GFile *folder, GFile *top, int depth, GPtrArray *names, GCancellable *cancellable,
           GError **error)
{
    g_autoptr(GFileEnumerator) files = g_file_enumerate_children(
        folder, G_FILE_ATTRIBUTE_STANDARD_NAME "," G_FILE_ATTRIBUTE_STANDARD_TYPE,
        G_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, cancellable, error);
    GFileInfo *info;
    GFile *file;

    if (files == NULL)
        return FALSE;
    if (depth > MAX_DEPTH || names->len > MAX_FILES) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("The folder holds too many files or folders. Choose one within it"));
        return FALSE;
    }
    for (;;) {
        if (!g_file_enumerator_iterate(files, &info, &file, cancellable, error))
            return FALSE;
        if (info == NULL)
            return TRUE;
        GFileType type = g_file_info_get_file_type(info);
        if (type == G_FILE_TYPE_REGULAR)
            g_ptr_array_add(names, g_file_get_relative_path(top, file));
        else if (type == G_FILE_TYPE_DIRECTORY &&
                 !list_files(file, top, depth + 1, names, cancellable, error))
            return FALSE;
    }
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

char *
bg_hash_folder(const char *path, const BgProgress *progress, GCancellable *cancellable,
               GError **error)
{
    g_return_val_if_fail(path != NULL, NULL);

    g_autoptr(GFile) top = g_file_new_for_path(path);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) lines = g_string_new(NULL);

    if (!list_files(top, top, 0, names, cancellable, error))
        return NULL;
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *file = g_build_filename(path, names->pdata[i], NULL);
        g_autofree char *hash = bg_hash_file(file, NULL, cancellable, error);
        if (hash == NULL)
            return NULL;
        g_string_append_printf(lines, "%s  %s\n", hash, (char *) names->pdata[i]);
        bg_progress_report(progress, (double) (i + 1) / names->len);
    }
    return bg_hash_bytes(lines->str, lines->len);
}
