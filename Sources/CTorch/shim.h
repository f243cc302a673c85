// What the shim's translation units share.
#pragma once
#include "CTorch.h"
#include <ATen/core/Tensor.h>
#include <string>

namespace shim {

inline at::Tensor &tensor(ct_tensor handle) { return *reinterpret_cast<at::Tensor *>(handle); }

inline ct_tensor handle(at::Tensor tensor) { return reinterpret_cast<ct_tensor>(new at::Tensor(std::move(tensor))); }

/// Keeps the exception's text for ct_message and returns its kind. Call it only from a catch block.
ct_status failure() noexcept;

template <typename Body> ct_status guarded(Body &&body) noexcept {
    try {
        body();
        return CT_OK;
    } catch (...) {
        return failure();
    }
}

}  // namespace shim
