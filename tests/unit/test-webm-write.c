// SPDX-License-Identifier: Apache-2.0
// Written by us; the container walked through by lengths alone, the pictures decoded by libvpx.
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/io/bg-webm-write.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <vpx/vp8dx.h>
#include <vpx/vpx_decoder.h>

#define WIDTH 65 // odd: the last column of colour covers one pixel
#define HEIGHT 47

// Smooth shades, another corner red in each picture.
static BgImage *
new_image(int number, int n_channels)
{
    BgImageFormat format = { WIDTH, HEIGHT, n_channels, BG_PIXEL_UINT8 };
    guint8 *pixels = bg_buffer_alloc((gsize) (WIDTH * HEIGHT * n_channels), NULL);

    for (int i = 0; i < WIDTH * HEIGHT; i++) {
        int x = i % WIDTH, y = i / WIDTH;
        guint8 rgb[4] = { (guint8) (40 + 3 * x), (guint8) (40 + 4 * y), (guint8) (30 + 2 * x),
                          255 };
        if ((number & 1) == (x >= WIDTH / 2) && (number >> 1 & 1) == (y >= HEIGHT / 2))
            memcpy(rgb, (guint8[4]){ 220, 20, 30, 255 }, 4);
        for (int c = 0; c < n_channels; c++)
            pixels[i * n_channels + c] = rgb[c];
    }
    return bg_image_new_take(&format, pixels, NULL);
}

static double
clip(double x)
{
    return CLAMP(x, 0.0, 255.0);
}

// Back from BT.709 in narrow range, by the inverse of its matrix.
static void
rgb_of(const vpx_image_t *yuv, int u, int v, double rgb[3])
{
    double y = (yuv->planes[0][v * yuv->stride[0] + u] - 16.0) * 255.0 / 219.0;
    double b = (yuv->planes[1][v / 2 * yuv->stride[1] + u / 2] - 128.0) * 255.0 / 224.0;
    double r = (yuv->planes[2][v / 2 * yuv->stride[2] + u / 2] - 128.0) * 255.0 / 224.0;

    rgb[0] = clip(y + 1.5748 * r);
    rgb[1] = clip(y - 0.187324 * b - 0.468124 * r);
    rgb[2] = clip(y + 1.8556 * b);
}

static double
rms_of(const vpx_image_t *yuv, BgImage *image)
{
    const guint8 *pixels = bg_image_get_pixels(image);
    int n = bg_image_get_format(image)->n_channels;
    double sum = 0.0;
    int n_summed = 0;

    // Beside the red corner's edges, where colour is at half the resolution.
    for (int v = 0; v < HEIGHT; v++) {
        for (int u = 0; u < WIDTH; u++) {
            double rgb[3];
            if (ABS(u - WIDTH / 2) < 4 || ABS(v - HEIGHT / 2) < 4)
                continue;
            n_summed++;
            rgb_of(yuv, u, v, rgb);
            for (int c = 0; c < 3; c++)
                sum += pow(rgb[c] - pixels[(v * WIDTH + u) * n + (n >= 3 ? c : 0)], 2);
        }
    }
    return sqrt(sum / (3.0 * n_summed));
}

// Elements have identities of one to four bytes, lengths of eight.
static gsize
element(const guint8 *bytes, gsize at, gsize end, guint32 *id, gsize *length)
{
    guint n_id = bytes[at] & 0x80 ? 1 : bytes[at] & 0x40 ? 2 : bytes[at] & 0x20 ? 3 : 4;

    *id = 0;
    for (guint i = 0; i < n_id; i++)
        *id = *id << 8 | bytes[at + i];
    g_assert_cmpint(bytes[at + n_id], ==, 1);
    *length = 0;
    for (guint i = 1; i < 8; i++)
        *length = *length << 8 | bytes[at + n_id + i];
    at += n_id + 8;
    g_assert_cmpuint(*length, <=, end - at);
    return at;
}

typedef struct {
    const guint8 *bytes;
    GPtrArray *frames; // of GBytes
    GArray *times_ms;
    GHashTable *clusters; // places of clusters
    gsize segment;        // where its content begins
    gint64 cluster_ms;
    guint n_cues;
} Walk;

static gboolean
has_children(guint32 id)
{
    return id == 0x1A45DFA3 || id == 0x18538067 || id == 0x1549A966 || id == 0x1654AE6B ||
           id == 0xAE || id == 0xE0 || id == 0x55B0 || id == 0x1254C367 || id == 0x7373 ||
           id == 0x67C8 || id == 0x1F43B675 || id == 0x1C53BB6B || id == 0xBB || id == 0xB7;
}

static guint64
number_at(const guint8 *bytes, gsize n)
{
    guint64 number = 0;

    for (gsize i = 0; i < n; i++)
        number = number << 8 | bytes[i];
    return number;
}

static void
walk(Walk *self, gsize at, gsize end)
{
    while (at < end) {
        guint32 id;
        gsize length, start = at;
        at = element(self->bytes, at, end, &id, &length);
        if (id == 0x18538067)
            self->segment = at;
        if (id == 0x1F43B675)
            g_hash_table_add(self->clusters, GSIZE_TO_POINTER(start - self->segment));
        if (id == 0xE7)
            self->cluster_ms = (gint64) number_at(self->bytes + at, length);
        if (id == 0xF1) {
            gsize place = number_at(self->bytes + at, length);
            g_assert_true(g_hash_table_contains(self->clusters, GSIZE_TO_POINTER(place)));
            self->n_cues++;
        }
        if (id == 0xA3) {
            gint64 time_ms = self->cluster_ms + (gint16) number_at(self->bytes + at + 1, 2);
            g_assert_cmpint(self->bytes[at], ==, 0x81);
            g_ptr_array_add(self->frames, g_bytes_new(self->bytes + at + 4, length - 4));
            g_array_append_val(self->times_ms, time_ms);
        }
        if (has_children(id))
            walk(self, at, at + length);
        at += length;
    }
    g_assert_cmpuint(at, ==, end);
}

static void
check_frames(const Walk *film, const int *channels)
{
    vpx_codec_ctx_t decoder;

    g_assert_cmpint(vpx_codec_dec_init(&decoder, vpx_codec_vp9_dx(), NULL, 0), ==, VPX_CODEC_OK);
    for (guint n = 0; n < film->frames->len; n++) {
        gsize size;
        vpx_codec_iter_t at = NULL;
        const guint8 *data = g_bytes_get_data(g_ptr_array_index(film->frames, n), &size);
        g_autoptr(BgImage) image = new_image((int) n, channels[n]);
        g_assert_cmpint(vpx_codec_decode(&decoder, data, (unsigned) size, NULL, 0), ==,
                        VPX_CODEC_OK);
        const vpx_image_t *yuv = vpx_codec_get_frame(&decoder, &at);
        g_assert_nonnull(yuv);
        g_assert_cmpuint(yuv->d_w, ==, WIDTH);
        g_assert_cmpuint(yuv->d_h, ==, HEIGHT);
        g_assert_cmpint(yuv->cs, ==, VPX_CS_BT_709);
        g_assert_cmpint(yuv->range, ==, VPX_CR_STUDIO_RANGE);
        double rms = rms_of(yuv, image);
        g_test_message("picture %u: rms %.2f of 255", n, rms);
        g_assert_cmpfloat(rms, <, 4.0);
    }
    vpx_codec_destroy(&decoder);
}

static void
test_round_trip(void)
{
    g_autofree char *folder = g_dir_make_tmp("bregma-webm-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "turn.webm", NULL);
    g_autofree char *words = g_strnfill(70000, 'p');
    g_autofree char *bytes = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(BgWebm) webm = bg_webm_new(path, FALSE, 700, words, &error);
    static const int channels[4] = { 3, 4, 3, 1 };
    gsize n_bytes;

    g_assert_no_error(error);
    for (int n = 0; n < 4; n++) {
        g_autoptr(BgImage) image = new_image(n, channels[n]);
        g_assert_true(bg_webm_add(webm, image, &error));
    }
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_assert_true(bg_webm_commit(webm, &error));
    g_assert_no_error(error);

    g_autofree char *tag = bg_webm_read_provenance(path);
    g_assert_cmpstr(tag, ==, words);
    g_assert_true(g_file_get_contents(path, &bytes, &n_bytes, NULL));
    Walk film = { .bytes = (const guint8 *) bytes,
                  .frames = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref),
                  .times_ms = g_array_new(FALSE, FALSE, sizeof(gint64)),
                  .clusters = g_hash_table_new(NULL, NULL) };
    walk(&film, 0, n_bytes);
    g_assert_cmpuint(film.frames->len, ==, 4);
    for (guint n = 0; n < 4; n++)
        g_assert_cmpint(g_array_index(film.times_ms, gint64, n), ==, 700 * n);
    g_assert_cmpuint(film.n_cues, ==, g_hash_table_size(film.clusters));
    g_assert_cmpuint(film.n_cues, ==, 2); // a key frame every two seconds
    check_frames(&film, channels);
    g_ptr_array_unref(film.frames);
    g_array_unref(film.times_ms);
    g_hash_table_unref(film.clusters);
    g_unlink(path);
    g_rmdir(folder);
}

// Cut and damaged files: no tag, or the whole one; never a crash.
static void
test_damaged(void)
{
    g_autofree char *folder = g_dir_make_tmp("bregma-webm-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "turn.webm", NULL);
    g_autofree char *bytes = NULL;
    g_autoptr(BgWebm) webm = bg_webm_new(path, FALSE, 40, "{\"schema\":1}", NULL);
    g_autoptr(BgImage) image = new_image(0, 3);
    gsize n_bytes;

    g_assert_true(bg_webm_add(webm, image, NULL));
    g_assert_true(bg_webm_commit(webm, NULL));
    g_assert_true(g_file_get_contents(path, &bytes, &n_bytes, NULL));
    gsize n_head = MIN(n_bytes, 700);
    for (gsize n = 0; n < n_head; n++) {
        guint8 kept = (guint8) bytes[n];
        g_assert_true(g_file_set_contents(path, bytes, (gssize) n, NULL));
        g_autofree char *cut = bg_webm_read_provenance(path);
        g_assert_true(cut == NULL || g_str_has_prefix("{\"schema\":1}", cut));
        bytes[n] = (char) (kept ^ 0xFF);
        g_assert_true(g_file_set_contents(path, bytes, (gssize) n_head, NULL));
        g_autofree char *bent = bg_webm_read_provenance(path);
        g_assert_true(bent == NULL || g_utf8_validate(bent, -1, NULL));
        bytes[n] = (char) kept;
    }
    g_unlink(path);
    g_rmdir(folder);
}

static void
test_refuses(void)
{
    g_autofree char *folder = g_dir_make_tmp("bregma-webm-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "turn.webm", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(BgWebm) webm = bg_webm_new(path, FALSE, 40, NULL, &error);
    g_autoptr(BgImage) image = new_image(0, 3);
    BgImageFormat format = { 8, 8, 3, BG_PIXEL_UINT8 };
    g_autoptr(BgImage) small = bg_image_new_take(&format, bg_buffer_alloc(192, NULL), NULL);

    g_assert_false(bg_webm_commit(webm, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_clear_error(&error);
    g_assert_true(bg_webm_add(webm, image, &error));
    g_assert_false(bg_webm_add(webm, small, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_MISMATCH);
    g_clear_error(&error);
    g_clear_pointer(&webm, bg_webm_free);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));

    g_assert_true(g_file_set_contents(path, "no film", 7, NULL));
    g_assert_null(bg_webm_read_provenance(path));
    g_assert_null(bg_webm_new(path, FALSE, 40, NULL, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS);
    g_unlink(path);
    g_rmdir(folder);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/webm/round-trip", test_round_trip);
    g_test_add_func("/webm/damaged", test_damaged);
    g_test_add_func("/webm/refuses", test_refuses);
    return g_test_run();
}
