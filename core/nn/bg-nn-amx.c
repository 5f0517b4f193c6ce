// SPDX-License-Identifier: Apache-2.0
#include "bg-nn-amx.h"

#include "core/base/bg-cpu.h"

#include <math.h>
#include <string.h>

#define BLOCK BG_NN_AMX_BLOCK
#define HALF 16   // positions or channels of a tile
#define LANES 8   // floats of a vector
#define ROWS 4    // positions that the vectors do at once
#define CHECKED 3 // steps of the comparison of both ways

typedef float Floats __attribute__((vector_size(LANES * sizeof(float))));
typedef guint32 Words __attribute__((vector_size(LANES * sizeof(guint32))));

// Two numbers in each word: the lower is the first.
static inline __attribute__((always_inline)) Floats
first_of(Words pair)
{
    return (Floats) (pair << 16);
}

static inline __attribute__((always_inline)) Floats
second_of(Words pair)
{
    return (Floats) (pair & 0xffff0000u);
}

static inline __attribute__((always_inline)) Words
load_words(const BgNnBf16 *from)
{
    Words words;

    memcpy(&words, from, sizeof words);
    return words;
}

static inline __attribute__((always_inline)) Words
broadcast_pair(const BgNnBf16 *from)
{
    guint32 pair;

    memcpy(&pair, from, sizeof pair);
    return pair - (Words){ 0 };
}

// ROWS positions from `row` on, by HALF channels.
static inline __attribute__((always_inline)) void
do_rows(const BgNnAmxCall *call, gsize row, gsize half, float *out)
{
    Floats sums[ROWS][2] = { 0 };

    for (gsize s = 0; s < call->n_steps; s++) {
        const BgNnBf16 *in = call->in + call->steps[s] + row * BLOCK;
        const BgNnBf16 *weight = call->weight + s * BG_NN_AMX_WEIGHTS + half * HALF * BLOCK;
        for (gsize k = 0; k < BLOCK / 2; k++, weight += BLOCK) {
            Words low = load_words(weight), high = load_words(weight + BLOCK / 2);
            Floats a0 = first_of(low), a1 = second_of(low);
            Floats b0 = first_of(high), b1 = second_of(high);
#pragma GCC unroll 4
            for (gsize r = 0; r < ROWS; r++) {
                Words pair = broadcast_pair(in + r * BLOCK + 2 * k);
                Floats x = first_of(pair), y = second_of(pair);
                sums[r][0] = sums[r][0] + x * a0 + y * a1;
                sums[r][1] = sums[r][1] + x * b0 + y * b1;
            }
        }
    }
    for (gsize r = 0; r < ROWS; r++)
        memcpy(out + (row + r) * BLOCK + half * HALF, sums[r], sizeof sums[r]);
}

static inline __attribute__((always_inline)) void
do_block(const BgNnAmxCall *call, float *out)
{
    for (gsize half = 0; half < 2; half++)
        for (gsize row = 0; row < BLOCK; row += ROWS)
            do_rows(call, row, half, out);
}

BG_TARGET_AVX2 static void
block_by_avx2(const BgNnAmxCall *call, float *out)
{
    do_block(call, out);
}

static void
block_by_any(const BgNnAmxCall *call, float *out)
{
    do_block(call, out);
}

static void
block_by_vectors(const BgNnAmxCall *call, float *out)
{
    (bg_cpu_has_avx2() ? block_by_avx2 : block_by_any)(call, out);
}

#if defined(BG_AMX_HOST) // a test gives the instructions, as functions
#define BG_WITH_TILES
#define BG_TARGET_AMX
#elif defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#define BG_WITH_TILES
#define BG_TARGET_AMX __attribute__((target("amx-tile,amx-bf16")))
#endif

#ifdef BG_WITH_TILES

#define ARCH_REQ_XCOMP_PERM 0x1023 // of arch_prctl(): Linux, Documentation/x86/xstate
#define XFEATURE_XTILEDATA 18
#define TILE_STATE (3u << 17) // of the extended control register 0: configuration and data
#define ROW_BYTES 64

/** TileConfig: what LDTILECFG reads (Intel SDM, volume 1, 18.2) */
typedef struct {
    guint8 palette, start_row, reserved[14];
    guint16 row_bytes[16];
    guint8 rows[16];
} TileConfig;

G_STATIC_ASSERT(sizeof(TileConfig) == 64);

BG_TARGET_AMX static void
begin_tiles(void)
{
    TileConfig config = { .palette = 1 };

    for (int k = 0; k < 8; k++) {
        config.row_bytes[k] = ROW_BYTES;
        config.rows[k] = HALF;
    }
    __asm__ volatile("" : : "m"(config) : "memory"); // is written before it is read
    _tile_loadconfig(&config);
}

BG_TARGET_AMX static void
end_tiles(void)
{
    _tile_release();
}

// Tiles 0 to 3 add up, 4 and 5 hold positions, 6 and 7 weights.
BG_TARGET_AMX static void
block_by_tiles(const BgNnAmxCall *call, float *out)
{
    const BgNnBf16 *weight = call->weight;

    __asm__ volatile("" : : : "memory");
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (gsize s = 0; s < call->n_steps; s++, weight += BG_NN_AMX_WEIGHTS) {
        const BgNnBf16 *in = call->in + call->steps[s];
        _tile_loadd(4, in, ROW_BYTES);
        _tile_loadd(6, weight, ROW_BYTES);
        _tile_loadd(7, weight + BG_NN_AMX_WEIGHTS / 2, ROW_BYTES);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, in + HALF * BLOCK, ROW_BYTES);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, out, BLOCK * sizeof *out);
    _tile_stored(1, out + HALF, BLOCK * sizeof *out);
    _tile_stored(2, out + HALF * BLOCK, BLOCK * sizeof *out);
    _tile_stored(3, out + HALF * BLOCK + HALF, BLOCK * sizeof *out);
    __asm__ volatile("" : : : "memory");
}

#endif

#if defined(BG_AMX_HOST)

static gboolean
processor_has_tiles(void)
{
    return TRUE;
}

static gboolean
system_allows_tiles(void)
{
    return TRUE;
}

#elif defined(BG_WITH_TILES)

static gboolean
processor_has_tiles(void)
{
    guint a, b, c, d, low, high;

    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & bit_OSXSAVE) == 0)
        return FALSE;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    if ((low & TILE_STATE) != TILE_STATE || !__get_cpuid_count(7, 0, &a, &b, &c, &d))
        return FALSE;
    return (d & (1u << 24)) != 0 && (d & (1u << 22)) != 0; // AMX-TILE, AMX-BF16
}

static gboolean
system_allows_tiles(void)
{
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

#else

static void
begin_tiles(void)
{
}

static void
end_tiles(void)
{
}

static void
block_by_tiles(const BgNnAmxCall *call, float *out)
{
    g_assert_not_reached(); // bg_nn_amx_is_there() says no
}

static gboolean
processor_has_tiles(void)
{
    return FALSE;
}

static gboolean
system_allows_tiles(void)
{
    return FALSE;
}

#endif

// ------------------------------------------------------------------------------------------------

// Numbers with few bits: all sums are exact, so both ways must agree to the bit.
static gboolean
tiles_are_right(void)
{
    static BgNnBf16 in[(BLOCK + CHECKED) * BLOCK], weight[CHECKED * BG_NN_AMX_WEIGHTS];
    static float tiles[BLOCK * BLOCK], vectors[BLOCK * BLOCK];
    gsize steps[CHECKED];
    guint32 state = 1;

    for (gsize i = 0; i < G_N_ELEMENTS(in) + G_N_ELEMENTS(weight); i++) {
        state = state * 1664525u + 1013904223u;
        BgNnBf16 value = bg_nn_to_bf16((float) (int) (state >> 27) - 15.0f);
        if (i < G_N_ELEMENTS(in))
            in[i] = value;
        else
            weight[i - G_N_ELEMENTS(in)] = value;
    }
    for (gsize s = 0; s < CHECKED; s++)
        steps[s] = (CHECKED - 1 - s) * BLOCK;
    BgNnAmxCall call = { in, steps, CHECKED, weight };
    begin_tiles();
    block_by_tiles(&call, tiles);
    end_tiles();
    block_by_vectors(&call, vectors);
    return memcmp(tiles, vectors, sizeof tiles) == 0;
}

gboolean
bg_nn_amx_is_there(void)
{
    static gsize known; // 1: no; 2: yes

    if (g_once_init_enter(&known)) {
        gboolean there =
            g_getenv("BREGMA_PLAIN_CPU") == NULL && processor_has_tiles() && system_allows_tiles();
        if (there && !tiles_are_right()) {
            g_message("AMX computes otherwise than the rest of the processor and is left alone");
            there = FALSE;
        }
        g_once_init_leave(&known, there ? 2 : 1);
    }
    return known == 2;
}

void
bg_nn_amx_begin(gboolean tiles)
{
    if (tiles)
        begin_tiles();
}

void
bg_nn_amx_end(gboolean tiles)
{
    if (tiles)
        end_tiles();
}

void
bg_nn_amx_block(const BgNnAmxCall *call, gboolean tiles, float *out)
{
    if (tiles)
        block_by_tiles(call, out);
    else
        block_by_vectors(call, out);
}
