#pragma once

#include "CCodecs.h"

/// Writes one line into `message` (line breaks become spaces) and returns 1, so that callers can `return fovea_fail(…)`.
int fovea_fail(fovea_codec_message *message, const char *format, ...) __attribute__((format(printf, 2, 3)));

/// A growing buffer that encoders write to. `bytes` is NULL after a failed allocation.
typedef struct {
    uint8_t *bytes;
    size_t count, capacity;
} fovea_buffer;

/// Returns 0 when the bytes were added, 1 when memory ran out.
int fovea_buffer_append(fovea_buffer *buffer, const void *bytes, size_t count);
