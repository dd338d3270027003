/* model_bench.c - blindstamp model bench: how long a picture takes, with one thread and with all, and where the
 * time goes. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "model_verbs.h"

#define RUNS_DEFAULT 5
#define RUNS_MAX     1000
#define NODES_SHOWN  10

struct bench {
    const struct model_call *call;
    struct bst_model *model;
    struct bst_image input; /* for a model that changes pictures */
    struct bst_controls controls;
    uint64_t runs;
    struct cli_progress progress;
    struct bst_network network; /* of the last row, measured with --profile */
};

struct row {
    unsigned threads;
    double first, median, best; /* seconds */
    uint64_t peak;              /* bytes of the whole program */
};

/* ---- measuring ---- */

static int by_seconds(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static uint64_t peak_bytes(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_maxrss * 1024 : 0;
}

static enum bst_code make(struct bench *b, struct bst_generator *generator, double *seconds,
                          struct bst_error *err)
{
    struct bst_image image;
    double start = bst_monotonic_s();
    enum bst_code code = bst_generate(generator, &b->controls, &image, NULL, err);
    *seconds = bst_monotonic_s() - start;
    if (code == BST_OK) bst_image_clear(&image);
    return code;
}

/* The first picture pays for the plan and for packing the weights. With --profile the pictures are measured by
 * another generator: looking at the clock costs time. */
static enum bst_code measure(struct bench *b, unsigned threads, struct row *out, struct bst_error *err)
{
    struct bst_generator *generator = NULL;
    const struct bst_run_options options = {
        .threads = threads, .progress = cli_progress_step, .progress_arg = &b->progress};
    double *seconds = bst_calloc(b->runs, sizeof *seconds), start = bst_monotonic_s(), ignored;
    enum bst_code code =
        seconds ? bst_generator_new(b->model, &options, &generator, err) : bst_fail_memory(err);
    if (code == BST_OK) code = make(b, generator, &ignored, err);
    out->threads = threads;
    out->first = bst_monotonic_s() - start;
    for (uint64_t i = 0; i < b->runs && code == BST_OK; i++) {
        cli_progress_piece(&b->progress, i, b->runs);
        code = make(b, generator, &seconds[i], err);
    }
    if (code == BST_OK) {
        qsort(seconds, b->runs, sizeof *seconds, by_seconds);
        out->best = seconds[0];
        out->median = (seconds[(b->runs - 1) / 2] + seconds[b->runs / 2]) / 2;
        out->peak = peak_bytes();
    }
    bst_network_clear(&b->network);
    if (code == BST_OK)
        code = bst_network_describe(generator, b->controls.width, b->controls.height, &b->network, err);
    bst_generator_free(generator);
    free(seconds);
    return code;
}

static enum bst_code profile(struct bench *b, unsigned threads, struct bst_error *err)
{
    struct bst_generator *generator = NULL;
    const struct bst_run_options options = {.threads = threads, .profile = true};
    double ignored;
    enum bst_code code = bst_generator_new(b->model, &options, &generator, err);
    for (uint64_t i = 0; i < b->runs && code == BST_OK; i++)
        code = make(b, generator, &ignored, err);
    bst_network_clear(&b->network);
    if (code == BST_OK)
        code = bst_network_describe(generator, b->controls.width, b->controls.height, &b->network, err);
    bst_generator_free(generator);
    return code;
}

/* ---- the profile ---- */

struct share { /* of one operator, or of one layer */
    const struct bst_layer *layer;
    size_t count;
    double seconds;
    uint64_t macs;
};

static int by_time(const void *a, const void *b)
{
    const struct share *x = a, *y = b;
    return (x->seconds < y->seconds) - (x->seconds > y->seconds);
}

/* Sums by operator and algorithm, the slowest first. New memory. */
static struct share *by_operator(const struct bst_network *network, size_t *count)
{
    struct share *list = bst_calloc(network->layer_count, sizeof *list);
    *count = 0;
    for (size_t i = 0; list && i < network->layer_count; i++) {
        const struct bst_layer *layer = &network->layers[i];
        size_t k = 0;
        while (k < *count &&
               (strcmp(list[k].layer->op, layer->op) || list[k].layer->algorithm != layer->algorithm))
            k++;
        if (k == *count) list[(*count)++] = (struct share){.layer = layer};
        list[k].count++;
        list[k].seconds += layer->seconds;
        list[k].macs += layer->macs;
    }
    if (list) qsort(list, *count, sizeof *list, by_time);
    return list;
}

static struct share *by_layer(const struct bst_network *network, size_t *count)
{
    struct share *list = bst_calloc(network->layer_count, sizeof *list);
    *count = list ? network->layer_count : 0;
    for (size_t i = 0; i < *count; i++)
        list[i] = (struct share){&network->layers[i], 1, network->layers[i].seconds, network->layers[i].macs};
    if (list) qsort(list, *count, sizeof *list, by_time);
    if (*count > NODES_SHOWN) *count = NODES_SHOWN;
    return list;
}

static double gflops(uint64_t macs, double seconds)
{
    return seconds > 0 ? 2 * (double)macs / seconds / 1e9 : 0;
}

static json_t *shares_json(const struct share *list, size_t count, uint64_t runs, bool layers)
{
    json_t *json = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct bst_layer *layer = list[i].layer;
        double each = list[i].seconds / (double)runs;
        json_t *item = json_pack("{s:s, s:s?, s:f, s:f}", "op", layer->op, "algorithm", layer->algorithm,
                                 "ms", each * 1000, "gflops", gflops(list[i].macs, each));
        if (layers) {
            json_t *dims = json_array();
            for (size_t d = 0; d < layer->rank; d++)
                json_array_append_new(dims, json_integer(layer->dims[d]));
            json_object_set_new(item, "name", cli_json_text(layer->name));
            json_object_set_new(item, "dims", dims);
            json_object_set_new(item, "fused", json_string(layer->fused));
        } else {
            json_object_set_new(item, "count", json_integer((json_int_t)list[i].count));
        }
        json_array_append_new(json, item);
    }
    return json;
}

static void share_row(struct cli_table *table, const struct share *share, uint64_t runs, double total,
                      bool layer)
{
    char ms[32], part[32], speed[32], count[32], dims[MODEL_DIMS_TEXT], op[64];
    double each = share->seconds / (double)runs;
    snprintf(op, sizeof op, "%s%s%s", share->layer->op, share->layer->algorithm ? ", " : "",
             share->layer->algorithm ? share->layer->algorithm : "");
    snprintf(ms, sizeof ms, "%.2f ms", each * 1000);
    snprintf(part, sizeof part, "%.0f %%", total > 0 ? share->seconds * 100 / total : 0);
    snprintf(speed, sizeof speed, share->macs > 0 ? "%.1f" : "-", gflops(share->macs, each));
    snprintf(count, sizeof count, "%zu", share->count);
    model_dims_text(share->layer->rank, share->layer->dims, dims);
    const char *name = share->layer->name[0] ? share->layer->name : "-";
    const char *cells[] = {op, ms, part, speed, layer ? dims : count, layer ? share->layer->fused : "", name};
    cli_table_row(table, cells);
}

static enum bst_code print_profile(const struct bst_network *network, struct bst_error *err)
{
    static const char *const heads[2][7] = {{"OPERATOR", "TIME", "SHARE", "GFLOP/S", "LAYERS", "", ""},
                                            {"SLOWEST", "TIME", "SHARE", "GFLOP/S", "MAKES", "WITH", "NODE"}};
    double total = 0;
    for (size_t i = 0; i < network->layer_count; i++)
        total += network->layers[i].seconds;
    for (size_t part = 0; part < 2; part++) {
        struct cli_table table;
        size_t count;
        struct share *list = part == 0 ? by_operator(network, &count) : by_layer(network, &count);
        if (!list) return bst_fail_memory(err);
        fputc('\n', stdout);
        cli_table_begin(&table, part == 0 ? 5 : 7, heads[part]);
        for (size_t i = 0; i < count; i++)
            share_row(&table, &list[i], network->runs, total, part == 1);
        free(list);
        if (cli_table_end(&table, err) != BST_OK) return err->code;
    }
    return BST_OK;
}

/* ---- the answer ---- */

static json_t *row_json(const struct row *row, const struct bst_network *network)
{
    return json_pack("{s:i, s:f, s:f, s:f, s:f, s:I, s:I}", "threads", row->threads, "median_ms",
                     row->median * 1000, "best_ms", row->best * 1000, "first_ms", row->first * 1000, "gflops",
                     gflops(network->macs, row->median), "memory", (json_int_t)network->memory, "peak",
                     (json_int_t)row->peak);
}

static void print_row(struct cli_table *table, const struct row *row, const struct bst_network *network)
{
    char threads[16], median[32], best[32], first[32], speed[32], memory[24], peak[24];
    snprintf(threads, sizeof threads, "%u", row->threads);
    snprintf(median, sizeof median, "%.1f ms", row->median * 1000);
    snprintf(best, sizeof best, "%.1f ms", row->best * 1000);
    snprintf(first, sizeof first, "%.1f ms", row->first * 1000);
    snprintf(speed, sizeof speed, "%.1f", gflops(network->macs, row->median));
    cli_bytes(network->memory, memory);
    cli_bytes(row->peak, peak);
    cli_table_row(table, (const char *[]){threads, median, best, first, speed, memory, peak});
}

static enum bst_code report(struct bench *b, const struct row *rows, size_t count, struct bst_error *err)
{
    static const char *const heads[] = {"THREADS", "PICTURE", "BEST", "FIRST", "GFLOP/S", "PLAN", "PEAK"};
    bool profiled = cli_has(b->call->args, "profile");
    if (cli_has(b->call->args, "json")) {
        json_t *list = json_array();
        for (size_t i = 0; i < count; i++)
            json_array_append_new(list, row_json(&rows[i], &b->network));
        json_t *all = json_pack("{s:o, s:i, s:i, s:I, s:I, s:o}", "model", cli_json_text(b->call->operand),
                                "width", (int)b->controls.width, "height", (int)b->controls.height, "macs",
                                (json_int_t)b->network.macs, "runs", (json_int_t)b->runs, "rows", list);
        for (size_t part = 0; profiled && part < 2; part++) {
            size_t shares;
            struct share *found =
                part == 0 ? by_operator(&b->network, &shares) : by_layer(&b->network, &shares);
            json_object_set_new(all, part == 0 ? "operators" : "slowest",
                                shares_json(found, shares, b->network.runs, part == 1));
            free(found);
        }
        return cli_json_take(all, true, err);
    }
    struct cli_table table;
    printf("%u x %u, %.2f GMAC, median of %llu pictures\n", b->controls.width, b->controls.height,
           (double)b->network.macs / 1e9, (unsigned long long)b->runs);
    cli_table_begin(&table, 7, heads);
    for (size_t i = 0; i < count; i++)
        print_row(&table, &rows[i], &b->network);
    if (cli_table_end(&table, err) != BST_OK) return err->code;
    return profiled ? print_profile(&b->network, err) : BST_OK;
}

static enum bst_code prepare(struct bench *b, struct bst_error *err)
{
    const struct cli_args *args = b->call->args;
    const struct bst_card *card = bst_model_card(b->model);
    b->runs = RUNS_DEFAULT;
    enum bst_code code = cli_number(args, "runs", 1, RUNS_MAX, &b->runs, err);
    if (code == BST_OK) code = cli_size(args, "size", &b->controls.width, &b->controls.height, err);
    if (code != BST_OK) return code;
    b->controls.seed = 1;
    b->controls.truncation = 1;
    if (b->controls.width == 0) {
        b->controls.width = card->width;
        b->controls.height = card->height;
    }
    if (!bst_card_has(card, BST_ROLE_IMAGE)) return BST_OK;
    uint32_t w = b->controls.width / card->output_scale, h = b->controls.height / card->output_scale;
    code = bst_image_new(w ? w : 1, h ? h : 1, 3, 8, &b->input, err);
    for (size_t i = 0; code == BST_OK && i < bst_image_size(&b->input); i++)
        b->input.samples[i] = (uint8_t)(i * 7 + i / 3 / w);
    b->controls.width = (w ? w : 1) * card->output_scale;
    b->controls.height = (h ? h : 1) * card->output_scale;
    b->controls.input = &b->input;
    return code;
}

enum bst_code model_bench(const struct model_call *call, struct bst_error *err)
{
    struct bench b = {.call = call};
    struct row rows[2] = {{0}};
    struct bst_pool *pool = NULL; /* says how many threads "all" are */
    uint64_t given = 0;
    size_t count = 0;
    enum bst_code code = cli_model_open(call->places, call->operand, &b.model, err);
    if (code == BST_OK) code = prepare(&b, err);
    if (code == BST_OK) code = cli_number(call->args, "threads", 1, 256, &given, err);
    if (code == BST_OK) code = bst_pool_new((unsigned)given, &pool, err);
    unsigned all = code == BST_OK ? bst_pool_threads(pool) : 1;
    bst_pool_free(pool);
    cli_interrupt_catch();
    cli_progress_begin(&b.progress, "measuring", call->args);
    if (code == BST_OK && given == 0 && all > 1) code = measure(&b, 1, &rows[count++], err);
    if (code == BST_OK) code = measure(&b, all, &rows[count++], err);
    if (code == BST_OK && cli_has(call->args, "profile")) code = profile(&b, all, err);
    cli_progress_clear(&b.progress);
    if (code == BST_OK) code = report(&b, rows, count, err);
    bst_network_clear(&b.network);
    bst_image_clear(&b.input);
    bst_model_free(b.model);
    return code;
}
