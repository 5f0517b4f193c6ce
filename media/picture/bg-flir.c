// SPDX-License-Identifier: Apache-2.0
// Radiometric JPEG of FLIR's cameras. Where the fields lie: the table "FLIR tags" of ExifTool's
// documentation (exiftool.org). The law: FLIR, "Toolkit IC2 dig16 user guide": a temperature T gives
// R1 / (R2 (exp(B / T) - F)) - O counts.
#include "bg-pictures-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/io/bg-image-io.h"
#include "core/io/bg-io-bytes.h"

#include <math.h>

#define HEADER 64
#define ENTRY 32
#define MAX_ENTRIES 256
#define RAW_HEADER 32
#define CAMERA_BYTES 0x310
#define CELSIUS 273.15 // K

enum { RECORD_RAW = 1, RECORD_CAMERA = 0x20 };

static gboolean
set_bad(const char *what, GError **error)
{
    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                // Translators: a part of the file's thermal data
                _("the thermal data of the picture are damaged (%s). Get the file again"), what);
    return FALSE;
}

// The first number of a record tells its byte order: it is a small one in the right order.
static gboolean
is_big(const guint8 *record)
{
    return bg_bytes_get16(record, FALSE) > 0xff;
}

static gboolean
take_camera(const guint8 *record, gsize n, BgFlir *flir, GError **error)
{
    gboolean big = n >= 2 && is_big(record);

    if (n < CAMERA_BYTES)
        return set_bad("camera", error);
    flir->emissivity = bg_bytes_get_float(record + 0x20, big);
    flir->distance_m = bg_bytes_get_float(record + 0x24, big);
    flir->reflected_k = bg_bytes_get_float(record + 0x28, big);
    flir->window_transmission = bg_bytes_get_float(record + 0x34, big);
    flir->r1 = bg_bytes_get_float(record + 0x58, big);
    flir->b = bg_bytes_get_float(record + 0x5c, big);
    flir->f = bg_bytes_get_float(record + 0x60, big);
    flir->o = (gint32) bg_bytes_get32(record + 0x308, big);
    flir->r2 = bg_bytes_get_float(record + 0x30c, big);
    if (!(flir->r1 > 0.0) || !(flir->r2 > 0.0) || !(flir->b > 0.0) || !isfinite(flir->f) ||
        !(flir->emissivity > 0.0 && flir->emissivity <= 1.0) || !(flir->reflected_k > 0.0))
        return set_bad("Planck", error);
    return TRUE;
}

// Samples in a PNG have their bytes the other way round than PNG wants.
static gboolean
take_png(const guint8 *bytes, gsize n, BgFlir *flir, GError **error)
{
    g_autoptr(GBytes) png = g_bytes_new_static(bytes, n);
    g_autoptr(BgImage) image = bg_png_decode(png, error);

    if (image == NULL)
        return FALSE;
    const BgImageFormat *format = bg_image_get_format(image);
    const guint16 *pixels = bg_image_get_pixels(image);
    gsize n_pixels = (gsize) format->width * (gsize) format->height;
    if (format->type != BG_PIXEL_UINT16 || format->n_channels != 1)
        return set_bad("PNG", error);
    flir->width = format->width;
    flir->height = format->height;
    flir->raw = g_try_new(guint16, n_pixels);
    if (flir->raw == NULL)
        return set_bad("PNG", error);
    for (gsize i = 0; i < n_pixels; i++)
        flir->raw[i] = GUINT16_SWAP_LE_BE(pixels[i]);
    return TRUE;
}

static gboolean
take_raw(const guint8 *record, gsize n, BgFlir *flir, GError **error)
{
    if (n < RAW_HEADER)
        return set_bad("raw", error);
    gboolean big = is_big(record);
    const guint8 *data = record + RAW_HEADER;
    gsize n_data = n - RAW_HEADER;
    if (n_data >= 8 && memcmp(data, "\x89PNG\r\n\x1A\n", 8) == 0)
        return take_png(data, n_data, flir, error);
    flir->width = bg_bytes_get16(record + 2, big);
    flir->height = bg_bytes_get16(record + 4, big);
    gsize n_pixels = (gsize) flir->width * (gsize) flir->height;
    if (n_pixels == 0 || n_pixels * 2 > n_data)
        return set_bad("raw", error);
    flir->raw = g_try_new(guint16, n_pixels);
    if (flir->raw == NULL)
        return set_bad("raw", error);
    for (gsize i = 0; i < n_pixels; i++)
        flir->raw[i] = bg_bytes_get16(data + 2 * i, big);
    return TRUE;
}

gboolean
bg_flir_parse(const guint8 *bytes, gsize n_bytes, BgFlir *flir, GError **error)
{
    gboolean has_camera = FALSE;

    *flir = (BgFlir){ 0 };
    if (n_bytes < HEADER || memcmp(bytes, "FFF", 4) != 0)
        return set_bad("FFF", error);
    gboolean big = bg_bytes_get32(bytes + 0x14, FALSE) > 0xffff;
    gsize at = bg_bytes_get32(bytes + 0x18, big);
    guint32 n_entries = bg_bytes_get32(bytes + 0x1c, big);
    if (n_entries > MAX_ENTRIES || at > n_bytes || n_entries * ENTRY > n_bytes - at)
        return set_bad("FFF", error);
    for (guint32 i = 0; i < n_entries; i++) {
        const guint8 *entry = bytes + at + ENTRY * i;
        int type = bg_bytes_get16(entry, big);
        gsize offset = bg_bytes_get32(entry + 0x0c, big);
        gsize length = bg_bytes_get32(entry + 0x10, big);
        if (offset > n_bytes || length > n_bytes - offset)
            return set_bad("FFF", error);
        if (type == RECORD_RAW && flir->raw == NULL &&
            !take_raw(bytes + offset, length, flir, error))
            return FALSE;
        if (type == RECORD_CAMERA && !has_camera) {
            if (!take_camera(bytes + offset, length, flir, error))
                return FALSE;
            has_camera = TRUE;
        }
    }
    return (flir->raw != NULL && has_camera) || set_bad("raw", error);
}

void
bg_flir_clear(BgFlir *flir)
{
    g_clear_pointer(&flir->raw, g_free);
}

BgImage *
bg_flir_make_image(const BgFlir *flir, GError **error)
{
    BgImageFormat format = { flir->width, flir->height, 1, BG_PIXEL_FLOAT32 };
    gsize n = (gsize) flir->width * (gsize) flir->height;
    float *values = bg_buffer_alloc_items(n, sizeof(float), error);
    double e = flir->emissivity;
    double reflected =
        flir->r1 / (flir->r2 * (exp(flir->b / flir->reflected_k) - flir->f)) - flir->o;

    if (values == NULL)
        return NULL;
    for (gsize i = 0; i < n; i++) {
        double object = ((double) flir->raw[i] - (1.0 - e) * reflected) / e;
        double kelvin = flir->b / log(flir->r1 / (flir->r2 * (object + flir->o)) + flir->f);
        values[i] = (float) (kelvin - CELSIUS);
    }
    return bg_image_new_take(&format, values, error);
}
