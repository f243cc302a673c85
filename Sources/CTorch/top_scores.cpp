// The k largest of each row, the lower column winning a tie: libtorch's topk breaks ties as it likes, and reads each row
// several times. Here a row is read once; what exceeds the k-th largest so far is put aside, and sorted out when 3k wait.
#include "shim.h"
#include "norm_loops.h"
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
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

/// The first block at or after `column` with a score above the threshold; `columns` rounded down to whole blocks if there is none.
SHIM_CLONES int64_t next_block(const float *scores, int64_t column, int64_t columns, float threshold) {
    for (; column + block <= columns; column += block) {
        int any = 0;
        for (int64_t i = 0; i < block; i++) any |= scores[column + i] > threshold;
        if (any) return column;
    }
    return column;
}

class Selection {
  public:
    explicit Selection(int64_t count) : count(count), limit(std::max<int64_t>(4 * count, 64)) { candidates.reserve(limit); }

    void select(const float *scores, int64_t columns, float *values, int64_t *places) {
        candidates.clear();
        float threshold = -std::numeric_limits<float>::infinity();
        bool full = false;  // while fewer than k are known, −∞ is a candidate too
        int64_t column = 0;
        while (column < columns) {
            if (full) column = next_block(scores, column, columns, threshold);
            const int64_t end = std::min(column + block, columns);
            for (; column < end; column++) {
                if (full && !(scores[column] > threshold)) continue;
                candidates.push_back({scores[column], int32_t(column)});
                if (int64_t(candidates.size()) < limit) continue;
                // Columns rise, so that a later one with the threshold's score would lose the tie.
                std::nth_element(candidates.begin(), candidates.begin() + count - 1, candidates.end());
                candidates.resize(count);
                threshold = candidates[count - 1].score;
                full = true;
            }
        }
        std::partial_sort(candidates.begin(), candidates.begin() + count, candidates.end());
        for (int64_t i = 0; i < count; i++) {
            values[i] = candidates[i].score;
            places[i] = candidates[i].column;
        }
    }

  private:
    int64_t count, limit;
    std::vector<Candidate> candidates;
};

}  // namespace

ct_status ct_top_scores(ct_tensor scores, int64_t count, ct_tensor *values, ct_tensor *columns) {
    return shim::guarded([&] {
        const Tensor &given = shim::tensor(scores);
        TORCH_CHECK(given.dim() == 2 && given.is_cpu() && given.scalar_type() == at::kFloat, "float32 scores [rows, columns] on the CPU");
        TORCH_CHECK(0 < count && count <= given.size(1), count, " of ", given.size(1), " scores");
        const Tensor all = given.contiguous();
        const int64_t rows = all.size(0), width = all.size(1);
        Tensor best = at::empty({rows, count}, all.options()), places = at::empty({rows, count}, all.options().dtype(at::kLong));
        const float *data = all.const_data_ptr<float>();
        float *found = best.mutable_data_ptr<float>();
        int64_t *at_columns = places.mutable_data_ptr<int64_t>();
        at::parallel_for(0, rows, 16, [&](int64_t begin, int64_t end) {
            Selection selection(count);
            for (int64_t row = begin; row < end; row++)
                selection.select(data + row * width, width, found + row * count, at_columns + row * count);
        });
        *values = shim::handle(best);
        *columns = shim::handle(places);
    });
}
