// SPDX-License-Identifier: Apache-2.0
// The only code that knows the modules' names.
#include "bg-backend-ops.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <dlfcn.h>
#include <gmodule.h>

#define CUDA_MODULE "bregma-cuda.so"

BgBackend *
bg_backend_module_open(const char *path, GError **error)
{
    gpointer symbol = NULL;

    g_return_val_if_fail(path != NULL, NULL);

    // BIND_LOCAL: a module adds nothing to anybody's symbols
    GModule *module = g_module_open(path, G_MODULE_BIND_LAZY | G_MODULE_BIND_LOCAL);
    if (module == NULL || !g_module_symbol(module, "bg_backend_module_init", &symbol)) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    // Translators: the system's words, which name the file
                    _("The graphics card's part of bregma cannot be used: %s"), g_module_error());
        g_clear_pointer(&module, g_module_close);
        return NULL;
    }

    // A CUDA context has threads and exit handlers: never unload what made them.
    g_module_make_resident(module);
    BgBackendModuleInit init;
    *(gpointer *) &init = symbol; // the form that POSIX gives for functions
    return init(BG_BACKEND_ABI, error);
}

// (transfer full) (nullable): the folder of the core library itself: modules lie beside it, also
// when the whole tree has been moved.
static char *
own_folder(void)
{
    static const char here; // in the library's data
    Dl_info info;

    if (dladdr(&here, &info) == 0 || info.dli_fname == NULL)
        return NULL;
    return g_path_get_dirname(info.dli_fname);
}

BgBackend *
bg_backend_module_open_cuda(GError **error)
{
    g_autofree char *beside = own_folder();
    const char *folders[] = { g_getenv("BREGMA_MODULE_DIR"), beside, BG_MODULE_DIR };

    for (guint i = 0; i < G_N_ELEMENTS(folders); i++) {
        if (folders[i] == NULL)
            continue;
        g_autofree char *path = g_build_filename(folders[i], CUDA_MODULE, NULL);
        if (g_file_test(path, G_FILE_TEST_EXISTS))
            return bg_backend_module_open(path, error);
    }
    g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                        _("This bregma was built or installed without its CUDA part: use the CPU"));
    return NULL;
}
