// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-error.h"
#include "core/io/bg-h5.h"

#include <glib/gstdio.h>
#include <string.h>

static char *folder;

static char *
path_of(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static void
fill(guint8 *data, gsize n_bytes)
{
    // Whole numbers that grow slowly, so that packing does something; finite as floats too.
    for (gsize i = 0; i < n_bytes; i++)
        data[i] = (guint8) ((i / 64) % 60);
}

typedef struct {
    const char *name;
    BgH5Shape shape;
} ShapeCase;

static const ShapeCase shapes[] = {
    { "one", { BG_H5_FLOAT64, 1, { 1 } } },
    { "small", { BG_H5_INT16, 3, { 3, 4, 5 } } },
    { "long", { BG_H5_UINT8, 1, { 1300000 } } },
    { "volume", { BG_H5_INT16, 3, { 37, 120, 131 } } },
    { "wide-slice", { BG_H5_FLOAT32, 3, { 3, 700, 900 } } },
    { "frames", { BG_H5_UINT16, 4, { 3, 20, 64, 65 } } },
    { "five", { BG_H5_UINT32, 5, { 2, 3, 4, 50, 60 } } },
    { "int8", { BG_H5_INT8, 2, { 1000, 1000 } } },
    { "int64", { BG_H5_INT64, 2, { 300, 301 } } },
};

static void
test_arrays(gconstpointer user_data)
{
    const ShapeCase *c = user_data;
    g_autofree char *path = path_of("array.h5");
    g_autoptr(GError) error = NULL;
    gsize n_bytes = bg_h5_shape_count(&c->shape) * bg_h5_type_size(c->shape.type);
    g_autofree guint8 *data = g_malloc(n_bytes), *back = g_malloc(n_bytes);
    BgH5Shape shape;

    fill(data, n_bytes);
    g_autoptr(BgH5) out = bg_h5_create(path, TRUE, &error);
    g_assert_no_error(error);
    g_assert_true(bg_h5_write(out, "/a/b/array", &c->shape, data, NULL, NULL, &error));
    g_assert_true(bg_h5_commit(out, &error));
    g_assert_no_error(error);

    g_autoptr(BgH5) in = bg_h5_open(path, &error);
    g_assert_no_error(error);
    g_assert_true(bg_h5_inspect(in, "/a/b/array", &shape, &error));
    g_assert_cmpint(shape.type, ==, c->shape.type);
    g_assert_cmpint(shape.rank, ==, c->shape.rank);
    g_assert_cmpmem(shape.dims, sizeof shape.dims, c->shape.dims, sizeof c->shape.dims);
    g_assert_true(bg_h5_read(in, "/a/b/array", &shape, 0, shape.dims[0], back, NULL, NULL, &error));
    g_assert_cmpmem(data, n_bytes, back, n_bytes);

    // A part along the slowest dimension.
    guint64 first = shape.dims[0] / 3, count = MAX(shape.dims[0] / 2, 1);
    gsize n_row = n_bytes / (gsize) shape.dims[0];
    memset(back, 0xAA, n_bytes);
    g_assert_true(bg_h5_read(in, "/a/b/array", &shape, first, count, back, NULL, NULL, &error));
    g_assert_cmpmem(data + first * n_row, count * n_row, back, count * n_row);
}

static void
test_converts(void)
{
    g_autofree char *path = path_of("convert.h5");
    g_autoptr(GError) error = NULL;
    const gsize n = 100000;
    g_autofree gint16 *data = g_new(gint16, n);
    g_autofree double *back = g_new(double, n);
    BgH5Shape shape = { BG_H5_INT16, 2, { 100, 1000 } };

    for (gsize i = 0; i < n; i++)
        data[i] = (gint16) (i * 7 - 30000);
    g_autoptr(BgH5) out = bg_h5_create(path, TRUE, &error);
    g_assert_true(bg_h5_write(out, "/x", &shape, data, NULL, NULL, &error));
    g_assert_true(bg_h5_commit(out, &error));

    g_autoptr(BgH5) in = bg_h5_open(path, &error);
    shape.type = BG_H5_FLOAT64;
    g_assert_true(bg_h5_read(in, "/x", &shape, 0, 100, back, NULL, NULL, &error));
    g_assert_no_error(error);
    for (gsize i = 0; i < n; i++)
        g_assert_cmpfloat(back[i], ==, (double) data[i]);
}

static void
test_attributes(void)
{
    g_autofree char *path = path_of("attributes.h5");
    g_autoptr(GError) error = NULL;
    g_autofree char *lengthy = g_strnfill(200000, 'x');
    const double matrix[4] = { 1.0, -2.5, 1e-300, 4.0 };
    double back[4] = { 0 };
    gint64 integer = 0;

    g_autoptr(BgH5) out = bg_h5_create(path, TRUE, &error);
    g_assert_true(bg_h5_create_group(out, "/g/h", &error));
    g_assert_true(bg_h5_set_string(out, "/g/h", "text", "Müller", &error));
    g_assert_true(bg_h5_set_string(out, "/g/h", "long", lengthy, &error));
    g_assert_true(bg_h5_set_string(out, "/g/h", "text", "Größe", &error)); // in its place
    g_assert_true(bg_h5_set_string(out, "/", "empty", "", &error));
    g_assert_true(bg_h5_set_doubles(out, "/", "matrix", matrix, 4, &error));
    g_assert_true(bg_h5_set_integer(out, "/", "integer", -5, &error));
    g_assert_true(bg_h5_write_text(out, "/text", lengthy, &error));
    g_assert_true(bg_h5_write_text(out, "/none", "", &error));
    g_assert_true(bg_h5_commit(out, &error));
    g_assert_no_error(error);

    g_autoptr(BgH5) in = bg_h5_open(path, &error);
    g_autofree char *text = bg_h5_get_string(in, "/g/h", "text", &error);
    g_assert_cmpstr(text, ==, "Größe");
    g_autofree char *long_back = bg_h5_get_string(in, "/g/h", "long", &error);
    g_assert_cmpstr(long_back, ==, lengthy);
    g_autofree char *empty = bg_h5_get_string(in, "/", "empty", &error);
    g_assert_cmpstr(empty, ==, "");
    g_assert_true(bg_h5_get_doubles(in, "/", "matrix", back, 4, &error));
    g_assert_cmpmem(back, sizeof back, matrix, sizeof matrix);
    g_assert_true(bg_h5_get_integer(in, "/", "integer", &integer, &error));
    g_assert_cmpint(integer, ==, -5);
    g_autofree char *long_text = bg_h5_read_text(in, "/text", &error);
    g_assert_cmpstr(long_text, ==, lengthy);
    g_autofree char *none = bg_h5_read_text(in, "/none", &error);
    g_assert_cmpstr(none, ==, "");
    g_assert_no_error(error);

    g_assert_true(bg_h5_has(in, "/g"));
    g_assert_false(bg_h5_has(in, "/k"));
    g_assert_true(bg_h5_has_attribute(in, "/", "matrix"));
    g_assert_false(bg_h5_has_attribute(in, "/", "matrices"));
    g_auto(GStrv) names = bg_h5_list(in, "/", &error);
    g_autofree char *joined = g_strjoinv(",", names);
    g_assert_cmpstr(joined, ==, "g,none,text");
}

static void
test_refuses(void)
{
    g_autofree char *path = path_of("refuses.h5"), *none = path_of("none.h5");
    g_autoptr(GError) error = NULL;
    const float value = 1.0f;
    double numbers[3];
    BgH5Shape shape = { BG_H5_FLOAT32, 1, { 1 } };

    g_assert_null(bg_h5_open(none, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_null(bg_h5_open(folder, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_IS_DIRECTORY);
    g_clear_error(&error);

    g_autoptr(BgH5) out = bg_h5_create(path, TRUE, &error);
    g_assert_true(bg_h5_write(out, "/x", &shape, &value, NULL, NULL, &error));
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS)); // not before it is whole
    g_assert_true(bg_h5_set_string(out, "/x", "s", "text", &error));
    g_assert_true(bg_h5_commit(out, &error));

    g_assert_null(bg_h5_create(path, FALSE, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS);
    g_clear_error(&error);

    g_autoptr(BgH5) in = bg_h5_open(path, &error);
    g_assert_false(bg_h5_inspect(in, "/y", &shape, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_CORRUPT);
    g_clear_error(&error);
    g_assert_false(bg_h5_inspect(in, "/", &shape, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED);
    g_clear_error(&error);
    g_assert_false(bg_h5_get_doubles(in, "/x", "s", numbers, 3, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_CORRUPT);
    g_clear_error(&error);
    g_assert_null(bg_h5_get_string(in, "/x", "t", &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_CORRUPT);
}

static void
test_cancel_leaves_nothing(void)
{
    g_autofree char *path = path_of("cancelled.h5");
    g_autoptr(GError) error = NULL;
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    BgH5Shape shape = { BG_H5_UINT8, 2, { 1000, 1000 } };
    g_autofree guint8 *data = g_malloc0(1000000);

    BgH5 *out = bg_h5_create(path, TRUE, &error);
    g_cancellable_cancel(cancellable);
    g_assert_false(bg_h5_write(out, "/x", &shape, data, NULL, cancellable, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    bg_h5_free(out);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void
remove_folder(void)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = path_of(name);
        g_unlink(path);
    }
    g_dir_close(dir);
    g_assert_cmpint(g_rmdir(folder), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("bregma-h5-XXXXXX", NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(shapes); i++) {
        g_autofree char *name = g_strdup_printf("/h5/arrays/%s", shapes[i].name);
        g_test_add_data_func(name, &shapes[i], test_arrays);
    }
    g_test_add_func("/h5/converts", test_converts);
    g_test_add_func("/h5/attributes", test_attributes);
    g_test_add_func("/h5/refuses", test_refuses);
    g_test_add_func("/h5/cancel-leaves-nothing", test_cancel_leaves_nothing);
    int status = g_test_run();
    remove_folder();
    g_free(folder);
    return status;
}
