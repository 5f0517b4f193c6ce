// SPDX-License-Identifier: Apache-2.0
#include "core/register/bg-chessboard.h"

#include "bg-grey-private.h"
#include "core/base/bg-buffer.h"
#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

#include <math.h>
#include <string.h>

#define RING_PX 5          // ChESS's radius: works from squares of 8 px on
#define MIN_RESPONSE 30.0f // of 8-bit greys: below it there is noise only
#define PEAK_PX 3          // corners are farther apart
#define MAX_CANDIDATES 2000
#define LARGEST_PX 1400     // the longer side at which corners are looked for
#define DOUBLE_BELOW_PX 900 // smaller pictures are looked at enlarged, too
#define STEP_TOLERANCE 0.3  // a corner's distance to where it is expected, of the step there
#define MIN_EDGE 0.25f      // contrast across an edge over the corners' own
#define REFINE_STEPS 60
#define REFINED_PX 1e-4
#define WINDOW_PX 5      // half the window in which a corner is placed; more in large pictures,
#define WINDOW_PART 0.15 // that part of the distance of its neighbours,
#define WINDOW_LIMIT 0.4 // and never more than that part

typedef struct {
    double u, v;
    float response;
    int column, row; // in the grid, or G_MININT
} Candidate;

typedef struct {
    const BgGrey *grey;  // borrowed
    GArray *candidates;  // of Candidate
    GArray *queue;       // of guint: placed, neighbours not yet looked for
    int low[2], high[2]; // of the grid's indices
} Search;

// 16 places on a circle of radius 5.
static const int ring[16][2] = {
    { 0, -5 }, { 2, -5 }, { 4, -4 }, { 5, -2 }, { 5, 0 },  { 5, 2 },   { 4, 4 },   { 2, 5 },
    { 0, 5 },  { -2, 5 }, { -4, 4 }, { -5, 2 }, { -5, 0 }, { -5, -2 }, { -4, -4 }, { -2, -5 },
};

static float
ring_response(const BgGrey *grey, int i, int j)
{
    gsize w = (gsize) grey->width;
    const float *p = grey->p + (gsize) j * w + (gsize) i;
    float r[16], sum = 0.0f, diff = 0.0f, mean = 0.0f;

    for (int n = 0; n < 16; n++) {
        r[n] = grey->p[(gsize) (j + ring[n][1]) * w + (gsize) (i + ring[n][0])];
        mean += r[n];
    }
    for (int n = 0; n < 4; n++)
        sum += fabsf(r[n] + r[n + 8] - r[n + 4] - r[n + 12]);
    for (int n = 0; n < 8; n++)
        diff += fabsf(r[n] - r[n + 8]);
    float local = (p[0] + p[1] + p[-1] + p[w] + *(p - w)) * (1.0f / 5.0f);
    return sum - diff - 16.0f * fabsf(mean * (1.0f / 16.0f) - local);
}

static int
compare_response(gconstpointer a, gconstpointer b)
{
    float x = ((const Candidate *) a)->response, y = ((const Candidate *) b)->response;

    return x < y ? 1 : x > y ? -1 : 0;
}

static gboolean
is_peak(const float *response, int w, int i, int j)
{
    float here = response[(gsize) j * (gsize) w + (gsize) i];

    for (int v = -PEAK_PX; v <= PEAK_PX; v++) {
        for (int u = -PEAK_PX; u <= PEAK_PX; u++) {
            float there = response[(gsize) (j + v) * (gsize) w + (gsize) (i + u)];
            if (there > here || (there == here && (v < 0 || (v == 0 && u < 0))))
                return FALSE;
        }
    }
    return TRUE;
}

static gboolean
find_candidates(const BgGrey *grey, GArray *candidates, GError **error)
{
    int w = grey->width, h = grey->height, border = RING_PX + PEAK_PX;
    bg_auto_buffer float *response =
        bg_buffer_alloc_items((gsize) w * (gsize) h, sizeof *response, error);

    if (response == NULL)
        return FALSE;
    memset(response, 0, (gsize) w * (gsize) h * sizeof *response);
    for (int j = RING_PX; j < h - RING_PX; j++) {
        for (int i = RING_PX; i < w - RING_PX; i++)
            response[(gsize) j * (gsize) w + (gsize) i] = ring_response(grey, i, j);
    }
    for (int j = border; j < h - border; j++) {
        for (int i = border; i < w - border; i++) {
            float here = response[(gsize) j * (gsize) w + (gsize) i];
            if (here < MIN_RESPONSE || !is_peak(response, w, i, j))
                continue;
            Candidate candidate = { i, j, here, G_MININT, G_MININT };
            g_array_append_val(candidates, candidate);
        }
    }
    g_array_sort(candidates, compare_response);
    if (candidates->len > MAX_CANDIDATES)
        g_array_set_size(candidates, MAX_CANDIDATES);
    return TRUE;
}

// The point that the gradients in its window point past: sum of g g^T (q - p) = 0, with weights that
// fall to 1/e at the window's edge. Returns: FALSE when it runs away.
static gboolean
refine_corner(const BgGrey *grey, double half, double *u, double *v)
{
    int n = (int) half;
    double at_u = *u, at_v = *v;

    for (int step = 0; step < REFINE_STEPS; step++) {
        double a = 0.0, b = 0.0, c = 0.0, bu = 0.0, bv = 0.0;
        for (int j = -n; j <= n; j++) {
            for (int i = -n; i <= n; i++) {
                double x = at_u + i, y = at_v + j;
                double gx = (double) (bg_grey_at(grey, x + 1, y) - bg_grey_at(grey, x - 1, y));
                double gy = (double) (bg_grey_at(grey, x, y + 1) - bg_grey_at(grey, x, y - 1));
                double weight = exp(-(double) (i * i + j * j) / (n * n));
                double xx = weight * gx * gx, xy = weight * gx * gy, yy = weight * gy * gy;
                a += xx;
                b += xy;
                c += yy;
                bu += xx * i + xy * j;
                bv += xy * i + yy * j;
            }
        }
        double det = a * c - b * b;
        if (!(det > 1e-12 * (a + c) * (a + c)))
            return FALSE;
        double du = (c * bu - b * bv) / det, dv = (a * bv - b * bu) / det;
        at_u += du;
        at_v += dv;
        if (hypot(at_u - *u, at_v - *v) > half)
            return FALSE;
        if (hypot(du, dv) < REFINED_PX)
            break;
    }
    *u = at_u;
    *v = at_v;
    return TRUE;
}

static Candidate *
candidate_at(const Search *search, guint n)
{
    return &g_array_index(search->candidates, Candidate, n);
}

// Between two neighbours lies an edge: dark on one side, light on the other, all along. A diagonal
// runs through one square.
static gboolean
is_edge(const BgGrey *grey, const Candidate *a, const Candidate *b)
{
    double du = b->u - a->u, dv = b->v - a->v;
    float least = HUGE_VALF, most = -HUGE_VALF, contrast = MIN(a->response, b->response) / 16.0f;

    for (int k = 1; k <= 3; k++) {
        double u = a->u + 0.25 * k * du, v = a->v + 0.25 * k * dv;
        float difference = bg_grey_at(grey, u - 0.15 * dv, v + 0.15 * du) -
                           bg_grey_at(grey, u + 0.15 * dv, v - 0.15 * du);
        least = MIN(least, difference);
        most = MAX(most, difference);
    }
    return least > MIN_EDGE * contrast || most < -MIN_EDGE * contrast;
}

// The free candidate nearest to a place, within @limit.
static int
nearest_free(const Search *search, double u, double v, double limit)
{
    int best = -1;

    for (guint n = 0; n < search->candidates->len; n++) {
        const Candidate *c = candidate_at(search, n);
        double distance = hypot(c->u - u, c->v - v);
        if (c->column == G_MININT && distance < limit) {
            limit = distance;
            best = (int) n;
        }
    }
    return best;
}

static int
at_place(const Search *search, int column, int row)
{
    for (guint n = 0; n < search->candidates->len; n++) {
        const Candidate *c = candidate_at(search, n);
        if (c->column == column && c->row == row)
            return (int) n;
    }
    return -1;
}

static void
place(Search *search, guint n, int column, int row)
{
    Candidate *c = candidate_at(search, n);

    c->column = column;
    c->row = row;
    search->low[0] = MIN(search->low[0], column);
    search->low[1] = MIN(search->low[1], row);
    search->high[0] = MAX(search->high[0], column);
    search->high[1] = MAX(search->high[1], row);
    g_array_append_val(search->queue, n);
}

// The step from @c to its neighbour in a direction, from whatever of its surroundings is known.
static gboolean
expected_step(const Search *search, const Candidate *c, int dc, int dr, double *du, double *dv)
{
    static const int around[5][2] = { { 0, 0 }, { 1, 0 }, { -1, 0 }, { 0, 1 }, { 0, -1 } };

    for (int k = 0; k < 5; k++) {
        int column = c->column + around[k][0], row = c->row + around[k][1];
        for (int s = 0; s <= 1; s++) { // the step ahead beside it, or the one behind
            int from = at_place(search, column - s * dc, row - s * dr);
            int to = at_place(search, column + (1 - s) * dc, row + (1 - s) * dr);
            if (from < 0 || to < 0)
                continue;
            *du = candidate_at(search, (guint) to)->u - candidate_at(search, (guint) from)->u;
            *dv = candidate_at(search, (guint) to)->v - candidate_at(search, (guint) from)->v;
            return TRUE;
        }
    }
    return FALSE;
}

static void
grow(Search *search, int most)
{
    static const int ways[4][2] = { { 1, 0 }, { -1, 0 }, { 0, 1 }, { 0, -1 } };

    for (guint q = 0; q < search->queue->len; q++) {
        const Candidate *c = candidate_at(search, g_array_index(search->queue, guint, q));
        for (int w = 0; w < 4; w++) {
            int column = c->column + ways[w][0], row = c->row + ways[w][1];
            double du, dv;
            if (abs(column) > most || abs(row) > most || at_place(search, column, row) >= 0 ||
                !expected_step(search, c, ways[w][0], ways[w][1], &du, &dv))
                continue;
            int next = nearest_free(search, c->u + du, c->v + dv, STEP_TOLERANCE * hypot(du, dv));
            if (next >= 0 && is_edge(search->grey, c, candidate_at(search, (guint) next)))
                place(search, (guint) next, column, row);
        }
    }
}

// Two neighbours of @seed across each other, joined to it by edges.
static gboolean
start_grid(Search *search, guint seed)
{
    const Candidate *s = candidate_at(search, seed);
    int near[8];
    double distances[8];
    int n_near = 0;

    for (guint n = 0; n < search->candidates->len; n++) {
        const Candidate *c = candidate_at(search, n);
        double distance = hypot(c->u - s->u, c->v - s->v);
        if (n == seed || (n_near == 8 && distance >= distances[7]))
            continue;
        int at = n_near < 8 ? n_near++ : 7;
        for (; at > 0 && distances[at - 1] > distance; at--) {
            distances[at] = distances[at - 1];
            near[at] = near[at - 1];
        }
        distances[at] = distance;
        near[at] = (int) n;
    }
    for (int i = 0; i < n_near; i++) {
        const Candidate *a = candidate_at(search, (guint) near[i]);
        if (!is_edge(search->grey, s, a))
            continue;
        for (int j = 0; j < n_near; j++) {
            const Candidate *b = candidate_at(search, (guint) near[j]);
            double cross = (a->u - s->u) * (b->v - s->v) - (a->v - s->v) * (b->u - s->u);
            if (cross < 0.3 * distances[i] * distances[j] || distances[j] > 3.0 * distances[i] ||
                !is_edge(search->grey, s, b))
                continue;
            place(search, seed, 0, 0);
            place(search, (guint) near[i], 1, 0);
            place(search, (guint) near[j], 0, 1);
            return TRUE;
        }
    }
    return FALSE;
}

static void
forget(Search *search)
{
    for (guint n = 0; n < search->candidates->len; n++)
        candidate_at(search, n)->column = candidate_at(search, n)->row = G_MININT;
    g_array_set_size(search->queue, 0);
    memset(search->low, 0, sizeof search->low);
    memset(search->high, 0, sizeof search->high);
}

static gboolean
is_full(const Search *search, int column, int row, int columns, int rows)
{
    for (int r = 0; r < rows; r++) {
        for (int c = 0; c < columns; c++) {
            if (at_place(search, column + c, row + r) < 0)
                return FALSE;
        }
    }
    return TRUE;
}

// The one rectangle of that size that has all its corners. A larger board has several.
static int
count_full(const Search *search, int columns, int rows, int first[2])
{
    int n = 0;

    for (int row = search->low[1]; row + rows <= search->high[1] + 1; row++) {
        for (int column = search->low[0]; column + columns <= search->high[0] + 1; column++) {
            if (!is_full(search, column, row, columns, rows))
                continue;
            if (n++ == 0) {
                first[0] = column;
                first[1] = row;
            }
        }
    }
    return n;
}

static void
read_grid(const Search *search, const int first[2], int columns, int rows, gboolean turned,
          double *corners)
{
    int n = 2 * columns * rows;

    for (int r = 0; r < rows; r++) {
        for (int c = 0; c < columns; c++) {
            // A quarter turn keeps the sense: columns of the board go down the grid's rows.
            int column = turned ? rows - 1 - r : c, row = turned ? c : r;
            const Candidate *at =
                candidate_at(search, (guint) at_place(search, first[0] + column, first[1] + row));
            corners[2 * (r * columns + c)] = at->u;
            corners[2 * (r * columns + c) + 1] = at->v;
        }
    }
    if (corners[0] + corners[1] > corners[n - 2] + corners[n - 1]) { // half a turn
        for (int i = 0; i < columns * rows / 2; i++) {
            for (int k = 0; k < 2; k++) {
                double swap = corners[2 * i + k];
                corners[2 * i + k] = corners[n - 2 - 2 * i + k];
                corners[n - 2 - 2 * i + k] = swap;
            }
        }
    }
}

typedef enum { NOT_FOUND, FOUND, LARGER } Outcome;

// The largest grid that was seen, for the message.
typedef struct {
    int columns, rows, n;
} Seen;

static Outcome
search_board(Search *search, int columns, int rows, double *corners, Seen *seen)
{
    guint n_seeds = MIN(search->candidates->len, (guint) (2 * columns * rows + 40));
    g_autofree gboolean *tried = g_new0(gboolean, MAX(search->candidates->len, 1));
    Outcome outcome = NOT_FOUND;

    for (guint seed = 0; seed < n_seeds && outcome == NOT_FOUND; seed++) {
        int first[2] = { 0 };
        if (tried[seed])
            continue;
        forget(search);
        if (!start_grid(search, seed))
            continue;
        grow(search, 2 * BG_CHESSBOARD_MAX);
        for (guint n = 0; n < search->candidates->len; n++)
            tried[n] =
                tried[n] || (candidate_at(search, n)->column != G_MININT && search->queue->len > 8);
        if ((int) search->queue->len > seen->n)
            *seen = (Seen){ search->high[0] - search->low[0] + 1,
                            search->high[1] - search->low[1] + 1, (int) search->queue->len };
        int n_straight = count_full(search, columns, rows, first);
        if (n_straight == 1)
            read_grid(search, first, columns, rows, FALSE, corners);
        int n_turned = 0;
        if (columns != rows && n_straight == 0) {
            n_turned = count_full(search, rows, columns, first);
            if (n_turned == 1)
                read_grid(search, first, columns, rows, TRUE, corners);
        }
        if (n_straight + n_turned > 0)
            outcome = n_straight + n_turned == 1 ? FOUND : LARGER;
    }
    return outcome;
}

static Outcome
search_picture(const BgGrey *grey, int columns, int rows, double *corners, Seen *seen,
               GError **error)
{
    g_autoptr(GArray) candidates = g_array_new(FALSE, FALSE, sizeof(Candidate));
    g_autoptr(GArray) queue = g_array_new(FALSE, FALSE, sizeof(guint));
    Search search = { .grey = grey, .candidates = candidates, .queue = queue };

    if (grey->width < 32 || grey->height < 32 || !find_candidates(grey, candidates, error) ||
        candidates->len < (guint) (columns * rows))
        return NOT_FOUND;
    for (guint n = 0; n < candidates->len; n++) {
        Candidate *c = candidate_at(&search, n);
        refine_corner(grey, 3.0, &c->u, &c->v);
    }
    return search_board(&search, columns, rows, corners, seen);
}

// Distance of the nearest neighbour in the grid.
static double
get_spacing(const double *corners, int columns, int rows, int c, int r)
{
    static const int ways[4][2] = { { 1, 0 }, { -1, 0 }, { 0, 1 }, { 0, -1 } };
    const double *at = corners + 2 * (r * columns + c);
    double least = HUGE_VAL;

    for (int w = 0; w < 4; w++) {
        int column = c + ways[w][0], row = r + ways[w][1];
        if (column < 0 || row < 0 || column >= columns || row >= rows)
            continue;
        const double *to = corners + 2 * (row * columns + column);
        least = MIN(least, hypot(to[0] - at[0], to[1] - at[1]));
    }
    return least;
}

// At the picture's own size.
static gboolean
refine_board(const BgGrey *grey, int columns, int rows, double *corners)
{
    g_autofree double *start =
        g_memdup2(corners, sizeof *corners * 2 * (gsize) columns * (gsize) rows);

    for (int r = 0; r < rows; r++) {
        for (int c = 0; c < columns; c++) {
            double *at = corners + 2 * (r * columns + c);
            double spacing = get_spacing(start, columns, rows, c, r);
            double half = MAX(MIN((double) WINDOW_PX, floor(WINDOW_LIMIT * spacing)),
                              floor(WINDOW_PART * spacing));
            if (half < 2.0 || !refine_corner(grey, half, &at[0], &at[1]))
                return FALSE;
        }
    }
    return TRUE;
}

static gboolean
tell_not_found(int columns, int rows, Outcome outcome, Seen *seen, GError **error)
{
    if ((columns > rows) != (seen->columns > seen->rows)) { // held upright
        int swap = seen->columns;
        seen->columns = seen->rows;
        seen->rows = swap;
    }
    if (outcome == LARGER)
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    // Translators: numbers of columns and rows
                    _("There is no chessboard of %d x %d inner corners, but a larger one: %d x %d. "
                      "Count the places where four squares meet"),
                    columns, rows, seen->columns, seen->rows);
    else if (seen->n >= 9)
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("There is no chessboard of %d x %d inner corners; the largest grid found has "
                      "%d x %d with %d corners. Show the whole board, sharp and evenly lit"),
                    columns, rows, seen->columns, seen->rows, seen->n);
    else
        g_set_error(
            error, BG_ERROR, BG_ERROR_INVALID,
            _("There is no chessboard of %d x %d inner corners. Show the whole board, sharp "
              "and evenly lit"),
            columns, rows);
    return FALSE;
}

// Pixel (u, v) of a picture halved @level times (doubled: -1), in the whole one.
static void
to_full_size(double *corners, int n, int level)
{
    double scale = level < 0 ? 0.5 : (double) (1 << level);

    for (int i = 0; i < 2 * n; i++)
        corners[i] = (corners[i] + 0.5) * scale - 0.5;
}

static Outcome
try_level(const BgGrey *full, const BgGrey *grey, int level, int columns, int rows, double *corners,
          Seen *seen, GError **error)
{
    static const double blurs[] = { 0.0, 1.0, 2.0 };
    Outcome outcome = NOT_FOUND;

    for (guint b = 0; b < G_N_ELEMENTS(blurs) && outcome == NOT_FOUND && *error == NULL; b++) {
        BgGrey blurred = *grey;
        if (b > 0 && !bg_grey_blurred(grey, blurs[b], &blurred, error))
            return NOT_FOUND;
        outcome = search_picture(&blurred, columns, rows, corners, seen, error);
        if (outcome == FOUND) {
            to_full_size(corners, columns * rows, level);
            if (!refine_board(full, columns, rows, corners))
                outcome = NOT_FOUND;
        }
        if (b > 0)
            bg_grey_clear(&blurred);
    }
    return outcome;
}

gboolean
bg_chessboard_find(BgImage *image, int columns, int rows, double *corners,
                   GCancellable *cancellable, GError **error)
{
    g_autofree double *found = NULL;
    GError *failed = NULL;
    BgGrey full, now;
    Seen seen = { 0 };
    Outcome outcome = NOT_FOUND;
    int level = 0;

    if (MIN(columns, rows) < BG_CHESSBOARD_MIN || MAX(columns, rows) > BG_CHESSBOARD_MAX) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("A board of %d x %d inner corners cannot be looked for: give %d to %d"),
                    columns, rows, BG_CHESSBOARD_MIN, BG_CHESSBOARD_MAX);
        return FALSE;
    }
    if (!bg_grey_from_image(image, &full, error))
        return FALSE;
    found = g_new(double, 2 * (gsize) columns * (gsize) rows);
    now = full;
    while (outcome == NOT_FOUND && failed == NULL && MAX(now.width, now.height) >= 100 &&
           !g_cancellable_set_error_if_cancelled(cancellable, &failed)) {
        if (MAX(now.width, now.height) <= LARGEST_PX)
            outcome = try_level(&full, &now, level, columns, rows, found, &seen, &failed);
        BgGrey half = { 0 };
        if (outcome != NOT_FOUND || failed != NULL || !bg_grey_halved(&now, &half, &failed))
            break;
        if (level++ > 0)
            bg_grey_clear(&now);
        now = half;
    }
    if (level > 0)
        bg_grey_clear(&now);
    if (outcome == NOT_FOUND && failed == NULL && MAX(full.width, full.height) < DOUBLE_BELOW_PX) {
        BgGrey twice;
        if (bg_grey_doubled(&full, &twice, &failed)) {
            outcome = try_level(&full, &twice, -1, columns, rows, found, &seen, &failed);
            bg_grey_clear(&twice);
        }
    }
    bg_grey_clear(&full);
    if (failed != NULL) {
        g_propagate_error(error, failed);
        return FALSE;
    }
    if (outcome != FOUND)
        return tell_not_found(columns, rows, outcome, &seen, error);
    memcpy(corners, found, sizeof *found * 2 * (gsize) columns * (gsize) rows);
    return TRUE;
}
