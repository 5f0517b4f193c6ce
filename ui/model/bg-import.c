// SPDX-License-Identifier: Apache-2.0
#include "ui/model/bg-import.h"

#include "core/base/bg-i18n.h"
#include "ui/model/bg-import-private.h"
#include "ui/model/bg-thumbnail.h"

#define TICK_MS 33
#define MAX_A_TICK 64 // items taken over, or pictures asked for, between two frames of the window
#define MAX_TAKING_US 12000 // of a tick: each item that is taken over becomes a row of widgets
#define MAX_DEPTH 12        // of folders that no reader of series knows
#define PICTURE_PX 64
#define MAX_STEP 64                    // that makes a volume fit: a preview of it, no more
#define MAX_PREVIEW_BYTES (256u << 20) // a file that is larger is not read for its picture

// Of files; atomic, reference counted (g_atomic_rc_box).
typedef struct {
    int n_done, n_known;
} Counts;

struct _BgImport {
    GObject parent_instance;

    BgSession *session; // owned
    GListStore *items;  // owned
    GHashTable *by_key; // owned: path and key of a series to its item, borrowed of items
    BgJob *job;         // owned, nullable: while it runs
    GAsyncQueue *found; // owned, shared with the worker: of Found
    Counts *counts;     // owned, shared with the worker
    guint tick_id;
    gboolean looking; // or something that was found is not taken over yet
    guint n_pictures; // asked for
    guint n_shown;    // items, of which pictures were asked for since all is known
};

G_DEFINE_FINAL_TYPE(BgImport, bg_import, G_TYPE_OBJECT)

enum {
    SIGNAL_PROGRESS,
    SIGNAL_DONE,
    N_SIGNALS,
};

static guint signals[N_SIGNALS];

// What the worker hands over: a series, a file, or a file with the reason why not.
typedef struct {
    char *path;
    BgSeries *series;
    BgFileInfo *info;
    GError *error;
    gboolean named; // by the user; else it lay in a folder
} Found;

static void
found_free(gpointer data)
{
    Found *found = data;

    g_clear_pointer(&found->series, bg_series_unref);
    g_clear_pointer(&found->info, bg_file_info_free);
    g_clear_error(&found->error);
    g_free(found->path);
    g_free(found);
}

typedef struct {
    GStrv paths;
    GAsyncQueue *found;
    Counts *counts;
    // on the worker only
    const char *scanning;
    gboolean named;
    GCancellable *cancellable;
} Look;

static void
look_free(gpointer data)
{
    Look *look = data;

    g_strfreev(look->paths);
    g_async_queue_unref(look->found);
    g_atomic_rc_box_release(look->counts);
    g_free(look);
}

static void
push(Look *look, const char *path, BgSeries *series, BgFileInfo *info, GError *error)
{
    Found *found = g_new0(Found, 1);

    found->path = g_strdup(path);
    found->series = series != NULL ? bg_series_ref(series) : NULL;
    found->info = info;
    found->error = error;
    found->named = look->named;
    g_async_queue_push(look->found, found);
    // cppcheck-suppress memleak ; the queue has it
}

static void
on_found(BgSeries *series, gpointer user_data)
{
    Look *look = user_data;

    push(look, look->scanning, series, NULL, NULL);
}

static void
on_counted(gsize n_done, gsize n_known, gpointer user_data)
{
    Look *look = user_data;

    g_atomic_int_set(&look->counts->n_done, (int) MIN(n_done, G_MAXINT));
    g_atomic_int_set(&look->counts->n_known, (int) MIN(n_known, G_MAXINT));
}

// Returns: whether @path holds series
static gboolean
look_for_series(Look *look, const char *path)
{
    const BgScanWatch watch = { on_counted, on_found, look };
    g_autoptr(GError) error = NULL;

    look->scanning = path;
    g_autoptr(GPtrArray) list = bg_io_scan(path, &watch, look->cancellable, &error);
    if (list == NULL) {
        g_debug("no series in %s: %s", path, error->message);
        return FALSE;
    }
    // What was handed out on the way may have been incomplete.
    for (guint i = 0; i < list->len; i++)
        push(look, path, list->pdata[i], NULL, NULL);

    return list->len > 0;
}

static void look_at(Look *look, const char *path, int depth);

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void
look_into(Look *look, const char *path, int depth)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *name;

    while (dir != NULL && depth < MAX_DEPTH && (name = g_dir_read_name(dir)) != NULL &&
           !g_cancellable_is_cancelled(look->cancellable))
        if (name[0] != '.')
            g_ptr_array_add(names, g_build_filename(path, name, NULL));
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len && !g_cancellable_is_cancelled(look->cancellable); i++)
        if (!g_file_test(names->pdata[i], G_FILE_TEST_IS_SYMLINK))
            look_at(look, names->pdata[i], depth + 1);
}

// @depth: 0 for what the user named: there, what cannot be read is told
static void
look_at(Look *look, const char *path, int depth)
{
    g_autoptr(GError) error = NULL;

    if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
        if (depth > 0 || !look_for_series(look, path))
            look_into(look, path, depth);
        return;
    }

    look->named = depth == 0;
    BgFileInfo *info = bg_io_probe(path, look->cancellable, &error);
    g_atomic_int_inc(&look->counts->n_done);
    gboolean foreign = info == NULL || info->format == BG_FORMAT_DICOM;
    if (foreign && depth == 0 && look_for_series(look, path)) {
        g_clear_pointer(&info, bg_file_info_free);
        return;
    }
    if (info != NULL || (depth == 0 && !g_cancellable_is_cancelled(look->cancellable)))
        push(look, path, NULL, info, info == NULL ? g_steal_pointer(&error) : NULL);
}

static gpointer
look_in_thread(gpointer data, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    Look *look = data;
    guint n = g_strv_length(look->paths);

    look->cancellable = cancellable;
    for (guint i = 0; i < n; i++) {
        look_at(look, look->paths[i], 0);
        bg_progress_report(progress, (i + 1.0) / n);
        if (g_cancellable_set_error_if_cancelled(cancellable, error))
            return NULL;
    }
    return look;
}

// Small pictures, one after the other, when nobody waits for anything else.

typedef struct {
    BgImportItem *item; // owned; only its reference is used on the worker
    char *path;
    BgSeries *series; // owned, nullable
} Preview;

static void
release_item(gpointer item)
{
    g_object_unref(item);
}

static void
preview_free(gpointer data)
{
    Preview *preview = data;

    // The item belongs to the main thread.
    if (preview->item != NULL)
        g_idle_add_once(release_item, preview->item);
    g_clear_pointer(&preview->series, bg_series_unref);
    g_free(preview->path);
    g_free(preview);
}

typedef struct {
    BgImportItem *item; // owned
    BgImage *image;     // owned, nullable
} Previewed;

static void
previewed_free(gpointer data)
{
    Previewed *previewed = data;

    if (previewed->item != NULL)
        g_idle_add_once(release_item, previewed->item);
    g_clear_pointer(&previewed->image, bg_image_unref);
    g_free(previewed);
}

static BgImage *
preview_of_file(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgLoaded) loaded = bg_io_load(path, NULL, NULL, cancellable, error);

    if (loaded == NULL)
        return NULL;

    g_autoptr(BgLayer) layer = bg_layer_new_for_loaded(loaded, path, NULL);
    const BgPayload payload = { loaded->volume, loaded->labels, loaded->image, loaded->mesh };
    bg_payload_clear(&layer->payload);
    bg_payload_copy(&payload, &layer->payload);
    g_autoptr(BgThumbnail) thumbnail = bg_thumbnail_new(layer);
    return thumbnail != NULL ? bg_thumbnail_draw(thumbnail, cancellable, error) : NULL;
}

static BgImage *
rgb_of(BgImage *image, GError **error)
{
    g_autoptr(BgLayer) layer = bg_layer_new(BG_KIND_IMAGE, "");

    layer->payload.image = bg_image_ref(image);
    g_autoptr(BgThumbnail) thumbnail = bg_thumbnail_new(layer);
    return bg_thumbnail_draw(thumbnail, NULL, error);
}

static gpointer
preview_on_worker(gpointer data, GCancellable *cancellable, GError **error)
{
    Preview *preview = data;
    g_autoptr(GError) reason = NULL;
    Previewed *previewed = g_new0(Previewed, 1);

    if (preview->series != NULL) {
        g_autoptr(BgImage) image =
            bg_io_load_thumbnail(preview->path, preview->series, PICTURE_PX, cancellable, &reason);
        previewed->image = image != NULL ? rgb_of(image, &reason) : NULL;
    } else {
        previewed->image = preview_of_file(preview->path, cancellable, &reason);
    }
    if (previewed->image == NULL)
        g_debug("no picture of %s: %s", preview->path, reason != NULL ? reason->message : "");
    previewed->item = g_steal_pointer(&preview->item);
    return previewed;
}

static void
on_previewed(gpointer owner, gpointer result, const GError *error)
{
    Previewed *previewed = result;

    if (previewed->image != NULL)
        bg_import_item_take_picture(previewed->item, g_steal_pointer(&previewed->image));
    previewed_free(previewed);
}

static void
ask_for_picture(BgImport *self, BgImportItem *item)
{
    if (item->problem != NULL || (item->series == NULL && item->n_bytes > MAX_PREVIEW_BYTES))
        return;

    Preview *preview = g_new0(Preview, 1);
    preview->item = g_object_ref(item);
    preview->path = g_strdup(item->path);
    preview->series = item->series != NULL ? bg_series_ref(item->series) : NULL;
    BgWork work = { .owner = G_OBJECT(self),
                    .slot = self->n_pictures++,
                    .func = preview_on_worker,
                    .request = preview,
                    .free_request = preview_free,
                    .done = on_previewed,
                    .free_result = previewed_free };
    bg_worker_post(bg_session_get_idle_worker(self->session), &work);
}

// @found: (transfer full)
static void
take(BgImport *self, Found *found)
{
    g_autofree char *key =
        found->series != NULL ? g_strconcat(found->path, "\n", found->series->key, NULL) : NULL;
    BgImportItem *known = key != NULL ? g_hash_table_lookup(self->by_key, key) : NULL;

    if (known != NULL) {
        bg_import_item_take_series(known, found->series);
    } else {
        g_autoptr(BgImportItem) item =
            found->series != NULL
                ? bg_import_item_new_for_series(found->path, found->series)
                : bg_import_item_new_for_file(found->path, found->info, found->error);
        if (found->series != NULL || !found->named)
            item->chosen = FALSE; // a CD has many: see choose_one()
        g_list_store_append(self->items, item);
        if (key != NULL)
            g_hash_table_insert(self->by_key, g_steal_pointer(&key), item);
        if (found->series == NULL)
            ask_for_picture(self, item);
    }
    found_free(found);
}

static BgImportItem *
nth(BgImport *self, guint i)
{
    g_autoptr(BgImportItem) item = g_list_model_get_item(G_LIST_MODEL(self->items), i);

    return item; // the list keeps it
}

// Nothing chosen yet: the largest volume, which is what one opens a CD for.
static void
choose_one(BgImport *self)
{
    guint n = g_list_model_get_n_items(G_LIST_MODEL(self->items));
    BgImportItem *best = NULL;

    for (guint i = 0; i < n; i++) {
        BgImportItem *item = nth(self, i);
        if (item->chosen)
            return;
        if (item->problem == NULL && (best == NULL || item->n_bytes > best->n_bytes))
            best = item;
    }
    if (best != NULL)
        bg_import_item_set_chosen(best, TRUE);
}

static void
finish_looking(BgImport *self)
{
    self->looking = FALSE;
    choose_one(self);
    g_signal_emit(self, signals[SIGNAL_DONE], 0);
}

// Whatever comes, however much at once, the window gets its next frame in time.
static gboolean
on_tick(gpointer user_data)
{
    g_autoptr(BgImport) self = g_object_ref(user_data); // whoever listens may drop the last one
    gint64 started = g_get_monotonic_time();
    int n_left = MAX_A_TICK;
    Found *found;

    while (n_left > 0 && (found = g_async_queue_try_pop(self->found)) != NULL) {
        take(self, found);
        n_left = g_get_monotonic_time() - started < MAX_TAKING_US ? n_left - 1 : 0;
    }
    if (self->looking)
        g_signal_emit(self, signals[SIGNAL_PROGRESS], 0,
                      (guint64) g_atomic_int_get(&self->counts->n_done),
                      (guint64) g_atomic_int_get(&self->counts->n_known));
    if (self->job != NULL || n_left == 0)
        return G_SOURCE_CONTINUE;

    if (self->looking)
        finish_looking(self);
    guint n = self->items != NULL ? g_list_model_get_n_items(G_LIST_MODEL(self->items)) : 0;
    for (; self->n_shown < n && n_left > 0; self->n_shown++, n_left--)
        if (nth(self, self->n_shown)->series != NULL)
            ask_for_picture(self, nth(self, self->n_shown));
    if (self->n_shown < n)
        return G_SOURCE_CONTINUE;

    self->tick_id = 0;
    return G_SOURCE_REMOVE;
}

static void
on_looked(GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr(BgImport) self = user_data;
    g_autoptr(GError) error = NULL;

    bg_job_run_finish(BG_JOB(source), result, &error);
    g_clear_object(&self->job); // on_tick() does the rest
}

BgImport *
bg_import_new(BgSession *session, const char *const *paths)
{
    BgImport *self = g_object_new(BG_TYPE_IMPORT, NULL);
    Look *look = g_new0(Look, 1);

    self->session = g_object_ref(session);
    look->paths = g_strdupv((GStrv) paths);
    look->found = g_async_queue_ref(self->found);
    look->counts = g_atomic_rc_box_acquire(self->counts);
    self->job = bg_job_new(_("Looking at files"));
    const BgJobWork work = { .func = look_in_thread, .input = look, .free_input = look_free };
    self->looking = TRUE;
    self->tick_id = g_timeout_add(TICK_MS, on_tick, self);
    bg_session_run(session, self->job, &work, on_looked, g_object_ref(self));
    return self;
}

GListModel *
bg_import_get_items(BgImport *self)
{
    return G_LIST_MODEL(self->items);
}

gboolean
bg_import_is_running(BgImport *self)
{
    return self->looking;
}

void
bg_import_cancel(BgImport *self)
{
    if (self->job != NULL)
        bg_job_cancel(self->job);
}

guint
bg_import_open(BgImport *self)
{
    guint n = g_list_model_get_n_items(G_LIST_MODEL(self->items)), n_opened = 0;

    for (guint i = 0; i < n; i++) {
        BgImportItem *item = nth(self, i);
        if (!item->chosen)
            continue;
        const BgOpen open = { .path = item->path,
                              .name = item->name,
                              .frame = item->frame,
                              .series = item->series != NULL ? item->series->key : NULL,
                              .token = item->series != NULL ? item->series->token : NULL,
                              .part = bg_import_item_has_parts(item) ? item->part
                                                                     : (BgLoadPart){ { 0 } } };
        bg_session_open_with(self->session, &open);
        n_opened++;
    }
    return n_opened;
}

guint64
bg_import_count_bytes(BgImport *self)
{
    guint n = g_list_model_get_n_items(G_LIST_MODEL(self->items));
    guint64 n_bytes = 0;

    for (guint i = 0; i < n; i++)
        n_bytes += nth(self, i)->chosen ? bg_import_item_get_n_bytes(nth(self, i)) : 0;

    return n_bytes;
}

// The chosen grid that takes most and can still be thinned out.
static BgImportItem *
find_largest(BgImport *self)
{
    guint n = g_list_model_get_n_items(G_LIST_MODEL(self->items));
    BgImportItem *largest = NULL;

    for (guint i = 0; i < n; i++) {
        BgImportItem *item = nth(self, i);
        if (item->chosen && bg_import_item_has_parts(item) && item->part.step[0] < MAX_STEP &&
            (largest == NULL ||
             bg_import_item_get_n_bytes(item) > bg_import_item_get_n_bytes(largest)))
            largest = item;
    }
    return largest;
}

gboolean
bg_import_make_fit(BgImport *self, guint64 n_bytes)
{
    BgImportItem *item;

    while (bg_import_count_bytes(self) > n_bytes && (item = find_largest(self)) != NULL) {
        BgLoadPart part = item->part;
        int step = part.step[0] + 1;
        for (int axis = 0; axis < 3; axis++)
            part.step[axis] = step;
        bg_import_item_set_part(item, &part);
        if (item->part.step[0] < step)
            break; // no more columns than that
    }
    return bg_import_count_bytes(self) <= n_bytes;
}

static guint64
read_number(const char *path)
{
    g_autofree char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) && g_ascii_isdigit(text[0])
               ? g_ascii_strtoull(text, NULL, 10)
               : 0;
}

guint64
bg_import_available_bytes(void)
{
    g_autofree char *text = NULL;
    guint64 free_bytes = 0;

    // The kernel's files, not the disk's.
    if (g_file_get_contents("/proc/meminfo", &text, NULL, NULL)) {
        const char *line = strstr(text, "MemAvailable:");
        free_bytes =
            line != NULL ? g_ascii_strtoull(line + strlen("MemAvailable:"), NULL, 10) * 1024 : 0;
    }
    guint64 limit = read_number("/sys/fs/cgroup/memory.max");
    guint64 used = read_number("/sys/fs/cgroup/memory.current");
    if (limit > used && (free_bytes == 0 || limit - used < free_bytes))
        free_bytes = limit - used;

    free_bytes = free_bytes / 10 * 9;
    const char *wanted = g_getenv("BREGMA_MEMORY_LIMIT");
    guint64 most = wanted != NULL ? g_ascii_strtoull(wanted, NULL, 10) : 0;

    return most > 0 && (free_bytes == 0 || most < free_bytes) ? most : free_bytes;
}

static void
bg_import_dispose(GObject *object)
{
    BgImport *self = BG_IMPORT(object);

    g_clear_handle_id(&self->tick_id, g_source_remove);
    g_clear_object(&self->job);
    g_clear_object(&self->items);
    g_clear_object(&self->session);
    g_clear_pointer(&self->by_key, g_hash_table_unref);
    g_clear_pointer(&self->found, g_async_queue_unref);
    g_clear_pointer(&self->counts, g_atomic_rc_box_release);

    G_OBJECT_CLASS(bg_import_parent_class)->dispose(object);
}

static void
bg_import_class_init(BgImportClass *klass)
{
    G_OBJECT_CLASS(klass)->dispose = bg_import_dispose;
    signals[SIGNAL_PROGRESS] =
        g_signal_new("progress", BG_TYPE_IMPORT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                     G_TYPE_NONE, 2, G_TYPE_UINT64, G_TYPE_UINT64);
    signals[SIGNAL_DONE] = g_signal_new("done", BG_TYPE_IMPORT, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                        NULL, G_TYPE_NONE, 0);
}

static void
bg_import_init(BgImport *self)
{
    self->items = g_list_store_new(BG_TYPE_IMPORT_ITEM);
    self->by_key = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->found = g_async_queue_new_full(found_free);
    self->counts = g_atomic_rc_box_new0(Counts);
}
