import Foundation
import Testing
@testable import Views

@Suite struct AugmentationCodingTests {
    static func decode<Value: Decodable>(_ text: String, as type: Value.Type = Value.self) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(text.utf8))
    }

    /// The one line that a reader of recipes shows.
    static func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            return ""
        } catch DecodingError.dataCorrupted(let context) {
            return context.debugDescription
        } catch {
            return "\(error)"
        }
    }

    @Test func everyAugmentationSurvives() throws {
        for type in Augmentation.known {
            let one = Augmentation(type.init())
            try one.step.validate()
            let data = try JSONEncoder().encode(one)
            #expect(try JSONDecoder().decode(Augmentation.self, from: data) == one)
            // The name alone means all defaults, and so does an empty block.
            #expect(try Self.decode("\"\(one.name)\"", as: Augmentation.self) == one)
            #expect(try Self.decode("{\"\(one.name)\": {}}", as: Augmentation.self) == one)
            #expect(try Self.decode("{\"\(one.name)\": null}", as: Augmentation.self) == one)
        }
        #expect(Set(Augmentation.known.map { $0.name }).count == Augmentation.known.count)
    }

    @Test func settingsAreRead() throws {
        let jitter = try Self.decode(#"{"colorJitter": {"brightness": 0.4, "hue": 0.1}}"#, as: Augmentation.self)
        #expect(jitter == Augmentation(ColorJitter(brightness: 0.4, contrast: 0.8, saturation: 0.8, hue: 0.1, p: 0.8)))
        let crop = try Self.decode(
            #"{"randomResizedCrop": {"scale": [0.2, 1], "size": [64, 96], "interpolation": "bilinear"}}"#, as: Augmentation.self)
        #expect(crop == Augmentation(RandomResizedCrop(size: ImageSize(height: 64, width: 96), scale: 0.2...1, interpolation: .bilinear)))
        #expect(jitter != crop)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let text = String(decoding: try encoder.encode(Augmentation(Solarize(p: 0.25))), as: UTF8.self)
        #expect(text == #"{"solarize":{"p":0.25,"threshold":128}}"#)
    }

    @Test(arguments: [
        (#""colourJitter""#, "unknown augmentation 'colourJitter'; did you mean 'colorJitter'?"),
        (#"{"horizontalFlp": {}}"#, "unknown augmentation 'horizontalFlp'; did you mean 'horizontalFlip'?"),
        (#"{"colorJitter": {"brigthness": 0.4}}"#, "colorJitter: unknown setting 'brigthness'; did you mean 'brightness'?"),
        (#"{"colorJitter": {"hue": 0.7}}"#, "colorJitter: hue is 0.7, but must lie in 0…0.5 (of a full circle)"),
        (#"{"horizontalFlip": {"p": 1.5}}"#, "horizontalFlip: p is 1.5, but a probability lies in 0…1"),
        (#"{"gaussianBlur": {"kernelSize": 4}}"#, "gaussianBlur: kernelSize is 4, but must be odd and positive"),
        (
            #"{"randomResizedCrop": {"scale": [0, 1]}}"#,
            "randomResizedCrop: scale is 0.0…1.0, but a share of the area lies above 0 and at most at 1"
        ),
        (#"{"randomResizedCrop": {"size": [1, 2, 3]}}"#, "a size is a number (224) or [height, width]"),
        (#"{"resize": {"size": 0}}"#, "resize: size is 0×0, but both sides must be at least 1"),
        (#"{"posterize": {"bits": 9}}"#, "posterize: bits is 9, but must lie in 1…8"),
        (#"{"solarize": {}, "sobel": {}}"#, "an augmentation is one name with its settings, such as 'colorJitter: {brightness: 0.4}'"),
    ])
    func nonsenseIsNamed(_ text: String, _ expected: String) {
        #expect(Self.message { _ = try Self.decode(text, as: Augmentation.self) } == expected)
    }

    @Test func recipes() throws {
        let recipe = try Self.decode(
            """
            {"views": [{"name": "large", "size": 64, "copies": 2, "augmentations": ["randomResizedCrop", {"colorJitter": {"p": 0.5}}]},
                       {"name": "small", "size": [16, 24], "stream": 5, "augmentations": [{"randomResizedCrop": {"scale": [0.05, 0.14]}}]}]}
            """, as: ViewRecipe.self)
        #expect(recipe.outputs.map(\.name) == ["large0", "large1", "small"])
        #expect(recipe.outputs.map(\.shape) == [[64, 64, 3], [64, 64, 3], [16, 24, 3]])
        let again = try JSONDecoder().decode(ViewRecipe.self, from: JSONEncoder().encode(recipe))
        #expect(again == recipe && again.outputs == recipe.outputs)
        #expect(
            Self.message { _ = try Self.decode(#"{"views": []}"#, as: ViewRecipe.self) }
                == "views: there are none; a recipe needs at least one")
        #expect(
            Self.message { _ = try Self.decode(#"{"views": [{"size": 9}]}"#, as: ViewRecipe.self) } == "view: 'augmentations' is missing")
        #expect(
            Self.message { _ = try Self.decode(#"{"views": [{"size": 9, "augmentations": ["horizontalFlip"]}]}"#, as: ViewRecipe.self) }
                == "view 'view': an image of 375×500 ends at 375×500 instead of 9×9: it needs a randomResizedCrop, a centerCrop or a resize"
        )
    }
}
