// SPDX-License-Identifier: Apache-2.0
// The input as a file, for readers that take a path: one file for all inputs of a process. The search has it
// in /dev/shm, which is opened in half the time of a descriptor under /proc; campaign.sh removes it.
#pragma once

#include <fcntl.h>
#include <glib.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef BG_FUZZ_SEARCH
#define FUZZ_SEARCHES 1
#else
#define FUZZ_SEARCHES 0
#endif

static inline const char *
fuzz_file(const uint8_t *data, size_t size)
{
    static char path[64];
    static int fd = -1;

    if (fd < 0 && FUZZ_SEARCHES) {
        g_snprintf(path, sizeof path, "/dev/shm/bregma-fuzz-%d", (int) getpid());
        fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    } else if (fd < 0) {
        fd = memfd_create("fuzz", MFD_CLOEXEC);
        g_snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(ftruncate(fd, (off_t) size), ==, 0);
    for (size_t done = 0; done < size;) {
        ssize_t n = pwrite(fd, data + done, size - done, (off_t) done);
        g_assert_cmpint(n, >, 0);
        done += (size_t) n;
    }
    return path;
}

// What costs as much as the rest and runs the same code for the most part: the search does it for one input
// in four, the replay for each.
static inline gboolean
fuzz_does_more(size_t size)
{
    return !FUZZ_SEARCHES || size % 4 == 0;
}
