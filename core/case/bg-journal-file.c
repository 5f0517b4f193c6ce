// SPDX-License-Identifier: Apache-2.0
#include "bg-journal-private.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define SOON_US (250 * 1000)         // between two writes of what changes continuously
#define SYNC_US (1 * G_USEC_PER_SEC) // from a write to the flush to the disk: 2 s are promised
#define MAX_RECORD (256u << 20)      // a length beyond it is damage
#define HEADER 16 // kind, three zeros, length, checksum; keeps what follows aligned

// The byte order is part of the mark: a journal is read where it was written.
#if G_BYTE_ORDER == G_LITTLE_ENDIAN
#define MARK "BGJRNL1l"
#else
#define MARK "BGJRNL1b"
#endif
#define MARK_LENGTH 8

struct _BgJournal {
    char *path;
    int fd;

    GThread *thread;
    GMutex mutex; // guards what follows
    GCond cond;
    GPtrArray *waiting;   // of BgCommand: the last of each that changes continuously
    gint64 waiting_until; // monotonic time at which they are written; 0: none waits
    gint64 last_soon;     // when such a one was written last
    gint64 sync_at;       // monotonic time of the next flush to the disk; 0: all is there
    gboolean closing;
    char *problem;
};

// The first 8 bytes of SHA-256 over kind, length and data.
static guint64
checksum(const guint8 *head, gconstpointer data, gsize length)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    guint8 digest[32];
    gsize n = sizeof digest;
    guint64 value;

    g_checksum_update(sum, head, 8);
    g_checksum_update(sum, data, (gssize) length);
    g_checksum_get_digest(sum, digest, &n);
    memcpy(&value, digest, sizeof value);
    return value;
}

// With the mutex held.
static void
write_all(BgJournal *self, const guint8 *data, gsize length)
{
    while (length > 0 && self->problem == NULL) {
        gssize n = write(self->fd, data, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            self->problem = g_strdup_printf(
                _("What is done is not kept for a crash any more: “%s” cannot be written: %s. Save "
                  "the case, and make room on the disk"),
                self->path, g_strerror(errno));
            g_warning("%s", self->problem);
            return;
        }
        data += n;
        length -= (gsize) n;
    }
}

// With the mutex held. One write() a record, so that the death of the program cannot cut it.
static void
write_record(BgJournal *self, BgRecordKind kind, GVariant *args)
{
    gsize length = g_variant_get_size(args);
    g_autofree guint8 *record = g_malloc0(HEADER + length);
    guint32 length32 = (guint32) length;

    if (length > MAX_RECORD) {
        g_warning("A step of %zu bytes is too large for the journal", length);
        return;
    }
    record[0] = (guint8) kind;
    memcpy(record + 4, &length32, 4);
    g_variant_store(args, record + HEADER);
    guint64 sum = checksum(record, record + HEADER, length);
    memcpy(record + 8, &sum, 8);
    write_all(self, record, HEADER + length);
    if (self->sync_at == 0) {
        self->sync_at = g_get_monotonic_time() + SYNC_US;
        g_cond_broadcast(&self->cond);
    }
}

// With the mutex held.
static void
write_waiting(BgJournal *self)
{
    GVariantBuilder commands;

    self->waiting_until = 0;
    if (self->waiting->len == 0)
        return;
    g_variant_builder_init(&commands, G_VARIANT_TYPE("a(sv)"));
    for (guint i = 0; i < self->waiting->len; i++) {
        const BgCommand *command = g_ptr_array_index(self->waiting, i);
        g_variant_builder_add(&commands, "(sv)", command->kind->name, command->args);
    }
    g_ptr_array_set_size(self->waiting, 0);
    self->last_soon = g_get_monotonic_time();

    g_autoptr(GVariant) args = g_variant_ref_sink(
        g_variant_new("(xa(sv))", g_get_real_time() / G_USEC_PER_SEC, &commands));
    write_record(self, BG_RECORD_COMMANDS, args);
}

// With the mutex held, which is let go during the flush.
static void
sync_file(BgJournal *self)
{
    self->sync_at = 0;
    g_mutex_unlock(&self->mutex);
    fdatasync(self->fd);
    g_mutex_lock(&self->mutex);
    g_cond_broadcast(&self->cond);
}

static gpointer
run(gpointer data)
{
    BgJournal *self = data;

    g_mutex_lock(&self->mutex);
    while (!self->closing) {
        gint64 now = g_get_monotonic_time();
        gint64 next = G_MAXINT64;

        if (self->waiting_until != 0 && now >= self->waiting_until)
            write_waiting(self);
        if (self->sync_at != 0 && now >= self->sync_at)
            sync_file(self);
        if (self->waiting_until != 0)
            next = MIN(next, self->waiting_until);
        if (self->sync_at != 0)
            next = MIN(next, self->sync_at);
        if (self->closing)
            break;
        if (next == G_MAXINT64)
            g_cond_wait(&self->cond, &self->mutex);
        else
            g_cond_wait_until(&self->cond, &self->mutex, next);
    }
    g_mutex_unlock(&self->mutex);
    return NULL;
}

static void
free_waiting(gpointer command)
{
    bg_command_unref(command);
}

char *
bg_journal_folder(const char *folder)
{
    return folder != NULL ? g_strdup(folder)
                          : g_build_filename(g_get_user_state_dir(), "bregma", "journal", NULL);
}

BgJournal *
bg_journal_new(const char *folder, GError **error)
{
    g_autofree char *uuid = g_uuid_string_random();
    g_autofree char *name = g_strconcat(uuid, BG_JOURNAL_SUFFIX, NULL);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    int fd = -1;

    if (g_mkdir_with_parents(folder, 0700) == 0)
        fd = g_open(path, O_CREAT | O_EXCL | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int code = errno;
        if (fd >= 0) {
            close(fd);
            g_unlink(path);
        }
        g_set_error(error, G_IO_ERROR, (int) g_io_error_from_errno(code),
                    _("What is done cannot be kept for a crash: “%s” cannot be made: %s"), path,
                    g_strerror(code));
        return NULL;
    }

    BgJournal *self = g_new0(BgJournal, 1);
    self->path = g_steal_pointer(&path);
    self->fd = fd;
    self->waiting = g_ptr_array_new_with_free_func(free_waiting);
    g_mutex_init(&self->mutex);
    g_cond_init(&self->cond);
    g_mutex_lock(&self->mutex);
    write_all(self, (const guint8 *) MARK, MARK_LENGTH);
    g_mutex_unlock(&self->mutex);
    self->thread = g_thread_new("journal", run, self);
    return self;
}

void
bg_journal_close(BgJournal *journal, gboolean keep)
{
    if (journal == NULL)
        return;

    g_mutex_lock(&journal->mutex);
    if (keep)
        write_waiting(journal);
    journal->closing = TRUE;
    g_cond_broadcast(&journal->cond);
    g_mutex_unlock(&journal->mutex);
    g_thread_join(journal->thread);
    if (keep)
        fdatasync(journal->fd);
    else
        g_unlink(journal->path);
    close(journal->fd);
    g_ptr_array_unref(journal->waiting);
    g_mutex_clear(&journal->mutex);
    g_cond_clear(&journal->cond);
    g_free(journal->problem);
    g_free(journal->path);
    g_free(journal);
}

const char *
bg_journal_get_path(const BgJournal *journal)
{
    return journal->path;
}

char *
bg_journal_get_problem(BgJournal *journal)
{
    g_mutex_lock(&journal->mutex);
    char *problem = g_strdup(journal->problem);
    g_mutex_unlock(&journal->mutex);
    return problem;
}

void
bg_journal_write(BgJournal *journal, BgRecordKind kind, GVariant *args)
{
    g_autoptr(GVariant) owned = g_variant_ref_sink(args);

    g_mutex_lock(&journal->mutex);
    write_waiting(journal);
    write_record(journal, kind, owned);
    g_mutex_unlock(&journal->mutex);
}

void
bg_journal_write_soon(BgJournal *journal, BgCommand *command)
{
    g_mutex_lock(&journal->mutex);
    for (guint i = 0; i < journal->waiting->len; i++) {
        if (bg_command_same_key(g_ptr_array_index(journal->waiting, i), command)) {
            g_ptr_array_remove_index(journal->waiting, i);
            break;
        }
    }
    g_ptr_array_add(journal->waiting, bg_command_ref(command));

    gint64 now = g_get_monotonic_time();
    if (now - journal->last_soon >= SOON_US) {
        write_waiting(journal);
    } else if (journal->waiting_until == 0) {
        journal->waiting_until = journal->last_soon + SOON_US;
        g_cond_broadcast(&journal->cond);
    }
    g_mutex_unlock(&journal->mutex);
}

void
bg_journal_write_waiting(BgJournal *journal)
{
    g_mutex_lock(&journal->mutex);
    write_waiting(journal);
    g_mutex_unlock(&journal->mutex);
}

void
bg_journal_flush(BgJournal *journal)
{
    bg_journal_write_waiting(journal);
    fdatasync(journal->fd);
}

gboolean
bg_journal_reader_init(BgJournalReader *reader, gconstpointer data, gsize length)
{
    *reader = (BgJournalReader){ data, length, MARK_LENGTH };
    return length >= MARK_LENGTH && memcmp(data, MARK, MARK_LENGTH) == 0;
}

static const GVariantType *
type_of(BgRecordKind kind)
{
    switch (kind) {
    case BG_RECORD_SNAPSHOT:
        return G_VARIANT_TYPE("(ayxba{sv})");
    case BG_RECORD_COMMANDS:
        return G_VARIANT_TYPE("(xa(sv))");
    }
    return NULL;
}

gboolean
bg_journal_reader_next(BgJournalReader *reader, BgRecordKind *kind, GVariant **args)
{
    const guint8 *at = reader->data + reader->at;
    gsize left = reader->length - reader->at;
    guint32 length;
    guint64 sum;

    if (left < HEADER)
        return FALSE;
    memcpy(&length, at + 4, 4);
    memcpy(&sum, at + 8, 8);
    if (length > MAX_RECORD || length > left - HEADER || checksum(at, at + HEADER, length) != sum)
        return FALSE;

    const GVariantType *type = type_of((BgRecordKind) at[0]);
    if (type == NULL)
        return FALSE;
    g_autoptr(GBytes) bytes = g_bytes_new(at + HEADER, length);
    g_autoptr(GVariant) read = g_variant_ref_sink(g_variant_new_from_bytes(type, bytes, FALSE));
    if (!g_variant_is_normal_form(read))
        return FALSE;
    *kind = (BgRecordKind) at[0];
    *args = g_steal_pointer(&read);
    reader->at += HEADER + length;
    return TRUE;
}
