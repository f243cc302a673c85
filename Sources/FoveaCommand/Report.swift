import ArgumentParser
import Fovea

struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Write a run's report.html anew.")

    @Argument(help: "The run's folder.", completion: .directory)
    var folder: String

    func run() throws {
        try RunReport.write(folder)
        print("\(folder)/report.html")
    }
}
