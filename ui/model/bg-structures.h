// SPDX-License-Identifier: Apache-2.0
// The labels of all label maps of a session: what distances can be measured to.
#pragma once

#include "ui/model/bg-session.h"

G_BEGIN_DECLS

/**
 * bg_structures_list:
 * @key: (out) (optional) (transfer full): another text when the list is another one
 *
 * Returns: (transfer full): their names, those of the lowest layer first; without the background
 */
char **bg_structures_list(BgSession *session, char **key);

/**
 * bg_structures_get:
 * @position: in bg_structures_list()
 * @label: (out)
 *
 * Returns: (transfer none) (nullable): its layer
 */
const BgLayer *bg_structures_get(BgSession *session, guint position, guint32 *label);

G_END_DECLS
