// SPDX-License-Identifier: Apache-2.0
// The measures of bg-fusion-metrics.h, one by one, on grey levels 0..255.
#pragma once

#include "bg-window-private.h"

G_BEGIN_DECLS

gboolean bg_fusion_q_g(BgField *const *sources, gsize n_sources, const BgField *fused,
                       double *result, GError **error);
gboolean bg_fusion_fmi(BgField *const *sources, gsize n_sources, const BgField *fused,
                       double *result, GCancellable *cancellable, GError **error);
gboolean bg_fusion_viff(BgField *const *sources, gsize n_sources, const BgField *fused,
                        double *result, GError **error);

/** bg_fusion_piella: @plain, @weighted, @edge: (out) */
gboolean bg_fusion_piella(BgField *const *sources, gsize n_sources, const BgField *fused,
                          double *plain, double *weighted, double *edge, GError **error);

/** bg_fusion_q_ssim: the plain form with SSIM */
gboolean bg_fusion_q_ssim(BgField *const *sources, gsize n_sources, const BgField *fused,
                          double *result, GError **error);

G_END_DECLS
