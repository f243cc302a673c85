// TIFF through libtiff: the first page, as 8-bit RGB.
//
// Grey, RGB and palette images of 8 or 16 bits in strips are read row by row here, because libtiff's RGBA reader blends
// unassociated alpha into the colours. Everything else (bilevel, fax, tiles, separate planes, YCbCr, CMYK, Lab, JPEG
// inside) goes through that reader.

#include "message.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tiffio.h>

#if TIFFLIB_VERSION >= 20221213
#define FOVEA_TIFF_HAS_OPTIONS 1
#endif

typedef struct {
    const uint8_t *bytes;
    uint64_t count, at;
    fovea_codec_message *message;
} memory_source;

static tmsize_t source_read(thandle_t handle, void *into, tmsize_t count) {
    memory_source *source = handle;
    if (count <= 0 || source->at >= source->count) return 0;
    uint64_t left = source->count - source->at;
    size_t taken = (uint64_t)count < left ? (size_t)count : (size_t)left;
    memcpy(into, source->bytes + source->at, taken);
    source->at += taken;
    return (tmsize_t)taken;
}

static tmsize_t source_write(thandle_t handle, void *from, tmsize_t count) {
    (void)handle, (void)from, (void)count;
    return 0;
}

static toff_t source_seek(thandle_t handle, toff_t offset, int whence) {
    memory_source *source = handle;
    uint64_t base = whence == SEEK_CUR ? source->at : whence == SEEK_END ? source->count : 0;
    source->at = base + offset;  // past the end is allowed: reading there gives nothing
    return source->at;
}

static int source_close(thandle_t handle) {
    (void)handle;
    return 0;
}

static toff_t source_size(thandle_t handle) { return ((memory_source *)handle)->count; }

/// The file is in memory already: libtiff reads it in place. (Besides, some builds of libtiff 4.5 refuse every uncompressed
/// tile that is not mapped, because they compare its size with that of a rounded-up buffer.)
static int source_map(thandle_t handle, void **base, toff_t *size) {
    memory_source *source = handle;
    *base = (void *)source->bytes;
    *size = source->count;
    return 1;
}

static void source_unmap(thandle_t handle, void *base, toff_t size) { (void)handle, (void)base, (void)size; }

#ifdef FOVEA_TIFF_HAS_OPTIONS
static int on_error(TIFF *tiff, void *user, const char *module, const char *format, va_list arguments) {
    (void)tiff, (void)module;
    fovea_codec_message *message = user;
    if (message->text[0]) return 1;  // the first error is the cause, the others follow from it
    char text[sizeof message->text];
    vsnprintf(text, sizeof text, format, arguments);
    fovea_fail(message, "%s", text);
    return 1;
}

static int on_warning(TIFF *tiff, void *user, const char *module, const char *format, va_list arguments) {
    (void)tiff, (void)user, (void)module, (void)format, (void)arguments;
    return 1;
}
#else
// libtiff before 4.5 has handlers for the whole process only: they are silenced once, and messages are general.
static void silence(void) {
    TIFFSetErrorHandler(NULL);
    TIFFSetWarningHandler(NULL);
}
#endif

static TIFF *open_memory(memory_source *source) {
    source->message->text[0] = 0;
#ifdef FOVEA_TIFF_HAS_OPTIONS
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options) return NULL;
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, source->message);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, NULL);
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)1 << 31);
    TIFF *tiff = TIFFClientOpenExt("image", "r", source, source_read, source_write, source_seek, source_close, source_size,
                                   source_map, source_unmap, options);
    TIFFOpenOptionsFree(options);
    return tiff;
#else
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, silence);
    return TIFFClientOpen("image", "r", source, source_read, source_write, source_seek, source_close, source_size, source_map,
                          source_unmap);
#endif
}

/// Ends a failed call: keeps what libtiff said, if it said anything.
static int finish_failed(TIFF *tiff, void *scratch, fovea_codec_message *message, const char *reason) {
    if (!message->text[0]) fovea_fail(message, "%s", reason);
    free(scratch);
    if (tiff) TIFFClose(tiff);
    return 1;
}

int fovea_tiff_info(const uint8_t *bytes, size_t count, fovea_image_info *info, fovea_codec_message *message) {
    memory_source source = {bytes, count, 0, message};
    TIFF *tiff = open_memory(&source);
    if (!tiff) return finish_failed(NULL, NULL, message, "no readable directory");
    uint32_t width = 0, height = 0;
    uint16_t orientation = 1;
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &orientation);
    if (width == 0 || height == 0) return finish_failed(tiff, NULL, message, "invalid sides in the header");
    TIFFClose(tiff);
    *info = (fovea_image_info){width, height, orientation >= 1 && orientation <= 8 ? orientation : 1};
    return 0;
}

typedef struct {
    uint16_t bits, samples, format, planes, photometric;
} layout;

static layout read_layout(TIFF *tiff) {
    layout l = {1, 1, SAMPLEFORMAT_UINT, PLANARCONFIG_CONTIG, PHOTOMETRIC_MINISBLACK};
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &l.bits);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &l.samples);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &l.format);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &l.planes);
    if (!TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &l.photometric)) l.photometric = UINT16_MAX;
    return l;
}

static int is_plain(TIFF *tiff, layout l) {
    if (TIFFIsTiled(tiff) || l.format != SAMPLEFORMAT_UINT || (l.bits != 8 && l.bits != 16)) return 0;
    if ((l.planes != PLANARCONFIG_CONTIG && l.samples != 1) || l.samples < 1 || l.samples > 16) return 0;
    switch (l.photometric) {
    case PHOTOMETRIC_MINISBLACK:
    case PHOTOMETRIC_MINISWHITE: return 1;
    case PHOTOMETRIC_RGB: return l.samples >= 3;
    case PHOTOMETRIC_PALETTE: return l.bits == 8;
    default: return 0;
    }
}

/// Rows of `l.samples` interleaved samples. Samples of 16 bits come in this machine's byte order; the high byte is kept.
static int read_plain(TIFF *tiff, layout l, uint8_t *out, uint32_t width, uint32_t height, fovea_codec_message *message) {
    size_t needed = (size_t)width * l.samples * (l.bits / 8);
    if ((uint64_t)TIFFScanlineSize64(tiff) != needed) return finish_failed(tiff, NULL, message, "rows of an odd length");
    uint16_t *colours[3] = {NULL, NULL, NULL};
    if (l.photometric == PHOTOMETRIC_PALETTE
        && !TIFFGetField(tiff, TIFFTAG_COLORMAP, &colours[0], &colours[1], &colours[2])) {
        return finish_failed(tiff, NULL, message, "no palette");
    }
    uint8_t *row = malloc(needed);
    if (!row) return finish_failed(tiff, NULL, message, "out of memory");
    for (uint32_t y = 0; y < height; y++) {
        if (TIFFReadScanline(tiff, row, y, 0) != 1) return finish_failed(tiff, row, message, "premature end of data");
        uint8_t *rgb = out + (size_t)y * width * 3;
        if (l.bits == 16) {
            const uint16_t *wide = (const uint16_t *)row;
            for (size_t i = 0; i < (size_t)width * l.samples; i++) row[i] = (uint8_t)(wide[i] >> 8);
        }
        const uint8_t *pixel = row;
        for (uint32_t x = 0; x < width; x++, pixel += l.samples, rgb += 3) {
            switch (l.photometric) {
            case PHOTOMETRIC_RGB: memcpy(rgb, pixel, 3); break;
            case PHOTOMETRIC_PALETTE:
                for (int c = 0; c < 3; c++) rgb[c] = (uint8_t)(colours[c][pixel[0]] >> 8);
                break;
            default: memset(rgb, l.photometric == PHOTOMETRIC_MINISWHITE ? 255 - pixel[0] : pixel[0], 3);
            }
        }
    }
    free(row);
    TIFFClose(tiff);
    return 0;
}

static int read_through_rgba(TIFF *tiff, uint8_t *out, uint32_t width, uint32_t height, fovea_codec_message *message) {
    char reason[1024] = "";
    TIFFRGBAImage image;
    if (!TIFFRGBAImageOK(tiff, reason) || !TIFFRGBAImageBegin(&image, tiff, 1, reason)) {
        return finish_failed(tiff, NULL, message, reason[0] ? reason : "a kind of TIFF that libtiff does not read");
    }
    image.req_orientation = image.orientation;  // no flips: the caller applies the orientation, as for every format
    uint32_t *raster = malloc((size_t)width * height * sizeof *raster);
    int read = raster && TIFFRGBAImageGet(&image, raster, width, height);
    TIFFRGBAImageEnd(&image);
    if (!read) return finish_failed(tiff, raster, message, raster ? "premature end of data" : "out of memory");
    for (size_t i = 0; i < (size_t)width * height; i++) {
        out[3 * i] = (uint8_t)TIFFGetR(raster[i]);
        out[3 * i + 1] = (uint8_t)TIFFGetG(raster[i]);
        out[3 * i + 2] = (uint8_t)TIFFGetB(raster[i]);
    }
    free(raster);
    TIFFClose(tiff);
    return 0;
}

int fovea_tiff_decode(const uint8_t *bytes, size_t count, uint8_t *out, uint32_t width, uint32_t height,
                      fovea_codec_message *message) {
    memory_source source = {bytes, count, 0, message};
    TIFF *tiff = open_memory(&source);
    if (!tiff) return finish_failed(NULL, NULL, message, "no readable directory");
    uint32_t storedWidth = 0, storedHeight = 0;
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &storedWidth);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &storedHeight);
    if (storedWidth != width || storedHeight != height) {
        return finish_failed(tiff, NULL, message, "the sides differ from the header's");
    }
    layout l = read_layout(tiff);
    return is_plain(tiff, l) ? read_plain(tiff, l, out, width, height, message)
                             : read_through_rgba(tiff, out, width, height, message);
}
