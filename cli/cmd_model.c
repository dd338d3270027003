/* cmd_model.c - blindstamp model: the verbs about models; and "blindstamp models", which lists them. */
#include <stdlib.h>
#include <string.h>

#include "model_verbs.h"

static const struct cli_option options[] = {
    {"card", 0, "FILE", "add: card with what the graph does not show; its fields win", false},
    {"name", 0, "NAME", "add: another name for -m", false},
    {"architecture", 0, "NAME", "add: of PyTorch or safetensors weights, where the names do not tell", false},
    {"encoder", 0, "FILE", "add: weights of the encoder of AdaIN's decoder", false},
    {"style-picture", 0, "FILE", "add: a picture for a style of AdaIN, called as the file is", true},
    {"license", 0, "SPDX", "add: the weights' licence", false},
    {"force", 'f', NULL, "add, graph: replace what exists", false},
    {"threads", 0, "N", "processors to use (default: all; bench: 1 and all)", false},
    {"size", 0, "WxH", "bench, graph: size of the picture, else the model's own", false},
    {"runs", 0, "N", "bench: pictures that are measured (default 5)", false},
    {"profile", 0, NULL, "bench: time of every operator, and the slowest layers", false},
    {"output", 'o', "FILE.svg", "graph: file to write (default NAME.svg here)", false},
    CLI_PASSPHRASE_OPTION,
    {0},
};

static const struct {
    const char *name;
    enum bst_code (*run)(const struct model_call *call, struct bst_error *err);
    bool operand, keys;
} verbs[] = {
    {"list", model_list, false, false},  {"show", model_show, true, false},
    {"add", model_add, true, true},      {"check", model_check, true, false},
    {"bench", model_bench, true, false}, {"graph", model_graph, true, false},
};
#define VERBS (sizeof verbs / sizeof *verbs)

static enum bst_code call_verb(const struct cli_args *args, size_t v, const char *operand,
                               struct bst_error *err)
{
    char *home = NULL;
    struct cli_places places = {0};
    enum bst_code code = cli_home(args, verbs[v].keys, &home, err);
    if (code == BST_OK) code = cli_places_find(home, &places, err);
    const struct model_call call = {args, home, &places, operand};
    if (code == BST_OK) code = verbs[v].run(&call, err);
    cli_places_clear(&places);
    free(home);
    return code;
}

static enum bst_code run(const struct cli_args *args, struct bst_error *err)
{
    const char *verb = args->operands[0], *names[VERBS + 1] = {0};
    size_t v;
    for (size_t i = 0; i < VERBS; i++)
        names[i] = verbs[i].name;
    if (cli_verb(args, names, &v, err) != BST_OK) return err->code;
    if (args->operand_count > (verbs[v].operand ? 2u : 1u))
        return bst_fail(err, BST_USAGE, "model %s does not know what to do with \"%s\"", verb,
                        args->operands[args->operand_count - 1]);
    if (args->operand_count < 2 && verbs[v].operand) {
        bst_fail(err, BST_USAGE, "model %s needs a model", verb);
        return bst_hint(err, "blindstamp model %s %s", verb, verbs[v].keys ? "FILE.onnx" : "NAME");
    }
    return call_verb(args, v, verbs[v].operand ? args->operands[1] : NULL, err);
}

static enum bst_code run_list(const struct cli_args *args, struct bst_error *err)
{
    return call_verb(args, args->operand_count > 0 ? 1 : 0,
                     args->operand_count > 0 ? args->operands[0] : NULL, err);
}

const struct cli_command cmd_model = {
    .name = "model",
    .summary = "list, show, add, check, measure and draw models",
    .usage = "model list\nmodel show NAME|FILE\n"
             "model add FILE.onnx|FILE.pth|FILE.safetensors|FILE.param|DIR [--card card.json] [--name NAME]\n"
             "model check NAME|FILE\nmodel bench NAME|FILE [--size WxH] [--runs N] [--profile]\n"
             "model graph NAME|FILE [-o FILE.svg]",
    .details =
        "add checks an ONNX file, works out from the graph what its inputs are and what sizes and ranges it\n"
        "has, says what it could not tell, makes golden pictures, copies the file unchanged to HOME/models\n"
        "with its card beside it, and records it in your ledger with the file's SHA-256 and its OpenSSF "
        "Model\n"
        "Signing digest. Weights of PyTorch, safetensors and ncnn are converted first, executing nothing in "
        "them:\nof SRVGG, RRDB (ESRGAN), pix2pix, CycleGAN, CUT, fast neural style, CartoonGAN, AnimeGANv2, "
        "AdaIN, DCGAN,\n"
        "PSGAN, StyleGAN2, BigGAN, FastGAN, lightweight-gan, R3GAN and VQGAN decoders, told by the names of "
        "their "
        "tensors.\n"
        "check reads file and card, makes the golden pictures again and compares the "
        "ledger's\n"
        "record (exit code 0 as recorded, 2 not recorded, 3 other pictures or another file, 4 unreadable).\n"
        "bench measures a picture: median, best and first, the speed of the multiplications, memory. graph "
        "draws\n"
        "the network as it runs: operators applied together are one box, repeated blocks are drawn once.",
    .options = options,
    .examples = "blindstamp model add generator.onnx --license MIT\nblindstamp model show generator\n"
                "blindstamp model check generator\nblindstamp model bench generator --profile\n"
                "blindstamp model graph generator -o generator.svg",
    .least = 1,
    .most = 2,
    .writes = true,
    .run = run,
};

static const struct cli_option no_options[] = {{0}};

const struct cli_command cmd_models = {
    .name = "models",
    .summary = "list the models, or show the card of one: model list, model show",
    .usage = "models\nmodels NAME|FILE.onnx",
    .details = "Models are ONNX files. They are looked for in HOME/models and among those that came with the "
               "program\n"
               "(BLINDSTAMP_MODELS names another folder for these). What a model's card does not say reads "
               "\"unknown\".",
    .options = no_options,
    .examples = "blindstamp models\nblindstamp models --json | jq -r '.[].name'",
    .least = 0,
    .most = 1,
    .run = run_list,
};
