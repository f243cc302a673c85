// Moving pixels about: between interleaved and planar, mirrored, along an affine map.
#include "CPixels.h"
#include "Dispatch.h"
#include <math.h>
#include <string.h>

FAST void pixels_deinterleave(const uint8_t *source, ptrdiff_t row_bytes, int width, int height,
                              uint8_t *destination, ptrdiff_t stride, ptrdiff_t plane) {
    for (int y = 0; y < height; y++) {
        const uint8_t *restrict from = source + y * row_bytes;
        uint8_t *restrict red = destination + y * stride;
        uint8_t *restrict green = red + plane;
        uint8_t *restrict blue = green + plane;
        for (int x = 0; x < width; x++) {
            red[x] = from[3 * x];
            green[x] = from[3 * x + 1];
            blue[x] = from[3 * x + 2];
        }
    }
}

FAST void pixels_interleave(const uint8_t *source, ptrdiff_t stride, ptrdiff_t plane, int width, int height, uint8_t *destination) {
    for (int y = 0; y < height; y++) {
        const uint8_t *restrict red = source + y * stride;
        const uint8_t *restrict green = red + plane;
        const uint8_t *restrict blue = green + plane;
        uint8_t *restrict to = destination + (ptrdiff_t)y * width * 3;
        for (int x = 0; x < width; x++) {
            to[3 * x] = red[x];
            to[3 * x + 1] = green[x];
            to[3 * x + 2] = blue[x];
        }
    }
}

FAST void pixels_mirror(uint8_t *plane, ptrdiff_t stride, int width, int height) {
    for (int y = 0; y < height; y++) {
        uint8_t *left = plane + y * stride, *right = left + width - 1;
        for (; left < right; left++, right--) {
            const uint8_t value = *left;
            *left = *right;
            *right = value;
        }
    }
}

FAST void pixels_affine_nearest(const uint8_t *source, ptrdiff_t stride, ptrdiff_t plane, int width, int height,
                                const float matrix[6], uint8_t fill, uint8_t *destination) {
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            // rintf rounds halves to even, as grid_sample's nearest does.
            const float u = rintf(matrix[0] * (float)x + matrix[1] * (float)y + matrix[2]);
            const float v = rintf(matrix[3] * (float)x + matrix[4] * (float)y + matrix[5]);
            const int inside = u >= 0 && v >= 0 && u < (float)width && v < (float)height;
            const ptrdiff_t from = inside ? (ptrdiff_t)v * stride + (ptrdiff_t)u : 0;
            uint8_t *to = destination + y * stride + x;
            to[0] = inside ? source[from] : fill;
            to[plane] = inside ? source[from + plane] : fill;
            to[2 * plane] = inside ? source[from + 2 * plane] : fill;
        }
    }
}
