// SPDX-License-Identifier: Apache-2.0
// The HEVC decoder that libheif calls: libde265 with every warning of damage taken for an error, which
// libheif's own leaves out. What no slice of a damaged file covers stays as it lay in the child's memory:
// the library tells nobody.
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** bg_hevc_register: once in a process; threads may call it */
void bg_hevc_register(void);

G_END_DECLS
