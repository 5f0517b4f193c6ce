// SPDX-License-Identifier: Apache-2.0
#include "bg-pages-private.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

static const char style_sheet[] =
    "body{font-family:sans-serif;margin:2rem auto;max-width:62rem;padding:0 "
    "1rem;color:#1c1c1c;background:#fff}"
    "table{border-collapse:collapse;margin:.6rem 0}td,th{border:1px solid #bbb;padding:.25rem "
    ".6rem;text-align:left}th{background:#f3f3f3}"
    ".c{border-left:5px solid #b35900;background:#fff6e5;padding:.5rem 1rem}"
    "figure{display:inline-block;margin:.3rem .4rem .3rem 0;vertical-align:top}figure "
    "img{width:100%}figcaption{font-size:.85rem;color:#444}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.72rem;background:#f3f3f3;padding:"
    ".8rem}footer{border-top:1px solid #bbb;margin-top:1.5rem;padding:.5rem 0;color:#444}";

static void
piece_free(gpointer data)
{
    BgPiece *piece = data;

    g_free(piece->words);
    g_clear_pointer(&piece->rows, g_ptr_array_unref);
    g_clear_pointer(&piece->image, bg_image_unref);
    g_free(piece);
}

BgPages *
bg_pages_new(const char *title, const char *footer)
{
    BgPages *pages = g_new0(BgPages, 1);

    pages->title = g_strdup(title);
    pages->footer = g_strdup(footer);
    pages->pieces = g_ptr_array_new_with_free_func(piece_free);
    return pages;
}

void
bg_pages_free(BgPages *pages)
{
    if (pages == NULL)
        return;
    g_free(pages->title);
    g_free(pages->footer);
    g_ptr_array_unref(pages->pieces);
    g_free(pages);
}

static BgPiece *
add(BgPages *pages, BgPieceKind kind, const char *words)
{
    BgPiece *piece = g_new0(BgPiece, 1);

    piece->kind = kind;
    piece->words = g_strdup(words);
    pages->in_table = kind == BG_PIECE_TABLE;
    g_ptr_array_add(pages->pieces, piece);
    return piece;
}

void
bg_pages_add(BgPages *pages, BgPagesStyle style, const char *words)
{
    static const BgPieceKind kinds[] = { [BG_PAGES_HEADING] = BG_PIECE_HEADING,
                                         [BG_PAGES_WORDS] = BG_PIECE_WORDS,
                                         [BG_PAGES_CAUTION] = BG_PIECE_CAUTION,
                                         [BG_PAGES_CODE] = BG_PIECE_CODE };

    add(pages, kinds[style], words);
}

void
bg_pages_add_row(BgPages *pages, const char *const *cells, gboolean head)
{
    BgPiece *piece;

    if (head || !pages->in_table) {
        piece = add(pages, BG_PIECE_TABLE, NULL);
        piece->rows = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
        piece->has_head = head;
    } else {
        piece = pages->pieces->pdata[pages->pieces->len - 1];
    }
    g_ptr_array_add(piece->rows, g_strdupv((char **) cells));
}

void
bg_pages_end_table(BgPages *pages)
{
    pages->in_table = FALSE;
}

void
bg_pages_add_picture(BgPages *pages, BgImage *image, const char *words, double share)
{
    BgPiece *piece = add(pages, BG_PIECE_PICTURE, words);

    piece->image = bg_image_ref(image);
    piece->share = CLAMP(share, 0.05, 1.0);
}

cairo_surface_t *
bg_pages_surface(BgImage *image, GError **error)
{
    const BgImageFormat *format = bg_image_get_format(image);
    const guint8 *rgb = bg_image_get_pixels(image);
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, format->width, format->height);

    g_return_val_if_fail(format->type == BG_PIXEL_UINT8 && format->n_channels == 3, NULL);

    if (cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS) {
        cairo_surface_destroy(surface);
        g_set_error(error, BG_ERROR, BG_ERROR_NO_MEMORY,
                    _("A picture of %d × %d pixels cannot be drawn: there is no memory. Close "
                      "something"),
                    format->width, format->height);
        return NULL;
    }
    guint8 *to = cairo_image_surface_get_data(surface);
    int stride = cairo_image_surface_get_stride(surface);
    for (int y = 0; y < format->height; y++) {
        guint32 *row = (guint32 *) (gpointer) (to + (gsize) y * (gsize) stride);
        for (int x = 0; x < format->width; x++, rgb += 3)
            row[x] = (guint32) rgb[0] << 16 | (guint32) rgb[1] << 8 | rgb[2];
    }
    cairo_surface_mark_dirty(surface);
    return surface;
}

// ------------------------------------------------------------------------------------------------
// The web page

static cairo_status_t
take_bytes(void *closure, const unsigned char *data, unsigned length)
{
    g_byte_array_append(closure, data, length);
    return CAIRO_STATUS_SUCCESS;
}

static void
element(GString *html, const char *before, const char *words, const char *after)
{
    g_autofree char *safe = g_markup_escape_text(words, -1);

    g_string_append_printf(html, "%s%s%s\n", before, safe, after);
}

static gboolean
write_picture(GString *html, const BgPiece *piece, GError **error)
{
    g_autoptr(GByteArray) png = g_byte_array_new();
    cairo_surface_t *surface = bg_pages_surface(piece->image, error);

    if (surface == NULL)
        return FALSE;
    cairo_surface_write_to_png_stream(surface, take_bytes, png);
    cairo_surface_destroy(surface);
    g_autofree char *text = g_base64_encode(png->data, png->len);
    g_autofree char *safe = g_markup_escape_text(piece->words, -1);
    g_string_append_printf(
        html,
        "<figure style=\"width:%d%%\"><img alt=\"%s\" "
        "src=\"data:image/png;base64,%s\">\n<figcaption>%s</figcaption></figure>\n",
        (int) (piece->share * 98.0), safe, text, safe);
    return TRUE;
}

static void
write_table(GString *html, const BgPiece *piece)
{
    g_string_append(html, "<table>\n");
    for (guint r = 0; r < piece->rows->len; r++) {
        char **cells = piece->rows->pdata[r];
        gboolean head = r == 0 && piece->has_head;
        g_string_append(html, "<tr>");
        for (; *cells != NULL; cells++)
            element(html, head ? "<th>" : "<td>", *cells, head ? "</th>" : "</td>");
        g_string_append(html, "</tr>\n");
    }
    g_string_append(html, "</table>\n");
}

char *
bg_pages_to_html(const BgPages *pages, GError **error)
{
    g_autoptr(GString) html =
        g_string_new("<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\">\n");

    element(html, "<title>", pages->title, "</title>");
    g_string_append_printf(html, "<style>%s</style></head><body>\n", style_sheet);
    element(html, "<h1>", pages->title, "</h1>");
    for (guint p = 0; p < pages->pieces->len; p++) {
        const BgPiece *piece = pages->pieces->pdata[p];
        switch (piece->kind) {
        case BG_PIECE_HEADING:
            element(html, "<h2>", piece->words, "</h2>");
            break;
        case BG_PIECE_WORDS:
            element(html, "<p>", piece->words, "</p>");
            break;
        case BG_PIECE_CAUTION:
            element(html, "<p class=\"c\">", piece->words, "</p>");
            break;
        case BG_PIECE_CODE:
            element(html, "<pre>", piece->words, "</pre>");
            break;
        case BG_PIECE_TABLE:
            write_table(html, piece);
            break;
        case BG_PIECE_PICTURE:
            if (!write_picture(html, piece, error))
                return NULL;
            break;
        }
    }
    element(html, "<footer>", pages->footer, "</footer>");
    g_string_append(html, "</body></html>\n");
    return g_string_free(g_steal_pointer(&html), FALSE);
}
