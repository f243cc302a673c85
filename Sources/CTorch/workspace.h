// Memory for what lasts no longer than one operation. It is kept for the next one, and does not push tensors' memory out of the
// recycling allocator, whose sizes come back step by step.
#pragma once
#include <ATen/core/Tensor.h>
#include <cstdint>

namespace shim {

class Workspace {
    at::Tensor memory;
    float *next, *end;

  public:
    explicit Workspace(int64_t floats);
    ~Workspace();
    Workspace(const Workspace &) = delete;

    /// Uninitialised, at a cache line's border.
    float *take(int64_t floats);
    /// What `take` may use up beyond its floats.
    static constexpr int64_t border = 16;
};

}  // namespace shim
