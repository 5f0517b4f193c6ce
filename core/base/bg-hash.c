// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-hash.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <openssl/evp.h>

#define CHUNK_BYTES (1u << 20)

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_MD_CTX, EVP_MD_CTX_free)

static char *
finish(EVP_MD_CTX *context)
{
    guint8 digest[EVP_MAX_MD_SIZE];
    unsigned n_bytes = 0;
    GString *hex = g_string_new(NULL);

    EVP_DigestFinal_ex(context, digest, &n_bytes);
    for (unsigned i = 0; i < n_bytes; i++)
        g_string_append_printf(hex, "%02x", digest[i]);
    return g_string_free(hex, FALSE);
}

static goffset
stream_size(GFileInputStream *stream, GCancellable *cancellable)
{
    g_autoptr(GFileInfo) info =
        g_file_input_stream_query_info(stream, G_FILE_ATTRIBUTE_STANDARD_SIZE, cancellable, NULL);

    return info != NULL ? MAX(g_file_info_get_size(info), 1) : 1;
}

char *
bg_hash_file_start(const char *path, guint64 n_bytes, const BgProgress *progress,
                   GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(path != NULL, NULL);

    g_autoptr(GFile) file = g_file_new_for_path(path);
    g_autoptr(GFileInputStream) stream = g_file_read(file, cancellable, error);
    if (stream == NULL)
        return NULL;

    goffset n_all = stream_size(stream, cancellable), n_done = 0;
    g_autofree guint8 *chunk = g_malloc(CHUNK_BYTES);
    g_autoptr(EVP_MD_CTX) context = EVP_MD_CTX_new();
    EVP_DigestInit_ex(context, EVP_sha256(), NULL);

    for (;;) {
        gsize wanted = (gsize) MIN(n_bytes - (guint64) n_done, CHUNK_BYTES);
        gssize n = g_input_stream_read(G_INPUT_STREAM(stream), chunk, wanted, cancellable, error);
        if (n < 0)
            return NULL;
        if (n == 0)
            return finish(context);
        EVP_DigestUpdate(context, chunk, (gsize) n);
        n_done += n;
        bg_progress_report(progress, (double) n_done / (double) n_all);
    }
}

char *
bg_hash_file(const char *path, const BgProgress *progress, GCancellable *cancellable,
             GError **error)
{
    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        return bg_hash_folder(path, progress, cancellable, error);
    return bg_hash_file_start(path, G_MAXUINT64, progress, cancellable, error);
}

char *
bg_hash_bytes(gconstpointer data, gsize n_bytes)
{
    g_autoptr(EVP_MD_CTX) context = EVP_MD_CTX_new();

    EVP_DigestInit_ex(context, EVP_sha256(), NULL);
    EVP_DigestUpdate(context, data, n_bytes);
    return finish(context);
}
