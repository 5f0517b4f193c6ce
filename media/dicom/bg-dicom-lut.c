// SPDX-License-Identifier: Apache-2.0
// Tables: palettes (PS3.3 C.7.6.3.1.5) and modality and VOI LUTs (C.11.1, C.11.2).
#include "bg-dicom-load-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define TAG BG_DCM_TAG
#define VR BG_DCM_VR

static gboolean
damaged(GError **error, const char *what)
{
    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT, _("the %s is missing or damaged"), what);
    return FALSE;
}

// Number of entries (0 means 65536), first stored value, bits of an entry.
static gboolean
read_descriptor(BgDcmSet set, guint32 tag, gboolean is_signed, int descriptor[3])
{
    double d[3];

    if (bg_dcm_numbers(set, tag, VR('U', 'S'), d, 3) != 3)
        return FALSE;
    descriptor[0] = d[0] < 0 ? (int) d[0] + 65536 : (int) d[0];
    if (descriptor[0] == 0)
        descriptor[0] = 65536;
    descriptor[1] = (int) d[1];
    if (is_signed && descriptor[1] >= 32768)
        descriptor[1] -= 65536;
    descriptor[2] = (int) d[2];
    return descriptor[0] >= 1 && descriptor[0] <= 65536 && descriptor[2] >= 1 &&
           descriptor[2] <= 16;
}

static guint16
get16(const guint8 *p, gboolean big)
{
    return big ? (guint16) (p[0] << 8 | p[1]) : (guint16) (p[1] << 8 | p[0]);
}

// 8-bit entries may be packed two to a word, or stand in a word each.
static guint16 *
read_entries(BgDcmSet set, guint32 tag, int n, int bits)
{
    const BgDcmElement *element = bg_dcm_find(set, tag);
    const guint8 *bytes = bg_dcm_value(set, element);

    if (bytes == NULL || element->length < (guint32) n)
        return NULL;
    guint16 *entries = g_new0(guint16, n);
    gboolean packed = element->length < 2 * (guint32) n;
    if (packed && bits > 8) { // fewer entries than promised: the last one goes on
        int there = (int) (element->length / 2);
        for (int i = 0; i < n; i++)
            entries[i] = get16(bytes + 2 * MIN(i, there - 1), element->big_endian);
        return entries;
    }
    for (int i = 0; i < n; i++)
        entries[i] = packed ? bytes[element->big_endian ? MIN((guint32) i ^ 1, element->length - 1)
                                                        : (guint32) i]
                            : get16(bytes + 2 * i, element->big_endian);
    return entries;
}

// PS3.3 C.7.9.2: runs of equal, of linearly rising, and of repeated entries.
static guint16 *
read_segmented(BgDcmSet set, guint32 tag, int n)
{
    const BgDcmElement *element = bg_dcm_find(set, tag);
    const guint8 *bytes = bg_dcm_value(set, element);
    gsize n_words, at = 0;
    int done = 0;

    if (bytes == NULL)
        return NULL;
    n_words = element->length / 2;
    guint16 *entries = g_new0(guint16, n);
#define WORD(i) get16(bytes + 2 * (i), element->big_endian)
    while (at + 2 <= n_words && done < n) {
        int kind = WORD(at), length = WORD(at + 1);
        at += 2;
        if (kind == 0) {
            for (int i = 0; i < length && at < n_words && done < n; i++)
                entries[done++] = WORD(at++);
        } else if (kind == 1 && at < n_words && done > 0) {
            int from = entries[done - 1], to = WORD(at++);
            for (int i = 1; i <= length && done < n; i++)
                entries[done++] = (guint16) (from + (to - from) * i / MAX(length, 1));
        } else {
            break; // indirect segments are not seen in the wild; what is left stays black
        }
    }
#undef WORD
    if (done < n) {
        g_free(entries);
        return NULL;
    }
    return entries;
}

static void
widen(guint16 *entries, int n, int bits)
{
    guint16 highest = 0;

    for (int i = 0; i < n; i++)
        highest = MAX(highest, entries[i]);
    // Tables that name 16 bits and hold 8 are as common as those that mean it.
    for (int i = 0; (bits <= 8 || highest <= 255) && i < n; i++)
        entries[i] = (guint16) (entries[i] * 257);
}

gboolean
bg_dcm_palette_read(BgDcmPalette *palette, const BgDcmData *data, GError **error)
{
    BgDcmSet root = bg_dcm_root(data);
    gboolean is_signed = bg_dcm_int(root, TAG(0x0028, 0x0103), VR('U', 'S'), 0) == 1;
    int bits = 16;

    memset(palette, 0, sizeof *palette);
    for (guint c = 0; c < 3; c++) {
        int descriptor[3];
        if (!read_descriptor(root, TAG(0x0028, 0x1101 + c), is_signed, descriptor)) {
            bg_dcm_palette_clear(palette);
            return damaged(error, _("palette"));
        }
        if (c > 0 && descriptor[0] != palette->n_entries) {
            bg_dcm_palette_clear(palette);
            return damaged(error, _("palette"));
        }
        palette->n_entries = descriptor[0];
        palette->first = descriptor[1];
        bits = descriptor[2];
        palette->rgb[c] = read_entries(root, TAG(0x0028, 0x1201 + c), descriptor[0], bits);
        if (palette->rgb[c] == NULL)
            palette->rgb[c] = read_segmented(root, TAG(0x0028, 0x1221 + c), descriptor[0]);
        if (palette->rgb[c] == NULL) {
            bg_dcm_palette_clear(palette);
            return damaged(error, _("palette"));
        }
    }
    guint16 highest = 0;
    for (int c = 0; c < 3; c++) {
        for (int i = 0; i < palette->n_entries; i++)
            highest = MAX(highest, palette->rgb[c][i]);
    }
    for (int c = 0; c < 3 && (bits <= 8 || highest <= 255); c++)
        widen(palette->rgb[c], palette->n_entries, 8);
    return TRUE;
}

void
bg_dcm_palette_clear(BgDcmPalette *palette)
{
    for (int c = 0; c < 3; c++)
        g_clear_pointer(&palette->rgb[c], g_free);
}

gboolean
bg_dcm_lut_read(BgDcmLut *lut, BgDcmSet set, guint32 sequence, gboolean is_signed, GError **error)
{
    BgDcmSet item;
    int descriptor[3];

    memset(lut, 0, sizeof *lut);
    if (!bg_dcm_item(set, sequence, 0, &item) ||
        !read_descriptor(item, TAG(0x0028, 0x3002), is_signed, descriptor))
        return damaged(error, _("lookup table"));
    lut->entry = read_entries(item, TAG(0x0028, 0x3006), descriptor[0], descriptor[2]);
    if (lut->entry == NULL)
        return damaged(error, _("lookup table"));
    lut->n_entries = descriptor[0];
    lut->first = descriptor[1];
    lut->bits = descriptor[2];
    return TRUE;
}

void
bg_dcm_lut_clear(BgDcmLut *lut)
{
    g_clear_pointer(&lut->entry, g_free);
}

double
bg_dcm_sample(const BgDcmPixels *p, const guint8 *samples, gsize index)
{
    gconstpointer bytes = samples;

    switch (p->bits_allocated) {
    case 64:
        return ((const double *) bytes)[index];
    case 32:
        if (p->is_float)
            return (double) ((const float *) bytes)[index];
        return p->is_signed ? (double) ((const gint32 *) bytes)[index]
                            : (double) ((const guint32 *) bytes)[index];
    case 16:
        return p->is_signed ? ((const gint16 *) bytes)[index] : ((const guint16 *) bytes)[index];
    default:
        return p->is_signed ? ((const gint8 *) bytes)[index] : samples[index];
    }
}
