// SPDX-License-Identifier: Apache-2.0
// Written by us, read back by giflib's decoder.
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/io/bg-gif-write.h"

#include <gio/gio.h>

#include <gif_lib.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define WIDTH 64
#define HEIGHT 48

// Shades in all three channels, and four white pixels on black as of a letter.
static BgImage *
new_image(int number, int n_channels)
{
    BgImageFormat format = { WIDTH, HEIGHT, n_channels, BG_PIXEL_UINT8 };
    guint8 *pixels = bg_buffer_alloc((gsize) (WIDTH * HEIGHT * n_channels), NULL);

    for (int i = 0; i < WIDTH * HEIGHT; i++) {
        int x = i % WIDTH, y = i / WIDTH;
        gboolean letter = y == 2 && x >= 4 && x < 8, frame = y < 6;
        for (int c = 0; c < n_channels; c++)
            pixels[i * n_channels + c] = (guint8) (letter                  ? 255
                                                   : frame                 ? 0
                                                   : c == 3                ? 255
                                                   : (c + number) % 3 == 0 ? 4 * x
                                                   : (c + number) % 3 == 1 ? 5 * y
                                                                           : 128);
    }
    return bg_image_new_take(&format, pixels, NULL);
}

static GifFileType *
open_gif(const char *path)
{
    int code;
    GifFileType *file = DGifOpenFileName(path, &code);

    g_assert_nonnull(file);
    g_assert_cmpint(DGifSlurp(file), ==, GIF_OK);
    return file;
}

static double
rms_of(const SavedImage *saved, BgImage *image)
{
    const guint8 *pixels = bg_image_get_pixels(image);
    int n = bg_image_get_format(image)->n_channels;
    double sum = 0.0;

    for (int i = 0; i < WIDTH * HEIGHT; i++) {
        GifColorType colour = saved->ImageDesc.ColorMap->Colors[saved->RasterBits[i]];
        int rgb[3] = { colour.Red, colour.Green, colour.Blue };
        for (int c = 0; c < 3; c++)
            sum += pow(rgb[c] - pixels[i * n + (n >= 3 ? c : 0)], 2);
    }
    return sqrt(sum / (3.0 * WIDTH * HEIGHT));
}

static void
test_round_trip(void)
{
    g_autofree char *folder = g_dir_make_tmp("bregma-gif-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "turn.gif", NULL);
    g_autofree char *words = g_strnfill(700, 'p');
    g_autoptr(GError) error = NULL;
    g_autoptr(BgGif) gif = bg_gif_new(path, FALSE, 333, words, &error);
    static const int channels[3] = { 3, 4, 1 };

    g_assert_no_error(error);
    for (int n = 0; n < 3; n++) {
        g_autoptr(BgImage) image = new_image(n, channels[n]);
        g_assert_true(bg_gif_add(gif, image, &error));
    }
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_assert_true(bg_gif_commit(gif, &error));
    g_assert_no_error(error);

    g_autofree char *comment = bg_gif_read_comment(path);
    g_assert_cmpstr(comment, ==, words);
    GifFileType *file = open_gif(path);
    g_assert_cmpint(file->ImageCount, ==, 3);
    for (int n = 0; n < 3; n++) {
        g_autoptr(BgImage) image = new_image(n, channels[n]);
        GraphicsControlBlock control;
        g_assert_cmpint(DGifSavedExtensionToGCB(file, n, &control), ==, GIF_OK);
        g_assert_cmpint(control.DelayTime, ==, 33);
        g_assert_cmpfloat(rms_of(&file->SavedImages[n], image), <, 6.0);
        // The letter stays white on black.
        const SavedImage *saved = &file->SavedImages[n];
        for (int x = 2; x < 10; x++) {
            GifColorType colour =
                saved->ImageDesc.ColorMap->Colors[saved->RasterBits[2 * WIDTH + x]];
            g_assert_cmpint(colour.Green, ==, x >= 4 && x < 8 ? 255 : 0);
        }
    }
    DGifCloseFile(file, NULL);
    g_unlink(path);
    g_rmdir(folder);
}

static void
test_refuses(void)
{
    g_autofree char *folder = g_dir_make_tmp("bregma-gif-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "turn.gif", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(BgGif) gif = bg_gif_new(path, FALSE, 40, NULL, &error);
    g_autoptr(BgImage) image = new_image(0, 3);
    BgImageFormat format = { 8, 8, 3, BG_PIXEL_UINT8 };
    g_autoptr(BgImage) small = bg_image_new_take(&format, bg_buffer_alloc(192, NULL), NULL);

    g_assert_false(bg_gif_commit(gif, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_clear_error(&error);
    g_assert_true(bg_gif_add(gif, image, &error));
    g_assert_false(bg_gif_add(gif, small, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_MISMATCH);
    g_clear_error(&error);
    g_clear_pointer(&gif, bg_gif_free);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));

    g_assert_true(g_file_set_contents(path, "GIF89a", 6, NULL));
    g_assert_null(bg_gif_read_comment(path));
    g_assert_null(bg_gif_new(path, FALSE, 40, NULL, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS);
    g_unlink(path);
    g_rmdir(folder);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gif/round-trip", test_round_trip);
    g_test_add_func("/gif/refuses", test_refuses);
    return g_test_run();
}
