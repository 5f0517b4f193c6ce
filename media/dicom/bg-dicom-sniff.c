// SPDX-License-Identifier: Apache-2.0
#include "media/dicom/bg-dicom.h"

#include <string.h>

#define PREAMBLE_BYTES 128
#define ELEMENT_BYTES 8

// PS3.5 6.2: two capital letters that are a value representation.
static gboolean
is_vr(const guint8 *p)
{
    static const char known[] =
        "AEASATCSDADSDTFDFLISLOLTOBODOFOLOVOWPNSHSLSQSSSTSVTMUCUIULUNURUSUTUV";

    for (gsize i = 0; i + 1 < sizeof known - 1; i += 2) {
        if (p[0] == (guint8) known[i] && p[1] == (guint8) known[i + 1])
            return TRUE;
    }
    return FALSE;
}

// A data set without a preamble begins with a low element of group 0002 or 0008.
static gboolean
begins_a_data_set(const guint8 *p, gsize n_bytes)
{
    gboolean big = p[0] == 0;
    guint group = big ? (guint) p[0] << 8 | p[1] : (guint) p[1] << 8 | p[0];
    guint element = big ? (guint) p[2] << 8 | p[3] : (guint) p[3] << 8 | p[2];
    guint32 length;

    if ((group != 0x0002 && group != 0x0008) || element > 0x0100)
        return FALSE;
    if (is_vr(p + 4))
        return TRUE;
    if (big)
        return FALSE; // there is no implicit big endian
    memcpy(&length, p + 4, 4);
    length = GUINT32_FROM_LE(length);
    if (length > n_bytes || length > 1024)
        return FALSE;
    // The next element must go on in ascending order.
    if (ELEMENT_BYTES + length + ELEMENT_BYTES > n_bytes)
        return element == 0 && length == 4;
    const guint8 *next = p + ELEMENT_BYTES + length;
    guint next_group = (guint) next[1] << 8 | next[0];
    guint next_element = (guint) next[3] << 8 | next[2];
    return next_group == group ? next_element > element : next_group > group && next_group < 0x0100;
}

gboolean
bg_dicom_sniff(const guint8 *bytes, gsize n_bytes)
{
    if (n_bytes >= PREAMBLE_BYTES + 4 && memcmp(bytes + PREAMBLE_BYTES, "DICM", 4) == 0)
        return TRUE;
    return n_bytes >= 2 * ELEMENT_BYTES && begins_a_data_set(bytes, n_bytes);
}
