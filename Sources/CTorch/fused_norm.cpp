// Batch normalisation, an optional residual and an optional ReLU in one operation, with its gradient.
//
//     x̂ = (x − μ) / √(σ² + ε),   y = max(0, γ x̂ + β + residual)
//
// On the CPU, in float32 and with channels innermost, this reads and writes the activations as seldom as the mathematics
// allows: statistics and result forward, two sums and the gradient backward. The plain operations in a row make three passes
// more forward and backward. Elsewhere they are what runs. The result differs from theirs by rounding only.
#include "shim.h"
#include "norm_loops.h"
#include <ATen/Parallel.h>
#include <ATen/ops/add.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/relu.h>
#include <torch/csrc/autograd/custom_function.h>
#include <cmath>

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

namespace {

/// Rows that are summed in float before the sum goes into a double.
constexpr int64_t block_rows = 64;

struct Rows {
    int64_t count, channels;
    explicit Rows(const Tensor &x) : count(x.numel() / x.size(1)), channels(x.size(1)) {}
};

/// Calls body(first, last, part) for as many parts as there are threads. The parts depend on the thread count alone, so that
/// equal thread counts give equal sums.
template <typename Body> int64_t in_parts(int64_t rows, Body body) {
    int64_t parts = std::max<int64_t>(1, std::min<int64_t>(at::get_num_threads(), rows / block_rows));
    at::parallel_for(0, parts, 1, [&](int64_t begin, int64_t end) {
        for (int64_t part = begin; part < end; part++) body(part * rows / parts, (part + 1) * rows / parts, part);
    });
    return parts;
}

/// Two sums per channel over all rows: `add(first row, rows, sums, sums)` adds a block's in float.
template <typename Add> void sum_rows(const Rows &rows, std::vector<double> &a, std::vector<double> &b, Add add) {
    const int64_t channels = rows.channels;
    std::vector<double> all(2 * channels * at::get_num_threads());
    int64_t parts = in_parts(rows.count, [&](int64_t first, int64_t last, int64_t part) {
        std::vector<float> block(2 * channels);
        double *mine = all.data() + 2 * channels * part;
        for (int64_t row = first; row < last; row += block_rows) {
            std::fill(block.begin(), block.end(), 0.f);
            add(row, std::min(block_rows, last - row), block.data(), block.data() + channels);
            for (int64_t c = 0; c < 2 * channels; c++) mine[c] += block[c];
        }
    });
    a.assign(channels, 0);
    b.assign(channels, 0);
    for (int64_t part = 0; part < parts; part++)
        for (int64_t c = 0; c < channels; c++) {
            a[c] += all[2 * channels * part + c];
            b[c] += all[2 * channels * part + channels + c];
        }
}

bool has_channels_inside(const Tensor &x) {
    return x.dim() == 2 ? x.is_contiguous() : x.dim() == 4 && x.is_contiguous(at::MemoryFormat::ChannelsLast);
}

bool is_supported(const Tensor &x, const Tensor &weight, const Tensor &bias) {
    return x.is_cpu() && x.scalar_type() == at::kFloat && weight.defined() && bias.defined() && weight.scalar_type() == at::kFloat &&
           x.numel() > 0 && has_channels_inside(x);
}

/// The gradient in x's memory order.
Tensor arranged(const Tensor &gradient, const Tensor &x) {
    return x.dim() == 4 ? gradient.contiguous(at::MemoryFormat::ChannelsLast) : gradient.contiguous();
}

struct FusedNorm : torch::autograd::Function<FusedNorm> {
    static Tensor forward(AutogradContext *context, const Tensor &x, const std::optional<Tensor> &residual, const Tensor &weight, const Tensor &bias,
                          Tensor running_mean, Tensor running_variance, bool training, double momentum, double epsilon, bool relu) {
        const Rows rows(x);
        const int64_t channels = rows.channels;
        const float *data = x.const_data_ptr<float>();
        std::vector<float> mean(channels), inverse(channels);
        float *moving_mean = running_mean.mutable_data_ptr<float>(), *moving_variance = running_variance.mutable_data_ptr<float>();
        if (training) {
            TORCH_CHECK(rows.count > 1, "Expected more than 1 value per channel when training, got input size ", x.sizes());
            // Sums of differences from the first row lose nothing to a large mean.
            std::vector<float> shift(data, data + channels);
            std::vector<double> sum, square;
            sum_rows(rows, sum, square, [&](int64_t first, int64_t count, float *a, float *b) {
                shim::add_moments(data + first * channels, shift.data(), count, channels, a, b);
            });
            const double n = rows.count;
            for (int64_t c = 0; c < channels; c++) {
                const double centre = sum[c] / n, variance = std::max(0.0, square[c] / n - centre * centre);
                mean[c] = shift[c] + centre;
                inverse[c] = 1 / std::sqrt(variance + epsilon);
                moving_mean[c] = (1 - momentum) * moving_mean[c] + momentum * mean[c];
                moving_variance[c] = (1 - momentum) * moving_variance[c] + momentum * variance * n / (n - 1);
            }
        } else {
            for (int64_t c = 0; c < channels; c++) {
                mean[c] = moving_mean[c];
                inverse[c] = 1 / std::sqrt(moving_variance[c] + epsilon);
            }
        }
        const float *gamma = weight.const_data_ptr<float>(), *beta = bias.const_data_ptr<float>();
        std::vector<float> scale(channels), offset(channels);
        for (int64_t c = 0; c < channels; c++) {
            scale[c] = gamma[c] * inverse[c];
            offset[c] = beta[c] - mean[c] * scale[c];
        }
        Tensor y = at::empty_like(x);
        const float *added = residual ? residual->const_data_ptr<float>() : nullptr;
        float *result = y.mutable_data_ptr<float>();
        in_parts(rows.count, [&](int64_t first, int64_t last, int64_t) {
            const int64_t at = first * channels;
            shim::normalize(data + at, added ? added + at : nullptr, scale.data(), offset.data(), last - first, channels, relu, result + at);
        });

        Tensor saved_mean = at::empty({channels}, x.options().memory_format(at::MemoryFormat::Contiguous));
        Tensor saved_inverse = at::empty_like(saved_mean);
        std::copy(mean.begin(), mean.end(), saved_mean.mutable_data_ptr<float>());
        std::copy(inverse.begin(), inverse.end(), saved_inverse.mutable_data_ptr<float>());
        context->save_for_backward({x, weight, saved_mean, saved_inverse, relu ? y : Tensor()});
        context->saved_data["training"] = training;
        context->saved_data["residual"] = residual.has_value();
        return y;
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        const auto saved = context->get_saved_variables();
        const Tensor &x = saved[0], &weight = saved[1], &mean = saved[2], &inverse = saved[3], &y = saved[4];
        const bool training = context->saved_data["training"].toBool(), has_residual = context->saved_data["residual"].toBool();
        const Rows rows(x);
        const int64_t channels = rows.channels;
        const Tensor gradient = arranged(gradients[0], x);
        const float *g = gradient.const_data_ptr<float>(), *data = x.const_data_ptr<float>(), *m = mean.const_data_ptr<float>();
        const float *output = y.defined() ? y.const_data_ptr<float>() : nullptr;

        // The residual's gradient is g where the ReLU let it through.
        Tensor masked;
        if (has_residual) masked = output ? at::empty_like(x) : gradient;
        float *keep = has_residual && output ? masked.mutable_data_ptr<float>() : nullptr;
        std::vector<double> sum, product;
        sum_rows(rows, sum, product, [&](int64_t first, int64_t count, float *a, float *b) {
            const int64_t at = first * channels;
            shim::add_gradient_moments(g + at, output ? output + at : nullptr, data + at, m, count, channels, a, b, keep ? keep + at : nullptr);
        });

        Tensor weight_gradient = at::empty_like(weight), bias_gradient = at::empty_like(weight);
        const float *gamma = weight.const_data_ptr<float>(), *s = inverse.const_data_ptr<float>();
        float *gamma_gradient = weight_gradient.mutable_data_ptr<float>(), *beta_gradient = bias_gradient.mutable_data_ptr<float>();
        // dx = γ s (g − Σg/n − x̂ Σ(g x̂)/n) as a·g + b·x + c; with fixed statistics γ s g.
        std::vector<float> a(channels), b(channels), c(channels);
        const double n = rows.count;
        for (int64_t i = 0; i < channels; i++) {
            const double along = product[i] * s[i];
            gamma_gradient[i] = along;
            beta_gradient[i] = sum[i];
            const double scale = static_cast<double>(gamma[i]) * s[i];
            a[i] = scale;
            b[i] = training ? -scale * s[i] * along / n : 0;
            c[i] = training ? -scale * sum[i] / n - static_cast<double>(b[i]) * m[i] : 0;
        }
        Tensor input_gradient;
        if (context->needs_input_grad(0)) {
            input_gradient = at::empty_like(x);
            float *result = input_gradient.mutable_data_ptr<float>();
            // With the masked gradient at hand the output need not be read again.
            const float *source = keep ? keep : g, *gate = keep ? nullptr : output;
            in_parts(rows.count, [&](int64_t first, int64_t last, int64_t) {
                const int64_t at = first * channels;
                shim::input_gradient(source + at, gate ? gate + at : nullptr, data + at, a.data(), b.data(), c.data(), last - first, channels,
                                     result + at);
            });
        }
        return {input_gradient, masked, weight_gradient, bias_gradient, Tensor(), Tensor(), Tensor(), Tensor(), Tensor(), Tensor()};
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
            TORCH_CHECK(input.size(1) == gamma.numel(), "batch_norm over ", gamma.numel(), " channels of an input of shape ", input.sizes());
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
