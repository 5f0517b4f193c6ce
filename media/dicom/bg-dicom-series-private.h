// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bg-dicom-stack.h"

G_BEGIN_DECLS

/** bg_dicom_series_new: from a stack; (transfer full) */
BgDicomSeries *bg_dicom_series_new(const BgDcmStack *stack);

/**
 * bg_dcm_read_images:
 * @paths: (array length=n_paths)
 * @strict: a file that is no DICOM or cannot be read is an error; else it is left out
 *
 * Reads the headers on all threads.
 *
 * Returns: (transfer full) (element-type BgDcmImage): in the order of @paths; or %NULL with
 *   %G_IO_ERROR_CANCELLED, or a file's error
 */
GPtrArray *bg_dcm_read_images(const char *const *paths, gsize n_paths, gboolean strict,
                              GCancellable *cancellable, GError **error);

/**
 * BgDcmOpened: a series' stack, read again
 */
typedef struct {
    GPtrArray *images; // owned
    GPtrArray *stacks; // owned
    BgDcmStack *stack; // in stacks
} BgDcmOpened;

/** bg_dcm_open_series: the errors of bg_dicom_load_series() */
gboolean bg_dcm_open_series(BgDicomSeries *series, BgDcmOpened *opened, GCancellable *cancellable,
                            GError **error);
void bg_dcm_opened_clear(BgDcmOpened *opened);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BgDcmOpened, bg_dcm_opened_clear)

/** bg_dcm_sample_format: how the samples of a stack are kept in memory */
BgSampleFormat bg_dcm_sample_format(const BgDcmStack *stack, gboolean *is_label);

/** bg_dcm_file_info: what bg_io_probe() would say; (transfer full) */
BgFileInfo *bg_dcm_file_info(const BgDcmStack *stack);

G_END_DECLS
