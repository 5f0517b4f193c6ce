// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bg-cli.h"

#include "core/io/bg-series.h"

G_BEGIN_DECLS

/** BgCliSource: what a path holds, and which of it is read; both %NULL for a file without series. Owned */
typedef struct {
    GPtrArray *list; // of BgSeries
    BgSeries *chosen;
} BgCliSource;

void bg_cli_source_clear(BgCliSource *source);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BgCliSource, bg_cli_source_clear)

/**
 * bg_cli_find_source:
 * @any: take the first that can be shown where there are several and --series says nothing; else
 *   that is a usage error
 *
 * --series counts for the first path that a command reads.
 */
gboolean bg_cli_find_source(BgCli *cli, const char *path, gboolean any, BgCliSource *source,
                            GError **error);

/** bg_cli_set_b_values: "b_values": [...], where there are any */
void bg_cli_set_b_values(BgJson *json, const char *b_values);

/** bg_cli_set_series: "series": [...], and "series_key" of the chosen one */
void bg_cli_set_series(BgJson *json, const BgCliSource *source);

/** bg_cli_load_source: bg_io_load() of what was chosen; not noted as an input */
BgLoaded *bg_cli_load_source(BgCli *cli, const char *path, const BgCliSource *source,
                             const BgLoadParams *params, GError **error);

G_END_DECLS
