#include "winograd_loops.h"
#include "norm_loops.h"

// The points are 0, ±√½, ±√2, ∞: a rounding error of about half of that with 0, ±1, ±2, ∞ (Barabasz et al. 2020, "Error Analysis
// and Improving the Accuracy of Winograd Convolution for Deep Neural Networks", look for such points by search).

namespace {

using namespace shim;
using namespace shim::winograd;

constexpr float a1 = 0.70710678118654752f, b1 = 1.41421356237309505f;  // the points
constexpr float a2 = 0.5f, b2 = 2, a3 = a1 * a2, b3 = b1 * b2;
constexpr float na = 2 * a2 * (a2 - b2), nb = 2 * b2 * (b2 - a2);  // Π (p − q) over the other points q; 1 for the point 0

/// Bᵀ d, with strides between the elements.
SHIM_INLINE void input_row(const vec *d, int64_t from, vec *v, int64_t to) {
    const vec d0 = d[0], d1 = d[from], d2 = d[2 * from], d3 = d[3 * from], d4 = d[4 * from], d5 = d[5 * from];
    const vec ea = d4 - b2 * d2, fa = a1 * (d3 - b2 * d1), eb = d4 - a2 * d2, fb = b1 * (d3 - a2 * d1);
    v[0] = d0 - (a2 + b2) * d2 + d4;
    v[to] = ea + fa;
    v[2 * to] = ea - fa;
    v[3 * to] = eb + fb;
    v[4 * to] = eb - fb;
    v[5 * to] = d1 - (a2 + b2) * d3 + d5;
}

/// Aᵀ m.
SHIM_INLINE void output_row(const vec *m, int64_t from, vec *y, int64_t to) {
    const vec sa = m[from] + m[2 * from], ta = m[from] - m[2 * from], sb = m[3 * from] + m[4 * from], tb = m[3 * from] - m[4 * from];
    y[0] = m[0] + sa + sb;
    y[to] = a1 * ta + b1 * tb;
    y[2 * to] = a2 * sa + b2 * sb;
    y[3 * to] = a3 * ta + b3 * tb + m[5 * from];
}

/// A y.
SHIM_INLINE void gradient_row(const vec *y, int64_t from, vec *m, int64_t to) {
    const vec y0 = y[0], y1 = y[from], y2 = y[2 * from], y3 = y[3 * from];
    const vec ea = y0 + a2 * y2, fa = a1 * y1 + a3 * y3, eb = y0 + b2 * y2, fb = b1 * y1 + b3 * y3;
    m[0] = y0;
    m[to] = ea + fa;
    m[2 * to] = ea - fa;
    m[3 * to] = eb + fb;
    m[4 * to] = eb - fb;
    m[5 * to] = y3;
}

/// G w.
SHIM_INLINE void kernel_row(const vec *w, int64_t from, vec *u, int64_t to) {
    const vec w0 = w[0], w1 = w[from], w2 = w[2 * from];
    const vec ea = (w0 + a2 * w2) * (1 / na), fa = w1 * (a1 / na), eb = (w0 + b2 * w2) * (1 / nb), fb = w1 * (b1 / nb);
    u[0] = w0;
    u[to] = ea + fa;
    u[2 * to] = ea - fa;
    u[3 * to] = eb + fb;
    u[4 * to] = eb - fb;
    u[5 * to] = w2;
}

/// Gᵀ u.
SHIM_INLINE void kernel_gradient_row(const vec *u, int64_t from, vec *w, int64_t to) {
    const vec sa = (u[from] + u[2 * from]) * (1 / na), ta = (u[from] - u[2 * from]) * (a1 / na);
    const vec sb = (u[3 * from] + u[4 * from]) * (1 / nb), tb = (u[3 * from] - u[4 * from]) * (b1 / nb);
    w[0] = u[0] + sa + sb;
    w[to] = ta + tb;
    w[2 * to] = a2 * sa + b2 * sb + u[5 * from];
}

/// Pointers to the values of a square, `zeros` outside of the picture.
template <int side> SHIM_INLINE void find(const Picture &picture, int64_t top, int64_t left, const float *zeros, const float **found) {
    for (int64_t i = 0; i < side; i++)
        for (int64_t j = 0; j < side; j++) {
            const int64_t y = top + i, x = left + j;
            const bool inside = y >= 0 && y < picture.height && x >= 0 && x < picture.width;
            found[i * side + j] = inside ? picture.data + (y * picture.width + x) * picture.channels : zeros;
        }
}

template <bool Normalized>
SHIM_INLINE void transform_input(const Picture &picture, const float *const *found, bool is_inside, const float *zeros, Places to,
                                 int64_t tile) {
    for (int64_t c = 0; c < picture.channels; c += lanes) {
        vec d[places], v[places];
        if (Normalized) {
            const vec scale = at(picture.scale + c), offset = at(picture.offset + c);
            for (int64_t i = 0; i < places; i++) {
                const vec value = at(found[i] + c) * scale + offset;
                d[i] = vec{} > value ? vec{} : value;  // keeps NaN
            }
            if (!is_inside)
                for (int64_t i = 0; i < places; i++)
                    if (found[i] == zeros) d[i] = vec{};
        } else {
            for (int64_t i = 0; i < places; i++) d[i] = at(found[i] + c);
        }
        for (int64_t j = 0; j < inputs; j++) input_row(d + j, inputs, v + j, inputs);
        for (int64_t i = 0; i < inputs; i++) input_row(v + i * inputs, 1, d + i * inputs, 1);
        for (int64_t i = 0; i < places; i++) at(to.data + i * to.place + tile * to.row + c) = d[i];
    }
}

}  // namespace

SHIM_CLONES void shim::winograd::transform_input(const Picture &picture, int64_t top, int64_t left, const float *zeros, Places to,
                                                 int64_t tile) {
    const float *found[places];
    find<inputs>(picture, top, left, zeros, found);
    const bool is_inside = top >= 0 && left >= 0 && top + inputs <= picture.height && left + inputs <= picture.width;
    if (picture.scale) ::transform_input<true>(picture, found, is_inside, zeros, to, tile);
    else ::transform_input<false>(picture, found, is_inside, zeros, to, tile);
}

SHIM_CLONES void shim::winograd::transform_gradient(const Picture &picture, int64_t top, int64_t left, const float *zeros, Places to,
                                                    int64_t tile) {
    const float *found[outputs * outputs];
    find<outputs>(picture, top, left, zeros, found);
    for (int64_t c = 0; c < picture.channels; c += lanes) {
        vec y[outputs * outputs], half[inputs * outputs], m[places];
        for (int64_t i = 0; i < outputs * outputs; i++) y[i] = at(found[i] + c);
        for (int64_t j = 0; j < outputs; j++) gradient_row(y + j, outputs, half + j, outputs);
        for (int64_t i = 0; i < inputs; i++) gradient_row(half + i * outputs, 1, m + i * inputs, 1);
        for (int64_t i = 0; i < places; i++) at(to.data + i * to.place + tile * to.row + c) = m[i];
    }
}

SHIM_CLONES void shim::winograd::transform_output(Places from, int64_t tile, const Picture &picture, int64_t top, int64_t left,
                                                  const float *bias, const float *residual, const uint16_t *open, bool relu) {
    const int64_t height = picture.height - top < outputs ? picture.height - top : outputs;
    const int64_t width = picture.width - left < outputs ? picture.width - left : outputs;
    for (int64_t c = 0; c < picture.channels; c += lanes) {
        vec m[places], half[outputs * inputs], y[outputs * outputs];
        for (int64_t i = 0; i < places; i++) m[i] = at(from.data + i * from.place + tile * from.row + c);
        for (int64_t j = 0; j < inputs; j++) output_row(m + j, inputs, half + j, inputs);
        for (int64_t i = 0; i < outputs; i++) output_row(half + i * inputs, 1, y + i * outputs, 1);
        const vec added = bias ? at(bias + c) : vec{};
        for (int64_t i = 0; i < height; i++)
            for (int64_t j = 0; j < width; j++) {
                const int64_t place = ((top + i) * picture.width + left + j) * picture.channels + c;
                vec value = y[i * outputs + j] + added;
                if (residual) {
                    vec more = at(residual + place);
                    if (open) let_through(open[place / lanes], more);
                    value += more;
                }
                if (relu) value = value < 0 ? vec{} : value;  // keeps NaN
                at(picture.data + place) = value;
            }
    }
}

SHIM_CLONES void shim::winograd::transform_kernels(const float *kernels, int64_t first, int64_t last, int64_t columns, bool backwards,
                                                   Panels to) {
    for (int64_t row = first; row < last; row++)
        for (int64_t c = 0; c < columns; c += lanes) {
            vec w[9], half[18], u[places];
            for (int64_t i = 0; i < 9; i++) w[backwards ? 8 - i : i] = at(kernels + (row * 9 + i) * columns + c);
            for (int64_t j = 0; j < 3; j++) kernel_row(w + j, 3, half + j, 3);
            for (int64_t i = 0; i < inputs; i++) kernel_row(half + i * 3, 1, u + i * inputs, 1);
            if (backwards) {
                float *into = to.data + c / to.width * to.stride() + row * to.width + c % to.width;
                for (int64_t i = 0; i < places; i++) at(into + i * to.place) = u[i];
            } else {
                float *into = to.data + row / to.width * to.stride() + c * to.width + row % to.width;
                for (int64_t i = 0; i < places; i++)
                    for (int64_t lane = 0; lane < lanes; lane++) into[i * to.place + lane * to.width] = u[i][lane];
            }
        }
}

SHIM_CLONES void shim::winograd::transform_kernel_gradient(Places from, int64_t first, int64_t last, int64_t columns, float *gradient) {
    for (int64_t row = first; row < last; row++)
        for (int64_t c = 0; c < columns; c += lanes) {
            vec u[places], half[18], w[9];
            for (int64_t i = 0; i < places; i++) u[i] = at(from.data + i * from.place + row * from.row + c);
            for (int64_t j = 0; j < inputs; j++) kernel_gradient_row(u + j, inputs, half + j, inputs);
            for (int64_t i = 0; i < 3; i++) kernel_gradient_row(half + i * inputs, 1, w + i * 3, 1);
            for (int64_t i = 0; i < 9; i++) at(gradient + (row * 9 + i) * columns + c) = w[i];
        }
}
