// SPDX-License-Identifier: Apache-2.0
#include "bg-io-foreign-private.h"

#include "bg-io-wire.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/decode/bg-decode.h"

#include <string.h>
#include <unistd.h>

#define OWN_BYTES (G_GUINT64_CONSTANT(1) << 30) // of addresses: the program itself and its threads
#define MAX_CPU_S 1800

typedef struct {
    gsize at, n_bytes;
    const char *bytes;
} Signature;

static const Signature signatures[] = {
    { 0, 8, "\x89HDF\r\n\x1A\n" },
    { 0, 8, "\x89PNG\r\n\x1A\n" },
    { 128, 4, "DICM" },
    { 0, 4, "II*\0" },
    { 0, 4, "MM\0*" },
    { 0, 4, "II+\0" }, // BigTIFF
    { 0, 4, "MM\0+" },
    { 0, 3, "\xFF\xD8\xFF" },     // JPEG
    { 0, 4, "\xFF\x4F\xFF\x51" }, // JPEG 2000, bare
    { 0, 8, "\0\0\0\x0CjP  " },   // JPEG 2000
    { 4, 4, "ftyp" },             // HEIC, AVIF
    { 0, 4, "PK\3\4" },
    { 0, 4, "PK\5\6" }, // ZIP without members
    { 257, 5, "ustar" },
};

gboolean
bg_foreign_sniff(const guint8 *bytes, gsize n_bytes)
{
    for (gsize i = 0; i < G_N_ELEMENTS(signatures); i++) {
        const Signature *s = &signatures[i];
        if (n_bytes >= s->at + s->n_bytes && memcmp(bytes + s->at, s->bytes, s->n_bytes) == 0)
            return TRUE;
    }
    return FALSE;
}

// Three quarters of what the machine has: more would drive the program itself out.
static guint64
get_max_bytes(void)
{
    long n_pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);

    return n_pages > 0 && page > 0 ? (guint64) n_pages / 4 * 3 * (guint64) page + OWN_BYTES : 0;
}

// Names of files need not be text; URIs are.
static BgJson *
new_request(const char *op, const char *path, const BgLoadParams *params, GError **error)
{
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    g_autofree char *uri = g_filename_to_uri(absolute, NULL, error);

    if (uri == NULL)
        return NULL;
    BgJson *request = bg_json_new_object();
    bg_json_set_string(request, "op", op);
    bg_json_set_string(request, "uri", uri);
    bg_json_set_integer(request, "max_bytes", (gint64) get_max_bytes());
    bg_json_set_integer(request, "max_cpu_s", MAX_CPU_S);
    if (params != NULL)
        bg_json_set(request, "params", bg_load_params_to_json(params));
    return request;
}

// What the child has got wrong is the child's fault, not the file's.
static void
blame_decoder(GError **error)
{
    if (error != NULL && *error != NULL && (*error)->domain == BG_ERROR)
        (*error)->code = BG_ERROR_DECODER;
}

BgFileInfo *
bg_foreign_probe(const char *path, const BgLoadParams *params, GCancellable *cancellable,
                 GError **error)
{
    g_autoptr(BgJson) request = new_request("probe", path, params, error);
    g_autoptr(BgDecodeReply) reply =
        request != NULL ? bg_decode_ask(request, NULL, NULL, cancellable, error) : NULL;

    if (reply == NULL)
        return NULL;
    BgFileInfo *info = bg_file_info_from_json(bg_json_get(reply->json, "info"), path, error);
    if (info == NULL)
        blame_decoder(error);
    return info;
}

BgLoaded *
bg_foreign_load(const char *path, const BgLoadParams *params, const BgProgress *progress,
                GCancellable *cancellable, GError **error)
{
    g_autoptr(BgJson) request = new_request("load", path, params, error);
    g_autoptr(BgDecodeReply) reply =
        request != NULL ? bg_decode_ask(request, NULL, progress, cancellable, error) : NULL;

    if (reply == NULL)
        return NULL;
    BgLoaded *loaded =
        bg_loaded_from_json(bg_json_get(reply->json, "loaded"), reply->parts, path, error);
    if (loaded == NULL)
        blame_decoder(error);
    return loaded;
}

BgImage *
bg_foreign_load_thumbnail(const char *path, const BgLoadParams *params, int max_size,
                          GCancellable *cancellable, GError **error)
{
    g_autoptr(BgJson) request = new_request("thumbnail", path, params, error);

    if (request == NULL)
        return NULL;
    bg_json_set_integer(request, "max_size", max_size);
    g_autoptr(BgDecodeReply) reply = bg_decode_ask(request, NULL, NULL, cancellable, error);
    if (reply == NULL)
        return NULL;
    BgImage *image = bg_image_from_json(bg_json_get(reply->json, "image"), reply->parts, error);
    if (image == NULL)
        blame_decoder(error);
    return image;
}

// Items are {"counted": [done, known]}, {"found": series}, and at the end, in order, {"series": series}.
typedef struct {
    const BgScanWatch *watch;
    GPtrArray *list; // owned
    GError *failed;  // owned
} Scan;

static void
take_counts(const BgScanWatch *watch, const BgJson *counted)
{
    gint64 n_done = bg_json_to_integer(bg_json_at(counted, 0), 0);
    gint64 n_known = bg_json_to_integer(bg_json_at(counted, 1), 0);

    if (watch->counted != NULL && n_done >= 0 && n_known >= n_done)
        watch->counted((gsize) n_done, (gsize) n_known, watch->user_data);
}

static void
take_item(const BgJson *item, gpointer user_data)
{
    Scan *scan = user_data;
    const BgJson *counted = bg_json_get(item, "counted"), *found = bg_json_get(item, "found"),
                 *listed = bg_json_get(item, "series");

    if (scan->failed != NULL)
        return;
    if (bg_json_count(counted) == 2 && scan->watch != NULL)
        take_counts(scan->watch, counted);
    if (found == NULL && listed == NULL)
        return;
    g_autoptr(BgSeries) series = bg_series_from_json(found != NULL ? found : listed, &scan->failed);
    if (series == NULL)
        return;
    if (listed != NULL)
        g_ptr_array_add(scan->list, bg_series_ref(series));
    else if (scan->watch != NULL && scan->watch->found != NULL)
        scan->watch->found(series, scan->watch->user_data);
}

GPtrArray *
bg_foreign_scan(const char *path, const BgScanWatch *watch, GCancellable *cancellable,
                GError **error)
{
    g_autoptr(BgJson) request = new_request("scan", path, NULL, error);

    if (request == NULL)
        return NULL;
    Scan scan = { .watch = watch,
                  .list = g_ptr_array_new_with_free_func((GDestroyNotify) bg_series_unref) };
    BgDecodeItems items = { take_item, &scan };
    g_autoptr(BgDecodeReply) reply = bg_decode_ask(request, &items, NULL, cancellable, error);
    if (reply == NULL || scan.failed != NULL) {
        g_ptr_array_unref(scan.list);
        if (reply != NULL) {
            g_propagate_error(error, scan.failed);
            blame_decoder(error);
        } else {
            g_clear_error(&scan.failed);
        }
        return NULL;
    }
    return scan.list;
}
