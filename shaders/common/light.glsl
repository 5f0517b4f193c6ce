// SPDX-License-Identifier: Apache-2.0
// Phong's model with a white parallel headlight, two-sided, as the CPU's caster has it.
// normal: unit length, or zero: then the surface faces the light. towards_eye: unit length.
// phong: ambient, diffuse, specular, power.
vec3 shade(vec3 colour, vec3 normal, vec3 towards_light, vec3 towards_eye, vec4 phong)
{
    float facing = 1.0;
    float gleam = max(dot(towards_light, towards_eye), 0.0);
    if (dot(normal, normal) > 0.0) {
        float cosine = dot(normal, towards_light);
        facing = abs(cosine);
        gleam = max(dot(2.0 * cosine * normal - towards_light, towards_eye), 0.0);
    } else {
        gleam = max(dot(towards_light, towards_eye), 0.0);
    }
    float specular = phong.z > 0.0 && gleam > 0.0 ? phong.z * pow(gleam, phong.w) : 0.0;
    return clamp(colour * (phong.x + phong.y * facing) + specular, 0.0, 1.0);
}
