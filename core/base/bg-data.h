// SPDX-License-Identifier: Apache-2.0
// Where the program's own data are: presets, models.
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * bg_data_folder:
 * @part: "presets", "models"
 *
 * The first that holds @part of: $BREGMA_DATA_DIR (alone, when it is set), what
 * bg_data_folder_beside() finds for this program, $BREGMA_SOURCE_ROOT/data, the place of
 * installation.
 *
 * Returns: (transfer full): the folder of @part; the installed one, which then does not exist,
 *   when there is none
 */
char *bg_data_folder(const char *part);

/**
 * bg_data_folder_beside:
 * @program_folder: where a program lies
 *
 * @part of an installation that was moved as a whole (../share/bregma), or of the source tree
 * whose build folder holds the program (data, at most three folders up).
 *
 * Returns: (transfer full) (nullable): %NULL when neither is there
 */
char *bg_data_folder_beside(const char *program_folder, const char *part);

G_END_DECLS
