// SPDX-License-Identifier: Apache-2.0
// Made-up DICOM files for the tests.
#pragma once

#include "core/io/bg-dicom-encode.h"

G_BEGIN_DECLS

/**
 * BgMadeSlice: one 16-bit slice. Pixel (i, j) is value + i + 10 * j, modulo 2^16
 * @size: columns and rows; 0: 8 columns and 6 rows
 * @position: LPS mm
 * @orientation: six cosines; NULL: axial
 * @no_place: leaves both out
 * @echo, @temporal: 0: left out
 * @text: more elements: (array zero-terminated of tag, text) is kept simple: only (0008,0005) and
 *   (0010,0010)
 */
typedef struct {
    const char *name;
    const char *series_uid;
    const char *sop_uid;
    const char *modality;
    double position[3];
    const double *orientation;
    gboolean no_place;
    double thickness;
    double slope, intercept;
    int echo;
    int temporal;
    int instance;
    int value;
    const char *charset;
    const char *patient;
    double tilt_deg;
    int size;
} BgMadeSlice;

#define BG_MADE_COLUMNS 8
#define BG_MADE_ROWS 6

/** bg_make_slice: writes @folder/@slice.name; explicit little endian */
void bg_make_slice(const char *folder, const BgMadeSlice *slice);

/** bg_make_folder: (transfer full): an empty one */
char *bg_make_folder(void);

/** bg_remove_folder: with the files in it; frees @folder */
void bg_remove_folder(char *folder);

G_END_DECLS
