// SPDX-License-Identifier: Apache-2.0
// What the process of a request may still do: read one place, and answer.
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * BgSandboxLimits:
 * @path: the file or folder that may be read; of a file its folder too (pairs of files); %NULL: nothing
 * @max_bytes: of memory; 0: no limit
 * @max_cpu_s: 0: no limit
 */
typedef struct {
    const char *path;
    guint64 max_bytes;
    guint64 max_cpu_s;
} BgSandboxLimits;

/**
 * bg_sandbox_enter:
 *
 * For good, for this process and its threads: no network, no other program, no file written, no other
 * process touched; what is refused fails with EPERM. On kernels with Landlock only @path and the
 * system's own folders can be read.
 *
 * Returns: %FALSE with %G_IO_ERROR when the filter of system calls cannot be set: then nothing is to
 *   be read
 */
gboolean bg_sandbox_enter(const BgSandboxLimits *limits, GError **error);

G_END_DECLS
