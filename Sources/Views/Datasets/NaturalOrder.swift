/// The order in which people count: img2 before img10. Bytes otherwise, so that no locale has a say.
enum NaturalOrder {
    static func precedes(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Bool {
        var (i, j) = (0, 0)
        while i < a.count, j < b.count {
            if isDigit(a[i]), isDigit(b[j]) {
                let (startA, startB) = (skipZeros(a, from: i), skipZeros(b, from: j))
                (i, j) = (skipDigits(a, from: startA), skipDigits(b, from: startB))
                // Without leading zeros, a longer number is a greater one.
                if i - startA != j - startB { return i - startA < j - startB }
                for offset in 0..<i - startA where a[startA + offset] != b[startB + offset] {
                    return a[startA + offset] < b[startB + offset]
                }
            } else {
                if a[i] != b[j] { return a[i] < b[j] }
                i += 1
                j += 1
            }
        }
        if (i < a.count) != (j < b.count) { return j < b.count }
        // Equal but for leading zeros: different names must still have an order.
        return a.lexicographicallyPrecedes(b)
    }

    static func precedes(_ a: String, _ b: String) -> Bool {
        var (a, b) = (a, b)
        return a.withUTF8 { first in b.withUTF8 { precedes(first, $0) } }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }

    private static func skipZeros(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        var at = start
        while at < text.count, text[at] == 48 { at += 1 }
        return at
    }

    private static func skipDigits(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        var at = start
        while at < text.count, isDigit(text[at]) { at += 1 }
        return at
    }
}
