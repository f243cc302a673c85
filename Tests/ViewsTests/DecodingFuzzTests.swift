import Testing

@testable import Views

/// Broken bytes must end in an error or in a picture of the header's size: never in a crash, a trap or a hang.
@Suite("Decoding broken files") struct DecodingFuzzTests {
    /// Small, so that a case which finds a large but plausible header does not spend seconds on it.
    let decoder = ImageDecoder(pixelLimit: 4_000_000)

    /// Returns whether a picture came out.
    private func survives(_ bytes: [UInt8], target: Int?, _ what: @autoclosure () -> String) -> Bool {
        do throws(ImageError) {
            let image = try decoder.decode(bytes, coveringAtLeast: target)
            let size = try decoder.size(of: bytes)
            if target == nil { #expect((image.width, image.height) == size, "\(what())") }
            #expect(image.pixels.count == image.width * image.height * 3)
            return true
        } catch {
            #expect(!error.description.isEmpty)
            return false
        }
    }

    @Test(arguments: DecodingFixtures.names) func mutated(_ name: String) throws {
        let whole = try DecodingFixtures.bytes(name)
        var numbers = FixedNumbers(state: name.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
        var refused = 0
        for round in 0..<60 {
            var bytes = whole
            switch round % 4 {
            case 0:  // a few bytes anywhere
                for _ in 0..<Int.random(in: 1...8, using: &numbers) {
                    bytes[Int.random(in: 0..<bytes.count, using: &numbers)] = UInt8.random(in: 0...255, using: &numbers)
                }
            case 1:  // an extreme value in the header
                let at = Int.random(in: 2..<min(bytes.count, 120), using: &numbers)
                bytes[at] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &numbers)!
            case 2:  // a part left out
                let at = Int.random(in: 0..<bytes.count, using: &numbers)
                bytes.removeSubrange(at..<min(bytes.count, at + Int.random(in: 1...40, using: &numbers)))
            default:  // cut off, with noise behind it
                bytes.removeLast(Int.random(in: 1..<bytes.count, using: &numbers))
                for _ in 0..<Int.random(in: 0...30, using: &numbers) { bytes.append(UInt8.random(in: 0...255, using: &numbers)) }
            }
            if !survives(bytes, target: round % 3 == 0 ? 2 : nil, "\(name), round \(round)") { refused += 1 }
        }
        #expect(refused > 5, "hardly anything was refused: are the files being broken at all?")
    }

    @Test func noiseBehindEachMagic() {
        let magics: [[UInt8]] = [
            [0xFF, 0xD8, 0xFF], [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], Array("RIFF0000WEBPVP8 ".utf8), [0x49, 0x49, 42, 0],
            [0x4D, 0x4D, 0, 43], Array("BM".utf8), Array("P1 ".utf8), Array("P4 3 3 ".utf8), Array("P6 3 3 255 ".utf8),
        ]
        var numbers = FixedNumbers(state: 99)
        for round in 0..<900 {
            let noise = (0..<Int.random(in: 0...200, using: &numbers)).map { _ in UInt8.random(in: 0...255, using: &numbers) }
            _ = survives(magics[round % magics.count] + noise, target: nil, "noise, round \(round)")
        }
    }
}

/// Numbers that are the same in every run (SplitMix64).
private struct FixedNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
