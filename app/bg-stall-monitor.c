// SPDX-License-Identifier: Apache-2.0
#include "app/bg-stall-monitor.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define TELL_MS 20.0
#define STALL_MS 50.0

static GPollFunc next_poll;
static gint64 left_poll_us; // 0 before the first poll
static double left_poll_cpu_ms;
static double worst_ms, worst_cpu_ms;
static guint n_stalls;

// What this thread itself has computed: less than the time that passed when others had the cores.
static double
cpu_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double) now.tv_sec * 1e3 + (double) now.tv_nsec * 1e-6;
}

static gint
timed_poll(GPollFD *fds, guint n_fds, gint timeout_ms)
{
    if (left_poll_us > 0) {
        double ms = (double) (g_get_monotonic_time() - left_poll_us) * 1e-3;
        double own_ms = cpu_ms() - left_poll_cpu_ms;
        n_stalls += ms > STALL_MS;
        worst_cpu_ms = MAX(worst_cpu_ms, own_ms);
        if (ms > worst_ms) {
            worst_ms = ms;
            if (ms > TELL_MS)
                g_printerr("bregma: worst turn of the main loop: %.1f ms, %.1f computing\n", ms,
                           own_ms);
        }
    }

    gint n_ready = next_poll(fds, n_fds, timeout_ms);
    left_poll_us = g_get_monotonic_time();
    left_poll_cpu_ms = cpu_ms();
    return n_ready;
}

void
bg_stall_monitor_start(void)
{
    GMainContext *context = g_main_context_default();

    next_poll = g_main_context_get_poll_func(context);
    g_main_context_set_poll_func(context, timed_poll);
}

void
bg_stall_monitor_report(void)
{
    if (next_poll != NULL)
        g_printerr(
            "bregma: worst turn of the main loop: %.1f ms (computing: %.1f); %u over %.0f ms\n",
            worst_ms, worst_cpu_ms, n_stalls, STALL_MS);
}

// Of the process, from /proc/self/stat's 22nd field, in ticks since the machine's start.
static double
process_start_seconds(void)
{
    g_autofree char *stat = NULL;

    if (!g_file_get_contents("/proc/self/stat", &stat, NULL, NULL))
        return 0.0;

    const char *after_name = strrchr(stat, ')');
    g_auto(GStrv) fields = after_name != NULL ? g_strsplit(after_name + 2, " ", 0) : NULL;
    if (fields == NULL || g_strv_length(fields) < 20)
        return 0.0;

    return g_ascii_strtod(fields[19], NULL) / (double) sysconf(_SC_CLK_TCK);
}

void
bg_stall_monitor_note(const char *what)
{
    struct timespec now;

    if (next_poll == NULL)
        return;

    clock_gettime(CLOCK_BOOTTIME, &now);
    g_printerr("bregma: %s after %.2f s\n", what,
               (double) now.tv_sec + (double) now.tv_nsec * 1e-9 - process_start_seconds());
}
