// SPDX-License-Identifier: Apache-2.0
// A checksum behind an HDF5 file: the library's reader trusts lengths and offsets that it finds,
// so damage has to be noticed before.
#include "bg-h5-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-hash.h"
#include "core/base/bg-i18n.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#define MARK "BGSEAL1\n"
#define MARK_BYTES 8
#define HASH_BYTES 64 // hex digits
#define SEAL_BYTES (MARK_BYTES + HASH_BYTES)
#define HEAD_BYTES 64

static gboolean
set_system_error(int code, GError **error)
{
    g_set_error_literal(error, G_IO_ERROR, (int) g_io_error_from_errno(code), g_strerror(code));
    return FALSE;
}

static gboolean
append_seal(const char *path, GError **error)
{
    g_autofree char *hash = bg_hash_file(path, NULL, NULL, error);
    if (hash == NULL)
        return FALSE;

    FILE *file = g_fopen(path, "abe");
    if (file == NULL)
        return set_system_error(errno, error);
    gboolean done =
        fwrite(MARK, MARK_BYTES, 1, file) == 1 && fwrite(hash, HASH_BYTES, 1, file) == 1;
    int code = errno;
    if (fclose(file) != 0 && done) {
        done = FALSE;
        code = errno;
    }
    return done || set_system_error(code, error);
}

gboolean
bg_h5_commit_sealed(BgH5 *h5, GError **error)
{
    g_return_val_if_fail(h5 != NULL && h5->output != NULL && h5->file >= 0, FALSE);

    bg_h5_lock();
    herr_t status = H5Fclose(h5->file);
    h5->file = -1;
    gboolean ok = status >= 0 || bg_h5_fail(h5, "/", error);
    bg_h5_unlock();
    return ok && append_seal(bg_output_get_temporary_path(h5->output), error) &&
           bg_output_commit(h5->output, error);
}

static guint64
read_uint64(const guint8 *at)
{
    guint64 value;

    memcpy(&value, at, sizeof value);
    return GUINT64_FROM_LE(value);
}

// The end of the file as its superblock gives it; 0 when there is none. HDF5 File Format
// Specification 3.0, section II.A: "End of File Address", with offsets of 8 bytes.
static guint64
end_of_data(const guint8 *head)
{
    static const guint8 signature[8] = { 0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n' };

    if (memcmp(head, signature, sizeof signature) != 0)
        return 0;
    switch (head[8]) {
    case 0:
        return head[13] == 8 ? read_uint64(head + 40) : 0;
    case 2:
    case 3:
        return head[9] == 8 ? read_uint64(head + 28) : 0;
    default:
        return 0;
    }
}

static gboolean
refuse(GError **error)
{
    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                _("It is damaged: its content does not fit its checksum or its length. Open an "
                  "older copy of it"));
    return FALSE;
}

// What both ends of a file say.
typedef struct {
    guint64 end; // of HDF5's data
    gboolean has_seal;
    char seal[SEAL_BYTES];
} Ends;

// FALSE without error: no HDF5, or its length does not fit.
static gboolean
read_ends(FILE *file, Ends *ends)
{
    guint8 head[HEAD_BYTES];

    if (fread(head, sizeof head, 1, file) != 1 || fseeko(file, 0, SEEK_END) != 0)
        return FALSE;
    guint64 length = (guint64) ftello(file);
    ends->end = end_of_data(head);
    ends->has_seal = ends->end >= HEAD_BYTES && length - ends->end == SEAL_BYTES;
    if (!ends->has_seal)
        return ends->end >= HEAD_BYTES && length == ends->end;
    return fseeko(file, (off_t) ends->end, SEEK_SET) == 0 &&
           fread(ends->seal, sizeof ends->seal, 1, file) == 1;
}

gboolean
bg_h5_has_seal(const char *path)
{
    g_return_val_if_fail(path != NULL, FALSE);

    Ends ends = { 0 };
    FILE *file = g_fopen(path, "rbe");
    if (file == NULL)
        return FALSE;
    gboolean fits = read_ends(file, &ends);
    fclose(file);
    return fits && ends.has_seal && memcmp(ends.seal, MARK, MARK_BYTES) == 0;
}

static gboolean
check_seal(const char *path, GCancellable *cancellable, GError **error)
{
    Ends ends = { 0 };
    FILE *file = g_fopen(path, "rbe");
    if (file == NULL)
        return set_system_error(errno, error);
    gboolean fits = read_ends(file, &ends);
    fclose(file);
    if (!fits)
        return refuse(error);
    if (!ends.has_seal)
        return TRUE;

    g_autofree char *hash = bg_hash_file_start(path, ends.end, NULL, cancellable, error);
    if (hash == NULL)
        return FALSE;
    return (memcmp(ends.seal, MARK, MARK_BYTES) == 0 &&
            memcmp(ends.seal + MARK_BYTES, hash, HASH_BYTES) == 0) ||
           refuse(error);
}

BgH5 *
bg_h5_open_sealed(const char *path, GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(path != NULL, NULL);

    return check_seal(path, cancellable, error) ? bg_h5_open(path, error) : NULL;
}
