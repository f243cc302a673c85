#include "batch_norm.h"
#include "vector.h"
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <algorithm>
#include <cmath>

using at::Tensor;
using namespace shim;

bool shim::has_channels_inside(const Tensor &x) {
    return x.dim() == 2 ? x.is_contiguous() : x.dim() == 4 && x.is_contiguous(at::MemoryFormat::ChannelsLast);
}

Tensor shim::arranged(const Tensor &gradient, const Tensor &x) {
    return x.dim() == 4 ? gradient.contiguous(at::MemoryFormat::ChannelsLast) : gradient.contiguous();
}

void shim::refuse_second_derivatives() {
    TORCH_CHECK(!c10::GradMode::is_enabled(),
                "a fused batch normalisation has no second derivative: take gradients without createGraph, or float64");
}

ChannelSums::ChannelSums(int64_t channels)
    : channels(channels), all(2 * channels * part_limit()), blocks(2 * channels * part_limit()) {}

float *ChannelSums::block(int64_t part) {
    float *mine = blocks.data() + 2 * channels * part;
    std::fill(mine, mine + 2 * channels, 0.f);
    return mine;
}

void ChannelSums::total(std::vector<double> &first, std::vector<double> &second) const {
    first.assign(channels, 0);
    second.assign(channels, 0);
    for (size_t part = 0; part < all.size(); part += 2 * channels)
        for (int64_t c = 0; c < channels; c++) {
            first[c] += all[part + c];
            second[c] += all[part + channels + c];
        }
}

Moments::Moments(const float *shift, int64_t channels) : ChannelSums(channels), shift(shift, shift + channels) {}

/// Each block is summed from its own first row, so that no single row decides how exact it is.
void Moments::add(const float *rows, int64_t count, int64_t part) {
    double *mine = sums(part);
    for (int64_t row = 0; row < count; row += block_rows) {
        const int64_t here = std::min(block_rows, count - row);
        const float *start = rows + row * channels;
        float *sum = block(part), *square = sum + channels;
        add_moments(start, start, here, channels, sum, square);
        for (int64_t c = 0; c < channels; c++) {
            const double away = double(start[c]) - shift[c], of_block = sum[c];
            mine[c] += of_block + here * away;
            mine[channels + c] += square[c] + 2 * away * of_block + here * away * away;
        }
    }
}

void Moments::add_all(const Tensor &x) {
    const float *data = x.const_data_ptr<float>();
    in_parts(row_count(x), block_rows, [&](int64_t first, int64_t last, int64_t part) { add(data + first * channels, last - first, part); });
}

void Moments::statistics(int64_t count, std::vector<double> &mean, std::vector<double> &variance) const {
    total(mean, variance);
    for (int64_t c = 0; c < channels; c++) {
        const double centre = mean[c] / count;
        mean[c] = shift[c] + centre;
        const double found = variance[c] / count - centre * centre;
        variance[c] = found < 0 ? 0 : found;  // NaN stays
    }
}

Statistics::Statistics(const Normalization &norm, const Tensor &x) {
    std::optional<Moments> moments;
    if (norm.training) {
        // A row that is there is nearer than values of the past.
        moments.emplace(x.const_data_ptr<float>(), x.size(1));
        moments->add_all(x);
    }
    find(norm, moments ? &*moments : nullptr, row_count(x));
}

Statistics::Statistics(const Normalization &norm, const Moments *moments, int64_t count) { find(norm, moments, count); }

Statistics::Statistics(Tensor mean, Tensor inverse, const Tensor &weight, const Tensor &bias) : mean(std::move(mean)), inverse(std::move(inverse)) {
    fold(weight, bias);
}

namespace {

/// Whoever keeps what was made of a tensor looks at its version (folded_convolution.cpp). Libtorch's normalisation saves the running
/// values for its gradient and therefore does not count; a layer in training gives up what it kept.
void count_change(std::initializer_list<Tensor> changed) {
    for (const Tensor &tensor : changed)
        if (tensor.defined() && !tensor.is_inference()) tensor.unsafeGetTensorImpl()->bump_version();
}

}  // namespace

void Statistics::find(const Normalization &norm, const Moments *moments, int64_t count) {
    Tensor running_mean = norm.running_mean, running_variance = norm.running_variance;
    const int64_t channels = running_mean.numel();
    mean = at::empty({channels}, at::kFloat);
    inverse = at::empty_like(mean);
    float *m = mean.mutable_data_ptr<float>(), *s = inverse.mutable_data_ptr<float>();
    float *moving_mean = running_mean.mutable_data_ptr<float>(), *moving_variance = running_variance.mutable_data_ptr<float>();
    if (norm.training) {
        TORCH_CHECK(count > 1, "Expected more than 1 value per channel when training, got ", count, " of ", channels, " channels");
        std::vector<double> means, variances;
        moments->statistics(count, means, variances);
        const double n = count, momentum = norm.momentum;
        for (int64_t c = 0; c < channels; c++) {
            m[c] = means[c];
            s[c] = 1 / std::sqrt(variances[c] + norm.epsilon);
            moving_mean[c] = (1 - momentum) * moving_mean[c] + momentum * m[c];
            moving_variance[c] = (1 - momentum) * moving_variance[c] + momentum * variances[c] * n / (n - 1);
        }
        count_change({running_mean, running_variance});
    } else {
        for (int64_t c = 0; c < channels; c++) {
            m[c] = moving_mean[c];
            s[c] = 1 / std::sqrt(moving_variance[c] + norm.epsilon);
        }
    }
    fold(norm.weight, norm.bias);
}

void Statistics::fold(const Tensor &weight, const Tensor &bias) {
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

namespace {

/// Whether a result is better stored past the caches: beyond what they hold, in rows of whole vectors.
bool is_streamed(const Tensor &result) {
    constexpr size_t beyond_caches = 32 << 20;
    return result.nbytes() >= beyond_caches && result.size(1) % lanes == 0 && reinterpret_cast<uintptr_t>(result.const_data_ptr()) % sizeof(vec) == 0;
}

bool is_ours_alone(const Tensor &tensor) { return tensor.use_count() == 1 && tensor.storage().use_count() == 1; }

}  // namespace

Tensor Statistics::normalized(const Tensor &x, const std::optional<Tensor> &residual, bool relu, bool in_place, Tensor *open) const {
    const int64_t channels = x.size(1), words = words_of_bits(channels);
    Tensor y = in_place ? x : at::empty_like(x);
    TORCH_CHECK(!open || (residual && relu), "bits of what has no gate of its own");
    if (open) *open = at::empty({row_count(x), words}, at::kUInt16);
    uint16_t *bits = open ? open->mutable_data_ptr<uint16_t>() : nullptr;
    const float *data = x.const_data_ptr<float>(), *added = residual ? residual->const_data_ptr<float>() : nullptr;
    float *result = y.mutable_data_ptr<float>();
    const bool streams = !in_place && is_streamed(y);
    in_parts(row_count(x), block_rows, [&](int64_t first, int64_t last, int64_t) {
        const int64_t at = first * channels;
        normalize(data + at, added ? added + at : nullptr, scale.data(), offset.data(), last - first, channels, relu, streams, result + at, channels,
                  bits ? bits + first * words : nullptr);
    });
    return y;
}

Gate ReluGate::at(int64_t row) const {
    if (statistics) return {nullptr, statistics->scale.data(), statistics->offset.data()};
    return {open.defined() ? open.const_data_ptr<uint16_t>() + row * words_of_bits(channels) : nullptr, nullptr, nullptr};
}

void shim::add_rows(Tensor &sum, const Tensor &values, const Tensor &open) {
    const int64_t channels = sum.size(1), words = words_of_bits(channels);
    float *into = sum.mutable_data_ptr<float>();
    const float *from = values.const_data_ptr<float>();
    const uint16_t *bits = open.defined() ? open.const_data_ptr<uint16_t>() : nullptr;
    in_parts(row_count(sum), block_rows, [&](int64_t first, int64_t last, int64_t) {
        add_rows(from + first * channels, bits ? bits + first * words : nullptr, last - first, channels, into + first * channels);
    });
}

GradientMoments::GradientMoments(Tensor x, ReluGate gate, Tensor mean, Tensor masked)
    : ChannelSums(x.size(1)), x(std::move(x)), mean(std::move(mean)), masked(std::move(masked)), gate(std::move(gate)) {}

void GradientMoments::add(const float *gradient, int64_t first, int64_t count, int64_t part) {
    const float *data = x.const_data_ptr<float>(), *m = mean.const_data_ptr<float>();
    float *keep = masked.defined() ? masked.mutable_data_ptr<float>() : nullptr;
    double *mine = sums(part);
    for (int64_t row = 0; row < count; row += block_rows) {
        const int64_t here = std::min(block_rows, count - row), at = (first + row) * channels;
        float *sum = block(part);
        add_gradient_moments(gradient + row * channels, gate.at(first + row), data + at, m, here, channels, sum, sum + channels, keep ? keep + at : nullptr);
        for (int64_t c = 0; c < 2 * channels; c++) mine[c] += sum[c];
    }
}

void GradientMoments::add_all(const Tensor &gradient) {
    const float *data = gradient.const_data_ptr<float>();
    in_parts(row_count(gradient), block_rows,
             [&](int64_t first, int64_t last, int64_t part) { add(data + first * channels, first, last - first, part); });
}

NormGradients shim::norm_gradients(const GradientMoments &sums, const Tensor &gradient, const Tensor &x, const ReluGate &gate,
                                   const Tensor &weight, const Tensor &mean, const Tensor &inverse, bool training, Tensor memory) {
    const int64_t channels = x.size(1), rows = row_count(x);
    std::vector<double> sum, product;
    sums.total(sum, product);
    NormGradients result;
    result.weight = at::empty_like(weight);
    result.bias = at::empty_like(weight);
    const float *gamma = weight.const_data_ptr<float>(), *s = inverse.const_data_ptr<float>(), *m = mean.const_data_ptr<float>();
    float *gamma_gradient = result.weight.mutable_data_ptr<float>(), *beta_gradient = result.bias.mutable_data_ptr<float>();
    // dx = γ s (g − Σg/n − x̂ Σ(g x̂)/n) as a·g + b·x + c; with fixed statistics γ s g.
    std::vector<float> a(channels), b(channels), c(channels);
    const double n = rows;
    for (int64_t i = 0; i < channels; i++) {
        const double along = product[i] * s[i];
        gamma_gradient[i] = along;
        beta_gradient[i] = sum[i];
        const double scale = static_cast<double>(gamma[i]) * s[i];
        a[i] = scale;
        b[i] = training ? -scale * s[i] * along / n : 0;
        c[i] = training ? -scale * sum[i] / n - static_cast<double>(b[i]) * m[i] : 0;
    }
    result.input = Slopes(gradient, x, gate, std::move(a), std::move(b), std::move(c), std::move(memory));
    return result;
}

Slopes::Slopes(Tensor gradient, Tensor x, ReluGate gate, std::vector<float> a, std::vector<float> b, std::vector<float> c, Tensor memory)
    : gradient(std::move(gradient)), x(std::move(x)), memory(std::move(memory)), gate(std::move(gate)), a(std::move(a)), b(std::move(b)),
      c(std::move(c)) {}

void Slopes::make(int64_t first, int64_t count, float *to, int64_t row) const {
    const int64_t channels = x.size(1), at = first * channels;
    input_gradient(gradient.const_data_ptr<float>() + at, gate.at(first), x.const_data_ptr<float>() + at, a.data(), b.data(), c.data(), count,
                   channels, false, to, row);
}

Tensor Slopes::whole() && {
    if (!are_made()) return std::move(gradient);
    const int64_t channels = x.size(1);
    const Tensor into = memory.defined() ? std::move(memory) : at::empty_like(x);
    const float *g = gradient.const_data_ptr<float>(), *data = x.const_data_ptr<float>();
    float *to = into.mutable_data_ptr<float>();
    const bool streams = to != g && to != data && is_streamed(into);
    in_parts(row_count(x), block_rows, [&](int64_t first, int64_t last, int64_t) {
        const int64_t at = first * channels;
        input_gradient(g + at, gate.at(first), data + at, a.data(), b.data(), c.data(), last - first, channels, streams, to + at, channels);
    });
    *this = {};
    return into;
}

NormGradients shim::norm_gradients(Tensor &&given, const Tensor &x, const ReluGate &gate, const Tensor &weight, const Tensor &mean,
                                   const Tensor &inverse, bool training, Tensor *residual, Tensor memory) {
    Tensor gradient = arranged(given, x);
    given.reset();
    // The residual's gradient is g where the ReLU let it through. With that at hand the gate need not be read again.
    Tensor masked;
    if (residual && gate.has_bits()) masked = is_ours_alone(gradient) ? gradient : at::empty_like(x);
    GradientMoments sums(x, gate, mean, masked);
    sums.add_all(gradient);
    if (masked.defined()) gradient = masked;
    if (residual) *residual = gradient;
    return norm_gradients(sums, gradient, x, masked.defined() ? ReluGate() : gate, weight, mean, inverse, training, std::move(memory));
}
