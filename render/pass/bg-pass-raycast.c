// SPDX-License-Identifier: Apache-2.0
#include "render/pass/bg-pass-raycast.h"

#include "render/gl/bg-gl-context.h"
#include "render/gl/bg-gl-program.h"
#include "render/pass/bg-pass-uniforms.h"

#define TABLE_ENTRIES 4096 // as the shader's TABLE

enum { UNIT_VOLUME, UNIT_OPACITY, UNIT_COLOUR, UNIT_GRADIENT, UNIT_LAYERS, UNIT_DISTANCES };

struct _BgPassRaycast {
    GHashTable *programs;          // features -> GLuint
    GLuint vertex_array;           // empty: the shader makes its triangle
    GLuint tables[3];              // opacity, colour, gradient opacity
    BgTransferFunction *tabulated; // owned: what the tables hold
    double first, last;            // values at their ends
    double steepest_per_mm;        // at the end of the gradient table
};

static void
delete_program(gpointer program)
{
    glDeleteProgram(GPOINTER_TO_UINT(program));
}

BgPassRaycast *
bg_pass_raycast_new(void)
{
    BgPassRaycast *self = g_new0(BgPassRaycast, 1);

    self->programs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, delete_program);
    glGenVertexArrays(1, &self->vertex_array);
    glGenTextures(3, self->tables);
    return self;
}

void
bg_pass_raycast_free(BgPassRaycast *self)
{
    if (self == NULL)
        return;

    g_hash_table_unref(self->programs);
    glDeleteVertexArrays(1, &self->vertex_array);
    glDeleteTextures(3, self->tables);
    g_clear_pointer(&self->tabulated, bg_transfer_function_unref);
    g_free(self);
}

static GLuint
get_program(BgPassRaycast *self, const char *features, GError **error)
{
    GLuint program = GPOINTER_TO_UINT(g_hash_table_lookup(self->programs, features));

    if (program == 0) {
        program = bg_gl_program_new("common/fullscreen.vert", "raycast/raycast.frag",
                                    "common/light.glsl", features, error);
        if (program != 0)
            g_hash_table_insert(self->programs, g_strdup(features), GUINT_TO_POINTER(program));
    }
    return program;
}

static char *
list_features(const BgGlVolume *uploaded, const BgCastParams *params, int n_layers)
{
    static const char *const techniques[] = {
        [BG_TECHNIQUE_COMPOSITE] = "COMPOSITE",
        [BG_TECHNIQUE_MIP] = "MIP",
        [BG_TECHNIQUE_MINIP] = "MINIP",
        [BG_TECHNIQUE_MEAN] = "MEAN",
        [BG_TECHNIQUE_ISO] = "ISO",
    };
    GString *features = g_string_new(NULL);

    if (params->camera.parallel)
        g_string_append(features, "#define PARALLEL\n");
    if (n_layers > 0)
        g_string_append_printf(features, "#define MESH_LAYERS %d\n", n_layers);
    if (uploaded == NULL) {
        g_string_append(features, "#define NO_VOLUME\n");
        return g_string_free(features, FALSE);
    }

    const BgTransferFunctionData *tf = bg_transfer_function_get_data(params->tf);
    g_string_append_printf(features, "#define %s\n", techniques[tf->technique]);
    if (tf->shade)
        g_string_append(features, "#define SHADE\n");
    if (tf->gradient_opacity != NULL)
        g_string_append(features, "#define GRADIENT_OPACITY\n");
    if (uploaded->packed)
        g_string_append(features, "#define PACKED\n");
    return g_string_free(features, FALSE);
}

static void
fill_table(GLuint texture, GLenum internal_format, GLenum format, const float *entries)
{
    glBindTexture(GL_TEXTURE_1D, texture);
    glTexParameteri(GL_TEXTURE_1D, GL_TEXTURE_MIN_FILTER, GL_LINEAR);
    glTexParameteri(GL_TEXTURE_1D, GL_TEXTURE_MAG_FILTER, GL_LINEAR);
    glTexParameteri(GL_TEXTURE_1D, GL_TEXTURE_WRAP_S, GL_CLAMP_TO_EDGE);
    glTexImage1D(GL_TEXTURE_1D, 0, (GLint) internal_format, TABLE_ENTRIES, 0, format, GL_FLOAT,
                 entries);
}

static void
find_domain(BgPassRaycast *self, const BgTransferFunctionData *tf)
{
    const GArray *opacity = tf->opacity, *colour = tf->colour, *gradient = tf->gradient_opacity;

    self->first = fmin(g_array_index(opacity, BgOpacityPoint, 0).value,
                       g_array_index(colour, BgColourPoint, 0).value);
    self->last = fmax(g_array_index(opacity, BgOpacityPoint, opacity->len - 1).value,
                      g_array_index(colour, BgColourPoint, colour->len - 1).value);
    self->steepest_per_mm =
        gradient != NULL ? g_array_index(gradient, BgOpacityPoint, gradient->len - 1).value : 0.0;
}

static void
tabulate(BgPassRaycast *self, BgTransferFunction *tf)
{
    g_autofree float *opacity = g_new(float, TABLE_ENTRIES);
    g_autofree float *gradient = g_new(float, TABLE_ENTRIES);
    g_autofree float *colour = g_new(float, 3 * TABLE_ENTRIES);

    if (self->tabulated != NULL && bg_transfer_function_equal(self->tabulated, tf))
        return;

    find_domain(self, bg_transfer_function_get_data(tf));
    for (int i = 0; i < TABLE_ENTRIES; i++) {
        double share = (double) i / (TABLE_ENTRIES - 1), rgb[3];
        double value = self->first + share * (self->last - self->first);
        opacity[i] = (float) bg_transfer_function_opacity_at(tf, value);
        gradient[i] =
            (float) bg_transfer_function_gradient_opacity_at(tf, share * self->steepest_per_mm);
        bg_transfer_function_colour_at(tf, value, rgb);
        for (int c = 0; c < 3; c++)
            colour[3 * i + c] = (float) rgb[c];
    }
    glActiveTexture(GL_TEXTURE0);
    fill_table(self->tables[0], GL_R32F, GL_RED, opacity);
    fill_table(self->tables[1], GL_RGB32F, GL_RGB, colour);
    fill_table(self->tables[2], GL_R32F, GL_RED, gradient);
    g_clear_pointer(&self->tabulated, bg_transfer_function_unref);
    self->tabulated = bg_transfer_function_ref(tf);
}

static void
set_affine(GLuint program, const char *name, const BgAffine *a)
{
    float columns[16] = { 0 };

    for (int row = 0; row < 3; row++)
        for (int column = 0; column < 4; column++)
            columns[4 * column + row] = (float) a->m[row][column];
    columns[15] = 1.0f;
    glUniformMatrix4fv(glGetUniformLocation(program, name), 1, GL_FALSE, columns);
}

// Gradients go by the inverse transpose of patient_from_voxel, which is the transpose of its inverse.
static void
set_gradient_matrix(GLuint program, const BgAffine *voxel_from_patient)
{
    float columns[9];

    for (int row = 0; row < 3; row++)
        for (int column = 0; column < 3; column++)
            columns[3 * column + row] = (float) voxel_from_patient->m[column][row];
    glUniformMatrix3fv(glGetUniformLocation(program, "patient_gradient_from_voxel"), 1, GL_FALSE,
                       columns);
}

static double
inverse_or_zero(double x)
{
    return x > 0.0 ? 1.0 / x : 0.0;
}

static void
set_volume(const BgPassRaycast *self, GLuint program, const BgVolume *volume,
           const BgGlVolume *uploaded, const BgTransferFunctionData *tf, double step_mm)
{
    const BgGeometry *geometry = bg_volume_get_geometry(volume);
    BgAffine voxel_from_patient = bg_geometry_voxel_from_patient(geometry);
    GLenum filter = tf->linear ? GL_LINEAR : GL_NEAREST;

    bg_pass_bind(program, "volume", UNIT_VOLUME, GL_TEXTURE_3D, uploaded->texture);
    glTexParameteri(GL_TEXTURE_3D, GL_TEXTURE_MIN_FILTER, (GLint) filter);
    glTexParameteri(GL_TEXTURE_3D, GL_TEXTURE_MAG_FILTER, (GLint) filter);
    bg_pass_bind(program, "opacity_of", UNIT_OPACITY, GL_TEXTURE_1D, self->tables[0]);
    bg_pass_bind(program, "colour_of", UNIT_COLOUR, GL_TEXTURE_1D, self->tables[1]);
    bg_pass_bind(program, "gradient_opacity_of", UNIT_GRADIENT, GL_TEXTURE_1D, self->tables[2]);

    set_affine(program, "voxel_from_patient", &voxel_from_patient);
    set_gradient_matrix(program, &voxel_from_patient);
    bg_pass_set_vec3(program, "dims",
                     bg_vec3(geometry->dims[0], geometry->dims[1], geometry->dims[2]));
    glUniform2f(glGetUniformLocation(program, "domain"), (float) self->first,
                (float) inverse_or_zero(self->last - self->first));
    glUniform1f(glGetUniformLocation(program, "gradient_domain"),
                (float) inverse_or_zero(self->steepest_per_mm));
    glUniform2f(glGetUniformLocation(program, "value_of"), uploaded->value_scale,
                uploaded->value_offset);
    glUniform4f(glGetUniformLocation(program, "gradient_of"), uploaded->gradient_scale,
                uploaded->gradient_scale, uploaded->gradient_scale, uploaded->gradient_zero);
    glUniform1f(glGetUniformLocation(program, "step_mm"), (float) step_mm);
    glUniform1f(glGetUniformLocation(program, "unit_distance_mm"), (float) tf->unit_distance_mm);
    glUniform1f(glGetUniformLocation(program, "iso_value"), (float) tf->iso_value);
    glUniform4f(glGetUniformLocation(program, "phong"), (float) tf->ambient, (float) tf->diffuse,
                (float) tf->specular, (float) tf->power);
}

static void
set_picture(GLuint program, const BgCastParams *params, const BgGlCamera *camera)
{
    const double *top = params->background_top, *bottom = params->background_bottom;

    bg_pass_set_camera(program, params, camera);
    bg_pass_set_clip(program, params);
    glUniformMatrix3fv(glGetUniformLocation(program, "patient_from_ray"), 1, GL_FALSE,
                       camera->patient_from_ray);
    glUniform1f(glGetUniformLocation(program, "picture_height"), (float) params->camera.height);
    bg_pass_set_vec3(program, "background_top", bg_vec3(top[0], top[1], top[2]));
    bg_pass_set_vec3(program, "background_bottom", bg_vec3(bottom[0], bottom[1], bottom[2]));
    glUniform1i(glGetUniformLocation(program, "transparent"), params->transparent);
    glUniform1f(glGetUniformLocation(program, "early_alpha"), (float) params->early_alpha);
    glUniform1f(glGetUniformLocation(program, "depth_alpha"), (float) params->depth_alpha);
}

gboolean
bg_pass_raycast_draw(BgPassRaycast *self, const BgVolume *volume, const BgGlVolume *uploaded,
                     const BgCastParams *params, const BgGlCamera *camera, double step_mm,
                     BgPassLayers layers, GError **error)
{
    g_autofree char *features = list_features(uploaded, params, layers.n);
    GLuint program = get_program(self, features, error);
    if (program == 0)
        return FALSE;

    glUseProgram(program);
    set_picture(program, params, camera);
    if (uploaded != NULL) {
        tabulate(self, params->tf);
        set_volume(self, program, volume, uploaded, bg_transfer_function_get_data(params->tf),
                   step_mm);
    }
    if (layers.n > 0) {
        bg_pass_bind(program, "layer_colour", UNIT_LAYERS, GL_TEXTURE_2D_ARRAY, layers.colour);
        bg_pass_bind(program, "layer_distance", UNIT_DISTANCES, GL_TEXTURE_2D_ARRAY,
                     layers.distance);
    }

    glDisable(GL_DEPTH_TEST);
    glDisable(GL_BLEND);
    glBindVertexArray(self->vertex_array);
    glDrawArrays(GL_TRIANGLES, 0, 3);
    glBindVertexArray(0);
    return bg_gl_check("ray casting", error);
}
