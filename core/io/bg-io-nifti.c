// SPDX-License-Identifier: Apache-2.0
// NIfTI-1 and NIfTI-2, single files and pairs. Field offsets and rules: nifti1.h and nifti2.h of
// the standard (nifti.nimh.nih.gov).
#include "bg-io-bytes.h"
#include "bg-io-nifti-private.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-json.h"

#include <string.h>

#define MAX_EXTENSIONS (4u << 20) // bytes looked through for our provenance
#define FORMS_DIFFER_MM 0.1       // float32 quaternions are good for some 0.01 mm
#define LARGEST_VOXEL_MM 100.0    // a header in metres that claims more means millimetres

// The header's first number is its own length, in the byte order of the file.
static int
find_version(const guint8 *bytes, gsize n_bytes, gboolean *big)
{
    for (int b = 0; b < 2 && n_bytes >= 4; b++) {
        *big = b;
        if (bg_bytes_get32(bytes, b) == BG_NIFTI1_HEADER)
            return 1;
        if (bg_bytes_get32(bytes, b) == BG_NIFTI2_HEADER)
            return 2;
    }
    return 0;
}

static gboolean
nifti_sniff(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    gboolean big;
    int version = find_version(bytes, n_bytes, &big);

    if (version == 2)
        return n_bytes < 8 || memcmp(bytes + 4, "n+2", 4) == 0 || memcmp(bytes + 4, "ni2", 4) == 0;
    // Version 1 without its magic gets an error that says so, from us.
    return version == 1;
}

static void
parse_nifti1(const guint8 *b, BgNiftiHeader *h)
{
    gboolean big = h->big_endian;

    for (int i = 0; i < 8; i++) {
        h->dim[i] = (gint16) bg_bytes_get16(b + 40 + 2 * i, big);
        h->pixdim[i] = bg_bytes_get_float(b + 76 + 4 * i, big);
    }
    h->intent_code = (gint16) bg_bytes_get16(b + 68, big);
    h->datatype = (gint16) bg_bytes_get16(b + 70, big);
    h->bitpix = (gint16) bg_bytes_get16(b + 72, big);
    h->vox_offset = bg_bytes_get_float(b + 108, big);
    h->scl_slope = bg_bytes_get_float(b + 112, big);
    h->scl_inter = bg_bytes_get_float(b + 116, big);
    h->xyzt_units = b[123];
    memcpy(h->descrip, b + 148, 80);
    h->qform_code = (gint16) bg_bytes_get16(b + 252, big);
    h->sform_code = (gint16) bg_bytes_get16(b + 254, big);
    for (int i = 0; i < 3; i++) {
        h->quatern[i] = bg_bytes_get_float(b + 256 + 4 * i, big);
        h->qoffset[i] = bg_bytes_get_float(b + 268 + 4 * i, big);
        for (int c = 0; c < 4; c++)
            h->srow[i][c] = bg_bytes_get_float(b + 280 + 16 * i + 4 * c, big);
    }
}

static void
parse_nifti2(const guint8 *b, BgNiftiHeader *h)
{
    gboolean big = h->big_endian;

    h->datatype = (gint16) bg_bytes_get16(b + 12, big);
    h->bitpix = (gint16) bg_bytes_get16(b + 14, big);
    for (int i = 0; i < 8; i++) {
        h->dim[i] = (gint64) bg_bytes_get64(b + 16 + 8 * i, big);
        h->pixdim[i] = bg_bytes_get_double(b + 104 + 8 * i, big);
    }
    h->vox_offset = (double) (gint64) bg_bytes_get64(b + 168, big);
    h->scl_slope = bg_bytes_get_double(b + 176, big);
    h->scl_inter = bg_bytes_get_double(b + 184, big);
    memcpy(h->descrip, b + 240, 80);
    h->qform_code = (gint32) bg_bytes_get32(b + 344, big);
    h->sform_code = (gint32) bg_bytes_get32(b + 348, big);
    for (int i = 0; i < 3; i++) {
        h->quatern[i] = bg_bytes_get_double(b + 352 + 8 * i, big);
        h->qoffset[i] = bg_bytes_get_double(b + 376 + 8 * i, big);
        for (int c = 0; c < 4; c++)
            h->srow[i][c] = bg_bytes_get_double(b + 400 + 32 * i + 8 * c, big);
    }
    h->xyzt_units = (gint32) bg_bytes_get32(b + 500, big);
    h->intent_code = (gint32) bg_bytes_get32(b + 504, big);
}

static gboolean
check_magic(const guint8 *bytes, BgNiftiHeader *h, GError **error)
{
    const guint8 *magic = h->version == 1 ? bytes + 344 : bytes + 4;
    const char *single = h->version == 1 ? "n+1" : "n+2", *pair = h->version == 1 ? "ni1" : "ni2";

    h->pair = memcmp(magic, pair, 4) == 0;
    if (h->pair || memcmp(magic, single, 4) == 0)
        return TRUE;

    g_autofree char *shown = g_strndup((const char *) magic, 4);
    for (char *c = shown; *c != '\0'; c++)
        *c = g_ascii_isprint(*c) ? *c : '?';
    g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                _("the header has the length of a NIfTI one, but its magic is “%s” instead of "
                  "“%s” or “%s”: it is damaged, or an Analyze file, which does not say left from "
                  "right. Convert it with the program that wrote it"),
                shown, single, pair);
    return FALSE;
}

static gboolean
read_header(BgSource *source, BgNiftiHeader *h, GError **error)
{
    guint8 bytes[BG_NIFTI2_HEADER];

    memset(h, 0, sizeof *h);
    if (!bg_source_read(source, bytes, 4, error))
        return FALSE;
    h->version = find_version(bytes, 4, &h->big_endian);
    if (h->version == 0) {
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("the header's length is %u, which is no NIfTI header. Get the file again"),
                    bg_bytes_get32(bytes, FALSE));
        return FALSE;
    }
    gsize length = h->version == 1 ? BG_NIFTI1_HEADER : BG_NIFTI2_HEADER;
    if (!bg_source_read(source, bytes + 4, length - 4, error))
        return FALSE;
    if (!check_magic(bytes, h, error))
        return FALSE;
    if (h->version == 1)
        parse_nifti1(bytes, h);
    else
        parse_nifti2(bytes, h);
    return TRUE;
}

// datatype codes of the standard
static const struct {
    int code;
    int bits;
    const char *name;
    BgRawType type;
    int n_components;
    BgRawMeaning meaning;
} datatypes[] = {
    { 2, 8, "uint8", BG_RAW_UINT8, 1, BG_RAW_SCALAR },
    { 4, 16, "int16", BG_RAW_INT16, 1, BG_RAW_SCALAR },
    { 8, 32, "int32", BG_RAW_INT32, 1, BG_RAW_SCALAR },
    { 16, 32, "float32", BG_RAW_FLOAT32, 1, BG_RAW_SCALAR },
    { 32, 64, "complex64", BG_RAW_FLOAT32, 2, BG_RAW_COMPLEX },
    { 64, 64, "float64", BG_RAW_FLOAT64, 1, BG_RAW_SCALAR },
    { 128, 24, "rgb24", BG_RAW_UINT8, 3, BG_RAW_COLOUR },
    { 256, 8, "int8", BG_RAW_INT8, 1, BG_RAW_SCALAR },
    { 512, 16, "uint16", BG_RAW_UINT16, 1, BG_RAW_SCALAR },
    { 768, 32, "uint32", BG_RAW_UINT32, 1, BG_RAW_SCALAR },
    { 1024, 64, "int64", BG_RAW_INT64, 1, BG_RAW_SCALAR },
    { 1280, 64, "uint64", BG_RAW_UINT64, 1, BG_RAW_SCALAR },
    { 1792, 128, "complex128", BG_RAW_FLOAT64, 2, BG_RAW_COMPLEX },
    { 2304, 32, "rgba32", BG_RAW_UINT8, 4, BG_RAW_COLOUR },
};

static gboolean
choose_datatype(const BgNiftiHeader *h, BgFileInfo *info, BgRawLayout *layout, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(datatypes); i++) {
        if (datatypes[i].code != h->datatype)
            continue;
        info->datatype = datatypes[i].name;
        info->n_components = datatypes[i].n_components;
        layout->type = datatypes[i].type;
        layout->n_components = datatypes[i].n_components;
        layout->meaning = datatypes[i].meaning;
        layout->big_endian = h->big_endian;
        if (h->bitpix != datatypes[i].bits)
            bg_file_info_warn(info, _("The header says %d bits a voxel; its type %s has %d"),
                              h->bitpix, datatypes[i].name, datatypes[i].bits);
        return TRUE;
    }
    if (h->datatype == 1536 || h->datatype == 2048)
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("its voxels are of type %s, which bregma does not read. Convert it to "
                      "float64 or complex128"),
                    h->datatype == 1536 ? "float128" : "complex256");
    else if (h->datatype == 1)
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("its voxels are single bits, which bregma does not read. Convert "
                              "it to uint8"));
    else
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("its type of voxel is %d, which NIfTI does not know: the header is damaged. "
                      "Get the file again"),
                    h->datatype);
    return FALSE;
}

static gboolean
choose_dims(const BgNiftiHeader *h, BgFileInfo *info, GError **error)
{
    gint64 n_frames = 1;

    if (h->dim[0] < 1 || h->dim[0] > 7) {
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("the header says %" G_GINT64_FORMAT " dimensions; NIfTI has 1 to 7. Get the "
                      "file again"),
                    h->dim[0]);
        return FALSE;
    }
    for (int i = 1; i <= 7; i++) {
        gint64 size = i <= h->dim[0] ? h->dim[i] : 1;
        gint64 most = i <= 3 ? BG_VOLUME_MAX_DIM : G_MAXINT;
        if (size < 1 || size > most || (i > 3 && n_frames > G_MAXINT / size)) {
            g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                        _("the header says %" G_GINT64_FORMAT " voxels along dimension %d; it may "
                          "be 1 to %" G_GINT64_FORMAT ". Get the file again"),
                        size, i, most);
            return FALSE;
        }
        if (i <= 3)
            info->dims[i - 1] = (int) size;
        else
            n_frames *= size;
    }
    info->n_frames = (int) n_frames;
    return TRUE;
}

static void
choose_scale(const BgNiftiHeader *h, BgFileInfo *info, BgRawLayout *layout)
{
    layout->slope = 1.0;
    layout->intercept = 0.0;
    // "If the scl_slope field is nonzero, then each voxel value should be scaled"; never colours.
    if (layout->meaning == BG_RAW_COLOUR || !isfinite(h->scl_slope) || h->scl_slope == 0.0)
        return;
    layout->slope = h->scl_slope;
    if (isfinite(h->scl_inter))
        layout->intercept = h->scl_inter;
    else
        bg_file_info_warn(info, _("The header's scl_inter is not a number; 0 is taken"));
}

// Distances of voxels: never 0 and never negative, whatever the header says.
static double
pixdim_of(const BgNiftiHeader *h, int axis, BgFileInfo *info)
{
    double size = fabs(h->pixdim[axis]);

    if (isfinite(size) && size > 0.0)
        return size;
    if (info != NULL && axis <= h->dim[0])
        bg_file_info_warn(info, _("The header's voxel size along axis %d is %g; 1 is taken"), axis,
                          h->pixdim[axis]);
    return 1.0;
}

BgAffine
bg_nifti_from_ras(const BgAffine *ras_from_voxel)
{
    BgAffine flip = bg_affine_lps_ras_flip();

    return bg_affine_multiply(&flip, ras_from_voxel);
}

BgAffine
bg_nifti_quaternion_affine(const BgNiftiHeader *h)
{
    double b = h->quatern[0], c = h->quatern[1], d = h->quatern[2];
    double a = 1.0 - (b * b + c * c + d * d);

    if (a < 1e-7) { // a rotation by 180 degrees, or rounding: make it a unit quaternion
        double length = sqrt(b * b + c * c + d * d);
        a = 0.0;
        b /= length;
        c /= length;
        d /= length;
    } else {
        a = sqrt(a);
    }
    double x = pixdim_of(h, 1, NULL), y = pixdim_of(h, 2, NULL), z = pixdim_of(h, 3, NULL);
    if (h->pixdim[0] < 0.0)
        z = -z; // qfac
    return bg_affine_from_columns(bg_vec3((a * a + b * b - c * c - d * d) * x,
                                          2 * (b * c + a * d) * x, 2 * (b * d - a * c) * x),
                                  bg_vec3(2 * (b * c - a * d) * y,
                                          (a * a + c * c - b * b - d * d) * y,
                                          2 * (c * d + a * b) * y),
                                  bg_vec3(2 * (b * d + a * c) * z, 2 * (c * d - a * b) * z,
                                          (a * a + d * d - b * b - c * c) * z),
                                  bg_vec3(h->qoffset[0], h->qoffset[1], h->qoffset[2]));
}

// Method 1 of the standard says nothing about the patient. As Analyze's readers do: the first
// voxel is the patient's right-most as a radiologist sees it, and the grid's middle is 0.
static BgAffine
unknown_affine(const BgNiftiHeader *h, const BgFileInfo *info)
{
    double x = pixdim_of(h, 1, NULL), y = pixdim_of(h, 2, NULL), z = pixdim_of(h, 3, NULL);

    return bg_affine_from_columns(bg_vec3(-x, 0, 0), bg_vec3(0, y, 0), bg_vec3(0, 0, z),
                                  bg_vec3(0.5 * x * (info->dims[0] - 1),
                                          -0.5 * y * (info->dims[1] - 1),
                                          -0.5 * z * (info->dims[2] - 1)));
}

// A picture of one slice may leave its normal out.
static void
complete_flat(BgAffine *a, const BgFileInfo *info)
{
    BgVec3 k = bg_affine_column(a, 2);

    if (info->dims[2] > 1 || bg_vec3_length(k) > 0.0)
        return;
    k = bg_vec3_normalize(bg_vec3_cross(bg_affine_column(a, 0), bg_affine_column(a, 1)));
    for (int row = 0; row < 3; row++)
        a->m[row][2] = bg_vec3_get(k, row);
}

// metre 1, mm 2, micron 3: in how many millimetres the header counts
static double
unit_in_mm(const BgNiftiHeader *h, BgFileInfo *info)
{
    int unit = h->xyzt_units & 7;
    double largest = 0.0;

    for (int axis = 1; axis <= 3; axis++)
        largest = fmax(largest, pixdim_of(h, axis, info));
    if (unit == 1 && largest * 1000.0 > LARGEST_VOXEL_MM) {
        bg_file_info_warn(info,
                          _("The header says metres, which would make voxels of %g mm; "
                            "millimetres are taken"),
                          largest * 1000.0);
        return 1.0;
    }
    if (unit == 1 || unit == 3)
        bg_file_info_warn(info, _("The header's lengths are in %s; they are turned into mm"),
                          unit == 1 ? "m" : "µm");
    return unit == 1 ? 1000.0 : unit == 3 ? 0.001 : 1.0;
}

static BgGeometry
make_geometry(const BgFileInfo *info, BgAffine ras_from_voxel, double unit_mm)
{
    BgGeometry geometry;

    memcpy(geometry.dims, info->dims, sizeof geometry.dims);
    for (int row = 0; row < 3; row++) {
        for (int column = 0; column < 4; column++)
            ras_from_voxel.m[row][column] *= unit_mm;
    }
    complete_flat(&ras_from_voxel, info);
    geometry.patient_from_voxel = bg_nifti_from_ras(&ras_from_voxel);
    return geometry;
}

// The standard: the sform where its code is over 0, else the qform, else nothing is known.
static gboolean
choose_geometry(const BgNiftiHeader *h, BgFileInfo *info, GError **error)
{
    double unit_mm = unit_in_mm(h, info);
    BgAffine srow, quaternion = bg_nifti_quaternion_affine(h);

    memcpy(srow.m, h->srow, sizeof srow.m);
    BgGeometry sform = make_geometry(info, srow, unit_mm);
    BgGeometry qform = make_geometry(info, quaternion, unit_mm);
    gboolean has_sform = h->sform_code > 0, has_qform = h->qform_code > 0;
    gboolean good_sform = has_sform && bg_geometry_check(&sform, NULL);
    gboolean good_qform = has_qform && bg_geometry_check(&qform, NULL);

    if (has_sform && !good_sform)
        bg_file_info_warn(info, _("The sform is unusable: two of its axes are parallel, or it is "
                                  "not a number"));
    if (has_qform && !good_qform)
        bg_file_info_warn(info, _("The qform is unusable: it is not a number"));

    info->has_geometry = TRUE;
    info->side_known = good_sform || good_qform;
    if (good_sform) {
        info->geometry = sform;
        info->geometry_name = "sform";
    } else if (good_qform) {
        info->geometry = qform;
        info->geometry_name = "qform";
    } else {
        info->geometry = make_geometry(info, unknown_affine(h, info), unit_mm);
        info->geometry_name = "pixdim";
        bg_file_info_warn(info, _("Side unknown: the file does not say where left and right are "
                                  "(sform and qform are unset); the first voxel is taken to be "
                                  "the patient's right, posterior, inferior"));
    }
    if (good_sform && good_qform && !bg_geometry_equal(&sform, &qform, FORMS_DIFFER_MM)) {
        info->has_alternative_geometry = TRUE;
        info->alternative_geometry = qform;
        info->alternative_name = "qform";
        bg_file_info_warn(info, _("sform and qform differ: the sform is taken, as the standard "
                                  "says. Check the position against another image"));
    }
    return bg_geometry_check(&info->geometry, error);
}

static void
choose_frame_spacing(const BgNiftiHeader *h, BgFileInfo *info)
{
    static const struct {
        int code;
        double factor;
        const char *unit;
    } units[] = { { 8, 1, "s" },   { 16, 1e-3, "s" }, { 24, 1e-6, "s" },
                  { 32, 1, "Hz" }, { 40, 1, "ppm" },  { 48, 1, "rad/s" } };

    if (h->dim[0] < 4 || !isfinite(h->pixdim[4]))
        return;
    for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
        if ((h->xyzt_units & 0x38) == units[i].code) {
            info->frame_spacing = fabs(h->pixdim[4]) * units[i].factor;
            info->frame_unit = units[i].unit;
        }
    }
}

// Our own extension is a comment that is a JSON object with our name in it.
static char *
find_provenance(const guint8 *bytes, gsize n_bytes, gboolean big)
{
    for (gsize at = 4; n_bytes >= 4 && bytes[0] != 0 && at + 8 <= n_bytes;) {
        gsize size = bg_bytes_get32(bytes + at, big), code = bg_bytes_get32(bytes + at + 4, big);
        if (size < 8 || size > n_bytes - at)
            return NULL;
        if (code == BG_NIFTI_CODE_COMMENT && bytes[at + 8] == '{') {
            g_autofree char *text = g_strndup((const char *) bytes + at + 8, size - 8);
            g_autoptr(BgJson) json = bg_json_parse(text, -1, NULL);
            if (json != NULL)
                return g_steal_pointer(&text);
        }
        at += size;
    }
    return NULL;
}

// Between header and voxels. Returns FALSE only when the file cannot be read there.
static gboolean
read_extensions(BgSource *source, const BgNiftiHeader *h, guint64 end, BgFileInfo *info,
                GError **error)
{
    guint64 start = bg_source_get_position(source);
    gsize n_bytes = end > start ? (gsize) MIN(end - start, MAX_EXTENSIONS) : 0;

    if (n_bytes < 4)
        return TRUE;
    g_autofree guint8 *bytes = g_try_malloc(n_bytes);
    if (bytes == NULL)
        return TRUE;
    gssize n = bg_source_read_some(source, bytes, n_bytes, error);
    if (n < 0)
        return FALSE;
    info->provenance = find_provenance(bytes, (gsize) n, h->big_endian);
    return TRUE;
}

static gboolean
choose_first_byte(const BgNiftiHeader *h, BgFileInfo *info, BgRawLayout *layout, GError **error)
{
    gsize least = h->pair ? 0 : (h->version == 1 ? BG_NIFTI1_HEADER : BG_NIFTI2_HEADER) + 4;
    double offset = h->vox_offset;

    if (!isfinite(offset) || offset < 0.0 || offset > 0x1p53) {
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("the header says that the voxels begin at byte %g. Get the file again"),
                    offset);
        return FALSE;
    }
    layout->first_byte = MAX((guint64) offset, least);
    if (offset > 0.0 && (guint64) offset < least)
        bg_file_info_warn(info,
                          _("The header says that the voxels begin at byte %g, inside the "
                            "header; byte %zu is taken"),
                          offset, least);
    return TRUE;
}

// The format has no place for modality and unit; our writer puts them behind our name.
static void
recall_modality(const char *description, BgFileInfo *info)
{
    g_auto(GStrv) words = g_strsplit(description, " ", -1);

    if (g_strv_length(words) == 4 && strcmp(words[0], "bregma") == 0)
        bg_file_info_set_modality(info, words[2], words[3]);
}

static void
describe(const BgNiftiHeader *h, BgFileInfo *info)
{
    g_autofree char *text = g_utf8_make_valid(h->descrip, -1);

    recall_modality(text, info);
    if (*g_strstrip(text) != '\0')
        info->description = g_steal_pointer(&text);
    info->kind = h->intent_code == BG_NIFTI_INTENT_LABEL ? BG_KIND_LABELS : BG_KIND_VOLUME;
    info->kind_stated = info->kind == BG_KIND_LABELS;
    if (!info->kind_stated && info->n_components == 1 && bg_io_has_label_name(info->path))
        info->kind = BG_KIND_LABELS;
    if (info->kind == BG_KIND_LABELS)
        bg_file_info_set_modality(info, "SEG", "");
}

// Header, extensions and what they say; the source is left open behind them.
static BgSource *
open_and_parse(const char *path, BgNiftiHeader *h, BgRawLayout *layout, BgFileInfo *info,
               GCancellable *cancellable, GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_AUTO, cancellable, error);

    memset(layout, 0, sizeof *layout);
    if (source == NULL || !read_header(source, h, error))
        return NULL;
    info->format = h->version == 1 ? BG_FORMAT_NIFTI1 : BG_FORMAT_NIFTI2;
    if (!choose_datatype(h, info, layout, error) || !choose_dims(h, info, error) ||
        !choose_first_byte(h, info, layout, error) || !choose_geometry(h, info, error))
        return NULL;
    choose_scale(h, info, layout);
    choose_frame_spacing(h, info);
    describe(h, info);
    guint64 end = h->pair ? bg_source_get_limit(source) : layout->first_byte;
    if (!read_extensions(source, h, MIN(end, bg_source_get_limit(source)), info, error))
        return NULL;
    return g_steal_pointer(&source);
}

// X.hdr has its voxels in X.img, X.hdr.gz in X.img.gz; where that is not there, packed or unpacked
// alone is the other. No other name is ever tried.
char *
bg_nifti_find_image_of_pair(const char *path, GError **error)
{
    gboolean packed = g_str_has_suffix(path, ".gz");
    g_autofree char *bare = packed ? g_strndup(path, strlen(path) - 3) : g_strdup(path);

    if (g_str_has_suffix(bare, ".hdr"))
        bare[strlen(bare) - 4] = '\0';
    g_autofree char *plain_name = g_strconcat(bare, ".img", NULL);
    g_autofree char *packed_name = g_strconcat(bare, ".img.gz", NULL);
    const char *names[] = { packed ? packed_name : plain_name, packed ? plain_name : packed_name };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_file_test(names[i], G_FILE_TEST_EXISTS))
            return g_strdup(names[i]);
    }
    g_autofree char *shown = g_filename_display_name(names[0]);
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                _("this is the header of a pair, and the file with the voxels, “%s”, is not "
                  "beside it. Copy it there"),
                shown);
    return NULL;
}

static BgFileInfo *
nifti_probe(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgFileInfo) info = bg_file_info_new(path);
    BgNiftiHeader h;
    BgRawLayout layout;
    g_autoptr(BgSource) source = open_and_parse(path, &h, &layout, info, cancellable, error);

    return source != NULL ? g_steal_pointer(&info) : NULL;
}

static BgLoaded *
nifti_load(const char *path, const BgLoadParams *params, const BgProgress *progress,
           GCancellable *cancellable, GError **error)
{
    g_autoptr(BgFileInfo) info = bg_file_info_new(path);
    BgNiftiHeader h;
    BgRawLayout layout;
    g_autoptr(BgSource) source = open_and_parse(path, &h, &layout, info, cancellable, error);

    if (source == NULL)
        return NULL;
    if (h.pair) {
        g_autofree char *image = bg_nifti_find_image_of_pair(path, error);
        g_clear_pointer(&source, bg_source_free);
        if (image != NULL)
            source = bg_source_open(image, 0, BG_SOURCE_AUTO, cancellable, error);
        if (source == NULL)
            return NULL;
    }
    return bg_raw_load(source, &layout, g_steal_pointer(&info), params, progress, error);
}

const BgReader bg_reader_nifti = {
    .name = "NIfTI",
    .sniff = nifti_sniff,
    .probe = nifti_probe,
    .load = nifti_load,
};
