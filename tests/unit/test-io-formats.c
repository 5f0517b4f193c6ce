// SPDX-License-Identifier: Apache-2.0
// The 48 orientations through every format that can say them, there and back; formats that cannot say
// so; and the guesser of raw files.
#include "core/base/bg-error.h"
#include "core/io/bg-io.h"
#include "core/io/bg-raw-file.h"
#include "media/bg-media.h"
#include "tests/support/bg-dicom-make.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static char *folder;

static gboolean
has_warning(const BgFileInfo *info, const char *word)
{
    for (guint i = 0; i < info->warnings->len; i++) {
        if (strstr(info->warnings->pdata[i], word) != NULL)
            return TRUE;
    }
    return FALSE;
}

// A grid of the wanted orientation whose voxels hold where they lie: 100 x + 10 y + z in LPS steps.
static BgGeometry
make_geometry(const int order[3], int signs, gboolean oblique)
{
    static const int dims[3] = { 4, 3, 2 };
    BgGeometry geometry;
    BgAffine a = { 0 };

    memcpy(geometry.dims, dims, sizeof dims);
    for (int i = 0; i < 3; i++) {
        double step = (1.0 + 0.5 * i) * ((signs >> i & 1) != 0 ? -1.0 : 1.0);
        a.m[order[i]][i] = step;
        if (oblique) {
            a.m[(order[i] + 1) % 3][i] += 0.11 * step;
            a.m[(order[i] + 2) % 3][i] -= 0.07 * step;
        }
    }
    a.m[0][3] = 12.5;
    a.m[1][3] = -30.25;
    a.m[2][3] = 8.0;
    geometry.patient_from_voxel = a;
    return geometry;
}

static BgVolume *
make_volume(const BgGeometry *geometry)
{
    gint16 *samples = bg_voxels_alloc(geometry, sizeof(gint16), NULL);
    gsize n = 0;

    for (int k = 0; k < geometry->dims[2]; k++) {
        for (int j = 0; j < geometry->dims[1]; j++) {
            for (int i = 0; i < geometry->dims[0]; i++) {
                BgVec3 p = bg_affine_apply(&geometry->patient_from_voxel, bg_vec3(i, j, k));
                samples[n++] = (gint16) rint(100 * p.x + 10 * p.y + p.z);
            }
        }
    }
    return bg_volume_new_take(geometry, bg_sample_format_plain(BG_SAMPLE_INT16), samples, NULL);
}

// Left, posterior and superior are where the voxels say, whatever the file did with its axes.
static void
check_sides(const char *path, const BgVolume *volume)
{
    const BgGeometry *g = bg_volume_get_geometry(volume);

    for (int k = 0; k < g->dims[2]; k++) {
        for (int j = 0; j < g->dims[1]; j++) {
            for (int i = 0; i < g->dims[0]; i++) {
                BgVec3 p = bg_affine_apply(&g->patient_from_voxel, bg_vec3(i, j, k));
                double wanted = rint(100 * p.x + 10 * p.y + p.z);
                double got = bg_volume_get_value(volume, i, j, k);
                if (fabs(wanted - got) > 1.0) // float32 places may round the other way
                    g_error("%s: %d %d %d is %g, and lies where %g must be", path, i, j, k, got,
                            wanted);
            }
        }
    }
}

static void
check_round_trip(const char *suffix, const BgGeometry *geometry)
{
    g_autofree char *name = g_strconcat("sides", suffix, NULL);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(BgVolume) volume = make_volume(geometry);
    g_autoptr(GError) error = NULL;
    BgSaveParams params = { .force = TRUE };
    char code[4], again[4];

    bg_io_save_volume(volume, path, &params, NULL, NULL, &error);
    g_assert_no_error(error);
    g_autoptr(BgLoaded) loaded = bg_io_load(path, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(loaded->volume);
    g_assert_true(loaded->info->side_known);
    bg_geometry_axis_code(geometry, code);
    bg_geometry_axis_code(bg_volume_get_geometry(loaded->volume), again);
    g_assert_cmpstr(code, ==, again);
    g_assert_true(bg_geometry_equal(geometry, bg_volume_get_geometry(loaded->volume), 1e-3));
    check_sides(path, loaded->volume);
    g_unlink(path);
    g_autofree char *beside = g_strconcat(path, ".json", NULL);
    g_unlink(beside);
}

static const int orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
                                  { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

static void
test_orientations(gconstpointer data)
{
    gboolean is_long = g_getenv("BREGMA_TEST_LONG") != NULL;

    for (int o = 0; o < 6; o++) {
        for (int signs = 0; signs < 8; signs++) {
            for (int oblique = 0; oblique < ((o + signs) % 4 == 0 || is_long ? 2 : 1); oblique++) {
                BgGeometry geometry = make_geometry(orders[o], signs, oblique);
                check_round_trip(data, &geometry);
            }
        }
    }
}

// Formats that are only read, written here byte by byte

static void
put_be32(GByteArray *to, guint32 value)
{
    guint32 be = GUINT32_TO_BE(value);

    g_byte_array_append(to, (const guint8 *) &be, 4);
}

static void
put_be_float(GByteArray *to, double value)
{
    float narrow = (float) value;
    guint32 bits;

    memcpy(&bits, &narrow, 4);
    put_be32(to, bits);
}

static void
put_voxels(GByteArray *to, BgVolume *volume, gboolean big)
{
    const gint16 *samples = bg_volume_get_samples(volume);
    gsize n = bg_volume_get_n_bytes(volume) / sizeof *samples;

    for (gsize i = 0; i < n; i++) {
        gint16 value = big ? GINT16_TO_BE(samples[i]) : GINT16_TO_LE(samples[i]);
        g_byte_array_append(to, (const guint8 *) &value, 2);
    }
}

// FreeSurfer's: RAS direction cosines and the place of the voxel at half the dimensions.
static char *
write_mgh(const BgGeometry *geometry, BgVolume *volume)
{
    static const double ras[3] = { -1.0, -1.0, 1.0 };
    char *path = g_build_filename(folder, "sides.mgh", NULL);
    g_autoptr(GByteArray) file = g_byte_array_new();
    BgVec3 mm = bg_geometry_spacing_mm(geometry);
    const double spacing[3] = { mm.x, mm.y, mm.z };
    const int *dims = geometry->dims;

    put_be32(file, 1);
    for (int i = 0; i < 3; i++)
        put_be32(file, (guint32) dims[i]);
    put_be32(file, 1);
    put_be32(file, 4); // short
    put_be32(file, 0);
    g_byte_array_append(file, (const guint8 *) "\0\1", 2);
    for (int i = 0; i < 3; i++)
        put_be_float(file, spacing[i]);
    for (int i = 0; i < 3; i++) {
        for (int r = 0; r < 3; r++)
            put_be_float(file, ras[r] * geometry->patient_from_voxel.m[r][i] / spacing[i]);
    }
    BgVec3 centre = bg_affine_apply(&geometry->patient_from_voxel,
                                    bg_vec3(dims[0] / 2.0, dims[1] / 2.0, dims[2] / 2.0));
    put_be_float(file, -centre.x);
    put_be_float(file, -centre.y);
    put_be_float(file, centre.z);
    g_byte_array_set_size(file, 284);
    put_voxels(file, volume, TRUE);
    g_assert_true(g_file_set_contents_full(path, (const char *) file->data, (gssize) file->len,
                                           G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    return path;
}

// AFNI's: where each axis comes from and goes to; steps and first places along the patient's axes.
static char *
write_afni(const BgGeometry *geometry, BgVolume *volume)
{
    static const int codes[3][2] = { { 0, 1 }, { 3, 2 }, { 4, 5 } }; // to L, R; P, A; S, I
    char *path = g_build_filename(folder, "sides.HEAD", NULL);
    g_autofree char *brik = g_build_filename(folder, "sides.BRIK", NULL);
    g_autoptr(GByteArray) voxels = g_byte_array_new();
    int code[3];
    double step[3], origin[3];

    for (int i = 0; i < 3; i++) {
        for (int r = 0; r < 3; r++) {
            double s = geometry->patient_from_voxel.m[r][i];
            if (s == 0.0)
                continue;
            code[i] = codes[r][s < 0.0];
            step[i] = s;
            origin[i] = geometry->patient_from_voxel.m[r][3];
        }
    }
    g_autofree char *text = g_strdup_printf(
        "type = string-attribute\nname = TYPESTRING\ncount = 15\n'3DIM_HEAD_ANAT~\n\n"
        "type = string-attribute\nname = BYTEORDER_STRING\ncount = 10\n'LSB_FIRST~\n\n"
        "type = integer-attribute\nname = DATASET_DIMENSIONS\ncount = 5\n %d %d %d 0 0\n\n"
        "type = integer-attribute\nname = DATASET_RANK\ncount = 2\n 3 1\n\n"
        "type = integer-attribute\nname = BRICK_TYPES\ncount = 1\n 1\n\n"
        "type = integer-attribute\nname = ORIENT_SPECIFIC\ncount = 3\n %d %d %d\n\n"
        "type = float-attribute\nname = DELTA\ncount = 3\n %g %g %g\n\n"
        "type = float-attribute\nname = ORIGIN\ncount = 3\n %g %g %g\n\n",
        geometry->dims[0], geometry->dims[1], geometry->dims[2], code[0], code[1], code[2], step[0],
        step[1], step[2], origin[0], origin[1], origin[2]);
    g_assert_true(g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    put_voxels(voxels, volume, FALSE);
    g_assert_true(g_file_set_contents_full(brik, (const char *) voxels->data, (gssize) voxels->len,
                                           G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    return path;
}

static void
test_read_orientations(gconstpointer data)
{
    gboolean afni = g_str_equal(data, "afni");

    for (int o = 0; o < 6; o++) {
        for (int signs = 0; signs < 8; signs++) {
            BgGeometry geometry = make_geometry(orders[o], signs, FALSE);
            g_autoptr(BgVolume) volume = make_volume(&geometry);
            g_autofree char *path =
                afni ? write_afni(&geometry, volume) : write_mgh(&geometry, volume);
            g_autoptr(GError) error = NULL;
            g_autoptr(BgLoaded) loaded = bg_io_load(path, NULL, NULL, NULL, &error);
            g_assert_no_error(error);
            g_assert_true(loaded->info->side_known);
            g_assert_true(
                bg_geometry_equal(&geometry, bg_volume_get_geometry(loaded->volume), 1e-3));
            check_sides(path, loaded->volume);
            g_unlink(path);
        }
    }
    g_autofree char *brik = g_build_filename(folder, "sides.BRIK", NULL);
    g_unlink(brik);
}

// A header whose words and numbers say different sides says none.
static void
test_afni_contradicts(void)
{
    BgGeometry geometry = make_geometry(orders[0], 0, FALSE);
    g_autoptr(BgVolume) volume = make_volume(&geometry);
    g_autofree char *path = write_afni(&geometry, volume), *text = NULL;
    g_autofree char *brik = g_build_filename(folder, "sides.BRIK", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    char *codes = strstr(text, " 0 3 4\n");
    g_assert_nonnull(codes);
    codes[1] = '1';
    g_assert_true(g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    g_autoptr(BgLoaded) loaded = bg_io_load(path, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_false(loaded->info->side_known);
    g_assert_true(has_warning(loaded->info, "Side unknown"));
    g_unlink(path);
    g_unlink(brik);
}

// DICOM says the rows' and columns' directions, and the place of each slice; files in no order. The slices
// become a volume of whatever order: each voxel must lie where its file had it.
static void
test_dicom_orientations(void)
{
    for (int o = 0; o < 6; o++) {
        for (int signs = 0; signs < 8; signs++) {
            char *series = bg_make_folder();
            double axes[3][3] = { { 0 } };
            g_autoptr(GError) error = NULL;
            for (int i = 0; i < 3; i++)
                axes[i][orders[o][i]] = (signs >> i & 1) != 0 ? -1.0 : 1.0;
            const double cosines[6] = { axes[0][0], axes[0][1], axes[0][2],
                                        axes[1][0], axes[1][1], axes[1][2] };
            for (int k = 0; k < 4; k++) {
                g_autofree char *name = g_strdup_printf("%d", (k * 3 + 1) % 4);
                g_autofree char *uid = g_strdup_printf("1.2.%d", k + 1);
                BgMadeSlice slice = { .name = name,
                                      .sop_uid = uid,
                                      .orientation = cosines,
                                      .thickness = 3.0,
                                      .instance = 9 - k,
                                      .value = 1000 * (k + 1) };
                for (int r = 0; r < 3; r++)
                    slice.position[r] = 7.0 * r - 5.0 + 3.0 * k * axes[2][r];
                bg_make_slice(series, &slice);
            }
            g_autoptr(BgLoaded) loaded = bg_io_load(series, NULL, NULL, NULL, &error);
            g_assert_no_error(error);
            const BgGeometry *g = bg_volume_get_geometry(loaded->volume);
            g_assert_true(loaded->info->side_known);
            g_assert_cmpint(g->dims[0] * g->dims[1] * g->dims[2], ==,
                            BG_MADE_COLUMNS * BG_MADE_ROWS * 4);
            for (int n = 0; n < BG_MADE_COLUMNS * BG_MADE_ROWS * 4; n++) {
                int x = n % g->dims[0], y = n / g->dims[0] % g->dims[1],
                    z = n / (g->dims[0] * g->dims[1]);
                BgVec3 p = bg_affine_apply(&g->patient_from_voxel, bg_vec3(x, y, z));
                double at[3] = { p.x + 5.0, p.y - 2.0, p.z - 9.0 }, steps[3];
                for (int i = 0; i < 3; i++)
                    steps[i] = at[orders[o][i]] * axes[i][orders[o][i]];
                double value =
                    steps[0] / 0.25 + 10.0 * steps[1] / 0.5 + 1000.0 * (steps[2] / 3.0 + 1.0);
                g_assert_cmpfloat_with_epsilon(bg_volume_get_value(loaded->volume, x, y, z), value,
                                               1e-3);
            }
            bg_remove_folder(series);
        }
    }
}

// What has no place for it says so, and makes no millimetres of pixels.
static void
test_unknown(void)
{
    static const int order[3] = { 0, 1, 2 };
    BgGeometry geometry = make_geometry(order, 0, FALSE);
    g_autoptr(BgVolume) volume = make_volume(&geometry);
    g_autofree char *path = g_build_filename(folder, "unknown.npy", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(bg_io_save_volume(volume, path, NULL, NULL, NULL, &error));
    g_autoptr(BgFileInfo) info = bg_io_probe(path, NULL, &error);
    g_assert_no_error(error);
    g_assert_false(info->side_known);
    g_assert_true(info->spacing_unknown);
    g_assert_true(has_warning(info, "Side unknown"));
    g_assert_true(has_warning(info, "px"));
    g_unlink(path);
}

// PNG slices at full depth: signed values are moved up, and the file says by how much.
static void
test_png_stack(void)
{
    static const int order[3] = { 0, 1, 2 };
    BgGeometry geometry = make_geometry(order, 0, FALSE);
    g_autoptr(BgVolume) volume = make_volume(&geometry);
    g_autofree char *path = g_build_filename(folder, "slice.png", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(bg_io_save_volume(volume, path, NULL, NULL, NULL, &error));
    g_assert_false(bg_io_save_volume(volume, path, NULL, NULL, NULL, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS);
    g_clear_error(&error);
    for (int k = 0; k < geometry.dims[2]; k++) {
        g_autofree char *name = g_strdup_printf("slice-%04d.png", k);
        g_autofree char *file = g_build_filename(folder, name, NULL);
        g_autoptr(BgLoaded) loaded = bg_io_load(file, NULL, NULL, NULL, &error);
        g_assert_no_error(error);
        const guint16 *pixels = bg_image_get_pixels(loaded->image);
        for (int j = 0; j < geometry.dims[1]; j++) {
            for (int i = 0; i < geometry.dims[0]; i++)
                g_assert_cmpint((int) pixels[j * geometry.dims[0] + i] - 32768, ==,
                                (int) bg_volume_get_value(volume, i, j, k));
        }
        g_unlink(file);
    }
}

// Raw files

typedef struct {
    int dims[3];
    BgRawType type;
    gboolean big_endian;
    int header;
    const char *name;
} RawCase;

// A head-like blob with texture and noise: smooth, but not the same in all directions.
static double
get_phantom(int x, int y, int z, const int dims[3])
{
    double u = (x + 0.5) / dims[0] - 0.5, v = (y + 0.5) / dims[1] - 0.5,
           w = (z + 0.5) / dims[2] - 0.5;
    double r = sqrt(u * u * 1.3 + v * v + w * w);
    double skull = r > 0.38 && r < 0.44 ? 900.0 : 0.0;

    return (r < 0.44 ? 300.0 + 80.0 * sin(25 * u) * cos(17 * v + 9 * w) : 20.0) + skull +
           g_test_rand_double_range(-8.0, 8.0);
}

static void
write_raw(const char *path, const RawCase *c)
{
    gsize size = bg_raw_type_size(c->type);
    gsize n = (gsize) c->dims[0] * (gsize) c->dims[1] * (gsize) c->dims[2];
    g_autofree guint8 *bytes = g_malloc0((gsize) c->header + n * size);
    guint8 *to = bytes + c->header;

    for (int z = 0; z < c->dims[2]; z++) {
        for (int y = 0; y < c->dims[1]; y++) {
            for (int x = 0; x < c->dims[0]; x++, to += size) {
                double v = get_phantom(x, y, z, c->dims);
                guint8 grey = (guint8) CLAMP(v / 5.0, 0, 255);
                float share = (float) (v / 100.0);
                gint16 signed_value = (gint16) (v - 1000.0);
                guint16 value = (guint16) MAX(v, 0.0);
                // A header of any length may stand before: not aligned.
                memcpy(to,
                       c->type == BG_RAW_UINT8     ? (gconstpointer) &grey
                       : c->type == BG_RAW_FLOAT32 ? (gconstpointer) &share
                       : c->type == BG_RAW_INT16   ? (gconstpointer) &signed_value
                                                   : (gconstpointer) &value,
                       size);
            }
        }
    }
    if (c->big_endian)
        bg_raw_swap(bytes + c->header, n, size);
    g_assert_true(g_file_set_contents(path, (const char *) bytes,
                                      (gssize) ((gsize) c->header + n * size), NULL));
}

static void
test_guess(void)
{
    static const RawCase cases[] = {
        { { 128, 128, 40 }, BG_RAW_UINT8, FALSE, 0, "a.raw" },
        { { 128, 128, 40 }, BG_RAW_UINT16, FALSE, 0, "b.raw" },
        { { 128, 128, 40 }, BG_RAW_INT16, TRUE, 0, "c.raw" },
        { { 96, 96, 30 }, BG_RAW_FLOAT32, FALSE, 0, "d.raw" },
        { { 96, 96, 30 }, BG_RAW_FLOAT32, TRUE, 0, "e.raw" },
        { { 160, 160, 33 }, BG_RAW_INT16, FALSE, 348, "f.img" },
        { { 256, 256, 9 }, BG_RAW_UINT16, FALSE, 1024, "g.raw" },
        { { 61, 83, 17 }, BG_RAW_UINT16, FALSE, 0, "head_61x83x17.raw" },
        { { 61, 83, 17 }, BG_RAW_FLOAT32, TRUE, 0, "head_61x83x17_float32.raw" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const RawCase *c = &cases[i];
        g_autofree char *path = g_build_filename(folder, c->name, NULL);
        g_autoptr(GError) error = NULL;
        BgRawGuess guesses[8];

        write_raw(path, c);
        int n = bg_raw_guess(path, guesses, 8, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpint(n, >=, 1);
        const BgRawDescription *d = &guesses[0].description;
        g_test_message("%s: %d x %d x %d, %s %s, header %d: %.4f", c->name, d->dims[0], d->dims[1],
                       d->dims[2], bg_raw_type_name(d->type), d->big_endian ? "be" : "le",
                       (int) d->header_bytes, guesses[0].score);
        g_assert_cmpmem(d->dims, sizeof d->dims, c->dims, sizeof c->dims);
        g_assert_cmpuint(bg_raw_type_size(d->type), ==, bg_raw_type_size(c->type));
        g_assert_cmpint(d->type, ==, c->type);
        g_assert_cmpint(d->big_endian, ==, c->big_endian);
        g_assert_cmpint((int) d->header_bytes, ==, c->header);
        g_unlink(path);
    }
}

static void
test_described(void)
{
    const RawCase c = { { 5, 4, 3 }, BG_RAW_INT16, TRUE, 7, "described.raw" };
    g_autofree char *path = g_build_filename(folder, c.name, NULL);
    BgRawDescription d = { .header_bytes = 7,
                           .dims = { 5, 4, 3 },
                           .n_frames = 1,
                           .n_components = 1,
                           .type = BG_RAW_INT16,
                           .big_endian = TRUE };
    g_autoptr(GError) error = NULL;

    write_raw(path, &c);
    g_autoptr(BgLoaded) px = bg_raw_load_file(path, &d, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_true(px->info->spacing_unknown);
    g_assert_false(px->info->side_known);
    d.spacing_mm[0] = 0.5;
    d.spacing_mm[1] = 0.75;
    d.spacing_mm[2] = 2.0;
    g_autoptr(BgLoaded) mm = bg_raw_load_file(path, &d, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_false(mm->info->spacing_unknown);
    g_assert_cmpfloat(bg_geometry_spacing_mm(&mm->info->geometry).z, ==, 2.0);
    g_assert_cmpfloat(bg_volume_get_value(mm->volume, 0, 0, 0), <, -900.0);

    d.dims[2] = 4;
    g_assert_null(bg_raw_load_file(path, &d, NULL, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_CORRUPT);
    g_clear_error(&error);
    d.dims[2] = 0;
    g_assert_null(bg_raw_load_file(path, &d, NULL, NULL, NULL, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_unlink(path);
}

int
main(int argc, char **argv)
{
    static const char *const sides[] = { ".nii", ".nii.gz", ".nrrd", ".mha",
                                         ".h5",  ".mnc",    ".tif",  ".raw" };

    g_test_init(&argc, &argv, NULL);
    bg_media_add_readers();
    folder = g_dir_make_tmp("bregma-formats-XXXXXX", NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(sides); i++) {
        g_autofree char *name = g_strconcat("/io/formats/orientations/", sides[i] + 1, NULL);
        g_test_add_data_func(name, sides[i], test_orientations);
    }
    g_test_add_data_func("/io/formats/orientations/mgh", "mgh", test_read_orientations);
    g_test_add_data_func("/io/formats/orientations/afni", "afni", test_read_orientations);
    g_test_add_func("/io/formats/orientations/afni-contradicts", test_afni_contradicts);
    g_test_add_func("/io/formats/orientations/dicom", test_dicom_orientations);
    g_test_add_func("/io/formats/unknown-side", test_unknown);
    g_test_add_func("/io/formats/png-stack", test_png_stack);
    g_test_add_func("/io/formats/raw-guess", test_guess);
    g_test_add_func("/io/formats/raw-described", test_described);
    int status = g_test_run();
    g_rmdir(folder);
    g_free(folder);
    return status;
}
