/* fuzz_import.h - what a stranger's dictionary of tensors becomes, for the targets that read one: the network is told,
 * built, written and read back. */
#ifndef FUZZ_IMPORT_H
#define FUZZ_IMPORT_H

#include <stdlib.h>

#include "graph.h"
#include "import.h"

static inline void import_recognised(const struct import_dict *dict)
{
    struct import_dict part = {0};
    const struct import_arch *arch;
    struct bst_error err = {0};
    if (import_recognise(dict, NULL, &arch, &part, &err) == BST_OK) {
        struct import_net net;
        struct bst_buf file = {0};
        struct graph *graph = NULL;
        net_start(&net, &part, &err);
        arch->build(&net);
        if (net.failed && err.what[0] == 0) abort();
        if (!net.failed && onnx_write(&net.writer, &file, &err) == BST_OK &&
            graph_read(file.data, file.len, "fuzz.onnx", &graph, &err) != BST_OK && err.what[0] == 0)
            abort();
        graph_free(graph);
        bst_buf_free(&file);
        net_clear(&net);
    } else if (err.what[0] == 0) {
        abort();
    }
    import_dict_clear(&part);
}

#endif
