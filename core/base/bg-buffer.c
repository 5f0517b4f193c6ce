// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-buffer.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <stdlib.h>
#include <sys/mman.h>

#define CACHE_LINE 64u
#define HUGE_PAGE (2u << 20)
#define HUGE_FROM (4u << 20)

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

    gsize align = n_bytes < HUGE_FROM ? CACHE_LINE : HUGE_PAGE;
    gsize n_aligned = (n_bytes + align - 1) & ~(align - 1); // aligned_alloc() wants a multiple
    gpointer buffer = n_aligned < n_bytes ? NULL : aligned_alloc(align, n_aligned);

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
    free(buffer);
}

void
bg_buffer_clear(gpointer address_of_buffer)
{
    bg_buffer_free(*(gpointer *) address_of_buffer);
}
