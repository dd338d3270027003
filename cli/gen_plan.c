/* gen_plan.c - options of "blindstamp gen" -> what is to be made. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "gen_plan.h"

#define INPUT_FILE_MAX (1u << 30)

/* ---- styles, privacy ---- */

static enum bst_code unknown_style(const struct bst_card *card, const char *name, struct bst_error *err)
{
    struct bst_buf known = {0};
    const char *names[BST_STYLES_MAX + 1] = {0};
    for (size_t i = 0; i < card->style_count && i < BST_STYLES_MAX; i++) {
        bst_buf_printf(&known, "%s%s", i ? ", " : "", card->styles[i]);
        names[i] = card->styles[i];
    }
    const char *list = bst_buf_string(&known), *meant = cli_closest(name, names);
    bst_fail(err, BST_USAGE, "the model has no style \"%.60s\"", name);
    if (meant)
        bst_hint(err, "did you mean %s? Its styles: %s", meant, list ? list : "");
    else
        bst_hint(err, "its styles: %s", list ? list : "");
    bst_buf_free(&known);
    return err->code;
}

/* One "name" or "name:weight". */
static enum bst_code plan_style(char *part, struct gen_plan *plan, struct bst_error *err)
{
    char *colon = strchr(part, ':');
    double weight = 1;
    if (colon) {
        *colon = 0;
        if (!bst_parse_double(colon + 1, &weight) || weight <= 0 || weight > 1000)
            return bst_fail(err, BST_USAGE, "the weight \"%.40s\" of style %.60s is no number above 0",
                            colon + 1, part);
    }
    const char *name = NULL;
    for (size_t i = 0; i < plan->card->style_count; i++)
        if (!strcmp(plan->card->styles[i], part)) name = plan->card->styles[i];
    if (!name) return unknown_style(plan->card, part, err);
    for (size_t i = 0; i < plan->style_count; i++)
        if (plan->styles[i].name == name)
            return bst_fail(err, BST_USAGE, "the style %s is given twice", name);
    plan->styles[plan->style_count++] = (struct bst_style){name, (float)weight};
    return BST_OK;
}

static enum bst_code plan_styles(const struct cli_args *args, struct gen_plan *plan, struct bst_error *err)
{
    const char *text = cli_value(args, "style");
    if (!text) return BST_OK;
    if (!plan->card->style_count)
        return bst_fail(err, BST_USAGE, "the model %s has no styles to choose from", plan->model_name);
    char *copy = bst_strdup(text);
    if (!copy) return bst_fail_memory(err);
    enum bst_code code = BST_OK;
    char *rest = NULL;
    for (char *part = strtok_r(copy, ",", &rest); part && code == BST_OK; part = strtok_r(NULL, ",", &rest))
        code = plan_style(part, plan, err);
    free(copy);
    if (code == BST_OK && !plan->style_count) code = bst_fail(err, BST_USAGE, "--style is empty");
    plan->controls.styles = plan->styles;
    plan->controls.style_count = plan->style_count;
    return code;
}

/* Names of classes are compared without case; several classes may share one, then the number tells them apart.
 */
static enum bst_code plan_label(const struct cli_args *args, struct gen_plan *plan, struct bst_error *err)
{
    const char *text = cli_value(args, "label");
    const struct bst_card *card = plan->card;
    uint64_t number = 0;
    size_t found = 0;
    if (!text) return BST_OK;
    if (card->class_count == 0)
        return bst_fail(err, BST_USAGE, "the model %s has no classes to choose from", plan->model_name);
    for (size_t i = 0; i < card->label_count; i++) {
        if (strcasecmp(card->labels[i], text)) continue;
        number = i;
        found++;
    }
    if (found > 1) {
        bst_fail(err, BST_USAGE, "several classes are called \"%.60s\"", text);
        return bst_hint(err, "one of them is --label %llu", (unsigned long long)number);
    }
    if (found == 0 && (!bst_parse_u64(text, &number) || number >= card->class_count)) {
        bst_fail(err, BST_USAGE, "the model %s has no class \"%.60s\"", plan->model_name, text);
        const char *meant =
            card->label_count > 0 ? cli_closest(text, (const char *const *)card->labels) : NULL;
        if (meant) return bst_hint(err, "did you mean \"%s\"?", meant);
        return bst_hint(err, "its classes go from 0 to %u", card->class_count - 1);
    }
    plan->controls.has_label = true;
    plan->controls.label = (uint32_t)number;
    return BST_OK;
}

static enum bst_code plan_words(const struct cli_args *args, struct gen_plan *plan, struct bst_error *err)
{
    const struct {
        const char *option;
        const char **out;
        size_t most;
        bool lines;
    } words[] = {{"title", &plan->title, 300, false},
                 {"prompt", &plan->prompt, 10000, true},
                 {"description", &plan->description, 2000, true}};
    for (size_t i = 0; i < 3; i++) {
        *words[i].out = cli_value(args, words[i].option);
        if (*words[i].out &&
            cli_words(words[i].option, *words[i].out, words[i].most, words[i].lines, err) != BST_OK)
            return err->code;
    }
    return cli_privacy(args, &plan->privacy, err);
}

static enum bst_code plan_numbers(const struct cli_args *args, struct gen_plan *plan, struct bst_error *err)
{
    double truncation = 1;
    uint64_t threads = 0, level = 0, side = 0;
    enum bst_code code = cli_fraction(args, "truncation", 0, 1.5, &truncation, err);
    if (code == BST_OK) code = cli_number(args, "threads", 1, 256, &threads, err);
    if (code == BST_OK) code = cli_number(args, "compression", 1, 9, &level, err);
    if (code == BST_OK) code = cli_memory(args, "memory", &plan->memory, err);
    if (code == BST_OK) code = cli_number(args, "tile-size", 1, BST_IMAGE_MAX_SIDE, &side, err);
    plan->controls.truncation = (float)truncation;
    plan->controls.tile = cli_has(args, "tile");
    plan->threads = (unsigned)threads;
    plan->tile_side = (uint32_t)side;
    plan->png_level = (int)level;
    plan->force = cli_has(args, "force");
    if (code == BST_OK && plan->controls.tile && !plan->card->tileable)
        code = bst_fail(err, BST_USAGE, "the model %s cannot make seamless tiles", plan->model_name);
    return code;
}

/* ---- input picture and seeds ---- */

static enum bst_code plan_input(const struct cli_args *args, struct gen_plan *plan, struct bst_error *err)
{
    const char *path = cli_value(args, "input");
    bool wanted = bst_card_has(plan->card, BST_ROLE_IMAGE);
    if (!path && !wanted) return BST_OK;
    if (!path) {
        bst_fail(err, BST_USAGE, "the model %s makes pictures from pictures, and none was given",
                 plan->model_name);
        return bst_hint(err, "--input photo.jpg");
    }
    if (!wanted) return bst_fail(err, BST_USAGE, "the model %s takes no input picture", plan->model_name);
    /* Read once: what is digested is what is decoded. */
    struct bst_buf file = {0};
    enum bst_code code = bst_file_read(path, INPUT_FILE_MAX, &file, err);
    if (code == BST_OK) code = bst_image_decode(file.data, file.len, path, &plan->input, err);
    if (code == BST_OK) {
        plan->has_input = true;
        plan->input_name = bst_path_name(path);
        plan->controls.input = &plan->input;
        bst_sha256(file.data, file.len, plan->input_sha256);
        bst_image_digest(&plan->input, plan->input_pixels_sha256);
    }
    bst_buf_free(&file);
    return code;
}

static enum bst_code plan_latent(const struct cli_args *args, struct gen_plan *plan, struct bst_error *err)
{
    const char *name = cli_value(args, "latent-generator");
    static const char *const names[] = {"philox", "numpy-randomstate", "torch-cpu", NULL};
    if (!name || bst_latent_known(name, &plan->controls.latent)) return BST_OK;
    bst_fail(err, BST_USAGE, "there is no latent generator \"%.40s\"", name);
    const char *meant = cli_closest(name, names);
    if (meant) return bst_hint(err, "did you mean %s?", meant);
    return bst_hint(err,
                    "philox is Blindstamp's own; numpy-randomstate and torch-cpu take those programs' seeds");
}

/* Seeds that the generator does not take are found before the first picture is made. */
static enum bst_code check_seeds(const struct gen_plan *plan, struct bst_error *err)
{
    enum bst_latent latent =
        plan->controls.latent == BST_LATENT_CARD ? plan->card->latent : plan->controls.latent;
    enum bst_code code = BST_OK;
    for (size_t i = 0; i < plan->seeds.count && code == BST_OK; i++)
        code = bst_latent_check(latent, plan->seeds.seed[i], err);
    for (size_t i = 0; i < plan->controls.mix_count && code == BST_OK; i++)
        code = bst_latent_check(latent, plan->mix[i].seed, err);
    return code;
}

static enum bst_code plan_seeds(const struct cli_args *args, struct gen_plan *plan, struct bst_error *err)
{
    const char *text = cli_value(args, "seed"), *mix = cli_value(args, "mix");
    bool random = bst_card_draws(plan->card);
    char drawn[24];
    if ((mix || cli_has(args, "latent-generator") || (text && strpbrk(text, ",-"))) && !random)
        return bst_fail(err, BST_USAGE,
                        "the model %s draws nothing from a seed: all these pictures would be the same",
                        plan->model_name);
    if (mix && text) return bst_fail(err, BST_USAGE, "--mix names its seeds itself; leave --seed out");
    if (plan_latent(args, plan, err) != BST_OK) return err->code;
    if (mix) {
        if (cli_mix_parse(mix, plan->mix, &plan->controls.mix_count, err) != BST_OK) return err->code;
        plan->controls.mix = plan->mix;
        snprintf(drawn, sizeof drawn, "%llu", (unsigned long long)plan->mix[0].seed);
    } else if (!text) {
        /* 32 bits keep the file's name short; whoever wants more gives the seed. */
        snprintf(drawn, sizeof drawn, "%lu", random ? (unsigned long)randombytes_random() : 0ul);
    }
    enum bst_code code = cli_seeds_parse(text ? text : drawn, &plan->seeds, err);
    return code == BST_OK && random ? check_seeds(plan, err) : code;
}

/* ---- output names ---- */

/* Letters that are harmless in a file name everywhere. */
static void append_name(struct bst_buf *buf, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     (c && strchr("._-", c)) || (unsigned char)c >= 0x80;
        bst_buf_byte(buf, plain ? (uint8_t)c : '-');
    }
}

static void append_seed(struct bst_buf *buf, const struct gen_plan *plan, size_t number)
{
    bst_buf_printf(buf, "%llu", (unsigned long long)plan->seeds.seed[number - 1]);
    for (size_t i = 1; i < plan->controls.mix_count; i++)
        bst_buf_printf(buf, "+%llu", (unsigned long long)plan->mix[i].seed);
}

/* number is the picture's place in the batch, from 1; all of a batch get as many digits. */
static enum bst_code expand(const char *pattern, const struct gen_plan *plan, size_t number,
                            struct bst_buf *out, struct bst_error *err)
{
    char last[24];
    int digits = snprintf(last, sizeof last, "%zu", plan->seeds.count);
    for (const char *p = pattern; *p;) {
        if (*p != '{') {
            bst_buf_byte(out, (uint8_t)*p++);
        } else if (!strncmp(p, "{seed}", 6)) {
            append_seed(out, plan, number);
            p += 6;
        } else if (!strncmp(p, "{n}", 3)) {
            bst_buf_printf(out, "%0*zu", digits, number);
            p += 3;
        } else if (!strncmp(p, "{model}", 7)) {
            append_name(out, plan->model_name, strlen(plan->model_name));
            p += 7;
        } else if (!strncmp(p, "{input}", 7) && plan->has_input) {
            append_name(out, plan->input_name, strcspn(plan->input_name, "."));
            p += 7;
        } else {
            bst_fail(err, BST_USAGE, "--name does not know \"%.20s\"", p);
            return bst_hint(err, "it may hold {model}, {seed}, {n} and, with --input, {input}");
        }
    }
    return bst_buf_string(out) ? BST_OK : bst_fail_memory(err);
}

static enum bst_code check_pattern(const char *pattern, const struct gen_plan *plan, struct bst_error *err)
{
    size_t len = strlen(pattern);
    if (strchr(pattern, '/')) {
        bst_fail(err, BST_USAGE, "--name is a file name, not a path");
        return bst_hint(err, "-o DIR chooses the folder");
    }
    if (len < 5 || strcmp(pattern + len - 4, ".png"))
        return bst_fail(err, BST_USAGE, "--name must end in .png");
    if (plan->seeds.count > 1 && !strstr(pattern, "{seed}") && !strstr(pattern, "{n}"))
        return bst_fail(err, BST_USAGE, "--name must hold {seed} or {n} when several pictures are made");
    return BST_OK;
}

static enum bst_code plan_paths(const struct cli_args *args, struct gen_plan *plan, struct bst_error *err)
{
    const char *pattern = cli_value(args, "name");
    if (!pattern) {
        bool random = bst_card_draws(plan->card);
        pattern = !plan->has_input ? "{model}-{seed}.png"
                  : random         ? "{model}-{input}-{seed}.png"
                                   : "{model}-{input}.png";
    }
    if (check_pattern(pattern, plan, err) != BST_OK) return err->code;
    plan->paths = bst_calloc(plan->seeds.count, sizeof *plan->paths);
    if (!plan->paths) return bst_fail_memory(err);
    for (size_t i = 0; i < plan->seeds.count; i++) {
        struct bst_buf name = {0};
        enum bst_code code = expand(pattern, plan, i + 1, &name, err);
        if (code == BST_OK && name.len > 200) {
            bst_fail(err, BST_USAGE, "the file's name would be too long");
            code = bst_hint(err, "--name PATTERN chooses another");
        }
        if (code == BST_OK && !(plan->paths[i] = bst_path_join(plan->folder, (char *)name.data)))
            code = bst_fail_memory(err);
        bst_buf_free(&name);
        if (code != BST_OK) return code;
        if (!plan->force && access(plan->paths[i], F_OK) == 0) {
            bst_fail(err, BST_USAGE, "%s exists already; nothing was made", plan->paths[i]);
            return bst_hint(err, "--force replaces it; -o DIR writes elsewhere");
        }
    }
    return BST_OK;
}

static enum bst_code plan_folder(struct gen_plan *plan, struct bst_error *err)
{
    if (access(plan->folder, F_OK) != 0) {
        if (bst_folder_make(plan->folder, 0777, err) != BST_OK)
            return bst_hint(err, "choose another folder with -o DIR");
        plan->folder_made = true;
    }
    return cli_folder_writable(plan->folder, err);
}

/* Files of weights beside the model's own, for the statement; names are borrowed from the model. */
static enum bst_code plan_weights(const struct bst_model *model, struct gen_plan *plan, struct bst_error *err)
{
    const struct bst_external_file *files = bst_model_external(model, &plan->weights_count);
    plan->weights = bst_calloc(plan->weights_count + 1, sizeof *plan->weights);
    if (!plan->weights) return bst_fail_memory(err);
    for (size_t i = 0; i < plan->weights_count; i++) {
        plan->weights[i] = (struct bst_weights_file){.name = files[i].name, .bytes = files[i].bytes};
        memcpy(plan->weights[i].sha256, files[i].digest, BST_SHA256_LEN);
    }
    return BST_OK;
}

/* ---- the whole ---- */

enum bst_code gen_plan_make(const struct cli_args *args, const struct bst_model *model, struct gen_plan *out,
                            struct bst_error *err)
{
    const char *folder = cli_value(args, "output");
    *out = (struct gen_plan){.card = bst_model_card(model), .folder = folder ? folder : "."};
    out->model_name = cli_model_name(model);
    enum bst_code code = out->model_name ? BST_OK : bst_fail_memory(err);
    if (out->card->source == BST_CARD_BESIDE) {
        char *path = bst_card_path(bst_model_path(model));
        if (path) out->card_name = bst_strdup(bst_path_name(path));
        free(path);
        if (!out->card_name) code = bst_fail_memory(err);
    }
    if (code == BST_OK) code = plan_weights(model, out, err);
    if (code == BST_OK) code = cli_size(args, "size", &out->controls.width, &out->controls.height, err);
    if (code == BST_OK) code = plan_styles(args, out, err);
    if (code == BST_OK) code = plan_label(args, out, err);
    if (code == BST_OK) code = plan_words(args, out, err);
    if (code == BST_OK) code = plan_numbers(args, out, err);
    if (code == BST_OK) code = plan_seeds(args, out, err);
    if (code == BST_OK) code = plan_input(args, out, err);
    if (code == BST_OK) code = plan_paths(args, out, err);
    if (code == BST_OK) code = plan_folder(out, err);
    if (code != BST_OK) gen_plan_clear(out);
    return code;
}

void gen_plan_clear(struct gen_plan *plan)
{
    for (size_t i = 0; plan->paths && i < plan->seeds.count; i++)
        free(plan->paths[i]);
    free(plan->paths);
    free(plan->model_name);
    free(plan->card_name);
    free(plan->weights);
    cli_seeds_clear(&plan->seeds);
    bst_image_clear(&plan->input);
    if (plan->folder_made) rmdir(plan->folder);
    *plan = (struct gen_plan){0};
}
