// SPDX-License-Identifier: Apache-2.0
layout(location = 0) in vec3 position; // LPS mm
layout(location = 1) in vec3 normal;   // LPS, unit length; zero where the mesh has none
#ifdef DISTANCE
layout(location = 2) in float distance; // to another surface, mm, negative inside
#endif

uniform mat4 clip_from_patient;

out vec3 patient_mm;
out vec3 vertex_normal;
#ifdef DISTANCE
out float other_mm;
#endif

void main()
{
    patient_mm = position;
    vertex_normal = normal;
#ifdef DISTANCE
    other_mm = distance;
#endif
    gl_Position = clip_from_patient * vec4(position, 1.0);
}
