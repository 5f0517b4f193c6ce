// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bg-dicom-data.h"

G_BEGIN_DECLS

typedef enum {
    BG_DCM_PARSE_DONE,   // the pixels or the end of the data were reached
    BG_DCM_PARSE_MORE,   // an element goes on beyond the bytes that are there
    BG_DCM_PARSE_FAILED, // with an error
} BgDcmParseResult;

/** bg_dcm_parse_meta: group 0002, from *@start, which is moved behind it; settles data->syntax */
gboolean bg_dcm_parse_meta(BgDcmData *data, gsize *start, GError **error);

/**
 * bg_dcm_parse:
 * @start: where the data set begins in data->bytes
 * @needed: (out): with MORE: the bytes that are wanted at least
 *
 * Fills data->elements anew, and the pixel members.
 */
BgDcmParseResult bg_dcm_parse(BgDcmData *data, gsize start, gsize *needed, GError **error);

/** bg_dcm_is_vr: PS3.5 6.2; *@is_long: its length has 4 bytes after 2 reserved ones */
gboolean bg_dcm_is_vr(const guint8 *p, gboolean *is_long);

G_END_DECLS
