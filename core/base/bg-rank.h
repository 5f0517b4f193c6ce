// SPDX-License-Identifier: Apache-2.0
// The k-th smallest of many numbers without sorting them (Hoare 1961), and percentiles.
#pragma once

#include <glib.h>
#include <math.h>

G_BEGIN_DECLS

// BG_DEFINE_RANK: one version a type, static, so that each folder has the one that it needs.
#define BG_DEFINE_RANK(type)                                                                      \
    /* The k-th smallest (from 0); the values are rearranged so that none beyond k is smaller. */ \
    static type select_rank(type *values, gsize n, gsize k)                                       \
    {                                                                                             \
        gssize low = 0, high = (gssize) n - 1;                                                    \
        while (low < high) {                                                                      \
            type pivot = values[low + (high - low) / 2];                                          \
            gssize i = low, j = high;                                                             \
            while (i <= j) {                                                                      \
                while (values[i] < pivot)                                                         \
                    i++;                                                                          \
                while (values[j] > pivot)                                                         \
                    j--;                                                                          \
                if (i <= j) {                                                                     \
                    type swap = values[i];                                                        \
                    values[i++] = values[j];                                                      \
                    values[j--] = swap;                                                           \
                }                                                                                 \
            }                                                                                     \
            if ((gssize) k <= j)                                                                  \
                high = j;                                                                         \
            else if ((gssize) k >= i)                                                             \
                low = i;                                                                          \
            else                                                                                  \
                break;                                                                            \
        }                                                                                         \
        return values[k];                                                                         \
    }                                                                                             \
    /* numpy.percentile's linear interpolation between ranks; the values are rearranged. */       \
    static double percentile(type *values, gsize n, double percent)                               \
    {                                                                                             \
        double rank = percent / 100.0 * (double) (n - 1), below = floor(rank);                    \
        gsize k = (gsize) below;                                                                  \
        double value = (double) select_rank(values, n, k), next = HUGE_VAL;                       \
        if (k + 1 >= n || rank == below)                                                          \
            return value;                                                                         \
        for (gsize i = k + 1; i < n; i++)                                                         \
            next = MIN(next, (double) values[i]);                                                 \
        return value + (next - value) * (rank - below);                                           \
    }

G_END_DECLS
