// SPDX-License-Identifier: Apache-2.0
// bregma-cli provenance: how a file was made.
#include "bg-cli.h"

static const BgCliOption options[] = { { NULL } };

static gboolean
run(BgCli *cli, GError **error)
{
    const char *path = bg_cli_arg(cli, 0);
    g_autofree char *text = bg_cli_read_provenance(path, error);
    g_autoptr(BgProvenance) provenance = text != NULL ? bg_provenance_parse(text, -1, error) : NULL;

    if (provenance == NULL) {
        g_prefix_error(error, "no provenance: %s: ", path);
        return FALSE;
    }
    // Printed anew and not as it stands there: names and kinds are what they should be.
    g_autofree char *clean = bg_provenance_print(provenance);
    g_autoptr(BgJson) json = bg_json_parse(clean, -1, error);
    if (json == NULL)
        return FALSE;
    bg_json_set_string(cli->result, "path", path);
    for (gsize i = 0; i < bg_json_count(json); i++)
        bg_json_set(cli->result, bg_json_name_at(json, i), bg_json_copy(bg_json_value_at(json, i)));
    return TRUE;
}

const BgCliCommand bg_cli_command_provenance = {
    .name = "provenance",
    .arguments = "FILE",
    .summary = "how a file was made: inputs, command, parameters, version, backend, seed",
    .min_args = 1,
    .max_args = 1,
    .path_args = 1u << 0,
    .output_arg = -1,
    .options = options,
    .run = run,
};
