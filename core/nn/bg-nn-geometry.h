// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bg-nn-graph.h"

G_BEGIN_DECLS

/** bg_nn_geometry: of a layer that takes @in and gives @out, as bg_nn_graph_infer() found them */
BgNnGeometry bg_nn_geometry(const BgNnLayer *layer, const BgNnShape *in, const BgNnShape *out);

G_END_DECLS
