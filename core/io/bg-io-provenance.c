// SPDX-License-Identifier: Apache-2.0
#include "bg-gif-write.h"
#include "bg-io-private.h"
#include "bg-mesh-io.h"
#include "bg-webm-write.h"
#include "core/base/bg-error.h"
#include "core/base/bg-hash.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-json.h"

#include <string.h>

#define HASH_MARK "provenance="

// The header of an STL file has room for the hash of the text that lies beside it.
static char *
read_beside(const BgFileInfo *info, GError **error)
{
    const char *mark = info->description == NULL ? NULL : strstr(info->description, HASH_MARK);
    g_autofree char *path = g_strconcat(info->path, ".json", NULL), *text = NULL;
    gsize n_bytes;

    if (mark == NULL)
        return NULL;
    if (!g_file_get_contents(path, &text, &n_bytes, NULL) || n_bytes > BG_JSON_MAX_BYTES) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("“%s” holds the hash of its provenance only, and “%s” beside it cannot be "
                      "read. Put both into one folder"),
                    info->path, path);
        return NULL;
    }
    g_autofree char *hash = bg_hash_bytes(text, n_bytes);
    gsize n_digits = strspn(mark + strlen(HASH_MARK), "0123456789abcdef");
    if (n_digits < 16 || strncmp(mark + strlen(HASH_MARK), hash, MIN(n_digits, 64)) != 0) {
        g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                    _("“%s” is not the provenance of “%s”: its hash is another. Look for the right "
                      "one"),
                    path, info->path);
        return NULL;
    }
    return g_steal_pointer(&text);
}

char *
bg_io_read_provenance(const char *path, GError **error)
{
    char *comment = bg_gif_read_comment(path);
    GError *failure = NULL;

    if (comment == NULL)
        comment = bg_webm_read_provenance(path);
    if (comment != NULL)
        return comment;
    g_autoptr(BgFileInfo) info = bg_io_probe(path, NULL, error);
    if (info == NULL)
        return NULL;
    if (info->provenance != NULL)
        return g_strdup(info->provenance);

    char *text = info->format == BG_FORMAT_STL ? read_beside(info, &failure) : NULL;
    if (text == NULL && failure == NULL)
        g_set_error(&failure, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("“%s” does not say how it was made. Only files that bregma wrote do"), path);
    if (failure != NULL)
        g_propagate_error(error, failure);
    return text;
}
