// SPDX-License-Identifier: Apache-2.0
// What bg-h5.c and bg-h5-array.c share. All of it under the lock.
#pragma once

#include "bg-h5.h"
#include "core/base/bg-output.h"

#include <hdf5.h>

G_BEGIN_DECLS

struct _BgH5 {
    hid_t file;       // negative once committed
    BgOutput *output; // owned; NULL when reading
};

/** bg_h5_lock: every call of the library is between the two; may be nested */
void bg_h5_lock(void);
void bg_h5_unlock(void);

/** bg_h5_fail: sets @error from the library's own stack; Returns: %FALSE */
gboolean bg_h5_fail(const BgH5 *h5, const char *path, GError **error);

/**
 * bg_h5_open_object:
 *
 * Goes from group to group and follows hard links only.
 *
 * Returns: to be closed by H5Oclose(), or negative with @error
 */
hid_t bg_h5_open_object(BgH5 *h5, const char *path, GError **error);

/** bg_h5_memory_type: borrowed from the library */
hid_t bg_h5_memory_type(BgH5Type type);

G_END_DECLS
