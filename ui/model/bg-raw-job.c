// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-raw-job.h"

#include "core/base/bg-i18n.h"
#include "core/case/bg-provenance.h"
#include "core/cast/bg-preset.h"

typedef struct {
    BgSession *session; // owned
    char *path;
    BgRawDescription description;
} Input;

static void
input_free(Input *input)
{
    g_object_unref(input->session);
    g_free(input->path);
    g_free(input);
}

static char *
describe(const Input *input)
{
    const BgRawDescription *raw = &input->description;
    g_autoptr(BgProvenance) provenance = bg_provenance_new("raw");
    BgJson *parameters = bg_provenance_get_parameters(provenance);
    const double dims[3] = { raw->dims[0], raw->dims[1], raw->dims[2] };

    bg_provenance_add_input(provenance, input->path, NULL);
    bg_json_set_doubles(parameters, "dims", dims, 3);
    bg_json_set_string(parameters, "datatype", bg_raw_type_name(raw->type));
    bg_json_set_boolean(parameters, "big_endian", raw->big_endian);
    bg_json_set_double(parameters, "header_bytes", (double) raw->header_bytes);
    bg_json_set_doubles(parameters, "spacing_mm", raw->spacing_mm, 3);
    return bg_provenance_print(provenance);
}

typedef struct {
    BgLayer *layer;   // owned
    BgVolume *volume; // owned
} Result;

static void
result_free(gpointer data)
{
    Result *result = data;

    g_clear_pointer(&result->layer, bg_layer_free);
    g_clear_pointer(&result->volume, bg_volume_unref);
    g_free(result);
}

static gpointer
load(gpointer data, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    const Input *input = data;
    const BgLoadParams params = { .component = -1, .as = BG_LOAD_VOLUME };
    g_autoptr(BgLoaded) loaded =
        bg_raw_load_file(input->path, &input->description, &params, progress, cancellable, error);

    if (loaded == NULL)
        return NULL;

    g_autofree char *name = g_path_get_basename(input->path);
    g_autofree char *parameters = describe(input);
    Result *result = g_new0(Result, 1);
    result->volume = bg_volume_ref(loaded->volume);
    result->layer = bg_layer_new_generated(BG_KIND_VOLUME, name, NULL, "raw", parameters);
    bg_io_default_window(loaded->volume, loaded->info->modality, &result->layer->window_centre,
                         &result->layer->window_width);
    bg_layer_take_doubts(result->layer, loaded->info);
    result->layer->transfer_function =
        bg_preset_load(bg_preset_guess(loaded->volume), loaded->volume, NULL);
    return result;
}

static void
on_loaded(GObject *source, GAsyncResult *async_result, gpointer user_data)
{
    Input *input = user_data;
    BgSession *session = input->session;
    BgCase *bg_case = bg_session_get_case(session);
    g_autoptr(GError) error = NULL;
    Result *result = bg_job_run_finish(BG_JOB(source), async_result, &error);

    if (result == NULL) {
        bg_session_fail(session, _("The voxels could not be read"), error);
        input_free(input);
        return;
    }
    BgPayload payload = { .volume = result->volume };
    gboolean first = bg_session_get_geometry(session) == NULL;
    g_free(result->layer->id);
    result->layer->id = bg_case_new_id(bg_case, "layer");
    bg_case_begin_gesture(bg_case, _("Open file"));
    if (bg_session_do(session, bg_command_add_layer(result->layer)) &&
        !bg_case_set_payload(bg_case, result->layer->id, &payload, &error))
        bg_session_fail(session, _("The voxels are lost"), error);
    bg_case_end_gesture(bg_case);
    if (first)
        bg_session_do(session, bg_command_set_cursor(
                                   bg_geometry_centre_mm(bg_volume_get_geometry(result->volume))));
    bg_session_select(session, result->layer->id);
    result_free(result);
    input_free(input);
}

void
bg_raw_job_open(BgSession *session, const char *path, const BgRawDescription *description)
{
    g_autofree char *name = g_path_get_basename(path);
    // Translators: a running job; %s is the name of a file
    g_autofree char *title = g_strdup_printf(_("Reading %s"), name);
    g_autoptr(BgJob) job = bg_job_new(title);
    Input *input = g_new0(Input, 1);

    input->session = g_object_ref(session);
    input->path = g_strdup(path);
    input->description = *description;
    const BgJobWork work = { .func = load, .input = input, .free_result = result_free };
    bg_session_run(session, job, &work, on_loaded, input); // which frees the input
}
