// SPDX-License-Identifier: Apache-2.0
// What is done is on the disk at once, so that a crash loses nothing.
#pragma once

#include "core/case/bg-case.h"

G_BEGIN_DECLS

/**
 * bg_case_start_journal:
 * @folder: (nullable): $XDG_STATE_HOME/bregma/journal when %NULL
 *
 * From now on what is done is written to a file of its own in @folder: at once to the system, so
 * that the death of the program loses nothing, and within 2 s to the disk, by a thread. Moves of
 * the view and the middle of a drag are written four times a second.
 *
 * Returns: %FALSE with %G_IO_ERROR: the case then works without
 */
gboolean bg_case_start_journal(BgCase *the_case, const char *folder, GError **error);

/** bg_case_get_journal_path: (transfer none) (nullable): %NULL without a journal */
const char *bg_case_get_journal_path(BgCase *the_case);

/** bg_case_get_journal_problem: (transfer none) (nullable): why nothing is written any more: a full disk */
const char *bg_case_get_journal_problem(BgCase *the_case);

/** bg_case_flush_journal: blocks until all is on the disk: for tests and before exec */
void bg_case_flush_journal(BgCase *the_case);

/** bg_case_close_journal: the session ended well: the file is removed. Also when the case is freed */
void bg_case_close_journal(BgCase *the_case);

/**
 * BgRecovery:
 * @project_path: of the case, or ""
 * @patient: name, or ""
 * @layers: their names, joined by commas
 * @time_s: when the last thing was done, seconds since 1970
 * @n_actions: since the case was saved
 *
 * What a session that died has left. Nobody else can recover it while this lives.
 */
typedef struct {
    char *path, *project_path, *patient, *layers;
    gint64 time_s;
    guint n_actions;
    int fd; // locked
    GVariant *state;
} BgRecovery;

void bg_recovery_free(BgRecovery *recovery);

/**
 * bg_recovery_list:
 * @folder: (nullable): as bg_case_start_journal()
 *
 * Blocks; any thread. Journals of sessions that live are left alone; those without unsaved
 * actions, and those without one whole record, are removed.
 *
 * Returns: (transfer full): of BgRecovery, the latest first
 */
GPtrArray *bg_recovery_list(const char *folder);

/**
 * bg_recovery_open:
 *
 * Main thread. The case becomes what it was at the last action that is whole on the disk; it is
 * modified, and in review. The old journal is removed once the case's own has it all.
 *
 * Returns: %FALSE and the case as it was, with %BG_ERROR_CORRUPT
 */
gboolean bg_recovery_open(BgRecovery *recovery, BgCase *the_case, GError **error);

/** bg_recovery_discard: the user does not want it: the journal and its results are removed */
void bg_recovery_discard(BgRecovery *recovery);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgRecovery, bg_recovery_free)

G_END_DECLS
