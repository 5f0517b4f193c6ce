// SPDX-License-Identifier: Apache-2.0
#include "bg-contrast-name.h"

#include <string.h>

// Words that stand for a contrast wherever they begin; those of two contrasts: the first here wins.
static const struct {
    const char *word;
    BgContrast contrast;
    gboolean anywhere; // else a word of its own
} words[] = {
    { "flair", BG_CONTRAST_FLAIR, TRUE },
    { "tirm", BG_CONTRAST_FLAIR, FALSE },
    { "fla", BG_CONTRAST_FLAIR, FALSE },
    { "t2f", BG_CONTRAST_FLAIR, FALSE },
    { "t1ce", BG_CONTRAST_T1CE, TRUE },
    { "t1c", BG_CONTRAST_T1CE, FALSE },
    { "t1gd", BG_CONTRAST_T1CE, TRUE },
    { "t1km", BG_CONTRAST_T1CE, TRUE },
    { "gd", BG_CONTRAST_T1CE, FALSE },
    { "gado", BG_CONTRAST_T1CE, TRUE },
    { "postcontrast", BG_CONTRAST_T1CE, TRUE },
    { "post", BG_CONTRAST_T1CE, FALSE },
    { "t2", BG_CONTRAST_T2, FALSE },
    { "t2w", BG_CONTRAST_T2, FALSE },
    { "t1", BG_CONTRAST_T1, FALSE },
    { "t1n", BG_CONTRAST_T1, FALSE },
    { "t1w", BG_CONTRAST_T1, FALSE },
    { "mprage", BG_CONTRAST_T1, TRUE },
};

static gboolean
holds_word(char *const *parts, const char *word)
{
    for (gsize p = 0; parts[p] != NULL; p++) {
        if (strcmp(parts[p], word) == 0)
            return TRUE;
    }
    return FALSE;
}

gboolean
bg_contrast_guess(const char *name, BgContrast *contrast)
{
    g_return_val_if_fail(name != NULL && contrast != NULL, FALSE);

    g_autofree char *lower = g_ascii_strdown(name, -1);
    g_auto(GStrv) parts = g_strsplit_set(lower, " _-.^+/()[],", -1);

    for (gsize w = 0; w < G_N_ELEMENTS(words); w++) {
        if (words[w].anywhere ? strstr(lower, words[w].word) != NULL
                              : holds_word(parts, words[w].word)) {
            *contrast = words[w].contrast;
            return TRUE;
        }
    }
    return FALSE;
}
