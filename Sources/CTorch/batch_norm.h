// Batch normalisation of tensors with channels innermost, in parts: statistics, result and gradients, each in one pass over memory, or
// summed up while whatever made the values still has them in the cache.
#pragma once
#include "norm_loops.h"
#include "parallel.h"
#include <ATen/core/Tensor.h>
#include <optional>
#include <vector>

namespace shim {

/// Rows that are summed in float before the sum goes into a double.
constexpr int64_t block_rows = 64;

/// A row has a value for each channel.
inline int64_t row_count(const at::Tensor &x) { return x.numel() / x.size(1); }

bool has_channels_inside(const at::Tensor &x);

/// In x's memory order.
at::Tensor arranged(const at::Tensor &gradient, const at::Tensor &x);

/// Two sums per channel over rows that come in blocks; each thread has its own.
class ChannelSums {
  protected:
    int64_t channels;
    std::vector<double> all;
    std::vector<float> blocks;

    explicit ChannelSums(int64_t channels);
    double *sums(int64_t part) { return all.data() + 2 * channels * part; }
    /// Zeros.
    float *block(int64_t part);

  public:
    void total(std::vector<double> &first, std::vector<double> &second) const;
};

/// Sums of x − shift and of its square.
class Moments : public ChannelSums {
    std::vector<float> shift;

  public:
    /// - shift: [channels], near the mean where that is known: sums in double then lose nothing to it.
    explicit Moments(const float *shift, int64_t channels);
    void add(const float *rows, int64_t count, int64_t part);
    void add_all(const at::Tensor &x);
    /// Mean and (biased) variance of `count` rows.
    void statistics(int64_t count, std::vector<double> &mean, std::vector<double> &variance) const;
};

/// A normalisation's tensors and settings.
struct Normalization {
    at::Tensor weight, bias, running_mean, running_variance;
    bool training;
    double momentum, epsilon;
};

/// What normalising a tensor needs, per channel: statistics, and y = scale · x + offset.
struct Statistics {
    at::Tensor mean, inverse;
    std::vector<float> scale, offset;

    /// Of x as a batch, moving the running values towards them; or, not in training, the running values themselves.
    Statistics(const Normalization &norm, const at::Tensor &x);
    /// The same of `count` rows whose moments are known; not in training `moments` may be null.
    Statistics(const Normalization &norm, const Moments *moments, int64_t count);
    /// Those of an earlier pass.
    Statistics(at::Tensor mean, at::Tensor inverse, const at::Tensor &weight, const at::Tensor &bias);

    /// - in_place: the result takes x's memory.
    /// - open: becomes the bits of a `ReluGate`; for a residual with a ReLU.
    at::Tensor normalized(const at::Tensor &x, const std::optional<at::Tensor> &residual, bool relu, bool in_place = false,
                          at::Tensor *open = nullptr) const;

  private:
    void find(const Normalization &norm, const Moments *moments, int64_t count);
    void fold(const at::Tensor &weight, const at::Tensor &bias);
};

/// Where the ReLU behind a normalisation let its gradient through: told by a bit for each value, or, where nothing was added to the
/// normalisation's result, by that normalisation and its input, which have to be read anyway. Everywhere, where there was no ReLU.
class ReluGate {
    at::Tensor open;
    int64_t channels = 1;
    const Statistics *statistics = nullptr;

  public:
    ReluGate() = default;
    /// - open: the words of 16 bits that `Statistics::normalized` made; undefined for everywhere.
    /// - channels: values in a row.
    explicit ReluGate(at::Tensor open, int64_t channels) : open(std::move(open)), channels(channels) {}
    /// Stays as long as the gate does.
    explicit ReluGate(const Statistics &statistics) : statistics(&statistics) {}
    bool has_bits() const { return open.defined(); }
    /// From a row on.
    Gate at(int64_t row) const;
};

/// With g the gradient in y, where a ReLU let it through: the sums of g and of g · (x − mean), and g itself where it is wanted.
class GradientMoments : public ChannelSums {
    at::Tensor x, mean, masked;
    ReluGate gate;

  public:
    /// - masked: takes g, and may be the gradient; undefined where it is not wanted.
    GradientMoments(at::Tensor x, ReluGate gate, at::Tensor mean, at::Tensor masked);
    /// Rows of the gradient, the first of which is the tensor's row `first`.
    void add(const float *gradient, int64_t first, int64_t count, int64_t part);
    void add_all(const at::Tensor &gradient);
};

/// The gradient in a result: a tensor; or, where the result is normalised, a · g + b · x + c, to be made where it is read, or once.
class Slopes {
    at::Tensor gradient, x, memory;
    ReluGate gate;
    std::vector<float> a, b, c;

  public:
    Slopes() = default;
    explicit Slopes(at::Tensor gradient) : gradient(std::move(gradient)) {}
    /// - gradient, gate: g.
    /// - x: the result.
    /// - a, b, c: [channels]
    /// - memory: what the whole may take, which may be x's or the gradient's; undefined for new memory.
    Slopes(at::Tensor gradient, at::Tensor x, ReluGate gate, std::vector<float> a, std::vector<float> b, std::vector<float> c, at::Tensor memory);

    /// As it was given: the gradient in the result itself, where they are not made.
    const at::Tensor &given() const { return gradient; }
    /// Whether they are made of something; as they are otherwise.
    bool are_made() const { return x.defined(); }
    /// Rows, `row` floats from one to the next.
    void make(int64_t first, int64_t count, float *to, int64_t row) const;
    /// All of them; what they are made of is given up.
    at::Tensor whole() &&;
};

struct NormGradients {
    Slopes input;
    at::Tensor weight, bias;
};

/// - gradient, gate: g as the sums have it.
/// - memory: as for `Slopes`.
NormGradients norm_gradients(const GradientMoments &sums, const at::Tensor &gradient, const at::Tensor &x, const ReluGate &gate,
                             const at::Tensor &weight, const at::Tensor &mean, const at::Tensor &inverse, bool training,
                             at::Tensor memory = {});

/// With the sums.
/// - gradient: given up; where nobody else has it, its memory is the residual's gradient's.
/// - residual: becomes g; null where that is not wanted.
NormGradients norm_gradients(at::Tensor &&gradient, const at::Tensor &x, const ReluGate &gate, const at::Tensor &weight,
                             const at::Tensor &mean, const at::Tensor &inverse, bool training, at::Tensor *residual = nullptr,
                             at::Tensor memory = {});

/// sum += values, where the bits say so; everywhere when `open` is undefined.
void add_rows(at::Tensor &sum, const at::Tensor &values, const at::Tensor &open);

/// What computes gradients without recording how.
void refuse_second_derivatives();

}  // namespace shim
