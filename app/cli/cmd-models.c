// SPDX-License-Identifier: Apache-2.0
// bregma-cli models: weights of networks: what is there, where it is from, whether it is whole.
#include "bg-cli.h"

#include "core/learn/bg-model-store.h"

#include <string.h>

static BgJson *
model_to_json(const BgModel *model)
{
    BgJson *json = bg_json_new_object();

    bg_json_set_string(json, "name", model->name);
    bg_json_set_string(json, "path", model->path);
    bg_json_set_string(json, "network", model->network);
    bg_json_set_string(json, "sha256", model->sha256);
    bg_json_set_boolean(json, "installed", model->installed);
    bg_json_set_integer(json, "n_values", (gint64) model->n_values);
    bg_json_set(json, "card", model->card != NULL ? bg_json_copy(model->card) : bg_json_new_null());
    bg_json_set_string(json, "fault", model->fault);
    return json;
}

static BgJson *
networks_to_json(void)
{
    BgJson *list = bg_json_new_array();

    for (int i = 0; bg_network_at(i) != NULL; i++) {
        BgJson *json = bg_json_new_object();
        bg_json_set_string(json, "name", bg_network_at(i)->name);
        bg_json_set_string(json, "title", bg_network_at(i)->title);
        bg_json_set_integer(json, "n_values", (gint64) bg_network_at(i)->n_values);
        bg_json_append(list, json);
    }
    return list;
}

static void
list_models(BgCli *cli, gboolean verify)
{
    g_autoptr(GPtrArray) models = bg_model_store_list(verify, cli->cancellable);
    g_autofree char *folder = bg_model_store_get_folder();
    BgJson *list = bg_json_new_array();

    for (guint i = 0; i < models->len; i++) {
        const BgModel *model = models->pdata[i];
        bg_json_append(list, model_to_json(model));
        if (verify && model->fault != NULL)
            cli->failed = TRUE;
    }
    bg_json_set_string(cli->result, "folder", folder);
    bg_json_set(cli->result, "models", list);
}

static gboolean
run_list(BgCli *cli, GError **error)
{
    list_models(cli, FALSE);
    bg_json_set(cli->result, "networks", networks_to_json());
    return TRUE;
}

static gboolean
run_verify(BgCli *cli, GError **error)
{
    list_models(cli, TRUE);
    return !g_cancellable_set_error_if_cancelled(cli->cancellable, error);
}

static gboolean
run_import(BgCli *cli, GError **error)
{
    BgJson *list = bg_json_new_array();

    bg_json_set(cli->result, "models", list);
    g_autoptr(BgModel) model =
        bg_model_store_import(bg_cli_arg(cli, 0), bg_cli_arg(cli, 1), cli->force, &cli->progress,
                              cli->cancellable, error);
    if (model == NULL)
        return FALSE;
    bg_json_append(list, model_to_json(model));
    bg_cli_add_input(cli, bg_cli_arg(cli, 1));
    return TRUE;
}

static const BgCliOption options[] = { { NULL } };

static const BgCliCommand verb_list = {
    .name = "models list",
    .arguments = "",
    .summary = "the models that are here, and the networks that weights can be imported for",
    .output_arg = -1,
    .options = options,
    .run = run_list,
};

static const BgCliCommand verb_import = {
    .name = "models import",
    .arguments = "NAME FILE [--force]",
    .summary =
        "checks weights (Keras .h5, .safetensors, ONNX, our own) and keeps them for network NAME",
    .min_args = 2,
    .max_args = 2,
    .path_args = 1u << 1,
    .output_arg = -1,
    .options = options,
    .run = run_import,
};

static const BgCliCommand verb_verify = {
    .name = "models verify",
    .arguments = "",
    .summary =
        "reads every number of every model and compares its hash; status 1 when one is spoilt",
    .output_arg = -1,
    .options = options,
    .run = run_verify,
};

static const BgCliCommand *const verbs[] = { &verb_import, &verb_list, &verb_verify, NULL };

const BgCliCommand bg_cli_command_models = {
    .name = "models",
    .arguments = "list|import NAME FILE|verify",
    .summary = "weights of networks: what is there, where from, whether it is whole",
    .min_args = 1,
    .max_args = 3,
    .output_arg = -1,
    .options = options,
    .verbs = verbs,
};
