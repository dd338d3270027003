/* test_c2pa.c - manifests of ours written and judged, in PNG and JPEG; altered ones never pass. */
#include "stamp_fixture.h"

#include <jansson.h>

static struct signer signer;

static int setup(void **state)
{
    if (folder_setup(state) != 0) return -1;
    signer_new(&signer, bst_now_ms());
    return 0;
}

static int teardown(void **state)
{
    signer_free(&signer);
    return folder_teardown(state);
}

/* A picture with its manifest, as one buffer. */
static void make_stamped(struct bst_buf *out)
{
    struct bst_error err = {0};
    struct bst_buf png = {0}, store = {0};
    make_png(&png);
    struct bst_manifest manifest = make_manifest(&signer, &png);
    assert_good(bst_c2pa_write(&manifest, &store, &err));
    bst_buf_append(out, png.data, BST_PNG_HEAD);
    bst_png_chunk(out, "caBX", store.data, store.len);
    bst_buf_append(out, png.data + BST_PNG_HEAD, png.len - BST_PNG_HEAD);
    assert_false(out->failed);
    bst_buf_free(&png);
    bst_buf_free(&store);
}

/* Puts the checksum of the chunk at byte at right again. */
static void fix_chunk(struct bst_buf *file, size_t at)
{
    struct bst_buf chunk = {0};
    size_t len = bst_get_be32(file->data + at);
    char type[5] = {0};
    memcpy(type, file->data + at + 4, 4);
    bst_png_chunk(&chunk, type, file->data + at + 8, len);
    memcpy(file->data + at, chunk.data, chunk.len);
    bst_buf_free(&chunk);
}

static size_t find(const struct bst_buf *file, const char *words, size_t from)
{
    size_t len = strlen(words);
    for (size_t i = from; i + len <= file->len; i++) {
        if (memcmp(file->data + i, words, len) == 0) return i;
    }
    fail_msg("%s is not in the file", words);
    return 0;
}

/* Judges the bytes as a file. The result is to be cleared. */
static void judge(const struct bst_buf *file, const char *roots, struct bst_c2pa *c2pa)
{
    struct bst_error err = {0};
    const char *path = in_folder("judged");
    write_file(path, file->data, file->len);
    assert_good(read_back(path, roots, c2pa, &err));
}

static void expect(const struct bst_buf *file, const char *failure)
{
    struct bst_c2pa c2pa;
    judge(file, signer.root, &c2pa);
    if (c2pa.state != BST_C2PA_INVALID || !has_status(&c2pa, BST_STATUS_FAILURE, failure)) {
        for (size_t i = 0; i < c2pa.status_count; i++) {
            print_message("%d %s: %s\n", c2pa.statuses[i].kind, c2pa.statuses[i].code,
                          c2pa.statuses[i].words);
        }
        fail_msg("no failure %s", failure);
    }
    bst_c2pa_clear(&c2pa);
}

static void our_own_is_trusted(void **state)
{
    (void)state;
    struct bst_buf file = {0};
    struct bst_c2pa c2pa;
    make_stamped(&file);
    judge(&file, signer.root, &c2pa);
    assert_int_equal(c2pa.state, BST_C2PA_TRUSTED);
    static const char *const codes[] = {"signingCredential.ocsp.skipped", "signingCredential.trusted",
                                        "claimSignature.insideValidity",  "claimSignature.validated",
                                        "assertion.hashedURI.match",      "assertion.hashedURI.match",
                                        "assertion.hashedURI.match",      "assertion.hashedURI.match",
                                        "assertion.hashedURI.match",      "assertion.dataHash.match"};
    assert_int_equal(c2pa.status_count, sizeof(codes) / sizeof(codes[0]));
    for (size_t i = 0; i < c2pa.status_count; i++) {
        assert_int_equal(c2pa.statuses[i].kind, i == 0 ? BST_STATUS_INFO : BST_STATUS_SUCCESS);
        assert_string_equal(c2pa.statuses[i].code, codes[i]);
    }
    assert_true(strncmp(c2pa.label, "urn:c2pa:", 9) == 0);
    assert_string_equal(c2pa.generator, "Blindstamp " BST_VERSION);
    assert_string_equal(c2pa.signer, "Ada Example");
    assert_non_null(strstr(c2pa.signer_pem, "BEGIN CERTIFICATE"));
    assert_true(c2pa.signer_is_ed25519);
    assert_memory_equal(c2pa.signer_key, bst_key_public(signer.key), BST_KEY_LEN);
    assert_memory_equal(c2pa.envelope.data, "{\"payload\":\"\"}", c2pa.envelope.len);
    assert_memory_equal(c2pa.proof.data, "proof\n", c2pa.proof.len);
    assert_string_equal(c2pa.log_vkey, "example.org/log+00000000+AA");
    struct bst_error err = {0};
    json_t *report;
    assert_good(bst_c2pa_export(&c2pa, BST_C2PA_OURS, &report, &err));
    const json_t *action = bst_json_at(bst_json_at(report, "assertions"), "c2pa");
    assert_null(action); /* labels hold dots, so paths do not reach them */
    action = json_object_get(json_object_get(report, "assertions"), "c2pa.actions.v2");
    assert_string_equal(
        bst_json_text(json_array_get(json_object_get(action, "actions"), 0), "digitalSourceType"),
        BST_SOURCE_GENERATED);
    json_decref(report);
    bst_c2pa_clear(&c2pa);
    bst_buf_free(&file);
}

static void encoding_is_deterministic(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_buf bytes = {0};
    struct bst_jumbf store;
    struct bst_manifest manifest = make_manifest(&signer, NULL);
    struct bst_parent input = {.relationship = "inputTo",
                               .name = {.words = "input.jpg"},
                               .media_type = "image/jpeg",
                               .source_type = BST_SOURCE_TYPES "digitalCapture",
                               .sha256 = manifest.model_sha256,
                               .problem = "its credentials were not kept: why"};
    bst_buf_append(&input.thumbnail, "picture", 7);
    manifest.input = &input;
    manifest.prompt.words = PROMPT;
    manifest.seed.words = SEED_TEXT;
    for (int disclosed = 1; disclosed >= 0; disclosed--) {
        bytes.len = 0;
        if (!disclosed) {
            manifest.title = manifest.model_name = NULL;
            struct bst_word kept = {NULL, "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"};
            manifest.prompt = manifest.seed = input.name = kept;
        }
        assert_good(bst_c2pa_write(&manifest, &bytes, &err));
        assert_good(bst_jumbf_parse(bytes.data, bytes.len, &store, &err));
        size_t seen = 0;
        for (size_t i = 0; i < store.count; i++) {
            const struct bst_jumbf_box *box = &store.boxes[i];
            if (box->type != BST_BOX_CBOR) continue;
            /* the checker does not know tag 18, the first byte of the signature */
            size_t skip = store.boxes[box->parent].content_type == BST_TYPE_SIGNATURE ? 1 : 0;
            assert_true(skip == 1 || bytes.data[box->data] != 0xd2);
            assert_true(bst_cbor_deterministic(bytes.data + box->data + skip, box->data_len - skip));
            seen++;
        }
        assert_int_equal(seen, 4 + 4 + 1 + 1); /* assertions, ingredients, claim, signature */
        bst_jumbf_clear(&store);
    }
    bst_parent_clear(&input);
    bst_buf_free(&bytes);
}

static void strangers_are_valid_but_untrusted(void **state)
{
    (void)state;
    struct signer other;
    struct bst_buf file = {0};
    struct bst_c2pa c2pa;
    make_stamped(&file);
    signer_new(&other, bst_now_ms());
    const char *roots[] = {NULL, "", other.root};
    for (size_t i = 0; i < 3; i++) {
        judge(&file, roots[i], &c2pa);
        assert_int_equal(c2pa.state, BST_C2PA_VALID);
        assert_true(has_status(&c2pa, BST_STATUS_FAILURE, "signingCredential.untrusted"));
        bst_c2pa_clear(&c2pa);
    }
    signer_free(&other);
    bst_buf_free(&file);
}

static void unstamped_is_told_apart(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_buf png = {0}, chunk = {0};
    struct bst_c2pa c2pa;
    make_png(&png);
    const char *path = in_folder("plain.png");
    write_file(path, png.data, png.len);
    assert_int_equal(read_back(path, NULL, &c2pa, &err), BST_NO_PROVENANCE);
    bst_png_chunk(&chunk, "caBX", "this is no manifest store", 25);
    write_spliced(path, &png, BST_PNG_HEAD, &chunk);
    assert_int_equal(read_back(path, NULL, &c2pa, &err), BST_BROKEN);
    bst_buf_free(&png);
    bst_buf_free(&chunk);
}

/* Each byte of the manifest, of which the checksum is put right again. */
static void every_byte_of_the_manifest_counts(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_buf file = {0};
    struct bst_c2pa c2pa;
    make_stamped(&file);
    size_t end = BST_PNG_HEAD + 8 + bst_get_be32(file.data + BST_PNG_HEAD);
    const char *path = in_folder("byte.png");
    for (size_t at = BST_PNG_HEAD + 8; at < end; at++) {
        uint8_t was = file.data[at];
        file.data[at] ^= (uint8_t)(1u << at % 8);
        fix_chunk(&file, BST_PNG_HEAD);
        write_file(path, file.data, file.len);
        enum bst_code code = read_back(path, signer.root, &c2pa, &err);
        if (code == BST_OK && c2pa.state != BST_C2PA_INVALID) fail_msg("byte %zu of the manifest", at);
        bst_c2pa_clear(&c2pa);
        file.data[at] = was;
    }
    fix_chunk(&file, BST_PNG_HEAD);
    judge(&file, signer.root, &c2pa);
    assert_int_equal(c2pa.state, BST_C2PA_TRUSTED);
    bst_c2pa_clear(&c2pa);
    bst_buf_free(&file);
}

static void alterations_are_named(void **state)
{
    (void)state;
    struct bst_buf file = {0};
    struct bst_c2pa c2pa;
    make_stamped(&file);
    size_t at = find(&file, "IDAT", 0) - 4;
    file.data[at + 40] ^= 1; /* pixels */
    fix_chunk(&file, at);
    expect(&file, "assertion.dataHash.mismatch");
    file.data[at + 40] ^= 1;
    fix_chunk(&file, at);

    size_t when = find(&file, "09:30:00", 0); /* an assertion */
    file.data[when] = '1';
    fix_chunk(&file, BST_PNG_HEAD);
    expect(&file, "assertion.hashedURI.mismatch");
    file.data[when] = '0';

    size_t title = find(&file, TITLE, 0); /* the claim */
    file.data[title] = 'T';
    fix_chunk(&file, BST_PNG_HEAD);
    expect(&file, "claimSignature.mismatch");
    file.data[title] = 't';

    size_t name = find(&file, "Ada Example", 0); /* the certificate */
    file.data[name] = 'E';
    fix_chunk(&file, BST_PNG_HEAD);
    expect(&file, "claimSignature.mismatch");
    file.data[name] = 'A';
    fix_chunk(&file, BST_PNG_HEAD);

    bst_buf_text(&file, "behind the end");
    expect(&file, "assertion.dataHash.mismatch");
    file.len -= 14;
    judge(&file, signer.root, &c2pa);
    assert_int_equal(c2pa.state, BST_C2PA_TRUSTED);
    bst_c2pa_clear(&c2pa);
    bst_buf_free(&file);
}

static void exclusion_must_be_the_real_place(void **state)
{
    (void)state;
    struct bst_error err = {0};
    static const struct {
        int64_t start, overhead;
    } wrong[] = {{32, 12}, {34, 12}, {33, 11}, {33, 13}, {0, 12}, {33, 100000}};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct bst_buf png = {0}, store = {0}, file = {0};
        make_png(&png);
        struct bst_manifest manifest = make_manifest(&signer, &png);
        manifest.chunk_start = (uint64_t)wrong[i].start;
        manifest.chunk_overhead = (size_t)wrong[i].overhead;
        assert_good(bst_c2pa_write(&manifest, &store, &err));
        bst_buf_append(&file, png.data, BST_PNG_HEAD);
        bst_png_chunk(&file, "caBX", store.data, store.len);
        bst_buf_append(&file, png.data + BST_PNG_HEAD, png.len - BST_PNG_HEAD);
        expect(&file, "assertion.dataHash.mismatch");
        bst_buf_free(&png);
        bst_buf_free(&store);
        bst_buf_free(&file);
    }
}

static void any_length_settles(void **state)
{
    (void)state;
    struct bst_error err = {0};
    char *envelope = malloc(70000);
    memset(envelope, 'e', 70000);
    /* around the lengths where a CBOR number grows by a byte */
    for (size_t len = 62500; len<65600; len += len> 63000 && len < 63900 ? 1 : 37) {
        struct bst_buf store = {0};
        struct bst_manifest manifest = make_manifest(&signer, NULL);
        manifest.envelope = envelope;
        manifest.envelope_len = len;
        assert_good(bst_c2pa_write(&manifest, &store, &err));
        struct bst_jumbf boxes;
        cbor_item_t *content;
        uint64_t length = 0;
        assert_good(bst_jumbf_parse(store.data, store.len, &boxes, &err));
        const struct bst_jumbf_box *box = &boxes.boxes[boxes.boxes[0].first_child];
        box = bst_jumbf_child(&boxes, bst_jumbf_child(&boxes, box, "c2pa.assertions"), "c2pa.hash.data");
        box = bst_jumbf_content(&boxes, box);
        assert_good(bst_cbor_parse(store.data + box->data, box->data_len, &content, &err));
        cbor_item_t *exclusion = cbor_array_handle(bst_cbor_get(content, "exclusions"))[0];
        assert_true(bst_cbor_get_uint(bst_cbor_get(exclusion, "length"), &length));
        assert_int_equal(length, store.len + 12);
        cbor_decref(&content);
        bst_jumbf_clear(&boxes);
        bst_buf_free(&store);
    }
    free(envelope);
}

/* Whether the file is intact, and who says so, are two answers. */
static void intact_and_trusted_are_different_things(void **state)
{
    (void)state;
    struct bst_buf file = {0};
    struct bst_c2pa c2pa;
    make_stamped(&file);
    judge(&file, signer.root, &c2pa);
    assert_true(c2pa.intact);
    assert_int_equal(c2pa.signer_trust, BST_SIGNER_TRUSTED);
    bst_c2pa_clear(&c2pa);
    judge(&file, NULL, &c2pa);
    assert_true(c2pa.intact);
    assert_int_equal(c2pa.signer_trust, BST_SIGNER_UNKNOWN);
    bst_c2pa_clear(&c2pa);
    bst_buf_text(&file, "behind the end");
    judge(&file, signer.root, &c2pa);
    assert_false(c2pa.intact);
    assert_int_equal(c2pa.signer_trust, BST_SIGNER_TRUSTED);
    bst_c2pa_clear(&c2pa);
    struct signer today = signer;
    signer_new(&signer, bst_now_ms() - (int64_t)20 * 365 * 86400 * 1000);
    file.len = 0;
    make_stamped(&file);
    judge(&file, signer.root, &c2pa);
    assert_true(c2pa.intact);
    assert_int_equal(c2pa.signer_trust, BST_SIGNER_EXPIRED);
    bst_c2pa_clear(&c2pa);
    signer_free(&signer);
    signer = today;
    bst_buf_free(&file);
}

static void expired_certificates_are_named(void **state)
{
    (void)state;
    struct bst_buf file = {0};
    struct signer today = signer;
    signer_new(&signer, bst_now_ms() - (int64_t)20 * 365 * 86400 * 1000);
    make_stamped(&file);
    expect(&file, "signingCredential.expired");
    expect(&file, "claimSignature.outsideValidity");
    file.len = 0;
    signer_free(&signer);
    signer_new(&signer, bst_now_ms() + (int64_t)30 * 86400 * 1000); /* not yet valid */
    make_stamped(&file);
    expect(&file, "claimSignature.outsideValidity");
    signer_free(&signer);
    signer = today;
    bst_buf_free(&file);
}

static void unfit_certificates_are_refused(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_buf file = {0};
    struct signer today = signer;
    struct bst_chain chain;
    assert_good(bst_chain_from_pem(signer.root, strlen(signer.root), &chain, &err));
    signer.signs.chain = chain; /* the authority signs itself */
    signer.signs.key = signer.ca;
    make_stamped(&file);
    signer = today;
    expect(&file, "signingCredential.invalid");
    bst_chain_clear(&chain);
    file.len = 0;
    struct signer other; /* another key than the certificate's */
    signer_new(&other, bst_now_ms());
    signer.signs.key = other.key;
    make_stamped(&file);
    signer = today;
    expect(&file, "claimSignature.mismatch");
    signer_free(&other);
    bst_buf_free(&file);
}

/* The store in front of a JPEG's frame, in segments of at most part bytes. */
static void make_jpeg(size_t part, struct bst_buf *out)
{
    static const char rest[] = "\xff\xc0\0\4ab\xff\xda\0\4cd\1\2\3\xff\xd9";
    struct bst_error err = {0};
    struct bst_buf bare = {0}, store = {0};
    bst_buf_append(&bare, "\xff\xd8", 2);
    bst_buf_append(&bare, rest, sizeof(rest) - 1);
    struct bst_manifest manifest = make_manifest(&signer, &bare);
    manifest.chunk_start = 2;
    /* how many segments there will be depends on the length, which depends on their number */
    for (size_t segments = 1; store.len == 0 || (store.len + part - 1) / part != segments - 1; segments++) {
        store.len = 0;
        manifest.chunk_overhead = 12 * segments + 8 * (segments - 1);
        assert_good(bst_c2pa_write(&manifest, &store, &err));
    }
    bst_buf_append(out, "\xff\xd8", 2);
    for (size_t pos = 0, sequence = 1; pos < store.len; pos += part, sequence++) {
        size_t len = store.len - pos < part ? store.len - pos : part;
        bst_buf_be16(out, 0xffeb);
        bst_buf_be16(out, (uint16_t)(len + (sequence > 1 ? 18u : 10u)));
        bst_buf_append(out, "JP\2\x11", 4);
        bst_buf_be32(out, (uint32_t)sequence);
        if (sequence > 1) bst_buf_append(out, store.data, 8);
        bst_buf_append(out, store.data + pos, len);
    }
    bst_buf_append(out, rest, sizeof(rest) - 1);
    bst_buf_free(&bare);
    bst_buf_free(&store);
}

static void jpeg_manifests_are_read(void **state)
{
    (void)state;
    static const size_t parts[] = {65000, 1000, 333};
    for (size_t i = 0; i < 3; i++) {
        struct bst_buf file = {0};
        struct bst_c2pa c2pa;
        make_jpeg(parts[i], &file);
        judge(&file, signer.root, &c2pa);
        assert_int_equal(c2pa.state, BST_C2PA_TRUSTED);
        bst_c2pa_clear(&c2pa);
        file.data[file.len - 3] ^= 1; /* picture data */
        expect(&file, "assertion.dataHash.mismatch");
        bst_buf_free(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_own_is_trusted),
        cmocka_unit_test(encoding_is_deterministic),
        cmocka_unit_test(strangers_are_valid_but_untrusted),
        cmocka_unit_test(unstamped_is_told_apart),
        cmocka_unit_test(every_byte_of_the_manifest_counts),
        cmocka_unit_test(alterations_are_named),
        cmocka_unit_test(exclusion_must_be_the_real_place),
        cmocka_unit_test(any_length_settles),
        cmocka_unit_test(intact_and_trusted_are_different_things),
        cmocka_unit_test(expired_certificates_are_named),
        cmocka_unit_test(unfit_certificates_are_refused),
        cmocka_unit_test(jpeg_manifests_are_read),
    };
    return cmocka_run_group_tests_name("c2pa", tests, setup, teardown);
}
