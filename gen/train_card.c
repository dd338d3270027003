/* train_card.c - the model card of a trained generator (schema/card.schema.json). */
#include "train_run.h"

#include <jansson.h>
#include <stdlib.h>

static json_t *inputs_json(void)
{
    json_t *inputs = json_pack("[{s:s, s:s}, {s:s, s:s}]", "name", "style", "role", "style", "name", "latent",
                               "role", "latent");
    for (size_t i = 0; inputs && i < TRAIN_NOISES; i++)
        json_array_append_new(inputs, json_pack("{s:s, s:s, s:I, s:I}", "name", train_noise[i].name, "role",
                                                "noise", "cell", (json_int_t)train_noise[i].cell, "margin",
                                                (json_int_t)train_noise[i].margin));
    return inputs;
}

static json_t *dataset_json(const struct train_run *run)
{
    static const char *const copied[] = {"dataset_id", "title", "version", "license"};
    char hex[BST_SHA256_HEX];
    bst_hex(run->set.digest, BST_SHA256_LEN, hex);
    json_t *d = json_pack("{s:s, s:I}", "sha256", hex, "items", (json_int_t)run->set.pictures);
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
        if (bst_json_text(run->set.manifest, copied[i]))
            json_object_set(d, copied[i], json_object_get(run->set.manifest, copied[i]));
    return d;
}

static json_t *training_json(const struct train_run *run)
{
    char *seed = bst_format("%llu", (unsigned long long)run->seed);
    json_t *training = json_pack("{s:s, s:I, s:o}", "seed", seed ? seed : "", "steps", (json_int_t)run->step,
                                 "parameters", train_settings_json(&run->settings));
    free(seed);
    return training;
}

static void describe(json_t *card, const struct train_run *run, const struct bst_train_options *o)
{
    const struct {
        const char *key, *text;
    } words[] = {
        {"title", o->title},
        {"author", o->author},
        {"license", o->license},
        {"description",
         "A fully convolutional texture generator with named styles, trained from nothing on the data set "
         "below. Pictures of any size; seamless tiles from periodic noise."},
        {"intended_use", "Abstract pictures, backgrounds, textures and tiles for print and screen."},
        {"limitations",
         "Makes textures and moods, not objects: no figures, no perspective, no text, and no lasting "
         "difference between top and bottom. Small details may resemble brushwork of single pictures in "
         "the data set."},
        {"personal_data", bst_json_text(run->set.manifest, "personal_data")},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (words[i].text) json_object_set_new(card, words[i].key, json_string(words[i].text));
}

enum bst_code train_card(const struct train_run *run, const struct bst_train_options *o, json_t **card,
                         struct bst_error *err)
{
    char now[BST_TIME_LEN];
    bst_time_text(bst_now_ms(), now);
    json_t *styles = json_array();
    for (size_t s = 0; s < run->set.styles; s++)
        json_array_append_new(styles, json_string(run->set.style[s]));
    *card = json_pack(
        "{s:s, s:s, s:s, s:o, s:o, s:i, s:f, s:f, s:b, s:i, s:i, s:i, s:b, s:b, s:[o], s:o, s:[]}", "schema",
        "blindstamp.card/1", "name", o->name ? o->name : "texture", "created", now, "styles", styles,
        "inputs", inputs_json(), "output_scale", 1, "output_low", -1.0, "output_high", 1.0, "output_bgr", 0,
        "width", 768, "height", 512, "size_multiple", TRAIN_MULTIPLE, "fixed_size", 0, "tileable", 1,
        "datasets", dataset_json(run), "training", training_json(run), "golden");
    if (!*card) return bst_fail_memory(err);
    describe(*card, run, o);
    return BST_OK;
}
