/* test_import_hostile.c - files that were made to harm: each is refused by one clear error, within a second, and
 * nothing is written. Also what is unusual but right: strides, shared storages, half-width weights. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <time.h>

#include "import.h"
#include "import_fixture.h"

static enum bst_code read_bytes(const struct bst_buf *bytes, struct import_dict *dict, struct bst_error *err)
{
    memset(err, 0, sizeof *err);
    memset(dict, 0, sizeof *dict);
    return import_is_safetensors(bytes->data, bytes->len) && !import_is_zip(bytes->data, bytes->len)
               ? import_safetensors_read(bytes->data, bytes->len, dict, err)
               : import_pth_read(bytes->data, bytes->len, dict, err);
}

static void expect(const struct bst_buf *bytes, const char *what, const char *place)
{
    struct import_dict dict;
    struct bst_error err;
    clock_t begin = clock();
    enum bst_code code = read_bytes(bytes, &dict, &err);
    import_dict_clear(&dict);
    if (code != BST_UNREADABLE || strstr(err.what, what) == NULL || strstr(err.where, place) == NULL)
        fail_msg("code %d, says '%s' at '%s', not '%s' at '%s'", code, err.what, err.where, what, place);
    assert_true((double)(clock() - begin) / CLOCKS_PER_SEC < 3); /* a second without sanitizers */
}

/* An archive with that pickle and one storage "0" of 16 bytes. */
static void archive(const void *pickle, size_t len, struct bst_buf *out)
{
    struct zip_writer z = {0};
    static const float numbers[] = {1, 2, 3, 4};
    out->len = 0;
    zip_entry(&z, "a/data.pkl", pickle, len, 0);
    zip_entry(&z, "a/data/0", numbers, sizeof numbers, 0);
    zip_finish(&z, out);
}

static void expect_pickle(const char *pickle, size_t len, const char *what, const char *place)
{
    struct bst_buf bytes = {0};
    archive(pickle, len, &bytes);
    expect(&bytes, what, place);
    bst_buf_free(&bytes);
}

#define PICKLE(text, what, place) expect_pickle(text, sizeof(text) - 1, what, place)

/* ---- pickles ---- */

static void test_programs(void **state)
{
    (void)state;
    PICKLE("\x80\x02"
           "cos\nsystem\n(X\x02\0\0\0lstR.",
           "names os.system", "pickle, byte 2");
    PICKLE("\x80\x02"
           "cposix\nsystem\n.",
           "names posix.system", "byte 2");
    PICKLE("\x80\x04\x8c\x08"
           "builtins\x8c\x04"
           "eval\x93.",
           "names builtins.eval", "byte 18");
    PICKLE("\x80\x02"
           "ctorch.storage\n_load_from_bytes\n.",
           "names torch.storage._load_from_bytes", "byte 2");
    PICKLE("\x80\x02"
           "ctorch\nFloatStorage\n)R.",
           "calls torch.FloatStorage", "");
    PICKLE("\x80\x02"
           "ccollections\nOrderedDict\n)\x81.",
           "makes an object of collections.OrderedDict", "");
    PICKLE("(S'ls'\nios\nsystem\n.", "opcode 0x53", "byte 1");
    PICKLE("(ios\nsystem\n.", "opcode 0x69", "byte 1");
    PICKLE("(o.", "opcode 0x6f", "byte 1");
    PICKLE("\x82\x01.", "opcode 0x82", "byte 0");
    PICKLE("Pid\n.", "opcode 0x50", "byte 0");
    PICKLE("\x80\x02"
           "c\x1b[31m\nx\n.",
           "names \\u001b[31m.x", "");
    PICKLE("\x80\x02"
           "ccollections\nOrderedDict\n}b.",
           "sets the state of what has none", "");
    PICKLE("\x80\x09.", "protocol after 5", "");
}

static void test_broken_pickles(void **state)
{
    static const char *const cut[] = {"",
                                      "X\xff\xff\xff\xff"
                                      "a",
                                      "\x8d\xff\xff\xff\xff\xff\xff\xff\xff"
                                      "a",
                                      "cnothing",
                                      "K",
                                      "\x8b\xff\xff\xff\x7f"};
    (void)state;
    for (size_t i = 0; i < sizeof cut / sizeof *cut; i++)
        expect_pickle(cut[i], strlen(cut[i]), "cut off", "");
    PICKLE("0.", "takes more than it has made", "byte 0");
    PICKLE("t.", "closes what it has not opened", "");
    PICKLE("K\1a.", "fills a list that is not there", "");
    PICKLE("K\1(K\2a.", "fills a list that is not there", "");
    PICKLE("K\1K\1K\1s.", "adds items to what is no list", "");
    PICKLE("}(K\1u.", "key without a value", "");
    PICKLE("(K\1d.", "key without a value", "");
    PICKLE("h\5.", "has not remembered", "");
    PICKLE("Nr\xff\xff\xff\xff.", "remembers too many", "");
    PICKLE("NNR.", "calls what is no name", "");
    PICKLE("NQ.", "no storage", "");
    PICKLE("\x87.", "takes more than it has made", "");
    PICKLE("I12x\n.", "a number that is none", "");
    PICKLE("}.", "holds no tensors", "");
}

static void put_text(struct bst_buf *out, const char *text)
{
    bst_buf_text(out, text);
}

static void test_bombs(void **state)
{
    struct bst_buf p = {0}, bytes = {0};
    (void)state;
    PICKLE("}q\0X\1\0\0\0kh\0s.", "nested too deeply, or hold themselves", "k.k.k");
    put_text(&p, "]"); /* each list holds the one before forty times */
    for (int depth = 0; depth < 12; depth++) {
        bst_buf_append(&p, "q\0](", 4);
        for (int i = 0; i < 40; i++)
            bst_buf_append(&p, "h\0", 2);
        put_text(&p, "e");
    }
    put_text(&p, ".");
    archive(p.data, p.len, &bytes);
    expect(&bytes, "nested too deeply", "");
    p.len = 0;
    for (int i = 0; i < 5000; i++)
        put_text(&p, "(");
    archive(p.data, p.len, &bytes);
    expect(&bytes, "nests too deeply", "");
    p.len = 0;
    for (int i = 0; i < 3000000; i++)
        bst_buf_byte(&p, 'N');
    archive(p.data, p.len, &bytes);
    expect(&bytes, "too many values", "");
    bst_buf_free(&p);
    bst_buf_free(&bytes);
}

/* ---- tensors ---- */

static void tensor_archive(int64_t elements, int64_t offset, size_t rank, const int64_t *dims,
                           const int64_t *strides, const char *storage, struct bst_buf *out)
{
    struct bst_buf p = {0};
    bst_buf_append(&p, "\x80\x02}", 3);
    pickle_text(&p, "t");
    pickle_tensor(&p, storage, (size_t)elements, offset, rank, dims, strides);
    put_text(&p, "s.");
    archive(p.data, p.len, out);
    bst_buf_free(&p);
}

static void expect_tensor(int64_t elements, int64_t offset, size_t rank, const int64_t *dims,
                          const int64_t *strides, const char *what)
{
    struct bst_buf bytes = {0};
    tensor_archive(elements, offset, rank, dims, strides, "0", &bytes);
    expect(&bytes, what, "");
    bst_buf_free(&bytes);
}

static void test_tensors_outside(void **state)
{
    static const char reach[] = "tensor 't' has dimensions or strides that reach outside";
    static const int64_t ones[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    struct bst_buf bytes = {0};
    (void)state;
    expect_tensor(4, 0, 1, (int64_t[]){5}, (int64_t[]){1}, reach);
    expect_tensor(4, 1, 1, (int64_t[]){4}, (int64_t[]){1}, reach);
    expect_tensor(4, 0, 2, (int64_t[]){2, 2}, (int64_t[]){3, 1}, reach);
    expect_tensor(4, 0, 1, (int64_t[]){-1}, (int64_t[]){1}, reach);
    expect_tensor(4, 3, 1, (int64_t[]){2}, (int64_t[]){-1}, reach);
    expect_tensor(4, 0, 1, (int64_t[]){1000000}, (int64_t[]){0}, reach); /* one number a million times */
    expect_tensor(4, 0, 4, (int64_t[]){INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX}, (int64_t[]){0, 0, 0, 0},
                  reach);
    expect_tensor(4, INT32_MAX, 1, (int64_t[]){1}, (int64_t[]){1}, "begins outside of its data");
    expect_tensor(4, -1, 1, (int64_t[]){1}, (int64_t[]){1}, "what is no storage, offset, size and stride");
    expect_tensor(4, 0, 9, ones, ones, "more than 8 dimensions");
    expect_tensor(5, 0, 1, (int64_t[]){4}, (int64_t[]){1}, "storage '0' is shorter than the pickle says");
    tensor_archive(4, 0, 1, (int64_t[]){4}, (int64_t[]){1}, "7", &bytes);
    expect(&bytes, "storage '7' is missing", "");
    bst_buf_free(&bytes);
}

static void test_strides(void **state)
{
    struct bst_buf bytes = {0};
    struct import_dict dict;
    struct bst_error err;
    (void)state;
    tensor_archive(4, 0, 2, (int64_t[]){2, 2}, (int64_t[]){1, 2}, "0", &bytes); /* a transposed matrix */
    assert_int_equal(read_bytes(&bytes, &dict, &err), BST_OK);
    float *values = import_floats(import_dict_find(&dict, "t"));
    assert_true(values[0] == 1 && values[1] == 3 && values[2] == 2 && values[3] == 4);
    free(values);
    import_dict_clear(&dict);
    tensor_archive(4, 1, 1, (int64_t[]){2}, (int64_t[]){2}, "0", &bytes); /* every second number */
    assert_int_equal(read_bytes(&bytes, &dict, &err), BST_OK);
    values = import_floats(import_dict_find(&dict, "t"));
    assert_true(values[0] == 2 && values[1] == 4);
    free(values);
    import_dict_clear(&dict);
    bst_buf_free(&bytes);
}

/* ---- archives ---- */

static void small_weights(struct weights *w)
{
    w->count = 0;
    weights_line(w, "tensor a 1 0 2 3");
    weights_line(w, "tensor b 1 0 4");
}

static void test_archives(void **state)
{
    struct weights *w = bst_calloc(1, sizeof *w);
    struct bst_buf good = {0}, bytes = {0};
    struct zip_writer z = {0};
    (void)state;
    small_weights(w);
    weights_zip(w, NULL, &good);
    zip_entry(&z, "a/data.pkl", "}.", 2, 8);
    zip_finish(&z, &bytes);
    expect(&bytes, "entries are compressed", "");
    bytes.len = 0;
    zip_entry(&z, "a/constants.pkl", "}.", 2, 0);
    z.count = 1;
    zip_finish(&z, &bytes);
    expect(&bytes, "no data.pkl", "");
    bytes.len = 0;
    z = (struct zip_writer){0};
    zip_entry(&z, "a/data.pkl", "}.", 2, 0);
    zip_entry(&z, "a/byteorder", "big", 3, 0);
    zip_finish(&z, &bytes);
    expect(&bytes, "big-endian", "");
    bytes.len = 0;
    bst_buf_append(&bytes, good.data, good.len);
    size_t at = 0; /* of the first storage's local header, whose bytes begin 13 behind its name */
    while (memcmp(bytes.data + at, "net/data/0FB", 12) != 0)
        at++;
    uint8_t *number = bytes.data + at;
    number[20] ^= 1;
    expect(&bytes, "checksum of a storage is wrong", "");
    number[20] ^= 1;
    memcpy(bytes.data + bytes.len - 6, "\xff\xff\xff\x7f", 4); /* where the directory begins */
    expect(&bytes, "central directory lies outside", "");
    bst_buf_free(&good);
    bst_buf_free(&bytes);
    free(w);
}

/* Every beginning of a good file is refused, without a crash. */
static void test_truncated(void **state)
{
    struct weights *w = bst_calloc(1, sizeof *w);
    (void)state;
    small_weights(w);
    for (int format = 0; format < 3; format++) {
        struct bst_buf good = {0};
        if (format == 0) weights_zip(w, "params", &good);
        if (format == 1) weights_legacy(w, NULL, &good);
        if (format == 2) weights_safetensors(w, &good);
        for (size_t len = 16; len <= good.len; len++) {
            struct import_dict dict;
            struct bst_error err;
            uint8_t *exact = malloc(len); /* so that a sanitizer sees one byte too many */
            memcpy(exact, good.data, len);
            struct bst_buf bytes = {.data = exact, .len = len};
            enum bst_code code = read_bytes(&bytes, &dict, &err);
            assert_int_equal(code == BST_OK, len == good.len);
            assert_true(code == BST_OK || err.what[0] != 0);
            if (code == BST_OK) assert_int_equal(dict.count, 2);
            import_dict_clear(&dict);
            free(exact);
        }
        bst_buf_free(&good);
    }
    free(w);
}

/* ---- safetensors ---- */

static void expect_header(const char *header, uint64_t length, const char *what)
{
    struct bst_buf bytes = {0};
    put_le(&bytes, length != 0 ? length : strlen(header), 8);
    bst_buf_text(&bytes, header);
    put_le(&bytes, 0, 8);
    expect(&bytes, what, "");
    bst_buf_free(&bytes);
}

static void test_safetensors(void **state)
{
    (void)state;
    expect_header("{}", UINT64_MAX, "larger than the file");
    expect_header("{}", 1 << 20, "larger than the file");
    expect_header("{]", 0, "not valid JSON");
    expect_header("{}", 0, "holds no tensors");
    expect_header("{\"t\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}}", 0,
                  "lies outside of the file");
    expect_header("{\"t\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 0,
                  "not what its shape needs");
    expect_header("{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 0, "lies outside");
    expect_header("{\"t\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 0,
                  "not what its shape needs");
    expect_header("{\"t\":{\"dtype\":\"F32\",\"shape\":[9223372036854775807,4],\"data_offsets\":[0,8]}}", 0,
                  "not what its shape needs");
    expect_header("{\"t\":{\"dtype\":\"F8\",\"shape\":[8],\"data_offsets\":[0,8]}}", 0, "type F8");
    expect_header("{\"t\":7}", 0, "type (none)");
    expect_header("{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"t\":{}}", 0,
                  "duplicate");
}

/* float16 weights stay float16 in the file, behind a Cast. */
static void test_half(void **state)
{
    static const uint8_t halves[] = {0x00, 0x3c, 0x00, 0xc0, 0x66, 0x2e}; /* 1, -2, 0.1 rounded */
    struct import_dict dict = {0};
    struct import_net net;
    struct bst_error err = {0};
    int64_t dims[] = {3};
    (void)state;
    assert_int_equal(import_dict_add(&dict, "h", ONNX_FLOAT16, 1, dims, NULL, halves, sizeof halves, &err),
                     BST_OK);
    net_start(&net, &dict, &err);
    net_weight(&net, net_tensor(&net, "h", 1));
    assert_false(net.failed);
    assert_int_equal(net.writer.constants.count, 1);
    const Onnx__TensorProto *t = net.writer.constants.items[0];
    assert_int_equal(t->data_type, ONNX_FLOAT16);
    assert_memory_equal(t->raw_data.data, halves, sizeof halves);
    assert_string_equal(((Onnx__NodeProto *)net.writer.nodes.items[0])->op_type, "Cast");
    net_clear(&net);
    import_dict_clear(&dict);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_programs),  cmocka_unit_test(test_broken_pickles),
        cmocka_unit_test(test_bombs),     cmocka_unit_test(test_tensors_outside),
        cmocka_unit_test(test_strides),   cmocka_unit_test(test_archives),
        cmocka_unit_test(test_truncated), cmocka_unit_test(test_safetensors),
        cmocka_unit_test(test_half),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
