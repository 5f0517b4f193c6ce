// SPDX-License-Identifier: Apache-2.0
#include "bg-model-store.h"
#include "core/base/bg-data.h"
#include "core/base/bg-hash.h"
#include "core/base/bg-i18n.h"

#include <string.h>

void
bg_model_free(BgModel *model)
{
    if (model == NULL)
        return;
    g_free(model->name);
    g_free(model->path);
    g_free(model->network);
    g_free(model->sha256);
    g_free(model->fault);
    g_clear_pointer(&model->card, bg_json_free);
    g_free(model);
}

char *
bg_model_store_get_folder(void)
{
    const char *folder = g_getenv("BREGMA_MODEL_DIR");

    if (folder != NULL && *folder != '\0')
        return g_strdup(folder);
    return g_build_filename(g_get_user_data_dir(), "bregma", "models", NULL);
}

static gboolean
read_model(BgModel *model, gboolean verify, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgNnGraph) graph = bg_nn_weights_read_graph(model->path, cancellable, error);
    const BgNetwork *network = NULL;
    BgNnWeightsInfo info = { 0 };

    if (graph == NULL)
        return FALSE;
    model->network = g_strdup(bg_nn_graph_get_name(graph));
    network = bg_network_find(model->network, NULL);
    if (network != NULL)
        model->n_values = network->n_values;
    model->sha256 = bg_hash_file(model->path, NULL, cancellable, error);
    if (model->sha256 == NULL)
        return FALSE;
    model->card = bg_nn_weights_read_card(model->path, cancellable, error);
    if (model->card == NULL || !verify || network == NULL)
        return model->card != NULL;
    g_autoptr(BgNnParams) like = bg_network_params(network, 0, error);
    g_autoptr(BgNnParams) params =
        like == NULL
            ? NULL
            : bg_nn_weights_load(model->path, graph, like, NULL, &info, NULL, cancellable, error);
    bg_nn_weights_info_clear(&info);
    return params != NULL;
}

BgModel *
bg_model_read(const char *path, GCancellable *cancellable)
{
    BgModel *model = g_new0(BgModel, 1);
    g_autoptr(GError) error = NULL;

    model->name = g_path_get_basename(path);
    model->path = g_strdup(path);
    if (!read_model(model, FALSE, cancellable, &error))
        model->fault = g_strdup(error->message);
    return model;
}

static BgModel *
model_at(const char *folder, const char *file, gboolean installed, gboolean verify,
         GCancellable *cancellable)
{
    BgModel *model = g_new0(BgModel, 1);
    g_autoptr(GError) error = NULL;

    model->name = g_strndup(file, strlen(file) - strlen(".h5"));
    model->path = g_build_filename(folder, file, NULL);
    model->installed = installed;
    if (!read_model(model, verify, cancellable, &error))
        model->fault = g_strdup(error->message);
    return model;
}

static gboolean
has_name(const GPtrArray *models, const char *name)
{
    for (guint i = 0; i < models->len; i++)
        if (g_str_equal(((const BgModel *) models->pdata[i])->name, name))
            return TRUE;
    return FALSE;
}

static void
list_folder(GPtrArray *models, const char *folder, gboolean installed, gboolean verify,
            GCancellable *cancellable)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *file;

    while (dir != NULL && (file = g_dir_read_name(dir)) != NULL) {
        g_autofree char *name = NULL;
        if (!g_str_has_suffix(file, ".h5") || *file == '.')
            continue;
        name = g_strndup(file, strlen(file) - strlen(".h5"));
        if (!has_name(models, name))
            g_ptr_array_add(models, model_at(folder, file, installed, verify, cancellable));
    }
}

static int
by_name(gconstpointer a, gconstpointer b)
{
    const BgModel *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

GPtrArray *
bg_model_store_list(gboolean verify, GCancellable *cancellable)
{
    GPtrArray *models = g_ptr_array_new_with_free_func((GDestroyNotify) bg_model_free);
    g_autofree char *own = bg_model_store_get_folder(), *installed = bg_data_folder("models");

    list_folder(models, own, FALSE, verify, cancellable);
    list_folder(models, installed, TRUE, verify, cancellable);
    g_ptr_array_sort(models, by_name);
    return models;
}

char *
bg_model_store_find(const char *name, GError **error)
{
    g_autofree char *own = bg_model_store_get_folder(), *installed = bg_data_folder("models");
    g_autofree char *file = g_strconcat(name, ".h5", NULL);
    const char *const folders[] = { own, installed };

    for (gsize i = 0; i < G_N_ELEMENTS(folders) && strchr(name, '/') == NULL; i++) {
        g_autofree char *path = g_build_filename(folders[i], file, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
            return g_steal_pointer(&path);
    }
    g_set_error(
        error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
        _("There is no model \"%s\" here. Import its weights once: bregma-cli models import "
          "%s FILE; docs/models.md says where to get them"),
        name, name);
    return NULL;
}

char *
bg_model_store_resolve(const char *given, GError **error)
{
    if (g_file_test(given, G_FILE_TEST_EXISTS))
        return g_strdup(given);
    if (strpbrk(given, "/.") == NULL)
        return bg_model_store_find(given, error);
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                _("There is no file %s. Check the path, or name one of the models that "
                  "\"bregma-cli models list\" shows"),
                given);
    return NULL;
}

static BgJson *
make_card(const BgNetwork *network, const char *path, const BgNnWeightsInfo *info)
{
    g_autofree char *base = g_path_get_basename(path);
    BgJson *card = bg_json_new_object();

    bg_json_set_string(card, "network", network->name);
    bg_json_set_string(card, "title", network->title);
    bg_json_set_string(card, "source", base);
    bg_json_set_string(card, "source_format", bg_nn_weights_kind_name(info->kind));
    bg_json_set_string(card, "source_sha256", info->sha256);
    bg_json_set_integer(card, "n_arrays", info->n_used);
    bg_json_set_integer(card, "n_arrays_unused", info->n_unused);
    bg_json_set_integer(card, "n_values", (gint64) network->n_values);
    bg_json_set_string(card, "program", "bregma " BG_VERSION);
    return card;
}

BgModel *
bg_model_store_import(const char *name, const char *path, gboolean force,
                      const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    const BgNetwork *network = bg_network_find(name, error);
    BgNnWeightsInfo info = { 0 };

    if (network == NULL)
        return NULL;
    g_autoptr(BgNnGraph) graph = network->graph();
    g_autoptr(BgNnParams) params =
        bg_network_load(network, graph, path, &info, progress, cancellable, error);
    if (params == NULL)
        return NULL;
    g_autoptr(BgJson) card =
        info.card != NULL ? bg_json_copy(info.card) : make_card(network, path, &info);
    bg_nn_weights_info_clear(&info);
    g_autofree char *folder = bg_model_store_get_folder(), *file = g_strconcat(name, ".h5", NULL);
    g_autofree char *target = g_build_filename(folder, file, NULL);
    if (g_mkdir_with_parents(folder, 0755) != 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    _("%s: the folder for models cannot be made. Set BREGMA_MODEL_DIR to one that "
                      "can be written to"),
                    folder);
        return NULL;
    }
    if (!bg_nn_weights_save(target, graph, params, card, force, cancellable, error))
        return NULL;
    return model_at(folder, file, FALSE, TRUE, cancellable);
}
