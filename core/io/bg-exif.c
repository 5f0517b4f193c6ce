// SPDX-License-Identifier: Apache-2.0
// EXIF: tags of CIPA DC-008-2019 and of TIFF 6.0.
#include "bg-io-bytes.h"
#include "bg-picture.h"
#include "core/base/bg-i18n.h"

#include <math.h>

#define MAX_ENTRIES 512

typedef struct {
    const guint8 *bytes;
    gsize n;
    gboolean big;
} Tiff;

// The value of an entry: in its last four bytes, or where these point. NULL when it is not there.
static const guint8 *
find_value(const Tiff *tiff, const guint8 *entry, int type, gsize count)
{
    static const gsize sizes[] = { 0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8 };
    gsize n;

    if (type < 1 || type > 12 || !g_size_checked_mul(&n, sizes[type], count))
        return NULL;
    if (n <= 4)
        return entry + 8;
    gsize offset = bg_bytes_get32(entry + 8, tiff->big);
    return offset <= tiff->n && n <= tiff->n - offset ? tiff->bytes + offset : NULL;
}

static double
get_number(const Tiff *tiff, const guint8 *value, int type)
{
    switch (type) {
    case 3:
        return bg_bytes_get16(value, tiff->big);
    case 4:
        return bg_bytes_get32(value, tiff->big);
    case 5: {
        double below = bg_bytes_get32(value + 4, tiff->big);
        return below > 0.0 ? bg_bytes_get32(value, tiff->big) / below : 0.0;
    }
    default:
        return 0.0;
    }
}

static void
take_text(const guint8 *value, gsize count, char *to, gsize room)
{
    g_autofree char *text = g_strndup((const char *) value, MIN(count, room - 1));
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    g_strstrip(valid);
    while (strlen(valid) >= room)
        *g_utf8_find_prev_char(valid, valid + strlen(valid)) = '\0';
    g_strlcpy(to, valid, room);
}

// What only means something together.
typedef struct {
    double plane_resolution[2], plane_unit_mm;
    double pixels[2];
    guint32 exif_offset;
    double resolution, resolution_unit;
} Parts;

static void
take_entry(const Tiff *tiff, const guint8 *entry, BgExif *exif, Parts *parts)
{
    int tag = bg_bytes_get16(entry, tiff->big), type = bg_bytes_get16(entry + 2, tiff->big);
    gsize count = bg_bytes_get32(entry + 4, tiff->big);
    const guint8 *value = count > 0 ? find_value(tiff, entry, type, count) : NULL;

    if (value == NULL)
        return;
    double number = get_number(tiff, value, type);
    switch (tag) {
    case 0x010F:
        if (type == 2)
            take_text(value, count, exif->make, sizeof exif->make);
        break;
    case 0x0110:
        if (type == 2)
            take_text(value, count, exif->model, sizeof exif->model);
        break;
    case 0x0112:
        if (number >= 1 && number <= 8)
            exif->orientation = (int) number;
        break;
    case 0x011A:
        parts->resolution = number;
        break;
    case 0x0128:
        parts->resolution_unit = number;
        break;
    case 0x8769:
        parts->exif_offset = (guint32) number;
        break;
    case 0x920A:
        exif->focal_length_mm = number < 1e5 ? number : 0.0;
        break;
    case 0xA405:
        exif->focal_length_35mm = number;
        break;
    case 0xA002:
    case 0xA003:
        parts->pixels[tag - 0xA002] = number;
        break;
    case 0xA20E:
    case 0xA20F:
        parts->plane_resolution[tag - 0xA20E] = number;
        break;
    case 0xA210:
        parts->plane_unit_mm = number == 2 ? 25.4 : number == 3 ? 10.0 : number == 4 ? 1.0 : 0.0;
        break;
    default:
        break;
    }
}

static void
read_directory(const Tiff *tiff, gsize offset, BgExif *exif, Parts *parts)
{
    if (tiff->n < 2 || offset > tiff->n - 2)
        return;
    gsize n = MIN(bg_bytes_get16(tiff->bytes + offset, tiff->big), MAX_ENTRIES);
    n = MIN(n, (tiff->n - offset - 2) / 12);
    for (gsize i = 0; i < n; i++)
        take_entry(tiff, tiff->bytes + offset + 2 + 12 * i, exif, parts);
}

void
bg_exif_init(BgExif *exif)
{
    *exif = (BgExif){ .orientation = 1 };
}

gboolean
bg_exif_parse(const guint8 *bytes, gsize n_bytes, BgExif *exif)
{
    Tiff tiff = { bytes, n_bytes, FALSE };
    Parts parts = { .plane_unit_mm = 25.4, .resolution_unit = 2 };

    bg_exif_init(exif);
    if (n_bytes < 8 || (memcmp(bytes, "II", 2) != 0 && memcmp(bytes, "MM", 2) != 0))
        return FALSE;
    tiff.big = bytes[0] == 'M';
    if (bg_bytes_get16(bytes + 2, tiff.big) != 42)
        return FALSE;
    read_directory(&tiff, bg_bytes_get32(bytes + 4, tiff.big), exif, &parts);
    if (parts.exif_offset > 0) {
        int orientation = exif->orientation; // only the first directory's counts
        read_directory(&tiff, parts.exif_offset, exif, &parts);
        exif->orientation = orientation;
    }
    for (int i = 0; i < 2; i++) {
        double mm = parts.plane_resolution[i] > 0.0
                        ? parts.pixels[i] / parts.plane_resolution[i] * parts.plane_unit_mm
                        : 0.0;
        exif->sensor_mm[i] = mm < 1000.0 ? mm : 0.0;
    }
    exif->dpi = parts.resolution_unit == 2   ? parts.resolution
                : parts.resolution_unit == 3 ? parts.resolution * 2.54
                                             : 0.0;
    return TRUE;
}

void
bg_exif_tell(const BgExif *exif, BgFileInfo *info)
{
    static const char *const words[] = {
        N_("mirrored left to right"),
        N_("turned by 180°"),
        N_("mirrored upside down"),
        N_("mirrored along the diagonal"),
        N_("turned by 90° clockwise"),
        N_("mirrored along the other diagonal"),
        N_("turned by 90° counter-clockwise"),
    };

    info->focal_length_mm = exif->focal_length_mm;
    info->focal_length_35mm = exif->focal_length_35mm;
    memcpy(info->sensor_mm, exif->sensor_mm, sizeof info->sensor_mm);
    if (exif->make[0] != '\0' || exif->model[0] != '\0') {
        g_free(info->camera);
        info->camera = g_strstrip(g_strconcat(exif->make, " ", exif->model, NULL));
    }
    if (exif->orientation >= 2 && exif->orientation <= 8)
        bg_file_info_warn(info,
                          // Translators: how the picture was turned
                          _("The camera's orientation (%d) was followed: the picture was %s"),
                          exif->orientation, _(words[exif->orientation - 2]));
}
