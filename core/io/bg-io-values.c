// SPDX-License-Identifier: Apache-2.0
// What the values of a file tell about it: labels, CT, the first window.
#include "bg-io-raw.h"
#include "core/volume/bg-statistics.h"

#include <string.h>

#define MAX_LABELS 2048 // the finest atlases have some hundreds

// Names that people give to label maps; whole words of the file's name. "seg" at the end of a word
// counts too: aseg, dseg.
static const char *const label_words[] = { "seg",    "segmentation", "segmentations", "label",
                                           "labels", "labelmap",     "labelmaps",     "mask",
                                           "masks",  "parcellation", "aparc",         "roi",
                                           "rois",   "multiclass" };
static const char *const label_endings[] = { "seg", "mask", "label", "labels", "multiclass" };

static gboolean
is_label_word(const char *word)
{
    for (gsize i = 0; i < G_N_ELEMENTS(label_words); i++) {
        if (strcmp(word, label_words[i]) == 0)
            return TRUE;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(label_endings); i++) {
        if (g_str_has_suffix(word, label_endings[i]))
            return TRUE;
    }
    return FALSE;
}

gboolean
bg_io_has_label_name(const char *path)
{
    g_autofree char *base = g_path_get_basename(path);
    g_autofree char *name = g_ascii_strdown(base, -1);

    for (char *word = name; *word != '\0';) {
        gsize length = 0;
        while (g_ascii_isalpha(word[length]))
            length++;
        if (length == 0) {
            word++;
            continue;
        }
        g_autofree char *copy = g_strndup(word, length);
        if (is_label_word(copy))
            return TRUE;
        word += length;
    }
    return FALSE;
}

gboolean
bg_raw_looks_like_labels(const BgLabelMap *labels)
{
    const int *dims = bg_label_map_get_geometry(labels)->dims;
    g_autofree guint32 *row = g_new(guint32, dims[0]);
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    gsize n_pairs = 0, n_equal = 0;

    for (int k = 0; k < dims[2]; k++) {
        for (int j = 0; j < dims[1]; j++) {
            bg_label_map_read_row(labels, j, k, row);
            for (int i = 0; i < dims[0]; i++) {
                gboolean equal = i > 0 && row[i] == row[i - 1];
                n_pairs += i > 0;
                n_equal += equal;
                if (!equal)
                    g_hash_table_add(seen, GUINT_TO_POINTER(row[i]));
            }
            if (g_hash_table_size(seen) > MAX_LABELS)
                return FALSE;
        }
    }
    return (double) n_equal >= 0.75 * (double) n_pairs;
}

void
bg_io_default_window(BgVolume *volume, const char *modality, double *centre, double *width)
{
    BgWindow window = { .centre = 40.0, .width = 400.0 }; // soft tissue

    if (g_strcmp0(modality, "CT") != 0 && !bg_volume_default_window(volume, &window, NULL, NULL))
        window = (BgWindow){ .centre = 0.5, .width = 1.0 };
    *centre = window.centre;
    *width = window.width;
}
