// SPDX-License-Identifier: Apache-2.0
// bregma-cli filter: one volume in, one volume out.
#include "bg-cli-prepare.h"

#include "core/base/bg-error.h"

#include <string.h>

static const BgCliOption options[] = {
    { "series", BG_CLI_VALUE, "=UID|N  of a folder or an archive, N from 0" },
    { "sigma", BG_CLI_VALUE, "=mm  gaussian: its standard deviation; or three, along i, j, k" },
    { "radius", BG_CLI_VALUE,
      "=voxels  median: half the side of its cube; morphology, brain-mask: mm" },
    { "spacing", BG_CLI_VALUE, "=a,b,c  resample: mm along i, j, k" },
    { "like", BG_CLI_PATH, "=FILE  resample: onto the grid of that file" },
    { "interpolation", BG_CLI_VALUE, "=nearest|linear|cubic  resample: between voxels" },
    { "box", BG_CLI_VALUE, "=i0,i1,j0,j1,k0,k1  crop: voxels, both ends kept" },
    { "label", BG_CLI_PATH, "=SEG  crop: around the labels of that map" },
    { "value", BG_CLI_VALUE, "=N  crop, morphology, distance: that label alone" },
    { "margin", BG_CLI_VALUE, "=mm  crop: around --label" },
    { "mask", BG_CLI_PATH, "=SEG  n4, normalize: where to look; mask: what to keep" },
    { "shrink", BG_CLI_VALUE, "=N  n4: one voxel in so many along each axis; 4" },
    { "iterations", BG_CLI_VALUE, "=a,b,c,d  n4: at most, at each level; 50,50,50,50" },
    { "threshold", BG_CLI_VALUE, "=N  n4: a level ends when the field changes by less; 0.001" },
    { "field", BG_CLI_PATH, "=OUT  n4: write the field too" },
    { "method", BG_CLI_VALUE,
      "=minmax|zscore|percentile|max  normalize: percentile clips, then zscore" },
    { "low", BG_CLI_VALUE, "=percent  normalize: clipped below; 0.5" },
    { "high", BG_CLI_VALUE, "=percent  normalize: clipped above; 99.5" },
    { "per-slice", BG_CLI_FLAG, "  normalize: each slice for itself" },
    { "noise", BG_CLI_VALUE, "=sigma  nlm: in the volume's unit; else estimated" },
    { "strength", BG_CLI_VALUE, "=N  nlm: times sigma; 0.8" },
    { "patch", BG_CLI_VALUE, "=voxels  nlm: half the side of a patch; 1" },
    { "search", BG_CLI_VALUE, "=voxels  nlm: how far to look; 3" },
    { "size", BG_CLI_VALUE, "=a,b,c  pad: to that many voxels, the volume in the middle" },
    { "by", BG_CLI_VALUE, "=a,b,c  pad: so many voxels at both ends" },
    { "multiple", BG_CLI_VALUE, "=N  pad: to a multiple of N" },
    { "fill", BG_CLI_VALUE, "=value  pad, mask: outside; 0" },
    { "keep", BG_CLI_VALUE, "=L,L  mask: these labels; else all" },
    { "operation", BG_CLI_VALUE, "=erode|dilate|open|close|fill|largest  morphology" },
    { "largest", BG_CLI_VALUE, "=N  clean: only so many parts stay" },
    { "least", BG_CLI_VALUE, "=ml  clean: smaller parts go" },
    { "fill-holes", BG_CLI_FLAG, "  clean: enclosed background becomes what is around it" },
    { "each-label", BG_CLI_FLAG, "  clean: parts of each label, not of all together" },
    { "signed", BG_CLI_FLAG, "  distance: negative inside" },
    { "frame", BG_CLI_VALUE, "=N  of a file with several, from 0" },
    { NULL },
};

typedef struct {
    const char *name;
    gboolean keeps_labels; // else the numbers are taken as values
    const char *options;   // its own, with blanks between
    gboolean (*run)(BgCli *cli, BgCliGrid *grid, GError **error);
} Filter;

static gboolean
run_gaussian(BgCli *cli, BgCliGrid *grid, GError **error)
{
    const char *text = bg_cli_option(cli, "sigma");
    double sigma[3];

    if (text == NULL) {
        bg_cli_usage_error(error, "how wide: filter gaussian: give --sigma=mm");
        return FALSE;
    }
    if (strchr(text, ',') == NULL) {
        if (!bg_cli_get_double(cli, "sigma", &sigma[0], error))
            return FALSE;
        sigma[1] = sigma[2] = sigma[0];
    } else if (!bg_cli_get_doubles(cli, "sigma", sigma, 3, error)) {
        return FALSE;
    }
    bg_json_set_doubles(cli->result, "sigma_mm", sigma, 3);
    return bg_cli_grid_take(grid,
                            bg_backend_gaussian(bg_cli_get_backend(cli), grid->volume,
                                                bg_vec3(sigma[0], sigma[1], sigma[2]),
                                                &cli->progress, cli->cancellable, error),
                            NULL);
}

static gboolean
run_median(BgCli *cli, BgCliGrid *grid, GError **error)
{
    int radius = 0;

    if (!bg_cli_has(cli, "radius")) {
        bg_cli_usage_error(error, "how wide: filter median: give --radius=voxels");
        return FALSE;
    }
    if (!bg_cli_get_int(cli, "radius", 0, 100, &radius, error))
        return FALSE;
    bg_json_set_integer(cli->result, "radius", radius);
    return bg_cli_grid_take(grid,
                            bg_backend_median(bg_cli_get_backend(cli), grid->volume, radius,
                                              &cli->progress, cli->cancellable, error),
                            NULL);
}

static gboolean
run_resample(BgCli *cli, BgCliGrid *grid, GError **error)
{
    BgResampleMethod method;
    BgGeometry target;
    gboolean given;

    if (!bg_cli_get_method(cli, &method, error) ||
        !bg_cli_get_target(cli, bg_cli_grid_get_geometry(grid), &target, &given, error))
        return FALSE;
    if (!given) {
        bg_cli_usage_error(error,
                           "which grid: filter resample: give --spacing=a,b,c or --like=FILE");
        return FALSE;
    }
    return bg_cli_grid_resample(cli, grid, &target, method, error);
}

static gboolean
box_of_labels(BgCli *cli, const BgGeometry *geometry, BgVoxelBox *box, GError **error)
{
    const char *path = bg_cli_option(cli, "label");
    double margin_mm = 0.0;
    int value = 0;

    if (!bg_cli_get_double(cli, "margin", &margin_mm, error) ||
        !bg_cli_get_int(cli, "value", 0, G_MAXINT, &value, error))
        return FALSE;
    g_autoptr(BgLabelMap) labels = bg_cli_load_drawn(cli, path, error);
    if (labels == NULL)
        return FALSE;
    if (!bg_geometry_equal(bg_label_map_get_geometry(labels), geometry, 1e-2)) {
        g_set_error(error, BG_ERROR, BG_ERROR_MISMATCH,
                    "cannot crop: %s: its grid is not the volume's. Resample it with --like first",
                    path);
        return FALSE;
    }
    return bg_label_map_bounds(labels, (guint32) value, margin_mm, box, error);
}

static gboolean
run_crop(BgCli *cli, BgCliGrid *grid, GError **error)
{
    const BgGeometry *geometry = bg_cli_grid_get_geometry(grid);
    double numbers[6];
    BgVoxelBox box = { 0 };

    if (bg_cli_has(cli, "box") == bg_cli_has(cli, "label")) {
        bg_cli_usage_error(error, "which part: filter crop: give --box=i0,i1,j0,j1,k0,k1, or "
                                  "--label=SEG");
        return FALSE;
    }
    if (bg_cli_has(cli, "label")) {
        if (!box_of_labels(cli, geometry, &box, error))
            return FALSE;
    } else {
        if (!bg_cli_get_doubles(cli, "box", numbers, 6, error))
            return FALSE;
        for (int n = 0; n < 6; n++) {
            int axis = n / 2, at = (int) CLAMP(numbers[n], -1.0, 1e6);
            if (at != numbers[n] || at < 0 || at >= geometry->dims[axis] ||
                (n % 2 == 1 && at < numbers[n - 1])) {
                g_set_error(error, BG_ERROR, BG_ERROR_INVALID,
                            "cannot crop: --box=%s: along %c it must be whole numbers from 0 to "
                            "%d, the smaller first",
                            bg_cli_option(cli, "box"), "ijk"[axis], geometry -> dims[axis] - 1);
                return FALSE;
            }
            *(n % 2 == 0 ? &box.first[axis] : &box.last[axis]) = at;
        }
    }
    double used[6] = { box.first[0], box.last[0],  box.first[1],
                       box.last[1],  box.first[2], box.last[2] };
    bg_json_set_doubles(cli->result, "box", used, 6);
    return grid->volume != NULL
               ? bg_cli_grid_take(grid, bg_volume_crop(grid->volume, &box, error), NULL)
               : bg_cli_grid_take(grid, NULL, bg_label_map_cut(grid->labels, &box, error));
}

static const Filter filters[] = {
    { "gaussian", FALSE, "sigma", run_gaussian },
    { "median", FALSE, "radius", run_median },
    { "resample", TRUE, "spacing like interpolation", run_resample },
    { "crop", TRUE, "box label value margin", run_crop },
    { "n4", FALSE, "mask shrink iterations threshold field", bg_cli_filter_n4 },
    { "normalize", FALSE, "method mask low high per-slice", bg_cli_filter_normalize },
    { "nlm", FALSE, "noise strength patch search", bg_cli_filter_nlm },
    { "pad", TRUE, "size by multiple fill", bg_cli_filter_pad },
    { "mask", FALSE, "mask keep fill", bg_cli_filter_mask },
    { "morphology", TRUE, "operation radius value", bg_cli_filter_morphology },
    { "brain-mask", FALSE, "radius", bg_cli_filter_brain },
    { "clean", TRUE, "largest least fill-holes each-label", bg_cli_filter_clean },
    { "distance", TRUE, "value signed", bg_cli_filter_distance },
};

// Options of other filters are refused: what they were given for would not be done.
static gboolean
check_options(const BgCli *cli, const Filter *filter, GError **error)
{
    g_auto(GStrv) own = g_strsplit(filter->options, " ", -1);

    for (guint i = 0; i + 1 < cli->options->len; i += 2) {
        const char *name = cli->options->pdata[i];
        if (strcmp(name, "series") == 0 || strcmp(name, "frame") == 0 ||
            g_strv_contains((const char *const *) own, name))
            continue;
        g_autofree char *all = g_strjoinv(", --", own);
        bg_cli_usage_error(error, "not an option of filter %s: --%s: it takes --%s", filter->name,
                           name, all);
        return FALSE;
    }
    return TRUE;
}

static gboolean
run_filter(BgCli *cli, const Filter *filter, BgCliGrid *grid, BgFileInfo **info, GError **error)
{
    const char *out = bg_cli_arg(cli, 2);
    int frame = 0;

    if (!check_options(cli, filter, error) ||
        !bg_cli_get_int(cli, "frame", 0, G_MAXINT, &frame, error) ||
        !bg_cli_check_output(cli, out, error) ||
        !bg_cli_grid_load(cli, bg_cli_arg(cli, 1), frame, grid, info, error))
        return FALSE;
    if (!filter->keeps_labels && grid->labels != NULL &&
        !bg_cli_grid_take(grid, bg_label_map_to_volume(grid->labels, error), NULL))
        return FALSE;

    bg_json_set_string(cli->result, "filter", filter->name);
    if (!filter->run(cli, grid, error)) {
        if (error == NULL || *error == NULL || (*error)->domain != BG_CLI_ERROR)
            g_prefix_error(error, "filter %s: %s: ", filter->name, bg_cli_arg(cli, 1));
        return FALSE;
    }
    return bg_cli_grid_save(cli, grid, out, *info, error) && bg_cli_set_grid(cli, grid, out, error);
}

static gboolean
run(BgCli *cli, GError **error)
{
    const char *name = bg_cli_arg(cli, 0);

    for (gsize i = 0; i < G_N_ELEMENTS(filters); i++) {
        if (strcmp(filters[i].name, name) == 0) {
            BgCliGrid grid = { 0 };
            g_autoptr(BgFileInfo) info = NULL;
            gboolean ok = run_filter(cli, &filters[i], &grid, &info, error);
            bg_cli_grid_clear(&grid);
            return ok;
        }
    }
    bg_cli_usage_error(error, "unknown filter: %s: see bregma-cli filter --help", name);
    return FALSE;
}

const BgCliCommand bg_cli_command_filter = {
    .name = "filter",
    .arguments = "gaussian|median|resample|crop|n4|normalize|nlm|pad|mask|morphology|"
                 "brain-mask|clean|distance IN OUT [OPTIONS]",
    .summary = "smooth, correct, bring to another grid, or cut out a volume",
    .min_args = 3,
    .max_args = 3,
    .path_args = 1u << 1 | 1u << 2,
    .output_arg = 2,
    .options = options,
    .run = run,
};
