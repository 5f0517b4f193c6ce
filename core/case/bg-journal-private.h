// SPDX-License-Identifier: Apache-2.0
// The file of a journal: records, each with its length and checksum, behind a mark.
#pragma once

#include "core/case/bg-case-private.h"

G_BEGIN_DECLS

#define BG_JOURNAL_SUFFIX ".journal"
#define BG_JOURNAL_BLOBS ".blobs"

typedef enum {
    BG_RECORD_SNAPSHOT = 's', // (ayxba{sv}): project path, time, whether that is saved, state
    BG_RECORD_COMMANDS = 'c', // (xa(sv)): time, commands that were applied together
} BgRecordKind;

/** bg_journal_new: creates and locks the file; %G_IO_ERROR */
BgJournal *bg_journal_new(const char *folder, GError **error);

/** bg_journal_close: @keep: leave the file, as a crash would; else it is removed */
void bg_journal_close(BgJournal *journal, gboolean keep);

const char *bg_journal_get_path(const BgJournal *journal);
char *bg_journal_get_problem(BgJournal *journal); // (transfer full) (nullable)

/** bg_journal_write: @args: floating or not; what waits is written before it */
void bg_journal_write(BgJournal *journal, BgRecordKind kind, GVariant *args);

/** bg_journal_write_soon: within 250 ms; in place of one about the same that waits */
void bg_journal_write_soon(BgJournal *journal, BgCommand *command);

/** bg_journal_write_waiting: what waits is written now, without blocking for the disk */
void bg_journal_write_waiting(BgJournal *journal);

/** bg_journal_flush: blocks until all is on the disk */
void bg_journal_flush(BgJournal *journal);

/**
 * BgJournalReader: goes through the records in memory; ends at the first that is not whole
 */
typedef struct {
    const guint8 *data;
    gsize length, at;
} BgJournalReader;

/** bg_journal_reader_init: %FALSE when the mark is not there */
gboolean bg_journal_reader_init(BgJournalReader *reader, gconstpointer data, gsize length);

/** bg_journal_reader_next: @args: (transfer full); %FALSE at the end */
gboolean bg_journal_reader_next(BgJournalReader *reader, BgRecordKind *kind, GVariant **args);

/** bg_journal_folder: (transfer full): @folder, or the default */
char *bg_journal_folder(const char *folder);

G_END_DECLS
