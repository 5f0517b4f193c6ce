// SPDX-License-Identifier: Apache-2.0
#include "bg-cli-series.h"

#include "core/base/bg-error.h"
#include "core/base/bg-hash.h"
#include "core/io/bg-io-raw.h"
#include "core/surface/bg-mesh-measures.h"

#include <glib/gstdio.h>
#include <string.h>

#define SURELY_LABELS 32 // so many different ones at most: whatever the neighbours are

#define MAX_ROW 110 // characters of a line for people

void
bg_cli_add_input(BgCli *cli, const char *path)
{
    for (guint i = 0; i < cli->inputs->len; i++)
        if (strcmp(cli->inputs->pdata[i], path) == 0)
            return;
    g_ptr_array_add(cli->inputs, g_strdup(path));
}

// core names the file too ("“PATH” cannot be read: "): once is enough.
static void
drop_core_prefix(GError *error, const char *path)
{
    g_autofree char *quoted = g_strdup_printf("“%s” ", path);

    if (!g_str_has_prefix(error->message, quoted))
        return;
    const char *rest = strstr(error->message + strlen(quoted), ": ");
    if (rest == NULL)
        return;
    char *shorter = g_strdup(rest + 2);
    g_free(error->message);
    error->message = shorter;
}

// A core message says what is wrong with the file; what to do is added where there is one answer.
static void
prefix_read(GError **error, const char *path)
{
    if (error == NULL || *error == NULL)
        return;
    if (g_error_matches(*error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND) &&
        !g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_clear_error(error);
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "cannot read: %s: there is no such file. Check the path", path);
    } else {
        drop_core_prefix(*error, path);
        g_prefix_error(error, "cannot read: %s: ", path);
    }
}

void
bg_cli_blame_path(GError **error, const char *path)
{
    if (error != NULL && *error != NULL && (*error)->domain != BG_CLI_ERROR)
        prefix_read(error, path);
}

BgLoaded *
bg_cli_load(BgCli *cli, const char *path, const BgLoadParams *params, GError **error)
{
    g_auto(BgCliSource) source = { 0 };
    BgLoaded *loaded = NULL;

    if (bg_cli_find_source(cli, path, FALSE, &source, error))
        loaded = bg_cli_load_source(cli, path, &source, params, error);
    if (loaded == NULL) {
        bg_cli_blame_path(error, path);
        return NULL;
    }
    bg_cli_add_input(cli, path);
    if (cli->subject == NULL &&
        (loaded->info->patient_name != NULL || loaded->info->patient_id != NULL))
        cli->subject = bg_file_info_copy(loaded->info);
    return loaded;
}

BgLoaded *
bg_cli_load_as_volume(BgCli *cli, const char *path, GError **error)
{
    BgLoadParams params = bg_load_params_default();

    params.as = BG_LOAD_VOLUME;
    if (!bg_cli_get_int(cli, "frame", 0, G_MAXINT, &params.frame, error))
        return NULL;
    g_autoptr(BgLoaded) loaded = bg_cli_load(cli, path, &params, error);
    if (loaded != NULL && loaded->volume == NULL) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    "not a volume: %s: it is of the kind %s. Give a volume", path,
                    bg_kind_name(loaded->info->kind));
        return NULL;
    }
    return g_steal_pointer(&loaded);
}

BgVolume *
bg_cli_load_volume(BgCli *cli, const char *path, GError **error)
{
    g_autoptr(BgLoaded) loaded = bg_cli_load_as_volume(cli, path, error);

    return loaded != NULL ? bg_volume_ref(loaded->volume) : NULL;
}

BgLabelMap *
bg_cli_load_labels(BgCli *cli, const char *path, GError **error)
{
    BgLoadParams params = bg_load_params_default();

    params.as = BG_LOAD_LABELS;
    g_autoptr(BgLoaded) loaded = bg_cli_load(cli, path, &params, error);
    if (loaded == NULL)
        return NULL;
    if (loaded->labels == NULL) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    "not a label map: %s: it is of the kind %s. Give a label map", path,
                    bg_kind_name(loaded->info->kind));
        return NULL;
    }
    return bg_label_map_ref(loaded->labels);
}

gboolean
bg_cli_check_drawn(const BgLabelMap *labels, const char *path, GError **error)
{
    g_autoptr(GArray) counts = bg_label_map_count(labels);

    if (counts->len <= SURELY_LABELS || bg_raw_looks_like_labels(labels))
        return TRUE;
    g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                "not a label map: %s: it has %u different values, and neighbours are unlike, as in "
                "a scan. Give a label map, or make one with segment",
                path, counts->len);
    return FALSE;
}

BgLabelMap *
bg_cli_load_drawn(BgCli *cli, const char *path, GError **error)
{
    g_autoptr(BgLabelMap) labels = bg_cli_load_labels(cli, path, error);

    return labels != NULL && bg_cli_check_drawn(labels, path, error) ? g_steal_pointer(&labels)
                                                                     : NULL;
}

BgMesh *
bg_cli_load_mesh(BgCli *cli, const char *path, GError **error)
{
    g_autoptr(BgLoaded) loaded = bg_cli_load(cli, path, NULL, error);

    if (loaded == NULL)
        return NULL;
    if (loaded->mesh == NULL) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    "not a mesh: %s: it is of the kind %s. Give an STL or PLY", path,
                    bg_kind_name(loaded->info->kind));
        return NULL;
    }
    return bg_mesh_ref(loaded->mesh);
}

// How many words of the command line name the file @there; @self: (inout): whether one has been passed over
// that is @path itself.
static guint
count_names(const GPtrArray *words, guint first, guint stride, const char *path,
            const GStatBuf *there, gboolean *self)
{
    guint n = 0;

    for (guint i = first; i < words->len; i += stride) {
        GStatBuf other;
        const char *word = words->pdata[i];
        if (!*self && strcmp(word, path) == 0)
            *self = TRUE;
        else if (word[0] != '\0' && g_stat(word, &other) == 0 && other.st_dev == there->st_dev &&
                 other.st_ino == there->st_ino)
            n++;
    }
    return n;
}

gboolean
bg_cli_check_output(const BgCli *cli, const char *path, GError **error)
{
    GStatBuf there;
    gboolean self = FALSE;

    if (g_stat(path, &there) != 0)
        return TRUE;
    if (S_ISREG(there.st_mode) && count_names(cli->arguments, 0, 1, path, &there, &self) +
                                          count_names(cli->options, 1, 2, path, &there, &self) >
                                      0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                    "cannot write: %s: it is what is read. Give another name", path);
        return FALSE;
    }
    if (cli->force)
        return TRUE;
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                "cannot write: %s: the file is there already. Give --force to replace it", path);
    return FALSE;
}

gboolean
bg_cli_wrote(BgCli *cli, gboolean ok, const char *path, GError **error)
{
    if (!ok && error != NULL && *error != NULL) {
        drop_core_prefix(*error, path);
        g_prefix_error(error, "cannot write: %s: ", path);
        if ((*error)->domain == G_IO_ERROR && (*error)->code != G_IO_ERROR_CANCELLED &&
            (*error)->code != G_IO_ERROR_EXISTS) {
            char *advised = g_strconcat((*error)->message, ". Choose another place", NULL);
            g_free((*error)->message);
            (*error)->message = advised;
        }
    }
    return ok;
}

char *
bg_cli_with_suffix(const char *path, const char *insert)
{
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(slash != NULL ? slash : path, '.');
    gsize length = strlen(path);

    if (g_str_has_suffix(path, ".nii.gz"))
        dot = path + length - strlen(".nii.gz");
    if (dot == NULL)
        dot = path + length;
    return g_strdup_printf("%.*s%s%s", (int) (dot - path), path, insert, dot);
}

// The command line as it can be run again: paths are absolute, the output's place is left open.
static BgJson *
recorded_arguments(const BgCli *cli)
{
    BgJson *array = bg_json_new_array();

    for (guint i = 0; i < cli->arguments->len; i++) {
        const char *argument = cli->arguments->pdata[i];
        if ((int) i == cli->command->output_arg) {
            // Only its name: where it lay when it was made is nobody's business.
            g_autofree char *base = g_path_get_basename(argument);
            bg_json_append(array, bg_json_new_string(base));
        } else if (cli->command->path_args & 1u << MIN(i, 31)) {
            g_autofree char *absolute = g_canonicalize_filename(argument, NULL);
            bg_json_append(array, bg_json_new_string(absolute));
        } else {
            bg_json_append(array, bg_json_new_string(argument));
        }
    }
    return array;
}

static BgJson *
recorded_options(const BgCli *cli)
{
    BgJson *array = bg_json_new_array();

    for (guint i = 0; i + 1 < cli->options->len; i += 2) {
        const char *name = cli->options->pdata[i], *value = cli->options->pdata[i + 1];
        const BgCliOption *option = cli->command->options;
        while (option->name != NULL && strcmp(option->name, name) != 0)
            option++;
        gboolean is_output = g_strcmp0(cli->command->output_option, name) == 0;
        g_autofree char *absolute = is_output ? g_path_get_basename(value)
                                    : option->kind == BG_CLI_PATH
                                        ? g_canonicalize_filename(value, NULL)
                                        : g_strdup(value);
        g_autofree char *text = option->kind == BG_CLI_FLAG
                                    ? g_strdup_printf("--%s", name)
                                    : g_strdup_printf("--%s=%s", name, absolute);
        bg_json_append(array, bg_json_new_string(text));
    }
    if (cli->ras)
        bg_json_append(array, bg_json_new_string("--space=ras"));
    return array;
}

char *
bg_cli_provenance(BgCli *cli, GError **error)
{
    g_autoptr(BgProvenance) provenance = bg_provenance_new(cli->command->name);
    BgJson *parameters = bg_provenance_get_parameters(provenance);

    for (guint i = 0; i < cli->inputs->len; i++) {
        const char *path = cli->inputs->pdata[i];
        g_autofree char *absolute = g_canonicalize_filename(path, NULL);
        g_autofree char *sha256 = bg_hash_file(path, NULL, cli->cancellable, error);
        if (sha256 == NULL) {
            g_prefix_error(error, "cannot read: %s: ", path);
            return NULL;
        }
        bg_provenance_add_input(provenance, absolute, sha256);
    }
    bg_json_set(parameters, "arguments", recorded_arguments(cli));
    bg_json_set(parameters, "options", recorded_options(cli));
    const BgJson *measured = bg_json_get(cli->result, "voxel_distance");
    if (measured != NULL)
        bg_json_set(parameters, "voxel_distance", bg_json_copy(measured));
    bg_provenance_set_backend(provenance, cli->engine);
    bg_provenance_set_seed(provenance, cli->seed);
    return bg_provenance_print(provenance);
}

void
bg_cli_set_vec3(BgJson *json, const char *name, BgVec3 value)
{
    // A zero that a flip made negative is a zero.
    double numbers[3] = { value.x + 0.0, value.y + 0.0, value.z + 0.0 };

    bg_json_set_doubles(json, name, numbers, 3);
}

void
bg_cli_set_point(const BgCli *cli, BgJson *json, const char *name, BgVec3 point_mm)
{
    if (cli->ras) {
        BgAffine flip = bg_affine_lps_ras_flip();
        point_mm = bg_affine_apply(&flip, point_mm);
    }
    bg_cli_set_vec3(json, name, point_mm);
}

void
bg_cli_set_dims(BgJson *json, const char *name, int nx, int ny, int nz)
{
    BgJson *array = bg_json_new_array();

    bg_json_append(array, bg_json_new_integer(nx));
    bg_json_append(array, bg_json_new_integer(ny));
    bg_json_append(array, bg_json_new_integer(nz));
    bg_json_set(json, name, array);
}

void
bg_cli_set_geometry(const BgCli *cli, BgJson *json, const BgGeometry *geometry)
{
    BgAffine affine = geometry->patient_from_voxel;
    BgVec3 spacing = bg_geometry_spacing_mm(geometry);
    double direction[9], matrix[16] = { 0 };
    char code[4];

    if (cli->ras) {
        BgAffine flip = bg_affine_lps_ras_flip();
        affine = bg_affine_multiply(&flip, &affine);
    }
    for (int row = 0; row < 3; row++) {
        for (int column = 0; column < 4; column++)
            matrix[4 * row + column] = affine.m[row][column] + 0.0;
        for (int axis = 0; axis < 3; axis++)
            direction[3 * row + axis] = affine.m[row][axis] / bg_vec3_get(spacing, axis) + 0.0;
    }
    matrix[15] = 1.0;
    bg_geometry_axis_code(geometry, code);
    bg_cli_set_vec3(json, "spacing_mm", spacing);
    bg_cli_set_point(cli, json, "origin_mm", bg_geometry_origin_mm(geometry));
    bg_json_set_doubles(json, "direction", direction, 9);
    bg_json_set_doubles(json, "affine", matrix, 16);
    bg_json_set_string(json, "axis_code", code);
}

gboolean
bg_cli_set_measures(const BgCli *cli, BgJson *json, BgMesh *mesh, GError **error)
{
    const BgMeshData *data = bg_mesh_get_data(mesh);
    BgMeshMeasures measures;

    if (!bg_mesh_measure(mesh, &measures, error))
        return FALSE;
    BgVec3 low = measures.low_mm, high = measures.high_mm;
    if (cli->ras) { // a flipped axis swaps its ends
        low = bg_vec3(-measures.high_mm.x, -measures.high_mm.y, measures.low_mm.z);
        high = bg_vec3(-measures.low_mm.x, -measures.low_mm.y, measures.high_mm.z);
    }
    double bounds[6] = { low.x, high.x, low.y, high.y, low.z, high.z };
    bg_json_set_integer(json, "n_vertices", (gint64) data->n_vertices);
    bg_json_set_integer(json, "n_triangles", (gint64) data->n_triangles);
    bg_json_set_boolean(json, "closed", measures.closed);
    bg_json_set_integer(json, "n_components", (gint64) measures.n_components);
    bg_json_set_double(json, "volume_ml", measures.volume_ml);
    bg_json_set_double(json, "area_cm2", measures.area_cm2);
    bg_json_set_doubles(json, "bounds_mm", bounds, 6);
    return TRUE;
}

static void
append_value(GString *text, const BgJson *value)
{
    switch (bg_json_get_kind(value)) {
    case BG_JSON_STRING:
        g_string_append(text, bg_json_to_string(value, ""));
        break;
    case BG_JSON_DOUBLE: {
        char number[G_ASCII_DTOSTR_BUF_SIZE];
        g_string_append(
            text, g_ascii_formatd(number, sizeof number, "%.7g", bg_json_to_double(value, 0.0)));
        break;
    }
    case BG_JSON_NULL:
        g_string_append(text, "-");
        break;
    default: {
        g_autofree char *printed = bg_json_print(value, FALSE);
        g_string_append(text, printed);
    }
    }
}

static gboolean
is_flat(const BgJson *array)
{
    for (gsize i = 0; i < bg_json_count(array); i++) {
        BgJsonKind kind = bg_json_get_kind(bg_json_at(array, i));
        if (kind == BG_JSON_OBJECT || kind == BG_JSON_ARRAY || kind == BG_JSON_STRING)
            return FALSE;
    }
    return TRUE;
}

static void print_member(const char *name, const BgJson *value, int depth);

static void
print_list(const char *name, const BgJson *array, int depth)
{
    for (gsize i = 0; i < bg_json_count(array); i++) {
        const BgJson *item = bg_json_at(array, i);
        print_member(i == 0 ? name : "", item, depth);
    }
}

// An object: in a line where it is short, else a line a member.
static void
print_row(const char *name, const BgJson *object, int depth)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (gsize i = 0; i < bg_json_count(object); i++) {
        g_string_append_printf(text, "%s%s ", i > 0 ? "  " : "", bg_json_name_at(object, i));
        append_value(text, bg_json_value_at(object, i));
    }
    if (text->len > MAX_ROW) {
        g_print("%*s%s\n", 2 * depth, "", *name != '\0' ? name : "-");
        for (gsize i = 0; i < bg_json_count(object); i++)
            print_member(bg_json_name_at(object, i), bg_json_value_at(object, i), depth + 1);
        return;
    }
    g_print("%*s%-*s %s\n", 2 * depth, "", 18 - 2 * depth, name, text->str);
}

static void
print_member(const char *name, const BgJson *value, int depth)
{
    g_autoptr(GString) text = g_string_new(NULL);
    BgJsonKind kind = bg_json_get_kind(value);

    if (kind == BG_JSON_OBJECT) {
        print_row(name, value, depth);
        return;
    }
    if (kind == BG_JSON_ARRAY && !is_flat(value)) {
        print_list(name, value, depth);
        return;
    }
    if (kind == BG_JSON_ARRAY) {
        if (bg_json_count(value) == 0)
            return;
        for (gsize i = 0; i < bg_json_count(value); i++) {
            g_string_append(text, i > 0 ? "  " : "");
            append_value(text, bg_json_at(value, i));
        }
    } else {
        append_value(text, value);
    }
    g_print("%*s%-*s %s\n", 2 * depth, "", 18 - 2 * depth, name, text->str);
}

void
bg_cli_print_table(const BgJson *json)
{
    for (gsize i = 0; i < bg_json_count(json); i++)
        if (strcmp(bg_json_name_at(json, i), "schema") != 0)
            print_member(bg_json_name_at(json, i), bg_json_value_at(json, i), 0);
}
