// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * bg_serve:
 * @socket: where the request comes from, and the answer goes to
 *
 * Answers one request, in a process that was made for it and enters the sandbox as soon as it knows
 * what it is to read.
 *
 * Returns: the exit status of the process
 */
int bg_serve(int socket);

G_END_DECLS
