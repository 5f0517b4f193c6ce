// SPDX-License-Identifier: Apache-2.0
// Writes every known network as JSON: its graph, the shapes to try it with, its parameters.
// For the scripts of tests/reference. usage: dump-networks [bench|rows] > networks.json
// bench: those of others that are timed only, too. rows: the layers of bg-nn-rows.h alone, each as a network.
#include "bg-bench-networks.h"
#include "bg-nn-rows.h"
#include "core/learn/bg-networks.h"

#include <stdio.h>

static BgJson *
shape_to_json(const BgNnShape *shape)
{
    BgJson *json = bg_json_new_array();

    for (int k = 0; k < shape->rank; k++)
        bg_json_append(json, bg_json_new_integer((gint64) shape->dims[k]));
    return json;
}

static BgJson *
to_json(const char *name, BgNnGraph *graph, BgNnParams *params, const BgNnShape *shapes,
        int n_inputs)
{
    BgJson *json = bg_json_new_object(), *inputs = bg_json_new_array();
    BgJson *list = bg_json_new_array();

    bg_json_set_string(json, "name", name);
    bg_json_set(json, "graph", bg_nn_graph_to_json(graph));
    for (int i = 0; i < n_inputs; i++)
        bg_json_append(inputs, shape_to_json(&shapes[i]));
    bg_json_set(json, "inputs", inputs);
    for (int i = 0; i < bg_nn_params_count(params); i++) {
        BgJson *one = bg_json_new_object();
        bg_json_set_string(one, "name", bg_nn_params_get_name(params, i));
        bg_json_set(one, "shape",
                    shape_to_json(bg_nn_tensor_get_shape(bg_nn_params_get(params, i))));
        bg_json_append(list, one);
    }
    bg_json_set(json, "params", list);
    return json;
}

static BgJson *
network_to_json(const BgNetwork *network)
{
    g_autoptr(BgNnGraph) graph = network->graph();
    g_autoptr(BgNnParams) params = bg_network_params(network, 0, NULL);

    return to_json(network->name, graph, params, network->inputs, network->n_inputs);
}

static BgJson *
row_to_json(const Row *row)
{
    BgNnShape shapes[BG_NN_MAX_INPUTS];
    int n_inputs, layer;
    g_autoptr(BgNnGraph) graph = row_graph(row, 0, shapes, &n_inputs, &layer);
    g_autoptr(BgNnParams) params =
        bg_nn_params_new(graph, shapes, n_inputs, BG_NN_INIT_HE, 0, 0, NULL);

    return to_json(row->name, graph, params, shapes, n_inputs);
}

int
main(int argc, char *argv[])
{
    g_autoptr(BgJson) all = bg_json_new_array();

    gboolean only_rows = argc > 1 && g_str_equal(argv[1], "rows");
    for (gsize i = 0; only_rows && i < G_N_ELEMENTS(rows); i++)
        bg_json_append(all, row_to_json(&rows[i]));
    for (int i = 0; !only_rows && bg_network_at(i) != NULL; i++)
        bg_json_append(all, network_to_json(bg_network_at(i)));
    for (gsize i = 0; argc > 1 && !only_rows && i < G_N_ELEMENTS(bench_networks); i++)
        bg_json_append(all, network_to_json(&bench_networks[i]));
    g_autofree char *text = bg_json_print(all, FALSE);
    puts(text);
    return 0;
}
