// The C face of libtorch that Fovea uses.
//
// Operations are called by their ATen schema name through libtorch's dispatcher ("aten::conv2d"), with the arguments
// pushed one by one: all of libtorch's operators are reachable without a wrapper for each, defaults come from the
// schema, and an argument of the wrong kind is an error, not undefined behaviour. Autograd, autocast and the device's
// kernels are dispatched as for any other caller.
//
// Every call that can fail returns a ct_status; ct_message() is then the reason, valid until the thread's next failure.
// No C++ exception leaves these functions. Handles are owned by the caller: release each with ct_tensor_release.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum ct_status { CT_OK = 0, CT_OUT_OF_MEMORY = 1, CT_SHAPE = 2, CT_NOT_FOUND = 3, CT_OTHER = 4 } ct_status;

typedef struct ct_tensor_s *ct_tensor;
typedef struct ct_operation_s *ct_operation;

const char *ct_message(void);

// Operations (operation.cpp)
ct_status ct_operation_find(const char *name, const char *overload, ct_operation *out);
void ct_push_none(void);
void ct_push_tensor(ct_tensor tensor);
void ct_push_tensors(const ct_tensor *tensors, size_t count);
void ct_push_optional_tensors(const ct_tensor *tensors, size_t count);  // NULL entries are None
void ct_push_bool(bool value);
void ct_push_int(int64_t value);
void ct_push_ints(const int64_t *values, size_t count);
void ct_push_double(double value);
void ct_push_doubles(const double *values, size_t count);
void ct_push_string(const char *value);
void ct_push_device(int type, int index);
// Takes the pushed arguments (also when it fails); results stay until the thread's next ct_call.
ct_status ct_call(ct_operation operation);
size_t ct_result_count(void);
ct_tensor ct_result_tensor(size_t index);  // NULL when that result is no tensor
bool ct_result_is_list(size_t index);
size_t ct_result_list_count(size_t index);
ct_tensor ct_result_list_tensor(size_t index, size_t element);
void ct_result_clear(void);

// Tensors (tensor.cpp). Types and devices are c10::ScalarType and c10::DeviceType values.
void ct_tensor_release(ct_tensor tensor);
ct_status ct_tensor_from_bytes(const void *bytes, const int64_t *sizes, size_t dimensions, int type, ct_tensor *out);
ct_status ct_tensor_copy_bytes(ct_tensor tensor, void *into, size_t byte_count);  // row-major order
size_t ct_tensor_dimensions(ct_tensor tensor);
int64_t ct_tensor_size(ct_tensor tensor, size_t dimension);
int64_t ct_tensor_element_count(ct_tensor tensor);
int ct_tensor_type(ct_tensor tensor);
void ct_tensor_device(ct_tensor tensor, int *type, int *index);
bool ct_tensor_is_contiguous(ct_tensor tensor);
bool ct_tensor_is_channels_last(ct_tensor tensor);
const void *ct_tensor_address(ct_tensor tensor);
ct_status ct_tensor_item(ct_tensor tensor, double *out);

// Autograd (autograd.cpp)
bool ct_tensor_requires_grad(ct_tensor tensor);
ct_status ct_tensor_set_requires_grad(ct_tensor tensor, bool requires_grad);
ct_tensor ct_tensor_grad(ct_tensor tensor);  // NULL when there is none
// NULL clears. A gradient of another memory layout is copied into the tensor's own: the fused optimisers rely on it.
ct_status ct_tensor_set_grad(ct_tensor tensor, ct_tensor gradient);
ct_status ct_backward(ct_tensor loss, ct_tensor gradient, bool retain_graph);
ct_status ct_gradients(const ct_tensor *outputs, const ct_tensor *output_gradients, size_t output_count,
                       const ct_tensor *inputs, size_t input_count, bool create_graph, ct_tensor *out);
// A function whose gradient the caller computes (own_gradient.cpp): `outputs` were made of `inputs` without a graph, and become new
// handles that have one. `function` is given owned handles of the outputs and of their gradients, which may be NULL, and calls
// ct_add_gradient with `results` once for each input, in order (NULL for none); `release` frees `context`, also when the call fails.
typedef void (*ct_gradient_function)(void *context, const ct_tensor *outputs, const ct_tensor *gradients, size_t count, void *results);
typedef void (*ct_release_function)(void *context);
ct_status ct_own_gradient(const ct_tensor *inputs, size_t input_count, ct_tensor *outputs, size_t output_count,
                          ct_gradient_function function, void *context, ct_release_function release);
void ct_add_gradient(void *results, ct_tensor gradient);
bool ct_set_gradients_enabled(bool enabled);  // the value before
void *ct_inference_begin(void);
void ct_inference_end(void *guard);

// conv2d(x, kernel [, bias]) with one stride and padding for both directions, one group, no dilation (convolution.cpp); bias may
// be NULL.
ct_status ct_convolution(ct_tensor x, ct_tensor kernel, ct_tensor bias, int64_t stride, int64_t padding, ct_tensor *out);

// linear(x, weight [, bias]) (linear.cpp); bias may be NULL.
ct_status ct_linear(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor *out);

// Batch normalisation [+ residual] [→ ReLU] as one operation (fused_norm.cpp); residual, weight and bias may be NULL.
ct_status ct_batch_norm(ct_tensor x, ct_tensor residual, ct_tensor weight, ct_tensor bias, ct_tensor running_mean,
                        ct_tensor running_variance, bool training, double momentum, double epsilon, bool relu, ct_tensor *out);
// max_pool2d(ReLU(batch norm(x))) without keeping what lies between; kernel, stride and padding for both directions.
ct_status ct_batch_norm_max_pool(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor running_mean, ct_tensor running_variance,
                                 bool training, double momentum, double epsilon, int64_t kernel, int64_t stride, int64_t padding,
                                 ct_tensor *out);
// conv2d(ReLU(batch norm(x)), kernel) without keeping what lies between; one stride and padding for both directions.
ct_status ct_batch_norm_convolution(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor running_mean, ct_tensor running_variance,
                                    bool training, double momentum, double epsilon, ct_tensor kernel, int64_t stride, int64_t padding,
                                    ct_tensor *out);
// Convolutions in a row, each followed by its batch normalisation and, but for the last, a ReLU; after the last [+ residual] [→ ReLU]
// (normalized_convolutions.cpp). One momentum and epsilon for all; residual may be NULL. Only where ct_joins_convolutions(x).
typedef struct {
    ct_tensor kernel;
    int64_t stride, padding;
    ct_tensor weight, bias, running_mean, running_variance;
} ct_normalized_convolution;
// Which convolutions' results are kept for the gradient, the others being computed again: the same numbers.
typedef enum { CT_KEEP_SMALL, CT_KEEP_ALL, CT_KEEP_NONE } ct_keeping;
bool ct_joins_convolutions(ct_tensor x);
ct_status ct_normalized_convolutions(ct_tensor x, const ct_normalized_convolution *layers, size_t count, ct_tensor residual, bool training,
                                     double momentum, double epsilon, bool relu, ct_keeping keeping, ct_tensor *out);

// relu(batch norm of running statistics(conv2d(x, kernel)) [+ residual]) without a graph (folded_convolution.cpp); weight, bias
// and residual may be NULL. Only where ct_folds_convolution(x). NaN in x may come out as 0, but not NaN in what a result is made with.
bool ct_folds_convolution(ct_tensor x);
// The kernel in the form in which it was last needed, kept from call to call for as long as no tensor it was made of changes.
typedef struct ct_folded_opaque *ct_folded;
ct_folded ct_folded_make(void);
void ct_folded_release(ct_folded folded);
ct_status ct_folded_convolution(ct_folded folded, ct_tensor x, ct_tensor kernel, int64_t stride, int64_t padding, ct_tensor weight,
                                ct_tensor bias, ct_tensor running_mean, ct_tensor running_variance, double epsilon, ct_tensor residual,
                                bool relu, ct_tensor *out);

// The `count` largest of each row of float32 scores on the CPU that come in blocks, columns rising (top_scores.cpp). The result is
// in falling order, ties to the lower column, and as wide as the shortest row allows.
typedef struct ct_top_scores_opaque *ct_top_scores;
ct_status ct_top_scores_begin(int64_t rows, int64_t count, ct_top_scores *out);
ct_status ct_top_scores_add(ct_top_scores into, ct_tensor scores, int64_t first_row, int64_t first_column);
// The scores queries · bankᵀ, of all rows and of columns from `first_column`; query r's own column r + own, if own ≥ 0, is −∞.
ct_status ct_top_scores_add_products(ct_top_scores into, ct_tensor queries, ct_tensor bank, int64_t first_column, int64_t own);
ct_status ct_top_scores_result(ct_top_scores from, ct_tensor *values, ct_tensor *columns);
void ct_top_scores_release(ct_top_scores handle);

// Σ −log softmax(rows · weightsᵀ + bias)[target] over the rows, and its gradient [classes, d + 1] with the bias' last, both float64
// (softmax_regression.cpp). float32 rows [n, d] and weights [classes, d] on the CPU, int64 targets, float64 bias.
ct_status ct_softmax_regression(ct_tensor rows, ct_tensor targets, ct_tensor weights, ct_tensor bias, double *loss, ct_tensor *gradient);
// Whether products of our own are faster than libtorch's on this processor (product.h).
bool ct_multiplies_fast(void);

// The process (runtime.cpp)
const char *ct_version(void);
int ct_device_count(int type);
void ct_set_threads(int threads);
int ct_threads(void);
void ct_set_deterministic(bool deterministic);
void ct_set_flush_denormal(bool flush);
void ct_recycle_memory(void);  // before the first tensor (recycling_allocator.cpp)
void ct_recycled_memory(int64_t *in_use, int64_t *kept, int64_t *peak);  // bytes
ct_status ct_seed(uint64_t seed);
ct_status ct_generator_state(int device_type, int device_index, ct_tensor *out);
ct_status ct_set_generator_state(int device_type, int device_index, ct_tensor state);
int ct_autocast_begin(int device_type, int type);  // the type before, −1 when it was off
void ct_autocast_end(int device_type, int before);
ct_status ct_synchronize(int device_type, int device_index);

#ifdef __cplusplus
}
#endif
