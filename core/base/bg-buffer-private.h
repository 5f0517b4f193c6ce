// SPDX-License-Identifier: Apache-2.0
// Buffers that another process can be handed.
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** bg_buffer_is_shared_size: whether a new buffer of that size is to be a shared one */
gboolean bg_buffer_is_shared_size(gsize n_bytes);

/** bg_buffer_alloc_shared: page-aligned; %NULL without room */
gpointer bg_buffer_alloc_shared(gsize n_bytes);

/** bg_buffer_free_shared: Returns: %FALSE when it is none */
gboolean bg_buffer_free_shared(gpointer buffer);

G_END_DECLS
