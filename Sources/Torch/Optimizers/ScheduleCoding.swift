/// In recipes a schedule is a number (constant), or the kind with its values: `{cosine: {from: 0.996, to: 1}}`.
extension Schedule: Codable {
    private struct Range: Codable {
        var from: Double
        var to: Double
    }

    private struct Steps: Codable {
        var from: Double
        var factor: Double
        var milestones: [Double]
    }

    private struct WarmUp: Codable {
        var fraction: Double
        var from: Double
        var then: Schedule
    }

    private enum Kind: String, CodingKey, CaseIterable {
        case cosine, linear, steps, warmUp

        var values: [String] {
            switch self {
            case .cosine, .linear: ["from", "to"]
            case .steps: ["from", "factor", "milestones"]
            case .warmUp: ["fraction", "from", "then"]
            }
        }
    }

    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// The one kind that is given; neither it nor its values may be misspelt.
    private static func kind(in decoder: any Decoder) throws -> Kind {
        func wrong(_ message: String) -> DecodingError { .dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: message)) }
        let kinds = Kind.allCases.map(\.rawValue).joined(separator: ", ")
        guard let container = try? decoder.container(keyedBy: AnyKey.self), container.allKeys.count == 1,
            let kind = Kind(rawValue: container.allKeys[0].stringValue)
        else { throw wrong("a schedule is a number or one of \(kinds), such as {cosine: {from: 0.99, to: 1}}") }
        let given = try container.nestedContainer(keyedBy: AnyKey.self, forKey: container.allKeys[0]).allKeys.map(\.stringValue)
        if let unknown = given.sorted().first(where: { !kind.values.contains($0) }) {
            throw wrong("there is no '\(unknown)' in a \(kind.rawValue) schedule: it has \(kind.values.joined(separator: ", "))")
        }
        return kind
    }

    public init(from decoder: any Decoder) throws {
        if let value = try? decoder.singleValueContainer().decode(Double.self) {
            self = .constant(value)
            return
        }
        let kind = try Self.kind(in: decoder)
        let container = try decoder.container(keyedBy: Kind.self)
        switch kind {
        case .cosine:
            let range = try container.decode(Range.self, forKey: .cosine)
            self = .cosine(from: range.from, to: range.to)
        case .linear:
            let range = try container.decode(Range.self, forKey: .linear)
            self = .linear(from: range.from, to: range.to)
        case .steps:
            let steps = try container.decode(Steps.self, forKey: .steps)
            self = .steps(steps.from, factor: steps.factor, milestones: steps.milestones)
        case .warmUp:
            let warmUp = try container.decode(WarmUp.self, forKey: .warmUp)
            self = .warmUp(fraction: warmUp.fraction, from: warmUp.from, then: warmUp.then)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        if case .constant(let value) = self {
            var container = encoder.singleValueContainer()
            try container.encode(value)
            return
        }
        var container = encoder.container(keyedBy: Kind.self)
        switch self {
        case .constant: break
        case .cosine(let from, let to): try container.encode(Range(from: from, to: to), forKey: .cosine)
        case .linear(let from, let to): try container.encode(Range(from: from, to: to), forKey: .linear)
        case .steps(let value, let factor, let milestones):
            try container.encode(Steps(from: value, factor: factor, milestones: milestones), forKey: .steps)
        case .warmUp(let fraction, let from, let then):
            try container.encode(WarmUp(fraction: fraction, from: from, then: then), forKey: .warmUp)
        }
    }
}
