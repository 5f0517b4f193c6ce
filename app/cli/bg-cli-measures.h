// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bg-cli.h"

#include "core/image/bg-fusion-metrics.h"

G_BEGIN_DECLS

/** bg_cli_set_fusion_metrics: q_g, q_ie, fmi, piella, ... */
void bg_cli_set_fusion_metrics(BgJson *json, const BgFusionMetrics *metrics);

G_END_DECLS
