#include "max_pool.h"
#include "norm_loops.h"
#include "vector.h"
#include <algorithm>
#include <limits>

namespace {

struct Window {
    int64_t first_row, last_row, first_column, last_column, top, left;

    /// The part of the window at (row, column) of the result that lies inside the image.
    Window(const shim::Pooling &p, int64_t row, int64_t column) {
        top = row * p.stride - p.padding;
        left = column * p.stride - p.padding;
        first_row = std::max<int64_t>(top, 0);
        last_row = std::min(top + p.kernel, p.height);
        first_column = std::max<int64_t>(left, 0);
        last_column = std::min(left + p.kernel, p.width);
    }
};

using namespace shim;

typedef int32_t places __attribute__((vector_size(lanes * sizeof(int32_t))));
typedef uint8_t bytes __attribute__((vector_size(lanes), aligned(1)));

}  // namespace

// Explicit vectors, because the compiler does not make its own of floats beside bytes.
SHIM_CLONES void shim::max_pool(const Pooling &p, const float *x, float *y, uint8_t *place) {
    const int64_t whole = p.channels / lanes * lanes;
    for (int64_t row = 0; row < p.rows(); row++)
        for (int64_t column = 0; column < p.columns(); column++, y += p.channels, place += p.channels) {
            const Window window(p, row, column);
            const int first = (window.first_row - window.top) * p.kernel + window.first_column - window.left;
            for (int64_t c = 0; c < whole; c += lanes) {
                vec most = vec{} - std::numeric_limits<float>::infinity();
                places where = places{} + first;
                for (int64_t i = window.first_row; i < window.last_row; i++)
                    for (int64_t j = window.first_column; j < window.last_column; j++) {
                        const vec value = at(x + (i * p.width + j) * p.channels + c);
                        const places larger = (value > most) | (value != value), here = places{} + int((i - window.top) * p.kernel + j - window.left);
                        most = larger ? value : most;
                        where = larger ? here : where;
                    }
                at(y + c) = most;
                *reinterpret_cast<bytes *>(place + c) = __builtin_convertvector(where, bytes);
            }
            for (int64_t c = whole; c < p.channels; c++) {
                float most = -std::numeric_limits<float>::infinity();
                int where = first;
                for (int64_t i = window.first_row; i < window.last_row; i++)
                    for (int64_t j = window.first_column; j < window.last_column; j++) {
                        const float value = x[(i * p.width + j) * p.channels + c];
                        if (!(value > most || value != value)) continue;
                        most = value;
                        where = (i - window.top) * p.kernel + j - window.left;
                    }
                y[c] = most;
                place[c] = where;
            }
        }
}

SHIM_CLONES void shim::max_pool_gradient(const Pooling &p, const float *gradient, const uint8_t *place, float *into_x) {
    std::fill(into_x, into_x + p.height * p.width * p.channels, 0.f);
    for (int64_t row = 0; row < p.rows(); row++)
        for (int64_t column = 0; column < p.columns(); column++, gradient += p.channels, place += p.channels) {
            const Window window(p, row, column);
            for (int64_t i = window.first_row; i < window.last_row; i++)
                for (int64_t j = window.first_column; j < window.last_column; j++) {
                    const uint8_t here = (i - window.top) * p.kernel + j - window.left;
                    const float *__restrict g = gradient;
                    const uint8_t *__restrict where = place;
                    float *__restrict sum = into_x + (i * p.width + j) * p.channels;
                    for (int64_t c = 0; c < p.channels; c++) sum[c] += where[c] == here ? g[c] : 0.f;
                }
        }
}
