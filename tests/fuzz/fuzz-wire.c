// SPDX-License-Identifier: Apache-2.0
// What the child says, as a hostile child would say it: the bytes of a socket, and the JSON of a result
// whose memory is there.
#include "core/base/bg-error.h"
#include "core/decode/bg-decode-wire.h"
#include "core/io/bg-io-wire.h"
#include "fuzz.h"

#include <sys/socket.h>
#include <unistd.h>

static void
receive(const uint8_t *data, size_t size)
{
    int pair[2];
    BgWireMessage message;
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
    if (send(pair[1], data, size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
        close(pair[1]);
        pair[1] = -1;
        if (bg_wire_receive(pair[0], -1, 1000, &message, &error) == BG_WIRE_OK)
            bg_wire_message_clear(&message);
    }
    for (int i = 0; i < 2; i++) {
        if (pair[i] >= 0)
            close(pair[i]);
    }
}

static void
believe_nothing(const BgJson *json)
{
    static const guint8 memory[4096];
    g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
    GError *refused[3] = { NULL };

    g_ptr_array_add(parts, g_bytes_new_static(memory, sizeof memory));
    g_ptr_array_add(parts, g_bytes_new_static(memory, 120));
    g_autoptr(BgLoaded) loaded = bg_loaded_from_json(json, parts, "x", &refused[0]);
    g_assert_true((loaded == NULL) == (refused[0] != NULL));
    if (loaded != NULL && loaded->volume != NULL)
        bg_volume_get_value(loaded->volume, bg_volume_get_geometry(loaded->volume)->dims[0] - 1,
                            bg_volume_get_geometry(loaded->volume)->dims[1] - 1,
                            bg_volume_get_geometry(loaded->volume)->dims[2] - 1);
    g_autoptr(BgSeries) series = bg_series_from_json(json, &refused[1]);
    g_assert_true((series == NULL) == (refused[1] != NULL));
    g_autoptr(BgFileInfo) info = bg_file_info_from_json(json, "x", &refused[2]);
    g_assert_true((info == NULL) == (refused[2] != NULL));
    for (int i = 0; i < 3; i++)
        g_clear_error(&refused[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] == 'B') {
        receive(data, size);
        return 0;
    }
    g_autoptr(BgJson) json = bg_json_parse((const char *) data, (gssize) size, NULL);
    if (json != NULL)
        believe_nothing(json);
    return 0;
}
