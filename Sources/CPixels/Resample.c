// Separable resampling, after Pillow's ImagingResample (src/libImaging/Resample.c): horizontally, clamped to 8 bits,
// then vertically.
//
// The vertical pass is a sum of whole rows and vectorises by itself. The horizontal pass does not: each output has its
// own window. So it is turned into the same thing: sixteen source rows are transposed to one 16-byte vector for each
// column and channel, windows are summed over those, and the transposition back separates the channels for free.
// x86 can multiply two samples and add both products in one instruction: there, columns are interleaved in pairs.
#include "CPixels.h"
#include "Dispatch.h"
#include <math.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

typedef uint8_t u8x16 __attribute__((vector_size(16)));
typedef int32_t i32x16 __attribute__((vector_size(64)));

enum { TILE = 16 };

static int pixels_portable = 0;

void pixels_use_portable_loops(int portable) { pixels_portable = portable; }

// Four rounds of interleaving the first half of the rows with the second transpose 16 × 16 bytes.
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define HIGH(a, b) __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#define ROUND(from, to) \
    for (int i = 0; i < 8; i++) { to[2 * i] = LOW(from[i], from[i + 8]); to[2 * i + 1] = HIGH(from[i], from[i + 8]); }

INLINE void transpose16(const uint8_t *const *rows, ptrdiff_t offset, uint8_t *out, ptrdiff_t stride) {
    u8x16 a[TILE], b[TILE];
    for (int i = 0; i < TILE; i++) memcpy(&a[i], rows[i] + offset, 16);
    ROUND(a, b) ROUND(b, a) ROUND(a, b) ROUND(b, a)
    for (int i = 0; i < TILE; i++) memcpy(out + i * stride, &a[i], 16);
}

// Two of them side by side: the rounds stay within each half of a register.
typedef uint8_t u8x32 __attribute__((vector_size(32)));
#define LOW2(a, b) __builtin_shufflevector(a, b, 0, 32, 1, 33, 2, 34, 3, 35, 4, 36, 5, 37, 6, 38, 7, 39, \
    16, 48, 17, 49, 18, 50, 19, 51, 20, 52, 21, 53, 22, 54, 23, 55)
#define HIGH2(a, b) __builtin_shufflevector(a, b, 8, 40, 9, 41, 10, 42, 11, 43, 12, 44, 13, 45, 14, 46, 15, 47, \
    24, 56, 25, 57, 26, 58, 27, 59, 28, 60, 29, 61, 30, 62, 31, 63)
#define ROUND2(from, to) \
    for (int i = 0; i < 8; i++) { to[2 * i] = LOW2(from[i], from[i + 8]); to[2 * i + 1] = HIGH2(from[i], from[i + 8]); }

INLINE void transpose16x32(const uint8_t *const *rows, ptrdiff_t offset, uint8_t *out) {
    u8x32 a[TILE], b[TILE];
    for (int i = 0; i < TILE; i++) memcpy(&a[i], rows[i] + offset, 32);
    ROUND2(a, b) ROUND2(b, a) ROUND2(a, b) ROUND2(b, a)
    for (int i = 0; i < TILE; i++) {
        memcpy(out + i * TILE, &a[i], 16);
        memcpy(out + (TILE + i) * TILE, (const uint8_t *)&a[i] + 16, 16);
    }
}

// 16 results: rounded, clamped, stored. Macros, because passing such wide vectors depends on the processor.
#define STORE(to, sum, shift) do { \
    i32x16 value_ = (sum) >> (shift); \
    value_ = __builtin_elementwise_min(__builtin_elementwise_max(value_, (i32x16){0}), (i32x16){0} + 255); \
    u8x16 bytes_ = __builtin_convertvector(value_, u8x16); \
    memcpy((to), &bytes_, 16); } while (0)
#define ADD(sum, from, weight) do { \
    u8x16 bytes_; memcpy(&bytes_, (from), 16); \
    sum += __builtin_convertvector(bytes_, i32x16) * (weight); } while (0)

INLINE void horizontal_tile(const uint8_t *tile, const pixels_taps *taps, int channels, uint8_t *out) {
    const i32x16 half = (i32x16){0} + (1 << (taps->shift - 1));
    for (int x = 0; x < taps->outputs; x++) {
        const uint8_t *from = tile + (ptrdiff_t)taps->first[x] * channels * TILE;
        const int16_t *weights = taps->weights + (ptrdiff_t)x * taps->capacity;
        const int count = taps->count[x];
        i32x16 red = half, green = half, blue = half;
        for (int k = 0; k < count; k++, from += channels * TILE) {
            const i32x16 weight = (i32x16){0} + (int32_t)weights[k];
            ADD(red, from, weight);
            if (channels == 3) { ADD(green, from + TILE, weight); ADD(blue, from + 2 * TILE, weight); }
        }
        STORE(out, red, taps->shift);
        if (channels == 3) { STORE(out + TILE, green, taps->shift); STORE(out + 2 * TILE, blue, taps->shift); }
        out += channels * TILE;
    }
}

FAST double pixels_antialiased_weights(int cubic, double start, double centre, double narrow, int taps, double *weights) {
    const double a = -0.5;
    for (int k = 0; k < taps; k++) {
        const double x = fabs((start + k - centre + 0.5) * narrow);
        const double near = ((a + 2) * x - (a + 3)) * x * x + 1, far = (((x - 5) * x + 8) * x - 4) * a;
        const double line = 1 - x < 0 ? 0 : 1 - x;
        weights[k] = cubic ? (x < 1 ? near : x < 2 ? far : 0) : line;
    }
    double sum = 0;
    for (int k = 0; k < taps; k++) sum += weights[k];
    // Positive numbers are in the order of their bits.
    uint64_t most = 0;
    for (int k = 0; k < taps; k++) {
        weights[k] /= sum;
        uint64_t bits;
        memcpy(&bits, &weights[k], 8);
        bits &= ~(uint64_t)0 >> 1;
        most = bits > most ? bits : most;
    }
    double largest;
    memcpy(&largest, &most, 8);
    return largest;
}

FAST void pixels_fixed_weights(const double *weights, int count, double unit, int16_t *fixed) {
    for (int k = 0; k < count; k++) {
        const double value = weights[k] * unit;
        fixed[k] = (int16_t)(int32_t)(value + (value < 0 ? -0.5 : 0.5));
    }
}

static size_t up(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2")))

// The weights of each output in pairs that begin at an even column, zero where there is none.
static size_t pair_bytes(const pixels_taps *taps) { return up((size_t)taps->outputs * ((size_t)taps->capacity / 2 + 2) * 4, TILE); }

static void fill_pairs(const pixels_taps *taps, int16_t *pairs) {
    const ptrdiff_t capacity = 2 * (taps->capacity / 2 + 2);
    memset(pairs, 0, (size_t)(taps->outputs * capacity) * 2);
    for (int x = 0; x < taps->outputs; x++)
        memcpy(pairs + x * capacity + (taps->first[x] & 1), taps->weights + (ptrdiff_t)x * taps->capacity, (size_t)taps->count[x] * 2);
}

// Columns 2i and 2i + 1 of each channel, byte by byte in turn: 32 bytes for 16 rows.
AVX2 __attribute__((always_inline)) static inline void interleave_channels(uint8_t *tile, int columns, const int channels) {
    for (int column = 0; column < columns; column += 2) {
        __m128i even[3], odd[3];
        for (int c = 0; c < channels; c++) {
            even[c] = _mm_loadu_si128((const __m128i *)(tile + c * TILE));
            odd[c] = _mm_loadu_si128((const __m128i *)(tile + (channels + c) * TILE));
        }
        for (int c = 0; c < channels; c++) {
            _mm_storeu_si128((__m128i *)(tile + 2 * c * TILE), _mm_unpacklo_epi8(even[c], odd[c]));
            _mm_storeu_si128((__m128i *)(tile + (2 * c + 1) * TILE), _mm_unpackhi_epi8(even[c], odd[c]));
        }
        tile += 2 * channels * TILE;
    }
}

AVX2 static void interleave_pairs(uint8_t *tile, int columns, int channels) {
    if (channels == 3) interleave_channels(tile, columns, 3);
    else interleave_channels(tile, columns, 1);
}

// The sums of 32 bytes' products of two samples each, with the two weights in every half of `weight`: four rows or columns to a
// register's half, which packing puts in order again. With one instruction where there is one for it.
#define MULTIPLY_ADD(sum, words, weight) _mm256_add_epi32(sum, _mm256_madd_epi16(words, weight))
#define DOT_PRODUCT(sum, words, weight) _mm256_dpwssd_epi32(sum, words, weight)
#define LOW_WORDS(bytes) _mm256_unpacklo_epi8(bytes, _mm256_setzero_si256())
#define HIGH_WORDS(bytes) _mm256_unpackhi_epi8(bytes, _mm256_setzero_si256())
#define LOAD32(from) _mm256_loadu_si256((const __m256i *)(from))

// Packing clamps: to 16 bits with sign, then to 8 bits.
AVX2 static inline __m256i packed(__m256i low, __m256i high, __m128i shift) {
    return _mm256_packs_epi32(_mm256_sra_epi32(low, shift), _mm256_sra_epi32(high, shift));
}

#define PAIRS(suffix, features, ACCUMULATE) \
    __attribute__((target(features), always_inline)) static inline void tile_channels##suffix( \
        const uint8_t *tile, const pixels_taps *taps, const int16_t *pairs, const int channels, uint8_t *out) { \
        const ptrdiff_t capacity = taps->capacity / 2 + 2; \
        const __m256i half = _mm256_set1_epi32(1 << (taps->shift - 1)); \
        const __m128i shift = _mm_cvtsi32_si128(taps->shift); \
        for (int x = 0; x < taps->outputs; x++) { \
            const uint8_t *from = tile + (ptrdiff_t)(taps->first[x] / 2) * channels * 2 * TILE; \
            const int16_t *weights = pairs + x * 2 * capacity; \
            const int count = (taps->count[x] + (taps->first[x] & 1) + 1) / 2; \
            __m256i sums[3][2]; \
            for (int c = 0; c < channels; c++) sums[c][0] = sums[c][1] = half; \
            for (int k = 0; k < count; k++, from += channels * 2 * TILE) { \
                int32_t two; \
                memcpy(&two, weights + 2 * k, 4); \
                const __m256i weight = _mm256_set1_epi32(two); \
                for (int c = 0; c < channels; c++) { \
                    const __m256i bytes = LOAD32(from + 2 * c * TILE); \
                    sums[c][0] = ACCUMULATE(sums[c][0], LOW_WORDS(bytes), weight); \
                    sums[c][1] = ACCUMULATE(sums[c][1], HIGH_WORDS(bytes), weight); \
                } \
            } \
            for (int c = 0; c < channels; c++) { \
                const __m256i words = packed(sums[c][0], sums[c][1], shift); \
                const __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)); \
                _mm_storeu_si128((__m128i *)(out + c * TILE), bytes); \
            } \
            out += channels * TILE; \
        } \
    } \
    __attribute__((target(features))) static void tile_pairs##suffix( \
        const uint8_t *tile, const pixels_taps *taps, const int16_t *pairs, int channels, uint8_t *out) { \
        if (channels == 3) tile_channels##suffix(tile, taps, pairs, 3, out); \
        else tile_channels##suffix(tile, taps, pairs, 1, out); \
    } \
    __attribute__((target(features))) static void row_pairs##suffix( \
        const uint8_t *from, ptrdiff_t stride, const int16_t *weights, int count, int shift, uint8_t *to) { \
        const __m256i half = _mm256_set1_epi32(1 << (shift - 1)); \
        const __m128i shifts = _mm_cvtsi32_si128(shift); \
        for (ptrdiff_t x = 0; x < stride; x += 2 * TILE) { \
            __m256i a = half, b = half, c = half, d = half; \
            const uint8_t *row = from + x; \
            for (int k = 0; k < count; k += 2, row += 2 * stride) { \
                const int32_t second = k + 1 < count ? weights[k + 1] : 0; \
                const __m256i weight = _mm256_set1_epi32((int32_t)((uint32_t)second << 16 | (uint16_t)weights[k])); \
                const __m256i upper = LOAD32(row), lower = LOAD32(row + stride); \
                const __m256i left = _mm256_unpacklo_epi8(upper, lower), right = _mm256_unpackhi_epi8(upper, lower); \
                a = ACCUMULATE(a, LOW_WORDS(left), weight); \
                b = ACCUMULATE(b, HIGH_WORDS(left), weight); \
                c = ACCUMULATE(c, LOW_WORDS(right), weight); \
                d = ACCUMULATE(d, HIGH_WORDS(right), weight); \
            } \
            _mm256_storeu_si256((__m256i *)(to + x), _mm256_packus_epi16(packed(a, b, shifts), packed(c, d, shifts))); \
        } \
    }

PAIRS(, "avx2", MULTIPLY_ADD)
PAIRS(_vnni, "avx2,avx512vl,avx512vnni", DOT_PRODUCT)

static int has_vnni(void) { return __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni"); }

static void vertical_pairs(const uint8_t *from, ptrdiff_t stride, const int16_t *weights, int count, int shift, uint8_t *to) {
    if (has_vnni()) row_pairs_vnni(from, stride, weights, count, shift, to);
    else row_pairs(from, stride, weights, count, shift, to);
}

static void horizontal_pairs(uint8_t *tile, const pixels_taps *taps, const int16_t *pairs, int columns, int channels, uint8_t *out) {
    interleave_pairs(tile, columns, channels);
    if (has_vnni()) tile_pairs_vnni(tile, taps, pairs, channels, out);
    else tile_pairs(tile, taps, pairs, channels, out);
}
#endif

// A pair's second column may lie behind the last one.
static size_t tile_bytes(int channels, int columns) { return up((size_t)(columns + 1) * channels, TILE) * TILE; }
static size_t result_bytes(int channels, int outputs) { return up(outputs, TILE) * channels * TILE; }
// A pair's second row may lie behind the last one.
static size_t middle_bytes(int channels, int rows, int outputs) { return up(rows + 1, TILE) * up(outputs, PIXELS_LANES) * channels; }

size_t pixels_resample_scratch(int channels, int columns, int rows, const pixels_taps *horizontal) {
    const size_t bytes = tile_bytes(channels, columns) + result_bytes(channels, horizontal->outputs)
        + middle_bytes(channels, rows, horizontal->outputs);
#if defined(__x86_64__)
    return bytes + pair_bytes(horizontal);
#else
    return bytes;
#endif
}

FAST void pixels_resample(const uint8_t *source, ptrdiff_t row_bytes, int channels, int columns, int rows,
                          const pixels_taps *horizontal, const pixels_taps *vertical, uint8_t *scratch,
                          uint8_t *destination, ptrdiff_t stride, ptrdiff_t plane) {
    const int outputs = horizontal->outputs;
    const ptrdiff_t bytes = (ptrdiff_t)columns * channels;
    const ptrdiff_t middle_stride = (ptrdiff_t)up(outputs, PIXELS_LANES);
    const ptrdiff_t middle_plane = middle_stride * (ptrdiff_t)up(rows + 1, TILE);
    uint8_t *tile = scratch;
    uint8_t *result = tile + tile_bytes(channels, columns);
    uint8_t *middle = result + result_bytes(channels, outputs);
#if defined(__x86_64__)
    int16_t *pairs = __builtin_cpu_supports("avx2") && !pixels_portable ? (int16_t *)(middle + middle_bytes(channels, rows, outputs)) : 0;
    if (pairs) fill_pairs(horizontal, pairs);
#endif

    for (int top = 0; top < rows; top += TILE) {
        const uint8_t *from[TILE];
        // A last tile that is not full repeats the last row.
        for (int i = 0; i < TILE; i++) from[i] = source + (ptrdiff_t)(top + i < rows ? top + i : rows - 1) * row_bytes;
        ptrdiff_t x = 0;
        // Sixteen rows at once are more streams than processors foresee: those of the next tile are asked for, half with each step.
        const uint8_t *next = top + 2 * TILE <= rows ? source + (ptrdiff_t)(top + TILE) * row_bytes : source;
        for (; x + 2 * TILE <= bytes; x += 2 * TILE) {
            for (int i = (int)(x / (2 * TILE)) % 2; i < TILE; i += 2) __builtin_prefetch(next + i * row_bytes + x, 0, 2);
            transpose16x32(from, x, tile + x * TILE);
        }
        for (; x + TILE <= bytes; x += TILE) transpose16(from, x, tile + x * TILE, TILE);
        if (x < bytes) {
            uint8_t tails[TILE][TILE] = {{0}};
            const uint8_t *tail[TILE];
            for (int i = 0; i < TILE; i++) { memcpy(tails[i], from[i] + x, (size_t)(bytes - x)); tail[i] = tails[i]; }
            transpose16(tail, 0, tile + x * TILE, TILE);
        }

#if defined(__x86_64__)
        if (pairs) horizontal_pairs(tile, horizontal, pairs, columns, channels, result);
        else
#endif
        if (channels == 3) horizontal_tile(tile, horizontal, 3, result);
        else horizontal_tile(tile, horizontal, 1, result);

        for (int channel = 0; channel < channels; channel++) {
            uint8_t *to = middle + channel * middle_plane + top * middle_stride;
            for (int column = 0; column < outputs; column += TILE) {
                const uint8_t *column_rows[TILE];
                for (int i = 0; i < TILE; i++) column_rows[i] = result + ((ptrdiff_t)(column + i) * channels + channel) * TILE;
                transpose16(column_rows, 0, to + column, middle_stride);
            }
        }
    }

    const i32x16 half = (i32x16){0} + (1 << (vertical->shift - 1));
    for (int channel = 0; channel < channels; channel++) {
        for (int y = 0; y < vertical->outputs; y++) {
            const uint8_t *from = middle + channel * middle_plane + vertical->first[y] * middle_stride;
            const int16_t *weights = vertical->weights + (ptrdiff_t)y * vertical->capacity;
            const int count = vertical->count[y];
            uint8_t *to = destination + channel * plane + y * stride;
#if defined(__x86_64__)
            if (pairs) {
                vertical_pairs(from, middle_stride, weights, count, vertical->shift, to);
                continue;
            }
#endif
            for (ptrdiff_t x = 0; x < middle_stride; x += 2 * TILE) {
                i32x16 left = half, right = half;
                const uint8_t *row = from + x;
                for (int k = 0; k < count; k++, row += middle_stride) {
                    const i32x16 weight = (i32x16){0} + (int32_t)weights[k];
                    ADD(left, row, weight);
                    ADD(right, row + TILE, weight);
                }
                STORE(to + x, left, vertical->shift);
                STORE(to + x + TILE, right, vertical->shift);
            }
        }
    }
}

FAST void pixels_transpose(const uint8_t *source, ptrdiff_t source_stride, int width, int height,
                           uint8_t *destination, ptrdiff_t destination_stride) {
    for (int top = 0; top < height; top += TILE) {
        for (int left = 0; left < width; left += TILE) {
            const int rows = height - top < TILE ? height - top : TILE;
            const int columns = width - left < TILE ? width - left : TILE;
            uint8_t block[TILE][TILE] = {{0}}, turned[TILE][TILE];
            const uint8_t *from[TILE];
            for (int i = 0; i < TILE; i++) from[i] = block[i];
            for (int i = 0; i < rows; i++) {
                const uint8_t *row = source + (top + i) * source_stride + left;
                if (columns == TILE) from[i] = row;
                else memcpy(block[i], row, (size_t)columns);
            }
            uint8_t *to = destination + left * destination_stride + top;
            if (rows == TILE && columns == TILE) {
                transpose16(from, 0, to, destination_stride);
            } else {
                transpose16(from, 0, turned[0], TILE);
                for (int i = 0; i < columns; i++) memcpy(to + i * destination_stride, turned[i], (size_t)rows);
            }
        }
    }
}
