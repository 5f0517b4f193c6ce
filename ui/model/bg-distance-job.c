// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-distance-job.h"

#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/case/bg-provenance.h"
#include "core/surface/bg-label-surface.h"
#include "core/surface/bg-mesh-distance.h"
#include "core/surface/bg-mesh-normals.h"

#include <math.h>

#define OPERATION "mesh-distance"
#define TRUTH_OPACITY 0.3 // the other surface is seen through

// The surface that is compared with, where it is a new one: as green as nothing in the colours of distances.
static const double truth_rgb[3] = { 0.34, 0.73, 0.48 };

typedef struct {
    BgSession *session;               // owned
    BgMesh *mesh, *to;                // owned; NULL: of the labels
    BgLabelMap *pred, *truth;         // owned, nullable
    GArray *labels;                   // owned, nullable: of guint32
    char *mesh_id, *to_id;            // owned: of the layers
    char *mesh_name, *to_name;        // owned
    BgLayer *map_layer, *truth_layer; // owned, without content; the latter NULL with meshes
    BgMesh *made_truth;               // owned, nullable: what the job makes of the labels
    BgMeshSpread spread;              // what the job finds
} Input;

static void
input_free(gpointer data)
{
    Input *input = data;

    g_clear_object(&input->session);
    g_clear_pointer(&input->mesh, bg_mesh_unref);
    g_clear_pointer(&input->to, bg_mesh_unref);
    g_clear_pointer(&input->made_truth, bg_mesh_unref);
    g_clear_pointer(&input->pred, bg_label_map_unref);
    g_clear_pointer(&input->truth, bg_label_map_unref);
    g_clear_pointer(&input->labels, g_array_unref);
    g_clear_pointer(&input->map_layer, bg_layer_free);
    g_clear_pointer(&input->truth_layer, bg_layer_free);
    g_free(input->mesh_id);
    g_free(input->to_id);
    g_free(input->mesh_name);
    g_free(input->to_name);
    g_free(input);
}

gboolean
bg_distance_job_is_map(const BgLayer *layer)
{
    return layer->payload.mesh != NULL &&
           bg_mesh_get_data(layer->payload.mesh)->distances_mm != NULL;
}

double
bg_distance_job_range_mm(const BgLayer *layer)
{
    return 0.5 * layer->window_width;
}

char *
bg_distance_job_to(const BgLayer *layer)
{
    g_autoptr(BgProvenance) provenance = g_str_equal(layer->generated_by, OPERATION)
                                             ? bg_provenance_parse(layer->parameters, -1, NULL)
                                             : NULL;
    const BgJson *parameters = provenance != NULL ? bg_provenance_get_parameters(provenance) : NULL;

    return g_strdup(bg_json_to_string(bg_json_get(parameters, "to"), NULL));
}

static gboolean
is_wanted(const GArray *labels, guint32 label)
{
    for (guint i = 0; i < labels->len; i++)
        if (g_array_index(labels, guint32, i) == label)
            return TRUE;
    return FALSE;
}

// One surface around all of the labels together: where they touch, there is no wall.
static BgMesh *
surface_of(BgLabelMap *map, const GArray *labels, const char *name, const BgProgress *progress,
           GCancellable *cancellable, GError **error)
{
    const BgGeometry *geometry = bg_label_map_get_geometry(map);
    const int *dims = geometry->dims;
    gsize n_inside = 0, at = 0;
    BgLabelSurfaceParams params = { .n_smooth_passes = BG_LABEL_SURFACE_PASSES, .normals = TRUE };
    g_autofree guint32 *row = g_new(guint32, dims[0]);
    guint8 *voxels = bg_voxels_alloc(geometry, 1, error);

    if (voxels == NULL)
        return NULL;
    for (int k = 0; k < dims[2] && !g_cancellable_is_cancelled(cancellable); k++) {
        for (int j = 0; j < dims[1]; j++) {
            bg_label_map_read_row(map, j, k, row);
            for (int i = 0; i < dims[0]; i++) {
                voxels[at] = row[i] != 0 && is_wanted(labels, row[i]);
                n_inside += voxels[at++];
            }
        }
    }
    g_autoptr(BgLabelMap) mask = bg_label_map_new_take(geometry, BG_LABEL_UINT8, voxels, error);
    if (mask == NULL || g_cancellable_set_error_if_cancelled(cancellable, error))
        return NULL;
    if (n_inside == 0) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    // Translators: the name of a layer of labels
                    _("“%s” has no voxel of the labels that are shown. Show others"), name);
        return NULL;
    }
    return bg_label_surface(mask, &params, progress, cancellable, error);
}

static gpointer
map(gpointer data, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    Input *input = data;
    BgProgressSpan spans[3];
    g_autoptr(BgMesh) mesh = input->mesh != NULL ? bg_mesh_ref(input->mesh) : NULL;
    g_autoptr(BgMesh) to = input->to != NULL ? bg_mesh_ref(input->to) : NULL;

    if (mesh == NULL)
        mesh =
            surface_of(input->pred, input->labels, input->mesh_name,
                       bg_progress_span_init(&spans[0], progress, 0.0, 0.25), cancellable, error);
    if (mesh == NULL)
        return NULL;
    if (to == NULL)
        to = surface_of(input->truth, input->labels, input->to_name,
                        bg_progress_span_init(&spans[1], progress, 0.25, 0.5), cancellable, error);
    if (to == NULL)
        return NULL;
    if (input->to == NULL)
        input->made_truth = bg_mesh_ref(to);
    g_autoptr(BgMesh) result = bg_mesh_map_distance(
        mesh, to, bg_progress_span_init(&spans[2], progress, 0.5, 1.0), cancellable, error);
    if (result == NULL || !bg_mesh_spread(result, &input->spread, error))
        return NULL;
    return g_steal_pointer(&result);
}

static gboolean
add_mesh(BgSession *session, BgLayer *layer, BgMesh *mesh)
{
    BgCase *bg_case = bg_session_get_case(session);
    BgPayload payload = { .mesh = mesh };
    g_autoptr(GError) error = NULL;

    layer->id = (g_free(layer->id), bg_case_new_id(bg_case, "layer"));
    if (!bg_session_do(session, bg_command_add_layer(layer)))
        return FALSE;
    if (bg_case_set_payload(bg_case, layer->id, &payload, &error))
        return TRUE;
    bg_session_fail(session, _("The mesh is lost"), error);
    return FALSE;
}

static char *
describe(const Input *input)
{
    g_autoptr(BgProvenance) provenance = bg_provenance_new(OPERATION);
    BgJson *parameters = bg_provenance_get_parameters(provenance);

    bg_json_set_string(parameters, "of", input->mesh_name);
    bg_json_set_string(parameters, "to", input->to_name);
    if (input->labels != NULL) {
        BgJson *labels = bg_json_new_array();
        for (guint i = 0; i < input->labels->len; i++)
            bg_json_append(labels, bg_json_new_integer(g_array_index(input->labels, guint32, i)));
        bg_json_set(parameters, "labels", labels);
        bg_json_set_integer(parameters, "smooth", BG_LABEL_SURFACE_PASSES);
    }
    bg_json_set_double(parameters, "lowest_mm", input->spread.low_mm);
    bg_json_set_double(parameters, "highest_mm", input->spread.high_mm);
    bg_json_set_double(parameters, "mean_mm", input->spread.mean_mm);
    bg_json_set_double(parameters, "mean_abs_mm", input->spread.mean_abs_mm);
    bg_json_set_double(parameters, "p95_abs_mm", input->spread.p95_abs_mm);
    return bg_provenance_print(provenance);
}

static void
add_map(Input *input, BgMesh *mesh)
{
    BgSession *session = input->session;
    BgCase *bg_case = bg_session_get_case(session);
    g_autofree char *parameters = describe(input);

    bg_layer_set_string(&input->map_layer->parameters, parameters);
    input->map_layer->window_centre = 0.0;
    input->map_layer->window_width = 2.0 * bg_mesh_spread_range_mm(&input->spread);
    // Translators: the name of a step of undo
    bg_case_begin_gesture(bg_case, _("Colour by Distance"));
    const BgLayer *from = bg_case_get_layer(bg_case, input->mesh_id);
    const BgLayer *to = bg_case_get_layer(bg_case, input->to_id);
    gboolean done =
        input->truth_layer == NULL || add_mesh(session, input->truth_layer, input->made_truth);
    done = done && add_mesh(session, input->map_layer, mesh);
    if (done && input->truth_layer == NULL) {
        if (from != NULL && from->visible)
            bg_session_do(session, bg_command_set_visible(input->mesh_id, FALSE));
        if (to != NULL && !to->visible)
            bg_session_do(session, bg_command_set_visible(input->to_id, TRUE));
        if (to != NULL && to->opacity > TRUTH_OPACITY)
            bg_session_do(session, bg_command_set_opacity(input->to_id, TRUTH_OPACITY));
    }
    bg_case_end_gesture(bg_case);
    if (done)
        bg_session_select(session, input->map_layer->id);
}

static void
on_mapped(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Input *input = user_data;
    g_autoptr(GError) error = NULL;
    g_autoptr(BgMesh) mesh = bg_job_run_finish(BG_JOB(source), result, &error);

    if (mesh != NULL)
        add_map(input, mesh);
    else if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        bg_session_fail(input->session, _("The distances cannot be shown"), error);
    input_free(input);
}

static Input *
input_new(BgSession *session, const BgLayer *mesh, const BgLayer *to)
{
    Input *input = g_new0(Input, 1);
    // Translators: names of two surfaces, or of what they are made of
    g_autofree char *name = g_strdup_printf(_("%s, distance to %s"), mesh->name, to->name);

    input->session = g_object_ref(session);
    input->mesh_id = g_strdup(mesh->id);
    input->to_id = g_strdup(to->id);
    input->mesh_name = g_strdup(mesh->name);
    input->to_name = g_strdup(to->name);
    input->map_layer = bg_layer_new_generated(BG_KIND_MESH, name, mesh, OPERATION, NULL);
    return input;
}

static void
run(BgSession *session, Input *input)
{
    // on_mapped() frees the input: the job only borrows it.
    g_autoptr(BgJob) job = bg_job_new_of(_("Measuring distances"), input->mesh_name);
    BgJobWork work = { .func = map,
                       .input = input,
                       .free_input = NULL,
                       .free_result = (GDestroyNotify) bg_mesh_unref };

    bg_session_run(session, job, &work, on_mapped, input);
}

void
bg_distance_job_meshes(BgSession *session, const BgLayer *mesh, const BgLayer *to)
{
    g_return_if_fail(mesh->payload.mesh != NULL && to->payload.mesh != NULL);

    Input *input = input_new(session, mesh, to);
    input->mesh = bg_mesh_ref(mesh->payload.mesh);
    input->to = bg_mesh_ref(to->payload.mesh);
    run(session, input);
}

void
bg_distance_job_labels(BgSession *session, const BgLayer *pred, const BgLayer *truth)
{
    g_return_if_fail(pred->payload.labels != NULL && truth->payload.labels != NULL);

    Input *input = input_new(session, pred, truth);
    // Translators: a mesh is named after the volume or label that it was made of
    g_autofree char *name = g_strdup_printf(_("Surface of %s"), truth->name);
    input->pred = bg_label_map_ref(pred->payload.labels);
    input->truth = bg_label_map_ref(truth->payload.labels);
    input->labels = g_array_new(FALSE, FALSE, sizeof(guint32));
    for (gsize i = 0; pred->labels != NULL && i < bg_label_table_count(pred->labels); i++) {
        const BgLabelEntry *entry = bg_label_table_get(pred->labels, i);
        if (entry->visible && entry->label != 0)
            g_array_append_val(input->labels, entry->label);
    }
    input->truth_layer = bg_layer_new_generated(BG_KIND_MESH, name, truth, "label-surface", NULL);
    input->truth_layer->opacity = TRUTH_OPACITY;
    memcpy(input->truth_layer->mesh_rgb, truth_rgb, sizeof truth_rgb);
    run(session, input);
}
