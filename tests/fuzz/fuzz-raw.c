// SPDX-License-Identifier: Apache-2.0
// Raw voxels with a description, in memory: the text up to the first zero, then the voxels. Any bytes must
// give a typed error or a sound volume or label map.
#include "core/base/bg-error.h"
#include "core/base/bg-parallel.h"
#include "core/io/bg-io-sidecar.h"
#include "core/io/bg-io-source.h"
#include "fuzz.h"

#include <string.h>

static void
load(BgFileInfo *info, const BgRawLayout *layout, BgLoadAs as, GBytes *voxels)
{
    BgLoadParams params = bg_load_params_default();
    g_autoptr(BgSource) source = bg_source_new_bytes(voxels);
    g_autoptr(GError) error = NULL;

    params.as = as;
    g_autoptr(BgLoaded) loaded =
        bg_raw_load(source, layout, bg_file_info_copy(info), &params, NULL, &error);
    g_assert_true((loaded == NULL) == (error != NULL));
    if (loaded == NULL) {
        g_assert_true(error->domain == BG_ERROR && g_utf8_validate(error->message, -1, NULL));
        return;
    }
    g_assert_true((loaded->volume != NULL) != (loaded->labels != NULL));
    if (loaded->volume != NULL)
        g_assert_true(bg_geometry_check(bg_volume_get_geometry(loaded->volume), NULL));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, '\0', size);
    size_t length = end != NULL ? (size_t) (end - data) : size;
    size_t behind = MIN(length + 1, size);
    BgRawLayout layout;
    g_autoptr(BgFileInfo) info = bg_file_info_new("a.raw.json");
    g_autoptr(GError) error = NULL;

    bg_parallel_set_threads(1); // inputs are small: waking others takes longer
    if (!bg_sidecar_parse((const char *) data, length, info, &layout, &error)) {
        g_assert_true(error->domain == BG_ERROR && g_utf8_validate(error->message, -1, NULL));
        return 0;
    }
    g_assert_true(bg_geometry_check(&info->geometry, NULL));
    g_autoptr(GBytes) voxels = g_bytes_new(data + behind, size - behind);
    load(info, &layout, BG_LOAD_AUTO, voxels);
    load(info, &layout, BG_LOAD_LABELS, voxels);
    return 0;
}
