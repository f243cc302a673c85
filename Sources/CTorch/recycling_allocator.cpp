// Large tensors' memory is kept when they go, and given to the next of the same size: a training step asks for the same sizes as
// the one before it. The system would take the memory back and zero it page by page when it is asked for again, which is a
// sixth of a step.
//
// What is kept never adds to the peak: memory in use and memory kept stay below the most that was ever in use at once. Where
// another size needs the room, it is cut from a larger piece that is kept, neighbours joined if need be; where there is none, it is
// put together from the huge pages of what was kept longest (on Linux, where pages can move without being copied); and what then is
// too much goes back to the system. Nothing is cut before: a training step finds its own sizes again.
#include "shim.h"
#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>
#include <algorithm>
#include <map>
#include <mutex>
#include <sys/mman.h>
#include <unordered_map>
#include <vector>

namespace {

constexpr size_t least = size_t(1) << 20;       // smaller ones are libtorch's business
constexpr size_t granule = size_t(1) << 16;     // sizes that differ by less are one size
constexpr size_t huge_page = size_t(2) << 20;
constexpr size_t most_moved = size_t(32) << 30;

size_t rounded(size_t size, size_t to) { return (size + to - 1) / to * to; }

/// Memory from the system, at a huge page's border where that serves; null if there is none.
void *map_memory(size_t size) {
    const size_t align = size >= 2 * huge_page ? huge_page : 0;
    void *memory = mmap(nullptr, size + align, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return nullptr;
    if (align) {
        const auto begin = reinterpret_cast<uintptr_t>(memory), first = rounded(begin, align);
        if (first > begin) munmap(memory, first - begin);
        if (begin + align > first) munmap(reinterpret_cast<void *>(first + size), begin + align - first);
        memory = reinterpret_cast<void *>(first);
#ifdef MADV_HUGEPAGE
        madvise(memory, size, MADV_HUGEPAGE);
#endif
    }
    return memory;
}

class RecyclingAllocator final : public c10::Allocator {
  public:
    explicit RecyclingAllocator(c10::Allocator *small) : small(small) {}

    c10::DataPtr allocate(size_t bytes) override {
        if (bytes < least) return small->allocate(bytes);
        void *memory = take(rounded(bytes, granule));
        TORCH_CHECK_WITH(OutOfMemoryError, memory, "not enough memory: you tried to allocate ", bytes, " bytes");
        return {memory, memory, &release, c10::Device(c10::kCPU)};
    }

    c10::DeleterFnPtr raw_deleter() const override { return &release; }

    void copy_data(void *to, const void *from, size_t count) const override { default_copy_data(to, from, count); }

    void count(int64_t *now, int64_t *stored, int64_t *most) {
        std::lock_guard<std::mutex> lock(mutex);
        *now = in_use;
        *stored = in_store;
        *most = peak;
    }

    static RecyclingAllocator *installed;

  private:
    struct Piece {
        size_t size;
        uint64_t age;
    };
    using Pieces = std::map<char *, Piece>;

    c10::Allocator *small;
    std::mutex mutex;
    std::unordered_map<void *, size_t> sizes;  // of what is in use
    Pieces kept;                               // by address
    size_t in_use = 0, in_store = 0, peak = 0;
    uint64_t clock = 0;

    void *take(size_t size) {
        std::lock_guard<std::mutex> lock(mutex);
        const size_t old_peak = peak;
        in_use += size;
        peak = std::max(peak, in_use);
        auto piece = same_size(size);
        if (piece == kept.end() && in_use + in_store > peak) {
            piece = smallest(size);
            if (piece == kept.end()) {
                join_neighbours();
                piece = smallest(size);
            }
        }
        void *memory = nullptr;
        if (piece != kept.end()) {
            memory = piece->first;
            if (piece->second.size > size) kept[piece->first + size] = {piece->second.size - size, piece->second.age};
            kept.erase(piece);
            in_store -= size;
        } else {
            const bool is_full = in_use + in_store > peak;
            while (!(memory = map_memory(size)) && in_store > 0) give_back_oldest();
            if (memory && is_full) move_pages(static_cast<char *>(memory), size);
            while (in_use + in_store > peak) give_back_oldest();
        }
        if (memory) {
            sizes[memory] = size;
        } else {
            in_use -= size;
            peak = old_peak;
        }
        return memory;
    }

    /// The one that was kept last.
    Pieces::iterator same_size(size_t size) {
        auto best = kept.end();
        for (auto piece = kept.begin(); piece != kept.end(); ++piece)
            if (piece->second.size == size && (best == kept.end() || piece->second.age > best->second.age)) best = piece;
        return best;
    }

    /// Of those that are large enough.
    Pieces::iterator smallest(size_t size) {
        auto best = kept.end();
        for (auto piece = kept.begin(); piece != kept.end(); ++piece)
            if (piece->second.size >= size && (best == kept.end() || piece->second.size < best->second.size)) best = piece;
        return best;
    }

    void join_neighbours() {
        for (auto piece = kept.begin(); piece != kept.end();) {
            const auto next = std::next(piece);
            if (next != kept.end() && piece->first + piece->second.size == next->first) {
                piece->second = {piece->second.size + next->second.size, std::max(piece->second.age, next->second.age)};
                kept.erase(next);
            } else {
                piece = next;
            }
        }
    }

    /// Puts whole huge pages of what was kept longest in place of new memory's, which nobody has touched.
    void move_pages(char *to, size_t size) {
#ifdef __linux__
        std::vector<std::pair<uint64_t, char *>> oldest;
        for (const auto &piece : kept)
            if (piece.second.size >= huge_page) oldest.push_back({piece.second.age, piece.first});
        std::sort(oldest.begin(), oldest.end());
        const char *const end = to + size / huge_page * huge_page;
        // A page that was moved may stay a mapping of its own, of which a process has 65,530 by default.
        if (reinterpret_cast<uintptr_t>(to) % huge_page != 0 || peak > most_moved) return;
        for (const auto &[age, begin] : oldest) {
            const size_t whole = kept[begin].size;
            char *const first = reinterpret_cast<char *>(rounded(reinterpret_cast<uintptr_t>(begin), huge_page));
            char *page = first;
            // One by one: a mapping moves only as a whole, and what was put together is several.
            while (to < end && page + huge_page <= begin + whole) {
                if (mremap(page, huge_page, huge_page, MREMAP_MAYMOVE | MREMAP_FIXED, to) == MAP_FAILED) {
                    // What was there may be gone already.
                    void *again = mmap(to, huge_page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
                    TORCH_CHECK_WITH(OutOfMemoryError, again != MAP_FAILED, "not enough memory to arrange it anew");
                    break;
                }
                page += huge_page;
                to += huge_page;
            }
            if (page > first) {
                kept.erase(begin);
                if (first > begin) kept[begin] = {size_t(first - begin), age};
                if (page < begin + whole) kept[page] = {size_t(begin + whole - page), age};
                in_store -= page - first;
            }
            if (to >= end || (page == first && first + huge_page <= begin + whole)) return;
        }
#endif
    }

    void give_back_oldest() {
        const auto oldest =
            std::min_element(kept.begin(), kept.end(), [](const auto &a, const auto &b) { return a.second.age < b.second.age; });
        munmap(oldest->first, oldest->second.size);
        in_store -= oldest->second.size;
        kept.erase(oldest);
    }

    bool keep(void *memory) {
        std::lock_guard<std::mutex> lock(mutex);
        auto found = sizes.find(memory);
        if (found == sizes.end()) return false;
        kept[static_cast<char *>(memory)] = {found->second, clock++};
        in_store += found->second;
        in_use -= found->second;
        sizes.erase(found);
        return true;
    }

    static void release(void *memory) {
        if (memory && !installed->keep(memory)) installed->small->raw_deleter()(memory);
    }
};

RecyclingAllocator *RecyclingAllocator::installed;

}  // namespace

void ct_recycle_memory(void) {
    static std::once_flag once;
    std::call_once(once, [] {
        // Lives as long as the process: tensors may outlast everything else.
        RecyclingAllocator::installed = new RecyclingAllocator(c10::GetDefaultCPUAllocator());
        c10::SetCPUAllocator(RecyclingAllocator::installed, /*priority=*/100);
    });
}

void ct_recycled_memory(int64_t *in_use, int64_t *kept, int64_t *peak) {
    *in_use = *kept = *peak = 0;
    if (auto *installed = RecyclingAllocator::installed) installed->count(in_use, kept, peak);
}
