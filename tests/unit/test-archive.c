// SPDX-License-Identifier: Apache-2.0
// Archives, good and hostile: names, links, counts, bombs, encryption, nesting.
#include "core/base/bg-error.h"
#include "media/archive/bg-archive.h"
#include "media/bg-media.h"

#include <archive.h>
#include <archive_entry.h>
#include <glib/gstdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char *folder;

typedef struct {
    struct archive *archive;
    char *path;
} Writer;

static Writer
writer_open(const char *name, gboolean zip, const char *options)
{
    Writer writer = { archive_write_new(), g_build_filename(folder, name, NULL) };

    if (zip)
        archive_write_set_format_zip(writer.archive);
    else
        archive_write_set_format_pax_restricted(writer.archive);
    if (g_str_has_suffix(name, ".gz"))
        archive_write_add_filter_gzip(writer.archive);
    if (options != NULL) {
        g_assert_cmpint(archive_write_set_options(writer.archive, options), ==, ARCHIVE_OK);
        archive_write_set_passphrase(writer.archive, "secret");
    }
    g_assert_cmpint(archive_write_open_filename(writer.archive, writer.path), ==, ARCHIVE_OK);
    return writer;
}

static void
writer_add(Writer *writer, const char *name, gconstpointer bytes, gsize n_bytes, const char *link)
{
    struct archive_entry *entry = archive_entry_new();

    archive_entry_set_pathname(entry, name);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_filetype(entry, link != NULL ? AE_IFLNK : AE_IFREG);
    archive_entry_set_size(entry, (la_int64_t) n_bytes);
    if (link != NULL)
        archive_entry_set_symlink(entry, link);
    g_assert_cmpint(archive_write_header(writer->archive, entry), ==, ARCHIVE_OK);
    if (n_bytes > 0)
        g_assert_cmpint(archive_write_data(writer->archive, bytes, n_bytes), ==,
                        (la_ssize_t) n_bytes);
    archive_entry_free(entry);
}

static char *
writer_close(Writer *writer)
{
    g_assert_cmpint(archive_write_close(writer->archive), ==, ARCHIVE_OK);
    archive_write_free(writer->archive);
    return writer->path;
}

// A volume as a file's bytes.
static char *
make_nifti(gsize *n_bytes)
{
    const int dims[3] = { 5, 4, 3 };
    BgGeometry geometry = bg_geometry_new_regular(dims, bg_vec3(1.0, 2.0, 3.0));
    gint16 *samples = bg_voxels_alloc(&geometry, sizeof *samples, NULL);
    g_autofree char *path = g_build_filename(folder, "inner.nii", NULL);
    BgSaveParams params = { .force = TRUE };
    char *bytes;

    for (int i = 0; i < 60; i++)
        samples[i] = (gint16) (i * 11);
    g_autoptr(BgVolume) volume =
        bg_volume_new_take(&geometry, bg_sample_format_plain(BG_SAMPLE_INT16), samples, NULL);
    g_assert_true(bg_io_save_volume(volume, path, &params, NULL, NULL, NULL));
    g_assert_true(g_file_get_contents(path, &bytes, n_bytes, NULL));
    g_unlink(path);
    return bytes;
}

static void
check_volume(const char *path, const char *series)
{
    BgLoadParams params = bg_load_params_default();
    g_autoptr(GError) error = NULL;

    params.series = series;
    g_autoptr(BgLoaded) loaded = bg_io_load(path, &params, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(loaded->volume);
    g_assert_cmpfloat(bg_volume_get_value(loaded->volume, 4, 3, 2), ==, 59.0 * 11.0);
}

static void
test_names(gconstpointer user_data)
{
    static const char *const names[] = { "plain.nii",       "../../../etc/cron.d/x",
                                         "/etc/passwd.nii", "a\\..\\b.nii",
                                         "con.nii",         "x/./../../y" };
    const char *name = user_data;
    gsize n_bytes;
    g_autofree char *bytes = make_nifti(&n_bytes);
    Writer writer = writer_open(name, g_str_has_suffix(name, ".zip"), NULL);
    g_autoptr(GError) error = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        writer_add(&writer, names[i], bytes, n_bytes, NULL);
    if (!g_str_has_suffix(name, ".zip"))
        writer_add(&writer, "link.nii", NULL, 0, "/etc/passwd");
    g_autofree char *path = writer_close(&writer);

    g_autoptr(GPtrArray) list = bg_io_scan(path, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(list->len, ==, G_N_ELEMENTS(names));
    for (guint i = 0; i < list->len; i++) {
        const BgSeries *series = list->pdata[i];
        g_assert_true(series->loadable);
        g_assert_cmpint(series->dims[2], ==, 3);
        check_volume(path, series->key);
    }
    const BgSeries *first = list->pdata[0];
    g_assert_cmpuint(first->warnings->len, >=, g_str_has_suffix(name, ".zip") ? 0 : 1);
    check_volume(path, NULL);
    check_volume(path, "5");
    // Nothing was put where a name said.
    g_assert_false(g_file_test("/etc/passwd.nii", G_FILE_TEST_EXISTS));
    g_assert_false(g_file_test("/etc/cron.d/x", G_FILE_TEST_EXISTS));
}

static void
assert_refused(const char *path, int code)
{
    g_autoptr(GError) error = NULL;
    clock_t start = clock();

    g_assert_null(bg_io_load(path, NULL, NULL, NULL, &error));
    g_test_message("%s", error != NULL ? error->message : "");
    g_assert_error(error, BG_ERROR, code);
    // Its own time: what else runs on the machine is not the archive's fault.
    g_assert_cmpint(clock() - start, <, 2 * CLOCKS_PER_SEC);
}

static void
test_encrypted(void)
{
    gsize n_bytes;
    g_autofree char *bytes = make_nifti(&n_bytes);
    Writer writer = writer_open("encrypted.zip", TRUE, "zip:encryption=zipcrypt");

    writer_add(&writer, "a.nii", bytes, n_bytes, NULL);
    g_autofree char *path = writer_close(&writer);
    assert_refused(path, BG_ERROR_UNSUPPORTED);
}

static void
test_nested(void)
{
    gsize n_bytes, n_inner;
    g_autofree char *bytes = make_nifti(&n_bytes), *inner = NULL;
    Writer first = writer_open("inner.zip", TRUE, NULL);

    writer_add(&first, "a.nii", bytes, n_bytes, NULL);
    g_autofree char *inner_path = writer_close(&first);
    g_assert_true(g_file_get_contents(inner_path, &inner, &n_inner, NULL));
    Writer second = writer_open("outer.zip", TRUE, NULL);
    writer_add(&second, "b.zip", inner, n_inner, NULL);
    g_autofree char *path = writer_close(&second);
    assert_refused(path, BG_ERROR_UNSUPPORTED);
}

// A thousand times its size, and it looks like DICOM: stopped on the way.
static void
test_bomb(gconstpointer user_data)
{
    const char *name = user_data;
    gsize n_bytes = 160u << 20;
    g_autofree guint8 *zeros = g_malloc0(1 << 20);
    struct archive_entry *entry = archive_entry_new();
    Writer writer = writer_open(name, g_str_has_suffix(name, ".zip"), NULL);

    archive_entry_set_pathname(entry, "bomb.dcm");
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_size(entry, (la_int64_t) n_bytes);
    g_assert_cmpint(archive_write_header(writer.archive, entry), ==, ARCHIVE_OK);
    memcpy(zeros + 128, "DICM", 4);
    for (gsize done = 0; done < n_bytes; done += 1 << 20)
        archive_write_data(writer.archive, zeros, 1 << 20);
    archive_entry_free(entry);
    g_autofree char *path = writer_close(&writer);
    assert_refused(path, BG_ERROR_UNSUPPORTED);
}

static void
test_cut(void)
{
    gsize n_bytes, n_zip;
    g_autofree char *bytes = make_nifti(&n_bytes), *zip = NULL;
    Writer writer = writer_open("whole.tar.gz", FALSE, NULL);
    gsize n_refused = 0;

    writer_add(&writer, "a.nii", bytes, n_bytes, NULL);
    g_autofree char *path = writer_close(&writer);
    g_assert_true(g_file_get_contents(path, &zip, &n_zip, NULL));
    for (gsize n = 1; n < n_zip; n += MAX(n_zip / 40, 1)) {
        g_autofree char *cut = g_build_filename(folder, "cut.tar.gz", NULL);
        g_autoptr(GError) error = NULL;
        g_assert_true(g_file_set_contents(cut, zip, (gssize) n, NULL));
        g_autoptr(BgLoaded) loaded = bg_io_load(cut, NULL, NULL, NULL, &error);
        n_refused += loaded == NULL;
        g_assert_true((loaded == NULL) == (error != NULL));
    }
    g_assert_cmpuint(n_refused, >, 20);
}

static void
test_many(void)
{
    Writer writer = writer_open("many.tar", FALSE, NULL);

    for (guint i = 0; i <= BG_ARCHIVE_MAX_MEMBERS; i++) {
        char name[32];
        g_snprintf(name, sizeof name, "f%u", i);
        writer_add(&writer, name, NULL, 0, NULL);
    }
    g_autofree char *path = writer_close(&writer);
    assert_refused(path, BG_ERROR_UNSUPPORTED);
}

static void
test_cancelled(void)
{
    gsize n_bytes;
    g_autofree char *bytes = make_nifti(&n_bytes);
    Writer writer = writer_open("cancel.zip", TRUE, NULL);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GError) error = NULL;
    const BgArchiveWish wish = { NULL, NULL, NULL };

    writer_add(&writer, "a.nii", bytes, n_bytes, NULL);
    g_autofree char *path = writer_close(&writer);
    g_cancellable_cancel(cancellable);
    g_assert_null(bg_archive_unpack(path, &wish, NULL, NULL, cancellable, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    bg_media_add_readers();
    folder = g_dir_make_tmp("bregma-archive-XXXXXX", NULL);
    g_test_add_data_func("/archive/names/zip", "names.zip", test_names);
    g_test_add_data_func("/archive/names/tar", "names.tar", test_names);
    g_test_add_data_func("/archive/names/tar-gz", "names.tar.gz", test_names);
    g_test_add_func("/archive/encrypted", test_encrypted);
    g_test_add_func("/archive/nested", test_nested);
    g_test_add_data_func("/archive/bomb/zip", "bomb.zip", test_bomb);
    g_test_add_data_func("/archive/bomb/tar-gz", "bomb.tar.gz", test_bomb);
    g_test_add_func("/archive/cut", test_cut);
    g_test_add_func("/archive/many", test_many);
    g_test_add_func("/archive/cancelled", test_cancelled);
    int status = g_test_run();

    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(folder);
    g_free(folder);
    return status;
}
