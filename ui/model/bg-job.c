// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-job.h"

#include "core/base/bg-i18n.h"

#include <sys/resource.h>
#include <unistd.h>

#define FRACTION_SCALE 1000000
#define NICENESS 8
#define TICK_MS 33

struct _BgJob {
    GObject parent_instance;

    char *title;
    GCancellable *cancellable;
    int scaled_fraction; // atomic: the worker writes, the main thread reads
    double fraction;     // main thread only: what was last notified
    gboolean running, aside;
    gint64 started_us;
    guint tick_id;
};

G_DEFINE_FINAL_TYPE(BgJob, bg_job, G_TYPE_OBJECT)

enum {
    PROP_0,
    PROP_TITLE,
    PROP_FRACTION,
    PROP_RUNNING,
    N_PROPS,
};

static GParamSpec *properties[N_PROPS];

typedef struct {
    BgJobWork work;
} Work;

static void
work_free(gpointer data)
{
    Work *self = data;

    if (self->work.input != NULL && self->work.free_input != NULL)
        self->work.free_input(self->work.input);
    g_free(self);
}

static void
on_report(double fraction, gpointer user_data)
{
    BgJob *self = user_data;

    g_atomic_int_set(&self->scaled_fraction, (int) (CLAMP(fraction, 0.0, 1.0) * FRACTION_SCALE));
}

static void
run_in_thread(GTask *task, gpointer source, gpointer task_data, GCancellable *cancellable)
{
    Work *self = task_data;
    BgProgress progress = { .report = on_report, .user_data = source };
    GError *error = NULL;

    // Linux: of this thread alone, so that the window's gets a processor when it wants one.
    setpriority(PRIO_PROCESS, (id_t) gettid(), NICENESS);
    gpointer result = self->work.func(self->work.input, &progress, cancellable, &error);

    if (error != NULL)
        g_task_return_error(task, error);
    else
        g_task_return_pointer(task, result, self->work.free_result);
}

static gboolean
on_tick(gpointer user_data)
{
    BgJob *self = user_data;
    double fraction = g_atomic_int_get(&self->scaled_fraction) / (double) FRACTION_SCALE;

    if (fraction > self->fraction || fraction < self->fraction) {
        self->fraction = fraction;
        g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_FRACTION]);
    }

    return G_SOURCE_CONTINUE;
}

static void
set_running(BgJob *self, gboolean running)
{
    self->running = running;
    g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_RUNNING]);
}

void
bg_job_run_async(BgJob *self, const BgJobWork *work, GAsyncReadyCallback callback,
                 gpointer user_data)
{
    g_return_if_fail(BG_IS_JOB(self));
    g_return_if_fail(!self->running);

    Work *copy = g_new0(Work, 1);
    copy->work = *work;

    g_autoptr(GTask) task = g_task_new(self, self->cancellable, callback, user_data);
    g_task_set_source_tag(task, bg_job_run_async);
    g_task_set_task_data(task, copy, work_free);
    self->started_us = g_get_monotonic_time();
    self->tick_id = g_timeout_add(TICK_MS, on_tick, self);
    set_running(self, TRUE);
    g_task_run_in_thread(task, run_in_thread);
}

gpointer
bg_job_run_finish(BgJob *self, GAsyncResult *result, GError **error)
{
    g_return_val_if_fail(g_task_is_valid(result, self), NULL);

    g_clear_handle_id(&self->tick_id, g_source_remove);
    set_running(self, FALSE);

    return g_task_propagate_pointer(G_TASK(result), error);
}

BgJob *
bg_job_new(const char *title)
{
    BgJob *self = g_object_new(BG_TYPE_JOB, NULL);

    self->title = g_strdup(title);
    return self;
}

BgJob *
bg_job_new_of(const char *what, const char *name)
{
    // Translators: what is done, and to which layer
    g_autofree char *title = g_strdup_printf(_("%s: %s"), what, name);

    return bg_job_new(title);
}

const char *
bg_job_get_title(BgJob *self)
{
    return self->title;
}

double
bg_job_get_fraction(BgJob *self)
{
    return self->fraction;
}

gboolean
bg_job_get_running(BgJob *self)
{
    return self->running;
}

void
bg_job_set_aside(BgJob *self)
{
    self->aside = TRUE;
}

gboolean
bg_job_is_aside(BgJob *self)
{
    return self->aside;
}

double
bg_job_get_seconds_left(BgJob *self)
{
    double seconds = (double) (g_get_monotonic_time() - self->started_us) / G_USEC_PER_SEC;

    if (!self->running || seconds < 0.5 || self->fraction < 0.02)
        return -1.0;

    return seconds * (1.0 - self->fraction) / self->fraction;
}

void
bg_job_cancel(BgJob *self)
{
    g_cancellable_cancel(self->cancellable);
}

static void
bg_job_get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    BgJob *self = BG_JOB(object);

    switch (id) {
    case PROP_TITLE:
        g_value_set_string(value, self->title);
        break;
    case PROP_FRACTION:
        g_value_set_double(value, self->fraction);
        break;
    case PROP_RUNNING:
        g_value_set_boolean(value, self->running);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

static void
bg_job_finalize(GObject *object)
{
    BgJob *self = BG_JOB(object);

    g_clear_handle_id(&self->tick_id, g_source_remove);
    g_clear_object(&self->cancellable);
    g_free(self->title);

    G_OBJECT_CLASS(bg_job_parent_class)->finalize(object);
}

static void
bg_job_class_init(BgJobClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GParamFlags flags = G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

    object_class->get_property = bg_job_get_property;
    object_class->finalize = bg_job_finalize;
    properties[PROP_TITLE] = g_param_spec_string("title", NULL, NULL, NULL, flags);
    properties[PROP_FRACTION] = g_param_spec_double("fraction", NULL, NULL, 0.0, 1.0, 0.0, flags);
    properties[PROP_RUNNING] = g_param_spec_boolean("running", NULL, NULL, FALSE, flags);
    g_object_class_install_properties(object_class, N_PROPS, properties);
}

static void
bg_job_init(BgJob *self)
{
    self->cancellable = g_cancellable_new();
}
