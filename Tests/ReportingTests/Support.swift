import Foundation

#if canImport(FoundationXML)
import FoundationXML
#endif

/// A parsed XML document, as far as the tests look into it. Nil if it is not well-formed.
final class XMLDocumentReader: NSObject, XMLParserDelegate {
    struct Element {
        var name: String
        var attributes: [String: String]
        var text = ""
    }

    private(set) var elements: [Element] = []
    private var open: [Int] = []

    init?(_ text: String) {
        super.init()
        let parser = XMLParser(data: Data(text.utf8))
        parser.delegate = self
        guard parser.parse() else { return nil }
    }

    func all(_ name: String) -> [Element] { elements.filter { $0.name == name } }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String] = [:]
    ) {
        open.append(elements.count)
        elements.append(Element(name: name, attributes: attributes))
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) {
        for index in open { elements[index].text += string }
    }

    func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) { open.removeLast() }
}

/// A run folder that is removed when the test ends.
final class TemporaryRun {
    let url: URL

    init(_ files: [String: String] = [:]) throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("reporting-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        for (name, text) in files { try write(name, Data(text.utf8)) }
    }

    func write(_ name: String, _ data: Data) throws {
        let file = url.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try data.write(to: file)
    }

    deinit { try? FileManager.default.removeItem(at: url) }
}

/// One grey pixel.
let onePixelPNG = Data(
    base64Encoded: "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNoAAAAggCBd81ytgAAAABJRU5ErkJggg==")!

let wholeRun: [String: String] = [
    "recipe.yaml": "method:\n  name: simclr\n",
    "summary.json": """
    {"fovea":"0.1.0","method":"simclr","paper":"Chen et al. 2020","backbone":"resnet18","parameters":11173962,
     "dataset":{"name":"cifar10","images":10000,"unreadable":3,"classes":10},"epochs":8,"batchSize":128,"imageSize":32,
     "device":"cpu","threads":2,"libtorch":"2.13.0","seed":0}
    """,
    "timing.json": #"{"seconds":320.5,"peakMemoryMB":812}"#,
    "metrics.csv": """
    epoch,step,loss,loss.alignment,knn,h.std,h.rank,z.std,mine
    1,78,5.1,2.0,,0.7,40,0.8,1
    2,156,4.2,1.8,0.31,0.6,55,0.8,
    3,234,3.9,1.7,,0.6,60,0.8,3
    """,
    "health.json": #"{"status":"warning","messages":["rank of h fell to 4"]}"#,
    "unreadable.csv": "name,reason\nbroken.jpg,truncated\n",
    "evaluation/results.json": """
    [{"encoder":"simclr","protocol":"knn","setting":"k=20","split":"test","metric":"top-1","value":0.419,"lower":0.397,
      "upper":0.441,"trainImages":10000,"testImages":2000,"seeds":1},
     {"encoder":"random encoder","protocol":"knn","setting":"k=20","split":"test","metric":"top-1","value":0.302,"lower":0.282,
      "upper":0.322,"trainImages":10000,"testImages":2000,"seeds":5,"note":"five initialisations"}]
    """,
    "evaluation/neighbours.json": """
    {"rows":[{"query":{"image":"thumbnails/a.png","label":"cat"},
              "neighbours":[{"image":"thumbnails/a.png","label":"cat","similarity":0.931},
                            {"image":"thumbnails/a.png","label":"dog","similarity":0.9}]}]}
    """,
    "evaluation/map.json": """
    {"method":"PCA","points":[{"x":0.1,"y":-0.3,"label":"cat","image":"thumbnails/a.png"},{"x":1,"y":2,"label":"dog"}],
     "classes":["cat","dog"]}
    """,
]
