// PNG through libpng: every kind becomes 8-bit RGB. Transparency is dropped, not blended, and 16 bits keep their high byte,
// as PIL's convert("RGB") has it.

#include "message.h"

#include <setjmp.h>
#include <string.h>

#include <png.h>

typedef struct {
    const uint8_t *bytes;
    size_t count, at;
    fovea_codec_message *message;
} memory_source;

static void on_error(png_structp png, png_const_charp text) {
    fovea_fail(((memory_source *)png_get_error_ptr(png))->message, "%s", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text) { (void)png, (void)text; }

static void source_read(png_structp png, png_bytep into, size_t count) {
    memory_source *source = png_get_io_ptr(png);
    if (source->count - source->at < count) png_error(png, "premature end of file");
    memcpy(into, source->bytes + source->at, count);
    source->at += count;
}

static uint32_t big_endian(const uint8_t *at) { return (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3]; }

/// From the header chunk alone (PNG specification, 11.2.2): libpng would read, and unpack, all that comes before the pixels.
int fovea_png_info(const uint8_t *bytes, size_t count, fovea_image_info *info, fovea_codec_message *message) {
    if (count < 33 || png_sig_cmp(bytes, 0, 8) || big_endian(bytes + 8) != 13 || memcmp(bytes + 12, "IHDR", 4)) {
        return fovea_fail(message, "no header");
    }
    uint32_t width = big_endian(bytes + 16), height = big_endian(bytes + 20);
    if (width == 0 || height == 0 || width > PNG_UINT_31_MAX || height > PNG_UINT_31_MAX) {
        return fovea_fail(message, "invalid sides in the header");
    }
    int depth = bytes[24], colour = bytes[25];
    int channels = colour == 2 ? 3 : colour == 6 ? 4 : colour == 4 ? 2 : 1;
    // Deflate packs at most 1032 to 1; a header that promises more would only make us allocate.
    unsigned __int128 bits = (unsigned __int128)width * height * (unsigned)(depth * channels);
    if (bits / 8 > (unsigned __int128)count * 1032) {
        return fovea_fail(message, "the header promises more pixels than the file can hold");
    }
    *info = (fovea_image_info){width, height, 1};
    return 0;
}

int fovea_png_decode(const uint8_t *bytes, size_t count, uint8_t *out, uint32_t width, uint32_t height,
                     fovea_codec_message *message) {
    memory_source source = {bytes, count, 0, message};
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, on_error, on_warning);
    if (!png) return fovea_fail(message, "out of memory");
    png_infop volatile info = NULL;
    if (setjmp(png_jmpbuf(png))) {
        png_destroy_read_struct(&png, (png_infopp)&info, NULL);
        return 1;
    }
    info = png_create_info_struct(png);
    if (!info) png_error(png, "out of memory");
    png_set_read_fn(png, &source, source_read);
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // the caller has checked the number of pixels
#ifdef PNG_HANDLE_AS_UNKNOWN_SUPPORTED
    // Colour profiles and texts are not used: do not spend time on unpacking them, nor fail on broken ones.
    static const png_byte ignored[] = "iCCP\0cHRM\0gAMA\0sRGB\0tEXt\0zTXt\0iTXt\0eXIf\0hIST\0sPLT\0tIME\0pHYs";
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, ignored, (int)(sizeof ignored / 5));
#endif
    png_read_info(png, info);

    png_set_palette_to_rgb(png);
    png_set_expand_gray_1_2_4_to_8(png);
    png_set_gray_to_rgb(png);
    png_set_strip_16(png);
    png_set_strip_alpha(png);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    if (png_get_image_width(png, info) != width || png_get_image_height(png, info) != height
        || png_get_rowbytes(png, info) != (size_t)width * 3) {
        png_error(png, "the sides differ from the header's");
    }
    for (int pass = 0; pass < passes; pass++) {
        for (uint32_t y = 0; y < height; y++) png_read_row(png, out + (size_t)y * width * 3, NULL);
    }
    png_read_end(png, NULL);
    png_destroy_read_struct(&png, (png_infopp)&info, NULL);
    return 0;
}

typedef struct {
    fovea_buffer buffer;
    fovea_codec_message *message;
} memory_destination;

static void on_write_error(png_structp png, png_const_charp text) {
    fovea_fail(((memory_destination *)png_get_error_ptr(png))->message, "%s", text);
    png_longjmp(png, 1);
}

static void destination_write(png_structp png, png_bytep bytes, size_t count) {
    memory_destination *destination = png_get_io_ptr(png);
    if (fovea_buffer_append(&destination->buffer, bytes, count)) png_error(png, "out of memory");
}

static void destination_flush(png_structp png) { (void)png; }

int fovea_png_encode(const uint8_t *rgb, uint32_t width, uint32_t height, uint8_t **encoded, size_t *encodedCount,
                     fovea_codec_message *message) {
    memory_destination destination = {{NULL, 0, 0}, message};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &destination, on_write_error, on_warning);
    if (!png) return fovea_fail(message, "out of memory");
    png_infop volatile info = NULL;
    if (setjmp(png_jmpbuf(png))) {
        png_destroy_write_struct(&png, (png_infopp)&info);
        fovea_codec_free(destination.buffer.bytes);
        return 1;
    }
    info = png_create_info_struct(png);
    if (!info) png_error(png, "out of memory");
    png_set_write_fn(png, &destination, destination_write, destination_flush);
    png_set_IHDR(png, info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (uint32_t y = 0; y < height; y++) png_write_row(png, rgb + (size_t)y * width * 3);
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, (png_infopp)&info);
    *encoded = destination.buffer.bytes;
    *encodedCount = destination.buffer.count;
    return 0;
}
