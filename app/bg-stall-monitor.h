// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * bg_stall_monitor_start:
 *
 * Times every turn of the main loop from one poll to the next; prints the worst so far, whenever it
 * grows beyond 20 ms, to stderr. Main thread, before the loop runs.
 */
void bg_stall_monitor_start(void);

/** bg_stall_monitor_report: prints the worst turn and how many were over 50 ms */
void bg_stall_monitor_report(void);

/** bg_stall_monitor_note: prints how long after the start of the process @what happened, once started */
void bg_stall_monitor_note(const char *what);

G_END_DECLS
