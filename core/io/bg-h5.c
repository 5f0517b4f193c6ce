// SPDX-License-Identifier: Apache-2.0
#include "bg-h5-private.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_NAMES 65536
#define MAX_NUMBERS 4096 // in one attribute
#define MAX_WORDS 200    // bytes of the library's own words in a message

static GRecMutex lock;

void
bg_h5_lock(void)
{
    static gsize prepared;

    g_rec_mutex_lock(&lock);
    if (g_once_init_enter(&prepared)) {
        // Where a disk is full, the library writes once more when the program ends, into freed memory.
        H5dont_atexit();
        H5open();
        H5PLset_loading_state(0); // no code from a folder that a file's filter number names
        g_once_init_leave(&prepared, 1);
    }
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); // is per thread, and would print to stderr
    H5Eclear2(H5E_DEFAULT);
}

void
bg_h5_unlock(void)
{
    g_rec_mutex_unlock(&lock);
}

static herr_t
on_error_entry(unsigned n, const H5E_error2_t *entry, void *user_data)
{
    const char **words = user_data;

    if (*words == NULL && entry->desc != NULL)
        *words = entry->desc;
    return 0;
}

// The library tells of a full disk as "time = ..., errno = 28, error message = '...', buf = ...".
static const char *
own_words(const char *words)
{
    const char *number = strstr(words, "errno = ");
    gint64 code = number != NULL ? g_ascii_strtoll(number + strlen("errno = "), NULL, 10) : 0;

    return code > 0 && code < G_MAXINT ? g_strerror((int) code) : words;
}

gboolean
bg_h5_fail(const BgH5 *h5, const char *path, GError **error)
{
    const char *words = NULL;

    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, on_error_entry, &words); // the innermost says most
    words = words != NULL ? own_words(words) : "-";
    if (h5->output != NULL)
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    // Translators: the name of a part of a file, and the HDF5 library's own words
                    _("“%s” cannot be written. Is there room on the disk?: %.*s"), path, MAX_WORDS,
                    words);
    else
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("“%s” cannot be read from the HDF5 file. Get it again from where it came "
                      "from: %.*s"),
                    path, MAX_WORDS, words);
    return FALSE;
}

static gboolean
check_regular(const char *path, GError **error)
{
    struct stat status;

    if (g_stat(path, &status) != 0) {
        g_set_error_literal(error, G_IO_ERROR, (int) g_io_error_from_errno(errno),
                            g_strerror(errno));
        return FALSE;
    }
    if (!S_ISREG(status.st_mode)) {
        g_set_error_literal(error, G_IO_ERROR,
                            S_ISDIR(status.st_mode) ? G_IO_ERROR_IS_DIRECTORY
                                                    : G_IO_ERROR_NOT_REGULAR_FILE,
                            _("This is no ordinary file. Choose a file"));
        return FALSE;
    }
    if (g_access(path, R_OK) != 0) {
        g_set_error_literal(error, G_IO_ERROR, (int) g_io_error_from_errno(errno),
                            g_strerror(errno));
        return FALSE;
    }
    return TRUE;
}

BgH5 *
bg_h5_open(const char *path, GError **error)
{
    g_return_val_if_fail(path != NULL, NULL);

    if (!check_regular(path, error))
        return NULL;

    g_autoptr(BgH5) self = g_new0(BgH5, 1);
    bg_h5_lock();
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_file_locking(access, FALSE, TRUE); // a study may lie on a disk that knows no locks
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
    self->file = H5Fopen(path, H5F_ACC_RDONLY, access);
    H5Pclose(access);
    gboolean ok = self->file >= 0 || bg_h5_fail(self, "/", error);
    bg_h5_unlock();
    return ok ? g_steal_pointer(&self) : NULL;
}

BgH5 *
bg_h5_create(const char *path, gboolean force, GError **error)
{
    g_return_val_if_fail(path != NULL, NULL);

    g_autoptr(BgH5) self = g_new0(BgH5, 1);
    self->file = -1;
    self->output = bg_output_new(path, force, error);
    if (self->output == NULL)
        return NULL;

    bg_h5_lock();
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), creation = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_file_locking(access, FALSE, TRUE);
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
    H5Pset_obj_track_times(creation, FALSE); // the same content, the same bytes
    self->file =
        H5Fcreate(bg_output_get_temporary_path(self->output), H5F_ACC_TRUNC, creation, access);
    H5Pclose(access);
    H5Pclose(creation);
    gboolean ok = self->file >= 0 || bg_h5_fail(self, "/", error);
    bg_h5_unlock();
    return ok ? g_steal_pointer(&self) : NULL;
}

gboolean
bg_h5_commit(BgH5 *h5, GError **error)
{
    g_return_val_if_fail(h5 != NULL && h5->output != NULL && h5->file >= 0, FALSE);

    bg_h5_lock();
    herr_t status = H5Fclose(h5->file);
    h5->file = -1;
    gboolean ok = status >= 0 || bg_h5_fail(h5, "/", error);
    bg_h5_unlock();
    return ok && bg_output_commit(h5->output, error);
}

void
bg_h5_free(BgH5 *h5)
{
    if (h5 == NULL)
        return;
    if (h5->file >= 0) {
        bg_h5_lock();
        H5Fclose(h5->file);
        bg_h5_unlock();
    }
    bg_output_free(h5->output);
    g_free(h5);
}

static hid_t
step_into(BgH5 *h5, hid_t group, const char *name, const char *path, GError **error)
{
    H5L_info_t info;

    if (H5Lget_info(group, name, &info, H5P_DEFAULT) < 0) {
        bg_h5_fail(h5, path, error);
        return -1;
    }
    if (info.type != H5L_TYPE_HARD) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("“%s” of the HDF5 file is a link. Copy it into the file first"), path);
        return -1;
    }
    hid_t object = H5Oopen(group, name, H5P_DEFAULT);
    if (object < 0)
        bg_h5_fail(h5, path, error);
    return object;
}

hid_t
bg_h5_open_object(BgH5 *h5, const char *path, GError **error)
{
    g_auto(GStrv) names = g_strsplit(path, "/", -1);
    hid_t object = H5Oopen(h5->file, "/", H5P_DEFAULT);

    if (object < 0)
        bg_h5_fail(h5, path, error);
    for (gsize i = 0; object >= 0 && names[i] != NULL; i++) {
        if (names[i][0] == '\0')
            continue;
        hid_t next = step_into(h5, object, names[i], path, error);
        H5Oclose(object);
        object = next;
    }
    return object;
}

gboolean
bg_h5_has(BgH5 *h5, const char *path)
{
    bg_h5_lock();
    hid_t object = bg_h5_open_object(h5, path, NULL);
    if (object >= 0)
        H5Oclose(object);
    bg_h5_unlock();
    return object >= 0;
}

static herr_t
on_name(hid_t group, const char *name, const H5L_info_t *info, void *user_data)
{
    GPtrArray *names = user_data;

    if (names->len == MAX_NAMES)
        return -1;
    g_ptr_array_add(names, g_strdup(name));
    return 0;
}

GStrv
bg_h5_list(BgH5 *h5, const char *path, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    bg_h5_lock();
    hid_t object = bg_h5_open_object(h5, path, error);
    gboolean ok = object >= 0;
    if (ok && H5Literate(object, H5_INDEX_NAME, H5_ITER_INC, NULL, on_name, names) < 0)
        ok = bg_h5_fail(h5, path, error);
    if (object >= 0)
        H5Oclose(object);
    bg_h5_unlock();
    if (!ok)
        return NULL;
    g_ptr_array_add(names, NULL);
    return (GStrv) g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

gboolean
bg_h5_create_group(BgH5 *h5, const char *path, GError **error)
{
    g_return_val_if_fail(h5 != NULL && h5->output != NULL, FALSE);

    bg_h5_lock();
    hid_t links = H5Pcreate(H5P_LINK_CREATE), creation = H5Pcreate(H5P_GROUP_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    H5Pset_obj_track_times(creation, FALSE);
    hid_t group = H5Gcreate2(h5->file, path, links, creation, H5P_DEFAULT);
    gboolean ok = group >= 0 || bg_h5_fail(h5, path, error);
    if (group >= 0)
        H5Gclose(group);
    H5Pclose(links);
    H5Pclose(creation);
    bg_h5_unlock();
    return ok;
}

gboolean
bg_h5_has_attribute(BgH5 *h5, const char *path, const char *name)
{
    bg_h5_lock();
    hid_t object = bg_h5_open_object(h5, path, NULL);
    gboolean has = object >= 0 && H5Aexists(object, name) > 0;
    if (object >= 0)
        H5Oclose(object);
    bg_h5_unlock();
    return has;
}

// Writes one attribute, in place of one that is there. @type and @space stay the caller's.
static gboolean
set_attribute(BgH5 *h5, const char *path, const char *name, hid_t type, hid_t space,
              gconstpointer data, GError **error)
{
    hid_t object = bg_h5_open_object(h5, path, error);

    if (object < 0)
        return FALSE;
    if (H5Aexists(object, name) > 0)
        H5Adelete(object, name);
    hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    gboolean ok = attribute >= 0 && H5Awrite(attribute, type, data) >= 0;
    if (!ok)
        bg_h5_fail(h5, path, error);
    if (attribute >= 0)
        H5Aclose(attribute);
    H5Oclose(object);
    return ok;
}

// Of variable length: these lie outside of the object's header, which holds 64 KiB at most.
static hid_t
new_string_type(void)
{
    hid_t type = H5Tcopy(H5T_C_S1);

    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

gboolean
bg_h5_set_string(BgH5 *h5, const char *path, const char *name, const char *value, GError **error)
{
    g_return_val_if_fail(h5 != NULL && h5->output != NULL && value != NULL, FALSE);

    bg_h5_lock();
    hid_t type = new_string_type(), space = H5Screate(H5S_SCALAR);
    gboolean ok = set_attribute(h5, path, name, type, space, &value, error);
    H5Sclose(space);
    H5Tclose(type);
    bg_h5_unlock();
    return ok;
}

gboolean
bg_h5_set_doubles(BgH5 *h5, const char *path, const char *name, const double *values, gsize n,
                  GError **error)
{
    g_return_val_if_fail(h5 != NULL && h5->output != NULL, FALSE);
    g_return_val_if_fail(n >= 1 && n <= MAX_NUMBERS, FALSE);

    bg_h5_lock();
    hid_t space = n == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &(hsize_t){ n }, NULL);
    gboolean ok = set_attribute(h5, path, name, H5T_NATIVE_DOUBLE, space, values, error);
    H5Sclose(space);
    bg_h5_unlock();
    return ok;
}

gboolean
bg_h5_set_matrix(BgH5 *h5, const char *path, const char *name, const double *values, gsize n_rows,
                 gsize n_columns, GError **error)
{
    const hsize_t dims[2] = { n_rows, n_columns };

    g_return_val_if_fail(h5 != NULL && h5->output != NULL, FALSE);
    g_return_val_if_fail(n_rows >= 1 && n_columns >= 1 && n_rows * n_columns <= MAX_NUMBERS, FALSE);

    bg_h5_lock();
    hid_t space = H5Screate_simple(2, dims, NULL);
    gboolean ok = set_attribute(h5, path, name, H5T_NATIVE_DOUBLE, space, values, error);
    H5Sclose(space);
    bg_h5_unlock();
    return ok;
}

gboolean
bg_h5_set_integer(BgH5 *h5, const char *path, const char *name, gint64 value, GError **error)
{
    g_return_val_if_fail(h5 != NULL && h5->output != NULL, FALSE);

    bg_h5_lock();
    hid_t space = H5Screate(H5S_SCALAR);
    gboolean ok = set_attribute(h5, path, name, H5T_NATIVE_INT64, space, &value, error);
    H5Sclose(space);
    bg_h5_unlock();
    return ok;
}

gboolean
bg_h5_set_fixed_string(BgH5 *h5, const char *path, const char *name, const char *value,
                       GError **error)
{
    g_return_val_if_fail(h5 != NULL && h5->output != NULL && value != NULL, FALSE);

    bg_h5_lock();
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, strlen(value) + 1);
    gboolean ok = set_attribute(h5, path, name, type, space, value, error);
    H5Sclose(space);
    H5Tclose(type);
    bg_h5_unlock();
    return ok;
}

gboolean
bg_h5_set_int32(BgH5 *h5, const char *path, const char *name, gint32 value, GError **error)
{
    g_return_val_if_fail(h5 != NULL && h5->output != NULL, FALSE);

    bg_h5_lock();
    hid_t space = H5Screate(H5S_SCALAR);
    gboolean ok = set_attribute(h5, path, name, H5T_NATIVE_INT32, space, &value, error);
    H5Sclose(space);
    bg_h5_unlock();
    return ok;
}

// An attribute that is open, with its type.
typedef struct {
    hid_t object, attribute, type;
    H5T_class_t kind;
    hssize_t n;
} OpenAttribute;

static void
close_attribute(OpenAttribute *open)
{
    if (open->type >= 0)
        H5Tclose(open->type);
    if (open->attribute >= 0)
        H5Aclose(open->attribute);
    if (open->object >= 0)
        H5Oclose(open->object);
}

static gboolean
open_attribute(BgH5 *h5, const char *path, const char *name, OpenAttribute *open, GError **error)
{
    *open = (OpenAttribute){ .attribute = -1, .type = -1 };
    open->object = bg_h5_open_object(h5, path, error);
    if (open->object < 0)
        return FALSE;
    open->attribute = H5Aopen(open->object, name, H5P_DEFAULT);
    open->type = open->attribute < 0 ? -1 : H5Aget_type(open->attribute);
    hid_t space = open->attribute < 0 ? -1 : H5Aget_space(open->attribute);
    if (open->type >= 0 && space >= 0) {
        open->kind = H5Tget_class(open->type);
        open->n = H5Sget_simple_extent_npoints(space);
    }
    if (space >= 0)
        H5Sclose(space);
    if (open->type >= 0 && space >= 0)
        return TRUE;
    g_autofree char *place = g_strdup_printf("%s@%s", path, name);
    return bg_h5_fail(h5, place, error);
}

static gboolean
refuse_attribute(const char *path, const char *name, GError **error)
{
    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                // Translators: names of an attribute and of the part of the file that has it
                _("The attribute “%s” of “%s” in the HDF5 file is of another kind than expected"),
                name, path);
    return FALSE;
}

static char *
read_variable_string(const OpenAttribute *open)
{
    hid_t type = new_string_type();
    char *text = NULL, *copy = NULL;

    H5Tset_cset(type, H5Tget_cset(open->type));
    if (H5Aread(open->attribute, type, &text) >= 0 && text != NULL)
        copy = g_utf8_make_valid(text, -1);
    H5free_memory(text);
    H5Tclose(type);
    return copy;
}

static char *
read_fixed_string(const OpenAttribute *open)
{
    gsize n_bytes = H5Tget_size(open->type);

    if (n_bytes == 0 || n_bytes > MIN(BG_H5_MAX_TEXT, H5Aget_storage_size(open->attribute)))
        return NULL;
    g_autofree char *text = g_try_malloc0(n_bytes + 1);
    if (text == NULL || H5Aread(open->attribute, open->type, text) < 0)
        return NULL;
    return g_utf8_make_valid(text, -1);
}

char *
bg_h5_get_string(BgH5 *h5, const char *path, const char *name, GError **error)
{
    OpenAttribute open;
    char *text = NULL;

    bg_h5_lock();
    if (open_attribute(h5, path, name, &open, error)) {
        if (open.kind == H5T_STRING && open.n == 1)
            text = H5Tis_variable_str(open.type) > 0 ? read_variable_string(&open)
                                                     : read_fixed_string(&open);
        if (text == NULL)
            refuse_attribute(path, name, error);
    }
    close_attribute(&open);
    bg_h5_unlock();
    return text;
}

static gboolean
read_numbers(BgH5 *h5, const char *path, const char *name, hid_t type, gpointer values, gsize n,
             GError **error)
{
    OpenAttribute open;

    bg_h5_lock();
    gboolean ok = open_attribute(h5, path, name, &open, error);
    if (ok) {
        ok = (open.kind == H5T_INTEGER || open.kind == H5T_FLOAT) && open.n == (hssize_t) n &&
             H5Tget_size(open.type) <= 16 && H5Aread(open.attribute, type, values) >= 0;
        if (!ok)
            refuse_attribute(path, name, error);
    }
    close_attribute(&open);
    bg_h5_unlock();
    return ok;
}

gboolean
bg_h5_get_doubles(BgH5 *h5, const char *path, const char *name, double *values, gsize n,
                  GError **error)
{
    g_return_val_if_fail(n >= 1 && n <= MAX_NUMBERS, FALSE);

    g_autofree double *read = g_new(double, n);
    if (!read_numbers(h5, path, name, H5T_NATIVE_DOUBLE, read, n, error))
        return FALSE;
    memcpy(values, read, n * sizeof *values);
    return TRUE;
}

gboolean
bg_h5_get_integer(BgH5 *h5, const char *path, const char *name, gint64 *value, GError **error)
{
    gint64 read;

    if (!read_numbers(h5, path, name, H5T_NATIVE_INT64, &read, 1, error))
        return FALSE;
    *value = read;
    return TRUE;
}
