// Convolutions with square strides and paddings, one group, no dilation, and their gradients.
#pragma once
#include <ATen/core/Tensor.h>
#include <optional>

namespace shim {

/// - x: [n, in, h, w]; kernel: [out, in, k, k]; bias: [out], or undefined.
at::Tensor convolution(const at::Tensor &x, const at::Tensor &kernel, const at::Tensor &bias, int64_t stride, int64_t padding);

struct ConvolutionGradients {
    at::Tensor input, kernel;
};
ConvolutionGradients convolution_gradients(const at::Tensor &gradient, const at::Tensor &x, const at::Tensor &kernel, int64_t stride,
                                           int64_t padding, bool needs_input, bool needs_kernel);

namespace winograd {

/// Whether the algorithm fits the shape and saves at least half of the products: 3×3, stride 1, padding 1, channels in
/// sixteens, enough tiles to repay the kernels' transformation; on the CPU in float32.
bool fits(const at::Tensor &x, const at::Tensor &kernel, int64_t stride, int64_t padding);

/// y = x ∗ kernel [+ bias] [+ residual] [→ ReLU].
at::Tensor convolve(const at::Tensor &x, const at::Tensor &kernel, const at::Tensor &bias, const at::Tensor &residual, bool relu);
/// The same with kernels transformed beforehand, which take four times the memory.
at::Tensor convolve(const at::Tensor &x, int64_t outputs, const at::Tensor &transformed, const at::Tensor &bias, const at::Tensor &residual,
                    bool relu);
at::Tensor transformed(const at::Tensor &kernel);
at::Tensor input_gradient(const at::Tensor &gradient, const at::Tensor &kernel);
at::Tensor kernel_gradient(const at::Tensor &gradient, const at::Tensor &x);

}  // namespace winograd
}  // namespace shim
