// SPDX-License-Identifier: Apache-2.0
// bregma-decode: reads what needs other people's codecs, for bregma and bregma-cli, which start it.
// It waits for requests and makes a process for each by forking itself: it has no second thread.
#include "bg-serve.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-json.h"
#include "core/decode/bg-decode-wire.h"
#include "media/bg-media.h"

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_REQUESTS 64

typedef struct {
    pid_t pid;
    int watch; // owned; closed by the other side when the request is not wanted any more
} Request;

static Request requests[MAX_REQUESTS];
static gsize n_requests;

// Two descriptors: for the request, and for watching over it. FALSE at the end of the line.
static gboolean
take_fds(int fds[2])
{
    union {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control;
    char mark;
    struct iovec part = { .iov_base = &mark, .iov_len = 1 };
    struct msghdr header = { .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes };
    ssize_t n;

    do
        n = recvmsg(BG_WIRE_CONTROL_FD, &header, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    struct cmsghdr *rights = n == 1 ? CMSG_FIRSTHDR(&header) : NULL;
    if (rights == NULL || rights->cmsg_type != SCM_RIGHTS ||
        rights->cmsg_len != CMSG_LEN(2 * sizeof(int)))
        return FALSE;
    memcpy(fds, CMSG_DATA(rights), 2 * sizeof(int));
    return TRUE;
}

static _Noreturn void
run_request(int socket, int signals)
{
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    close(BG_WIRE_CONTROL_FD);
    close(signals);
    for (gsize i = 0; i < n_requests; i++)
        close(requests[i].watch);
    // Nothing of what was there before the fork is to be written or freed twice.
    _exit(bg_serve(socket));
}

static void
start_request(int signals)
{
    int fds[2];

    if (!take_fds(fds))
        exit(EXIT_SUCCESS);
    pid_t pid = n_requests < MAX_REQUESTS ? fork() : -1;
    if (pid == 0) {
        close(fds[1]);
        run_request(fds[0], signals);
    }
    close(fds[0]);
    if (pid < 0)
        close(fds[1]);
    else
        requests[n_requests++] = (Request){ pid, fds[1] };
}

static void
remove_request(gsize i, int status)
{
    g_autoptr(BgJson) json = bg_json_new_object();

    bg_json_set_integer(json, "status", status);
    bg_wire_send(requests[i].watch, BG_WIRE_RESULT, json, NULL, 0, NULL);
    close(requests[i].watch);
    requests[i] = requests[--n_requests];
}

static void
reap(int signals)
{
    struct signalfd_siginfo info;
    int status;
    pid_t pid;

    while (read(signals, &info, sizeof info) == sizeof info)
        ;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (gsize i = 0; i < n_requests; i++) {
            if (requests[i].pid == pid) {
                remove_request(i, status);
                break;
            }
        }
    }
}

static int
watch_children(void)
{
    sigset_t set;

    signal(SIGINT, SIG_IGN); // of the terminal: the program that asks decides
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_SETMASK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static _Noreturn void
wait_for_requests(int signals)
{
    for (;;) {
        struct pollfd fds[2 + MAX_REQUESTS] = { { .fd = BG_WIRE_CONTROL_FD, .events = POLLIN },
                                                { .fd = signals, .events = POLLIN } };
        gsize n_watched = n_requests;
        for (gsize i = 0; i < n_watched; i++)
            fds[2 + i] = (struct pollfd){ .fd = requests[i].watch };
        if (poll(fds, 2 + n_watched, -1) < 0)
            continue;
        for (gsize i = 0; i < n_watched; i++) {
            if ((fds[2 + i].revents & (POLLHUP | POLLERR)) != 0)
                kill(requests[i].pid, SIGKILL); // still ours: it is reaped below only
        }
        if (fds[1].revents != 0)
            reap(signals);
        if (fds[0].revents != 0)
            start_request(signals);
    }
}

int
main(int argc, char **argv)
{
    int type;
    socklen_t n = sizeof type;

    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C");
    bindtextdomain(GETTEXT_PACKAGE, BG_LOCALE_DIR);
    bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8");
    textdomain(GETTEXT_PACKAGE);

    if (getsockopt(BG_WIRE_CONTROL_FD, SOL_SOCKET, SO_TYPE, &type, &n) != 0) {
        fputs("bregma-decode is started by bregma and bregma-cli, and does nothing by itself.\n",
              stderr);
        return 2;
    }
    bg_media_add_readers();
    wait_for_requests(watch_children());
}
