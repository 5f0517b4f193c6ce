// SPDX-License-Identifier: Apache-2.0
// What takes its time about the fused picture: its file, and the choice of another network.
#pragma once

#include "ui/model/bg-session.h"

G_BEGIN_DECLS

/** bg_fused_job_save: @outlines: draw them; as a PNG with letters, bar and provenance */
void bg_fused_job_save(BgSession *session, BgFused *fused, gboolean outlines, const char *path);

/**
 * bg_fused_job_choose:
 * @path: (nullable): of a file of weights; %NULL: the usual ones
 *
 * Reads the weights; if they are any good the look of photographs has them from then on, else the former
 * ones stay and the session tells why. BG_CHANGE_MODELS follows in both cases.
 */
void bg_fused_job_choose(BgSession *session, BgFusionMethod method, const char *path);

/** bg_fused_job_import: imports VGG-19 from @path, as `bregma-cli models import vgg19`; tells as above */
void bg_fused_job_import(BgSession *session, const char *path);

G_END_DECLS
