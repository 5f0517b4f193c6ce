// SPDX-License-Identifier: Apache-2.0
// JPEG lossless (ITU-T T.81 annex H, process 14): Huffman coded differences to one of seven
// predictors. Written for speed: stuffed bytes are taken out first, so that 64 bits can be fetched at
// a time, and one table gives a whole code with its difference where both fit in LOOK_BITS.
#include "bg-dicom-codecs.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define LOOK_BITS 13
#define PADDING 16      // zeros behind the bits, so that a fetch never leaves the buffer
#define MAX_CATEGORY 16 // T.81 table H.2

// An entry of the table: what to drop, and the difference. @bits 0: the extra bits are read apart, and
// @difference is 32 * the code's length + its category; 0: the code is longer.
typedef struct {
    gint16 difference;
    guint8 bits;
} Look;

typedef struct {
    gboolean defined;
    guint8 count[17]; // of codes of each length
    guint8 symbol[256];
    guint16 first_code[17], first_index[17];
    Look look[1 << LOOK_BITS];
} Huffman;

typedef struct {
    const BgCodedFrame *frame;
    Huffman table[4];
    int precision, point_transform, predictor;
    int width, height, n_components;
    int component_id[4];
    int restart_rows; // rows between restarts; 0 without
    guint restart_units;
} Lossless;

typedef struct {
    const guint8 *p, *end; // of the unstuffed bytes
    guint64 bits;          // the next ones, highest first
    int n_bits;
    gsize beyond; // bytes that were fetched from behind the end
} Bits;

static gboolean
damaged(GError **error, const char *what)
{
    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT, _("the lossless JPEG picture is damaged: %s"),
                what);
    return FALSE;
}

// At least 56 bits are there afterwards. May read up to 8 bytes beyond @end, which is padding.
static inline void
fetch(Bits *b)
{
    guint64 next;

    if (G_UNLIKELY(b->p > b->end)) { // zeros from here on; the row's end notices
        b->beyond += (gsize) (b->p - b->end);
        b->p = b->end;
    }
    memcpy(&next, b->p, 8);
    b->bits |= GUINT64_FROM_BE(next) >> b->n_bits;
    b->p += (63 - b->n_bits) >> 3;
    b->n_bits |= 56;
}

static inline void
drop(Bits *b, int n)
{
    b->bits <<= n;
    b->n_bits -= n;
}

// T.81 H.1.2.2 and F.12: the difference that category @s and its extra bits say.
static inline int
extend(guint32 extra, int s)
{
    return s == 0 ? 0 : extra < (1u << (s - 1)) ? (int) extra - (1 << s) + 1 : (int) extra;
}

// Bits go in and out by value: their address is never taken, so that a row's loop keeps them in
// registers.
typedef struct {
    Bits bits;
    int difference;
} Slow;

// 32 * the length of the next code + its category. No such code: 16 bits of category 0; whatever comes
// out is caught as an overrun, or is noise.
static int
find_code(const Bits *b, const Huffman *h)
{
    for (int length = 1; length <= 16; length++) {
        guint code = (guint) (b->bits >> (64 - length)), offset = code - h->first_code[length];
        if (h->count[length] == 0 || code < h->first_code[length] || offset >= h->count[length])
            continue;
        return 32 * length + h->symbol[(h->first_index[length] + offset) & 0xff];
    }
    return 32 * 16;
}

static Slow G_GNUC_NO_INLINE
slow_difference(Bits bits, const Huffman *h, int found)
{
    Slow result = { bits, 0 };
    Bits *b = &result.bits;

    fetch(b);
    if (found == 0)
        found = find_code(b, h);
    int s = found & 31;
    drop(b, found >> 5);
    if (s == MAX_CATEGORY) { // no extra bits
        result.difference = 32768;
    } else if (s > 0) {
        guint32 extra = (guint32) (b->bits >> (64 - s));
        drop(b, s);
        result.difference = extend(extra, s);
    }
    fetch(b);
    return result;
}

// For one of FETCHED calls after a fetch(): that many codes of LOOK_BITS fit in 56 bits.
#define FETCHED 4
G_STATIC_ASSERT(FETCHED *LOOK_BITS <= 56);

static inline __attribute__((always_inline)) int
fetched_difference(Bits *b, const Huffman *h)
{
    Look look = h->look[b->bits >> (64 - LOOK_BITS)];

    if (G_LIKELY(look.bits != 0)) {
        drop(b, look.bits);
        return look.difference;
    }
    Slow slow = slow_difference(*b, h, look.difference);
    *b = slow.bits;
    return slow.difference;
}

static inline __attribute__((always_inline)) int
next_difference(Bits *b, const Huffman *h)
{
    fetch(b);
    return fetched_difference(b, h);
}

static gboolean
build_table(Huffman *h)
{
    guint code = 0, index = 0;

    memset(h->look, 0, sizeof h->look);
    for (int length = 1; length <= 16; length++) {
        h->first_code[length] = (guint16) code;
        h->first_index[length] = (guint16) index;
        if (code + h->count[length] > 1u << length)
            return FALSE;
        for (guint i = 0; i < h->count[length]; i++, code++, index++) {
            int s = h->symbol[index];
            int total = length + (s == MAX_CATEGORY ? 0 : s);
            if (s > MAX_CATEGORY)
                return FALSE;
            if (length > LOOK_BITS)
                continue;
            gboolean whole = total <= LOOK_BITS && s != MAX_CATEGORY;
            guint base = code << (LOOK_BITS - length);
            for (guint rest = 0; rest < 1u << (LOOK_BITS - length); rest++) {
                if (!whole) {
                    h->look[base + rest] = (Look){ (gint16) (32 * length + s), 0 };
                    continue;
                }
                guint32 extra = rest >> (LOOK_BITS - total);
                h->look[base + rest] = (Look){ (gint16) extend(extra, s), (guint8) total };
            }
        }
        code <<= 1;
    }
    h->defined = TRUE;
    return TRUE;
}

static gboolean
read_tables(Lossless *l, const guint8 *p, gsize n, GError **error)
{
    while (n >= 17) {
        int id = p[0] & 15, total = 0;
        if (id > 3)
            return damaged(error, "DHT");
        for (int i = 1; i <= 16; i++)
            total += p[i];
        if (total > 256 || n < 17 + (gsize) total)
            return damaged(error, "DHT");
        if (p[0] >> 4 == 0) { // class 0; lossless pictures use no other
            Huffman *h = &l->table[id];
            memcpy(h->count + 1, p + 1, 16);
            memcpy(h->symbol, p + 17, (gsize) total);
            if (!build_table(h))
                return damaged(error, "DHT");
        }
        p += 17 + total;
        n -= 17 + (gsize) total;
    }
    return TRUE;
}

static gboolean
read_frame(Lossless *l, const guint8 *p, gsize n, GError **error)
{
    if (n < 6 || n < 6 + 3 * (gsize) p[5])
        return damaged(error, "SOF3");
    l->precision = p[0];
    l->height = p[1] << 8 | p[2];
    l->width = p[3] << 8 | p[4];
    l->n_components = p[5];
    if (l->precision < 2 || l->precision > 16 || l->precision > 8 * l->frame->sample_bytes ||
        l->width != l->frame->width || l->height != l->frame->height ||
        l->n_components != l->frame->n_components)
        return damaged(error, _("its size is not that of the file"));
    for (int c = 0; c < l->n_components; c++) {
        l->component_id[c] = p[6 + 3 * c];
        if (p[7 + 3 * c] != 0x11) {
            g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                                _("lossless JPEG pictures with fewer samples of colour than of "
                                  "light are not read"));
            return FALSE;
        }
    }
    return TRUE;
}

// The entropy-coded bytes from @at, without stuffing, up to the next marker that is no restart.
// @breaks: where restarts were. Returns the offset of that marker.
static gsize
unstuff(const BgCodedFrame *frame, gsize at, guint8 *out, gsize *n_out, GArray *breaks)
{
    gsize n = 0;

    while (at < frame->n_bytes) {
        const guint8 *from = frame->bytes + at;
        const guint8 *marker = memchr(from, 0xff, frame->n_bytes - at);
        gsize run = marker != NULL ? (gsize) (marker - from) : frame->n_bytes - at;
        memcpy(out + n, from, run);
        n += run;
        at += run;
        if (marker == NULL || at + 1 >= frame->n_bytes)
            break;
        guint8 code = frame->bytes[at + 1];
        if (code == 0) {
            out[n++] = 0xff;
            at += 2;
        } else if (code >= 0xd0 && code <= 0xd7) {
            g_array_append_val(breaks, n);
            at += 2;
        } else if (code == 0xff) {
            at++;
        } else {
            break;
        }
    }
    memset(out + n, 0, PADDING);
    *n_out = n;
    return at;
}

// One row of @count samples that lie @step apart. @up: the row above; without one the predictor is 1.
// Predictors of T.81 table H.1; the sum is modulo 2^16 (H.1.2.1). The predictor is a constant where
// this is called, so each gets a loop of its own.
#define DEFINE_ROW(name, ctype)                                                                    \
    static inline __attribute__((always_inline))                                                   \
    guint name##_next(guint left, int difference, const ctype *up, int i, int step, int predictor) \
    {                                                                                              \
        int a = (int) left;                                                                        \
        int above = predictor == 1 || predictor == 3 ? 0 : up[i * step];                           \
        int corner = predictor == 1 || predictor == 2 || predictor == 7 ? 0 : up[(i - 1) * step];  \
        int guess = predictor == 1   ? a                                                           \
                    : predictor == 2 ? above                                                       \
                    : predictor == 3 ? corner                                                      \
                    : predictor == 4 ? a + above - corner                                          \
                    : predictor == 5 ? a + ((above - corner) >> 1)                                 \
                    : predictor == 6 ? above + ((a - corner) >> 1)                                 \
                                     : (a + above) >> 1;                                           \
        return (ctype) (guess + difference);                                                       \
    }                                                                                              \
                                                                                                   \
    static inline __attribute__((always_inline)) void name##_of(                                   \
        Bits *bits, const Huffman *h, ctype *row, const ctype *up, int count, int step,            \
        int predictor, guint start)                                                                \
    {                                                                                              \
        Bits b = *bits;                                                                            \
        guint left = (ctype) (start + (guint) next_difference(&b, h));                             \
        int i = 1;                                                                                 \
        row[0] = (ctype) left;                                                                     \
        for (; i + FETCHED <= count; i += FETCHED) {                                               \
            fetch(&b);                                                                             \
            for (int n = 0; n < FETCHED; n++) {                                                    \
                left = name##_next(left, fetched_difference(&b, h), up, i + n, step, predictor);   \
                row[(i + n) * step] = (ctype) left;                                                \
            }                                                                                      \
        }                                                                                          \
        for (; i < count; i++) {                                                                   \
            left = name##_next(left, next_difference(&b, h), up, i, step, predictor);              \
            row[i * step] = (ctype) left;                                                          \
        }                                                                                          \
        *bits = b;                                                                                 \
    }                                                                                              \
                                                                                                   \
    static void name(Bits *b, const Huffman *h, ctype *row, const ctype *up, int count, int step,  \
                     int predictor, guint start)                                                   \
    {                                                                                              \
        guint first = up != NULL ? up[0] : start;                                                  \
        switch (up != NULL ? predictor : 1) {                                                      \
        case 1:                                                                                    \
            name##_of(b, h, row, up, count, step, 1, first);                                       \
            break;                                                                                 \
        case 2:                                                                                    \
            name##_of(b, h, row, up, count, step, 2, first);                                       \
            break;                                                                                 \
        case 3:                                                                                    \
            name##_of(b, h, row, up, count, step, 3, first);                                       \
            break;                                                                                 \
        case 4:                                                                                    \
            name##_of(b, h, row, up, count, step, 4, first);                                       \
            break;                                                                                 \
        case 5:                                                                                    \
            name##_of(b, h, row, up, count, step, 5, first);                                       \
            break;                                                                                 \
        case 6:                                                                                    \
            name##_of(b, h, row, up, count, step, 6, first);                                       \
            break;                                                                                 \
        default:                                                                                   \
            name##_of(b, h, row, up, count, step, 7, first);                                       \
            break;                                                                                 \
        }                                                                                          \
    }

DEFINE_ROW(decode_row_8, guint8)
DEFINE_ROW(decode_row_16, guint16)

// Interleaved components: a unit is one sample of each.
static void
decode_row_interleaved(Lossless *l, Bits *b, const Huffman *const tables[4], guint8 *row,
                       const guint8 *up, guint start)
{
    int n = l->n_components;
    gboolean wide = l->frame->sample_bytes == 2;
    guint16 *row16 = (guint16 *) (gpointer) row;
    const guint16 *up16 = (const guint16 *) (gconstpointer) up;

#define AT(array8, array16, i) ((int) (wide ? (array16)[i] : (array8)[i]))
    for (int x = 0; x < l->width; x++) {
        for (int c = 0; c < n; c++) {
            int i = x * n + c, guess;
            if (up == NULL)
                guess = x == 0 ? (int) start : AT(row, row16, i - n);
            else if (x == 0)
                guess = AT(up, up16, i);
            else {
                int a = AT(row, row16, i - n), above = AT(up, up16, i),
                    corner = AT(up, up16, i - n);
                int p = l->predictor;
                guess = p == 1   ? a
                        : p == 2 ? above
                        : p == 3 ? corner
                        : p == 4 ? a + above - corner
                        : p == 5 ? a + ((above - corner) >> 1)
                        : p == 6 ? above + ((a - corner) >> 1)
                                 : (a + above) >> 1;
            }
            guess += next_difference(b, tables[c]);
            if (wide)
                row16[i] = (guint16) guess;
            else
                row[i] = (guint8) guess;
        }
    }
#undef AT
}

// Of those since @start; fetched bits that are still there are not used yet.
static guint64
count_used_bits(const Bits *b, const guint8 *start)
{
    return 8 * ((guint64) (b->p - start) + b->beyond) - (guint64) b->n_bits;
}

typedef struct {
    int n, component[4];
    const Huffman *table[4];
} Scan;

static gboolean
decode_scan(Lossless *l, const Scan *scan, const guint8 *packed, gsize n_packed,
            const GArray *breaks, guint8 *out, GError **error)
{
    Bits b = { packed, packed + n_packed, 0, 0, 0 };
    guint start = 1u << (l->precision - l->point_transform - 1);
    gsize row_samples = (gsize) l->width * (gsize) l->n_components;
    gsize row_bytes = row_samples * (gsize) l->frame->sample_bytes;
    gsize offset = (gsize) scan->component[0] * (gsize) l->frame->sample_bytes;
    guint n_restarts = 0;

    for (int y = 0; y < l->height; y++) {
        gboolean fresh = y == 0;
        if (l->restart_rows > 0 && y > 0 && y % l->restart_rows == 0) {
            if (n_restarts >= breaks->len)
                return damaged(error, _("a restart is missing"));
            b = (Bits){ packed + g_array_index(breaks, gsize, n_restarts++), b.end, 0, 0, 0 };
            fresh = TRUE;
        }
        guint8 *row = out + row_bytes * (gsize) y;
        const guint8 *up = fresh ? NULL : row - row_bytes;
        if (scan->n > 1)
            decode_row_interleaved(l, &b, scan->table, row, up, start);
        else if (l->frame->sample_bytes == 1)
            decode_row_8(&b, scan->table[0], row + offset, up != NULL ? up + offset : NULL,
                         l->width, l->n_components, l->predictor, start);
        else
            decode_row_16(&b, scan->table[0], (guint16 *) (gpointer) (row + offset),
                          up != NULL ? (const guint16 *) (gconstpointer) (up + offset) : NULL,
                          l->width, l->n_components, l->predictor, start);
        if (count_used_bits(&b, packed) > 8 * (guint64) n_packed)
            return damaged(error, _("its bits end early"));
    }
    return TRUE;
}

static gboolean
read_scan_header(Lossless *l, const guint8 *p, gsize n, Scan *scan, GError **error)
{
    if (n < 1 || p[0] < 1 || p[0] > 4 || n < 4 + 2 * (gsize) p[0])
        return damaged(error, "SOS");
    *scan = (Scan){ .n = p[0] };
    for (int i = 0; i < scan->n; i++) {
        int table = p[2 + 2 * i] >> 4;
        scan->component[i] = -1;
        for (int c = 0; c < l->n_components; c++) {
            if (l->component_id[c] == p[1 + 2 * i])
                scan->component[i] = c;
        }
        if (table > 3 || !l->table[table].defined || scan->component[i] < 0)
            return damaged(error, "SOS");
        scan->table[i] = &l->table[table];
    }
    if (scan->n != 1 && scan->n != l->n_components)
        return damaged(error, "SOS");
    l->predictor = p[1 + 2 * scan->n];
    l->point_transform = p[3 + 2 * scan->n] & 15;
    if (l->predictor < 1 || l->predictor > 7 || l->point_transform >= l->precision)
        return damaged(error, "SOS");
    l->restart_rows = 0;
    if (l->restart_units > 0) {
        if (l->restart_units % (guint) l->width != 0)
            return damaged(error, "DRI");
        l->restart_rows = (int) (l->restart_units / (guint) l->width);
    }
    return TRUE;
}

static void
undo_point_transform(const Lossless *l, guint8 *out)
{
    gsize n = (gsize) l->width * (gsize) l->height * (gsize) l->n_components;
    guint16 *wide = (guint16 *) (gpointer) out;

    for (gsize i = 0; l->point_transform > 0 && i < n; i++) {
        if (l->frame->sample_bytes == 1)
            out[i] = (guint8) (out[i] << l->point_transform);
        else
            wide[i] = (guint16) (wide[i] << l->point_transform);
    }
}

// Segments up to the end of the picture. @done: components that came.
static gboolean
decode_segments(Lossless *l, guint8 *scratch, guint8 *out, int *done, GError **error)
{
    const guint8 *bytes = l->frame->bytes;
    gsize n_bytes = l->frame->n_bytes, at = 2;
    g_autoptr(GArray) breaks = g_array_new(FALSE, FALSE, sizeof(gsize));
    Scan scan;

    while (at + 4 <= n_bytes && *done < MAX(l->n_components, 1)) {
        int marker = bytes[at + 1];
        if (bytes[at] != 0xff || marker == 0xff || marker == 0) {
            at++;
            continue;
        }
        if (marker == 0xd9)
            break;
        gsize length = (gsize) bytes[at + 2] << 8 | bytes[at + 3];
        if (length < 2 || length > n_bytes - at - 2)
            return damaged(error, _("a segment is cut short"));
        const guint8 *p = bytes + at + 4;
        gsize n = length - 2, n_packed;
        at += 2 + length;
        if (marker == 0xc4 && !read_tables(l, p, n, error))
            return FALSE;
        if (marker == 0xc3 && !read_frame(l, p, n, error))
            return FALSE;
        if (marker == 0xdd && n >= 2)
            l->restart_units = (guint) p[0] << 8 | p[1];
        if (marker != 0xda)
            continue;
        if (l->n_components == 0 || !read_scan_header(l, p, n, &scan, error))
            return error != NULL && *error != NULL ? FALSE : damaged(error, "SOS");
        g_array_set_size(breaks, 0);
        at = unstuff(l->frame, at, scratch, &n_packed, breaks);
        if (!decode_scan(l, &scan, scratch, n_packed, breaks, out, error))
            return FALSE;
        *done += scan.n;
    }
    return TRUE;
}

gboolean
bg_decode_jpeg_lossless(const BgCodedFrame *frame, guint8 *out, BgDecodedFrame *decoded,
                        GError **error)
{
    g_autofree Lossless *l = g_new0(Lossless, 1);
    bg_auto_buffer guint8 *scratch = bg_buffer_alloc(frame->n_bytes + PADDING, error);
    int done = 0;

    if (scratch == NULL)
        return FALSE;
    l->frame = frame;
    if (frame->sample_bytes > 2) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("lossless JPEG has 16 bits at most"));
        return FALSE;
    }
    if (!decode_segments(l, scratch, out, &done, error))
        return FALSE;
    if (done < MAX(l->n_components, 1))
        return damaged(error, _("a component is missing"));
    undo_point_transform(l, out);
    *decoded = (BgDecodedFrame){ .precision = l->precision };
    return TRUE;
}
