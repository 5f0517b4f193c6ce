// SPDX-License-Identifier: Apache-2.0
// A main without libFuzzer: every file of the folders and files that are named goes through the
// harness once, so that what was found stays found.
#include "fuzz.h"

#include <glib.h>

static gsize
replay_file(const char *path)
{
    g_autofree char *bytes = NULL;
    gsize n_bytes;

    if (!g_file_get_contents(path, &bytes, &n_bytes, NULL))
        g_error("%s cannot be read", path);
    g_print("# %s\n", path);
    LLVMFuzzerTestOneInput((const uint8_t *) bytes, n_bytes);
    return 1;
}

static gsize
replay(const char *path)
{
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    const char *name;
    gsize n = 0;

    if (folder == NULL)
        return replay_file(path);
    while ((name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *inner = g_build_filename(path, name, NULL);
        n += replay(inner);
    }
    return n;
}

int
main(int argc, char **argv)
{
    gsize n = 0;

    for (int i = 1; i < argc; i++)
        n += replay(argv[i]);
    g_print("1..1\n%s 1 %zu inputs\n", n > 0 ? "ok" : "not ok", n);
    return n > 0 ? 0 : 1;
}
