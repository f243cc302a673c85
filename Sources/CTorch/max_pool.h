// Max pooling of rectified values with channels innermost, with the place of each maximum in one byte: libtorch's takes eight, and
// keeps its input.
#pragma once
#include <cstdint>

namespace shim {

/// Square windows over one image of [height, width, channels].
struct Pooling {
    int64_t height, width, channels, kernel, stride, padding;
    int64_t rows() const { return (height + 2 * padding - kernel) / stride + 1; }
    int64_t columns() const { return (width + 2 * padding - kernel) / stride + 1; }
};

/// Windows of at most this side have places that a byte can tell.
constexpr int64_t largest_pooling_kernel = 15;

/// y = the maximum of each window, place = the first position in the window (row by row) that has it. A NaN is larger than all else, the last of them
/// largest.
void max_pool(const Pooling &pooling, const float *x, float *y, uint8_t *place);

/// into_x[i] = the sum of the gradients of the windows whose maximum is i, in the windows' order.
void max_pool_gradient(const Pooling &pooling, const float *gradient, const uint8_t *place, float *into_x);

}  // namespace shim
