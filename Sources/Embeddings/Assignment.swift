/// The best one-to-one assignment by the Hungarian algorithm (Kuhn 1955) in its O(n³) form with potentials (Jonker and
/// Volgenant 1987).
enum Assignment {
    /// - Parameter gains: [rows][columns], rectangular, finite.
    /// - Returns: the column of each row that makes the sum of gains largest; nil for rows beyond the number of columns.
    static func maximizing(_ gains: [[Double]]) -> [Int?] {
        let (rows, columns) = (gains.count, gains.first?.count ?? 0)
        guard rows > 0, columns > 0 else { return [Int?](repeating: nil, count: rows) }
        let n = max(rows, columns)
        // Padded to a square, at a cost of 0; counted from 1, so that 0 stands for "none".
        func cost(_ row: Int, _ column: Int) -> Double { row <= rows && column <= columns ? -gains[row - 1][column - 1] : 0 }
        var (u, v) = ([Double](repeating: 0, count: n + 1), [Double](repeating: 0, count: n + 1))
        var rowOf = [Int](repeating: 0, count: n + 1)
        for row in 1...n {
            rowOf[0] = row
            var column = 0
            var least = [Double](repeating: .infinity, count: n + 1)
            var (visited, before) = ([Bool](repeating: false, count: n + 1), [Int](repeating: 0, count: n + 1))
            repeat {
                visited[column] = true
                let current = rowOf[column]
                var (step, next) = (Double.infinity, 0)
                for other in 1...n where !visited[other] {
                    let reduced = cost(current, other) - u[current] - v[other]
                    if reduced < least[other] { (least[other], before[other]) = (reduced, column) }
                    if least[other] < step { (step, next) = (least[other], other) }
                }
                for other in 0...n {
                    if visited[other] {
                        u[rowOf[other]] += step
                        v[other] -= step
                    } else {
                        least[other] -= step
                    }
                }
                column = next
            } while rowOf[column] != 0
            while column != 0 {
                rowOf[column] = rowOf[before[column]]
                column = before[column]
            }
        }
        var chosen = [Int?](repeating: nil, count: rows)
        for column in 1...columns where rowOf[column] <= rows { chosen[rowOf[column] - 1] = column - 1 }
        return chosen
    }
}
