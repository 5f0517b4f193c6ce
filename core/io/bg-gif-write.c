// SPDX-License-Identifier: Apache-2.0
#include "bg-gif-write.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-output.h"

#include <gif_lib.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define N_BINS 32768 // five bits a channel
#define N_COLOURS 256
#define NO_COLOUR G_MAXUINT16
#define MAX_COMMENT (1u << 20) // where a comment is looked for, from the start of the file

typedef struct {
    guint32 count;
    guint32 sum[3];
} Bin;

// A box of colours: bins[first .. last) of Palette.order.
typedef struct {
    guint first, last;
    guint64 count;
    int axis; // the longest
    int extent;
} Box;

typedef struct {
    Bin *bins;       // N_BINS
    guint16 *order;  // the bins that are used
    guint16 *lookup; // by bin: number of the nearest colour, or NO_COLOUR when nobody has asked
    guint8 colours[N_COLOURS][3];
    int n_colours;
} Palette;

struct _BgGif {
    BgOutput *output;
    GifFileType *file;
    GError *failure; // of the output
    char *provenance;
    int delay_cs;
    int width, height; // 0 before the first picture
    Palette palette;
};

static guint
bin_of(const int rgb[3])
{
    return (guint) ((rgb[0] >> 3) << 10 | (rgb[1] >> 3) << 5 | rgb[2] >> 3);
}

static int
bin_channel(guint bin, int axis)
{
    return (int) (bin >> (10 - 5 * axis)) & 31;
}

static void
measure_box(const Palette *palette, Box *box)
{
    int low[3] = { 31, 31, 31 }, high[3] = { 0, 0, 0 };

    box->count = 0;
    for (guint i = box->first; i < box->last; i++) {
        guint bin = palette->order[i];
        box->count += palette->bins[bin].count;
        for (int axis = 0; axis < 3; axis++) {
            low[axis] = MIN(low[axis], bin_channel(bin, axis));
            high[axis] = MAX(high[axis], bin_channel(bin, axis));
        }
    }
    box->axis = 0;
    box->extent = -1;
    for (int axis = 0; axis < 3; axis++) {
        if (high[axis] - low[axis] > box->extent) {
            box->extent = high[axis] - low[axis];
            box->axis = axis;
        }
    }
}

static int
compare_bins(gconstpointer a, gconstpointer b, gpointer axis)
{
    guint p = *(const guint16 *) a, q = *(const guint16 *) b;
    int difference = bin_channel(p, GPOINTER_TO_INT(axis)) - bin_channel(q, GPOINTER_TO_INT(axis));

    return difference != 0 ? difference : (int) p - (int) q;
}

// At the median of what is in it, so that either half has as many pixels.
static void
split_box(Palette *palette, Box *box, Box *rest)
{
    guint at = box->first;
    guint64 sum = 0;

    g_qsort_with_data(palette->order + box->first, (int) (box->last - box->first), sizeof(guint16),
                      compare_bins, GINT_TO_POINTER(box->axis));
    while (at + 1 < box->last && (at == box->first || 2 * sum < box->count))
        sum += palette->bins[palette->order[at++]].count;
    *rest = (Box){ .first = at, .last = box->last };
    box->last = at;
    measure_box(palette, box);
    measure_box(palette, rest);
}

static void
choose_colours(Palette *palette, guint n_used)
{
    Box boxes[N_COLOURS] = { { .first = 0, .last = n_used } };
    int n = 1;

    measure_box(palette, &boxes[0]);
    while (n < N_COLOURS) {
        int best = -1;
        double most = 0.0;
        for (int i = 0; i < n; i++) {
            // Between many pixels and a wide range: small bright letters keep their colour.
            double weight = (double) boxes[i].extent * sqrt((double) boxes[i].count);
            if (boxes[i].extent > 0 && weight > most) {
                most = weight;
                best = i;
            }
        }
        if (best < 0)
            break;
        split_box(palette, &boxes[best], &boxes[n++]);
    }
    palette->n_colours = n;
    for (int i = 0; i < n; i++) {
        guint64 sum[3] = { 0, 0, 0 };
        for (guint k = boxes[i].first; k < boxes[i].last; k++)
            for (int axis = 0; axis < 3; axis++)
                sum[axis] += palette->bins[palette->order[k]].sum[axis];
        for (int axis = 0; axis < 3; axis++)
            palette->colours[i][axis] =
                (guint8) ((sum[axis] + boxes[i].count / 2) / MAX(boxes[i].count, 1));
    }
}

static void
pixel_at(BgImage *image, gsize at, int rgb[3])
{
    int n = bg_image_get_format(image)->n_channels;
    const guint8 *p = (const guint8 *) bg_image_get_pixels(image) + at * (gsize) n;

    for (int axis = 0; axis < 3; axis++)
        rgb[axis] = p[n >= 3 ? axis : 0];
}

static void
make_palette(Palette *palette, BgImage *image)
{
    const BgImageFormat *format = bg_image_get_format(image);
    gsize n_pixels = (gsize) format->width * (gsize) format->height;
    guint n_used = 0;

    memset(palette->bins, 0, N_BINS * sizeof(Bin));
    memset(palette->lookup, 0xff, N_BINS * sizeof(guint16));
    for (gsize i = 0; i < n_pixels; i++) {
        int rgb[3];
        pixel_at(image, i, rgb);
        Bin *bin = &palette->bins[bin_of(rgb)];
        bin->count++;
        for (int axis = 0; axis < 3; axis++)
            bin->sum[axis] += (guint32) rgb[axis];
    }
    for (guint bin = 0; bin < N_BINS; bin++)
        if (palette->bins[bin].count > 0)
            palette->order[n_used++] = (guint16) bin;
    choose_colours(palette, n_used);
}

static guint
nearest_colour(Palette *palette, const int rgb[3])
{
    guint16 *known = &palette->lookup[bin_of(rgb)];
    int least = G_MAXINT;

    if (*known != NO_COLOUR)
        return *known;
    for (int i = 0; i < palette->n_colours; i++) {
        int distance = 0;
        for (int axis = 0; axis < 3; axis++) {
            int d = ((rgb[axis] & ~7) | 4) - palette->colours[i][axis];
            distance += d * d;
        }
        if (distance < least) {
            least = distance;
            *known = (guint16) i;
        }
    }
    return *known;
}

// What is missed goes to the right (7/16) and to the row below (3, 5, 1). @errors: two rows of width + 2, x 3.
static void
map_row(BgGif *self, BgImage *image, int y, int *errors[2], guint8 *row)
{
    for (int x = 0; x < self->width; x++) {
        int rgb[3], *here = errors[0] + 3 * (x + 1), *below = errors[1] + 3 * (x + 1);
        pixel_at(image, (gsize) y * (gsize) self->width + (gsize) x, rgb);
        for (int axis = 0; axis < 3; axis++)
            rgb[axis] = CLAMP(rgb[axis] + here[axis] / 16, 0, 255);
        row[x] = (guint8) nearest_colour(&self->palette, rgb);
        for (int axis = 0; axis < 3; axis++) {
            int missed = rgb[axis] - self->palette.colours[row[x]][axis];
            here[3 + axis] += 7 * missed;
            below[-3 + axis] += 3 * missed;
            below[axis] += 5 * missed;
            below[3 + axis] += missed;
        }
    }
}

static int
write_bytes(GifFileType *file, const GifByteType *bytes, int n)
{
    BgGif *self = file->UserData;

    if (self->failure != NULL || !bg_output_write(self->output, bytes, (gsize) n, &self->failure))
        return 0;
    return n;
}

// Returns: FALSE with @error when the library has said no.
static gboolean
check(BgGif *self, int status, GError **error)
{
    if (status == GIF_OK)
        return TRUE;
    if (self->failure != NULL)
        g_propagate_error(error, g_steal_pointer(&self->failure));
    else
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED, _("The GIF cannot be written: %s"),
                    self->file != NULL ? GifErrorString(self->file->Error) : "");
    return FALSE;
}

static gboolean
start(BgGif *self, GError **error)
{
    static const guint8 loop[] = { 1, 0, 0 };
    int code = 0;

    self->file = EGifOpen(self, write_bytes, &code);
    if (self->file == NULL) {
        g_set_error(error, BG_ERROR, BG_ERROR_NO_MEMORY, _("The GIF cannot be written: %s"),
                    GifErrorString(code));
        return FALSE;
    }
    EGifSetGifVersion(self->file, true);
    return check(self, EGifPutScreenDesc(self->file, self->width, self->height, 8, 0, NULL),
                 error) &&
           check(self, EGifPutExtensionLeader(self->file, APPLICATION_EXT_FUNC_CODE), error) &&
           check(self, EGifPutExtensionBlock(self->file, 11, "NETSCAPE2.0"), error) &&
           check(self, EGifPutExtensionBlock(self->file, sizeof loop, loop), error) &&
           check(self, EGifPutExtensionTrailer(self->file), error) &&
           (self->provenance == NULL ||
            check(self, EGifPutComment(self->file, self->provenance), error));
}

static gboolean
put_header(BgGif *self, GError **error)
{
    GraphicsControlBlock control = { .DisposalMode = DISPOSE_DO_NOT,
                                     .DelayTime = self->delay_cs,
                                     .TransparentColor = NO_TRANSPARENT_COLOR };
    GifByteType block[4];
    ColorMapObject *map = GifMakeMapObject(N_COLOURS, NULL);
    gboolean ok;

    if (map == NULL) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_NO_MEMORY,
                            _("There is no memory for a picture of the GIF"));
        return FALSE;
    }
    for (int i = 0; i < self->palette.n_colours; i++)
        map->Colors[i] = (GifColorType){ self->palette.colours[i][0], self->palette.colours[i][1],
                                         self->palette.colours[i][2] };
    EGifGCBToExtension(&control, block);
    ok = check(self, EGifPutExtension(self->file, GRAPHICS_EXT_FUNC_CODE, sizeof block, block),
               error) &&
         check(self, EGifPutImageDesc(self->file, 0, 0, self->width, self->height, false, map),
               error);
    GifFreeMapObject(map);
    return ok;
}

static gboolean
put_rows(BgGif *self, BgImage *image, GError **error)
{
    gsize n = 3 * ((gsize) self->width + 2);
    g_autofree int *both = g_new0(int, 2 * n);
    g_autofree guint8 *row = g_malloc((gsize) self->width);
    int *errors[2] = { both, both + n };

    for (int y = 0; y < self->height; y++) {
        map_row(self, image, y, errors, row);
        if (!check(self, EGifPutLine(self->file, row, self->width), error))
            return FALSE;
        int *spent = errors[0];
        errors[0] = errors[1];
        errors[1] = spent;
        memset(spent, 0, n * sizeof *spent);
    }
    return TRUE;
}

gboolean
bg_gif_add(BgGif *self, BgImage *image, GError **error)
{
    const BgImageFormat *format = bg_image_get_format(image);

    if (format->type != BG_PIXEL_UINT8 || format->width > G_MAXUINT16 ||
        format->height > G_MAXUINT16) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("GIF holds pictures of 8 bits and up to 65535 pixels a side, and this one "
                      "has %d x %d. Write PNG"),
                    format->width, format->height);
        return FALSE;
    }
    if (self->width != 0 && (format->width != self->width || format->height != self->height)) {
        g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                    _("The pictures of a GIF are of one size: this one has %d x %d and the first "
                      "has %d x %d"),
                    format->width, format->height, self->width, self->height);
        return FALSE;
    }
    if (self->width == 0) {
        self->width = format->width;
        self->height = format->height;
        if (!start(self, error))
            return FALSE;
    }
    make_palette(&self->palette, image);
    return put_header(self, error) && put_rows(self, image, error);
}

BgGif *
bg_gif_new(const char *path, gboolean force, int delay_ms, const char *provenance, GError **error)
{
    BgOutput *output = bg_output_new(path, force, error);

    if (output == NULL)
        return NULL;
    BgGif *self = g_new0(BgGif, 1);
    self->output = output;
    self->delay_cs = CLAMP((delay_ms + 5) / 10, 1, G_MAXUINT16);
    self->provenance = g_strdup(provenance);
    self->palette.bins = g_new(Bin, N_BINS);
    self->palette.order = g_new(guint16, N_BINS);
    self->palette.lookup = g_new(guint16, N_BINS);
    return self;
}

gboolean
bg_gif_commit(BgGif *self, GError **error)
{
    int code = 0;

    if (self->file == NULL) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("A GIF without a picture is not written. Add at least one"));
        return FALSE;
    }
    int status = EGifCloseFile(g_steal_pointer(&self->file), &code);
    return check(self, status, error) && bg_output_commit(self->output, error);
}

void
bg_gif_free(BgGif *self)
{
    int code;

    if (self == NULL)
        return;
    if (self->file != NULL)
        EGifCloseFile(self->file, &code);
    bg_output_free(self->output);
    g_clear_error(&self->failure);
    g_free(self->provenance);
    g_free(self->palette.bins);
    g_free(self->palette.order);
    g_free(self->palette.lookup);
    g_free(self);
}

// Sub-blocks of at most 255 bytes from *at on. Returns: FALSE when they are cut short.
static gboolean
read_blocks(const guint8 *bytes, gsize n, gsize *at, GString *text)
{
    while (*at < n && bytes[*at] != 0) {
        gsize length = bytes[*at];
        if (length >= n - *at)
            return FALSE;
        g_string_append_len(text, (const char *) bytes + *at + 1, (gssize) length);
        *at += 1 + length;
    }
    return (*at)++ < n;
}

char *
bg_gif_read_comment(const char *path)
{
    g_autofree guint8 *bytes = g_malloc(MAX_COMMENT);
    FILE *file = g_fopen(path, "rb");
    gsize n = file != NULL ? fread(bytes, 1, MAX_COMMENT, file) : 0, at = 13;

    if (file != NULL)
        fclose(file);
    if (n < at || memcmp(bytes, "GIF8", 4) != 0)
        return NULL;
    if (bytes[10] & 0x80)
        at += 3 * ((gsize) 2 << (bytes[10] & 7));
    // Extensions stand before the first picture.
    while (at + 2 < n && bytes[at] == 0x21) {
        gboolean is_comment = bytes[at + 1] == COMMENT_EXT_FUNC_CODE;
        g_autoptr(GString) text = g_string_new(NULL);
        at += 2;
        if (!read_blocks(bytes, n, &at, text))
            return NULL;
        if (is_comment && g_utf8_validate(text->str, (gssize) text->len, NULL))
            return g_strndup(text->str, text->len);
    }
    return NULL;
}
