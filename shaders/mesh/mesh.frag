// SPDX-License-Identifier: Apache-2.0
// One layer of the meshes' walls: the next one behind the layer before. Colour and opacity, and the
// distance along the ray in mm.
in vec3 patient_mm;
in vec3 vertex_normal;
#ifdef DISTANCE
in float other_mm;           // distance to another surface, negative inside

uniform vec3 colours[5];     // sRGB at -1, -1/2, 0, 1/2, 1 of the range
uniform float range_mm;
#endif

uniform vec3 eye_mm;         // perspective: the camera's centre; parallel: on its z = 0 plane
uniform vec3 axis;           // the camera's z axis, unit length
uniform vec3 towards_light;  // unit length
uniform vec4 phong;          // ambient, diffuse, specular, power
uniform vec4 rgb_opacity;
uniform vec3 clip_low;       // LPS mm; the box that is kept
uniform vec3 clip_high;
uniform vec4 planes[8];      // normal, and its product with a point: kept where dot(normal, p) >= w
uniform int n_planes;
uniform sampler2D before;    // distance of the layer in front, 0 for none

layout(location = 0) out vec4 colour;
layout(location = 1) out float distance_mm;

void main()
{
#ifdef CLIP
    if (any(lessThan(patient_mm, clip_low)) || any(greaterThan(patient_mm, clip_high)))
        discard;
    for (int i = 0; i < n_planes; i++)
        if (dot(planes[i].xyz, patient_mm) < planes[i].w)
            discard;
#endif

#ifdef PARALLEL
    vec3 ray = axis;
    distance_mm = dot(patient_mm - eye_mm, axis);
#else
    vec3 ray = normalize(patient_mm - eye_mm);
    distance_mm = length(patient_mm - eye_mm);
#endif
    if (distance_mm <= texelFetch(before, ivec2(gl_FragCoord.xy), 0).r)
        discard;

    vec3 normal = vertex_normal;
    if (dot(normal, normal) < 0.25)
        normal = cross(dFdx(patient_mm), dFdy(patient_mm));
#ifdef DISTANCE
    float at = (clamp(other_mm / range_mm, -1.0, 1.0) + 1.0) * 2.0;
    int below = min(int(at), 3);
    vec3 rgb = mix(colours[below], colours[below + 1], at - float(below));
#else
    vec3 rgb = rgb_opacity.rgb;
#endif
    colour = vec4(shade(rgb, normalize(normal), towards_light, -ray, phong), rgb_opacity.a);
}
