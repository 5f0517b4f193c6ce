// SPDX-License-Identifier: Apache-2.0
// Siemens' mosaics: the slices of a volume as tiles of one picture. Their number and normal stand in
// the CSA header (0029,1010), a private list of named text values (described by nibabel's and
// gdcm's documentation), or in the protocol text of (0029,1020).
#include "bg-dicom-image.h"

#include "core/base/bg-i18n.h"

#include <math.h>
#include <string.h>

#define TAG BG_DCM_TAG
#define VR BG_DCM_VR
#define CSA_NAME_BYTES 64
#define CSA_TAG_BYTES 84
#define CSA_ITEM_BYTES 16
#define CSA_MAX_TAGS 1024
#define CSA_MAX_ITEMS 4096
#define MAX_TILES 1024

static guint32
get32le(const guint8 *p)
{
    return (guint32) p[0] | (guint32) p[1] << 8 | (guint32) p[2] << 16 | (guint32) p[3] << 24;
}

typedef struct {
    const guint8 *bytes;
    gsize n_bytes;
    gsize at;
} Csa;

// Values of one tag: at most @max are kept. @n: how many; FALSE when the list is damaged.
static gboolean
csa_read_tag(Csa *csa, gboolean first_format, double *values, int max, int *n)
{
    const guint8 *tag = csa->bytes + csa->at;
    guint32 n_items;

    *n = 0;
    if (csa->n_bytes - csa->at < CSA_TAG_BYTES)
        return FALSE;
    n_items = get32le(tag + 76);
    if (n_items > CSA_MAX_ITEMS)
        return FALSE;
    csa->at += CSA_TAG_BYTES;
    for (guint32 i = 0; i < n_items; i++) {
        if (csa->n_bytes - csa->at < CSA_ITEM_BYTES)
            return FALSE;
        const guint8 *item = csa->bytes + csa->at;
        // CSA1 counts the length from the first tag's; both have it in the second word too.
        guint32 length = first_format ? get32le(item) : get32le(item + 4);
        if (first_format && length > csa->n_bytes)
            length = get32le(item + 4);
        csa->at += CSA_ITEM_BYTES;
        if (length > csa->n_bytes - csa->at)
            return FALSE;
        if (length > 0 && length < 64 && *n < max) {
            g_autofree char *text = g_strndup((const char *) csa->bytes + csa->at, length);
            g_strstrip(text);
            if (text[0] != '\0')
                values[(*n)++] = g_ascii_strtod(text, NULL);
        }
        csa->at += (length + 3) & ~3u;
        if (csa->at > csa->n_bytes)
            return FALSE;
    }
    return TRUE;
}

// The numbers of the tag called @name.
static int
csa_find(const guint8 *bytes, gsize n_bytes, const char *name, double *values, int max)
{
    gboolean second = n_bytes > 16 && memcmp(bytes, "SV10", 4) == 0;
    Csa csa = { bytes, n_bytes, second ? 8 : 0 };

    if (n_bytes < 16)
        return 0;
    guint32 n_tags = get32le(bytes + csa.at);
    csa.at += 8;
    for (guint32 i = 0; i < n_tags && i < CSA_MAX_TAGS; i++) {
        if (n_bytes - csa.at < CSA_TAG_BYTES)
            return 0;
        const char *here = (const char *) bytes + csa.at;
        gboolean match = strncmp(here, name, CSA_NAME_BYTES) == 0;
        int n;
        if (!csa_read_tag(&csa, !second, values, max, &n))
            return 0;
        if (match)
            return n;
    }
    return 0;
}

static const guint8 *
private_bytes(BgDcmSet root, guint32 tag, gsize *length)
{
    const BgDcmElement *element = bg_dcm_find(root, tag);
    const guint8 *bytes = bg_dcm_value(root, element);

    *length = bytes != NULL ? element->length : 0;
    return bytes;
}

int
bg_dcm_csa_numbers(BgDcmSet root, const char *name, double *values, int max)
{
    gsize length;
    const guint8 *csa = private_bytes(root, TAG(0x0029, 0x1010), &length);

    return csa != NULL ? csa_find(csa, length, name, values, max) : 0;
}

// "sSliceArray.lSize = 50" in the protocol; what is 0 is left out there.
static gboolean
protocol_number(BgDcmSet root, const char *key, double *value)
{
    gsize length, n_key = strlen(key);
    const guint8 *bytes = private_bytes(root, TAG(0x0029, 0x1020), &length);
    const char *found = bytes != NULL ? memmem(bytes, length, key, n_key) : NULL;

    if (found == NULL)
        return FALSE;
    gsize rest = (gsize) ((const char *) bytes + length - found) - n_key;
    g_autofree char *text = g_strndup(found + n_key, MIN(rest, 48));
    const char *equals = text + strspn(text, " \t");
    if (*equals != '=')
        return FALSE;
    *value = g_ascii_strtod(equals + 1, NULL); // "0x1" too
    return isfinite(*value);
}

static int
protocol_count(BgDcmSet root)
{
    double n = 0.0;

    return protocol_number(root, "sSliceArray.lSize", &n) ? (int) CLAMP(n, 0.0, MAX_TILES) : 0;
}

// The centre of slice @n, LPS mm.
static gboolean
protocol_centre(BgDcmSet root, int n, BgVec3 *centre)
{
    static const char *const axes[3] = { "dSag", "dCor", "dTra" };
    double value[3] = { 0.0 };
    gboolean found = FALSE;

    for (int axis = 0; axis < 3; axis++) {
        g_autofree char *key =
            g_strdup_printf("sSliceArray.asSlice[%d].sPosition.%s", n, axes[axis]);
        found |= protocol_number(root, key, &value[axis]);
    }
    *centre = bg_vec3(value[0], value[1], value[2]);
    return found;
}

// Whether the slices are numbered against the usual direction of their main axis: the protocol's
// flags, left out where they are 0.
static gboolean
protocol_reversed(BgDcmSet root, BgVec3 step)
{
    double x = fabs(step.x), y = fabs(step.y), z = fabs(step.z), flag = 0.0;
    const char *key = z >= x && z >= y ? "sSliceArray.ucImageNumbTra"
                      : y >= x         ? "sSliceArray.ucImageNumbCor"
                                       : "sSliceArray.ucImageNumbSag";

    return protocol_number(root, key, &flag) && flag != 0.0;
}

// Whether the tiles run against @step from the first one's @centre. By the header's normal; else by
// which end of the protocol's list of slices lies at the first tile; else by the protocol's flag.
// @known: whether the file says it at all.
static gboolean
runs_back(BgDcmSet root, BgVec3 centre, BgVec3 step, int n_slices, gboolean *known)
{
    double normal[3], n;
    BgVec3 first, last;

    *known = TRUE;
    if (bg_dcm_csa_numbers(root, "SliceNormalVector", normal, 3) == 3)
        return bg_vec3_dot(step, bg_vec3(normal[0], normal[1], normal[2])) < 0.0;
    if (n_slices > 1 && protocol_centre(root, 0, &first) &&
        protocol_centre(root, n_slices - 1, &last)) {
        double near = 0.5 * bg_vec3_length(step),
               along = bg_vec3_dot(bg_vec3_sub(last, first), step);
        if (bg_vec3_length(bg_vec3_sub(first, centre)) < near)
            return along < 0.0;
        if (bg_vec3_length(bg_vec3_sub(last, centre)) < near)
            return along > 0.0;
    }
    *known = n_slices < 2 || protocol_number(root, "sSliceArray.lSize", &n);
    return protocol_reversed(root, step);
}

static int
count_slices(BgDcmSet root)
{
    gsize length;
    const guint8 *csa = private_bytes(root, TAG(0x0029, 0x1010), &length);
    double n = 0.0;

    if (csa != NULL && csa_find(csa, length, "NumberOfImagesInMosaic", &n, 1) == 1 && n >= 1.0 &&
        n <= MAX_TILES)
        return (int) n;
    n = bg_dcm_number(root, TAG(0x0019, 0x100a), VR('U', 'S'), 0.0);
    if (n >= 1.0 && n <= MAX_TILES)
        return (int) n;
    return protocol_count(root);
}

// Tiles along a side: the smallest square that holds the slices, or what the matrix says.
static int
tiles_along(const BgDcmImage *image, BgDcmSet root, int n_slices)
{
    double matrix[4] = { 0.0 };

    if (n_slices > 0)
        return (int) ceil(sqrt((double) n_slices) - 1e-9);
    bg_dcm_numbers(root, TAG(0x0018, 0x1310), VR('U', 'S'), matrix, 4);
    int columns = (int) MAX(matrix[0], matrix[1]);
    if (columns < 1)
        columns = (int) MAX(matrix[2], matrix[3]);
    return columns > 0 && image->pixels.columns % columns == 0 ? image->pixels.columns / columns
                                                               : 0;
}

static double
read_time(BgDcmSet root)
{
    char text[32];

    bg_dcm_copy_string(root, TAG(0x0008, 0x0032), text, sizeof text);
    return g_ascii_strtod(text, NULL);
}

gboolean
bg_dcm_image_read_mosaic(BgDcmImage *image, const BgDcmData *data)
{
    BgDcmSet root = bg_dcm_root(data);
    BgDcmFrame frame = { .tile = -1, .slope = 1.0, .b_value = bg_dcm_read_b_value(root) };
    double spacing[2];

    if (!bg_dcm_has_word(root, TAG(0x0008, 0x0008), "MOSAIC") || image->pixels.n_frames != 1 ||
        image->pixels.n_samples != 1)
        return FALSE;
    int n_slices = count_slices(root);
    int tiles = tiles_along(image, root, n_slices);
    if (tiles < 1 || image->pixels.columns % tiles != 0 || image->pixels.rows % tiles != 0 ||
        !bg_dcm_frame_read_place(&frame, root) || frame.step_mm <= 0.0 ||
        bg_dcm_numbers(root, TAG(0x0028, 0x0030), VR('D', 'S'), spacing, 2) != 2 ||
        !(spacing[0] > 0.0) || !(spacing[1] > 0.0))
        return FALSE;
    if (n_slices == 0) {
        n_slices = tiles * tiles;
        bg_dcm_image_set_note(image, _("The number of slices in the mosaic is not given: all tiles "
                                       "were taken, and the last may be empty."));
    }
    image->mosaic = tiles;
    image->spacing_source = BG_DCM_SPACING_PATIENT;
    frame.spacing_mm[0] = spacing[1];
    frame.spacing_mm[1] = spacing[0];
    frame.slope = bg_dcm_number(root, TAG(0x0028, 0x1053), VR('D', 'S'), 1.0);
    frame.intercept = bg_dcm_number(root, TAG(0x0028, 0x1052), VR('D', 'S'), 0.0);
    if (frame.slope == 0.0)
        frame.slope = 1.0;
    frame.display_slope = frame.slope;
    frame.display_intercept = frame.intercept;
    frame.key[BG_DCM_KEY_ECHO] = bg_dcm_number(root, TAG(0x0018, 0x0081), VR('D', 'S'), 0.0);
    frame.key[BG_DCM_KEY_ACQUISITION] = bg_dcm_number(root, TAG(0x0020, 0x0012), VR('I', 'S'), 0.0);
    frame.key[BG_DCM_KEY_TIME] = read_time(root);
    frame.key[BG_DCM_KEY_INSTANCE] = image->instance_number;

    // The position is that of the corner that one slice would have if it were as large as the
    // mosaic: half of the difference in size away from the real one.
    int columns = image->pixels.columns / tiles, rows = image->pixels.rows / tiles;
    double off_x = frame.spacing_mm[0] * (image->pixels.columns - columns) / 2.0;
    double off_y = frame.spacing_mm[1] * (image->pixels.rows - rows) / 2.0;
    frame.position = bg_vec3_along(frame.position, off_x, frame.row);
    frame.position = bg_vec3_along(frame.position, off_y, frame.column);
    BgVec3 step = bg_vec3_scale(bg_dcm_frame_normal(&frame), frame.step_mm);
    BgVec3 centre = bg_vec3_along(frame.position, frame.spacing_mm[0] * columns / 2.0, frame.row);
    centre = bg_vec3_along(centre, frame.spacing_mm[1] * rows / 2.0, frame.column);
    gboolean known;
    if (runs_back(root, centre, step, n_slices, &known))
        step = bg_vec3_scale(step, -1.0);
    if (!known)
        bg_dcm_image_set_note(image, _("The file does not say in which direction the mosaic's "
                                       "slices follow each other: the usual one was assumed. "
                                       "Check head and feet."));
    BgVec3 origin = frame.position;
    for (int i = 0; i < n_slices; i++) {
        frame.tile = i;
        frame.position = bg_vec3_along(origin, i, step);
        g_array_append_val(image->frames, frame);
    }
    return TRUE;
}
