import ArgumentParser
import Fovea
import Foundation

/// One line for everything that goes wrong, and a non-zero exit.
enum Failure {
    /// From now on a failed tensor operation ends the process like any other error.
    static func install() {
        TensorFailureHandler.handle = { failure in
            report("\(failure)")
            Foundation.exit(1)
        }
    }

    static func exit(_ error: any Error) -> Never {
        // Help, version, usage errors and chosen exit codes are the parser's business.
        if error is ExitCode || error is CleanExit || error is ValidationError || "\(type(of: error))" == "CommandError" {
            FoveaCommand.exit(withError: error)
        }
        report("\(error)")
        Foundation.exit(1)
    }

    private static func report(_ message: String) {
        let line = message.split(separator: "\n", omittingEmptySubsequences: true).joined(separator: " ")
        FileHandle.standardError.write(Data("fovea: error: \(line)\n".utf8))
    }
}
