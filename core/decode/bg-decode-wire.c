// SPDX-License-Identifier: Apache-2.0
#include "bg-decode-wire.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAGIC 0x31574742u // "BGW1"
#define PIECE_BYTES (256u << 10)

typedef struct {
    guint32 magic, kind, n_bytes, n_fds;
} Head;

void
bg_wire_message_clear(BgWireMessage *message)
{
    g_clear_pointer(&message->json, bg_json_free);
    for (guint i = 0; i < message->n_fds; i++)
        close(message->fds[i]);
    message->n_fds = 0;
}

static gboolean
set_system_error(GError **error)
{
    int code = errno;

    g_set_error_literal(error, G_IO_ERROR, (int) g_io_error_from_errno(code), g_strerror(code));
    return FALSE;
}

static gboolean
send_bytes(int socket, const void *bytes, gsize n_bytes, const int *fds, guint n_fds,
           GError **error)
{
    union {
        char bytes[CMSG_SPACE(BG_WIRE_MAX_FDS * sizeof(int))];
        struct cmsghdr align;
    } control = { 0 };

    for (gsize done = 0; done < n_bytes;) {
        struct iovec part = { .iov_base = (guint8 *) bytes + done, .iov_len = n_bytes - done };
        struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
        if (n_fds > 0 && done == 0) {
            header.msg_control = control.bytes;
            header.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
            struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
            rights->cmsg_level = SOL_SOCKET;
            rights->cmsg_type = SCM_RIGHTS;
            rights->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
            memcpy(CMSG_DATA(rights), fds, n_fds * sizeof(int));
        }
        ssize_t n = sendmsg(socket, &header, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return set_system_error(error);
        done += (gsize) n;
    }
    return TRUE;
}

gboolean
bg_wire_send(int socket, BgWireKind kind, const BgJson *json, const int *fds, guint n_fds,
             GError **error)
{
    g_return_val_if_fail(json != NULL && n_fds <= BG_WIRE_MAX_FDS, FALSE);

    g_autofree char *text = bg_json_print(json, FALSE);
    gsize n_bytes = strlen(text);
    if (n_bytes > BG_JSON_MAX_BYTES) {
        g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                    _("The description of this file is too long: %zu bytes. Open a part of it"),
                    n_bytes);
        return FALSE;
    }
    Head head = { MAGIC, (guint32) kind, (guint32) n_bytes, n_fds };
    return send_bytes(socket, &head, sizeof head, fds, n_fds, error) &&
           send_bytes(socket, text, n_bytes, NULL, 0, error);
}

// Descriptors that came along; more than asked for are closed.
static gboolean
take_fds(struct msghdr *header, BgWireMessage *message)
{
    gboolean fits = (header->msg_flags & MSG_CTRUNC) == 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        gsize n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (gsize i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (message->n_fds < BG_WIRE_MAX_FDS) {
                message->fds[message->n_fds++] = fd;
            } else {
                close(fd);
                fits = FALSE;
            }
        }
    }
    return fits;
}

static gboolean
refuse(GError **error)
{
    g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                        _("The answer of bregma-decode is damaged"));
    return FALSE;
}

static BgWireStatus
wait_for(int socket, int cancel_fd, int timeout_ms, GError **error)
{
    struct pollfd fds[2] = { { .fd = socket, .events = POLLIN },
                             { .fd = cancel_fd, .events = POLLIN } };
    int n;

    do
        n = poll(fds, cancel_fd >= 0 ? 2 : 1, timeout_ms);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        set_system_error(error);
        return BG_WIRE_FAILED;
    }
    if (n == 0)
        return BG_WIRE_TIMEOUT;
    if (fds[1].revents != 0) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_CANCELLED, _("Cancelled"));
        return BG_WIRE_FAILED;
    }
    return BG_WIRE_OK;
}

typedef struct {
    int socket, cancel_fd, timeout_ms;
} Line;

static BgWireStatus
receive_bytes(const Line *line, guint8 *bytes, gsize n_bytes, BgWireMessage *message,
              GError **error)
{
    union {
        char bytes[CMSG_SPACE(BG_WIRE_MAX_FDS * sizeof(int))];
        struct cmsghdr align;
    } control;

    for (gsize done = 0; done < n_bytes;) {
        BgWireStatus status = wait_for(line->socket, line->cancel_fd, line->timeout_ms, error);
        if (status != BG_WIRE_OK)
            return status;
        struct iovec part = { .iov_base = bytes + done, .iov_len = n_bytes - done };
        struct msghdr header = { .msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = control.bytes,
                                 .msg_controllen = sizeof control.bytes };
        ssize_t n = recvmsg(line->socket, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n == 0 || (n < 0 && errno == ECONNRESET))
            return BG_WIRE_END;
        if (n < 0) {
            set_system_error(error);
            return BG_WIRE_FAILED;
        }
        if (!take_fds(&header, message)) {
            refuse(error);
            return BG_WIRE_FAILED;
        }
        done += (gsize) n;
    }
    return BG_WIRE_OK;
}

// Grows with the bytes that come, not with what the head promises.
static BgWireStatus
receive_text(const Line *line, gsize n_bytes, GByteArray *text, BgWireMessage *message,
             GError **error)
{
    BgWireStatus status = BG_WIRE_OK;

    while (status == BG_WIRE_OK && text->len < n_bytes) {
        guint at = text->len;
        gsize n = MIN(n_bytes - at, PIECE_BYTES);
        g_byte_array_set_size(text, at + (guint) n);
        status = receive_bytes(line, text->data + at, n, message, error);
    }
    return status;
}

static BgWireStatus
receive(const Line *line, BgWireMessage *message, GError **error)
{
    Head head;
    BgWireStatus status = receive_bytes(line, (guint8 *) &head, sizeof head, message, error);

    if (status != BG_WIRE_OK)
        return status;
    if (head.magic != MAGIC || head.kind > BG_WIRE_ERROR || head.n_bytes == 0 ||
        head.n_bytes > BG_JSON_MAX_BYTES || head.n_fds > BG_WIRE_MAX_FDS) {
        refuse(error);
        return BG_WIRE_FAILED;
    }

    g_autoptr(GByteArray) text = g_byte_array_new();
    status = receive_text(line, head.n_bytes, text, message, error);
    if (status != BG_WIRE_OK)
        return status;
    message->kind = (BgWireKind) head.kind;
    if (message->n_fds != head.n_fds) {
        refuse(error);
        return BG_WIRE_FAILED;
    }
    message->json = bg_json_parse((const char *) text->data, text->len, error);
    return message->json != NULL ? BG_WIRE_OK : BG_WIRE_FAILED;
}

BgWireStatus
bg_wire_receive(int socket, int cancel_fd, int timeout_ms, BgWireMessage *message, GError **error)
{
    g_return_val_if_fail(message != NULL, BG_WIRE_FAILED);

    Line line = { socket, cancel_fd, timeout_ms };
    *message = (BgWireMessage){ 0 };
    BgWireStatus status = receive(&line, message, error);
    if (status != BG_WIRE_OK)
        bg_wire_message_clear(message);
    return status;
}
