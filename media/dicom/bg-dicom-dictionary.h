// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** bg_dcm_dictionary_vr: Returns: what the standard says of @tag, by BG_DCM_VR(); 0 when it is not in it */
guint16 bg_dcm_dictionary_vr(guint32 tag);

G_END_DECLS
