// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cudnn.h>
#include <glib.h>

/**
 * bg_cudnn_check:
 * @what: for developers: the step
 *
 * Returns: %FALSE with %BG_ERROR_NO_MEMORY, %BG_ERROR_UNSUPPORTED when cuDNN does not do this (the
 *   CPU then may), %BG_ERROR_DEVICE else
 */
gboolean bg_cudnn_check(cudnnStatus_t status, const char *what, GError **error);
