// Separable resampling, after Pillow's ImagingResample (src/libImaging/Resample.c): horizontally, clamped to 8 bits,
// then vertically.
//
// The vertical pass is a sum of whole rows and vectorises by itself. The horizontal pass does not: each output has its
// own window. So it is turned into the same thing: sixteen source rows are transposed to one 16-byte vector for each
// column and channel, windows are summed over those, and the transposition back separates the channels for free.
#include "CPixels.h"
#include "Dispatch.h"
#include <string.h>

typedef uint8_t u8x16 __attribute__((vector_size(16)));
typedef int32_t i32x16 __attribute__((vector_size(64)));

enum { TILE = 16 };

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

static size_t up(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

static size_t tile_bytes(int channels, int columns) { return up((size_t)columns * channels, TILE) * TILE; }
static size_t result_bytes(int channels, int outputs) { return up(outputs, TILE) * channels * TILE; }
static size_t middle_bytes(int channels, int rows, int outputs) { return up(rows, TILE) * up(outputs, PIXELS_LANES) * channels; }

size_t pixels_resample_scratch(int channels, int columns, int rows, int outputs) {
    return tile_bytes(channels, columns) + result_bytes(channels, outputs) + middle_bytes(channels, rows, outputs);
}

FAST void pixels_resample(const uint8_t *source, ptrdiff_t row_bytes, int channels, int columns, int rows,
                          const pixels_taps *horizontal, const pixels_taps *vertical, uint8_t *scratch,
                          uint8_t *destination, ptrdiff_t stride, ptrdiff_t plane) {
    const int outputs = horizontal->outputs;
    const ptrdiff_t bytes = (ptrdiff_t)columns * channels;
    const ptrdiff_t middle_stride = (ptrdiff_t)up(outputs, PIXELS_LANES);
    const ptrdiff_t middle_plane = middle_stride * (ptrdiff_t)up(rows, TILE);
    uint8_t *tile = scratch;
    uint8_t *result = tile + tile_bytes(channels, columns);
    uint8_t *middle = result + result_bytes(channels, outputs);

    for (int top = 0; top < rows; top += TILE) {
        const uint8_t *from[TILE];
        // A last tile that is not full repeats the last row.
        for (int i = 0; i < TILE; i++) from[i] = source + (ptrdiff_t)(top + i < rows ? top + i : rows - 1) * row_bytes;
        ptrdiff_t x = 0;
        for (; x + TILE <= bytes; x += TILE) transpose16(from, x, tile + x * TILE, TILE);
        if (x < bytes) {
            uint8_t tails[TILE][TILE] = {{0}};
            const uint8_t *tail[TILE];
            for (int i = 0; i < TILE; i++) { memcpy(tails[i], from[i] + x, (size_t)(bytes - x)); tail[i] = tails[i]; }
            transpose16(tail, 0, tile + x * TILE, TILE);
        }

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
