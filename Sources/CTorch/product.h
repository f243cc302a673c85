// Products of matrices that lie in the caches, for what is made block by block: no library's product can be called between two
// transformations without reading and writing memory once more, and MKL does not use AMD's 512-bit units.
#pragma once
#include "vector.h"
#include <cstdint>

namespace shim {

/// c = a b, or c += a b: a is [m, k] with any strides, c is [m, n] in rows, n a multiple of 16. Every element is
/// summed up in the order of k, whatever the sizes.
struct Product {
    int64_t m, n, k;
    const float *a;
    int64_t a_row, a_column;
    /// In panels of `panel` columns: column j of row i is b[(j / panel) · b_panel + i · b_row + j % panel].
    const float *b;
    int64_t panel, b_panel, b_row;
    float *c;
    int64_t c_row;
    bool adds;
};

void multiply(const Product &product);

/// Whether `multiply` has units of 512 bits; without them MKL is faster.
bool multiplies_fast();

/// The widest panel for so many columns.
inline int64_t panel_width(int64_t columns) { return columns % (2 * lanes) == 0 ? 2 * lanes : lanes; }

}  // namespace shim
