// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bg-dicom-anonymize.h"
#include "bg-dicom-data.h"

G_BEGIN_DECLS

typedef enum {
    BG_DCM_KEEP,
    BG_DCM_REMOVE,
    BG_DCM_EMPTY,      // the element must be there, its value not
    BG_DCM_NEW_UID,    // unless it is one of the standard's
    BG_DCM_NEW_NAME,   // the patient's
    BG_DCM_NEW_ID,     // alike
    BG_DCM_DUMMY_TEXT, // where a value must be
    BG_DCM_DUMMY_DATE,
    BG_DCM_CLEAN_ITEMS, // a sequence whose items are looked at
} BgDcmRule;

/** bg_dcm_anonymize_rule: @vr: of the file, or of the dictionary; @has_items: it was parsed as a sequence */
BgDcmRule bg_dcm_anonymize_rule(const BgDicomAnonymizeParams *params, guint32 tag, guint16 vr,
                                gboolean has_items);

G_END_DECLS
