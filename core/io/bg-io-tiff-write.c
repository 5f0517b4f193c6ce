// SPDX-License-Identifier: Apache-2.0
// TIFF 6.0, a page a slice, unpacked, and BigTIFF beyond 4 GiB. An own writer: what is written is
// trusted, and core then needs no libtiff, whose reader belongs in the child.
#include "bg-io-grid.h"
#include "bg-io-sidecar.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <string.h>

#define N_ENTRIES 15
#define CLASSIC_MOST 0xF0000000u // bytes; beyond, offsets of 64 bits

enum { TYPE_ASCII = 2, TYPE_SHORT = 3, TYPE_LONG = 4, TYPE_RATIONAL = 5, TYPE_LONG8 = 16 };

typedef struct {
    const BgGrid *grid;
    gboolean wide;       // BigTIFF
    char *description;   // owned
    guint64 n_first;     // bytes of the description with its NUL, even
    guint64 n_page;      // bytes of pixels, padded to even
    guint64 n_directory; // bytes of a directory, its two resolutions behind it
    guint64 n_pages;
} Tiff;

static void
put(GByteArray *bytes, guint64 value, gsize n)
{
    guint64 little = GUINT64_TO_LE(value);

    g_byte_array_append(bytes, (const guint8 *) &little, (guint) n);
}

// Values of at most 4 bytes (8 in BigTIFF) stand in the entry itself, all others where they point.
static void
put_entry(const Tiff *tiff, GByteArray *bytes, int tag, int type, guint64 count, guint64 value)
{
    put(bytes, (guint64) tag, 2);
    put(bytes, (guint64) type, 2);
    put(bytes, count, tiff->wide ? 8 : 4);
    put(bytes, value, tiff->wide ? 8 : 4);
}

static guint64
find_directory(const Tiff *tiff, guint64 page)
{
    guint64 start = (tiff->wide ? 16 : 8) + tiff->n_first;

    return start + page * (tiff->n_directory + tiff->n_page);
}

static int
find_sample_format(BgRawType type)
{
    switch (type) {
    case BG_RAW_INT8:
    case BG_RAW_INT16:
    case BG_RAW_INT32:
    case BG_RAW_INT64:
        return 2;
    case BG_RAW_FLOAT32:
    case BG_RAW_FLOAT64:
        return 3;
    default:
        return 1;
    }
}

// Pixels in a centimetre, as a fraction.
static guint64
make_resolution(double spacing_mm)
{
    double per_cm = 10.0 / spacing_mm;
    guint32 below = per_cm < 1000.0 ? 1000000 : per_cm < 1e6 ? 1000 : 1;
    double above = CLAMP(rint(per_cm * below), 1.0, (double) G_MAXUINT32);

    return (guint64) below << 32 | (guint64) (guint32) above;
}

static gboolean
write_directory(const Tiff *tiff, BgSink *sink, guint64 page, GError **error)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    const BgGeometry *geometry = &tiff->grid->geometry;
    BgVec3 spacing = bg_geometry_spacing_mm(geometry);
    guint64 at = find_directory(tiff, page), data = at + tiff->n_directory;
    int number = tiff->wide ? TYPE_LONG8 : TYPE_LONG;
    gboolean first = page == 0 && tiff->n_first > 0;
    gsize n_bytes =
        (gsize) geometry->dims[0] * (gsize) geometry->dims[1] * bg_raw_type_size(tiff->grid->type);
    // In BigTIFF, a fraction has room in its entry.
    guint64 x = tiff->wide ? make_resolution(spacing.x) : data - 16;
    guint64 y = tiff->wide ? make_resolution(spacing.y) : data - 8;

    put(bytes, N_ENTRIES - (first ? 0 : 1), tiff->wide ? 8 : 2);
    put_entry(tiff, bytes, 254, TYPE_LONG, 1, tiff->n_pages > 1 ? 2 : 0);
    put_entry(tiff, bytes, 256, TYPE_LONG, 1, (guint64) geometry->dims[0]);
    put_entry(tiff, bytes, 257, TYPE_LONG, 1, (guint64) geometry->dims[1]);
    put_entry(tiff, bytes, 258, TYPE_SHORT, 1, 8 * bg_raw_type_size(tiff->grid->type));
    put_entry(tiff, bytes, 259, TYPE_SHORT, 1, 1);
    put_entry(tiff, bytes, 262, TYPE_SHORT, 1, 1);
    if (first)
        put_entry(tiff, bytes, 270, TYPE_ASCII, strlen(tiff->description) + 1, tiff->wide ? 16 : 8);
    put_entry(tiff, bytes, 273, number, 1, data);
    put_entry(tiff, bytes, 277, TYPE_SHORT, 1, 1);
    put_entry(tiff, bytes, 278, TYPE_LONG, 1, (guint64) geometry->dims[1]);
    put_entry(tiff, bytes, 279, number, 1, n_bytes);
    put_entry(tiff, bytes, 282, TYPE_RATIONAL, 1, x);
    put_entry(tiff, bytes, 283, TYPE_RATIONAL, 1, y);
    put_entry(tiff, bytes, 296, TYPE_SHORT, 1, 3);
    put_entry(tiff, bytes, 339, TYPE_SHORT, 1, (guint64) find_sample_format(tiff->grid->type));
    put(bytes, page + 1 < tiff->n_pages ? find_directory(tiff, page + 1) : 0, tiff->wide ? 8 : 4);
    while (bytes->len + (tiff->wide ? 0 : 16) < tiff->n_directory)
        put(bytes, 0, 1);
    if (!tiff->wide) {
        put(bytes, make_resolution(spacing.x), 8);
        put(bytes, make_resolution(spacing.y), 8);
    }
    return bg_sink_write(sink, bytes->data, bytes->len, NULL, NULL, error);
}

static gboolean
write_header(const Tiff *tiff, BgSink *sink, GError **error)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    g_byte_array_append(bytes, (const guint8 *) "II", 2);
    put(bytes, tiff->wide ? 43 : 42, 2);
    if (tiff->wide)
        put(bytes, 8, 4); // offsets of 8 bytes
    put(bytes, find_directory(tiff, 0), tiff->wide ? 8 : 4);
    g_byte_array_append(bytes, (const guint8 *) tiff->description,
                        (guint) strlen(tiff->description));
    while (bytes->len < find_directory(tiff, 0))
        put(bytes, 0, 1);
    return bg_sink_write(sink, bytes->data, bytes->len, NULL, NULL, error);
}

static void
plan(Tiff *tiff)
{
    const BgGrid *grid = tiff->grid;
    guint64 n_bytes = (guint64) grid->geometry.dims[0] * (guint64) grid->geometry.dims[1] *
                      bg_raw_type_size(grid->type);
    guint64 n_text = strlen(tiff->description) + 1;

    tiff->n_pages = (guint64) grid->geometry.dims[2] * grid->n_frames;
    tiff->n_page = n_bytes + n_bytes % 2;
    tiff->n_first = n_text + (8 - n_text % 8) % 8;
    tiff->wide = tiff->n_pages * (tiff->n_page + 256) + tiff->n_first > CLASSIC_MOST;
    tiff->n_directory = tiff->wide ? 8 + N_ENTRIES * 20 + 8 : 2 + N_ENTRIES * 12 + 4 + 16;
    tiff->n_directory += tiff->n_directory % 2;
}

static gboolean
write_pages(const Tiff *tiff, BgSink *sink, const BgProgress *progress, GCancellable *cancellable,
            GError **error)
{
    const BgGrid *grid = tiff->grid;
    gsize n_slice = (gsize) grid->geometry.dims[0] * (gsize) grid->geometry.dims[1] *
                    bg_raw_type_size(grid->type);

    for (guint64 page = 0; page < tiff->n_pages; page++) {
        gsize frame = (gsize) (page / (guint64) grid->geometry.dims[2]);
        gsize k = (gsize) (page % (guint64) grid->geometry.dims[2]);
        const guint8 *slice = (const guint8 *) grid->frames[frame] + k * n_slice;
        if (!write_directory(tiff, sink, page, error) ||
            !bg_sink_write(sink, slice, n_slice, NULL, cancellable, error) ||
            !bg_sink_write(sink, "", (gsize) (tiff->n_page - n_slice), NULL, NULL, error))
            return FALSE;
        bg_progress_report(progress, (double) page / (double) tiff->n_pages);
    }
    return TRUE;
}

// ASCII only: what the description's readers can show.
static char *
make_description(const BgGrid *grid)
{
    g_autoptr(BgJson) json = bg_sidecar_new(grid);
    g_autofree char *text = bg_json_print(json, FALSE);
    g_autoptr(GString) ascii = g_string_new(NULL);

    for (const char *c = text; *c != '\0'; c = g_utf8_next_char(c)) {
        gunichar u = g_utf8_get_char(c);
        if (u < 0x80)
            g_string_append_c(ascii, (char) u);
        else if (u < 0x10000)
            g_string_append_printf(ascii, "\\u%04x", u);
        else
            g_string_append_printf(ascii, "\\u%04x\\u%04x", 0xD7C0 + (u >> 10),
                                   0xDC00 + (u & 0x3FF));
    }
    return g_string_free(g_steal_pointer(&ascii), FALSE);
}

gboolean
bg_grid_write_tiff(const BgGrid *grid, const char *path, const BgProgress *progress,
                   GCancellable *cancellable, GError **error)
{
    Tiff tiff = { .grid = grid };

    if (G_BYTE_ORDER != G_LITTLE_ENDIAN) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("TIFF is written on little-endian machines alone. Save it as "
                              ".nii.gz"));
        return FALSE;
    }
    g_autofree char *description = make_description(grid);
    tiff.description = description;
    plan(&tiff);
    g_autoptr(BgSink) sink = bg_sink_new(path, grid->params->force, BG_SINK_PLAIN, error);
    return sink != NULL && write_header(&tiff, sink, error) &&
           write_pages(&tiff, sink, progress, cancellable, error) && bg_sink_finish(sink, error);
}
