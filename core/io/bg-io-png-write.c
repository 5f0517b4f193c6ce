// SPDX-License-Identifier: Apache-2.0
// A volume as PNG files, one a slice, at full depth. Signed samples are moved up by 32768, and each
// file says so.
#include "bg-image-io.h"
#include "bg-io-grid.h"
#include "bg-io-sidecar.h"
#include "bg-io-text.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <glib/gstdio.h>
#include <string.h>

#define OFFSET 32768

// "a/b.png" becomes "a/b-0007.png", "a/b%03d.png" "a/b007.png"; one slice alone is "a/b.png".
static char *
make_name(const char *path, gsize number, gsize n_all)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *base = g_path_get_basename(path);
    g_autofree char *name = bg_io_expand_pattern(base, (gint64) number);

    if (name == NULL && n_all == 1)
        return g_strdup(path);
    if (name == NULL) {
        base[strlen(base) - 4] = '\0';
        name = g_strdup_printf("%s-%04zu.png", base, number);
    }
    return g_build_filename(folder, name, NULL);
}

static BgImage *
make_slice(const BgGrid *grid, gsize frame, int k, GError **error)
{
    const int *dims = grid->geometry.dims;
    gboolean wide = bg_raw_type_size(grid->type) == 2;
    gsize n = (gsize) dims[0] * (gsize) dims[1], n_bytes = n * (wide ? 2 : 1);
    BgImageFormat format = { dims[0], dims[1], 1, wide ? BG_PIXEL_UINT16 : BG_PIXEL_UINT8 };
    guint8 *pixels = bg_buffer_alloc(n_bytes, error);

    if (pixels == NULL)
        return NULL;
    memcpy(pixels, (const guint8 *) grid->frames[frame] + (gsize) k * n_bytes, n_bytes);
    if (grid->type == BG_RAW_INT16) {
        for (gsize i = 0; i < n; i++)
            ((guint16 *) (gpointer) pixels)[i] ^= OFFSET; // adds 32768
    }
    g_autoptr(BgImage) image = bg_image_new_take(&format, pixels, error);
    if (image == NULL)
        return NULL;
    BgVec3 spacing = bg_geometry_spacing_mm(&grid->geometry);
    const double spacing_mm[2] = { spacing.x, spacing.y };
    return bg_image_new_calibrated(image, spacing_mm);
}

static gboolean
write_slices(const BgGrid *grid, const char *path, GPtrArray *written, const BgProgress *progress,
             GCancellable *cancellable, GError **error)
{
    gsize n_slices = (gsize) grid->geometry.dims[2], n_all = n_slices * grid->n_frames;
    BgGrid told = *grid;

    told.intercept = grid->type == BG_RAW_INT16 ? -OFFSET : 0.0;
    g_autoptr(BgJson) json = bg_sidecar_new(&told);
    g_autofree char *text = bg_json_print(json, FALSE);
    const char *const texts[] = { "bregma", text, NULL };
    BgPngParams params = { .force = grid->params->force,
                           .provenance = grid->params->provenance,
                           .texts = texts };
    for (gsize i = 0; i < n_all; i++) {
        if (g_cancellable_set_error_if_cancelled(cancellable, error))
            return FALSE;
        g_autoptr(BgImage) image = make_slice(grid, i / n_slices, (int) (i % n_slices), error);
        g_autofree char *name = make_name(path, i, n_all);
        if (image == NULL || !bg_png_save(image, name, &params, error))
            return FALSE;
        g_ptr_array_add(written, g_steal_pointer(&name));
        bg_progress_report(progress, (double) (i + 1) / (double) n_all);
    }
    return TRUE;
}

gboolean
bg_grid_write_png(const BgGrid *grid, const char *path, const BgProgress *progress,
                  GCancellable *cancellable, GError **error)
{
    g_autoptr(GPtrArray) written = g_ptr_array_new_with_free_func(g_free);
    gsize n_all = (gsize) grid->geometry.dims[2] * grid->n_frames;

    if (bg_raw_type_size(grid->type) > 2 || grid->type == BG_RAW_INT8) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("PNG has no place for values of type %s. Save them as .tif"),
                    bg_raw_type_name(grid->type));
        return FALSE;
    }
    // Nothing is written where one of the names is taken.
    for (gsize i = 0; !grid->params->force && i < n_all; i++) {
        g_autofree char *name = make_name(path, i, n_all);
        if (!g_file_test(name, G_FILE_TEST_EXISTS))
            continue;
        g_autofree char *shown = g_filename_display_name(name);
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                    _("“%s” is there already. Give another name, or allow to replace it"), shown);
        return FALSE;
    }
    if (write_slices(grid, path, written, progress, cancellable, error))
        return TRUE;
    for (guint i = 0; i < written->len; i++)
        g_unlink(written->pdata[i]);
    return FALSE;
}
