// SPDX-License-Identifier: Apache-2.0
#include "app/bg-demo.h"

#include "app/bg-window-private.h"
#include "core/base/bg-i18n.h"
#include "core/io/bg-io.h"
#include "core/phantom/bg-phantom.h"
#include "ui/model/bg-mesh-job.h"

#define TEMPLATES "/usr/share/mricron/templates/"
#define PHANTOM_SIZE 192
#define PHANTOM_SEED 1

/*
 * @labels: whose surface is made
 * @clip_mm: the head is cut away beyond this far to the patient's left, or right when negative
 */
typedef struct {
    const char *id;
    guint32 labels[3];
    gsize n_labels;
    guint n_smooth;
    double rgb[3];
    double clip_mm;
} Demo;

static const Demo demos[] = {
    { "head", { 1 }, 1, 15, { 0.82, 0.29, 0.36 }, 15.0 },           // left precentral gyrus of AAL
    { "phantom", { 1, 2, 4 }, 3, 10, { 0.93, 0.68, 0.29 }, -20.0 }, // core, oedema, rim
};

typedef struct {
    const Demo *demo;
    char *volume_path, *labels_path;
    gboolean labels_wanted; // asked for: when the volume is there, so that it lies below
} Waiting;

static void
waiting_free(gpointer data, GClosure *closure)
{
    Waiting *waiting = data;

    g_free(waiting->volume_path);
    g_free(waiting->labels_path);
    g_free(waiting);
}

static const BgLayer *
find_loaded(BgSession *session, const char *path)
{
    const GPtrArray *layers = bg_session_get_state(session)->layers;

    for (guint i = 0; i < layers->len; i++) {
        const BgLayer *layer = layers->pdata[i];
        if (!bg_payload_is_empty(&layer->payload) && g_strcmp0(layer->source.path, path) == 0)
            return layer;
    }
    return NULL;
}

// From the side of the surface, with the head cut open there: meshes are not clipped.
static void
open_head_up(BgSession *session, const Demo *demo, const BgLayer *volume)
{
    BgView view = bg_view_default();
    BgVec3 low_mm, high_mm;

    bg_geometry_bounds_mm(bg_volume_get_geometry(volume->payload.volume), &low_mm, &high_mm);
    if (demo->clip_mm > 0.0)
        high_mm.x = demo->clip_mm;
    else
        low_mm.x = demo->clip_mm;
    view.azimuth_deg = demo->clip_mm > 0.0 ? 55.0 : -55.0;
    view.elevation_deg = 20.0;
    bg_session_do(session, bg_command_set_clip(TRUE, low_mm, high_mm));
    bg_session_do(session, bg_command_set_view(&view));
}

static void
on_changed(BgSession *session, guint changes, gpointer user_data)
{
    Waiting *waiting = user_data;
    const Demo *demo = waiting->demo;
    const BgLayer *volume = find_loaded(session, waiting->volume_path);
    const BgLayer *labels = find_loaded(session, waiting->labels_path);

    if (volume != NULL && !waiting->labels_wanted) {
        waiting->labels_wanted = TRUE;
        bg_session_open_as(session, waiting->labels_path, BG_LOAD_LABELS);
    } else if (volume != NULL && labels != NULL) {
        BgMeshCut cut = { .labels = demo->labels,
                          .n_labels = demo->n_labels,
                          .n_smooth = demo->n_smooth,
                          .keep = 1.0 };
        memcpy(cut.rgb, demo->rgb, sizeof cut.rgb);
        bg_mesh_job_cut(session, labels, &cut);
        g_signal_handlers_disconnect_by_data(session, waiting); // frees it at the end of this
        open_head_up(session, demo, volume);
    }
}

static void
open_both(BgWindow *window, const Demo *demo, const char *volume, const char *labels)
{
    BgSession *session = bg_window_get_session(window);
    Waiting *waiting = g_new0(Waiting, 1);

    waiting->demo = demo;
    waiting->volume_path = g_strdup(volume);
    waiting->labels_path = g_strdup(labels);
    g_signal_connect_data(session, "changed", G_CALLBACK(on_changed), waiting, waiting_free, 0);
    bg_session_open(session, volume);
}

static void
open_head(BgWindow *window, const Demo *demo)
{
    if (!g_file_test(TEMPLATES "ch2.nii.gz", G_FILE_TEST_EXISTS) ||
        !g_file_test(TEMPLATES "aal.nii.gz", G_FILE_TEST_EXISTS)) {
        bg_window_tell(window, "error",
                       _("The demonstration head is not installed: install the package "
                         "mricron-data, start bregma by ./run, or open the phantom."),
                       NULL, NULL, NULL);
        return;
    }
    open_both(window, demo, TEMPLATES "ch2.nii.gz", TEMPLATES "aal.nii.gz");
}

static char *
phantom_folder(void)
{
    return g_build_filename(g_get_user_cache_dir(), "bregma", "phantom", NULL);
}

static char *
phantom_path(const char *name)
{
    g_autofree char *folder = phantom_folder();
    g_autofree char *file = g_strconcat(name, ".nii.gz", NULL);

    return g_build_filename(folder, file, NULL);
}

static gboolean
write_phantom(const BgPhantom *phantom, const BgProgress *progress, GCancellable *cancellable,
              GError **error)
{
    g_autofree char *folder = phantom_folder();
    g_autofree char *volume_path = phantom_path("t1ce");
    g_autofree char *labels_path = phantom_path("labels");
    const BgPhantomPart *volume = bg_phantom_find(phantom, "t1ce");
    const BgPhantomPart *labels = bg_phantom_find(phantom, "labels");
    BgSaveParams params = { .force = TRUE, .modality = volume->modality };
    BgProgressSpan first, second;

    if (g_mkdir_with_parents(folder, 0700) != 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    // Translators: %s is a folder
                    _("The folder “%s” cannot be made: check its permissions"), folder);
        return FALSE;
    }

    // The labels last: where they are, the phantom is whole.
    return bg_io_save_volume(volume->volume, volume_path, &params,
                             bg_progress_span_init(&first, progress, 0.0, 0.7), cancellable,
                             error) &&
           bg_io_save_labels(labels->labels, labels_path, &(BgSaveParams){ .force = TRUE },
                             bg_progress_span_init(&second, progress, 0.7, 1.0), cancellable,
                             error);
}

static gpointer
make_phantom(gpointer nothing, const BgProgress *progress, GCancellable *cancellable,
             GError **error)
{
    g_autofree char *labels_path = phantom_path("labels");
    const BgPhantomParams params = { BG_PHANTOM_HEAD, PHANTOM_SIZE, PHANTOM_SEED, TRUE };
    BgProgressSpan first, second;

    if (g_file_test(labels_path, G_FILE_TEST_EXISTS))
        return g_steal_pointer(&labels_path);

    g_autoptr(BgPhantom) phantom = bg_phantom_new(
        &params, bg_progress_span_init(&first, progress, 0.0, 0.6), cancellable, error);
    if (phantom == NULL ||
        !write_phantom(phantom, bg_progress_span_init(&second, progress, 0.6, 1.0), cancellable,
                       error))
        return NULL;

    return g_steal_pointer(&labels_path);
}

static void
on_phantom(GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr(BgWindow) window = user_data;
    g_autoptr(GError) error = NULL;
    g_autofree char *labels_path = bg_job_run_finish(BG_JOB(source), result, &error);
    g_autofree char *volume_path = phantom_path("t1ce");

    if (labels_path == NULL)
        bg_session_fail(bg_window_get_session(window), _("The phantom could not be made"), error);
    else
        open_both(window, &demos[1], volume_path, labels_path);
}

static void
open_phantom(BgWindow *window)
{
    g_autoptr(BgJob) job = bg_job_new(_("Making the phantom"));
    const BgJobWork work = { .func = make_phantom, .free_result = g_free };

    bg_session_run(bg_window_get_session(window), job, &work, on_phantom, g_object_ref(window));
}

void
bg_demo_open(BgWindow *window, const char *which)
{
    g_return_if_fail(BG_IS_WINDOW(window));

    if (g_str_equal(which, demos[0].id))
        open_head(window, &demos[0]);
    else if (g_str_equal(which, demos[1].id))
        open_phantom(window);
}
