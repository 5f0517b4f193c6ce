// SPDX-License-Identifier: Apache-2.0
// What bregma makes of DICOM files, for check-dicom.py: one JSON object a line for each series and
// frame. usage: dump-dicom PATH [FOLDER], which gets each frame as a NIfTI file or PNG picture.
#include "core/base/bg-json.h"
#include "core/io/bg-image-io.h"
#include "core/io/bg-io.h"
#include "media/dicom/bg-dicom.h"

#include <math.h>

typedef struct {
    double low, high, sum;
    gsize n;
} Numbers;

static void
count(Numbers *numbers, double value)
{
    numbers->low = MIN(numbers->low, value);
    numbers->high = MAX(numbers->high, value);
    numbers->sum += value;
    numbers->n++;
}

static void
set_numbers(BgJson *json, const Numbers *numbers)
{
    bg_json_set_double(json, "min", numbers->low);
    bg_json_set_double(json, "max", numbers->high);
    bg_json_set_double(json, "mean", numbers->sum / (double) MAX(numbers->n, 1));
}

static void
measure_volume(BgVolume *volume, Numbers *numbers)
{
    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    g_autofree float *row = g_new(float, geometry->dims[0]);

    for (int k = 0; k < geometry->dims[2]; k++) {
        for (int j = 0; j < geometry->dims[1]; j++) {
            bg_volume_read_row(volume, j, k, row);
            for (int i = 0; i < geometry->dims[0]; i++)
                count(numbers, (double) row[i]);
        }
    }
}

static void
measure_image(BgImage *image, Numbers *numbers)
{
    const BgImageFormat *format = bg_image_get_format(image);
    gsize n = (gsize) format->width * (gsize) format->height * (gsize) format->n_channels;
    gconstpointer pixels = bg_image_get_pixels(image);

    for (gsize i = 0; i < n; i++)
        count(numbers, format->type == BG_PIXEL_UINT8 ? ((const guint8 *) pixels)[i]
                                                      : ((const guint16 *) pixels)[i]);
}

static void
set_info(BgJson *json, const BgFileInfo *info)
{
    double affine[16] = { [15] = 1.0 };

    bg_json_set_string(json, "kind", bg_kind_name(info->kind));
    bg_json_set_string(json, "datatype", info->datatype);
    bg_json_set_string(json, "modality", info->modality);
    bg_json_set_string(json, "unit", info->unit);
    bg_json_set_boolean(json, "side_known", info->side_known);
    for (int i = 0; i < 12; i++)
        affine[i] = info->geometry.patient_from_voxel.m[i / 4][i % 4];
    bg_json_set_doubles(json, "affine", affine, 16);
}

static void
dump_frame(BgDicomSeries *series, int frame, const char *folder)
{
    BgLoadParams params = bg_load_params_default();
    Numbers numbers = { HUGE_VAL, -HUGE_VAL, 0.0, 0 };
    double dims[3] = { series->dims[0], series->dims[1], series->dims[2] };
    g_autoptr(BgJson) json = bg_json_new_object();
    g_autoptr(GError) error = NULL;

    params.frame = frame;
    bg_json_set_string(json, "key", series->key);
    bg_json_set_string(json, "file", g_ptr_array_index(series->files, 0));
    bg_json_set_integer(json, "n_files", series->files->len);
    bg_json_set_integer(json, "content", series->content);
    bg_json_set_integer(json, "badges", series->badges);
    bg_json_set_integer(json, "frame", frame);
    bg_json_set_integer(json, "n_frames", series->n_frames);
    bg_json_set_string(json, "frame_kind", series->frame_kind != NULL ? series->frame_kind : "");
    bg_json_set_string(json, "patient", series->patient_name);
    bg_json_set_string(json, "description", series->series_description);
    bg_json_set_doubles(json, "dims", dims, 3);
    bg_json_set_doubles(json, "spacing", series->spacing_mm, 3);
    g_autoptr(BgLoaded) loaded = bg_dicom_load_series(series, &params, NULL, NULL, &error);
    if (loaded != NULL) {
        g_autofree char *name =
            g_strdup_printf("%s/%s-%d", folder != NULL ? folder : "", series->series_uid, frame);
        set_info(json, loaded->info);
        if (loaded->volume != NULL) {
            measure_volume(loaded->volume, &numbers);
            set_numbers(json, &numbers);
        } else if (loaded->labels != NULL) {
            g_autoptr(BgVolume) volume = bg_label_map_to_volume(loaded->labels, NULL);
            measure_volume(volume, &numbers);
            set_numbers(json, &numbers);
        } else if (loaded->image != NULL) {
            measure_image(loaded->image, &numbers);
            set_numbers(json, &numbers);
        }
        if (folder != NULL && loaded->volume != NULL) {
            g_autofree char *path = g_strconcat(name, ".nii", NULL);
            BgSaveParams save = { .force = TRUE };
            if (!bg_io_save_volume(loaded->volume, path, &save, NULL, NULL, &error))
                g_printerr("%s\n", error->message);
            bg_json_set_string(json, "nifti", path);
        }
    } else {
        bg_json_set_string(json, "error", error->message);
        bg_json_set_integer(json, "error_code",
                            error->domain == G_IO_ERROR ? -error->code : error->code);
    }
    g_ptr_array_add(series->warnings, NULL);
    g_autofree char *words = g_strjoinv(" | ", (char **) series->warnings->pdata);
    g_ptr_array_set_size(series->warnings, (int) series->warnings->len - 1);
    bg_json_set_string(json, "warnings", words);
    g_autofree char *text = bg_json_print(json, FALSE);
    g_print("%s\n", text);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    if (argc < 2) {
        g_printerr("usage: dump-dicom PATH [FOLDER]\n");
        return 2;
    }
    g_autoptr(GPtrArray) list = bg_dicom_scan(argv[1], NULL, NULL, &error);
    if (list == NULL) {
        g_autoptr(BgJson) json = bg_json_new_object();
        bg_json_set_string(json, "error", error->message);
        bg_json_set_integer(json, "error_code",
                            error->domain == G_IO_ERROR ? -error->code : error->code);
        g_autofree char *text = bg_json_print(json, FALSE);
        g_print("%s\n", text);
        return 1;
    }
    for (guint i = 0; i < list->len; i++) {
        BgDicomSeries *series = g_ptr_array_index(list, i);
        for (int frame = 0; frame < series->n_frames; frame++)
            dump_frame(series, frame, argc > 2 ? argv[2] : NULL);
    }
    return 0;
}
