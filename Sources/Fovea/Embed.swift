internal import Foundation

/// A feature vector for every image that could be read.
public struct ImageEmbeddings {
    /// [n, d] float32.
    public let matrix: Tensor
    /// n names: paths relative to the folder, or places in a packed set.
    public let names: [String]
    /// n class names; empty when the images have none.
    public let labels: [String]
    /// What could not be read, and why.
    public let unreadable: [UnreadableLog.Entry]
}

extension Encoder {
    /// Embeds the images of a data set.
    /// - Parameters:
    ///   - progress: told the images done; returning false ends early, with what there is.
    public func embed(
        _ images: any ImageDataset, batchSize: Int = 64, loaderThreads: Int = 2, progress: ((Int) -> Bool)? = nil
    ) throws -> ImageEmbeddings {
        let device = parameters.first?.value.device ?? .cpu
        let extraction = FeatureExtraction(imageSize: imageSize, batchSize: batchSize, threads: loaderThreads, device: device)
        let found = try evaluating { try extraction(images, progress: progress) { self($0) } }
        let classes = images.classNames
        return ImageEmbeddings(
            matrix: found.rows, names: found.indices.map { images.name(at: $0) },
            labels: classes.isEmpty ? [] : found.labels.map { $0 < 0 ? "" : classes[$0] }, unreadable: found.unreadable)
    }

    /// Embeds all images of a folder, a CSV list or a packed set: of a divided one training and test part alike.
    public func embed(_ path: String, batchSize: Int = 64, loaderThreads: Int = 2) throws -> ImageEmbeddings {
        try embed(WholeDataset.open(path), batchSize: batchSize, loaderThreads: loaderThreads)
    }
}

extension ImageEmbeddings {
    /// The forms that embeddings are written in, by the file's ending.
    public enum Format: String, CaseIterable, Sendable {
        case safetensors, npy, csv
    }

    /// Writes `path`. safetensors holds the matrix (`embeddings`) and the names in its metadata; `.npy` the matrix, with the
    /// names in a text file beside it; `.csv` a row for each image.
    /// - Throws: `FileError`, also for an ending that is none of these.
    public func write(to path: String) throws(FileError) {
        let ending = (path as NSString).pathExtension.lowercased()
        guard let format = Format(rawValue: ending) else {
            let endings = Format.allCases.map { ".\($0.rawValue)" }.joined(separator: ", ")
            throw FileError(path: path, description: "\(path): embeddings are written as \(endings); give the file one of these endings")
        }
        switch format {
        case .safetensors:
            var metadata = ["names": Self.json(names)]
            if !labels.isEmpty { metadata["labels"] = Self.json(labels) }
            try Safetensors.write(["embeddings": matrix], metadata: metadata, to: path)
        case .npy:
            try NumpyFile.write(matrix, to: path)
            let table = zip(names, labels.isEmpty ? names.map { _ in "" } : labels).map { [$0, $1] }
            let beside = (path as NSString).deletingPathExtension + ".names.csv"
            try AtomicFile.write(CSV.write([["name", "label"]] + table, lineEnding: "\n"), to: beside)
        case .csv:
            let width = matrix.size(1)
            let values = matrix.floats
            var rows = [["name"] + (labels.isEmpty ? [] : ["label"]) + (0..<width).map { "f\($0)" }]
            for (row, name) in names.enumerated() {
                rows.append([name] + (labels.isEmpty ? [] : [labels[row]]) + (0..<width).map { "\(values[row * width + $0])" })
            }
            try AtomicFile.write(CSV.write(rows, lineEnding: "\n"), to: path)
        }
    }

    private static func json(_ texts: [String]) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        return (try? encoder.encode(texts)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
    }
}
