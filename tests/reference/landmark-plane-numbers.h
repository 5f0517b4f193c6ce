// SPDX-License-Identifier: Apache-2.0
// Made by landmark-plane.py: numpy 1.24.2, scipy 1.10.1.
// clang-format off
#pragma once

static const double plane_points[9][3] = {
    { 13.8452, -14.7661, 34.1716 },
    { 0.5432, -25.1984, 38.2229 },
    { 4.0862, -18.7411, 38.3126 },
    { 24.1319, 7.5105, 40.1067 },
    { 25.3202, 0.9974, 35.1724 },
    { 6.7871, -28.1068, 35.1188 },
    { 39.1183, 12.7664, 33.9699 },
    { 19.7624, -33.9139, 24.1476 },
    { 14.8404, -28.4105, 26.6651 },
};
static const double plane_centroid[3] = { 16.4927666667, -14.2069444444, 33.9875111111 };
static const double plane_normal[3] = { -0.457113335732, 0.367234944461, -0.810053019168 };
static const double plane_rms = 0.883020328936;
static const double plane_condition = 2.31624200662;
static const double hull_area = 887.029745463;
static const int hull_corners = 5;
static const int prism_voxels = 13303;
