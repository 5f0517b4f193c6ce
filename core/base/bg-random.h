// SPDX-License-Identifier: Apache-2.0
// Numbers by chance that are the same on every machine: splitmix64 (Steele, Lea, Flood 2014).
#pragma once

#include <glib.h>
#include <math.h>

G_BEGIN_DECLS

/** BgRandom: a value; its state is all of it, so that a checkpoint can keep it */
typedef struct {
    guint64 state;
} BgRandom;

static inline guint64
bg_random_next(BgRandom *random)
{
    guint64 z = (random->state += G_GUINT64_CONSTANT(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/** bg_random: @stream: streams of one seed do not depend on each other */
static inline BgRandom
bg_random(guint64 seed, guint64 stream)
{
    BgRandom mixer = { seed }, other = { stream ^ G_GUINT64_CONSTANT(0xd1b54a32d192ed03) };

    return (BgRandom){ bg_random_next(&mixer) ^ bg_random_next(&other) };
}

/** bg_random_uniform: 0 <= x < 1, by 53 bits */
static inline double
bg_random_uniform(BgRandom *random)
{
    return (double) (bg_random_next(random) >> 11) * 0x1p-53;
}

/** bg_random_normal: mean 0, deviation 1 (Box and Muller 1958) */
static inline double
bg_random_normal(BgRandom *random)
{
    double u = 1 - bg_random_uniform(random), v = bg_random_uniform(random);

    return sqrt(-2 * log(u)) * cos(2 * G_PI * v);
}

/** bg_random_below: 0..@n-1, each alike for n below 2^32 to one part in 2^32 */
static inline gsize
bg_random_below(BgRandom *random, gsize n)
{
    return (gsize) (bg_random_uniform(random) * (double) n);
}

G_END_DECLS
