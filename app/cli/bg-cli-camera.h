// SPDX-License-Identifier: Apache-2.0
// Cameras as files: what "calibrate", "register camera" and "render" share.
#pragma once

#include "bg-cli.h"

#include "core/image/bg-image.h"
#include "core/io/bg-io.h"
#include "core/model/bg-camera.h"

G_BEGIN_DECLS

/** bg_cli_load_intrinsics: K, distortion and size, noted as an input; the error names the file */
gboolean bg_cli_load_intrinsics(BgCli *cli, const char *path, BgCamera *camera, GError **error);

/** bg_cli_load_picture: (transfer full): a photograph, noted as an input; the error names the file */
BgImage *bg_cli_load_picture(BgCli *cli, const char *path, GError **error);

/**
 * bg_cli_guess_camera:
 * @info: of a photograph: its EXIF's focal length and sensor, and its size
 *
 * Returns: %FALSE when the file does not say; a warning tells that the camera is guessed
 */
gboolean bg_cli_guess_camera(BgCli *cli, const BgFileInfo *info, BgCamera *camera);

/**
 * bg_cli_save_camera:
 * @json: what the file says besides; taken
 *
 * To -o where that was given, with provenance.
 */
gboolean bg_cli_save_camera(BgCli *cli, BgJson *json, GError **error);

/** bg_cli_set_pose: "K", "R", "t", "P" = K (R | t); out of RAS where that is asked for */
void bg_cli_set_pose(const BgCli *cli, BgJson *json, const BgCamera *camera);

G_END_DECLS
