// Products with large matrices by oneDNN. libtorch gives float32 products to MKL, which does not use AMD's 512-bit units; it has
// oneDNN's as an operation of its own, without a gradient.
#include "product.h"
#include "shim.h"
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/linear.h>
#include <torch/csrc/autograd/custom_function.h>

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

using Scalars = c10::List<std::optional<at::Scalar>>;
using Pointwise = Tensor(const Tensor &, const Tensor &, const std::optional<Tensor> &, std::string_view, Scalars, std::optional<std::string_view>);

/// oneDNN's, where libtorch was built with it.
const std::optional<c10::TypedOperatorHandle<Pointwise>> &pointwise() {
    static const auto found = []() -> std::optional<c10::TypedOperatorHandle<Pointwise>> {
        const auto handle = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
        if (!handle) return std::nullopt;
        return handle->typed<Pointwise>();
    }();
    return found;
}

/// Below so many multiplications the calls cost more than they save.
constexpr int64_t least = int64_t(1) << 20;
/// Each shape costs a millisecond and a megabyte of code, once: counts of rows that chance draws would each be one.
constexpr int64_t rows_step = 64;

bool is_dense(const Tensor &x) { return x.device().is_cpu() && x.scalar_type() == at::kFloat && x.layout() == at::kStrided; }

bool fits(const Tensor &x, const Tensor &weight, const Tensor &bias) {
    return is_dense(x) && is_dense(weight) && x.dim() >= 2 && weight.dim() == 2 && x.size(-1) == weight.size(1) && x.numel() > 0
        && (!bias.defined() || (is_dense(bias) && bias.dim() == 1 && bias.size(0) == weight.size(0)))
        && x.numel() / x.size(-1) % rows_step == 0 && x.numel() * weight.size(0) >= least && shim::multiplies_fast() && !at::autocast::is_autocast_enabled(at::kCPU) && pointwise();
}

Tensor product(const Tensor &x, const Tensor &weight, const std::optional<Tensor> &bias) {
    const c10::impl::ExcludeDispatchKeyGuard guard(c10::autograd_dispatch_keyset);
    // Threads that ask for the first time are given libtorch's number of them, which oneDNN does not do.
    at::get_num_threads();
    // x is copied into rows where it is none; of the weight, columns without gaps are read as they are; of the bias, gaps are not seen.
    const bool is_packed = weight.is_contiguous() || weight.t().is_contiguous();
    return pointwise()->call(x, is_packed ? weight : weight.contiguous(), bias ? std::optional(bias->contiguous()) : std::nullopt, "none",
                             Scalars(), "");
}

/// x wᵀ + b of [n, in], [out, in] and [out].
struct LargeLinear : torch::autograd::Function<LargeLinear> {
    static Tensor forward(AutogradContext *context, const Tensor &x, const Tensor &weight, const std::optional<Tensor> &bias) {
        // Each for the other's gradient.
        context->save_for_backward({weight.requires_grad() ? x : Tensor(), x.requires_grad() ? weight : Tensor()});
        context->saved_data["width"] = x.size(1);
        context->saved_data["bias"] = bias.has_value();
        return product(x, weight, bias);
    }

    /// The products' own gradients are such products again.
    static variable_list backward(AutogradContext *context, variable_list gradients) {
        const auto saved = context->get_saved_variables();
        const Tensor &gradient = gradients[0], &x = saved[0];
        const bool is_narrower = context->saved_data["width"].toInt() < gradient.size(1);
        const auto of = [](const Tensor &a, const Tensor &b) { return LargeLinear::apply(a, b, std::optional<Tensor>()); };
        // The narrower of the two is copied.
        const auto weights = [&] { return is_narrower ? of(x.t(), gradient.t()).t().contiguous() : of(gradient.t(), x.t()); };
        return {context->needs_input_grad(0) ? of(gradient, saved[1].t()) : Tensor(), context->needs_input_grad(1) ? weights() : Tensor(),
                context->saved_data["bias"].toBool() && context->needs_input_grad(2) ? gradient.sum(0) : Tensor()};
    }
};

}  // namespace

ct_status ct_linear(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor *out) {
    return shim::guarded([&] {
        const Tensor &input = shim::tensor(x), &matrix = shim::tensor(weight);
        const Tensor offset = bias ? shim::tensor(bias) : Tensor();
        if (!fits(input, matrix, offset)) {
            *out = shim::handle(at::linear(input, matrix, offset));
            return;
        }
        auto shape = input.sizes().vec();
        shape.back() = matrix.size(0);
        const Tensor rows = LargeLinear::apply(input.reshape({-1, matrix.size(1)}), matrix,
                                               offset.defined() ? std::optional<Tensor>(offset) : std::nullopt);
        *out = shim::handle(rows.view(shape));
    });
}
