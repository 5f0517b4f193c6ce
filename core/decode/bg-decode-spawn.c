// SPDX-License-Identifier: Apache-2.0
// The one child of this program: found, started once, started again when it is gone.
#include "bg-decode-private.h"
#include "bg-decode-wire.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROGRAM "bregma-decode"

static GMutex child_lock;   // protects what follows
static int control_fd = -1; // -1: no child
static GSubprocess *child;  // owned

// Beside the library, as installed; or in the build tree.
char *
bg_decode_find_program(void)
{
    const char *chosen = g_getenv("BREGMA_DECODE");
    static const char *const places[] = { PROGRAM, "../app/decode/" PROGRAM };
    Dl_info info;

    if (chosen != NULL)
        return g_strdup(chosen);
    if (dladdr((const void *) bg_decode_find_program, &info) == 0 || info.dli_fname == NULL)
        return NULL;
    g_autofree char *folder = g_path_get_dirname(info.dli_fname);
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *path = g_canonicalize_filename(places[i], folder);
        if (g_file_test(path, G_FILE_TEST_IS_EXECUTABLE))
            return g_steal_pointer(&path);
    }
    return NULL;
}

static gboolean
spawn(GError **error)
{
    g_autofree char *program = bg_decode_find_program();
    g_autoptr(GError) reason = NULL;
    int ends[2];

    if (program == NULL) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_DECODER,
                            _("bregma-decode, which reads such files, is missing. Install bregma "
                              "again"));
        return FALSE;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        g_set_error(error, BG_ERROR, BG_ERROR_DECODER, _("bregma-decode cannot be reached: %s"),
                    g_strerror(errno));
        return FALSE;
    }

    // What codecs print about hostile files is noise.
    GSubprocessFlags quiet = G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE;
    gboolean is_loud = g_getenv("BREGMA_DECODE_VERBOSE") != NULL;
    g_autoptr(GSubprocessLauncher) launcher =
        g_subprocess_launcher_new(is_loud ? G_SUBPROCESS_FLAGS_NONE : quiet);
    g_subprocess_launcher_take_fd(launcher, ends[1], BG_WIRE_CONTROL_FD);
    child = g_subprocess_launcher_spawn(launcher, &reason, program, NULL);
    g_subprocess_launcher_close(launcher);
    if (child == NULL) {
        close(ends[0]);
        g_set_error(error, BG_ERROR, BG_ERROR_DECODER, _("bregma-decode cannot be started: %s"),
                    reason->message);
        return FALSE;
    }
    control_fd = ends[0];
    return TRUE;
}

static gboolean
send_fds(const int fds[2])
{
    union {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control = { 0 };
    char mark = 'r';
    struct iovec part = { .iov_base = &mark, .iov_len = 1 };
    struct msghdr header = { .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes };
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    ssize_t n;

    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(2 * sizeof(int));
    memcpy(CMSG_DATA(rights), fds, 2 * sizeof(int));
    do
        n = sendmsg(control_fd, &header, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == 1;
}

gboolean
bg_decode_send_line(int request, int watch, GError **error)
{
    const int fds[2] = { request, watch };
    gboolean sent = FALSE;

    g_mutex_lock(&child_lock);
    if (control_fd >= 0)
        sent = send_fds(fds);
    if (!sent) {
        if (control_fd >= 0) {
            close(control_fd);
            control_fd = -1;
            g_clear_object(&child);
        }
        if (spawn(error)) {
            sent = send_fds(fds);
            if (!sent)
                g_set_error(error, BG_ERROR, BG_ERROR_DECODER,
                            _("bregma-decode ended at once: %s. Install bregma again"),
                            g_strerror(errno));
        }
    }
    g_mutex_unlock(&child_lock);
    return sent;
}
