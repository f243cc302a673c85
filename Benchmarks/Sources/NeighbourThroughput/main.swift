// Exact nearest neighbours of 10,000 queries in a bank of 50,000 rows of 512 values by inner product: seconds, as JSON.
import Arguments
import Foundation
import Fovea

let count = Arguments(usage: "neighbour-throughput [K]", places: 0...1).number(at: 0, default: 20)
Runtime.seed(1)
let queries = Tensor.randn([10_000, 512])
let bank = Tensor.randn([50_000, 512])
_ = NearestNeighbours.find(count, of: queries[0..<256], in: bank, by: .innerProduct)
let clock = ContinuousClock()
let seconds = clock.measure { _ = NearestNeighbours.find(count, of: queries, in: bank, by: .innerProduct) } / .seconds(1)
print(String(format: "{\"fovea\": \"neighbours\", \"k\": %d, \"seconds\": %.3f, \"threads\": %d}", count, seconds, Runtime.threads))
