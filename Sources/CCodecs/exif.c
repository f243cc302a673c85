#include "exif.h"

static uint32_t number(const uint8_t *at, int size, int bigEndian) {
    uint32_t value = 0;
    for (int i = 0; i < size; i++) value = value << 8 | at[bigEndian ? i : size - 1 - i];
    return value;
}

int fovea_exif_orientation(const uint8_t *bytes, size_t count) {
    if (count < 8) return 1;
    int bigEndian;
    if (bytes[0] == 'I' && bytes[1] == 'I') bigEndian = 0;
    else if (bytes[0] == 'M' && bytes[1] == 'M') bigEndian = 1;
    else return 1;
    if (number(bytes + 2, 2, bigEndian) != 42) return 1;

    size_t directory = number(bytes + 4, 4, bigEndian);
    if (directory > count - 2) return 1;
    size_t entries = number(bytes + directory, 2, bigEndian);
    for (size_t i = 0; i < entries; i++) {
        size_t entry = directory + 2 + 12 * i;
        if (entry + 12 > count) return 1;
        const uint8_t *at = bytes + entry;
        if (number(at, 2, bigEndian) != 0x0112) continue;
        // SHORT as the standard says; LONG because some writers use it.
        uint32_t type = number(at + 2, 2, bigEndian);
        uint32_t value = type == 3 ? number(at + 8, 2, bigEndian) : type == 4 ? number(at + 8, 4, bigEndian) : 0;
        return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}
