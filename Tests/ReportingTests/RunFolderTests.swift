import Files
import Foundation
import Testing

@testable import Reporting

@Suite struct RunFolderTests {
    @Test func everythingIsRead() throws {
        let run = try TemporaryRun(wholeRun)
        let folder = try RunFolderReader(run.url)
        #expect(try folder.summary()?.dataset?.images == 10000)
        #expect(try folder.timing()?.seconds == 320.5)
        #expect(try folder.health() == HealthVerdict(status: .warning, messages: ["rank of h fell to 4"]))
        #expect(try folder.metrics()?.values("knn") == [nil, 0.31, nil])
        #expect(try folder.unreadableFiles() == [.init(name: "broken.jpg", reason: "truncated")])
        #expect(try folder.results()?.map(\.protocolName) == ["knn", "knn"])
        #expect(try folder.neighbours()?.rows.first?.neighbours.map(\.similarity) == [0.931, 0.9])
        #expect(try folder.map()?.points.map(\.label) == ["cat", "dog"])
    }

    @Test func missingFilesAreNil() throws {
        let run = try TemporaryRun()
        let folder = try RunFolderReader(run.url)
        #expect(try folder.summary() == nil)
        #expect(try folder.metrics() == nil)
        #expect(try folder.results() == nil)
        #expect(throws: ReportError.noFolder(run.url.path + "/none")) { try RunFolderReader(run.url.appendingPathComponent("none")) }
    }

    @Test(arguments: [
        ("{\"seconds\":", "summary.json is damaged: it is not JSON"),
        ("{\"epochs\":\"long\"}", "summary.json is damaged: epochs: not a number"),
        ("{\"dataset\":{\"images\":[]}}", "summary.json is damaged: dataset.images: not a number"),
        ("[]", "summary.json is damaged: not an object"),
    ])
    func damageIsOneLineThatNamesTheFile(text: String, line: String) throws {
        let run = try TemporaryRun(["summary.json": text])
        let error = #expect(throws: ReportError.self) { try RunFolderReader(run.url).summary() }
        #expect(error?.description == line)
    }

    @Test func oneDamagedRowDoesNotCostTheOthers() throws {
        let run = try TemporaryRun([
            "evaluation/results.json": """
            [{"encoder":"a","protocol":"knn","metric":"top-1","value":0.5},{"encoder":"b","protocol":"knn","metric":"top-1"},
             {"encoder":"c","protocol":"knn","metric":"top-1","value":"NaN"}]
            """
        ])
        var notes: [String] = []
        let results = try RunFolderReader(run.url).results { notes.append($0) }
        #expect(results?.map(\.encoder) == ["a"])
        #expect(notes == ["evaluation/results.json: 2 of 3 rows are damaged and left out (row 2: 'value' is missing)"])
    }

    @Test func anUnknownStatusIsDamage() throws {
        let run = try TemporaryRun(["health.json": #"{"status":"fine"}"#])
        let error = #expect(throws: ReportError.self) { try RunFolderReader(run.url).health() }
        #expect(error?.description.hasPrefix("health.json is damaged: status") == true)
    }

    @Test func whatIsNoFileIsNotOpened() throws {
        let run = try TemporaryRun()
        try FileManager.default.createDirectory(at: run.url.appendingPathComponent("summary.json"), withIntermediateDirectories: true)
        #expect(throws: ReportError.unreadable(file: "summary.json", reason: "it is not a regular file")) {
            try RunFolderReader(run.url).summary()
        }
    }

    @Test func modelsWriteWhatTheyRead() throws {
        let result = EvaluationResult(encoder: "a", protocolName: "knn", setting: "k=20", value: 0.5)
        let data = try JSONEncoder().encode([result])
        #expect(String(decoding: data, as: UTF8.self).contains("\"protocol\":\"knn\""))
        #expect(try JSONDecoder().decode([EvaluationResult].self, from: data) == [result])
    }
}
