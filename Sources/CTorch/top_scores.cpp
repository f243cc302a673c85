// The k largest of each row of a matrix that comes in blocks of columns, the lower column winning a tie. libtorch's topk breaks
// ties as it likes, and reads each row several times. Here a row is read once: what exceeds the k-th largest so far is put
// aside, and sorted out when k more wait.
#include "shim.h"
#include "norm_loops.h"
#include "parallel.h"
#include "product.h"
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <algorithm>
#include <limits>

using at::Tensor;

namespace {

struct Candidate {
    float score;
    int32_t column;
    bool operator<(const Candidate &other) const { return score > other.score || (score == other.score && column < other.column); }
};

constexpr int64_t block = 32;

/// The first block at or after `column` with a score above the threshold; the first that is not whole, if there is none.
SHIM_CLONES int64_t next_block(const float *scores, int64_t column, int64_t columns, float threshold) {
    for (; column + block <= columns; column += block) {
        int any = 0;
        for (int64_t i = 0; i < block; i++) any |= scores[column + i] > threshold;
        if (any) return column;
    }
    return column;
}

struct Selection {
    int64_t rows, count, limit;
    std::vector<Candidate> all;  // `limit` for each row
    std::vector<int32_t> held;
    std::vector<float> thresholds;  // the k-th largest, once k were sorted out
    std::vector<uint8_t> full;

    Selection(int64_t rows, int64_t count)
        : rows(rows), count(count), limit(3 * count + 2 * block), all(rows * limit), held(rows),
          thresholds(rows, -std::numeric_limits<float>::infinity()), full(rows) {}

    void keep_best(int64_t row) {
        Candidate *first = all.data() + row * limit;
        std::nth_element(first, first + count - 1, first + held[row]);
        held[row] = int32_t(count);
        thresholds[row] = first[count - 1].score;
        full[row] = 1;
    }

    /// Columns rise from call to call, so that a later one with the threshold's score would lose the tie.
    void add(int64_t row, const float *scores, int64_t columns, int64_t first_column) {
        Candidate *candidates = all.data() + row * limit;
        for (int64_t column = 0; column < columns;) {
            if (full[row]) column = next_block(scores, column, columns, thresholds[row]);
            const int64_t end = std::min(column + block, columns);
            if (held[row] + block > limit) {
                keep_best(row);
                continue;
            }
            // While fewer than k are known, −∞ is a candidate too.
            int32_t n = held[row];
            const bool everything = !full[row];
            const float threshold = thresholds[row];
            for (; column < end; column++)
                if (everything || scores[column] > threshold) candidates[n++] = {scores[column], int32_t(first_column + column)};
            held[row] = n;
        }
    }
};

constexpr int64_t block_rows = 64, block_columns = 1024;

/// The products of blocks of rows with one block of the bank, [columns, width]. For many rows it is brought into panels first.
class Products {
    const Tensor &bank;
    const int64_t width, stride;
    std::vector<float> panels, results;
    Tensor result;

  public:
    Products(const Tensor &bank, int64_t rows) : bank(bank), width(bank.size(1)), stride((bank.size(0) + 31) / 32 * 32) {
        if (rows < block_rows || !shim::multiplies_fast()) return;
        panels.resize(stride * width);
        results.resize(block_rows * stride);
        const float *data = bank.const_data_ptr<float>();
        for (int64_t column = 0; column < bank.size(0); column++) {
            float *to = panels.data() + column / 32 * 32 * width + column % 32;
            for (int64_t i = 0; i < width; i++) to[32 * i] = data[column * width + i];
        }
    }

    struct Scores {
        float *data;
        int64_t stride;
    };
    /// [rows, columns], until the next call.
    Scores with(const Tensor &rows) {
        if (panels.empty()) {
            result = at::mm(rows, bank.t()).contiguous();
            return {result.mutable_data_ptr<float>(), bank.size(0)};
        }
        shim::multiply({rows.size(0), stride, width, rows.const_data_ptr<float>(), width, 1, panels.data(), 32, 32 * width, 32,
                        results.data(), stride, false});
        return {results.data(), stride};
    }
};

Selection &selection(ct_top_scores handle) { return *reinterpret_cast<Selection *>(handle); }

}  // namespace

ct_status ct_top_scores_begin(int64_t rows, int64_t count, ct_top_scores *out) {
    return shim::guarded([&] {
        TORCH_CHECK(rows >= 0 && count > 0, count, " scores of ", rows, " rows");
        *out = reinterpret_cast<ct_top_scores>(new Selection(rows, count));
    });
}

ct_status ct_top_scores_add(ct_top_scores into, ct_tensor scores, int64_t first_row, int64_t first_column) {
    return shim::guarded([&] {
        Selection &found = selection(into);
        const Tensor &given = shim::tensor(scores);
        TORCH_CHECK(given.dim() == 2 && given.is_cpu() && given.scalar_type() == at::kFloat, "float32 scores [rows, columns] on the CPU");
        TORCH_CHECK(0 <= first_row && first_row + given.size(0) <= found.rows, "rows from ", first_row, " of ", found.rows);
        TORCH_CHECK(first_column + given.size(1) <= std::numeric_limits<int32_t>::max(), "more than 2³¹ columns");
        const Tensor all = given.contiguous();
        const int64_t columns = all.size(1);
        const float *data = all.const_data_ptr<float>();
        shim::in_parts(all.size(0), 16, [&](int64_t begin, int64_t end, int64_t) {
            for (int64_t row = begin; row < end; row++) found.add(first_row + row, data + row * columns, columns, first_column);
        });
    });
}

ct_status ct_top_scores_add_products(ct_top_scores into, ct_tensor queries, ct_tensor bank, int64_t first_column, int64_t own) {
    return shim::guarded([&] {
        Selection &found = selection(into);
        const Tensor &left = shim::tensor(queries), &right = shim::tensor(bank);
        for (const Tensor &given : {left, right})
            TORCH_CHECK(given.dim() == 2 && given.is_cpu() && given.scalar_type() == at::kFloat, "float32 matrices on the CPU");
        TORCH_CHECK(left.size(0) == found.rows && left.size(1) == right.size(1), left.sizes(), " and ", right.sizes());
        TORCH_CHECK(first_column + right.size(0) <= std::numeric_limits<int32_t>::max(), "more than 2³¹ columns");
        const Tensor mine = left.contiguous(), others = right.contiguous();
        // A thread looks at scores while they are in its cache.
        shim::in_parts(found.rows, block_rows, [&](int64_t first, int64_t last, int64_t) {
            at::NoGradGuard guard;
            const c10::impl::ExcludeDispatchKeyGuard exact(c10::autocast_dispatch_keyset);
            for (int64_t column = 0; column < others.size(0); column += block_columns) {
                const Tensor bank = others.narrow(0, column, std::min(block_columns, others.size(0) - column));
                Products products(bank, last - first);
                for (int64_t row = first; row < last; row += block_rows) {
                    const int64_t rows = std::min(block_rows, last - row), columns = bank.size(0);
                    const auto [scores, stride] = products.with(mine.narrow(0, row, rows));
                    for (int64_t r = 0; r < rows; r++) {
                        float *of_row = scores + r * stride;
                        const int64_t itself = row + r + own - first_column - column;
                        if (own >= 0 && 0 <= itself && itself < columns) of_row[itself] = -std::numeric_limits<float>::infinity();
                        found.add(row + r, of_row, columns, first_column + column);
                    }
                }
            }
        });
    });
}

ct_status ct_top_scores_result(ct_top_scores from, ct_tensor *values, ct_tensor *columns) {
    return shim::guarded([&] {
        Selection &found = selection(from);
        int64_t kept = found.count;
        for (int32_t held : found.held) kept = std::min<int64_t>(kept, held);
        Tensor best = at::empty({found.rows, kept}, at::kFloat), places = at::empty({found.rows, kept}, at::kLong);
        float *scores = best.mutable_data_ptr<float>();
        int64_t *at_columns = places.mutable_data_ptr<int64_t>();
        shim::in_parts(found.rows, 16, [&](int64_t begin, int64_t end, int64_t) {
            for (int64_t row = begin; row < end; row++) {
                Candidate *first = found.all.data() + row * found.limit;
                std::partial_sort(first, first + kept, first + found.held[row]);
                for (int64_t i = 0; i < kept; i++) {
                    scores[row * kept + i] = first[i].score;
                    at_columns[row * kept + i] = first[i].column;
                }
            }
        });
        *values = shim::handle(best);
        *columns = shim::handle(places);
    });
}

void ct_top_scores_release(ct_top_scores handle) { delete reinterpret_cast<Selection *>(handle); }
