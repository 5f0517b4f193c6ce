// SPDX-License-Identifier: Apache-2.0
#include "core/base/bg-error.h"
#include "core/register/bg-frame-graph.h"

#include <string.h>

static BgAffine
shift(double x, double y, double z)
{
    BgAffine a = bg_affine_identity();

    a.m[0][3] = x, a.m[1][3] = y, a.m[2][3] = z;
    return a;
}

static BgAffine
quarter_turn(void)
{
    return (BgAffine){ { { 0, -1, 0, 5 }, { 1, 0, 0, 6 }, { 0, 0, 1, 7 } } };
}

// mri - t2 (one frame) ... ct - photo-points, and a stranger.
static BgFrameGraph *
make_graph(void)
{
    BgFrameGraph *graph = bg_frame_graph_new();
    const BgFrameLink ct = { .id = "r1",
                             .fixed = "mri",
                             .moving = "ct",
                             .method = "mutual information",
                             .date = "2026-11-21",
                             .fixed_from_moving = quarter_turn(),
                             .check_mm = 1.24,
                             .n_check = 4 };
    const BgFrameLink points = { .id = "r2",
                                 .fixed = "points",
                                 .moving = "ct",
                                 .method = "landmarks",
                                 .fixed_from_moving = shift(1, 2, 3),
                                 .check_mm = NAN };

    g_assert_true(bg_frame_graph_add(graph, "mri", "1.2.3", "DOE", NULL));
    g_assert_true(bg_frame_graph_add(graph, "t2", "1.2.3", "DOE", NULL));
    g_assert_true(bg_frame_graph_add(graph, "ct", "1.2.9", "DOE", NULL));
    g_assert_true(bg_frame_graph_add(graph, "points", "", "", NULL));
    g_assert_true(bg_frame_graph_add(graph, "nifti", "", "", NULL));
    g_assert_true(bg_frame_graph_add(graph, "stranger", "1.2.3", "ROE", NULL));
    g_assert_true(bg_frame_graph_link(graph, &ct, NULL));
    g_assert_true(bg_frame_graph_link(graph, &points, NULL));
    return graph;
}

static void
test_relations(void)
{
    g_autoptr(BgFrameGraph) graph = make_graph();
    const struct {
        const char *a, *b;
        BgFrameRelation relation;
        const char *text;
    } cases[] = {
        { "mri", "mri", BG_FRAMES_SAME, "Same frame of reference" },
        { "mri", "t2", BG_FRAMES_SAME, "Same frame of reference" },
        { "mri", "ct", BG_FRAMES_REGISTERED,
          "Registered by mutual information, check error 1.2 mm (4 points), 2026-11-21" },
        { "ct", "t2", BG_FRAMES_REGISTERED,
          "Registered by mutual information, check error 1.2 mm (4 points), 2026-11-21" },
        { "points", "ct", BG_FRAMES_REGISTERED, "Registered by landmarks, not checked" },
        { "points", "t2", BG_FRAMES_REGISTERED, "Registered over 2 steps" },
        { "mri", "nifti", BG_FRAMES_UNKNOWN, "Not registered" },
        { "points", "nifti", BG_FRAMES_UNKNOWN, "Not registered" },
        { "mri", "nobody", BG_FRAMES_UNKNOWN, "Not registered" },
        { "mri", "stranger", BG_FRAMES_OTHER_PATIENT, "Another patient" },
        { "stranger", "ct", BG_FRAMES_OTHER_PATIENT, "Another patient" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text = bg_frame_graph_describe(graph, cases[i].a, cases[i].b);
        g_assert_cmpint(bg_frame_graph_relate(graph, cases[i].a, cases[i].b, NULL, NULL), ==,
                        cases[i].relation);
        g_assert_cmpstr(text, ==, cases[i].text);
        gboolean ok = bg_frame_graph_check(graph, cases[i].a, cases[i].b, &error);
        g_assert_true(ok == (cases[i].relation <= BG_FRAMES_REGISTERED));
        if (!ok)
            g_assert_error(error, BG_ERROR, BG_ERROR_MISMATCH);
    }
}

static void
test_maps_compose(void)
{
    g_autoptr(BgFrameGraph) graph = make_graph();
    g_autoptr(GPtrArray) chain = NULL;
    BgAffine map, back;

    // points <- ct <- t2's frame: by hand: the inverse turn, then the shift.
    g_assert_cmpint(bg_frame_graph_relate(graph, "points", "t2", &map, &chain), ==,
                    BG_FRAMES_REGISTERED);
    BgVec3 found = bg_affine_apply(&map, bg_vec3(5 - 20, 6 + 10, 7 + 30));
    g_assert_cmpfloat(bg_vec3_distance(found, bg_vec3(10 + 1, 20 + 2, 30 + 3)), <, 1e-12);
    g_assert_cmpuint(chain->len, ==, 2);
    g_assert_cmpstr(chain->pdata[0], ==, "r1");
    g_assert_cmpstr(chain->pdata[1], ==, "r2");
    g_assert_cmpint(bg_frame_graph_relate(graph, "t2", "points", &back, NULL), ==,
                    BG_FRAMES_REGISTERED);
    BgAffine both = bg_affine_multiply(&map, &back), identity = bg_affine_identity();
    g_assert_cmpfloat(bg_affine_max_difference(&both, &identity), <, 1e-12);
}

static void
test_refuses(void)
{
    g_autoptr(BgFrameGraph) graph = make_graph();
    const BgFrameLink good = { .id = "r3",
                               .fixed = "mri",
                               .moving = "nifti",
                               .method = "landmarks",
                               .fixed_from_moving = quarter_turn() };
    g_autoptr(GError) error = NULL;
    BgFrameLink bad = good;

    bad.moving = "stranger";
    g_assert_false(bg_frame_graph_link(graph, &bad, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_MISMATCH);
    g_clear_error(&error);
    bad.moving = "nobody";
    g_assert_false(bg_frame_graph_link(graph, &bad, &error));
    g_assert_error(error, BG_ERROR, BG_ERROR_INVALID);
    g_clear_error(&error);
    bad.moving = "mri";
    g_assert_false(bg_frame_graph_link(graph, &bad, NULL));
    bad = good;
    memset(&bad.fixed_from_moving, 0, sizeof bad.fixed_from_moving);
    g_assert_false(bg_frame_graph_link(graph, &bad, NULL));
    g_assert_false(bg_frame_graph_add(graph, "mri", "", "", NULL));
    g_assert_false(bg_frame_graph_add(graph, "", "", "", NULL));
    g_assert_true(bg_frame_graph_link(graph, &good, NULL));
    g_assert_cmpint(bg_frame_graph_relate(graph, "ct", "nifti", NULL, NULL), ==,
                    BG_FRAMES_REGISTERED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/frame-graph/relations", test_relations);
    g_test_add_func("/frame-graph/maps-compose", test_maps_compose);
    g_test_add_func("/frame-graph/refuses", test_refuses);
    return g_test_run();
}
