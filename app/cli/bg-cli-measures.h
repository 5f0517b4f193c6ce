// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bg-cli.h"

#include "core/segment/bg-label-metrics.h"

#include "core/image/bg-fusion-metrics.h"

G_BEGIN_DECLS

/** bg_cli_set_fusion_metrics: q_g, q_ie, fmi, piella, ... */
void bg_cli_set_fusion_metrics(BgJson *json, const BgFusionMetrics *metrics);

/** bg_cli_evaluate_cohort: the pairs in a list, each and their quartiles; --csv, --plot */
gboolean bg_cli_evaluate_cohort(BgCli *cli, GError **error);

/** bg_cli_save_slice_plot: Dice slice by slice, to --plot */
gboolean bg_cli_save_slice_plot(BgCli *cli, BgLabelMap *pred, BgLabelMap *truth,
                                const BgLabelRegion *regions, gsize n_regions, GError **error);

/** bg_cli_save_text: to the path that @option says */
gboolean bg_cli_save_text(BgCli *cli, const char *option, const char *text, GError **error);

G_END_DECLS
