// SPDX-License-Identifier: Apache-2.0
// The elements of one DICOM file: a bounded parser that trusts nothing, and typed access to values.
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define BG_DCM_TAG(group, element) ((guint32) (group) << 16 | (guint32) (element))
#define BG_DCM_VR(a, b) ((guint16) ((a) << 8 | (b)))
#define BG_DCM_UNDEFINED_LENGTH 0xffffffffu
#define BG_DCM_ITEM BG_DCM_TAG(0xfffe, 0xe000)

/**
 * BgDcmElement:
 * @vr: two letters by BG_DCM_VR(); 0 in implicit syntaxes
 * @big_endian: of its value
 * @length: of its value, in bytes, inside of the file; of sequences and items 0
 * @end: index of the next element that is not inside this one
 * @offset: of its value in BgDcmData.bytes
 *
 * Elements lie in one array in the order of the file: an element that holds others (a sequence, an
 * item) is followed by what it holds, up to @end.
 */
typedef struct {
    guint32 tag;
    guint16 vr;
    gboolean big_endian;
    guint32 length;
    guint end;
    gsize offset;
} BgDcmElement;

typedef enum {
    BG_DCM_CODING_NATIVE,
    BG_DCM_CODING_RLE,
    BG_DCM_CODING_JPEG, // DCT or lossless: its own header says
    BG_DCM_CODING_JPEG_LS,
    BG_DCM_CODING_JPEG_2000,
    BG_DCM_CODING_OTHER, // video, HTJ2K, ...
} BgDcmCoding;

/**
 * BgDcmSyntax:
 * @uid: as the file says, or a guess by its first elements when it does not
 * @big_endian_pixels: GE's private syntax has them in a little endian file
 * @lossy: by the syntax alone
 */
typedef struct {
    char uid[65];
    gboolean explicit_vr;
    gboolean big_endian;
    gboolean big_endian_pixels;
    gboolean deflated;
    gboolean lossy;
    BgDcmCoding coding;
} BgDcmSyntax;

/**
 * BgDcmData:
 * @bytes: what was read of the file, up to its pixels and a little more; of a deflated file, all of
 *   its inflated bytes
 * @pixel_tag: of the element where reading ended: (7FE0,0008), (7FE0,0009) or (7FE0,0010); 0 when
 *   there is none
 * @pixel_offset, @pixel_length: of its value in the file (of a deflated file, in @bytes); the
 *   length may be BG_DCM_UNDEFINED_LENGTH, and more than the file has
 * @cut_short: the elements end inside of one
 * @data_size: of the file, or of the inflated bytes
 *
 * An open file with its elements. Not for two threads at once.
 */
typedef struct {
    char *path;
    int fd;
    guint64 file_size;
    guint8 *bytes;
    gsize n_bytes;
    guint64 data_size;
    guint8 preamble[4];
    gboolean has_preamble;
    gboolean cut_short;
    BgDcmSyntax syntax;
    GArray *elements; // BgDcmElement
    guint32 pixel_tag;
    guint16 pixel_vr;
    guint64 pixel_offset;
    guint32 pixel_length;
    char **charsets; // of the whole file, nullable
} BgDcmData;

/**
 * BgDcmSet: the elements first..end-1 and what they hold: a file's, or an item's. A plain value,
 * valid as long as @data.
 */
typedef struct {
    const BgDcmData *data;
    guint first, end;
} BgDcmSet;

/**
 * bg_dcm_data_open:
 * @path: a file
 *
 * Reads up to the pixels. Depth of sequences is 64 at most; memory is bounded by the bytes that are
 * there.
 *
 * Returns: (transfer full): or %NULL with %G_IO_ERROR as the system says, %BG_ERROR_UNSUPPORTED: no
 *   DICOM, %BG_ERROR_CORRUPT: nothing of it can be parsed, %BG_ERROR_NO_MEMORY
 */
BgDcmData *bg_dcm_data_open(const char *path, GError **error);
void bg_dcm_data_free(BgDcmData *data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BgDcmData, bg_dcm_data_free)

/** bg_dcm_data_read: @n_bytes at @offset of the file, or of the inflated bytes; FALSE: CORRUPT, cut short */
gboolean bg_dcm_data_read(const BgDcmData *data, guint64 offset, gpointer buffer, gsize n_bytes,
                          GError **error);

/** bg_dcm_root: all elements of the file */
BgDcmSet bg_dcm_root(const BgDcmData *data);

/** bg_dcm_find: Returns: (nullable): the first element of that tag in @set itself */
const BgDcmElement *bg_dcm_find(BgDcmSet set, guint32 tag);

/** bg_dcm_value: Returns: (nullable): its bytes, @length of them */
const guint8 *bg_dcm_value(BgDcmSet set, const BgDcmElement *element);

/** bg_dcm_count_items: of the sequence @tag in @set; 0 when it is not there */
guint bg_dcm_count_items(BgDcmSet set, guint32 tag);

/** bg_dcm_item: @item: (out); FALSE when there is no such item. The first one is found at once */
gboolean bg_dcm_item(BgDcmSet set, guint32 tag, guint index, BgDcmSet *item);

/**
 * BgDcmItems: walks the items of a sequence in one pass
 */
typedef struct {
    BgDcmSet set;
    guint next, end;
} BgDcmItems;

BgDcmItems bg_dcm_items(BgDcmSet set, guint32 tag);
gboolean bg_dcm_items_next(BgDcmItems *items, BgDcmSet *item);

/** bg_dcm_string: (transfer full): the bytes as they are, without blanks around; "" when not there */
char *bg_dcm_string(BgDcmSet set, guint32 tag);

/** bg_dcm_copy_string: as bg_dcm_string(), the first value of several, into a buffer */
void bg_dcm_copy_string(BgDcmSet set, guint32 tag, char *buffer, gsize size);

/** bg_dcm_text: (transfer full): as bg_dcm_string(), from the file's character set to UTF-8 */
char *bg_dcm_text(BgDcmSet set, guint32 tag);

/**
 * bg_dcm_numbers:
 * @vr: what the standard says it is, for implicit syntaxes: BG_DCM_VR('D', 'S'), ...
 * @values: (out): at most @max of them
 *
 * Returns: how many values were there and are finite numbers, at most @max
 */
int bg_dcm_numbers(BgDcmSet set, guint32 tag, guint16 vr, double *values, int max);

/** bg_dcm_number: the first, or @fallback */
double bg_dcm_number(BgDcmSet set, guint32 tag, guint16 vr, double fallback);

/** bg_dcm_int: the first, or @fallback also when it is not in the range of an int */
int bg_dcm_int(BgDcmSet set, guint32 tag, guint16 vr, int fallback);

/** bg_dcm_has_word: whether one of the \-separated values of @tag is @word */
gboolean bg_dcm_has_word(BgDcmSet set, guint32 tag, const char *word);

/** bg_dcm_syntax_from_uid: @syntax: (out); FALSE when the UID is none that we know */
gboolean bg_dcm_syntax_from_uid(const char *uid, BgDcmSyntax *syntax);

/** bg_dcm_text_to_utf8: (transfer full): by the values of (0008,0005), e.g. "\\ISO 2022 IR 87" split */
char *bg_dcm_text_to_utf8(const char *bytes, gsize n_bytes, char *const *charsets);

G_END_DECLS
