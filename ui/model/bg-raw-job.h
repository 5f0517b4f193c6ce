// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/io/bg-raw-file.h"
#include "ui/model/bg-session.h"

G_BEGIN_DECLS

/**
 * bg_raw_job_open:
 *
 * Reads the voxels of @path as @description says, as a job, and adds them as a layer whose content is
 * kept in the case: the file alone would not say again what it is.
 */
void bg_raw_job_open(BgSession *session, const char *path, const BgRawDescription *description);

G_END_DECLS
