internal import Files

/// Reads a block of settings in which every one may be left out, and none may be misspelt.
struct SettingsReader<Key: CodingKey & CaseIterable> {
    private let container: KeyedDecodingContainer<AnyKey>

    init(_ decoder: any Decoder, _ name: String, _ keys: Key.Type = Key.self) throws {
        container = try decoder.container(keyedBy: AnyKey.self)
        let known = Key.allCases.map(\.stringValue)
        for key in container.allKeys where !known.contains(key.stringValue) {
            let message = "\(name): " + Spelling.unknown("setting", key.stringValue, among: known)
            throw DecodingError.dataCorrupted(.init(codingPath: container.codingPath + [key], debugDescription: message))
        }
    }

    /// Leaves `value` as it is when the setting is not there.
    func read<Value: Decodable>(_ key: Key, _ value: inout Value) throws {
        let key = AnyKey(stringValue: key.stringValue)
        if container.contains(key) { value = try container.decode(Value.self, forKey: key) }
    }

    func has(_ key: Key) -> Bool { container.contains(AnyKey(stringValue: key.stringValue)) }
}

struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
