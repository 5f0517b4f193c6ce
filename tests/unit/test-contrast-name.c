// SPDX-License-Identifier: Apache-2.0
#include "core/segment/bg-contrast-name.h"

static void
test_names(void)
{
    static const struct {
        const char *name;
        int contrast; // -1: says nothing
    } cases[] = {
        { "t1", BG_CONTRAST_T1 },
        { "BraTS2021_00000_t1ce", BG_CONTRAST_T1CE },
        { "T1c_subtrMeanDivStd", BG_CONTRAST_T1CE },
        { "t1_mprage_tra_post", BG_CONTRAST_T1CE },
        { "T1 MPRAGE sag", BG_CONTRAST_T1 },
        { "sub-01_T1w", BG_CONTRAST_T1 },
        { "T1w+Gd", BG_CONTRAST_T1CE },
        { "Flair_subtrMeanDivStd", BG_CONTRAST_FLAIR },
        { "t2_flair_tra", BG_CONTRAST_FLAIR },
        { "TCGA-DU-7294_hdbet_native_fla", BG_CONTRAST_FLAIR },
        { "T2w", BG_CONTRAST_T2 },
        { "t2", BG_CONTRAST_T2 },
        { "chest", -1 },
        { "st1ng", -1 },
        { "", -1 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        BgContrast contrast = BG_N_CONTRASTS;
        gboolean found = bg_contrast_guess(cases[i].name, &contrast);
        if ((found ? (int) contrast : -1) != cases[i].contrast)
            g_error("“%s” is taken for %d", cases[i].name, found ? (int) contrast : -1);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/contrast-name/guesses", test_names);

    return g_test_run();
}
