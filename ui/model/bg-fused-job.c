// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-fused-job.h"

#include "core/base/bg-i18n.h"
#include "core/io/bg-image-io.h"
#include "core/learn/bg-model-store.h"
#include "ui/model/bg-save.h"
#include "ui/model/bg-weak.h"

#define LINE_PX 2.0
#define HALO_PX 4.0

typedef struct {
    BgFused *fused; // owned
    gboolean outlines;
} Saving;

static void
saving_free(gpointer data)
{
    Saving *saving = data;

    bg_fused_unref(saving->fused);
    g_free(saving);
}

// Each twice: dark and wide below, so that every colour is seen on every ground.
static GArray *
lines_of(const GPtrArray *outlines)
{
    GArray *lines = g_array_new(FALSE, FALSE, sizeof(BgAnnotateLine));

    for (guint i = 0; outlines != NULL && i < outlines->len; i++) {
        const BgFusionOutline *outline = outlines->pdata[i];
        BgAnnotateLine line = { .lines = outline->lines, .width_px = HALO_PX };
        g_array_append_val(lines, line);
        memcpy(line.rgb, outline->rgb, sizeof line.rgb);
        line.width_px = LINE_PX;
        g_array_append_val(lines, line);
    }
    return lines;
}

static gboolean
save_on_worker(gpointer data, const char *path, const BgProgress *progress,
               GCancellable *cancellable, GError **error)
{
    const Saving *saving = data;
    const BgFused *fused = saving->fused;
    const BgPngParams png = { .force = TRUE, .provenance = fused->provenance };
    g_autofree char *method = bg_fused_get_method(fused);
    g_autofree char *note = g_strdup_printf("%s: %s%s. %s", fused->layer_name, method,
                                            bg_fused_is_synthetic(fused) ? _(", SYNTHETIC") : "",
                                            _("Not for diagnosis"));
    g_autoptr(GArray) lines = lines_of(saving->outlines ? fused->outlines : NULL);
    BgAnnotateValues values;
    const BgAnnotateImage params = {
        .right = fused->right,
        .down = fused->down,
        .side_known = fused->side_known,
        .note = note,
        .values = bg_photo_paint_get_values(fused->paint, &values) ? &values : NULL,
        .lines = (const BgAnnotateLine *) (gpointer) lines->data,
        .n_lines = lines->len,
    };
    g_autoptr(BgImage) noted = bg_annotate_image(fused->view.whole, &params, error);

    return noted != NULL && bg_png_save(noted, path, &png, error);
}

void
bg_fused_job_save(BgSession *session, BgFused *fused, gboolean outlines, const char *path)
{
    Saving *saving = g_new0(Saving, 1);

    saving->fused = bg_fused_ref(fused);
    saving->outlines = outlines;
    const BgSaveWork work = { .title = _("Saving the fused picture"),
                              .failure = _("The picture is not saved"),
                              .func = save_on_worker,
                              .input = saving,
                              .free_input = saving_free,
                              .path = path };
    bg_save_job(session, &work);
}

typedef struct {
    BgFusionMethod method;
    char *path; // owned
} Choice;

static void
choice_free(gpointer data)
{
    Choice *choice = data;

    g_free(choice->path);
    g_free(choice);
}

static Choice *
choice_new(BgFusionMethod method, const char *path)
{
    Choice *choice = g_new0(Choice, 1);

    choice->method = method;
    choice->path = g_strdup(path);
    return choice;
}

static gpointer
read_weights(gpointer data, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    const Choice *choice = data;
    g_autoptr(BgFusionModel) model =
        bg_fusion_model_load(choice->method, choice->path, progress, cancellable, error);

    return model != NULL ? choice_new(choice->method, choice->path) : NULL;
}

static void
take_weights(BgSession *session, BgFusionMethod method, const char *path)
{
    BgPhotoLook look = *bg_session_get_photo_look(session);
    BgFusedWeights which;

    if (!bg_fused_which_weights(method, &which))
        return;
    look.weights[which] = g_intern_string(path);
    bg_session_set_photo_look(session, &look);
}

static void
on_read(GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr(BgSession) session = bg_weak_ref_take(user_data);
    g_autoptr(GError) error = NULL;
    Choice *choice = bg_job_run_finish(BG_JOB(source), result, &error);

    if (session != NULL && choice != NULL)
        take_weights(session, choice->method, choice->path);
    else if (session != NULL && !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        bg_session_fail(session, _("These weights are not used; the former ones stay"), error);
    g_clear_pointer(&choice, choice_free);
    if (session != NULL)
        bg_session_tell(session, BG_CHANGE_MODELS);
}

void
bg_fused_job_choose(BgSession *session, BgFusionMethod method, const char *path)
{
    if (path == NULL) {
        take_weights(session, method, NULL);
        bg_session_tell(session, BG_CHANGE_MODELS);
        return;
    }
    g_autoptr(BgJob) job = bg_job_new(_("Reading weights"));
    BgJobWork work = { .func = read_weights,
                       .input = choice_new(method, path),
                       .free_input = choice_free,
                       .free_result = choice_free };
    bg_session_run(session, job, &work, on_read, bg_weak_ref_new(session));
}

static gpointer
import_on_worker(gpointer path, const BgProgress *progress, GCancellable *cancellable,
                 GError **error)
{
    return bg_model_store_import("vgg19", path, TRUE, progress, cancellable, error);
}

static void
on_imported(GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr(BgSession) session = bg_weak_ref_take(user_data);
    g_autoptr(GError) error = NULL;
    g_autoptr(BgModel) model = bg_job_run_finish(BG_JOB(source), result, &error);

    if (session == NULL)
        return;
    if (model == NULL && !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        bg_session_fail(session, _("VGG-19 is not imported"), error);
    bg_session_tell(session, BG_CHANGE_MODELS);
}

void
bg_fused_job_import(BgSession *session, const char *path)
{
    g_autoptr(BgJob) job = bg_job_new(_("Importing VGG-19"));
    BgJobWork work = { .func = import_on_worker,
                       .input = g_strdup(path),
                       .free_input = g_free,
                       .free_result = (GDestroyNotify) bg_model_free };
    bg_session_run(session, job, &work, on_imported, bg_weak_ref_new(session));
}
