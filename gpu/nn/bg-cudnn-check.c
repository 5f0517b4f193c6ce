// SPDX-License-Identifier: Apache-2.0
#include "gpu/nn/bg-cudnn-check.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

gboolean
bg_cudnn_check(cudnnStatus_t status, const char *what, GError **error)
{
    if (status == CUDNN_STATUS_SUCCESS)
        return TRUE;

    const char *words = cudnnGetErrorString(status);
    g_debug("cuDNN failed at %s: %s", what, words);
    if (status == CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED ||
        status == CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED)
        g_set_error_literal(error, BG_ERROR, BG_ERROR_NO_MEMORY,
                            _("The graphics card's memory is full: close other programs that use "
                              "it, or choose the CPU"));
    else if (CUDNN_STATUS_CATEGORY(status) == CUDNN_STATUS_NOT_SUPPORTED)
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    // Translators: cuDNN's words
                    _("The graphics card's library cannot do this network (%s): choose the CPU"),
                    words);
    else
        g_set_error(error, BG_ERROR, BG_ERROR_DEVICE,
                    // Translators: cuDNN's words
                    _("The graphics card failed (%s): choose the CPU, or restart the computer"),
                    words);
    return FALSE;
}
