// Convolutions of pictures of a few pixels, where much of a kernel lies in the padding (of a 3×3 kernel five taps of nine at 2×2
// pixels, eight at one): for each result's pixel and each row of the kernel a product of images × channels with the taps that lie
// inside alone. For inference.
#include "convolution.h"
#include "norm_loops.h"
#include "parallel.h"
#include "product.h"
#include "vector.h"
#include "workspace.h"
#include <ATen/autocast_mode.h>
#include <ATen/ops/empty.h>
#include <algorithm>

using at::Tensor;
using namespace shim;

namespace {

/// Floats of images that are worked on at a time, so that they and a panel of the kernel stay in the cache.
constexpr int64_t cached_floats = 96 * 1024;
/// Images whose rows are multiplied at a time.
constexpr int64_t least_block = 14;
/// Images that repay reading the kernel.
constexpr int64_t least_images = 28;

struct Shape {
    int64_t read, height, width, made, window, stride, padding;

    int64_t results(int64_t size) const { return (size + 2 * padding - window) / stride + 1; }

    /// The taps [first, last) of a line of the kernel that lie inside where the result at `place` is made; the first one's pixel.
    struct Inside {
        int64_t first, last, pixel;
    };
    Inside inside(int64_t place, int64_t size) const {
        const int64_t begin = place * stride - padding, first = std::clamp<int64_t>(-begin, 0, window);
        return {first, std::clamp(size - begin, first, window), begin + first};
    }

    int64_t taps(int64_t size) const {
        int64_t sum = 0;
        for (int64_t place = 0; place < results(size); place++) {
            const Inside line = inside(place, size);
            sum += line.last - line.first;
        }
        return sum;
    }

    int64_t panel() const { return panel_width(made); }
    /// Of a panel's [window][window][read][panel].
    int64_t panel_floats() const { return window * window * read * panel(); }
};

Shape shape(const Tensor &x, int64_t made, int64_t window, int64_t stride, int64_t padding) {
    return {x.size(1), x.size(2), x.size(3), made, window, stride, padding};
}

SHIM_CLONES void rectify(float *values, int64_t count) {
    for (int64_t i = 0; i < count; i += lanes) {
        vec &value = shim::at(values + i);
        value = value <= 0 ? vec{} : value;  // NaN stays
    }
}

}  // namespace

bool shim::small_pictures::fits(const Tensor &x, const Tensor &kernel, int64_t stride, int64_t padding) {
    if (!(x.is_cpu() && kernel.is_cpu() && x.scalar_type() == at::kFloat && kernel.scalar_type() == at::kFloat && x.dim() == 4 && kernel.dim() == 4)) return false;
    if (!multiplies_fast() || at::autocast::is_autocast_enabled(at::kCPU) || x.size(0) < least_images) return false;
    if (kernel.size(2) != kernel.size(3) || x.size(1) != kernel.size(1) || x.size(1) == 0 || x.size(1) % lanes || kernel.size(0) % lanes) return false;
    const Shape of = shape(x, kernel.size(0), kernel.size(2), stride, padding);
    if (std::min(of.height, of.width) + 2 * padding < of.window || of.height * of.width * of.read * least_block > cached_floats) return false;
    const int64_t all = of.window * of.window * of.results(of.height) * of.results(of.width);
    return 4 * of.taps(of.height) * of.taps(of.width) <= 3 * all;
}

Tensor shim::small_pictures::arranged(const Tensor &kernel) {
    const Tensor filter = kernel.contiguous(at::MemoryFormat::ChannelsLast), result = at::empty({filter.numel()}, at::kFloat);
    const int64_t made = filter.size(0), line = filter.numel() / std::max<int64_t>(made, 1), width = panel_width(made);
    const float *weights = filter.const_data_ptr<float>();
    float *to = result.mutable_data_ptr<float>();
    in_parts(made / width, 1, [&](int64_t begin, int64_t end, int64_t) {
        for (int64_t panel = begin; panel < end; panel++)
            for (int64_t i = 0; i < line; i++)
                for (int64_t j = 0; j < width; j++) to[(panel * line + i) * width + j] = weights[(panel * width + j) * line + i];
    });
    return result;
}

Tensor shim::small_pictures::convolve(const Tensor &given, int64_t made, const Tensor &arranged, int64_t window, int64_t stride, int64_t padding,
                                      const Tensor &bias, const Tensor &residual, bool relu) {
    const Tensor x = given.contiguous(at::MemoryFormat::ChannelsLast);
    TORCH_CHECK(bias.numel() == made, "a bias of shape ", bias.sizes(), " for ", made, " channels");
    const Shape of = shape(x, made, window, stride, padding);
    const int64_t images = x.size(0), down = of.results(of.height), across = of.results(of.width), width = of.panel(), panels = made / width;
    const Tensor y = at::empty({images, made, down, across}, x.options().memory_format(at::MemoryFormat::ChannelsLast));
    const Tensor offsets = bias.contiguous(), shortcuts = residual.defined() ? residual.contiguous(at::MemoryFormat::ChannelsLast) : Tensor();
    const float *source = x.const_data_ptr<float>(), *kernels = arranged.const_data_ptr<float>(), *offset = offsets.const_data_ptr<float>(),
                *shortcut = residual.defined() ? shortcuts.const_data_ptr<float>() : nullptr;
    float *result = y.mutable_data_ptr<float>();
    // Images a power of two apart would meet in the same places of the cache.
    const int64_t image = of.height * of.width * of.read, apart = image + lanes, out = down * across * made;
    const auto ceiling = [](int64_t count, int64_t by) { return (count + by - 1) / by; };
    const int64_t blocks = std::max(ceiling(images, cached_floats / apart), std::min(ceiling(part_limit(), panels), images / least_block));
    const int64_t block = ceiling(images, blocks);
    Workspace memory(part_limit() * (block * apart + Workspace::border));
    float *copies = memory.take(part_limit() * block * apart);

    in_parts(blocks * panels, 1, [&](int64_t begin, int64_t end, int64_t part) {
        float *copy = copies + part * block * apart;
        for (int64_t unit = begin, held = -1; unit < end; unit++) {
            const int64_t panel = unit % panels, first = unit / panels * images / blocks, last = (unit / panels + 1) * images / blocks;
            if (held != first) {
                for (int64_t i = first; i < last; i++) std::copy_n(source + i * image, image, copy + (i - first) * apart);
                held = first;
            }
            const float *kernel = kernels + panel * of.panel_floats();
            for (int64_t pixel = 0; pixel < down * across; pixel++) {
                float *to = result + first * out + pixel * made + panel * width;
                for (int64_t i = 0; i < last - first; i++) {
                    std::copy_n(offset + panel * width, width, to + i * out);
                    if (!shortcut) continue;
                    const float *added = shortcut + (to - result) + i * out;
                    for (int64_t j = 0; j < width; j++) to[i * out + j] += added[j];
                }
                const auto rows = of.inside(pixel / across, of.height), columns = of.inside(pixel % across, of.width);
                const int64_t inner = (columns.last - columns.first) * of.read;
                for (int64_t row = rows.first; row < rows.last && inner > 0; row++)
                    multiply({last - first, width, inner, copy + ((rows.pixel + row - rows.first) * of.width + columns.pixel) * of.read, apart, 1,
                              kernel + (row * window + columns.first) * of.read * width, width, 0, width, to, out, true});
                if (relu)
                    for (int64_t i = 0; i < last - first; i++) rectify(to + i * out, width);
            }
        }
    });
    return y;
}
