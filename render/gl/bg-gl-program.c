// SPDX-License-Identifier: Apache-2.0
#include "render/gl/bg-gl-program.h"

#include "core/base/bg-error.h"

#define LOG_BYTES 4096

static GBytes *
lookup(const char *file, GError **error)
{
    g_autofree char *path = g_strconcat("/org/bregma/Bregma/shaders/", file, NULL);

    return g_resources_lookup_data(path, G_RESOURCE_LOOKUP_FLAGS_NONE, error);
}

static GLuint
compile(GLenum stage, const char *file, const char *common, const char *features, GError **error)
{
    g_autoptr(GBytes) piece = common != NULL ? lookup(common, error) : g_bytes_new_static("\n", 1);
    g_autoptr(GBytes) source = piece != NULL ? lookup(file, error) : NULL;
    if (source == NULL)
        return 0;

    // No include parser, no text in C: the pieces are separate strings.
    const char *parts[] = { "#version 330 core\n", features, g_bytes_get_data(piece, NULL),
                            "\n#line 1\n", g_bytes_get_data(source, NULL) };
    GLint lengths[] = { -1, -1, (GLint) g_bytes_get_size(piece), -1,
                        (GLint) g_bytes_get_size(source) };
    GLuint shader = glCreateShader(stage);
    glShaderSource(shader, G_N_ELEMENTS(parts), parts, lengths);
    glCompileShader(shader);

    GLint compiled = GL_FALSE;
    glGetShaderiv(shader, GL_COMPILE_STATUS, &compiled);
    if (compiled)
        return shader;

    char log[LOG_BYTES] = "";
    glGetShaderInfoLog(shader, sizeof log, NULL, log);
    g_set_error(error, BG_ERROR, BG_ERROR_DEVICE, "%s does not compile on %s:\n%s", file,
                (const char *) glGetString(GL_RENDERER), log);
    glDeleteShader(shader);
    return 0;
}

GLuint
bg_gl_program_new(const char *vertex, const char *fragment, const char *common,
                  const char *features, GError **error)
{
    GLuint program = 0, fragment_shader = 0;
    GLint linked = GL_FALSE;
    GLuint vertex_shader = compile(GL_VERTEX_SHADER, vertex, NULL, features, error);

    if (vertex_shader == 0)
        goto out;
    fragment_shader = compile(GL_FRAGMENT_SHADER, fragment, common, features, error);
    if (fragment_shader == 0)
        goto out;

    program = glCreateProgram();
    glAttachShader(program, vertex_shader);
    glAttachShader(program, fragment_shader);
    glLinkProgram(program);
    glGetProgramiv(program, GL_LINK_STATUS, &linked);
    if (!linked) {
        char log[LOG_BYTES] = "";
        glGetProgramInfoLog(program, sizeof log, NULL, log);
        g_set_error(error, BG_ERROR, BG_ERROR_DEVICE, "%s and %s do not link:\n%s", vertex,
                    fragment, log);
        glDeleteProgram(program);
        program = 0;
    }

out:
    if (fragment_shader != 0)
        glDeleteShader(fragment_shader);
    if (vertex_shader != 0)
        glDeleteShader(vertex_shader);
    return program;
}
