// JPEG through libjpeg-turbo's libjpeg interface.
//
// Not through TurboJPEG's: that keeps only the first warning's text, so an innocent warning (extraneous bytes) would hide
// one that means lost pixels, and its 2.x header call refuses unusual chroma subsampling.

#include "message.h"
#include "exif.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

/// Progressive files may repeat scans without end, at 2 bytes per scan and a whole pass over the image for each.
enum { maximumScans = 500 };

typedef struct {
    struct jpeg_error_mgr base;  // first: libjpeg knows only this part
    jmp_buf escape;
    fovea_codec_message *message;
} error_manager;

static void escape_with_library_text(j_common_ptr codec) {
    error_manager *errors = (error_manager *)codec->err;
    char text[JMSG_LENGTH_MAX];
    codec->err->format_message(codec, text);
    fovea_fail(errors->message, "%s", text);
    longjmp(errors->escape, 1);
}

static void escape(j_common_ptr codec, const char *reason) {
    error_manager *errors = (error_manager *)codec->err;
    fovea_fail(errors->message, "%s", reason);
    longjmp(errors->escape, 1);
}

static void on_message(j_common_ptr codec, int level) {
    if (level >= 0) return;
    switch (codec->err->msg_code) {
    // These lose pixels: libjpeg fills up with grey or with garbage and goes on.
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_JPEG_EOF:
        escape_with_library_text(codec);
    default:
        break;  // extraneous bytes, unknown JFIF revision, …
    }
}

static void print_nothing(j_common_ptr codec) { (void)codec; }

static struct jpeg_error_mgr *init_errors(error_manager *errors, fovea_codec_message *message) {
    jpeg_std_error(&errors->base);
    errors->base.error_exit = escape_with_library_text;
    errors->base.emit_message = on_message;
    errors->base.output_message = print_nothing;
    errors->message = message;
    return &errors->base;
}

typedef struct {
    struct jpeg_source_mgr base;  // first: libjpeg knows only this part
    int ended;
} memory_source;

static void source_begin(j_decompress_ptr codec) { (void)codec; }

/// Called when the file is used up. An end marker is given instead of more data: if pixels are still missing then the
/// entropy decoder says so (JWRN_HIT_MARKER), and if only the end marker is missing nothing is lost.
static boolean source_fill(j_decompress_ptr codec) {
    static const JOCTET end[2] = {0xFF, JPEG_EOI};
    ((memory_source *)codec->src)->ended = 1;
    codec->src->next_input_byte = end;
    codec->src->bytes_in_buffer = sizeof end;
    return TRUE;
}

static void source_skip(j_decompress_ptr codec, long count) {
    if (count <= 0) return;
    if ((size_t)count > codec->src->bytes_in_buffer) {
        source_fill(codec);
    } else {
        codec->src->next_input_byte += count;
        codec->src->bytes_in_buffer -= (size_t)count;
    }
}

static void source_end(j_decompress_ptr codec) { (void)codec; }

static void set_source(j_decompress_ptr codec, memory_source *source, const uint8_t *bytes, size_t count) {
    source->base.init_source = source_begin;
    source->base.fill_input_buffer = source_fill;
    source->base.skip_input_data = source_skip;
    source->base.resync_to_restart = jpeg_resync_to_restart;
    source->base.term_source = source_end;
    source->base.next_input_byte = bytes;
    source->base.bytes_in_buffer = count;
    source->ended = 0;
    codec->src = &source->base;
}

static void limit_scans(j_common_ptr codec) {
    if (codec->is_decompressor && ((j_decompress_ptr)codec)->input_scan_number > maximumScans) escape(codec, "too many scans");
}

static int saved_orientation(j_decompress_ptr codec) {
    for (jpeg_saved_marker_ptr marker = codec->marker_list; marker; marker = marker->next) {
        if (marker->marker != JPEG_APP0 + 1 || marker->data_length < 6 || memcmp(marker->data, "Exif\0\0", 6)) continue;
        return fovea_exif_orientation(marker->data + 6, marker->data_length - 6);
    }
    return 1;
}

int fovea_jpeg_info(const uint8_t *bytes, size_t count, fovea_image_info *info, fovea_codec_message *message) {
    struct jpeg_decompress_struct codec;
    memory_source source;
    error_manager errors;
    codec.err = init_errors(&errors, message);
    if (setjmp(errors.escape)) {
        jpeg_destroy_decompress(&codec);
        return 1;
    }
    jpeg_create_decompress(&codec);
    set_source(&codec, &source, bytes, count);
    jpeg_save_markers(&codec, JPEG_APP0 + 1, 0xFFFF);
    jpeg_read_header(&codec, TRUE);
    // Huffman coding spends at least a bit on each 8×8 block of the finest component (1024 pixels a bit at the oddest
    // sampling); a header that promises more than that would only make us allocate.
    if (!codec.arith_code && (uint64_t)codec.image_width * codec.image_height > (uint64_t)count * 8 * 1024) {
        escape((j_common_ptr)&codec, "the header promises more pixels than the file can hold");
    }
    info->width = codec.image_width;
    info->height = codec.image_height;
    info->orientation = saved_orientation(&codec);
    jpeg_destroy_decompress(&codec);
    return 0;
}

/// a·b / 255, rounded as PIL rounds it.
static inline unsigned scaled(unsigned a, unsigned b) {
    unsigned t = a * b + 128;
    return ((t >> 8) + t) >> 8;
}

/// Adobe's convention, which PIL and most viewers take every CMYK JPEG to follow: 0 is full ink.
static void rgb_from_inverted_cmyk(const uint8_t *cmyk, uint8_t *rgb, uint32_t width) {
    for (uint32_t x = 0; x < width; x++, cmyk += 4, rgb += 3) {
        unsigned light = cmyk[3];
        for (int c = 0; c < 3; c++) rgb[c] = (uint8_t)(light - scaled(255u - cmyk[c], light));
    }
}

int fovea_jpeg_decode(const uint8_t *bytes, size_t count, int denominator, uint8_t *out, uint32_t width, uint32_t height,
                      fovea_codec_message *message) {
    struct jpeg_decompress_struct codec;
    struct jpeg_progress_mgr progress;
    memory_source source;
    error_manager errors;
    codec.err = init_errors(&errors, message);
    if (setjmp(errors.escape)) {
        jpeg_destroy_decompress(&codec);
        return 1;
    }
    jpeg_create_decompress(&codec);
    set_source(&codec, &source, bytes, count);
    memset(&progress, 0, sizeof progress);
    progress.progress_monitor = limit_scans;
    codec.progress = &progress;
    jpeg_read_header(&codec, TRUE);

    int inks = codec.jpeg_color_space == JCS_CMYK || codec.jpeg_color_space == JCS_YCCK;
    codec.out_color_space = inks ? JCS_CMYK : JCS_RGB;
    codec.scale_num = 1;
    codec.scale_denom = (unsigned)denominator;
    jpeg_start_decompress(&codec);
    if (codec.output_width != width || codec.output_height != height || codec.output_components != (inks ? 4 : 3)) {
        escape((j_common_ptr)&codec, "the sides differ from the header's");
    }

    // From libjpeg's own pool, which is released whichever way this ends.
    uint8_t *inkRow = inks ? codec.mem->alloc_large((j_common_ptr)&codec, JPOOL_IMAGE, (size_t)width * 4) : NULL;
    while (codec.output_scanline < height) {
        uint8_t *rgb = out + (size_t)codec.output_scanline * width * 3;
        JSAMPROW row = inks ? inkRow : rgb;
        if (jpeg_read_scanlines(&codec, &row, 1) != 1) escape((j_common_ptr)&codec, "rows are missing");
        if (inks) rgb_from_inverted_cmyk(inkRow, rgb, width);
    }
    // Where one scan follows another nobody can tell how many should have come.
    if (source.ended && jpeg_has_multiple_scans(&codec)) escape((j_common_ptr)&codec, "premature end of file");
    jpeg_finish_decompress(&codec);
    jpeg_destroy_decompress(&codec);
    return 0;
}

int fovea_jpeg_encode(const uint8_t *rgb, uint32_t width, uint32_t height, int quality, uint8_t **encoded,
                      size_t *encodedCount, fovea_codec_message *message) {
    struct jpeg_compress_struct codec;
    error_manager errors;
    // Outlives a longjmp, which would leave changed local variables undefined.
    struct {
        unsigned char *bytes;
        unsigned long count;
    } volatile destination = {NULL, 0};
    codec.err = init_errors(&errors, message);
    if (setjmp(errors.escape)) {
        jpeg_destroy_compress(&codec);
        free(destination.bytes);
        return 1;
    }
    jpeg_create_compress(&codec);
    jpeg_mem_dest(&codec, (unsigned char **)&destination.bytes, (unsigned long *)&destination.count);
    codec.image_width = width;
    codec.image_height = height;
    codec.input_components = 3;
    codec.in_color_space = JCS_RGB;
    jpeg_set_defaults(&codec);
    jpeg_set_quality(&codec, quality, TRUE);
    jpeg_start_compress(&codec, TRUE);
    while (codec.next_scanline < height) {
        JSAMPROW row = (JSAMPROW)(rgb + (size_t)codec.next_scanline * width * 3);
        jpeg_write_scanlines(&codec, &row, 1);
    }
    jpeg_finish_compress(&codec);
    jpeg_destroy_compress(&codec);
    *encoded = destination.bytes;
    *encodedCount = destination.count;
    return 0;
}
