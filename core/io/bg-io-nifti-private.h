// SPDX-License-Identifier: Apache-2.0
// NIfTI-1 and NIfTI-2 headers as numbers: what reader and writer have in common.
#pragma once

#include "bg-io-raw.h"

G_BEGIN_DECLS

#define BG_NIFTI1_HEADER 348
#define BG_NIFTI2_HEADER 540
#define BG_NIFTI_INTENT_LABEL 1002
#define BG_NIFTI_CODE_COMMENT 6 // of a header extension: plain text
#define BG_NIFTI_UNITS_MM_S (2 | 8)

/**
 * BgNiftiHeader:
 * @version: 1 or 2
 * @pair: header and voxels in two files
 *
 * The fields that bregma uses, of either version, in this machine's byte order.
 */
typedef struct {
    int version;
    gboolean big_endian;
    gboolean pair;
    gint64 dim[8];
    int datatype, bitpix, intent_code, qform_code, sform_code, xyzt_units;
    double pixdim[8];
    double vox_offset, scl_slope, scl_inter;
    double quatern[3], qoffset[3];
    double srow[3][4];
    char descrip[81];
} BgNiftiHeader;

/** bg_nifti_from_ras: RAS millimetres to LPS: the one place where this format's space is turned */
BgAffine bg_nifti_from_ras(const BgAffine *ras_from_voxel);

/**
 * bg_nifti_quaternion_affine: the standard's method 2
 * Returns: ras_from_voxel
 */
BgAffine bg_nifti_quaternion_affine(const BgNiftiHeader *header);

/**
 * bg_nifti_quaternion_from_affine:
 * @quatern: (out): b, c, d; @qfac: (out): -1 where the axes are left-handed
 *
 * Returns: %FALSE when the axes are not at right angles (within 1e-4), so that no quaternion says them
 */
gboolean bg_nifti_quaternion_from_affine(const BgAffine *ras_from_voxel, double quatern[3],
                                         double *qfac);

/**
 * bg_nifti_find_image_of_pair:
 * @path: of the header
 *
 * X.hdr has its voxels in X.img, X.hdr.gz in X.img.gz; where that is not there, packed or unpacked
 * alone is the other. No other name is ever tried.
 *
 * Returns: (transfer full): or %NULL with %G_IO_ERROR_NOT_FOUND
 */
char *bg_nifti_find_image_of_pair(const char *path, GError **error);

G_END_DECLS
