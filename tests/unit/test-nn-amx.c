// SPDX-License-Identifier: Apache-2.0
// Blocks of products in bfloat16: by vectors and by tiles, whose instructions are functions here.
#include "core/base/bg-random.h"
#include "core/nn/bg-nn-amx.h"

#include <math.h>

#define N_STEPS 7
#define N_POSITIONS 40 // 32, and where other steps begin

typedef struct {
    BgNnBf16 in[N_POSITIONS * BG_NN_AMX_BLOCK], weight[N_STEPS * BG_NN_AMX_WEIGHTS];
    gsize steps[N_STEPS];
    double wanted[BG_NN_AMX_BLOCK][BG_NN_AMX_BLOCK], size[BG_NN_AMX_BLOCK][BG_NN_AMX_BLOCK];
} Block;

static void
block_init(Block *block)
{
    BgRandom random = bg_random(41, 0);

    for (gsize i = 0; i < G_N_ELEMENTS(block->in); i++)
        block->in[i] = bg_nn_to_bf16((float) bg_random_normal(&random));
    for (gsize i = 0; i < G_N_ELEMENTS(block->weight); i++)
        block->weight[i] = bg_nn_to_bf16((float) bg_random_normal(&random));
    for (gsize s = 0; s < N_STEPS; s++) // not in order, and one twice
        block->steps[s] = s * 3 % 5 * BG_NN_AMX_BLOCK;
    for (gsize p = 0; p < BG_NN_AMX_BLOCK; p++)
        for (gsize o = 0; o < BG_NN_AMX_BLOCK; o++) {
            block->wanted[p][o] = block->size[p][o] = 0;
            for (gsize s = 0; s < N_STEPS; s++)
                for (gsize c = 0; c < BG_NN_AMX_BLOCK; c++) {
                    float x = bg_nn_from_bf16(block->in[block->steps[s] + p * BG_NN_AMX_BLOCK + c]);
                    float w = bg_nn_from_bf16(
                        block->weight[s * BG_NN_AMX_WEIGHTS + bg_nn_amx_weight_index(c, o)]);
                    block->wanted[p][o] += (double) x * (double) w;
                    block->size[p][o] += fabs((double) x * (double) w);
                }
        }
}

static void
check_block(gconstpointer data)
{
    gboolean tiles = GPOINTER_TO_INT(data);
    g_autofree Block *block = g_new(Block, 1);
    float out[BG_NN_AMX_BLOCK * BG_NN_AMX_BLOCK];

    block_init(block);
    BgNnAmxCall call = { block->in, block->steps, N_STEPS, block->weight };
    bg_nn_amx_begin(tiles);
    for (int twice = 0; twice < 2; twice++) // nothing is left over
        bg_nn_amx_block(&call, tiles, out);
    bg_nn_amx_end(tiles);
    for (gsize p = 0; p < BG_NN_AMX_BLOCK; p++)
        for (gsize o = 0; o < BG_NN_AMX_BLOCK; o++)
            g_assert_cmpfloat_with_epsilon((double) out[p * BG_NN_AMX_BLOCK + o],
                                           block->wanted[p][o], 1e-6 * block->size[p][o]);
}

// As the program itself asks before it trusts tiles.
static void
test_trusts(void)
{
    g_assert_true(bg_nn_amx_is_there());
}

static void
test_plain(void)
{
    if (g_test_subprocess()) {
        g_setenv("BREGMA_PLAIN_CPU", "1", TRUE);
        g_assert_false(bg_nn_amx_is_there());
        check_block(GINT_TO_POINTER(FALSE));
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/nn-amx/vectors", GINT_TO_POINTER(FALSE), check_block);
    g_test_add_data_func("/nn-amx/tiles", GINT_TO_POINTER(TRUE), check_block);
    g_test_add_func("/nn-amx/trusts", test_trusts);
    g_test_add_func("/nn-amx/plain", test_plain);
    return g_test_run();
}
