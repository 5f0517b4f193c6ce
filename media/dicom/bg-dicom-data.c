// SPDX-License-Identifier: Apache-2.0
#include "bg-dicom-data.h"

#include "bg-dicom-parse-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "media/dicom/bg-dicom.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define PREAMBLE_BYTES 128
#define FIRST_READ (16 * 1024)
#define HEADER_LIMIT (256u << 20) // elements before the pixels; real ones have under 50 MB
#define DEFLATED_LIMIT (1024u << 20)
#define INFLATED_LIMIT (2048u << 20)
#define INFLATED_HEADER_LIMIT ((gsize) 32 << 20) // of what comes before the pixels
#define INFLATED_CHUNK (1u << 20)
#define INFLATED_SLACK 4096 // after the pixels that the header promises

typedef struct {
    const char *uid;
    gboolean explicit_vr, big_endian, deflated, lossy;
    BgDcmCoding coding;
} SyntaxRow;

// PS3.5 annex A, PS3.6 table A-1; the last is GE's (little endian header, big endian pixels).
static const SyntaxRow syntaxes[] = {
    { "1.2.840.10008.1.2", FALSE, FALSE, FALSE, FALSE, BG_DCM_CODING_NATIVE },
    { "1.2.840.10008.1.2.1", TRUE, FALSE, FALSE, FALSE, BG_DCM_CODING_NATIVE },
    { "1.2.840.10008.1.2.1.99", TRUE, FALSE, TRUE, FALSE, BG_DCM_CODING_NATIVE },
    { "1.2.840.10008.1.2.2", TRUE, TRUE, FALSE, FALSE, BG_DCM_CODING_NATIVE },
    { "1.2.840.10008.1.2.5", TRUE, FALSE, FALSE, FALSE, BG_DCM_CODING_RLE },
    { "1.2.840.10008.1.2.4.50", TRUE, FALSE, FALSE, TRUE, BG_DCM_CODING_JPEG },
    { "1.2.840.10008.1.2.4.51", TRUE, FALSE, FALSE, TRUE, BG_DCM_CODING_JPEG },
    { "1.2.840.10008.1.2.4.52", TRUE, FALSE, FALSE, TRUE, BG_DCM_CODING_JPEG },
    { "1.2.840.10008.1.2.4.53", TRUE, FALSE, FALSE, TRUE, BG_DCM_CODING_JPEG },
    { "1.2.840.10008.1.2.4.54", TRUE, FALSE, FALSE, TRUE, BG_DCM_CODING_JPEG },
    { "1.2.840.10008.1.2.4.55", TRUE, FALSE, FALSE, TRUE, BG_DCM_CODING_JPEG },
    { "1.2.840.10008.1.2.4.56", TRUE, FALSE, FALSE, TRUE, BG_DCM_CODING_JPEG },
    { "1.2.840.10008.1.2.4.57", TRUE, FALSE, FALSE, FALSE, BG_DCM_CODING_JPEG },
    { "1.2.840.10008.1.2.4.58", TRUE, FALSE, FALSE, FALSE, BG_DCM_CODING_JPEG },
    { "1.2.840.10008.1.2.4.70", TRUE, FALSE, FALSE, FALSE, BG_DCM_CODING_JPEG },
    { "1.2.840.10008.1.2.4.80", TRUE, FALSE, FALSE, FALSE, BG_DCM_CODING_JPEG_LS },
    { "1.2.840.10008.1.2.4.81", TRUE, FALSE, FALSE, TRUE, BG_DCM_CODING_JPEG_LS },
    { "1.2.840.10008.1.2.4.90", TRUE, FALSE, FALSE, FALSE, BG_DCM_CODING_JPEG_2000 },
    { "1.2.840.10008.1.2.4.91", TRUE, FALSE, FALSE, TRUE, BG_DCM_CODING_JPEG_2000 },
    { "1.2.840.10008.1.2.4.92", TRUE, FALSE, FALSE, FALSE, BG_DCM_CODING_JPEG_2000 },
    { "1.2.840.10008.1.2.4.93", TRUE, FALSE, FALSE, TRUE, BG_DCM_CODING_JPEG_2000 },
    { "1.2.840.113619.5.2", FALSE, FALSE, FALSE, FALSE, BG_DCM_CODING_NATIVE },
};

gboolean
bg_dcm_syntax_from_uid(const char *uid, BgDcmSyntax *syntax)
{
    for (gsize i = 0; i < G_N_ELEMENTS(syntaxes); i++) {
        const SyntaxRow *row = &syntaxes[i];
        if (strcmp(row->uid, uid) != 0)
            continue;
        *syntax = (BgDcmSyntax){ .explicit_vr = row->explicit_vr,
                                 .big_endian = row->big_endian,
                                 .big_endian_pixels = row->big_endian,
                                 .deflated = row->deflated,
                                 .lossy = row->lossy,
                                 .coding = row->coding };
        g_strlcpy(syntax->uid, uid, sizeof syntax->uid);
        syntax->big_endian_pixels |= strcmp(uid, "1.2.840.113619.5.2") == 0;
        return TRUE;
    }
    return FALSE;
}

static gboolean
read_at(int fd, guint64 offset, guint8 *buffer, gsize n_bytes, gsize *n_read, GError **error)
{
    *n_read = 0;
    while (*n_read < n_bytes) {
        ssize_t n = pread(fd, buffer + *n_read, n_bytes - *n_read, (off_t) (offset + *n_read));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "%s", g_strerror(errno));
            return FALSE;
        }
        if (n == 0)
            break;
        *n_read += (gsize) n;
    }
    return TRUE;
}

gboolean
bg_dcm_data_read(const BgDcmData *data, guint64 offset, gpointer buffer, gsize n_bytes,
                 GError **error)
{
    gsize n_read;

    if (offset > data->data_size || n_bytes > data->data_size - offset) {
        g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                    _("the file is cut short: its pixels should reach to byte %" G_GUINT64_FORMAT
                      ", and it has %" G_GUINT64_FORMAT),
                    offset + n_bytes, data->data_size);
        return FALSE;
    }
    if (offset + n_bytes <= data->n_bytes) {
        memcpy(buffer, data->bytes + offset, n_bytes);
        return TRUE;
    }
    if (!read_at(data->fd, offset, buffer, n_bytes, &n_read, error))
        return FALSE;
    if (n_read < n_bytes) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("the file became shorter while it was read"));
        return FALSE;
    }
    return TRUE;
}

// More of the file into data->bytes: at least up to @wanted, as far as the file goes.
static gboolean
read_more(BgDcmData *data, gsize wanted, GError **error)
{
    gsize target = (gsize) MIN((guint64) wanted, data->file_size);
    gsize n_read;

    if (target > HEADER_LIMIT) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("the elements before the pixels are larger than 256 MiB"));
        return FALSE;
    }
    guint8 *bytes = g_try_realloc(data->bytes, MAX(target, 1));
    if (bytes == NULL) {
        g_set_error(error, BG_ERROR, BG_ERROR_NO_MEMORY,
                    _("there is no memory for a header of %zu bytes"), target);
        return FALSE;
    }
    data->bytes = bytes;
    if (!read_at(data->fd, data->n_bytes, bytes + data->n_bytes, target - data->n_bytes, &n_read,
                 error))
        return FALSE;
    data->n_bytes += n_read;
    if (data->n_bytes < target)
        data->file_size = data->n_bytes; // it became shorter
    return TRUE;
}

static void
look_at_preamble(BgDcmData *data, gsize *start)
{
    *start = 0;
    if (data->n_bytes >= PREAMBLE_BYTES + 4 &&
        memcmp(data->bytes + PREAMBLE_BYTES, "DICM", 4) == 0) {
        data->has_preamble = TRUE;
        memcpy(data->preamble, data->bytes, sizeof data->preamble);
        *start = PREAMBLE_BYTES + 4;
    }
}

// Parses from @start, reading on until the pixels or the end are reached.
static gboolean
parse_growing(BgDcmData *data, gsize start, GError **error)
{
    for (;;) {
        gsize needed = 0;
        BgDcmParseResult result = bg_dcm_parse(data, start, &needed, error);
        if (result == BG_DCM_PARSE_FAILED)
            return FALSE;
        if (result == BG_DCM_PARSE_DONE)
            return TRUE;
        if (data->n_bytes >= data->file_size) {
            data->cut_short = TRUE; // what is there was parsed
            return TRUE;
        }
        // Doubling keeps the work of parsing again linear.
        if (!read_more(data, MAX(MAX(needed, data->n_bytes * 4), FIRST_READ), error))
            return FALSE;
    }
}

typedef struct {
    z_stream z;
    guint8 *out;
    gsize n_out, size;
} Inflater;

// Up to @wanted bytes in all; *done at the end of the stream.
static gboolean
inflate_to(Inflater *inflater, gsize wanted, gboolean *done, GError **error)
{
    while (inflater->n_out < wanted && !*done) {
        if (inflater->size < wanted) {
            guint8 *bigger = g_try_realloc(inflater->out, wanted);
            if (bigger == NULL) {
                g_set_error(error, BG_ERROR, BG_ERROR_NO_MEMORY,
                            _("there is no memory for %zu inflated bytes"), wanted);
                return FALSE;
            }
            inflater->out = bigger;
            inflater->size = wanted;
        }
        gsize room = MIN(wanted - inflater->n_out, G_MAXUINT32 / 2);
        inflater->z.next_out = inflater->out + inflater->n_out;
        inflater->z.avail_out = (uInt) room;
        int status = inflate(&inflater->z, Z_NO_FLUSH);
        gsize made = room - inflater->z.avail_out;
        inflater->n_out += made;
        if (status == Z_STREAM_END || (made == 0 && inflater->z.avail_in == 0)) {
            *done = TRUE;
        } else if (status != Z_OK && status != Z_BUF_ERROR) {
            g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                                _("the deflated data set is damaged"));
            return FALSE;
        }
    }
    return TRUE;
}

// Bytes of the pixels that the pixel module speaks of.
static guint64
promised_bytes(const BgDcmData *data)
{
    BgDcmSet root = bg_dcm_root(data);
    guint16 us = BG_DCM_VR('U', 'S');
    double n = bg_dcm_number(root, BG_DCM_TAG(0x0028, 0x0010), us, 0.0) *
               bg_dcm_number(root, BG_DCM_TAG(0x0028, 0x0011), us, 0.0) *
               bg_dcm_number(root, BG_DCM_TAG(0x0028, 0x0002), us, 1.0) *
               MAX(bg_dcm_number(root, BG_DCM_TAG(0x0028, 0x0008), BG_DCM_VR('I', 'S'), 1.0), 1.0) *
               bg_dcm_number(root, BG_DCM_TAG(0x0028, 0x0100), us, 64.0) / 8.0;

    return (guint64) CLAMP(n, 0.0, (double) INFLATED_LIMIT) + 2;
}

// What the header promises decides how much is inflated: a bomb ends there.
static gsize
inflated_bound(const BgDcmData *data)
{
    if (data->pixel_tag == 0)
        return 0;
    guint64 length = data->pixel_length == BG_DCM_UNDEFINED_LENGTH
                         ? 0
                         : MIN(data->pixel_length, promised_bytes(data));
    return (gsize) MIN(data->pixel_offset + length + INFLATED_SLACK, (guint64) INFLATED_LIMIT);
}

static gboolean
inflate_rounds(BgDcmData *data, Inflater *inflater, GError **error)
{
    gboolean done = FALSE;
    gsize wanted = INFLATED_CHUNK;

    for (;;) {
        gsize needed = 0;
        if (!inflate_to(inflater, wanted, &done, error))
            return FALSE;
        data->bytes = inflater->out;
        data->n_bytes = inflater->n_out;
        data->data_size = inflater->n_out;
        BgDcmParseResult result = bg_dcm_parse(data, 0, &needed, error);
        if (result == BG_DCM_PARSE_FAILED)
            return FALSE;
        gsize bound = result == BG_DCM_PARSE_DONE ? inflated_bound(data) : 0;
        if (result == BG_DCM_PARSE_DONE && (bound <= inflater->n_out || done))
            return TRUE;
        if (done) {
            data->cut_short = TRUE;
            return TRUE;
        }
        wanted = bound > 0 ? bound : inflater->n_out * 2;
        if (wanted > (bound > 0 ? INFLATED_LIMIT : INFLATED_HEADER_LIMIT)) {
            g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                                _("the deflated data set grows beyond what is read of it: 32 MiB "
                                  "before the pixels, 2 GiB in all"));
            return FALSE;
        }
    }
}

// PS3.5 A.5: all after the meta elements is one raw deflate stream.
static gboolean
parse_deflated(BgDcmData *data, gsize start, GError **error)
{
    Inflater inflater = { 0 };
    gsize n_packed, n_read;

    if (data->file_size > DEFLATED_LIMIT) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                            _("the deflated file is larger than 1 GiB"));
        return FALSE;
    }
    n_packed = (gsize) data->file_size - start;
    g_autofree guint8 *packed = g_try_malloc(MAX(n_packed, 1));
    if (packed == NULL) {
        g_set_error(error, BG_ERROR, BG_ERROR_NO_MEMORY, _("there is no memory for %zu bytes"),
                    n_packed);
        return FALSE;
    }
    if (!read_at(data->fd, start, packed, n_packed, &n_read, error))
        return FALSE;
    g_clear_pointer(&data->bytes, g_free);
    data->n_bytes = 0;
    inflater.z.next_in = packed;
    inflater.z.avail_in = (uInt) n_read;
    if (inflateInit2(&inflater.z, -MAX_WBITS) != Z_OK) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_NO_MEMORY, _("zlib could not be started"));
        return FALSE;
    }
    gboolean ok = inflate_rounds(data, &inflater, error);
    inflateEnd(&inflater.z);
    data->bytes = inflater.out;
    return ok;
}

static gboolean
parse_file(BgDcmData *data, GError **error)
{
    gsize start;

    if (!read_more(data, FIRST_READ, error))
        return FALSE;
    if (!bg_dicom_sniff(data->bytes, data->n_bytes)) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_UNSUPPORTED, _("this is no DICOM file"));
        return FALSE;
    }
    look_at_preamble(data, &start);
    if (!bg_dcm_parse_meta(data, &start, error))
        return FALSE;
    if (data->syntax.deflated)
        return parse_deflated(data, start, error);
    data->data_size = data->file_size;
    return parse_growing(data, start, error);
}

BgDcmData *
bg_dcm_data_open(const char *path, GError **error)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "%s: %s", path,
                    g_strerror(errno));
        return NULL;
    }
    g_autoptr(BgDcmData) data = g_new0(BgDcmData, 1);
    data->path = g_strdup(path);
    data->fd = fd;
    data->elements = g_array_new(FALSE, FALSE, sizeof(BgDcmElement));
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE, _("%s: this is no file"), path);
        return NULL;
    }
    data->file_size = (guint64) status.st_size;
    if (!parse_file(data, error)) {
        g_prefix_error(error, "%s: ", path);
        return NULL;
    }
    g_autofree char *charsets = bg_dcm_string(bg_dcm_root(data), BG_DCM_TAG(0x0008, 0x0005));
    if (charsets[0] != '\0')
        data->charsets = g_strsplit(charsets, "\\", 16);
    return g_steal_pointer(&data);
}

void
bg_dcm_data_free(BgDcmData *data)
{
    if (data == NULL)
        return;
    close(data->fd);
    g_free(data->bytes);
    g_free(data->path);
    g_strfreev(data->charsets);
    g_array_unref(data->elements);
    g_free(data);
}
