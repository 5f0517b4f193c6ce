// SPDX-License-Identifier: Apache-2.0
// The container is Matroska's EBML (RFC 8794, RFC 9559), as far as WebM uses it: one video track,
// clusters that begin with a key frame, cues to them, and a tag with the provenance before them.
#include "bg-webm-write.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-output.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>

#define MAX_SIDE 16384
#define QUALITY 14          // of 0 (best) to 63
#define SPEED 4             // of libvpx, 0 (slowest) to 8
#define KEY_EVERY_MS 2000   // to jump to
#define MAX_HEAD (2u << 20) // where the tags are looked for, from the start of the file
#define LENGTH_BYTES 8      // of an element's length as written here
#define MAX_PROVENANCE (1u << 20)
#define TAG_NAME "PROVENANCE"

// Numbers of elements, RFC 9559 section 5 and RFC 8794 section 11.
enum {
    ID_EBML = 0x1A45DFA3,
    ID_EBML_VERSION = 0x4286,
    ID_EBML_READ_VERSION = 0x42F7,
    ID_EBML_MAX_ID_LENGTH = 0x42F2,
    ID_EBML_MAX_SIZE_LENGTH = 0x42F3,
    ID_DOC_TYPE = 0x4282,
    ID_DOC_TYPE_VERSION = 0x4287,
    ID_DOC_TYPE_READ_VERSION = 0x4285,
    ID_SEGMENT = 0x18538067,
    ID_INFO = 0x1549A966,
    ID_TIMESTAMP_SCALE = 0x2AD7B1,
    ID_DURATION = 0x4489,
    ID_MUXING_APP = 0x4D80,
    ID_WRITING_APP = 0x5741,
    ID_TRACKS = 0x1654AE6B,
    ID_TRACK_ENTRY = 0xAE,
    ID_TRACK_NUMBER = 0xD7,
    ID_TRACK_UID = 0x73C5,
    ID_TRACK_TYPE = 0x83,
    ID_FLAG_LACING = 0x9C,
    ID_DEFAULT_DURATION = 0x23E383,
    ID_CODEC_ID = 0x86,
    ID_VIDEO = 0xE0,
    ID_PIXEL_WIDTH = 0xB0,
    ID_PIXEL_HEIGHT = 0xBA,
    ID_COLOUR = 0x55B0,
    ID_MATRIX = 0x55B1,
    ID_RANGE = 0x55B9,
    ID_TRANSFER = 0x55BA,
    ID_PRIMARIES = 0x55BB,
    ID_TAGS = 0x1254C367,
    ID_TAG = 0x7373,
    ID_TARGETS = 0x63C0,
    ID_SIMPLE_TAG = 0x67C8,
    ID_TAG_NAME = 0x45A3,
    ID_TAG_STRING = 0x4487,
    ID_CLUSTER = 0x1F43B675,
    ID_CLUSTER_TIMESTAMP = 0xE7,
    ID_SIMPLE_BLOCK = 0xA3,
    ID_CUES = 0x1C53BB6B,
    ID_CUE_POINT = 0xBB,
    ID_CUE_TIME = 0xB3,
    ID_CUE_TRACK_POSITIONS = 0xB7,
    ID_CUE_TRACK = 0xF7,
    ID_CUE_CLUSTER_POSITION = 0xF1,
};

struct _BgWebm {
    BgOutput *output;
    char *provenance;
    int delay_ms;
    int width, height; // 0 before the first picture
    gint64 n_pictures;
    gboolean has_encoder;
    vpx_codec_ctx_t encoder;
    vpx_image_t *yuv;     // owned
    GByteArray *clusters; // all that are whole, as in the file
    GArray *cues;         // of Cue
    GByteArray *cluster;  // the one that is filled: its content
    gint64 cluster_time_ms;
};

typedef struct {
    gint64 time_ms;
    guint64 position; // in clusters
} Cue;

// Writing of elements.

static void
put_id(GByteArray *out, guint32 id)
{
    guint8 bytes[4] = { (guint8) (id >> 24), (guint8) (id >> 16), (guint8) (id >> 8), (guint8) id };
    guint n = id > 0xFFFFFF ? 4 : id > 0xFFFF ? 3 : id > 0xFF ? 2 : 1;

    g_byte_array_append(out, bytes + 4 - n, n);
}

static void
put_length(GByteArray *out, guint64 length)
{
    guint8 bytes[LENGTH_BYTES];

    for (int i = 0; i < LENGTH_BYTES; i++)
        bytes[i] = (guint8) (length >> (8 * (LENGTH_BYTES - 1 - i)));
    bytes[0] = 0x01; // seven bytes follow
    g_byte_array_append(out, bytes, LENGTH_BYTES);
}

static void
put_bytes(GByteArray *out, guint32 id, gconstpointer bytes, gsize n)
{
    put_id(out, id);
    put_length(out, n);
    g_byte_array_append(out, bytes, (guint) n);
}

static void
put_text(GByteArray *out, guint32 id, const char *text)
{
    put_bytes(out, id, text, strlen(text));
}

static void
put_number(GByteArray *out, guint32 id, guint64 number)
{
    guint64 big = GUINT64_TO_BE(number);

    put_bytes(out, id, &big, sizeof big);
}

static void
put_double(GByteArray *out, guint32 id, double number)
{
    guint64 bits;

    memcpy(&bits, &number, sizeof bits);
    put_number(out, id, bits);
}

// Puts an element around @content and frees that.
static void
put_master(GByteArray *out, guint32 id, GByteArray *content)
{
    put_bytes(out, id, content->data, content->len);
    g_byte_array_unref(content);
}

static void
put_ebml(GByteArray *out)
{
    GByteArray *head = g_byte_array_new();

    put_number(head, ID_EBML_VERSION, 1);
    put_number(head, ID_EBML_READ_VERSION, 1);
    put_number(head, ID_EBML_MAX_ID_LENGTH, 4);
    put_number(head, ID_EBML_MAX_SIZE_LENGTH, 8);
    put_text(head, ID_DOC_TYPE, "webm");
    put_number(head, ID_DOC_TYPE_VERSION, 4);
    put_number(head, ID_DOC_TYPE_READ_VERSION, 2);
    put_master(out, ID_EBML, head);
}

static void
put_info(const BgWebm *self, GByteArray *out)
{
    GByteArray *info = g_byte_array_new();

    put_number(info, ID_TIMESTAMP_SCALE, 1000000); // nanoseconds: times are milliseconds
    put_double(info, ID_DURATION, (double) (self->n_pictures * self->delay_ms));
    put_text(info, ID_MUXING_APP, "bregma");
    put_text(info, ID_WRITING_APP, "bregma");
    put_master(out, ID_INFO, info);
}

// The colour as ITU-T H.273 numbers it: BT.709 matrix, narrow range, sRGB's curve, BT.709 primaries.
static void
put_tracks(const BgWebm *self, GByteArray *out)
{
    GByteArray *tracks = g_byte_array_new(), *entry = g_byte_array_new();
    GByteArray *video = g_byte_array_new(), *colour = g_byte_array_new();

    put_number(colour, ID_MATRIX, 1);
    put_number(colour, ID_RANGE, 1);
    put_number(colour, ID_TRANSFER, 13);
    put_number(colour, ID_PRIMARIES, 1);
    put_number(video, ID_PIXEL_WIDTH, (guint64) self->width);
    put_number(video, ID_PIXEL_HEIGHT, (guint64) self->height);
    put_master(video, ID_COLOUR, colour);
    put_number(entry, ID_TRACK_NUMBER, 1);
    put_number(entry, ID_TRACK_UID, 1);
    put_number(entry, ID_TRACK_TYPE, 1);
    put_number(entry, ID_FLAG_LACING, 0);
    put_number(entry, ID_DEFAULT_DURATION, (guint64) self->delay_ms * 1000000);
    put_text(entry, ID_CODEC_ID, "V_VP9");
    put_master(entry, ID_VIDEO, video);
    put_master(tracks, ID_TRACK_ENTRY, entry);
    put_master(out, ID_TRACKS, tracks);
}

static void
put_tags(const BgWebm *self, GByteArray *out)
{
    GByteArray *tags = g_byte_array_new(), *tag = g_byte_array_new();
    GByteArray *simple = g_byte_array_new();

    put_bytes(tag, ID_TARGETS, "", 0); // of the whole file
    put_text(simple, ID_TAG_NAME, TAG_NAME);
    put_text(simple, ID_TAG_STRING, self->provenance);
    put_master(tag, ID_SIMPLE_TAG, simple);
    put_master(tags, ID_TAG, tag);
    put_master(out, ID_TAGS, tags);
}

// @before: bytes of the segment's content before the first cluster.
static void
put_cues(const BgWebm *self, GByteArray *out, guint64 before)
{
    GByteArray *cues = g_byte_array_new();

    for (guint i = 0; i < self->cues->len; i++) {
        const Cue *cue = &g_array_index(self->cues, Cue, i);
        GByteArray *point = g_byte_array_new(), *position = g_byte_array_new();
        put_number(position, ID_CUE_TRACK, 1);
        put_number(position, ID_CUE_CLUSTER_POSITION, before + cue->position);
        put_number(point, ID_CUE_TIME, (guint64) cue->time_ms);
        put_master(point, ID_CUE_TRACK_POSITIONS, position);
        put_master(cues, ID_CUE_POINT, point);
    }
    put_master(out, ID_CUES, cues);
}

static void
end_cluster(BgWebm *self)
{
    if (self->cluster->len == 0)
        return;
    Cue cue = { self->cluster_time_ms, self->clusters->len };
    g_array_append_val(self->cues, cue);
    put_bytes(self->clusters, ID_CLUSTER, self->cluster->data, self->cluster->len);
    g_byte_array_set_size(self->cluster, 0);
}

static void
put_block(BgWebm *self, const vpx_codec_cx_pkt_t *packet)
{
    gboolean key = (packet->data.frame.flags & VPX_FRAME_IS_KEY) != 0;
    gint64 time_ms = packet->data.frame.pts;

    // A block's time is a 16 bit distance from its cluster's.
    if (key || time_ms - self->cluster_time_ms > G_MAXINT16) {
        end_cluster(self);
        self->cluster_time_ms = time_ms;
        put_number(self->cluster, ID_CLUSTER_TIMESTAMP, (guint64) time_ms);
    }
    gint64 after_ms = time_ms - self->cluster_time_ms;
    guint8 head[4] = { 0x81, (guint8) (after_ms >> 8), (guint8) after_ms, key ? 0x80 : 0 };
    put_id(self->cluster, ID_SIMPLE_BLOCK);
    put_length(self->cluster, sizeof head + packet->data.frame.sz);
    g_byte_array_append(self->cluster, head, sizeof head);
    g_byte_array_append(self->cluster, packet->data.frame.buf, (guint) packet->data.frame.sz);
}

// Encoding.

static gboolean
check(BgWebm *self, vpx_codec_err_t code, GError **error)
{
    if (code == VPX_CODEC_OK)
        return TRUE;
    g_set_error(error, BG_ERROR,
                code == VPX_CODEC_MEM_ERROR ? BG_ERROR_NO_MEMORY : BG_ERROR_INVALID,
                _("The film of %d x %d cannot be encoded: %s. Try smaller pictures, or a GIF"),
                self->width, self->height, vpx_codec_err_to_string(code));
    return FALSE;
}

static gboolean
start(BgWebm *self, GError **error)
{
    vpx_codec_iface_t *codec = vpx_codec_vp9_cx();
    vpx_codec_enc_cfg_t config;

    if (!check(self, vpx_codec_enc_config_default(codec, &config, 0), error))
        return FALSE;
    config.g_w = (unsigned) self->width;
    config.g_h = (unsigned) self->height;
    config.g_threads = 1;
    config.g_timebase = (vpx_rational_t){ 1, 1000 };
    config.g_lag_in_frames = 0;
    config.rc_end_usage = VPX_Q;
    config.kf_max_dist = (unsigned) (KEY_EVERY_MS / self->delay_ms);
    if (!check(self, vpx_codec_enc_init(&self->encoder, codec, &config, 0), error))
        return FALSE;
    self->has_encoder = TRUE;
    self->yuv = vpx_img_alloc(NULL, VPX_IMG_FMT_I420, config.g_w, config.g_h, 32);
    if (self->yuv == NULL) {
        g_set_error(error, BG_ERROR, BG_ERROR_NO_MEMORY,
                    _("There is no memory for a film of %d x %d. Try smaller pictures"),
                    self->width, self->height);
        return FALSE;
    }
    return check(self, vpx_codec_control(&self->encoder, VP8E_SET_CQ_LEVEL, QUALITY), error) &&
           check(self, vpx_codec_control(&self->encoder, VP8E_SET_CPUUSED, SPEED), error) &&
           check(self, vpx_codec_control(&self->encoder, VP9E_SET_COLOR_SPACE, VPX_CS_BT_709),
                 error) &&
           check(self, vpx_codec_control(&self->encoder, VP9E_SET_COLOR_RANGE, VPX_CR_STUDIO_RANGE),
                 error);
}

// ITU-R BT.709, 8 bit, narrow range. @rgb: 0..255
static double
luma(const double rgb[3])
{
    return 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2];
}

// The mean colour of the picture's pixels u .. u + n - 1, v .. v + n - 1 that are there.
static void
mean_rgb(const guint8 *pixels, const BgImageFormat *format, const int at[2], int n, double rgb[3])
{
    int end_u = MIN(at[0] + n, format->width), end_v = MIN(at[1] + n, format->height);
    int step = format->n_channels >= 3 ? 1 : 0;

    rgb[0] = rgb[1] = rgb[2] = 0.0;
    for (int v = at[1]; v < end_v; v++) {
        for (int u = at[0]; u < end_u; u++) {
            const guint8 *pixel = pixels + ((gsize) v * (gsize) format->width + (gsize) u) *
                                               (gsize) format->n_channels;
            for (int c = 0; c < 3; c++)
                rgb[c] += pixel[c * step];
        }
    }
    for (int c = 0; c < 3; c++)
        rgb[c] /= (end_u - at[0]) * (end_v - at[1]);
}

static void
fill_yuv(BgWebm *self, BgImage *image)
{
    const BgImageFormat *format = bg_image_get_format(image);
    const guint8 *pixels = bg_image_get_pixels(image);
    double rgb[3];

    for (int v = 0; v < self->height; v++) {
        guint8 *row = self->yuv->planes[VPX_PLANE_Y] + v * self->yuv->stride[VPX_PLANE_Y];
        for (int u = 0; u < self->width; u++) {
            mean_rgb(pixels, format, (const int[2]){ u, v }, 1, rgb);
            row[u] = (guint8) (16.5 + 219.0 / 255.0 * luma(rgb));
        }
    }
    for (int v = 0; v < (self->height + 1) / 2; v++) {
        guint8 *blue = self->yuv->planes[VPX_PLANE_U] + v * self->yuv->stride[VPX_PLANE_U];
        guint8 *red = self->yuv->planes[VPX_PLANE_V] + v * self->yuv->stride[VPX_PLANE_V];
        for (int u = 0; u < (self->width + 1) / 2; u++) {
            mean_rgb(pixels, format, (const int[2]){ 2 * u, 2 * v }, 2, rgb);
            double y = luma(rgb);
            blue[u] = (guint8) (128.5 + 224.0 / 255.0 * (rgb[2] - y) / 1.8556);
            red[u] = (guint8) (128.5 + 224.0 / 255.0 * (rgb[0] - y) / 1.5748);
        }
    }
}

static gboolean
encode(BgWebm *self, vpx_image_t *yuv, GError **error)
{
    const vpx_codec_cx_pkt_t *packet;
    vpx_codec_iter_t at = NULL;
    gint64 time_ms = self->n_pictures * self->delay_ms;

    if (!check(self,
               vpx_codec_encode(&self->encoder, yuv, time_ms, (unsigned long) self->delay_ms, 0,
                                VPX_DL_GOOD_QUALITY),
               error))
        return FALSE;
    while ((packet = vpx_codec_get_cx_data(&self->encoder, &at)) != NULL) {
        if (packet->kind == VPX_CODEC_CX_FRAME_PKT)
            put_block(self, packet);
    }
    return TRUE;
}

static gboolean
check_image(const BgWebm *self, const BgImageFormat *format, GError **error)
{
    if (format->type != BG_PIXEL_UINT8 || format->n_channels == 2 || format->width > MAX_SIDE ||
        format->height > MAX_SIDE) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("A film is made of 8 bit grey or RGB pictures of at most %d pixels a side: "
                      "this one has %d channels and %d x %d pixels"),
                    MAX_SIDE, format->n_channels, format->width, format->height);
        return FALSE;
    }
    if (self->width > 0 && (format->width != self->width || format->height != self->height)) {
        g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                    _("The pictures of a film are of one size: this one has %d x %d and the first "
                      "has %d x %d"),
                    format->width, format->height, self->width, self->height);
        return FALSE;
    }
    return TRUE;
}

gboolean
bg_webm_add(BgWebm *self, BgImage *image, GError **error)
{
    const BgImageFormat *format = bg_image_get_format(image);

    if (!check_image(self, format, error))
        return FALSE;
    if (self->width == 0) {
        self->width = format->width;
        self->height = format->height;
        if (!start(self, error))
            return FALSE;
    }
    fill_yuv(self, image);
    if (!encode(self, self->yuv, error))
        return FALSE;
    self->n_pictures++;
    return TRUE;
}

BgWebm *
bg_webm_new(const char *path, gboolean force, int delay_ms, const char *provenance, GError **error)
{
    BgOutput *output = bg_output_new(path, force, error);

    if (output == NULL)
        return NULL;
    BgWebm *self = g_new0(BgWebm, 1);
    self->output = output;
    self->delay_ms = CLAMP(delay_ms, 1, G_MAXINT16);
    self->provenance = g_strdup(provenance);
    self->clusters = g_byte_array_new();
    self->cluster = g_byte_array_new();
    self->cues = g_array_new(FALSE, FALSE, sizeof(Cue));
    return self;
}

gboolean
bg_webm_commit(BgWebm *self, GError **error)
{
    g_autoptr(GByteArray) file = g_byte_array_new();
    g_autoptr(GByteArray) head = g_byte_array_new();
    g_autoptr(GByteArray) cues = g_byte_array_new();

    if (self->n_pictures == 0) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_INVALID,
                            _("A film without a picture is not written. Add at least one"));
        return FALSE;
    }
    if (!encode(self, NULL, error)) // what the encoder holds back
        return FALSE;
    end_cluster(self);
    put_info(self, head);
    put_tracks(self, head);
    if (self->provenance != NULL)
        put_tags(self, head);
    put_cues(self, cues, head->len);
    put_ebml(file);
    put_id(file, ID_SEGMENT);
    put_length(file, (guint64) head->len + self->clusters->len + cues->len);
    return bg_output_write(self->output, file->data, file->len, error) &&
           bg_output_write(self->output, head->data, head->len, error) &&
           bg_output_write(self->output, self->clusters->data, self->clusters->len, error) &&
           bg_output_write(self->output, cues->data, cues->len, error) &&
           bg_output_commit(self->output, error);
}

void
bg_webm_free(BgWebm *self)
{
    if (self == NULL)
        return;
    if (self->has_encoder)
        vpx_codec_destroy(&self->encoder);
    vpx_img_free(self->yuv);
    bg_output_free(self->output);
    g_free(self->provenance);
    g_byte_array_unref(self->clusters);
    g_byte_array_unref(self->cluster);
    g_array_unref(self->cues);
    g_free(self);
}

// Reading of the tag.

typedef struct {
    const guint8 *bytes;
    gsize at, end;
} Cursor;

// A number of variable length; @keep_mark: as an element's identity is written.
static gboolean
take_number(Cursor *cursor, gboolean keep_mark, guint64 *number)
{
    if (cursor->at >= cursor->end || cursor->bytes[cursor->at] == 0)
        return FALSE;
    guint first = cursor->bytes[cursor->at], n = 1;
    while (!(first & (0x80u >> (n - 1))))
        n++;
    if (n > cursor->end - cursor->at)
        return FALSE;
    *number = keep_mark ? first : first & ((0x80u >> (n - 1)) - 1u);
    for (guint i = 1; i < n; i++)
        *number = *number << 8 | cursor->bytes[cursor->at + i];
    cursor->at += n;
    return TRUE;
}

// The next element: its number and what is in it, cut at the end of what was read.
static gboolean
take_element(Cursor *cursor, guint64 *id, Cursor *content)
{
    guint64 length;

    if (!take_number(cursor, TRUE, id) || !take_number(cursor, FALSE, &length))
        return FALSE;
    gsize n = (gsize) MIN(length, cursor->end - cursor->at);
    *content = (Cursor){ cursor->bytes, cursor->at, cursor->at + n };
    cursor->at += n;
    return TRUE;
}

// Goes down to the first element @wanted inside. FALSE when there is none.
static gboolean
find_element(Cursor in, guint64 wanted, Cursor *content)
{
    guint64 id;

    while (take_element(&in, &id, content)) {
        if (id == wanted)
            return TRUE;
        if (id == ID_CLUSTER)
            return FALSE;
    }
    return FALSE;
}

static gboolean
is_text(const Cursor *content, const char *text)
{
    gsize n = strlen(text);

    return content->end - content->at == n && memcmp(content->bytes + content->at, text, n) == 0;
}

char *
bg_webm_read_provenance(const char *path)
{
    g_autofree guint8 *bytes = g_malloc(MAX_HEAD);
    FILE *file = g_fopen(path, "rb");
    gsize n = file != NULL ? fread(bytes, 1, MAX_HEAD, file) : 0;
    Cursor all = { bytes, 0, n }, segment, tags, tag, simple, name, text;
    guint64 id;

    if (file != NULL)
        fclose(file);
    if (!find_element(all, ID_EBML, &tags) || !find_element(all, ID_SEGMENT, &segment) ||
        !find_element(segment, ID_TAGS, &tags))
        return NULL;
    while (take_element(&tags, &id, &tag)) {
        if (id != ID_TAG || !find_element(tag, ID_SIMPLE_TAG, &simple) ||
            !find_element(simple, ID_TAG_NAME, &name) || !is_text(&name, TAG_NAME) ||
            !find_element(simple, ID_TAG_STRING, &text))
            continue;
        gsize length = text.end - text.at;
        const char *words = (const char *) bytes + text.at;
        if (length <= MAX_PROVENANCE && g_utf8_validate(words, (gssize) length, NULL))
            return g_strndup(words, length);
    }
    return NULL;
}
