// SPDX-License-Identifier: Apache-2.0
#include "bg-dicom-make.h"

#include "media/dicom/bg-dicom-data.h"

#include <glib/gstdio.h>
#include <string.h>

#define TAG BG_DCM_TAG

static void
put_number(BgDcmEncoder *e, guint32 tag, int value)
{
    g_autofree char *text = g_strdup_printf("%d", value);

    bg_dcm_put_text(e, tag, "IS", text);
}

static void
put_pixels(BgDcmEncoder *e, const BgMadeSlice *s)
{
    int columns = s->size > 0 ? s->size : BG_MADE_COLUMNS,
        rows = s->size > 0 ? s->size : BG_MADE_ROWS;
    gsize n_bytes = (gsize) columns * (gsize) rows * 2, at = 0;
    g_autofree guint8 *pixels = g_malloc(n_bytes);

    for (int j = 0; j < rows; j++) {
        for (int i = 0; i < columns; i++) {
            int value = s->value + i + 10 * j;
            pixels[at++] = (guint8) value;
            pixels[at++] = (guint8) (value >> 8);
        }
    }
    bg_dcm_put_us(e, TAG(0x0028, 0x0002), 1);
    bg_dcm_put_text(e, TAG(0x0028, 0x0004), "CS", "MONOCHROME2");
    bg_dcm_put_us(e, TAG(0x0028, 0x0010), (guint16) rows);
    bg_dcm_put_us(e, TAG(0x0028, 0x0011), (guint16) columns);
    bg_dcm_put_text(e, TAG(0x0028, 0x0030), "DS", "0.5\\0.25");
    bg_dcm_put_us(e, TAG(0x0028, 0x0100), 16);
    bg_dcm_put_us(e, TAG(0x0028, 0x0101), 16);
    bg_dcm_put_us(e, TAG(0x0028, 0x0102), 15);
    bg_dcm_put_us(e, TAG(0x0028, 0x0103), 1);
    if (s->slope != 0.0) {
        bg_dcm_put_ds(e, TAG(0x0028, 0x1052), &s->intercept, 1);
        bg_dcm_put_ds(e, TAG(0x0028, 0x1053), &s->slope, 1);
    }
    bg_dcm_put_bytes(e, TAG(0x7fe0, 0x0010), "OW", pixels, n_bytes);
}

static void
put_head(BgDcmEncoder *e, const BgMadeSlice *s)
{
    static const guint8 preamble[128];

    g_byte_array_append(e->bytes, preamble, sizeof preamble);
    g_byte_array_append(e->bytes, (const guint8 *) "DICM", 4);
    bg_dcm_put_text(e, TAG(0x0002, 0x0010), "UI", "1.2.840.10008.1.2.1");
    if (s->charset != NULL)
        bg_dcm_put_text(e, TAG(0x0008, 0x0005), "CS", s->charset);
    bg_dcm_put_text(e, TAG(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.2");
    bg_dcm_put_text(e, TAG(0x0008, 0x0018), "UI", s->sop_uid);
    bg_dcm_put_text(e, TAG(0x0008, 0x0020), "DA", "20260102");
    bg_dcm_put_text(e, TAG(0x0008, 0x0060), "CS", s->modality != NULL ? s->modality : "CT");
    bg_dcm_put_text(e, TAG(0x0008, 0x1030), "LO", "Study of Secretname");
    bg_dcm_put_text(e, TAG(0x0010, 0x0010), "PN",
                    s->patient != NULL ? s->patient : "Secretname^Jo");
    bg_dcm_put_text(e, TAG(0x0010, 0x0020), "LO", "SECRET-42");
    bg_dcm_put_text(e, TAG(0x0010, 0x0030), "DA", "19500607");
}

void
bg_make_slice(const char *folder, const BgMadeSlice *s)
{
    static const double axial[6] = { 1.0, 0.0, 0.0, 0.0, 1.0, 0.0 };
    g_auto(BgDcmEncoder) e = { 0 };
    g_autofree char *path = g_build_filename(folder, s->name, NULL);
    g_autoptr(GError) error = NULL;

    bg_dcm_encoder_init(&e, 1);
    put_head(&e, s);
    bg_dcm_put_ds(&e, TAG(0x0018, 0x0050), &s->thickness, s->thickness > 0.0 ? 1 : 0);
    if (s->echo > 0)
        put_number(&e, TAG(0x0018, 0x0086), s->echo);
    bg_dcm_put_text(&e, TAG(0x0020, 0x000d), "UI", "1.2.3.4");
    bg_dcm_put_text(&e, TAG(0x0020, 0x000e), "UI",
                    s->series_uid != NULL ? s->series_uid : "1.2.3.5");
    put_number(&e, TAG(0x0020, 0x0013), s->instance);
    if (!s->no_place) {
        bg_dcm_put_ds(&e, TAG(0x0020, 0x0032), s->position, 3);
        bg_dcm_put_ds(&e, TAG(0x0020, 0x0037), s->orientation != NULL ? s->orientation : axial, 6);
    }
    bg_dcm_put_text(&e, TAG(0x0020, 0x0052), "UI", "1.2.3.6");
    if (s->temporal > 0)
        put_number(&e, TAG(0x0020, 0x0100), s->temporal);
    put_pixels(&e, s);
    g_file_set_contents(path, (const char *) e.bytes->data, (gssize) e.bytes->len, &error);
    g_assert_no_error(error);
}

char *
bg_make_folder(void)
{
    g_autoptr(GError) error = NULL;
    char *folder = g_dir_make_tmp("bregma-dicom-XXXXXX", &error);

    g_assert_no_error(error);
    return folder;
}

void
bg_remove_folder(char *folder)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_DIR) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK))
            bg_remove_folder(g_steal_pointer(&path));
        else
            g_unlink(path);
    }
    if (dir != NULL)
        g_dir_close(dir);
    g_rmdir(folder);
    g_free(folder);
}
