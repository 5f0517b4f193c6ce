// SPDX-License-Identifier: Apache-2.0
#include "bg-archive.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_BYTES (256u << 10)
#define HEAD_BYTES 4096u         // what a member is judged by
#define ALWAYS_BYTES (64u << 20) // that much is unpacked of any archive
#define MAX_RATIO 64u            // beyond it: voxels that pack better do not occur
#define MAX_WARNINGS 20u

typedef struct {
    struct archive *archive; // owned
    int fd;                  // owned
    guint64 size;            // of the archive's file
    guint64 unpacked;        // bytes so far, of all members
    const BgArchiveWish *wish;
    GPtrArray *members;  // of BgArchiveMember
    GPtrArray *warnings; // borrowed, nullable
    const BgProgress *progress;
    GCancellable *cancellable;
} Unpacking;

gboolean
bg_archive_sniff(const guint8 *bytes, gsize n_bytes, gboolean gzipped)
{
    static const guint8 zeros[1024];

    if (n_bytes >= 4 && (memcmp(bytes, "PK\3\4", 4) == 0 || memcmp(bytes, "PK\5\6", 4) == 0))
        return TRUE;
    if (n_bytes >= 262 && memcmp(bytes + 257, "ustar", 5) == 0)
        return TRUE;
    if (gzipped) // of one file; what core unpacks itself was not shown to us
        return n_bytes >= 132 && memcmp(bytes + 128, "DICM", 4) == 0;
    // ISO 9660 begins with 32 KiB that nothing is said about: zeros, unless one can start from it.
    return n_bytes >= sizeof zeros && memcmp(bytes, zeros, sizeof zeros) == 0;
}

static void
member_free(gpointer data)
{
    BgArchiveMember *member = data;

    if (member->fd >= 0)
        close(member->fd);
    g_free(member->name);
    g_free(member->path);
    g_free(member);
}

static void G_GNUC_PRINTF(2, 3) warn(Unpacking *self, const char *format, ...)
{
    va_list args;

    if (self->warnings == NULL || self->warnings->len >= MAX_WARNINGS)
        return;
    va_start(args, format);
    g_ptr_array_add(self->warnings, g_strdup_vprintf(format, args));
    va_end(args);
}

static gboolean
set_damaged(Unpacking *self, GError **error)
{
    const char *text = archive_error_string(self->archive);
    g_autofree char *valid = g_utf8_make_valid(text != NULL ? text : "?", -1);

    if (g_cancellable_set_error_if_cancelled(self->cancellable, error))
        return FALSE;
    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                _("the archive is damaged, or is none: %s. Get it again from where it came from"),
                valid);
    return FALSE;
}

static gboolean
set_encrypted(GError **error)
{
    g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                        _("the archive is encrypted. Unpack it with its password, and open the "
                          "folder"));
    return FALSE;
}

// A bomb is stopped while it unpacks, not after.
static gboolean
check_ratio(Unpacking *self, GError **error)
{
    if (self->unpacked <= ALWAYS_BYTES || self->unpacked / MAX_RATIO <= self->size)
        return TRUE;
    g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                _("the archive unpacks to more than %u times its size, as no images do. If you "
                  "trust it, unpack it and open the folder"),
                MAX_RATIO);
    return FALSE;
}

static gboolean
write_all(int fd, const guint8 *bytes, gsize n_bytes, GError **error)
{
    for (gsize done = 0; done < n_bytes;) {
        ssize_t n = write(fd, bytes + done, n_bytes - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            g_set_error(error, BG_ERROR, BG_ERROR_NO_MEMORY,
                        _("there is no room in memory to unpack it. Close other studies"));
            return FALSE;
        }
        done += (gsize) n;
    }
    return TRUE;
}

// Up to @n_bytes more of a member; -1 with @error.
static gssize
read_some(Unpacking *self, guint8 *bytes, gsize n_bytes, GError **error)
{
    la_ssize_t n = archive_read_data(self->archive, bytes, n_bytes);

    if (g_cancellable_set_error_if_cancelled(self->cancellable, error))
        return -1;
    if (n < 0) {
        const char *text = archive_error_string(self->archive);
        if (text != NULL && (strstr(text, "ncrypt") != NULL || strstr(text, "assphrase") != NULL))
            set_encrypted(error);
        else
            set_damaged(self, error);
        return -1;
    }
    self->unpacked += (guint64) n;
    return check_ratio(self, error) ? (gssize) n : -1;
}

static gboolean
read_head(Unpacking *self, guint8 head[HEAD_BYTES], gsize *n_head, GError **error)
{
    gssize n = 1;

    for (*n_head = 0; n > 0 && *n_head < HEAD_BYTES; *n_head += (gsize) n) {
        n = read_some(self, head + *n_head, HEAD_BYTES - *n_head, error);
        if (n < 0)
            return FALSE;
    }
    return TRUE;
}

static BgArchiveMember *
new_member(const char *name, guint index, GError **error)
{
    int fd = memfd_create("bregma-member", MFD_CLOEXEC);

    if (fd < 0) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("it has more files than can be open at once: %u so far. Unpack it and open "
                      "the folder"),
                    index);
        return NULL;
    }
    BgArchiveMember *member = g_new0(BgArchiveMember, 1);
    member->name = g_utf8_make_valid(name, -1);
    member->index = index;
    member->fd = fd;
    member->path = g_strdup_printf("/proc/self/fd/%d", fd);
    return member;
}

static gboolean
copy_member(Unpacking *self, const BgArchiveMember *member, const guint8 *head, gsize n_head,
            GError **error)
{
    g_autofree guint8 *block = g_malloc(BLOCK_BYTES);
    gssize n = 0;

    if (!write_all(member->fd, head, n_head, error))
        return FALSE;
    do {
        n = read_some(self, block, BLOCK_BYTES, error);
        if (n < 0 || !write_all(member->fd, block, (gsize) n, error))
            return FALSE;
        gint64 at = archive_filter_bytes(self->archive, -1);
        if (self->size > 0 && at >= 0)
            bg_progress_report(self->progress, MIN((double) at / (double) self->size, 1.0));
    } while (n > 0);
    return TRUE;
}

// Headers may lie: a link to a file, a size that does not fit, a name that leads out of every folder.
static gboolean
take_entry(Unpacking *self, struct archive_entry *entry, guint index, GError **error)
{
    const char *name = archive_entry_pathname_utf8(entry);
    if (name == NULL)
        name = archive_entry_pathname(entry);
    if (name == NULL)
        name = "?";
    if (archive_entry_is_encrypted(entry))
        return set_encrypted(error);
    if (archive_entry_filetype(entry) == AE_IFDIR)
        return TRUE;
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != NULL) {
        g_autofree char *shown = g_filename_display_name(name);
        warn(self, _("“%s” in the archive is a link or a device, and was left out"), shown);
        return TRUE;
    }
    if (self->wish->indices != NULL &&
        !g_hash_table_contains(self->wish->indices, GUINT_TO_POINTER(index)))
        return TRUE;

    guint8 head[HEAD_BYTES];
    gsize n_head;
    if (!read_head(self, head, &n_head, error))
        return FALSE;
    if (self->wish->wanted != NULL && !self->wish->wanted(head, n_head, self->wish->user_data)) {
        if (bg_archive_sniff(head, n_head, FALSE) && n_head >= 2 && head[0] != 0) {
            g_autofree char *shown = g_filename_display_name(name);
            warn(self, _("“%s” is an archive within the archive. To read it, unpack it first"),
                 shown);
        }
        return TRUE;
    }
    BgArchiveMember *member = new_member(name, index, error);
    if (member == NULL)
        return FALSE;
    g_ptr_array_add(self->members, member);
    return copy_member(self, member, head, n_head, error);
}

static gboolean
take_entries(Unpacking *self, GError **error)
{
    struct archive_entry *entry;
    int status;

    for (guint index = 0;; index++) {
        if (g_cancellable_set_error_if_cancelled(self->cancellable, error))
            return FALSE;
        status = archive_read_next_header(self->archive, &entry);
        if (status == ARCHIVE_EOF)
            return TRUE;
        if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
            return set_damaged(self, error);
        if (index >= BG_ARCHIVE_MAX_MEMBERS) {
            g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                        _("the archive has more than %u files. Unpack it and open a part"),
                        BG_ARCHIVE_MAX_MEMBERS);
            return FALSE;
        }
        if (!take_entry(self, entry, index, error))
            return FALSE;
    }
}

static gboolean
open_archive(Unpacking *self, const char *path, GError **error)
{
    struct stat status;

    self->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (self->fd < 0 || fstat(self->fd, &status) != 0) {
        int code = errno;
        g_set_error_literal(error, G_IO_ERROR, (int) g_io_error_from_errno(code), g_strerror(code));
        return FALSE;
    }
    self->size = (guint64) MAX(status.st_size, 0);
    self->archive = archive_read_new();
    archive_read_support_filter_gzip(self->archive);
    archive_read_support_format_zip(self->archive);
    archive_read_support_format_tar(self->archive);
    archive_read_support_format_iso9660(self->archive);
    archive_read_support_format_raw(self->archive); // a file that is packed by itself
    archive_read_set_options(self->archive, "hdrcharset=UTF-8");
    return archive_read_open_fd(self->archive, self->fd, BLOCK_BYTES) == ARCHIVE_OK ||
           set_damaged(self, error);
}

GPtrArray *
bg_archive_unpack(const char *path, const BgArchiveWish *wish, GPtrArray *warnings,
                  const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(path != NULL && wish != NULL, NULL);

    Unpacking self = { .fd = -1,
                       .wish = wish,
                       .members = g_ptr_array_new_with_free_func(member_free),
                       .warnings = warnings,
                       .progress = progress,
                       .cancellable = cancellable };
    gboolean ok = open_archive(&self, path, error) && take_entries(&self, error);

    // The raw format takes anything; as an archive it is one when something was packed.
    if (ok && archive_format(self.archive) == ARCHIVE_FORMAT_RAW &&
        archive_filter_count(self.archive) < 2) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("its content is of no format that bregma knows. Check that it is "
                              "the right file"));
        ok = FALSE;
    }
    if (self.archive != NULL)
        archive_read_free(self.archive);
    if (self.fd >= 0)
        close(self.fd);
    if (ok)
        return self.members;
    g_ptr_array_unref(self.members);
    return NULL;
}
