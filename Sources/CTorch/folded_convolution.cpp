// A convolution with its batch normalisation folded into the kernel, and the residual and ReLU done by oneDNN while the
// result is in the cache: for inference, where the statistics do not move and no graph is kept.
//
//     w′ = w · γ / √(σ² + ε),   b′ = β − μ · γ / √(σ² + ε)
//
// Folding at every call costs one pass over the weights, a few hundredths of the convolution, and cannot be out of date.
#include "convolution.h"
#include "shim.h"
#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <ATen/core/stack.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/sub.h>

using at::Tensor;

namespace {

/// Registered where libtorch was built with oneDNN: x86-64, and aarch64 on Linux.
const std::optional<c10::OperatorHandle> &pointwise(bool adds) {
    static const auto plain = c10::Dispatcher::singleton().findSchema({"mkldnn::_convolution_pointwise", ""});
    static const auto binary = c10::Dispatcher::singleton().findSchema({"mkldnn::_convolution_pointwise", "binary"});
    return adds ? binary : plain;
}

}  // namespace

bool ct_folds_convolution(ct_tensor x) {
    const Tensor &input = shim::tensor(x);
    return input.is_cpu() && input.scalar_type() == at::kFloat && input.dim() == 4 && input.numel() > 0 && !c10::GradMode::is_enabled() &&
           !at::autocast::is_autocast_enabled(at::kCPU) && pointwise(false) && pointwise(true);
}

ct_status ct_folded_convolution(ct_tensor x, ct_tensor kernel, int64_t stride, int64_t padding, ct_tensor weight, ct_tensor bias,
                                ct_tensor running_mean, ct_tensor running_variance, double epsilon, ct_tensor residual, bool relu,
                                ct_tensor *out) {
    return shim::guarded([&] {
        const Tensor input = shim::tensor(x).contiguous(at::MemoryFormat::ChannelsLast);
        Tensor scale = at::rsqrt(shim::tensor(running_variance) + epsilon);
        if (weight) scale = scale * shim::tensor(weight);
        Tensor offset = -shim::tensor(running_mean) * scale;
        if (bias) offset = offset + shim::tensor(bias);
        const Tensor folded = at::mul(shim::tensor(kernel), scale.view({-1, 1, 1, 1})).contiguous(at::MemoryFormat::ChannelsLast);

        if (shim::winograd::fits(input, folded, stride, padding)) {
            *out = shim::handle(shim::winograd::convolve(input, folded, offset, residual ? shim::tensor(residual) : Tensor(), relu));
            return;
        }
        const c10::List<int64_t> paddings({padding, padding}), strides({stride, stride}), dilation({1, 1});
        torch::jit::Stack stack;
        stack.emplace_back(input);
        if (residual) stack.emplace_back(shim::tensor(residual).contiguous(at::MemoryFormat::ChannelsLast));
        for (const c10::IValue &value : {c10::IValue(folded), c10::IValue(offset), c10::IValue(paddings), c10::IValue(strides),
                                         c10::IValue(dilation), c10::IValue(int64_t(1))})
            stack.push_back(value);
        const c10::IValue none, scalars = c10::List<std::optional<at::Scalar>>();
        if (residual) {
            const c10::IValue after = relu ? c10::IValue("relu") : none;
            for (const c10::IValue &value : {c10::IValue("add"), c10::IValue(1.0), after, scalars, none}) stack.push_back(value);
        } else {
            for (const c10::IValue &value : {c10::IValue(relu ? "relu" : "none"), scalars, none}) stack.push_back(value);
        }
        pointwise(residual)->callBoxed(stack);
        *out = shim::handle(stack.back().toTensor());
    });
}
