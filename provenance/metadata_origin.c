/* metadata_origin.c - what a file's metadata says of how the picture was made, in the manner of each program: the
 * parameters that AUTOMATIC1111 and its kin write, the graphs of ComfyUI, the records of InvokeAI and NovelAI, and the
 * plain fields of EXIF and XMP. Nothing here is believed; it is only put in order. */
#include "metadata.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX (32u << 10) /* bytes of one text that are kept */
#define TEXT_MAX  (2u << 20) /* of a JSON text that is taken apart: in memory it grows to fifteen times that */
#define LINK_MAX  32         /* steps from a sampler to its prompt */

static void put(json_t *out, const char *name, json_t *value)
{
    if (value != NULL && json_object_get(out, name) == NULL) {
        json_object_set_new(out, name, value);
    } else {
        json_decref(value);
    }
}

/* At most WORDS_MAX bytes, cut where a character begins. */
static void put_text(json_t *out, const char *name, const char *text, size_t len)
{
    if (len > WORDS_MAX) {
        for (len = WORDS_MAX; len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80;)
            len--;
    }
    while (len > 0 && isspace((unsigned char)text[len - 1]))
        len--;
    if (len > 0) put(out, name, json_stringn(text, len));
}

static void put_string(json_t *out, const char *name, const json_t *value)
{
    if (json_is_string(value)) put_text(out, name, json_string_value(value), json_string_length(value));
}

/* Seeds are texts in statements: JSON's numbers do not hold 64 bits. */
static void put_seed(json_t *out, const json_t *value)
{
    char text[24];
    uint64_t seed;
    if (json_is_string(value) && bst_parse_u64(json_string_value(value), &seed))
        put_string(out, "seed", value);
    if (!json_is_integer(value) || json_integer_value(value) < 0) return;
    snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
    put(out, "seed", json_string(text));
}

/* ---- AUTOMATIC1111: prompt, "Negative prompt: ...", and a last line of "Key: value" pairs ---- */

/* The value behind ", Key: " in the last line; a quoted one without its quotes. */
static void put_pair(json_t *out, const char *name, const char *line, const char *key)
{
    size_t len = strlen(key);
    for (const char *p = line; (p = strstr(p, key)) != NULL; p += len) {
        if ((p != line && strncmp(p - 2, ", ", 2) != 0) || strncmp(p + len, ": ", 2) != 0) continue;
        const char *value = p + len + 2;
        size_t size = strcspn(value, ",\n");
        if (*value == '"') {
            size = strcspn(++value, "\"\n");
        }
        put_text(out, name, value, size);
        return;
    }
}

static void read_parameters(const char *text, json_t *out)
{
    const char *last = strrchr(text, '\n');
    last = last == NULL ? text : last + 1;
    if (strncmp(last, "Steps: ", 7) != 0) return;
    const char *negative = strstr(text, "Negative prompt: ");
    const char *end = negative != NULL && negative < last ? negative : last;
    put(out, "program", json_string("AUTOMATIC1111"));
    put_text(out, "prompt", text, (size_t)(end - text));
    if (end == negative) put_text(out, "negativePrompt", negative + 17, (size_t)(last - negative - 17));
    put_pair(out, "seed", last, "Seed");
    put_pair(out, "model", last, "Model");
    put_pair(out, "modelHash", last, "Model hash");
    put_pair(out, "sampler", last, "Sampler");
    put_pair(out, "version", last, "Version");
}

/* ---- ComfyUI: {"3":{"class_type":"KSampler","inputs":{"seed":1,"positive":["6",0]}},...} ---- */

/* The text that a link leads to, through nodes that only pass it on. */
static const json_t *linked_text(const json_t *graph, const json_t *link)
{
    for (int i = 0; i < LINK_MAX && json_is_array(link); i++) {
        const char *id = json_string_value(json_array_get(link, 0));
        const json_t *inputs = id == NULL ? NULL : json_object_get(json_object_get(graph, id), "inputs");
        const json_t *text = json_object_get(inputs, "text");
        if (json_is_string(text)) return text;
        link = json_is_array(text) ? text : json_object_get(inputs, "conditioning");
    }
    return NULL;
}

static void read_graph(const char *text, json_t *out)
{
    struct bst_error ignored;
    json_t *graph, *node;
    const char *id;
    bool found = false;
    if (strlen(text) > TEXT_MAX || bst_json_parse(text, strlen(text), &graph, &ignored) != BST_OK) return;
    json_object_foreach(graph, id, node)
    {
        const char *class = bst_json_text(node, "class_type");
        const json_t *inputs = json_object_get(node, "inputs");
        if (class == NULL) continue;
        found = true;
        if (strstr(class, "KSampler") != NULL) {
            put_seed(out, json_object_get(inputs, json_object_get(inputs, "seed") ? "seed" : "noise_seed"));
            put_string(out, "prompt", linked_text(graph, json_object_get(inputs, "positive")));
            put_string(out, "negativePrompt", linked_text(graph, json_object_get(inputs, "negative")));
            put_string(out, "sampler", json_object_get(inputs, "sampler_name"));
        }
        put_string(out, "model", json_object_get(inputs, "ckpt_name"));
        put_string(out, "model", json_object_get(inputs, "unet_name"));
    }
    if (found) put(out, "program", json_string("ComfyUI"));
    json_decref(graph);
}

/* ---- InvokeAI, NovelAI: one JSON object ---- */

static void read_invoke(const char *text, json_t *out)
{
    struct bst_error ignored;
    json_t *record;
    if (strlen(text) > TEXT_MAX || bst_json_parse(text, strlen(text), &record, &ignored) != BST_OK) return;
    put(out, "program", json_string("InvokeAI"));
    put_string(out, "version", json_object_get(record, "app_version"));
    put_string(out, "prompt", json_object_get(record, "positive_prompt"));
    put_string(out, "negativePrompt", json_object_get(record, "negative_prompt"));
    put_seed(out, json_object_get(record, "seed"));
    put_string(out, "model", json_object_get(json_object_get(record, "model"), "name"));
    put_string(out, "modelHash", json_object_get(json_object_get(record, "model"), "hash"));
    put_string(out, "sampler", json_object_get(record, "scheduler"));
    json_decref(record);
}

static void read_novel(const char *text, const json_t *fields, json_t *out)
{
    struct bst_error ignored;
    json_t *record;
    if (strlen(text) > TEXT_MAX || bst_json_parse(text, strlen(text), &record, &ignored) != BST_OK) return;
    put(out, "program", json_string("NovelAI"));
    put_string(out, "model", json_object_get(fields, "Source"));
    put_string(out, "prompt", json_object_get(record, "prompt"));
    put_string(out, "prompt", json_object_get(fields, "Description"));
    put_string(out, "negativePrompt", json_object_get(record, "uc"));
    put_seed(out, json_object_get(record, "seed"));
    put_string(out, "sampler", json_object_get(record, "sampler"));
    json_decref(record);
}

/* ---- the whole ---- */

json_t *bst_metadata_origin(const json_t *metadata)
{
    const json_t *text = json_object_get(metadata, "text"), *exif = json_object_get(metadata, "exif"),
                 *xmp = json_object_get(metadata, "xmp");
    json_t *out = json_object();
    const char *parameters = bst_json_text(text, "parameters"), *graph = bst_json_text(text, "prompt");
    const char *invoke = bst_json_text(text, "invokeai_metadata"), *comment = bst_json_text(text, "Comment");
    const char *software = bst_json_text(text, "Software");
    if (out == NULL) return NULL;
    if (parameters == NULL) parameters = bst_json_text(exif, "UserComment");
    if (parameters != NULL) read_parameters(parameters, out);
    if (graph != NULL) read_graph(graph, out);
    if (invoke != NULL) read_invoke(invoke, out);
    if (comment != NULL && software != NULL && strcmp(software, "NovelAI") == 0)
        read_novel(comment, text, out);
    put_string(out, "software", json_object_get(text, "Software"));
    put_string(out, "software", json_object_get(exif, "Software"));
    put_string(out, "software", json_object_get(xmp, "xmp:CreatorTool"));
    put_string(out, "cameraMake", json_object_get(exif, "Make"));
    put_string(out, "cameraModel", json_object_get(exif, "Model"));
    put_string(out, "taken", json_object_get(exif, "DateTimeOriginal"));
    put_string(out, "artist", json_object_get(exif, "Artist"));
    put_string(out, "copyright", json_object_get(exif, "Copyright"));
    put_string(out, "digitalSourceType", json_object_get(xmp, "Iptc4xmpExt:DigitalSourceType"));
    return out;
}
