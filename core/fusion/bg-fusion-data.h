// SPDX-License-Identifier: Apache-2.0
// What the learned fusion is trained with: pairs of pictures of one place.
#pragma once

#include "core/base/bg-progress.h"
#include "core/nn/bg-nn-train.h"

G_BEGIN_DECLS

/** BgFusionData: pairs kept as 8-bit greys. Filled by one thread, then read by any number */
typedef struct _BgFusionData BgFusionData;

/** bg_fusion_data_new: @crop: side of a sample in pixels, 11 at least; @per_pair: samples a pair gives in an epoch */
BgFusionData *bg_fusion_data_new(int crop, int per_pair, guint64 seed);
void bg_fusion_data_free(BgFusionData *data);

/**
 * bg_fusion_data_add_folder:
 *
 * Pictures in @path and the folders in it whose names are alike up to the last "_": the one called
 * ..._MRI (or ..._T1) comes first. Each is a patient of its own.
 *
 * Returns: how many pairs; 0 with @error
 */
int bg_fusion_data_add_folder(BgFusionData *data, const char *path, GCancellable *cancellable,
                              GError **error);

/** bg_fusion_data_add_leaves: pictures of bg_fusion_leaves(), each pair a patient: @seed, @seed + 1, ... */
void bg_fusion_data_add_leaves(BgFusionData *data, int count, guint64 seed, int size);

/**
 * bg_fusion_data_add_phantoms:
 *
 * Slices of made-up heads: T1 with T2, T1 with contrast with FLAIR, T2 with CT, and T1 with a picture
 * like PET's: uptake of the grey matter, blurred as those scanners do.
 */
gboolean bg_fusion_data_add_phantoms(BgFusionData *data, int count, guint64 seed, int size,
                                     const BgProgress *progress, GCancellable *cancellable,
                                     GError **error);
int bg_fusion_data_count(const BgFusionData *data);

/** bg_fusion_data_source: (transfer none): two inputs, which are the two targets, too */
BgNnData bg_fusion_data_source(BgFusionData *data);

/**
 * bg_fusion_data_source_features:
 *
 * (transfer none): for bg_vgg_small_task_graph(): the input is one picture of a pair, turned, shaded, one in four
 * inverted, and made noisy. Targets by level: the clean picture, halved as often as the level's, around each pixel:
 * BG_VGG_SMALL_PATCH^2 values less their mean, times four; then zeros in the shape of each level's features. The crop
 * must be a multiple of 8.
 */
BgNnData bg_fusion_data_source_features(BgFusionData *data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgFusionData, bg_fusion_data_free)

G_END_DECLS
