// SPDX-License-Identifier: Apache-2.0
// Which contrast a series seems to be, by what it is called.
#pragma once

#include "bg-tumour-case.h"

G_BEGIN_DECLS

/**
 * bg_contrast_guess:
 * @name: of a file without its folder, or of a series: "sub-01_T1w", "t1_mprage_post", "FLAIR TRA"
 * @contrast: (out): untouched when %FALSE
 *
 * A proposal for a person to confirm, never a fact: names are given by people.
 *
 * Returns: whether the name says anything
 */
gboolean bg_contrast_guess(const char *name, BgContrast *contrast);

G_END_DECLS
