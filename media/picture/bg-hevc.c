// SPDX-License-Identifier: Apache-2.0
#include "bg-hevc.h"

#ifdef BG_WITH_HEIF

#include <libde265/de265.h>
#include <libheif/heif.h>
#include <libheif/heif_plugin.h>
#include <string.h>

#define PRIORITY 200     // libheif's own have 100
#define MAX_ROUNDS 65536 // of the decoder: one for each unit of the file

// libheif keeps the words, so they are literals.
static struct heif_error
fail(const char *words)
{
    return (struct heif_error){ heif_error_Decoder_plugin_error, heif_suberror_Unspecified, words };
}

static struct heif_error
succeed(void)
{
    return (struct heif_error){ heif_error_Ok, heif_suberror_Unspecified, "" };
}

static const char *
get_name(void)
{
    return "bregma HEVC by libde265";
}

static int
does_support_format(enum heif_compression_format format)
{
    return format == heif_compression_HEVC ? PRIORITY : 0;
}

static struct heif_error
new_decoder(void **decoder)
{
    de265_decoder_context *context = de265_new_decoder();

    if (context == NULL)
        return fail("no memory for an HEVC decoder");
    *decoder = context;
    return succeed();
}

static void
free_decoder(void *decoder)
{
    de265_free_decoder(decoder);
}

// @data: network units, each after its length in four bytes
static struct heif_error
push_data(void *decoder, const void *data, size_t size)
{
    const guint8 *bytes = data;
    gsize at = 0;

    while (at < size) {
        if (size - at < 4)
            return fail("the HEVC data end inside a unit");
        gsize n = (gsize) bytes[at] << 24 | (gsize) bytes[at + 1] << 16 |
                  (gsize) bytes[at + 2] << 8 | (gsize) bytes[at + 3];
        at += 4;
        if (n > size - at)
            return fail("the HEVC data end inside a unit");
        if (de265_push_NAL(decoder, bytes + at, (int) n, 0, NULL) != DE265_OK)
            return fail("an HEVC unit is damaged");
        at += n;
    }
    return succeed();
}

static gboolean
add_plane(struct heif_image *picture, enum heif_channel channel, const struct de265_image *image,
          int c)
{
    int width = de265_get_image_width(image, c), height = de265_get_image_height(image, c);
    int bits = de265_get_bits_per_pixel(image, c), from_stride, to_stride;
    gsize n_row = (gsize) width * (gsize) ((bits + 7) / 8);

    if (heif_image_add_plane(picture, channel, width, height, bits).code != heif_error_Ok)
        return FALSE;
    const guint8 *from = de265_get_image_plane(image, c, &from_stride);
    guint8 *to = heif_image_get_plane(picture, channel, &to_stride);
    if (from == NULL || to == NULL)
        return FALSE;
    for (int v = 0; v < height; v++)
        memcpy(to + (gsize) v * (gsize) to_stride, from + (gsize) v * (gsize) from_stride, n_row);
    return TRUE;
}

// What the numbers mean as colours; the file's own box, where it has one, goes before it in libheif.
static void
add_profile(struct heif_image *picture, const struct de265_image *image)
{
    struct heif_color_profile_nclx *nclx = heif_nclx_color_profile_alloc();

    nclx->color_primaries = (enum heif_color_primaries) de265_get_image_colour_primaries(image);
    nclx->transfer_characteristics =
        (enum heif_transfer_characteristics) de265_get_image_transfer_characteristics(image);
    nclx->matrix_coefficients =
        (enum heif_matrix_coefficients) de265_get_image_matrix_coefficients(image);
    nclx->full_range_flag = (guint8) de265_get_image_full_range_flag(image);
    heif_image_set_nclx_color_profile(picture, nclx);
    heif_nclx_color_profile_free(nclx);
}

static struct heif_error
convert(const struct de265_image *image, struct heif_image **out)
{
    static const struct {
        enum de265_chroma from;
        enum heif_chroma to;
    } chromas[] = { { de265_chroma_mono, heif_chroma_monochrome },
                    { de265_chroma_420, heif_chroma_420 },
                    { de265_chroma_422, heif_chroma_422 },
                    { de265_chroma_444, heif_chroma_444 } };
    static const enum heif_channel channels[] = { heif_channel_Y, heif_channel_Cb,
                                                  heif_channel_Cr };
    enum de265_chroma from = de265_get_chroma_format(image);
    gboolean grey = from == de265_chroma_mono;
    enum heif_chroma chroma = heif_chroma_undefined;

    for (gsize i = 0; i < G_N_ELEMENTS(chromas); i++)
        chroma = chromas[i].from == from ? chromas[i].to : chroma;
    struct heif_error result =
        heif_image_create(de265_get_image_width(image, 0), de265_get_image_height(image, 0),
                          grey ? heif_colorspace_monochrome : heif_colorspace_YCbCr, chroma, out);
    if (result.code != heif_error_Ok)
        return result;
    for (int c = 0; c < (grey ? 1 : 3); c++) {
        if (add_plane(*out, channels[c], image, c))
            continue;
        heif_image_release(*out);
        *out = NULL;
        return fail("no memory for the picture");
    }
    add_profile(*out, image);
    return succeed();
}

static gboolean
is_damage(de265_error warning)
{
    return warning != DE265_WARNING_NO_WPP_CANNOT_USE_MULTITHREADING &&
           warning != DE265_WARNING_NUMBER_OF_THREADS_LIMITED_TO_MAXIMUM &&
           warning != DE265_WARNING_SPS_MISSING_CANNOT_DECODE_SEI;
}

// The library waits for its pictures to be taken, so they are as they come; the last one counts.
static struct heif_error
decode_pictures(de265_decoder_context *decoder, struct heif_image **out)
{
    int more = 1;

    for (int round = 0; more && round < MAX_ROUNDS; round++) {
        if (de265_decode(decoder, &more) != DE265_OK)
            return fail("the HEVC data are damaged");
        const struct de265_image *image = de265_get_next_picture(decoder);
        if (image == NULL)
            continue;
        g_clear_pointer(out, heif_image_release);
        struct heif_error result = convert(image, out);
        if (result.code != heif_error_Ok)
            return result;
    }
    return more || *out == NULL ? fail("the HEVC data have no whole picture") : succeed();
}

static struct heif_error
decode_image(void *decoder, struct heif_image **out)
{
    de265_error warning;

    *out = NULL;
    de265_flush_data(decoder);
    struct heif_error result = decode_pictures(decoder, out);
    while ((warning = de265_get_warning(decoder)) != DE265_OK) {
        if (is_damage(warning))
            result = fail("the HEVC data are damaged");
    }
    if (result.code != heif_error_Ok)
        g_clear_pointer(out, heif_image_release);
    return result;
}

static void
set_strict(void *decoder, int flag)
{
}

void
bg_hevc_register(void)
{
    static const struct heif_decoder_plugin plugin = {
        .plugin_api_version = 3,
        .get_plugin_name = get_name,
        .does_support_format = does_support_format,
        .new_decoder = new_decoder,
        .free_decoder = free_decoder,
        .push_data = push_data,
        .decode_image = decode_image,
        .set_strict_decoding = set_strict,
        .id_name = "bregma-hevc",
    };
    static gsize done = 0;

    if (g_once_init_enter(&done)) {
        heif_register_decoder_plugin(&plugin);
        g_once_init_leave(&done, 1);
    }
}

#endif
