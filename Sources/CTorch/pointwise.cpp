// Convolutions of one pixel: y = x Wᵀ, ∂L/∂x = ∂L/∂y W, ∂L/∂W = (∂L/∂y)ᵀ x, with matrices of pixels × channels.
//
// oneDNN's are as fast alone, but then what is read has to be normalised before, what is made summed up or added to afterwards, each in
// passes over memory of their own. Here that is done block by block, while the values are in the cache.
#include "batch_norm.h"
#include "convolution.h"
#include "parallel.h"
#include "product.h"
#include "workspace.h"
#include <ATen/autocast_mode.h>
#include <ATen/ops/empty.h>
#include <algorithm>
#include <cstring>

using at::Tensor;
using namespace shim;

namespace {

/// Floats of a pixel block's values on both sides, so that they stay in a core's cache.
constexpr int64_t cached_floats = 48 * 1024;
/// Pixels that repay reading the kernel once more.
constexpr int64_t least_block = 56;
/// Multiplications that repay packing the kernel.
constexpr int64_t least_products = int64_t(1) << 22;

int64_t block_size(int64_t read, int64_t made) { return std::max(least_block, cached_floats / (read + made) / 14 * 14); }

/// The gaps keep a block's rows from falling into the same cache set.
int64_t padded(int64_t channels) { return channels + lanes; }

Tensor inner_channels(const Tensor &x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }
Tensor empty_picture(const Tensor &like, int64_t channels, int64_t height, int64_t width) {
    return at::empty({like.size(0), channels, height, width}, like.options().memory_format(at::MemoryFormat::ChannelsLast));
}

/// Pixels that a convolution reads: with a stride, the first of each stride × stride.
struct Grid {
    int64_t height, width, stride, rows, columns;

    Grid(const Tensor &x, int64_t stride)
        : height(x.size(2)), width(x.size(3)), stride(stride), rows((height - 1) / stride + 1), columns((width - 1) / stride + 1) {}

    /// What the result's pixel is made of.
    int64_t source(int64_t pixel) const {
        const int64_t row = pixel / columns % rows, column = pixel % columns;
        return (pixel / (rows * columns) * height + row * stride) * width + column * stride;
    }

    /// Gradients [count, channels] to the pixels that were read, zeros to the others beside each; so all of them are written once.
    void spread(const float *gradients, int64_t first, int64_t count, int64_t channels, float *to) const {
        for (int64_t i = 0; i < count; i++) {
            const int64_t at = source(first + i), row = at / width % height, column = at % width;
            for (int64_t y = 0; y < std::min(stride, height - row); y++) {
                const int64_t zeros = std::min(stride, width - column);
                float *into = to + (at + y * width) * channels;
                std::memset(into, 0, zeros * channels * sizeof(float));
                if (y == 0) std::memcpy(into, gradients + i * channels, channels * sizeof(float));
            }
        }
    }
};

/// The right side of a product, in panels as `Product` has them.
struct Panels {
    const float *data;
    int64_t rows, columns;

    void multiply(int64_t count, const float *a, int64_t a_row, float *c, int64_t c_row) const {
        const int64_t width = panel_width(columns);
        shim::multiply({count, columns, rows, a, a_row, 1, data, width, rows * width, width, c, c_row, false});
    }
};

/// [rows, columns] with `columns` contiguous.
Panels packed(const float *matrix, int64_t rows, int64_t columns, float *into) {
    const int64_t width = panel_width(columns);
    in_parts(columns / width, 1, [&](int64_t first, int64_t last, int64_t) {
        for (int64_t panel = first; panel < last; panel++)
            for (int64_t row = 0; row < rows; row++)
                std::memcpy(into + (panel * rows + row) * width, matrix + row * columns + panel * width, width * sizeof(float));
    });
    return {into, rows, columns};
}

/// [rows, columns] with `rows` contiguous, a multiple of 16.
Panels packed_transposed(const float *matrix, int64_t rows, int64_t columns, float *into) {
    const int64_t width = panel_width(columns);
    in_parts(columns / width, 1, [&](int64_t first, int64_t last, int64_t) {
        for (int64_t panel = first; panel < last; panel++)
            for (int64_t row = 0; row < rows; row += lanes)
                for (int64_t column = 0; column < width; column++)
                    for (int64_t i = 0; i < lanes; i++)
                        into[(panel * rows + row + i) * width + column] = matrix[(panel * width + column) * rows + row + i];
    });
    return {into, rows, columns};
}

void copy(const float *from, int64_t count, int64_t channels, float *to, int64_t row) {
    for (int64_t i = 0; i < count; i++) std::memcpy(to + i * row, from + i * channels, channels * sizeof(float));
}

/// The values that `count` pixels from `first` on are made of.
void read(const Grid &grid, const float *x, const Statistics *norm, int64_t first, int64_t count, int64_t channels, float *to, int64_t row) {
    const auto some = [&](int64_t source, int64_t pixels, float *into) {
        const float *from = x + source * channels;
        if (norm) normalize(from, nullptr, norm->scale.data(), norm->offset.data(), pixels, channels, true, false, into, row);
        else copy(from, pixels, channels, into, row);
    };
    if (grid.stride == 1) return some(first, count, to);
    for (int64_t i = 0; i < count; i++) some(grid.source(first + i), 1, to + i * row);
}

}  // namespace

bool shim::pointwise::fits(const Tensor &x, const Tensor &kernel, int64_t stride, int64_t padding) {
    if (!(x.is_cpu() && kernel.is_cpu() && x.scalar_type() == at::kFloat && kernel.scalar_type() == at::kFloat && x.dim() == 4 && kernel.dim() == 4)) return false;
    if (!(stride >= 1 && padding == 0 && kernel.size(2) == 1 && kernel.size(3) == 1 && x.size(1) == kernel.size(1))) return false;
    const Grid grid(x, stride);
    const int64_t read = x.size(1), made = kernel.size(0), pixels = x.size(0) * grid.rows * grid.columns;
    return x.numel() > 0 && made > 0 && read % lanes == 0 && made % lanes == 0 && pixels >= 2 * least_block && pixels * read * made >= least_products &&
           multiplies_fast() && !at::autocast::is_autocast_enabled(at::kCPU);
}

Tensor shim::pointwise::convolve(const Tensor &given, const Tensor &kernel, int64_t stride, const RowsMade &made, const Statistics *norm) {
    const Grid grid(given, stride);
    const bool copies = norm || stride > 1;
    const Tensor x = inner_channels(given), weights = inner_channels(kernel);
    const int64_t inputs = x.size(1), outputs = weights.size(0), block = block_size(inputs, outputs), row = padded(inputs);
    const int64_t for_values = copies ? block * row : 0;
    Workspace memory(inputs * outputs + for_values * part_limit() + 2 * Workspace::border);
    const Panels panels = packed_transposed(weights.const_data_ptr<float>(), inputs, outputs, memory.take(inputs * outputs));
    float *scratch = memory.take(for_values * part_limit());
    const Tensor y = empty_picture(x, outputs, grid.rows, grid.columns);
    const float *source = x.const_data_ptr<float>();
    float *result = y.mutable_data_ptr<float>();
    in_parts(row_count(y), least_block, [&](int64_t begin, int64_t end, int64_t part) {
        float *values = scratch + part * for_values;
        for (int64_t first = begin; first < end; first += block) {
            const int64_t count = std::min(block, end - first);
            float *rows = result + first * outputs;
            if (copies) read(grid, source, norm, first, count, inputs, values, row);
            panels.multiply(count, copies ? values : source + first * inputs, copies ? row : inputs, rows, outputs);
            if (made) made(rows, first, count, part);
        }
    });
    return y;
}

shim::ConvolutionGradients shim::pointwise::gradients(const Slopes &slopes, const Tensor &given, const Tensor &kernel, int64_t stride,
                                                      bool needs_input, bool needs_kernel, const Added &added, const RowsMade &made,
                                                      const Statistics *norm) {
    if (!needs_input && !needs_kernel) return {};
    const Grid grid(given, stride);
    TORCH_CHECK(stride == 1 || !(added.values.defined() || made), "rows beside those that are made");
    const Tensor x = inner_channels(given), weights = inner_channels(kernel);
    const Tensor plain = slopes.are_made() ? Tensor() : inner_channels(slopes.given());
    const Tensor more = needs_input && added.values.defined() ? inner_channels(added.values) : Tensor();
    const int64_t inputs = x.size(1), outputs = weights.size(0), block = block_size(inputs, outputs), words = words_of_bits(inputs);
    const int64_t value_row = padded(inputs), slope_row = padded(outputs);
    const int64_t for_values = needs_kernel ? block * value_row : 0, for_slopes = block * slope_row, for_sums = needs_kernel ? outputs * value_row : 0;
    const int64_t for_spread = needs_input && stride > 1 ? block * inputs : 0;
    const int64_t for_part = for_values + for_slopes + for_sums + for_spread, for_panels = needs_input ? inputs * outputs : 0;
    Workspace memory(for_panels + for_part * part_limit() + 2 * Workspace::border);
    Panels panels{};
    if (needs_input) panels = packed(weights.const_data_ptr<float>(), outputs, inputs, memory.take(for_panels));
    float *scratch = memory.take(for_part * part_limit());
    ConvolutionGradients found;
    if (needs_input) found.input = empty_picture(x, inputs, grid.height, grid.width);
    float *result = needs_input ? found.input.mutable_data_ptr<float>() : nullptr;
    const float *source = x.const_data_ptr<float>(), *ready = plain.defined() ? plain.const_data_ptr<float>() : nullptr;
    const float *addend = more.defined() ? more.const_data_ptr<float>() : nullptr;
    const uint16_t *open = added.open.defined() ? added.open.const_data_ptr<uint16_t>() : nullptr;
    const int64_t parts = in_parts(x.size(0) * grid.rows * grid.columns, least_block, [&](int64_t begin, int64_t end, int64_t part) {
        float *sums = scratch + part * for_part, *values = sums + for_sums, *gradients = values + for_values, *narrow = gradients + for_slopes;
        for (int64_t first = begin; first < end; first += block) {
            const int64_t count = std::min(block, end - first);
            if (ready) copy(ready + first * outputs, count, outputs, gradients, slope_row);
            else slopes.make(first, count, gradients, slope_row);
            if (needs_input && stride > 1) {
                panels.multiply(count, gradients, slope_row, narrow, inputs);
                grid.spread(narrow, first, count, inputs, result);
            } else if (needs_input) {
                float *rows = result + first * inputs;
                panels.multiply(count, gradients, slope_row, rows, inputs);
                if (addend) add_rows(addend + first * inputs, open ? open + first * words : nullptr, count, inputs, rows);
                if (made) made(rows, first, count, part);
            }
            if (needs_kernel) {
                read(grid, source, norm, first, count, inputs, values, value_row);
                const int64_t width = panel_width(inputs);
                multiply({outputs, inputs, count, gradients, 1, slope_row, values, width, width, value_row, sums, value_row, first > begin});
            }
        }
    });
    if (!needs_kernel) return found;
    found.kernel = at::empty(kernel.sizes(), kernel.options().memory_format(kernel.suggest_memory_format()));
    float *total = found.kernel.mutable_data_ptr<float>();
    in_parts(outputs, 1, [&](int64_t begin, int64_t end, int64_t) {
        for (int64_t i = begin; i < end; i++) {
            std::memcpy(total + i * inputs, scratch + i * value_row, inputs * sizeof(float));
            for (int64_t part = 1; part < parts; part++) add_rows(scratch + part * for_part + i * value_row, nullptr, 1, inputs, total + i * inputs);
        }
    });
    return found;
}
