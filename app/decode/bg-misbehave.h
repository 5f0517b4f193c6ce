// SPDX-License-Identifier: Apache-2.0
// What a hostile file could make of the process of a request: for tests of the other side.
#pragma once

#include "core/base/bg-json.h"

G_BEGIN_DECLS

/**
 * bg_misbehave:
 * @op: "test-crash", "test-may-socket", ...: see the table
 * @socket: to the program
 * @result: (inout): gets "may": "yes" or "no", or "pid"
 *
 * Only where the environment has BREGMA_DECODE_MISBEHAVE: the program's tests.
 *
 * Returns: whether there is such an operation, and it came back
 */
gboolean bg_misbehave(const char *op, int socket, BgJson *result);

G_END_DECLS
