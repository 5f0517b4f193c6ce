// SPDX-License-Identifier: Apache-2.0
#include "bg-dicom-write.h"

#include "bg-dicom-encode.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>
#include <string.h>

#define TAG BG_DICOM_TAG
#define SOP_SC "1.2.840.10008.5.1.4.1.1.7"
#define SOP_SC_GREY_BYTE "1.2.840.10008.5.1.4.1.1.7.2"
#define SOP_SC_GREY_WORD "1.2.840.10008.5.1.4.1.1.7.3"
#define SOP_SC_COLOUR "1.2.840.10008.5.1.4.1.1.7.4"
#define SOP_STL "1.2.840.10008.5.1.4.1.1.104.3"
#define STL_HEADER 84
#define STL_TRIANGLE 50

static GBytes *
finish(BgDcmEncoder *e)
{
    return g_byte_array_free_to_bytes(g_steal_pointer(&e->bytes));
}

static gboolean
check_images(BgImage *const *images, gsize n_images, GError **error)
{
    if (n_images == 0 || n_images > 65535) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("a DICOM file holds 1 to 65535 pictures, not %zu"), n_images);
        return FALSE;
    }
    const BgImageFormat *first = bg_image_get_format(images[0]);
    if (first->type == BG_PIXEL_FLOAT32) {
        g_set_error_literal(
            error, BG_ERROR, BG_ERROR_UNSUPPORTED,
            _("a picture of float pixels is not written as DICOM: window it first"));
        return FALSE;
    }
    for (gsize i = 1; i < n_images; i++) {
        if (memcmp(bg_image_get_format(images[i]), first, sizeof *first) != 0) {
            g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                        _("picture %zu differs in size or type from the first"), i + 1);
            return FALSE;
        }
    }
    return TRUE;
}

// A channel value of the file: alpha onto black, colour of 16 bits to 8.
static guint
get_sample(const BgImageFormat *format, gconstpointer pixels, gsize pixel, int channel,
           gboolean wide)
{
    gsize at = pixel * (gsize) format->n_channels;
    gboolean deep = format->type == BG_PIXEL_UINT16;
    guint full = deep ? 65535 : 255;
#define AT(i) (deep ? ((const guint16 *) pixels)[i] : ((const guint8 *) pixels)[i])
    guint value = AT(at + (gsize) channel);

    if (format->n_channels == 2 || format->n_channels == 4) {
        guint alpha = AT(at + (gsize) format->n_channels - 1);
        value = (guint) (((guint64) value * alpha + full / 2) / full);
    }
#undef AT
    return deep && !wide ? (value + 128) / 257 : value;
}

static gboolean
put_pixels(BgDcmEncoder *e, BgImage *const *images, gsize n_images, int n_samples, gboolean wide,
           GError **error)
{
    const BgImageFormat *format = bg_image_get_format(images[0]);
    gsize n = (gsize) format->width * (gsize) format->height;
    guint64 total = (guint64) n * (guint64) n_samples * (wide ? 2 : 1) * n_images;

    if (!bg_dcm_fits(total, error))
        return FALSE;
    bg_auto_buffer guint8 *out = bg_buffer_alloc((gsize) total, error);
    if (out == NULL)
        return FALSE;
    gsize at = 0;
    for (gsize f = 0; f < n_images; f++) {
        gconstpointer pixels = bg_image_get_pixels(images[f]);
        for (gsize i = 0; i < n; i++) {
            for (int c = 0; c < n_samples; c++) {
                guint value = get_sample(format, pixels, i, c, wide);
                out[at++] = (guint8) value;
                if (wide)
                    out[at++] = (guint8) (value >> 8);
            }
        }
    }
    bg_dcm_put_bytes(e, TAG(0x7fe0, 0x0010), wide ? "OW" : "OB", out, (gsize) total);
    return TRUE;
}

static void
put_frames(BgDcmEncoder *e, gsize n_images)
{
    g_autofree char *number = g_strdup_printf("%zu", n_images);

    if (n_images < 2)
        return;
    bg_dcm_put_text(e, TAG(0x0028, 0x0008), "IS", number);
    // Frames are told apart by their number (C.7.6.6).
    guint8 page[4] = { 0x18, 0x00, 0x01, 0x20 }; // (0018,2001) Page Number Vector
    bg_dcm_put_bytes(e, TAG(0x0028, 0x0009), "AT", page, 4);
}

GBytes *
bg_dicom_make_sc(BgImage *const *images, gsize n_images, const BgDicomWriteParams *params,
                 GError **error)
{
    g_auto(BgDcmEncoder) e = { 0 };
    g_auto(BgDcmObject)
        object = { .modality = "OT", .image_type = "DERIVED\\SECONDARY", .params = params };
    double spacing[2];

    if (!check_images(images, n_images, error))
        return NULL;
    const BgImageFormat *format = bg_image_get_format(images[0]);
    int n_samples = format->n_channels >= 3 ? 3 : 1;
    gboolean wide = format->type == BG_PIXEL_UINT16 && n_samples == 1;
    object.sop_class = n_images == 1    ? SOP_SC
                       : n_samples == 3 ? SOP_SC_COLOUR
                       : wide           ? SOP_SC_GREY_WORD
                                        : SOP_SC_GREY_BYTE;
    bg_dcm_encoder_init(&e, params->seed);
    bg_dcm_put_start(&e, &object);
    bg_dcm_put_equipment(&e);
    if (n_images > 1) {
        g_autoptr(GString) pages = g_string_new(NULL);
        for (gsize i = 0; i < n_images && pages->len < 65000; i++)
            g_string_append_printf(pages, "%s%zu", i > 0 ? "\\" : "", i + 1);
        bg_dcm_put_bytes(&e, TAG(0x0018, 0x2001), "IS", pages->str, pages->len);
    }
    bg_dcm_put_relation(&e, &object, FALSE);
    bg_dcm_put_text(&e, TAG(0x0020, 0x0020), "CS", NULL);
    bg_dcm_put_us(&e, TAG(0x0028, 0x0002), n_samples);
    bg_dcm_put_text(&e, TAG(0x0028, 0x0004), "CS", n_samples == 3 ? "RGB" : "MONOCHROME2");
    if (n_samples == 3)
        bg_dcm_put_us(&e, TAG(0x0028, 0x0006), 0);
    put_frames(&e, n_images);
    bg_dcm_put_us(&e, TAG(0x0028, 0x0010), format->height);
    bg_dcm_put_us(&e, TAG(0x0028, 0x0011), format->width);
    if (bg_image_get_spacing_mm(images[0], spacing)) {
        double rows_first[2] = { spacing[1], spacing[0] };
        bg_dcm_put_ds(&e, TAG(0x0028, 0x0030), rows_first, 2);
    }
    bg_dcm_put_us(&e, TAG(0x0028, 0x0100), wide ? 16 : 8);
    bg_dcm_put_us(&e, TAG(0x0028, 0x0101), wide ? 16 : 8);
    bg_dcm_put_us(&e, TAG(0x0028, 0x0102), wide ? 15 : 7);
    bg_dcm_put_us(&e, TAG(0x0028, 0x0103), 0);
    bg_dcm_put_text(&e, TAG(0x0028, 0x0301), "CS", "YES"); // labels and marks may be drawn into it
    if (n_images > 1 && n_samples == 1) {
        double slope = 1.0, intercept = 0.0;
        bg_dcm_put_ds(&e, TAG(0x0028, 0x1052), &intercept, 1);
        bg_dcm_put_ds(&e, TAG(0x0028, 0x1053), &slope, 1);
        bg_dcm_put_text(&e, TAG(0x0028, 0x1054), "LO", "US");
    }
    bg_dcm_put_provenance(&e, &object);
    if (n_images > 1 && n_samples == 1)
        bg_dcm_put_text(&e, TAG(0x2050, 0x0020), "CS", "IDENTITY");
    if (!put_pixels(&e, images, n_images, n_samples, wide, error))
        return NULL;
    return finish(&e);
}

static void
append_floats(guint8 *to, const float *values)
{
    for (int i = 0; i < 3; i++) {
        guint32 bits;
        memcpy(&bits, &values[i], 4);
        bits = GUINT32_TO_LE(bits);
        memcpy(to + 4 * i, &bits, 4);
    }
}

static void
write_triangle(guint8 *to, const BgMeshData *data, gsize t)
{
    BgVec3 p[3];

    for (int c = 0; c < 3; c++) {
        const float *v = data->positions + 3 * (gsize) data->triangles[3 * t + (gsize) c];
        append_floats(to + 12 + 12 * c, v);
        p[c] = bg_vec3((double) v[0], (double) v[1], (double) v[2]);
    }
    BgVec3 normal =
        bg_vec3_normalize(bg_vec3_cross(bg_vec3_sub(p[1], p[0]), bg_vec3_sub(p[2], p[0])));
    float n[3] = { (float) normal.x, (float) normal.y, (float) normal.z };
    append_floats(to, n);
    to[48] = to[49] = 0;
}

GBytes *
bg_dicom_make_stl(BgMesh *mesh, const BgDicomWriteParams *params, GError **error)
{
    const BgMeshData *data = bg_mesh_get_data(mesh);
    g_auto(BgDcmEncoder) e = { 0 };
    g_auto(BgDcmObject) object = { .sop_class = SOP_STL, .modality = "M3D", .params = params };
    guint64 n_bytes = STL_HEADER + STL_TRIANGLE * (guint64) data->n_triangles;

    if (data->n_triangles == 0) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("an empty surface is not written as DICOM"));
        return NULL;
    }
    if (!bg_dcm_fits(n_bytes, error))
        return NULL;
    bg_auto_buffer guint8 *stl = bg_buffer_alloc((gsize) n_bytes, error);
    if (stl == NULL)
        return NULL;
    memset(stl, 0, STL_HEADER);
    memcpy(stl, "bregma LPS mm", 13);
    guint32 count = GUINT32_TO_LE((guint32) data->n_triangles);
    memcpy(stl + 80, &count, 4);
    for (gsize t = 0; t < data->n_triangles; t++)
        write_triangle(stl + STL_HEADER + STL_TRIANGLE * t, data, t);

    bg_dcm_encoder_init(&e, params->seed);
    bg_dcm_put_start(&e, &object);
    bg_dcm_put_equipment(&e);
    bg_dcm_put_relation(&e, &object, TRUE);
    bg_dcm_put_text(&e, TAG(0x0028, 0x0301), "CS", "NO");
    bg_dcm_put_provenance(&e, &object);
    bg_dcm_put_code(&e, TAG(0x0040, 0x08ea), "mm", "UCUM", "mm");
    bg_dcm_begin_sequence(&e, TAG(0x0040, 0xa043));
    bg_dcm_end_sequence(&e);
    bg_dcm_put_text(&e, TAG(0x0042, 0x0010), "ST", params->series_description);
    bg_dcm_put_bytes(&e, TAG(0x0042, 0x0011), "OB", stl, (gsize) n_bytes);
    bg_dcm_put_text(&e, TAG(0x0042, 0x0012), "LO", "model/stl");
    bg_dcm_put_ul(&e, TAG(0x0042, 0x0015), (guint32) n_bytes);
    return finish(&e);
}
