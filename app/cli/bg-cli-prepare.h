// SPDX-License-Identifier: Apache-2.0
// The filters that prepare a volume for measuring: each changes @grid and fills cli->result.
#pragma once

#include "bg-cli-grid.h"

G_BEGIN_DECLS

gboolean bg_cli_filter_n4(BgCli *cli, BgCliGrid *grid, GError **error);
gboolean bg_cli_filter_normalize(BgCli *cli, BgCliGrid *grid, GError **error);
gboolean bg_cli_filter_nlm(BgCli *cli, BgCliGrid *grid, GError **error);
gboolean bg_cli_filter_pad(BgCli *cli, BgCliGrid *grid, GError **error);
gboolean bg_cli_filter_mask(BgCli *cli, BgCliGrid *grid, GError **error);
gboolean bg_cli_filter_morphology(BgCli *cli, BgCliGrid *grid, GError **error);
gboolean bg_cli_filter_brain(BgCli *cli, BgCliGrid *grid, GError **error);
gboolean bg_cli_filter_clean(BgCli *cli, BgCliGrid *grid, GError **error);
gboolean bg_cli_filter_distance(BgCli *cli, BgCliGrid *grid, GError **error);

G_END_DECLS
