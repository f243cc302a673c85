// WebP through libwebp. Transparency is dropped, not blended, as PIL's convert("RGB") has it.

#include "message.h"

#include <webp/decode.h>

static int fail(VP8StatusCode status, fovea_codec_message *message) {
    switch (status) {
    case VP8_STATUS_NOT_ENOUGH_DATA: return fovea_fail(message, "premature end of file");
    case VP8_STATUS_OUT_OF_MEMORY: return fovea_fail(message, "out of memory");
    case VP8_STATUS_UNSUPPORTED_FEATURE: return fovea_fail(message, "a kind of WebP that libwebp does not read");
    default: return fovea_fail(message, "broken data");
    }
}

int fovea_webp_info(const uint8_t *bytes, size_t count, fovea_image_info *info, fovea_codec_message *message) {
    WebPBitstreamFeatures features;
    VP8StatusCode status = WebPGetFeatures(bytes, count, &features);
    if (status != VP8_STATUS_OK) return fail(status, message);
    if (features.has_animation) return fovea_fail(message, "animated WebP is not supported: extract a frame");
    if (features.width <= 0 || features.height <= 0) return fovea_fail(message, "invalid sides in the header");
    *info = (fovea_image_info){(uint32_t)features.width, (uint32_t)features.height, 1};
    return 0;
}

int fovea_webp_decode(const uint8_t *bytes, size_t count, uint8_t *out, uint32_t width, uint32_t height,
                      fovea_codec_message *message) {
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config)) return fovea_fail(message, "libwebp is of another version than its headers");
    VP8StatusCode status = WebPGetFeatures(bytes, count, &config.input);
    if (status != VP8_STATUS_OK) return fail(status, message);
    if ((uint32_t)config.input.width != width || (uint32_t)config.input.height != height) {
        return fovea_fail(message, "the sides differ from the header's");
    }
    // WebP's sides end at 16383, so that a row's bytes fit an int.
    config.output.colorspace = MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = out;
    config.output.u.RGBA.stride = (int)(width * 3);
    config.output.u.RGBA.size = (size_t)width * height * 3;
    status = WebPDecode(bytes, count, &config);
    WebPFreeDecBuffer(&config.output);
    return status == VP8_STATUS_OK ? 0 : fail(status, message);
}
