// SPDX-License-Identifier: Apache-2.0
#include "bg-dicom-data.h"

#include <math.h>
#include <string.h>

#define MAX_NUMBER_TEXT 64 // of one DS or IS; the standard says 16 and 12

BgDcmSet
bg_dcm_root(const BgDcmData *data)
{
    return (BgDcmSet){ data, 0, data->elements->len };
}

static const BgDcmElement *
element_at(BgDcmSet set, guint index)
{
    return &g_array_index(set.data->elements, BgDcmElement, index);
}

const BgDcmElement *
bg_dcm_find(BgDcmSet set, guint32 tag)
{
    for (guint i = set.first; i < set.end; i = element_at(set, i)->end) {
        if (element_at(set, i)->tag == tag)
            return element_at(set, i);
    }
    return NULL;
}

const guint8 *
bg_dcm_value(BgDcmSet set, const BgDcmElement *element)
{
    if (element == NULL || element->offset + element->length > set.data->n_bytes)
        return NULL;
    return set.data->bytes + element->offset;
}

BgDcmItems
bg_dcm_items(BgDcmSet set, guint32 tag)
{
    const BgDcmElement *sequence = bg_dcm_find(set, tag);

    if (sequence == NULL)
        return (BgDcmItems){ set, 0, 0 };
    guint index = (guint) (sequence - element_at(set, 0));
    return (BgDcmItems){ set, index + 1, sequence->end };
}

gboolean
bg_dcm_items_next(BgDcmItems *items, BgDcmSet *item)
{
    if (items->next >= items->end)
        return FALSE;
    const BgDcmElement *element = element_at(items->set, items->next);
    *item = (BgDcmSet){ items->set.data, items->next + 1, element->end };
    items->next = element->end;
    return TRUE;
}

guint
bg_dcm_count_items(BgDcmSet set, guint32 tag)
{
    BgDcmItems items = bg_dcm_items(set, tag);
    BgDcmSet item;
    guint n = 0;

    while (bg_dcm_items_next(&items, &item))
        n++;
    return n;
}

gboolean
bg_dcm_item(BgDcmSet set, guint32 tag, guint index, BgDcmSet *item)
{
    BgDcmItems items = bg_dcm_items(set, tag);

    do {
        if (!bg_dcm_items_next(&items, item))
            return FALSE;
    } while (index-- > 0);
    return TRUE;
}

// Without the padding that the standard allows around a string: blanks, and a NUL at the end.
static const char *
trimmed(BgDcmSet set, guint32 tag, gsize *length)
{
    const BgDcmElement *element = bg_dcm_find(set, tag);
    const char *p = (const char *) bg_dcm_value(set, element);

    *length = 0;
    if (p == NULL)
        return "";
    gsize n = element->length;
    while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\0'))
        n--;
    while (n > 0 && *p == ' ') {
        p++;
        n--;
    }
    *length = n;
    return p;
}

char *
bg_dcm_string(BgDcmSet set, guint32 tag)
{
    gsize length;
    const char *p = trimmed(set, tag, &length);
    char *text = g_strndup(p, length); // ends at a NUL inside

    if (!g_utf8_validate(text, -1, NULL)) {
        char *valid = g_utf8_make_valid(text, -1);
        g_free(text);
        text = valid;
    }
    return text;
}

void
bg_dcm_copy_string(BgDcmSet set, guint32 tag, char *buffer, gsize size)
{
    gsize length;
    const char *p = trimmed(set, tag, &length);
    gsize n = 0;

    while (n < length && n + 1 < size && p[n] != '\\' && p[n] != '\0') {
        buffer[n] = (guchar) p[n] < 0x80 ? p[n] : '?';
        n++;
    }
    while (n > 0 && buffer[n - 1] == ' ')
        n--;
    buffer[n] = '\0';
}

char *
bg_dcm_text(BgDcmSet set, guint32 tag)
{
    gsize length;
    const char *p = trimmed(set, tag, &length);

    return bg_dcm_text_to_utf8(p, length, set.data->charsets);
}

gboolean
bg_dcm_has_word(BgDcmSet set, guint32 tag, const char *word)
{
    g_autofree char *text = bg_dcm_string(set, tag);
    g_auto(GStrv) words = g_strsplit(text, "\\", 64);

    for (char **w = words; *w != NULL; w++) {
        if (strcmp(g_strstrip(*w), word) == 0)
            return TRUE;
    }
    return FALSE;
}

static guint64
get_unsigned(const guint8 *p, gsize size, gboolean big)
{
    guint64 value = 0;

    for (gsize i = 0; i < size; i++)
        value |= (guint64) p[big ? size - 1 - i : i] << (8 * i);
    return value;
}

static double
get_binary(const guint8 *p, guint16 vr, gboolean big)
{
    switch (vr) {
    case BG_DCM_VR('U', 'S'):
    case BG_DCM_VR('O', 'W'):
        return (double) get_unsigned(p, 2, big);
    case BG_DCM_VR('S', 'S'):
        return (gint16) get_unsigned(p, 2, big);
    case BG_DCM_VR('U', 'L'):
    case BG_DCM_VR('A', 'T'):
    case BG_DCM_VR('O', 'L'):
        return (double) get_unsigned(p, 4, big);
    case BG_DCM_VR('S', 'L'):
        return (gint32) get_unsigned(p, 4, big);
    case BG_DCM_VR('F', 'L'):
    case BG_DCM_VR('O', 'F'): {
        guint32 bits = (guint32) get_unsigned(p, 4, big);
        float value;
        memcpy(&value, &bits, 4);
        return (double) value;
    }
    default: {
        guint64 bits = get_unsigned(p, 8, big);
        double value;
        memcpy(&value, &bits, 8);
        return value;
    }
    }
}

static gsize
binary_size(guint16 vr)
{
    switch (vr) {
    case BG_DCM_VR('U', 'S'):
    case BG_DCM_VR('S', 'S'):
    case BG_DCM_VR('O', 'W'):
        return 2;
    case BG_DCM_VR('U', 'L'):
    case BG_DCM_VR('S', 'L'):
    case BG_DCM_VR('F', 'L'):
    case BG_DCM_VR('O', 'F'):
    case BG_DCM_VR('O', 'L'):
    case BG_DCM_VR('A', 'T'):
        return 4;
    case BG_DCM_VR('F', 'D'):
    case BG_DCM_VR('O', 'D'):
        return 8;
    default:
        return 0;
    }
}

// DS and IS: decimal text between backslashes. @value: not a number where it is none.
static const char *
next_number(const char *p, const char *end, double *value)
{
    char text[MAX_NUMBER_TEXT] = "";
    gsize n = 0;
    char *rest;

    while (p < end && (*p == ' ' || *p == '+'))
        p++;
    while (p < end && *p != '\\') {
        if (n + 1 < sizeof text)
            text[n++] = *p;
        p++;
    }
    while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\0'))
        n--;
    text[n] = '\0';
    *value = NAN;
    if (n > 0 && strspn(text, "0123456789+-.eE") == n) { // no "inf", no "0x"
        *value = g_ascii_strtod(text, &rest);
        if (*rest != '\0')
            *value = NAN;
    }
    return p < end ? p + 1 : end;
}

int
bg_dcm_numbers(BgDcmSet set, guint32 tag, guint16 vr, double *values, int max)
{
    const BgDcmElement *element = bg_dcm_find(set, tag);
    const guint8 *p = bg_dcm_value(set, element);
    int n = 0;

    if (p == NULL || element->length == 0)
        return 0;
    guint16 stated = element->vr != 0 && element->vr != BG_DCM_VR('U', 'N') ? element->vr : vr;
    gsize size = binary_size(stated);
    if (size > 0) {
        gsize count = element->length / size;
        for (gsize i = 0; i < count && n < max; i++) {
            values[n] = get_binary(p + i * size, stated, element->big_endian);
            if (!isfinite(values[n]))
                return n;
            n++;
        }
        return n;
    }
    const char *text = (const char *) p, *end = text + element->length;
    while (text < end && n < max) {
        text = next_number(text, end, &values[n]);
        if (!isfinite(values[n]))
            return n;
        n++;
    }
    return n;
}

double
bg_dcm_number(BgDcmSet set, guint32 tag, guint16 vr, double fallback)
{
    double value;

    return bg_dcm_numbers(set, tag, vr, &value, 1) == 1 ? value : fallback;
}

int
bg_dcm_int(BgDcmSet set, guint32 tag, guint16 vr, int fallback)
{
    double value = bg_dcm_number(set, tag, vr, fallback);

    return value >= G_MININT && value <= G_MAXINT ? (int) value : fallback;
}
