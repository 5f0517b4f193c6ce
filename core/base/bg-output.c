// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-output.h"

#include "core/base/bg-i18n.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct _BgOutput {
    char *path;
    char *temporary_path; // NULL once committed
    int fd;
    gboolean force;
};

static void
set_system_error(const char *path, int code, GError **error)
{
    g_autofree char *name = g_filename_display_name(path);

    g_set_error(error, G_IO_ERROR, (int) g_io_error_from_errno(code),
                // Translators: a file name, and the system's words
                _("“%s” cannot be written: %s"), name, g_strerror(code));
}

static gboolean
refuse_existing(const char *path, GError **error)
{
    g_autofree char *name = g_filename_display_name(path);

    g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                _("“%s” is there already. Choose another name, or allow it to be replaced"), name);
    return FALSE;
}

BgOutput *
bg_output_new(const char *path, gboolean force, GError **error)
{
    g_return_val_if_fail(path != NULL, NULL);

    if (!force && g_file_test(path, G_FILE_TEST_EXISTS)) {
        refuse_existing(path, error);
        return NULL;
    }
    if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
        set_system_error(path, EISDIR, error);
        return NULL;
    }

    // In the same folder, for a rename does not cross file systems. The suffix stays last, since
    // libraries go by it.
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *base = g_path_get_basename(path);
    g_autofree char *name = g_strdup_printf(".%08x-%s", g_random_int(), base);
    g_autofree char *temporary_path = g_build_filename(folder, name, NULL);

    int fd = g_open(temporary_path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0666);
    if (fd < 0) {
        set_system_error(path, errno, error);
        return NULL;
    }

    BgOutput *self = g_new0(BgOutput, 1);
    self->path = g_strdup(path);
    self->temporary_path = g_steal_pointer(&temporary_path);
    self->fd = fd;
    self->force = force;
    return self;
}

const char *
bg_output_get_temporary_path(const BgOutput *output)
{
    return output->temporary_path;
}

gboolean
bg_output_write(BgOutput *output, gconstpointer data, gsize n_bytes, GError **error)
{
    const guint8 *from = data;

    g_return_val_if_fail(output != NULL && output->fd >= 0, FALSE);

    while (n_bytes > 0) {
        gssize n = write(output->fd, from, MIN(n_bytes, 1u << 30));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            set_system_error(output->path, errno, error);
            return FALSE;
        }
        from += n;
        n_bytes -= (gsize) n;
    }
    return TRUE;
}

// So that the new name survives a power cut too. Some file systems cannot; that is no failure.
static void
sync_folder(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    int fd = g_open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY, 0);

    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

// link() fails where the name was taken meanwhile; rename() would replace it.
static int
put_in_place(const BgOutput *output)
{
    if (output->force)
        return g_rename(output->temporary_path, output->path);
    if (link(output->temporary_path, output->path) == 0)
        return g_unlink(output->temporary_path);
    if (errno == EEXIST)
        return -1;
    return g_rename(output->temporary_path, output->path); // a file system without hard links
}

gboolean
bg_output_commit(BgOutput *output, GError **error)
{
    g_return_val_if_fail(output != NULL && output->temporary_path != NULL, FALSE);

    // A library may have replaced the temporary file: sync what bears the name now.
    int fd = g_open(output->temporary_path, O_RDONLY | O_CLOEXEC, 0);
    gboolean synced = fd >= 0 && fsync(fd) == 0;
    int code = errno;
    if (fd >= 0)
        close(fd);
    if (!synced) {
        set_system_error(output->path, code, error);
        return FALSE;
    }

    if (put_in_place(output) != 0) {
        set_system_error(output->path, errno, error);
        return FALSE;
    }
    g_clear_pointer(&output->temporary_path, g_free);
    sync_folder(output->path);
    return TRUE;
}

void
bg_output_free(BgOutput *output)
{
    if (output == NULL)
        return;

    if (output->temporary_path != NULL)
        g_unlink(output->temporary_path);
    close(output->fd);
    g_free(output->temporary_path);
    g_free(output->path);
    g_free(output);
}

gboolean
bg_output_replace(const char *path, gboolean force, gconstpointer data, gsize n_bytes,
                  GError **error)
{
    g_autoptr(BgOutput) output = bg_output_new(path, force, error);

    return output != NULL && bg_output_write(output, data, n_bytes, error) &&
           bg_output_commit(output, error);
}
