// SPDX-License-Identifier: Apache-2.0
// Analyze 7.5, a pair of .hdr and .img. Field offsets: dbh.h of the Mayo Clinic (1986). The format
// does not say left from right; what SPM keeps in spare fields (a scale, an origin) is taken.
#include "bg-io-bytes.h"
#include "bg-io-nifti-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#define LONGEST 1024 // bytes of a header: 348, and what some programs add

static const struct {
    int code;
    const char *name;
    BgRawType type;
    int n_components;
    BgRawMeaning meaning;
} datatypes[] = {
    { 2, "uint8", BG_RAW_UINT8, 1, BG_RAW_SCALAR },
    { 4, "int16", BG_RAW_INT16, 1, BG_RAW_SCALAR },
    { 8, "int32", BG_RAW_INT32, 1, BG_RAW_SCALAR },
    { 16, "float32", BG_RAW_FLOAT32, 1, BG_RAW_SCALAR },
    { 32, "complex64", BG_RAW_FLOAT32, 2, BG_RAW_COMPLEX },
    { 64, "float64", BG_RAW_FLOAT64, 1, BG_RAW_SCALAR },
    { 128, "rgb24", BG_RAW_UINT8, 3, BG_RAW_COLOUR },
    { 130, "int8", BG_RAW_INT8, 1, BG_RAW_SCALAR }, // SPM's
    { 132, "uint16", BG_RAW_UINT16, 1, BG_RAW_SCALAR },
    { 136, "uint32", BG_RAW_UINT32, 1, BG_RAW_SCALAR },
};

static gboolean
find_order(const guint8 *bytes, gsize n_bytes, gboolean *big)
{
    for (*big = 0; n_bytes >= 4 && *big < 2; (*big)++) {
        if (bg_bytes_get32(bytes, *big) == BG_NIFTI1_HEADER)
            return TRUE;
    }
    return FALSE;
}

// The same length as NIfTI's first header, but without its mark, and nothing behind it: a single
// file with a damaged mark is not taken for Analyze.
static gboolean
analyze_sniff(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    gboolean big;

    return n_bytes >= BG_NIFTI1_HEADER && n_bytes < LONGEST && find_order(bytes, n_bytes, &big) &&
           bytes[344] != 'n' && bytes[345] != 'i' && bytes[345] != '+';
}

static gboolean
set_corrupt(const char *field, double value, GError **error)
{
    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                _("the header's field “%s” is %g, which makes no sense there. Get the file again"),
                field, value);
    return FALSE;
}

static gboolean
choose_type(const guint8 *header, gboolean big, BgFileInfo *info, BgRawLayout *layout,
            GError **error)
{
    int code = (gint16) bg_bytes_get16(header + 70, big);

    for (gsize i = 0; i < G_N_ELEMENTS(datatypes); i++) {
        if (datatypes[i].code != code)
            continue;
        info->datatype = datatypes[i].name;
        info->n_components = datatypes[i].n_components;
        *layout = (BgRawLayout){ .type = datatypes[i].type,
                                 .big_endian = big,
                                 .n_components = datatypes[i].n_components,
                                 .meaning = datatypes[i].meaning,
                                 .slope = 1.0 };
        return TRUE;
    }
    return set_corrupt("datatype", code, error);
}

static gboolean
choose_dims(const guint8 *header, gboolean big, BgFileInfo *info, GError **error)
{
    int n = (gint16) bg_bytes_get16(header + 40, big);
    gint64 n_frames = 1;

    if (n < 1 || n > 7)
        return set_corrupt("dim[0]", n, error);
    for (int i = 1; i <= 7; i++) {
        // Some writers leave unused dimensions at 0.
        int size = i <= n ? (gint16) bg_bytes_get16(header + 40 + 2 * i, big) : 1;
        size = i > 2 && size == 0 ? 1 : size;
        if (size < 1 || n_frames > G_MAXINT / size)
            return set_corrupt("dim", size, error);
        if (i <= 3)
            info->dims[i - 1] = size;
        else
            n_frames *= size;
    }
    info->n_frames = (int) n_frames;
    return TRUE;
}

static void
choose_scale(const guint8 *header, gboolean big, BgFileInfo *info, BgRawLayout *layout)
{
    double slope = bg_bytes_get_float(header + 112, big);
    double intercept = bg_bytes_get_float(header + 116, big);

    if (layout->meaning == BG_RAW_COLOUR || !isfinite(slope) || slope == 0.0)
        return;
    layout->slope = slope;
    layout->intercept = isfinite(intercept) ? intercept : 0.0;
    if (slope != 1.0 || layout->intercept != 0.0)
        bg_file_info_warn(info,
                          _("The header scales the values by %g and adds %g; some programs "
                            "leave that out"),
                          slope, layout->intercept);
}

// SPM's origin: the voxel, counted from 1, that is 0, 0, 0; else the middle of the grid is.
static BgVec3
find_centre(const guint8 *header, gboolean big, const BgFileInfo *info)
{
    double origin[3];
    gboolean given = FALSE, sound = TRUE;

    for (int i = 0; i < 3; i++) {
        origin[i] = (gint16) bg_bytes_get16(header + 253 + 2 * i, big);
        given = given || origin[i] != 0.0;
        sound = sound && origin[i] > -info->dims[i] && origin[i] < 2.0 * info->dims[i];
    }
    if (given && sound)
        return bg_vec3(origin[0] - 1.0, origin[1] - 1.0, origin[2] - 1.0);
    return bg_vec3(0.5 * (info->dims[0] - 1), 0.5 * (info->dims[1] - 1), 0.5 * (info->dims[2] - 1));
}

static gboolean
place(const guint8 *header, gboolean big, BgFileInfo *info, GError **error)
{
    double step[3];
    int orient = header[252];

    for (int i = 0; i < 3; i++) {
        step[i] = fabs(bg_bytes_get_float(header + 80 + 4 * i, big));
        if (!isfinite(step[i]) || step[i] == 0.0) {
            bg_file_info_warn(info, _("The header's voxel size along axis %d is %g; 1 is taken"),
                              i + 1, step[i]);
            step[i] = 1.0;
        }
    }
    // In LPS: the first voxel is taken to be the patient's right, posterior, inferior... of LAS data
    BgVec3 centre = find_centre(header, big, info);
    memcpy(info->geometry.dims, info->dims, sizeof info->dims);
    info->geometry.patient_from_voxel = bg_affine_from_columns(
        bg_vec3(step[0], 0, 0), bg_vec3(0, -step[1], 0), bg_vec3(0, 0, step[2]),
        bg_vec3(-centre.x * step[0], centre.y * step[1], -centre.z * step[2]));
    info->has_geometry = TRUE;
    info->side_known = FALSE;
    bg_file_info_warn(info, _("Side unknown: Analyze does not say where left and right are; the "
                              "first voxel is taken to be the patient's right, posterior, "
                              "inferior"));
    if (orient >= 1 && orient <= 5)
        bg_file_info_warn(info,
                          _("The header says that its slices are not transverse or are "
                            "flipped (orient %d). That is not followed: check it"),
                          orient);
    return bg_geometry_check(&info->geometry, error);
}

static gboolean
choose_first_byte(const guint8 *header, gboolean big, BgRawLayout *layout, GError **error)
{
    double offset = bg_bytes_get_float(header + 108, big);

    // Negative: each frame is padded to so many bytes, which nothing writes.
    if (!isfinite(offset) || offset < 0.0 || offset > 0x1p53)
        return set_corrupt("vox_offset", offset, error);
    layout->first_byte = (guint64) offset;
    return TRUE;
}

static gboolean
parse(const char *path, BgFileInfo *info, BgRawLayout *layout, GCancellable *cancellable,
      GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_AUTO, cancellable, error);
    guint8 header[BG_NIFTI1_HEADER];
    gboolean big;

    if (source == NULL || !bg_source_read(source, header, sizeof header, error))
        return FALSE;
    if (!find_order(header, sizeof header, &big))
        return set_corrupt("sizeof_hdr", bg_bytes_get32(header, FALSE), error);
    info->format = BG_FORMAT_ANALYZE;
    if (!choose_type(header, big, info, layout, error) || !choose_dims(header, big, info, error) ||
        !choose_first_byte(header, big, layout, error) || !place(header, big, info, error))
        return FALSE;
    choose_scale(header, big, info, layout);

    char words[81] = { 0 };
    memcpy(words, header + 148, 80);
    g_autofree char *text = g_utf8_make_valid(words, -1);
    if (*g_strstrip(text) != '\0')
        info->description = g_steal_pointer(&text);
    bg_io_guess_kind(info);
    return TRUE;
}

static BgFileInfo *
analyze_probe(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgFileInfo) info = bg_file_info_new(path);
    BgRawLayout layout;

    return parse(path, info, &layout, cancellable, error) ? g_steal_pointer(&info) : NULL;
}

static BgLoaded *
analyze_load(const char *path, const BgLoadParams *params, const BgProgress *progress,
             GCancellable *cancellable, GError **error)
{
    g_autoptr(BgFileInfo) info = bg_file_info_new(path);
    BgRawLayout layout;

    if (!parse(path, info, &layout, cancellable, error))
        return NULL;
    g_autofree char *image = bg_nifti_find_image_of_pair(path, error);
    g_autoptr(BgSource) source =
        image != NULL ? bg_source_open(image, 0, BG_SOURCE_AUTO, cancellable, error) : NULL;
    if (source == NULL)
        return NULL;
    return bg_raw_load(source, &layout, g_steal_pointer(&info), params, progress, error);
}

const BgReader bg_reader_analyze = {
    .name = "Analyze",
    .sniff = analyze_sniff,
    .probe = analyze_probe,
    .load = analyze_load,
};
