// SPDX-License-Identifier: Apache-2.0
// DICOM out: pictures as secondary captures, label maps as segmentations, surfaces as encapsulated STL.
#pragma once

#include "core/image/bg-image.h"
#include "core/model/bg-label-table.h"
#include "core/model/bg-mesh.h"
#include "core/volume/bg-label-map.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * BgDicomWriteParams:
 * @patient_name...@accession_number: (nullable): of the series that the object was made from, UTF-8;
 *   an object without a patient's name and id is "bregma^no identity"
 * @study_uid: (nullable): a new study when %NULL
 * @frame_of_reference: (nullable): needed for SEG and STL to lie where they belong: a new one when
 *   %NULL
 * @referenced_series_uid: (nullable): of SEG: the series that the labels were drawn on
 * @referenced_class, @referenced_instances, @referenced_grid: (nullable): of SEG: that series' slices,
 *   as BgFileInfo has them: each frame names the one that it was drawn on
 * @series_description: (nullable)
 * @series_number: 0 for none
 * @provenance: (nullable): JSON text that goes into a private element, (0029,1001) of "BREGMA"
 * @time: seconds since 1970, UTC, of the content; 0: when it is written
 * @seed: of the new UIDs; 0 for ones that never come twice
 *
 * Zeros are the default.
 */
typedef struct {
    const char *patient_name;
    const char *patient_id;
    const char *patient_birth_date;
    const char *patient_sex;
    const char *study_uid;
    const char *study_date;
    const char *study_time;
    const char *study_description;
    const char *accession_number;
    const char *frame_of_reference;
    const char *referenced_series_uid;
    const char *referenced_class, *referenced_instances;
    const BgGeometry *referenced_grid;
    const char *series_description;
    int series_number;
    const char *provenance;
    gint64 time;
    guint64 seed;
} BgDicomWriteParams;

/**
 * bg_dicom_make_sc:
 * @images: (array length=n_images): of equal size and format: 8 or 16 bits, 1 or 3 channels, or 4,
 *   whose alpha is put onto black
 *
 * One picture is a Secondary Capture Image, several are a Multi-frame Secondary Capture (grey byte,
 * grey word or true colour). 16-bit colour is written with 8 bits, as the standard asks. The
 * calibration goes along. Explicit VR little endian, the preamble all zeros.
 *
 * Returns: (transfer full): the file's bytes; or %NULL with %BG_ERROR_INVALID: no pictures, or unequal
 *   ones; %BG_ERROR_UNSUPPORTED: float pixels, or 2 GiB and more; %BG_ERROR_NO_MEMORY
 */
GBytes *bg_dicom_make_sc(BgImage *const *images, gsize n_images, const BgDicomWriteParams *params,
                         GError **error);

/**
 * bg_dicom_make_seg:
 * @table: (nullable): names and colours
 *
 * A binary segmentation: a segment each label, frames where it occurs. Segments are numbered from 1
 * without gaps, as the standard asks; the label's own number is in (0029,1002) of the segment, and
 * bg_dicom_load_series() gives it back.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_INVALID: no label occurs; %BG_ERROR_UNSUPPORTED: a
 *   sheared grid, more than 65535 labels, 2 GiB and more; %BG_ERROR_NO_MEMORY
 */
GBytes *bg_dicom_make_seg(BgLabelMap *labels, BgLabelTable *table, const BgDicomWriteParams *params,
                          GError **error);

/**
 * bg_dicom_make_stl:
 *
 * An Encapsulated STL, binary, LPS millimetres.
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_INVALID: an empty mesh; %BG_ERROR_UNSUPPORTED: 2 GiB
 *   and more; %BG_ERROR_NO_MEMORY
 */
GBytes *bg_dicom_make_stl(BgMesh *mesh, const BgDicomWriteParams *params, GError **error);

/** bg_dicom_new_uid: (transfer full): "2.25." and a random number of 128 bits (PS3.5 B.2) */
char *bg_dicom_new_uid(void);

G_END_DECLS
