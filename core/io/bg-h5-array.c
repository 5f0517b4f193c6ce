// SPDX-License-Identifier: Apache-2.0
#include "bg-h5-chunk.h"
#include "bg-h5-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"
#include "core/base/bg-parallel.h"

#include <string.h>

#define PACK_FROM 4096u          // bytes; smaller arrays lie in one piece
#define CHUNK_BYTES (512u << 10) // wanted: packs well, and a slice needs few
#define SLAB_BYTES (4u << 20)    // between two looks at the cancellable
#define MAX_CHUNK_BYTES (1u << 30)
#define DEFLATE_BEST 1032u // no deflate stream grows by more (zlib's technical notes)
#define BATCH_PER_THREAD 4 // chunks that are in memory at once

static const struct {
    const char *name;
    gsize size;
} types[] = {
    { "uint8", 1 },  { "int8", 1 },  { "int16", 2 },  { "uint16", 2 },  { "int32", 4 },
    { "uint32", 4 }, { "int64", 8 }, { "uint64", 8 }, { "float32", 4 }, { "float64", 8 },
};

gsize
bg_h5_type_size(BgH5Type type)
{
    g_return_val_if_fail((guint) type < G_N_ELEMENTS(types), 0);

    return types[type].size;
}

const char *
bg_h5_type_name(BgH5Type type)
{
    g_return_val_if_fail((guint) type < G_N_ELEMENTS(types), NULL);

    return types[type].name;
}

hid_t
bg_h5_memory_type(BgH5Type type)
{
    switch (type) {
    case BG_H5_UINT8:
        return H5T_NATIVE_UINT8;
    case BG_H5_INT8:
        return H5T_NATIVE_INT8;
    case BG_H5_INT16:
        return H5T_NATIVE_INT16;
    case BG_H5_UINT16:
        return H5T_NATIVE_UINT16;
    case BG_H5_INT32:
        return H5T_NATIVE_INT32;
    case BG_H5_UINT32:
        return H5T_NATIVE_UINT32;
    case BG_H5_INT64:
        return H5T_NATIVE_INT64;
    case BG_H5_UINT64:
        return H5T_NATIVE_UINT64;
    case BG_H5_FLOAT32:
        return H5T_NATIVE_FLOAT;
    case BG_H5_FLOAT64:
        return H5T_NATIVE_DOUBLE;
    }
    return -1;
}

gsize
bg_h5_shape_count(const BgH5Shape *shape)
{
    gsize n = 1;

    for (int d = 0; d < shape->rank; d++) {
        if (!g_size_checked_mul(&n, n, shape->dims[d]))
            return 0;
    }
    return n;
}

// A dataset that is open for reading.
typedef struct {
    hid_t object, type, space, creation;
    BgH5Shape shape;
    H5D_layout_t layout;
    hsize_t chunk[BG_H5_MAX_RANK];
    gsize item; // bytes of an element in the file
    gboolean shuffle, deflate;
    gboolean scalar; // without dimensions
    gboolean ours;   // chunks with no filters but these two, in this order
} OpenArray;

static void
close_array(OpenArray *open)
{
    if (open->creation >= 0)
        H5Pclose(open->creation);
    if (open->space >= 0)
        H5Sclose(open->space);
    if (open->type >= 0)
        H5Tclose(open->type);
    if (open->object >= 0)
        H5Oclose(open->object);
}

static gboolean
refuse_kind(const char *path, const char *reason, GError **error)
{
    g_set_error(error, BG_ERROR, BG_ERROR_UNSUPPORTED,
                // Translators: the name of a part of a file, and a sentence about it
                _("“%s” of the HDF5 file cannot be used: %s"), path, reason);
    return FALSE;
}

static gboolean
find_type(hid_t type, BgH5Type *to)
{
    gboolean is_signed = H5Tget_sign(type) == H5T_SGN_2;

    if (H5Tget_class(type) == H5T_FLOAT) {
        *to = H5Tget_size(type) <= 4 ? BG_H5_FLOAT32 : BG_H5_FLOAT64;
        return H5Tget_size(type) <= 16;
    }
    if (H5Tget_class(type) != H5T_INTEGER)
        return FALSE;
    switch (H5Tget_size(type)) {
    case 1:
        *to = is_signed ? BG_H5_INT8 : BG_H5_UINT8;
        return TRUE;
    case 2:
        *to = is_signed ? BG_H5_INT16 : BG_H5_UINT16;
        return TRUE;
    case 4:
        *to = is_signed ? BG_H5_INT32 : BG_H5_UINT32;
        return TRUE;
    case 8:
        *to = is_signed ? BG_H5_INT64 : BG_H5_UINT64;
        return TRUE;
    default:
        return FALSE;
    }
}

static gboolean
check_filters(OpenArray *open, const char *path, GError **error)
{
    int n = H5Pget_nfilters(open->creation);

    open->ours = open->layout == H5D_CHUNKED;
    for (int i = 0; i < n; i++) {
        unsigned flags, config;
        size_t n_values = 0;
        H5Z_filter_t filter =
            H5Pget_filter2(open->creation, (unsigned) i, &flags, &n_values, NULL, 0, NULL, &config);
        if (filter == H5Z_FILTER_SHUFFLE && i == 0)
            open->shuffle = TRUE;
        else if (filter == H5Z_FILTER_DEFLATE && i == (open->shuffle ? 1 : 0))
            open->deflate = TRUE;
        else if (filter >= H5Z_FILTER_DEFLATE && filter <= H5Z_FILTER_SCALEOFFSET)
            open->ours = FALSE;
        else
            return refuse_kind(path, _("It is packed in a way that is unknown here"), error);
    }
    return TRUE;
}

static gboolean
check_room(BgH5 *h5, const OpenArray *open, const char *path, GError **error)
{
    hsize_t file_size = 0, there = H5Dget_storage_size(open->object);
    guint64 promised = open->item, possible;

    if (H5Fget_filesize(h5->file, &file_size) < 0 || there > file_size)
        there = file_size;
    possible = open->layout == H5D_CHUNKED ? there * DEFLATE_BEST : there;
    gboolean fits = TRUE;
    for (int d = 0; d < open->shape.rank; d++)
        fits = fits && g_uint64_checked_mul(&promised, promised, open->shape.dims[d]);
    if (fits && promised <= possible)
        return TRUE;
    g_set_error(error, BG_ERROR, BG_ERROR_CORRUPT,
                _("“%s” of the HDF5 file promises more than the file can hold. Get it again from "
                  "where it came from"),
                path);
    return FALSE;
}

static gboolean
check_layout(OpenArray *open, const char *path, GError **error)
{
    open->layout = H5Pget_layout(open->creation);
    if (H5Pget_external_count(open->creation) > 0 || open->layout == H5D_VIRTUAL)
        return refuse_kind(path, _("Its data lie in other files. Copy them into it first"), error);
    if (open->layout == H5D_CHUNKED) {
        gsize n_bytes = open->item;
        int rank = H5Pget_chunk(open->creation, BG_H5_MAX_RANK, open->chunk);
        gboolean ok = rank == open->shape.rank;
        for (int d = 0; ok && d < rank; d++)
            ok = open->chunk[d] > 0 && g_size_checked_mul(&n_bytes, n_bytes, open->chunk[d]);
        if (!ok || n_bytes > MAX_CHUNK_BYTES)
            return refuse_kind(path, _("Its chunks are too large"), error);
    }
    return check_filters(open, path, error);
}

static gboolean
open_array(BgH5 *h5, const char *path, OpenArray *open, GError **error)
{
    hsize_t dims[BG_H5_MAX_RANK];

    *open = (OpenArray){ .type = -1, .space = -1, .creation = -1 };
    open->object = bg_h5_open_object(h5, path, error);
    if (open->object < 0)
        return FALSE;
    if (H5Iget_type(open->object) != H5I_DATASET)
        return refuse_kind(path, _("It is no array"), error);
    open->type = H5Dget_type(open->object);
    open->space = H5Dget_space(open->object);
    open->creation = H5Dget_create_plist(open->object);
    if (open->type < 0 || open->space < 0 || open->creation < 0)
        return bg_h5_fail(h5, path, error);

    open->item = H5Tget_size(open->type);
    open->shape.rank = H5Sget_simple_extent_ndims(open->space);
    open->scalar = H5Sget_simple_extent_type(open->space) == H5S_SCALAR;
    if (open->scalar)
        open->shape.rank = 1;
    if (open->shape.rank < 1 || open->shape.rank > BG_H5_MAX_RANK)
        return refuse_kind(path, _("It does not have 1 to 5 dimensions"), error);
    if (!find_type(open->type, &open->shape.type))
        return refuse_kind(path, _("Its elements are no numbers"), error);
    if (open->scalar)
        dims[0] = 1;
    else
        H5Sget_simple_extent_dims(open->space, dims, NULL);
    for (int d = 0; d < open->shape.rank; d++) {
        open->shape.dims[d] = dims[d];
        if (dims[d] == 0)
            return refuse_kind(path, _("It is empty"), error);
    }
    return check_layout(open, path, error) && check_room(h5, open, path, error);
}

gboolean
bg_h5_inspect(BgH5 *h5, const char *path, BgH5Shape *shape, GError **error)
{
    OpenArray open;

    bg_h5_lock();
    gboolean ok = open_array(h5, path, &open, error);
    if (ok)
        *shape = open.shape;
    close_array(&open);
    bg_h5_unlock();
    return ok;
}

// Where an array's bytes are on their way.
typedef struct {
    BgH5 *h5;
    const char *path;
    hid_t dataset;
    hid_t memory_type;
    gsize memory_item;
    const BgProgress *progress;
    GCancellable *cancellable;
} Way;

// In one piece, slab by slab; or with filters that the library knows.
static gboolean
read_slabs(const Way *way, const OpenArray *open, guint64 first, guint64 count, guint8 *data,
           GError **error)
{
    int rank = open->shape.rank;
    hsize_t start[BG_H5_MAX_RANK] = { 0 }, n[BG_H5_MAX_RANK];
    gsize n_row = way->memory_item;

    for (int d = 1; d < rank; d++) {
        n[d] = open->shape.dims[d];
        n_row *= (gsize) n[d];
    }
    guint64 step = MAX(SLAB_BYTES / n_row, 1);
    if (open->layout == H5D_CHUNKED) // never unpack a chunk twice
        step = (step - 1) / open->chunk[0] * open->chunk[0] + open->chunk[0];

    for (guint64 done = 0; done < count; done += n[0]) {
        if (g_cancellable_set_error_if_cancelled(way->cancellable, error))
            return FALSE;
        start[0] = first + done;
        n[0] = MIN(step, count - done);
        hid_t memory = H5Screate_simple(rank, n, NULL);
        gboolean ok = H5Sselect_hyperslab(open->space, H5S_SELECT_SET, start, NULL, n, NULL) >= 0 &&
                      H5Dread(way->dataset, way->memory_type, memory, open->space, H5P_DEFAULT,
                              data + done * n_row) >= 0;
        H5Sclose(memory);
        if (!ok)
            return bg_h5_fail(way->h5, way->path, error);
        bg_progress_report(way->progress, (double) (done + n[0]) / (double) count);
    }
    return TRUE;
}

// One chunk on its way between file and array.
typedef struct {
    guint64 offset[BG_H5_RANK];
    GByteArray *packed; // owned; NULL: never written, so the fill value
    guint32 filter_mask;
    gboolean damaged;
} Chunk;

typedef struct {
    const BgH5Grid *grid;
    Chunk *chunks;
    guint8 *room; // a chunk's room each
    gsize room_bytes;
    gsize memory_item;
    guint8 *fill; // one element as packed, once it is needed
    gboolean fill_known;
    gboolean convert; // what is in room is not yet what @array wants
    gpointer array;
} Batch;

static void
unpack_chunks(gsize first, gsize last, guint worker, gpointer user_data)
{
    Batch *batch = user_data;
    const BgH5Grid *grid = batch->grid;

    for (gsize i = first; i < last; i++) {
        Chunk *chunk = &batch->chunks[i];
        guint8 *room = batch->room + i * batch->room_bytes;
        if (chunk->packed == NULL)
            for (gsize e = 0; e < grid->chunk_items; e++)
                memcpy(room + e * grid->item, batch->fill, grid->item);
        else
            chunk->damaged = !bg_h5_grid_unpack(grid, chunk->packed->data, chunk->packed->len,
                                                chunk->filter_mask, room);
        if (!batch->convert && !chunk->damaged)
            bg_h5_grid_scatter(grid, chunk->offset, batch->memory_item, room, batch->array);
    }
}

static gboolean
fetch_chunk(const Way *way, const OpenArray *open, Chunk *chunk, GError **error)
{
    const hsize_t *offset = (const hsize_t *) chunk->offset + BG_H5_RANK - open->shape.rank;
    hsize_t n_packed = 0, file_size = 0;

    chunk->packed = NULL;
    chunk->damaged = FALSE;
    if (H5Dget_chunk_storage_size(way->dataset, offset, &n_packed) < 0 || n_packed == 0) {
        H5Eclear2(H5E_DEFAULT);
        return TRUE;
    }
    if (H5Fget_filesize(way->h5->file, &file_size) < 0 || n_packed > file_size ||
        n_packed > G_MAXUINT)
        return bg_h5_fail(way->h5, way->path, error);
    chunk->packed = g_byte_array_new();
    g_byte_array_set_size(chunk->packed, (guint) n_packed);
    return H5Dread_chunk(way->dataset, H5P_DEFAULT, offset, &chunk->filter_mask,
                         chunk->packed->data) >= 0 ||
           bg_h5_fail(way->h5, way->path, error);
}

// What is left to do after the workers: types that differ, by the library, one after the other.
static gboolean
finish_chunks(const Way *way, const OpenArray *open, Batch *batch, gsize n, GError **error)
{
    gboolean ok = TRUE;

    for (gsize i = 0; i < n; i++) {
        Chunk *chunk = &batch->chunks[i];
        guint8 *room = batch->room + i * batch->room_bytes;
        g_clear_pointer(&chunk->packed, g_byte_array_unref);
        if (ok && chunk->damaged)
            ok = bg_h5_fail(way->h5, way->path, error);
        if (ok && batch->convert) {
            ok = H5Tconvert(open->type, way->memory_type, batch->grid->chunk_items, room, NULL,
                            H5P_DEFAULT) >= 0 ||
                 bg_h5_fail(way->h5, way->path, error);
            if (ok)
                bg_h5_grid_scatter(batch->grid, chunk->offset, batch->memory_item, room,
                                   batch->array);
        }
    }
    return ok;
}

static gboolean
read_batches(const Way *way, const OpenArray *open, Batch *batch, gsize n_batch, GError **error)
{
    const BgH5Grid *grid = batch->grid;
    guint64 next = 0;

    while (next < grid->n_chunks) {
        gsize n = 0;
        gboolean ok = !g_cancellable_set_error_if_cancelled(way->cancellable, error);
        for (; ok && next < grid->n_chunks && n < n_batch; next++) {
            if (!bg_h5_grid_locate(grid, next, batch->chunks[n].offset))
                continue;
            ok = fetch_chunk(way, open, &batch->chunks[n], error);
            if (batch->chunks[n++].packed == NULL && ok && !batch->fill_known) {
                H5Pget_fill_value(open->creation, open->type, batch->fill);
                batch->fill_known = TRUE;
            }
        }
        if (ok)
            bg_parallel_for(n, 1, unpack_chunks, batch, NULL);
        if (!ok) {
            for (gsize i = 0; i < n; i++)
                g_clear_pointer(&batch->chunks[i].packed, g_byte_array_unref);
            return FALSE;
        }
        if (!finish_chunks(way, open, batch, n, error))
            return FALSE;
        bg_progress_report(way->progress, (double) next / (double) grid->n_chunks);
    }
    return TRUE;
}

static gboolean
read_chunks(const Way *way, const OpenArray *open, guint64 first, guint64 count, gpointer data,
            GError **error)
{
    guint64 chunk[BG_H5_MAX_RANK];
    guint8 fill[16] = { 0 };
    BgH5Grid grid;

    for (int d = 0; d < open->shape.rank; d++)
        chunk[d] = open->chunk[d];
    if (!bg_h5_grid_init(&grid, open->shape.rank, open->shape.dims, chunk, open->item, first,
                         count))
        return refuse_kind(way->path, _("Its chunks are too large"), error);
    grid.shuffle = open->shuffle;
    grid.deflate = open->deflate;

    gsize room_bytes = grid.chunk_items * MAX(open->item, way->memory_item);
    // Large chunks one at a time.
    gsize n_batch =
        CLAMP((64u << 20) / room_bytes, 1, (gsize) bg_parallel_count_threads() * BATCH_PER_THREAD);
    bg_auto_buffer guint8 *room = bg_buffer_alloc_items(n_batch, room_bytes, error);
    if (room == NULL)
        return FALSE;
    g_autofree Chunk *chunks = g_new0(Chunk, n_batch);
    // The fill value is asked for when it is needed: damaged ones crash the library.
    Batch batch = { .grid = &grid,
                    .chunks = chunks,
                    .room = room,
                    .room_bytes = room_bytes,
                    .memory_item = way->memory_item,
                    .fill = fill,
                    .convert = H5Tequal(open->type, way->memory_type) <= 0,
                    .array = data };
    return read_batches(way, open, &batch, n_batch, error);
}

gboolean
bg_h5_read(BgH5 *h5, const char *path, const BgH5Shape *shape, guint64 first, guint64 count,
           gpointer data, const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    OpenArray open;

    g_return_val_if_fail(h5 != NULL && data != NULL && count > 0, FALSE);

    bg_h5_lock();
    gboolean ok = open_array(h5, path, &open, error);
    if (ok &&
        (open.shape.rank != shape->rank || first > shape->dims[0] ||
         count > shape->dims[0] - first ||
         memcmp(open.shape.dims, shape->dims, (gsize) shape->rank * sizeof *shape->dims) != 0))
        ok = refuse_kind(path, _("It has other dimensions than expected"), error);
    if (ok) {
        Way way = { h5,
                    path,
                    open.object,
                    bg_h5_memory_type(shape->type),
                    bg_h5_type_size(shape->type),
                    progress,
                    cancellable };
        if (open.scalar)
            ok = H5Dread(open.object, way.memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0 ||
                 bg_h5_fail(h5, path, error);
        else
            ok = open.ours ? read_chunks(&way, &open, first, count, data, error)
                           : read_slabs(&way, &open, first, count, data, error);
    }
    close_array(&open);
    bg_h5_unlock();
    return ok;
}

// Out

static void
choose_chunk(const BgH5Shape *shape, guint64 *chunk)
{
    guint64 n_left = MAX(CHUNK_BYTES / bg_h5_type_size(shape->type), 1);

    for (int d = shape->rank - 1; d >= 0; d--) {
        chunk[d] = MIN(shape->dims[d], n_left);
        n_left = MAX(n_left / chunk[d], 1);
    }
}

static void
pack_chunks(gsize first, gsize last, guint worker, gpointer user_data)
{
    Batch *batch = user_data;

    for (gsize i = first; i < last; i++) {
        guint8 *room = batch->room + i * batch->room_bytes;
        bg_h5_grid_gather(batch->grid, batch->chunks[i].offset, batch->array, room);
        batch->chunks[i].packed = bg_h5_grid_pack(batch->grid, room);
    }
}

static gboolean
write_batch(const Way *way, int rank, Batch *batch, gsize n, GError **error)
{
    gboolean ok = TRUE;

    for (gsize i = 0; i < n; i++) {
        Chunk *chunk = &batch->chunks[i];
        const hsize_t *offset = (const hsize_t *) chunk->offset + BG_H5_RANK - rank;
        if (ok && H5Dwrite_chunk(way->dataset, H5P_DEFAULT, 0, offset, chunk->packed->len,
                                 chunk->packed->data) < 0)
            ok = bg_h5_fail(way->h5, way->path, error);
        g_clear_pointer(&chunk->packed, g_byte_array_unref);
    }
    return ok;
}

static gboolean
write_chunks(const Way *way, const BgH5Shape *shape, const guint64 *chunk, gconstpointer data,
             GError **error)
{
    gsize n_batch = (gsize) bg_parallel_count_threads() * BATCH_PER_THREAD;
    BgH5Grid grid;

    bg_h5_grid_init(&grid, shape->rank, shape->dims, chunk, way->memory_item, 0, shape->dims[0]);
    grid.shuffle = way->memory_item > 1;
    grid.deflate = TRUE;
    gsize room_bytes = grid.chunk_items * grid.item;
    bg_auto_buffer guint8 *room = bg_buffer_alloc_items(n_batch, room_bytes, error);
    if (room == NULL)
        return FALSE;
    g_autofree Chunk *chunks = g_new0(Chunk, n_batch);
    Batch batch = { .grid = &grid,
                    .chunks = chunks,
                    .room = room,
                    .room_bytes = room_bytes,
                    .memory_item = way->memory_item,
                    .array = (gpointer) data };

    for (guint64 next = 0; next < grid.n_chunks;) {
        gsize n = (gsize) MIN((guint64) n_batch, grid.n_chunks - next);
        for (gsize i = 0; i < n; i++)
            bg_h5_grid_locate(&grid, next + i, chunks[i].offset);
        if (g_cancellable_set_error_if_cancelled(way->cancellable, error))
            return FALSE;
        bg_parallel_for(n, 1, pack_chunks, &batch, NULL);
        if (!write_batch(way, shape->rank, &batch, n, error))
            return FALSE;
        next += n;
        bg_progress_report(way->progress, (double) next / (double) grid.n_chunks);
    }
    return TRUE;
}

static hid_t
create_dataset(BgH5 *h5, const char *path, const BgH5Shape *shape, const guint64 *chunk,
               GError **error)
{
    hsize_t dims[BG_H5_MAX_RANK], chunk_dims[BG_H5_MAX_RANK];
    hid_t links = H5Pcreate(H5P_LINK_CREATE), creation = H5Pcreate(H5P_DATASET_CREATE);

    for (int d = 0; d < shape->rank; d++) {
        dims[d] = shape->dims[d];
        chunk_dims[d] = chunk == NULL ? 0 : chunk[d];
    }
    H5Pset_create_intermediate_group(links, 1);
    H5Pset_obj_track_times(creation, FALSE);
    if (chunk != NULL) {
        H5Pset_chunk(creation, shape->rank, chunk_dims);
        if (bg_h5_type_size(shape->type) > 1)
            H5Pset_shuffle(creation);
        H5Pset_deflate(creation, 3);
    }
    hid_t space = H5Screate_simple(shape->rank, dims, NULL);
    hid_t dataset = H5Dcreate2(h5->file, path, bg_h5_memory_type(shape->type), space, links,
                               creation, H5P_DEFAULT);
    if (dataset < 0)
        bg_h5_fail(h5, path, error);
    H5Sclose(space);
    H5Pclose(links);
    H5Pclose(creation);
    return dataset;
}

gboolean
bg_h5_write(BgH5 *h5, const char *path, const BgH5Shape *shape, gconstpointer data,
            const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    guint64 chunk[BG_H5_MAX_RANK];

    g_return_val_if_fail(h5 != NULL && h5->output != NULL && data != NULL, FALSE);
    g_return_val_if_fail(shape->rank >= 1 && shape->rank <= BG_H5_MAX_RANK, FALSE);
    g_return_val_if_fail(bg_h5_shape_count(shape) > 0, FALSE);

    gsize item = bg_h5_type_size(shape->type);
    gboolean packed = bg_h5_shape_count(shape) >= PACK_FROM / item;
    choose_chunk(shape, chunk);

    bg_h5_lock();
    hid_t type = bg_h5_memory_type(shape->type);
    hid_t dataset = create_dataset(h5, path, shape, packed ? chunk : NULL, error);
    Way way = { h5, path, dataset, type, item, progress, cancellable };
    gboolean ok = dataset >= 0;
    if (ok && packed)
        ok = write_chunks(&way, shape, chunk, data, error);
    else if (ok)
        ok = H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0 ||
             bg_h5_fail(h5, path, error);
    if (dataset >= 0)
        H5Dclose(dataset);
    bg_h5_unlock();
    return ok;
}

gboolean
bg_h5_write_scalar(BgH5 *h5, const char *path, BgH5Type type, double value, GError **error)
{
    g_return_val_if_fail(h5 != NULL && h5->output != NULL, FALSE);

    bg_h5_lock();
    hid_t links = H5Pcreate(H5P_LINK_CREATE), creation = H5Pcreate(H5P_DATASET_CREATE);
    hid_t space = H5Screate(H5S_SCALAR);
    H5Pset_create_intermediate_group(links, 1);
    H5Pset_obj_track_times(creation, FALSE);
    hid_t dataset =
        H5Dcreate2(h5->file, path, bg_h5_memory_type(type), space, links, creation, H5P_DEFAULT);
    gboolean ok = dataset >= 0 &&
                  H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, &value) >= 0;
    if (!ok)
        bg_h5_fail(h5, path, error);
    if (dataset >= 0)
        H5Dclose(dataset);
    H5Sclose(space);
    H5Pclose(creation);
    H5Pclose(links);
    bg_h5_unlock();
    return ok;
}

guint64
bg_h5_count_chunk_rows(BgH5 *h5, const char *path)
{
    OpenArray open;

    bg_h5_lock();
    guint64 rows =
        open_array(h5, path, &open, NULL) && open.layout == H5D_CHUNKED ? open.chunk[0] : 1;
    close_array(&open);
    bg_h5_unlock();
    return MAX(rows, 1);
}

gboolean
bg_h5_write_text(BgH5 *h5, const char *path, const char *text, GError **error)
{
    // With its NUL: an array has at least one element.
    BgH5Shape shape = { BG_H5_UINT8, 1, { strlen(text) + 1 } };

    return bg_h5_write(h5, path, &shape, text, NULL, NULL, error);
}

char *
bg_h5_read_text(BgH5 *h5, const char *path, GError **error)
{
    BgH5Shape shape;

    if (!bg_h5_inspect(h5, path, &shape, error))
        return NULL;
    if (shape.type != BG_H5_UINT8 || shape.rank != 1 || shape.dims[0] > BG_H5_MAX_TEXT) {
        refuse_kind(path, _("It is no text"), error);
        return NULL;
    }
    g_autofree char *text = g_malloc((gsize) shape.dims[0] + 1);
    if (!bg_h5_read(h5, path, &shape, 0, shape.dims[0], text, NULL, NULL, error))
        return NULL;
    text[shape.dims[0]] = '\0';
    return g_utf8_make_valid(text, -1);
}
