// SPDX-License-Identifier: Apache-2.0
// Memory from the child: taken as it is, if the child can neither change nor shorten it any more.
#include "bg-decode-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define PADDING 64 // loops may load whole vectors at the end
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

typedef struct {
    gpointer address;
    gsize n_bytes;
} Mapping;

static void
unmap(gpointer data)
{
    Mapping *mapping = data;

    munmap(mapping->address, mapping->n_bytes);
    g_free(mapping);
}

GBytes *
bg_decode_map(int fd, gsize n_bytes, GError **error)
{
    struct stat status;
    int seals = fcntl(fd, F_GET_SEALS);

    if (n_bytes == 0 || seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &status) != 0 ||
        !S_ISREG(status.st_mode) || n_bytes > (gsize) G_MAXOFFSET - PADDING ||
        status.st_size < (off_t) (n_bytes + PADDING)) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("The memory that bregma-decode hands over is not what it says"));
        return NULL;
    }

    // Private: a shared mapping of sealed memory is refused by kernels before 6.7. Nothing is written, so
    // nothing is copied.
    gsize n_mapped = n_bytes + PADDING;
    gpointer address = mmap(NULL, n_mapped, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (address == MAP_FAILED) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_NO_MEMORY,
                            _("There is no room in memory for it. Close other studies"));
        return NULL;
    }
    Mapping *mapping = g_new(Mapping, 1);
    *mapping = (Mapping){ address, n_mapped };
    return g_bytes_new_with_free_func(address, n_bytes, unmap, mapping);
}
