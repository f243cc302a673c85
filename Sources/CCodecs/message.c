#include "message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int fovea_fail(fovea_codec_message *message, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message->text, sizeof message->text, format, arguments);
    va_end(arguments);
    for (char *c = message->text; *c; c++) {
        // Texts come from the libraries and may quote the file: keep them printable and on one line.
        if (*c < 32 || *c > 126) *c = ' ';
    }
    return 1;
}

int fovea_buffer_append(fovea_buffer *buffer, const void *bytes, size_t count) {
    if (buffer->capacity - buffer->count < count) {
        size_t capacity = buffer->capacity ? buffer->capacity * 2 : 16384;
        while (capacity - buffer->count < count) capacity *= 2;
        uint8_t *grown = realloc(buffer->bytes, capacity);
        if (!grown) return 1;
        buffer->bytes = grown;
        buffer->capacity = capacity;
    }
    memcpy(buffer->bytes + buffer->count, bytes, count);
    buffer->count += count;
    return 0;
}

void fovea_codec_free(uint8_t *encoded) { free(encoded); }
