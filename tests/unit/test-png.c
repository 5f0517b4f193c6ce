// SPDX-License-Identifier: Apache-2.0
// What other programs make of our files is tested by tests/reference/check-files.py.
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/io/bg-image-io.h"

#include <gio/gio.h>
#include <string.h>

// Written by Pillow 9.4: 3 x 2 pixels red, green, blue and back, green transparent; and 5 x 2
// pixels of 1 bit.
// clang-format off
static const guint8 palette[] = {
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44,
    0x52, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x02, 0x02, 0x03, 0x00, 0x00, 0x00, 0xe0,
    0x1a, 0x8e, 0x89, 0x00, 0x00, 0x00, 0x09, 0x50, 0x4c, 0x54, 0x45, 0xff, 0x00, 0x00, 0x00,
    0xff, 0x00, 0x00, 0x00, 0xff, 0x2d, 0x4a, 0xcd, 0x8a, 0x00, 0x00, 0x00, 0x02, 0x74, 0x52,
    0x4e, 0x53, 0xff, 0x00, 0xe5, 0xb7, 0x30, 0x4a, 0x00, 0x00, 0x00, 0x0c, 0x49, 0x44, 0x41,
    0x54, 0x78, 0x9c, 0x63, 0x90, 0x60, 0x98, 0x00, 0x00, 0x00, 0xdc, 0x00, 0xa9, 0x6c, 0xe7,
    0xc0, 0x23, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82
};
static const guint8 one_bit[] = {
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44,
    0x52, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x02, 0x01, 0x00, 0x00, 0x00, 0x00, 0xb8,
    0x11, 0x2b, 0xf0, 0x00, 0x00, 0x00, 0x0c, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0x58,
    0xc0, 0x60, 0x01, 0x00, 0x02, 0x1c, 0x00, 0xd9, 0x32, 0xdb, 0x0e, 0x13, 0x00, 0x00, 0x00,
    0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82
};
// clang-format on

static BgImage *
new_image(BgPixelType type, int n_channels)
{
    BgImageFormat format = { 19, 7, n_channels, type };
    gsize n = 19 * 7 * (gsize) n_channels * bg_pixel_type_size(type);
    guint8 *pixels = bg_buffer_alloc(n, NULL);

    for (gsize i = 0; i < n; i++)
        pixels[i] = (guint8) (i * 31 + i / 19);
    return bg_image_new_take(&format, pixels, NULL);
}

static void
test_round_trip(void)
{
    for (int channels = 1; channels <= 4; channels++) {
        for (int deep = 0; deep < 2; deep++) {
            g_autoptr(GError) error = NULL;
            g_autoptr(BgImage) image = new_image(deep ? BG_PIXEL_UINT16 : BG_PIXEL_UINT8, channels);
            g_autoptr(GBytes) bytes = bg_png_encode(image, NULL, &error);
            g_assert_no_error(error);
            g_autoptr(BgImage) back = bg_png_decode(bytes, &error);
            g_assert_no_error(error);
            g_assert_cmpmem(bg_image_get_format(image), sizeof(BgImageFormat),
                            bg_image_get_format(back), sizeof(BgImageFormat));
            g_assert_cmpmem(bg_image_get_pixels(image), bg_image_get_n_bytes(image),
                            bg_image_get_pixels(back), bg_image_get_n_bytes(back));
        }
    }
}

static void
test_calibration(void)
{
    const double spacing_mm[2] = { 0.1, 0.30000000000000004 };
    double read_mm[2];
    g_autoptr(BgImage) image = new_image(BG_PIXEL_UINT8, 3);
    g_autoptr(BgImage) calibrated = bg_image_new_calibrated(image, spacing_mm);
    // The dots per inch are for paper: they must not become millimetres.
    g_autoptr(GBytes) plain = bg_png_encode(image, &(BgPngParams){ .dpi = 72 }, NULL);
    g_autoptr(GBytes) bytes = bg_png_encode(calibrated, &(BgPngParams){ .dpi = 72 }, NULL);

    g_autoptr(BgImage) uncalibrated = bg_png_decode(plain, NULL);
    g_assert_false(bg_image_get_spacing_mm(uncalibrated, read_mm));
    g_autoptr(BgImage) back = bg_png_decode(bytes, NULL);
    g_assert_true(bg_image_get_spacing_mm(back, read_mm));
    g_assert_cmpfloat(read_mm[0], ==, spacing_mm[0]);
    g_assert_cmpfloat(read_mm[1], ==, spacing_mm[1]);
}

static void
test_reads_palette(void)
{
    static const guint8 wanted[] = { 255, 0, 0,   255, 0, 255, 0, 0, 0,   0, 255, 255,
                                     0,   0, 255, 255, 0, 255, 0, 0, 255, 0, 0,   255 };
    g_autoptr(GBytes) bytes = g_bytes_new_static(palette, sizeof palette);
    g_autoptr(GError) error = NULL;
    g_autoptr(BgImage) image = bg_png_decode(bytes, &error);

    g_assert_no_error(error);
    g_assert_cmpint(bg_image_get_format(image)->n_channels, ==, 4);
    g_assert_cmpmem(bg_image_get_pixels(image), bg_image_get_n_bytes(image), wanted, sizeof wanted);
}

static void
test_reads_one_bit(void)
{
    static const guint8 wanted[] = { 255, 0, 255, 0, 0, 0, 0, 255, 255, 255 };
    g_autoptr(GBytes) bytes = g_bytes_new_static(one_bit, sizeof one_bit);
    g_autoptr(GError) error = NULL;
    g_autoptr(BgImage) image = bg_png_decode(bytes, &error);

    g_assert_no_error(error);
    g_assert_cmpint(bg_image_get_format(image)->n_channels, ==, 1);
    g_assert_cmpmem(bg_image_get_pixels(image), bg_image_get_n_bytes(image), wanted, sizeof wanted);
}

static void
test_refuses_float(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgImage) image = new_image(BG_PIXEL_FLOAT32, 1);

    g_assert_null(bg_png_encode(image, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED);
}

// ISO 3309, as PNG wants it; go on from the last by @crc.
static guint32
crc_of(guint32 crc, const guint8 *data, gsize n)
{
    crc = ~crc;
    for (gsize i = 0; i < n; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
    }
    return ~crc;
}

// A file of that size by its header, and nothing behind it.
static void
assert_size_refused(guint32 width, guint32 height, BgError code)
{
    g_autoptr(BgImage) image = new_image(BG_PIXEL_UINT8, 4);
    g_autoptr(GBytes) good = bg_png_encode(image, NULL, NULL);
    gsize n;
    const guint8 *data = g_bytes_get_data(good, &n);
    g_autofree guint8 *bad = g_memdup2(data, n);
    g_autoptr(GError) error = NULL;
    const guint32 size[2] = { GUINT32_TO_BE(width), GUINT32_TO_BE(height) };

    memcpy(bad + 16, size, sizeof size);
    guint32 crc = GUINT32_TO_BE(crc_of(0, bad + 12, 17));
    memcpy(bad + 29, &crc, sizeof crc);
    g_autoptr(GBytes) bytes = g_bytes_new(bad, n);
    g_assert_null(bg_png_decode(bytes, &error));
    g_assert_error(error, BG_ERROR, (int) code);
}

static void
test_refuses_sizes(void)
{
    assert_size_refused(65535, 65535, BG_ERROR_UNSUPPORTED);
    assert_size_refused(65536, 1, BG_ERROR_CORRUPT);
    assert_size_refused(0, 7, BG_ERROR_CORRUPT);
    assert_size_refused(16000, 16000, BG_ERROR_CORRUPT); // 1 GB out of some hundred bytes
}

static void
put_chunk(GByteArray *out, const char *type, const guint8 *data, gsize n)
{
    guint32 length = GUINT32_TO_BE((guint32) n);
    guint32 crc = crc_of(crc_of(0, (const guint8 *) type, 4), data, n);

    crc = GUINT32_TO_BE(crc);
    g_byte_array_append(out, (const guint8 *) &length, 4);
    g_byte_array_append(out, (const guint8 *) type, 4);
    g_byte_array_append(out, data, (guint) n);
    g_byte_array_append(out, (const guint8 *) &crc, 4);
}

// 100 MB of text in 100 KB: left out, and the picture is read all the same.
static void
test_text_bomb(void)
{
    g_autoptr(BgImage) image = new_image(BG_PIXEL_UINT8, 3);
    g_autoptr(GBytes) good = bg_png_encode(image, NULL, NULL);
    g_autoptr(GByteArray) bad = g_byte_array_new(), text = g_byte_array_new();
    const gsize n_text = 100000000;
    g_autofree guint8 *zeros = g_malloc0(n_text);
    g_autoptr(GZlibCompressor) packer = g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_ZLIB, 9);
    g_autofree guint8 *packed = g_malloc(n_text / 500);
    g_autoptr(GError) error = NULL;
    gsize n, n_read, n_packed;
    const guint8 *data = g_bytes_get_data(good, &n);

    memset(zeros, 'a', n_text);
    GConverterResult result =
        g_converter_convert(G_CONVERTER(packer), zeros, n_text, packed, n_text / 500,
                            G_CONVERTER_INPUT_AT_END, &n_read, &n_packed, NULL);
    g_assert_cmpint(result, ==, G_CONVERTER_FINISHED);
    g_byte_array_append(text, (const guint8 *) "provenance\0\0", 12);
    g_byte_array_append(text, packed, (guint) n_packed);
    g_byte_array_append(bad, data, 33); // signature and header
    put_chunk(bad, "zTXt", text->data, text->len);
    g_byte_array_append(bad, data + 33, (guint) (n - 33));

    g_autoptr(GBytes) bytes = g_bytes_new(bad->data, bad->len);
    g_autoptr(BgImage) back = bg_png_decode(bytes, &error);
    g_assert_no_error(error);
    g_assert_cmpmem(bg_image_get_pixels(image), bg_image_get_n_bytes(image),
                    bg_image_get_pixels(back), bg_image_get_n_bytes(back));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/png/round-trip", test_round_trip);
    g_test_add_func("/png/calibration", test_calibration);
    g_test_add_func("/png/reads-palette", test_reads_palette);
    g_test_add_func("/png/reads-one-bit", test_reads_one_bit);
    g_test_add_func("/png/refuses-float", test_refuses_float);
    g_test_add_func("/png/refuses-sizes", test_refuses_sizes);
    g_test_add_func("/png/text-bomb", test_text_bomb);
    return g_test_run();
}
