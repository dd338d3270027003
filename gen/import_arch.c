/* import_arch.c - the architectures, and how one is told from the names of its tensors. */
#include "import.h"

#include <stdlib.h>
#include <string.h>

#define NESTING_MAX 4

static const struct import_arch *const architectures[] = {
    &import_arch_srvgg,           &import_arch_rrdb,
    &import_arch_rrdb_trunk,      &import_arch_rrdb_old,
    &import_arch_pix2pix,         &import_arch_cut,
    &import_arch_cyclegan,        &import_arch_cyclegan_zeros,
    &import_arch_johnson,         &import_arch_cartoon,
    &import_arch_anime,           &import_arch_dcgan,
    &import_arch_stylegan2,       &import_arch_stylegan2_ada,
    &import_arch_biggan,          &import_arch_biggan_deep,
    &import_arch_fastgan,         &import_arch_lightweight,
    &import_arch_psgan,           &import_arch_adain,
    &import_arch_r3gan,           &import_arch_vqgan,
    &import_arch_vqgan_diffusers,
};
#define ARCHITECTURES (sizeof architectures / sizeof *architectures)

/* What training code wraps a generator's weights in; averaged weights before those of the last step. */
static const char *const wrappers[] = {
    "params_ema.",
    "g_ema.",
    "G_ema.",
    "ema.",
    "params.",
    "state_dict.",
    "generator.",
    "netG.",
    "GAN.",
    "GE.",
    "net_g.",
    "module.",
    "G.",
    "g.",
    "model.",
    "model_state_dict.",
    "net.",
    "Model.",
    "first_stage_model.",
};

const char *bst_import_architecture(size_t index)
{
    return index < ARCHITECTURES ? architectures[index]->name : NULL;
}

/* The architecture that came nearest, for the error. */
struct nearest {
    const struct import_arch *arch;
    size_t found, wanted;
    const char *missing;
};

static bool is_arch(const struct import_arch *arch, const struct import_dict *dict, struct nearest *nearest)
{
    const char *missing = NULL;
    size_t found = 0, wanted = 0;
    for (; arch->required[wanted] != NULL; wanted++) {
        if (import_dict_find(dict, arch->required[wanted]) != NULL)
            found++;
        else if (missing == NULL)
            missing = arch->required[wanted];
    }
    if (nearest->arch == NULL || found * nearest->wanted > nearest->found * wanted)
        *nearest = (struct nearest){arch, found, wanted, missing};
    return missing == NULL && (arch->fits == NULL || arch->fits(dict));
}

static bool begins(const struct import_dict *dict, const char *prefix)
{
    for (size_t i = 0; i < dict->count; i++)
        if (strncmp(dict->tensors[i].name, prefix, strlen(prefix)) == 0) return true;
    return false;
}

/* Tries the dictionary, then what each wrapper holds. *out is the part that fits, empty when none does. */
static enum bst_code find_arch(const struct import_dict *dict, const char *forced, size_t nesting,
                               const struct import_arch **arch, struct import_dict *out,
                               struct nearest *nearest, struct bst_error *err)
{
    for (size_t i = 0; i < ARCHITECTURES; i++) {
        if (forced != NULL && strcmp(forced, architectures[i]->name) != 0) continue;
        if (!is_arch(architectures[i], dict, nearest)) continue;
        *arch = architectures[i];
        return import_dict_select(dict, "", out) ? BST_OK : bst_fail_memory(err);
    }
    for (size_t i = 0; nesting < NESTING_MAX && i < sizeof wrappers / sizeof *wrappers; i++) {
        struct import_dict inner = {0};
        if (!begins(dict, wrappers[i])) continue;
        enum bst_code code = import_dict_select(dict, wrappers[i], &inner)
                                 ? find_arch(&inner, forced, nesting + 1, arch, out, nearest, err)
                                 : bst_fail_memory(err);
        import_dict_clear(&inner);
        if (code != BST_OK || *arch != NULL) return code;
    }
    return BST_OK;
}

static enum bst_code unknown(const char *forced, const struct nearest *nearest, struct bst_error *err)
{
    struct bst_buf known = {0};
    for (size_t i = 0; i < ARCHITECTURES; i++)
        bst_buf_printf(&known, "%s%s", i > 0 ? ", " : "", architectures[i]->name);
    const char *names = bst_buf_string(&known);
    if (names == NULL) {
        bst_buf_free(&known);
        return bst_fail_memory(err);
    }
    if (nearest->arch == NULL)
        bst_fail(err, BST_USAGE, "the architecture '%.40s' is not known, only: %.400s", forced, names);
    else if (nearest->missing == NULL)
        bst_fail(err, BST_UNREADABLE,
                 "the tensors have the names of %s, but not its shapes; looked for: %.300s",
                 nearest->arch->title, names);
    else if (nearest->found == 0 && forced == NULL)
        bst_fail(err, BST_UNREADABLE, "no known architecture has tensors of these names; looked for: %.400s",
                 names);
    else
        bst_fail(err, BST_UNREADABLE,
                 "no known architecture has these tensors; nearest is %s with %zu of the %zu that tell it, "
                 "lacking "
                 "'%s'; looked for: %.300s",
                 nearest->arch->title, nearest->found, nearest->wanted, nearest->missing, names);
    bst_buf_free(&known);
    return bst_hint(err,
                    "export the network with torch.onnx.export instead; an ONNX file needs no recognising");
}

enum bst_code import_recognise(const struct import_dict *dict, const char *forced,
                               const struct import_arch **arch, struct import_dict *selected,
                               struct bst_error *err)
{
    struct nearest nearest = {0};
    *arch = NULL;
    enum bst_code code = find_arch(dict, forced, 0, arch, selected, &nearest, err);
    return code == BST_OK && *arch == NULL ? unknown(forced, &nearest, err) : code;
}
