/* stamp_words.c - which words a stamped file may show. The one place that knows the privacy profiles of a
 * file; statement.c does the same for the signed statement. */
#include "metadata.h"
#include "c2pa.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Words go into XML and onto terminals: text without control characters but newline and tab. */
static enum bst_code check_words(const char *name, const char *words, struct bst_error *err)
{
    if (words == NULL) return BST_OK;
    size_t len = strlen(words);
    if (len > (1u << 20)) return bst_fail(err, BST_USAGE, "the %s is longer than 1 MiB", name);
    if (!bst_utf8_valid(words, len)) return bst_fail(err, BST_USAGE, "the %s is not valid UTF-8", name);
    for (const unsigned char *p = (const unsigned char *)words; *p != 0; p++) {
        if ((*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7f) {
            return bst_fail(err, BST_USAGE, "the %s contains the control character 0x%02x", name, *p);
        }
    }
    return BST_OK;
}

/* At most four decimals, without trailing zeros; snprintf's %g would follow the locale. */
static void put_number(struct bst_buf *out, float value)
{
    long scaled = lroundf(value * 10000.0f);
    char text[32];
    snprintf(text, sizeof(text), "%s%ld.%04ld", scaled < 0 ? "-" : "", labs(scaled) / 10000,
             labs(scaled) % 10000);
    char *end = text + strlen(text) - 1;
    while (*end == '0') {
        *end-- = 0;
    }
    if (*end == '.') *end = 0;
    bst_buf_text(out, text);
}

static void put_styles(struct bst_buf *out, const struct bst_generation *generation)
{
    for (size_t i = 0, shown = 0; i < generation->style_count; i++) {
        if (generation->style_weights[i] == 0.0f) continue;
        bst_buf_printf(out, "%s%s:", shown++ == 0 ? "" : ", ", generation->style_names[i]);
        put_number(out, generation->style_weights[i]);
    }
}

static void put_mix(struct bst_buf *out, const struct bst_generation *generation)
{
    for (size_t i = 0; i < generation->mix_count; i++) {
        bst_buf_printf(out, "%s%llu:", i == 0 ? "" : ", ", (unsigned long long)generation->mix_seeds[i]);
        put_number(out, generation->mix_weights[i]);
    }
}

/* One "Key: value" pair; a value with a comma, colon, quote or newline is written as a JSON string, as the
 * readers of this format expect. */
static void put_pair(struct bst_buf *out, const char *key, const char *value)
{
    bst_buf_printf(out, "%s%s: ", out->len == 0 || out->data[out->len - 1] == '\n' ? "" : ", ", key);
    if (strpbrk(value, ",:\n\"") == NULL) {
        bst_buf_text(out, value);
        return;
    }
    json_t *text = json_string(value);
    char *quoted = text == NULL ? NULL : json_dumps(text, JSON_ENCODE_ANY);
    if (quoted == NULL) {
        out->failed = true;
    } else {
        bst_buf_text(out, quoted);
    }
    free(quoted);
    json_decref(text);
}

/* Prompt, newline, then one line of pairs. */
static char *parameters_text(const struct bst_generation *generation, const struct bst_words *words)
{
    struct bst_buf out = {0}, value = {0};
    char text[96];
    if (words->prompt != NULL) bst_buf_printf(&out, "%s\n", words->prompt);
    put_pair(&out, "Steps", "1");
    snprintf(text, sizeof(text), "%llu", (unsigned long long)generation->seed);
    put_pair(&out, "Seed", text);
    put_mix(&value, generation);
    if (value.len > 0) put_pair(&out, "Mix", bst_buf_string(&value));
    value.len = 0;
    if (generation->latent_generator != NULL)
        put_pair(&out, "Latent generator", generation->latent_generator);
    snprintf(text, sizeof(text), "%ux%u", generation->width, generation->height);
    put_pair(&out, "Size", text);
    bst_hex(generation->model_sha256, 5, text);
    put_pair(&out, "Model hash", text);
    put_pair(&out, "Model", generation->model_name);
    put_number(&value, generation->truncation);
    put_pair(&out, "Truncation", value.failed ? "" : bst_buf_string(&value));
    value.len = 0;
    put_styles(&value, generation);
    if (value.len > 0) put_pair(&out, "Styles", bst_buf_string(&value));
    if (generation->has_label) {
        snprintf(text, sizeof(text), "%u", generation->label);
        put_pair(&out, "Label", text);
    }
    if (generation->tile) put_pair(&out, "Tiling", "True");
    if (generation->input_name != NULL) {
        bst_hex(generation->input_pixels_sha256, 5, text);
        put_pair(&out, "Input hash", text);
    }
    put_pair(&out, "Version", "Blindstamp " BST_VERSION);
    bool failed = value.failed;
    bst_buf_free(&value);
    char *made = failed ? NULL : bst_buf_string(&out);
    if (made == NULL) bst_buf_free(&out);
    return made;
}

/* IPTC AIPromptInformation: the prompt, then the controls. */
static char *prompt_text(const struct bst_generation *generation, const struct bst_words *words)
{
    struct bst_buf out = {0};
    if (words->prompt != NULL) bst_buf_printf(&out, "%s; ", words->prompt);
    bst_buf_printf(&out, "seed=%llu; truncation=", (unsigned long long)generation->seed);
    put_number(&out, generation->truncation);
    if (generation->mix_count > 0) {
        bst_buf_text(&out, "; mix=");
        put_mix(&out, generation);
    }
    if (generation->latent_generator != NULL)
        bst_buf_printf(&out, "; latent_generator=%s", generation->latent_generator);
    if (generation->has_label) bst_buf_printf(&out, "; label=%u", generation->label);
    if (generation->style_count > 0) {
        bst_buf_text(&out, "; styles=");
        put_styles(&out, generation);
    }
    char *made = bst_buf_string(&out);
    if (made == NULL) bst_buf_free(&out);
    return made;
}

static char *seed_text(const struct bst_generation *generation)
{
    struct bst_buf out = {0};
    if (generation->mix_count == 0) return bst_format("%llu", (unsigned long long)generation->seed);
    put_mix(&out, generation);
    char *made = bst_buf_string(&out);
    if (made == NULL) bst_buf_free(&out);
    return made;
}

static enum bst_code fill_owned(const struct bst_generation *generation, struct bst_words *out,
                                struct bst_error *err)
{
    bool open = generation->privacy != BST_PRIVATE;
    char hash[BST_SHA256_HEX];
    bst_hex(generation->model_sha256, BST_SHA256_LEN, hash);
    out->copyright = bst_format("Copyright %.4s %s", out->created, out->author);
    out->usage = bst_format("For permission to use this picture, ask %s%s%s%s%s%s.", out->author,
                            out->email == NULL ? "" : " <", out->email == NULL ? "" : out->email,
                            out->email == NULL ? "" : ">", out->url == NULL ? "" : ", ",
                            out->url == NULL ? "" : out->url);
    out->ai_system = open ? bst_format("%s", out->model) : bst_strdup("Blindstamp");
    out->ai_version = open ? bst_format("Blindstamp " BST_VERSION ", model sha256 %s", hash)
                           : bst_strdup("Blindstamp " BST_VERSION);
    if (open) out->ai_prompt = prompt_text(generation, out);
    if (open) out->parameters = parameters_text(generation, out);
    if (open && !generation->seedless) out->seed = seed_text(generation);
    bool made =
        out->copyright != NULL && out->usage != NULL && out->ai_system != NULL && out->ai_version != NULL;
    return made && (!open || (out->ai_prompt != NULL && out->parameters != NULL &&
                              (generation->seedless || out->seed != NULL)))
               ? BST_OK
               : bst_fail_memory(err);
}

enum bst_code bst_words_fill(const struct bst_generation *generation, const struct bst_identity *author,
                             struct bst_words *out, struct bst_error *err)
{
    const struct {
        const char *name, *words;
    } all[] = {
        {"author's name", author->name},
        {"e-mail address", author->email},
        {"author's URL", author->url},
        {"title", generation->title},
        {"description", generation->description},
        {"prompt", generation->prompt},
        {"model's name", generation->model_name},
        {"model's title", generation->model_title},
    };
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        enum bst_code code = check_words(all[i].name, all[i].words, err);
        if (code != BST_OK) return code;
    }
    for (size_t i = 0; i < generation->style_count; i++) {
        enum bst_code code = check_words("name of a style", generation->style_names[i], err);
        if (code != BST_OK) return code;
    }
    out->author = author->name;
    out->email = author->email;
    out->url = author->url;
    out->image_id = generation->image_id;
    out->source_type = generation->input_name != NULL ? BST_SOURCE_COMPOSITE : BST_SOURCE_GENERATED;
    bst_time_text(generation->finished_ms, out->created);
    if (generation->privacy == BST_PUBLIC) {
        out->title = generation->title;
        out->description = generation->description;
        out->prompt = generation->prompt;
    }
    if (generation->privacy != BST_PRIVATE) {
        out->model = generation->model_title != NULL ? generation->model_title : generation->model_name;
        out->model_sha256 = generation->model_sha256;
    }
    enum bst_code code = fill_owned(generation, out, err);
    if (code != BST_OK) bst_words_clear(out);
    return code;
}

void bst_words_clear(struct bst_words *words)
{
    free(words->copyright);
    free(words->usage);
    free(words->ai_system);
    free(words->ai_version);
    free(words->ai_prompt);
    free(words->parameters);
    free(words->seed);
    memset(words, 0, sizeof(*words));
}
