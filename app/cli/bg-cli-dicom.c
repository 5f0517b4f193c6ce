// SPDX-License-Identifier: Apache-2.0
#include "bg-cli-dicom.h"

#include "core/base/bg-output.h"
#include "core/io/bg-dicom-write.h"

#include <string.h>

gboolean
bg_cli_is_dicom(const char *path)
{
    g_autofree char *lower = g_ascii_strdown(path, -1);

    return g_str_has_suffix(lower, ".dcm");
}

// --reference becomes the subject; an input of another patient does not get under this one's name.
static gboolean
find_subject(BgCli *cli, GError **error)
{
    const char *path = bg_cli_option(cli, "reference");

    if (path == NULL)
        return TRUE;
    g_autoptr(BgFileInfo) info = bg_io_probe(path, cli->cancellable, error);
    if (info == NULL) {
        bg_cli_blame_path(error, path);
        return FALSE;
    }
    if (cli->subject != NULL && !bg_cli_check_patients(cli, info, cli->subject, error))
        return FALSE;
    bg_cli_add_input(cli, path);
    bg_file_info_free(cli->subject);
    cli->subject = g_steal_pointer(&info);
    return TRUE;
}

// Labels refer to the series that they were drawn on, not to other labels.
static gboolean
is_drawn_on(const BgFileInfo *subject)
{
    return subject->series_uid != NULL && subject->kind == BG_KIND_VOLUME;
}

static gboolean
prepare(BgCli *cli, BgDicomWriteParams *params, char **provenance, GError **error)
{
    if (!find_subject(cli, error))
        return FALSE;
    *provenance = bg_cli_provenance(cli, error);
    if (*provenance == NULL)
        return FALSE;
    params->provenance = *provenance;
    params->seed = (guint64) cli->seed;
    const BgFileInfo *subject = cli->subject;
    if (subject == NULL) {
        bg_cli_add_warning(cli, "no input names a patient: the DICOM file has no identity. Give "
                                "--reference=DICOM where the command has it");
        return TRUE;
    }
    params->patient_name = subject->patient_name;
    params->patient_id = subject->patient_id;
    params->patient_birth_date = subject->patient_birth_date;
    params->patient_sex = subject->patient_sex;
    params->study_uid = subject->study_uid;
    params->study_date = subject->study_date;
    params->study_time = subject->study_time;
    params->study_description = subject->study_description;
    params->accession_number = subject->accession_number;
    params->frame_of_reference = subject->frame_of_reference;
    if (is_drawn_on(subject)) {
        params->referenced_series_uid = subject->series_uid;
        params->referenced_class = subject->source_class;
        params->referenced_instances = subject->source_instances;
        params->referenced_grid = subject->has_geometry ? &subject->geometry : NULL;
    }
    return TRUE;
}

static gboolean
write_bytes(BgCli *cli, GBytes *made, const char *path, GError **error)
{
    g_autoptr(GBytes) bytes = made;
    gboolean ok =
        bytes != NULL && bg_output_replace(path, cli->force, g_bytes_get_data(bytes, NULL),
                                           g_bytes_get_size(bytes), error);

    return bg_cli_wrote(cli, ok, path, error);
}

gboolean
bg_cli_save_dicom_pictures(BgCli *cli, BgImage *const *images, gsize n_images, const char *path,
                           GError **error)
{
    BgDicomWriteParams params = { .series_description = cli->command->name };
    g_autofree char *provenance = NULL;

    if (!prepare(cli, &params, &provenance, error))
        return FALSE;
    params.referenced_series_uid = NULL; // of segmentations
    return write_bytes(cli, bg_dicom_make_sc(images, n_images, &params, error), path, error);
}

gboolean
bg_cli_save_dicom_labels(BgCli *cli, BgLabelMap *labels, const char *path, GError **error)
{
    BgDicomWriteParams params = { .series_description = "Segmentation" };
    g_autofree char *provenance = NULL;

    if (!prepare(cli, &params, &provenance, error))
        return FALSE;
    return write_bytes(cli, bg_dicom_make_seg(labels, NULL, &params, error), path, error);
}

gboolean
bg_cli_save_dicom_mesh(BgCli *cli, BgMesh *mesh, const char *path, GError **error)
{
    BgDicomWriteParams params = { .series_description = "Surface" };
    g_autofree char *provenance = NULL;

    if (!prepare(cli, &params, &provenance, error))
        return FALSE;
    return write_bytes(cli, bg_dicom_make_stl(mesh, &params, error), path, error);
}
