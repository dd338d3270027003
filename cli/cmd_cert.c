/* cmd_cert.c - blindstamp cert: a certificate of one's own, from an authority that others trust already. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define CERT_MAX (1u << 20)

static const struct cli_option options[] = {
    {"alg", 0, "ALG",
     "ed25519 (csr: for your own key, the default), es256, es384, es512, ps256, ps384, ps512", false},
    {"organisation", 0, "TEXT", "csr: organisation in the subject (default: your name)", false},
    {"country", 0, "XX", "csr: country in the subject, two letters", false},
    {"output", 'o', "FILE", "csr: write to FILE instead of the terminal", false},
    {"key", 0, "FILE", "import: the certificate's private key (PKCS#8 PEM), if it was made elsewhere", false},
    {"key-passphrase-file", 0, "FILE",
     "import: read the passphrase of that key or of a PKCS#12 file from FILE", false},
    CLI_PASSPHRASE_OPTION,
    {0},
};

/* ---- asking for one ---- */

static enum bst_code write_csr(const struct cli_args *args, const char *pem, struct bst_error *err)
{
    const char *output = cli_value(args, "output");
    if (output) return bst_file_write(output, pem, strlen(pem), 0, err);
    if (!cli_has(args, "json")) {
        fputs(pem, stdout);
        return BST_OK;
    }
    return cli_json_take(json_pack("{s:s}", "request", pem), false, err);
}

static enum bst_code cert_csr(const struct cli_args *args, const char *home, struct bst_error *err)
{
    struct bst_identity identity = {0};
    char *passphrase = NULL, *pem = NULL;
    bool locked = false;
    const char *country = cli_value(args, "country"), *organisation = cli_value(args, "organisation");
    const char *alg = cli_value(args, "alg");
    if (country && strlen(country) != 2)
        return bst_fail(err, BST_USAGE, "a country is two letters, such as DE");
    enum bst_code code = organisation ? cli_words("organisation", organisation, 64, false, err) : BST_OK;
    if (code == BST_OK) code = bst_identity_load(home, &identity, err);
    if (code == BST_OK) code = cli_passphrase_given(args, &passphrase, err);
    struct bst_csr csr = {.home = home,
                          .passphrase = passphrase,
                          .alg = alg ? alg : "ed25519",
                          .name = identity.name,
                          .organisation = organisation ? organisation : identity.name,
                          .country = country};
    if (code == BST_OK) code = bst_credential_request(&csr, &pem, &locked, err);
    if (code != BST_OK && locked && !passphrase) {
        *err = (struct bst_error){0};
        code = cli_passphrase_ask("Passphrase of your keys", &passphrase, err);
        csr.passphrase = passphrase;
        if (code == BST_OK) code = bst_credential_request(&csr, &pem, &locked, err);
    }
    if (code == BST_OK) code = write_csr(args, pem, err);
    free(pem);
    cli_passphrase_free(passphrase);
    bst_identity_clear(&identity);
    return code;
}

/* ---- showing ---- */

static size_t print_rules(const json_t *rules)
{
    size_t i, broken = 0;
    json_t *rule;
    json_array_foreach(rules, i, rule)
    {
        bool kept = json_is_true(json_object_get(rule, "kept"));
        const char *problem = bst_json_text(rule, "problem"), *fix = bst_json_text(rule, "fix");
        broken += !kept;
        printf("  %s%-4s%s%-20s %s\n", cli_colour(stdout, kept ? CLI_GOOD : CLI_BAD), kept ? "yes" : "NO",
               cli_colour(stdout, CLI_PLAIN), bst_json_text(rule, "rule"), bst_json_text(rule, "asks"));
        if (problem) printf("      %-20s because %s\n      %-20s fix: %s\n", "", problem, "", fix);
    }
    return broken;
}

static void print_certificates(const json_t *list)
{
    size_t i;
    json_t *cert;
    json_array_foreach(list, i, cert)
    {
        printf("%-12s ", i ? "issued by" : "certificate");
        cli_text(stdout, bst_json_text(cert, "subject"));
        printf("\n%-12s %.10s to %.10s, key %s\n", "", bst_json_text(cert, "valid_from"),
               bst_json_text(cert, "valid_until"), bst_json_text(cert, "key"));
        if (i + 1 == json_array_size(list)) {
            printf("%-12s ", "issuer");
            cli_text(stdout, bst_json_text(cert, "issuer"));
            printf("\n");
        }
    }
}

static enum bst_code cert_show(const struct cli_args *args, const char *home, struct bst_error *err)
{
    json_t *json = NULL;
    enum bst_code code = bst_credential_json(home, &json, err);
    if (code != BST_OK) return code;
    if (cli_has(args, "json")) {
        code = cli_json(json, true, err);
    } else {
        print_certificates(json_object_get(json, "certificates"));
        printf("%-12s %s with %s\n", "signs", bst_json_text(json, "alg"), bst_json_text(json, "key"));
        if (json_is_true(json_object_get(json, "local")))
            printf("%-12s your local authority: others must add it (blindstamp key export)\n", "from");
        print_rules(json_object_get(json, "rules"));
    }
    json_decref(json);
    return code;
}

/* ---- taking in ---- */

static enum bst_code import_file(const struct cli_args *args, struct bst_credential_file *file,
                                 struct bst_error *err)
{
    char *passphrase = NULL;
    bool locked = false;
    enum bst_code code = bst_credential_import(file, &locked, err);
    if (code != BST_OK && locked && !file->home_passphrase && !cli_value(args, "key-passphrase-file")) {
        struct bst_error first = *err;
        *err = (struct bst_error){0};
        if (cli_passphrase_ask("Passphrase of your keys", &passphrase, err) != BST_OK) {
            *err = first;
            return first.code;
        }
        file->home_passphrase = passphrase;
        code = bst_credential_import(file, &locked, err);
        file->home_passphrase = NULL;
    }
    cli_passphrase_free(passphrase);
    return code;
}

static enum bst_code cert_import(const struct cli_args *args, const char *home, struct bst_error *err)
{
    const char *secret = cli_value(args, "key-passphrase-file");
    char *passphrase = NULL, *key_passphrase = NULL;
    enum bst_code code = cli_passphrase_given(args, &passphrase, err);
    if (code == BST_OK && secret) code = cli_passphrase_file(secret, &key_passphrase, err);
    if (code == BST_OK) {
        struct bst_credential_file file = {.home = home,
                                           .home_passphrase = passphrase,
                                           .path = args->operands[1],
                                           .key = cli_value(args, "key"),
                                           .passphrase = key_passphrase,
                                           .alg = cli_value(args, "alg")};
        code = import_file(args, &file, err);
    }
    if (code == BST_OK && !cli_has(args, "json") && !cli_has(args, "quiet"))
        printf("From now on your pictures' manifests are signed with it:\n");
    if (code == BST_OK && !cli_has(args, "quiet")) code = cert_show(args, home, err);
    cli_passphrase_free(passphrase);
    cli_passphrase_free(key_passphrase);
    return code;
}

static enum bst_code cert_remove(const struct cli_args *args, const char *home, struct bst_error *err)
{
    enum bst_code code = bst_credential_remove(home, err);
    if (code == BST_OK && cli_has(args, "json")) printf("{\"removed\":true}\n");
    if (code == BST_OK && !cli_has(args, "json")) printf("Your local authority's certificate signs again.\n");
    return code;
}

/* ---- checking ---- */

/* Against what validators accept who were told nothing else. */
static enum bst_code cert_check(const struct cli_args *args, const char *home, struct bst_error *err)
{
    struct bst_buf pem = {0};
    json_t *rules = NULL, *list = NULL;
    size_t broken = 0, i;
    json_t *rule;
    (void)home; /* anybody's certificate */
    enum bst_code code = bst_file_read(args->operands[1], CERT_MAX, &pem, err);
    if (code == BST_OK) {
        code = bst_cert_check(pem.data, pem.len, NULL, &rules, err);
        if (code != BST_OK) bst_where(err, "%s", args->operands[1]);
    }
    if (code == BST_OK) code = bst_cert_describe(pem.data, pem.len, &list, err);
    if (code == BST_OK) {
        json_array_foreach(rules, i, rule) broken += !json_is_true(json_object_get(rule, "kept"));
        if (cli_has(args, "json")) {
            code = cli_json_take(json_pack("{s:b, s:O, s:O}", "accepted", (int)(broken == 0), "rules", rules,
                                           "certificates", list),
                                 true, err);
        } else {
            print_certificates(list);
            print_rules(rules);
            printf(broken ? "Validators would refuse it.\n"
                          : "Validators accept it, if they trust its issuer.\n");
        }
    }
    json_decref(rules);
    json_decref(list);
    bst_buf_free(&pem);
    return code == BST_OK && broken ? BST_BROKEN : code;
}

static enum bst_code run(const struct cli_args *args, struct bst_error *err)
{
    static const struct cli_home_verb verbs[] = {{"csr", 1, true, cert_csr},
                                                 {"import", 2, true, cert_import},
                                                 {"check", 2, false, cert_check},
                                                 {"show", 1, true, cert_show},
                                                 {"remove", 1, true, cert_remove}};
    return cli_home_verb_run(args, verbs, sizeof verbs / sizeof *verbs, "file", err);
}

const struct cli_command cmd_cert = {
    .name = "cert",
    .summary = "sign with a certificate that others trust already",
    .usage = "cert csr [--alg ALG] [--organisation TEXT] [--country XX] [-o FILE]\n"
             "cert import FILE [--key FILE] [--alg ALG]\ncert check FILE\ncert show\ncert remove",
    .details =
        "Your pictures are signed under an authority of your own, which others must add before they trust "
        "it.\n"
        "With a certificate from an authority on the C2PA trust list they need not.\n\n"
        "csr makes a request (PKCS#10) for your Ed25519 key or, with --alg, for a new key that stays in "
        "HOME.\n"
        "import takes the authority's answer, with the certificates above it in any order, or a key and\n"
        "certificate made elsewhere (PEM or PKCS#12), and puts it in force; what validators would refuse is\n"
        "refused. Statements and ledger go on being signed with your Ed25519 key, which the manifest names.\n"
        "check holds a certificate against every rule that C2PA sets, and says how to mend what is broken.\n"
        "remove goes back to your own authority.",
    .options = options,
    .examples = "blindstamp cert csr --alg es256 --country DE -o request.csr\n"
                "blindstamp cert check answer.pem\nblindstamp cert import answer.pem\nblindstamp cert show",
    .least = 1,
    .most = 2,
    .writes = true,
    .run = run,
};
