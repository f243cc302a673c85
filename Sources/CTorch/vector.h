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

typedef float aligned_vec __attribute__((vector_size(lanes * sizeof(float))));

/// Stores past the caches, which saves reading what was there; `data` is a multiple of a vector. `end_streaming` before others read it.
SHIM_INLINE void stream(float *data, const vec &value) { __builtin_nontemporal_store(aligned_vec(value), reinterpret_cast<aligned_vec *>(data)); }

typedef int comparison __attribute__((vector_size(lanes * sizeof(int))));
typedef bool flags __attribute__((ext_vector_type(lanes)));

/// A bit for each value: whether it is above 0, or no number.
SHIM_INLINE uint16_t open_bits(const vec &value) {
    const comparison closed = value <= 0;
    return __builtin_bit_cast(uint16_t, __builtin_convertvector(~closed, flags));
}

/// Values whose bit is set, 0 for the others.
SHIM_INLINE void let_through(uint16_t bits, vec &value) {
    const comparison open = __builtin_convertvector(__builtin_bit_cast(flags, bits), comparison);
    value = open != 0 ? value : vec{};
}

SHIM_INLINE void end_streaming() {
#if defined(__x86_64__)
    __builtin_ia32_sfence();
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

}  // namespace shim
