// SPDX-License-Identifier: Apache-2.0
#include "bg-decode.h"

#include "bg-decode-private.h"
#include "bg-decode-wire.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SILENCE_MS 60000 // without a sign of life; the child tells of its progress more often
#define ENDED_MS 2000    // for the word how a child ended, once it has
#define MAX_ITEM_BYTES (512u << 20)

void
bg_decode_reply_free(BgDecodeReply *reply)
{
    if (reply == NULL)
        return;
    bg_json_free(reply->json);
    g_ptr_array_unref(reply->parts);
    g_free(reply);
}

static void
close_pair(int pair[2])
{
    for (int i = 0; i < 2; i++) {
        if (pair[i] >= 0)
            close(pair[i]);
        pair[i] = -1;
    }
}

// How the process of a request ended, in words.
static void
describe_end(int watch, GError **error)
{
    BgWireMessage message;
    int status = -1;

    if (bg_wire_receive(watch, -1, ENDED_MS, &message, NULL) == BG_WIRE_OK) {
        status = (int) bg_json_to_integer(bg_json_get(message.json, "status"), -1);
        bg_wire_message_clear(&message);
    }
    if (status >= 0 && WIFSIGNALED(status)) {
        int number = WTERMSIG(status);
        const char *what = number == SIGKILL   ? _("it was stopped by the system")
                           : number == SIGXCPU ? _("it took too much time")
                           : number == SIGSYS  ? _("it tried to do what it must not")
                                               : strsignal(number);
        g_set_error(error, BG_ERROR, BG_ERROR_DECODER,
                    _("its reader ended by signal %d: %s. Try again, or get the file again from "
                      "where it came from"),
                    number, what);
    } else if (status >= 0 && WIFEXITED(status)) {
        g_set_error(error, BG_ERROR, BG_ERROR_DECODER,
                    _("its reader ended without an answer, with status %d. Try again"),
                    WEXITSTATUS(status));
    } else {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_DECODER,
                            _("bregma-decode has ended. Try again: it is started anew"));
    }
}

static void
take_error(const BgJson *json, GError **error)
{
    const char *domain = bg_json_to_string(bg_json_get(json, "domain"), "");
    const char *text = bg_json_to_string(bg_json_get(json, "message"), "");
    gint64 code = bg_json_to_integer(bg_json_get(json, "code"), -1);

    if (*text == '\0')
        text = _("its reader gave no reason");
    if (strcmp(domain, "gio") == 0 && code >= 0 && code <= G_IO_ERROR_NO_SUCH_DEVICE)
        g_set_error_literal(error, G_IO_ERROR, (int) code, text);
    else if (strcmp(domain, "bregma") == 0 && code >= 0 && code <= BG_ERROR_DECODER)
        g_set_error_literal(error, BG_ERROR, (int) code, text);
    else
        g_set_error_literal(error, BG_ERROR, BG_ERROR_DECODER, text);
}

// A damaged answer is the child's fault: asking again may help.
static void
blame_child(GError *error)
{
    if (error != NULL && error->domain == BG_ERROR && error->code != BG_ERROR_NO_MEMORY)
        error->code = BG_ERROR_DECODER;
}

// The sizes that the result gives for its descriptors.
static BgDecodeReply *
take_reply(BgWireMessage *message, GError **error)
{
    g_autoptr(BgDecodeReply) reply = g_new0(BgDecodeReply, 1);
    const BgJson *sizes = bg_json_get(message->json, "parts");

    reply->parts = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
    if (bg_json_count(sizes) != message->n_fds) {
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("The answer of bregma-decode is damaged"));
        return NULL;
    }
    for (guint i = 0; i < message->n_fds; i++) {
        gint64 n = bg_json_to_integer(bg_json_at(sizes, i), 0);
        GBytes *bytes = bg_decode_map(message->fds[i], n > 0 ? (gsize) n : 0, error);
        if (bytes == NULL)
            return NULL;
        g_ptr_array_add(reply->parts, bytes);
    }
    reply->json = g_steal_pointer(&message->json);
    return g_steal_pointer(&reply);
}

typedef struct {
    int request, watch;
    int cancel_fd;
    const BgDecodeItems *items;
    const BgProgress *progress;
    gsize n_items;
} Talk;

static BgDecodeReply *
take_message(Talk *talk, BgWireMessage *message, gboolean *is_last, GError **error)
{
    *is_last = message->kind == BG_WIRE_RESULT || message->kind == BG_WIRE_ERROR;
    switch (message->kind) {
    case BG_WIRE_PROGRESS: {
        double fraction = bg_json_to_double(bg_json_get(message->json, "fraction"), 0.0);
        bg_progress_report(talk->progress, CLAMP(fraction, 0.0, 1.0));
        break;
    }
    case BG_WIRE_ITEM:
        if (talk->items != NULL && talk->n_items++ < BG_JSON_MAX_VALUES)
            talk->items->take(message->json, talk->items->user_data);
        break;
    case BG_WIRE_RESULT:
        return take_reply(message, error);
    case BG_WIRE_ERROR:
        take_error(message->json, error);
        break;
    case BG_WIRE_REQUEST:
        *is_last = TRUE;
        g_set_error_literal(error, BG_ERROR, BG_ERROR_CORRUPT,
                            _("The answer of bregma-decode is damaged"));
        break;
    }
    return NULL;
}

// What the child itself says is in @told; all else is what it does.
static BgDecodeReply *
listen_to(Talk *talk, GError **told, GError **error)
{
    for (gboolean is_last = FALSE; !is_last;) {
        BgWireMessage message;
        switch (bg_wire_receive(talk->request, talk->cancel_fd, SILENCE_MS, &message, error)) {
        case BG_WIRE_OK: {
            GError **to = message.kind == BG_WIRE_ERROR ? told : error;
            BgDecodeReply *reply = take_message(talk, &message, &is_last, to);
            bg_wire_message_clear(&message);
            if (is_last)
                return reply;
            break;
        }
        case BG_WIRE_END:
            describe_end(talk->watch, error);
            return NULL;
        case BG_WIRE_TIMEOUT:
            g_set_error(error, BG_ERROR, BG_ERROR_DECODER,
                        _("its reader has given no sign of life for %d seconds, and was stopped. "
                          "Try again"),
                        SILENCE_MS / 1000);
            return NULL;
        case BG_WIRE_FAILED:
            return NULL;
        }
    }
    return NULL;
}

static BgDecodeReply *
ask_on(Talk *talk, const BgJson *request, GError **error)
{
    // A child that dies before it has read the request: how it ended says more.
    g_autoptr(GError) unsent = NULL;
    GError *told = NULL, *failed = NULL;

    if (!bg_wire_send(talk->request, BG_WIRE_REQUEST, request, NULL, 0, &unsent)) {
        if (g_error_matches(unsent, BG_ERROR, BG_ERROR_UNSUPPORTED))
            g_propagate_error(error, g_steal_pointer(&unsent));
        else
            describe_end(talk->watch, error);
        return NULL;
    }
    BgDecodeReply *reply = listen_to(talk, &told, &failed);
    blame_child(failed);
    if (reply == NULL)
        g_propagate_error(error, told != NULL ? told : failed);
    return reply;
}

static BgDecodeReply *
ask_once(const BgJson *request, Talk *talk, GError **error)
{
    int line[2] = { -1, -1 }, watch[2] = { -1, -1 };
    BgDecodeReply *reply = NULL;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, line) != 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, watch) != 0) {
        g_set_error(error, BG_ERROR, BG_ERROR_DECODER, _("bregma-decode cannot be reached: %s"),
                    g_strerror(errno));
    } else if (bg_decode_send_line(line[1], watch[1], error)) {
        close(line[1]);
        close(watch[1]);
        line[1] = watch[1] = -1;
        talk->request = line[0];
        talk->watch = watch[0];
        reply = ask_on(talk, request, error);
    }
    close_pair(line);
    close_pair(watch); // kills what still runs
    return reply;
}

BgDecodeReply *
bg_decode_ask(const BgJson *request, const BgDecodeItems *items, const BgProgress *progress,
              GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail(request != NULL, NULL);

    if (g_cancellable_set_error_if_cancelled(cancellable, error))
        return NULL;

    // Without a descriptor (none are left) a cancelled request would run to its end.
    Talk talk = { .cancel_fd = cancellable != NULL ? g_cancellable_get_fd(cancellable) : -1,
                  .items = items,
                  .progress = progress };
    BgDecodeReply *reply = ask_once(request, &talk, error);
    if (talk.cancel_fd >= 0)
        g_cancellable_release_fd(cancellable);
    return reply;
}

gboolean
bg_decode_start(GError **error)
{
    g_autoptr(BgJson) request = bg_json_new_object();

    bg_json_set_string(request, "op", "ping");
    g_autoptr(BgDecodeReply) reply = bg_decode_ask(request, NULL, NULL, NULL, error);
    return reply != NULL;
}
