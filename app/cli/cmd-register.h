// SPDX-License-Identifier: Apache-2.0
// What the verbs of "register" and "landmarks" share.
#pragma once

#include "bg-cli.h"

#include "core/model/bg-landmarks.h"
#include "core/model/bg-transform.h"

G_BEGIN_DECLS

/** bg_cli_load_landmarks: as --space says, noted as an input; warnings go to the result's "warnings" */
BgLandmarks *bg_cli_load_landmarks(BgCli *cli, const char *path, GError **error);

/** bg_cli_set_transform: "matrix", row-major: 16 numbers, or 9 of pictures; RAS where asked for */
void bg_cli_set_transform(const BgCli *cli, BgJson *json, const BgTransform *transform);

/** bg_cli_save_transform: to -o where that was given; @made: as of bg_transform_save() */
gboolean bg_cli_save_transform(BgCli *cli, const BgTransform *transform, const BgJson *made,
                               GError **error);

/** bg_cli_load_start: --from=T: @n_axes: 3 of patients, 2 of pictures; @given: (out): whether there is one */
gboolean bg_cli_load_start(BgCli *cli, int n_axes, gboolean *given, BgAffine *fixed_from_moving,
                           GError **error);

extern const BgCliCommand bg_cli_verb_landmarks_convert;
extern const BgCliCommand bg_cli_verb_landmarks_refine;
extern const BgCliCommand bg_cli_verb_register_apply;
extern const BgCliCommand bg_cli_verb_register_camera;
extern const BgCliCommand bg_cli_verb_register_pictures;
extern const BgCliCommand bg_cli_verb_register_points;
extern const BgCliCommand bg_cli_verb_register_project;
extern const BgCliCommand bg_cli_verb_register_volumes;

G_END_DECLS
