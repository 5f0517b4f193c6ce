// SPDX-License-Identifier: Apache-2.0
// A ray through each pixel's centre; the same rules as core/cast/bg-cast.h. Features, each a
// program of its own: one of COMPOSITE MIP MINIP MEAN ISO; SHADE; GRADIENT_OPACITY; PACKED (the
// gradient lies beside the value); PARALLEL; MESH_LAYERS n; NO_VOLUME.
uniform mat3 patient_from_ray; // (u, v, 1) to a direction, perspective; to an offset, parallel
uniform vec3 eye_mm;           // perspective: the camera's centre; parallel: the picture's (0, 0)
uniform vec3 axis;             // the camera's z axis, unit length
uniform vec3 towards_light;    // unit length
uniform float picture_height;
uniform vec3 background_top;
uniform vec3 background_bottom;
uniform bool transparent;
uniform float early_alpha;
uniform float depth_alpha;
uniform vec3 clip_low;
uniform vec3 clip_high;
uniform vec4 planes[8];
uniform int n_planes;

#ifndef NO_VOLUME
uniform sampler3D volume;
uniform sampler1D opacity_of; // r: opacity of unit_distance_mm, over domain
uniform sampler1D colour_of;  // over domain
uniform sampler1D gradient_opacity_of;
uniform vec2 domain;          // the value at the tables' first entry; 1 / (last - first)
uniform float gradient_domain; // 1 / the magnitude per mm at the table's last entry
uniform mat4 voxel_from_patient;
uniform mat3 patient_gradient_from_voxel; // inverse transpose of the affine's 3x3
uniform vec3 dims;
uniform vec2 value_of;        // value = x * texel + y
uniform vec4 gradient_of;     // packed: gradient along voxel axes = (texel - w) * xyz
uniform float step_mm;
uniform float unit_distance_mm;
uniform float iso_value;
uniform vec4 phong;
#endif

#ifdef MESH_LAYERS
uniform sampler2DArray layer_colour;
uniform sampler2DArray layer_distance; // mm along the ray; 0 for none
#endif

layout(location = 0) out vec4 picture;
layout(location = 1) out float picture_depth_mm;

const float FAR = 1e30;
const float TABLE = 4096.0; // entries of the tables

vec4 front;     // colour times coverage, and coverage, of what is nearer
float depth_mm; // where depth_alpha was reached

void put(vec3 colour, float alpha, float at_mm)
{
    front.rgb += (1.0 - front.a) * alpha * colour;
    front.a += (1.0 - front.a) * alpha;
    if (front.a >= depth_alpha && depth_mm == FAR)
        depth_mm = at_mm;
}

void cut(inout vec2 span, float from, float along)
{
    // Kept where from + t * along >= 0.
    if (along > 0.0)
        span.x = max(span.x, -from / along);
    else if (along < 0.0)
        span.y = min(span.y, -from / along);
    else if (from < 0.0)
        span.y = -FAR;
}

void cut_box(inout vec2 span, vec3 origin, vec3 direction, vec3 low, vec3 high)
{
    for (int i = 0; i < 3; i++) {
        cut(span, origin[i] - low[i], direction[i]);
        cut(span, high[i] - origin[i], -direction[i]);
    }
}

#ifndef NO_VOLUME
float table(float at)
{
    return (clamp(at, 0.0, 1.0) * (TABLE - 1.0) + 0.5) / TABLE;
}

vec4 texel(vec3 voxel)
{
    return texture(volume, (voxel + 0.5) / dims);
}

float value_at(vec3 voxel)
{
#ifdef PACKED
    return value_of.x * texel(voxel).a + value_of.y;
#else
    return value_of.x * texel(voxel).r + value_of.y;
#endif
}

vec3 gradient_at(vec3 voxel)
{
#ifdef PACKED
    vec3 d = texel(voxel).rgb - gradient_of.w;
    if (dot(d, d) < 1e-10) // rounding of the filter, a third of a step of the texture
        return vec3(0.0);
    return patient_gradient_from_voxel * (d * gradient_of.xyz);
#else
    voxel = clamp(voxel, vec3(0.0), dims - 1.0); // beyond the edge its voxels go on
    vec3 d;
    for (int i = 0; i < 3; i++) {
        vec3 aside = vec3(0.0);
        aside[i] = 1.0;
        d[i] = 0.5 * (value_at(voxel + aside) - value_at(voxel - aside));
    }
    return patient_gradient_from_voxel * d;
#endif
}

vec3 lit(vec3 colour, vec3 gradient, vec3 ray)
{
#ifdef SHADE
    float magnitude = length(gradient);
    return shade(colour, magnitude > 0.0 ? gradient / magnitude : vec3(0.0), towards_light, -ray, phong);
#else
    return colour;
#endif
}

#ifdef COMPOSITE
void part(vec3 voxel_origin, vec3 voxel_ray, float from_mm, float to_mm, vec3 ray)
{
    float at_mm = 0.5 * (from_mm + to_mm);
    float length_mm = to_mm - from_mm;
    vec3 voxel = voxel_origin + at_mm * voxel_ray;
    float value = value_at(voxel);
    float place = table((value - domain.x) * domain.y);
    float opacity = texture(opacity_of, place).r;
    if (opacity <= 0.0)
        return;
#if defined(SHADE) || defined(GRADIENT_OPACITY)
    vec3 gradient = gradient_at(voxel);
#else
    vec3 gradient = vec3(0.0);
#endif
#ifdef GRADIENT_OPACITY
    opacity *= texture(gradient_opacity_of, table(length(gradient) * gradient_domain)).r;
    if (opacity <= 0.0)
        return;
#endif
    float alpha = opacity >= 1.0 ? 1.0 : 1.0 - pow(1.0 - opacity, length_mm / unit_distance_mm);
    put(lit(texture(colour_of, place).rgb, gradient, ray), alpha, at_mm);
}
#endif
#endif

#ifdef MESH_LAYERS
void put_layer(int layer)
{
    ivec3 at = ivec3(gl_FragCoord.xy, layer);
    vec4 colour = texelFetch(layer_colour, at, 0);
    float at_mm = texelFetch(layer_distance, at, 0).r;
    if (at_mm > 0.0)
        put(colour.rgb, colour.a, at_mm);
}
#endif

void main()
{
    vec3 pixel = vec3(gl_FragCoord.xy - 0.5, 1.0);
#ifdef PARALLEL
    vec3 origin = eye_mm + patient_from_ray * pixel;
    vec3 ray = axis;
    vec2 span = vec2(-FAR, FAR);
#else
    vec3 origin = eye_mm;
    vec3 ray = normalize(patient_from_ray * pixel);
    vec2 span = vec2(0.0, FAR);
#endif
    front = vec4(0.0);
    depth_mm = FAR;

    float walls[8];
    int n_walls = 0, next_wall = 0;
    float first_opaque = FAR;
#ifdef MESH_LAYERS
    for (int i = 0; i < MESH_LAYERS; i++) {
        ivec3 at = ivec3(gl_FragCoord.xy, i);
        float at_mm = texelFetch(layer_distance, at, 0).r;
        if (at_mm > 0.0) {
            walls[n_walls++] = at_mm;
            if (texelFetch(layer_colour, at, 0).a >= 1.0)
                first_opaque = min(first_opaque, at_mm);
        }
    }
#endif

#ifndef NO_VOLUME
    vec3 voxel_origin = (voxel_from_patient * vec4(origin, 1.0)).xyz;
    vec3 voxel_ray = mat3(voxel_from_patient) * ray;
    cut_box(span, voxel_origin, voxel_ray, vec3(-0.5), dims - 0.5);
    cut_box(span, origin, ray, clip_low, clip_high);
    for (int i = 0; i < n_planes; i++)
        cut(span, dot(planes[i].xyz, origin) - planes[i].w, dot(planes[i].xyz, ray));
    span.y = min(span.y, first_opaque);

    if (span.x < span.y) {
        float t = span.x;
        float cell = floor(span.x / step_mm);
#if defined(MIP) || defined(MINIP)
        float best = 0.0, best_at = -FAR;
#elif defined(MEAN)
        float sum = 0.0;
#elif defined(ISO)
        float outside_at = span.x;
#endif
        for (int guard = 0; guard < 20000 && t < span.y; guard++) {
            float cell_end = min((cell + 1.0) * step_mm, span.y);
            float sample_at = 0.5 * (t + cell_end);
            vec3 voxel = voxel_origin + sample_at * voxel_ray;
#ifdef COMPOSITE
#ifdef MESH_LAYERS
            while (next_wall < n_walls && walls[next_wall] < cell_end) {
                if (walls[next_wall] > t)
                    part(voxel_origin, voxel_ray, t, walls[next_wall], ray);
                t = max(t, walls[next_wall]);
                put_layer(next_wall);
                next_wall++;
            }
#endif
            part(voxel_origin, voxel_ray, t, cell_end, ray);
            if (front.a >= early_alpha) {
                front /= front.a;
                break;
            }
#elif defined(ISO)
            if (value_at(voxel) >= iso_value) {
                float inside_at = sample_at;
                for (int i = 0; i < 16; i++) {
                    float middle = 0.5 * (outside_at + inside_at);
                    if (value_at(voxel_origin + middle * voxel_ray) >= iso_value)
                        inside_at = middle;
                    else
                        outside_at = middle;
                }
#ifdef MESH_LAYERS
                while (next_wall < n_walls && walls[next_wall] < inside_at)
                    put_layer(next_wall++);
#endif
                voxel = voxel_origin + inside_at * voxel_ray;
                vec3 colour = texture(colour_of, table((iso_value - domain.x) * domain.y)).rgb;
#ifdef SHADE
                colour = lit(colour, gradient_at(voxel), ray);
#endif
                put(colour, 1.0, inside_at);
                break;
            }
            outside_at = sample_at;
#else
            float value = value_at(voxel);
#ifdef MIP
            if (best_at == -FAR || value > best) {
                best = value;
                best_at = sample_at;
            }
#elif defined(MINIP)
            if (best_at == -FAR || value < best) {
                best = value;
                best_at = sample_at;
            }
#else
            sum += value * (cell_end - t);
#endif
#endif
            t = cell_end;
            cell += 1.0;
        }

#if defined(MIP) || defined(MINIP) || defined(MEAN)
#ifdef MEAN
        float best = sum / (span.y - span.x);
        float best_at = span.y;
#endif
        float place = table((best - domain.x) * domain.y);
        vec3 colour = texture(colour_of, place).rgb;
#ifdef MESH_LAYERS
        while (next_wall < n_walls && walls[next_wall] < best_at)
            put_layer(next_wall++);
#endif
        put(colour, texture(opacity_of, place).r, best_at);
#endif
    }
#endif

#ifdef MESH_LAYERS
    while (next_wall < n_walls && front.a < 1.0)
        put_layer(next_wall++);
#endif

    picture_depth_mm = depth_mm;
    if (transparent) {
        picture = vec4(front.a > 0.0 ? front.rgb / front.a : vec3(0.0), front.a);
    } else {
        float down = picture_height > 1.0 ? pixel.y / (picture_height - 1.0) : 0.0;
        picture = vec4(front.rgb + (1.0 - front.a) * mix(background_top, background_bottom, down), 1.0);
    }
}
