// The loss and gradient of multinomial logistic regression in one pass over the rows: a block of rows is read from memory for its
// scores, and is still in the cache for its part of the gradient. With few classes MKL's products take ten times as long.
#include "shim.h"
#include "parallel.h"
#include "product.h"
#include <ATen/ops/zeros.h>
#include <algorithm>
#include <cmath>
#include <vector>

using at::Tensor;

namespace {

// Longer sums of float32 would lose digits.
constexpr int64_t block_bytes = 1 << 18, rows_of_a_sum = 1024, columns_of_a_sum = 512;

int64_t padded(int64_t count) { return (count + shim::lanes - 1) / shim::lanes * shim::lanes; }

/// What the threads share.
struct Problem {
    int64_t count, width, classes;
    const float *rows;
    const int64_t *targets;
    const double *bias;
    std::vector<float> kernel;  // the weights in panels
};

/// Sums over some rows: the gradient by class, with the bias' last, in float32 over `rows_of_a_sum` rows at most.
struct Sums {
    const Problem &problem;
    const int64_t width, columns, block, score_parts;
    double loss = 0;
    std::vector<double> gradient;
    std::vector<float> part, scores, copy;

    explicit Sums(const Problem &p)
        : problem(p), width(padded(p.width)), columns(padded(p.classes)),
          block(std::clamp<int64_t>(block_bytes / int64_t(sizeof(float)) / width, 14, 256)),
          score_parts((width + columns_of_a_sum - 1) / columns_of_a_sum), gradient(p.classes * (p.width + 1)),
          part(p.classes * width), scores(score_parts * block * columns), copy(width == p.width ? 0 : block * width) {}

    /// Scores become softmax − one-hot, in the place of their first part.
    void residuals(int64_t first, int64_t rows) {
        const int64_t classes = problem.classes;
        std::vector<double> values(classes);
        for (int64_t row = 0; row < rows; row++) {
            float *of_row = scores.data() + row * columns;
            double largest = -INFINITY, sum = 0;
            for (int64_t c = 0; c < classes; c++) {
                double score = problem.bias[c];
                for (int64_t p = 0; p < score_parts; p++) score += of_row[p * block * columns + c];
                largest = std::max(largest, values[c] = score);
            }
            const int64_t target = problem.targets[first + row];
            loss -= values[target] - largest;
            for (int64_t c = 0; c < classes; c++) sum += values[c] = std::exp(values[c] - largest);
            loss += std::log(sum);
            for (int64_t c = 0; c < classes; c++) {
                const double residual = values[c] / sum - (c == target);
                of_row[c] = float(residual);
                gradient[c * (problem.width + 1) + problem.width] += residual;
            }
        }
    }

    void flush() {
        for (int64_t c = 0; c < problem.classes; c++)
            for (int64_t i = 0; i < problem.width; i++) gradient[c * (problem.width + 1) + i] += part[c * width + i];
        std::fill(part.begin(), part.end(), 0.f);
    }

    void add(int64_t first, int64_t last) {
        int64_t waiting = 0;
        for (int64_t row = first; row < last; row += block) {
            const int64_t rows = std::min(block, last - row);
            const float *data = problem.rows + row * problem.width;
            if (!copy.empty()) {
                for (int64_t r = 0; r < rows; r++)
                    std::copy_n(data + r * problem.width, problem.width, copy.data() + r * width);
                data = copy.data();
            }
            const int64_t panel = shim::panel_width(columns), wide = shim::panel_width(width);
            for (int64_t p = 0; p < score_parts; p++) {
                const int64_t from = p * columns_of_a_sum, inner = std::min(columns_of_a_sum, width - from);
                shim::multiply({rows, columns, inner, data + from, width, 1, problem.kernel.data() + from * panel, panel, panel * width, panel,
                                scores.data() + p * block * columns, columns, false});
            }
            residuals(row, rows);
            shim::multiply({problem.classes, width, rows, scores.data(), 1, columns, data, wide, wide, width, part.data(), width, true});
            if ((waiting += rows) >= rows_of_a_sum) {
                flush();
                waiting = 0;
            }
        }
        flush();
    }
};

/// Column c of row i at panel c / panel, of zeros where there is no class or dimension.
std::vector<float> panels(const float *weights, int64_t classes, int64_t width) {
    const int64_t columns = padded(classes), inner = padded(width), panel = shim::panel_width(columns);
    std::vector<float> kernel(columns * inner);
    for (int64_t c = 0; c < classes; c++)
        for (int64_t i = 0; i < width; i++) kernel[c / panel * panel * inner + i * panel + c % panel] = weights[c * width + i];
    return kernel;
}

}  // namespace

bool ct_multiplies_fast(void) { return shim::multiplies_fast(); }

ct_status ct_softmax_regression(ct_tensor rows, ct_tensor targets, ct_tensor weights, ct_tensor bias, double *loss, ct_tensor *gradient) {
    return shim::guarded([&] {
        const Tensor x = shim::tensor(rows).contiguous(), y = shim::tensor(targets).contiguous(), w = shim::tensor(weights).contiguous(),
                     b = shim::tensor(bias).contiguous();
        for (const Tensor &given : {x, w})
            TORCH_CHECK(given.dim() == 2 && given.is_cpu() && given.scalar_type() == at::kFloat, "float32 matrices on the CPU");
        TORCH_CHECK(y.dim() == 1 && y.is_cpu() && y.scalar_type() == at::kLong && y.size(0) == x.size(0), "int64 targets, one a row");
        TORCH_CHECK(b.dim() == 1 && b.is_cpu() && b.scalar_type() == at::kDouble && b.size(0) == w.size(0), "a float64 bias of each class");
        TORCH_CHECK(x.size(1) == w.size(1), x.sizes(), " and ", w.sizes());
        const int64_t *labels = y.const_data_ptr<int64_t>();
        for (int64_t i = 0; i < y.size(0); i++)
            TORCH_CHECK(0 <= labels[i] && labels[i] < w.size(0), "target ", labels[i], " of ", w.size(0), " classes");
        const Problem problem{x.size(0), x.size(1), w.size(0), x.const_data_ptr<float>(), labels, b.const_data_ptr<double>(),
                              panels(w.const_data_ptr<float>(), w.size(0), w.size(1))};
        // In the order of the parts, so that equal thread counts sum alike.
        std::vector<Sums> parts(shim::part_limit(), Sums(problem));
        shim::in_parts(problem.count, 256, [&](int64_t first, int64_t last, int64_t part) { parts[part].add(first, last); });
        Tensor sums = at::zeros({problem.classes, problem.width + 1}, at::kDouble);
        double *to = sums.mutable_data_ptr<double>();
        *loss = 0;
        for (const Sums &part : parts) {
            *loss += part.loss;
            for (size_t i = 0; i < part.gradient.size(); i++) to[i] += part.gradient[i];
        }
        *gradient = shim::handle(sums);
    });
}
