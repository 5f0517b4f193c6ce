// SPDX-License-Identifier: Apache-2.0
// What is read of a HEIF file's boxes without libheif. How a HEIF file says that its picture is to be turned: boxes irot and imir (ISO/IEC 23008-12, 6.5.10
// and 6.5.12) among the properties of the primary item. libheif 1.15 turns the picture, and does not tell.
#include "bg-pictures-private.h"

#include <string.h>

#define MOST_SHARED 4    // times that extents may name the file's bytes; real ones do once
#define MAX_FOLLOWED 256 // properties of one picture; real ones have some five

typedef struct {
    const guint8 *bytes;
    gsize n_bytes;
} Span;

// Where a quarter turn or a mirror takes (right, down): rows of a 2 x 2 matrix.
typedef struct {
    int m[2][2];
} Turn;

static guint64
get_long(const Span *span, gsize at, gsize size)
{
    guint64 number = 0;

    for (gsize i = 0; i < size && at + i < span->n_bytes; i++)
        number = number << 8 | span->bytes[at + i];
    return number;
}

static guint32
get_be(const Span *span, gsize at, gsize size)
{
    return (guint32) get_long(span, at, size);
}

// @at: (inout): the next box of @in
static gboolean
next_box(const Span *in, gsize *at, char kind[4], Span *inside)
{
    gsize left = in->n_bytes - *at, head = 8;

    if (left < head)
        return FALSE;
    guint64 size = get_be(in, *at, 4);
    if (size == 1 && left >= 16) {
        size = (guint64) get_be(in, *at + 8, 4) << 32 | get_be(in, *at + 12, 4);
        head = 16;
    } else if (size == 0) {
        size = left;
    }
    if (size < head || size > left)
        return FALSE;
    memcpy(kind, in->bytes + *at + 4, 4);
    *inside = (Span){ in->bytes + *at + head, (gsize) size - head };
    *at += (gsize) size;
    return TRUE;
}

static gboolean
find_box(const Span *in, const char *wanted, gsize skip, Span *inside)
{
    char kind[4];

    for (gsize at = skip; at <= in->n_bytes && next_box(in, &at, kind, inside);)
        if (memcmp(kind, wanted, 4) == 0)
            return TRUE;
    return FALSE;
}

static Turn
multiply(const Turn *a, const Turn *b)
{
    Turn product;

    for (int row = 0; row < 2; row++)
        for (int column = 0; column < 2; column++)
            product.m[row][column] =
                a->m[row][0] * b->m[0][column] + a->m[row][1] * b->m[1][column];
    return product;
}

// @index: of a property, from 1
static void
follow_property(const Span *ipco, guint32 index, Turn *turn)
{
    static const Turn left = { { { 0, 1 }, { -1, 0 } } }; // a quarter against the clock
    static const Turn mirrors[2] = { { { { 1, 0 }, { 0, -1 } } }, { { { -1, 0 }, { 0, 1 } } } };
    gsize at = 0;
    char kind[4];
    Span inside;

    for (guint32 n = 0; n < index; n++)
        if (!next_box(ipco, &at, kind, &inside))
            return;
    if (index == 0 || inside.n_bytes < 1)
        return;
    if (memcmp(kind, "irot", 4) == 0)
        for (int i = inside.bytes[0] & 3; i > 0; i--)
            *turn = multiply(&left, turn);
    else if (memcmp(kind, "imir", 4) == 0)
        *turn = multiply(&mirrors[inside.bytes[0] & 1], turn);
}

static void
follow_associations(const Span *ipma, const Span *ipco, guint32 primary, Turn *turn)
{
    gboolean wide_item = get_be(ipma, 0, 1) > 0, wide_index = get_be(ipma, 3, 1) & 1;
    guint32 n_entries = get_be(ipma, 4, 4);
    gsize at = 8, item_size = wide_item ? 4 : 2, index_size = wide_index ? 2 : 1;
    int n_followed = 0;

    for (guint32 entry = 0; entry < n_entries && at + item_size < ipma->n_bytes; entry++) {
        guint32 item = get_be(ipma, at, item_size), n = get_be(ipma, at + item_size, 1);
        at += item_size + 1;
        for (guint32 i = 0; i < n && at + index_size <= ipma->n_bytes; i++, at += index_size)
            if (item == primary && n_followed++ < MAX_FOLLOWED)
                follow_property(ipco, get_be(ipma, at, index_size) & (wide_index ? 0x7fff : 0x7f),
                                turn);
    }
}

int
bg_heif_orientation(const guint8 *bytes, gsize n_bytes)
{
    // By EXIF's numbers, from 1.
    static const Turn turns[8] = {
        { { { 1, 0 }, { 0, 1 } } },   { { { -1, 0 }, { 0, 1 } } }, { { { -1, 0 }, { 0, -1 } } },
        { { { 1, 0 }, { 0, -1 } } },  { { { 0, 1 }, { 1, 0 } } },  { { { 0, -1 }, { 1, 0 } } },
        { { { 0, -1 }, { -1, 0 } } }, { { { 0, 1 }, { -1, 0 } } },
    };
    const gsize full = 4; // version and flags of a "full box"
    Span file = { bytes, n_bytes }, meta, pitm, iprp, ipco, ipma;
    Turn turn = turns[0];
    char kind[4];

    if (!find_box(&file, "meta", 0, &meta) || !find_box(&meta, "pitm", full, &pitm) ||
        !find_box(&meta, "iprp", full, &iprp) || !find_box(&iprp, "ipco", 0, &ipco))
        return 1;
    guint32 primary = get_be(&pitm, full, get_be(&pitm, 0, 1) > 0 ? 4 : 2);
    for (gsize at = 0; next_box(&iprp, &at, kind, &ipma);)
        if (memcmp(kind, "ipma", 4) == 0)
            follow_associations(&ipma, &ipco, primary, &turn);
    for (int i = 0; i < 8; i++)
        if (memcmp(&turns[i], &turn, sizeof turn) == 0)
            return i + 1;
    return 1;
}

// Box iloc (ISO/IEC 14496-12, 8.11.3): where the bytes of each item lie, in extents.
static gboolean
check_extents(const Span *iloc, gsize n_file)
{
    guint32 version = get_be(iloc, 0, 1), sizes = get_be(iloc, 4, 2);
    gsize id_size = version < 2 ? 2 : 4, offset_size = sizes >> 12, length_size = sizes >> 8 & 15;
    gsize base_size = sizes >> 4 & 15, index_size = version > 0 ? sizes & 15 : 0;
    guint32 n_items = get_be(iloc, 6, id_size);
    gsize at = 6 + id_size;
    guint64 n_all = 0;

    for (guint32 item = 0; item < n_items && at < iloc->n_bytes; item++) {
        at += id_size + (version > 0 ? 2 : 0) + 2 + base_size;
        guint32 n_extents = get_be(iloc, at, 2);
        at += 2;
        for (guint32 i = 0; i < n_extents && at < iloc->n_bytes; i++) {
            guint64 length = get_long(iloc, at + index_size + offset_size, length_size);
            at += index_size + offset_size + length_size;
            if (length > n_file || (n_all += length) > MOST_SHARED * (guint64) n_file)
                return FALSE;
            if (index_size + offset_size + length_size == 0)
                break;
        }
    }
    return TRUE;
}

gboolean
bg_heif_check_places(const guint8 *bytes, gsize n_bytes)
{
    const gsize full = 4;
    Span file = { bytes, n_bytes }, meta, inside;
    char outer[4], kind[4];

    for (gsize i = 0; i <= n_bytes && next_box(&file, &i, outer, &meta);) {
        if (memcmp(outer, "meta", 4) != 0)
            continue;
        for (gsize k = full; k <= meta.n_bytes && next_box(&meta, &k, kind, &inside);)
            if (memcmp(kind, "iloc", 4) == 0 && !check_extents(&inside, n_bytes))
                return FALSE;
    }
    return TRUE;
}
