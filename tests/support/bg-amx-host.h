// SPDX-License-Identifier: Apache-2.0
// AMX's instructions in plain C, as Intel's manual (SDM, volume 2: LDTILECFG, TILELOADD, TILESTORED,
// TDPBF16PS) defines them: so that code for tiles is tested on processors that have none.
#pragma once

#include "core/nn/bg-nn-op.h"

#include <glib.h>
#include <string.h>

static struct {
    gboolean ready;
    guint8 rows[8];
    guint16 row_bytes[8];
    guint8 tiles[8][16][64];
} amx_host;

static inline void
_tile_loadconfig(const void *config)
{
    const guint8 *bytes = config;

    g_assert_cmpint(bytes[0], ==, 1); // the palette
    for (int k = 1; k < 16; k++)
        g_assert_cmpint(bytes[k], ==, 0);
    for (int k = 0; k < 8; k++) {
        memcpy(&amx_host.row_bytes[k], bytes + 16 + 2 * k, 2);
        amx_host.rows[k] = bytes[48 + k];
        g_assert_true(amx_host.rows[k] <= 16 && amx_host.row_bytes[k] <= 64);
    }
    for (int k = 8; k < 16; k++)
        g_assert_true(bytes[48 + k] == 0 && bytes[16 + 2 * k] == 0);
    memset(amx_host.tiles, 0, sizeof amx_host.tiles);
    amx_host.ready = TRUE;
}

static inline void
_tile_release(void)
{
    amx_host.ready = FALSE;
}

static inline void
_tile_zero(int tile)
{
    g_assert_true(amx_host.ready);
    memset(amx_host.tiles[tile], 0, sizeof amx_host.tiles[tile]);
}

static inline void
_tile_loadd(int tile, const void *base, gsize stride)
{
    _tile_zero(tile);
    for (gsize row = 0; row < amx_host.rows[tile]; row++)
        memcpy(amx_host.tiles[tile][row], (const char *) base + row * stride,
               amx_host.row_bytes[tile]);
}

static inline void
_tile_stored(int tile, void *base, gsize stride)
{
    g_assert_true(amx_host.ready);
    for (gsize row = 0; row < amx_host.rows[tile]; row++)
        memcpy((char *) base + row * stride, amx_host.tiles[tile][row], amx_host.row_bytes[tile]);
}

static inline void
_tile_dpbf16ps(int sum, int a, int b)
{
    gsize n = amx_host.row_bytes[sum] / 4u, depth = amx_host.row_bytes[a] / 4u;

    g_assert_true(amx_host.ready && amx_host.row_bytes[b] == amx_host.row_bytes[sum] &&
                  amx_host.rows[a] == amx_host.rows[sum] && amx_host.rows[b] == depth);
    for (gsize m = 0; m < amx_host.rows[sum]; m++) {
        float odd[2][16] = { { 0 } }, sums[16];
        BgNnBf16 x[32], y[32];
        memcpy(x, amx_host.tiles[a][m], sizeof x);
        memcpy(sums, amx_host.tiles[sum][m], sizeof sums);
        for (gsize k = 0; k < depth; k++) {
            memcpy(y, amx_host.tiles[b][k], sizeof y);
            for (gsize i = 0; i < n; i++)
                for (gsize o = 0; o < 2; o++)
                    odd[o][i] += bg_nn_from_bf16(x[2 * k + o]) * bg_nn_from_bf16(y[2 * i + o]);
        }
        for (gsize i = 0; i < n; i++)
            sums[i] += odd[0][i] + odd[1][i];
        memcpy(amx_host.tiles[sum][m], sums, sizeof sums);
    }
}
