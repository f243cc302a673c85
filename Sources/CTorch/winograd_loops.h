// The inner loops of Winograd's convolution, compiled for the vector units that the machine turns out to have. A tile is 4×4
// results, from 6×6 values; its 36 transformed values lie in 36 matrices of [tiles, channels].
#pragma once
#include "vector.h"
#include <cstdint>

namespace shim::winograd {

constexpr int64_t outputs = 4, inputs = 6, places = inputs * inputs;

/// 36 matrices of rows × columns. The gaps keep rows and matrices from falling into the same cache set.
struct Places {
    float *data;
    int64_t row, place;  // strides
    static int64_t row_stride(int64_t columns) { return columns + lanes; }
    static int64_t place_stride(int64_t rows, int64_t columns) { return rows * row_stride(columns) + lanes; }
};

/// A picture with channels innermost; values outside of it are zero.
struct Picture {
    float *data;
    int64_t height, width, channels;
    /// [channels]: a value inside is read as max(0, scale · value + offset); as it is where they are null.
    const float *scale = nullptr, *offset = nullptr;
};

/// v = Bᵀ d B for the 6×6 values that begin at (top, left).
void transform_input(const Picture &picture, int64_t top, int64_t left, const float *zeros, Places to, int64_t tile);

/// A dy Aᵀ for the 4×4 gradients that begin at (top, left): the transpose of `transform_output`.
void transform_gradient(const Picture &picture, int64_t top, int64_t left, const float *zeros, Places to, int64_t tile);

/// y = Aᵀ m A, what of it lies inside the picture; plus bias [channels] and residual (a picture's data) where they are given.
/// - open: a bit for each value of the residual, whether it is added; null for all.
void transform_output(Places from, int64_t tile, const Picture &picture, int64_t top, int64_t left, const float *bias,
                      const float *residual, const uint16_t *open, bool relu);

/// 36 matrices of rows × columns, columns in panels of 32 or 16 side by side.
struct Panels {
    float *data;
    int64_t rows, width, place;
    int64_t stride() const { return rows * width; }  // from panel to panel
};

/// u = G w Gᵀ of kernels[first ≤ row < last][3][3][column]: into matrices of [column, row]; for the gradient in the input, with
/// the kernels turned by 180°, of [row, column].
void transform_kernels(const float *kernels, int64_t first, int64_t last, int64_t columns, bool backwards, Panels to);

/// dw[first ≤ row < last][3][3][column] = Gᵀ du G; du in matrices of [row, column].
void transform_kernel_gradient(Places from, int64_t first, int64_t last, int64_t columns, float *gradient);

}  // namespace shim::winograd
