// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-filter-job.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/case/bg-provenance.h"
#include "core/cast/bg-preset.h"
#include "core/filter/bg-morphology.h"

typedef struct {
    BgSession *session; // owned
    BgVolume *volume;   // owned
    BgLabelMap *mask;   // owned, nullable
    BgFilterChoice choice;
    BgLayer *like;                   // owned: identity and window of the layers to be
    char *path, *sha256, *mask_name; // owned, nullable
} Input;

typedef struct {
    BgVolume *volume, *field; // owned, nullable
    BgLabelMap *labels;       // owned, nullable
    char *parameters;         // owned
    BgTransferFunction *tf;   // owned, nullable
    double window[2], field_window[2];
} Output;

static void
input_free(Input *input)
{
    g_object_unref(input->session);
    bg_volume_unref(input->volume);
    g_clear_pointer(&input->mask, bg_label_map_unref);
    bg_layer_free(input->like);
    g_free(input->path);
    g_free(input->sha256);
    g_free(input->mask_name);
    g_free(input);
}

static void
output_free(gpointer data)
{
    Output *output = data;

    g_clear_pointer(&output->volume, bg_volume_unref);
    g_clear_pointer(&output->field, bg_volume_unref);
    g_clear_pointer(&output->labels, bg_label_map_unref);
    g_clear_pointer(&output->tf, bg_transfer_function_unref);
    g_free(output->parameters);
    g_free(output);
}

static const char *
command_of(BgFilterKind kind)
{
    static const char *const names[] = { "filter-n4", "filter-nlm", "filter-normalize",
                                         "filter-brain" };

    return names[kind];
}

static const char *
title_of(BgFilterKind kind)
{
    static const char *const titles[] = { N_("Taking the shading away"), N_("Taking noise away"),
                                          N_("Normalising"), N_("Finding the brain") };

    return _(titles[kind]);
}

static BgProvenance *
provenance_of(const Input *input)
{
    BgProvenance *provenance = bg_provenance_new(command_of(input->choice.kind));

    bg_provenance_add_input(provenance, *input->path != '\0' ? input->path : input->like->name,
                            *input->sha256 != '\0' ? input->sha256 : NULL);
    if (input->mask_name != NULL)
        bg_json_set_string(bg_provenance_get_parameters(provenance), "mask", input->mask_name);
    return provenance;
}

static gboolean
run_n4(const Input *input, Output *output, BgJson *said, const BgProgress *progress,
       GCancellable *cancellable, GError **error)
{
    BgN4Params params = input->choice.n4;
    BgN4Report report;
    double iterations[BG_N4_MAX_LEVELS];

    params.mask = input->mask;
    output->volume = bg_n4(input->volume, &params, input->choice.field ? &output->field : NULL,
                           &report, progress, cancellable, error);
    if (output->volume == NULL)
        return FALSE;
    for (int level = 0; level < params.n_levels; level++)
        iterations[level] = report.iterations[level];
    bg_json_set_integer(said, "shrink", params.shrink);
    bg_json_set_double(said, "threshold", params.threshold);
    bg_json_set_doubles(said, "iterations", iterations, (gsize) params.n_levels);
    return TRUE;
}

static gboolean
run_filter(const Input *input, Output *output, BgJson *said, const BgProgress *progress,
           GCancellable *cancellable, GError **error)
{
    static const char *const methods[] = { "minmax", "zscore", "percentile", "max" };
    const BgFilterChoice *choice = &input->choice;
    BgNormalizeParams normalize = choice->normalize;
    double sigma = 0.0;

    switch (choice->kind) {
    case BG_FILTER_N4:
        return run_n4(input, output, said, progress, cancellable, error);
    case BG_FILTER_NLM:
        output->volume = bg_nlm(input->volume, &choice->nlm, &sigma, progress, cancellable, error);
        bg_json_set_integer(said, "patch", choice->nlm.patch_radius);
        bg_json_set_integer(said, "search", choice->nlm.search_radius);
        bg_json_set_double(said, "noise", sigma);
        bg_json_set_double(said, "strength", choice->nlm.strength);
        return output->volume != NULL;
    case BG_FILTER_NORMALIZE:
        normalize.mask = input->mask;
        output->volume = bg_normalize(input->volume, &normalize, progress, cancellable, error);
        bg_json_set_string(said, "method", methods[normalize.method]);
        bg_json_set_boolean(said, "per_slice", normalize.per_slice);
        bg_json_set_double(said, "low", normalize.low_percent);
        bg_json_set_double(said, "high", normalize.high_percent);
        return output->volume != NULL;
    case BG_FILTER_BRAIN:
        output->labels =
            bg_brain_mask(input->volume, choice->brain_mm, progress, cancellable, error);
        bg_json_set_double(said, "radius_mm", choice->brain_mm);
        return output->labels != NULL;
    }
    return FALSE;
}

static gpointer
work(gpointer data, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    const Input *input = data;
    g_autoptr(BgProvenance) provenance = provenance_of(input);
    Output *output = g_new0(Output, 1);

    if (!run_filter(input, output, bg_provenance_get_parameters(provenance), progress, cancellable,
                    error)) {
        output_free(output);
        return NULL;
    }
    output->parameters = bg_provenance_print(provenance);
    if (output->volume != NULL) {
        bg_io_default_window(output->volume, "MR", &output->window[0], &output->window[1]);
        output->tf = bg_preset_load(bg_preset_guess(output->volume), output->volume, NULL);
    }
    if (output->field != NULL)
        bg_io_default_window(output->field, "", &output->field_window[0], &output->field_window[1]);
    return output;
}

// @payload: of a layer called @name
static void
add_layer(const Input *input, const Output *output, const char *name, const BgPayload *payload,
          const double window[2])
{
    BgCase *bg_case = bg_session_get_case(input->session);
    BgKind kind = payload->labels != NULL ? BG_KIND_LABELS : BG_KIND_VOLUME;
    static const guint32 brain = 1;
    g_autoptr(GError) error = NULL;
    g_autoptr(BgLayer) layer = bg_layer_new_generated(
        kind, name, input->like, command_of(input->choice.kind), output->parameters);

    layer->side_unknown = input->like->side_unknown;
    layer->spacing_unknown = input->like->spacing_unknown;
    if (kind == BG_KIND_LABELS) {
        g_autoptr(BgLabelTable) table = bg_label_table_new_default(&brain, 1, FALSE);
        BgLabelEntry entry = *bg_label_table_get(table, 0);
        g_strlcpy(entry.name, _("Brain"), sizeof entry.name);
        layer->labels = bg_label_table_with(table, &entry);
        layer->linear = FALSE;
    } else {
        layer->window_centre = window[0];
        layer->window_width = window[1] > 0.0 ? window[1] : 1.0;
        if (payload->volume == output->volume && output->tf != NULL)
            layer->transfer_function = bg_transfer_function_ref(output->tf);
        if (input->choice.kind == BG_FILTER_NORMALIZE || payload->volume == output->field)
            bg_layer_set_string(&layer->unit, "");
    }
    g_free(layer->id);
    layer->id = bg_case_new_id(bg_case, "layer");
    if (!bg_session_do(input->session, bg_command_add_layer(layer)))
        return;
    if (!bg_case_set_payload(bg_case, layer->id, payload, &error))
        bg_session_fail(input->session, _("A result is lost"), error);
    bg_session_select(input->session, layer->id);
}

static void
add_results(const Input *input, const Output *output)
{
    // Translators: names of results, after the volume that they were made of
    static const char *const names[] = { N_("without shading"), N_("denoised"), N_("normalised"),
                                         N_("brain") };
    BgCase *bg_case = bg_session_get_case(input->session);
    g_autofree char *name =
        // Translators: the name of a volume, and what was made of it
        g_strdup_printf(_("%s, %s"), input->like->name, _(names[input->choice.kind]));
    // Translators: the name of a volume
    g_autofree char *field = g_strdup_printf(_("Shading of %s"), input->like->name);

    bg_case_begin_gesture(bg_case, title_of(input->choice.kind));
    if (output->field != NULL)
        add_layer(input, output, field, &(BgPayload){ .volume = output->field },
                  output->field_window);
    add_layer(input, output, name,
              &(BgPayload){ .volume = output->volume, .labels = output->labels }, output->window);
    bg_case_end_gesture(bg_case);
}

static void
on_done(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Input *input = user_data;
    g_autoptr(GError) error = NULL;
    Output *output = bg_job_run_finish(BG_JOB(source), result, &error);

    if (output != NULL)
        add_results(input, output);
    else
        bg_session_fail(input->session, title_of(input->choice.kind), error);
    g_clear_pointer(&output, output_free);
    input_free(input);
}

void
bg_filter_job(BgSession *session, const BgLayer *volume, const BgFilterChoice *choice)
{
    g_return_if_fail(BG_IS_SESSION(session));
    g_return_if_fail(volume->payload.volume != NULL);

    Input *input = g_new0(Input, 1);
    input->session = g_object_ref(session);
    input->volume = bg_volume_ref(volume->payload.volume);
    input->choice = *choice;
    input->choice.mask = NULL; // borrowed
    if (choice->mask != NULL && choice->mask->payload.labels != NULL) {
        input->mask = bg_label_map_ref(choice->mask->payload.labels);
        input->mask_name = g_strdup(choice->mask->name);
    }
    input->like = bg_layer_new_generated(BG_KIND_VOLUME, volume->name, volume, "", NULL);
    input->like->side_unknown = volume->side_unknown;
    input->like->spacing_unknown = volume->spacing_unknown;
    input->path = g_strdup(volume->source.path);
    input->sha256 = g_strdup(volume->source.sha256);

    // on_done() frees the input: the job only borrows it.
    g_autoptr(BgJob) job = bg_job_new_of(title_of(choice->kind), volume->name);
    BgJobWork job_work = { .func = work, .input = input, .free_result = output_free };
    bg_session_run(session, job, &job_work, on_done, input);
}
