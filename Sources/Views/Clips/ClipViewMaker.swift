/// What makes views of clips: of each sample only the frames that its views show are decoded.
///
/// A picture is taken for a clip of the least length that stands still.
public protocol ClipViewMaker: ViewMaker {
    /// Clips with fewer frames are left out.
    var leastFrames: Int { get }

    /// Which frames of a clip of `count` are needed, from nothing but the arguments; a frame may occur more than once.
    func frames(of count: Int, key: SampleKey) -> [Int]

    /// Fills one sample's outputs.
    /// - Parameters:
    ///   - frames: those that `frames(of:key:)` names, decoded.
    ///   - count: the clip's frames.
    func make(_ frames: [PixelImage], of count: Int, key: SampleKey, into outputs: OutputBuffers, scratch: inout Scratch)
}

extension ClipViewMaker {
    public func make(
        _ image: PixelImage, key: SampleKey, partners: any PartnerImages, into outputs: OutputBuffers, scratch: inout Scratch
    ) {
        let frames = [PixelImage](repeating: image, count: frames(of: leastFrames, key: key).count)
        make(frames, of: leastFrames, key: key, into: outputs, scratch: &scratch)
    }

    /// Of a clip whose frames can be read; what cannot is thrown.
    func make(_ clip: Clip, key: SampleKey, into outputs: OutputBuffers, scratch: inout Scratch) throws(ImageError) {
        var frames: [PixelImage] = []
        for frame in self.frames(of: clip.count, key: key) { frames.append(try clip.frame(frame, coveringAtLeast: decodeTarget)) }
        make(frames, of: clip.count, key: key, into: outputs, scratch: &scratch)
    }
}
