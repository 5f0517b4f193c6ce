// SPDX-License-Identifier: Apache-2.0
#include "bg-raw-file.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

static gboolean
set_range(const char *what, double value, GError **error)
{
    g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                // Translators: the name of a value
                _("%s is %g, which cannot be. Give another value"), what, value);
    return FALSE;
}

gboolean
bg_raw_describe_check(const BgRawDescription *d, guint64 n_file, GError **error)
{
    guint64 n_bytes = bg_raw_type_size(d->type);

    for (int i = 0; i < 3; i++) {
        if (d->dims[i] < 1 || d->dims[i] > BG_VOLUME_MAX_DIM)
            return set_range(_("The number of voxels"), d->dims[i], error);
        if (!(d->spacing_mm[i] >= 0.0 && d->spacing_mm[i] < 1e6))
            return set_range(_("The distance of voxels"), d->spacing_mm[i], error);
        n_bytes *= (guint64) d->dims[i];
    }
    if (d->n_frames < 1)
        return set_range(_("The number of frames"), d->n_frames, error);
    if (d->n_components < 1 || d->n_components > G_MAXINT16)
        return set_range(_("The number of components"), d->n_components, error);
    if (!g_uint64_checked_mul(&n_bytes, n_bytes, (guint64) d->n_frames) ||
        !g_uint64_checked_mul(&n_bytes, n_bytes, (guint64) d->n_components) ||
        !g_uint64_checked_add(&n_bytes, n_bytes, d->header_bytes))
        n_bytes = G_MAXUINT64;
    return n_bytes <= n_file || bg_io_set_cut_short(n_bytes, n_file, error);
}

static void
describe(const BgRawDescription *d, BgFileInfo *info)
{
    double step[3];

    info->format = BG_FORMAT_RAW;
    memcpy(info->dims, d->dims, sizeof info->dims);
    info->n_frames = d->n_frames;
    info->n_components = d->n_components;
    info->datatype = bg_raw_type_name(d->type);
    info->spacing_unknown =
        !(d->spacing_mm[0] > 0.0 && d->spacing_mm[1] > 0.0 && d->spacing_mm[2] > 0.0);
    for (int i = 0; i < 3; i++)
        step[i] = info->spacing_unknown ? 1.0 : d->spacing_mm[i];
    info->geometry = bg_geometry_new_regular(info->dims, bg_vec3(step[0], step[1], step[2]));
    info->has_geometry = TRUE;
    bg_file_info_warn(info, _("Side unknown: the file does not say where left and right are; "
                              "left-posterior-superior is taken"));
    if (info->spacing_unknown)
        bg_file_info_warn(info, _("The file does not say how large a voxel is: lengths are in px "
                                  "until you give it"));
    bg_io_guess_kind(info);
}

BgLoaded *
bg_raw_load_file(const char *path, const BgRawDescription *description, const BgLoadParams *params,
                 const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    BgLoadParams chosen = params != NULL ? *params : bg_load_params_default();

    g_return_val_if_fail(path != NULL && description != NULL, NULL);

    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_PLAIN, cancellable, error);
    if (source == NULL || !bg_raw_describe_check(description, bg_source_get_limit(source), error))
        return NULL;
    g_autoptr(BgFileInfo) info = bg_file_info_new(path);
    gboolean colour = description->type == BG_RAW_UINT8 &&
                      (description->n_components == 3 || description->n_components == 4);
    BgRawLayout layout = { .type = description->type,
                           .big_endian = description->big_endian,
                           .n_components = description->n_components,
                           .meaning = description->n_components == 1 ? BG_RAW_SCALAR
                                      : colour                       ? BG_RAW_COLOUR
                                                                     : BG_RAW_VECTOR,
                           .slope = 1.0,
                           .first_byte = description->header_bytes };
    describe(description, info);
    return bg_raw_load(source, &layout, g_steal_pointer(&info), &chosen, progress, error);
}
