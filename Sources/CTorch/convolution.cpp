#include "convolution.h"
#include "batch_norm.h"
#include "shim.h"
#include <ATen/core/grad_mode.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/convolution_backward.h>
#include <torch/csrc/autograd/custom_function.h>

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

/// Of what a library made all at once.
Tensor reported(const Tensor &result, const shim::RowsMade &made) {
    if (!made) return result;
    const Tensor rows = result.contiguous(at::MemoryFormat::ChannelsLast);
    const float *data = rows.const_data_ptr<float>();
    shim::in_parts(shim::row_count(rows), shim::block_rows, [&](int64_t first, int64_t last, int64_t part) {
        made(data + first * rows.size(1), first, last - first, part);
    });
    return rows;
}

}  // namespace

Tensor shim::convolution(const Tensor &x, const Tensor &kernel, const Tensor &bias, int64_t stride, int64_t padding, const RowsMade &made,
                         const Statistics *norm) {
    if (winograd::fits(x, kernel, stride, padding)) return winograd::convolve(x, kernel, bias, {}, false, made, norm);
    return reported(at::conv2d(norm ? norm->normalized(x, std::nullopt, true) : x, kernel, bias, stride, padding), made);
}

shim::ConvolutionGradients shim::convolution_gradients(const Tensor &gradient, const Tensor &x, const Tensor &kernel, int64_t stride,
                                                       int64_t padding, bool needs_input, bool needs_kernel, const Tensor &added,
                                                       const RowsMade &made, const Statistics *norm) {
    // Only libtorch's has a second derivative.
    if (winograd::fits(x, kernel, stride, padding) && !c10::GradMode::is_enabled())
        return {needs_input ? winograd::input_gradient(gradient, kernel, added, made) : Tensor(),
                needs_kernel ? winograd::kernel_gradient(gradient, x, norm) : Tensor()};
    auto [input, weight, unused] =
        at::convolution_backward(gradient, norm ? norm->normalized(x, std::nullopt, true) : x, kernel, at::OptionalIntArrayRef(), {stride, stride}, {padding, padding}, {1, 1}, false,
                                 {0, 0}, 1, {needs_input, needs_kernel, false});
    if (needs_input && added.defined()) input = input.add_(added);
    return {needs_input ? reported(input, made) : input, weight};
}

namespace {

struct WinogradConvolution : torch::autograd::Function<WinogradConvolution> {
    static Tensor forward(AutogradContext *context, const Tensor &x, const Tensor &kernel, const std::optional<Tensor> &bias) {
        context->save_for_backward({x, kernel});
        context->saved_data["bias"] = bias.has_value();
        return shim::winograd::convolve(x, kernel, bias.value_or(Tensor()), {}, false);
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        const auto saved = context->get_saved_variables();
        auto found = shim::convolution_gradients(gradients[0], saved[0], saved[1], 1, 1, context->needs_input_grad(0),
                                                 context->needs_input_grad(1));
        return {found.input, found.kernel, context->saved_data["bias"].toBool() && context->needs_input_grad(2) ? gradients[0].sum({0, 2, 3}) : Tensor()};
    }
};

}  // namespace

ct_status ct_convolution(ct_tensor x, ct_tensor kernel, ct_tensor bias, int64_t stride, int64_t padding, ct_tensor *out) {
    return shim::guarded([&] {
        const Tensor &input = shim::tensor(x), &filter = shim::tensor(kernel);
        const Tensor offset = bias ? shim::tensor(bias) : Tensor();
        if (!shim::winograd::fits(input, filter, stride, padding)) *out = shim::handle(at::conv2d(input, filter, offset, stride, padding));
        else *out = shim::handle(WinogradConvolution::apply(input, filter, offset.defined() ? std::optional<Tensor>(offset) : std::nullopt));
    });
}
