import CCodecs

/// A codec of CCodecs, with its status and message turned into a typed error.
struct LinkedCodec {
    typealias Info = (UnsafePointer<UInt8>, Int, UnsafeMutablePointer<fovea_image_info>, UnsafeMutablePointer<fovea_codec_message>) -> Int32
    /// Bytes and their count; the divisor of both sides; where the pixels go, and the sides expected there.
    typealias Decode = (
        UnsafePointer<UInt8>, Int, Int32, UnsafeMutablePointer<UInt8>, UInt32, UInt32, UnsafeMutablePointer<fovea_codec_message>
    ) -> Int32

    let format: ImageFormat
    let info: Info
    let decode: Decode

    static var jpeg: LinkedCodec { LinkedCodec(format: .jpeg, info: fovea_jpeg_info, decode: fovea_jpeg_decode) }
    static var png: LinkedCodec {
        LinkedCodec(format: .png, info: fovea_png_info) { fovea_png_decode($0, $1, $3, $4, $5, $6) }
    }
    static var webp: LinkedCodec {
        LinkedCodec(format: .webp, info: fovea_webp_info) { fovea_webp_decode($0, $1, $3, $4, $5, $6) }
    }
    static var tiff: LinkedCodec {
        LinkedCodec(format: .tiff, info: fovea_tiff_info) { fovea_tiff_decode($0, $1, $3, $4, $5, $6) }
    }

    func header(_ bytes: UnsafeRawBufferPointer) throws(ImageError) -> ImageHeader {
        guard let first = bytes.assumingMemoryBound(to: UInt8.self).baseAddress else { throw .empty }
        var found = fovea_image_info()
        var message = fovea_codec_message()
        guard info(first, bytes.count, &found, &message) == 0 else { throw .corrupt(format: format, reason: message.string) }
        return ImageHeader(
            width: Int(found.width), height: Int(found.height), orientation: Orientation(rawValue: Int(found.orientation)) ?? .upright)
    }

    /// - Parameter divisor: 1, or for JPEG also 2, 4, 8: the sides are divided by it, rounded up.
    func pixels(_ bytes: UnsafeRawBufferPointer, header: ImageHeader, divisor: Int = 1) throws(ImageError) -> PixelImage {
        guard let first = bytes.assumingMemoryBound(to: UInt8.self).baseAddress else { throw .empty }
        let width = (header.width + divisor - 1) / divisor
        let height = (header.height + divisor - 1) / divisor
        var message = fovea_codec_message()
        var status: Int32 = 1
        let pixels = [UInt8](unsafeUninitializedCapacity: width * height * PixelImage.channels) { buffer, count in
            guard let out = buffer.baseAddress else { return }
            status = decode(first, bytes.count, Int32(divisor), out, UInt32(width), UInt32(height), &message)
            count = status == 0 ? width * height * PixelImage.channels : 0
        }
        guard status == 0 else { throw .corrupt(format: format, reason: message.string) }
        return PixelImage(width: width, height: height, pixels: pixels)
    }
}

extension fovea_codec_message {
    /// The text up to its NUL.
    var string: String {
        withUnsafeBytes(of: text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
