// SPDX-License-Identifier: Apache-2.0
// Products of bfloat16 in blocks of 32 x 32, added in float32: by AMX's tiles where the processor has
// them, by its vectors elsewhere. Both give the same up to the rounding of the sums.
#pragma once

#include "bg-nn-op.h"

#include <glib.h>

G_BEGIN_DECLS

#define BG_NN_AMX_BLOCK 32 // positions, output channels, and input channels of a step
#define BG_NN_AMX_WEIGHTS (BG_NN_AMX_BLOCK * BG_NN_AMX_BLOCK) // of a step

/**
 * BgNnAmxCall:
 * @in: of the first position; each position has 32 channels, the next one's follow
 * @steps: how far from @in the channels of each step begin, in elements
 * @weight: BG_NN_AMX_WEIGHTS of each step: [half of the outputs, in / 2, out % 16, in % 2]
 */
typedef struct {
    const BgNnBf16 *in;
    const gsize *steps;
    gsize n_steps;
    const BgNnBf16 *weight;
} BgNnAmxCall;

/** bg_nn_amx_weight_index: where in a step's weights the one from @in to @out stands */
static inline gsize
bg_nn_amx_weight_index(gsize in, gsize out)
{
    return ((out / 16 * 16 + in / 2) * 16 + out % 16) * 2 + in % 2;
}

/**
 * bg_nn_amx_is_there:
 *
 * Returns: whether the processor has AMX with bfloat16, the system lets this program use it, and it computed
 *   a block as the vectors did; always %FALSE where BREGMA_PLAIN_CPU is set
 */
gboolean bg_nn_amx_is_there(void);

/** bg_nn_amx_begin: before a thread's first block: tiles or none for those that follow */
void bg_nn_amx_begin(gboolean tiles);
void bg_nn_amx_end(gboolean tiles);

/** bg_nn_amx_block: @out: 32 positions x 32 channels; is written */
void bg_nn_amx_block(const BgNnAmxCall *call, gboolean tiles, float *out);

G_END_DECLS
