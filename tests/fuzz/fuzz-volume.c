// SPDX-License-Identifier: Apache-2.0
// One input for the readers of volumes: any bytes must give a typed error or a sound volume. Built
// once for each format, so that each has its own corpus; the sniffer finds the reader.
#include "core/base/bg-error.h"
#include "core/base/bg-parallel.h"
#include "core/io/bg-io.h"
#include "fuzz-file.h"
#include "fuzz.h"
#include "media/bg-media.h"

static void
load(const char *path, BgLoadAs as)
{
    BgLoadParams params = bg_load_params_default();
    g_autoptr(GError) error = NULL;

    params.as = as;
    g_autoptr(BgLoaded) loaded = bg_io_load(path, &params, NULL, NULL, &error);
    if (loaded == NULL) {
        g_assert_true(error->domain == BG_ERROR || error->domain == G_IO_ERROR);
        g_assert_true(g_utf8_validate(error->message, -1, NULL));
        return;
    }
    g_assert_no_error(error);
    if (loaded->volume != NULL)
        g_assert_true(bg_geometry_check(bg_volume_get_geometry(loaded->volume), NULL));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static gsize ready = 0;
    const char *path = fuzz_file(data, size);

    if (g_once_init_enter(&ready)) {
        bg_media_add_readers();     // what is none of ours is read here as well, without the child
        bg_parallel_set_threads(1); // inputs are small: waking others takes longer
        g_once_init_leave(&ready, 1);
    }
    load(path, BG_LOAD_AUTO);
    if (fuzz_does_more(size))
        load(path, BG_LOAD_LABELS);
    return 0;
}
