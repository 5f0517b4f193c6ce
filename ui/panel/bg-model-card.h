// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/learn/bg-model-store.h"

G_BEGIN_DECLS

/** bg_model_card_tell: (transfer full): for people: numbers, hash, and what the card says, a line each */
char *bg_model_card_tell(const BgModel *model);

G_END_DECLS
