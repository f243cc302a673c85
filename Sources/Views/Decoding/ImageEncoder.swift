import CCodecs

/// Writes images for reports and tests.
public enum ImageEncoder {
    /// `image` as an 8-bit RGB PNG, without loss.
    public static func png(_ image: PixelImage) -> [UInt8] {
        do throws(ImageError) {
            return try encode(image, as: .png) { fovea_png_encode($0, $1, $2, $3, $4, $5) }
        } catch {
            // Any picture fits the format: only memory can fail here.
            fatalError("png: \(error)")
        }
    }

    /// `image` as a baseline JPEG with halved chroma.
    ///
    /// - Parameter quality: 1 … 100, libjpeg's scale; values outside are clamped.
    /// - Throws: ``ImageError/corrupt(format:reason:)`` when a side is longer than JPEG can say (65500 pixels).
    public static func jpeg(_ image: PixelImage, quality: Int = 90) throws(ImageError) -> [UInt8] {
        let quality = Int32(min(max(quality, 1), 100))
        return try encode(image, as: .jpeg) { fovea_jpeg_encode($0, $1, $2, quality, $3, $4, $5) }
    }

    private typealias Encode = (
        UnsafePointer<UInt8>, UInt32, UInt32, UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>, UnsafeMutablePointer<Int>,
        UnsafeMutablePointer<fovea_codec_message>
    ) -> Int32

    private static func encode(_ image: PixelImage, as format: ImageFormat, _ call: Encode) throws(ImageError) -> [UInt8] {
        var message = fovea_codec_message()
        var encoded: UnsafeMutablePointer<UInt8>?
        var count = 0
        let status = image.pixels.withUnsafeBufferPointer { rgb in
            call(rgb.baseAddress!, UInt32(image.width), UInt32(image.height), &encoded, &count, &message)
        }
        guard status == 0, let encoded else { throw .corrupt(format: format, reason: message.string) }
        defer { fovea_codec_free(encoded) }
        return Array(UnsafeBufferPointer(start: encoded, count: count))
    }
}
