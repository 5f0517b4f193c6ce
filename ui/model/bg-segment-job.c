// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-segment-job.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/case/bg-provenance.h"
#include "core/cast/bg-preset.h"
#include "core/segment/bg-label-shape.h"
#include "ui/model/bg-engine-choice.h"
#include "ui/model/bg-weak.h"

typedef struct {
    BgSession *session; // owned
    GWeakRef owner;
    BgSegmentDone done;

    char *model_path;                    // owned
    BgVolume *contrasts[BG_N_CONTRASTS]; // owned, nullable
    char *names[BG_N_CONTRASTS];         // owned, nullable
    char *paths[BG_N_CONTRASTS];         // owned, nullable
    char *hashes[BG_N_CONTRASTS];        // owned, nullable
    char *reasons;                       // owned, nullable: why two patients may meet
    BgLabelMap *brain;                   // owned, nullable
    BgTumourParams params;
    BgTumourOptions options;
    BgEngineChoice engine;
    gboolean confidence, probabilities;
    BgLayer *like; // owned: identity of the layers to be
} Input;

typedef struct {
    BgTumourResult found;
    BgTumourCase *made;
    char *parameters, *words, *warnings; // owned
    BgLabelTable *table;                 // owned
    BgTransferFunction *tf;              // owned, nullable: of shares of 0..1
    gboolean any;
    BgVec3 centre_mm; // of all that was found
} Output;

static void
input_free(gpointer data)
{
    Input *input = data;

    g_clear_object(&input->session);
    g_weak_ref_clear(&input->owner);
    for (int c = 0; c < BG_N_CONTRASTS; c++) {
        g_clear_pointer(&input->contrasts[c], bg_volume_unref);
        g_free(input->names[c]);
        g_free(input->paths[c]);
        g_free(input->hashes[c]);
    }
    g_clear_pointer(&input->brain, bg_label_map_unref);
    g_clear_pointer(&input->like, bg_layer_free);
    g_free(input->reasons);
    g_free(input->model_path);
    g_free(input);
}

static void
output_free(gpointer data)
{
    Output *output = data;

    bg_tumour_result_clear(&output->found);
    g_clear_pointer(&output->made, bg_tumour_case_free);
    g_clear_pointer(&output->table, bg_label_table_unref);
    g_free(output->parameters);
    g_free(output->words);
    g_free(output->warnings);
    g_clear_pointer(&output->tf, bg_transfer_function_unref);
    g_free(output);
}

static gboolean
check_pair(const BgLayer *one, const BgLayer *other, GError **error)
{
    if (one == other)
        g_set_error(
            error, BG_ERROR, BG_ERROR_MISMATCH,
            // Translators: the name of a volume
            _("“%s” is chosen for two contrasts, and can be only one. Choose another one, or "
              "none"),
            one->name);
    else if (!bg_patient_same(&one->patient, &other->patient) && *one->override_reason == '\0' &&
             *other->override_reason == '\0')
        g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                    // Translators: the names of two volumes
                    _("“%s” and “%s” are of two patients. Choose contrasts of one examination"),
                    one->name, other->name);
    else
        return TRUE;
    return FALSE;
}

gboolean
bg_segment_check(const BgSegmentChoice *choice, GError **error)
{
    int n = 0;

    for (int c = 0; c < BG_N_CONTRASTS; c++) {
        const BgLayer *layer = choice->contrasts[c];
        if (layer == NULL)
            continue;
        n++;
        if (layer->payload.volume == NULL) {
            g_set_error(
                error, BG_ERROR, BG_ERROR_MISMATCH,
                // Translators: the name of a volume, and why it could not be read, or nothing
                _("“%s” is not there yet, or could not be read. Wait, or choose none. %s"),
                layer->name, layer->status_text);
            return FALSE;
        }
        for (int d = 0; d < c; d++) {
            if (choice->contrasts[d] != NULL && !check_pair(choice->contrasts[d], layer, error))
                return FALSE;
        }
    }
    if (n == 0)
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("No contrast is chosen. Choose which volume is which"));
    return n > 0;
}

static char *
describe(const Input *input, const BgTumourModel *model, const BgTumourCase *made,
         const BgTumourResult *found)
{
    g_autoptr(BgProvenance) provenance = bg_provenance_new("segment");
    BgJson *parameters = bg_provenance_get_parameters(provenance);
    BgJson *cleaning = bg_json_new_object(), *contrasts = bg_json_new_object();
    static const char *const aligns[] = { "auto", "never", "always" };

    for (int c = 0; c < BG_N_CONTRASTS; c++) {
        if (input->contrasts[c] == NULL)
            continue;
        const char *where = *input->paths[c] != '\0' ? input->paths[c] : input->names[c];
        bg_provenance_add_input(provenance, where,
                                *input->hashes[c] != '\0' ? input->hashes[c] : NULL);
        bg_json_set_string(contrasts, bg_contrast_name((BgContrast) c), where);
    }
    bg_provenance_add_input(provenance, input->model_path, bg_tumour_model_get_sha256(model));
    bg_json_set(parameters, "contrasts", contrasts);
    bg_json_set_string(parameters, "reference", bg_contrast_name(made->reference));
    bg_json_set_string(parameters, "align", aligns[input->params.align]);
    bg_json_set_boolean(parameters, "n4", input->params.n4);
    bg_json_set_boolean(parameters, "as_given", input->params.as_given);
    bg_json_set_boolean(parameters, "brain_given", input->brain != NULL);
    bg_json_set_boolean(parameters, "mirror", input->options.mirror);
    bg_json_set_string(parameters, "precision",
                       bg_engine_choice_precision(&input->engine, found->backend));
    bg_provenance_set_backend(provenance, found->backend);
    bg_json_set(parameters, "cleaning", cleaning);
    bg_json_set_double(cleaning, "least_ml", input->options.cleaning.least_ml);
    bg_json_set_integer(cleaning, "largest", input->options.cleaning.n_largest);
    bg_json_set_boolean(cleaning, "fill_holes", input->options.cleaning.fill_holes);
    bg_json_set_integer(cleaning, "n_removed", (gint64) found->cleaned.n_removed);
    bg_json_set_integer(cleaning, "n_filled", (gint64) found->cleaned.n_filled);
    if (input->reasons != NULL)
        bg_json_set_string(parameters, "two_patients_because", input->reasons);
    return bg_provenance_print(provenance);
}

#define NOTHING \
    _("No tumour was found: all voxels are background. That is no proof that there is none")

static char *
tell_warnings(const BgTumourCase *made, gboolean any)
{
    GString *words = g_string_new(any ? NULL : NOTHING);

    for (guint w = 0; w < made->warnings->len; w++)
        g_string_append_printf(words, "%s%s", words->len > 0 ? "\n" : "",
                               (const char *) made->warnings->pdata[w]);
    return g_string_free(words, FALSE);
}

// How much of each region, and where it is.
static gboolean
tell_result(Output *output, const BgEngineChoice *engine, double seconds, GCancellable *cancellable,
            GError **error)
{
    g_autofree char *ran = bg_engine_choice_tell(engine, output->found.backend);
    gsize n;
    const BgLabelRegion *regions = bg_brats_regions(&n);
    double ml[3] = { 0.0 };

    for (gsize r = 0; r < MIN(n, G_N_ELEMENTS(ml)); r++) {
        BgLabelShape shape;
        if (!bg_label_shape(output->found.labels, &regions[r], &shape, cancellable, error))
            return FALSE;
        ml[r] = shape.volume_ml;
        if (r == 0) {
            output->any = shape.n_voxels > 0;
            output->centre_mm = shape.centroid_mm;
        }
    }
    output->words =
        output->any
            // Translators: volumes of BraTS' regions: whole tumour, tumour core, enhancing tumour;
            // the last is "Computed by the processor in float32"
            ? g_strdup_printf(_("WT %.1f ml, TC %.1f ml, ET %.1f ml, in %.0f s. %s"), ml[0], ml[1],
                              ml[2], seconds, ran)
            : g_strdup(NOTHING);
    output->warnings = tell_warnings(output->made, output->any);
    return TRUE;
}

static gpointer
segment(gpointer data, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    Input *input = data;
    BgProgressSpan span;
    gint64 start = g_get_monotonic_time();
    static const guint32 brats[] = { 1, 2, 4 };

    g_autoptr(BgTumourModel) model = bg_tumour_model_load(
        input->model_path, bg_progress_span_init(&span, progress, 0.0, 0.02), cancellable, error);
    if (model == NULL)
        return NULL;
    input->params.brain = input->brain;
    input->params.spacing_mm = bg_tumour_model_get_spacing(model);
    g_autoptr(BgTumourCase) made =
        bg_tumour_case_new(input->contrasts, &input->params,
                           bg_progress_span_init(&span, progress, 0.02, 0.4), cancellable, error);
    if (made == NULL)
        return NULL;
    g_auto(BgTumourResult) found = { 0 };
    g_autoptr(BgBackend) backend = bg_engine_choice_open(&input->engine, error);
    if (backend == NULL)
        return NULL;
    input->options.engine = (BgEngine){ backend, input->engine.precision };
    if (!bg_tumour_segment(model, made, bg_volume_get_geometry(input->contrasts[made->reference]),
                           &input->options, &found,
                           bg_progress_span_init(&span, progress, 0.4, 1.0), cancellable, error))
        return NULL;

    Output *output = g_new0(Output, 1);
    output->parameters = describe(input, model, made, &found);
    output->table = bg_label_table_new_default(brats, G_N_ELEMENTS(brats), TRUE);
    output->tf = bg_preset_load(bg_preset_guess(found.confidence), found.confidence, NULL);
    output->found = found;
    found = (BgTumourResult){ 0 };
    output->made = g_steal_pointer(&made);
    if (!tell_result(output, &input->engine,
                     (double) (g_get_monotonic_time() - start) / G_USEC_PER_SEC, cancellable,
                     error))
        g_clear_pointer(&output, output_free);
    return output;
}

// @layer: (transfer full)
static char *
add_layer(BgSession *session, BgLayer *layer, const BgPayload *payload)
{
    BgCase *bg_case = bg_session_get_case(session);
    g_autoptr(BgLayer) owned = layer;
    g_autoptr(GError) error = NULL;

    g_free(owned->id);
    owned->id = bg_case_new_id(bg_case, "layer");
    if (bg_session_do(session, bg_command_add_layer(owned)) &&
        !bg_case_set_payload(bg_case, owned->id, payload, &error))
        bg_session_fail(session, _("A result is lost"), error);
    return g_strdup(owned->id);
}

static void
add_share(const Input *input, const Output *output, BgVolume *volume, const char *name)
{
    BgLayer *layer =
        bg_layer_new_generated(BG_KIND_VOLUME, name, input->like, "segment", output->parameters);
    BgPayload payload = { .volume = volume };

    bg_layer_set_string(&layer->unit, "");
    bg_layer_set_string(&layer->colour_map, "viridis");
    layer->opacity = 0.6;
    layer->visible = FALSE;
    if (output->tf != NULL)
        layer->transfer_function = bg_transfer_function_ref(output->tf);
    g_free(add_layer(input->session, layer, &payload));
}

static void
add_results(const Input *input, const Output *output)
{
    BgCase *bg_case = bg_session_get_case(input->session);
    const char *const classes[4] = { NULL, _("Probability of core"), _("Probability of oedema"),
                                     _("Probability of enhancing tumour") };
    // Translators: labels are named after the volume whose grid they have
    g_autofree char *name =
        g_strdup_printf(_("Tumour in %s"), input->names[output->made->reference]);
    BgPayload payload = { .labels = output->found.labels };

    bg_case_begin_gesture(bg_case, _("Segment tumour"));
    if (input->probabilities) {
        for (int c = 1; c < 4; c++)
            add_share(input, output, output->found.probabilities[c], classes[c]);
    }
    if (input->confidence)
        add_share(input, output, output->found.confidence, _("Confidence of the network"));
    BgLayer *layer =
        bg_layer_new_generated(BG_KIND_LABELS, name, input->like, "segment", output->parameters);
    layer->labels = bg_label_table_ref(output->table);
    layer->linear = FALSE;
    bg_layer_set_string(&layer->warnings, output->warnings);
    g_autofree char *id = add_layer(input->session, layer, &payload);
    bg_case_end_gesture(bg_case);
    bg_session_select(input->session, id);
    if (output->any)
        bg_session_move_cursor(input->session, output->centre_mm);
}

static void
on_segmented(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Input *input = user_data;
    g_autoptr(GError) error = NULL;
    Output *output = bg_job_run_finish(BG_JOB(source), result, &error);
    g_autoptr(GObject) owner = g_weak_ref_get(&input->owner);

    if (output != NULL)
        add_results(input, output);
    else
        bg_session_fail(input->session, _("The tumour cannot be segmented"), error);
    if (owner != NULL)
        input->done(owner, output != NULL ? output->words : NULL);
    g_clear_pointer(&output, output_free);
    input_free(input);
}

void
bg_segment_job(BgSession *session, const BgSegmentChoice *choice, GObject *owner,
               BgSegmentDone done)
{
    g_return_if_fail(BG_IS_SESSION(session));

    g_autoptr(GError) error = NULL;
    if (!bg_segment_check(choice, &error)) {
        bg_session_fail(session, NULL, error);
        done(owner, NULL);
        return;
    }

    Input *input = g_new0(Input, 1);
    input->session = g_object_ref(session);
    g_weak_ref_init(&input->owner, owner);
    input->done = done;
    input->model_path = g_strdup(choice->model_path);
    for (int c = 0; c < BG_N_CONTRASTS; c++) {
        const BgLayer *layer = choice->contrasts[c];
        if (layer == NULL)
            continue;
        input->contrasts[c] = bg_volume_ref(layer->payload.volume);
        input->names[c] = g_strdup(layer->name);
        input->paths[c] = g_strdup(layer->source.path);
        input->hashes[c] = g_strdup(layer->source.sha256);
        if (*layer->override_reason != '\0' && input->reasons == NULL)
            input->reasons = g_strdup(layer->override_reason);
        // Of whom: the one that says so.
        if (input->like == NULL || !bg_patient_is_known(&input->like->patient)) {
            g_clear_pointer(&input->like, bg_layer_free);
            input->like = bg_layer_new_generated(BG_KIND_VOLUME, "", layer, "", NULL);
        }
    }
    if (choice->brain != NULL && choice->brain->payload.labels != NULL)
        input->brain = bg_label_map_ref(choice->brain->payload.labels);
    input->params = choice->params;
    input->params.seed = 1;
    input->options = choice->options;
    input->engine = bg_engine_choice_get();
    input->confidence = choice->confidence;
    input->probabilities = choice->probabilities;

    // on_segmented() frees the input: the job only borrows it.
    g_autoptr(BgJob) job = bg_job_new(_("Segmenting"));
    BgJobWork work = { .func = segment, .input = input, .free_result = output_free };
    bg_session_run(session, job, &work, on_segmented, input);
}
