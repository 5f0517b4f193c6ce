// SPDX-License-Identifier: Apache-2.0
#include "bg-misbehave.h"

#include "core/decode/bg-decode-wire.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// How a process may end, or lie

static void
crash(int socket)
{
    signal(SIGSEGV, SIG_DFL); // the sanitizers' handler would end with a status
    raise(SIGSEGV);
}

static void
end_by_abort(int socket)
{
    signal(SIGABRT, SIG_DFL);
    abort();
}

static void
spin(int socket)
{
    for (volatile guint64 i = 0;; i++)
        ;
}

static void
hang(int socket)
{
    for (;;)
        pause();
}

static void
leave(int socket)
{
    _exit(7);
}

static void
send_raw(int socket, gconstpointer bytes, gsize n_bytes)
{
    if (write(socket, bytes, n_bytes) != (ssize_t) n_bytes)
        _exit(1);
    hang(socket);
}

static void
send_garbage(int socket)
{
    send_raw(socket, "This is no message of bregma-decode.", 36);
}

static void
send_long(int socket)
{
    const guint32 head[4] = { 0x31574742u, BG_WIRE_RESULT, G_MAXUINT32, 0 };

    send_raw(socket, head, sizeof head);
}

// Memory that could still be changed, or is shorter than it says.
static void
send_memory(int socket, gsize n_there, gboolean sealed)
{
    g_autoptr(BgJson) json = bg_json_new_object();
    BgJson *sizes = bg_json_new_array();
    int fd = memfd_create("test", MFD_ALLOW_SEALING);

    if (fd < 0 || ftruncate(fd, (off_t) n_there) != 0)
        _exit(1);
    if (sealed)
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    bg_json_append(sizes, bg_json_new_integer(1 << 20));
    bg_json_set(json, "parts", sizes);
    bg_wire_send(socket, BG_WIRE_RESULT, json, &fd, 1, NULL);
    hang(socket);
}

static void
send_unsealed(int socket)
{
    send_memory(socket, 2 << 20, FALSE);
}

static void
send_short(int socket)
{
    send_memory(socket, 1 << 19, TRUE);
}

static const struct {
    const char *op;
    void (*run)(int socket);
} ends[] = {
    { "test-abort", end_by_abort }, { "test-crash", crash }, { "test-garbage", send_garbage },
    { "test-hang", hang },          { "test-leave", leave }, { "test-long", send_long },
    { "test-short", send_short },   { "test-spin", spin },   { "test-unsealed", send_unsealed },
};

// What it must not be able to do: TRUE when it could

static gboolean
may_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0 || socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

static gboolean
may_exec(void)
{
    char *arguments[] = { (char *) "/bin/true", NULL };

    execv("/bin/true", arguments);
    return errno != EPERM && errno != EACCES;
}

static gboolean
may_fork(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    return pid > 0;
}

static gboolean
may_write(void)
{
    return open("/tmp/bregma-decode-was-here", O_WRONLY | O_CREAT, 0600) >= 0 ||
           open("/dev/shm/bregma-decode-was-here", O_RDWR | O_CREAT, 0600) >= 0;
}

static gboolean
may_kill(void)
{
    return kill(getppid(), 0) == 0;
}

static gboolean
may_ptrace(void)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0;
}

static gboolean
may_mount(void)
{
    return mount("none", "/mnt", "tmpfs", 0, NULL) == 0;
}

static gboolean
may_unlink(void)
{
    return unlink("/nonexistent/file") == 0 || errno == ENOENT;
}

static gboolean
may_read_else(void)
{
    return open("/etc/passwd", O_RDONLY) >= 0;
}

// Nothing was asked to be read, so that only a kernel without Landlock lets it be.
static gboolean
has_landlock(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
}

static gboolean
may_take_memory(void)
{
    return mmap(NULL, (gsize) 2 << 30, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                0) != MAP_FAILED;
}

static const struct {
    const char *op;
    gboolean (*can)(void);
} wishes[] = {
    { "test-may-exec", may_exec },           { "test-may-fork", may_fork },
    { "test-may-kill", may_kill },           { "test-may-memory", may_take_memory },
    { "test-may-mount", may_mount },         { "test-may-ptrace", may_ptrace },
    { "test-may-read-else", may_read_else }, { "test-may-socket", may_socket },
    { "test-may-unlink", may_unlink },       { "test-may-write-file", may_write },
};

gboolean
bg_misbehave(const char *op, int socket, BgJson *result)
{
    if (g_getenv("BREGMA_DECODE_MISBEHAVE") == NULL)
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
        if (strcmp(op, ends[i].op) == 0)
            ends[i].run(socket);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(wishes); i++) {
        if (strcmp(op, wishes[i].op) != 0)
            continue;
        gboolean can = wishes[i].can();
        gboolean is_known = can && wishes[i].can == may_read_else && !has_landlock();
        bg_json_set_string(result, "may", is_known ? "no landlock" : can ? "yes" : "no");
        return TRUE;
    }
    if (strcmp(op, "test-parent") != 0)
        return FALSE;
    bg_json_set_integer(result, "pid", syscall(SYS_getppid));
    return TRUE;
}
