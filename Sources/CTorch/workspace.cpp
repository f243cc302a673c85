#include "workspace.h"
#include <ATen/ops/empty.h>
#include <algorithm>
#include <mutex>
#include <vector>

namespace {

std::mutex mutex;

/// As many as operations ran at the same time.
std::vector<at::Tensor> &idle() {
    static auto *kept = new std::vector<at::Tensor>;  // outlasts whatever runs at exit
    return *kept;
}

}  // namespace

shim::Workspace::Workspace(int64_t floats) {
    {
        std::lock_guard<std::mutex> lock(mutex);
        if (!idle().empty()) {
            memory = std::move(idle().back());
            idle().pop_back();
        }
    }
    if (!memory.defined() || memory.numel() < floats) {
        memory = at::Tensor();
        memory = at::empty({floats}, at::kFloat);
    }
    next = memory.mutable_data_ptr<float>();
    end = next + memory.numel();
}

shim::Workspace::~Workspace() {
    std::lock_guard<std::mutex> lock(mutex);
    idle().push_back(std::move(memory));
}

float *shim::Workspace::take(int64_t floats) {
    float *taken = reinterpret_cast<float *>((reinterpret_cast<uintptr_t>(next) + 63) / 64 * 64);
    TORCH_CHECK(taken + floats <= end, "a workspace too small");
    next = taken + floats;
    return taken;
}
