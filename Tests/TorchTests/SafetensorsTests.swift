import Files
import Foundation
import TestSupport
import Testing

@testable import Torch

@Suite struct SafetensorsTests {
    @Test func readsWhatPythonWrote() throws {
        let content = try Safetensors.read(ReferenceValues.path("every_type"))
        #expect(content.metadata == ["format": "pt", "note": "quote \" and umlaut ü"])
        let numbers = (0..<12).map { $0 * 3 + 1 }
        for type in DataType.allCases where type != .bool {
            expectSame(try #require(content.tensors["\(type)"]), Tensor(numbers, [3, 4]).to(type), "\(type)")
        }
        expectSame(try #require(content.tensors["bool"]), Tensor([true, false, false, true, true]))
        expectSame(try #require(content.tensors["empty"]), Tensor([Float](), [0, 3]))
        expectSame(try #require(content.tensors["scalar"]), Tensor(scalar: Float(2.5)))
        expectSame(try #require(content.tensors["näme/with.odd \"characters\" 例"]), Tensor([Int16(1), -2]))
        #expect(content.tensors.count == 13)
    }

    private static func everyType() -> StateDict {
        var tensors: StateDict = [
            "empty": Tensor([Float](), [2, 0, 3]), "scalar": Tensor(scalar: 1.25), "one": Tensor(scalar: true),
            "turned": Tensor.arange(24).reshaped(2, 3, 4).permuted(2, 0, 1),
            "special": Tensor([Float.nan, .infinity, -.infinity, -0.0, .leastNonzeroMagnitude]),
            "quote \" back\\slash / new\nline ü 例 : {": Tensor([Int8(-1)]), "": Tensor([UInt8(9)]),
            "channels": Tensor.arange(48, .float32).reshaped(2, 3, 2, 4).contiguous(.channelsLast),
        ]
        for type in DataType.allCases { tensors["\(type)"] = Tensor([0, 1, 0, 1, 1, 0], [3, 2]).to(type) }
        return tensors
    }

    @Test func roundTrip() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/all.safetensors"
            let tensors = Self.everyType()
            let metadata = ["format": "pt", "a \"quoted\" key": "multi\nline, ü"]
            try Safetensors.write(tensors, metadata: metadata, to: path)
            let content = try Safetensors.read(path)
            #expect(content.metadata == metadata && content.tensors.count == tensors.count)
            for (key, tensor) in tensors { expectSame(try #require(content.tensors[key]), tensor, "\(key)") }
            // Equal content, equal bytes.
            let bytes = try contents(of: path)
            try Safetensors.write(content.tensors, metadata: metadata, to: path)
            #expect(try contents(of: path) == bytes)
            #expect(try names(in: folder) == ["all.safetensors"])
            try Safetensors.write([:], to: path)
            #expect(try Safetensors.read(path).tensors.isEmpty && Safetensors.read(path).metadata.isEmpty)
        }
    }

    /// By the format's own words: little-endian length, a JSON object that begins with a brace, offsets without holes.
    @Test func structureIsTheFormats() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/x.safetensors"
            try Safetensors.write(["b": Tensor([Float(1), 2]), "a": Tensor([UInt8(7)])], metadata: ["k": "v"], to: path)
            let bytes = try contents(of: path)
            let length = bytes[0..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
            #expect(length % 8 == 0 && bytes[8] == UInt8(ascii: "{"))
            let header = String(decoding: bytes[8..<8 + length], as: UTF8.self).trimmingCharacters(in: CharacterSet(charactersIn: " "))
            #expect(
                header == #"{"__metadata__":{"k":"v"},"a":{"data_offsets":[8,9],"dtype":"U8","shape":[1]},"#
                    + #""b":{"data_offsets":[0,8],"dtype":"F32","shape":[2]}}"#)
            #expect(bytes[(8 + length)...] == [0, 0, 128, 63, 0, 0, 0, 64, 7])
        }
    }

    /// Whoever maps the file finds every tensor at a multiple of its element's size.
    @Test func tensorsAreAligned() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/x.safetensors"
            try Safetensors.write(Self.everyType(), to: path)
            let bytes = try contents(of: path)
            let length = bytes[0..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
            let header = try #require(try JSONSerialization.jsonObject(with: Data(bytes[8..<8 + length])) as? [String: [String: Any]])
            for (name, entry) in header {
                let offsets = try #require(entry["data_offsets"] as? [Int])
                let size = try #require(Self.everyType()[name]).dataType.size
                #expect((8 + length + offsets[0]) % size == 0, "\(name)")
            }
        }
    }

    // MARK: Damage

    private func file(_ header: String, body: Int = 0, length: UInt64? = nil) -> Data {
        let length = length ?? UInt64(header.utf8.count)
        return Data((0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * UInt64($0))) }) + Data(header.utf8) + Data(count: body)
    }

    /// The reason of the refusal; an issue when there is none.
    private func refusal(_ data: Data, sourceLocation: SourceLocation = #_sourceLocation) -> String {
        let error = #expect(throws: Safetensors.Malformed.self, sourceLocation: sourceLocation) {
            _ = try Safetensors.parse(data, path: "x")
        }
        return error?.reason ?? ""
    }

    @Test func headersThatLie() {
        #expect(refusal(Data()).contains("0 bytes"))
        #expect(refusal(Data([1, 0, 0])).contains("3 bytes"))
        for length in [3, 100, 100_000_000, 100_000_001, 1 << 63, .max] as [UInt64] {
            #expect(refusal(file("{}", length: length)).contains("claims \(length) bytes"))
        }
        for text in ["", "{", "[]", "null", "1", "\"a\"", "{]", "{\"a\"}", "not json", "{'a': 1}", "\u{feff}{}", " {}"] {
            #expect(refusal(file(text)).contains("not a JSON object"), "\(text)")
        }
        #expect(refusal(file(String(repeating: "{\"a\":", count: 100_000))).contains("not a JSON object"))
        let wide = Data([UInt8]("{}".utf16.flatMap { [UInt8(truncatingIfNeeded: $0), 0] }))
        #expect(refusal(Data([4, 0, 0, 0, 0, 0, 0, 0]) + wide).contains("not a JSON object"))
        #expect(refusal(Data([2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe])).contains("not a JSON object"))
        #expect(refusal(file("{}", body: 1)).contains("1 bytes follow"))
        for text in [#"{"__metadata__":1}"#, #"{"__metadata__":{"a":1}}"#, #"{"__metadata__":["a"]}"#] {
            #expect(refusal(file(text)).contains("metadata"), "\(text)")
        }
    }

    private func entry(_ type: String, _ shape: String, _ offsets: String, name: String = "a") -> String {
        "\"\(name)\":{\"dtype\":\(type),\"shape\":\(shape),\"data_offsets\":\(offsets)}"
    }

    @Test func entriesThatLie() throws {
        func refused(_ type: String, _ shape: String, _ offsets: String, body: Int = 4) -> String {
            refusal(file("{\(entry(type, shape, offsets))}", body: body))
        }
        let good = try Safetensors.parse(file("{\(entry("\"F32\"", "[1]", "[0,4]"))}", body: 4), path: "x")
        #expect(good.tensors["a"]?.floats == [0], "the cases below differ from this one only where they are wrong")
        for type in ["\"F33\"", "\"f32\"", "\"\"", "\"F8_E4M3\"", "\"U64\""] {
            #expect(refused(type, "[1]", "[0,4]").contains("unknown type"), "\(type)")
        }
        for (type, shape, offsets) in [
            ("4", "[1]", "[0,4]"), ("\"F32\"", "1", "[0,4]"), ("\"F32\"", "[1.5]", "[0,4]"), ("\"F32\"", "[\"1\"]", "[0,4]"),
            ("\"F32\"", "[null]", "[0,4]"), ("\"F32\"", "[[1]]", "[0,4]"), ("\"F32\"", "[1]", "[0]"), ("\"F32\"", "[1]", "[0,4,4]"),
            ("\"F32\"", "[1]", "[0,\"4\"]"), ("\"F32\"", "[1]", "null"), ("\"F32\"", "[1e30]", "[0,4]"),
            ("\"F32\"", "[1]", "[0,18446744073709551616]"), ("\"F32\"", "[18446744073709551615]", "[0,4]"),
        ] {
            #expect(refused(type, shape, offsets).contains("lacks"), "\(type) \(shape) \(offsets)")
        }
        for offsets in ["[-4,0]", "[4,0]", "[0,8]", "[0,9223372036854775807]", "[-9223372036854775808,4]", "[8,12]"] {
            #expect(refused("\"F32\"", "[1]", offsets).contains("outside the file"), "\(offsets)")
        }
        for shape in [
            "[-1]", "[-1,-1]", "[4611686018427387904]", "[4611686018427387904,4]", "[4611686018427387904,4611686018427387904,0]",
            "[0,4611686018427387904,4611686018427387904]", "[3037000500,3037000500]",
        ] {
            #expect(refused("\"F32\"", shape, "[0,4]").contains("impossible shape"), "\(shape)")
            #expect(refused("\"F32\"", shape, "[0,0]", body: 0).contains("impossible shape"), "\(shape)")
        }
        for shape in ["[0]", "[2]", "[1,1,2]", "[1000000]"] {
            #expect(refused("\"F32\"", shape, "[0,4]").contains("needs"), "\(shape)")
        }
        #expect(refusal(file(#"{"a":{"dtype":"F32","shape":[1]}}"#, body: 4)).contains("lacks"))
        #expect(refusal(file(#"{"a":[1]}"#, body: 4)).contains("lacks"))
    }

    @Test func overlapsGapsAndTwins() {
        func two(_ first: String, _ second: String, names: (String, String) = ("a", "b"), body: Int = 8) -> Data {
            file("{\(entry("\"F32\"", "[1]", first, name: names.0)),\(entry("\"F32\"", "[1]", second, name: names.1))}", body: body)
        }
        #expect(throws: Never.self) { try Safetensors.parse(two("[0,4]", "[4,8]"), path: "x") }
        #expect(throws: Never.self) { try Safetensors.parse(two("[4,8]", "[0,4]"), path: "x") }
        #expect(refusal(two("[0,4]", "[0,4]", body: 4)).contains("overlaps"))
        #expect(refusal(two("[0,4]", "[2,6]", body: 6)).contains("overlaps"))
        #expect(refusal(two("[0,4]", "[5,9]", body: 9)).contains("gap"))
        #expect(refusal(two("[1,5]", "[5,9]", body: 9)).contains("gap"))
        #expect(refusal(two("[0,4]", "[4,8]", body: 9)).contains("1 bytes follow"))
        #expect(refusal(two("[0,4]", "[0,4]", names: ("a", "a"), body: 4)).contains("twice"))
        #expect(refusal(two("[0,4]", "[4,8]", names: ("a", "a"))).contains("twice"))
        // The same key in other letters.
        #expect(refusal(two("[0,4]", "[0,4]", names: ("a", "\\u0061"), body: 4)).contains("twice"))
        #expect(refusal(file(#"{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, body: 4)).contains("twice"))
        // Colons and escaped quotes in names are no keys.
        #expect(throws: Never.self) { try Safetensors.parse(two("[0,4]", "[4,8]", names: (#"a\":\"b"#, #"{:\\"#)), path: "x") }
    }

    private static func small() throws -> [UInt8] {
        try withTemporaryFolder { folder in
            try Safetensors.write(
                ["weight": Tensor([Float(1), 2, 3, 4], [2, 2]), "count": Tensor(scalar: 7), "mask": Tensor([true, false, true])],
                metadata: ["format": "pt"], to: "\(folder)/x")
            return try contents(of: "\(folder)/x")
        }
    }

    @Test func truncatedAnywhere() throws {
        let whole = try Self.small()
        #expect(try Safetensors.parse(Data(whole), path: "x").tensors.count == 3)
        for length in 0..<whole.count { _ = refusal(Data(whole[0..<length])) }
        _ = refusal(Data(whole + [0]))
    }

    /// Whatever is overwritten, the answer is tensors or `Malformed`.
    @Test func mutatedAtRandom() throws {
        let whole = try Self.small()
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        func random(_ bound: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(bound))
        }
        let digits = Array("0123456789-{}[]\",:.eE".utf8)
        var refused = 0
        for _ in 0..<20_000 {
            var bytes = whole
            for _ in 0...random(4) {
                let place = random(bytes.count)
                switch random(5) {
                case 0: bytes[place] = UInt8(random(256))
                case 1: bytes[place] = digits[random(digits.count)]
                case 2: bytes.remove(at: place)
                case 3: bytes.insert(digits[random(digits.count)], at: place)
                default: bytes[place] ^= 1 << UInt8(random(8))
                }
            }
            do {
                _ = try Safetensors.parse(Data(bytes), path: "x")
            } catch {
                refused += 1
            }
        }
        #expect(refused > 10_000 && refused < 20_000, "\(refused)")
    }

    // MARK: The world

    @Test func filesThatCannotBeRead() throws {
        try withTemporaryFolder { folder in
            for path in ["\(folder)/absent", folder] {
                let error = #expect(throws: FileError.self) { _ = try Safetensors.read(path) }
                #expect(error?.description.hasPrefix("cannot read \(path)") == true)
            }
            let path = "\(folder)/bad"
            try AtomicFile.write("nonsense, and long enough", to: path)
            let error = #expect(throws: Safetensors.Malformed.self) { _ = try Safetensors.read(path) }
            #expect(error?.description.hasPrefix("\(path) is not a readable safetensors file: ") == true)
        }
    }

    #if os(Linux)
    @Test func failedWritesLeaveTheOldFile() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/x.safetensors"
            try Safetensors.write(["a": .ones([3])], to: path)
            let before = try contents(of: path)
            try FileManager.default.createSymbolicLink(atPath: path + ".partial", withDestinationPath: "/dev/full")
            let error = #expect(throws: FileError.self) { try Safetensors.write(["a": .zeros([1000])], to: path) }
            #expect(error?.code == ENOSPC)
            #expect(try contents(of: path) == before)
            #expect(try names(in: folder) == ["x.safetensors"])
        }
    }
    #endif
}
