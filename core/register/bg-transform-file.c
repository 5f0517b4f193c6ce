// SPDX-License-Identifier: Apache-2.0
#include "core/register/bg-transform-file.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-output.h"

#include <string.h>

#define MAX_BYTES (16u << 20) // of a text with a transform
#define MAX_NUMBERS 32        // in a line of ITK's
#define ITK_MAGIC "#Insight Transform File"
#define PROVENANCE_MARK "# bregma_provenance "

// ITK's classes: parameters, then fixed parameters. All map fixed (LPS) to moving.

typedef struct {
    double p[MAX_NUMBERS];
    int n_p;
    double fixed[MAX_NUMBERS];
    int n_fixed;
} ItkNumbers;

static BgAffine
rotation_about(int axis, double angle)
{
    BgAffine r = bg_affine_identity();
    int a = (axis + 1) % 3, b = (axis + 2) % 3;

    r.m[a][a] = r.m[b][b] = cos(angle);
    r.m[a][b] = -sin(angle);
    r.m[b][a] = sin(angle);
    return r;
}

static BgAffine
versor(const double v[3], double scale)
{
    double x = v[0], y = v[1], z = v[2], w = sqrt(fmax(0.0, 1.0 - x * x - y * y - z * z));
    BgAffine r = { {
        { 1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y), 0 },
        { 2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x), 0 },
        { 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y), 0 },
    } };

    for (int i = 0; i < 9; i++)
        r.m[i / 3][i % 3] *= scale;
    return r;
}

// y = M (x - c) + c + t
static BgAffine
about_centre(BgAffine m, const double *centre, const double *shift)
{
    BgVec3 c = { centre[0], centre[1], centre[2] }, moved = bg_affine_apply_vector(&m, c);

    for (int row = 0; row < 3; row++)
        m.m[row][3] = shift[row] + centre[row] - bg_vec3_get(moved, row);
    return m;
}

static BgAffine
make_translation(const ItkNumbers *in)
{
    BgAffine a = bg_affine_identity();

    for (int row = 0; row < 3; row++)
        a.m[row][3] = in->p[row];
    return a;
}

// Rz Rx Ry, or Rz Ry Rx where a fourth fixed parameter says so.
static BgAffine
make_euler(const ItkNumbers *in)
{
    gboolean zyx = in->n_fixed > 3 && in->fixed[3] != 0.0;
    BgAffine x = rotation_about(0, in->p[0]), y = rotation_about(1, in->p[1]);
    BgAffine z = rotation_about(2, in->p[2]);
    BgAffine right = zyx ? bg_affine_multiply(&y, &x) : bg_affine_multiply(&x, &y);

    return about_centre(bg_affine_multiply(&z, &right), in->fixed, in->p + 3);
}

static BgAffine
make_versor(const ItkNumbers *in)
{
    return about_centre(versor(in->p, 1.0), in->fixed, in->p + 3);
}

static BgAffine
make_similarity(const ItkNumbers *in)
{
    return about_centre(versor(in->p, in->p[6]), in->fixed, in->p + 3);
}

static BgAffine
make_affine(const ItkNumbers *in)
{
    BgAffine a = bg_affine_identity();

    for (int i = 0; i < 9; i++)
        a.m[i / 3][i % 3] = in->p[i];
    return about_centre(a, in->fixed, in->p + 9);
}

static const struct {
    const char *name; // before "_double_3_3" or "_float_3_3"
    int n_p, least_fixed, most_fixed;
    BgTransformModel model;
    BgAffine (*make)(const ItkNumbers *in);
} itk_classes[] = {
    { "TranslationTransform", 3, 0, 0, BG_TRANSFORM_RIGID, make_translation },
    { "Euler3DTransform", 6, 3, 4, BG_TRANSFORM_RIGID, make_euler },
    { "VersorRigid3DTransform", 6, 3, 3, BG_TRANSFORM_RIGID, make_versor },
    { "Similarity3DTransform", 7, 3, 3, BG_TRANSFORM_SIMILARITY, make_similarity },
    { "AffineTransform", 12, 3, 3, BG_TRANSFORM_AFFINE, make_affine },
    { "MatrixOffsetTransformBase", 12, 3, 3, BG_TRANSFORM_AFFINE, make_affine },
};

static gboolean
refuse(int code, GError **error, const char *what)
{
    g_set_error(error, BG_ERROR, code,
                // Translators: %s is a line or word of the file
                _("The transform cannot be read: “%s”: it is not one that bregma knows. Save one "
                  "linear transform in three dimensions"),
                what);
    return FALSE;
}

static int
read_numbers(const char *text, double numbers[MAX_NUMBERS])
{
    int n = 0;

    while (TRUE) {
        char *end;
        while (g_ascii_isspace(*text))
            text++;
        if (*text == '\0')
            return n;
        double value = g_ascii_strtod(text, &end);
        if (end == text || !isfinite(value) || n == MAX_NUMBERS)
            return -1;
        numbers[n++] = value;
        text = end;
    }
}

// A matrix that turns and no more is rigid, one that also scales a similarity.
static BgTransformModel
tightest_model(const BgAffine *a, BgTransformModel model)
{
    double scale = cbrt(fabs(bg_affine_determinant(a))), worst = 0.0;

    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            worst = fmax(worst, fabs(bg_vec3_dot(bg_affine_column(a, i), bg_affine_column(a, j)) -
                                     (i == j ? scale * scale : 0.0)));
    if (worst > 1e-9 * scale * scale || bg_affine_determinant(a) < 0.0)
        return model;
    return fabs(scale - 1.0) <= 1e-9 ? BG_TRANSFORM_RIGID : BG_TRANSFORM_SIMILARITY;
}

static BgTransform *
make_itk(const char *class_name, const ItkNumbers *in, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(itk_classes); i++) {
        g_autofree char *in_double = g_strconcat(itk_classes[i].name, "_double_3_3", NULL);
        g_autofree char *in_float = g_strconcat(itk_classes[i].name, "_float_3_3", NULL);
        BgAffine inverse;
        if (strcmp(class_name, in_double) != 0 && strcmp(class_name, in_float) != 0)
            continue;
        if (in->n_p != itk_classes[i].n_p || in->n_fixed < itk_classes[i].least_fixed ||
            in->n_fixed > itk_classes[i].most_fixed)
            break;
        BgAffine moving_from_fixed = itk_classes[i].make(in);
        if (!bg_affine_invert(&moving_from_fixed, &inverse))
            break;
        return bg_transform_new(tightest_model(&inverse, itk_classes[i].model), 3, &inverse, error);
    }
    refuse(BG_ERROR_UNSUPPORTED, error, class_name);
    return NULL;
}

static BgTransform *
parse_itk(const char *text, GError **error)
{
    g_auto(GStrv) lines = g_strsplit_set(text, "\r\n", -1);
    g_autofree char *class_name = NULL;
    ItkNumbers numbers = { .n_p = 0, .n_fixed = 0 };

    for (gsize i = 0; lines[i] != NULL; i++) {
        const char *line = lines[i], *colon = strchr(line, ':');
        if (g_str_has_prefix(line, "Transform:")) {
            if (class_name != NULL) {
                refuse(BG_ERROR_UNSUPPORTED, error, line);
                return NULL;
            }
            class_name = g_strstrip(g_strdup(colon + 1));
        } else if (g_str_has_prefix(line, "Parameters:")) {
            numbers.n_p = read_numbers(colon + 1, numbers.p);
        } else if (g_str_has_prefix(line, "FixedParameters:")) {
            numbers.n_fixed = read_numbers(colon + 1, numbers.fixed);
        }
    }
    if (class_name == NULL) {
        refuse(BG_ERROR_CORRUPT, error, ITK_MAGIC);
        return NULL;
    }
    return make_itk(class_name, &numbers, error);
}

BgTransform *
bg_transform_parse(const char *text, gssize length, GError **error)
{
    g_autofree char *copy = g_strndup(text, length < 0 ? strlen(text) : (gsize) length);

    if (g_str_has_prefix(copy, ITK_MAGIC))
        return parse_itk(copy, error);
    g_autoptr(BgJson) json = bg_json_parse(text, length, error);
    return json != NULL ? bg_transform_from_json(json, error) : NULL;
}

BgTransform *
bg_transform_load(const char *path, GError **error)
{
    g_autoptr(GFile) file = g_file_new_for_path(path);
    g_autoptr(GFileInfo) info = g_file_query_info(file, G_FILE_ATTRIBUTE_STANDARD_SIZE,
                                                  G_FILE_QUERY_INFO_NONE, NULL, error);
    g_autofree char *text = NULL;
    gsize n_bytes;

    if (info == NULL)
        return NULL;
    if (g_file_info_get_size(info) > MAX_BYTES) {
        refuse(BG_ERROR_CORRUPT, error, path);
        return NULL;
    }
    if (!g_file_get_contents(path, &text, &n_bytes, error))
        return NULL;
    BgTransform *transform = bg_transform_parse(text, (gssize) n_bytes, error);
    if (transform == NULL)
        g_prefix_error(error, "%s: ", path);
    return transform;
}

static char *
print_itk(const BgTransform *transform, const char *provenance, GError **error)
{
    BgAffine inverse;

    if (bg_transform_get_model(transform) == BG_TRANSFORM_TPS ||
        bg_transform_count_axes(transform) != 3 ||
        !bg_affine_invert(bg_transform_get_affine(transform), &inverse)) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("The transform cannot be written for ITK: it is a spline, or one of "
                              "pictures. Write .json"));
        return NULL;
    }
    GString *text = g_string_new(ITK_MAGIC " V1.0\n");
    if (provenance != NULL)
        g_string_append_printf(text, PROVENANCE_MARK "%s\n", provenance);
    g_string_append(text, "#Transform 0\nTransform: AffineTransform_double_3_3\nParameters:");
    for (int i = 0; i < 12; i++) {
        char number[G_ASCII_DTOSTR_BUF_SIZE];
        double value = i < 9 ? inverse.m[i / 3][i % 3] : inverse.m[i - 9][3];
        g_string_append_printf(text, " %s", g_ascii_dtostr(number, sizeof number, value + 0.0));
    }
    g_string_append(text, "\nFixedParameters: 0 0 0\n");
    return g_string_free(text, FALSE);
}

static char *
print_json(const BgTransform *transform, const BgTransformSaveParams *params, GError **error)
{
    g_autoptr(BgJson) json = bg_transform_to_json(transform);

    if (params->made != NULL)
        bg_json_set(json, "made", bg_json_copy(params->made));
    if (params->provenance != NULL) {
        BgJson *provenance = bg_json_parse(params->provenance, -1, error);
        if (provenance == NULL)
            return NULL;
        bg_json_set(json, "provenance", provenance);
    }
    g_autofree char *text = bg_json_print(json, TRUE);
    return g_strconcat(text, "\n", NULL);
}

gboolean
bg_transform_save(const BgTransform *transform, const char *path,
                  const BgTransformSaveParams *params, GError **error)
{
    const BgTransformSaveParams plain = { 0 };
    g_autofree char *lower = g_ascii_strdown(path, -1), *text = NULL;

    if (params == NULL)
        params = &plain;
    if (g_str_has_suffix(lower, ".json"))
        text = print_json(transform, params, error);
    else if (g_str_has_suffix(lower, ".tfm") || g_str_has_suffix(lower, ".txt"))
        text = print_itk(transform, params->provenance, error);
    else
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("“%s” cannot be written: transforms are written as .json, .tfm or .txt. "
                      "Choose one of these suffixes"),
                    path);
    return text != NULL && bg_output_replace(path, params->force, text, strlen(text), error);
}
