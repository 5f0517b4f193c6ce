// SPDX-License-Identifier: Apache-2.0
// MGH and MGZ, FreeSurfer's volumes. Fields: "FsTutorial/MghFormat" (surfer.nmr.mgh.harvard.edu):
// all numbers big-endian, the header 284 bytes long, the place by direction cosines and the RAS
// position of the voxel at half the dimensions.
#include "bg-io-bytes.h"
#include "bg-io-raw.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#define HEADER 284
#define FIELDS 90 // of the header that mean something

static const struct {
    guint32 code;
    BgRawType type;
} types[] = {
    { 0, BG_RAW_UINT8 }, { 1, BG_RAW_INT32 },   { 3, BG_RAW_FLOAT32 },
    { 4, BG_RAW_INT16 }, { 10, BG_RAW_UINT16 },
};

static gboolean
find_type(guint32 code, BgRawType *type)
{
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        if (types[i].code == code) {
            *type = types[i].type;
            return TRUE;
        }
    }
    return FALSE;
}

// There is no mark, so all that can be checked of version, sizes, type and flag is.
static gboolean
mgh_sniff(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    BgRawType type;

    if (n_bytes < 30 || bg_bytes_get32(bytes, TRUE) != 1 ||
        !find_type(bg_bytes_get32(bytes + 20, TRUE), &type) || bg_bytes_get16(bytes + 28, TRUE) > 1)
        return FALSE;
    for (int i = 0; i < 4; i++) {
        guint32 size = bg_bytes_get32(bytes + 4 + 4 * i, TRUE);
        if (size < 1 || size > BG_VOLUME_MAX_DIM)
            return FALSE;
    }
    return TRUE;
}

static void
place(const guint8 *header, BgFileInfo *info)
{
    // What FreeSurfer takes where the flag is not set: coronal slices of 1 mm around the middle.
    static const double coronal[] = { 1, 1, 1, -1, 0, 0, 0, 0, -1, 0, 1, 0, 0, 0, 0 };
    double numbers[15];
    BgVec3 columns[4];

    info->side_known = bg_bytes_get16(header + 28, TRUE) == 1;
    for (int i = 0; i < 15; i++)
        numbers[i] = info->side_known ? bg_bytes_get_float(header + 30 + 4 * i, TRUE) : coronal[i];
    columns[3] = bg_vec3(numbers[12], numbers[13], numbers[14]);
    for (int axis = 0; axis < 3; axis++) {
        const double *cosines = numbers + 3 + 3 * axis;
        columns[axis] = bg_vec3_scale(bg_vec3(cosines[0], cosines[1], cosines[2]), numbers[axis]);
        columns[3] = bg_vec3_along(columns[3], -0.5 * info->dims[axis], columns[axis]);
    }
    BgAffine ras = bg_affine_from_columns(columns[0], columns[1], columns[2], columns[3]);
    BgAffine flip = bg_affine_lps_ras_flip();
    memcpy(info->geometry.dims, info->dims, sizeof info->dims);
    info->geometry.patient_from_voxel = bg_affine_multiply(&flip, &ras);
    info->has_geometry = TRUE;
    if (!info->side_known)
        bg_file_info_warn(info, _("Side unknown: the file does not say where left and right are; "
                                  "coronal slices of 1 mm are taken, as FreeSurfer does"));
}

static BgSource *
open_and_parse(const char *path, BgFileInfo *info, BgRawLayout *layout, GCancellable *cancellable,
               GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_AUTO, cancellable, error);
    guint8 header[FIELDS];

    if (source == NULL || !bg_source_read(source, header, sizeof header, error))
        return NULL;
    if (!mgh_sniff(header, sizeof header, FALSE)) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("the header's sizes or type of voxel make no sense. Get the file "
                              "again"));
        return NULL;
    }
    *layout =
        (BgRawLayout){ .big_endian = TRUE, .n_components = 1, .slope = 1.0, .first_byte = HEADER };
    find_type(bg_bytes_get32(header + 20, TRUE), &layout->type);
    info->format = BG_FORMAT_MGH;
    info->datatype = bg_raw_type_name(layout->type);
    for (int i = 0; i < 3; i++)
        info->dims[i] = (int) bg_bytes_get32(header + 4 + 4 * i, TRUE);
    info->n_frames = (int) bg_bytes_get32(header + 16, TRUE);
    place(header, info);
    bg_io_guess_kind(info);
    return bg_geometry_check(&info->geometry, error) ? g_steal_pointer(&source) : NULL;
}

static BgFileInfo *
mgh_probe(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgFileInfo) info = bg_file_info_new(path);
    BgRawLayout layout;
    g_autoptr(BgSource) source = open_and_parse(path, info, &layout, cancellable, error);

    return source != NULL ? g_steal_pointer(&info) : NULL;
}

// Behind the voxels there may be scan parameters and a history, so a rest is nothing to warn of.
static BgLoaded *
mgh_load(const char *path, const BgLoadParams *params, const BgProgress *progress,
         GCancellable *cancellable, GError **error)
{
    g_autoptr(BgFileInfo) info = bg_file_info_new(path);
    BgRawLayout layout;
    g_autoptr(BgSource) source = open_and_parse(path, info, &layout, cancellable, error);

    if (source == NULL)
        return NULL;
    layout.rest_allowed = TRUE;
    return bg_raw_load(source, &layout, g_steal_pointer(&info), params, progress, error);
}

const BgReader bg_reader_mgh = {
    .name = "MGH",
    .sniff = mgh_sniff,
    .probe = mgh_probe,
    .load = mgh_load,
};
