// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-mesh-job.h"

#include "core/base/bg-i18n.h"
#include "core/case/bg-provenance.h"
#include "core/io/bg-mesh-io.h"
#include "core/surface/bg-isosurface.h"
#include "core/surface/bg-label-surface.h"
#include "core/surface/bg-mesh-normals.h"
#include "core/surface/bg-mesh-refine.h"
#include "ui/model/bg-save.h"

#define REPAIR "print-repair"

typedef struct {
    BgSession *session; // owned
    BgVolume *volume;   // owned, nullable
    BgLabelMap *map;    // owned, nullable
    guint32 *labels;    // owned
    BgMeshCut cut;      // its labels are the above
    BgLayer *layer;     // owned: the layer to be, without content
    char *replaces;     // owned, nullable: id of the mesh whose place it takes
    BgJson *measured;   // owned, nullable: how far it then lies from the voxels' surface
} CutInput;

static void
cut_input_free(gpointer data)
{
    CutInput *input = data;

    g_clear_object(&input->session);
    g_clear_pointer(&input->volume, bg_volume_unref);
    g_clear_pointer(&input->map, bg_label_map_unref);
    g_clear_pointer(&input->layer, bg_layer_free);
    g_clear_pointer(&input->measured, bg_json_free);
    g_free(input->labels);
    g_free(input->replaces);
    g_free(input);
}

static BgMesh *
cut_surface(const CutInput *input, const BgProgress *progress, GCancellable *cancellable,
            GError **error)
{
    if (input->map != NULL) {
        BgLabelSurfaceParams params = { .labels = input->labels, .n_labels = input->cut.n_labels };
        return bg_label_surface(input->map, &params, progress, cancellable, error);
    }
    BgIsoParams params = { .iso = input->cut.iso };
    return bg_isosurface(input->volume, &params, progress, cancellable, error);
}

static gpointer
cut(gpointer data, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    CutInput *input = data;
    BgMeshRefineParams params = { .largest = input->cut.largest,
                                  .n_smooth = input->cut.n_smooth,
                                  .keep = input->cut.keep,
                                  .labels = input->map,
                                  .measure = TRUE };
    BgProgressSpan first, second;
    BgMeshRefined refined;

    g_autoptr(BgMesh) raw =
        cut_surface(input, bg_progress_span_init(&first, progress, 0.0, 0.4), cancellable, error);
    if (raw == NULL)
        return NULL;
    if (bg_mesh_get_data(raw)->n_triangles == 0) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                            _("There is no surface at that value: choose another one"));
        return NULL;
    }
    g_autoptr(BgMesh) mesh =
        bg_mesh_refine(raw, &params, &refined, bg_progress_span_init(&second, progress, 0.4, 1.0),
                       cancellable, error);
    if (mesh == NULL)
        return NULL;
    input->measured = bg_mesh_refined_to_json(&refined);
    return bg_mesh_compute_normals(mesh, error);
}

// What was measured goes with the mesh, into every file of it.
static void
note_measured(CutInput *input)
{
    g_autoptr(BgProvenance) provenance = bg_provenance_parse(input->layer->parameters, -1, NULL);

    if (input->measured == NULL || provenance == NULL)
        return;
    bg_json_set(bg_provenance_get_parameters(provenance), "voxel_distance",
                g_steal_pointer(&input->measured));
    g_free(input->layer->parameters);
    input->layer->parameters = bg_provenance_print(provenance);
}

// @title: of the step of undo, of which more may be to come: the caller ends the gesture
static gboolean
begin_layer(BgSession *session, const char *title, BgLayer *layer, BgMesh *mesh)
{
    BgCase *bg_case = bg_session_get_case(session);
    BgPayload payload = { .mesh = mesh };
    g_autoptr(GError) error = NULL;

    layer->id = (g_free(layer->id), bg_case_new_id(bg_case, "layer"));
    bg_case_begin_gesture(bg_case, title);
    if (!bg_session_do(session, bg_command_add_layer(layer)))
        return FALSE;
    if (bg_case_set_payload(bg_case, layer->id, &payload, &error))
        return TRUE;
    bg_session_fail(session, _("The mesh is lost"), error);
    return FALSE;
}

static void
add_layer(BgSession *session, BgLayer *layer, BgMesh *mesh, const char *replaces)
{
    BgCase *bg_case = bg_session_get_case(session);

    // Translators: the name of a step of undo
    if (begin_layer(session, _("Make mesh"), layer, mesh) && replaces != NULL &&
        bg_case_get_layer(bg_case, replaces) != NULL)
        bg_session_do(session, bg_command_remove_layer(replaces));
    bg_case_end_gesture(bg_case);
    bg_session_select(session, layer->id);
}

static void
on_cut(GObject *source, GAsyncResult *result, gpointer user_data)
{
    CutInput *input = user_data;
    g_autoptr(GError) error = NULL;
    g_autoptr(BgMesh) mesh = bg_job_run_finish(BG_JOB(source), result, &error);

    if (mesh != NULL)
        note_measured(input);
    if (mesh != NULL)
        add_layer(input->session, input->layer, mesh, input->replaces);
    else if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        bg_session_fail(input->session, _("The mesh cannot be made"), error);
    cut_input_free(input);
}

static char *
describe(const BgLayer *layer, const BgMeshCut *cut_params)
{
    const char *command = layer->kind == BG_KIND_LABELS ? "label-surface" : "isosurface";
    g_autoptr(BgProvenance) provenance = bg_provenance_new(command);
    BgJson *parameters = bg_provenance_get_parameters(provenance);

    bg_provenance_add_input(provenance, layer->source.path,
                            layer->source.sha256[0] != '\0' ? layer->source.sha256 : NULL);
    if (layer->kind == BG_KIND_LABELS) {
        BgJson *labels = bg_json_new_array();
        for (gsize i = 0; i < cut_params->n_labels; i++)
            bg_json_append(labels, bg_json_new_integer(cut_params->labels[i]));
        bg_json_set(parameters, "labels", labels);
        g_autofree char *tag = g_strdup_printf("%" G_GINT64_FORMAT, layer->content_tag);
        bg_json_set_string(parameters, "layer", layer->id);
        bg_json_set_string(parameters, "content", tag);
    } else {
        bg_json_set_double(parameters, "iso", cut_params->iso);
    }
    bg_json_set_integer(parameters, "smooth", cut_params->n_smooth);
    bg_json_set_double(parameters, "decimate", cut_params->keep);
    bg_json_set_boolean(parameters, "largest", cut_params->largest);
    return bg_provenance_print(provenance);
}

// @replaces: (nullable): id of a mesh that goes when the new one is there
static void
cut_mesh(BgSession *session, const BgLayer *layer, const BgMeshCut *cut_params,
         const char *replaces)
{
    g_return_if_fail(layer->payload.volume != NULL || layer->payload.labels != NULL);

    g_autofree char *parameters = describe(layer, cut_params);
    // Translators: a mesh is named after the volume or label that it was made of
    g_autofree char *name = g_strdup_printf(_("Surface of %s"), layer->name);
    CutInput *input = g_new0(CutInput, 1);
    input->session = g_object_ref(session);
    input->replaces = g_strdup(replaces);
    if (layer->payload.volume != NULL)
        input->volume = bg_volume_ref(layer->payload.volume);
    else
        input->map = bg_label_map_ref(layer->payload.labels);
    input->labels = g_memdup2(cut_params->labels, cut_params->n_labels * sizeof(guint32));
    input->cut = *cut_params;
    input->layer = bg_layer_new_generated(
        BG_KIND_MESH, name, layer, layer->kind == BG_KIND_LABELS ? "label-surface" : "isosurface",
        parameters);
    for (int c = 0; c < 3; c++)
        input->layer->mesh_rgb[c] = cut_params->rgb[c];

    // on_cut() frees the input: the job only borrows it.
    g_autoptr(BgJob) job = bg_job_new_of(_("Making a mesh"), layer->name);
    BgJobWork work = { .func = cut,
                       .input = input,
                       .free_input = NULL,
                       .free_result = (GDestroyNotify) bg_mesh_unref };
    bg_session_run(session, job, &work, on_cut, input);
}

void
bg_mesh_job_cut(BgSession *session, const BgLayer *layer, const BgMeshCut *cut_params)
{
    g_return_if_fail(BG_IS_SESSION(session));

    cut_mesh(session, layer, cut_params, NULL);
}

// (transfer full) (nullable): what labels were cut with; of a mesh that was repaired, what it was before
static BgJson *
cut_parameters(const BgLayer *mesh)
{
    g_autoptr(BgJson) line =
        mesh->parameters[0] != '\0' ? bg_json_parse(mesh->parameters, -1, NULL) : NULL;
    const BgJson *made = line;

    while (g_strcmp0(bg_json_to_string(bg_json_get(made, "command"), NULL), REPAIR) == 0)
        made = bg_json_get(bg_json_get(made, "parameters"), "made_by");
    return g_strcmp0(bg_json_to_string(bg_json_get(made, "command"), NULL), "label-surface") == 0
               ? bg_json_copy(bg_json_get(made, "parameters"))
               : NULL;
}

const BgLayer *
bg_mesh_job_source(BgSession *session, const BgLayer *mesh, gboolean *stale)
{
    g_autoptr(BgJson) parameters = cut_parameters(mesh);
    const char *id = bg_json_to_string(bg_json_get(parameters, "layer"), NULL);
    const char *content = bg_json_to_string(bg_json_get(parameters, "content"), NULL);
    const BgLayer *source = id != NULL ? bg_case_get_layer(bg_session_get_case(session), id) : NULL;

    *stale = source != NULL && content != NULL &&
             g_ascii_strtoll(content, NULL, 10) != source->content_tag;
    return source;
}

void
bg_mesh_job_again(BgSession *session, const BgLayer *mesh)
{
    gboolean stale;
    const BgLayer *source = bg_mesh_job_source(session, mesh, &stale);
    g_autoptr(GArray) labels = g_array_new(FALSE, FALSE, sizeof(guint32));
    BgMeshCut again = { .keep = 1.0 };

    if (source == NULL || source->payload.labels == NULL)
        return;
    g_autoptr(BgJson) parameters = cut_parameters(mesh);
    const BgJson *list = bg_json_get(parameters, "labels");
    for (gsize i = 0; list != NULL && i < bg_json_count(list); i++) {
        guint32 label = (guint32) bg_json_to_integer(bg_json_at(list, i), 0);
        g_array_append_val(labels, label);
    }
    again.labels = (const guint32 *) (gpointer) labels->data;
    again.n_labels = labels->len;
    again.n_smooth =
        (guint) CLAMP(bg_json_to_integer(bg_json_get(parameters, "smooth"), 0), 0, 200);
    again.keep = CLAMP(bg_json_to_double(bg_json_get(parameters, "decimate"), 1.0), 0.01, 1.0);
    again.largest = bg_json_to_boolean(bg_json_get(parameters, "largest"), FALSE);
    for (int c = 0; c < 3; c++)
        again.rgb[c] = mesh->mesh_rgb[c];
    if (labels->len > 0)
        cut_mesh(session, source, &again, mesh->id);
}

typedef struct {
    BgMesh *mesh;            // owned
    char *provenance, *name; // owned
} SaveInput;

static void
save_input_free(gpointer data)
{
    SaveInput *input = data;

    bg_mesh_unref(input->mesh);
    g_free(input->provenance);
    g_free(input->name);
    g_free(input);
}

static gboolean
save(gpointer data, const char *path, const BgProgress *progress, GCancellable *cancellable,
     GError **error)
{
    const SaveInput *input = data;
    BgMeshSaveParams params = { .force = TRUE, // the dialog has asked
                                .provenance = input->provenance,
                                .name = input->name };

    return bg_mesh_save(input->mesh, path, &params, progress, cancellable, error);
}

void
bg_mesh_job_save(BgSession *session, const BgLayer *layer, const char *path)
{
    g_return_if_fail(BG_IS_SESSION(session));
    g_return_if_fail(layer->payload.mesh != NULL);

    SaveInput *input = g_new0(SaveInput, 1);
    input->mesh = bg_mesh_ref(layer->payload.mesh);
    input->name = g_strdup(layer->name);
    if (layer->parameters[0] != '\0')
        input->provenance = g_strdup(layer->parameters);
    const BgSaveWork work = { .title = _("Saving the mesh"),
                              .failure = _("The mesh is not saved"),
                              .func = save,
                              .input = input,
                              .free_input = save_input_free,
                              .path = path };
    bg_save_job(session, &work);
}

typedef struct {
    BgSession *session; // owned
    GWeakRef owner;
    BgMeshPrintFunc found;
    BgMesh *mesh;       // owned: as it is
    char *mesh_id;      // owned: of its layer
    BgLayer *layer;     // owned, nullable: the layer to be, without content
    BgPrintCheck check; // what the job finds: of the repaired mesh, where it repairs
    BgPrintRepair done; // and has done
} PrintInput;

static void
print_input_free(PrintInput *input)
{
    g_clear_object(&input->session);
    g_weak_ref_clear(&input->owner);
    g_clear_pointer(&input->mesh, bg_mesh_unref);
    g_clear_pointer(&input->layer, bg_layer_free);
    g_free(input->mesh_id);
    g_free(input);
}

static gpointer
check_print(gpointer data, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    PrintInput *input = data;
    const BgPrintParams params = bg_print_params();

    if (!bg_mesh_print_check(input->mesh, &params, &input->check, progress, cancellable, error))
        return NULL;
    return bg_mesh_ref(input->mesh);
}

// What comes out is checked as well: nothing is called mended that nobody has looked at.
static gpointer
repair_print(gpointer data, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    PrintInput *input = data;
    const BgPrintParams params = bg_print_params();

    g_autoptr(BgMesh) bare = bg_mesh_print_repair(input->mesh, &params, &input->done, error);
    if (bare == NULL)
        return NULL;
    g_autoptr(BgMesh) mesh = bg_mesh_compute_normals(bare, error);
    if (mesh == NULL ||
        !bg_mesh_print_check(mesh, &params, &input->check, progress, cancellable, error))
        return NULL;
    return g_steal_pointer(&mesh);
}

static char *
describe_repair(const PrintInput *input, const BgLayer *from)
{
    const BgPrintParams params = bg_print_params();
    g_autoptr(BgProvenance) provenance = bg_provenance_new(REPAIR);
    BgJson *parameters = bg_provenance_get_parameters(provenance);
    BgJson *made = from != NULL && from->parameters[0] != '\0'
                       ? bg_json_parse(from->parameters, -1, NULL)
                       : NULL;

    if (from != NULL && from->source.path[0] != '\0')
        bg_provenance_add_input(provenance, from->source.path,
                                from->source.sha256[0] != '\0' ? from->source.sha256 : NULL);
    if (from != NULL)
        bg_json_set_string(parameters, "of", from->name);
    if (made != NULL)
        bg_json_set(parameters, "made_by", made);
    bg_json_set_double(parameters, "least_wall_mm", params.least_wall_mm);
    bg_json_set_double(parameters, "least_part_ml", params.least_part_ml);
    bg_json_set_integer(parameters, "holes_filled", (gint64) input->done.n_holes_filled);
    bg_json_set_integer(parameters, "islands_removed", (gint64) input->done.n_islands_removed);
    bg_json_set_integer(parameters, "triangles_removed", (gint64) input->done.n_triangles_removed);
    bg_json_set_boolean(parameters, "turned", input->done.turned);
    bg_json_set_boolean(parameters, "printable", input->check.printable);
    return bg_provenance_print(provenance);
}

static void
add_repaired(PrintInput *input, BgMesh *mesh)
{
    BgSession *session = input->session;
    BgCase *bg_case = bg_session_get_case(session);
    const BgLayer *from = bg_case_get_layer(bg_case, input->mesh_id);
    g_autofree char *parameters = describe_repair(input, from);

    bg_layer_set_string(&input->layer->parameters, parameters);
    // Translators: the name of a step of undo
    gboolean done = begin_layer(session, _("Repair for Printing"), input->layer, mesh);
    from = bg_case_get_layer(bg_case, input->mesh_id); // not the one before the command
    if (done && from != NULL && from->visible)
        bg_session_do(session, bg_command_set_visible(input->mesh_id, FALSE));
    bg_case_end_gesture(bg_case);
    if (done)
        bg_session_select(session, input->layer->id);
}

static void
on_print(GObject *source, GAsyncResult *result, gpointer user_data)
{
    PrintInput *input = user_data;
    g_autoptr(GError) error = NULL;
    g_autoptr(BgMesh) mesh = bg_job_run_finish(BG_JOB(source), result, &error);
    g_autoptr(GObject) owner = g_weak_ref_get(&input->owner);

    if (owner != NULL)
        input->found(owner, mesh != NULL ? mesh : input->mesh, mesh != NULL ? &input->check : NULL);
    if (mesh != NULL && input->layer != NULL)
        add_repaired(input, mesh);
    else if (mesh == NULL && !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        bg_session_fail(input->session,
                        input->layer != NULL ? _("The mesh cannot be repaired")
                                             : _("The mesh cannot be checked"),
                        error);
    print_input_free(input);
}

static PrintInput *
print_input_new(BgSession *session, const BgLayer *layer, GObject *owner, BgMeshPrintFunc found)
{
    PrintInput *input = g_new0(PrintInput, 1);

    input->session = g_object_ref(session);
    g_weak_ref_init(&input->owner, owner);
    input->found = found;
    input->mesh = bg_mesh_ref(layer->payload.mesh);
    input->mesh_id = g_strdup(layer->id);
    return input;
}

void
bg_mesh_job_check(BgSession *session, const BgLayer *layer, GObject *owner, BgMeshPrintFunc found)
{
    g_return_if_fail(BG_IS_SESSION(session));
    g_return_if_fail(layer->payload.mesh != NULL);

    // on_print() frees the input: the job only borrows it.
    g_autoptr(BgJob) job = bg_job_new_of(_("Checking for printing"), layer->name);
    BgJobWork work = { .func = check_print,
                       .input = print_input_new(session, layer, owner, found),
                       .free_result = (GDestroyNotify) bg_mesh_unref };
    bg_job_set_aside(job);
    bg_session_run(session, job, &work, on_print, work.input);
}

void
bg_mesh_job_repair(BgSession *session, const BgLayer *layer, GObject *owner, BgMeshPrintFunc found)
{
    g_return_if_fail(BG_IS_SESSION(session));
    g_return_if_fail(layer->payload.mesh != NULL);

    PrintInput *input = print_input_new(session, layer, owner, found);
    // Translators: the name of a mesh that was repaired
    g_autofree char *name = g_strdup_printf(_("%s for printing"), layer->name);
    input->layer = bg_layer_new_generated(BG_KIND_MESH, name, layer, REPAIR, NULL);
    memcpy(input->layer->mesh_rgb, layer->mesh_rgb, sizeof layer->mesh_rgb);
    input->layer->mesh_wireframe = layer->mesh_wireframe;
    input->layer->opacity = layer->opacity;

    g_autoptr(BgJob) job = bg_job_new_of(_("Repairing for printing"), layer->name);
    BgJobWork work = { .func = repair_print,
                       .input = input,
                       .free_result = (GDestroyNotify) bg_mesh_unref };
    bg_session_run(session, job, &work, on_print, input);
}
