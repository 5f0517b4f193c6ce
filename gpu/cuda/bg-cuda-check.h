// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>
#include <glib.h>

/**
 * bg_cuda_check:
 * @status: what a call or launcher returned
 * @what: for developers: the step
 *
 * The one place where a status becomes an error.
 *
 * Returns: %FALSE with %BG_ERROR_NO_MEMORY when the card's memory is full, %BG_ERROR_DEVICE else
 */
gboolean bg_cuda_check(int status, const char *what, GError **error);
