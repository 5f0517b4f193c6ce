// SPDX-License-Identifier: Apache-2.0
#include "bg-dicom-parse-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define MAX_DEPTH 64
#define ITEM_END BG_DCM_TAG(0xfffe, 0xe00d)
#define SEQUENCE_END BG_DCM_TAG(0xfffe, 0xe0dd)
#define VR_SQ BG_DCM_VR('S', 'Q')
#define VR_UN BG_DCM_VR('U', 'N')

typedef struct {
    BgDcmData *data;
    gsize end;    // of the bytes that are there
    gsize needed; // with MORE
    GError *error;
} Parser;

// How the elements of a set are written: an item inside UN is implicit whatever the file is.
typedef struct {
    gboolean explicit_vr;
    gboolean big_endian;
} Writing;

typedef struct {
    guint32 tag;
    guint16 vr;
    guint32 length;
    gsize value; // offset
} Header;

gboolean
bg_dcm_is_vr(const guint8 *p, gboolean *is_long)
{
    static const char short_ones[] = "AEASATCSDADSDTFDFLISLOLTPNSHSLSSSTTMUIULUS";
    static const char long_ones[] = "OBODOFOLOVOWSQSVUCUNURUTUV";

    for (gsize i = 0; i + 1 < sizeof short_ones - 1; i += 2) {
        if (p[0] == (guint8) short_ones[i] && p[1] == (guint8) short_ones[i + 1]) {
            *is_long = FALSE;
            return TRUE;
        }
    }
    for (gsize i = 0; i + 1 < sizeof long_ones - 1; i += 2) {
        if (p[0] == (guint8) long_ones[i] && p[1] == (guint8) long_ones[i + 1]) {
            *is_long = TRUE;
            return TRUE;
        }
    }
    return FALSE;
}

static guint16
get16(const guint8 *p, gboolean big)
{
    return big ? (guint16) (p[0] << 8 | p[1]) : (guint16) (p[1] << 8 | p[0]);
}

static guint32
get32(const guint8 *p, gboolean big)
{
    return big ? (guint32) get16(p, TRUE) << 16 | get16(p + 2, TRUE)
               : (guint32) get16(p + 2, FALSE) << 16 | get16(p, FALSE);
}

static BgDcmParseResult
want(Parser *parser, gsize bytes)
{
    parser->needed = bytes;
    return BG_DCM_PARSE_MORE;
}

static BgDcmParseResult
decode_header(Parser *parser, gsize at, Writing writing, Header *header)
{
    const guint8 *p = parser->data->bytes + at;
    gboolean is_long = FALSE;

    if (at > parser->end || parser->end - at < 8)
        return want(parser, at + 12);
    header->tag = BG_DCM_TAG(get16(p, writing.big_endian), get16(p + 2, writing.big_endian));
    header->vr = 0;
    // Items and delimiters have no VR; an element whose VR is none was written implicitly.
    if (header->tag >> 16 != 0xfffe && writing.explicit_vr && bg_dcm_is_vr(p + 4, &is_long)) {
        header->vr = BG_DCM_VR(p[4], p[5]);
        if (!is_long) {
            header->length = get16(p + 6, writing.big_endian);
            header->value = at + 8;
            return BG_DCM_PARSE_DONE;
        }
        if (parser->end - at < 12)
            return want(parser, at + 12);
        header->length = get32(p + 8, writing.big_endian);
        header->value = at + 12;
        return BG_DCM_PARSE_DONE;
    }
    header->length = get32(p + 4, writing.big_endian);
    header->value = at + 8;
    return BG_DCM_PARSE_DONE;
}

// One whose value begins at @end at the latest: what follows counts on it.
static BgDcmParseResult
read_header(Parser *parser, gsize at, gsize end, Writing writing, Header *header)
{
    BgDcmParseResult result = decode_header(parser, at, writing, header);

    return result == BG_DCM_PARSE_DONE && header->value > end ? want(parser, header->value)
                                                              : result;
}

static guint
add_element(Parser *parser, const Header *header, Writing writing)
{
    BgDcmElement element = { .tag = header->tag,
                             .vr = header->vr,
                             .big_endian = writing.big_endian,
                             .length = header->length,
                             .offset = header->value };

    g_array_append_val(parser->data->elements, element);
    return parser->data->elements->len - 1;
}

static void
close_element(Parser *parser, guint index)
{
    BgDcmElement *element = &g_array_index(parser->data->elements, BgDcmElement, index);

    element->length = 0;
    element->end = parser->data->elements->len;
}

static gboolean
is_pixels(guint32 tag)
{
    return tag == BG_DCM_TAG(0x7fe0, 0x0008) || tag == BG_DCM_TAG(0x7fe0, 0x0009) ||
           tag == BG_DCM_TAG(0x7fe0, 0x0010);
}

static gboolean
is_bytes(guint16 vr)
{
    return vr == BG_DCM_VR('O', 'B') || vr == BG_DCM_VR('O', 'W');
}

static BgDcmParseResult parse_items(Parser *parser, gsize *at, gsize end, Writing writing,
                                    int depth);

// An implicit element without a VR whose value begins with an item is a sequence.
static gboolean
looks_like_items(const Parser *parser, const Header *header, Writing writing)
{
    if (header->length < 8 || header->length == BG_DCM_UNDEFINED_LENGTH ||
        parser->end - header->value < 8)
        return FALSE;
    const guint8 *p = parser->data->bytes + header->value;
    if (BG_DCM_TAG(get16(p, writing.big_endian), get16(p + 2, writing.big_endian)) != BG_DCM_ITEM)
        return FALSE;
    guint32 length = get32(p + 4, writing.big_endian);
    return length == BG_DCM_UNDEFINED_LENGTH || length <= header->length - 8;
}

// The fragments of an encapsulated icon: bytes, not elements.
static BgDcmParseResult
skip_fragments(Parser *parser, gsize *at, gsize end)
{
    while (*at < end) {
        Header header;
        BgDcmParseResult result = read_header(parser, *at, end, (Writing){ TRUE, FALSE }, &header);
        if (result != BG_DCM_PARSE_DONE)
            return result;
        if (header.tag == SEQUENCE_END) {
            *at = header.value;
            return BG_DCM_PARSE_DONE;
        }
        if (header.tag != BG_DCM_ITEM || header.length == BG_DCM_UNDEFINED_LENGTH)
            return BG_DCM_PARSE_DONE;
        if (header.length > end - header.value)
            return want(parser, header.value + header.length);
        *at = header.value + header.length;
    }
    return BG_DCM_PARSE_DONE;
}

static BgDcmParseResult
parse_element(Parser *parser, gsize *at, gsize end, const Header *header, Writing writing,
              int depth)
{
    gboolean undefined = header->length == BG_DCM_UNDEFINED_LENGTH;
    gboolean sequence = header->vr == VR_SQ || undefined;
    Writing inner = writing;

    if (header->vr == VR_UN || header->vr == 0) {
        if (header->vr == VR_UN)
            inner = (Writing){ FALSE, FALSE }; // PS3.5 6.2.2 note 2
        sequence |= looks_like_items(parser, header, inner);
    }
    if (!sequence) {
        if (header->length > end - header->value)
            return want(parser, header->value + header->length);
        guint index = add_element(parser, header, writing);
        g_array_index(parser->data->elements, BgDcmElement, index).end = index + 1;
        *at = header->value + header->length;
        return BG_DCM_PARSE_DONE;
    }
    if (depth >= MAX_DEPTH) {
        g_set_error(&parser->error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("sequences lie in each other more than %d deep"), MAX_DEPTH);
        return BG_DCM_PARSE_FAILED;
    }
    gsize inner_end = end;
    if (!undefined) {
        if (header->length > end - header->value)
            return want(parser, header->value + header->length);
        inner_end = header->value + header->length;
    }
    guint index = add_element(parser, header, writing);
    *at = header->value;
    BgDcmParseResult result = undefined && (is_pixels(header->tag) || is_bytes(header->vr))
                                  ? skip_fragments(parser, at, inner_end)
                                  : parse_items(parser, at, inner_end, inner, depth + 1);
    if (!undefined && result == BG_DCM_PARSE_MORE) { // damage inside of it stays inside
        result = BG_DCM_PARSE_DONE;
        parser->data->cut_short = TRUE;
    }
    if (!undefined)
        *at = inner_end;
    close_element(parser, index);
    return result;
}

// Elements up to @end, or to the delimiter of an item of undefined length.
static BgDcmParseResult
parse_set(Parser *parser, gsize *at, gsize end, Writing writing, int depth)
{
    while (*at < end) {
        Header header;
        BgDcmParseResult result = read_header(parser, *at, end, writing, &header);
        if (result != BG_DCM_PARSE_DONE)
            return result;
        if (header.tag == ITEM_END) {
            *at = header.value;
            return BG_DCM_PARSE_DONE;
        }
        if (header.tag == SEQUENCE_END) // one too many, or the item had no end of its own
            return BG_DCM_PARSE_DONE;
        if (depth == 0 && is_pixels(header.tag)) {
            parser->data->pixel_tag = header.tag;
            parser->data->pixel_vr = header.vr;
            parser->data->pixel_offset = header.value;
            parser->data->pixel_length = header.length;
            return BG_DCM_PARSE_DONE;
        }
        if (depth == 0 && header.tag >> 16 > 0x7fe0)
            return BG_DCM_PARSE_DONE; // digital signatures and padding: nothing that we read
        result = parse_element(parser, at, end, &header, writing, depth);
        if (result != BG_DCM_PARSE_DONE)
            return result;
    }
    return BG_DCM_PARSE_DONE;
}

static BgDcmParseResult
parse_items(Parser *parser, gsize *at, gsize end, Writing writing, int depth)
{
    while (*at < end) {
        Header header;
        BgDcmParseResult result = read_header(parser, *at, end, writing, &header);
        if (result != BG_DCM_PARSE_DONE)
            return result;
        if (header.tag == SEQUENCE_END) {
            *at = header.value;
            return BG_DCM_PARSE_DONE;
        }
        if (header.tag != BG_DCM_ITEM)
            return BG_DCM_PARSE_DONE; // lenient: the sequence had no end of its own
        gsize inner_end = end;
        if (header.length != BG_DCM_UNDEFINED_LENGTH) {
            if (header.length > end - header.value)
                return want(parser, header.value + header.length);
            inner_end = header.value + header.length;
        }
        guint index = add_element(parser, &header, writing);
        *at = header.value;
        result = parse_set(parser, at, inner_end, writing, depth);
        if (header.length != BG_DCM_UNDEFINED_LENGTH)
            *at = inner_end;
        close_element(parser, index);
        if (result != BG_DCM_PARSE_DONE)
            return result;
    }
    return BG_DCM_PARSE_DONE;
}

BgDcmParseResult
bg_dcm_parse(BgDcmData *data, gsize start, gsize *needed, GError **error)
{
    Parser parser = { .data = data, .end = data->n_bytes };
    Writing writing = { data->syntax.explicit_vr, data->syntax.big_endian };
    gsize at = start;
    BgDcmParseResult result;

    g_array_set_size(data->elements, 0);
    data->pixel_tag = 0;
    data->cut_short = FALSE;
    do {
        gsize before = at;
        result = parse_set(&parser, &at, data->n_bytes, writing, 0);
        if (result == BG_DCM_PARSE_DONE && at == before)
            break; // the pixels, or a delimiter that stands alone
    } while (result == BG_DCM_PARSE_DONE && at < data->n_bytes && data->pixel_tag == 0);
    if (result == BG_DCM_PARSE_DONE && data->pixel_tag == 0 && at >= data->n_bytes &&
        !data->syntax.deflated && data->n_bytes < data->file_size)
        result = want(&parser, at + 12);
    if (result == BG_DCM_PARSE_FAILED)
        g_propagate_error(error, parser.error);
    *needed = parser.needed;
    return result;
}

// Without meta elements, or when they are wrong, the first element tells.
static void
guess_syntax(BgDcmData *data, gsize start)
{
    const guint8 *p = data->bytes + start;
    gboolean is_long;
    gboolean is_explicit, big;

    if (data->n_bytes - start < 8)
        return;
    is_explicit = bg_dcm_is_vr(p + 4, &is_long);
    big = is_explicit && p[0] == 0 && p[1] != 0;
    if (data->syntax.uid[0] == '\0')
        bg_dcm_syntax_from_uid(!is_explicit ? "1.2.840.10008.1.2"
                               : big        ? "1.2.840.10008.1.2.2"
                                            : "1.2.840.10008.1.2.1",
                               &data->syntax);
    else if (!data->syntax.deflated) {
        data->syntax.explicit_vr = is_explicit;
        data->syntax.big_endian = big;
    }
}

gboolean
bg_dcm_parse_meta(BgDcmData *data, gsize *start, GError **error)
{
    Parser parser = { .data = data, .end = data->n_bytes };
    Writing writing = { TRUE, FALSE };
    gsize at = *start;
    Header header;

    while (at < data->n_bytes &&
           decode_header(&parser, at, writing, &header) == BG_DCM_PARSE_DONE &&
           header.tag >> 16 == 0x0002) {
        if (header.length == BG_DCM_UNDEFINED_LENGTH || header.length > data->n_bytes ||
            header.value > data->n_bytes - header.length) {
            g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                                _("the file is cut short in its first elements, or they are "
                                  "damaged"));
            return FALSE;
        }
        if (header.tag == BG_DCM_TAG(0x0002, 0x0010)) {
            g_autofree char *uid =
                g_strndup((const char *) data->bytes + header.value, header.length);
            g_strstrip(uid);
            if (uid[0] != '\0' && !bg_dcm_syntax_from_uid(uid, &data->syntax)) {
                data->syntax = (BgDcmSyntax){ .explicit_vr = TRUE, .coding = BG_DCM_CODING_OTHER };
                g_strlcpy(data->syntax.uid, uid, sizeof data->syntax.uid);
                g_strcanon(data->syntax.uid, "0123456789.", '?'); // it is shown
            }
        }
        at = header.value + header.length;
    }
    *start = at;
    if (!data->syntax.deflated)
        guess_syntax(data, at);
    return TRUE;
}
