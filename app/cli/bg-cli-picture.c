// SPDX-License-Identifier: Apache-2.0
#include "bg-cli-picture.h"

#include "bg-cli-dicom.h"

#include "core/annotate/bg-annotations.h"
#include "core/base/bg-error.h"
#include "core/base/bg-output.h"
#include "core/io/bg-h5.h"
#include "core/io/bg-image-io.h"
#include "core/io/bg-mesh-io.h"

#include <string.h>

// What the picture shows; not where it lies and how long it took: the same picture again is the same
// file.
static char *
print_facts(const BgJson *result)
{
    g_autoptr(BgJson) facts = bg_json_new_object();

    for (gsize i = 0; i < bg_json_count(result); i++) {
        const char *name = bg_json_name_at(result, i);
        if (strcmp(name, "output") != 0 && strcmp(name, "seconds") != 0 &&
            strcmp(name, "files") != 0)
            bg_json_set(facts, name, bg_json_copy(bg_json_value_at(result, i)));
    }
    return bg_json_print(facts, FALSE);
}

gboolean
bg_cli_save_png(BgCli *cli, BgImage *image, const char *path, GError **error)
{
    if (bg_cli_is_dicom(path))
        return bg_cli_save_dicom_pictures(cli, &image, 1, path, error);
    g_autofree char *provenance = bg_cli_provenance(cli, error);
    g_autofree char *facts = print_facts(cli->result);
    const char *texts[] = { "Software", "bregma " BG_VERSION,
                            "Comment",  "Not for diagnosis: research and planning review only",
                            "facts",    facts,
                            NULL };
    BgPngParams params = { .force = cli->force, .provenance = provenance, .texts = texts };

    if (provenance == NULL)
        return FALSE;
    return bg_cli_wrote(cli, bg_png_save(image, path, &params, error), path, error);
}

// TIFF 6.0, sections 2 and 4: the tags and types that are written.
enum {
    TAG_WIDTH = 256,
    TAG_HEIGHT = 257,
    TAG_BITS = 258,
    TAG_COMPRESSION = 259,
    TAG_PHOTOMETRIC = 262,
    TAG_DESCRIPTION = 270,
    TAG_STRIP_OFFSETS = 273,
    TAG_SAMPLES = 277,
    TAG_ROWS = 278,
    TAG_STRIP_BYTES = 279,
    TAG_X_RESOLUTION = 282,
    TAG_Y_RESOLUTION = 283,
    TAG_RESOLUTION_UNIT = 296,
    TAG_SAMPLE_FORMAT = 339,
    TYPE_ASCII = 2,
    TYPE_SHORT = 3,
    TYPE_LONG = 4,
    TYPE_RATIONAL = 5,
    N_TAGS = 14,
    RESOLUTION_CM = 3,
};

static void
add_u16(GByteArray *bytes, guint value)
{
    guint16 number = GUINT16_TO_LE((guint16) value);

    g_byte_array_append(bytes, (const guint8 *) &number, sizeof number);
}

static void
add_u32(GByteArray *bytes, guint32 value)
{
    guint32 number = GUINT32_TO_LE(value);

    g_byte_array_append(bytes, (const guint8 *) &number, sizeof number);
}

static void
add_tag(GByteArray *bytes, guint tag, guint type, guint32 count, guint32 value)
{
    add_u16(bytes, tag);
    add_u16(bytes, type);
    add_u32(bytes, count);
    if (type == TYPE_SHORT) { // left in its four bytes
        add_u16(bytes, value);
        add_u16(bytes, 0);
    } else {
        add_u32(bytes, value);
    }
}

// Header and directory, then the description, the resolution, and room for the pixels behind.
static GByteArray *
tiff_head(BgImage *image, const char *description)
{
    const BgImageFormat *format = bg_image_get_format(image);
    GByteArray *bytes = g_byte_array_new();
    double spacing_mm[2];
    gboolean calibrated = bg_image_get_spacing_mm(image, spacing_mm);
    guint32 n_description = (guint32) strlen(description) + 1;
    guint32 after = 8 + 2 + 12 * N_TAGS + 4, resolution = after + (n_description + 1) / 2 * 2;
    guint32 pixels = resolution + 8;

    g_byte_array_append(bytes, (const guint8 *) "II*\0", 4);
    add_u32(bytes, 8);
    add_u16(bytes, N_TAGS);
    add_tag(bytes, TAG_WIDTH, TYPE_LONG, 1, (guint32) format->width);
    add_tag(bytes, TAG_HEIGHT, TYPE_LONG, 1, (guint32) format->height);
    add_tag(bytes, TAG_BITS, TYPE_SHORT, 1, (guint32) (8 * bg_pixel_type_size(format->type)));
    add_tag(bytes, TAG_COMPRESSION, TYPE_SHORT, 1, 1);
    add_tag(bytes, TAG_PHOTOMETRIC, TYPE_SHORT, 1, 1);
    add_tag(bytes, TAG_DESCRIPTION, TYPE_ASCII, n_description, after);
    add_tag(bytes, TAG_STRIP_OFFSETS, TYPE_LONG, 1, pixels);
    add_tag(bytes, TAG_SAMPLES, TYPE_SHORT, 1, 1);
    add_tag(bytes, TAG_ROWS, TYPE_LONG, 1, (guint32) format->height);
    add_tag(bytes, TAG_STRIP_BYTES, TYPE_LONG, 1, (guint32) bg_image_get_n_bytes(image));
    add_tag(bytes, TAG_X_RESOLUTION, TYPE_RATIONAL, 1, resolution);
    add_tag(bytes, TAG_Y_RESOLUTION, TYPE_RATIONAL, 1, resolution);
    add_tag(bytes, TAG_RESOLUTION_UNIT, TYPE_SHORT, 1, calibrated ? RESOLUTION_CM : 1);
    add_tag(bytes, TAG_SAMPLE_FORMAT, TYPE_SHORT, 1, format->type == BG_PIXEL_FLOAT32 ? 3 : 1);
    add_u32(bytes, 0);
    g_byte_array_append(bytes, (const guint8 *) description, n_description);
    if (n_description % 2 != 0)
        g_byte_array_append(bytes, (const guint8 *) "", 1);
    // Pixels in a centimetre, in millionths.
    double per_cm = calibrated ? CLAMP(10.0 / spacing_mm[0], 0.0, 4000.0) : 1.0;
    add_u32(bytes, (guint32) (per_cm * 1e6 + 0.5));
    add_u32(bytes, 1000000);
    return bytes;
}

gboolean
bg_cli_save_tiff(BgCli *cli, BgImage *image, const char *path, GError **error)
{
    g_autofree char *provenance = bg_cli_provenance(cli, error);

    if (provenance == NULL)
        return FALSE;
    if (bg_image_get_n_bytes(image) > G_MAXUINT32 - (64u << 20)) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    "cannot write: %s: a TIFF holds 4 GB at most. Write HDF5 (.h5)", path);
        return FALSE;
    }
    g_autoptr(GByteArray) head = tiff_head(image, provenance);
    g_autoptr(BgOutput) output = bg_output_new(path, cli->force, error);
    gboolean ok =
        output != NULL && bg_output_write(output, head->data, head->len, error) &&
        bg_output_write(output, bg_image_get_pixels(image), bg_image_get_n_bytes(image), error) &&
        bg_output_commit(output, error);
    return bg_cli_wrote(cli, ok, path, error);
}

// The description of a TIFF that bg_cli_save_tiff() wrote; NULL for any other.
static char *
tiff_description(const guint8 *bytes, gsize n)
{
    const gsize directory = 8, first = directory + 2;

    if (n < first + 12 * N_TAGS || memcmp(bytes, "II*\0\x08\0\0\0", 8) != 0)
        return NULL;
    for (gsize entry = 0; entry < N_TAGS; entry++) {
        guint16 words[2];
        guint32 longs[2];
        memcpy(words, bytes + first + 12 * entry, sizeof words);
        memcpy(longs, bytes + first + 12 * entry + 4, sizeof longs);
        gsize count = GUINT32_FROM_LE(longs[0]), at = GUINT32_FROM_LE(longs[1]);
        if (GUINT16_FROM_LE(words[0]) != TAG_DESCRIPTION)
            continue;
        if (GUINT16_FROM_LE(words[1]) != TYPE_ASCII || at > n || count > n - at)
            return NULL;
        return g_strndup((const char *) bytes + at, count);
    }
    return NULL;
}

static char *
read_tiff_provenance(const char *path)
{
    g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, NULL);

    if (file == NULL)
        return NULL;
    return tiff_description((const guint8 *) g_mapped_file_get_contents(file),
                            g_mapped_file_get_length(file));
}

// Our JSON files (transforms, cameras) hold theirs as the member "provenance".
static char *
read_json_provenance(const char *path)
{
    g_autofree char *text = NULL;
    gsize n_bytes;

    if (!g_str_has_suffix(path, ".json") || !g_file_get_contents(path, &text, &n_bytes, NULL) ||
        n_bytes > BG_JSON_MAX_BYTES)
        return NULL;
    g_autoptr(BgJson) json = bg_json_parse(text, (gssize) n_bytes, NULL);
    const BgJson *provenance = bg_json_get(json, "provenance");
    return bg_json_get_kind(provenance) == BG_JSON_OBJECT ? bg_json_print(provenance, FALSE) : NULL;
}

char *
bg_cli_read_provenance(const char *path, GError **error)
{
    g_autoptr(GError) failed = NULL;
    char *text = bg_io_read_provenance(path, &failed);

    if (text == NULL)
        text = read_json_provenance(path);
    if (text == NULL && g_error_matches(failed, BG_ERROR, BG_ERROR_UNSUPPORTED)) {
        g_autoptr(BgH5) h5 = bg_h5_open(path, NULL);
        text =
            h5 != NULL ? bg_h5_get_string(h5, "/", "provenance", NULL) : read_tiff_provenance(path);
    }
    if (text == NULL)
        g_propagate_error(error, g_steal_pointer(&failed));
    return text;
}

void
bg_cli_draw_marks(const GArray *marks, guint32 *argb, int width, int height)
{
    cairo_surface_t *surface = cairo_image_surface_create_for_data(
        (guchar *) argb, CAIRO_FORMAT_ARGB32, width, height, 4 * width);
    cairo_t *cr = cairo_create(surface);

    bg_annotations_draw(marks, cr);
    cairo_surface_flush(surface);
    cairo_destroy(cr);
    cairo_surface_destroy(surface);
}

void
bg_cli_draw_lines(const GPtrArray *lines, guint32 *argb, int width, int height)
{
    static const double colours[][3] = {
        { 1.0, 0.85, 0.2 }, { 0.3, 0.9, 1.0 }, { 0.4, 1.0, 0.4 }, { 1.0, 0.45, 0.8 }
    };
    cairo_surface_t *surface = cairo_image_surface_create_for_data(
        (guchar *) argb, CAIRO_FORMAT_ARGB32, width, height, 4 * width);
    cairo_t *cr = cairo_create(surface);

    for (guint i = 0; i < lines->len; i++)
        bg_contours_draw(lines->pdata[i], colours[i % G_N_ELEMENTS(colours)], 1.5, cr);
    cairo_surface_flush(surface);
    cairo_destroy(cr);
    cairo_surface_destroy(surface);
}
