// SPDX-License-Identifier: Apache-2.0
#include "render/pass/bg-pass-mesh.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/model/bg-distance-colour.h"
#include "render/gl/bg-gl-context.h"
#include "render/gl/bg-gl-program.h"
#include "render/pass/bg-pass-uniforms.h"

typedef struct {
    guint64 serial;
    GLuint vertex_array, buffers[4]; // positions, normals, triangles, distances
    GLsizei n_indices;
    gboolean used; // by the picture being drawn
} GlMesh;

struct _BgPassMesh {
    GLuint programs[2][2][2]; // [parallel][clip][distance], made when first wanted
    GArray *meshes;           // of GlMesh: those of the last picture
    int width, height;
    GLuint framebuffer, depth;
    GLuint colours[2], distances[2];       // the layer being drawn and the one before
    GLuint layer_colours, layer_distances; // all of them
    GLuint query;
};

static void
clear_mesh(GlMesh *mesh)
{
    glDeleteBuffers(4, mesh->buffers);
    glDeleteVertexArrays(1, &mesh->vertex_array);
}

BgPassMesh *
bg_pass_mesh_new(GError **error)
{
    BgPassMesh *self = g_new0(BgPassMesh, 1);

    self->meshes = g_array_new(FALSE, FALSE, sizeof(GlMesh));
    glGenFramebuffers(1, &self->framebuffer);
    glGenQueries(1, &self->query);
    if (!bg_gl_check("start-up", error)) {
        bg_pass_mesh_free(self);
        return NULL;
    }
    return self;
}

static void
drop_textures(BgPassMesh *self)
{
    glDeleteTextures(1, &self->depth);
    glDeleteTextures(2, self->colours);
    glDeleteTextures(2, self->distances);
    glDeleteTextures(1, &self->layer_colours);
    glDeleteTextures(1, &self->layer_distances);
    self->width = self->height = 0;
}

void
bg_pass_mesh_free(BgPassMesh *self)
{
    if (self == NULL)
        return;

    for (guint i = 0; i < self->meshes->len; i++)
        clear_mesh(&g_array_index(self->meshes, GlMesh, i));
    g_array_unref(self->meshes);
    drop_textures(self);
    for (int i = 0; i < 8; i++)
        if (self->programs[i / 4][i / 2 % 2][i % 2] != 0)
            glDeleteProgram(self->programs[i / 4][i / 2 % 2][i % 2]);
    glDeleteQueries(1, &self->query);
    glDeleteFramebuffers(1, &self->framebuffer);
    g_free(self);
}

static GLuint
new_texture(GLenum target, GLenum internal_format, GLenum format, GLenum type, int width,
            int height)
{
    GLuint texture;

    glGenTextures(1, &texture);
    glBindTexture(target, texture);
    glTexParameteri(target, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glTexParameteri(target, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
    if (target == GL_TEXTURE_2D_ARRAY)
        glTexImage3D(target, 0, (GLint) internal_format, width, height, BG_PASS_MESH_MAX_LAYERS, 0,
                     format, type, NULL);
    else
        glTexImage2D(target, 0, (GLint) internal_format, width, height, 0, format, type, NULL);
    return texture;
}

static gboolean
resize(BgPassMesh *self, int width, int height, GError **error)
{
    if (self->width == width && self->height == height)
        return TRUE;

    drop_textures(self);
    self->depth = new_texture(GL_TEXTURE_2D, GL_DEPTH_COMPONENT32F, GL_DEPTH_COMPONENT, GL_FLOAT,
                              width, height);
    for (int i = 0; i < 2; i++) {
        self->colours[i] =
            new_texture(GL_TEXTURE_2D, GL_RGBA8, GL_RGBA, GL_UNSIGNED_BYTE, width, height);
        self->distances[i] = new_texture(GL_TEXTURE_2D, GL_R32F, GL_RED, GL_FLOAT, width, height);
    }
    self->layer_colours =
        new_texture(GL_TEXTURE_2D_ARRAY, GL_RGBA8, GL_RGBA, GL_UNSIGNED_BYTE, width, height);
    self->layer_distances =
        new_texture(GL_TEXTURE_2D_ARRAY, GL_R32F, GL_RED, GL_FLOAT, width, height);
    self->width = width;
    self->height = height;
    return bg_gl_check("memory", error);
}

static void
fill_buffer(GLenum target, GLuint buffer, gconstpointer data, gsize n_bytes)
{
    glBindBuffer(target, buffer);
    glBufferData(target, (GLsizeiptr) n_bytes, data, GL_STATIC_DRAW);
}

static GlMesh
upload(BgMesh *mesh)
{
    const BgMeshData *data = bg_mesh_get_data(mesh);
    gsize n_bytes = 3 * data->n_vertices * sizeof(float);
    GlMesh self = { .serial = bg_mesh_get_serial(mesh),
                    .n_indices = (GLsizei) (3 * data->n_triangles) };

    glGenVertexArrays(1, &self.vertex_array);
    glGenBuffers(4, self.buffers);
    glBindVertexArray(self.vertex_array);
    fill_buffer(GL_ARRAY_BUFFER, self.buffers[0], data->positions, n_bytes);
    glVertexAttribPointer(0, 3, GL_FLOAT, GL_FALSE, 0, NULL);
    glEnableVertexAttribArray(0);
    if (data->normals != NULL) {
        fill_buffer(GL_ARRAY_BUFFER, self.buffers[1], data->normals, n_bytes);
        glVertexAttribPointer(1, 3, GL_FLOAT, GL_FALSE, 0, NULL);
        glEnableVertexAttribArray(1);
    }
    if (data->distances_mm != NULL) {
        fill_buffer(GL_ARRAY_BUFFER, self.buffers[3], data->distances_mm,
                    data->n_vertices * sizeof(float));
        glVertexAttribPointer(2, 1, GL_FLOAT, GL_FALSE, 0, NULL);
        glEnableVertexAttribArray(2);
    }
    fill_buffer(GL_ELEMENT_ARRAY_BUFFER, self.buffers[2], data->triangles,
                3 * data->n_triangles * sizeof(guint32));
    glBindVertexArray(0);
    return self;
}

static GlMesh *
find_mesh(BgPassMesh *self, BgMesh *mesh)
{
    for (guint i = 0; i < self->meshes->len; i++) {
        GlMesh *known = &g_array_index(self->meshes, GlMesh, i);
        if (known->serial == bg_mesh_get_serial(mesh))
            return known;
    }
    GlMesh uploaded = upload(mesh);
    g_array_append_val(self->meshes, uploaded);
    return &g_array_index(self->meshes, GlMesh, self->meshes->len - 1);
}

// What the picture does not show is let go: meshes are many and change often.
static void
keep_used(BgPassMesh *self, const BgCastParams *params)
{
    for (guint i = 0; i < self->meshes->len; i++)
        g_array_index(self->meshes, GlMesh, i).used = FALSE;
    for (gsize i = 0; i < params->n_meshes; i++)
        if (params->meshes[i].visible)
            find_mesh(self, params->meshes[i].mesh)->used = TRUE;
    for (guint i = self->meshes->len; i-- > 0;) {
        GlMesh *mesh = &g_array_index(self->meshes, GlMesh, i);
        if (!mesh->used) {
            clear_mesh(mesh);
            g_array_remove_index(self->meshes, i);
        }
    }
}

static gboolean
is_map(const BgCastMesh *mesh)
{
    return mesh->range_mm > 0.0 && bg_mesh_get_data(mesh->mesh)->distances_mm != NULL;
}

static GLuint
get_program(BgPassMesh *self, gboolean parallel, const BgCastMesh *mesh, GError **error)
{
    gboolean distance = is_map(mesh);
    GLuint *program = &self->programs[parallel != FALSE][mesh->clip != FALSE][distance];
    g_autofree char *features =
        g_strconcat(parallel ? "#define PARALLEL\n" : "", mesh->clip ? "#define CLIP\n" : "",
                    distance ? "#define DISTANCE\n" : "", NULL);

    if (*program == 0)
        *program = bg_gl_program_new("mesh/mesh.vert", "mesh/mesh.frag", "common/light.glsl",
                                     features, error);
    return *program;
}

// Along the camera's z axis, over all visible meshes.
static void
find_depth_range(const BgCastParams *params, double *near_mm, double *far_mm)
{
    *near_mm = INFINITY;
    *far_mm = -INFINITY;
    for (gsize i = 0; i < params->n_meshes; i++) {
        BgVec3 low, high;
        bg_mesh_get_bounds_mm(params->meshes[i].mesh, &low, &high);
        for (int corner = 0; params->meshes[i].visible && corner < 8; corner++) {
            BgVec3 p = bg_vec3((corner & 1) ? high.x : low.x, (corner & 2) ? high.y : low.y,
                               (corner & 4) ? high.z : low.z);
            double z = bg_affine_apply(&params->camera.camera_from_patient, p).z;
            *near_mm = fmin(*near_mm, z);
            *far_mm = fmax(*far_mm, z);
        }
    }
    double margin = 1.0 + 0.01 * (*far_mm - *near_mm);
    *near_mm -= margin;
    *far_mm += margin;
    if (!params->camera.parallel) {
        *far_mm = fmax(*far_mm, 1.0);
        *near_mm = fmax(*near_mm, *far_mm * 1e-4);
    }
}

static gboolean
draw_meshes(BgPassMesh *self, const BgCastParams *params, const BgGlCamera *camera,
            const float clip_from_patient[16], GLuint before, GError **error)
{
    for (gsize i = 0; i < params->n_meshes; i++) {
        const BgCastMesh *mesh = &params->meshes[i];
        if (!mesh->visible)
            continue;
        const GlMesh *uploaded = find_mesh(self, mesh->mesh);
        GLuint program = get_program(self, params->camera.parallel, mesh, error);
        if (program == 0)
            return FALSE;

        glUseProgram(program);
        bg_pass_set_camera(program, params, camera);
        bg_pass_set_clip(program, params);
        glUniformMatrix4fv(glGetUniformLocation(program, "clip_from_patient"), 1, GL_FALSE,
                           clip_from_patient);
        glUniform4f(glGetUniformLocation(program, "phong"), (float) params->mesh_ambient,
                    (float) params->mesh_diffuse, (float) params->mesh_specular,
                    (float) params->mesh_power);
        glUniform4f(glGetUniformLocation(program, "rgb_opacity"), (float) mesh->rgb[0],
                    (float) mesh->rgb[1], (float) mesh->rgb[2], (float) mesh->opacity);
        if (is_map(mesh)) {
            glUniform3fv(glGetUniformLocation(program, "colours"), BG_DISTANCE_COLOURS,
                         &bg_distance_colours[0][0]);
            glUniform1f(glGetUniformLocation(program, "range_mm"), (float) mesh->range_mm);
        }
        bg_pass_bind(program, "before", 0, GL_TEXTURE_2D, before);
        glVertexAttrib3f(1, 0.0f, 0.0f, 0.0f); // of meshes without normals
        glBindVertexArray(uploaded->vertex_array);
        glDrawElements(GL_TRIANGLES, uploaded->n_indices, GL_UNSIGNED_INT, NULL);
    }
    glBindVertexArray(0);
    return TRUE;
}

static void
attach(GLuint colour, GLuint distance, GLuint depth)
{
    static const GLenum both[] = { GL_COLOR_ATTACHMENT0, GL_COLOR_ATTACHMENT1 };

    glFramebufferTexture2D(GL_FRAMEBUFFER, both[0], GL_TEXTURE_2D, colour, 0);
    glFramebufferTexture2D(GL_FRAMEBUFFER, both[1], GL_TEXTURE_2D, distance, 0);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_DEPTH_ATTACHMENT, GL_TEXTURE_2D, depth, 0);
    glDrawBuffers(2, both);
}

static void
clear_attachments(void)
{
    static const float zeros[4] = { 0 }, farthest = 1.0f;

    glClearBufferfv(GL_COLOR, 0, zeros);
    glClearBufferfv(GL_COLOR, 1, zeros);
    glClearBufferfv(GL_DEPTH, 0, &farthest);
}

static void
keep_layer(const BgPassMesh *self, int layer)
{
    glReadBuffer(GL_COLOR_ATTACHMENT0);
    glBindTexture(GL_TEXTURE_2D_ARRAY, self->layer_colours);
    glCopyTexSubImage3D(GL_TEXTURE_2D_ARRAY, 0, 0, 0, layer, 0, 0, self->width, self->height);
    glReadBuffer(GL_COLOR_ATTACHMENT1);
    glBindTexture(GL_TEXTURE_2D_ARRAY, self->layer_distances);
    glCopyTexSubImage3D(GL_TEXTURE_2D_ARRAY, 0, 0, 0, layer, 0, 0, self->width, self->height);
    glReadBuffer(GL_COLOR_ATTACHMENT0);
}

int
bg_pass_mesh_draw(BgPassMesh *self, const BgCastParams *params, const BgGlCamera *camera,
                  GLuint *colour, GLuint *distance, GError **error)
{
    const BgCamera *view = &params->camera;
    float clip_from_patient[16];
    double near_mm, far_mm;
    int n_layers = 0;

    keep_used(self, params);
    if (self->meshes->len == 0)
        return 0;
    if (!resize(self, view->width, view->height, error))
        return -1;

    find_depth_range(params, &near_mm, &far_mm);
    bg_gl_camera_clip_from_patient(view, near_mm, far_mm, clip_from_patient);
    glBindFramebuffer(GL_FRAMEBUFFER, self->framebuffer);
    glViewport(0, 0, view->width, view->height);
    glEnable(GL_DEPTH_TEST);
    glDisable(GL_CULL_FACE);
    glDisable(GL_BLEND);

    // Before the first layer nothing is nearer: its distances are zeros.
    attach(self->colours[1], self->distances[1], self->depth);
    clear_attachments();
    gboolean drawn = TRUE;
    for (; drawn && n_layers < BG_PASS_MESH_MAX_LAYERS; n_layers++) {
        int now = n_layers % 2;
        GLuint n_samples = 0;
        attach(self->colours[now], self->distances[now], self->depth);
        clear_attachments();
        glBeginQuery(GL_SAMPLES_PASSED, self->query);
        drawn =
            draw_meshes(self, params, camera, clip_from_patient, self->distances[1 - now], error);
        glEndQuery(GL_SAMPLES_PASSED);
        glGetQueryObjectuiv(self->query, GL_QUERY_RESULT, &n_samples);
        if (n_samples == 0)
            break;
        keep_layer(self, n_layers);
    }
    glDisable(GL_DEPTH_TEST);
    glBindFramebuffer(GL_FRAMEBUFFER, 0);
    if (!drawn || !bg_gl_check("meshes", error))
        return -1;

    *colour = self->layer_colours;
    *distance = self->layer_distances;
    return n_layers;
}
