internal import Files

/// Any augmentation, as a recipe lists it: `- colorJitter: {brightness: 0.4}`, or `- horizontalFlip` for the defaults.
public struct Augmentation: Sendable, Codable, Equatable, CustomStringConvertible {
    public let step: any AugmentationStep

    public init(_ step: any AugmentationStep) { self.step = step }

    /// Every augmentation that a recipe can name.
    public static let known: [any AugmentationStep.Type] = [
        RandomResizedCrop.self, RandomCrop.self, Resize.self, CenterCrop.self,
        HorizontalFlip.self, QuarterTurn.self, Rotation.self,
        ColorJitter.self, Grayscale.self, Solarize.self, Posterize.self,
        GaussianBlur.self, GaussianNoise.self, Sobel.self, Cutout.self, ChromaticAberration.self,
        RandAugment.self, AutoAugment.self,
    ]

    public var name: String { type(of: step).name }
    public var description: String { name }

    public init(from decoder: any Decoder) throws {
        if let name = try? decoder.singleValueContainer().decode(String.self) {
            step = try Self.kind(named: name, decoder.codingPath).init()
            return
        }
        let container = try decoder.container(keyedBy: AnyKey.self)
        guard container.allKeys.count == 1, let key = container.allKeys.first else {
            let message = "an augmentation is one name with its settings, such as 'colorJitter: {brightness: 0.4}'"
            throw DecodingError.dataCorrupted(.init(codingPath: container.codingPath, debugDescription: message))
        }
        let type = try Self.kind(named: key.stringValue, container.codingPath)
        step = try container.decodeNil(forKey: key) ? type.init() : Self.decode(type, from: container, key)
        do {
            try step.validate()
        } catch {
            throw DecodingError.dataCorrupted(
                .init(codingPath: container.codingPath + [key], debugDescription: "\(error)", underlyingError: error))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: AnyKey.self)
        try container.encode(step, forKey: AnyKey(stringValue: name))
    }

    public static func == (a: Augmentation, b: Augmentation) -> Bool { equal(a.step, b.step) }

    private static func equal<Step: AugmentationStep>(_ a: Step, _ b: any AugmentationStep) -> Bool { b as? Step == a }

    private static func decode<Step: AugmentationStep>(
        _ type: Step.Type, from container: KeyedDecodingContainer<AnyKey>, _ key: AnyKey
    ) throws -> any AugmentationStep { try container.decode(Step.self, forKey: key) }

    private static func kind(named name: String, _ path: [any CodingKey]) throws -> any AugmentationStep.Type {
        if let type = known.first(where: { $0.name == name }) { return type }
        let message = Spelling.unknown("augmentation", name, among: known.map { $0.name })
        throw DecodingError.dataCorrupted(.init(codingPath: path, debugDescription: message))
    }
}
