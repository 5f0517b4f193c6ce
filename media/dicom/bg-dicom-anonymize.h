// SPDX-License-Identifier: Apache-2.0
// De-identification by PS3.15 annex E, the Basic Application Level Confidentiality Profile.
#pragma once

#include "core/base/bg-progress.h"

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
 * @uid_map_path: (nullable): gets a CSV file "old,new" of all UIDs and patients' ids: keep it apart
 * @seed: the same seed makes the same new UIDs and codes of the same old ones; 0 for one by chance
 * @force: files that are in the way are replaced
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
    const char *uid_map_path;
    guint64 seed;
    gboolean force;
} BgDicomAnonymizeParams;

/**
 * BgDicomAnonymized:
 * @n_files: written
 * @n_skipped: that are no DICOM, or directories of it
 * @removed: of char *: "(gggg,eeee)" of all that was taken out, ascending
 * @replaced: of char *: alike, of all whose value was changed or emptied
 * @warnings: of char *: sentences: pictures whose pixels may hold text, ...
 */
typedef struct {
    gsize n_files;
    gsize n_skipped;
    GPtrArray *removed;
    GPtrArray *replaced;
    GPtrArray *warnings;
} BgDicomAnonymized;

void bg_dicom_anonymized_free(BgDicomAnonymized *result);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgDicomAnonymized, bg_dicom_anonymized_free)

/**
 * bg_dicom_anonymize:
 * @in: a file, or a folder with its tree
 * @out_folder: made when it is not there; files in it are called 000001.dcm and so on, for old names
 *   may name the patient
 *
 * Goes by what may stay, not by what must go: private elements, elements that PS3.6 does not know,
 * texts, names, dates and times go unless they are on a list of those that say nothing of a person.
 * UIDs become new ones, the same for the same, so references within the files go on to hold. Pixels
 * are copied as they are: text that is burned into them stays, and warnings name such files.
 * The preamble becomes zeros.
 *
 * Returns: (transfer full): or %NULL with %G_IO_ERROR (EXISTS without @force, or what the system
 *   says), %BG_ERROR_UNSUPPORTED: no DICOM there, %BG_ERROR_CORRUPT: a file that cannot be
 *   parsed to its pixels: nothing of it is written; %G_IO_ERROR_CANCELLED
 */
BgDicomAnonymized *bg_dicom_anonymize(const char *in, const char *out_folder,
                                      const BgDicomAnonymizeParams *params,
                                      const BgProgress *progress, GCancellable *cancellable,
                                      GError **error);

G_END_DECLS
