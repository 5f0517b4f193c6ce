// SPDX-License-Identifier: Apache-2.0
// What convert and filter share: a file's volume or label map, changed and written.
#pragma once

#include "bg-cli.h"

#include "core/volume/bg-crop.h"
#include "core/volume/bg-resample.h"

G_BEGIN_DECLS

/** BgCliGrid: either a volume or labels; both owned */
typedef struct {
    BgVolume *volume;
    BgLabelMap *labels;
} BgCliGrid;

void bg_cli_grid_clear(BgCliGrid *grid);
const BgGeometry *bg_cli_grid_get_geometry(const BgCliGrid *grid);

/** bg_cli_grid_take: replaces the content; @volume or @labels: (transfer full) (nullable); FALSE if both are NULL */
gboolean bg_cli_grid_take(BgCliGrid *grid, BgVolume *volume, BgLabelMap *labels);

/** bg_cli_grid_take_loaded: what is in @loaded leaves it; images and meshes are refused */
gboolean bg_cli_grid_take_loaded(BgCliGrid *grid, BgLoaded *loaded, const char *path,
                                 GError **error);

/** bg_cli_grid_load: as the file says; images and meshes are refused */
gboolean bg_cli_grid_load(BgCli *cli, const char *path, int frame, BgCliGrid *grid,
                          BgFileInfo **info, GError **error);

/**
 * bg_cli_get_target: --spacing=a,b,c or --like=FILE
 * @given: (out): whether one of them was
 */
gboolean bg_cli_get_target(BgCli *cli, const BgGeometry *source, BgGeometry *target,
                           gboolean *given, GError **error);

/** bg_cli_get_method: --interpolation, linear unless given */
gboolean bg_cli_get_method(const BgCli *cli, BgResampleMethod *method, GError **error);

gboolean bg_cli_grid_resample(BgCli *cli, BgCliGrid *grid, const BgGeometry *target,
                              BgResampleMethod method, GError **error);

/** bg_cli_grid_save: with provenance; @info: (nullable): modality and unit */
gboolean bg_cli_grid_save(BgCli *cli, const BgCliGrid *grid, const char *path,
                          const BgFileInfo *info, GError **error);

/** bg_cli_set_grid: output, dims, spacing_mm, value_sum and more of what was written */
gboolean bg_cli_set_grid(BgCli *cli, const BgCliGrid *grid, const char *path, GError **error);

G_END_DECLS
