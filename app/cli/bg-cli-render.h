// SPDX-License-Identifier: Apache-2.0
// Small parts of the command render.
#pragma once

#include "core/image/bg-image.h"
#include "core/model/bg-camera.h"
#include "core/volume/bg-geometry.h"

G_BEGIN_DECLS

/**
 * bg_cli_camera_s2:
 * @view: elevation, azimuth, roll in degrees, zoom
 *
 * The camera of TFGAN's data sets: 2.5 diagonals from the middle of the grid, 30 degrees over
 * zoom; elevation 85, azimuth 0 looks from superior with anterior up; elevation above 85 moves
 * towards anterior, azimuth turns about the anterior axis towards the right, in VTK's sense of
 * vtkCamera. The axes are RAS.
 */
BgCamera bg_cli_camera_s2(const double view[4], const BgGeometry *geometry, int width, int height);

/** bg_cli_drop_alpha: (transfer full): RGB of an opaque RGBA8 image; or %NULL with NO_MEMORY */
BgImage *bg_cli_drop_alpha(BgImage *rgba, GError **error);

G_END_DECLS
