// SPDX-License-Identifier: Apache-2.0
#include "bg-io-grid.h"
#include "bg-io-nifti-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define XFORM_SCANNER 1 // "scanner-based anatomical coordinates"

gboolean
bg_nifti_quaternion_from_affine(const BgAffine *a, double quatern[3], double *qfac)
{
    BgVec3 i = bg_vec3_normalize(bg_affine_column(a, 0));
    BgVec3 j = bg_vec3_normalize(bg_affine_column(a, 1));
    BgVec3 k = bg_vec3_normalize(bg_affine_column(a, 2));

    if (fabs(bg_vec3_dot(i, j)) > 1e-4 || fabs(bg_vec3_dot(i, k)) > 1e-4 ||
        fabs(bg_vec3_dot(j, k)) > 1e-4)
        return FALSE;
    *qfac = bg_vec3_dot(bg_vec3_cross(i, j), k) < 0.0 ? -1.0 : 1.0;
    k = bg_vec3_scale(k, *qfac);

    // The largest of the four first, so that nothing is divided by a small number.
    double w[4] = { 1 + i.x + j.y + k.z, 1 + i.x - j.y - k.z, 1 - i.x + j.y - k.z,
                    1 - i.x - j.y + k.z };
    int most = 0;
    for (int n = 1; n < 4; n++)
        most = w[n] > w[most] ? n : most;
    double s = 0.5 / sqrt(w[most]), q[4];
    if (most == 0) {
        q[0] = w[0] * s, q[1] = (j.z - k.y) * s, q[2] = (k.x - i.z) * s, q[3] = (i.y - j.x) * s;
    } else if (most == 1) {
        q[0] = (j.z - k.y) * s, q[1] = w[1] * s, q[2] = (j.x + i.y) * s, q[3] = (k.x + i.z) * s;
    } else if (most == 2) {
        q[0] = (k.x - i.z) * s, q[1] = (j.x + i.y) * s, q[2] = w[2] * s, q[3] = (k.y + j.z) * s;
    } else {
        q[0] = (i.y - j.x) * s, q[1] = (k.x + i.z) * s, q[2] = (k.y + j.z) * s, q[3] = w[3] * s;
    }
    for (int n = 0; n < 3; n++)
        quatern[n] = q[0] < 0.0 ? -q[n + 1] : q[n + 1];
    return TRUE;
}

static void
put16(guint8 *to, int value)
{
    guint16 bits = GUINT16_TO_LE((guint16) value);
    memcpy(to, &bits, sizeof bits);
}

static void
put32(guint8 *to, int value)
{
    guint32 bits = GUINT32_TO_LE((guint32) value);
    memcpy(to, &bits, sizeof bits);
}

static void
put64(guint8 *to, gint64 value)
{
    guint64 bits = GUINT64_TO_LE((guint64) value);
    memcpy(to, &bits, sizeof bits);
}

static void
put_float(guint8 *to, double value)
{
    float single = (float) value;
    guint32 bits;
    memcpy(&bits, &single, sizeof bits);
    put32(to, (int) bits);
}

static void
put_double(guint8 *to, double value)
{
    guint64 bits;
    memcpy(&bits, &value, sizeof bits);
    put64(to, (gint64) bits);
}

static int
datatype_code(BgRawType type)
{
    switch (type) {
    case BG_RAW_UINT8:
        return 2;
    case BG_RAW_INT8:
        return 256;
    case BG_RAW_INT16:
        return 4;
    case BG_RAW_UINT16:
        return 512;
    case BG_RAW_INT32:
        return 8;
    case BG_RAW_UINT32:
        return 768;
    case BG_RAW_INT64:
        return 1024;
    case BG_RAW_UINT64:
        return 1280;
    case BG_RAW_FLOAT32:
        return 16;
    case BG_RAW_FLOAT64:
        break;
    }
    return 64;
}

static void
fill_header(const BgGrid *grid, BgNiftiHeader *h)
{
    BgAffine flip = bg_affine_lps_ras_flip();
    BgAffine ras = bg_affine_multiply(&flip, &grid->geometry.patient_from_voxel);
    BgVec3 spacing = bg_geometry_spacing_mm(&grid->geometry);
    double qfac = 1.0;

    memset(h, 0, sizeof *h);
    h->version = 1;
    h->dim[0] = grid->n_frames > 1 ? 4 : 3;
    for (int i = 0; i < 3; i++) {
        h->dim[i + 1] = grid->geometry.dims[i];
        h->pixdim[i + 1] = bg_vec3_get(spacing, i);
        h->qoffset[i] = ras.m[i][3];
    }
    h->dim[4] = (gint64) grid->n_frames;
    h->dim[5] = h->dim[6] = h->dim[7] = 1;
    h->pixdim[4] = grid->params->frame_spacing_s;
    for (int i = 1; i < 5; i++)
        h->version = h->dim[i] > G_MAXINT16 ? 2 : h->version;

    h->qform_code = bg_nifti_quaternion_from_affine(&ras, h->quatern, &qfac) ? XFORM_SCANNER : 0;
    h->pixdim[0] = qfac;
    h->sform_code = XFORM_SCANNER;
    memcpy(h->srow, ras.m, sizeof h->srow);
    h->datatype = datatype_code(grid->type);
    h->bitpix = (int) bg_raw_type_size(grid->type) * 8;
    h->scl_slope = grid->slope;
    h->scl_inter = grid->intercept;
    h->intent_code = grid->params->labels ? BG_NIFTI_INTENT_LABEL : 0;
    h->xyzt_units = BG_NIFTI_UNITS_MM_S;
    if (grid->params->description != NULL)
        g_strlcpy(h->descrip, grid->params->description, 80);
    else
        g_snprintf(h->descrip, 80, "bregma %s %s %s", BG_VERSION,
                   grid->params->modality != NULL ? grid->params->modality : "",
                   grid->params->unit != NULL ? grid->params->unit : "");
}

static void
encode_nifti1(const BgNiftiHeader *h, guint8 *b)
{
    put32(b, BG_NIFTI1_HEADER);
    b[38] = 'r';
    for (int i = 0; i < 8; i++) {
        put16(b + 40 + 2 * i, (int) h->dim[i]);
        put_float(b + 76 + 4 * i, h->pixdim[i]);
    }
    put16(b + 68, h->intent_code);
    put16(b + 70, h->datatype);
    put16(b + 72, h->bitpix);
    put_float(b + 108, h->vox_offset);
    put_float(b + 112, h->scl_slope);
    put_float(b + 116, h->scl_inter);
    b[123] = (guint8) h->xyzt_units;
    memcpy(b + 148, h->descrip, 80);
    put16(b + 252, h->qform_code);
    put16(b + 254, h->sform_code);
    for (int i = 0; i < 3; i++) {
        put_float(b + 256 + 4 * i, h->quatern[i]);
        put_float(b + 268 + 4 * i, h->qoffset[i]);
        for (int c = 0; c < 4; c++)
            put_float(b + 280 + 16 * i + 4 * c, h->srow[i][c]);
    }
    memcpy(b + 344, "n+1", 4);
}

static void
encode_nifti2(const BgNiftiHeader *h, guint8 *b)
{
    put32(b, BG_NIFTI2_HEADER);
    memcpy(b + 4, "n+2\0\r\n\032\n", 8);
    put16(b + 12, h->datatype);
    put16(b + 14, h->bitpix);
    for (int i = 0; i < 8; i++) {
        put64(b + 16 + 8 * i, h->dim[i]);
        put_double(b + 104 + 8 * i, h->pixdim[i]);
    }
    put64(b + 168, (gint64) h->vox_offset);
    put_double(b + 176, h->scl_slope);
    put_double(b + 184, h->scl_inter);
    memcpy(b + 240, h->descrip, 80);
    put32(b + 344, h->qform_code);
    put32(b + 348, h->sform_code);
    for (int i = 0; i < 3; i++) {
        put_double(b + 352 + 8 * i, h->quatern[i]);
        put_double(b + 376 + 8 * i, h->qoffset[i]);
        for (int c = 0; c < 4; c++)
            put_double(b + 400 + 32 * i + 8 * c, h->srow[i][c]);
    }
    put32(b + 500, h->xyzt_units);
    put32(b + 504, h->intent_code);
}

// Header, extension flag, and the provenance as a comment padded to 16 bytes.
static GByteArray *
encode(BgNiftiHeader *h, const char *provenance)
{
    gsize n_header = h->version == 1 ? BG_NIFTI1_HEADER : BG_NIFTI2_HEADER;
    gsize n_text = provenance != NULL ? strlen(provenance) : 0;
    gsize n_extension = n_text > 0 ? (8 + n_text + 1 + 15) / 16 * 16 : 0;
    gsize n_all = (n_header + 4 + n_extension + 15) / 16 * 16;
    GByteArray *bytes = g_byte_array_new();

    g_byte_array_set_size(bytes, (guint) n_all);
    memset(bytes->data, 0, n_all);
    h->vox_offset = (double) n_all;
    if (h->version == 1)
        encode_nifti1(h, bytes->data);
    else
        encode_nifti2(h, bytes->data);
    if (n_text > 0) {
        guint8 *extension = bytes->data + n_header + 4;
        bytes->data[n_header] = 1;
        put32(extension, (int) n_extension);
        put32(extension + 4, BG_NIFTI_CODE_COMMENT);
        memcpy(extension + 8, provenance, n_text);
    }
    return bytes;
}

gboolean
bg_grid_write_nifti(const BgGrid *grid, const char *path, const BgProgress *progress,
                    GCancellable *cancellable, GError **error)
{
    BgNiftiHeader h;
    const char *provenance = grid->params->provenance;

    if (provenance != NULL && strlen(provenance) > 1u << 20) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("The provenance is longer than 1 MiB, which a NIfTI header cannot "
                              "hold. Save as .nrrd"));
        return FALSE;
    }
    fill_header(grid, &h);
    g_autoptr(GByteArray) header = encode(&h, provenance);
    gboolean gzip = g_str_has_suffix(path, "z") || g_str_has_suffix(path, "Z");
    g_autoptr(BgSink) sink =
        bg_sink_new(path, grid->params->force, gzip ? BG_SINK_GZIP : BG_SINK_PLAIN, error);

    return sink != NULL && bg_sink_write(sink, header->data, header->len, NULL, NULL, error) &&
           bg_grid_write_frames(grid, sink, progress, cancellable, error) &&
           bg_sink_finish(sink, error);
}
