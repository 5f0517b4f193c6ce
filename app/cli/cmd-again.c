// SPDX-License-Identifier: Apache-2.0
// bregma-cli again: makes a file again from its provenance, and compares.
#include "bg-cli.h"

#include "core/base/bg-error.h"
#include "core/base/bg-hash.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

static const BgCliOption options[] = {
    { "output", BG_CLI_PATH, "=OUT  (or -o OUT) where to write it" },
    { NULL },
};

static gboolean
check_inputs(BgCli *cli, const BgProvenance *provenance, GError **error)
{
    for (gsize i = 0; i < bg_provenance_count_inputs(provenance); i++) {
        const char *path = bg_provenance_get_input_path(provenance, i);
        const char *wanted = bg_provenance_get_input_sha256(provenance, i);
        g_autofree char *sha256 = bg_hash_file(path, NULL, cli->cancellable, error);
        if (sha256 == NULL) {
            g_prefix_error(error, "an input is missing: %s: ", path);
            return FALSE;
        }
        if (wanted != NULL && strcmp(wanted, sha256) != 0) {
            g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                        "an input has changed: %s: its SHA-256 is %s and was %s. Put the old file "
                        "back",
                        path, sha256, wanted);
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
add_strings(GPtrArray *argv, const BgJson *array)
{
    if (bg_json_get_kind(array) != BG_JSON_ARRAY)
        return FALSE;
    for (gsize i = 0; i < bg_json_count(array); i++) {
        const char *text = bg_json_to_string(bg_json_at(array, i), NULL);
        if (text == NULL)
            return FALSE;
        g_ptr_array_add(argv, g_strdup(text));
    }
    return TRUE;
}

// Where the name of the output stands: among the arguments or the options.
static char **
output_of(BgCli *again)
{
    const BgCliCommand *command = again->command;

    if (command->output_arg >= 0)
        return (char **) &again->arguments->pdata[command->output_arg];
    for (guint i = 0; i + 1 < again->options->len; i += 2)
        if (strcmp(again->options->pdata[i], command->output_option) == 0)
            return (char **) &again->options->pdata[i + 1];
    return NULL;
}

// The recorded command line, with its output in @folder.
static BgCli *
recorded_command(BgCli *cli, BgProvenance *provenance, const char *folder, GError **error)
{
    const BgJson *parameters = bg_provenance_get_parameters(provenance);
    const char *name = bg_provenance_get_command(provenance);
    const BgCliCommand *command = bg_cli_find_command(name);
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(argv, g_strdup(name));
    if (command == NULL || (command->output_arg < 0 && command->output_option == NULL) ||
        !add_strings(argv, bg_json_get(parameters, "options")) ||
        (g_ptr_array_add(argv, g_strdup("--")), FALSE) ||
        !add_strings(argv, bg_json_get(parameters, "arguments"))) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    "cannot be made again: %s: it was made by “%s” of the window or of another "
                    "version. Make it there",
                    bg_cli_arg(cli, 0), name);
        return NULL;
    }
    g_ptr_array_add(argv, NULL);

    BgCli *again = bg_cli_new();
    if (!bg_cli_parse(again, (char **) argv->pdata, error)) {
        bg_cli_free(again);
        return NULL;
    }
    char **out = output_of(again);
    if (out == NULL) {
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    "cannot be made again: %s: its provenance names no output. Run “%s” by hand",
                    bg_cli_arg(cli, 0), name);
        bg_cli_free(again);
        return NULL;
    }
    g_autofree char *base = g_path_get_basename(*out);
    g_free(*out);
    *out = g_build_filename(folder, base, NULL);
    again->seed = bg_provenance_get_seed(provenance);
    again->cancellable = g_object_ref(cli->cancellable);
    again->progress = cli->progress;
    g_free(again->backend);
    again->backend = g_strdup(cli->backend);
    return again;
}

static gboolean
equal_bytes(const char *a, const char *b)
{
    g_autofree char *first = bg_hash_file(a, NULL, NULL, NULL);
    g_autofree char *second = bg_hash_file(b, NULL, NULL, NULL);

    return first != NULL && g_strcmp0(first, second) == 0;
}

static gboolean
equal_meshes(BgMesh *a, BgMesh *b)
{
    const BgMeshData *p = bg_mesh_get_data(a), *q = bg_mesh_get_data(b);

    return p->n_vertices == q->n_vertices && p->n_triangles == q->n_triangles &&
           (p->n_vertices == 0 ||
            memcmp(p->positions, q->positions, 3 * p->n_vertices * sizeof(float)) == 0) &&
           (p->n_triangles == 0 ||
            memcmp(p->triangles, q->triangles, 3 * p->n_triangles * sizeof(guint32)) == 0);
}

static gboolean
equal_images(BgImage *a, BgImage *b)
{
    return memcmp(bg_image_get_format(a), bg_image_get_format(b), sizeof(BgImageFormat)) == 0 &&
           memcmp(bg_image_get_pixels(a), bg_image_get_pixels(b), bg_image_get_n_bytes(a)) == 0;
}

static gboolean
equal_volumes(BgVolume *a, BgVolume *b)
{
    BgSampleFormat f = bg_volume_get_format(a), g = bg_volume_get_format(b);

    return bg_geometry_equal(bg_volume_get_geometry(a), bg_volume_get_geometry(b), 1e-6) &&
           f.type == g.type && f.slope == g.slope && f.intercept == g.intercept &&
           memcmp(bg_volume_get_samples(a), bg_volume_get_samples(b), bg_volume_get_n_bytes(a)) ==
               0;
}

// The same content, though the bytes differ: another library packed it, a note was added.
static gboolean
equal_content(const char *a, const char *b)
{
    g_autoptr(BgLoaded) first = bg_io_load(a, NULL, NULL, NULL, NULL);
    g_autoptr(BgLoaded) second = first != NULL ? bg_io_load(b, NULL, NULL, NULL, NULL) : NULL;

    if (second == NULL)
        return FALSE;
    if (first->mesh != NULL && second->mesh != NULL)
        return equal_meshes(first->mesh, second->mesh);
    if (first->image != NULL && second->image != NULL)
        return equal_images(first->image, second->image);
    if (first->volume != NULL && second->volume != NULL)
        return equal_volumes(first->volume, second->volume);
    if (first->labels != NULL && second->labels != NULL) {
        g_autoptr(BgVolume) p = bg_label_map_to_volume(first->labels, NULL);
        g_autoptr(BgVolume) q = bg_label_map_to_volume(second->labels, NULL);
        return p != NULL && q != NULL && equal_volumes(p, q);
    }
    return FALSE;
}

// All files that the command wrote: in @folder, or one folder deeper.
static void
list_files(const char *folder, GPtrArray *files)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_DIR))
            list_files(path, files);
        else
            g_ptr_array_add(files, g_steal_pointer(&path));
    }
}

static int
compare_paths(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

// Of what was written, the file that was asked for: the equal one, else that of the same name or kind.
static const char *
choose_file(GPtrArray *files, const char *original)
{
    const char *suffix = strrchr(original, '.');
    const char *by_suffix = NULL;
    g_autofree char *base = g_path_get_basename(original);

    g_ptr_array_sort(files, compare_paths);
    for (guint i = 0; i < files->len; i++)
        if (equal_bytes(files->pdata[i], original))
            return files->pdata[i];
    for (guint i = 0; i < files->len; i++) {
        g_autofree char *name = g_path_get_basename(files->pdata[i]);
        if (strcmp(name, base) == 0)
            return files->pdata[i];
        if (by_suffix == NULL && suffix != NULL && g_str_has_suffix(name, suffix))
            by_suffix = files->pdata[i];
    }
    return by_suffix;
}

static void
remove_folder(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_DIR))
            remove_folder(path);
        else
            g_unlink(path);
    }
    g_rmdir(folder);
}

static gboolean
move_file(const char *from, const char *to, GError **error)
{
    if (g_rename(from, to) == 0)
        return TRUE;
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "cannot write: %s: %s", to,
                g_strerror(errno));
    return FALSE;
}

static gboolean
deliver(BgCli *cli, const char *folder, const char *out, GError **error)
{
    const char *original = bg_cli_arg(cli, 0);
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);

    list_files(folder, files);
    const char *made = choose_file(files, original);
    if (made == NULL) {
        g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                    "nothing like it was made: %s: its provenance may be of another file",
                    original);
        return FALSE;
    }
    gboolean identical = equal_bytes(made, original);
    gboolean equal = identical || equal_content(made, original);
    g_autofree char *beside = g_strconcat(made, ".json", NULL); // the text of an STL file
    g_autofree char *beside_out = g_strconcat(out, ".json", NULL);
    if (g_file_test(beside, G_FILE_TEST_EXISTS) && !move_file(beside, beside_out, error))
        return FALSE;
    if (!move_file(made, out, error))
        return FALSE;
    bg_json_set_string(cli->result, "output", out);
    if (bg_json_get(cli->result, "files") != NULL) { // the first command's were in the folder
        BgJson *delivered = bg_json_new_array();
        bg_json_append(delivered, bg_json_new_string(out));
        bg_json_set(cli->result, "files", delivered);
    }
    bg_json_set_boolean(cli->result, "equal", equal);
    bg_json_set_boolean(cli->result, "identical", identical);
    return TRUE;
}

static gboolean
run_again(BgCli *cli, BgProvenance *provenance, const char *folder, const char *out, GError **error)
{
    BgCli *again = recorded_command(cli, provenance, folder, error);
    gboolean ok = again != NULL && bg_cli_run(again, error);

    if (ok) {
        for (gsize i = 0; i < bg_json_count(again->result); i++)
            bg_json_set(cli->result, bg_json_name_at(again->result, i),
                        bg_json_copy(bg_json_value_at(again->result, i)));
        bg_json_set_string(cli->result, "command", again->command->name);
        ok = deliver(cli, folder, out, error);
    }
    if (again != NULL)
        bg_cli_free(again);
    return ok;
}

static gboolean
run(BgCli *cli, GError **error)
{
    const char *path = bg_cli_arg(cli, 0), *out = bg_cli_option(cli, "output");

    if (out == NULL) {
        bg_cli_usage_error(error, "where to: %s: give -o OUT", path);
        return FALSE;
    }
    if (!bg_cli_check_output(cli, out, error))
        return FALSE;
    g_autofree char *text = bg_cli_read_provenance(path, error);
    g_autoptr(BgProvenance) provenance = text != NULL ? bg_provenance_parse(text, -1, error) : NULL;
    if (provenance == NULL) {
        g_prefix_error(error, "no provenance: %s: ", path);
        return FALSE;
    }
    if (!check_inputs(cli, provenance, error))
        return FALSE;

    // Beside its place, so that the last step is a rename.
    g_autofree char *parent = g_path_get_dirname(out);
    g_autofree char *folder = g_build_filename(parent, ".bregma-again-XXXXXX", NULL);
    if (g_mkdtemp(folder) == NULL) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
                    "cannot write: %s: %s. Choose another place", out, g_strerror(errno));
        return FALSE;
    }
    gboolean ok = run_again(cli, provenance, folder, out, error);
    remove_folder(folder);
    return ok;
}

const BgCliCommand bg_cli_command_again = {
    .name = "again",
    .arguments = "FILE -o OUT",
    .summary = "makes a file again from its provenance, and says whether it is equal",
    .min_args = 1,
    .max_args = 1,
    .path_args = 1u << 0,
    .output_arg = -1,
    .options = options,
    .run = run,
};
