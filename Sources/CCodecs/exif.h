#pragma once

#include <stddef.h>
#include <stdint.h>

/// The orientation (1 … 8) in a block of EXIF data that starts with its TIFF header; 1 when there is none or it is broken.
int fovea_exif_orientation(const uint8_t *bytes, size_t count);
