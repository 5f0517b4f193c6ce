// SPDX-License-Identifier: Apache-2.0
layout(location = 0) in vec3 position; // LPS mm
layout(location = 1) in vec3 normal;   // LPS, unit length; zero where the mesh has none

uniform mat4 clip_from_patient;

out vec3 patient_mm;
out vec3 vertex_normal;

void main()
{
    patient_mm = position;
    vertex_normal = normal;
    gl_Position = clip_from_patient * vec4(position, 1.0);
}
