// SPDX-License-Identifier: Apache-2.0
#include "bg-sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

// The address sanitizer reserves terabytes.
#if defined(__SANITIZE_ADDRESS__)
#define LIMITS_MEMORY 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LIMITS_MEMORY 0
#endif
#endif
#ifndef LIMITS_MEMORY
#define LIMITS_MEMORY 1
#endif

// Whatever is done with these: the arguments do not matter.
static const int plain_calls[] = {
    // memory
    SCMP_SYS(mmap),
    SCMP_SYS(mprotect),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(mincore),
    SCMP_SYS(memfd_create),
    SCMP_SYS(membarrier),
    // descriptors that are there
    SCMP_SYS(read),
    SCMP_SYS(pread64),
    SCMP_SYS(readv),
    SCMP_SYS(preadv),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(pwrite64),
    SCMP_SYS(lseek),
    SCMP_SYS(close),
    SCMP_SYS(close_range),
    SCMP_SYS(fstat),
    SCMP_SYS(ftruncate),
    SCMP_SYS(fcntl),
    SCMP_SYS(flock),
    SCMP_SYS(dup),
    SCMP_SYS(dup2),
    SCMP_SYS(dup3),
    SCMP_SYS(fadvise64),
    SCMP_SYS(getdents64),
    SCMP_SYS(fstatfs),
    SCMP_SYS(sendmsg),
    SCMP_SYS(recvmsg),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(select),
    SCMP_SYS(pselect6),
    SCMP_SYS(eventfd2),
    SCMP_SYS(pipe2),
    // looking at files
    SCMP_SYS(stat),
    SCMP_SYS(lstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(statx),
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(statfs),
    SCMP_SYS(getcwd),
    // threads of its own
    SCMP_SYS(futex),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(gettid),
    SCMP_SYS(getpid),
    SCMP_SYS(getppid),
    SCMP_SYS(set_tid_address),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(getcpu),
    // time, numbers
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(times),
    SCMP_SYS(getrusage),
    SCMP_SYS(sysinfo),
    SCMP_SYS(uname),
    SCMP_SYS(getrandom),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
};

static int
allow_files(scmp_filter_ctx filter)
{
    const scmp_datum_t writes = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND;
    int code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
                                SCMP_A1(SCMP_CMP_MASKED_EQ, writes, 0));

    if (code == 0)
        code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                                SCMP_A2(SCMP_CMP_MASKED_EQ, writes, 0));
    return code;
}

static int
allow_threads(scmp_filter_ctx filter)
{
    int code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                                SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));

    if (code == 0) // its flags are in memory, which a filter cannot see; glibc then takes clone
        code = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    if (code == 0) // abort()
        code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                                SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t) getpid()));
    if (code == 0)
        code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
                                SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
    if (code == 0) // to ask, not to set
        code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
                                SCMP_A2(SCMP_CMP_EQ, 0));
    return code;
}

static int
load_filter(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int code = filter != NULL ? 0 : -ENOMEM;

    for (gsize i = 0; code == 0 && i < G_N_ELEMENTS(plain_calls); i++)
        code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, plain_calls[i], 0);
    if (code == 0)
        code = allow_files(filter);
    if (code == 0)
        code = allow_threads(filter);
    if (code == 0)
        code = seccomp_load(filter); // sets "no new privileges" too
    if (filter != NULL)
        seccomp_release(filter);
    return code;
}

static void
allow_place(int rules, const char *path)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    struct landlock_path_beneath_attr rule = {
        .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
        .parent_fd = fd,
    };

    if (fd < 0)
        return;
    syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(fd);
}

// What a locale, a table of characters or a dictionary of DICOM is read from.
static const char *const system_places[] = { "/usr/share",   "/usr/lib",
                                             "/lib",         "/lib64",
                                             "/etc/dcmtk",   "/etc/localtime",
                                             "/proc/self",   "/sys/devices/system/cpu",
                                             "/proc/cpuinfo" };

// A second wall, where the kernel has it (5.13).
static void
restrict_files(const char *path)
{
    struct landlock_ruleset_attr attr = { .handled_access_fs =
                                              (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1 };
    int rules = (int) syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);

    if (rules < 0)
        return;
    for (gsize i = 0; i < G_N_ELEMENTS(system_places); i++)
        allow_place(rules, system_places[i]);
    if (path != NULL) {
        g_autofree char *folder =
            g_file_test(path, G_FILE_TEST_IS_DIR) ? g_strdup(path) : g_path_get_dirname(path);
        allow_place(rules, folder);
        allow_place(rules, path); // a link leads elsewhere
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        syscall(SYS_landlock_restrict_self, rules, 0);
    close(rules);
}

static void
set_limit(int what, guint64 limit, guint64 grace)
{
    struct rlimit now;

    if (getrlimit(what, &now) != 0)
        return;
    if (now.rlim_max == RLIM_INFINITY || now.rlim_max > limit + grace)
        now.rlim_max = limit + grace;
    now.rlim_cur = MIN(now.rlim_max, limit);
    setrlimit(what, &now);
}

static void
set_limits(const BgSandboxLimits *limits)
{
    struct rlimit files;

    set_limit(RLIMIT_CORE, 0, 0);
    set_limit(RLIMIT_MEMLOCK, 0, 0);
    if (LIMITS_MEMORY && limits->max_bytes > 0)
        set_limit(RLIMIT_AS, limits->max_bytes, 0);
    if (limits->max_cpu_s > 0)
        set_limit(RLIMIT_CPU, limits->max_cpu_s, 1); // SIGXCPU first, SIGKILL after it
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {     // each file of an archive is one
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

gboolean
bg_sandbox_enter(const BgSandboxLimits *limits, GError **error)
{
    set_limits(limits);
    restrict_files(limits->path);
    int code = load_filter();
    if (code == 0)
        return TRUE;
    g_set_error(error, G_IO_ERROR, (int) g_io_error_from_errno(-code),
                "no filter for system calls: %s", g_strerror(-code));
    return FALSE;
}
