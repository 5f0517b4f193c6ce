// SPDX-License-Identifier: Apache-2.0
// How much of its sources a fused picture holds.
#pragma once

#include "core/image/bg-channel.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define BG_FUSION_MAX_SOURCES 16
#define BG_FUSION_SMALLEST 41 // pixels a side for the measures over windows (VIFF's fourth scale)

/**
 * BgFusionMetrics:
 * @q_g: edges kept: Xydeas and Petrovic, Electronics Letters 36(4), 2000; Sobel, the edge of the
 *   picture repeated, L = 1
 * @q_ie: nonlinear correlation information entropy (NCIE): Wang, Shen and Jin, 2008 (256 grey
 *   levels)
 * @fmi: feature mutual information: Haghighat, Aghagolzadeh and Seyedarabi, 2011, in the windowed
 *   form of Haghighat and Razian, 2014: windows of 3 x 3, the grey values as features
 * @piella, @piella_weighted, @piella_edge: Q, Q_W and Q_E of Piella and Heijmans, ICIP 2003:
 *   universal quality index (Wang and Bovik 2002) in windows of 8 x 8, saliency variance, edge
 *   pictures by Sobel's magnitude, alpha 1
 * @q_ssim: as @piella, with SSIM (11 x 11, Gaussian) in place of the universal index: the form in
 *   which FunFuseAn and others publish it
 * @viff: visual information fidelity for fusion: Han, Cai, Cao and Xu, Information Fusion 14(2),
 *   2013
 * @scd: sum of the correlations of differences: Aslantas and Bendes, 2015; two sources only
 * @entropy: of the fused picture's 256 grey levels, in bits
 * @mutual_information: sum over the sources of I(source; fused), in bits
 *
 * NaN where a measure is not defined: pictures smaller than BG_FUSION_SMALLEST, a number of sources
 * that it does not know, pictures without any edge.
 */
typedef struct {
    double q_g, q_ie, fmi;
    double piella, piella_weighted, piella_edge, q_ssim;
    double viff, scd;
    double entropy, mutual_information;
} BgFusionMetrics;

/**
 * bg_fusion_metrics:
 * @sources: @n_sources of 2..BG_FUSION_MAX_SOURCES, all of the size of @fused, values of 0..1
 *
 * All of them, on 256 grey levels, which is what their publications define them on.
 *
 * Returns: %FALSE with %BG_ERROR_INVALID (sizes differ), %BG_ERROR_NO_MEMORY, %G_IO_ERROR_CANCELLED
 */
gboolean bg_fusion_metrics(const BgChannel *const *sources, gsize n_sources, const BgChannel *fused,
                           BgFusionMetrics *metrics, GCancellable *cancellable, GError **error);

/** bg_channel_entropy: of 256 levels of 0..1, in bits */
double bg_channel_entropy(const BgChannel *plane);

G_END_DECLS
