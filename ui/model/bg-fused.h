// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/fusion/bg-fusion-outline.h"
#include "ui/model/bg-engine-choice.h"
#include "ui/model/bg-photo-paint.h"

#include <gdk/gdk.h>

G_BEGIN_DECLS

/** BgFusedWeights: whose networks there are */
typedef enum {
    BG_FUSED_WEIGHTS_LEARNED,
    BG_FUSED_WEIGHTS_FEATURES,
    BG_FUSED_N_WEIGHTS,
} BgFusedWeights;

/**
 * BgFused:
 * @error: why there is none, for people; else %NULL, and all that follows holds
 * @texture: transparent where the volume is not
 * @rect: what @view's picture shows of the photograph
 * @layer_id: the photograph's layer
 * @right, @down: of the picture, in the patient, LPS; @side_known: FALSE: left and right are not
 * @weights, @sha256: of the network: "fusion", "vgg19", ...; "" without one
 * @stand_in: whether the weights are our own small stack's because VGG-19 was not imported
 * @engine, @backend: what the network was to run on, and which one ran it
 * @paint: of the photograph
 * @outlines: (element-type BgFusionOutline): of visible labels, on @view's picture, the lowest layer's first
 * @n_left_out: labels that got none
 * @maps: (element-type GdkTexture): weight maps, as of BgFusionResult; %NULL without
 * @provenance: a line of JSON
 *
 * A photograph and the volume from its camera in one picture. Immutable, reference counted.
 */
typedef struct {
    char *error;
    BgFusionMethod method;
    BgFusionView view;
    GdkTexture *texture;
    BgFusionRect rect;
    BgVec3 right, down;
    gboolean side_known;
    char *layer_id, *layer_name;
    char *weights, *sha256, *provenance;
    gboolean stand_in;
    BgEngineChoice engine;
    const char *backend;
    BgPhotoPaint *paint;
    GPtrArray *outlines;
    guint n_left_out;
    GPtrArray *maps;
} BgFused;

BgFused *bg_fused_new(void);
BgFused *bg_fused_ref(BgFused *fused);
void bg_fused_unref(BgFused *fused);

/** bg_fused_is_synthetic: whether a network made its pixels up: not only weights of a mean */
gboolean bg_fused_is_synthetic(const BgFused *fused);

/** bg_fused_get_method: (transfer full): for people: the method, and whose weights */
char *bg_fused_get_method(const BgFused *fused);

/** bg_fused_get_engine: (transfer full) (nullable): for people: what ran; %NULL where no network did */
char *bg_fused_get_engine(const BgFused *fused);

/** bg_fused_which_weights: FALSE of a method without */
gboolean bg_fused_which_weights(BgFusionMethod method, BgFusedWeights *which);

/** bg_fused_get_measures: (transfer full): for people: how much of both is in it */
char *bg_fused_get_measures(const BgFused *fused);

/** bg_fusion_title: a method, for people */
const char *bg_fusion_title(BgFusionMethod method);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgFused, bg_fused_unref)

G_END_DECLS
