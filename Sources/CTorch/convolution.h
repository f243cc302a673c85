// Convolutions with square strides and paddings, one group, no dilation, and their gradients.
#pragma once
#include <ATen/core/Tensor.h>
#include <functional>
#include <optional>

namespace shim {

/// Called with rows of a result (a row has a pixel's channels), the first of which is the tensor's row `first`, on the thread that made
/// them and soon after, so that they are still in its cache; `part` is the thread's (parallel.h). Once for each row.
using RowsMade = std::function<void(const float *rows, int64_t first, int64_t count, int64_t part)>;

struct Statistics;
class Slopes;

/// Whether a convolution normalises what it reads without a pass over memory (but for the gradients of a one-pixel convolution with a
/// stride whose rows are to be reported).
bool reads_normalized(const at::Tensor &x, const at::Tensor &kernel, int64_t stride, int64_t padding);

/// - x: [n, in, h, w]; kernel: [out, in, k, k]; bias: [out], or undefined.
/// - made, norm: only where x is float32 on the CPU with channels innermost; the result is then, too.
/// - norm: of x, to be normalised by it and to go through a ReLU before; null for x as it is.
at::Tensor convolution(const at::Tensor &x, const at::Tensor &kernel, const at::Tensor &bias, int64_t stride, int64_t padding,
                       const RowsMade &made = nullptr, const Statistics *norm = nullptr);

/// What is added to a result of its shape.
struct Added {
    at::Tensor values;  // undefined for nothing
    at::Tensor open;    // bits (`Statistics::normalized`) of those that are added; undefined for all
};

struct ConvolutionGradients {
    at::Tensor input, kernel;
};
/// - slopes: the gradient in the result.
/// - added: to the gradient in x.
/// - made: of the gradient in what is convolved, as in `convolution`.
/// - norm: as in `convolution`; the gradient is the one in what is convolved, not in x.
ConvolutionGradients convolution_gradients(Slopes slopes, const at::Tensor &x, const at::Tensor &kernel, int64_t stride,
                                           int64_t padding, bool needs_input, bool needs_kernel, const Added &added = {},
                                           const RowsMade &made = nullptr, const Statistics *norm = nullptr);

namespace winograd {

/// Whether the algorithm fits the shape and saves at least half of the products: 3×3, stride 1, padding 1, channels in
/// sixteens, enough tiles to repay the kernels' transformation; on the CPU in float32.
bool fits(const at::Tensor &x, const at::Tensor &kernel, int64_t stride, int64_t padding);

/// y = x ∗ kernel [+ bias] [+ residual] [→ ReLU]; x normalised where it is read, which takes no pass over memory.
at::Tensor convolve(const at::Tensor &x, const at::Tensor &kernel, const at::Tensor &bias, const at::Tensor &residual, bool relu,
                    const RowsMade &made = nullptr, const Statistics *norm = nullptr);
/// The same with kernels transformed beforehand, which take four times the memory.
at::Tensor convolve(const at::Tensor &x, int64_t outputs, const at::Tensor &transformed, const at::Tensor &bias, const at::Tensor &residual,
                    bool relu);
at::Tensor transformed(const at::Tensor &kernel);
at::Tensor input_gradient(const at::Tensor &gradient, const at::Tensor &kernel, const Added &added = {}, const RowsMade &made = nullptr);
at::Tensor kernel_gradient(const at::Tensor &gradient, const at::Tensor &x, const Statistics *norm = nullptr);

}  // namespace winograd

/// Convolutions of one pixel, as products of matrices of pixels × channels. Block by block, what is read is normalised and what is made is
/// added to and summed up while it is in the cache.
namespace pointwise {

/// 1×1, no padding, channels in sixteens and enough of everything; on the CPU in float32, where products are fast.
bool fits(const at::Tensor &x, const at::Tensor &kernel, int64_t stride, int64_t padding);

at::Tensor convolve(const at::Tensor &x, const at::Tensor &kernel, int64_t stride, const RowsMade &made = nullptr,
                    const Statistics *norm = nullptr);
/// - added, made: with stride 1 alone.
ConvolutionGradients gradients(const Slopes &slopes, const at::Tensor &x, const at::Tensor &kernel, int64_t stride, bool needs_input,
                               bool needs_kernel, const Added &added = {}, const RowsMade &made = nullptr, const Statistics *norm = nullptr);

}  // namespace pointwise

/// Convolutions of a few pixels that leave out what lies in the padding.
namespace small_pictures {

/// A quarter of the products and more is left out, channels are in sixteens, and there are enough images, a few of which fit into the
/// cache; on the CPU in float32, where products are fast.
bool fits(const at::Tensor &x, const at::Tensor &kernel, int64_t stride, int64_t padding);

/// y = x ∗ kernel + bias [+ residual] [→ ReLU].
/// - arranged: the [made, in, window, window] kernel as `arranged` gives it.
at::Tensor convolve(const at::Tensor &x, int64_t made, const at::Tensor &arranged, int64_t window, int64_t stride, int64_t padding,
                    const at::Tensor &bias, const at::Tensor &residual, bool relu);
at::Tensor arranged(const at::Tensor &kernel);

}  // namespace small_pictures
}  // namespace shim
