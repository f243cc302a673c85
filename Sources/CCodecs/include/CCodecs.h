// Image codecs behind one shape: bytes in, 8-bit RGB rows out, a status and one line of text when it went wrong.
//
// Rules for every function here:
//  - no global state: any number of threads may call at once;
//  - no library's error path (longjmp, handlers that print) crosses this header;
//  - `out` is exactly width × height × 3 bytes, where width and height are those that the codec's `info` function gave
//    for the same bytes. A decoder that finds other sides reports an error and writes nothing outside `out`.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// One line that says what is wrong with the file; ends in NUL, empty when nothing was said.
typedef struct {
    char text[200];
} fovea_codec_message;

/// What a header says, before anything is allocated for its pixels.
typedef struct {
    uint32_t width;   ///< pixels, as stored: before the orientation is applied
    uint32_t height;  ///< pixels, as stored
    int orientation;  ///< EXIF orientation, 1 … 8; 1 when there is none
} fovea_image_info;

/// All functions return 0 when they succeeded and anything else when they filled `message`.

int fovea_jpeg_info(const uint8_t *bytes, size_t count, fovea_image_info *info, fovea_codec_message *message);
/// `denominator`: 1, 2, 4 or 8. The sides of `out` are those of the header divided by it, rounded up (scaling happens in
/// the inverse DCT, so that the left-out pixels are never computed).
int fovea_jpeg_decode(const uint8_t *bytes, size_t count, int denominator, uint8_t *out, uint32_t width, uint32_t height,
                      fovea_codec_message *message);
/// `quality`: 1 … 100. On success `*encoded` holds `*encodedCount` bytes, to be released with `fovea_codec_free`.
int fovea_jpeg_encode(const uint8_t *rgb, uint32_t width, uint32_t height, int quality, uint8_t **encoded,
                      size_t *encodedCount, fovea_codec_message *message);

int fovea_png_info(const uint8_t *bytes, size_t count, fovea_image_info *info, fovea_codec_message *message);
int fovea_png_decode(const uint8_t *bytes, size_t count, uint8_t *out, uint32_t width, uint32_t height,
                     fovea_codec_message *message);
/// On success `*encoded` holds `*encodedCount` bytes, to be released with `fovea_codec_free`.
int fovea_png_encode(const uint8_t *rgb, uint32_t width, uint32_t height, uint8_t **encoded, size_t *encodedCount,
                     fovea_codec_message *message);

int fovea_webp_info(const uint8_t *bytes, size_t count, fovea_image_info *info, fovea_codec_message *message);
int fovea_webp_decode(const uint8_t *bytes, size_t count, uint8_t *out, uint32_t width, uint32_t height,
                      fovea_codec_message *message);

int fovea_tiff_info(const uint8_t *bytes, size_t count, fovea_image_info *info, fovea_codec_message *message);
int fovea_tiff_decode(const uint8_t *bytes, size_t count, uint8_t *out, uint32_t width, uint32_t height,
                      fovea_codec_message *message);

/// Inflates a gzip file until `out` is full or the data end; `*written` bytes were produced. Stopping because `out` is
/// full is a success: a caller may look at a header without inflating what follows it.
int fovea_gunzip(const uint8_t *bytes, size_t count, uint8_t *out, size_t capacity, size_t *written,
                 fovea_codec_message *message);

/// Releases what an encoder returned.
void fovea_codec_free(uint8_t *encoded);

#ifdef __cplusplus
}
#endif
