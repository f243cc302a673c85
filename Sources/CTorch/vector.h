// Sixteen floats: a register of the widest vector unit, or several of a narrower one.
#pragma once
#include <cstdint>

namespace shim {

constexpr int64_t lanes = 16;
typedef float vec __attribute__((vector_size(lanes * sizeof(float)), aligned(alignof(float))));

#define SHIM_INLINE inline __attribute__((always_inline))

// By reference: how a vector is handed over by value depends on the units that a function is compiled for.
SHIM_INLINE const vec &at(const float *data) { return *reinterpret_cast<const vec *>(data); }
SHIM_INLINE vec &at(float *data) { return *reinterpret_cast<vec *>(data); }

}  // namespace shim
