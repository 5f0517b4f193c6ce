// SPDX-License-Identifier: Apache-2.0
// A folder of thousands of files is looked at while the window goes on: nothing of it happens in the main
// loop but taking over a few things at a time, it says how far it is, and it can be stopped at any time.
#include "core/io/bg-dicom-encode.h"
#include "ui/model/bg-import.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define TAG BG_DICOM_TAG
#define MOST_A_TURN 64 // things taken over, of one turn of the main loop
#define N_FILES (g_getenv("BREGMA_TEST_LONG") != NULL ? 10000 : 2000)
#define N_CANCELLED 5000 // a tenth of a second's work at the least

static void
write_file(const char *folder, int n, int n_series)
{
    static const guint8 preamble[128];
    const double place[3] = { 0.0, 0.0, n / n_series }, axes[6] = { 1, 0, 0, 0, 1, 0 };
    const double mm[2] = { 1.0, 1.0 };
    guint16 pixels[64];
    g_autofree char *path = g_strdup_printf("%s/%05d", folder, n * 7919 % 100003);
    g_autofree char *uid = g_strdup_printf("1.2.3.%d", n + 1);
    g_autofree char *series = g_strdup_printf("1.2.5.%d", n % n_series + 1);
    g_auto(BgDcmEncoder) e = { 0 };

    for (guint i = 0; i < G_N_ELEMENTS(pixels); i++)
        pixels[i] = (guint16) ((i * 61 + (guint) n) & 0xFFF);
    bg_dcm_encoder_init(&e, 1);
    g_byte_array_append(e.bytes, preamble, sizeof preamble);
    g_byte_array_append(e.bytes, (const guint8 *) "DICM", 4);
    bg_dcm_put_text(&e, TAG(0x0002, 0x0010), "UI", "1.2.840.10008.1.2.1");
    bg_dcm_put_text(&e, TAG(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.4");
    bg_dcm_put_text(&e, TAG(0x0008, 0x0018), "UI", uid);
    bg_dcm_put_text(&e, TAG(0x0008, 0x0060), "CS", "MR");
    bg_dcm_put_text(&e, TAG(0x0010, 0x0020), "LO", "4711");
    bg_dcm_put_text(&e, TAG(0x0020, 0x000d), "UI", "1.2.4");
    bg_dcm_put_text(&e, TAG(0x0020, 0x000e), "UI", series);
    bg_dcm_put_ds(&e, TAG(0x0020, 0x0032), place, 3);
    bg_dcm_put_ds(&e, TAG(0x0020, 0x0037), axes, 6);
    bg_dcm_put_us(&e, TAG(0x0028, 0x0002), 1);
    bg_dcm_put_text(&e, TAG(0x0028, 0x0004), "CS", "MONOCHROME2");
    bg_dcm_put_us(&e, TAG(0x0028, 0x0010), 8);
    bg_dcm_put_us(&e, TAG(0x0028, 0x0011), 8);
    bg_dcm_put_ds(&e, TAG(0x0028, 0x0030), mm, 2);
    bg_dcm_put_us(&e, TAG(0x0028, 0x0100), 16);
    bg_dcm_put_us(&e, TAG(0x0028, 0x0101), 12);
    bg_dcm_put_us(&e, TAG(0x0028, 0x0102), 11);
    bg_dcm_put_us(&e, TAG(0x0028, 0x0103), 0);
    bg_dcm_put_bytes(&e, TAG(0x7fe0, 0x0010), "OW", pixels, sizeof pixels);
    g_assert_true(g_file_set_contents_full(path, (const char *) e.bytes->data,
                                           (gssize) e.bytes->len, G_FILE_SET_CONTENTS_NONE, 0600,
                                           NULL));
}

static char *
make_folder(int n_files, int n_series)
{
    char *folder = g_dir_make_tmp("bregma-scan-XXXXXX", NULL);

    for (int n = 0; n < n_files; n++)
        write_file(folder, n, n_series);
    return folder;
}

static int
count_in(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    int n = 0;

    while (g_dir_read_name(dir) != NULL)
        n++;
    return n;
}

static void
remove_folder(char *folder)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
    g_dir_close(dir);
    g_assert_cmpint(g_rmdir(folder), ==, 0);
    g_free(folder);
}

typedef struct {
    BgSession *session;
    BgImport *import;
    guint n_told;         // times that it said how far it is
    guint64 n_done, most; // files, as it says
    gboolean done;
    gint64 longest_us; // of a turn of the main loop
} Scan;

static void
on_progress(BgImport *import, guint64 n_done, guint64 n_known, gpointer user_data)
{
    Scan *scan = user_data;

    g_assert_cmpuint(n_done, <=, n_known);
    g_assert_cmpuint(n_done, >=, scan->n_done); // never back
    scan->n_done = n_done;
    scan->most = MAX(scan->most, n_known);
    scan->n_told++;
}

static void
on_done(BgImport *import, gpointer user_data)
{
    Scan *scan = user_data;

    g_assert_false(scan->done);
    g_assert_false(bg_import_is_running(import));
    scan->done = TRUE;
}

static void
begin(Scan *scan, const char *folder)
{
    const char *paths[] = { folder, NULL };

    *scan = (Scan){ .session = bg_session_new() };
    scan->import = bg_import_new(scan->session, paths);
    g_signal_connect(scan->import, "progress", G_CALLBACK(on_progress), scan);
    g_signal_connect(scan->import, "done", G_CALLBACK(on_done), scan);
    g_assert_true(bg_import_is_running(scan->import));
    g_assert_cmpuint(g_list_model_get_n_items(bg_import_get_items(scan->import)), ==, 0);
}

static guint
count_items(const Scan *scan)
{
    return g_list_model_get_n_items(bg_import_get_items(scan->import));
}

static void
turn(Scan *scan)
{
    guint before = count_items(scan);
    gint64 started = g_get_monotonic_time();

    if (g_main_context_iteration(NULL, FALSE))
        scan->longest_us = MAX(scan->longest_us, g_get_monotonic_time() - started);
    else
        g_usleep(1000);
    g_assert_cmpuint(count_items(scan), <=, before + MOST_A_TURN);
}

static void
end(Scan *scan)
{
    g_test_message("longest turn of the main loop: %.1f ms", (double) scan->longest_us / 1e3);
    g_object_add_weak_pointer(G_OBJECT(scan->import), (gpointer *) &scan->import);
    g_object_unref(scan->import);
    while (scan->import != NULL) // the job, and pictures on the way, let it go
        g_main_context_iteration(NULL, FALSE);
    g_object_unref(scan->session);
}

// 40 series, as a CD has them: each comes once, whole, with what is known of it.
static void
test_series(void)
{
    char *folder = make_folder(N_FILES, 40);
    Scan scan;

    begin(&scan, folder);
    while (!scan.done)
        turn(&scan);
    g_assert_cmpuint(count_items(&scan), ==, 40);
    g_assert_cmpuint(scan.n_told, >, 0);
    g_assert_cmpuint(scan.n_done, ==, (guint64) N_FILES);
    g_assert_cmpuint(scan.most, ==, (guint64) N_FILES);
    for (guint i = 0; i < 40; i++) {
        g_autoptr(BgImportItem) item = g_list_model_get_item(bg_import_get_items(scan.import), i);
        g_assert_null(bg_import_item_get_problem(item));
        g_assert_cmpint(bg_import_item_get_dims(item)[2], ==, N_FILES / 40);
    }
    end(&scan);
    g_assert_cmpint(count_in(folder), ==, N_FILES);
    remove_folder(folder);
}

// As many series as files: they come all at once at the end, and still a few at a time into the window.
static void
test_many_series(void)
{
    int n = N_FILES / 2;
    char *folder = make_folder(n, n);
    Scan scan;

    begin(&scan, folder);
    while (!scan.done)
        turn(&scan);
    g_assert_cmpuint(count_items(&scan), ==, (guint) n);
    end(&scan);
    remove_folder(folder);
}

static int
count_fds(void)
{
    return count_in("/proc/self/fd");
}

// Stopped as soon as it has done some: it ends, opens nothing, and leaves neither files nor descriptors.
static void
test_cancel(void)
{
    char *few = make_folder(3, 1), *folder = make_folder(N_CANCELLED, 40);
    Scan scan;

    begin(&scan, few); // the child is there from now on
    while (!scan.done)
        turn(&scan);
    end(&scan);
    int n_before = count_fds();

    begin(&scan, folder);
    while (scan.n_done == 0)
        turn(&scan);
    g_assert_true(bg_import_is_running(scan.import));
    bg_import_cancel(scan.import);
    while (!scan.done)
        turn(&scan);
    g_assert_cmpuint(scan.n_done, <, (guint64) N_CANCELLED);
    guint n_left = count_items(&scan);
    for (int i = 0; i < 20; i++)
        turn(&scan);
    g_assert_cmpuint(count_items(&scan), ==, n_left);
    end(&scan);
    for (int i = 0; i < 1000 && count_fds() > n_before; i++)
        g_usleep(10000); // the worker closes its own
    g_assert_cmpint(count_fds(), <=, n_before);
    g_assert_cmpint(count_in(folder), ==, N_CANCELLED);
    remove_folder(folder);
    remove_folder(few);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/scan/series", test_series);
    g_test_add_func("/scan/many-series", test_many_series);
    g_test_add_func("/scan/cancel", test_cancel);
    return g_test_run();
}
