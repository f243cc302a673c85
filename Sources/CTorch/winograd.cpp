// Winograd's minimal filtering F(4×4, 3×3) (Lavin & Gray 2016, arXiv:1509.09308): sixteen results of a 3×3 convolution from
// 36 products where the definition takes 144.
//
//     U = G w Gᵀ,  V = Bᵀ x B,  y = Aᵀ (Σ over input channels U ⊙ V) A           (their equation 12)
//     ∂L/∂w = Gᵀ (Σ over tiles V ⊙ (A ∂L/∂y Aᵀ)) G,   ∂L/∂x = ∂L/∂y ∗ turned w
//
// Each of the 36 places is a product of matrices over channels. Sums of other numbers in another order round otherwise: errors
// are two to six times the definition's in float32, some 1e-6 of the values' standard deviation (WinogradTests bounds them).
#include "batch_norm.h"
#include "convolution.h"
#include "parallel.h"
#include "product.h"
#include "winograd_loops.h"
#include "workspace.h"
#include <ATen/autocast_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <algorithm>

using at::Tensor;
using namespace shim;
using namespace shim::winograd;

namespace {

/// Floats of transformed values that are worked on at a time, so that they stay in the caches.
constexpr int64_t cached_floats = 192 * 1024;
/// Tiles that repay reading the transformed kernels once more.
constexpr int64_t least_block = 56;

Tensor inner_channels(const Tensor &x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }
Tensor empty_picture(int64_t n, int64_t channels, const Tensor &like) {
    return at::empty({n, channels, like.size(2), like.size(3)}, like.options().memory_format(at::MemoryFormat::ChannelsLast));
}

/// The 4×4 tiles of a batch of pictures.
struct Tiles {
    int64_t height, width, down, across, count;

    explicit Tiles(const Tensor &x)
        : height(x.size(2)), width(x.size(3)), down((height + outputs - 1) / outputs), across((width + outputs - 1) / outputs),
          count(x.size(0) * down * across) {}

    struct Place {
        int64_t picture, top, left;
    };
    Place place(int64_t tile) const { return {tile / (down * across), tile / across % down * outputs, tile % across * outputs}; }

    Picture picture(const float *data, int64_t index, int64_t channels, const Statistics *norm = nullptr) const {
        return {const_cast<float *>(data) + index * height * width * channels, height, width, channels, norm ? norm->scale.data() : nullptr,
                norm ? norm->offset.data() : nullptr};
    }
};

/// Calls body(first, count) for the pixels of tiles [first, first + count), as few times as they lie in a row.
template <typename Body> void for_pixels(const Tiles &tiles, int64_t first, int64_t count, Body body) {
    int64_t begin = 0, end = 0;
    for (int64_t tile = first; tile < first + count;) {
        const auto at = tiles.place(tile);
        const int64_t beside = std::min(first + count - tile, tiles.across - at.left / outputs);
        const int64_t pixels = std::min(beside * outputs, tiles.width - at.left);
        for (int64_t y = at.top; y < std::min(at.top + outputs, tiles.height); y++) {
            const int64_t here = (at.picture * tiles.height + y) * tiles.width + at.left;
            if (here != end) {
                if (end > begin) body(begin, end - begin);
                begin = here;
            }
            end = here + pixels;
        }
        tile += beside;
    }
    if (end > begin) body(begin, end - begin);
}

int64_t floats_of_kernels(int64_t read, int64_t made) { return places * (read * made + lanes); }

Panels transformed_kernels(float *into, const Tensor &kernel, bool backwards) {
    const int64_t read = kernel.size(backwards ? 0 : 1), made = kernel.size(backwards ? 1 : 0);
    const Panels panels{into, read, panel_width(made), read * made + lanes};
    const float *weights = kernel.const_data_ptr<float>();
    in_parts(kernel.size(0), 1, [&](int64_t first, int64_t last, int64_t) {
        transform_kernels(weights, first, last, kernel.size(1), backwards, panels);
    });
    return panels;
}

/// - kernels: makes them of memory for `for_kernels` floats.
template <typename Kernels>
Tensor filtered(const Tensor &x, const Statistics *norm, int64_t made, int64_t for_kernels, const Kernels &make_kernels, const Tensor &bias,
                const Added &residual, bool relu, const RowsMade &made_rows) {
    const Tiles tiles(x);
    const int64_t read = x.size(1);
    TORCH_CHECK(!bias.defined() || bias.numel() == made, "a bias of shape ", bias.sizes(), " for ", made, " channels");
    const int64_t each = places * (Places::row_stride(read) + Places::row_stride(made));
    const int64_t block = std::max(least_block, cached_floats / each / 14 * 14);
    const int64_t for_values = places * Places::place_stride(block, read), for_results = places * Places::place_stride(block, made);
    const int64_t for_parts = (for_values + for_results) * part_limit();
    Workspace memory(for_kernels + for_parts + read + 3 * Workspace::border);
    const Panels kernels = make_kernels(memory.take(for_kernels));
    float *scratch = memory.take(for_parts), *outside = memory.take(read);
    std::fill(outside, outside + read, 0.f);

    const Tensor y = empty_picture(x.size(0), made, x);
    const float *source = x.const_data_ptr<float>();
    const float *added = bias.defined() ? bias.const_data_ptr<float>() : nullptr;
    const Tensor shortcuts = residual.values.defined() ? inner_channels(residual.values) : Tensor();
    const float *shortcut = shortcuts.defined() ? shortcuts.const_data_ptr<float>() : nullptr;
    const uint16_t *open = residual.open.defined() ? residual.open.const_data_ptr<uint16_t>() : nullptr;
    float *result = y.mutable_data_ptr<float>();
    in_parts(tiles.count, 1, [&](int64_t begin, int64_t end, int64_t part) {
        float *mine = scratch + part * (for_values + for_results);
        const Places values{mine, Places::row_stride(read), Places::place_stride(block, read)};
        const Places results{mine + for_values, Places::row_stride(made), Places::place_stride(block, made)};
        for (int64_t first = begin; first < end; first += block) {
            const int64_t count = std::min(block, end - first);
            for (int64_t tile = 0; tile < count; tile++) {
                const auto at = tiles.place(first + tile);
                transform_input(tiles.picture(source, at.picture, read, norm), at.top - 1, at.left - 1, outside, values, tile);
            }
            for (int64_t p = 0; p < places; p++)
                multiply({count, made, read, values.data + p * values.place, values.row, 1, kernels.data + p * kernels.place, kernels.width,
                          kernels.stride(), kernels.width, results.data + p * results.place, results.row, false});
            for (int64_t tile = 0; tile < count; tile++) {
                const auto at = tiles.place(first + tile);
                const int64_t offset = at.picture * tiles.height * tiles.width * made;
                transform_output(results, tile, tiles.picture(result, at.picture, made), at.top, at.left, added,
                                 shortcut ? shortcut + offset : nullptr, open ? open + offset / lanes : nullptr, relu);
            }
            if (made_rows)
                for_pixels(tiles, first, count, [&](int64_t pixel, int64_t pixels) { made_rows(result + pixel * made, pixel, pixels, part); });
        }
    });
    return y;
}

}  // namespace

bool shim::winograd::fits(const Tensor &x, const Tensor &kernel, int64_t stride, int64_t padding) {
    if (!(x.is_cpu() && kernel.is_cpu() && x.scalar_type() == at::kFloat && kernel.scalar_type() == at::kFloat && x.dim() == 4 && kernel.dim() == 4)) return false;
    if (!(stride == 1 && padding == 1 && kernel.size(2) == 3 && kernel.size(3) == 3 && x.size(1) == kernel.size(1))) return false;
    if (x.size(1) == 0 || x.size(1) % lanes || kernel.size(0) % lanes || at::autocast::is_autocast_enabled(at::kCPU)) return false;
    const Tiles tiles(x);
    return tiles.count >= 64 && 2 * tiles.down * tiles.across * places <= 9 * tiles.height * tiles.width;
}

Tensor shim::winograd::convolve(const Tensor &x, const Tensor &kernel, const Tensor &bias, const Tensor &residual, bool relu,
                                const RowsMade &made, const Statistics *norm) {
    const Tensor filter = inner_channels(kernel);
    return filtered(
        inner_channels(x), norm, kernel.size(0), floats_of_kernels(kernel.size(1), kernel.size(0)),
        [&](float *into) { return transformed_kernels(into, filter, false); }, bias.defined() ? bias.contiguous() : bias,
        {residual, {}}, relu, made);
}

Tensor shim::winograd::transformed(const Tensor &kernel) {
    Tensor result = at::empty({floats_of_kernels(kernel.size(1), kernel.size(0))}, at::kFloat);
    transformed_kernels(result.mutable_data_ptr<float>(), inner_channels(kernel), false);
    return result;
}

Tensor shim::winograd::convolve(const Tensor &x, int64_t outputs, const Tensor &transformed, const Tensor &bias, const Tensor &residual,
                                bool relu) {
    const int64_t read = x.size(1);
    const Panels panels{const_cast<float *>(transformed.const_data_ptr<float>()), read, panel_width(outputs), read * outputs + lanes};
    return filtered(
        inner_channels(x), nullptr, outputs, 0, [&](float *) { return panels; }, bias.defined() ? bias.contiguous() : bias,
        {residual, {}}, relu, nullptr);
}

Tensor shim::winograd::input_gradient(const Tensor &gradient, const Tensor &kernel, const Added &added, const RowsMade &made) {
    const Tensor filter = inner_channels(kernel);
    return filtered(
        inner_channels(gradient), nullptr, kernel.size(1), floats_of_kernels(kernel.size(0), kernel.size(1)),
        [&](float *into) { return transformed_kernels(into, filter, true); }, {},
        added, false, made);
}

Tensor shim::winograd::kernel_gradient(const Tensor &given, const Tensor &x_given, const Statistics *norm) {
    const Tensor x = inner_channels(x_given), gradient = inner_channels(given);
    const Tiles tiles(x);
    const int64_t read = x.size(1), made = gradient.size(1), width = panel_width(made);
    const int64_t each = places * (Places::row_stride(read) + Places::row_stride(made));
    // As many tiles at a time as the sums are worth being read and written once more.
    const int64_t block = std::min(tiles.count, std::max({least_block, 8 * cached_floats / each, places * read * made / each / 2}));
    const int64_t for_values = places * Places::place_stride(block, read), for_gradients = places * Places::place_stride(block, made);
    const int64_t for_sums = places * Places::place_stride(read, made), widest = std::max(read, made);
    Workspace memory(for_values + for_gradients + for_sums + 9 * read * made + widest + 5 * Workspace::border);
    const Places values{memory.take(for_values), Places::row_stride(read), Places::place_stride(block, read)};
    const Places gradients{memory.take(for_gradients), Places::row_stride(made), Places::place_stride(block, made)};
    const Places sums{memory.take(for_sums), Places::row_stride(made), Places::place_stride(read, made)};
    float *turned = memory.take(9 * read * made), *outside = memory.take(widest);
    std::fill(outside, outside + widest, 0.f);
    const float *source = x.const_data_ptr<float>(), *slopes = gradient.const_data_ptr<float>();
    for (int64_t begin = 0; begin < tiles.count; begin += block) {
        const int64_t count = std::min(block, tiles.count - begin);
        in_parts(count, 1, [&](int64_t first, int64_t last, int64_t) {
            for (int64_t tile = first; tile < last; tile++) {
                const auto at = tiles.place(begin + tile);
                transform_input(tiles.picture(source, at.picture, read, norm), at.top - 1, at.left - 1, outside, values, tile);
                transform_gradient(tiles.picture(slopes, at.picture, made), at.top, at.left, outside, gradients, tile);
            }
        });
        in_parts(places, 1, [&](int64_t first, int64_t last, int64_t) {
            for (int64_t p = first; p < last; p++)
                multiply({read, made, count, values.data + p * values.place, 1, values.row, gradients.data + p * gradients.place, width, width,
                          gradients.row, sums.data + p * sums.place, sums.row, begin > 0});
        });
    }
    // The sums are [in, out]; the kernels have [out][3][3][in].
    in_parts(read, 1, [&](int64_t first, int64_t last, int64_t) { transform_kernel_gradient(sums, first, last, made, turned); });
    return at::from_blob(turned, {read, 3, 3, made}, at::kFloat).permute({3, 0, 1, 2}).clone(at::MemoryFormat::ChannelsLast);
}
