/* seeds.c - "7", "1-24", "1,5,9-12" -> numbers; "7:0.4,9:0.6" -> a mix of them. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static enum bst_code bad(const char *part, size_t len, const char *why, struct bst_error *err)
{
    bst_fail(err, BST_USAGE, "the seed \"%.*s\" %s", (int)(len < 60 ? len : 60), part, why);
    return bst_hint(err, "seeds are whole numbers from 0 to 18446744073709551615: --seed 7, --seed 1-24, "
                         "--seed 1,5,9-12");
}

/* One number of a part; the part is short enough for the copy or no number at all. */
static bool number(const char *text, size_t len, uint64_t *out)
{
    char copy[32];
    if (len == 0 || len >= sizeof copy) return false;
    memcpy(copy, text, len);
    copy[len] = 0;
    return bst_parse_u64(copy, out);
}

static enum bst_code add_range(struct cli_seeds *seeds, uint64_t first, uint64_t last, struct bst_error *err)
{
    if (last - first >= CLI_SEEDS_MAX || seeds->count + (last - first) >= CLI_SEEDS_MAX) {
        bst_fail(err, BST_USAGE, "more than %u seeds were asked for", CLI_SEEDS_MAX);
        return bst_hint(err, "make them in several runs");
    }
    size_t more = (size_t)(last - first) + 1;
    uint64_t *grown = realloc(seeds->seed, (seeds->count + more) * sizeof *grown);
    if (!grown) return bst_fail_memory(err);
    seeds->seed = grown;
    for (size_t i = 0; i < more; i++)
        grown[seeds->count++] = first + i;
    return BST_OK;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static enum bst_code refuse_twice(const struct cli_seeds *seeds, struct bst_error *err)
{
    uint64_t *sorted = bst_calloc(seeds->count, sizeof *sorted);
    if (!sorted) return bst_fail_memory(err);
    memcpy(sorted, seeds->seed, seeds->count * sizeof *sorted);
    qsort(sorted, seeds->count, sizeof *sorted, compare);
    enum bst_code code = BST_OK;
    for (size_t i = 1; i < seeds->count && code == BST_OK; i++)
        if (sorted[i] == sorted[i - 1])
            code =
                bst_fail(err, BST_USAGE, "the seed %llu is asked for twice", (unsigned long long)sorted[i]);
    free(sorted);
    return code;
}

enum bst_code cli_seeds_parse(const char *text, struct cli_seeds *out, struct bst_error *err)
{
    *out = (struct cli_seeds){0};
    enum bst_code code = BST_OK;
    for (const char *part = text; code == BST_OK; part++) {
        size_t len = strcspn(part, ",");
        const char *dash = memchr(part, '-', len);
        uint64_t first, last;
        if (len == 0) {
            code = bad(text, strlen(text), "has an empty place", err);
        } else if (!dash) {
            code = number(part, len, &first) ? add_range(out, first, first, err)
                                             : bad(part, len, "is not a whole number in range", err);
        } else {
            size_t left = (size_t)(dash - part);
            if (!number(part, left, &first) || !number(dash + 1, len - left - 1, &last))
                code = bad(part, len, "is not a range of whole numbers", err);
            else if (last < first)
                code = bad(part, len, "runs backwards", err);
            else
                code = add_range(out, first, last, err);
        }
        part += len;
        if (!*part) break;
    }
    if (code == BST_OK) code = refuse_twice(out, err);
    if (code != BST_OK) cli_seeds_clear(out);
    return code;
}

void cli_seeds_clear(struct cli_seeds *seeds)
{
    free(seeds->seed);
    *seeds = (struct cli_seeds){0};
}

/* ---- mixes ---- */

static enum bst_code bad_mix(const char *part, size_t len, const char *why, struct bst_error *err)
{
    bst_fail(err, BST_USAGE, "\"%.*s\" in --mix %s", (int)(len < 60 ? len : 60), part, why);
    return bst_hint(err, "seeds with weights, the weight 1 may be left out: --mix 7:0.7,9:0.3");
}

static enum bst_code mix_part(const char *part, size_t len, struct bst_mix *out, struct bst_error *err)
{
    const char *colon = memchr(part, ':', len);
    size_t left = colon ? (size_t)(colon - part) : len;
    double weight = 1;
    if (!number(part, left, &out->seed)) return bad_mix(part, len, "does not begin with a seed", err);
    if (colon) {
        char *text = bst_format("%.*s", (int)(len - left - 1 < 40 ? len - left - 1 : 40), colon + 1);
        bool good = text && bst_parse_double(text, &weight) && weight >= -1000 && weight <= 1000;
        free(text);
        if (!good || (float)weight == 0.0f)
            return bad_mix(part, len, "has no weight within -1000 and 1000 but 0", err);
    }
    out->weight = (float)weight;
    return BST_OK;
}

enum bst_code cli_mix_parse(const char *text, struct bst_mix out[static BST_MIX_MAX], size_t *count,
                            struct bst_error *err)
{
    *count = 0;
    for (const char *part = text;; part++) {
        size_t len = strcspn(part, ",");
        if (*count == BST_MIX_MAX)
            return bst_fail(err, BST_USAGE, "--mix takes at most %d seeds", BST_MIX_MAX);
        if (mix_part(part, len, &out[*count], err) != BST_OK) return err->code;
        for (size_t i = 0; i < *count; i++)
            if (out[i].seed == out[*count].seed)
                return bst_fail(err, BST_USAGE, "--mix names the seed %llu twice",
                                (unsigned long long)out[i].seed);
        ++*count;
        part += len;
        if (!*part) break;
    }
    if (*count < 2) return bad_mix(text, strlen(text), "is a seed alone", err);
    return BST_OK;
}
