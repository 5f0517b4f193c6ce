// SPDX-License-Identifier: Apache-2.0
#include "bg-malformed.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define N_CUTS 64

typedef struct {
    const BgMalformedSeed *seed;
    BgMalformedFunc func;
    gpointer user_data;
    char *folder; // owned
    gsize n;
} Run;

static void
try_bytes(Run *run, const guint8 *bytes, gsize n_bytes, const char *what)
{
    g_autofree char *path =
        g_strdup_printf("%s/damaged-%zu%s", run->folder, run->n, run->seed->suffix);
    int fd = g_open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

    g_assert_cmpint(fd, >=, 0);
    for (gsize done = 0; done < n_bytes;) {
        gssize n = write(fd, bytes + done, n_bytes - done);
        g_assert_cmpint(n, >, 0);
        done += (gsize) n;
    }
    close(fd);
    run->n++;
    g_autofree char *described = g_strdup_printf("%s: %s", run->seed->name, what);
    run->func(path, described, run->user_data);
    g_unlink(path);
}

static void
cut(Run *run)
{
    const BgMalformedSeed *seed = run->seed;

    // Half of the cuts in the header, where most is decided.
    for (int i = 0; i < N_CUTS; i++) {
        gsize half = N_CUTS / 2;
        gsize at = (gsize) i < half
                       ? (gsize) i * seed->header_bytes / half
                       : seed->header_bytes +
                             ((gsize) i - half) * (seed->n_bytes - seed->header_bytes) / half;
        g_autofree char *what = g_strdup_printf("cut at %zu of %zu", at, seed->n_bytes);
        try_bytes(run, seed->bytes, at, what);
    }
}

static void
put_extreme(guint8 *to, int size, int which, gboolean swapped)
{
    static const guint64 whole[] = {
        0, 1, G_MAXUINT64, 0x7f7f7f7f7f7f7f7full, 0x8000000000000000ull, 0x7fffffffffffffffull
    };
    static const double real[] = { NAN, INFINITY, -INFINITY, 1e30, -1.0, 1e-30 };
    guint8 bytes[8];
    guint64 bits;

    if (which < 6) {
        bits = whole[which];
        if (size < 8 && which >= 4)
            bits >>= 8 * (8 - size);
        memcpy(bytes, &bits, 8);
    } else if (size == 4) {
        float single = (float) real[which - 6];
        memcpy(bytes, &single, 4);
    } else if (size == 8) {
        memcpy(bytes, &real[which - 6], 8);
    } else {
        guint16 small = (guint16) (7u << which);
        memcpy(bytes, &small, 2);
    }
    for (int i = 0; i < size; i++)
        to[i] = bytes[swapped ? size - 1 - i : i];
}

static void
damage_fields(Run *run)
{
    const BgMalformedSeed *seed = run->seed;
    static const int sizes[] = { 2, 4, 8 };
    g_autofree guint8 *bytes = g_memdup2(seed->bytes, seed->n_bytes);

    for (gsize s = 0; s < G_N_ELEMENTS(sizes); s++) {
        gsize size = (gsize) sizes[s];
        for (gsize at = 0; at + size <= seed->header_bytes; at += size) {
            for (int which = 0; which < 12; which++) {
                g_autofree char *what =
                    g_strdup_printf("%zu bytes at %zu, extreme %d", size, at, which);
                put_extreme(bytes + at, sizes[s], which, (at / size + (gsize) which) % 5 == 0);
                try_bytes(run, bytes, seed->n_bytes, what);
                memcpy(bytes + at, seed->bytes + at, size);
            }
        }
    }
}

static void
replace(Run *run, gsize from, gsize to, const char *with, gsize n_with, const char *what)
{
    const BgMalformedSeed *seed = run->seed;
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    g_byte_array_append(bytes, seed->bytes, (guint) from);
    g_byte_array_append(bytes, (const guint8 *) with, (guint) n_with);
    g_byte_array_append(bytes, seed->bytes + to, (guint) (seed->n_bytes - to));
    try_bytes(run, bytes->data, bytes->len, what);
}

static gboolean
is_word(guint8 c)
{
    return g_ascii_isalnum(c) || c == '.' || c == '-' || c == '+';
}

// Each word of the header: numbers at 12 extremes, other words too.
static void
damage_words(Run *run)
{
    static const char *const extremes[] = { "0",
                                            "-1",
                                            "1",
                                            "65535",
                                            "2147483647",
                                            "4294967296",
                                            "9223372036854775807",
                                            "99999999999999999999999999",
                                            "nan",
                                            "inf",
                                            "1e308",
                                            "%n%s" };
    const BgMalformedSeed *seed = run->seed;

    for (gsize at = 0; at < seed->header_bytes;) {
        gsize end = at;
        while (end < seed->header_bytes && is_word(seed->bytes[end]))
            end++;
        for (gsize e = 0; end > at && e < G_N_ELEMENTS(extremes); e++) {
            g_autofree char *what =
                g_strdup_printf("“%.*s” at %zu becomes %s", (int) MIN(end - at, 20),
                                (const char *) seed->bytes + at, at, extremes[e]);
            replace(run, at, end, extremes[e], strlen(extremes[e]), what);
        }
        at = end + 1;
    }
}

static void
damage_lines(Run *run)
{
    const BgMalformedSeed *seed = run->seed;
    g_autofree char *filler = g_strnfill(100000, 'x');

    for (gsize at = 0; at < seed->header_bytes;) {
        const guint8 *newline = memchr(seed->bytes + at, '\n', seed->header_bytes - at);
        gsize end = newline != NULL ? (gsize) (newline - seed->bytes) + 1 : seed->header_bytes;
        const char *line = (const char *) seed->bytes + at;
        g_autofree char *what = g_strdup_printf("line at %zu", at);
        replace(run, at, end, "", 0, what);
        replace(run, at, at, line, end - at, what);
        replace(run, at, end, filler, 100000, what);
        replace(run, at, end, "\n", 1, what);
        at = end;
    }
}

static gsize
rand_below(gsize n)
{
    return (gsize) g_test_rand_int_range(0, (gint32) MIN(MAX(n, 1), G_MAXINT32));
}

static void
damage_at_random(Run *run, const BgMalformedSeed *other, gsize n_random)
{
    const BgMalformedSeed *seed = run->seed;
    g_autofree guint8 *bytes = g_memdup2(seed->bytes, seed->n_bytes);

    for (gsize i = 0; i < n_random; i++) {
        // Mostly one bit of the header; sometimes many anywhere.
        gsize n_flips = i % 4 == 3 ? 1 + rand_below(40) : 1;
        for (gsize f = 0; f < n_flips; f++) {
            gsize at = rand_below(i % 4 == 2 ? seed->n_bytes : seed->header_bytes);
            bytes[at] ^= (guint8) (1u << rand_below(8));
        }
        try_bytes(run, bytes, seed->n_bytes, "bits flipped");
        memcpy(bytes, seed->bytes, seed->n_bytes);
    }
    for (gsize i = 0; i < n_random; i++) {
        g_autoptr(GByteArray) mixed = g_byte_array_new();
        const BgMalformedSeed *second = other != NULL ? other : seed;
        gsize first_part = rand_below(i % 2 ? seed->header_bytes : seed->n_bytes);
        gsize from = rand_below(i % 3 ? second->header_bytes : second->n_bytes);
        g_byte_array_append(mixed, seed->bytes, (guint) first_part);
        g_byte_array_append(mixed, second->bytes + from, (guint) (second->n_bytes - from));
        try_bytes(run, mixed->data, mixed->len, "spliced");
    }
    for (gsize i = 0; i < n_random; i++) {
        char noise[64];
        gsize at = rand_below(i % 2 ? seed->header_bytes : seed->n_bytes), n = 1 + rand_below(64);
        for (gsize b = 0; b < n; b++)
            noise[b] = (char) (i % 3 ? g_test_rand_int_range(0, 256) : 0);
        replace(run, at, i % 4 ? at : MIN(at + n, seed->n_bytes), noise, n, "bytes put in");
    }
}

gsize
bg_malformed_run(const BgMalformedSeed *seed, const BgMalformedSeed *other, gsize n_random,
                 BgMalformedFunc func, gpointer user_data)
{
    Run run = { .seed = seed, .func = func, .user_data = user_data };
    // In memory where that is to be had: thousands of files are written.
    gboolean shm = g_access("/dev/shm", W_OK) == 0;
    g_autofree char *pattern =
        g_build_filename(shm ? "/dev/shm" : g_get_tmp_dir(), "bregma-damaged-XXXXXX", NULL);

    run.folder = g_mkdtemp(pattern);
    g_assert_nonnull(run.folder);
    cut(&run);
    if (seed->text) {
        damage_words(&run);
        damage_lines(&run);
    } else {
        damage_fields(&run);
    }
    damage_at_random(&run, other, n_random);
    g_rmdir(run.folder);
    return run.n;
}

// In bytes; 0 where /proc does not tell.
static gsize
read_resident(void)
{
    g_autofree char *text = NULL;
    char *at;

    if (!g_file_get_contents("/proc/self/statm", &text, NULL, NULL))
        return 0;
    at = strchr(text, ' '); // the second number: pages
    return at != NULL ? (gsize) g_ascii_strtoull(at, NULL, 10) * (gsize) sysconf(_SC_PAGESIZE) : 0;
}

static gsize
read_peak(void)
{
    struct rusage usage;

    return getrusage(RUSAGE_SELF, &usage) == 0 ? (gsize) usage.ru_maxrss * 1024 : 0;
}

#define RESET_FROM (16u << 20)

// "5" sets the highest mark of resident memory back to what it is now (proc(5)).
static void
reset_peak(void)
{
    int fd = g_open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC, 0);

    if (fd < 0)
        return;
    if (write(fd, "5", 1) != 1)
        g_debug("the peak of memory cannot be set back");
    close(fd);
}

static double
read_processor_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

void
bg_malformed_watch_start(BgMalformedWatch *watch)
{
    watch->start_bytes = read_resident();
    // It costs a millisecond, so only where the mark would hide something.
    if (read_peak() > watch->start_bytes + RESET_FROM)
        reset_peak();
    watch->start_s = read_processor_s();
}

void
bg_malformed_watch_stop(BgMalformedWatch *watch)
{
    gsize peak = read_peak();

    watch->seconds = read_processor_s() - watch->start_s;
    watch->peak_bytes = peak > watch->start_bytes ? peak - watch->start_bytes : 0;

    // The limits are the normal build's: a sanitizer keeps freed memory, and takes its time.
    if (g_getenv("BREGMA_SANITIZED") != NULL) {
        watch->peak_bytes = 0;
        watch->seconds /= 10.0;
    }
}
