// SPDX-License-Identifier: Apache-2.0
#include "bg-pictures.h"

#include "bg-pictures-private.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/io/bg-io-source.h"

static const struct {
    BgFormat format;
    const BgReader *reader;
} readers[] = {
    { BG_FORMAT_JPEG, &bg_reader_jpeg },
    { BG_FORMAT_TIFF, &bg_reader_tiff },
    { BG_FORMAT_HEIC, &bg_reader_heic },
};

static const BgReader *
find_by_bytes(const guint8 *bytes, gsize n_bytes, BgFormat *format)
{
    for (gsize i = 0; i < G_N_ELEMENTS(readers); i++) {
        if (readers[i].reader->sniff(bytes, n_bytes, FALSE)) {
            *format = readers[i].format;
            return readers[i].reader;
        }
    }
    *format = BG_FORMAT_UNKNOWN;
    return NULL;
}

BgFormat
bg_pictures_sniff(const guint8 *bytes, gsize n_bytes)
{
    BgFormat format;

    find_by_bytes(bytes, n_bytes, &format);
    return format;
}

static const BgReader *
find_reader(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_PLAIN, cancellable, error);
    guint8 bytes[16];
    BgFormat format;
    gssize n = source != NULL ? bg_source_read_some(source, bytes, sizeof bytes, error) : -1;

    if (n < 0)
        return NULL;
    const BgReader *reader = find_by_bytes(bytes, (gsize) n, &format);
    if (reader == NULL)
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("it is neither JPEG nor TIFF nor HEIC. Check that it is the right "
                              "file"));
    return reader;
}

BgFileInfo *
bg_pictures_probe(const char *path, GCancellable *cancellable, GError **error)
{
    const BgReader *reader = find_reader(path, cancellable, error);

    return reader != NULL ? reader->probe(path, cancellable, error) : NULL;
}

BgLoaded *
bg_pictures_load(const char *path, const BgLoadParams *params, const BgProgress *progress,
                 GCancellable *cancellable, GError **error)
{
    BgLoadParams chosen = params != NULL ? *params : bg_load_params_default();
    const BgReader *reader = find_reader(path, cancellable, error);

    return reader != NULL ? reader->load(path, &chosen, progress, cancellable, error) : NULL;
}

GBytes *
bg_pictures_read_file(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(BgSource) source = bg_source_open(path, 0, BG_SOURCE_PLAIN, cancellable, error);

    if (source == NULL)
        return NULL;
    guint64 size = bg_source_get_limit(source);
    if (size > BG_PICTURE_MAX_FILE) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("it is larger than %u MiB, which no photograph is. Open another file"),
                    BG_PICTURE_MAX_FILE >> 20);
        return NULL;
    }
    g_autofree guint8 *bytes = g_try_malloc(MAX((gsize) size, 1));
    if (bytes == NULL) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_NO_MEMORY,
                            _("there is no memory for it. Close something first"));
        return NULL;
    }
    if (!bg_source_read(source, bytes, (gsize) size, error))
        return NULL;
    return g_bytes_new_take(g_steal_pointer(&bytes), (gsize) size);
}
