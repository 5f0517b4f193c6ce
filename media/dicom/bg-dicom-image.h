// SPDX-License-Identifier: Apache-2.0
// What the elements of one file say about its picture(s), checked, and frame by frame.
#pragma once

#include "bg-dicom-data.h"
#include "core/base/bg-affine.h"
#include "media/dicom/bg-dicom.h"

G_BEGIN_DECLS

typedef enum {
    BG_DCM_MONOCHROME1,
    BG_DCM_MONOCHROME2,
    BG_DCM_PALETTE,
    BG_DCM_RGB,
    BG_DCM_YBR_FULL,
    BG_DCM_YBR_422,
    BG_DCM_YBR_PARTIAL_422,
    BG_DCM_YBR_RCT, // JPEG 2000 undoes these two itself
    BG_DCM_YBR_ICT,
    BG_DCM_OTHER_COLOUR,
} BgDcmPhotometric;

/**
 * BgDcmPixels: the pixel module (PS3.3 C.7.6.3), in range: rows and columns 1..65535, samples 1..4,
 * bits_allocated 1, 8, 16, 32 or 64, 1 <= bits_stored <= bits_allocated
 */
typedef struct {
    int rows, columns;
    int n_samples;
    gboolean planar;
    int bits_allocated, bits_stored, high_bit;
    gboolean is_signed;
    gboolean is_float; // (7FE0,0008) or (7FE0,0009)
    BgDcmPhotometric photometric;
    guint32 n_frames;
} BgDcmPixels;

/**
 * BgDcmKey: what sets frames of one place apart, in the order in which they are sorted
 */
typedef enum {
    BG_DCM_KEY_ECHO,
    BG_DCM_KEY_TEMPORAL,
    BG_DCM_KEY_TRIGGER,
    BG_DCM_KEY_ACQUISITION,
    BG_DCM_KEY_TIME,
    BG_DCM_KEY_INSTANCE,
    BG_DCM_N_KEYS,
} BgDcmKey;

/**
 * BgDcmFrame:
 * @number: of the frame in its file, from 0; for a mosaic 0
 * @tile: of a mosaic, from 0, or -1
 * @position: LPS mm, the centre of the first pixel
 * @row, @column: unit vectors along which the column index and the row index grow
 * @spacing_mm: of columns (along @row) and of rows (along @column); 0 when unknown
 * @step_mm: the file's own distance of slices, or their thickness; 0 when unknown
 * @b_value: s/mm^2; negative when unknown
 */
typedef struct {
    guint32 number;
    int tile;
    gboolean has_place;
    BgVec3 position, row, column;
    double spacing_mm[2];
    double step_mm;
    double slope, intercept;                 // of the values that are loaded
    double display_slope, display_intercept; // of those that the file's windows are in
    double b_value;
    double key[BG_DCM_N_KEYS];
    int stack; // of enhanced files: (0020,9056), hashed
} BgDcmFrame;

typedef enum {
    BG_DCM_SPACING_NONE,
    BG_DCM_SPACING_PATIENT,    // (0028,0030) of a cross section: true
    BG_DCM_SPACING_CALIBRATED, // of a projection, corrected by a fiducial or the geometry
    BG_DCM_SPACING_DETECTOR,   // at the detector, not in the patient
    BG_DCM_SPACING_REGION,     // ultrasound's calibrated region
} BgDcmSpacing;

/**
 * BgDcmImage:
 * @reason: (nullable): why it cannot be loaded
 * @mosaic: tiles along one side; 0 when it is none
 * @kind: what else sets stacks apart: magnitude or phase, original or derived projection
 *
 * One file. Strings are interned by GRefString, so thousands of files share them.
 */
typedef struct {
    char *path;
    GRefString *patient_name, *patient_id, *patient_birth_date, *patient_sex;
    GRefString *study_uid, *study_date, *study_time, *study_description, *accession_number;
    GRefString *series_uid, *series_description, *series_date, *modality, *body_part;
    GRefString *frame_of_reference, *referenced_series_uid, *unit, *kind, *manufacturer;
    char sop_uid[65];
    char sop_class[65];
    int series_number;
    int instance_number;
    BgDicomContent content;
    BgDcmPixels pixels;
    BgDcmSyntax syntax;
    guint32 pixel_tag;
    guint64 pixel_offset;
    guint32 pixel_length;
    gboolean pixel_is_words; // OW: matters to 8-bit samples of big endian files
    guint64 file_size;
    BgDcmSpacing spacing_source;
    double aspect; // height over width of a pixel, where there is no spacing
    double tilt_deg;
    double repetition_s;
    double window[2]; // centre, width; width 0 when the file has none
    int mosaic;
    guint badges;
    gboolean has_modality_lut;
    char *provenance; // nullable: of a file that bregma wrote
    char *reason;
    char *note;     // nullable: a sentence for the warnings (Philips' scale, lossy, ...)
    GArray *frames; // BgDcmFrame
} BgDcmImage;

/** bg_dcm_image_new: from an open file. Never fails: what is wrong is in @reason */
BgDcmImage *bg_dcm_image_new(const BgDcmData *data);
void bg_dcm_image_free(BgDcmImage *image);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgDcmImage, bg_dcm_image_free)

/** bg_dcm_is_colour: what is shown in colour */
gboolean bg_dcm_is_colour(const BgDcmPixels *pixels);

/** bg_dcm_frame_normal: row x column, unit length */
BgVec3 bg_dcm_frame_normal(const BgDcmFrame *frame);

// What is done in files of their own, for bg-dicom-image.c.
void bg_dcm_image_read_frames(BgDcmImage *image, const BgDcmData *data);
gboolean bg_dcm_image_read_mosaic(BgDcmImage *image, const BgDcmData *data);

/** bg_dcm_read_b_value: s/mm^2, the standard's or its maker's; negative when the file does not say */
double bg_dcm_read_b_value(BgDcmSet set);

/** bg_dcm_csa_numbers: of Siemens' CSA header: Returns: how many values @name has, at most @max */
int bg_dcm_csa_numbers(BgDcmSet root, const char *name, double *values, int max);

gboolean bg_dcm_frame_read_place(BgDcmFrame *frame, BgDcmSet set);
void bg_dcm_image_read_suv(BgDcmImage *image, const BgDcmData *data);
void bg_dcm_image_set_note(BgDcmImage *image, const char *note);

G_END_DECLS
