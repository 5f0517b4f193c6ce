// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ui/model/bg-session.h"

G_BEGIN_DECLS

/**
 * bg_save_text:
 * @text: (transfer full)
 * @failure: what the session tells when it fails: "The measurements are not saved"
 *
 * Writes a small file on the idle worker, whole or not at all; an old one is replaced.
 */
void bg_save_text(BgSession *session, const char *path, char *text, const char *failure);

G_END_DECLS
