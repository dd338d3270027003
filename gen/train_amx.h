/* train_amx.h - convolutions by the matrix unit of recent x86-64 processors (Intel AMX, bfloat16 products,
 * float32 sums): about ten times as fast as float32 products. Training does not need more precision in single
 * products, and its bits need not repeat on other machines. Where there is no such unit, train_layer.c uses
 * OpenBLAS (train_blas.h).
 */
#ifndef BST_GEN_TRAIN_AMX_H
#define BST_GEN_TRAIN_AMX_H

#include "train_layer.h"

/* Whether processor and kernel have it; asks the kernel for the registers on the first call. */
bool train_amx_available(void);
/* Floats of scratch memory, aligned to 64 bytes, that the functions below need for one convolution; 0 when it
 * is too small for them. */
size_t train_amx_scratch(struct train_map in, size_t cout, size_t k);
/* As in train_layer.h. */
void train_amx_forward(struct train_map in, size_t cout, size_t k, const float *weights, const float *x,
                       float *raw, float *scratch);
void train_amx_backward(struct train_map in, size_t cout, size_t k, const float *weights, const float *x,
                        const float *draw, float *dx, float *dweights, float *scratch);

#endif
