// SPDX-License-Identifier: Apache-2.0
// What has broken other people's readers, class by class: sizes that overflow, bombs, rings, depths,
// names that lead out of a folder, geometry that is none. Each gives a typed error, or a warning and
// something sound, in less than 2 s and with at most 64 MiB.
#include "core/base/bg-error.h"
#include "media/bg-media.h"
#include "tests/support/bg-malformed.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <tiffio.h>
#include <time.h>
#include <zlib.h>

#define MOST_BYTES (64u << 20)

static char *folder;

static char *
write_file(const char *name, gconstpointer bytes, gsize n_bytes)
{
    char *path = g_build_filename(folder, name, NULL);

    g_assert_true(g_file_set_contents_full(path, bytes, (gssize) n_bytes, G_FILE_SET_CONTENTS_NONE,
                                           0600, NULL));
    return path;
}

static gboolean
warns(const BgLoaded *loaded, const char *word)
{
    for (guint i = 0; i < loaded->info->warnings->len; i++) {
        if (strstr(loaded->info->warnings->pdata[i], word) != NULL)
            return TRUE;
    }
    return FALSE;
}

// Returns: what was read, or NULL after a typed error; time and memory were within bounds.
static BgLoaded *
load(const char *path)
{
    g_autoptr(GError) error = NULL;
    BgMalformedWatch watch;
    clock_t start = clock();

    bg_malformed_watch_start(&watch);
    BgLoaded *loaded = bg_io_load(path, NULL, NULL, NULL, &error);
    bg_malformed_watch_stop(&watch);
    g_test_message("%s: %s, %.0f ms, %.1f MiB", path, loaded != NULL ? "read" : error->message,
                   1e3 * (double) (clock() - start) / CLOCKS_PER_SEC,
                   (double) watch.peak_bytes / (1 << 20));
    g_assert_cmpint(clock() - start, <, 2 * CLOCKS_PER_SEC);
    g_assert_cmpuint(watch.peak_bytes, <, MOST_BYTES);
    if (loaded == NULL) {
        g_assert_true(error->domain == BG_ERROR || error->domain == G_IO_ERROR);
        return NULL;
    }
    g_assert_no_error(error);
    if (loaded->volume != NULL)
        g_assert_true(bg_geometry_check(bg_volume_get_geometry(loaded->volume), NULL));
    return loaded;
}

static void
assert_refused(const char *path)
{
    g_autoptr(BgLoaded) loaded = load(path);

    g_assert_null(loaded);
}

// Bytes of a header, little endian

static void
put16(GByteArray *to, guint value)
{
    guint16 le = GUINT16_TO_LE((guint16) value);

    g_byte_array_append(to, (const guint8 *) &le, 2);
}

static void
put32(GByteArray *to, guint32 value)
{
    guint32 le = GUINT32_TO_LE(value);

    g_byte_array_append(to, (const guint8 *) &le, 4);
}

static void
put_text(GByteArray *to, const char *text)
{
    g_byte_array_append(to, (const guint8 *) text, (guint) strlen(text));
}

// One element, explicit VR little endian.
static void
put_element(GByteArray *to, guint32 tag, const char *vr, gconstpointer value, gsize n)
{
    put16(to, tag >> 16);
    put16(to, tag & 0xFFFF);
    put_text(to, vr);
    if (strcmp(vr, "OW") == 0 || strcmp(vr, "OB") == 0 || strcmp(vr, "SQ") == 0) {
        put16(to, 0);
        put32(to, (guint32) n);
    } else {
        put16(to, (guint) n);
    }
    g_byte_array_append(to, value, (guint) n);
}

static void
put_string(GByteArray *to, guint32 tag, const char *vr, const char *text)
{
    g_autofree char *even = g_strconcat(text, strlen(text) % 2 != 0 ? " " : "", NULL);

    put_element(to, tag, vr, even, strlen(even));
}

static GByteArray *
start_dicom(const char *preamble, const char *syntax)
{
    GByteArray *file = g_byte_array_new();
    guint8 first[128] = { 0 };

    memcpy(first, preamble, strlen(preamble));
    g_byte_array_append(file, first, sizeof first);
    put_text(file, "DICM");
    put_string(file, 0x00020010, "UI", syntax);
    return file;
}

typedef struct {
    const char *vr;
    guint64 rows, columns; // as many bytes of it as the VR takes
    int n_bytes;
    const char *spacing, *position, *orientation;
} Slice;

static const Slice sound = {
    "US", 6, 8, 2, "0.5\\0.5", "0\\0\\0", "1\\0\\0\\0\\1\\0",
};

static void
put_slice(GByteArray *file, const Slice *slice)
{
    static const guint8 one[] = { 1, 0 }, bits[] = { 16, 0 }, zero[] = { 0, 0 };
    static const guint8 pixels[6 * 8 * 2] = { 1, 2, 3 };

    put_string(file, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2");
    put_string(file, 0x00080018, "UI", "1.2.3");
    put_string(file, 0x00080060, "CS", "CT");
    put_string(file, 0x0020000D, "UI", "1.2.4");
    put_string(file, 0x0020000E, "UI", "1.2.5");
    put_string(file, 0x00200032, "DS", slice->position);
    put_string(file, 0x00200037, "DS", slice->orientation);
    put_element(file, 0x00280002, "US", one, 2);
    put_string(file, 0x00280004, "CS", "MONOCHROME2 ");
    put_element(file, 0x00280010, slice->vr, &slice->rows, (gsize) slice->n_bytes);
    put_element(file, 0x00280011, slice->vr, &slice->columns, (gsize) slice->n_bytes);
    put_string(file, 0x00280030, "DS", slice->spacing);
    put_element(file, 0x00280100, "US", bits, 2);
    put_element(file, 0x00280101, "US", bits, 2);
    put_element(file, 0x00280103, "US", zero, 2);
    put_element(file, 0x7FE00010, "OW", pixels, sizeof pixels);
}

static BgLoaded *
load_slice(const Slice *slice, const char *preamble)
{
    g_autoptr(GByteArray) file = start_dicom(preamble, "1.2.840.10008.1.2.1");

    put_slice(file, slice);
    g_autofree char *path = write_file("slice.dcm", file->data, file->len);
    return load(path);
}

// Rows and columns in any VR, from nothing to all bits set: the product is 64 bits wide or more.
static void
test_sizes(void)
{
    static const guint64 extremes[] = {
        0, 1, 7, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, G_MAXUINT64, 1ull << 33,
    };
    static const struct {
        const char *vr;
        int n_bytes;
    } kinds[] = { { "US", 2 }, { "SS", 2 }, { "UL", 4 }, { "SL", 4 },
                  { "FD", 8 }, { "UV", 8 }, { "LO", 8 }, { "OW", 8 } };
    g_autoptr(BgLoaded) good = load_slice(&sound, "");

    g_assert_nonnull(good);
    for (gsize k = 0; k < G_N_ELEMENTS(kinds); k++) {
        for (gsize r = 0; r < G_N_ELEMENTS(extremes); r++) {
            for (gsize c = 0; c < G_N_ELEMENTS(extremes); c++) {
                Slice slice = sound;
                slice.vr = kinds[k].vr;
                slice.n_bytes = kinds[k].n_bytes;
                slice.rows = extremes[r];
                slice.columns = extremes[c];
                g_autoptr(BgLoaded) loaded = load_slice(&slice, "");
                if (loaded != NULL && loaded->volume != NULL)
                    g_assert_cmpuint(bg_volume_get_n_bytes(loaded->volume), <=, 6 * 8 * 2);
            }
        }
    }
}

// Spacing and direction that are none: refused, or said to be unknown.
static void
test_geometry(void)
{
    static const char *const spacings[] = { "0\\0",     "nan\\nan",  "inf\\1", "1e30\\1e30",
                                            "-1\\-1",   "1e-300\\1", "\\",     "x\\y",
                                            "1e999\\1", "0.5" };
    static const char *const directions[] = {
        "0\\0\\0\\0\\0\\0",       "1\\0\\0\\1\\0\\0", "nan\\0\\0\\0\\1\\0",
        "1e30\\0\\0\\0\\1e30\\0", "1\\0\\0",          "1\\0\\0\\-1\\0\\0"
    };
    static const char *const positions[] = { "nan\\0\\0", "1e300\\0\\0", "inf\\inf\\inf", "\\\\" };
    Slice slice = sound;

    for (gsize i = 0; i < G_N_ELEMENTS(spacings); i++) {
        slice.spacing = spacings[i];
        g_autoptr(BgLoaded) loaded = load_slice(&slice, "");
        if (loaded != NULL)
            g_assert_cmpuint(loaded->info->warnings->len, >, 0);
    }
    slice = sound;
    for (gsize i = 0; i < G_N_ELEMENTS(directions); i++) {
        slice.orientation = directions[i];
        g_autoptr(BgLoaded) loaded = load_slice(&slice, "");
        g_assert_true(loaded == NULL || !loaded->info->side_known ||
                      loaded->info->warnings->len > 0);
    }
    slice = sound;
    for (gsize i = 0; i < G_N_ELEMENTS(positions); i++) {
        slice.position = positions[i];
        g_autoptr(BgLoaded) loaded = load_slice(&slice, "");
        g_assert_true(loaded == NULL || !loaded->info->side_known ||
                      loaded->info->warnings->len > 0);
    }
}

// NIfTI, NRRD and MetaImage with such geometry.
static void
test_text_geometry(void)
{
    static const char *const numbers[] = {
        "0", "nan", "inf", "1e30", "-1e30", "1e-30", "1e999", "x"
    };

    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_autofree char *nrrd = g_strdup_printf(
            "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 2 2 2\nencoding: raw\nspace: "
            "left-posterior-superior\nspace directions: (%s,0,0) (0,1,0) (0,0,1)\nspace origin: "
            "(0,0,%s)\n\n12345678",
            numbers[i], numbers[i]);
        g_autofree char *meta = g_strdup_printf(
            "ObjectType = Image\nNDims = 3\nDimSize = 2 2 2\nElementType = MET_UCHAR\n"
            "ElementSpacing = %s 1 1\nTransformMatrix = %s 0 0 0 1 0 0 0 1\nOffset = 0 0 %s\n"
            "ElementDataFile = LOCAL\n12345678",
            numbers[i], numbers[i], numbers[i]);
        g_autofree char *first = write_file("odd.nrrd", nrrd, strlen(nrrd));
        g_autofree char *second = write_file("odd.mha", meta, strlen(meta));
        g_autoptr(BgLoaded) a = load(first), b = load(second);
        g_assert_true(a == NULL && b == NULL);
    }
}

// Bombs: streams that say more than the header needs are not unpacked beyond it.
static void
test_gzip_bomb(void)
{
    g_autofree char *path = g_build_filename(folder, "bomb.nii.gz", NULL);
    g_autofree guint8 *zeros = g_malloc0(1 << 20);
    static const gint16 dims[8] = { 3, 2, 2, 2, 1, 1, 1, 1 }, type = 2, bits = 8;
    const gint32 size = 348;
    const float offset = 352.0f, pixdim[4] = { 1.0f, 1.0f, 1.0f, 1.0f };
    gzFile out = gzopen(path, "wb9");

    memcpy(zeros, &size, 4);
    memcpy(zeros + 40, dims, sizeof dims);
    memcpy(zeros + 70, &type, 2);
    memcpy(zeros + 72, &bits, 2);
    memcpy(zeros + 76, pixdim, sizeof pixdim);
    memcpy(zeros + 108, &offset, 4);
    memcpy(zeros + 344, "n+1", 4);
    g_assert_cmpint(gzwrite(out, zeros, 1 << 20), ==, 1 << 20);
    memset(zeros, 0, 1 << 20);
    for (int i = 0; i < 300; i++)
        g_assert_cmpint(gzwrite(out, zeros, 1 << 20), ==, 1 << 20);
    gzclose(out);
    g_autoptr(BgLoaded) loaded = load(path);
    if (loaded != NULL)
        g_assert_cmpuint(bg_volume_get_n_bytes(loaded->volume), ==, 8);
}

static void
test_deflated_bomb(void)
{
    g_autoptr(GByteArray) file = start_dicom("", "1.2.840.10008.1.2.1.99");
    g_autoptr(GByteArray) inner = g_byte_array_new();
    gsize n = 400u << 20, n_packed = n / 900 + 4096;
    g_autofree guint8 *packed = g_malloc(n_packed), *zeros = g_malloc0(1 << 20);
    z_stream stream = { 0 };

    put_slice(inner, &sound);
    g_assert_cmpint(deflateInit2(&stream, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY), ==, Z_OK);
    stream.next_out = packed;
    stream.avail_out = (uInt) n_packed;
    stream.next_in = inner->data;
    stream.avail_in = inner->len;
    g_assert_cmpint(deflate(&stream, Z_NO_FLUSH), ==, Z_OK);
    for (gsize done = 0; done < n; done += 1 << 20) {
        stream.next_in = zeros;
        stream.avail_in = 1 << 20;
        g_assert_cmpint(deflate(&stream, Z_NO_FLUSH), ==, Z_OK);
    }
    g_assert_cmpint(deflate(&stream, Z_FINISH), ==, Z_STREAM_END);
    g_byte_array_append(file, packed, (guint) stream.total_out);
    deflateEnd(&stream);
    g_autofree char *path = write_file("bomb.dcm", file->data, file->len);
    g_autoptr(BgLoaded) loaded = load(path);
    if (loaded != NULL)
        g_assert_cmpuint(bg_volume_get_n_bytes(loaded->volume), ==, 6 * 8 * 2);
}

// A strip that unpacks to far more than the picture has room for, and a picture that no strip can fill.
static void
test_tiff_bomb(void)
{
    g_autofree char *path = g_build_filename(folder, "bomb.tif", NULL);
    g_autofree guint8 *zeros = g_malloc0(64u << 20), *packed = NULL;
    uLongf n = compressBound(64u << 20);

    packed = g_malloc(n);
    g_assert_cmpint(compress2(packed, &n, zeros, 64u << 20, 9), ==, Z_OK);
    for (int huge = 0; huge < 2; huge++) {
        TIFF *tiff = TIFFOpen(path, "w");
        TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, huge ? 60000 : 16);
        TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, huge ? 60000 : 16);
        TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 8);
        TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
        TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, huge ? 60000 : 16);
        TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE);
        TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
        g_assert_cmpint(TIFFWriteRawStrip(tiff, 0, packed, (tmsize_t) n), >, 0);
        TIFFClose(tiff);
        g_autoptr(BgLoaded) loaded = load(path);
        if (huge)
            g_assert_null(loaded);
        else if (loaded != NULL)
            g_assert_cmpuint(bg_image_get_n_bytes(loaded->image), ==, 256);
    }
}

// Files that tests/fuzz/make-corpus.py makes by h5py.
static char *
find_hdf5(const char *name)
{
    return g_build_filename(g_getenv("BREGMA_SOURCE_ROOT"), "tests", "fuzz", "corpus", "hdf5", name,
                            NULL);
}

// A chunk that unpacks to far more than the array says.
static void
test_hdf5_bomb(void)
{
    g_autofree char *path = find_hdf5("bomb.h5");
    BgMalformedWatch watch;

    bg_malformed_watch_start(&watch);
    g_autoptr(BgLoaded) loaded = load(path);
    bg_malformed_watch_stop(&watch);
    g_assert_cmpuint(watch.peak_bytes, <, 4u << 20); // it would be 16 MiB
    if (loaded != NULL)
        g_assert_cmpuint(bg_volume_get_n_bytes(loaded->volume), ==, 64 * 64 * 64);
}

// Rings: directories of a TIFF that lead back to the first, and an HDF5 group that holds itself.
static void
test_rings(void)
{
    static const guint8 one_page[] = {
        'I', 'I', 42, 0, 8, 0, 0, 0,             // the first directory is at 8
        6,   0,                                  // entries
        0,   1,   3,  0, 1, 0, 0, 0, 1, 0, 0, 0, // width 1
        1,   1,   3,  0, 1, 0, 0, 0, 1, 0, 0, 0, // height 1
        2,   1,   3,  0, 1, 0, 0, 0, 8, 0, 0, 0, // 8 bits
        6,   1,   3,  0, 1, 0, 0, 0, 1, 0, 0, 0, // black is zero
        17,  1,   4,  0, 1, 0, 0, 0, 0, 0, 0, 0, // the strip is at 0
        23,  1,   4,  0, 1, 0, 0, 0, 1, 0, 0, 0, // and has 1 byte
        8,   0,   0,  0,                         // the next directory is this one
    };
    g_autofree char *tiff = write_file("ring.tif", one_page, sizeof one_page);
    g_autoptr(BgLoaded) loaded = load(tiff);

    if (loaded != NULL)
        g_assert_cmpint(loaded->info->n_frames, ==, 1);

    g_autofree char *ring = find_hdf5("ring.h5"), *elsewhere = find_hdf5("elsewhere.h5");
    assert_refused(ring);
    assert_refused(elsewhere); // its voxels are in another file
}

// Sequences in each other without an end, and a million items.
static void
test_depth(void)
{
    static const guint8 item[] = { 0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF };
    static const guint8 sequence[] = { 0x08, 0x00, 0x40, 0x11, 'S',  'Q',
                                       0,    0,    0xFF, 0xFF, 0xFF, 0xFF };

    for (int deep = 0; deep < 2; deep++) {
        g_autoptr(GByteArray) file = start_dicom("", "1.2.840.10008.1.2.1");
        if (!deep)
            g_byte_array_append(file, sequence, sizeof sequence);
        for (int i = 0; i < (deep ? 100000 : 1000000); i++) {
            static const guint8 empty[] = { 0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0 };
            if (deep) {
                g_byte_array_append(file, sequence, sizeof sequence);
                g_byte_array_append(file, item, sizeof item);
            } else {
                g_byte_array_append(file, empty, sizeof empty);
            }
        }
        g_autofree char *path = write_file("deep.dcm", file->data, file->len);
        assert_refused(path);
    }
}

// A program in the 128 bytes that a reader of DICOM skips: shown, with a warning.
static void
test_preamble(void)
{
    static const char *const programs[] = { "MZ", "\177ELF", "\xCF\xFA\xED\xFE", "II*" };

    for (gsize i = 0; i < G_N_ELEMENTS(programs); i++) {
        g_autoptr(BgLoaded) loaded = load_slice(&sound, programs[i]);
        g_assert_nonnull(loaded);
        g_assert_true(warns(loaded, "preamble"));
    }
    g_autoptr(BgLoaded) plain = load_slice(&sound, "");
    g_assert_false(warns(plain, "preamble"));
}

// The name of a file in a header: nothing outside its folder is read, and nothing that is no file.
static void
test_names(void)
{
    g_autofree char *inner = g_build_filename(folder, "inner", NULL);
    g_autofree char *secret = write_file("secret.raw", "ABCDEFGH", 8);
    g_autofree char *link = g_build_filename(inner, "pipe.raw", NULL);
    const char *names[] = { "../secret.raw",      secret,      "..\\secret.raw",
                            "x/../../secret.raw", "/dev/zero", "/dev/stdin",
                            "pipe.raw",           ".",         "" };

    g_assert_cmpint(g_mkdir(inner, 0700), ==, 0);
    g_assert_cmpint(mkfifo(link, 0600), ==, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *nrrd = g_strdup_printf(
            "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 2 2 2\nencoding: raw\ndata file: %s\n\n",
            names[i]);
        g_autofree char *meta = g_strdup_printf(
            "ObjectType = Image\nNDims = 3\nDimSize = 2 2 2\nElementType = MET_UCHAR\n"
            "ElementDataFile = %s\n",
            names[i]);
        g_autofree char *inter = g_strdup_printf(
            "!INTERFILE :=\n!name of data file := %s\n!number format := unsigned integer\n!number "
            "of bytes per pixel := 1\nnumber of dimensions := 3\n!matrix size [1] := 2\n!matrix "
            "size [2] := 2\n!matrix size [3] := 2\n!END OF INTERFILE :=\n",
            names[i]);
        g_autofree char *a = write_file("inner/a.nhdr", nrrd, strlen(nrrd));
        g_autofree char *b = write_file("inner/b.mhd", meta, strlen(meta));
        g_autofree char *c = write_file("inner/c.hv", inter, strlen(inter));
        assert_refused(a);
        assert_refused(b);
        assert_refused(c);
        g_unlink(a);
        g_unlink(b);
        g_unlink(c);
    }
    // Beside the header it is found, whatever folders the name has.
    g_autofree char *beside = write_file("inner/secret.raw", "abcdefgh", 8);
    const char *text = "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 2 2 2\nencoding: raw\n"
                       "data file: /nowhere/secret.raw\n\n";
    g_autofree char *moved = write_file("inner/a.nhdr", text, strlen(text));
    g_autoptr(BgLoaded) loaded = load(moved);
    g_assert_nonnull(loaded);
    g_assert_cmpfloat(bg_volume_get_value(loaded->volume, 0, 0, 0), ==, 'a');
    g_unlink(moved);
    g_unlink(beside);
    g_unlink(link);
    g_rmdir(inner);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    bg_media_add_readers();
    folder = g_dir_make_tmp("bregma-classes-XXXXXX", NULL);
    g_test_add_func("/hostile-classes/sizes", test_sizes);
    g_test_add_func("/hostile-classes/geometry/dicom", test_geometry);
    g_test_add_func("/hostile-classes/geometry/text", test_text_geometry);
    g_test_add_func("/hostile-classes/bomb/gzip", test_gzip_bomb);
    g_test_add_func("/hostile-classes/bomb/deflated-dicom", test_deflated_bomb);
    g_test_add_func("/hostile-classes/bomb/tiff", test_tiff_bomb);
    g_test_add_func("/hostile-classes/bomb/hdf5", test_hdf5_bomb);
    g_test_add_func("/hostile-classes/rings", test_rings);
    g_test_add_func("/hostile-classes/depth", test_depth);
    g_test_add_func("/hostile-classes/preamble", test_preamble);
    g_test_add_func("/hostile-classes/names", test_names);
    int status = g_test_run();

    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(folder);
    g_free(folder);
    return status;
}
