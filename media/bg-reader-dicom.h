// SPDX-License-Identifier: Apache-2.0
// How a series of DICOM becomes an entry of bg_io_scan()'s list, and how it is found again.
#pragma once

#include "core/io/bg-series.h"
#include "media/dicom/bg-dicom.h"

G_BEGIN_DECLS

/** bg_series_new_for_dicom: (transfer full): with a token */
BgSeries *bg_series_new_for_dicom(BgDicomSeries *series);

/**
 * bg_dicom_series_from_token:
 *
 * Returns: (transfer full): or %NULL with %BG_ERROR_CORRUPT
 */
BgDicomSeries *bg_dicom_series_from_token(const char *token, GError **error);

/**
 * bg_dicom_choose:
 * @list: of BgDicomSeries, as a scan gives it
 * @name: (nullable): as in BgLoadParams; %NULL: the first that can be loaded
 *
 * Returns: (transfer none): or %NULL with %BG_ERROR_INVALID or %BG_ERROR_UNSUPPORTED
 */
BgDicomSeries *bg_dicom_choose(GPtrArray *list, const char *name, GError **error);

/**
 * bg_dicom_load_of:
 * @list: (nullable): of all series beside it: contours are drawn on the grid of another
 *
 * As bg_dicom_load_series().
 */
BgLoaded *bg_dicom_load_of(GPtrArray *list, BgDicomSeries *series, const BgLoadParams *params,
                           const BgProgress *progress, GCancellable *cancellable, GError **error);

G_END_DECLS
