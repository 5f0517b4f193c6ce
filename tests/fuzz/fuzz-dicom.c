// SPDX-License-Identifier: Apache-2.0
// One input for the reader of DICOM: any bytes must give a typed error, or series that load or say
// why not. Built once for each transfer syntax's corpus and one for the parser alone (BG_FUZZ_PARSER).
#include "core/base/bg-error.h"
#include "core/base/bg-parallel.h"
#include "fuzz-file.h"
#include "fuzz.h"
#include "media/dicom/bg-dicom-anonymize.h"
#include "media/dicom/bg-dicom-image.h"
#include "media/dicom/bg-dicom.h"

#define MAX_FRAMES 2 // of a series that are loaded

#ifdef BG_FUZZ_PARSER
static void
try_file(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BgDcmData) data = bg_dcm_data_open(path, &error);

    if (data == NULL) {
        g_assert_nonnull(error);
        return;
    }
    g_autoptr(BgDcmImage) image = bg_dcm_image_new(data);
    g_assert_nonnull(image);
}
#else
static void
check_error(const GError *error)
{
    g_assert_nonnull(error);
    g_assert_true(error->domain == BG_ERROR || error->domain == G_IO_ERROR);
    g_assert_true(g_utf8_validate(error->message, -1, NULL));
}

static void
try_series(BgDicomSeries *series)
{
    static const int dims[3] = { 8, 8, 4 };
    BgGeometry grid = bg_geometry_new_regular(dims, bg_vec3(1.0, 1.0, 1.0));

    for (int f = 0; f < MIN(series->n_frames, MAX_FRAMES); f++) {
        BgLoadParams params = { .frame = f, .component = -1, .as = BG_LOAD_AUTO };
        g_autoptr(GError) error = NULL;
        g_autoptr(BgLoaded) loaded = bg_dicom_load_series(series, &params, NULL, NULL, &error);
        if (loaded == NULL)
            check_error(error);
        else if (loaded->volume != NULL)
            g_assert_true(bg_geometry_check(bg_volume_get_geometry(loaded->volume), NULL));
    }
    if (series->content == BG_DICOM_CONTENT_RTSTRUCT) {
        g_autoptr(BgLoaded) loaded = bg_dicom_load_labels_on(series, &grid, NULL, NULL, NULL);
    }
    g_autoptr(BgImage) picture = bg_dicom_load_picture(series, 0, 0, 64, NULL, NULL);
}

static void
try_file(const char *path)
{
    BgDicomAnonymizeParams params = { .salt = "x" };
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) list = bg_dicom_scan(path, NULL, NULL, &error);

    if (list == NULL)
        check_error(error);
    for (guint i = 0; list != NULL && i < list->len; i++)
        try_series(g_ptr_array_index(list, i));
    g_autoptr(GBytes) bytes = bg_dicom_anonymize(path, &params, NULL, NULL);
}
#endif

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bg_parallel_set_threads(1);
    try_file(fuzz_file(data, size));
    return 0;
}
