// SPDX-License-Identifier: Apache-2.0
// Putting plans and distances into the case, so that they are saved, undone and reported with it.
#pragma once

#include "ui/model/bg-session.h"

G_BEGIN_DECLS

/** bg_kept_new_name: (transfer full): @format, "Cut %s", with the first number that nothing is called by */
char *bg_kept_new_name(BgSession *session, const char *format);

/** bg_kept_path: the distance of a ruler to @label of @structure, 0 for any; one step of undo */
void bg_kept_path(BgSession *session, const char *measurement_id, const BgLayer *structure,
                  guint32 label);

/** bg_kept_distances: the same of all regions of @labels */
void bg_kept_distances(BgSession *session, const BgLayer *labels, const BgLayer *structure,
                       guint32 label);

/** bg_kept_cut: @prism of @volume, as it is now, also when its points move later */
void bg_kept_cut(BgSession *session, const BgLayer *volume, const BgPrism *prism, double margin_mm,
                 double rms_mm);

G_END_DECLS
