/// `health.json`: whether the representation collapsed, in the words of the module that watched it.
public struct HealthVerdict: Codable, Sendable, Equatable {
    public enum Status: String, Codable, Sendable {
        case ok, warning, collapsed
    }

    public var status: Status
    public var messages: [String]

    public init(status: Status, messages: [String] = []) {
        self.status = status
        self.messages = messages
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        status = try container.decode(Status.self, forKey: .status)
        messages = try container.decodeIfPresent([String].self, forKey: .messages) ?? []
    }
}
