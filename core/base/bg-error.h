// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * BgError:
 * @BG_ERROR_CORRUPT: the file, header or record contradicts itself or is cut short
 * @BG_ERROR_UNSUPPORTED: well-formed, but of a kind that this build cannot do
 * @BG_ERROR_NO_MEMORY: the result does not fit; the message names the size
 * @BG_ERROR_DEVICE: the graphics card or its driver failed; the CPU can take over
 * @BG_ERROR_INVALID: a value that the user or caller gave is out of its range
 * @BG_ERROR_MISMATCH: two things that must not meet without a decision: other patient,
 *   unknown frame of reference, unequal geometry
 * @BG_ERROR_DECODER: the child that reads other people's formats died, hung or broke its word; the
 *   message says how. Trying again starts another
 *
 * One code per thing that a caller can do about it. File access uses %G_IO_ERROR.
 */
typedef enum {
    BG_ERROR_CORRUPT,
    BG_ERROR_UNSUPPORTED,
    BG_ERROR_NO_MEMORY,
    BG_ERROR_DEVICE,
    BG_ERROR_INVALID,
    BG_ERROR_MISMATCH,
    BG_ERROR_DECODER,
} BgError;

#define BG_ERROR (bg_error_quark())
GQuark bg_error_quark(void);

G_END_DECLS
