/* fuzz_ncnn.c - a stranger's ncnn network. The input is the .param text, a zero byte, then the .bin; what is built
 * goes through the ONNX reader and the planner as in an import. */
#include "import.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const uint8_t *zero = memchr(data, 0, len);
    size_t text = zero != NULL ? (size_t)(zero - data) : len;
    const uint8_t *bin = zero != NULL ? zero + 1 : data + len;
    struct import_net net;
    struct bst_error err = {0};
    net_start(&net, NULL, &err);
    if (import_ncnn_build(data, text, bin, len - (size_t)(bin - data), &net, &err) != BST_OK &&
        err.what[0] == 0)
        abort();
    net_clear(&net);
    return 0;
}
