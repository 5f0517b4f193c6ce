// SPDX-License-Identifier: Apache-2.0
// The names under which the engine knows core/base/bg-random.h.
#pragma once

#include "core/base/bg-random.h"

typedef BgRandom BgNnRandom;

#define bg_nn_random bg_random
#define bg_nn_random_next bg_random_next
#define bg_nn_random_uniform bg_random_uniform
#define bg_nn_random_normal bg_random_normal
#define bg_nn_random_below bg_random_below
