// SPDX-License-Identifier: Apache-2.0
// In the child that reads foreign files each large buffer is a memfd of its own, so that the one that
// becomes the result is handed over as it is, without a copy.
#include "core/base/bg-buffer-private.h"
#include "core/base/bg-buffer.h"

#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#define SHARED_FROM (64u << 10)
#define PADDING 64u // loops may load whole vectors at the end

typedef struct {
    gpointer address;
    gsize n_bytes; // of the mapping and of the file
    int fd;
} Shared;

static atomic_bool is_sharing;
static GMutex shared_lock; // protects buffers
static GArray *buffers;    // of Shared

void
bg_buffer_share(void)
{
    atomic_store(&is_sharing, TRUE);
}

gboolean
bg_buffer_is_shared_size(gsize n_bytes)
{
    return n_bytes >= SHARED_FROM && atomic_load_explicit(&is_sharing, memory_order_relaxed);
}

gpointer
bg_buffer_alloc_shared(gsize n_bytes)
{
    gsize page = (gsize) sysconf(_SC_PAGESIZE);
    gsize n_padded = (n_bytes + PADDING + page - 1) & ~(page - 1);

    if (n_padded < n_bytes || n_padded > G_MAXOFFSET)
        return NULL;
    int fd = memfd_create("bregma-buffer", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return NULL;
    gpointer address = ftruncate(fd, (off_t) n_padded) == 0
                           ? mmap(NULL, n_padded, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                           : MAP_FAILED;
    if (address == MAP_FAILED) {
        close(fd);
        return NULL;
    }
    madvise(address, n_padded, MADV_HUGEPAGE); // a wish

    Shared shared = { .address = address, .n_bytes = n_padded, .fd = fd };
    g_mutex_lock(&shared_lock);
    if (buffers == NULL)
        buffers = g_array_new(FALSE, FALSE, sizeof(Shared));
    g_array_append_val(buffers, shared);
    g_mutex_unlock(&shared_lock);
    return address;
}

// Under the lock; -1 when it is none.
static int
find(gconstpointer address)
{
    for (guint i = 0; buffers != NULL && i < buffers->len; i++) {
        if (g_array_index(buffers, Shared, i).address == address)
            return (int) i;
    }
    return -1;
}

gboolean
bg_buffer_free_shared(gpointer buffer)
{
    if (!atomic_load_explicit(&is_sharing, memory_order_relaxed))
        return FALSE;

    g_mutex_lock(&shared_lock);
    int i = find(buffer);
    Shared shared = i >= 0 ? g_array_index(buffers, Shared, i) : (Shared){ .fd = -1 };
    if (i >= 0)
        g_array_remove_index_fast(buffers, (guint) i);
    g_mutex_unlock(&shared_lock);
    if (i < 0)
        return FALSE;
    munmap(shared.address, shared.n_bytes);
    close(shared.fd);
    return TRUE;
}

int
bg_buffer_dup_shared(gconstpointer buffer, gsize *n_bytes)
{
    int fd = -1;

    g_return_val_if_fail(n_bytes != NULL, -1);

    g_mutex_lock(&shared_lock);
    int i = find(buffer);
    if (i >= 0) {
        fd = dup(g_array_index(buffers, Shared, i).fd);
        *n_bytes = g_array_index(buffers, Shared, i).n_bytes;
    }
    g_mutex_unlock(&shared_lock);
    return fd;
}
