// SPDX-License-Identifier: Apache-2.0
#include "gpu/cuda/bg-cuda-check.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

gboolean
bg_cuda_check(int status, const char *what, GError **error)
{
    if (status == cudaSuccess)
        return TRUE;

    const char *words = cudaGetErrorString((cudaError_t) status);
    cudaGetLastError(); // else the next launch is blamed for it
    g_debug("CUDA failed at %s: %s", what, words);
    if (status == cudaErrorMemoryAllocation)
        g_set_error_literal(error, BG_ERROR, BG_ERROR_NO_MEMORY,
                            _("The graphics card's memory is full: close other programs that use "
                              "it, or choose the CPU"));
    else
        g_set_error(error, BG_ERROR, BG_ERROR_DEVICE,
                    // Translators: the driver's words
                    _("The graphics card failed (%s): choose the CPU, or restart the computer"),
                    words);
    return FALSE;
}
