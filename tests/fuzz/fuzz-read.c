// SPDX-License-Identifier: Apache-2.0
// One input for a reader, foreign ones too, in this process: any bytes must give a typed error or
// something sound. Built once for each format, so that each has its own corpus.
#include "core/base/bg-error.h"
#include "core/base/bg-parallel.h"
#include "fuzz-file.h"
#include "fuzz.h"
#include "media/bg-media.h"

static void
check_error(const GError *error)
{
    g_assert_nonnull(error);
    g_assert_true(error->domain == BG_ERROR || error->domain == G_IO_ERROR);
    g_assert_true(g_utf8_validate(error->message, -1, NULL));
}

// All that is promised can be read.
static void
check_loaded(const BgLoaded *loaded)
{
    volatile guint8 sum = 0;
    gconstpointer bytes = NULL;
    gsize n_bytes = 0;

    if (loaded->volume != NULL) {
        g_assert_true(bg_geometry_check(bg_volume_get_geometry(loaded->volume), NULL));
        bytes = bg_volume_get_samples(loaded->volume);
        n_bytes = bg_volume_get_n_bytes(loaded->volume);
    } else if (loaded->labels != NULL) {
        bytes = bg_label_map_get_labels(loaded->labels);
        n_bytes = bg_label_map_get_n_bytes(loaded->labels);
    } else if (loaded->image != NULL) {
        bytes = bg_image_get_pixels(loaded->image);
        n_bytes = bg_image_get_n_bytes(loaded->image);
    }
    for (gsize i = 0; i < n_bytes; i += 61)
        sum += ((const guint8 *) bytes)[i];
    if (n_bytes > 0)
        sum += ((const guint8 *) bytes)[n_bytes - 1];
    g_assert_true(g_utf8_validate(loaded->info->modality, -1, NULL));
    for (guint i = 0; i < loaded->info->warnings->len; i++)
        g_assert_true(g_utf8_validate(loaded->info->warnings->pdata[i], -1, NULL));
}

static void
probe(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgFileInfo) info = bg_io_probe(path, NULL, &error);

    if (info == NULL)
        check_error(error);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static gsize ready = 0;
    g_autoptr(GError) error = NULL;

    if (g_once_init_enter(&ready)) {
        bg_media_add_readers();
        bg_parallel_set_threads(1); // inputs are small: waking others takes longer
        g_once_init_leave(&ready, 1);
    }
    const char *path = fuzz_file(data, size);
    if (fuzz_does_more(size))
        probe(path);
    g_autoptr(BgLoaded) loaded = bg_io_load(path, NULL, NULL, NULL, &error);
    if (loaded == NULL)
        check_error(error);
    else
        check_loaded(loaded);
    return 0;
}
