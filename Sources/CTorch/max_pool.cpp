#include "max_pool.h"
#include "norm_loops.h"
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

}  // namespace

SHIM_CLONES void shim::max_pool(const Pooling &p, const float *x, float *y, uint8_t *place) {
    for (int64_t row = 0; row < p.rows(); row++)
        for (int64_t column = 0; column < p.columns(); column++, y += p.channels, place += p.channels) {
            const Window window(p, row, column);
            float *__restrict most = y;
            uint8_t *__restrict where = place;
            std::fill(most, most + p.channels, -std::numeric_limits<float>::infinity());
            std::fill(where, where + p.channels, uint8_t((window.first_row - window.top) * p.kernel + window.first_column - window.left));
            for (int64_t i = window.first_row; i < window.last_row; i++)
                for (int64_t j = window.first_column; j < window.last_column; j++) {
                    const uint8_t here = (i - window.top) * p.kernel + j - window.left;
                    const float *__restrict value = x + (i * p.width + j) * p.channels;
                    for (int64_t c = 0; c < p.channels; c++) {
                        const bool larger = (value[c] > most[c]) | (value[c] != value[c]);
                        most[c] = larger ? value[c] : most[c];
                        where[c] = larger ? here : where[c];
                    }
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
