// SPDX-License-Identifier: Apache-2.0
// What networks are run on, as the preferences say.
#pragma once

#include "core/compute/bg-backend.h"

G_BEGIN_DECLS

/** BgEngineChoice: @backend: "auto", "cpu" or "cuda". A plain value: taken on the main thread, for any */
typedef struct {
    char backend[8];
    BgNnPrecision precision;
} BgEngineChoice;

BgEngineChoice bg_engine_choice_get(void);

/** bg_engine_choice_equal: whether a network that was made ready by one will do for the other */
gboolean bg_engine_choice_equal(const BgEngineChoice *a, const BgEngineChoice *b);

/**
 * bg_engine_choice_open: (transfer full): as bg_backend_open(), for a worker; "auto" leaves it to
 * BREGMA_BACKEND. A card that was chosen by name and is not there is an error, in words
 */
BgBackend *bg_engine_choice_open(const BgEngineChoice *choice, GError **error);

/**
 * bg_engine_choice_tell:
 * @ran_on: as of bg_backend_network_get_name()
 *
 * Returns: (transfer full): for people: what ran, and how exactly
 */
char *bg_engine_choice_tell(const BgEngineChoice *choice, const char *ran_on);

/** bg_engine_choice_precision: which one @ran_on really has: TF32 is for cards */
const char *bg_engine_choice_precision(const BgEngineChoice *choice, const char *ran_on);

G_END_DECLS
