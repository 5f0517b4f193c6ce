// SPDX-License-Identifier: Apache-2.0
#include "bg-pages-private.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <cairo-pdf.h>
#include <math.h>
#include <pango/pangocairo.h>

// Points: 1/72 inch.
#define PAGE_WIDTH 595.276
#define PAGE_HEIGHT 841.89
#define MARGIN 51.0
#define FOOT 34.0 // of the lower margin, for the footer
#define WIDTH (PAGE_WIDTH - 2.0 * MARGIN)
#define BOTTOM (PAGE_HEIGHT - MARGIN - FOOT)
#define TITLE_PT 17.0
#define HEADING_PT 12.5
#define WORDS_PT 9.0
#define CODE_PT 6.5
#define FOOTER_PT 7.5
#define CELL_X 4.0
#define CELL_Y 2.0
#define GAP 6.0

/** Sheet: where the next thing goes */
typedef struct {
    const BgPages *pages;
    cairo_t *cr; // owned
    double y;
    double x, row_height; // of pictures side by side
    int page;
} Sheet;

static PangoLayout *
new_layout(cairo_t *cr, const char *words, double size_pt, double width, gboolean bold,
           gboolean mono)
{
    PangoLayout *layout = pango_cairo_create_layout(cr);
    PangoFontDescription *font = pango_font_description_from_string(mono ? "Monospace" : "Sans");

    pango_font_description_set_absolute_size(font, size_pt * PANGO_SCALE);
    if (bold)
        pango_font_description_set_weight(font, PANGO_WEIGHT_BOLD);
    pango_layout_set_font_description(layout, font);
    pango_font_description_free(font);
    pango_layout_set_text(layout, words, -1);
    if (width > 0.0) {
        pango_layout_set_width(layout, (int) (width * PANGO_SCALE));
        pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    }
    return layout;
}

static void
extents(PangoLayout *layout, double *width, double *height)
{
    PangoRectangle logical;

    pango_layout_get_extents(layout, NULL, &logical);
    *width = logical.width / (double) PANGO_SCALE;
    *height = logical.height / (double) PANGO_SCALE;
}

static void
write_footer(Sheet *sheet)
{
    double y = PAGE_HEIGHT - MARGIN + 4.0, width, height;
    g_autofree char *number = g_strdup_printf("%d", sheet->page);
    PangoLayout *layout =
        new_layout(sheet->cr, sheet->pages->footer, FOOTER_PT, WIDTH - 40.0, FALSE, FALSE);
    PangoLayout *right = new_layout(sheet->cr, number, FOOTER_PT, 0.0, FALSE, FALSE);

    cairo_set_source_rgb(sheet->cr, 0.3, 0.3, 0.3);
    extents(layout, &width, &height);
    cairo_set_line_width(sheet->cr, 0.5);
    cairo_move_to(sheet->cr, MARGIN, y - height - 3.0);
    cairo_line_to(sheet->cr, MARGIN + WIDTH, y - height - 3.0);
    cairo_stroke(sheet->cr);
    cairo_move_to(sheet->cr, MARGIN, y - height);
    pango_cairo_show_layout(sheet->cr, layout);
    extents(right, &width, &height);
    cairo_move_to(sheet->cr, MARGIN + WIDTH - width, y - height);
    pango_cairo_show_layout(sheet->cr, right);
    g_object_unref(layout);
    g_object_unref(right);
    cairo_set_source_rgb(sheet->cr, 0.1, 0.1, 0.1);
}

static void
next_page(Sheet *sheet)
{
    write_footer(sheet);
    cairo_show_page(sheet->cr);
    sheet->page++;
    sheet->y = MARGIN;
}

static void
end_pictures(Sheet *sheet)
{
    sheet->y += sheet->row_height;
    sheet->x = sheet->row_height = 0.0;
}

// As many of the lines as fit, then the next page. @inset: from the left
static void
write_lines(Sheet *sheet, PangoLayout *layout, double inset, gboolean bar)
{
    PangoLayoutIter *lines = pango_layout_get_iter(layout);

    do {
        PangoRectangle logical;
        PangoLayoutLine *line = pango_layout_iter_get_line_readonly(lines);
        pango_layout_iter_get_line_extents(lines, NULL, &logical);
        double height = logical.height / (double) PANGO_SCALE;
        if (sheet->y + height > BOTTOM)
            next_page(sheet);
        if (bar) {
            cairo_set_source_rgb(sheet->cr, 0.70, 0.35, 0.0);
            cairo_rectangle(sheet->cr, MARGIN, sheet->y, 3.0, height);
            cairo_fill(sheet->cr);
            cairo_set_source_rgb(sheet->cr, 0.1, 0.1, 0.1);
        }
        int baseline = pango_layout_iter_get_baseline(lines);
        PangoRectangle all;
        pango_layout_iter_get_line_extents(lines, NULL, &all);
        cairo_move_to(sheet->cr, MARGIN + inset,
                      sheet->y + (baseline - all.y) / (double) PANGO_SCALE);
        pango_cairo_show_layout_line(sheet->cr, line);
        sheet->y += height;
    } while (pango_layout_iter_next_line(lines));
    pango_layout_iter_free(lines);
}

// A heading never stands alone at the foot of a page. @next: (nullable): what follows it
static double
room_for_heading(const BgPiece *next)
{
    double room = 5.0 * HEADING_PT;

    if (next != NULL && next->kind == BG_PIECE_PICTURE) {
        const BgImageFormat *format = bg_image_get_format(next->image);
        room += next->share * WIDTH * format->height / format->width;
    }
    return MIN(room, BOTTOM - MARGIN);
}

static void
write_words(Sheet *sheet, const BgPiece *piece, const BgPiece *next)
{
    gboolean heading = piece->kind == BG_PIECE_HEADING, code = piece->kind == BG_PIECE_CODE;
    gboolean caution = piece->kind == BG_PIECE_CAUTION;
    double inset = caution ? 9.0 : 0.0;
    PangoLayout *layout = new_layout(sheet->cr, piece->words,
                                     heading ? HEADING_PT
                                     : code  ? CODE_PT
                                             : WORDS_PT,
                                     WIDTH - inset, heading, code);

    if (heading) {
        sheet->y += GAP;
        if (sheet->y + room_for_heading(next) > BOTTOM)
            next_page(sheet);
    }
    write_lines(sheet, layout, inset, caution);
    sheet->y += GAP;
    g_object_unref(layout);
}

// The width of @words on one line, and of their longest word.
static void
measure_cell(Sheet *sheet, const char *words, gboolean bold, double *whole, double *word)
{
    PangoLayout *layout = new_layout(sheet->cr, words, WORDS_PT, 0.0, bold, FALSE);
    double height;

    extents(layout, whole, &height);
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD);
    pango_layout_set_width(layout, 0);
    extents(layout, word, &height);
    g_object_unref(layout);
}

// Columns as wide as what stands in them; where that is too much, those with more than a word give.
static void
measure_columns(Sheet *sheet, const BgPiece *piece, double *widths, guint n)
{
    g_autofree double *least = g_new0(double, n + 1);
    double sum = 0.0, sum_least = 0.0;

    for (guint r = 0; r < piece->rows->len; r++) {
        char **cells = piece->rows->pdata[r];
        for (guint c = 0; c < n && cells[c] != NULL; c++) {
            double whole, word;
            measure_cell(sheet, cells[c], r == 0 && piece->has_head, &whole, &word);
            widths[c] = MAX(widths[c], whole + 2.0 * CELL_X + 1.0);
            least[c] = MAX(least[c], MIN(word, 0.4 * WIDTH) + 2.0 * CELL_X + 1.0);
        }
    }
    for (guint c = 0; c < n; c++) {
        sum += widths[c];
        sum_least += least[c];
    }
    if (sum <= WIDTH)
        return;
    double share = sum_least < WIDTH ? (WIDTH - sum_least) / (sum - sum_least) : 0.0;
    for (guint c = 0; c < n; c++) {
        widths[c] = least[c] + share * (widths[c] - least[c]);
        widths[c] *= sum_least > WIDTH ? WIDTH / sum_least : 1.0;
    }
}

static void
write_row(Sheet *sheet, char **cells, const double *widths, guint n, gboolean head)
{
    g_autofree PangoLayout **layouts = g_new0(PangoLayout *, n + 1);
    double height = 0.0, x = MARGIN;

    for (guint c = 0; c < n && cells[c] != NULL; c++) {
        double w, h;
        layouts[c] =
            new_layout(sheet->cr, cells[c], WORDS_PT, widths[c] - 2.0 * CELL_X, head, FALSE);
        extents(layouts[c], &w, &h);
        height = MAX(height, h + 2.0 * CELL_Y);
    }
    if (sheet->y + height > BOTTOM)
        next_page(sheet);
    for (guint c = 0; c < n; c++) {
        if (head) {
            cairo_set_source_rgb(sheet->cr, 0.95, 0.95, 0.95);
            cairo_rectangle(sheet->cr, x, sheet->y, widths[c], height);
            cairo_fill(sheet->cr);
        }
        cairo_set_source_rgb(sheet->cr, 0.7, 0.7, 0.7);
        cairo_set_line_width(sheet->cr, 0.5);
        cairo_rectangle(sheet->cr, x, sheet->y, widths[c], height);
        cairo_stroke(sheet->cr);
        cairo_set_source_rgb(sheet->cr, 0.1, 0.1, 0.1);
        if (layouts[c] != NULL) {
            cairo_move_to(sheet->cr, x + CELL_X, sheet->y + CELL_Y);
            pango_cairo_show_layout(sheet->cr, layouts[c]);
            g_object_unref(layouts[c]);
        }
        x += widths[c];
    }
    sheet->y += height;
}

static void
write_table(Sheet *sheet, const BgPiece *piece)
{
    guint n = 0;

    for (guint r = 0; r < piece->rows->len; r++)
        n = MAX(n, g_strv_length(piece->rows->pdata[r]));
    g_autofree double *widths = g_new0(double, n + 1);
    measure_columns(sheet, piece, widths, n);
    for (guint r = 0; r < piece->rows->len; r++)
        write_row(sheet, piece->rows->pdata[r], widths, n, r == 0 && piece->has_head);
    sheet->y += GAP;
}

static gboolean
write_picture(Sheet *sheet, const BgPiece *piece, GError **error)
{
    const BgImageFormat *format = bg_image_get_format(piece->image);
    double width = piece->share * WIDTH - (piece->share < 1.0 ? GAP / 2.0 : 0.0), words_width;
    double height = width * format->height / format->width, below;
    cairo_surface_t *surface = bg_pages_surface(piece->image, error);

    if (surface == NULL)
        return FALSE;
    if (sheet->x > 0.0 && sheet->x + width > WIDTH + 1.0)
        end_pictures(sheet);
    PangoLayout *layout = new_layout(sheet->cr, piece->words, FOOTER_PT + 0.5, width, FALSE, FALSE);
    extents(layout, &words_width, &below);
    below += GAP;
    if (sheet->y + height + below > BOTTOM) {
        end_pictures(sheet);
        if (sheet->y > MARGIN)
            next_page(sheet);
        double room = BOTTOM - MARGIN - below;
        if (height > room) {
            width *= room / height;
            height = room;
        }
    }
    cairo_save(sheet->cr);
    cairo_translate(sheet->cr, MARGIN + sheet->x, sheet->y);
    cairo_scale(sheet->cr, width / format->width, height / format->height);
    cairo_set_source_surface(sheet->cr, surface, 0.0, 0.0);
    cairo_rectangle(sheet->cr, 0.0, 0.0, format->width, format->height);
    cairo_fill(sheet->cr);
    cairo_restore(sheet->cr);
    cairo_surface_destroy(surface);
    cairo_move_to(sheet->cr, MARGIN + sheet->x, sheet->y + height + 2.0);
    pango_cairo_show_layout(sheet->cr, layout);
    g_object_unref(layout);
    sheet->row_height = MAX(sheet->row_height, height + below);
    sheet->x += width + GAP;
    return TRUE;
}

static gboolean
write_pieces(Sheet *sheet, GError **error)
{
    const GPtrArray *pieces = sheet->pages->pieces;
    PangoLayout *title = new_layout(sheet->cr, sheet->pages->title, TITLE_PT, WIDTH, TRUE, FALSE);

    cairo_set_source_rgb(sheet->cr, 0.1, 0.1, 0.1);
    write_lines(sheet, title, 0.0, FALSE);
    g_object_unref(title);
    sheet->y += GAP;
    for (guint p = 0; p < pieces->len; p++) {
        const BgPiece *piece = pieces->pdata[p];
        if (piece->kind != BG_PIECE_PICTURE)
            end_pictures(sheet);
        if (piece->kind == BG_PIECE_TABLE)
            write_table(sheet, piece);
        else if (piece->kind != BG_PIECE_PICTURE)
            write_words(sheet, piece, p + 1 < pieces->len ? pieces->pdata[p + 1] : NULL);
        else if (!write_picture(sheet, piece, error))
            return FALSE;
    }
    write_footer(sheet);
    return TRUE;
}

static cairo_status_t
take_bytes(void *closure, const unsigned char *data, unsigned length)
{
    g_byte_array_append(closure, data, length);
    return CAIRO_STATUS_SUCCESS;
}

GBytes *
bg_pages_to_pdf(const BgPages *pages, GError **error)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    cairo_surface_t *surface =
        cairo_pdf_surface_create_for_stream(take_bytes, bytes, PAGE_WIDTH, PAGE_HEIGHT);
    Sheet sheet = { .pages = pages, .cr = cairo_create(surface), .y = MARGIN, .page = 1 };

    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, pages->title);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "bregma");
    gboolean ok = write_pieces(&sheet, error);
    cairo_status_t status = cairo_status(sheet.cr);
    cairo_destroy(sheet.cr);
    cairo_surface_finish(surface);
    status = status != CAIRO_STATUS_SUCCESS ? status : cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    if (ok && status != CAIRO_STATUS_SUCCESS) {
        g_set_error(error, BG_ERROR, BG_ERROR_NO_MEMORY,
                    _("The pages cannot be drawn: %s. Close something, or leave pictures out"),
                    cairo_status_to_string(status));
        return NULL;
    }
    return ok ? g_byte_array_free_to_bytes(g_steal_pointer(&bytes)) : NULL;
}
