/* network_svg.c - a network as a drawing: operators as boxes in the colours of their kinds, as wide as they have
 * channels, with what is applied along with them; shapes on the edges; repeated blocks in a frame, once. */
#include "network_draw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUTPUT       (SIZE_MAX - 1) /* source of the box of the output */
#define CHAINS_ABOVE 160            /* boxes: beyond that, what simply follows each other is put together */
#define CHAIN_MAX    32
#define NAME_SHOWN   26 /* characters of a stranger's name */
#define FUSED_SHOWN  40
#define LEAST_WIDTH  820.0

enum kind_shown { SHOWN_CONV, SHOWN_PRODUCT, SHOWN_SIZE, SHOWN_NORM, SHOWN_NUMBER, SHOWN_MOVE, SHOWN_END };
static const struct {
    const char *words, *fill, *line;
} kinds[] = {
    {"convolution", "#cfe3f7", "#3b78b5"},      {"matrix product", "#dcd6f7", "#6a55b8"},
    {"changes the size", "#d3efd9", "#3a9154"}, {"normalizes, sums", "#fde0c2", "#c9822b"},
    {"number by number", "#fdf3bf", "#b59b1f"}, {"moves", "#e6e8eb", "#7d8590"},
    {"input, output", "#2f3640", "#2f3640"},
};

static enum kind_shown kind_of(const char *op)
{
    static const struct {
        const char *word;
        enum kind_shown kind;
    } words[] = {
        {"ConvTranspose", SHOWN_SIZE}, {"Conv", SHOWN_CONV},       {"Gemm", SHOWN_PRODUCT},
        {"MatMul", SHOWN_PRODUCT},     {"Einsum", SHOWN_PRODUCT},  {"Resize", SHOWN_SIZE},
        {"Upsample", SHOWN_SIZE},      {"Pool", SHOWN_SIZE},       {"DepthToSpace", SHOWN_SIZE},
        {"SpaceToDepth", SHOWN_SIZE},  {"GridSample", SHOWN_SIZE}, {"Normalization", SHOWN_NORM},
        {"Reduce", SHOWN_NORM},        {"Softmax", SHOWN_NORM},    {"Concat", SHOWN_MOVE},
        {"Split", SHOWN_MOVE},         {"Slice", SHOWN_MOVE},      {"Gather", SHOWN_MOVE},
        {"Transpose", SHOWN_MOVE},     {"Pad", SHOWN_MOVE},        {"Expand", SHOWN_MOVE},
        {"Tile", SHOWN_MOVE},          {"Reshape", SHOWN_MOVE},    {"queeze", SHOWN_MOVE},
        {"Flatten", SHOWN_MOVE},       {"Identity", SHOWN_MOVE},   {"Scatter", SHOWN_MOVE},
        {"input", SHOWN_END},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strstr(op, words[i].word) != NULL) return words[i].kind;
    return SHOWN_NUMBER;
}

/* ---- text ---- */

/* Text from a stranger: made printable, cut after so many characters, escaped. */
static void put_text(struct bst_buf *out, const char *text, size_t most)
{
    char *safe = bst_printable(text, strlen(text));
    size_t shown = 0;
    if (safe == NULL) {
        out->failed = true;
        return;
    }
    for (const char *at = safe; *at != 0; at++) {
        if (((unsigned char)*at & 0xc0) != 0x80 && shown++ == most) {
            bst_buf_text(out, "\xe2\x80\xa6");
            break;
        }
        if (*at == '&')
            bst_buf_text(out, "&amp;");
        else if (*at == '<')
            bst_buf_text(out, "&lt;");
        else if (*at == '>')
            bst_buf_text(out, "&gt;");
        else if (*at == '"')
            bst_buf_text(out, "&quot;");
        else
            bst_buf_byte(out, (uint8_t)*at);
    }
    free(safe);
}

static size_t characters(const char *text, size_t most)
{
    size_t count = 0;
    for (; *text != 0; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count < most ? count : most + 1;
}

/* "64 x 128 x 128": without the batch of one. */
static void dims_words(const struct bst_layer *layer, char *out, size_t room)
{
    size_t len = 0, first = layer->rank > 1 && layer->dims[0] == 1 ? 1 : 0;
    out[0] = 0;
    for (size_t i = first; i < layer->rank && len < room; i++)
        len += (size_t)snprintf(out + len, room - len, "%s%lld", i > first ? " \xc3\x97 " : "",
                                (long long)layer->dims[i]);
}

static void label_words(const struct drawn *d, const struct box *box, char *out, size_t room)
{
    if (box->source == OUTPUT) {
        snprintf(out, room, "output");
        return;
    }
    const struct bst_layer *layer = layer_at(d->network, box->source);
    if (box->chain > 1)
        snprintf(out, room, "%zu layers to %s", box->chain, layer->op);
    else
        snprintf(out, room, "%s%s%s", layer->op, layer->detail[0] != 0 ? " " : "", layer->detail);
}

static const struct bst_layer *shown_layer(const struct drawn *d, const struct box *box)
{
    return layer_at(d->network, box->source == OUTPUT ? d->network->output : box->source);
}

/* Words of the second line: what is applied along, or an input's name. */
static const char *second_line(const struct drawn *d, const struct box *box)
{
    if (box->source == OUTPUT) return "";
    const struct bst_layer *layer = layer_at(d->network, box->source);
    return box->source < d->network->input_count ? layer->name : layer->fused;
}

static double channels_of(const struct bst_layer *layer)
{
    return layer->rank >= 2 && layer->dims[1] > 1 ? (double)layer->dims[1] : 1.0;
}

void box_size(const struct drawn *d, struct box *box)
{
    char label[96];
    const char *second = second_line(d, box);
    size_t most = box->source < d->network->input_count ? NAME_SHOWN : FUSED_SHOWN;
    label_words(d, box, label, sizeof label);
    double width = 78.0 + 15.0 * log2(channels_of(shown_layer(d, box)));
    double first = 7.4 * (double)characters(label, 90) + 26.0,
           other = *second != 0 ? 5.7 * (double)characters(second, most) + 22.0 : 0.0;
    box->width = fmin(fmax(fmax(width, first), other), 320.0);
    box->height = *second != 0 ? 40.0 : 28.0;
    double numbers = 1;
    for (size_t i = 0; i < shown_layer(d, box)->rank; i++)
        numbers *= (double)shown_layer(d, box)->dims[i];
    box->pull = sqrt(sqrt(fmax(numbers, 1.0)));
}

/* ---- putting it together ---- */

struct making {
    struct drawn drawn;
    size_t *stands_for; /* of every input and layer */
    size_t *box_of;     /* of what is drawn; NOWHERE: not yet */
};

static const struct repeat *repeat_of(const struct drawn *d, size_t number)
{
    const struct repeat *found = NULL;
    for (size_t i = 0; i < d->repeat_count; i++)
        if (number >= d->repeats[i].first && number < d->repeats[i].first + d->repeats[i].period &&
            (found == NULL || d->repeats[i].period < found->period))
            found = &d->repeats[i];
    return found;
}

/* Layers that move nothing are left out: whoever reads one reads what it reads. */
static void skip_aliases(struct making *m)
{
    const struct bst_network *n = m->drawn.network;
    for (size_t i = n->input_count; i < n->input_count + n->layer_count; i++) {
        const struct bst_layer *layer = layer_at(n, i);
        if (layer->moves_nothing && layer->source_count == 1 && m->stands_for[i] == i)
            m->stands_for[i] = m->stands_for[layer->sources[0]];
        else if (m->stands_for[i] != i)
            m->stands_for[i] = m->stands_for[m->stands_for[i]];
    }
}

/* How often each drawn layer is read. */
static void count_reads(const struct making *m, size_t *reads)
{
    const struct bst_network *n = m->drawn.network;
    for (size_t i = n->input_count; i < n->input_count + n->layer_count; i++)
        for (size_t s = 0; s < layer_at(n, i)->source_count; s++)
            reads[m->stands_for[layer_at(n, i)->sources[s]]]++;
    reads[m->stands_for[n->output]]++;
}

static bool make_boxes(struct making *m)
{
    struct drawn *d = &m->drawn;
    const struct bst_network *n = d->network;
    size_t all = n->input_count + n->layer_count, shown = 0;
    size_t *reads = bst_calloc(all + 1, sizeof *reads);
    d->boxes = bst_calloc(all + 1, sizeof *d->boxes);
    if (reads == NULL || d->boxes == NULL) {
        free(reads);
        return false;
    }
    count_reads(m, reads);
    for (size_t i = 0; i < all; i++)
        shown += m->stands_for[i] == i;
    for (size_t i = 0; i < all; i++) {
        const struct bst_layer *layer = layer_at(n, i);
        m->box_of[i] = NOWHERE;
        if (m->stands_for[i] != i) continue;
        size_t before = layer->source_count == 1 ? m->stands_for[layer->sources[0]] : NOWHERE;
        bool chained = shown > CHAINS_ABOVE && before != NOWHERE && before >= n->input_count && before < i &&
                       reads[before] == 1 && repeat_of(d, before) == repeat_of(d, i) &&
                       d->boxes[m->box_of[before]].chain < CHAIN_MAX &&
                       d->boxes[m->box_of[before]].source == before && m->box_of[before] + 1 == d->box_count;
        if (chained) {
            struct box *box = &d->boxes[m->box_of[before]];
            m->box_of[i] = m->box_of[before];
            box->source = i;
            box->chain++;
        } else {
            m->box_of[i] = d->box_count;
            d->boxes[d->box_count++] = (struct box){.source = i, .chain = 1};
        }
    }
    d->boxes[d->box_count++] = (struct box){.source = OUTPUT, .chain = 1};
    free(reads);
    return true;
}

static int by_ends(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;
    if (x->from != y->from) return x->from < y->from ? -1 : 1;
    return (x->to > y->to) - (x->to < y->to);
}

/* An edge within a block from one round to the next leads upwards and is left to the frame. */
static void add_edge(struct making *m, size_t from, size_t to)
{
    struct drawn *d = &m->drawn;
    if (from != NOWHERE && to != NOWHERE && from < to)
        d->edges[d->edge_count++] = (struct edge){.from = from, .to = to};
}

static bool make_edges(struct making *m)
{
    struct drawn *d = &m->drawn;
    const struct bst_network *n = d->network;
    size_t all = n->input_count + n->layer_count, room = 1;
    for (size_t i = 0; i < all; i++)
        room += layer_at(n, i)->source_count;
    d->edges = bst_calloc(room, sizeof *d->edges);
    if (d->edges == NULL) return false;
    for (size_t i = n->input_count; i < all; i++) {
        const struct bst_layer *layer = layer_at(n, i);
        size_t self = m->stands_for[i];
        for (size_t s = 0; s < layer->source_count; s++) {
            size_t source = m->stands_for[layer->sources[s]];
            const struct repeat *around = self != i ? repeat_of(d, self) : NULL;
            if (around != NULL && source >= around->first && source < around->first + around->period)
                continue;
            add_edge(m, m->box_of[source], m->box_of[self]);
        }
    }
    add_edge(m, m->box_of[m->stands_for[n->output]], d->box_count - 1);
    qsort(d->edges, d->edge_count, sizeof *d->edges, by_ends);
    size_t kept = 0;
    for (size_t e = 0; e < d->edge_count; e++)
        if (kept == 0 || by_ends(&d->edges[kept - 1], &d->edges[e]) != 0) d->edges[kept++] = d->edges[e];
    d->edge_count = kept;
    return true;
}

/* ---- writing ---- */

static void write_head(const struct drawn *d, const char *title, struct bst_buf *out)
{
    const struct bst_network *n = d->network;
    double width = fmax(d->width, LEAST_WIDTH), x = 40.0;
    uint64_t parameters = 0;
    for (size_t i = 0; i < n->layer_count; i++)
        parameters += n->layers[i].parameters;
    bst_buf_printf(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" "
        "width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" font-family=\"Helvetica, Arial, "
        "sans-serif\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n"
        "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" "
        "markerHeight=\"7\" markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 0.8 L8 4 L0 7.2 "
        "z\" fill=\"#7c8794\"/></marker></defs>\n<text x=\"40\" y=\"34\" font-size=\"20\" "
        "font-weight=\"bold\" fill=\"#1f2630\">",
        width, d->height, width, d->height);
    put_text(out, title, 60);
    bst_buf_printf(
        out,
        "</text>\n<text x=\"40\" y=\"54\" font-size=\"12\" fill=\"#5b6570\">%zu layers, %.3g million "
        "parameters, %.4g GMAC a picture</text>\n",
        n->layer_count, (double)parameters / 1e6, (double)n->macs / 1e9);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        bst_buf_printf(
            out,
            "<rect x=\"%.0f\" y=\"66\" width=\"11\" height=\"11\" rx=\"2\" fill=\"%s\" stroke=\"%s\"/>"
            "<text x=\"%.0f\" y=\"76\" font-size=\"10.5\" fill=\"#3a434d\">%s</text>\n",
            x, kinds[i].fill, kinds[i].line, x + 16, kinds[i].words);
        x += 34.0 + 6.0 * (double)strlen(kinds[i].words);
    }
}

static void write_frame(const struct drawn *d, const struct repeat *repeat, struct bst_buf *out)
{
    double left = INFINITY, right = -INFINITY, top = INFINITY, bottom = -INFINITY, pad = 11.0;
    for (size_t i = 0; i < d->box_count; i++) {
        const struct box *box = &d->boxes[i];
        if (box->source < repeat->first || box->source >= repeat->first + repeat->period) continue;
        left = fmin(left, box->x - box->width / 2);
        right = fmax(right, box->x + box->width / 2);
        top = fmin(top, box->y);
        bottom = fmax(bottom, box->y + box->height);
    }
    if (left > right) return;
    for (size_t i = 0; i < d->repeat_count; i++)
        if (d->repeats[i].first >= repeat->first && d->repeats[i].period < repeat->period &&
            d->repeats[i].first < repeat->first + repeat->period) {
            pad = 18.0;
            break;
        }
    /* A frame in a frame has its number below that of the other. */
    double tag = top - pad + (pad < 18.0 ? 24.0 : 4.0);
    bst_buf_printf(
        out,
        "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"10\" fill=\"#6b7fd7\" "
        "fill-opacity=\"0.07\" stroke=\"#6b7fd7\" stroke-dasharray=\"5 4\"/>\n<rect x=\"%.1f\" y=\"%.1f\" "
        "width=\"46\" height=\"18\" rx=\"9\" fill=\"#6b7fd7\"/><text x=\"%.1f\" y=\"%.1f\" font-size=\"11\" "
        "font-weight=\"bold\" fill=\"#ffffff\" text-anchor=\"middle\">\xc3\x97 %zu</text>\n",
        left - pad, top - pad, right - left + 2 * pad, bottom - top + 2 * pad + 4, left - pad - 46, tag,
        left - pad - 23, tag + 13, repeat->times);
}

static void write_edge(const struct drawn *d, const struct edge *edge, struct bst_buf *out)
{
    const struct box *from = &d->boxes[edge->from], *to = &d->boxes[edge->to];
    double x = from->x, y = from->y + from->height;
    double weight = 1.0 + log2(channels_of(shown_layer(d, from))) / 5.0;
    bool passes = to->rank > from->rank + 1;
    bst_buf_printf(out, "<path d=\"M%.1f %.1f", x, y);
    for (size_t i = 0; i <= edge->bends; i++) {
        const struct box *next = i < edge->bends ? &d->boxes[edge->first_bend + i] : to;
        double end = next->y - (i < edge->bends ? 0 : 1), half = (end - y) / 2;
        bst_buf_printf(out, " C%.1f %.1f %.1f %.1f %.1f %.1f", x, y + half, next->x, end - half, next->x,
                       end);
        x = next->x;
        y = next->y;
        if (i == edge->bends) break;
        y += next->height;
        bst_buf_printf(out, " L%.1f %.1f", x, y);
    }
    bst_buf_printf(out,
                   "\" fill=\"none\" stroke=\"%s\" stroke-width=\"%.1f\" "
                   "marker-end=\"url(#tip)\"/>\n",
                   passes ? "#b98aa8" : "#98a3af", weight);
}

static void write_tooltip(const struct drawn *d, const struct box *box, struct bst_buf *out)
{
    const struct bst_layer *layer = shown_layer(d, box);
    char dims[160];
    dims_words(layer, dims, sizeof dims);
    bst_buf_text(out, "<title>");
    put_text(out, layer->op, 60);
    if (layer->name[0] != 0) {
        bst_buf_text(out, " ");
        put_text(out, layer->name, 200);
    }
    bst_buf_printf(out, "\n%s", dims);
    if (layer->parameters > 0)
        bst_buf_printf(out, "\n%llu parameters", (unsigned long long)layer->parameters);
    if (layer->macs > 0) bst_buf_printf(out, "\n%.4g GMAC", (double)layer->macs / 1e9);
    if (layer->algorithm != NULL) bst_buf_printf(out, ", %s", layer->algorithm);
    if (layer->fused_count > 0) bst_buf_printf(out, "\nwith %s", layer->fused);
    bst_buf_text(out, "</title>");
}

static void write_box(const struct drawn *d, const struct box *box, struct bst_buf *out)
{
    const struct bst_layer *layer = shown_layer(d, box);
    enum kind_shown kind = box->source == OUTPUT ? SHOWN_END : kind_of(layer->op);
    const char *second = second_line(d, box), *ink = kind == SHOWN_END ? "#ffffff" : "#1f2630";
    bool input = box->source < d->network->input_count;
    char label[96], dims[160];
    double left = box->x - box->width / 2;
    label_words(d, box, label, sizeof label);
    dims_words(layer, dims, sizeof dims);
    bst_buf_text(out, "<g>");
    write_tooltip(d, box, out);
    bst_buf_printf(out,
                   "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"%.0f\" fill=\"%s\" "
                   "stroke=\"%s\" stroke-width=\"1.2\"/>",
                   left, box->y, box->width, box->height, kind == SHOWN_END ? box->height / 2 : 5.0,
                   kinds[kind].fill, kinds[kind].line);
    if (*second != 0 && !input) /* what is applied along, on a stripe of the colour of its kind */
        bst_buf_printf(
            out, "<path d=\"M%.1f %.1f h%.1f v13 a4 4 0 0 1 -4 4 h-%.1f a4 4 0 0 1 -4 -4 z\" fill=\"%s\"/>",
            left + 0.8, box->y + 22, box->width - 1.6, box->width - 9.6, kinds[kind_of(second)].fill);
    bst_buf_printf(out,
                   "<text x=\"%.1f\" y=\"%.1f\" font-size=\"12\" font-weight=\"bold\" fill=\"%s\" "
                   "text-anchor=\"middle\">",
                   box->x, box->y + (*second != 0 ? 16.0 : 18.5), ink);
    put_text(out, label, 60);
    bst_buf_text(out, "</text>");
    if (*second != 0) {
        bst_buf_printf(out,
                       "<text x=\"%.1f\" y=\"%.1f\" font-size=\"10\" fill=\"%s\" text-anchor=\"middle\">",
                       box->x, box->y + 34.0, kind == SHOWN_END ? "#d7dce2" : "#4a5460");
        put_text(out, second, input ? NAME_SHOWN : FUSED_SHOWN);
        bst_buf_text(out, "</text>");
    }
    if (layer->algorithm != NULL && strcmp(layer->algorithm, "winograd") == 0 && box->source != OUTPUT &&
        box->chain == 1)
        bst_buf_printf(
            out,
            "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"6.5\" fill=\"#3b78b5\"/><text x=\"%.1f\" y=\"%.1f\" "
            "font-size=\"8\" fill=\"#ffffff\" text-anchor=\"middle\">W</text>",
            left + box->width - 4, box->y + 3, left + box->width - 4, box->y + 6);
    if (box->source != OUTPUT || dims[0] != 0)
        bst_buf_printf(out,
                       "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"12\" fill=\"#ffffff\" "
                       "fill-opacity=\"0.85\"/><text x=\"%.1f\" y=\"%.1f\" font-size=\"9.5\" "
                       "fill=\"#4a5460\">%s</text>",
                       box->x + 7, box->y + box->height + 4, 5.2 * (double)characters(dims, 160) + 4,
                       box->x + 9, box->y + box->height + 13, dims);
    bst_buf_text(out, "</g>\n");
}

/* A narrow drawing stands in the middle below its legend. */
static void centre(struct drawn *d)
{
    double shift = (LEAST_WIDTH - d->width) / 2;
    for (size_t i = 0; shift > 0 && i < d->box_count + d->bend_count; i++)
        d->boxes[i].x += shift;
}

static bool write_all(struct drawn *d, const char *title, struct bst_buf *out)
{
    centre(d);
    write_head(d, title, out);
    for (size_t i = 0; i < d->repeat_count; i++)
        write_frame(d, &d->repeats[i], out);
    for (size_t e = 0; e < d->edge_count; e++)
        write_edge(d, &d->edges[e], out);
    for (size_t i = 0; i < d->box_count; i++)
        write_box(d, &d->boxes[i], out);
    bst_buf_text(out, "</svg>\n");
    return !out->failed;
}

enum bst_code bst_network_svg(const struct bst_network *network, const char *title, struct bst_buf *out,
                              struct bst_error *err)
{
    size_t all = network->input_count + network->layer_count;
    struct making m = {.drawn = {.network = network}};
    struct drawn *d = &m.drawn;
    m.stands_for = bst_calloc(all + 1, sizeof *m.stands_for);
    m.box_of = bst_calloc(all + 1, sizeof *m.box_of);
    bool done = m.stands_for != NULL && m.box_of != NULL &&
                fold_repeats(network, m.stands_for, &d->repeats, &d->repeat_count);
    if (done) skip_aliases(&m);
    done = done && make_boxes(&m) && make_edges(&m) && layout_place(d) && write_all(d, title, out);
    free(m.stands_for);
    free(m.box_of);
    free(d->repeats);
    free(d->boxes);
    free(d->edges);
    free(d->row_y);
    free(d->row_height);
    return done ? BST_OK : bst_fail_memory(err);
}
