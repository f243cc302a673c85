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

template <bool Residual, bool Relu, bool Open, bool Streams>
SHIM_INLINE void normalize_rows(const float *x, const float *residual, const float *scale, const float *offset, int64_t rows,
                                int64_t channels, float *y, int64_t y_row, uint16_t *open) {
    const int64_t whole = channels / lanes * lanes, words = words_of_bits(channels);
    for (int64_t r = 0; r < rows; r++, x += channels, y += y_row) {
        for (int64_t c = 0; c < whole; c += lanes) {
            vec v = at(x + c) * at(scale + c) + at(offset + c);
            if (Residual) v += at(residual + c);
            if (Open) open[c / lanes] = open_bits(v);
            store<Streams>(y + c, Relu ? (v < 0 ? vec{} : v) : v);  // NaN stays NaN
        }
        if (Open && whole < channels) open[words - 1] = 0;
        for (int64_t c = whole; c < channels; c++) {
            float v = x[c] * scale[c] + offset[c];
            if (Residual) v += residual[c];
            if (Open && !(v <= 0)) open[words - 1] |= 1 << (c - whole);
            y[c] = Relu ? (v < 0 ? 0 : v) : v;
        }
        if (Residual) residual += channels;
        if (Open) open += words;
    }
    if (Streams) end_streaming();
}

template <bool Streams>
SHIM_INLINE void normalize_rows(const float *x, const float *residual, const float *scale, const float *offset, int64_t rows,
                                int64_t channels, bool relu, float *y, int64_t y_row, uint16_t *open) {
    if (residual && relu && open) normalize_rows<true, true, true, Streams>(x, residual, scale, offset, rows, channels, y, y_row, open);
    else if (residual && relu) normalize_rows<true, true, false, Streams>(x, residual, scale, offset, rows, channels, y, y_row, open);
    else if (residual) normalize_rows<true, false, false, Streams>(x, residual, scale, offset, rows, channels, y, y_row, open);
    else if (relu) normalize_rows<false, true, false, Streams>(x, residual, scale, offset, rows, channels, y, y_row, open);
    else normalize_rows<false, false, false, Streams>(x, residual, scale, offset, rows, channels, y, y_row, open);
}

enum Opening { everywhere, by_bits, by_input };

Opening opening(const Gate &gate) { return gate.open ? by_bits : gate.scale ? by_input : everywhere; }

/// The gradient where the gate is open, of sixteen channels from `c` on and of one.
template <Opening opening> SHIM_INLINE void pass(const float *gradient, const Gate &gate, const float *x, int64_t c, vec &g) {
    g = at(gradient + c);
    if (opening == by_bits) let_through(gate.open[c / lanes], g);
    if (opening == by_input) g = at(x + c) * at(gate.scale + c) + at(gate.offset + c) <= 0 ? vec{} : g;
}

template <Opening opening> SHIM_INLINE float passed(const float *gradient, const Gate &gate, const float *x, int64_t c) {
    if (opening == by_bits && !(gate.open[c / lanes] >> c % lanes & 1)) return 0;
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
        if (opening == by_bits) gate.open += words_of_bits(channels);
        if (Keep) masked += channels;
    }
}

template <Opening opening, bool Streams>
SHIM_INLINE void input_rows(const float *gradient, Gate gate, const float *x, const float *a, const float *b, const float *c, int64_t rows,
                            int64_t channels, float *result, int64_t result_row) {
    const int64_t whole = channels / lanes * lanes;
    for (int64_t r = 0; r < rows; r++, gradient += channels, x += channels, result += result_row) {
        for (int64_t i = 0; i < whole; i += lanes) {
            vec g;
            pass<opening>(gradient, gate, x, i, g);
            store<Streams>(result + i, at(a + i) * g + at(b + i) * at(x + i) + at(c + i));
        }
        for (int64_t i = whole; i < channels; i++) result[i] = a[i] * passed<opening>(gradient, gate, x, i) + b[i] * x[i] + c[i];
        if (opening == by_bits) gate.open += words_of_bits(channels);
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
                            int64_t rows, int64_t channels, bool streams, float *result, int64_t result_row) {
    if (streams) input_rows<opening, true>(gradient, gate, x, a, b, c, rows, channels, result, result_row);
    else input_rows<opening, false>(gradient, gate, x, a, b, c, rows, channels, result, result_row);
}

template <Opening opening>
SHIM_INLINE void sum_rows(const float *values, Gate gate, int64_t rows, int64_t channels, float *sum) {
    const int64_t whole = channels / lanes * lanes;
    for (int64_t r = 0; r < rows; r++, values += channels, sum += channels) {
        for (int64_t c = 0; c < whole; c += lanes) {
            vec v;
            pass<opening>(values, gate, nullptr, c, v);
            at(sum + c) += v;
        }
        for (int64_t c = whole; c < channels; c++) sum[c] += passed<opening>(values, gate, nullptr, c);
        if (opening == by_bits) gate.open += words_of_bits(channels);
    }
}

}  // namespace

SHIM_CLONES void shim::normalize(const float *x, const float *residual, const float *scale, const float *offset, int64_t rows,
                                 int64_t channels, bool relu, bool streams, float *y, int64_t y_row, uint16_t *open) {
    if (streams) normalize_rows<true>(x, residual, scale, offset, rows, channels, relu, y, y_row, open);
    else normalize_rows<false>(x, residual, scale, offset, rows, channels, relu, y, y_row, open);
}

SHIM_CLONES void shim::add_rows(const float *values, const uint16_t *open, int64_t rows, int64_t channels, float *sum) {
    if (open) sum_rows<by_bits>(values, {open, nullptr, nullptr}, rows, channels, sum);
    else sum_rows<everywhere>(values, {}, rows, channels, sum);
}

SHIM_CLONES void shim::add_gradient_moments(const float *gradient, Gate gate, const float *x, const float *mean, int64_t rows,
                                            int64_t channels, float *sum, float *product, float *masked) {
    switch (opening(gate)) {
    case everywhere: return gradient_rows<everywhere>(gradient, gate, x, mean, rows, channels, sum, product, masked);
    case by_bits: return gradient_rows<by_bits>(gradient, gate, x, mean, rows, channels, sum, product, masked);
    case by_input: return gradient_rows<by_input>(gradient, gate, x, mean, rows, channels, sum, product, masked);
    }
}

SHIM_CLONES void shim::input_gradient(const float *gradient, Gate gate, const float *x, const float *a, const float *b, const float *c,
                                      int64_t rows, int64_t channels, bool streams, float *result, int64_t result_row) {
    switch (opening(gate)) {
    case everywhere: return input_rows<everywhere>(gradient, gate, x, a, b, c, rows, channels, streams, result, result_row);
    case by_bits: return input_rows<by_bits>(gradient, gate, x, a, b, c, rows, channels, streams, result, result_row);
    case by_input: return input_rows<by_input>(gradient, gate, x, a, b, c, rows, channels, streams, result, result_row);
    }
}
