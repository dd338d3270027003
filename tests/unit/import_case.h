/* import_case.h - imported networks against what another program makes of them: what the texts of cases
 * (import_cases.txt, import_ncnn_cases.txt) have in common. A case is a block of lines, each a word and its values:
 *
 *   case TITLE
 *   card KEY NUMBER ...     what the card must say: scale, multiple, low, high, bgr, fixed, cell
 *   output DIMS...          the last of the picture's dims
 *   values NUMBERS...       numbers of the output at even distances
 *   range LOW HIGH          its least and greatest number
 *
 * and lines of the reader's own. The file's first block is a comment.
 */
#ifndef IMPORT_CASE_H
#define IMPORT_CASE_H

#include <math.h>

#include "import_fixture.h"

struct import_case {
    char title[128], card[128];
    int64_t output[4];
    size_t output_rank, value_count;
    float values[64], low, high;
};

/* Takes a line that is one of the above. */
static inline void case_line(struct import_case *c, const char *line)
{
    char *at = (char *)(uintptr_t)strchr(line, ' '), *end;
    if (strncmp(line, "case ", 5) == 0) snprintf(c->title, sizeof c->title, "%.100s", line + 5);
    if (strncmp(line, "card", 4) == 0) snprintf(c->card, sizeof c->card, "%.100s ", line + 4);
    if (strncmp(line, "range ", 6) == 0 && sscanf(line, "range %f %f", &c->low, &c->high) != 2) abort();
    for (; strncmp(line, "output ", 7) == 0 && c->output_rank < 4; at = end) {
        long long dim = strtoll(at, &end, 10);
        if (end == at) break;
        c->output[c->output_rank++] = dim;
    }
    for (; strncmp(line, "values ", 7) == 0 && c->value_count < 64; at = end) {
        float value = strtof(at, &end);
        if (end == at) break;
        c->values[c->value_count++] = value;
    }
}

/* Reads each block's lines with take, then runs check; begin clears what both share. Returns how many there were. */
static inline size_t cases_each(const char *path, void *arg, void (*begin)(void *arg),
                                void (*take)(void *arg, const char *line),
                                void (*check)(void *arg, size_t index))
{
    FILE *file = fopen(path, "r");
    size_t cases = 0, lines = 0;
    bool head = true;
    char line[1024];
    assert_non_null(file);
    begin(arg);
    for (bool more = true; more;) {
        more = fgets(line, sizeof line, file) != NULL;
        line[strcspn(line, "\n")] = 0;
        if (more && line[0] != 0) {
            if (!head) take(arg, line);
            lines++;
            continue;
        }
        if (!head && lines > 0) check(arg, cases++);
        begin(arg);
        head = false;
        lines = 0;
    }
    fclose(file);
    return cases;
}

static inline long case_number(const struct import_case *c, const char *key, long fallback)
{
    char word[32];
    snprintf(word, sizeof word, " %s ", key);
    const char *at = strstr(c->card, word);
    return at != NULL ? strtol(at + strlen(word), NULL, 10) : fallback;
}

static inline void case_check_values(const struct import_case *c, const char *peer,
                                     const struct bst_tensor *out)
{
    size_t count = 1;
    assert_int_equal(out->rank, 4);
    for (size_t i = 0; i < 4; i++)
        count *= (size_t)out->dims[i];
    for (size_t i = 0; i < c->output_rank; i++)
        assert_int_equal(out->dims[4 - c->output_rank + i], c->output[i]);
    float span = fmaxf(fabsf(c->low), fabsf(c->high)), worst = 0, low = out->data[0], high = out->data[0];
    for (size_t i = 0; i < c->value_count; i++)
        worst = fmaxf(worst, fabsf(out->data[i * count / c->value_count] - c->values[i]));
    for (size_t i = 0; i < count; i++) {
        low = fminf(low, out->data[i]);
        high = fmaxf(high, out->data[i]);
    }
    worst = fmaxf(worst, fmaxf(fabsf(low - c->low), fabsf(high - c->high)));
    if (!(worst <= 1e-5f * span) || !(span > 0))
        fail_msg("%s: differs from %s by %g where values reach %g", c->title, peer, (double)worst,
                 (double)span);
}

/* Opens the imported file, looks at its card and runs it. */
static inline void case_run(const struct import_case *c, const char *peer, const char *path,
                            const struct bst_tensor *inputs, size_t input_count)
{
    struct bst_error err;
    struct bst_model *model;
    struct bst_generator *generator;
    struct bst_run_options options = {.threads = 1};
    struct bst_tensor out;
    if (bst_model_open(path, &model, &err) != BST_OK) fail_msg("%s: %s", c->title, err.what);
    const struct bst_card *card = bst_model_card(model);
    assert_int_equal(card->output_scale, case_number(c, "scale", 1));
    assert_int_equal(card->input_count, input_count);
    assert_true(card->output_low == (float)case_number(c, "low", 0));
    assert_true(card->output_high == (float)case_number(c, "high", 1));
    assert_int_equal(card->output_bgr, case_number(c, "bgr", 0));
    assert_int_equal(card->fixed_size, case_number(c, "fixed", 0));
    if (case_number(c, "multiple", 0) > 0)
        assert_int_equal(card->size_multiple, case_number(c, "multiple", 0));
    if (case_number(c, "cell", 0) > 0) assert_int_equal(card->inputs[0].cell, case_number(c, "cell", 0));
    assert_int_equal(bst_generator_new(model, &options, &generator, &err), BST_OK);
    if (bst_generator_run(generator, inputs, input_count, &out, &err) != BST_OK)
        fail_msg("%s: %s %s", c->title, err.where, err.what);
    case_check_values(c, peer, &out);
    free(out.data);
    bst_generator_free(generator);
    bst_model_free(model);
}

#endif
