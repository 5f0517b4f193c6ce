// SPDX-License-Identifier: Apache-2.0
// How files come into the case.
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/case/bg-load.h"
#include "core/case/bg-project.h"
#include "core/cast/bg-preset.h"
#include "ui/model/bg-import.h"
#include "ui/model/bg-session-private.h"
#include "ui/model/bg-settings.h"

typedef struct {
    char *path;
    char *name;           // nullable: of the row
    char *series, *token; // nullable: what params point to
    BgLoadParams params;
    gboolean confirmed;    // the user has seen what it costs
    char *override_reason; // nullable
} LoadInput;

typedef struct {
    BgLoaded *loaded;
    BgLayer *layer;   // nullable: only for a new row
    double low, high; // of a volume
} LoadResult;

typedef struct {
    BgSession *session; // owned
    LoadInput *input;   // owned: a copy
} LoadDone;

static void
load_input_free(gpointer data)
{
    LoadInput *self = data;

    g_free(self->path);
    g_free(self->name);
    g_free(self->series);
    g_free(self->token);
    g_free(self->override_reason);
    g_free(self);
}

static LoadInput *
load_input_copy(const LoadInput *from)
{
    LoadInput *self = g_memdup2(from, sizeof *from);

    self->path = g_strdup(from->path);
    self->name = g_strdup(from->name);
    self->params.series = self->series = g_strdup(from->series);
    self->params.token = self->token = g_strdup(from->token);
    self->override_reason = g_strdup(from->override_reason);
    return self;
}

void
bg_session_clear_inputs(BgSession *self)
{
    g_clear_pointer(&self->conflicting, load_input_free);
    g_clear_pointer(&self->unread, g_hash_table_unref);
}

static void
load_result_free(gpointer data)
{
    LoadResult *self = data;

    g_clear_pointer(&self->loaded, bg_loaded_free);
    g_clear_pointer(&self->layer, bg_layer_free);
    g_free(self);
}

// Before anything is read. What cannot even be looked at is told by reading it.
static gboolean
fits(const LoadInput *input, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgFileInfo) info =
        input->confirmed ? NULL
                         : bg_io_probe_series(input->path, &input->params, cancellable, NULL);
    guint64 n_bytes = info != NULL ? bg_import_bytes_of(info) : 0;
    guint64 n_free = bg_import_available_bytes();

    if (n_free == 0 || n_bytes <= n_free)
        return TRUE;
    g_autofree char *bytes = g_format_size_full(n_bytes, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *free_bytes = g_format_size_full(n_free, G_FORMAT_SIZE_IEC_UNITS);
    g_set_error(error, BG_ERROR, BG_ERROR_NO_MEMORY,
                // Translators: memory that opening would take, and memory that is free
                _("%s are needed and %s are free. Open a part of it"), bytes, free_bytes);
    return FALSE;
}

static gpointer
load_in_thread(gpointer data, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    LoadInput *input = data;

    if (!fits(input, cancellable, error))
        return NULL;
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
    result->layer = bg_layer_new_for_loaded(loaded, input->path, &input->params);
    if (input->name != NULL && input->name[0] != '\0')
        bg_layer_set_string(&result->layer->name, input->name);
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

// Volumes lie below labels and meshes, whichever file was read first.
static void
put_below_overlays(BgSession *self, const BgLayer *added)
{
    const GPtrArray *layers = bg_session_get_state(self)->layers;
    guint n_volumes = 0;
    gboolean above_overlay = FALSE;

    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = layers->pdata[i];
        gboolean volume = layer->kind == BG_KIND_VOLUME;
        n_volumes += volume && !g_str_equal(layer->id, added->id);
        above_overlay = above_overlay || !volume;
    }
    if (added->kind == BG_KIND_VOLUME && above_overlay)
        bg_session_do(self, bg_command_move_layer(added->id, n_volumes));
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
    if (done->input->override_reason != NULL) {
        bg_layer_set_string(&layer->override_reason, done->input->override_reason);
        bg_session_do(self,
                      bg_command_override_patient(&layer->patient, done->input->override_reason));
    }

    g_hash_table_add(self->loading, g_strdup(layer->id));
    bg_case_begin_gesture(bg_case, _("Open file"));
    gboolean added = bg_case_do(bg_case, bg_command_add_layer(layer), &error);
    if (added)
        put_below_overlays(self, layer);
    if (added && bg_patient_is_known(&layer->patient) &&
        !bg_patient_is_known(&bg_session_get_state(self)->patient))
        bg_session_do(self, bg_command_set_patient(&layer->patient));
    BgCommand *study = added ? bg_command_take_study(bg_case, result->loaded->info) : NULL;
    if (study != NULL)
        bg_session_do(self, study);
    bg_case_end_gesture(bg_case);
    g_hash_table_remove(self->loading, layer->id);

    if (g_error_matches(error, BG_ERROR, BG_ERROR_MISMATCH)) {
        g_clear_pointer(&self->conflicting, load_input_free);
        self->conflicting = load_input_copy(done->input);
        bg_session_conflict(self, done->input->path, error->message);
        return;
    }
    if (!added || !bg_case_set_loaded(bg_case, layer->id, result->loaded, &error)) {
        bg_session_fail(self, done->input->path, error);
        return;
    }

    const BgGeometry *geometry = bg_session_get_geometry(self);
    if (first && geometry != NULL)
        bg_session_do(self, bg_command_set_cursor(bg_geometry_centre_mm(geometry)));
    bg_session_select(self, layer->id);
    bg_settings_add_recent(done->input->path);
}

// A row in red for what the child that reads foreign files died of: the case lives on.
static void
add_unread(BgSession *self, const LoadInput *input, const GError *error)
{
    g_autofree char *name = g_path_get_basename(input->path);
    g_autoptr(BgLayer) layer =
        bg_layer_new(BG_KIND_VOLUME, input->name != NULL ? input->name : name);

    g_free(layer->id);
    layer->id = bg_case_new_id(self->bg_case, "layer");
    bg_layer_set_string(&layer->source.path, input->path);
    layer->source.frame = input->params.frame;
    layer->source.component = input->params.component;
    layer->source.as = input->params.as;
    layer->source.part = input->params.part;
    bg_layer_set_string(&layer->source.series, input->series);
    g_hash_table_add(self->loading, g_strdup(layer->id)); // nobody reads it by itself
    if (!bg_session_do(self, bg_command_add_layer(layer)))
        return;

    bg_case_set_layer_status(self->bg_case, layer->id, BG_LAYER_FAILED, error->message);
    if (self->unread == NULL)
        self->unread = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, load_input_free);
    g_hash_table_replace(self->unread, g_strdup(layer->id), load_input_copy(input));
    bg_session_select(self, layer->id);
}

static gboolean
may_be_raw(const char *path)
{
    static const char *const suffixes[] = {
        ".raw", ".bin", ".dat", ".vol", ".img", ".ima", ".u16"
    };

    for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++)
        if (g_str_has_suffix(path, suffixes[i]))
            return TRUE;
    return FALSE;
}

static void
on_loaded(GObject *source, GAsyncResult *async_result, gpointer user_data)
{
    LoadDone *done = user_data;
    BgSession *self = done->session;
    g_autoptr(GError) error = NULL;
    LoadResult *result = bg_job_run_finish(BG_JOB(source), async_result, &error);

    if (result != NULL)
        note_range(self, result);

    if (result == NULL) {
        g_autofree char *name = g_path_get_basename(done->input->path);
        // Translators: %s is the name of a file; the reason follows after a colon
        g_autofree char *what = g_strdup_printf(_("“%s” could not be opened"), name);
        if (g_error_matches(error, BG_ERROR, BG_ERROR_UNSUPPORTED) &&
            may_be_raw(done->input->path)) {
            g_autofree char *message = g_strdup_printf("%s: %s", what, error->message);
            g_signal_emit_by_name(self, "unknown-file", done->input->path, message);
        } else if (g_error_matches(error, BG_ERROR, BG_ERROR_NO_MEMORY) &&
                   !done->input->confirmed) {
            g_autofree char *message = g_strdup_printf("%s: %s", what, error->message);
            g_signal_emit_by_name(self, "too-large", done->input->path, message);
        } else {
            bg_session_fail(self, what, error);
        }
        if (g_error_matches(error, BG_ERROR, BG_ERROR_DECODER))
            add_unread(self, done->input, error);
    } else {
        add_layer(self, done, result);
    }

    g_clear_pointer(&result, load_result_free);
    load_input_free(done->input);
    g_object_unref(done->session);
    g_free(done);
}

int
bg_session_compare_serials(gconstpointer a, gconstpointer b)
{
    return *(const gint64 *) a == *(const gint64 *) b ? 0 : 1;
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
    done->input = load_input_copy(input);

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
    if (g_str_has_suffix(path, BG_PROJECT_SUFFIX))
        bg_session_open_case(self, path);
    else
        bg_session_open_as(self, path, BG_LOAD_AUTO);
}

void
bg_session_open_with(BgSession *self, const BgOpen *open)
{
    if (g_str_has_suffix(open->path, BG_PROJECT_SUFFIX)) {
        bg_session_open_case(self, open->path);
        return;
    }

    LoadInput *input = new_input(open->path, open->as);
    input->name = g_strdup(open->name);
    input->params.frame = open->frame;
    input->params.part = open->part;
    input->confirmed = TRUE;
    input->params.series = input->series = g_strdup(open->series);
    input->params.token = input->token = g_strdup(open->token);
    start(self, input);
}

void
bg_session_open_override(BgSession *self, const char *path, const char *reason)
{
    LoadInput *input = g_steal_pointer(&self->conflicting);

    if (input == NULL || g_strcmp0(input->path, path) != 0) {
        g_clear_pointer(&input, load_input_free);
        input = new_input(path, BG_LOAD_AUTO);
    }
    g_free(input->override_reason);
    input->override_reason = g_strdup(reason);
    start(self, input);
}

void
bg_session_retry(BgSession *self, const char *layer_id)
{
    const LoadInput *unread =
        self->unread != NULL ? g_hash_table_lookup(self->unread, layer_id) : NULL;

    if (unread == NULL) {
        g_hash_table_remove(self->loading, layer_id);
        bg_case_set_layer_status(self->bg_case, layer_id, BG_LAYER_LOADING, NULL);
        return;
    }
    LoadInput *input = load_input_copy(unread);
    g_hash_table_remove(self->unread, layer_id);
    bg_session_do(self, bg_command_remove_layer(layer_id));
    start(self, input);
}

typedef struct {
    BgSession *session; // owned
    BgCase *bg_case;    // owned: another one may be there when the job ends
    BgLoad *load;       // owned
} Reload;

static gpointer
reload_in_thread(gpointer data, const BgProgress *progress, GCancellable *cancellable,
                 GError **error)
{
    bg_load_run(data, progress, cancellable);
    return data; // what came of it is in there
}

static void
on_reloaded(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Reload *reload = user_data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) cancelled = NULL;

    bg_job_run_finish(BG_JOB(source), result, &cancelled);
    g_hash_table_remove(reload->session->loading, bg_load_get_layer_id(reload->load));
    if (!bg_load_finish(reload->load, reload->bg_case, &error))
        g_info("a layer is not there: %s", error->message); // its row says so
    bg_load_free(reload->load);
    g_object_unref(reload->bg_case);
    g_object_unref(reload->session);
    g_free(reload);
}

static void
reload_layer(BgSession *self, const BgLayer *layer)
{
    // Translators: a running job; %s is the name of a layer
    g_autofree char *title = g_strdup_printf(_("Reading %s"), layer->name);
    g_autoptr(BgJob) job = bg_job_new(title);
    Reload *reload = g_new0(Reload, 1);

    reload->load = bg_load_new(self->bg_case, layer->id);
    reload->session = g_object_ref(self);
    reload->bg_case = g_object_ref(self->bg_case);
    BgJobWork work = { .func = reload_in_thread, .input = reload->load };
    bg_session_run(self, job, &work, on_reloaded, reload);
}

static gboolean
on_load_missing(gpointer user_data)
{
    BgSession *self = user_data;
    const GPtrArray *layers = bg_session_get_state(self)->layers;

    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = layers->pdata[i];
        if (layer->status == BG_LAYER_LOADING &&
            g_hash_table_add(self->loading, g_strdup(layer->id)))
            reload_layer(self, layer);
    }
    bg_session_find_ranges(self);
    self->load_id = 0;
    return G_SOURCE_REMOVE;
}

// Later, since who adds a layer with its content hands that in right after.
void
bg_session_load_missing(BgSession *self)
{
    if (self->load_id == 0)
        self->load_id = g_idle_add(on_load_missing, self);
}

static gpointer
find_range(gpointer volume, GCancellable *cancellable, GError **error)
{
    g_autofree double *range = g_new0(double, 2);

    return bg_preset_range(volume, &range[0], &range[1], error) ? g_steal_pointer(&range) : NULL;
}

static void
on_range(gpointer owner, gpointer result, const GError *error)
{
    BgSession *self = owner;
    g_autofree double *range = result;
    g_autofree gint64 *serial = g_queue_pop_head(&self->ranges_wanted);

    if (range == NULL || serial == NULL)
        return;
    g_hash_table_replace(self->ranges, g_steal_pointer(&serial), g_steal_pointer(&range));
    bg_session_tell(self, BG_CHANGE_LAYERS);
}

// Of volumes that came another way than by opening a file. One worker, so in the order asked for.
void
bg_session_find_ranges(BgSession *self)
{
    const GPtrArray *layers = bg_session_get_state(self)->layers;

    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = layers->pdata[i];
        gint64 serial = layer->payload.volume != NULL
                            ? (gint64) bg_volume_get_serial(layer->payload.volume)
                            : 0;
        if (serial == 0 || g_hash_table_contains(self->ranges, &serial) ||
            g_queue_find_custom(&self->ranges_wanted, &serial, bg_session_compare_serials))
            continue;
        g_queue_push_tail(&self->ranges_wanted, g_memdup2(&serial, sizeof serial));
        BgWork work = { .owner = G_OBJECT(self),
                        .slot = (guint) serial,
                        .func = find_range,
                        .request = bg_volume_ref(layer->payload.volume),
                        .free_request = (GDestroyNotify) bg_volume_unref,
                        .done = on_range,
                        .free_result = g_free };
        bg_worker_post(self->idle_worker, &work);
    }
}
