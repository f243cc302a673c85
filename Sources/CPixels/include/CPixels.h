#pragma once
// The pixel loops of Views. Images here are *planar*: three 8-bit planes one after the other, each `height` rows of
// `stride` bytes. The stride is a multiple of PIXELS_LANES and rows are followed by padding up to it; loops that work
// point by point run over the padding too, which is cheaper than minding it and harmless.
//
// All arithmetic is integer, or IEEE float without contraction, so that every processor gives the same bytes.
#include <stddef.h>
#include <stdint.h>

#define PIXELS_LANES 32

/// One axis of a separable resampling: output `i` is the sum of `count[i]` source samples from `first[i]`, with the
/// weights at `weights + i * capacity`, in units of 2^-shift.
typedef struct {
    int32_t outputs;
    int32_t capacity;
    int32_t shift;
    const int32_t *first;
    const int32_t *count;
    const int16_t *weights;
} pixels_taps;

// MARK: Resampling

/// The weights of `taps` source samples from `start` for an output at `centre`, divided by their sum: of Keys' kernel (a = −½) or
/// of a triangle, `1 / narrow` samples to the unit. Returns the largest magnitude.
double pixels_antialiased_weights(int cubic, double start, double centre, double narrow, int taps, double *weights);
/// Weights in fractions of `unit`, halves away from zero.
void pixels_fixed_weights(const double *weights, int count, double unit, int16_t *fixed);

/// Whether `pixels_resample` takes the loops that every processor has; for tests.
void pixels_use_portable_loops(int portable);

/// Bytes that `pixels_resample` needs to work in.
size_t pixels_resample_scratch(int channels, int columns, int rows, const pixels_taps *horizontal);

/// Resamples `columns` × `rows` samples of a source with `channels` interleaved channels (1 or 3) into `channels` planes:
/// first along x, rounded and clamped to 8 bits, then along y, which is the order of Pillow and torchvision.
/// Nothing outside the `columns` × `rows` samples is read. `source` and `destination` may not overlap.
void pixels_resample(const uint8_t *source, ptrdiff_t row_bytes, int channels, int columns, int rows,
                     const pixels_taps *horizontal, const pixels_taps *vertical, uint8_t *scratch,
                     uint8_t *destination, ptrdiff_t stride, ptrdiff_t plane);

// MARK: Layout

void pixels_deinterleave(const uint8_t *source, ptrdiff_t row_bytes, int width, int height,
                         uint8_t *destination, ptrdiff_t stride, ptrdiff_t plane);
void pixels_interleave(const uint8_t *source, ptrdiff_t stride, ptrdiff_t plane, int width, int height, uint8_t *destination);
/// Mirrors each row of one plane in place.
void pixels_mirror(uint8_t *plane, ptrdiff_t stride, int width, int height);
/// `destination[x][y] = source[y][x]` for one plane; strides may be negative.
void pixels_transpose(const uint8_t *source, ptrdiff_t source_stride, int width, int height,
                      uint8_t *destination, ptrdiff_t destination_stride);
/// `destination[y][x] = source[rint(m3·x + m4·y + m5)][rint(m0·x + m1·y + m2)]`, or `fill` where that lies outside.
void pixels_affine_nearest(const uint8_t *source, ptrdiff_t stride, ptrdiff_t plane, int width, int height,
                           const float matrix[6], uint8_t fill, uint8_t *destination);

// MARK: Colour. `count` is bytes of one plane, a multiple of PIXELS_LANES; `pixels` is the first of three planes.

/// `trunc(clamp(factor · x))`
void pixels_brightness(uint8_t *pixels, size_t count, float factor);
/// `trunc(clamp(factor · x + offset))`
void pixels_affine(uint8_t *pixels, size_t count, float factor, float offset);
/// `trunc(clamp(factor · x + (1 − factor) · grey(x)))`
void pixels_saturation(uint8_t *pixels, ptrdiff_t plane, size_t count, float factor);
/// Turns the hue by `turns` of a full circle, exact in float, truncated as torchvision's conversion to 8 bits.
void pixels_hue(uint8_t *pixels, ptrdiff_t plane, size_t count, float turns);
/// All three planes become `trunc(0.2989 R + 0.587 G + 0.114 B)`.
void pixels_grey(uint8_t *pixels, ptrdiff_t plane, size_t count);
/// The sum over the image of its grey values, without the padding.
uint64_t pixels_grey_sum(const uint8_t *pixels, ptrdiff_t plane, ptrdiff_t stride, int width, int height);
/// `x ≥ threshold ? 255 − x : x`; a threshold of 0 inverts.
void pixels_solarize(uint8_t *pixels, size_t count, int threshold);
void pixels_mask(uint8_t *pixels, size_t count, uint8_t mask);
void pixels_lookup(uint8_t *pixels, size_t count, const uint8_t table[256]);
void pixels_histogram(const uint8_t *plane, ptrdiff_t stride, int width, int height, uint32_t bins[256]);

// MARK: Neighbourhoods, one plane each, `destination` may not be `source`

/// Bytes that `pixels_blur` needs to work in.
size_t pixels_blur_scratch(int width, int height, int radius);
/// Convolution with the symmetric kernel `weights[radius] … weights[0] … weights[radius]` along both axes, mirrored at the
/// edges without repeating them, rounded once at the end. The kernel sums to 2^14. In place. `radius` < width and height.
void pixels_blur(uint8_t *plane, ptrdiff_t stride, int width, int height, const int16_t *weights, int radius, uint8_t *scratch);
/// `trunc(clamp(x + (1 − factor)(smooth(x) − x)))` with torchvision's 3 × 3 kernel (ones around a five); edges stay.
void pixels_sharpness(const uint8_t *source, ptrdiff_t stride, int width, int height, float factor, uint8_t *destination);
/// `round(min(255, √(gx² + gy²)))` of the 3 × 3 Sobel filters, mirrored at the edges. Width and height at least 2.
void pixels_sobel(const uint8_t *source, ptrdiff_t stride, int width, int height, uint8_t *destination);
/// `x + noise`, clamped.
void pixels_add(uint8_t *pixels, size_t count, const int16_t *noise);
