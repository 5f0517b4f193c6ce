// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-hash.h"
#include "core/base/bg-output.h"

#include <glib/gstdio.h>
#include <string.h>

static char *folder; // a temporary one for the whole program

static guint
count_files(void)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    guint n = 0;

    while (g_dir_read_name(dir) != NULL)
        n++;
    return n;
}

static char *
old_file(void)
{
    char *path = g_build_filename(folder, "picture.png", NULL);

    g_assert_true(g_file_set_contents(path, "old", -1, NULL));
    return path;
}

static void
assert_holds(const char *path, const char *text)
{
    g_autofree char *contents = NULL;

    g_assert_true(g_file_get_contents(path, &contents, NULL, NULL));
    g_assert_cmpstr(contents, ==, text);
}

static void
test_replaces_whole(void)
{
    g_autofree char *path = old_file();

    g_assert_true(bg_output_replace(path, TRUE, "new", 3, NULL));
    assert_holds(path, "new");
    g_assert_cmpuint(count_files(), ==, 1);
}

static void
test_leaves_old_file_when_dropped(void)
{
    g_autofree char *path = old_file();
    BgOutput *output = bg_output_new(path, TRUE, NULL);

    g_assert_true(bg_output_write(output, "half", 4, NULL));
    bg_output_free(output);
    assert_holds(path, "old");
    g_assert_cmpuint(count_files(), ==, 1);
}

static void
test_refuses_to_replace(void)
{
    g_autofree char *path = old_file();
    g_autoptr(GError) error = NULL;

    g_assert_false(bg_output_replace(path, FALSE, "new", 3, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS);
    assert_holds(path, "old");
}

// Somebody made the file between the question and the answer.
static void
test_refuses_name_taken_meanwhile(void)
{
    g_autofree char *path = old_file();
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(g_unlink(path), ==, 0);
    g_autoptr(BgOutput) output = bg_output_new(path, FALSE, NULL);
    g_assert_true(bg_output_write(output, "new", 3, NULL));
    g_free(old_file());
    g_assert_false(bg_output_commit(output, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS);
    assert_holds(path, "old");
}

static void
test_says_when_there_is_no_folder(void)
{
    g_autofree char *path = g_build_filename(folder, "nowhere", "a.png", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_null(bg_output_new(path, FALSE, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, path));
}

// The digest of "abc" is in FIPS 180-2, appendix B.1.
static void
test_hash_of_abc(void)
{
    static const char expected[] =
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    g_autofree char *path = g_build_filename(folder, "picture.png", NULL);
    g_autofree char *of_bytes = bg_hash_bytes("abc", 3);

    g_assert_true(g_file_set_contents(path, "abc", 3, NULL));
    g_autofree char *of_file = bg_hash_file(path, NULL, NULL, NULL);
    g_assert_cmpstr(of_bytes, ==, expected);
    g_assert_cmpstr(of_file, ==, expected);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("bregma-output-XXXXXX", NULL);
    g_test_add_func("/output/replaces-whole", test_replaces_whole);
    g_test_add_func("/output/leaves-old-file-when-dropped", test_leaves_old_file_when_dropped);
    g_test_add_func("/output/refuses-to-replace", test_refuses_to_replace);
    g_test_add_func("/output/refuses-name-taken-meanwhile", test_refuses_name_taken_meanwhile);
    g_test_add_func("/output/says-when-there-is-no-folder", test_says_when_there_is_no_folder);
    g_test_add_func("/hash/of-abc", test_hash_of_abc);
    int status = g_test_run();
    g_autofree char *path = g_build_filename(folder, "picture.png", NULL);
    g_unlink(path);
    g_rmdir(folder);
    g_free(folder);
    return status;
}
