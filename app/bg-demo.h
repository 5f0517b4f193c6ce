// SPDX-License-Identifier: Apache-2.0
// The demonstration cases.
#pragma once

#include "app/bg-window.h"

G_BEGIN_DECLS

/**
 * bg_demo_open:
 * @which: "head": the 1 mm head of mricron-data, an atlas over it and the surface of one region;
 *   "phantom": a made-up head with a tumour, its labels and their surface
 *
 * The phantom is made by a job and kept in the cache folder. What is not installed is told.
 */
void bg_demo_open(BgWindow *window, const char *which);

G_END_DECLS
