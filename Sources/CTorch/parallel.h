// Work in parts, a part for each of libtorch's threads. at::parallel_for is a template with an OpenMP pragma in it: compiled here,
// by a compiler without libtorch's OpenMP runtime, it would run on one thread.
#pragma once
#include <cstdint>
#include <type_traits>

namespace shim {

/// libtorch's thread count, or 1 inside of a parallel region.
int64_t part_limit();

/// Calls body(part, data) for every part below `parts`, each part on a thread of its own if there are enough.
void run_parts(int64_t parts, void (*body)(int64_t part, void *data), void *data);

/// Calls body(first, last, part) on as many equal parts of [0, count) as there are threads, none of fewer than `least` elements
/// if there are two. The parts depend on the thread count alone. Returns their number.
template <typename Body> int64_t in_parts(int64_t count, int64_t least, Body &&body) {
    int64_t parts = part_limit();
    if (parts > count / least) parts = count / least;
    if (parts < 1) parts = 1;
    struct Work {
        std::remove_reference_t<Body> &body;
        int64_t count, parts;
    } work{body, count, parts};
    run_parts(
        parts,
        [](int64_t part, void *data) {
            Work &work = *static_cast<Work *>(data);
            work.body(part * work.count / work.parts, (part + 1) * work.count / work.parts, part);
        },
        &work);
    return parts;
}

}  // namespace shim
