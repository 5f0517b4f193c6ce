// SPDX-License-Identifier: Apache-2.0
// bregma-cli phantom: a made-up case whose truth is known.
#include "bg-cli.h"

#include "core/base/bg-error.h"
#include "core/base/bg-output.h"
#include "core/phantom/bg-phantom.h"

#include <errno.h>
#include <string.h>

#define DEFAULT_SIZE 128

static const BgCliOption options[] = {
    { "kind", BG_CLI_VALUE, "=head|ct-head|spheres|slab  what it shows" },
    { "size", BG_CLI_VALUE, "=N  voxels along each side; 128 unless given" },
    { "tumour", BG_CLI_FLAG, "of a head: with one" },
    { NULL },
};

static gboolean
parse(BgCli *cli, BgPhantomParams *params, GError **error)
{
    const char *kind = bg_cli_option(cli, "kind");

    params->size = DEFAULT_SIZE;
    params->seed = (guint64) cli->seed;
    params->tumour = bg_cli_has(cli, "tumour");
    if (kind == NULL || !bg_phantom_kind_from_name(kind, &params->kind)) {
        bg_cli_usage_error(error, "which phantom: --kind=%s: give head, ct-head, spheres or slab",
                           kind != NULL ? kind : "");
        return FALSE;
    }
    return bg_cli_get_int(cli, "size", BG_PHANTOM_MIN_SIZE, BG_PHANTOM_MAX_SIZE, &params->size,
                          error);
}

static char *
part_path(const char *folder, const BgPhantomPart *part)
{
    g_autofree char *name = g_strconcat(part->name, ".nii.gz", NULL);

    return g_build_filename(folder, name, NULL);
}

// A folder that an earlier phantom made is written again; anything else asks for --force.
static gboolean
is_our_folder(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "truth.json", NULL);
    g_autofree char *text = NULL;
    gsize length;

    if (!g_file_get_contents(path, &text, &length, NULL))
        return FALSE;
    g_autoptr(BgJson) json = bg_json_parse(text, (gssize) length, NULL);
    return bg_json_get(json, "schema") != NULL && bg_json_get(json, "kind") != NULL &&
           bg_json_get(json, "seed") != NULL;
}

static gboolean
write_part(BgCli *cli, const BgPhantomPart *part, const char *path, const char *provenance,
           GError **error)
{
    BgSaveParams params = { .force = cli->force,
                            .provenance = provenance,
                            .modality = part->modality,
                            .unit = strcmp(part->modality, "CT") == 0 ? "HU" : NULL,
                            .description = "bregma phantom",
                            .labels = part->labels != NULL };
    gboolean ok =
        part->volume != NULL
            ? bg_io_save_volume(part->volume, path, &params, NULL, cli->cancellable, error)
            : bg_io_save_labels(part->labels, path, &params, NULL, cli->cancellable, error);

    return bg_cli_wrote(cli, ok, path, error);
}

static gboolean
write_truth(BgCli *cli, const BgPhantom *phantom, const char *path, GError **error)
{
    g_autoptr(BgJson) truth = bg_json_copy(phantom->truth);

    if (bg_json_get(truth, "schema") == NULL)
        bg_json_set_integer(truth, "schema", 1);
    bg_json_set_integer(truth, "seed", cli->seed);
    bg_json_set_string(truth, "kind", bg_cli_option(cli, "kind"));
    g_autofree char *text = bg_json_print(truth, TRUE);
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    return bg_cli_wrote(cli, bg_output_replace(path, cli->force, line, strlen(line), error), path,
                        error);
}

static gboolean
run(BgCli *cli, GError **error)
{
    const char *folder = bg_cli_arg(cli, 0);
    BgPhantomParams params = { 0 };
    BgJson *files = bg_json_new_array();

    bg_json_set(cli->result, "files", files);
    if (!parse(cli, &params, error))
        return FALSE;
    if (g_mkdir_with_parents(folder, 0777) != 0) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
                    "cannot make the folder: %s: %s. Choose another place", folder,
                    g_strerror(errno));
        return FALSE;
    }
    cli->force = cli->force || is_our_folder(folder);

    g_autoptr(BgPhantom) phantom = bg_phantom_new(&params, &cli->progress, cli->cancellable, error);
    if (phantom == NULL)
        return FALSE;
    for (guint i = 0; i < phantom->n_parts; i++) {
        g_autofree char *path = part_path(folder, &phantom->parts[i]);
        if (!bg_cli_check_output(cli, path, error))
            return FALSE;
    }
    g_autofree char *provenance = bg_cli_provenance(cli, error);
    for (guint i = 0; provenance != NULL && i < phantom->n_parts; i++) {
        g_autofree char *path = part_path(folder, &phantom->parts[i]);
        if (!write_part(cli, &phantom->parts[i], path, provenance, error))
            return FALSE;
        bg_json_append(files, bg_json_new_string(path));
    }
    g_autofree char *truth_path = g_build_filename(folder, "truth.json", NULL);
    if (provenance == NULL || !write_truth(cli, phantom, truth_path, error))
        return FALSE;
    bg_json_append(files, bg_json_new_string(truth_path));
    bg_json_set(cli->result, "truth", bg_json_copy(phantom->truth));
    bg_json_set_integer(cli->result, "seed", cli->seed);
    return TRUE;
}

const BgCliCommand bg_cli_command_phantom = {
    .name = "phantom",
    .arguments = "DIR --kind=head|ct-head|spheres|slab [--size=N] [--tumour] [--seed=N]",
    .summary = "a made-up case whose truth is known",
    .min_args = 1,
    .max_args = 1,
    .path_args = 1u << 0,
    .output_arg = 0,
    .options = options,
    .run = run,
};
