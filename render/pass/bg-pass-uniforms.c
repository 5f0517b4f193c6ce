// SPDX-License-Identifier: Apache-2.0
#include "render/pass/bg-pass-uniforms.h"

#define FAR_MM 1e9 // farther than any patient: no clip box

void
bg_pass_set_vec3(GLuint program, const char *name, BgVec3 v)
{
    glUniform3f(glGetUniformLocation(program, name), (float) v.x, (float) v.y, (float) v.z);
}

static BgVec3
camera_axis(const BgCamera *camera, int row)
{
    const double(*m)[4] = camera->camera_from_patient.m;

    return bg_vec3(m[row][0], m[row][1], m[row][2]);
}

void
bg_pass_set_camera(GLuint program, const BgCastParams *params, const BgGlCamera *camera)
{
    // The light comes from the camera, moved by its tangents; up is against the camera's y.
    BgVec3 light = bg_vec3_scale(camera_axis(&params->camera, 2), -1.0);
    light = bg_vec3_along(light, params->light_right, camera_axis(&params->camera, 0));
    light = bg_vec3_along(light, -params->light_up, camera_axis(&params->camera, 1));

    bg_pass_set_vec3(program, "eye_mm", camera->eye_mm);
    bg_pass_set_vec3(program, "axis", camera->axis);
    bg_pass_set_vec3(program, "towards_light", bg_vec3_normalize(light));
}

void
bg_pass_set_clip(GLuint program, const BgCastParams *params)
{
    BgVec3 low = bg_vec3(-FAR_MM, -FAR_MM, -FAR_MM), high = bg_vec3(FAR_MM, FAR_MM, FAR_MM);

    bg_pass_set_vec3(program, "clip_low", params->clip_box ? params->clip_low : low);
    bg_pass_set_vec3(program, "clip_high", params->clip_box ? params->clip_high : high);

    float planes[4 * BG_CAST_MAX_PLANES] = { 0 };
    for (int i = 0; i < params->n_planes; i++) {
        BgVec3 normal = params->planes[i].normal;
        planes[4 * i] = (float) normal.x;
        planes[4 * i + 1] = (float) normal.y;
        planes[4 * i + 2] = (float) normal.z;
        planes[4 * i + 3] = (float) bg_vec3_dot(normal, params->planes[i].point_mm);
    }
    glUniform4fv(glGetUniformLocation(program, "planes"), BG_CAST_MAX_PLANES, planes);
    glUniform1i(glGetUniformLocation(program, "n_planes"), params->n_planes);
}

void
bg_pass_bind(GLuint program, const char *name, int unit, GLenum target, GLuint texture)
{
    glActiveTexture((GLenum) (GL_TEXTURE0 + unit));
    glBindTexture(target, texture);
    glUniform1i(glGetUniformLocation(program, name), unit);
}
