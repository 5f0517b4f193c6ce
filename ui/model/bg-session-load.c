// SPDX-License-Identifier: Apache-2.0
// How files come into the case.
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/cast/bg-preset.h"
#include "ui/model/bg-session-private.h"
#include "ui/model/bg-settings.h"

typedef struct {
    char *path;
    BgLoadParams params;
    char *layer_id;        // of a row that is there already, or NULL
    char *override_reason; // nullable
} LoadInput;

typedef struct {
    BgLoaded *loaded;
    BgLayer *layer;   // nullable: only for a new row
    double low, high; // of a volume
} LoadResult;

typedef struct {
    BgSession *session; // owned
    char *path, *layer_id, *override_reason;
} LoadDone;

static void
load_input_free(gpointer data)
{
    LoadInput *self = data;

    g_free(self->path);
    g_free(self->layer_id);
    g_free(self->override_reason);
    g_free(self);
}

static void
load_result_free(gpointer data)
{
    LoadResult *self = data;

    g_clear_pointer(&self->loaded, bg_loaded_free);
    g_clear_pointer(&self->layer, bg_layer_free);
    g_free(self);
}

static gpointer
load_in_thread(gpointer data, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    LoadInput *input = data;
    BgLoaded *loaded = bg_io_load(input->path, &input->params, progress, cancellable, error);

    if (loaded == NULL)
        return NULL;

    LoadResult *result = g_new0(LoadResult, 1);
    result->loaded = loaded;
    if (loaded->volume != NULL &&
        !bg_preset_range(loaded->volume, &result->low, &result->high, error)) {
        load_result_free(result);
        return NULL;
    }
    if (input->layer_id != NULL)
        return result;

    result->layer = bg_layer_new_for_loaded(loaded, input->path, &input->params);
    if (loaded->volume != NULL && result->layer->transfer_function == NULL) {
        g_autoptr(GError) no_preset = NULL;
        const char *id = bg_preset_guess(loaded->volume);
        result->layer->transfer_function = bg_preset_load(id, loaded->volume, &no_preset);
        if (no_preset != NULL)
            g_info("no preset for %s: %s", input->path, no_preset->message);
    }

    return result;
}

static void
note_range(BgSession *self, const LoadResult *result)
{
    if (result->loaded->volume == NULL)
        return;

    gint64 *serial = g_new(gint64, 1);
    double *range = g_new(double, 2);
    *serial = (gint64) bg_volume_get_serial(result->loaded->volume);
    range[0] = result->low;
    range[1] = result->high;
    g_hash_table_replace(self->ranges, serial, range);
}

static void
add_layer(BgSession *self, LoadDone *done, LoadResult *result)
{
    BgCase *bg_case = self->bg_case;
    BgLayer *layer = result->layer;
    gboolean first = bg_session_get_geometry(self) == NULL;
    g_autoptr(GError) error = NULL;

    g_free(layer->id);
    layer->id = bg_case_new_id(bg_case, "layer");
    if (done->override_reason != NULL) {
        bg_layer_set_string(&layer->override_reason, done->override_reason);
        bg_session_do(self, bg_command_override_patient(&layer->patient, done->override_reason));
    }

    g_hash_table_add(self->loading, g_strdup(layer->id));
    bg_case_begin_gesture(bg_case, _("Open file"));
    gboolean added = bg_case_do(bg_case, bg_command_add_layer(layer), &error);
    if (added && bg_patient_is_known(&layer->patient) &&
        !bg_patient_is_known(&bg_session_get_state(self)->patient))
        bg_session_do(self, bg_command_set_patient(&layer->patient));
    bg_case_end_gesture(bg_case);
    g_hash_table_remove(self->loading, layer->id);

    if (g_error_matches(error, BG_ERROR, BG_ERROR_MISMATCH)) {
        bg_session_conflict(self, done->path, error->message);
        return;
    }
    if (!added || !bg_case_set_loaded(bg_case, layer->id, result->loaded, &error)) {
        bg_session_fail(self, done->path, error);
        return;
    }

    const BgGeometry *geometry = bg_session_get_geometry(self);
    if (first && geometry != NULL)
        bg_session_do(self, bg_command_set_cursor(bg_geometry_centre_mm(geometry)));
    bg_session_select(self, layer->id);
    bg_settings_add_recent(done->path);
}

static void
on_loaded(GObject *source, GAsyncResult *async_result, gpointer user_data)
{
    LoadDone *done = user_data;
    BgSession *self = done->session;
    g_autoptr(GError) error = NULL;
    LoadResult *result = bg_job_run_finish(BG_JOB(source), async_result, &error);

    if (done->layer_id != NULL)
        g_hash_table_remove(self->loading, done->layer_id);
    if (result != NULL)
        note_range(self, result);

    if (result == NULL && done->layer_id != NULL) {
        gboolean missing = g_error_matches(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
        bg_case_set_layer_status(self->bg_case, done->layer_id,
                                 missing ? BG_LAYER_MISSING : BG_LAYER_FAILED, error->message);
    } else if (result == NULL) {
        g_autofree char *name = g_path_get_basename(done->path);
        // Translators: %s is the name of a file; the reason follows after a colon
        g_autofree char *what = g_strdup_printf(_("“%s” could not be opened"), name);
        bg_session_fail(self, what, error);
    } else if (done->layer_id == NULL) {
        add_layer(self, done, result);
    } else if (!bg_case_set_loaded(self->bg_case, done->layer_id, result->loaded, &error)) {
        if (bg_case_get_layer(self->bg_case, done->layer_id) != NULL)
            bg_case_set_layer_status(self->bg_case, done->layer_id, BG_LAYER_FAILED,
                                     error->message);
    }

    g_clear_pointer(&result, load_result_free);
    g_free(done->path);
    g_free(done->layer_id);
    g_free(done->override_reason);
    g_object_unref(done->session);
    g_free(done);
}

// @input: (transfer full)
static void
start(BgSession *self, LoadInput *input)
{
    g_autofree char *name = g_path_get_basename(input->path);
    // Translators: a running job; %s is the name of a file
    g_autofree char *title = g_strdup_printf(_("Reading %s"), name);
    g_autoptr(BgJob) job = bg_job_new(title);
    LoadDone *done = g_new0(LoadDone, 1);

    done->session = g_object_ref(self);
    done->path = g_strdup(input->path);
    done->layer_id = g_strdup(input->layer_id);
    done->override_reason = g_strdup(input->override_reason);

    BgJobWork work = { .func = load_in_thread,
                       .input = input,
                       .free_input = load_input_free,
                       .free_result = load_result_free };
    bg_session_run(self, job, &work, on_loaded, done);
}

static LoadInput *
new_input(const char *path, BgLoadAs as)
{
    LoadInput *input = g_new0(LoadInput, 1);

    input->path = g_canonicalize_filename(path, NULL);
    input->params = bg_load_params_default();
    input->params.as = as;

    return input;
}

void
bg_session_open_as(BgSession *self, const char *path, BgLoadAs as)
{
    start(self, new_input(path, as));
}

void
bg_session_open(BgSession *self, const char *path)
{
    bg_session_open_as(self, path, BG_LOAD_AUTO);
}

void
bg_session_open_override(BgSession *self, const char *path, const char *reason)
{
    LoadInput *input = new_input(path, BG_LOAD_AUTO);

    input->override_reason = g_strdup(reason);
    start(self, input);
}

void
bg_session_load_missing(BgSession *self)
{
    const GPtrArray *layers = bg_session_get_state(self)->layers;

    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = layers->pdata[i];
        if (layer->status != BG_LAYER_LOADING || layer->source.path[0] == '\0' ||
            !g_hash_table_add(self->loading, g_strdup(layer->id)))
            continue;
        LoadInput *input = new_input(layer->source.path, layer->source.as);
        input->params.frame = layer->frame;
        input->params.component = layer->source.component;
        input->layer_id = g_strdup(layer->id);
        start(self, input);
    }
}
