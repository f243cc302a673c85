/// What can go wrong when a run folder is read or its report is written; each case reads as one line that names the file.
public enum ReportError: Error, Equatable, CustomStringConvertible {
    case noFolder(String)
    case nothingToReport(String)
    case damaged(file: String, reason: String)
    case unreadable(file: String, reason: String)
    case unwritable(file: String, reason: String)

    public var description: String {
        switch self {
        case .noFolder(let path): "\(path) is not a folder: give the folder of a run"
        case .nothingToReport(let path):
            "\(path) holds none of a run's files (summary.json, metrics.csv, evaluation/results.json, …): is it the folder of a run?"
        case .damaged(let file, let reason): "\(file) is damaged: \(reason)"
        case .unreadable(let file, let reason): "\(file) cannot be read: \(reason)"
        case .unwritable(let file, let reason): "\(file) cannot be written: \(reason)"
        }
    }
}
