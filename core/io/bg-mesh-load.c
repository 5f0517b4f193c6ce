// SPDX-License-Identifier: Apache-2.0
#include "bg-mesh-private.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

BgMesh *
bg_mesh_load(const char *path, const BgProgress *progress, GCancellable *cancellable,
             GError **error)
{
    g_autoptr(BgLoaded) loaded = bg_io_load(path, NULL, progress, cancellable, error);

    if (loaded == NULL)
        return NULL;
    if (loaded->mesh == NULL) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("“%s” holds no surface, but: %s. Choose another file"), path,
                    bg_kind_name(loaded->info->kind));
        return NULL;
    }
    return g_steal_pointer(&loaded->mesh);
}
