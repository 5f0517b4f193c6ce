// SPDX-License-Identifier: Apache-2.0
// Cases in folders, told by the names of their files.
#include "bg-tumour-data-private.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/io/bg-io.h"

#include <string.h>

#define LABELS BG_N_CONTRASTS

static const char *const endings[] = { ".nii.gz", ".nii", ".nrrd", ".mha", ".h5" };

typedef struct {
    const char *word;
    int part;
} Word;

static const Word words[] = {
    { "t1", BG_CONTRAST_T1 },
    { "t1n", BG_CONTRAST_T1 },
    { "t1ce", BG_CONTRAST_T1CE },
    { "t1c", BG_CONTRAST_T1CE },
    { "t1gd", BG_CONTRAST_T1CE },
    { "t2", BG_CONTRAST_T2 },
    { "t2w", BG_CONTRAST_T2 },
    { "flair", BG_CONTRAST_FLAIR },
    { "t2f", BG_CONTRAST_FLAIR },
    { "fla", BG_CONTRAST_FLAIR },
    { "seg", LABELS },
    { "labels", LABELS },
};

// Returns: which part of the case the file is, or -1.
static int
part_of(const char *file)
{
    g_autofree char *name = g_ascii_strdown(file, -1);

    for (gsize e = 0; e < G_N_ELEMENTS(endings); e++) {
        if (!g_str_has_suffix(name, endings[e]))
            continue;
        name[strlen(name) - strlen(endings[e])] = '\0';
        const char *word = MAX(strrchr(name, '_'), strrchr(name, '-'));
        word = word != NULL ? word + 1 : name;
        for (gsize w = 0; w < G_N_ELEMENTS(words); w++) {
            if (strcmp(word, words[w].word) == 0)
                return words[w].part;
        }
        return -1;
    }
    return -1;
}

static gboolean
find_parts(const char *folder, char *paths[BG_N_CONTRASTS + 1], GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, error);
    const char *file;

    while (dir != NULL && (file = g_dir_read_name(dir)) != NULL) {
        int part = part_of(file);
        if (part < 0)
            continue;
        if (paths[part] != NULL) {
            g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                        _("%s has two files for the same part of a case: %s and %s. Leave one"),
                        folder, paths[part], file);
            return FALSE;
        }
        paths[part] = g_build_filename(folder, file, NULL);
    }
    return dir != NULL;
}

static gboolean
add_parts(BgTumourData *data, const char *patient, char *const paths[BG_N_CONTRASTS + 1],
          const BgTumourParams *params, GCancellable *cancellable, GError **error)
{
    BgVolume *contrasts[BG_N_CONTRASTS] = { NULL };
    g_autoptr(BgLabelMap) labels = bg_io_load_labels(paths[LABELS], NULL, cancellable, error);
    gboolean ok = labels != NULL;

    for (int c = 0; ok && c < BG_N_CONTRASTS; c++) {
        if (paths[c] != NULL) {
            contrasts[c] = bg_io_load_volume(paths[c], NULL, cancellable, error);
            ok = contrasts[c] != NULL;
        }
    }
    ok = ok && bg_tumour_data_add(data, patient, contrasts, labels, params, cancellable, error);
    if (!ok)
        g_prefix_error(error, "%s: ", patient);
    for (int c = 0; c < BG_N_CONTRASTS; c++)
        g_clear_pointer(&contrasts[c], bg_volume_unref);
    return ok;
}

// What a person would want to know of a folder before the network has learned from it.
static void
note(BgTumourData *data, const char *patient, char *const paths[BG_N_CONTRASTS + 1])
{
    g_autoptr(GString) missing = g_string_new(NULL);
    int n = 0;

    for (int c = 0; c < BG_N_CONTRASTS; c++) {
        n += paths[c] != NULL;
        if (paths[c] == NULL)
            g_string_append_printf(missing, "%s%s", missing->len > 0 ? ", " : "",
                                   bg_contrast_name((BgContrast) c));
    }
    if (n == 0 || paths[LABELS] == NULL)
        g_ptr_array_add(
            data->notes,
            n == 0
                // Translators: the name of a folder
                ? g_strdup_printf(_("%s is left out: there is no contrast in it"), patient)
                // Translators: the name of a folder
                : g_strdup_printf(_("%s is left out: there is no seg or labels in it"), patient));
    else if (missing->len > 0)
        g_ptr_array_add(
            data->notes,
            // Translators: the name of a folder, then names of contrasts
            g_strdup_printf(_("%s has no %s: it is learned from without"), patient, missing->str));
}

static gboolean
add_case(BgTumourData *data, const char *folder, const char *patient, const BgTumourParams *params,
         int *n, GCancellable *cancellable, GError **error)
{
    char *paths[BG_N_CONTRASTS + 1] = { NULL };
    gboolean ok = find_parts(folder, paths, error), any = FALSE;

    for (int c = 0; c < BG_N_CONTRASTS; c++)
        any = any || paths[c] != NULL;
    if (ok)
        note(data, patient, paths);
    if (ok && any && paths[LABELS] != NULL) {
        ok = add_parts(data, patient, paths, params, cancellable, error);
        *n += ok;
    }
    for (int part = 0; part <= BG_N_CONTRASTS; part++)
        g_free(paths[part]);
    return ok;
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

int
bg_tumour_data_add_folder(BgTumourData *data, const char *path, const BgTumourParams *params,
                          const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    g_autoptr(GError) reason = NULL;
    g_autoptr(GDir) dir = g_dir_open(path, 0, &reason);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *name;
    int n = 0;

    if (dir == NULL) {
        g_set_error(error, reason->domain, reason->code,
                    // Translators: a reason
                    _("The folder of cases cannot be opened: %s. Choose another one"),
                    reason->message);
        return 0;
    }
    while ((name = g_dir_read_name(dir)) != NULL)
        g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *folder = g_build_filename(path, names->pdata[i], NULL);
        if (g_file_test(folder, G_FILE_TEST_IS_DIR) &&
            !add_case(data, folder, names->pdata[i], params, &n, cancellable, error))
            return 0;
        bg_progress_report(progress, (i + 1.0) / names->len);
    }
    if (n == 0)
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("There is no case in %s: each folder in it must hold contrasts (t1, t1ce, "
                      "t2, flair) and seg or labels"),
                    path);
    return n;
}
