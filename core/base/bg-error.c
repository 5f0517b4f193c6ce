// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-error.h"

G_DEFINE_QUARK(bg_error_quark, bg_error)
