// SPDX-License-Identifier: Apache-2.0
#include "core/model/bg-distance-colour.h"

// ColorBrewer's RdBu (Harrower and Brewer 2003), turned round: #2166AC #67A9CF #F7F7F7 #EF8A62 #B2182B
const float bg_distance_colours[BG_DISTANCE_COLOURS][3] = {
    { 0x21 / 255.0f, 0x66 / 255.0f, 0xAC / 255.0f },
    { 0x67 / 255.0f, 0xA9 / 255.0f, 0xCF / 255.0f },
    { 0xF7 / 255.0f, 0xF7 / 255.0f, 0xF7 / 255.0f },
    { 0xEF / 255.0f, 0x8A / 255.0f, 0x62 / 255.0f },
    { 0xB2 / 255.0f, 0x18 / 255.0f, 0x2B / 255.0f },
};

void
bg_distance_colour(double distance_mm, double range_mm, double rgb[3])
{
    g_return_if_fail(range_mm > 0.0);

    double at = (CLAMP(distance_mm / range_mm, -1.0, 1.0) + 1.0) * 0.5 * (BG_DISTANCE_COLOURS - 1);
    int below = MIN((int) at, BG_DISTANCE_COLOURS - 2);
    double share = at - below;

    for (int c = 0; c < 3; c++)
        rgb[c] = (1.0 - share) * (double) bg_distance_colours[below][c] +
                 share * (double) bg_distance_colours[below + 1][c];
}
