// SPDX-License-Identifier: Apache-2.0
// Elements in explicit VR little endian, one behind the other, in ascending order of their tags.
#pragma once

#include "bg-dicom-write.h"

G_BEGIN_DECLS

#define BG_DICOM_TAG(group, element) ((guint32) (group) << 16 | (guint32) (element))

typedef struct {
    GByteArray *bytes; // owned
    GRand *random;     // owned, nullable: of the UIDs
} BgDcmEncoder;

void bg_dcm_encoder_init(BgDcmEncoder *encoder, guint64 seed);
void bg_dcm_encoder_clear(BgDcmEncoder *encoder);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BgDcmEncoder, bg_dcm_encoder_clear)

/** bg_dcm_put_bytes: padded to an even length */
void bg_dcm_put_bytes(BgDcmEncoder *e, guint32 tag, const char *vr, gconstpointer data, gsize n);
/** bg_dcm_put_text: @text: (nullable): an empty element */
void bg_dcm_put_text(BgDcmEncoder *e, guint32 tag, const char *vr, const char *text);
void bg_dcm_put_us(BgDcmEncoder *e, guint32 tag, int value);
void bg_dcm_put_ul(BgDcmEncoder *e, guint32 tag, guint32 value);
void bg_dcm_put_ds(BgDcmEncoder *e, guint32 tag, const double *values, int n);
/** bg_dcm_put_code: a sequence of one coded entry (PS3.3 8.8) */
void bg_dcm_put_code(BgDcmEncoder *e, guint32 tag, const char *value, const char *scheme,
                     const char *meaning);
void bg_dcm_begin_sequence(BgDcmEncoder *e, guint32 tag);
void bg_dcm_begin_item(BgDcmEncoder *e);
void bg_dcm_end_item(BgDcmEncoder *e);
void bg_dcm_end_sequence(BgDcmEncoder *e);

/** bg_dcm_make_uid: (transfer full): by the encoder's random numbers */
char *bg_dcm_make_uid(BgDcmEncoder *e);

/**
 * BgDcmObject: what begins each object that we write
 * @image_type: (nullable): of pictures
 */
typedef struct {
    const char *sop_class;
    const char *modality;
    const char *image_type;
    const BgDicomWriteParams *params;
    char *sop_uid;            // owned, made by bg_dcm_put_start()
    char *frame_of_reference; // alike
} BgDcmObject;

void bg_dcm_object_clear(BgDcmObject *object);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BgDcmObject, bg_dcm_object_clear)

/** bg_dcm_put_start: preamble, meta elements, and groups 0008 and 0010 */
void bg_dcm_put_start(BgDcmEncoder *e, BgDcmObject *object);
/** bg_dcm_put_equipment: (0018,1020) */
void bg_dcm_put_equipment(BgDcmEncoder *e);
/** bg_dcm_put_relation: group 0020 up to the instance number, the frame of reference when @with_frame */
void bg_dcm_put_relation(BgDcmEncoder *e, const BgDcmObject *object, gboolean with_frame);
/** bg_dcm_put_provenance: the private elements of group 0029 */
void bg_dcm_put_provenance(BgDcmEncoder *e, const BgDcmObject *object);

/** bg_dcm_fits: whether @n_bytes of pixels can be written in one file; else an error */
gboolean bg_dcm_fits(guint64 n_bytes, GError **error);

G_END_DECLS
