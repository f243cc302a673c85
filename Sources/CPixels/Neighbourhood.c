// Filters that look at neighbours: Gaussian blur, sharpness, Sobel.
#include "CPixels.h"
#include "Dispatch.h"
#include <math.h>
#include <string.h>

typedef uint8_t u8x16 __attribute__((vector_size(16)));
typedef int16_t i16x16 __attribute__((vector_size(32)));
typedef int32_t i32x16 __attribute__((vector_size(64)));

enum { LANES = 16, WEIGHT_BITS = 14, MIDDLE_BITS = 6 };

static ptrdiff_t up(ptrdiff_t value, ptrdiff_t unit) { return (value + unit - 1) / unit * unit; }

static ptrdiff_t padded(int width, int radius) { return up(width, PIXELS_LANES) + up(2 * radius, PIXELS_LANES); }

size_t pixels_blur_scratch(int width, int height, int radius) {
    return 2 * (size_t)(padded(width, radius) + up(width, PIXELS_LANES) * (height + 2 * radius));
}

// Row `index` of an axis of `count`, mirrored about the first and the last without repeating them.
INLINE int mirrored(int index, int count) {
    if (index < 0) index = -index;
    return index >= count ? 2 * (count - 1) - index : index;
}

// The mask tells the compiler what it cannot know: weights are positive, so that 16-bit multiplication serves.
#define WEIGHT(k) ((i32x16){0} + ((int32_t)weights[k] & 0x7fff))

FAST void pixels_blur(uint8_t *plane, ptrdiff_t stride, int width, int height, const int16_t *weights, int radius, uint8_t *scratch) {
    // Between the passes values have 8 + MIDDLE_BITS = 14 bits. So the sum of two mirror images has 15 and every factor
    // fits 16 signed bits, which lets the compiler use the fast 16-bit multiplication.
    const ptrdiff_t across = up(width, PIXELS_LANES);
    int16_t *line = (int16_t *)(void *)scratch;
    int16_t *middle = line + padded(width, radius);
    const i32x16 half = (i32x16){0} + (1 << (WEIGHT_BITS - MIDDLE_BITS - 1));
    for (int y = 0; y < height; y++) {
        const uint8_t *from = plane + y * stride;
        for (int x = 0; x < width; x++) line[radius + x] = from[x];
        for (int k = 1; k <= radius; k++) {
            line[radius - k] = from[mirrored(-k, width)];
            line[radius + width - 1 + k] = from[mirrored(width - 1 + k, width)];
        }
        int16_t *to = middle + (radius + y) * across;
        for (ptrdiff_t x = 0; x < across; x += LANES) {
            i16x16 left, right;
            memcpy(&left, line + radius + x, sizeof left);
            i32x16 sum = half + __builtin_convertvector(left, i32x16) * WEIGHT(0);
            for (int k = 1; k <= radius; k++) {
                memcpy(&left, line + radius + x - k, sizeof left);
                memcpy(&right, line + radius + x + k, sizeof right);
                left += right;
                sum += __builtin_convertvector(left, i32x16) * WEIGHT(k);
            }
            const i16x16 value = __builtin_convertvector(sum >> (WEIGHT_BITS - MIDDLE_BITS), i16x16);
            memcpy(to + x, &value, sizeof value);
        }
    }
    for (int k = 1; k <= radius; k++) {
        memcpy(middle + (radius - k) * across, middle + (radius + mirrored(-k, height)) * across, (size_t)across * 2);
        memcpy(middle + (radius + height - 1 + k) * across,
               middle + (radius + mirrored(height - 1 + k, height)) * across, (size_t)across * 2);
    }
    const i32x16 half_down = (i32x16){0} + (1 << (WEIGHT_BITS + MIDDLE_BITS - 1));
    for (int y = 0; y < height; y++) {
        uint8_t *to = plane + y * stride;
        for (ptrdiff_t x = 0; x < across; x += LANES) {
            const int16_t *centre = middle + (radius + y) * across + x;
            i16x16 above, below;
            memcpy(&above, centre, sizeof above);
            i32x16 sum = half_down + __builtin_convertvector(above, i32x16) * WEIGHT(0);
            for (int k = 1; k <= radius; k++) {
                memcpy(&above, centre - k * across, sizeof above);
                memcpy(&below, centre + k * across, sizeof below);
                above += below;
                sum += __builtin_convertvector(above, i32x16) * WEIGHT(k);
            }
            i32x16 value = sum >> (WEIGHT_BITS + MIDDLE_BITS);
            value = __builtin_elementwise_min(value, (i32x16){0} + 255);
            const u8x16 bytes = __builtin_convertvector(value, u8x16);
            memcpy(to + x, &bytes, sizeof bytes);
        }
    }
}

FAST void pixels_sharpness(const uint8_t *source, ptrdiff_t stride, int width, int height, float factor, uint8_t *destination) {
    const float rest = 1.0f - factor;
    for (int y = 0; y < height; y++) {
        const uint8_t *restrict row = source + y * stride;
        uint8_t *restrict to = destination + y * stride;
        memcpy(to, row, (size_t)width);
        if (y == 0 || y == height - 1) continue;
        const uint8_t *restrict above = row - stride, *restrict below = row + stride;
        for (int x = 1; x < width - 1; x++) {
            const int32_t sum = above[x - 1] + above[x] + above[x + 1] + row[x - 1] + 5 * row[x] + row[x + 1]
                + below[x - 1] + below[x] + below[x + 1];
            const float smooth = (float)((2 * sum + 13) / 26);
            float value = (float)row[x] + rest * (smooth - (float)row[x]);
            value = value < 0.0f ? 0.0f : value;
            to[x] = (uint8_t)(int32_t)(value > 255.0f ? 255.0f : value);
        }
    }
}

INLINE uint8_t slope(const uint8_t *above, const uint8_t *row, const uint8_t *below, int l, int x, int r) {
    const int32_t gx = above[r] + 2 * row[r] + below[r] - above[l] - 2 * row[l] - below[l];
    const int32_t gy = below[l] + 2 * below[x] + below[r] - above[l] - 2 * above[x] - above[r];
    const float size = sqrtf((float)(gx * gx + gy * gy)) + 0.5f;
    return (uint8_t)(int32_t)(size > 255.0f ? 255.0f : size);
}

FAST void pixels_sobel(const uint8_t *source, ptrdiff_t stride, int width, int height, uint8_t *destination) {
    for (int y = 0; y < height; y++) {
        const uint8_t *row = source + y * stride;
        const uint8_t *above = source + mirrored(y - 1, height) * stride, *below = source + mirrored(y + 1, height) * stride;
        uint8_t *restrict to = destination + y * stride;
        to[0] = slope(above, row, below, 1, 0, 1);
        for (int x = 1; x < width - 1; x++) to[x] = slope(above, row, below, x - 1, x, x + 1);
        to[width - 1] = slope(above, row, below, width - 2, width - 1, width - 2);
    }
}
