// SPDX-License-Identifier: Apache-2.0
#include "bg-nn-params.h"
#include "core/base/bg-error.h"
#include "core/base/bg-hash.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-random.h"

#include <math.h>
#include <string.h>

typedef struct {
    char *name; // owned
    BgNnRole role;
    BgNnTensor *tensor; // owned
} Param;

struct _BgNnParams {
    gint refs;           // atomic
    GArray *list;        // of Param
    GHashTable *by_name; // borrowed names to indices
};

static void
clear_param(gpointer data)
{
    Param *param = data;

    g_free(param->name);
    bg_nn_tensor_unref(param->tensor);
}

static BgNnParams *
params_new(void)
{
    BgNnParams *params = g_new0(BgNnParams, 1);

    params->refs = 1;
    params->list = g_array_new(FALSE, TRUE, sizeof(Param));
    g_array_set_clear_func(params->list, clear_param);
    params->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    return params;
}

// Takes the tensor.
static void
append(BgNnParams *params, const char *name, BgNnRole role, BgNnTensor *tensor)
{
    Param param = { g_strdup(name), role, tensor };

    g_array_append_val(params->list, param);
    g_hash_table_insert(params->by_name, param.name, GINT_TO_POINTER(params->list->len - 1));
}

static void
fill_weight(BgNnTensor *tensor, BgNnKind kind, BgNnInit init, double spread, BgRandom *random)
{
    const BgNnShape *shape = bg_nn_tensor_get_shape(tensor);
    gsize count = bg_nn_tensor_count(tensor);
    float *data = bg_nn_tensor_data(tensor);
    double out = (double) shape->dims[0], taps = 1;
    gboolean norm = kind == BG_NN_BATCH_NORM || kind == BG_NN_INSTANCE_NORM;

    for (int i = 2; i < shape->rank; i++)
        taps *= (double) shape->dims[i];
    double fan_in = norm ? 1 : (double) shape->dims[1] * taps, fan_out = out * taps;
    for (gsize i = 0; i < count; i++) {
        double value = 1;
        if (norm) {
            value = init == BG_NN_INIT_NORMAL ? 1 + spread * bg_random_normal(random) : 1;
        } else if (init == BG_NN_INIT_HE) {
            value = sqrt(2 / fan_in) * bg_random_normal(random);
        } else if (init == BG_NN_INIT_GLOROT) {
            value = sqrt(6 / (fan_in + fan_out)) * (2 * bg_random_uniform(random) - 1);
        } else {
            do
                value = bg_random_normal(random);
            while (init == BG_NN_INIT_TRUNCATED && fabs(value) > 2);
            value *= spread;
        }
        data[i] = (float) value;
    }
}

static void
fill(BgNnTensor *tensor, BgNnKind kind, BgNnRole role, BgNnInit init, double spread,
     BgRandom *random)
{
    static const float constants[] = { [BG_NN_ROLE_BIAS] = 0,
                                       [BG_NN_ROLE_MEAN] = 0,
                                       [BG_NN_ROLE_VARIANCE] = 1,
                                       [BG_NN_ROLE_SLOPE] = 0.25f };
    gsize count = bg_nn_tensor_count(tensor);
    float *data = bg_nn_tensor_data(tensor);

    if (role == BG_NN_ROLE_WEIGHT) {
        fill_weight(tensor, kind, init, spread, random);
    } else {
        for (gsize i = 0; i < count; i++)
            data[i] =
                role == BG_NN_ROLE_SINGULAR ? (float) bg_random_normal(random) : constants[role];
    }
}

BgNnParams *
bg_nn_params_new(const BgNnGraph *graph, const BgNnShape *inputs, int n_inputs, BgNnInit init,
                 double spread, guint64 seed, GError **error)
{
    g_autofree BgNnShape *shapes = bg_nn_graph_infer(graph, inputs, n_inputs, error);
    if (shapes == NULL)
        return NULL;
    g_autoptr(BgNnParams) params = params_new();

    for (int i = 0; i < bg_nn_graph_count(graph); i++) {
        const BgNnLayer *layer = bg_nn_graph_get(graph, i);
        BgNnParamInfo infos[BG_NN_MAX_LAYER_PARAMS];
        if (layer->n_inputs == 0)
            continue;
        int n = bg_nn_layer_list_params(layer, &shapes[layer->inputs[0]], infos);
        for (int k = 0; k < n; k++) {
            g_autofree char *name =
                g_strdup_printf("%s/%s", layer->name, bg_nn_role_name(infos[k].role));
            BgRandom random = bg_random(seed, (guint64) params->list->len);
            BgNnTensor *tensor = bg_nn_tensor_new(&infos[k].shape, error);
            if (tensor == NULL)
                return NULL;
            fill(tensor, layer->kind, infos[k].role, init, spread, &random);
            append(params, name, infos[k].role, tensor);
        }
    }
    return g_steal_pointer(&params);
}

BgNnParams *
bg_nn_params_ref(BgNnParams *params)
{
    g_return_val_if_fail(params != NULL, NULL);

    g_atomic_int_inc(&params->refs);
    return params;
}

void
bg_nn_params_unref(BgNnParams *params)
{
    if (params == NULL || !g_atomic_int_dec_and_test(&params->refs))
        return;
    g_hash_table_unref(params->by_name);
    g_array_unref(params->list);
    g_free(params);
}

BgNnParams *
bg_nn_params_copy(const BgNnParams *params, GError **error)
{
    g_autoptr(BgNnParams) copy = params_new();

    for (guint i = 0; i < params->list->len; i++) {
        const Param *param = &g_array_index(params->list, Param, i);
        BgNnTensor *tensor = bg_nn_tensor_new_copy(bg_nn_tensor_get_shape(param->tensor),
                                                   bg_nn_tensor_peek(param->tensor), error);
        if (tensor == NULL)
            return NULL;
        append(copy, param->name, param->role, tensor);
    }
    return g_steal_pointer(&copy);
}

int
bg_nn_params_count(const BgNnParams *params)
{
    return (int) params->list->len;
}

gsize
bg_nn_params_count_values(const BgNnParams *params, gboolean all)
{
    gsize sum = 0;

    for (guint i = 0; i < params->list->len; i++) {
        const Param *param = &g_array_index(params->list, Param, i);
        if (all || bg_nn_role_is_trained(param->role))
            sum += bg_nn_tensor_count(param->tensor);
    }
    return sum;
}

const char *
bg_nn_params_get_name(const BgNnParams *params, int index)
{
    return g_array_index(params->list, Param, index).name;
}

BgNnRole
bg_nn_params_get_role(const BgNnParams *params, int index)
{
    return g_array_index(params->list, Param, index).role;
}

BgNnTensor *
bg_nn_params_get(const BgNnParams *params, int index)
{
    return g_array_index(params->list, Param, index).tensor;
}

int
bg_nn_params_find(const BgNnParams *params, const char *name)
{
    gpointer index;

    if (!g_hash_table_lookup_extended(params->by_name, name, NULL, &index))
        return -1;
    return GPOINTER_TO_INT(index);
}

int
bg_nn_params_find_role(const BgNnParams *params, const char *layer, BgNnRole role)
{
    g_autofree char *name = g_strdup_printf("%s/%s", layer, bg_nn_role_name(role));

    return bg_nn_params_find(params, name);
}

int
bg_nn_params_require(const BgNnParams *params, const char *layer, const BgNnParamInfo *info,
                     GError **error)
{
    int index = bg_nn_params_find_role(params, layer, info->role);

    if (index >= 0 &&
        bg_nn_shape_equal(bg_nn_tensor_get_shape(bg_nn_params_get(params, index)), &info->shape))
        return index;
    g_autofree char *wanted = bg_nn_shape_to_string(&info->shape);
    g_autofree char *found =
        index < 0 ? g_strdup(_("nothing"))
                  : bg_nn_shape_to_string(bg_nn_tensor_get_shape(bg_nn_params_get(params, index)));
    g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                _("The weights do not fit the network: \"%s/%s\" must be %s and is %s. Choose the "
                  "weights that were made for it"),
                layer, bg_nn_role_name(info->role), wanted, found);
    return -1;
}

gboolean
bg_nn_params_fill(BgNnParams *params, const BgNnParams *from, GError **error)
{
    for (guint i = 0; i < params->list->len; i++) {
        const Param *param = &g_array_index(params->list, Param, i);
        const BgNnShape *shape = bg_nn_tensor_get_shape(param->tensor);
        int index = bg_nn_params_find(from, param->name);
        const BgNnTensor *found = index >= 0 ? bg_nn_params_get(from, index) : NULL;
        if (found == NULL || !bg_nn_shape_equal(bg_nn_tensor_get_shape(found), shape)) {
            g_autofree char *wanted = bg_nn_shape_to_string(shape);
            g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                        _("The weights do not fit the network: \"%s\" must be there, of %s. Choose "
                          "the weights that were made for it"),
                        param->name, wanted);
            return FALSE;
        }
        memcpy(bg_nn_tensor_data(param->tensor), bg_nn_tensor_peek(found),
               bg_nn_tensor_count(found) * sizeof(float));
    }
    return TRUE;
}

char *
bg_nn_params_hash(const BgNnParams *params)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < params->list->len; i++) {
        const Param *param = &g_array_index(params->list, Param, i);
        g_autofree char *shape = bg_nn_shape_to_string(bg_nn_tensor_get_shape(param->tensor));
        g_autofree char *hash = bg_hash_bytes(bg_nn_tensor_peek(param->tensor),
                                              bg_nn_tensor_count(param->tensor) * sizeof(float));
        g_string_append_printf(text, "%s %s %s\n", param->name, shape, hash);
    }
    char *hash = bg_hash_bytes(text->str, text->len);
    g_string_free(text, TRUE);
    return hash;
}

gboolean
bg_nn_params_check(const BgNnParams *params, GError **error)
{
    for (guint i = 0; i < params->list->len; i++) {
        const Param *param = &g_array_index(params->list, Param, i);
        if (!bg_nn_tensor_is_finite(param->tensor)) {
            g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                        _("The weights cannot be used: \"%s\" has numbers that are infinite or not "
                          "a number. Get the file again"),
                        param->name);
            return FALSE;
        }
    }
    return TRUE;
}
