// SPDX-License-Identifier: Apache-2.0
// A head made of formulas. Shapes are given by their distance in LPS millimetres, negative inside,
// and painted over each other from the skin inwards, each with a soft edge of one voxel: partial
// volume. Sizes are those of an adult's head; nobody's.
#include "bg-phantom-private.h"
#include "bg-phantom-tumour-private.h"

#include "core/base/bg-error.h"
#include "core/base/bg-parallel.h"

#include <stdatomic.h>

#define N_CHANNELS BG_PHANTOM_N_CHANNELS
#define CT_CHANNEL 4
#define MRI_NOISE 14.0f // of white matter's 700: a good scan
#define CT_NOISE 9.0f   // HU
#define LABEL_CORE 1
#define LABEL_OEDEMA 2
#define LABEL_RIM 4

typedef enum {
    AIR,
    MUSCLE,
    FAT,
    BONE,
    MARROW,
    CSF,
    GREY,
    WHITE,
    NUCLEI,
    VITREOUS,
    LENS,
    BLOOD,
    NERVE,
    CAP,
    CAPSULE,
    N_TISSUES
} Tissue;

// clang-format off
static const float intensities[N_TISSUES][N_CHANNELS] = {
    //               t1    t1ce    t2   flair    HU
    [AIR]       = {   6,     6,     6,     6, -1000 },
    [MUSCLE]    = { 320,   380,   210,   240,    52 },
    [FAT]       = { 880,   890,   560,   500,   -95 },
    [BONE]      = {  50,    50,    35,    35,  1150 },
    [MARROW]    = { 420,   450,   230,   240,   320 },
    [CSF]       = { 160,   165,   960,    90,     5 },
    [GREY]      = { 500,   510,   570,   530,    39 },
    [WHITE]     = { 710,   720,   400,   410,    30 },
    [NUCLEI]    = { 590,   600,   480,   470,    37 },
    [VITREOUS]  = { 140,   145,   990,   100,    10 },
    [LENS]      = { 430,   440,   180,   240,    85 },
    [BLOOD]     = { 260,   940,   130,   160,    56 },
    [NERVE]     = { 640,   650,   420,   420,    34 },
    [CAP]       = { 650,   660,   540,   640,    27 },
    [CAPSULE]   = { 940,   940,   900,   700,   140 },
};

// Ellipsoids painted after the skull and before the brain, then after it.
typedef struct {
    Point centre, radii; // mm
    Tissue tissue;
} Ellipsoid;

static const Ellipsoid face[] = {
    { { -33, -62,  -8 }, { 19, 27, 17 }, FAT },       // right orbit
    { {  33, -62,  -8 }, { 19, 27, 17 }, FAT },       // left orbit
    { {   0, -72, -30 }, { 12, 24, 20 }, AIR },       // nasal cavity
    { { -33, -62, -39 }, { 14, 17, 14 }, AIR },       // right maxillary sinus
    { {  34, -60, -40 }, { 15, 18, 16 }, AIR },       // left, larger
    { { 0.8f, -73, -30 }, { 1.3f, 21, 18 }, BONE },   // septum
    { {   5, -86,  15 }, { 13,  4,  8 }, AIR },       // frontal sinus, off the middle
    { {   0, -34, -22 }, { 9, 9, 8 }, AIR },          // sphenoid sinus
    { {   0, -30, -84 }, { 9, 10, 30 }, AIR },        // pharynx
    { { -22, -44,  -9 }, { 7, 16, 2 }, NERVE },       // optic nerves
    { {  22, -44,  -9 }, { 7, 16, 2 }, NERVE },
    { { -33, -69,  -8 }, { 12, 12, 12 }, VITREOUS },
    { {  33, -69,  -8 }, { 12, 12, 12 }, VITREOUS },
    { { -33, -78,  -8 }, { 4.5f, 2.2f, 4.5f }, LENS },
    { {  33, -78,  -8 }, { 4.5f, 2.2f, 4.5f }, LENS },
};

static const Ellipsoid inside_brain[] = {
    { { -19,   2,  22 }, { 5.5f, 15, 7.5f }, NUCLEI },  // right putamen and caudate
    { {  19,   2,  22 }, { 5.5f, 15, 7.5f }, NUCLEI },
    { { -10,  17,  21 }, { 6.5f, 12, 7 }, NUCLEI },     // thalami
    { {  10,  17,  21 }, { 6.5f, 12, 7 }, NUCLEI },
    { {   0,  12,  20 }, { 1.8f, 13, 8 }, CSF },        // third ventricle
    { {  -8, -14,  30 }, { 4.5f, 16, 7 }, CSF },        // lateral ventricles: the left is wider
    { {   9, -13,  31 }, { 6.5f, 18, 9 }, CSF },
    { {  -9,  10,  36 }, { 4, 20, 5 }, CSF },
    { {  10,  11,  37 }, { 6, 22, 6.5f }, CSF },
    { { -17,  32,  27 }, { 5, 13, 9 }, CSF },
    { {  19,  34,  28 }, { 7, 16, 11 }, CSF },
    { {   0,  34, -20 }, { 5, 6, 9 }, CSF },            // fourth ventricle
};
// clang-format on

typedef struct {
    const BgGeometry *geometry; // borrowed
    gboolean ct;
    guint64 seed;
    float soft_mm; // width of an edge
    BgPhantomCortex cortex;
    float bias[2][9]; // coefficients of two bias fields
    BgPhantomTumour tumours[BG_PHANTOM_MAX_TUMOURS];
    int n_tumours;
    float caps_mm;               // of the seam around the ventricles
    gint16 *samples[N_CHANNELS]; // borrowed; NULL for channels that are not asked for
    guint8 *labels;              // borrowed
    guint8 *brain;               // borrowed; NULL for CT
    const BgProgress *progress;
    atomic_int n_done; // slices
} Head;

// What has been painted so far at a point.
typedef struct {
    float value[N_CHANNELS];
    float soft_mm;
    float brain_mm; // distance of the cerebrum's and hindbrain's surface
} Paint;

static inline void
paint_values(Paint *at, float distance_mm, float soft_mm, const float *values, float factor)
{
    float share = 0.5f - distance_mm / soft_mm;

    if (share <= 0.0f)
        return;
    share = MIN(share, 1.0f);
    for (int c = 0; c < N_CHANNELS; c++)
        at->value[c] += share * (factor * values[c] - at->value[c]);
}

static inline void
paint(Paint *at, float distance_mm, Tissue tissue)
{
    paint_values(at, distance_mm, at->soft_mm, intensities[tissue], 1.0f);
}

static void
paint_list(Paint *at, Point p, const Ellipsoid *list, gsize n, float within_mm)
{
    for (gsize i = 0; i < n; i++) {
        float distance_mm = ellipsoid_mm(p, list[i].centre, list[i].radii);
        paint(at, MAX(distance_mm, within_mm), list[i].tissue);
    }
}

// A seam around the lateral ventricles, brightest in FLAIR.
static void
paint_caps(Paint *at, Point p, float width_mm, float within_mm)
{
    for (gsize i = 0; i < G_N_ELEMENTS(inside_brain); i++) {
        const Ellipsoid *e = &inside_brain[i];
        if (e->tissue != CSF || e->radii.x < 4.0f || e->centre.z < 0.0f)
            continue;
        float distance_mm = ellipsoid_mm(p, e->centre, e->radii) - width_mm;
        paint_values(at, MAX(distance_mm, within_mm), MAX(at->soft_mm, width_mm), intensities[CAP],
                     1.0f);
    }
}

static float
skin_mm(Point p)
{
    float head = ellipsoid_mm(p, (Point){ 0, 0, 22 }, (Point){ 78, 97, 81 });
    float jaw = ellipsoid_mm(p, (Point){ 0, -46, -62 }, (Point){ 52, 56, 48 });
    float neck = ellipsoid_mm(p, (Point){ 0, 18, -110 }, (Point){ 50, 58, 90 });
    float cheeks = ellipsoid_mm(p, (Point){ 0, -50, -22 }, (Point){ 59, 41, 42 });
    float nose = ellipsoid_mm(p, (Point){ 1.5f, -94, -27 }, (Point){ 12, 17, 18 });
    float right_ear = ellipsoid_mm(p, (Point){ -79, 6, -8 }, (Point){ 8, 13, 24 });
    float left_ear = ellipsoid_mm(p, (Point){ 80, 8, -11 }, (Point){ 10, 14, 26 });
    float skin = join(join(join(join(head, cheeks, 12), jaw, 20), neck, 25), nose, 10);

    return join(join(skin, right_ear, 5), left_ear, 5);
}

// The inside of the skull: cerebrum's room, the posterior fossa and the canal of the spine.
static float
cavity_mm(Point p, float skin)
{
    float upper = ellipsoid_mm(p, (Point){ 0, 0, 25 }, (Point){ 68, 86, 63 });
    float fossa = ellipsoid_mm(p, (Point){ 0, 36, -24 }, (Point){ 52, 34, 27 });
    float canal = ellipsoid_mm(p, (Point){ 0, 20, -66 }, (Point){ 12, 12, 40 });

    return MAX(join(join(MAX(upper, base_mm(p)), fossa, 12), canal, 8), skin + 10.0f);
}

// The brain's outer surface, what is white matter in it, and the vessels over it.
static void
paint_cerebrum(const Head *head, Paint *at, Point p)
{
    BgPhantomCortexAt cortex;

    if (!bg_phantom_cortex_at(&head->cortex, p, at->soft_mm, &cortex))
        return;
    paint(at, cortex.pial, GREY);
    paint(at, cortex.white, WHITE);
    paint(at, cortex.vessel, BLOOD);
    at->brain_mm = MIN(cortex.pial, cortex.vessel);
}

static void
paint_hindbrain(const Head *head, Paint *at, Point p)
{
    float cerebellum = ellipsoid_mm(p, (Point){ 0, 40, -28 }, (Point){ 45, 25, 19 });
    float stem = ellipsoid_mm(p, (Point){ 0, 18, -48 }, (Point){ 8, 8, 64 });
    float pons = ellipsoid_mm(p, (Point){ 0, 11, -16 }, (Point){ 15, 13, 14 });

    if (cerebellum < 3.0f) {
        float radius = sqrtf(p.x * p.x * 0.35f + (p.y - 20) * (p.y - 20) + (p.z + 24) * (p.z + 24));
        float folia = sinf(radius * 1.15f + 0.6f * sinf(p.x * 0.13f + head->cortex.phases[10]));
        paint(at, cerebellum, CSF);
        paint(at, cerebellum + 1.0f + 1.2f * MAX(folia, 0.0f), GREY);
        paint(at, cerebellum + 7.0f + 3.0f * folia, WHITE);
    }
    paint(at, join(stem, pons, 6), NERVE);
    at->brain_mm = MIN(at->brain_mm, MIN(cerebellum + 1.0f, join(stem, pons, 6)));
}

static void
paint_part(Paint *at, Point p, const BgPhantomTumour *tumour, const BgPhantomShape *part,
           float distance_mm)
{
    paint_values(at, distance_mm, MAX(at->soft_mm, part->soft_mm), part->value,
                 bg_phantom_tumour_patch(tumour, part, p));
}

// Returns: the label at the point.
static guint8
paint_tumour(const BgPhantomTumour *tumour, Paint *at, Point p, float cavity)
{
    float oedema = bg_phantom_tumour_mm(tumour, &tumour->oedema, p);
    float rim = bg_phantom_tumour_mm(tumour, &tumour->rim, p);
    if (MIN(oedema, rim) > MAX(2.0f, tumour->oedema.soft_mm) || cavity > -tumour->clear_mm)
        return 0;

    float core = bg_phantom_tumour_mm(tumour, &tumour->core, p);
    // Oedema follows white matter: it spares fluid, mostly the cortex too, which are told by their T1.
    gboolean takes_oedema = at->value[0] > tumour->least_t1 && at->value[0] < 760.0f;
    guint8 label = 0;
    if (oedema < 0.0f && takes_oedema)
        label = LABEL_OEDEMA;
    if (takes_oedema)
        paint_part(at, p, tumour, &tumour->oedema, oedema);
    paint_part(at, p, tumour, &tumour->rim, rim);
    core = MAX(core, rim + tumour->wall_mm);
    paint_part(at, p, tumour, &tumour->core, core);
    if (rim < 0.0f)
        label = tumour->enhances ? LABEL_RIM : LABEL_CORE;
    if (core < 0.0f)
        label = LABEL_CORE;
    return label;
}

static guint8
paint_point(const Head *head, Paint *at, Point p)
{
    float skin = skin_mm(p);
    // The capsule on the left temple: half sunk into the skin, so that it is seen from outside.
    float capsule = ellipsoid_mm(p, (Point){ 74.5f, -34, 30 }, (Point){ 5, 9, 5 });

    for (int c = 0; c < N_CHANNELS; c++)
        at->value[c] = intensities[AIR][c];
    at->brain_mm = at->soft_mm;
    if (skin > 2.0f) {
        paint(at, capsule, CAPSULE);
        return 0;
    }

    float cavity = cavity_mm(p, skin);
    paint(at, skin, MUSCLE);
    paint(at, skin + 2.2f, FAT);
    paint(at, MAX(skin + 5.0f, 11.0f - cavity), MUSCLE); // temporal, of the face and neck
    float spine = ellipsoid_mm(p, (Point){ 0, 22, -110 }, (Point){ 19, 21, 52 });
    float jaw = fabsf(ellipsoid_mm(p, (Point){ 0, -44, -64 }, (Point){ 41, 46, 30 })) - 4.5f;
    paint(at, MAX(jaw, MAX(p.z + 46.0f, p.y + 20.0f)), BONE);
    paint(at, spine, BONE);
    paint(at, spine + 3.0f, MARROW);
    paint(at, ellipsoid_mm(p, (Point){ 0, -48, -22 }, (Point){ 47, 34, 30 }), BONE);
    paint(at, ellipsoid_mm(p, (Point){ 0, -47, -23 }, (Point){ 44, 30, 26 }), MARROW);
    paint_list(at, p, face, G_N_ELEMENTS(face), skin + 2.5f);
    // Skull: two tables with marrow between; thicker at the back.
    float thickness = 6.5f + 1.5f * p.y * (1.0f / 90.0f);
    float vault = MAX(cavity - thickness, -62.0f - p.z);
    paint(at, vault, BONE);
    paint(at, MAX(vault + 2.0f, 2.0f - cavity), MARROW);
    paint(at, cavity, CSF);
    if (cavity > at->soft_mm && p.z > -40.0f) {
        paint(at, capsule, CAPSULE);
        return 0;
    }

    paint_cerebrum(head, at, p);
    paint_hindbrain(head, at, p);
    if (head->caps_mm > 0.0f)
        paint_caps(at, p, head->caps_mm, cavity + 4.0f);
    paint_list(at, p, inside_brain, G_N_ELEMENTS(inside_brain), cavity + 4.0f);
    // Sagittal sinus under the vault.
    float sinus =
        MAX(fabsf(p.x - 2.5f * sinf(p.y * (1.0f / 55.0f))) - 3.0f, fabsf(cavity + 2.5f) - 2.5f);
    if (p.z > 30.0f)
        paint(at, sinus, BLOOD);
    guint8 label = 0;
    for (int i = 0; i < head->n_tumours; i++) {
        guint8 here = paint_tumour(&head->tumours[i], at, p, cavity);
        label = here != 0 ? here : label;
    }
    return label;
}

// Second order in coordinates of -1..1: what a receive coil does.
static float
bias_at(const float *c, Point p)
{
    float x = p.x * (1.0f / 120.0f), y = p.y * (1.0f / 120.0f), z = p.z * (1.0f / 120.0f);

    return 1.0f + c[0] * x + c[1] * y + c[2] * z + c[3] * x * x + c[4] * y * y + c[5] * z * z +
           c[6] * x * y + c[7] * y * z + c[8] * z * x;
}

// Magnitudes of MRI are Rician: noise in both parts of a complex number.
static gint16
measure(const Head *head, int channel, float value, Point p, guint64 voxel)
{
    guint64 key = bg_phantom_hash(head->seed * N_CHANNELS + (guint64) channel) + 2 * voxel;
    float a = bg_phantom_normal(key);

    if (channel == CT_CHANNEL)
        return (gint16) lrintf(value + CT_NOISE * a);

    float real = value * bias_at(head->bias[channel % 2], p) + MRI_NOISE * a;
    float imaginary = MRI_NOISE * bg_phantom_normal(key + 1);
    return (gint16) lrintf(sqrtf(real * real + imaginary * imaginary));
}

static void
paint_slices(gsize first, gsize last, guint worker, gpointer user_data)
{
    Head *head = user_data;
    const int *dims = head->geometry->dims;
    Paint at = { .soft_mm = head->soft_mm };

    for (gsize k = first; k < last; k++) {
        gsize voxel = k * (gsize) dims[0] * (gsize) dims[1];
        for (int j = 0; j < dims[1]; j++) {
            for (int i = 0; i < dims[0]; i++, voxel++) {
                BgVec3 at_mm =
                    bg_affine_apply(&head->geometry->patient_from_voxel, bg_vec3(i, j, (double) k));
                Point p = { (float) at_mm.x, (float) at_mm.y, (float) at_mm.z };
                head->labels[voxel] = paint_point(head, &at, p);
                if (head->brain != NULL)
                    head->brain[voxel] = at.brain_mm < 0.0f;
                for (int c = 0; c < N_CHANNELS; c++) {
                    if (head->samples[c] != NULL)
                        head->samples[c][voxel] = measure(head, c, at.value[c], p, voxel);
                }
            }
        }
        int n_done = atomic_fetch_add(&head->n_done, 1) + 1;
        bg_progress_report(head->progress, (double) n_done / dims[2]);
    }
}

static void
head_init(Head *head, const BgGeometry *geometry, const BgPhantomParams *params)
{
    guint64 seed = params->seed;

    *head = (Head){
        .geometry = geometry,
        .ct = params->kind == BG_PHANTOM_CT_HEAD,
        .seed = seed,
        .soft_mm = (float) bg_geometry_spacing_mm(geometry).x,
    };
    bg_phantom_cortex_init(&head->cortex, seed);
    if (params->varied)
        head->caps_mm = bg_phantom_caps_mm(seed);
    if (params->tumour)
        head->n_tumours =
            bg_phantom_tumours_init(&head->cortex, seed, params->varied, head->tumours);
    for (guint field = 0; field < 2; field++) {
        for (guint i = 0; i < 9; i++)
            head->bias[field][i] = 0.12f * (float) bg_phantom_uniform(seed, 20 + 9 * field + i);
    }
}

// The label's volume by its voxels, and its centre.
static void
measure_labels(const Head *head, BgJson *truth)
{
    static const guint8 labels[] = { LABEL_CORE, LABEL_OEDEMA, LABEL_RIM };
    static const char *const names[] = { "1", "2", "4" };
    const int *dims = head->geometry->dims;
    gsize counts[5] = { 0 }, n_tumour = 0, voxel = 0;
    BgVec3 sum = { 0 };

    for (int k = 0; k < dims[2]; k++) {
        for (int j = 0; j < dims[1]; j++) {
            for (int i = 0; i < dims[0]; i++, voxel++) {
                guint8 label = head->labels[voxel];
                counts[label]++;
                if (label == LABEL_CORE || label == LABEL_RIM) {
                    sum = bg_vec3_add(sum, bg_vec3(i, j, k));
                    n_tumour++;
                }
            }
        }
    }

    double voxel_ml = bg_geometry_voxel_volume_mm3(head->geometry) / 1000.0;
    BgJson *volumes = bg_json_new_object();
    for (guint i = 0; i < G_N_ELEMENTS(labels); i++)
        bg_json_set_double(volumes, names[i], (double) counts[labels[i]] * voxel_ml);
    BgVec3 centre = bg_vec3_scale(sum, 1.0 / (double) MAX(n_tumour, 1));
    BgJson *tumour = bg_json_new_object();
    BgVec3 centre_mm = bg_affine_apply(&head->geometry->patient_from_voxel, centre);
    bg_json_set_string(tumour, "side", centre_mm.x < 0.0 ? "right" : "left");
    bg_json_set_integer(tumour, "count", head->n_tumours);
    bg_json_set(tumour, "centre_mm", bg_phantom_vec3(centre_mm));
    bg_json_set(tumour, "volumes_ml", volumes);
    bg_json_set(truth, "tumour", tumour);
}

static void
tell_landmarks(BgJson *truth)
{
    static const struct {
        const char *name;
        BgVec3 at_mm;
    } landmarks[] = {
        { "eye-right", { -33, -69, -8 } },     { "eye-left", { 33, -69, -8 } },
        { "lens-right", { -33, -78, -8 } },    { "lens-left", { 33, -78, -8 } },
        { "capsule-left", { 74.5, -34, 30 } },
    };
    BgJson *list = bg_json_new_object();

    for (guint i = 0; i < G_N_ELEMENTS(landmarks); i++)
        bg_json_set(list, landmarks[i].name, bg_phantom_vec3(landmarks[i].at_mm));
    bg_json_set(truth, "landmarks", list);
}

static gboolean
allocate(Head *head, GError **error)
{
    for (int c = 0; c < N_CHANNELS; c++) {
        if ((c == CT_CHANNEL) != head->ct)
            continue;
        head->samples[c] = bg_voxels_alloc(head->geometry, sizeof(gint16), error);
        if (head->samples[c] == NULL)
            return FALSE;
    }
    head->labels = bg_voxels_alloc(head->geometry, 1, error);
    if (head->labels != NULL && !head->ct)
        head->brain = bg_voxels_alloc(head->geometry, 1, error);
    return head->labels != NULL && (head->ct || head->brain != NULL);
}

static gboolean
hand_over(Head *head, BgPhantom *phantom, GError **error)
{
    static const char *const names[N_CHANNELS] = { "t1", "t1ce", "t2", "flair", "ct" };

    for (int c = 0; c < N_CHANNELS; c++) {
        if (head->samples[c] == NULL)
            continue;
        BgVolume *volume =
            bg_volume_new_take(head->geometry, bg_sample_format_plain(BG_SAMPLE_INT16),
                               g_steal_pointer(&head->samples[c]), error);
        if (volume == NULL)
            return FALSE;
        bg_phantom_add(phantom, names[c], head->ct ? "CT" : "MR", volume, NULL);
    }
    BgLabelMap *labels = bg_label_map_new_take(head->geometry, BG_LABEL_UINT8,
                                               g_steal_pointer(&head->labels), error);
    if (labels == NULL)
        return FALSE;
    bg_phantom_add(phantom, "labels", "SEG", NULL, labels);
    if (head->brain == NULL)
        return TRUE;
    BgLabelMap *brain =
        bg_label_map_new_take(head->geometry, BG_LABEL_UINT8, g_steal_pointer(&head->brain), error);
    if (brain == NULL)
        return FALSE;
    bg_phantom_add(phantom, "brain", "SEG", NULL, brain);
    return TRUE;
}

gboolean
bg_phantom_fill_head(BgPhantom *phantom, const BgPhantomParams *params, const BgGeometry *geometry,
                     const BgProgress *progress, GCancellable *cancellable, GError **error)
{
    Head head;

    head_init(&head, geometry, params);
    head.progress = progress;
    gboolean done = allocate(&head, error);
    if (done && !bg_parallel_for((gsize) geometry->dims[2], 1, paint_slices, &head, cancellable)) {
        g_cancellable_set_error_if_cancelled(cancellable, error);
        done = FALSE;
    }
    if (done) {
        if (head.n_tumours > 0)
            measure_labels(&head, phantom->truth);
        tell_landmarks(phantom->truth);
        done = hand_over(&head, phantom, error);
    }

    for (int c = 0; c < N_CHANNELS; c++)
        bg_voxels_free(head.samples[c]);
    bg_voxels_free(head.labels);
    bg_voxels_free(head.brain);
    return done;
}
