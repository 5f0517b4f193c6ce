// SPDX-License-Identifier: Apache-2.0
// One input for the readers of volumes: any bytes must give a typed error or a sound volume. Built
// once for each format, so that each has its own corpus; the sniffer finds the reader.
#include "core/base/bg-error.h"
#include "core/base/bg-parallel.h"
#include "core/io/bg-io.h"
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

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
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);

    bg_parallel_set_threads(1); // inputs are small: waking others takes longer
    g_assert_cmpint(fd, >=, 0);
    for (size_t done = 0; done < size;) {
        ssize_t n = write(fd, data + done, size - done);
        g_assert_cmpint(n, >, 0);
        done += (size_t) n;
    }
    load(path, BG_LOAD_AUTO);
    load(path, BG_LOAD_LABELS);
    close(fd);
    return 0;
}
