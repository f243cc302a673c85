#include "product.h"
#include "norm_loops.h"

using namespace shim;

namespace {

/// R rows of V vectors of c = [c +] a b.
template <int R, int V>
SHIM_INLINE void tile(const Product &p, const float *a, const float *b, float *c) {
    vec sums[R][V];
#pragma unroll
    for (int r = 0; r < R; r++)
        for (int v = 0; v < V; v++) sums[r][v] = p.adds ? at(c + r * p.c_row + v * lanes) : vec{};
    for (int64_t k = 0; k < p.k; k++, a += p.a_column, b += p.b_row) {
        vec columns[V];
        for (int v = 0; v < V; v++) columns[v] = at(b + v * lanes);
        for (int r = 0; r < R; r++) {
            const float value = a[r * p.a_row];
            for (int v = 0; v < V; v++) sums[r][v] += value * columns[v];
        }
    }
    for (int r = 0; r < R; r++)
        for (int v = 0; v < V; v++) at(c + r * p.c_row + v * lanes) = sums[r][v];
}

template <int most, int V> SHIM_INLINE void rows(const Product &p, int64_t count, const float *a, const float *b, float *c) {
    if constexpr (most > 0) {
        if (count == most) tile<most, V>(p, a, b, c);
        else rows<most - 1, V>(p, count, a, b, c);
    }
}

/// Blocks of about the same number of rows, at most R.
template <int R, int V> SHIM_INLINE void panels(const Product &p) {
    const int64_t blocks = (p.m + R - 1) / R;
    for (int64_t column = 0; column < p.n; column += V * lanes) {
        const float *b = p.b + column / p.panel * p.b_panel + column % p.panel;
        for (int64_t block = 0; block < blocks; block++) {
            const int64_t first = block * p.m / blocks, last = (block + 1) * p.m / blocks;
            rows<R, V>(p, last - first, p.a + first * p.a_row, b, p.c + first * p.c_row + column);
        }
    }
}

#if defined(__x86_64__) && defined(__linux__)
// 32 registers of 16 floats: two vectors of 14 rows.
__attribute__((target("arch=x86-64-v4"))) void multiply_wide(const Product &p) {
    if (p.panel == 2 * lanes) panels<14, 2>(p);
    else panels<14, 1>(p);
}
#endif

SHIM_CLONES void multiply_narrow(const Product &p) { panels<6, 1>(p); }

}  // namespace

bool shim::multiplies_fast() {
#if defined(__x86_64__) && defined(__linux__)
    static const bool is = __builtin_cpu_supports("x86-64-v4");
    return is;
#else
    return false;
#endif
}

void shim::multiply(const Product &product) {
#if defined(__x86_64__) && defined(__linux__)
    if (multiplies_fast()) return multiply_wide(product);
#endif
    multiply_narrow(product);
}
