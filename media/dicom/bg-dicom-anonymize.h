// SPDX-License-Identifier: Apache-2.0
// De-identification by PS3.15 annex E, the Basic Application Level Confidentiality Profile.
#pragma once

#include "core/base/bg-json.h"

G_BEGIN_DECLS

/**
 * BgDicomAnonymizeParams:
 * @keep_uids: option "Retain UIDs" (113110)
 * @keep_dates: "Retain Longitudinal Temporal Information with Full Dates" (113106)
 * @keep_device: "Retain Device Identity" (113109)
 * @keep_institution: "Retain Institution Identity" (113112)
 * @keep_characteristics: "Retain Patient Characteristics" (113108): sex, age, size, weight
 * @keep_descriptions: study, series and protocol descriptions stay as they are, unread: they may
 *   name the patient, and a warning says so
 * @keep_graphics: overlays stay, which may show a name
 * @patient_name, @patient_id: (nullable): of the result; "Anonymous" and a code made from the old id
 * @salt: (nullable): the same salt makes the same new UIDs and codes of the same old ones; whoever
 *   knows it can try old ones out. Empty when %NULL
 *
 * Zeros are the default: everything goes.
 */
typedef struct {
    gboolean keep_uids;
    gboolean keep_dates;
    gboolean keep_device;
    gboolean keep_institution;
    gboolean keep_characteristics;
    gboolean keep_descriptions;
    gboolean keep_graphics;
    const char *patient_name;
    const char *patient_id;
    const char *salt;
} BgDicomAnonymizeParams;

/**
 * bg_dicom_anonymize:
 * @path: a file
 * @report: (nullable): gets removed and replaced (arrays of tags as numbers), uids (array of old,
 *   new, old, new, ...), old_id, new_id, burned_in (the pixels may hold text: nobody looked)
 *
 * Goes by what may stay, not by what must go: private elements, elements that PS3.6 does not know,
 * texts, names, dates and times go unless they are on a list of those that say nothing of a person.
 * UIDs become new ones, the same for the same, so references within a set of files go on to hold.
 * Pixels are copied as they are: text that is burned into them stays. The preamble becomes zeros;
 * what lies behind the pixels is left out.
 *
 * Returns: (transfer full): the new file's bytes; or %NULL with %G_IO_ERROR as the system says,
 *   %BG_ERROR_UNSUPPORTED: no DICOM, a directory of it, or 2 GiB and more; %BG_ERROR_CORRUPT: it
 *   cannot be parsed to its pixels' end; %BG_ERROR_NO_MEMORY
 */
GBytes *bg_dicom_anonymize(const char *path, const BgDicomAnonymizeParams *params, BgJson *report,
                           GError **error);

/** bg_dicom_anonymize_params_from_json: its strings live as long as @json */
BgDicomAnonymizeParams bg_dicom_anonymize_params_from_json(const BgJson *json);

G_END_DECLS
