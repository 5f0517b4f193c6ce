// SPDX-License-Identifier: Apache-2.0
// DICOM out: whose object it is, and what is written into it.
#pragma once

#include "bg-cli.h"

#include "core/image/bg-image.h"
#include "core/model/bg-mesh.h"
#include "core/volume/bg-label-map.h"

G_BEGIN_DECLS

/** BG_CLI_REFERENCE_OPTION: a row for the options of a command that writes DICOM */
#define BG_CLI_REFERENCE_OPTION                                                           \
    {                                                                                     \
        "reference", BG_CLI_PATH, "=DICOM  whose patient and study a .dcm is filed under" \
    }

/** bg_cli_is_dicom: whether the suffix of @path is .dcm */
gboolean bg_cli_is_dicom(const char *path);

/**
 * bg_cli_save_dicom_pictures: one: a secondary capture; several: a multi-frame one
 *
 * The patient, the study and the frame of reference are those of --reference, else of the first
 * input that names a patient; two known patients are a hard stop. With provenance.
 */
gboolean bg_cli_save_dicom_pictures(BgCli *cli, BgImage *const *images, gsize n_images,
                                    const char *path, GError **error);

/** bg_cli_save_dicom_labels: a segmentation */
gboolean bg_cli_save_dicom_labels(BgCli *cli, BgLabelMap *labels, const char *path, GError **error);

/** bg_cli_save_dicom_mesh: an encapsulated STL, LPS mm */
gboolean bg_cli_save_dicom_mesh(BgCli *cli, BgMesh *mesh, const char *path, GError **error);

G_END_DECLS
