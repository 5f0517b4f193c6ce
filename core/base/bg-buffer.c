// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-buffer.h"

#include "core/base/bg-buffer-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CACHE_LINE 64u
#define HUGE_PAGE (2u << 20)
#define HUGE_FROM (4u << 20)
#define KEPT_BLOCKS 8
#define KEPT_BYTES (128u << 20) // all of them together

// Freed blocks, the oldest first. The system clears each new page: 0.5 ms a MiB here, which is more than many
// a loop over it. Not with the address sanitizer, which is to see a use after free.
#if defined(__SANITIZE_ADDRESS__)
#define KEEPS_BLOCKS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KEEPS_BLOCKS 0
#endif
#endif
#ifndef KEEPS_BLOCKS
#define KEEPS_BLOCKS 1
#endif

typedef struct {
    gpointer block;
    gsize n_bytes;
} Kept;

static GMutex kept_lock; // protects what follows
static Kept kept[KEPT_BLOCKS];
static guint n_kept;
static gsize kept_bytes;

static gpointer
remove_kept(guint i)
{
    gpointer block = kept[i].block;

    kept_bytes -= kept[i].n_bytes;
    memmove(&kept[i], &kept[i + 1], (--n_kept - i) * sizeof *kept);
    return block;
}

// A block of that size, or of up to a quarter more; or NULL.
static gpointer
take_kept(gsize n_bytes)
{
    gpointer block = NULL;

    g_mutex_lock(&kept_lock);
    for (guint i = n_kept; block == NULL && i-- > 0;) {
        if (kept[i].n_bytes >= n_bytes && kept[i].n_bytes - n_bytes <= n_bytes / 4)
            block = remove_kept(i);
    }
    g_mutex_unlock(&kept_lock);
    return block;
}

static gboolean
keep(gpointer block)
{
    gsize n_bytes = malloc_usable_size(block);

    if (!KEEPS_BLOCKS || n_bytes < HUGE_FROM || n_bytes > KEPT_BYTES / 2)
        return FALSE;

    g_mutex_lock(&kept_lock);
    while (n_kept == KEPT_BLOCKS || (n_kept > 0 && kept_bytes + n_bytes > KEPT_BYTES))
        free(remove_kept(0));
    kept[n_kept++] = (Kept){ .block = block, .n_bytes = n_bytes };
    kept_bytes += n_bytes;
    g_mutex_unlock(&kept_lock);
    return TRUE;
}

void
bg_buffer_trim(void)
{
    g_mutex_lock(&kept_lock);
    while (n_kept > 0)
        free(remove_kept(0));
    g_mutex_unlock(&kept_lock);
}

static gboolean
refuse(gsize n_bytes, GError **error)
{
    g_autofree char *size = g_format_size_full(n_bytes, G_FORMAT_SIZE_IEC_UNITS);

    g_set_error(error, BG_ERROR, BG_ERROR_NO_MEMORY,
                _("There is no room in memory for %s. Close other studies, or open a part"), size);
    return FALSE;
}

gpointer
bg_buffer_alloc(gsize n_bytes, GError **error)
{
    g_return_val_if_fail(n_bytes > 0, NULL);

    if (bg_buffer_is_shared_size(n_bytes)) {
        gpointer shared = bg_buffer_alloc_shared(n_bytes);
        if (shared == NULL)
            refuse(n_bytes, error);
        return shared;
    }

    gsize align = n_bytes < HUGE_FROM ? CACHE_LINE : HUGE_PAGE;
    gsize n_aligned = (n_bytes + align - 1) & ~(align - 1); // aligned_alloc() wants a multiple
    gpointer buffer = align == HUGE_PAGE ? take_kept(n_aligned) : NULL;

    if (buffer != NULL)
        return buffer;
    buffer = n_aligned < n_bytes ? NULL : aligned_alloc(align, n_aligned);
    if (buffer == NULL && n_aligned >= n_bytes) { // there may be room once nothing is kept
        bg_buffer_trim();
        buffer = aligned_alloc(align, n_aligned);
    }

    if (buffer == NULL) {
        refuse(n_bytes, error);
        return NULL;
    }

    if (align == HUGE_PAGE)
        madvise(buffer, n_aligned, MADV_HUGEPAGE); // a wish: halves the cost of first touch

    return buffer;
}

gpointer
bg_buffer_alloc_items(gsize n_items, gsize item_size, GError **error)
{
    gsize n_bytes;

    if (!g_size_checked_mul(&n_bytes, n_items, item_size)) {
        refuse(G_MAXSIZE, error);
        return NULL;
    }
    return bg_buffer_alloc(MAX(n_bytes, 1), error);
}

void
bg_buffer_free(gpointer buffer)
{
    if (buffer != NULL && !bg_buffer_free_shared(buffer) && !keep(buffer))
        free(buffer);
}

void
bg_buffer_clear(gpointer address_of_buffer)
{
    bg_buffer_free(*(gpointer *) address_of_buffer);
}
