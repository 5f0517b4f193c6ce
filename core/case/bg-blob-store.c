// SPDX-License-Identifier: Apache-2.0
#include "bg-blob-private.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#define GROUP "/blob"
#define SUFFIX ".h5"

struct _BgBlobStore {
    gatomicrefcount ref_count;
    char *folder;
    GThreadPool *writer; // one thread; pushes ids (owned)
    GCancellable *closing;

    GMutex mutex; // guards what follows
    GCond written;
    GHashTable *pending; // id: BgPayload that is not on the disk yet
    GHashTable *present; // ids of which a file is there
    GHashTable *failed;  // ids that could not be written: their payload stays in pending
};

gboolean
bg_blob_id_ok(const char *id)
{
    gsize length = strlen(id);

    return length > 0 && length <= 64 && strspn(id, "0123456789abcdefABCDEF-") == length;
}

static char *
file_of(const BgBlobStore *self, const char *id)
{
    g_autofree char *name = g_strconcat(id, SUFFIX, NULL);

    return g_build_filename(self->folder, name, NULL);
}

static void
free_payload(gpointer data)
{
    bg_payload_clear(data);
    g_free(data);
}

static gboolean
write_file(const BgBlobStore *self, const char *id, const BgPayload *payload, GError **error)
{
    if (g_mkdir_with_parents(self->folder, 0700) != 0) {
        g_set_error(error, G_IO_ERROR, (int) g_io_error_from_errno(errno),
                    _("The folder “%s” for results that wait cannot be made"), self->folder);
        return FALSE;
    }
    g_autofree char *path = file_of(self, id);
    g_autoptr(BgH5) h5 = bg_h5_create(path, TRUE, error);

    return h5 != NULL && bg_blob_write(h5, GROUP, payload, NULL, self->closing, error) &&
           bg_h5_commit_sealed(h5, error);
}

// On the writer's thread.
static void
write_one(gpointer data, gpointer user_data)
{
    g_autofree char *id = data;
    BgBlobStore *self = user_data;
    BgPayload payload = { 0 };

    g_mutex_lock(&self->mutex);
    const BgPayload *pending = g_hash_table_lookup(self->pending, id);
    if (pending != NULL)
        bg_payload_copy(pending, &payload);
    g_mutex_unlock(&self->mutex);
    if (bg_payload_is_empty(&payload))
        return; // removed meanwhile

    g_autoptr(GError) error = NULL;
    gboolean done = write_file(self, id, &payload, &error);
    bg_payload_clear(&payload);
    if (!done && !g_cancellable_is_cancelled(self->closing))
        g_warning("A computed result stays in memory only: %s", error->message);

    g_mutex_lock(&self->mutex);
    gboolean wanted = g_hash_table_contains(self->pending, id);
    if (done && wanted) {
        g_hash_table_add(self->present, g_strdup(id));
        g_hash_table_remove(self->pending, id);
    } else if (done) {
        g_autofree char *path = file_of(self, id);
        g_unlink(path);
    } else if (wanted) {
        g_hash_table_add(self->failed, g_strdup(id));
    }
    g_cond_broadcast(&self->written);
    g_mutex_unlock(&self->mutex);
}

BgBlobStore *
bg_blob_store_new(const char *folder)
{
    BgBlobStore *self = g_new0(BgBlobStore, 1);

    g_atomic_ref_count_init(&self->ref_count);
    self->folder = g_strdup(folder);
    self->closing = g_cancellable_new();
    self->pending = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_payload);
    self->present = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->failed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_mutex_init(&self->mutex);
    g_cond_init(&self->written);
    self->writer = g_thread_pool_new_full(write_one, self, g_free, 1, FALSE, NULL);
    return self;
}

BgBlobStore *
bg_blob_store_ref(BgBlobStore *store)
{
    g_atomic_ref_count_inc(&store->ref_count);
    return store;
}

void
bg_blob_store_unref(BgBlobStore *store)
{
    if (store == NULL || !g_atomic_ref_count_dec(&store->ref_count))
        return;

    g_cancellable_cancel(store->closing);
    g_thread_pool_free(store->writer, TRUE, TRUE); // drops what is queued, ends what is running
    GHashTableIter iter;
    gpointer id;
    g_hash_table_iter_init(&iter, store->present);
    while (g_hash_table_iter_next(&iter, &id, NULL)) {
        g_autofree char *path = file_of(store, id);
        g_unlink(path);
    }
    g_rmdir(store->folder);
    g_hash_table_unref(store->pending);
    g_hash_table_unref(store->present);
    g_hash_table_unref(store->failed);
    g_object_unref(store->closing);
    g_mutex_clear(&store->mutex);
    g_cond_clear(&store->written);
    g_free(store->folder);
    g_free(store);
}

void
bg_blob_store_put(BgBlobStore *store, const char *id, const BgPayload *payload)
{
    g_return_if_fail(!bg_payload_is_empty(payload));
    if (!bg_blob_id_ok(id))
        return;

    g_mutex_lock(&store->mutex);
    gboolean is_new =
        !g_hash_table_contains(store->pending, id) && !g_hash_table_contains(store->present, id);
    if (is_new) {
        BgPayload *copy = g_new0(BgPayload, 1);
        bg_payload_copy(payload, copy);
        g_hash_table_insert(store->pending, g_strdup(id), copy);
    }
    g_mutex_unlock(&store->mutex);
    if (is_new)
        g_thread_pool_push(store->writer, g_strdup(id), NULL);
}

void
bg_blob_store_remove(BgBlobStore *store, const char *id)
{
    g_mutex_lock(&store->mutex);
    g_hash_table_remove(store->pending, id);
    g_hash_table_remove(store->failed, id);
    if (g_hash_table_remove(store->present, id)) {
        g_autofree char *path = file_of(store, id);
        g_unlink(path);
    }
    g_mutex_unlock(&store->mutex);
}

void
bg_blob_store_wait(BgBlobStore *store)
{
    g_mutex_lock(&store->mutex);
    while (g_hash_table_size(store->pending) > g_hash_table_size(store->failed))
        g_cond_wait(&store->written, &store->mutex);
    g_mutex_unlock(&store->mutex);
}

void
bg_blob_store_adopt(BgBlobStore *store, const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    if (dir == NULL || g_mkdir_with_parents(store->folder, 0700) != 0)
        return;
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *id = g_strdup(name);
        g_autofree char *from = g_build_filename(folder, name, NULL);
        g_autofree char *to = g_build_filename(store->folder, name, NULL);
        if (g_str_has_suffix(id, SUFFIX))
            id[strlen(id) - strlen(SUFFIX)] = '\0';
        if (!bg_blob_id_ok(id) || g_rename(from, to) != 0) {
            g_unlink(from); // half written when the session died
            continue;
        }
        g_mutex_lock(&store->mutex);
        g_hash_table_add(store->present, g_steal_pointer(&id));
        g_mutex_unlock(&store->mutex);
    }
    g_rmdir(folder);
}

gboolean
bg_blob_store_get(BgBlobStore *store, const char *id, BgPayload *payload,
                  const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    g_mutex_lock(&store->mutex);
    const BgPayload *pending = g_hash_table_lookup(store->pending, id);
    gboolean is_pending = pending != NULL;
    gboolean is_present = g_hash_table_contains(store->present, id);
    if (is_pending)
        bg_payload_copy(pending, payload);
    g_mutex_unlock(&store->mutex);

    if (is_pending)
        return TRUE;
    if (!is_present) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    _("The computed result is not there any more. Compute it again"));
        return FALSE;
    }
    g_autofree char *path = file_of(store, id);
    g_autoptr(BgH5) h5 = bg_h5_open_sealed(path, NULL, error);
    return h5 != NULL && bg_blob_read(h5, GROUP, payload, progress, cancellable, error);
}
