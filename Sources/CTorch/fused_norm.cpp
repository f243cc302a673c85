// Batch normalisation, an optional residual and an optional ReLU in one operation, with its gradient.
//
//     x̂ = (x − μ) / √(σ² + ε),   y = max(0, γ x̂ + β + residual)
//
// On the CPU, in float32 and with channels innermost, this reads and writes the activations as seldom as the mathematics
// allows: statistics and result forward, two sums and the gradient backward. The plain operations in a row make three passes
// more forward and backward. Elsewhere they are what runs. The result differs from theirs by rounding only.
#include "shim.h"
#include "batch_norm.h"
#include "convolution.h"
#include "max_pool.h"
#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/add.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/relu.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/csrc/autograd/custom_function.h>
#include <cmath>

using at::Tensor;
using namespace shim;
using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

namespace {

bool is_supported(const Tensor &x, const Tensor &weight, const Tensor &bias) {
    return x.is_cpu() && x.scalar_type() == at::kFloat && weight.defined() && bias.defined() && weight.scalar_type() == at::kFloat &&
           weight.is_cpu() && bias.is_cpu() && x.numel() > 0 && shim::has_channels_inside(x);
}

/// A value for each of x's channels.
void check_channels(const Tensor &x, std::initializer_list<Tensor> values) {
    for (const Tensor &value : values)
        TORCH_CHECK(value.numel() == x.size(1), "batch_norm over ", value.numel(), " channels of an input of shape ", x.sizes());
}

struct FusedNorm : torch::autograd::Function<FusedNorm> {
    static Tensor forward(AutogradContext *context, const Tensor &x, const std::optional<Tensor> &residual, const Tensor &weight,
                          const Tensor &bias, Tensor running_mean, Tensor running_variance, bool training, double momentum,
                          double epsilon, bool relu) {
        const Statistics statistics({weight, bias, running_mean, running_variance, training, momentum, epsilon}, x);
        Tensor open;
        const Tensor y = statistics.normalized(x, residual, relu, false, relu && residual ? &open : nullptr);
        context->save_for_backward({x, weight, bias, statistics.mean, statistics.inverse, open});
        context->saved_data["training"] = training;
        context->saved_data["residual"] = residual.has_value();
        context->saved_data["relu"] = relu;
        return y;
    }

    static variable_list backward(AutogradContext *context, variable_list &gradients) {
        refuse_second_derivatives();
        const auto saved = context->get_saved_variables();
        const Statistics statistics(saved[3], saved[4], saved[1], saved[2]);
        const ReluGate gate = saved[5].defined() ? ReluGate(saved[5], saved[0].size(1)) : context->saved_data["relu"].toBool() ? ReluGate(statistics) : ReluGate();
        Tensor residual;
        auto found = norm_gradients(std::move(gradients[0]), saved[0], gate, saved[1], saved[3], saved[4],
                                    context->saved_data["training"].toBool(), context->saved_data["residual"].toBool() ? &residual : nullptr);
        return {context->needs_input_grad(0) ? std::move(found.input).whole() : Tensor(), residual, found.weight, found.bias, Tensor(), Tensor(), Tensor(), Tensor(), Tensor(), Tensor()};
    }
};

/// Normalisation, ReLU and max pooling. Kept for the gradient are the input and a byte for each result.
struct FusedNormPool : torch::autograd::Function<FusedNormPool> {
    static shim::Pooling pooling(const Tensor &x, int64_t kernel, int64_t stride, int64_t padding) {
        return {x.size(2), x.size(3), x.size(1), kernel, stride, padding};
    }

    /// Calls body(image's floats in x, image's results) for each of [first, last).
    template <typename Body> static void for_images(const Tensor &x, const shim::Pooling &p, Body body) {
        const int64_t from = p.height * p.width * p.channels, to = p.rows() * p.columns() * p.channels;
        shim::in_parts(x.size(0), 1, [&](int64_t first, int64_t last, int64_t) {
            for (int64_t image = first; image < last; image++) body(image * from, image * to);
        });
    }

    static Tensor forward(AutogradContext *context, const Tensor &x, const Tensor &weight, const Tensor &bias, Tensor running_mean,
                          Tensor running_variance, bool training, double momentum, double epsilon, int64_t kernel, int64_t stride,
                          int64_t padding) {
        const Statistics statistics({weight, bias, running_mean, running_variance, training, momentum, epsilon}, x);
        const shim::Pooling p = pooling(x, kernel, stride, padding);
        TORCH_CHECK(p.height + 2 * padding >= kernel && p.width + 2 * padding >= kernel, "max_pool: windows of ", kernel, " do not fit into ", x.sizes());
        Tensor y = at::empty({x.size(0), x.size(1), p.rows(), p.columns()}, x.options().memory_format(at::MemoryFormat::ChannelsLast));
        const Tensor place = at::empty_like(y, y.options().dtype(at::kByte));
        const float *data = x.const_data_ptr<float>();
        float *result = y.mutable_data_ptr<float>();
        uint8_t *where = place.mutable_data_ptr<uint8_t>();
        const int64_t pixels = p.height * p.width;
        for_images(x, p, [&](int64_t from, int64_t to) {
            std::vector<float> normalized(pixels * p.channels);
            shim::normalize(data + from, nullptr, statistics.scale.data(), statistics.offset.data(), pixels, p.channels, true, false, normalized.data(), p.channels);
            shim::max_pool(p, normalized.data(), result + to, where + to);
        });
        context->save_for_backward({x, weight, bias, statistics.mean, statistics.inverse, place});
        context->saved_data["training"] = training;
        context->saved_data["kernel"] = kernel;
        context->saved_data["stride"] = stride;
        context->saved_data["padding"] = padding;
        return y;
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        refuse_second_derivatives();
        const auto saved = context->get_saved_variables();
        const Tensor &x = saved[0], &weight = saved[1];
        const shim::Pooling p = pooling(x, context->saved_data["kernel"].toInt(), context->saved_data["stride"].toInt(),
                                        context->saved_data["padding"].toInt());
        const Tensor gradient = arranged(gradients[0], x);
        Tensor into_y = at::empty_like(x);
        const float *g = gradient.const_data_ptr<float>();
        const uint8_t *where = saved[5].const_data_ptr<uint8_t>();
        float *into = into_y.mutable_data_ptr<float>();
        for_images(x, p, [&](int64_t from, int64_t to) { shim::max_pool_gradient(p, g + to, where + to, into + from); });
        const Statistics statistics(saved[3], saved[4], weight, saved[2]);
        auto found = norm_gradients(std::move(into_y), x, ReluGate(statistics), weight, saved[3], saved[4], context->saved_data["training"].toBool());
        return {context->needs_input_grad(0) ? std::move(found.input).whole() : Tensor(), found.weight, found.bias, Tensor(), Tensor(), Tensor(), Tensor(), Tensor(), Tensor(), Tensor(), Tensor()};
    }
};

/// Normalisation, ReLU and the convolution that reads it. What lies between is made while it is read, or made again for the gradient
/// instead of being kept: a pass over memory for a quarter of a residual block's activations.
struct FusedNormConvolution : torch::autograd::Function<FusedNormConvolution> {
    static Tensor forward(AutogradContext *context, const Tensor &x, const Tensor &weight, const Tensor &bias, Tensor running_mean,
                          Tensor running_variance, bool training, double momentum, double epsilon, const Tensor &kernel,
                          int64_t stride, int64_t padding) {
        const Statistics statistics({weight, bias, running_mean, running_variance, training, momentum, epsilon}, x);
        context->save_for_backward({x, weight, bias, statistics.mean, statistics.inverse, kernel});
        context->saved_data["training"] = training;
        context->saved_data["stride"] = stride;
        context->saved_data["padding"] = padding;
        return shim::convolution(x, kernel, {}, stride, padding, nullptr, &statistics);
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        refuse_second_derivatives();
        const auto saved = context->get_saved_variables();
        const Tensor &x = saved[0], &weight = saved[1], &kernel = saved[5];
        const int64_t stride = context->saved_data["stride"].toInt(), padding = context->saved_data["padding"].toInt();
        const Statistics statistics(saved[3], saved[4], weight, saved[2]);
        auto [into_y, into_kernel] = shim::convolution_gradients(Slopes(gradients[0]), x, kernel, stride, padding, true, true, {}, nullptr, &statistics);
        auto found = norm_gradients(std::move(into_y), x, ReluGate(statistics), weight, saved[3], saved[4], context->saved_data["training"].toBool());
        return {context->needs_input_grad(0) ? std::move(found.input).whole() : Tensor(), found.weight, found.bias, Tensor(), Tensor(), Tensor(), Tensor(), Tensor(), into_kernel, Tensor(), Tensor()};
    }
};

}  // namespace

ct_status ct_batch_norm(ct_tensor x, ct_tensor residual, ct_tensor weight, ct_tensor bias, ct_tensor running_mean,
                        ct_tensor running_variance, bool training, double momentum, double epsilon, bool relu, ct_tensor *out) {
    return shim::guarded([&] {
        const Tensor &input = shim::tensor(x);
        const Tensor gamma = weight ? shim::tensor(weight) : Tensor(), beta = bias ? shim::tensor(bias) : Tensor();
        Tensor added = residual ? shim::tensor(residual) : Tensor();
        TORCH_CHECK(input.dim() >= 2, "batch_norm needs at least two dimensions, not ", input.sizes());
        TORCH_CHECK(!added.defined() || added.sizes() == input.sizes(), "a residual of shape ", added.sizes(), " for ", input.sizes());
        if (is_supported(input, gamma, beta)) {
            check_channels(input, {gamma, beta, shim::tensor(running_mean), shim::tensor(running_variance)});
            if (added.defined()) added = arranged(added.to(at::kFloat), input);
            *out = shim::handle(FusedNorm::apply(input, added.defined() ? std::optional<Tensor>(added) : std::nullopt, gamma, beta, shim::tensor(running_mean), shim::tensor(running_variance),
                                                 training, momentum, epsilon, relu));
            return;
        }
        Tensor y = at::batch_norm(input, gamma, beta, shim::tensor(running_mean), shim::tensor(running_variance), training, momentum,
                                  epsilon, /*cudnn_enabled=*/true);
        if (added.defined()) y = at::add(y, added);
        *out = shim::handle(relu ? at::relu(y) : y);
    });
}

ct_status ct_batch_norm_max_pool(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor running_mean, ct_tensor running_variance,
                                 bool training, double momentum, double epsilon, int64_t kernel, int64_t stride, int64_t padding,
                                 ct_tensor *out) {
    return shim::guarded([&] {
        const Tensor &input = shim::tensor(x);
        const Tensor gamma = weight ? shim::tensor(weight) : Tensor(), beta = bias ? shim::tensor(bias) : Tensor();
        if (input.dim() == 4 && is_supported(input, gamma, beta) && kernel > 0 && stride > 0 && padding >= 0 &&
            kernel <= shim::largest_pooling_kernel && 2 * padding <= kernel) {
            check_channels(input, {gamma, beta, shim::tensor(running_mean), shim::tensor(running_variance)});
            *out = shim::handle(FusedNormPool::apply(input, gamma, beta, shim::tensor(running_mean), shim::tensor(running_variance), training,
                                                     momentum, epsilon, kernel, stride, padding));
            return;
        }
        const Tensor y = at::relu(at::batch_norm(input, gamma, beta, shim::tensor(running_mean), shim::tensor(running_variance), training,
                                                 momentum, epsilon, /*cudnn_enabled=*/true));
        *out = shim::handle(at::max_pool2d(y, {kernel, kernel}, {stride, stride}, {padding, padding}));
    });
}

ct_status ct_batch_norm_convolution(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor running_mean, ct_tensor running_variance,
                                    bool training, double momentum, double epsilon, ct_tensor kernel, int64_t stride, int64_t padding,
                                    ct_tensor *out) {
    return shim::guarded([&] {
        const Tensor &input = shim::tensor(x), &filter = shim::tensor(kernel);
        const Tensor gamma = weight ? shim::tensor(weight) : Tensor(), beta = bias ? shim::tensor(bias) : Tensor();
        if (input.dim() == 4 && is_supported(input, gamma, beta) && filter.scalar_type() == at::kFloat && !at::autocast::is_autocast_enabled(at::kCPU)) {
            check_channels(input, {gamma, beta, shim::tensor(running_mean), shim::tensor(running_variance)});
            *out = shim::handle(FusedNormConvolution::apply(input, gamma, beta, shim::tensor(running_mean), shim::tensor(running_variance),
                                                            training, momentum, epsilon, filter, stride, padding));
            return;
        }
        const Tensor y = at::relu(at::batch_norm(input, gamma, beta, shim::tensor(running_mean), shim::tensor(running_variance), training,
                                                 momentum, epsilon, /*cudnn_enabled=*/true));
        *out = shim::handle(at::conv2d(y, filter, {}, stride, padding));
    });
}
