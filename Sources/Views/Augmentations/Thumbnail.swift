extension PixelImage {
    /// The whole image with its longer side at most `side` pixels; smaller images stay as they are.
    public func thumbnail(_ side: Int) -> PixelImage {
        max(width, height) <= side ? self : fitted(into: side, Canvas())
    }

    /// The whole image with its longer side exactly `side` pixels, by antialiased bicubic interpolation.
    func fitted(into side: Int, _ canvas: Canvas) -> PixelImage {
        let longer = max(width, height)
        let size = ImageSize(height: max(1, height * side / longer), width: max(1, width * side / longer))
        canvas.load(self, target: size)
        canvas.resize(to: size, .bicubic, antialias: true)
        return canvas.image()
    }
}
