// SPDX-License-Identifier: Apache-2.0
// The module that the tests of this folder run on, for their sources alone.
#pragma once

#include "core/base/bg-error.h"
#include "core/compute/bg-backend-ops.h"

/** open_backend: the module that the environment names; %NULL where that has no device */
static inline BgBackend *
open_backend(void)
{
    const char *path = g_getenv("BREGMA_TEST_MODULE");
    g_autoptr(GError) error = NULL;

    if (path == NULL)
        path = g_getenv("BREGMA_TEST_HOST_MODULE");
    BgBackend *backend = bg_backend_module_open(path, &error);
    if (backend == NULL) {
        g_test_message("%s", error->message);
        g_assert_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED);
    }
    return backend;
}
