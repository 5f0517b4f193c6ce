// SPDX-License-Identifier: Apache-2.0
#include "core/register/bg-frame-graph.h"

#include "core/base/bg-error.h"
#include "core/base/bg-i18n.h"

typedef struct {
    char *id, *uid, *patient; // owned
} Node;

typedef struct {
    char *id, *method, *date; // owned
    guint fixed, moving;      // nodes
    BgAffine fixed_from_moving, moving_from_fixed;
    double check_mm;
    guint n_check;
} Link;

struct _BgFrameGraph {
    GPtrArray *nodes; // of Node
    GPtrArray *links; // of Link
};

static void
free_node(gpointer data)
{
    Node *node = data;

    g_free(node->id);
    g_free(node->uid);
    g_free(node->patient);
    g_free(node);
}

static void
free_link(gpointer data)
{
    Link *link = data;

    g_free(link->id);
    g_free(link->method);
    g_free(link->date);
    g_free(link);
}

BgFrameGraph *
bg_frame_graph_new(void)
{
    BgFrameGraph *graph = g_new0(BgFrameGraph, 1);

    graph->nodes = g_ptr_array_new_with_free_func(free_node);
    graph->links = g_ptr_array_new_with_free_func(free_link);
    return graph;
}

void
bg_frame_graph_free(BgFrameGraph *graph)
{
    g_ptr_array_unref(graph->nodes);
    g_ptr_array_unref(graph->links);
    g_free(graph);
}

static gboolean
find_node(const BgFrameGraph *graph, const char *id, guint *index)
{
    for (guint i = 0; i < graph->nodes->len; i++) {
        const Node *node = graph->nodes->pdata[i];
        if (g_strcmp0(node->id, id) == 0) {
            *index = i;
            return TRUE;
        }
    }
    return FALSE;
}

gboolean
bg_frame_graph_add(BgFrameGraph *graph, const char *id, const char *uid, const char *patient,
                   GError **error)
{
    guint index;

    if (id == NULL || *id == '\0' || find_node(graph, id, &index)) {
        g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                    _("The frame of reference “%s” cannot be taken in: it has no name, or is there "
                      "already. Name it otherwise"),
                    id != NULL ? id : "");
        return FALSE;
    }
    Node *node = g_new0(Node, 1);
    node->id = g_strdup(id);
    node->uid = g_strdup(uid != NULL ? uid : "");
    node->patient = g_strdup(patient != NULL ? patient : "");
    g_ptr_array_add(graph->nodes, node);
    return TRUE;
}

static gboolean
are_two_patients(const BgFrameGraph *graph, guint a, guint b)
{
    const Node *first = graph->nodes->pdata[a], *second = graph->nodes->pdata[b];

    return *first->patient != '\0' && *second->patient != '\0' &&
           g_strcmp0(first->patient, second->patient) != 0;
}

static gboolean
refuse_patients(const char *a, const char *b, GError **error)
{
    g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                _("“%s” and “%s” are of two patients and must not meet. Remove one, or type the "
                  "reason why both belong together"),
                a, b);
    return FALSE;
}

gboolean
bg_frame_graph_link(BgFrameGraph *graph, const BgFrameLink *link, GError **error)
{
    guint fixed, moving;
    BgAffine inverse;

    if (!find_node(graph, link->fixed, &fixed) || !find_node(graph, link->moving, &moving) ||
        fixed == moving || !bg_affine_invert(&link->fixed_from_moving, &inverse)) {
        g_set_error(
            error, BG_ERROR, BG_ERROR_INVALID,
            _("The registration “%s” cannot be taken in: it does not join two things of the "
              "case, or its matrix flattens space. Make it again"),
            link->id);
        return FALSE;
    }
    if (are_two_patients(graph, fixed, moving))
        return refuse_patients(link->fixed, link->moving, error);
    Link *own = g_new0(Link, 1);
    own->id = g_strdup(link->id);
    own->method = g_strdup(link->method != NULL ? link->method : "");
    own->date = g_strdup(link->date != NULL ? link->date : "");
    own->fixed = fixed;
    own->moving = moving;
    own->fixed_from_moving = link->fixed_from_moving;
    own->moving_from_fixed = inverse;
    own->check_mm = link->check_mm;
    own->n_check = link->n_check;
    g_ptr_array_add(graph->links, own);
    return TRUE;
}

static gboolean
share_uid(const BgFrameGraph *graph, guint a, guint b)
{
    const Node *first = graph->nodes->pdata[a], *second = graph->nodes->pdata[b];

    return *first->uid != '\0' && g_strcmp0(first->uid, second->uid) == 0;
}

// How a node was reached on the way from b: @link is NULL for an equal frame.
typedef struct {
    gboolean seen;
    guint from;
    const Link *link;
    BgAffine map; // node from b
    guint n_links;
} Visit;

// Fewest registrations first: equal frames cost none, so they are followed at once.
static void
visit_equals(const BgFrameGraph *graph, Visit *visits, GArray *queue, guint at)
{
    for (guint i = 0; i < graph->nodes->len; i++) {
        if (visits[i].seen || !share_uid(graph, at, i) || are_two_patients(graph, at, i))
            continue;
        visits[i] = visits[at];
        visits[i].from = at;
        visits[i].link = NULL;
        g_array_append_val(queue, i);
    }
}

static void
visit_links(const BgFrameGraph *graph, Visit *visits, GArray *queue, guint at)
{
    for (guint i = 0; i < graph->links->len; i++) {
        const Link *link = graph->links->pdata[i];
        guint to = link->moving == at ? link->fixed : link->moving;
        if ((link->moving != at && link->fixed != at) || visits[to].seen)
            continue;
        visits[to].seen = TRUE;
        visits[to].from = at;
        visits[to].link = link;
        visits[to].n_links = visits[at].n_links + 1;
        visits[to].map = bg_affine_multiply(link->moving == at ? &link->fixed_from_moving
                                                               : &link->moving_from_fixed,
                                            &visits[at].map);
        g_array_append_val(queue, to);
        visit_equals(graph, visits, queue, to);
    }
}

// Returns: (transfer full): of all nodes, from @start on
static Visit *
visit_all(const BgFrameGraph *graph, guint start)
{
    Visit *visits = g_new0(Visit, graph->nodes->len);
    g_autoptr(GArray) queue = g_array_new(FALSE, FALSE, sizeof(guint));

    visits[start].seen = TRUE;
    visits[start].map = bg_affine_identity();
    g_array_append_val(queue, start);
    visit_equals(graph, visits, queue, start);
    for (guint i = 0; i < queue->len; i++)
        visit_links(graph, visits, queue, g_array_index(queue, guint, i));
    return visits;
}

static GPtrArray *
chain_to(const Visit *visits, guint start, guint end)
{
    g_autoptr(GPtrArray) backwards = g_ptr_array_new();
    GPtrArray *chain = g_ptr_array_new_with_free_func(g_free);

    for (guint at = end; at != start; at = visits[at].from)
        if (visits[at].link != NULL)
            g_ptr_array_add(backwards, visits[at].link->id);
    for (guint i = backwards->len; i-- > 0;)
        g_ptr_array_add(chain, g_strdup(backwards->pdata[i]));
    return chain;
}

BgFrameRelation
bg_frame_graph_relate(const BgFrameGraph *graph, const char *a, const char *b, BgAffine *a_from_b,
                      GPtrArray **chain)
{
    guint end, start;

    if (!find_node(graph, a, &end) || !find_node(graph, b, &start))
        return BG_FRAMES_UNKNOWN;
    if (are_two_patients(graph, end, start))
        return BG_FRAMES_OTHER_PATIENT;
    g_autofree Visit *visits = visit_all(graph, start);
    if (!visits[end].seen)
        return BG_FRAMES_UNKNOWN;
    if (a_from_b != NULL)
        *a_from_b = visits[end].map;
    if (chain != NULL)
        *chain = chain_to(visits, start, end);
    return visits[end].n_links > 0 ? BG_FRAMES_REGISTERED : BG_FRAMES_SAME;
}

gboolean
bg_frame_graph_check(const BgFrameGraph *graph, const char *a, const char *b, GError **error)
{
    switch (bg_frame_graph_relate(graph, a, b, NULL, NULL)) {
    case BG_FRAMES_SAME:
    case BG_FRAMES_REGISTERED:
        return TRUE;
    case BG_FRAMES_OTHER_PATIENT:
        return refuse_patients(a, b, error);
    case BG_FRAMES_UNKNOWN:
        break;
    }
    g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                _("“%s” and “%s” cannot be brought together: nothing says how their frames of "
                  "reference lie to each other. Register one to the other first"),
                a, b);
    return FALSE;
}

static const Link *
find_link(const BgFrameGraph *graph, const char *id)
{
    for (guint i = 0; i < graph->links->len; i++) {
        const Link *link = graph->links->pdata[i];
        if (g_strcmp0(link->id, id) == 0)
            return link;
    }
    return NULL;
}

static char *
describe_link(const Link *link)
{
    g_autofree char *head = NULL;

    if (isfinite(link->check_mm) && link->n_check > 0)
        head = g_strdup_printf(
            // Translators: a method, an error in mm, a number of points
            ngettext("Registered by %s, check error %.1f mm (%u point)",
                     "Registered by %s, check error %.1f mm (%u points)", link->n_check),
            link->method, link->check_mm, link->n_check);
    else
        // Translators: %s is a method
        head = g_strdup_printf(_("Registered by %s, not checked"), link->method);
    return *link->date != '\0' ? g_strjoin(", ", head, link->date, NULL) : g_steal_pointer(&head);
}

char *
bg_frame_graph_describe(const BgFrameGraph *graph, const char *a, const char *b)
{
    g_autoptr(GPtrArray) chain = NULL;

    switch (bg_frame_graph_relate(graph, a, b, NULL, &chain)) {
    case BG_FRAMES_SAME:
        return g_strdup(_("Same frame of reference"));
    case BG_FRAMES_OTHER_PATIENT:
        return g_strdup(_("Another patient"));
    case BG_FRAMES_UNKNOWN:
        return g_strdup(_("Not registered"));
    case BG_FRAMES_REGISTERED:
        break;
    }
    if (chain->len == 1)
        return describe_link(find_link(graph, chain->pdata[0]));
    return g_strdup_printf(
        ngettext("Registered over %u step", "Registered over %u steps", chain->len), chain->len);
}
