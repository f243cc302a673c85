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

// One body for all cases, chosen outside the loops. Explicit vectors, because the compiler does not make its own where results may take
// the place of what they are made of.

template <bool Streams> SHIM_INLINE void store(float *to, const vec &value) {
    if (Streams) stream(to, value);
    else at(to) = value;
}

template <bool Residual, bool Relu, bool Streams>
SHIM_INLINE void normalize_rows(const float *x, const float *residual, const float *scale, const float *offset, int64_t rows,
                                int64_t channels, float *y) {
    const int64_t whole = channels / lanes * lanes;
    for (int64_t r = 0; r < rows; r++, x += channels, y += channels) {
        for (int64_t c = 0; c < whole; c += lanes) {
            vec v = at(x + c) * at(scale + c) + at(offset + c);
            if (Residual) v += at(residual + c);
            store<Streams>(y + c, Relu ? (v < 0 ? vec{} : v) : v);  // NaN stays NaN
        }
        for (int64_t c = whole; c < channels; c++) {
            float v = x[c] * scale[c] + offset[c];
            if (Residual) v += residual[c];
            y[c] = Relu ? (v < 0 ? 0 : v) : v;
        }
        if (Residual) residual += channels;
    }
    if (Streams) end_streaming();
}

template <bool Streams>
SHIM_INLINE void normalize_rows(const float *x, const float *residual, const float *scale, const float *offset, int64_t rows,
                                int64_t channels, bool relu, float *y) {
    if (residual && relu) normalize_rows<true, true, Streams>(x, residual, scale, offset, rows, channels, y);
    else if (residual) normalize_rows<true, false, Streams>(x, residual, scale, offset, rows, channels, y);
    else if (relu) normalize_rows<false, true, Streams>(x, residual, scale, offset, rows, channels, y);
    else normalize_rows<false, false, Streams>(x, residual, scale, offset, rows, channels, y);
}

enum Opening { everywhere, by_output, by_input };

Opening opening(const Gate &gate) { return gate.output ? by_output : gate.scale ? by_input : everywhere; }

/// The gradient where the gate is open, of sixteen channels from `c` on and of one.
template <Opening opening> SHIM_INLINE void pass(const float *gradient, const Gate &gate, const float *x, int64_t c, vec &g) {
    g = at(gradient + c);
    if (opening == by_output) g = at(gate.output + c) <= 0 ? vec{} : g;
    if (opening == by_input) g = at(x + c) * at(gate.scale + c) + at(gate.offset + c) <= 0 ? vec{} : g;
}

template <Opening opening> SHIM_INLINE float passed(const float *gradient, const Gate &gate, const float *x, int64_t c) {
    if (opening == by_output && gate.output[c] <= 0) return 0;
    if (opening == by_input && x[c] * gate.scale[c] + gate.offset[c] <= 0) return 0;
    return gradient[c];
}

template <Opening opening, bool Keep>
SHIM_INLINE void gradient_rows(const float *gradient, Gate gate, const float *x, const float *mean, int64_t rows, int64_t channels,
                               float *sum, float *product, float *masked) {
    const int64_t whole = channels / lanes * lanes;
    for (int64_t r = 0; r < rows; r++, gradient += channels, x += channels) {
        for (int64_t c = 0; c < whole; c += lanes) {
            vec g;
            pass<opening>(gradient, gate, x, c, g);
            at(sum + c) += g;
            at(product + c) += g * (at(x + c) - at(mean + c));
            if (Keep) at(masked + c) = g;
        }
        for (int64_t c = whole; c < channels; c++) {
            const float g = passed<opening>(gradient, gate, x, c);
            sum[c] += g;
            product[c] += g * (x[c] - mean[c]);
            if (Keep) masked[c] = g;
        }
        if (opening == by_output) gate.output += channels;
        if (Keep) masked += channels;
    }
}

template <Opening opening, bool Streams>
SHIM_INLINE void input_rows(const float *gradient, Gate gate, const float *x, const float *a, const float *b, const float *c, int64_t rows,
                            int64_t channels, float *result) {
    const int64_t whole = channels / lanes * lanes;
    for (int64_t r = 0; r < rows; r++, gradient += channels, x += channels, result += channels) {
        for (int64_t i = 0; i < whole; i += lanes) {
            vec g;
            pass<opening>(gradient, gate, x, i, g);
            store<Streams>(result + i, at(a + i) * g + at(b + i) * at(x + i) + at(c + i));
        }
        for (int64_t i = whole; i < channels; i++) result[i] = a[i] * passed<opening>(gradient, gate, x, i) + b[i] * x[i] + c[i];
        if (opening == by_output) gate.output += channels;
    }
    if (Streams) end_streaming();
}

template <Opening opening>
SHIM_INLINE void gradient_rows(const float *gradient, const Gate &gate, const float *x, const float *mean, int64_t rows, int64_t channels,
                               float *sum, float *product, float *masked) {
    if (masked) gradient_rows<opening, true>(gradient, gate, x, mean, rows, channels, sum, product, masked);
    else gradient_rows<opening, false>(gradient, gate, x, mean, rows, channels, sum, product, masked);
}

template <Opening opening>
SHIM_INLINE void input_rows(const float *gradient, const Gate &gate, const float *x, const float *a, const float *b, const float *c,
                            int64_t rows, int64_t channels, bool streams, float *result) {
    if (streams) input_rows<opening, true>(gradient, gate, x, a, b, c, rows, channels, result);
    else input_rows<opening, false>(gradient, gate, x, a, b, c, rows, channels, result);
}

}  // namespace

SHIM_CLONES void shim::normalize(const float *x, const float *residual, const float *scale, const float *offset, int64_t rows,
                                 int64_t channels, bool relu, bool streams, float *y) {
    if (streams) normalize_rows<true>(x, residual, scale, offset, rows, channels, relu, y);
    else normalize_rows<false>(x, residual, scale, offset, rows, channels, relu, y);
}

SHIM_CLONES void shim::add_gradient_moments(const float *gradient, Gate gate, const float *x, const float *mean, int64_t rows,
                                            int64_t channels, float *sum, float *product, float *masked) {
    switch (opening(gate)) {
    case everywhere: return gradient_rows<everywhere>(gradient, gate, x, mean, rows, channels, sum, product, masked);
    case by_output: return gradient_rows<by_output>(gradient, gate, x, mean, rows, channels, sum, product, masked);
    case by_input: return gradient_rows<by_input>(gradient, gate, x, mean, rows, channels, sum, product, masked);
    }
}

SHIM_CLONES void shim::input_gradient(const float *gradient, Gate gate, const float *x, const float *a, const float *b, const float *c,
                                      int64_t rows, int64_t channels, bool streams, float *result) {
    switch (opening(gate)) {
    case everywhere: return input_rows<everywhere>(gradient, gate, x, a, b, c, rows, channels, streams, result);
    case by_output: return input_rows<by_output>(gradient, gate, x, a, b, c, rows, channels, streams, result);
    case by_input: return input_rows<by_input>(gradient, gate, x, a, b, c, rows, channels, streams, result);
    }
}
