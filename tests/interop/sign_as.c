/* sign_as.c - a small PNG with a manifest signed by somebody else's key, for tests that show it to other programs.
 * sign_as KEY.pem CHAIN.pem ALG OUT.png [ROOM [OCSP.der]]: ALG may be one that does not fit the
 * certificate. */
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "c2pa.h"
#include "png_edit.h"

static void die(const char *what, const struct bst_error *err)
{
    fprintf(stderr, "sign_as: %s: %s\n", what, err->what);
    exit(5);
}

static void make_png(struct bst_buf *out)
{
    struct bst_error err = {0};
    struct bst_image image;
    if (bst_image_new(32, 24, 3, 8, &image, &err) != BST_OK) die("image", &err);
    for (size_t i = 0; i < bst_image_size(&image); i++)
        image.samples[i] = (uint8_t)(i * 7);
    if (bst_png_encode(&image, 6, out, &err) != BST_OK) die("png", &err);
    bst_image_clear(&image);
}

int main(int argc, char **argv)
{
    static const uint8_t model[BST_SHA256_LEN] = {1, 2, 3};
    static const char envelope[] = "{\"payload\":\"\"}", proof[] = "proof\n";
    struct bst_error err = {0};
    struct bst_buf pem = {0}, png = {0}, store = {0}, chunk = {0}, file = {0};
    struct bst_signer signer = {0};
    uint64_t room = 0;
    if (argc < 5 || (argc > 5 && !bst_parse_u64(argv[5], &room))) return 1;
    FILE *key = fopen(argv[1], "r");
    signer.evp = key ? PEM_read_PrivateKey(key, NULL, NULL, NULL) : NULL;
    signer.alg = bst_cose_number(argv[3]);
    if (!signer.evp || !signer.alg) return 1;
    fclose(key);
    if (bst_file_read(argv[2], 1u << 20, &pem, &err) != BST_OK ||
        bst_chain_from_pem((const char *)pem.data, pem.len, &signer.chain, &err) != BST_OK)
        die("chain", &err);
    signer.room = (size_t)room;
    if (argc > 6 && bst_file_read(argv[6], 1u << 20, &signer.ocsp, &err) != BST_OK) die(argv[6], &err);
    make_png(&png);
    struct bst_manifest manifest = {
        .signer = &signer,
        .image_id = "77e74327-6c43-4be0-8185-6388508f11d8",
        .when = "2026-11-22T09:30:00Z",
        .source_type = BST_SOURCE_GENERATED,
        .model_name = "gradient",
        .model_sha256 = model,
        .envelope = envelope,
        .envelope_len = sizeof envelope - 1,
        .proof = proof,
        .proof_len = sizeof proof - 1,
        .log_vkey = "example.org/log+00000000+AA",
        .chunk_start = BST_PNG_HEAD,
        .chunk_overhead = BST_PNG_CHUNK_SIZE,
    };
    bst_sha256(png.data, png.len, manifest.file_sha256);
    if (bst_c2pa_write(&manifest, &store, &err) != BST_OK) die("manifest", &err);
    bst_png_chunk(&chunk, "caBX", store.data, store.len);
    bst_buf_append(&file, png.data, BST_PNG_HEAD);
    bst_buf_append(&file, chunk.data, chunk.len);
    bst_buf_append(&file, png.data + BST_PNG_HEAD, png.len - BST_PNG_HEAD);
    if (bst_file_write(argv[4], file.data, file.len, BST_WRITE_REPLACE, &err) != BST_OK) die(argv[4], &err);
    EVP_PKEY_free(signer.evp);
    bst_chain_clear(&signer.chain);
    bst_buf_free(&signer.ocsp);
    bst_buf_free(&pem);
    bst_buf_free(&png);
    bst_buf_free(&store);
    bst_buf_free(&chunk);
    bst_buf_free(&file);
    return 0;
}
