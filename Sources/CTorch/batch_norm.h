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
    at::Tensor normalized(const at::Tensor &x, const std::optional<at::Tensor> &residual, bool relu, bool in_place = false) const;

  private:
    void find(const Normalization &norm, const Moments *moments, int64_t count);
    void fold(const at::Tensor &weight, const at::Tensor &bias);
};

/// Where the ReLU behind a normalisation let its gradient through: told by its output, or, where nothing was added to the normalisation's
/// result, by that normalisation and its input, which have to be read anyway. Everywhere, where there was no ReLU.
class ReluGate {
    at::Tensor output;
    const Statistics *statistics = nullptr;

  public:
    ReluGate() = default;
    explicit ReluGate(at::Tensor output) : output(std::move(output)) {}
    /// Stays as long as the gate does.
    explicit ReluGate(const Statistics &statistics) : statistics(&statistics) {}
    bool has_output() const { return output.defined(); }
    /// From the value `first` on.
    Gate at(int64_t first) const;
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

struct NormGradients {
    at::Tensor input, residual, weight, bias;
};

/// - gradient, gate: g as the sums have it.
/// - into: takes the gradient in x, undefined where it is not wanted; it may be x or the gradient.
NormGradients norm_gradients(const GradientMoments &sums, const at::Tensor &gradient, const at::Tensor &x, const ReluGate &gate,
                             const at::Tensor &weight, const at::Tensor &mean, const at::Tensor &inverse, bool training, at::Tensor into);

/// All of it.
/// - gradient: given up; where nobody else has it, its memory is the residual's gradient's.
/// - in_place: the gradient in x takes x's memory.
NormGradients norm_gradients(at::Tensor &&gradient, const at::Tensor &x, const ReluGate &gate, const at::Tensor &weight,
                             const at::Tensor &mean, const at::Tensor &inverse, bool training, bool has_residual, bool needs_input,
                             bool in_place = false);

/// What computes gradients without recording how.
void refuse_second_derivatives();

}  // namespace shim
