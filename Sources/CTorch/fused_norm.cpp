// Batch normalisation, an optional residual and an optional ReLU in one operation, with its gradient.
//
//     x̂ = (x − μ) / √(σ² + ε),   y = max(0, γ x̂ + β + residual)
//
// On the CPU, in float32 and with channels innermost, this reads and writes the activations as seldom as the mathematics
// allows: statistics and result forward, two sums and the gradient backward. The plain operations in a row make three passes
// more forward and backward. Elsewhere they are what runs. The result differs from theirs by rounding only.
#include "shim.h"
#include "convolution.h"
#include "max_pool.h"
#include "norm_loops.h"
#include "parallel.h"
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

/// Two sums per channel over all rows: `add(first row, rows, sums, sums)` adds a block's in float.
template <typename Add> void sum_rows(const Rows &rows, std::vector<double> &a, std::vector<double> &b, Add add) {
    const int64_t channels = rows.channels;
    std::vector<double> all(2 * channels * shim::part_limit());
    int64_t parts = shim::in_parts(rows.count, block_rows, [&](int64_t first, int64_t last, int64_t part) {
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

/// Sums of x − shift and of its square. Each block is summed from its own first row, so that no single row decides how exact it is.
void sum_moments(const Rows &rows, const float *data, const std::vector<float> &shift, std::vector<double> &a, std::vector<double> &b) {
    const int64_t channels = rows.channels;
    std::vector<double> all(2 * channels * shim::part_limit());
    int64_t parts = shim::in_parts(rows.count, block_rows, [&](int64_t first, int64_t last, int64_t part) {
        std::vector<float> block(2 * channels);
        double *mine = all.data() + 2 * channels * part;
        for (int64_t row = first; row < last; row += block_rows) {
            const int64_t count = std::min(block_rows, last - row);
            const float *start = data + row * channels;
            std::fill(block.begin(), block.end(), 0.f);
            shim::add_moments(start, start, count, channels, block.data(), block.data() + channels);
            for (int64_t c = 0; c < channels; c++) {
                const double away = double(start[c]) - shift[c], sum = block[c];
                mine[c] += sum + count * away;
                mine[channels + c] += block[channels + c] + 2 * away * sum + count * away * away;
            }
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

/// What follows computes gradients without recording how.
void refuse_second_derivatives() {
    TORCH_CHECK(!c10::GradMode::is_enabled(),
                "a fused batch normalisation has no second derivative: take gradients without createGraph, or float64");
}

bool has_channels_inside(const Tensor &x) {
    return x.dim() == 2 ? x.is_contiguous() : x.dim() == 4 && x.is_contiguous(at::MemoryFormat::ChannelsLast);
}

bool is_supported(const Tensor &x, const Tensor &weight, const Tensor &bias) {
    return x.is_cpu() && x.scalar_type() == at::kFloat && weight.defined() && bias.defined() && weight.scalar_type() == at::kFloat &&
           weight.is_cpu() && bias.is_cpu() && x.numel() > 0 && has_channels_inside(x);
}

/// The gradient in x's memory order.
Tensor arranged(const Tensor &gradient, const Tensor &x) {
    return x.dim() == 4 ? gradient.contiguous(at::MemoryFormat::ChannelsLast) : gradient.contiguous();
}

/// Whoever keeps what was made of a tensor looks at its version (folded_convolution.cpp). Libtorch's normalisation saves the running
/// values for its gradient and therefore does not count; a layer in training gives up what it kept.
void count_change(std::initializer_list<Tensor> changed) {
    for (const Tensor &tensor : changed)
        if (tensor.defined() && !tensor.is_inference()) tensor.unsafeGetTensorImpl()->bump_version();
}

/// What normalising a tensor needs, per channel: statistics, and y = scale · x + offset.
struct Statistics {
    Tensor mean, inverse;
    std::vector<float> scale, offset;

    /// Of a batch, moving the running values towards them; or the running values themselves.
    Statistics(const Tensor &x, const Tensor &weight, const Tensor &bias, Tensor running_mean, Tensor running_variance, bool training,
               double momentum, double epsilon) {
        const Rows rows(x);
        const int64_t channels = rows.channels;
        const float *data = x.const_data_ptr<float>();
        mean = at::empty({channels}, x.options().memory_format(at::MemoryFormat::Contiguous));
        inverse = at::empty_like(mean);
        float *m = mean.mutable_data_ptr<float>(), *s = inverse.mutable_data_ptr<float>();
        float *moving_mean = running_mean.mutable_data_ptr<float>(), *moving_variance = running_variance.mutable_data_ptr<float>();
        if (training) {
            TORCH_CHECK(rows.count > 1, "Expected more than 1 value per channel when training, got input size ", x.sizes());
            // Sums of differences from the first row lose nothing to a large mean.
            std::vector<float> shift(data, data + channels);
            std::vector<double> sum, square;
            sum_moments(rows, data, shift, sum, square);
            const double n = rows.count;
            for (int64_t c = 0; c < channels; c++) {
                const double centre = sum[c] / n, variance = std::max(0.0, square[c] / n - centre * centre);
                m[c] = shift[c] + centre;
                s[c] = 1 / std::sqrt(variance + epsilon);
                moving_mean[c] = (1 - momentum) * moving_mean[c] + momentum * m[c];
                moving_variance[c] = (1 - momentum) * moving_variance[c] + momentum * variance * n / (n - 1);
            }
            count_change({running_mean, running_variance});
        } else {
            for (int64_t c = 0; c < channels; c++) {
                m[c] = moving_mean[c];
                s[c] = 1 / std::sqrt(moving_variance[c] + epsilon);
            }
        }
        fold(weight, bias);
    }

    /// Those of an earlier pass.
    Statistics(Tensor mean, Tensor inverse, const Tensor &weight, const Tensor &bias) : mean(std::move(mean)), inverse(std::move(inverse)) {
        fold(weight, bias);
    }

    void fold(const Tensor &weight, const Tensor &bias) {
        const int64_t channels = mean.numel();
        const float *m = mean.const_data_ptr<float>(), *s = inverse.const_data_ptr<float>();
        const float *gamma = weight.const_data_ptr<float>(), *beta = bias.const_data_ptr<float>();
        scale.resize(channels);
        offset.resize(channels);
        for (int64_t c = 0; c < channels; c++) {
            scale[c] = gamma[c] * s[c];
            offset[c] = beta[c] - m[c] * scale[c];
        }
    }

    Tensor normalized(const Tensor &x, const std::optional<Tensor> &residual, bool relu) const {
        const Rows rows(x);
        Tensor y = at::empty_like(x);
        const float *data = x.const_data_ptr<float>(), *added = residual ? residual->const_data_ptr<float>() : nullptr;
        float *result = y.mutable_data_ptr<float>();
        shim::in_parts(rows.count, block_rows, [&](int64_t first, int64_t last, int64_t) {
            const int64_t at = first * rows.channels;
            shim::normalize(data + at, added ? added + at : nullptr, scale.data(), offset.data(), last - first, rows.channels, relu,
                            result + at);
        });
        return y;
    }
};

struct NormGradients {
    Tensor input, residual, weight, bias;
};

/// - y: the output where a ReLU followed, undefined where none did.
/// - in_place: the gradient in x takes x's memory.
NormGradients norm_gradients(const Tensor &given, const Tensor &x, const Tensor &y, const Tensor &weight, const Tensor &mean,
                             const Tensor &inverse, bool training, bool has_residual, bool needs_input, bool in_place = false) {
    const Rows rows(x);
    const int64_t channels = rows.channels;
    const Tensor gradient = arranged(given, x);
    const float *g = gradient.const_data_ptr<float>(), *data = x.const_data_ptr<float>(), *m = mean.const_data_ptr<float>();
    const float *output = y.defined() ? y.const_data_ptr<float>() : nullptr;

    // The residual's gradient is g where the ReLU let it through.
    NormGradients result;
    if (has_residual) result.residual = output ? at::empty_like(x) : gradient;
    float *keep = has_residual && output ? result.residual.mutable_data_ptr<float>() : nullptr;
    std::vector<double> sum, product;
    sum_rows(rows, sum, product, [&](int64_t first, int64_t count, float *a, float *b) {
        const int64_t at = first * channels;
        shim::add_gradient_moments(g + at, output ? output + at : nullptr, data + at, m, count, channels, a, b, keep ? keep + at : nullptr);
    });

    result.weight = at::empty_like(weight);
    result.bias = at::empty_like(weight);
    const float *gamma = weight.const_data_ptr<float>(), *s = inverse.const_data_ptr<float>();
    float *gamma_gradient = result.weight.mutable_data_ptr<float>(), *beta_gradient = result.bias.mutable_data_ptr<float>();
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
    if (needs_input) {
        result.input = in_place ? x : at::empty_like(x);
        float *into = result.input.mutable_data_ptr<float>();
        // With the masked gradient at hand the output need not be read again.
        const float *source = keep ? keep : g, *gate = keep ? nullptr : output;
        shim::in_parts(rows.count, block_rows, [&](int64_t first, int64_t last, int64_t) {
            const int64_t at = first * channels;
            shim::input_gradient(source + at, gate ? gate + at : nullptr, data + at, a.data(), b.data(), c.data(), last - first, channels,
                                 into + at);
        });
    }
    return result;
}

struct FusedNorm : torch::autograd::Function<FusedNorm> {
    static Tensor forward(AutogradContext *context, const Tensor &x, const std::optional<Tensor> &residual, const Tensor &weight,
                          const Tensor &bias, Tensor running_mean, Tensor running_variance, bool training, double momentum,
                          double epsilon, bool relu) {
        const Statistics statistics(x, weight, bias, running_mean, running_variance, training, momentum, epsilon);
        const Tensor y = statistics.normalized(x, residual, relu);
        context->save_for_backward({x, weight, statistics.mean, statistics.inverse, relu ? y : Tensor()});
        context->saved_data["training"] = training;
        context->saved_data["residual"] = residual.has_value();
        return y;
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        refuse_second_derivatives();
        const auto saved = context->get_saved_variables();
        auto found = norm_gradients(gradients[0], saved[0], saved[4], saved[1], saved[2], saved[3], context->saved_data["training"].toBool(),
                                    context->saved_data["residual"].toBool(), context->needs_input_grad(0));
        return {found.input, found.residual, found.weight, found.bias, Tensor(), Tensor(), Tensor(), Tensor(), Tensor(), Tensor()};
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
        const Statistics statistics(x, weight, bias, running_mean, running_variance, training, momentum, epsilon);
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
            shim::normalize(data + from, nullptr, statistics.scale.data(), statistics.offset.data(), pixels, p.channels, true, normalized.data());
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
        const Tensor y = Statistics(saved[3], saved[4], weight, saved[2]).normalized(x, std::nullopt, true);
        auto found = norm_gradients(into_y, x, y, weight, saved[3], saved[4], context->saved_data["training"].toBool(), false,
                                    context->needs_input_grad(0));
        return {found.input, found.weight, found.bias, Tensor(), Tensor(), Tensor(), Tensor(), Tensor(), Tensor(), Tensor(), Tensor()};
    }
};

/// Normalisation, ReLU and the convolution that reads it. What lies between is made again for the gradient instead of being
/// kept: a pass over memory for a quarter of a residual block's activations.
struct FusedNormConvolution : torch::autograd::Function<FusedNormConvolution> {
    static Tensor forward(AutogradContext *context, const Tensor &x, const Tensor &weight, const Tensor &bias, Tensor running_mean,
                          Tensor running_variance, bool training, double momentum, double epsilon, const Tensor &kernel,
                          int64_t stride, int64_t padding) {
        const Statistics statistics(x, weight, bias, running_mean, running_variance, training, momentum, epsilon);
        context->save_for_backward({x, weight, bias, statistics.mean, statistics.inverse, kernel});
        context->saved_data["training"] = training;
        context->saved_data["stride"] = stride;
        context->saved_data["padding"] = padding;
        return shim::convolution(statistics.normalized(x, std::nullopt, true), kernel, {}, stride, padding);
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        refuse_second_derivatives();
        const auto saved = context->get_saved_variables();
        const Tensor &x = saved[0], &weight = saved[1], &kernel = saved[5];
        const int64_t stride = context->saved_data["stride"].toInt(), padding = context->saved_data["padding"].toInt();
        const Tensor y = Statistics(saved[3], saved[4], weight, saved[2]).normalized(x, std::nullopt, true);
        auto [into_y, into_kernel] = shim::convolution_gradients(gradients[0], y, kernel, stride, padding, true, true);
        auto found = norm_gradients(into_y, x, y, weight, saved[3], saved[4], context->saved_data["training"].toBool(), false,
                                    context->needs_input_grad(0));
        return {found.input, found.weight, found.bias, Tensor(), Tensor(), Tensor(), Tensor(), Tensor(), into_kernel, Tensor(), Tensor()};
    }
};

/// [Convolution,] normalisation, ReLU, convolution, normalisation [+ residual] [→ ReLU]. Kept for the gradient are the input and, for
/// the last ReLU, the result; the convolutions are computed again. That pays where their results are large: a residual block's last
/// one is as large as its result, and in a bottleneck four times as large as all else.
struct FusedNormConvolutionNorm : torch::autograd::Function<FusedNormConvolutionNorm> {
    struct Geometry {
        int64_t stride, padding;
    };

    static Tensor forward(AutogradContext *context, const Tensor &input, const std::optional<Tensor> &first_kernel, int64_t first_stride,
                          int64_t first_padding, const Tensor &weight, const Tensor &bias, Tensor running_mean, Tensor running_variance,
                          const Tensor &kernel, int64_t stride, int64_t padding, const std::optional<Tensor> &residual,
                          const Tensor &last_weight, const Tensor &last_bias, Tensor last_running_mean, Tensor last_running_variance,
                          bool training, double momentum, double epsilon, bool relu) {
        const Tensor x = first_kernel ? convolved(input, *first_kernel, first_stride, first_padding) : input;
        TORCH_CHECK(weight.numel() == x.size(1), "batch_norm over ", weight.numel(), " channels of an input of shape ", x.sizes());
        const Statistics first(x, weight, bias, running_mean, running_variance, training, momentum, epsilon);
        const Tensor z = convolved(first.normalized(x, std::nullopt, true), kernel, stride, padding);
        TORCH_CHECK(last_weight.numel() == z.size(1), "batch_norm over ", last_weight.numel(), " channels of an input of shape ", z.sizes());
        TORCH_CHECK(!residual || residual->sizes() == z.sizes(), "a residual of shape ", residual->sizes(), " for ", z.sizes());
        const Statistics last(z, last_weight, last_bias, last_running_mean, last_running_variance, training, momentum, epsilon);
        const Tensor y = last.normalized(z, residual, relu);
        context->save_for_backward({input, weight, bias, first.mean, first.inverse, kernel, last_weight, last.mean, last.inverse,
                                    relu ? y : Tensor(), first_kernel.value_or(Tensor())});
        context->saved_data["training"] = training;
        context->saved_data["stride"] = stride;
        context->saved_data["padding"] = padding;
        context->saved_data["first_stride"] = first_stride;
        context->saved_data["first_padding"] = first_padding;
        context->saved_data["residual"] = residual.has_value();
        return y;
    }

    /// Each large tensor goes as soon as it is used up, and the last normalisation's gradient takes its input's place.
    static variable_list backward(AutogradContext *context, variable_list gradients) {
        refuse_second_derivatives();
        const auto saved = context->get_saved_variables();
        const Tensor &input = saved[0], &weight = saved[1], &kernel = saved[5], &first_kernel = saved[10];
        const int64_t stride = context->saved_data["stride"].toInt(), padding = context->saved_data["padding"].toInt();
        const int64_t first_stride = context->saved_data["first_stride"].toInt(), first_padding = context->saved_data["first_padding"].toInt();
        // What is computed again is as it was, also where gradients are taken under autocast.
        const c10::impl::ExcludeDispatchKeyGuard exact(c10::autocast_dispatch_keyset);
        const bool training = context->saved_data["training"].toBool(), adds = context->saved_data["residual"].toBool();
        const Tensor x = first_kernel.defined() ? convolved(input, first_kernel, first_stride, first_padding) : input;
        const Tensor y = Statistics(saved[3], saved[4], weight, saved[2]).normalized(x, std::nullopt, true);
        Tensor z = convolved(y, kernel, stride, padding);
        NormGradients last = norm_gradients(gradients[0], z, saved[9], saved[6], saved[7], saved[8], training, adds, true, /*in_place=*/true);
        gradients.clear();
        z.reset();
        auto [into_y, into_kernel] = shim::convolution_gradients(last.input, y, kernel, stride, padding, true, true);
        last.input.reset();
        const bool needs_input = context->needs_input_grad(0);
        NormGradients first = norm_gradients(into_y, x, y, weight, saved[3], saved[4], training, false, needs_input || first_kernel.defined());
        into_y.reset();
        shim::ConvolutionGradients before{first.input, Tensor()};
        if (first_kernel.defined())
            before = shim::convolution_gradients(first.input, input, first_kernel, first_stride, first_padding, needs_input, true);
        return {before.input, before.kernel, Tensor(), Tensor(), first.weight, first.bias, Tensor(), Tensor(), into_kernel, Tensor(), Tensor(),
                last.residual, last.weight, last.bias, Tensor(), Tensor(), Tensor(), Tensor(), Tensor(), Tensor()};
    }

    static Tensor convolved(const Tensor &x, const Tensor &kernel, int64_t stride, int64_t padding) {
        return arranged(shim::convolution(x, kernel, {}, stride, padding), x);
    }
};

/// Results of so many bytes are worth being computed twice: the last convolution's, and the one's before it.
constexpr int64_t large_result = 32 << 20, large_first_result = 64 << 20;

/// Of a convolution with "same" padding.
int64_t result_bytes(const Tensor &x, const Tensor &kernel, int64_t stride) {
    return x.numel() / x.size(1) / (stride * stride) * kernel.size(0) * int64_t(sizeof(float));
}

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

ct_status ct_batch_norm_max_pool(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor running_mean, ct_tensor running_variance,
                                 bool training, double momentum, double epsilon, int64_t kernel, int64_t stride, int64_t padding,
                                 ct_tensor *out) {
    return shim::guarded([&] {
        const Tensor &input = shim::tensor(x);
        const Tensor gamma = weight ? shim::tensor(weight) : Tensor(), beta = bias ? shim::tensor(bias) : Tensor();
        if (input.dim() == 4 && is_supported(input, gamma, beta) && kernel > 0 && stride > 0 && padding >= 0 &&
            kernel <= shim::largest_pooling_kernel && 2 * padding <= kernel) {
            TORCH_CHECK(input.size(1) == gamma.numel(), "batch_norm over ", gamma.numel(), " channels of an input of shape ", input.sizes());
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
            TORCH_CHECK(input.size(1) == gamma.numel(), "batch_norm over ", gamma.numel(), " channels of an input of shape ", input.sizes());
            *out = shim::handle(FusedNormConvolution::apply(input, gamma, beta, shim::tensor(running_mean), shim::tensor(running_variance),
                                                            training, momentum, epsilon, filter, stride, padding));
            return;
        }
        const Tensor y = at::relu(at::batch_norm(input, gamma, beta, shim::tensor(running_mean), shim::tensor(running_variance), training,
                                                 momentum, epsilon, /*cudnn_enabled=*/true));
        *out = shim::handle(at::conv2d(y, filter, {}, stride, padding));
    });
}

ct_status ct_batch_norm_convolution_batch_norm(ct_tensor x, ct_tensor first_kernel, int64_t first_stride, int64_t first_padding,
                                               ct_tensor weight, ct_tensor bias, ct_tensor running_mean, ct_tensor running_variance,
                                               ct_tensor kernel, int64_t stride, int64_t padding, ct_tensor residual, ct_tensor last_weight,
                                               ct_tensor last_bias, ct_tensor last_running_mean, ct_tensor last_running_variance,
                                               bool training, double momentum, double epsilon, bool relu, ct_tensor *out) {
    return shim::guarded([&] {
        const Tensor &input = shim::tensor(x);
        std::optional<Tensor> added, before;
        if (residual) added = arranged(shim::tensor(residual).to(at::kFloat), input);
        if (first_kernel) before = shim::tensor(first_kernel);
        *out = shim::handle(FusedNormConvolutionNorm::apply(
            input, before, first_stride, first_padding, shim::tensor(weight), shim::tensor(bias), shim::tensor(running_mean),
            shim::tensor(running_variance), shim::tensor(kernel), stride, padding, added, shim::tensor(last_weight), shim::tensor(last_bias),
            shim::tensor(last_running_mean), shim::tensor(last_running_variance), training, momentum, epsilon, relu));
    });
}

bool ct_recomputes_convolution(ct_tensor x, ct_tensor kernel, int64_t stride, bool is_last) {
    const Tensor &input = shim::tensor(x), &filter = shim::tensor(kernel);
    return stride > 0 && c10::GradMode::is_enabled() && !at::autocast::is_autocast_enabled(at::kCPU) && input.is_cpu() && input.dim() == 4 &&
           input.scalar_type() == at::kFloat && filter.scalar_type() == at::kFloat && input.numel() > 0 && has_channels_inside(input) &&
           input.size(1) == filter.size(1) && result_bytes(input, filter, stride) >= (is_last ? large_result : large_first_result);
}
