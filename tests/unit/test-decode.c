// SPDX-License-Identifier: Apache-2.0
// The child that reads foreign files, as seen by the program: results, deaths, hangs, cancelling.
#include "core/base/bg-error.h"
#include "core/decode/bg-decode-private.h"
#include "core/decode/bg-decode-wire.h"
#include "core/decode/bg-decode.h"
#include "core/image/bg-image.h"
#include "core/io/bg-image-io.h"
#include "core/io/bg-io.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static char *folder;

static char *
path_of(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static BgVolume *
new_volume(int n)
{
    const int dims[3] = { n, n + 1, n + 2 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(0.5, 0.75, 1.25));
    gint16 *samples = bg_voxels_alloc(&geometry, sizeof *samples, NULL);
    gsize n_voxels = bg_geometry_count_voxels(&geometry);

    for (gsize i = 0; i < n_voxels; i++)
        samples[i] = (gint16) (i * 7 % 4001);
    return bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_INT16), samples, NULL);
}

static char *
write_volume(const char *name, int n)
{
    char *path = path_of(name);
    g_autoptr(GError) error = NULL;
    g_autoptr(BgVolume) volume = new_volume(n);
    BgSaveParams params = { .force = TRUE, .modality = "CT", .unit = "HU" };

    bg_io_save_volume(volume, path, &params, NULL, NULL, &error);
    g_assert_no_error(error);
    return path;
}

static void
test_volume(gconstpointer user_data)
{
    int n = GPOINTER_TO_INT(user_data);
    g_autofree char *path = write_volume("volume.h5", n);
    g_autoptr(GError) error = NULL;
    g_autoptr(BgVolume) volume = new_volume(n);

    g_assert_true(bg_io_needs_child(path));
    g_autoptr(BgLoaded) loaded = bg_io_load(path, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpint(loaded->info->format, ==, BG_FORMAT_HDF5);
    g_assert_cmpstr(loaded->info->path, ==, path);
    g_assert_cmpstr(loaded->info->unit, ==, "HU");
    g_assert_cmpstr(loaded->info->datatype, ==, "int16");
    g_assert_true(bg_geometry_equal(bg_volume_get_geometry(volume),
                                    bg_volume_get_geometry(loaded->volume), 1e-12));
    g_assert_cmpmem(bg_volume_get_samples(volume), bg_volume_get_n_bytes(volume),
                    bg_volume_get_samples(loaded->volume), bg_volume_get_n_bytes(loaded->volume));
}

static void
test_picture(void)
{
    g_autofree char *path = path_of("picture \xFF.png"); // a name that is no text
    g_autoptr(GError) error = NULL;
    const BgImageFormat format = { 5, 3, 3, BG_PIXEL_UINT8 };
    guint8 *pixels = g_memdup2("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHI", 45);
    g_autoptr(GBytes) bytes = g_bytes_new_take(pixels, 45);
    g_autoptr(BgImage) plain = bg_image_new_bytes(&format, bytes, &error);
    const double spacing_mm[2] = { 0.25, 0.5 };
    g_autoptr(BgImage) image = bg_image_new_calibrated(plain, spacing_mm);
    double read_mm[2];

    g_assert_true(bg_png_save(image, path, NULL, &error));
    g_autoptr(BgLoaded) loaded = bg_io_load(path, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(loaded->image);
    g_assert_cmpmem(bg_image_get_pixels(loaded->image), 45, pixels, 45);
    g_assert_true(bg_image_get_spacing_mm(loaded->image, read_mm));
    g_assert_cmpfloat(read_mm[0], ==, 0.25);
    g_assert_cmpfloat(read_mm[1], ==, 0.5);
}

static void
test_errors(void)
{
    g_autofree char *text = path_of("nothing.bin"), *gone = path_of("gone.h5");
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(text, "no format of any kind", -1, NULL));
    g_assert_null(bg_io_load(text, NULL, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED);
    g_assert_nonnull(strstr(error->message, "nothing.bin"));
    g_clear_error(&error);
    g_assert_null(bg_io_load(gone, NULL, NULL, NULL, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_null(bg_io_load(folder, NULL, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED);
}

// What the child does when asked to misbehave: operations of tests, which only a child that was started
// with BREGMA_DECODE_MISBEHAVE has.
static void
assert_misbehaves(const char *how, const char *word)
{
    g_autoptr(BgJson) request = bg_json_new_object();
    g_autoptr(GError) error = NULL;
    gint64 start = g_get_monotonic_time();

    bg_json_set_string(request, "op", how);
    bg_json_set_integer(request, "max_cpu_s", 1);
    bg_json_set_integer(request, "max_bytes", 1 << 30);
    g_autoptr(BgDecodeReply) reply = bg_decode_ask(request, NULL, NULL, NULL, &error);
    g_assert_null(reply);
    g_assert_error(error, BG_ERROR, BG_ERROR_DECODER);
    g_test_message("%s: %s", how, error->message);
    g_assert_nonnull(strstr(error->message, word));
    g_assert_cmpint(g_get_monotonic_time() - start, <, 30 * G_USEC_PER_SEC);
    g_clear_error(&error);

    // And the next one is well.
    g_assert_true(bg_decode_start(&error));
    g_assert_no_error(error);
}

static void
test_deaths(void)
{
    assert_misbehaves("test-crash", "signal 11");
    assert_misbehaves("test-abort", "signal 6");
    assert_misbehaves("test-spin", "too much time");
    assert_misbehaves("test-leave", "status 7");
    assert_misbehaves("test-garbage", "damaged");
    assert_misbehaves("test-long", "damaged");
    assert_misbehaves("test-unsealed", "not what it says");
    assert_misbehaves("test-short", "not what it says");
}

static void
test_rights(void)
{
    static const char *const wishes[] = { "socket", "exec",  "fork",   "write-file", "kill",
                                          "ptrace", "mount", "unlink", "read-else",  "memory" };

    for (gsize i = 0; i < G_N_ELEMENTS(wishes); i++) {
        g_autoptr(BgJson) request = bg_json_new_object();
        g_autoptr(GError) error = NULL;
        g_autofree char *op = g_strconcat("test-may-", wishes[i], NULL);
        bg_json_set_string(request, "op", op);
        bg_json_set_integer(request, "max_bytes", 1 << 30);
        g_autoptr(BgDecodeReply) reply = bg_decode_ask(request, NULL, NULL, NULL, &error);
        g_assert_no_error(error);
        const char *answer = bg_json_to_string(bg_json_get(reply->json, "may"), "");
        g_test_message("%s: %s", wishes[i], answer);
        if (strcmp(wishes[i], "read-else") == 0 && strcmp(answer, "no landlock") == 0)
            continue;
        if (strcmp(wishes[i], "memory") == 0 && g_getenv("BREGMA_SANITIZED") != NULL)
            continue;
        g_assert_cmpstr(answer, ==, "no");
    }
}

static gpointer
cancel_soon(gpointer data)
{
    g_usleep(100000);
    g_cancellable_cancel(data);
    return NULL;
}

static void
test_cancel(void)
{
    g_autoptr(BgJson) request = bg_json_new_object();
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GError) error = NULL;
    gint64 start = g_get_monotonic_time();
    GThread *thread = g_thread_new("cancel", cancel_soon, cancellable);

    bg_json_set_string(request, "op", "test-hang");
    g_assert_null(bg_decode_ask(request, NULL, NULL, cancellable, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    g_assert_cmpint(g_get_monotonic_time() - start, <, 30 * G_USEC_PER_SEC);
    g_thread_join(thread);
}

static gpointer
load_often(gpointer data)
{
    for (int i = 0; i < 20; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(BgLoaded) loaded = bg_io_load(data, NULL, NULL, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpint(bg_volume_get_geometry(loaded->volume)->dims[0], ==, 40);
    }
    return NULL;
}

static void
test_many(void)
{
    g_autofree char *path = write_volume("many.h5", 40);
    GThread *threads[4];

    for (int i = 0; i < 4; i++)
        threads[i] = g_thread_new("load", load_often, path);
    for (int i = 0; i < 4; i++)
        g_thread_join(threads[i]);
}

static void
test_killed(void)
{
    g_autofree char *path = write_volume("killed.h5", 8);
    g_autoptr(BgJson) request = bg_json_new_object();
    g_autoptr(GError) error = NULL;

    // The child itself, not the process of a request: the next request starts another.
    bg_json_set_string(request, "op", "test-parent");
    g_autoptr(BgDecodeReply) reply = bg_decode_ask(request, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    pid_t pid = (pid_t) bg_json_to_integer(bg_json_get(reply->json, "pid"), 0);
    g_assert_cmpint(pid, >, 1);
    g_assert_cmpint(kill(pid, SIGKILL), ==, 0);
    for (int i = 0; i < 200 && kill(pid, 0) == 0; i++)
        g_usleep(10000);
    g_autoptr(BgLoaded) loaded = bg_io_load(path, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(loaded);
}

// From the request to the first byte of a series.
static void
test_cost(void)
{
    g_autofree char *path = write_volume("cost.h5", 8);
    gint64 best = G_MAXINT64;

    for (int i = 0; i < 20; i++) {
        g_autoptr(GError) error = NULL;
        gint64 start = g_get_monotonic_time();
        g_autoptr(BgLoaded) loaded = bg_io_load(path, NULL, NULL, NULL, &error);
        g_assert_no_error(error);
        best = MIN(best, g_get_monotonic_time() - start);
    }
    g_test_message("%.1f ms from request to result", (double) best / 1000.0);
    g_assert_cmpint(best, <, 10 * G_USEC_PER_SEC); // tests/bench/bench-decode.c measures it
}

static void
test_missing(void)
{
    if (g_test_subprocess()) {
        g_autoptr(GError) error = NULL;
        g_setenv("BREGMA_DECODE", "/nonexistent/bregma-decode", TRUE);
        g_assert_false(bg_decode_start(&error));
        g_assert_error(error, BG_ERROR, BG_ERROR_DECODER);
        g_setenv("BREGMA_DECODE", "/bin/true", TRUE); // ends at once
        g_clear_error(&error);
        g_assert_false(bg_decode_start(&error));
        g_assert_error(error, BG_ERROR, BG_ERROR_DECODER);
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
}

// Any bytes in place of an answer: a typed end, no crash, and no memory that they did not bring.
static void
test_wire_noise(void)
{
    for (int round = 0; round < 2000; round++) {
        int pair[2];
        guint8 noise[64];
        BgWireMessage message;
        g_autoptr(GError) error = NULL;

        g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
        gsize n = (gsize) g_test_rand_int_range(0, sizeof noise);
        for (gsize i = 0; i < n; i++)
            noise[i] = (guint8) g_test_rand_int_range(0, 256);
        if (round % 2 == 0)
            memcpy(noise, "BGW1", 4);
        if (round % 4 == 0 && n >= 16)
            memset(noise + 4, 0, 12), noise[8] = (guint8) (n - 16);
        g_assert_cmpint(write(pair[1], noise, n), ==, (ssize_t) n);
        close(pair[1]);
        BgWireStatus status = bg_wire_receive(pair[0], -1, 1000, &message, &error);
        if (status == BG_WIRE_OK)
            bg_wire_message_clear(&message);
        g_assert_true((status == BG_WIRE_FAILED) == (error != NULL));
        g_assert_cmpint(status, !=, BG_WIRE_TIMEOUT);
        close(pair[0]);
    }
}

int
main(int argc, char **argv)
{
    g_setenv("BREGMA_DECODE_MISBEHAVE", "1", TRUE);
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("bregma-decode-XXXXXX", NULL);
    g_test_add_data_func("/decode/volume/small", GINT_TO_POINTER(3), test_volume);
    g_test_add_data_func("/decode/volume/shared", GINT_TO_POINTER(60), test_volume);
    g_test_add_func("/decode/picture", test_picture);
    g_test_add_func("/decode/errors", test_errors);
    g_test_add_func("/decode/deaths", test_deaths);
    g_test_add_func("/decode/rights", test_rights);
    g_test_add_func("/decode/cancel", test_cancel);
    g_test_add_func("/decode/many", test_many);
    g_test_add_func("/decode/killed", test_killed);
    g_test_add_func("/decode/cost", test_cost);
    g_test_add_func("/decode/missing", test_missing);
    g_test_add_func("/decode/wire-noise", test_wire_noise);
    int status = g_test_run();

    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = path_of(name);
        g_unlink(path);
    }
    g_rmdir(folder);
    g_free(folder);
    return status;
}
