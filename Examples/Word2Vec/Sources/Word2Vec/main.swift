import Foundation
import Fovea

// Skip-gram with negative sampling (Mikolov et al. 2013, arXiv:1310.4546) on a text file: the losses of contrastive learning
// where they come from. Prints the nearest words of a few.
//
//     swift run -c release Word2Vec text.txt [epochs] [word…]
guard let path = CommandLine.arguments.dropFirst().first else {
    print("usage: Word2Vec <text file> [epochs] [word…]")
    exit(2)
}
let epochs = CommandLine.arguments.dropFirst(2).first.flatMap { Int($0) } ?? 5
guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
    FileHandle.standardError.write(Data("error: \(path) is no text that can be read: give a file in UTF-8\n".utf8))
    exit(1)
}

let corpus = Corpus(text, leastCount: 5)
guard corpus.counts.count > 1 else {
    FileHandle.standardError.write(Data("error: \(path) has no two words that occur five times: give a longer text\n".utf8))
    exit(1)
}
let model = SkipGram(corpus, width: 100)
for epoch in 0..<epochs {
    let loss = model.train(epoch: epoch, of: epochs)
    print("epoch \(epoch + 1) of \(epochs): loss \(String(format: "%.3f", loss))")
}
let asked = CommandLine.arguments.dropFirst(3).map { $0.lowercased() }
for word in asked.isEmpty ? Array(corpus.words[Swift.min(20, corpus.words.count - 1)...].prefix(8)) : asked {
    print("\(word): \(model.neighbours(of: word, 8)?.joined(separator: ", ") ?? "is not among the \(corpus.words.count) words")")
}
