#include "message.h"

#include <limits.h>
#include <string.h>

#include <zlib.h>

int fovea_gunzip(const uint8_t *bytes, size_t count, uint8_t *out, size_t capacity, size_t *written,
                 fovea_codec_message *message) {
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    if (inflateInit2(&stream, 15 + 16) != Z_OK) return fovea_fail(message, "out of memory");  // 16: with gzip's header

    size_t taken = 0, given = 0;
    int status = Z_OK;
    // zlib counts with unsigned int: feed it in portions.
    while (given < capacity && status != Z_STREAM_END) {
        uInt input = (uInt)(count - taken > INT_MAX ? INT_MAX : count - taken);
        uInt output = (uInt)(capacity - given > INT_MAX ? INT_MAX : capacity - given);
        stream.next_in = (Bytef *)(bytes + taken);
        stream.avail_in = input;
        stream.next_out = out + given;
        stream.avail_out = output;
        status = inflate(&stream, Z_NO_FLUSH);
        size_t consumed = input - stream.avail_in, produced = output - stream.avail_out;
        taken += consumed;
        given += produced;
        if (status == Z_STREAM_END) break;
        if (status != Z_OK || (consumed == 0 && produced == 0)) {
            fovea_fail(message, "%s", taken == count ? "premature end of file" : stream.msg ? stream.msg : "broken data");
            inflateEnd(&stream);
            return 1;
        }
    }
    inflateEnd(&stream);
    *written = given;
    return 0;
}
