#pragma once
// FAST marks the loops that are compiled once for each generation of x86-64 and chosen when the program is loaded.
// arm64 has one vector unit (NEON is always there) and needs no choice. Sanitizers cannot be chosen for: the choice is
// made before their run-time library is ready.
#if defined(__x86_64__) && defined(__linux__) && !__has_feature(thread_sanitizer) && !__has_feature(address_sanitizer)
#define FAST __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FAST
#endif

// Helpers of FAST functions have to be inlined: a call would land in code for the oldest processor.
#define INLINE static inline __attribute__((always_inline))

// Contraction would make fused multiply-adds where the processor has them, and other bytes there.
#pragma STDC FP_CONTRACT OFF
