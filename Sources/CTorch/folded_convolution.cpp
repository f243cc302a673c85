// A convolution with its batch normalisation folded into the kernel, and the residual and ReLU done while the result is in the cache, by
// our own convolutions or oneDNN's: for inference, where the statistics do not move and no graph is kept.
//
//     w′ = w · γ / √(σ² + ε),   b′ = β − μ · γ / √(σ² + ε)
//
// Folding, and bringing the kernel into the form that the convolution reads, are passes over the weights; with small images they
// cost more than the convolution. So the result is kept by the layer for the next call, with the versions of the tensors that it
// was made of. Libtorch counts changes of a tensor, but for those that `ct_call` and the normalisations count themselves. One thread
// at a time runs a layer.
#include "convolution.h"
#include "shim.h"
#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <ATen/core/stack.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/sub.h>
#include <vector>

using at::Tensor;

namespace {

/// Registered where libtorch was built with oneDNN: x86-64, and aarch64 on Linux.
const std::optional<c10::OperatorHandle> &pointwise(bool adds) {
    static const auto plain = c10::Dispatcher::singleton().findSchema({"mkldnn::_convolution_pointwise", ""});
    static const auto binary = c10::Dispatcher::singleton().findSchema({"mkldnn::_convolution_pointwise", "binary"});
    return adds ? binary : plain;
}

/// Packs a kernel as oneDNN wants it for images of a size.
const std::optional<c10::OperatorHandle> &packing() {
    static const auto found = c10::Dispatcher::singleton().findSchema({"mkldnn::_reorder_convolution_weight", ""});
    return found;
}

Tensor call(const c10::OperatorHandle &operation, torch::jit::Stack stack) {
    operation.callBoxed(stack);
    return stack.back().toTensor();
}

}  // namespace

struct ct_folded_opaque {
    struct Source {
        Tensor tensor;
        uint32_t version;

        bool is(const Tensor &other) const { return tensor.is_same(other) && (!other.defined() || version == other._version()); }
    };
    enum class Form { none, transformed, arranged, packed };

    Form form = Form::none;
    Tensor kernel, offset;  // in that form; [out]
    bool finite = true;     // neither holds inf or NaN; told for the packed form
    double epsilon = 0;
    std::vector<Source> sources;

    bool holds(const std::vector<Tensor> &tensors, double wanted) const {
        if (epsilon != wanted || sources.size() != tensors.size()) return false;
        for (size_t i = 0; i < tensors.size(); i++)
            if (!sources[i].is(tensors[i])) return false;
        return true;
    }

    /// - tensors: kernel, running mean and variance, weight and bias (or undefined).
    void make(Form wanted, const std::vector<Tensor> &tensors, double wanted_epsilon, const Tensor &x, int64_t stride, int64_t padding) {
        if (form == wanted && holds(tensors, wanted_epsilon)) return;
        *this = {};
        Tensor scale = at::rsqrt(tensors[2] + wanted_epsilon);
        if (tensors[3].defined()) scale = scale * tensors[3];
        offset = -tensors[1] * scale;
        if (tensors[4].defined()) offset = offset + tensors[4];
        kernel = at::mul(tensors[0], scale.view({-1, 1, 1, 1})).contiguous(at::MemoryFormat::ChannelsLast);
        if (wanted == Form::transformed) {
            kernel = shim::winograd::transformed(kernel);
        } else if (wanted == Form::arranged) {
            kernel = shim::small_pictures::arranged(kernel);
        } else {
            finite = at::isfinite(kernel).all().item<bool>() && at::isfinite(offset).all().item<bool>();
        }
        if (wanted == Form::packed && packing()) {
            const c10::List<int64_t> paddings({padding, padding}), strides({stride, stride}), dilation({1, 1}), size(x.sizes().vec());
            kernel = call(*packing(), {kernel, paddings, strides, dilation, int64_t(1), size});
        }
        // What has no versions might change unseen.
        for (const Tensor &tensor : tensors)
            if (tensor.defined() && tensor.is_inference()) return;
        for (const Tensor &tensor : tensors) sources.push_back({tensor, tensor.defined() ? static_cast<uint32_t>(tensor._version()) : 0});
        epsilon = wanted_epsilon;
        form = wanted;
    }
};

ct_folded ct_folded_make(void) { return new ct_folded_opaque; }
void ct_folded_release(ct_folded folded) { delete folded; }

bool ct_folds_convolution(ct_tensor x) {
    const Tensor &input = shim::tensor(x);
    return input.is_cpu() && input.scalar_type() == at::kFloat && input.dim() == 4 && input.numel() > 0 && !c10::GradMode::is_enabled() &&
           !at::autocast::is_autocast_enabled(at::kCPU) && pointwise(false) && pointwise(true);
}

ct_status ct_folded_convolution(ct_folded folded, ct_tensor x, ct_tensor kernel, int64_t stride, int64_t padding, ct_tensor weight,
                                ct_tensor bias, ct_tensor running_mean, ct_tensor running_variance, double epsilon, ct_tensor residual,
                                bool relu, ct_tensor *out) {
    return shim::guarded([&] {
        using Form = ct_folded_opaque::Form;
        const Tensor input = shim::tensor(x).contiguous(at::MemoryFormat::ChannelsLast), &filter = shim::tensor(kernel);
        const std::vector<Tensor> sources{filter, shim::tensor(running_mean), shim::tensor(running_variance),
                                          weight ? shim::tensor(weight) : Tensor(), bias ? shim::tensor(bias) : Tensor()};
        TORCH_CHECK(stride > 0, "non-positive stride is not supported");
        if (residual) {
            const auto results = [&](int64_t size, int64_t window) { return (size + 2 * padding - window) / stride + 1; };
            const Tensor &added = shim::tensor(residual);
            const std::vector<int64_t> wanted{input.size(0), filter.size(0), results(input.size(2), filter.size(2)),
                                              results(input.size(3), filter.size(3))};
            TORCH_CHECK(added.sizes() == wanted, "a residual of shape ", added.sizes(), " for ", at::IntArrayRef(wanted));
            TORCH_CHECK(added.is_cpu() && added.scalar_type() == at::kFloat, "a residual in float32 on the CPU");
        }
        TORCH_CHECK(sources[1].numel() == filter.size(0), "batch_norm over ", sources[1].numel(), " channels of a convolution with ",
                    filter.size(0));
        const Form form = shim::winograd::fits(input, filter, stride, padding)         ? Form::transformed
                          : shim::small_pictures::fits(input, filter, stride, padding) ? Form::arranged
                                                                                       : Form::packed;
        folded->make(form, sources, epsilon, input, stride, padding);
        const Tensor shortcut = residual ? shim::tensor(residual) : Tensor();
        if (form == Form::transformed) {
            *out = shim::handle(shim::winograd::convolve(input, filter.size(0), folded->kernel, folded->offset, shortcut, relu));
            return;
        }
        if (form == Form::arranged) {
            *out = shim::handle(shim::small_pictures::convolve(input, filter.size(0), folded->kernel, filter.size(2), stride, padding,
                                                               folded->offset, shortcut, relu));
            return;
        }
        // oneDNN's ReLU makes 0 of NaN: a spoilt network would look sound.
        const bool fused = relu && folded->finite;
        const c10::List<int64_t> paddings({padding, padding}), strides({stride, stride}), dilation({1, 1});
        torch::jit::Stack stack;
        stack.emplace_back(input);
        if (residual) stack.emplace_back(shortcut.contiguous(at::MemoryFormat::ChannelsLast));
        for (const c10::IValue &value : {c10::IValue(folded->kernel), c10::IValue(folded->offset), c10::IValue(paddings), c10::IValue(strides),
                                         c10::IValue(dilation), c10::IValue(int64_t(1))})
            stack.push_back(value);
        const c10::IValue none, scalars = c10::List<std::optional<at::Scalar>>();
        if (residual) {
            const c10::IValue after = fused ? c10::IValue("relu") : none;
            for (const c10::IValue &value : {c10::IValue("add"), c10::IValue(1.0), after, scalars, none}) stack.push_back(value);
        } else {
            for (const c10::IValue &value : {c10::IValue(fused ? "relu" : "none"), scalars, none}) stack.push_back(value);
        }
        const Tensor result = call(*pointwise(residual), std::move(stack));
        *out = shim::handle(relu && !fused ? at::relu(result) : result);
    });
}
