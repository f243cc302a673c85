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

bool shim::reads_normalized(const Tensor &x, const Tensor &kernel, int64_t stride, int64_t padding) {
    return winograd::fits(x, kernel, stride, padding) || pointwise::fits(x, kernel, stride, padding);
}

Tensor shim::convolution(const Tensor &x, const Tensor &kernel, const Tensor &bias, int64_t stride, int64_t padding, const RowsMade &made,
                         const Statistics *norm) {
    if (!bias.defined() && pointwise::fits(x, kernel, stride, padding)) return pointwise::convolve(x, kernel, stride, made, norm);
    if (winograd::fits(x, kernel, stride, padding)) return winograd::convolve(x, kernel, bias, {}, false, made, norm);
    return reported(at::conv2d(norm ? norm->normalized(x, std::nullopt, true) : x, kernel, bias, stride, padding), made);
}

shim::ConvolutionGradients shim::convolution_gradients(Slopes slopes, const Tensor &x, const Tensor &kernel, int64_t stride,
                                                       int64_t padding, bool needs_input, bool needs_kernel, const Added &added,
                                                       const RowsMade &made, const Statistics *norm) {
    // Only libtorch's has a second derivative.
    if (pointwise::fits(x, kernel, stride, padding) && (stride == 1 || !(added.values.defined() || made)) && !c10::GradMode::is_enabled())
        return pointwise::gradients(slopes, x, kernel, stride, needs_input, needs_kernel, added, made, norm);
    const Tensor gradient = std::move(slopes).whole();
    if (winograd::fits(x, kernel, stride, padding) && !c10::GradMode::is_enabled())
        return {needs_input ? winograd::input_gradient(gradient, kernel, added, made) : Tensor(),
                needs_kernel ? winograd::kernel_gradient(gradient, x, norm) : Tensor()};
    auto [input, weight, unused] =
        at::convolution_backward(gradient, norm ? norm->normalized(x, std::nullopt, true) : x, kernel, at::OptionalIntArrayRef(), {stride, stride}, {padding, padding}, {1, 1}, false,
                                 {0, 0}, 1, {needs_input, needs_kernel, false});
    if (needs_input && added.values.defined()) add_rows(input = arranged(input, x), arranged(added.values, x), added.open);
    return {needs_input ? reported(input, made) : input, weight};
}

namespace {

struct OwnConvolution : torch::autograd::Function<OwnConvolution> {
    static Tensor forward(AutogradContext *context, const Tensor &x, const Tensor &kernel, const std::optional<Tensor> &bias, int64_t stride,
                          int64_t padding) {
        context->save_for_backward({x, kernel});
        context->saved_data["bias"] = bias.has_value();
        context->saved_data["stride"] = stride;
        context->saved_data["padding"] = padding;
        return shim::convolution(x, kernel, bias.value_or(Tensor()), stride, padding);
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        const auto saved = context->get_saved_variables();
        auto found = shim::convolution_gradients(shim::Slopes(gradients[0]), saved[0], saved[1], context->saved_data["stride"].toInt(), context->saved_data["padding"].toInt(), context->needs_input_grad(0),
                                                 context->needs_input_grad(1));
        return {found.input, found.kernel, context->saved_data["bias"].toBool() && context->needs_input_grad(2) ? gradients[0].sum({0, 2, 3}) : Tensor(), Tensor(), Tensor()};
    }
};

}  // namespace

ct_status ct_convolution(ct_tensor x, ct_tensor kernel, ct_tensor bias, int64_t stride, int64_t padding, ct_tensor *out) {
    return shim::guarded([&] {
        const Tensor &input = shim::tensor(x), &filter = shim::tensor(kernel);
        const Tensor offset = bias ? shim::tensor(bias) : Tensor();
        if (!shim::winograd::fits(input, filter, stride, padding) && (offset.defined() || !shim::pointwise::fits(input, filter, stride, padding)))
            *out = shim::handle(at::conv2d(input, filter, offset, stride, padding));
        else *out = shim::handle(OwnConvolution::apply(input, filter, offset.defined() ? std::optional<Tensor>(offset) : std::nullopt, stride, padding));
    });
}
