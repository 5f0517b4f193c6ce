// SPDX-License-Identifier: Apache-2.0
// What the pages of a TIFF file become: a picture, or a volume with the place that its description
// gives (bregma's own, ImageJ's spacing) or none.
#include "bg-pictures-private.h"
#include "bg-tiff-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-json.h"
#include "core/io/bg-io-sidecar.h"

#include <string.h>

static gboolean
tiff_sniff(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    static const char *const marks[] = { "II*\0", "MM\0*", "II+\0", "MM\0+" };

    for (gsize i = 0; !gzipped && n_bytes >= 4 && i < G_N_ELEMENTS(marks); i++) {
        if (memcmp(bytes, marks[i], 4) == 0)
            return TRUE;
    }
    return FALSE;
}

// Whether a picture can keep the type; the others become float32.
static gboolean
find_pixel_type(BgRawType type, BgPixelType *pixel)
{
    *pixel = type == BG_RAW_UINT8    ? BG_PIXEL_UINT8
             : type == BG_RAW_UINT16 ? BG_PIXEL_UINT16
                                     : BG_PIXEL_FLOAT32;
    return type == BG_RAW_UINT8 || type == BG_RAW_UINT16 || type == BG_RAW_FLOAT32;
}

static const char *
get_text(TIFF *library, guint32 tag)
{
    char *text = NULL;

    return TIFFGetField(library, tag, &text) && text != NULL ? text : "";
}

// Numbers of the text "name=value" on a line of its own; 0 when there is none.
static double
find_number(const char *text, const char *name)
{
    for (const char *at = text; (at = strstr(at, name)) != NULL; at++) {
        gsize n = strlen(name);
        if ((at == text || at[-1] == '\n') && at[n] == '=')
            return g_ascii_strtod(at + n + 1, NULL);
    }
    return 0.0;
}

// ImageJ keeps its unit in the description, and pixels per unit in the resolution.
static gboolean
find_imagej_spacing(TIFF *library, const char *text, double spacing_mm[3])
{
    static const struct {
        const char *line;
        double mm;
    } units[] = { { "\nunit=mm", 1.0 },        { "\nunit=cm", 10.0 }, { "\nunit=micron", 1e-3 },
                  { "\nunit=\\u00B5m", 1e-3 }, { "\nunit=um", 1e-3 }, { "\nunit=µm", 1e-3 },
                  { "\nunit=inch", 25.4 } };
    float x = 0, y = 0;

    if (!g_str_has_prefix(text, "ImageJ=") || !TIFFGetField(library, TIFFTAG_XRESOLUTION, &x) ||
        !TIFFGetField(library, TIFFTAG_YRESOLUTION, &y) || !(x > 0.0f) || !(y > 0.0f))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
        if (strstr(text, units[i].line) == NULL)
            continue;
        spacing_mm[0] = units[i].mm / (double) x;
        spacing_mm[1] = units[i].mm / (double) y;
        spacing_mm[2] = find_number(text, "spacing") * units[i].mm;
        return isfinite(spacing_mm[0]) && isfinite(spacing_mm[1]) && isfinite(spacing_mm[2]);
    }
    return FALSE;
}

// What bregma's own writer puts there: place, scale, unit.
static gboolean
take_own(const char *text, BgFileInfo *info, BgRawLayout *layout)
{
    g_autoptr(BgJson) json = *text == '{' ? bg_json_parse(text, -1, NULL) : NULL;
    const BgJson *own = bg_json_get(json, "bregma");
    double dims[3];

    if (own == NULL)
        return FALSE;
    // The pages of several frames follow each other.
    gint64 n_frames = bg_json_to_integer(bg_json_get(own, "n_frames"), 1);
    if (bg_json_to_doubles(bg_json_get(own, "dims"), dims, 3) && dims[2] >= 1 && n_frames > 1 &&
        n_frames <= info->dims[2] && dims[2] * (double) n_frames == info->dims[2]) {
        info->dims[2] = (int) dims[2];
        info->n_frames = (int) n_frames;
    }
    return bg_sidecar_take(own, info, layout);
}

static void
place(const BgTiff *tiff, const char *text, BgFileInfo *info, BgRawLayout *layout)
{
    double spacing_mm[3] = { 1.0, 1.0, 1.0 };
    gboolean known = find_imagej_spacing(tiff->library, text, spacing_mm);

    info->has_geometry = TRUE;
    memcpy(info->geometry.dims, info->dims, sizeof info->dims);
    if (take_own(text, info, layout))
        return;
    info->side_known = FALSE;
    info->spacing_unknown = !known || !(spacing_mm[2] > 0.0);
    if (info->spacing_unknown)
        spacing_mm[0] = spacing_mm[1] = spacing_mm[2] = 1.0;
    info->geometry =
        bg_geometry_new_regular(info->dims, bg_vec3(spacing_mm[0], spacing_mm[1], spacing_mm[2]));
    bg_file_info_warn(info, _("Side unknown: the file does not say where left and right are; "
                              "left-posterior-superior is taken"));
    if (info->spacing_unknown)
        bg_file_info_warn(info, _("The file does not say how far its pixels and slices are apart: "
                                  "lengths are in px until you give it"));
}

static void
tell(const BgTiff *tiff, BgFileInfo *info)
{
    if (tiff->n_others > 0)
        bg_file_info_warn(info,
                          _("%u pages differ from the first in size or kind; they were left "
                            "out"),
                          tiff->n_others);
    if (tiff->broken)
        bg_file_info_warn(info, _("The list of pages is damaged; those found were read"));
}

static BgFileInfo *
describe_volume(const BgTiff *tiff, const char *path, BgRawLayout *layout, GError **error)
{
    const BgTiffPage *page = &tiff->page;
    gboolean colour = page->n_channels >= 3;

    *layout = (BgRawLayout){ .type = page->type,
                             .big_endian = G_BYTE_ORDER == G_BIG_ENDIAN,
                             .n_components = page->n_channels,
                             .meaning = page->n_channels == 1 ? BG_RAW_SCALAR
                                        : colour              ? BG_RAW_COLOUR
                                                              : BG_RAW_VECTOR,
                             .slope = 1.0 };
    g_autoptr(BgFileInfo) info = bg_file_info_new(path);
    info->format = BG_FORMAT_TIFF;
    info->kind = BG_KIND_VOLUME;
    info->dims[0] = page->width;
    info->dims[1] = page->height;
    info->dims[2] = (int) tiff->pages->len;
    info->n_components = page->n_channels;
    gboolean bytes = colour && page->type == BG_RAW_UINT8;
    info->datatype = !bytes                  ? bg_raw_type_name(page->type)
                     : page->n_channels == 3 ? "rgb24"
                                             : "rgba32";
    place(tiff, get_text(tiff->library, TIFFTAG_IMAGEDESCRIPTION), info, layout);
    tell(tiff, info);
    if (page->orientation > 1)
        bg_file_info_warn(info,
                          _("The file's orientation (%d) was not followed: check which way "
                            "is up"),
                          page->orientation);
    bg_io_guess_kind(info);
    return bg_geometry_check(&info->geometry, error) ? g_steal_pointer(&info) : NULL;
}

// The format of the picture as it is stored.
static BgImageFormat
find_format(const BgTiffPage *page)
{
    BgImageFormat format = { page->width, page->height, page->n_channels, BG_PIXEL_UINT8 };

    find_pixel_type(page->type, &format.type);
    return format;
}

// @shown: upright; @spacing_mm: (out): untouched when unknown
static BgFileInfo *
describe_picture(const BgTiff *tiff, const char *path, const BgImageFormat *shown,
                 double spacing_mm[2])
{
    BgFileInfo *info = bg_picture_info_new(path, BG_FORMAT_TIFF, shown);
    BgRawLayout layout = { .slope = 1.0 };
    BgExif exif;

    if (!(tiff->page.type == BG_RAW_UINT8 && tiff->page.n_channels >= 3))
        info->datatype = bg_raw_type_name(tiff->page.type);
    info->geometry = bg_geometry_new_regular(info->dims, bg_vec3(1, 1, 1));
    // A slice that bregma wrote: of its place, a picture keeps the spacing.
    if (take_own(get_text(tiff->library, TIFFTAG_IMAGEDESCRIPTION), info, &layout)) {
        BgVec3 spacing = bg_geometry_spacing_mm(&info->geometry);
        spacing_mm[0] = spacing.x;
        spacing_mm[1] = spacing.y;
    }
    info->kind = BG_KIND_IMAGE;
    info->has_geometry = FALSE;
    info->side_known = FALSE;
    if (bg_exif_parse(tiff->bytes, (gsize) tiff->size, &exif)) {
        exif.orientation = tiff->page.orientation;
        bg_exif_tell(&exif, info);
    }
    tell(tiff, info);
    return info;
}

static gboolean
is_volume(const BgTiff *tiff, const BgLoadParams *params)
{
    return tiff->pages->len > 1 || (params != NULL && params->as != BG_LOAD_AUTO);
}

static BgFileInfo *
tiff_probe(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgTiff) tiff = bg_tiff_open(path, cancellable, error);
    BgRawLayout layout;

    if (tiff == NULL)
        return NULL;
    TIFFSetDirectory(tiff->library, (tdir_t) g_array_index(tiff->pages, guint, 0));
    if (is_volume(tiff, NULL))
        return describe_volume(tiff, path, &layout, error);
    BgImageFormat format = find_format(&tiff->page);
    if (tiff->page.orientation >= 5) {
        format.width = tiff->page.height;
        format.height = tiff->page.width;
    }
    double ignored[2];
    return describe_picture(tiff, path, &format, ignored);
}

// The pages one after the other, as bytes.
typedef struct {
    BgTiff *tiff; // borrowed
    guint8 *page; // owned
    gsize n_bytes, at;
    guint next;
} Stream;

static gssize
stream_read(gpointer user_data, guint8 *data, gsize n_bytes, GError **error)
{
    Stream *stream = user_data;

    if (stream->at == stream->n_bytes) {
        if (stream->next == stream->tiff->pages->len)
            return 0;
        if (!bg_tiff_read_page(stream->tiff, stream->next++, stream->page, error))
            return -1;
        stream->at = 0;
    }
    gsize n = MIN(n_bytes, stream->n_bytes - stream->at);
    memcpy(data, stream->page + stream->at, n);
    stream->at += n;
    return (gssize) n;
}

static void
stream_free(gpointer data)
{
    Stream *stream = data;

    bg_buffer_free(stream->page);
    g_free(stream);
}

static BgSource *
open_pages(BgTiff *tiff, GError **error)
{
    gsize n_bytes = bg_tiff_count_page_bytes(tiff);
    guint8 *page = bg_buffer_alloc(n_bytes, error);

    if (page == NULL)
        return NULL;
    Stream *stream = g_new0(Stream, 1);
    *stream = (Stream){ .tiff = tiff, .page = page, .n_bytes = n_bytes, .at = n_bytes };
    return bg_source_new_custom(stream_read, (guint64) n_bytes * tiff->pages->len, stream,
                                stream_free);
}

static BgLoaded *
load_volume(BgTiff *tiff, const char *path, const BgLoadParams *params, const BgProgress *progress,
            GError **error)
{
    BgRawLayout layout;
    g_autoptr(BgFileInfo) info = describe_volume(tiff, path, &layout, error);
    // The voxels of an impossible number of pages are not asked for.
    guint64 possible = tiff->size * 4096u, wanted = bg_tiff_count_page_bytes(tiff);

    if (info == NULL)
        return NULL;
    if (wanted > possible / tiff->pages->len) {
        bg_io_set_cut_short(wanted * tiff->pages->len, possible, error);
        return NULL;
    }
    g_autoptr(BgSource) source = open_pages(tiff, error);
    return source != NULL
               ? bg_raw_load(source, &layout, g_steal_pointer(&info), params, progress, error)
               : NULL;
}

#define CONVERT(TYPE, name, ctype)                            \
    case TYPE:                                                \
        for (gsize i = 0; i < n; i++) {                       \
            double v = (double) ((const ctype *) raw)[i];     \
            to[i] = (float) v;                                \
            lossy = lossy || ((double) to[i] != v && v == v); \
        }                                                     \
        break;

static gboolean
convert(BgRawType type, gconstpointer raw, gsize n, float *to)
{
    gboolean lossy = FALSE;

    switch (type) {
        BG_FOR_RAW_TYPES(CONVERT)
    }
    return lossy;
}

static BgImage *
read_picture(BgTiff *tiff, gboolean *lossy, GError **error)
{
    BgImageFormat format = find_format(&tiff->page);
    BgPixelType kept;
    bg_auto_buffer guint8 *raw = bg_buffer_alloc(bg_tiff_count_page_bytes(tiff), error);

    if (raw == NULL || !bg_tiff_read_page(tiff, 0, raw, error))
        return NULL;
    if (find_pixel_type(tiff->page.type, &kept))
        return bg_image_new_take(&format, g_steal_pointer(&raw), error);
    gsize n = (gsize) format.width * (gsize) format.height * (gsize) format.n_channels;
    bg_auto_buffer float *pixels = bg_buffer_alloc_items(n, sizeof(float), error);
    if (pixels == NULL)
        return NULL;
    *lossy = convert(tiff->page.type, raw, n, pixels);
    return bg_image_new_take(&format, g_steal_pointer(&pixels), error);
}

static BgLoaded *
load_picture(BgTiff *tiff, const char *path, GError **error)
{
    gboolean lossy = FALSE;
    g_autoptr(BgImage) image = read_picture(tiff, &lossy, error);
    g_autoptr(BgImage) upright =
        image != NULL ? bg_image_orient(image, tiff->page.orientation, error) : NULL;

    if (upright == NULL)
        return NULL;
    double spacing_mm[2] = { 0 };
    BgLoaded *loaded =
        bg_loaded_new(describe_picture(tiff, path, bg_image_get_format(upright), spacing_mm));
    if (lossy)
        bg_file_info_warn(loaded->info,
                          _("The file stores %s; values were rounded to float32: "
                            "lossy"),
                          loaded->info->datatype);
    loaded->image = spacing_mm[0] > 0.0 ? bg_image_new_calibrated(upright, spacing_mm)
                                        : g_steal_pointer(&upright);
    return loaded;
}

static BgLoaded *
tiff_load(const char *path, const BgLoadParams *params, const BgProgress *progress,
          GCancellable *cancellable, GError **error)
{
    g_autoptr(BgTiff) tiff = bg_tiff_open(path, cancellable, error);

    if (tiff == NULL)
        return NULL;
    TIFFSetDirectory(tiff->library, (tdir_t) g_array_index(tiff->pages, guint, 0));
    return is_volume(tiff, params) ? load_volume(tiff, path, params, progress, error)
                                   : load_picture(tiff, path, error);
}

const BgReader bg_reader_tiff = { "TIFF", tiff_sniff, tiff_probe, tiff_load };
