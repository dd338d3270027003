/* bench_judge.c - judging small pictures in this process: scan, manifest, binding, signature, certificates. Beside it
 * stands what no validator can save, checking the same Ed25519 signature and the same X.509 path, in turns. And a
 * large file, beside its SHA-256. */
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "c2pa.h"
#include "cert_profile.h"
#include "folder.h"
#include "trust.h"

#define ROUNDS 15
#define READS  100

static char folder[] = "/tmp/blindstamp-bench-XXXXXX";

/* A picture of noise, stamped; its path in new memory. */
static char *stamp(struct bst_stamper *stamper, const char *name, uint32_t size)
{
    struct bst_image image;
    static const float weight = 1;
    static const char *const style = "noise";
    const struct bst_generation generation = {.model_name = "noise",
                                              .model_bytes = 1,
                                              .width = size,
                                              .height = size,
                                              .truncation = 1,
                                              .style_count = 1,
                                              .style_names = &style,
                                              .style_weights = &weight,
                                              .title = "Noise",
                                              .arith = "blindstamp-arith/1",
                                              .started_ms = bst_now_ms(),
                                              .finished_ms = bst_now_ms()};
    char *path = bst_path_join(folder, name);
    must(bst_image_new(size, size, 3, 8, &image, &err));
    uint32_t state = 1;
    for (size_t i = 0; i < (size_t)size * size * 3; i++) {
        state = state * 1664525 + 1013904223;
        image.samples[i] = (uint8_t)(state >> 24);
    }
    must(bst_stamp_add(stamper, &image, path, false, &generation, &err));
    must(bst_stamp_commit(stamper, NULL, NULL, &err));
    bst_image_clear(&image);
    return path;
}

static double judge(const char *path, const struct bst_trust *trust, int reads)
{
    double start = bst_monotonic_s();
    for (int i = 0; i < reads; i++) {
        struct bst_container container;
        struct bst_c2pa c2pa;
        must(bst_container_scan(path, &container, &err));
        must(bst_c2pa_read(path, &container, trust, &c2pa, &err));
        if (c2pa.state != BST_C2PA_TRUSTED) exit(1);
        bst_c2pa_clear(&c2pa);
        bst_container_clear(&container);
    }
    return (bst_monotonic_s() - start) / reads;
}

/* The claim and the signature's box in the file's store. */
struct signed_claim {
    struct bst_buf store;
    struct bst_jumbf boxes;
    const struct bst_jumbf_box *claim, *signature;
};

static void open_claim(const char *path, struct signed_claim *out)
{
    struct bst_container container;
    must(bst_container_scan(path, &container, &err));
    must(bst_container_manifest(path, &container, &out->store, &err));
    must(bst_jumbf_parse(out->store.data, out->store.len, &out->boxes, &err));
    const struct bst_jumbf_box *manifest = &out->boxes.boxes[out->boxes.boxes[0].first_child];
    out->claim = bst_jumbf_content(&out->boxes, bst_jumbf_child(&out->boxes, manifest, "c2pa.claim.v2"));
    out->signature = bst_jumbf_content(&out->boxes, bst_jumbf_child(&out->boxes, manifest, "c2pa.signature"));
    bst_container_clear(&container);
}

/* Certificates read, their profile and path checked, and the signature over the claim verified. */
static double check(const struct signed_claim *in, const struct bst_trust *trust)
{
    double start = bst_monotonic_s();
    const uint8_t *bytes = in->boxes.bytes;
    for (int i = 0; i < READS; i++) {
        struct bst_cose cose;
        const char *why;
        must(bst_cose_parse(bytes + in->signature->data, in->signature->data_len, &cose, &err));
        X509 *leaf = sk_X509_value(cose.chain, 0);
        int64_t now = bst_now_ms() / 1000;
        if (bst_cert_problem(leaf, BST_ROLE_CLAIM, trust) != NULL ||
            !bst_trust_path(trust, BST_TRUST_MANIFEST, leaf, cose.chain, now, &why))
            exit(1);
        must(bst_cose_verify(&cose, bytes + in->claim->data, in->claim->data_len, &err));
        bst_cose_clear(&cose);
    }
    return (bst_monotonic_s() - start) / READS;
}

static void bench_small(const char *path, const struct bst_trust *trust)
{
    struct signed_claim claim = {0};
    double whole[ROUNDS], alone[ROUNDS];
    open_claim(path, &claim);
    for (int i = 0; i < ROUNDS; i++) {
        whole[i] = judge(path, trust, READS);
        alone[i] = check(&claim, trust);
    }
    double a = median(whole, ROUNDS), b = median(alone, ROUNDS);
    printf("small picture judged:            %7.1f us\n", a * 1e6);
    printf("its Ed25519 and X.509 checks:    %7.1f us; ratio %.2f\n", b * 1e6, a / b);
    bst_jumbf_clear(&claim.boxes);
    bst_buf_free(&claim.store);
}

static void bench_large(const char *path, const struct bst_trust *trust)
{
    double whole[ROUNDS], alone[ROUNDS];
    uint8_t digest[BST_SHA256_LEN];
    for (int i = 0; i < ROUNDS; i++) {
        whole[i] = judge(path, trust, 1);
        double start = bst_monotonic_s();
        must(bst_sha256_file(path, digest, &err));
        alone[i] = bst_monotonic_s() - start;
    }
    double a = median(whole, ROUNDS), b = median(alone, ROUNDS);
    printf("picture of 2048x2048 judged:     %7.1f ms\n", a * 1e3);
    printf("SHA-256 of its file:             %7.1f ms; ratio %.2f\n", b * 1e3, a / b);
}

int main(void)
{
    struct bst_identity identity;
    struct bst_stamper *stamper;
    struct bst_trust *trust;
    bool locked;
    if (mkdtemp(folder) == NULL) return 1;
    char *home = bst_path_join(folder, "home");
    must(bst_home_init(&(struct bst_init){.home = home, .author = "Ada Example"}, &identity, &err));
    must(bst_stamper_open(&(struct bst_stamper_options){.home = home, .png_level = 1}, &stamper, &locked,
                          &err));
    must(bst_trust_new(&trust, &err));
    must(bst_trust_self(trust, home, &err));
    char *small = stamp(stamper, "small.png", 64), *large = stamp(stamper, "large.png", 2048);
    bench_small(small, trust);
    bench_large(large, trust);
    bst_stamper_close(stamper);
    bst_identity_clear(&identity);
    bst_trust_free(trust);
    free(small);
    free(large);
    free(home);
    bst_folder_remove(folder);
    return 0;
}
