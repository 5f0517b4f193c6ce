// SPDX-License-Identifier: Apache-2.0
// How the pairs lie in memory, between the one who collects them and those who make samples of them.
#pragma once

#include "bg-fusion-data.h"

G_BEGIN_DECLS

/** BgFusionPair: two pictures of one size, of bytes */
typedef struct {
    char *patient;
    int width, height;
    guint8 *planes[2];
} BgFusionPair;

struct _BgFusionData {
    GPtrArray *pairs; // of BgFusionPair
    int crop, per_pair;
    guint64 seed;
};

G_END_DECLS
