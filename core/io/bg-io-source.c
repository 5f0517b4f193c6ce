// SPDX-License-Identifier: Apache-2.0
#include "bg-io-source.h"

#include "bg-io-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <isa-l/igzip_lib.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PACKED_BLOCK (256u << 10) // read from the disk at a time
#define STEP (1u << 20)           // between two looks at the cancellable: some 5 ms
#define DEFLATE_BEST 1032u        // no deflate stream grows by more (zlib's technical notes)
#define BEYOND 4096u              // how far to read behind the data for the checksum

struct _BgSource {
    GCancellable *cancellable; // owned, nullable
    guint64 position;
    guint64 limit;

    // A file
    int fd; // -1: none
    guint64 file_position;
    gboolean packed;
    gboolean gzip;
    gboolean at_member_end; // between two members: the end of the file is no error here
    gboolean ended;
    guint8 *block;                 // owned: packed bytes
    struct inflate_state *inflate; // owned

    // Memory
    GBytes *bytes; // owned, nullable

    // Somebody's function
    BgSourceRead read;
    gpointer user_data; // owned with destroy
    GDestroyNotify destroy;
};

gboolean
bg_io_set_cut_short(guint64 promised, guint64 there, GError **error)
{
    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                _("The file is cut short or its header is damaged: it promises %" G_GUINT64_FORMAT
                  " bytes and has %" G_GUINT64_FORMAT ". Get it again from where it came from"),
                promised, there);
    return FALSE;
}

static gboolean
set_packed_error(int code, GError **error)
{
    if (code == ISAL_INCORRECT_CHECKSUM)
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("The packed data are damaged: their checksum is wrong. Get the file "
                              "again from where it came from"));
    else
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("The packed data are damaged (inflate says %d). Get the file again from "
                      "where it came from"),
                    code);
    return FALSE;
}

static BgSource *
source_new(GCancellable *cancellable)
{
    BgSource *self = g_new0(BgSource, 1);

    self->fd = -1;
    self->limit = G_MAXUINT64;
    self->cancellable = cancellable != NULL ? g_object_ref(cancellable) : NULL;
    return self;
}

static gboolean
set_errno(int code, GError **error)
{
    g_set_error_literal(error, G_IO_ERROR, (int) g_io_error_from_errno(code), g_strerror(code));
    return FALSE;
}

static int
open_file(const char *path, guint64 *size, GError **error)
{
    struct stat status;
    // Without NONBLOCK, opening a pipe would wait for a writer.
    int fd = g_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);

    if (fd < 0 || fstat(fd, &status) != 0) {
        set_errno(errno, error);
    } else if (S_ISDIR(status.st_mode)) {
        set_errno(EISDIR, error);
    } else if (!S_ISREG(status.st_mode)) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE,
                            _("This is no ordinary file. Copy its content to a file first"));
    } else {
        *size = (guint64) status.st_size;
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

static gssize
read_at(int fd, guint8 *data, gsize n_bytes, guint64 offset, GError **error)
{
    gsize done = 0;

    while (done < n_bytes) {
        gssize n = pread(fd, data + done, n_bytes - done, (off_t) (offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            set_errno(errno, error);
            return -1;
        }
        if (n == 0)
            break;
        done += (gsize) n;
    }
    return (gssize) done;
}

static void
start_inflate(BgSource *self, BgSourceCoding coding)
{
    self->packed = TRUE;
    self->gzip = coding == BG_SOURCE_GZIP;
    self->block = g_malloc(PACKED_BLOCK);
    self->inflate = g_new(struct inflate_state, 1);
    isal_inflate_init(self->inflate);
    self->inflate->crc_flag = self->gzip ? ISAL_GZIP : ISAL_ZLIB;
}

BgSource *
bg_source_open(const char *path, guint64 offset, BgSourceCoding coding, GCancellable *cancellable,
               GError **error)
{
    guint64 size;
    int fd = open_file(path, &size, error);

    if (fd < 0)
        return NULL;

    g_autoptr(BgSource) self = source_new(cancellable);
    self->fd = fd;
    self->file_position = MIN(offset, size);
    self->limit = size - self->file_position;

    if (coding == BG_SOURCE_AUTO) {
        guint8 magic[3];
        gssize n = read_at(fd, magic, sizeof magic, self->file_position, error);
        if (n < 0)
            return NULL;
        coding = n == 3 && magic[0] == 0x1f && magic[1] == 0x8b && magic[2] == 8 ? BG_SOURCE_GZIP
                                                                                 : BG_SOURCE_PLAIN;
    }
    if (coding != BG_SOURCE_PLAIN) {
        start_inflate(self, coding);
        self->limit =
            self->limit > G_MAXUINT64 / DEFLATE_BEST ? G_MAXUINT64 : self->limit * DEFLATE_BEST;
    }
    return g_steal_pointer(&self);
}

BgSource *
bg_source_new_bytes(GBytes *bytes)
{
    BgSource *self = source_new(NULL);

    self->bytes = g_bytes_ref(bytes);
    self->limit = g_bytes_get_size(bytes);
    return self;
}

BgSource *
bg_source_new_custom(BgSourceRead read_func, guint64 limit, gpointer user_data,
                     GDestroyNotify destroy)
{
    BgSource *self = source_new(NULL);

    self->read = read_func;
    self->limit = limit;
    self->user_data = user_data;
    self->destroy = destroy;
    return self;
}

void
bg_source_free(BgSource *source)
{
    if (source == NULL)
        return;

    if (source->fd >= 0)
        close(source->fd);
    if (source->destroy != NULL)
        source->destroy(source->user_data);
    g_clear_object(&source->cancellable);
    g_clear_pointer(&source->bytes, g_bytes_unref);
    g_free(source->block);
    g_free(source->inflate);
    g_free(source);
}

gboolean
bg_source_is_gzipped(const BgSource *source)
{
    return source->packed && source->gzip;
}

guint64
bg_source_get_position(const BgSource *source)
{
    return source->position;
}

guint64
bg_source_get_limit(const BgSource *source)
{
    return source->limit;
}

// Fills the packed block when it is empty. FALSE only on an error; avail_in 0 is the end.
static gboolean
refill(BgSource *self, GError **error)
{
    if (self->inflate->avail_in > 0)
        return TRUE;

    gssize n = read_at(self->fd, self->block, PACKED_BLOCK, self->file_position, error);
    if (n < 0)
        return FALSE;
    self->file_position += (guint64) n;
    self->inflate->next_in = self->block;
    self->inflate->avail_in = (guint32) n;
    return TRUE;
}

// A gzip file may be several members in a row (RFC 1952, 2.2), and end in zeros (tapes). Anything
// else behind a member is not ours and is left alone, as gzip does.
static gboolean
start_next_member(BgSource *self, GError **error)
{
    struct inflate_state *inflate = self->inflate;

    if (!self->gzip) {
        self->ended = TRUE;
        return TRUE;
    }
    if (!refill(self, error))
        return FALSE;
    if (inflate->avail_in == 0 || inflate->next_in[0] != 0x1f) {
        self->ended = TRUE;
        return TRUE;
    }
    isal_inflate_reset(inflate);
    inflate->crc_flag = ISAL_GZIP;
    self->at_member_end = FALSE;
    return TRUE;
}

// Up to n_bytes, at most STEP. 0: the end.
static gssize
inflate_some(BgSource *self, guint8 *data, gsize n_bytes, GError **error)
{
    struct inflate_state *inflate = self->inflate;

    inflate->next_out = data;
    inflate->avail_out = (guint32) MIN(n_bytes, STEP);
    while (inflate->next_out == data && !self->ended) {
        if (self->at_member_end) {
            guint8 *next_out = inflate->next_out;
            guint32 avail_out = inflate->avail_out;
            if (!start_next_member(self, error))
                return -1;
            inflate->next_out = next_out;
            inflate->avail_out = avail_out;
            continue;
        }
        if (!refill(self, error))
            return -1;
        gboolean at_end = inflate->avail_in == 0;

        int code = isal_inflate(inflate);
        if (code < 0) {
            set_packed_error(code, error);
            return -1;
        }
        if (inflate->block_state == ISAL_BLOCK_FINISH) {
            self->at_member_end = TRUE;
        } else if (at_end && inflate->next_out == data) {
            g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                                _("The packed data are cut short. Get the file again from where "
                                  "it came from"));
            return -1;
        }
    }
    return inflate->next_out - data;
}

static gssize
read_step(BgSource *self, guint8 *data, gsize n_bytes, GError **error)
{
    if (self->read != NULL)
        return self->read(self->user_data, data, MIN(n_bytes, STEP), error);

    if (self->bytes != NULL) {
        gsize n = MIN(n_bytes, self->limit - self->position);
        memcpy(data, (const guint8 *) g_bytes_get_data(self->bytes, NULL) + self->position, n);
        return (gssize) n;
    }
    if (self->packed)
        return inflate_some(self, data, n_bytes, error);

    gssize n = read_at(self->fd, data, MIN(n_bytes, STEP), self->file_position, error);
    self->file_position += n > 0 ? (guint64) n : 0;
    return n;
}

gssize
bg_source_read_some(BgSource *source, gpointer data, gsize n_bytes, GError **error)
{
    gsize done = 0;

    while (done < n_bytes) {
        if (g_cancellable_set_error_if_cancelled(source->cancellable, error))
            return -1;
        gssize n = read_step(source, (guint8 *) data + done, n_bytes - done, error);
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (gsize) n;
        source->position += (guint64) n;
    }
    return (gssize) done;
}

gboolean
bg_source_read(BgSource *source, gpointer data, gsize n_bytes, GError **error)
{
    guint64 start = source->position;
    gssize n = bg_source_read_some(source, data, n_bytes, error);

    if (n < 0)
        return FALSE;
    if ((gsize) n < n_bytes)
        return bg_io_set_cut_short(start + n_bytes, start + (guint64) n, error);
    return TRUE;
}

typedef struct {
    int fd;
    guint8 *data;
    guint64 offset;
    gsize n_bytes;
    atomic_int failed; // errno, or -1 where the file was shorter than it said
} ParallelRead;

static void
read_part(gsize first, gsize last, guint worker, gpointer user_data)
{
    ParallelRead *job = user_data;

    for (gsize i = first; i < last; i++) {
        gsize from = i * STEP, n_bytes = MIN(STEP, job->n_bytes - from);
        gssize n = read_at(job->fd, job->data + from, n_bytes, job->offset + from, NULL);
        if (n < 0)
            atomic_store(&job->failed, errno);
        else if ((gsize) n < n_bytes)
            atomic_store(&job->failed, -1);
    }
}

gboolean
bg_source_read_parallel(BgSource *source, gpointer data, gsize n_bytes, GError **error)
{
    gboolean plain = source->fd >= 0 && !source->packed;

    if (!plain || n_bytes < 4 * STEP || source->limit - source->position < n_bytes)
        return bg_source_read(source, data, n_bytes, error);

    ParallelRead job = {
        .fd = source->fd, .data = data, .offset = source->file_position, .n_bytes = n_bytes
    };
    if (!bg_parallel_for((n_bytes + STEP - 1) / STEP, 2, read_part, &job, source->cancellable)) {
        g_cancellable_set_error_if_cancelled(source->cancellable, error);
        return FALSE;
    }
    int failed = atomic_load(&job.failed);
    if (failed > 0)
        return set_errno(failed, error);
    if (failed < 0)
        return bg_io_set_cut_short(source->limit, source->position, error);
    source->position += n_bytes;
    source->file_position += n_bytes;
    return TRUE;
}

gboolean
bg_source_skip(BgSource *source, guint64 n_bytes, GError **error)
{
    if (source->fd >= 0 && !source->packed) {
        if (source->limit - source->position < n_bytes)
            return bg_io_set_cut_short(source->position + n_bytes, source->limit, error);
        source->position += n_bytes;
        source->file_position += n_bytes;
        return TRUE;
    }

    if (source->limit < source->position || n_bytes > source->limit - source->position)
        return bg_io_set_cut_short(n_bytes, source->limit, error);
    g_autofree guint8 *scratch = g_malloc(MIN(n_bytes, STEP) + 1);
    while (n_bytes > 0) {
        gsize n = (gsize) MIN(n_bytes, STEP);
        if (!bg_source_read(source, scratch, n, error))
            return FALSE;
        n_bytes -= n;
    }
    return TRUE;
}

gboolean
bg_source_finish(BgSource *source, gsize *n_left, GError **error)
{
    guint8 scratch[BEYOND];
    gssize n = bg_source_read_some(source, scratch, sizeof scratch, error);

    if (n < 0)
        return FALSE;
    *n_left = (gsize) n;
    return TRUE;
}

typedef struct {
    GPtrArray *paths; // owned
    guint64 offset, each, left;
    guint next;
    BgSourceCoding coding;
    GCancellable *cancellable; // owned, nullable
    BgSource *current;         // owned, nullable
} Chain;

static void
chain_free(gpointer data)
{
    Chain *chain = data;

    g_ptr_array_unref(chain->paths);
    g_clear_object(&chain->cancellable);
    bg_source_free(chain->current);
    g_free(chain);
}

static gssize
chain_read(gpointer user_data, guint8 *data, gsize n_bytes, GError **error)
{
    Chain *chain = user_data;

    if (chain->current == NULL || chain->left == 0) {
        g_clear_pointer(&chain->current, bg_source_free);
        if (chain->next == chain->paths->len)
            return 0;
        const char *path = g_ptr_array_index(chain->paths, chain->next++);
        chain->current =
            bg_source_open(path, chain->offset, chain->coding, chain->cancellable, error);
        if (chain->current == NULL) {
            g_autofree char *shown = g_filename_display_basename(path);
            g_prefix_error(error, "“%s”: ", shown);
            return -1;
        }
        chain->left = chain->each;
    }
    gsize wanted = (gsize) MIN(n_bytes, chain->left);
    if (!bg_source_read(chain->current, data, wanted, error))
        return -1;
    chain->left -= wanted;
    return (gssize) wanted;
}

BgSource *
bg_source_new_chain(GPtrArray *paths, guint64 offset, guint64 each, BgSourceCoding coding,
                    GCancellable *cancellable, GError **error)
{
    guint64 limit = 0;

    for (guint i = 0; i < paths->len; i++) {
        const char *path = g_ptr_array_index(paths, i);
        g_autoptr(BgSource) source = bg_source_open(path, offset, coding, cancellable, error);
        if (source == NULL) {
            g_autofree char *shown = g_filename_display_basename(path);
            g_prefix_error(error, "“%s”: ", shown);
            return NULL;
        }
        limit += MIN(each, bg_source_get_limit(source));
    }

    Chain *chain = g_new0(Chain, 1);
    chain->paths = g_ptr_array_ref(paths);
    chain->offset = offset;
    chain->each = each;
    chain->coding = coding;
    chain->cancellable = cancellable != NULL ? g_object_ref(cancellable) : NULL;
    return bg_source_new_custom(chain_read, limit, chain, chain_free);
}
