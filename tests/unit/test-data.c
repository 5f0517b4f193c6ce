// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-data.h"

#include <glib/gstdio.h>
#include <string.h>

static void
make(const char *root, const char *folder)
{
    g_autofree char *path = g_build_filename(root, folder, NULL);

    g_assert_cmpint(g_mkdir_with_parents(path, 0700), ==, 0);
}

// What is found for a program in @program, as a path below @root; "-" for nothing.
static void
expect(const char *root, const char *program, const char *part, const char *expected)
{
    g_autofree char *folder = g_build_filename(root, program, NULL);
    g_autofree char *found = bg_data_folder_beside(folder, part);

    if (found != NULL)
        g_assert_true(g_str_has_prefix(found, root));
    g_assert_cmpstr(found != NULL ? found + strlen(root) + 1 : "-", ==, expected);
}

static void
test_beside(void)
{
    g_autofree char *root = g_dir_make_tmp("bregma-XXXXXX", NULL);

    make(root, "moved/bin");
    make(root, "moved/share/bregma/models");
    make(root, "tree/build/app/cli");
    make(root, "tree/data/models");
    make(root, "tree/data/presets");
    expect(root, "moved/bin", "models", "moved/share/bregma/models");
    expect(root, "moved/bin", "presets", "-");
    // The window's program and the command line's lie at different depths of one build.
    expect(root, "tree/build/app", "models", "tree/data/models");
    expect(root, "tree/build/app/cli", "models", "tree/data/models");
    expect(root, "tree/build/app/cli", "presets", "tree/data/presets");
    expect(root, "tree/build/app/cli/deep", "presets", "-");

    static const char *const made[] = { "moved/share/bregma/models",
                                        "moved/share/bregma",
                                        "moved/share",
                                        "moved/bin",
                                        "moved",
                                        "tree/build/app/cli",
                                        "tree/build/app",
                                        "tree/build",
                                        "tree/data/models",
                                        "tree/data/presets",
                                        "tree/data",
                                        "tree" };
    for (gsize i = 0; i < G_N_ELEMENTS(made); i++) {
        g_autofree char *path = g_build_filename(root, made[i], NULL);
        g_assert_cmpint(g_rmdir(path), ==, 0);
    }
    g_rmdir(root);
}

static void
test_chosen(void)
{
    g_setenv("BREGMA_DATA_DIR", "/chosen", TRUE);
    g_autofree char *chosen = bg_data_folder("models");
    g_assert_cmpstr(chosen, ==, "/chosen/models");

    // A part that is nowhere is looked for where it would be installed.
    g_unsetenv("BREGMA_DATA_DIR");
    g_autofree char *nowhere = bg_data_folder("no-such-part");
    g_assert_true(g_str_has_suffix(nowhere, "/share/bregma/no-such-part"));
    g_autofree char *models = bg_data_folder("models");
    g_assert_true(g_file_test(models, G_FILE_TEST_IS_DIR)); // of the tree that is tested
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/data/beside", test_beside);
    g_test_add_func("/data/chosen", test_chosen);

    return g_test_run();
}
