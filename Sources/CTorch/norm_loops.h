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

/// y = max(0, x · scale + offset [+ residual]); without the maximum when `relu` is false. y may be x.
/// - streams: y is not x, on a multiple of 64 bytes as its rows are, and too large for a cache.
void normalize(const float *x, const float *residual, const float *scale, const float *offset, int64_t rows, int64_t channels,
               bool relu, bool streams, float *y);

/// Where a ReLU let a value through: where its output is above 0, or where x · scale + offset is; everywhere when all are null.
struct Gate {
    const float *output, *scale, *offset;
};

/// With g = gradient where the gate is open: sum[c] += Σ g, product[c] += Σ g · (x − mean).
/// Writes g to `masked` when that is not null; it may be the gradient.
void add_gradient_moments(const float *gradient, Gate gate, const float *x, const float *mean, int64_t rows, int64_t channels, float *sum,
                          float *product, float *masked);

/// result = a · g + b · x + c, with g as above; result may be x or the gradient.
/// - streams: as for `normalize`; the result is neither.
void input_gradient(const float *gradient, Gate gate, const float *x, const float *a, const float *b, const float *c, int64_t rows,
                    int64_t channels, bool streams, float *result);

}  // namespace shim
