// SPDX-License-Identifier: Apache-2.0
// Measurements, landmark lists and registrations: what a case keeps besides layers.
#include "bg-layer.h"

int
bg_measurement_count_points(BgMeasureKind kind)
{
    return kind == BG_MEASURE_ANGLE ? 3 : 2;
}

double
bg_measurement_length_mm(const BgMeasurement *measurement)
{
    return bg_vec3_distance(measurement->points_mm[0], measurement->points_mm[1]);
}

double
bg_measurement_angle_deg(const BgMeasurement *measurement)
{
    BgVec3 a = bg_vec3_sub(measurement->points_mm[0], measurement->points_mm[1]);
    BgVec3 b = bg_vec3_sub(measurement->points_mm[2], measurement->points_mm[1]);

    if (!(bg_vec3_length(a) > 0.0) || !(bg_vec3_length(b) > 0.0))
        return 0.0;
    // atan2 of cross and dot keeps its digits near 0 and 180 degrees, where acos loses half.
    return atan2(bg_vec3_length(bg_vec3_cross(a, b)), bg_vec3_dot(a, b)) * 180.0 / G_PI;
}

BgMeasurement *
bg_measurement_new(BgMeasureKind kind, const BgVec3 *points_mm)
{
    BgMeasurement *self = g_new0(BgMeasurement, 1);

    self->kind = kind;
    for (int i = 0; i < bg_measurement_count_points(kind); i++)
        self->points_mm[i] = points_mm[i];
    self->id = g_strdup("");
    self->name = g_strdup("");
    self->plane = g_strdup("");
    self->layer_id = g_strdup("");
    return self;
}

BgMeasurement *
bg_measurement_copy(const BgMeasurement *measurement)
{
    BgMeasurement *copy = bg_measurement_new(measurement->kind, measurement->points_mm);

    bg_layer_set_string(&copy->id, measurement->id);
    bg_layer_set_string(&copy->name, measurement->name);
    bg_layer_set_string(&copy->plane, measurement->plane);
    bg_layer_set_string(&copy->layer_id, measurement->layer_id);
    return copy;
}

void
bg_measurement_free(BgMeasurement *measurement)
{
    if (measurement == NULL)
        return;
    g_free(measurement->id);
    g_free(measurement->name);
    g_free(measurement->plane);
    g_free(measurement->layer_id);
    g_free(measurement);
}
