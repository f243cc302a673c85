// Operations on single pixels, with the arithmetic of torchvision.transforms.v2.functional on uint8 tensors: float
// products, clamped, truncated.
#include "CPixels.h"
#include "Dispatch.h"

INLINE uint8_t truncated(float value) {
    value = value < 0.0f ? 0.0f : value;
    value = value > 255.0f ? 255.0f : value;
    return (uint8_t)(int32_t)value;
}

// 0.2989 R + 0.587 G + 0.114 B, rounded down: torchvision's weights in units of 2^-16. They sum to 0.9999, so white is 254.
INLINE uint8_t grey(uint8_t red, uint8_t green, uint8_t blue) {
    return (uint8_t)((19589u * red + 38470u * green + 7471u * blue) >> 16);
}

FAST void pixels_brightness(uint8_t *pixels, size_t count, float factor) {
    count &= ~(size_t)(PIXELS_LANES - 1);
    for (size_t i = 0; i < count; i++) {
        float value = (float)pixels[i] * factor;
        value = value > 255.0f ? 255.0f : value;
        pixels[i] = (uint8_t)(int32_t)value;
    }
}

FAST void pixels_affine(uint8_t *pixels, size_t count, float factor, float offset) {
    count &= ~(size_t)(PIXELS_LANES - 1);
    for (size_t i = 0; i < count; i++) pixels[i] = truncated((float)pixels[i] * factor + offset);
}

FAST void pixels_saturation(uint8_t *pixels, ptrdiff_t plane, size_t count, float factor) {
    uint8_t *restrict red = pixels, *restrict green = pixels + plane, *restrict blue = pixels + 2 * plane;
    const float rest = 1.0f - factor;
    count &= ~(size_t)(PIXELS_LANES - 1);
    for (size_t i = 0; i < count; i++) {
        const float offset = rest * (float)grey(red[i], green[i], blue[i]);
        red[i] = truncated((float)red[i] * factor + offset);
        green[i] = truncated((float)green[i] * factor + offset);
        blue[i] = truncated((float)blue[i] * factor + offset);
    }
}

// A channel of a colour with hue h (in sixths), largest value v and range d is
//     v − d · clamp(min(k, 4 − k), 0, 1),   k = (n + h) mod 6,   n = 5, 3, 1 for R, G, B,
// which is torchvision's hsv → rgb without its cases. torchvision works in [0, 1] and multiplies by 255.999 at the end.
INLINE uint8_t channel(float n, float hue, float value, float range) {
    float k = n + hue;
    k = k >= 6.0f ? k - 6.0f : k;
    float t = k < 4.0f - k ? k : 4.0f - k;
    t = t < 0.0f ? 0.0f : t;
    t = t > 1.0f ? 1.0f : t;
    return (uint8_t)(int32_t)((value - range * t) * (255.999f / 255.0f));
}

FAST void pixels_hue(uint8_t *pixels, ptrdiff_t plane, size_t count, float turns) {
    uint8_t *restrict red = pixels, *restrict green = pixels + plane, *restrict blue = pixels + 2 * plane;
    count &= ~(size_t)(PIXELS_LANES - 1);
    // Hues are kept in [0, 6): the sum of one from the pixel and one from here is wrapped once.
    const float shift = (turns < 0.0f ? turns + 1.0f : turns) * 6.0f;
    for (size_t i = 0; i < count; i++) {
        const int32_t r = red[i], g = green[i], b = blue[i];
        const int32_t most_gb = g > b ? g : b, least_gb = g < b ? g : b;
        const int32_t most = r > most_gb ? r : most_gb, least = r < least_gb ? r : least_gb;
        const int32_t range = most - least;
        const int32_t difference = most == r ? g - b : most == g ? b - r : r - g;
        const float sector = most == r ? 0.0f : most == g ? 2.0f : 4.0f;
        float hue = sector + (float)difference / (float)(range == 0 ? 1 : range);
        hue = (hue < 0.0f ? hue + 6.0f : hue) + shift;
        hue = hue >= 6.0f ? hue - 6.0f : hue;
        red[i] = channel(5.0f, hue, (float)most, (float)range);
        green[i] = channel(3.0f, hue, (float)most, (float)range);
        blue[i] = channel(1.0f, hue, (float)most, (float)range);
    }
}

FAST void pixels_grey(uint8_t *pixels, ptrdiff_t plane, size_t count) {
    uint8_t *restrict red = pixels, *restrict green = pixels + plane, *restrict blue = pixels + 2 * plane;
    count &= ~(size_t)(PIXELS_LANES - 1);
    for (size_t i = 0; i < count; i++) red[i] = green[i] = blue[i] = grey(red[i], green[i], blue[i]);
}

FAST uint64_t pixels_grey_sum(const uint8_t *pixels, ptrdiff_t plane, ptrdiff_t stride, int width, int height) {
    uint64_t total = 0;
    for (int y = 0; y < height; y++) {
        const uint8_t *red = pixels + y * stride, *green = red + plane, *blue = green + plane;
        uint32_t sum = 0;
        for (int x = 0; x < width; x++) sum += grey(red[x], green[x], blue[x]);
        total += sum;
    }
    return total;
}

FAST void pixels_solarize(uint8_t *pixels, size_t count, int threshold) {
    count &= ~(size_t)(PIXELS_LANES - 1);
    if (threshold > 255) return;
    const uint8_t limit = threshold < 0 ? 0 : (uint8_t)threshold;
    for (size_t i = 0; i < count; i++) pixels[i] = pixels[i] >= limit ? (uint8_t)(255 - pixels[i]) : pixels[i];
}

FAST void pixels_mask(uint8_t *pixels, size_t count, uint8_t mask) {
    count &= ~(size_t)(PIXELS_LANES - 1);
    for (size_t i = 0; i < count; i++) pixels[i] &= mask;
}

FAST void pixels_lookup(uint8_t *pixels, size_t count, const uint8_t table[256]) {
    for (size_t i = 0; i < count; i++) pixels[i] = table[pixels[i]];
}

void pixels_histogram(const uint8_t *plane, ptrdiff_t stride, int width, int height, uint32_t bins[256]) {
    for (int i = 0; i < 256; i++) bins[i] = 0;
    for (int y = 0; y < height; y++) {
        const uint8_t *row = plane + y * stride;
        for (int x = 0; x < width; x++) bins[row[x]]++;
    }
}

FAST void pixels_add(uint8_t *pixels, size_t count, const int16_t *restrict noise) {
    count &= ~(size_t)(PIXELS_LANES - 1);
    for (size_t i = 0; i < count; i++) {
        int32_t value = (int32_t)pixels[i] + noise[i];
        value = value < 0 ? 0 : value;
        pixels[i] = (uint8_t)(value > 255 ? 255 : value);
    }
}
