// SPDX-License-Identifier: Apache-2.0
// Translated text in sources: _() at run time, N_() in tables.
#pragma once

#include <glib/gi18n-lib.h>
