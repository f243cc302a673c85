#include "norm_loops.h"
#include "vector.h"

using namespace shim;

SHIM_CLONES void shim::add_moments(const float *__restrict x, const float *__restrict shift, int64_t rows, int64_t channels,
                                   float *__restrict sum, float *__restrict square) {
    for (int64_t r = 0; r < rows; r++, x += channels)
        for (int64_t c = 0; c < channels; c++) {
            float d = x[c] - shift[c];
            sum[c] += d;
            square[c] += d * d;
        }
}

namespace {

// One body for the four cases, chosen outside the loops. Explicit vectors, because the compiler does not make its own where y may be x.
template <bool Residual, bool Relu>
SHIM_INLINE void normalize_rows(const float *x, const float *residual, const float *scale, const float *offset, int64_t rows,
                                int64_t channels, float *y) {
    const int64_t whole = channels / lanes * lanes;
    for (int64_t r = 0; r < rows; r++, x += channels, y += channels) {
        for (int64_t c = 0; c < whole; c += lanes) {
            vec v = at(x + c) * at(scale + c) + at(offset + c);
            if (Residual) v += at(residual + c);
            at(y + c) = Relu ? (v < 0 ? vec{} : v) : v;  // NaN stays NaN
        }
        for (int64_t c = whole; c < channels; c++) {
            float v = x[c] * scale[c] + offset[c];
            if (Residual) v += residual[c];
            y[c] = Relu ? (v < 0 ? 0 : v) : v;
        }
        if (Residual) residual += channels;
    }
}

template <bool Relu, bool Keep>
inline __attribute__((always_inline)) void gradient_rows(const float *__restrict gradient, const float *__restrict y,
                                                         const float *__restrict x, const float *__restrict mean, int64_t rows,
                                                         int64_t channels, float *__restrict sum, float *__restrict product,
                                                         float *__restrict masked) {
    for (int64_t r = 0; r < rows; r++, gradient += channels, x += channels) {
        for (int64_t c = 0; c < channels; c++) {
            float g = !Relu || !(y[c] <= 0) ? gradient[c] : 0;
            sum[c] += g;
            product[c] += g * (x[c] - mean[c]);
            if (Keep) masked[c] = g;
        }
        if (Relu) y += channels;
        if (Keep) masked += channels;
    }
}

}  // namespace

SHIM_CLONES void shim::normalize(const float *x, const float *residual, const float *scale, const float *offset, int64_t rows,
                                 int64_t channels, bool relu, float *y) {
    if (residual && relu) normalize_rows<true, true>(x, residual, scale, offset, rows, channels, y);
    else if (residual) normalize_rows<true, false>(x, residual, scale, offset, rows, channels, y);
    else if (relu) normalize_rows<false, true>(x, residual, scale, offset, rows, channels, y);
    else normalize_rows<false, false>(x, residual, scale, offset, rows, channels, y);
}

SHIM_CLONES void shim::add_gradient_moments(const float *gradient, const float *y, const float *x, const float *mean, int64_t rows,
                                            int64_t channels, float *sum, float *product, float *masked) {
    if (y && masked) gradient_rows<true, true>(gradient, y, x, mean, rows, channels, sum, product, masked);
    else if (y) gradient_rows<true, false>(gradient, y, x, mean, rows, channels, sum, product, masked);
    else if (masked) gradient_rows<false, true>(gradient, y, x, mean, rows, channels, sum, product, masked);
    else gradient_rows<false, false>(gradient, y, x, mean, rows, channels, sum, product, masked);
}

SHIM_CLONES void shim::input_gradient(const float *gradient, const float *y, const float *x, const float *a, const float *b,
                                      const float *c, int64_t rows, int64_t channels, float *result) {
    const int64_t whole = channels / lanes * lanes;
    for (int64_t r = 0; r < rows; r++, gradient += channels, x += channels, result += channels) {
        // Explicit vectors, because the compiler does not make its own where result may be x.
        for (int64_t i = 0; i < whole; i += lanes) {
            vec g = at(gradient + i);
            if (y) g = at(y + i) <= 0 ? vec{} : g;
            at(result + i) = at(a + i) * g + at(b + i) * at(x + i) + at(c + i);
        }
        for (int64_t i = whole; i < channels; i++) {
            const float g = !(y && y[i] <= 0) ? gradient[i] : 0;
            result[i] = a[i] * g + b[i] * x[i] + c[i];
        }
        if (y) y += channels;
    }
}
