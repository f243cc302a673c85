// The inner loops of the fused normalisation, on rows of `channels` contiguous floats. Kept apart so that they are compiled
// for the vector units that the machine turns out to have.
#pragma once
#include <cstdint>

// Sanitizers run before the resolver of clones can.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SHIM_IS_SANITIZED
#endif
#endif
#if defined(__x86_64__) && defined(__linux__) && !defined(SHIM_IS_SANITIZED)
#define SHIM_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define SHIM_CLONES
#endif

namespace shim {

/// sum[c] += Σ (x − shift), square[c] += Σ (x − shift)² over rows.
void add_moments(const float *x, const float *shift, int64_t rows, int64_t channels, float *sum, float *square);

/// Bits for a row of so many values come in words of 16, the first value's lowest.
inline int64_t words_of_bits(int64_t channels) { return (channels + 15) / 16; }

/// y = max(0, x · scale + offset [+ residual]); without the maximum when `relu` is false. y may be x with the same rows.
/// - y_row: floats from row to row of y.
/// - streams: y is not x, on a multiple of 64 bytes as its rows are, and too large for a cache.
/// - open: takes a bit for each value, whether the ReLU let it through; null where it is not wanted, and without residual and ReLU.
void normalize(const float *x, const float *residual, const float *scale, const float *offset, int64_t rows, int64_t channels,
               bool relu, bool streams, float *y, int64_t y_row, uint16_t *open = nullptr);

/// Where a ReLU let a value through: where its bit says so, or where x · scale + offset is above 0 or no number; everywhere when
/// all are null.
struct Gate {
    const uint16_t *open;
    const float *scale, *offset;
};

/// sum += values where their bits are set; everywhere when `open` is null.
void add_rows(const float *values, const uint16_t *open, int64_t rows, int64_t channels, float *sum);

/// With g = gradient where the gate is open: sum[c] += Σ g, product[c] += Σ g · (x − mean).
/// Writes g to `masked` when that is not null; it may be the gradient.
void add_gradient_moments(const float *gradient, Gate gate, const float *x, const float *mean, int64_t rows, int64_t channels, float *sum,
                          float *product, float *masked);

/// result = a · g + b · x + c, with g as above; result may be x or the gradient with the same rows.
/// - result_row: floats from row to row of the result.
/// - streams: as for `normalize`; the result is neither.
void input_gradient(const float *gradient, Gate gate, const float *x, const float *a, const float *b, const float *c, int64_t rows,
                    int64_t channels, bool streams, float *result, int64_t result_row);

}  // namespace shim
