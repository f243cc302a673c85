internal import Foundation
internal import Torch

/// SGD with momentum on the cross-entropy of one linear layer per learning rate, all trained by one pass over the features:
///
///     v ← μ v + ∇,   W ← W − η_t v,   η_t = η · (batch / 256) · (1 + cos(π t / T)) / 2
///
/// Each layer sees the same batches; none sees another's numbers, so that one that diverges leaves the others alone.
struct MinibatchDescent {
    let settings: LinearProbe.Descent
    let seed: UInt64

    func solve(_ problem: LinearProbe.Problem, _ rates: [Double]) -> [LinearProbe.Solution] {
        let (count, width, classes, layers) = (problem.features.count, problem.features.width, problem.classes, rates.count)
        let device = problem.features.device
        let targets = Tensor(problem.targets).to(device)
        let scale = Double(Swift.min(settings.batch, count)) / 256
        let rate = Tensor(rates.map { Float($0 * scale) }, [layers, 1, 1]).to(device)
        var weight = Tensor.zeros([layers, classes, width], on: device)
        var bias = Tensor.zeros([layers, classes, 1], on: device)
        let (weightSpeed, biasSpeed) = (weight.zerosLike(), bias.zerosLike())
        let lossSum = Tensor.zeros([layers], on: device)

        var random = SplitMix64(seed: seed &+ 1)
        let batches = (count + settings.batch - 1) / settings.batch
        let total = settings.epochs * batches
        for epoch in 0..<settings.epochs {
            lossSum.zeroInPlace()
            let order = Tensor(random.permutation(count)).to(device)
            for batch in 0..<batches {
                let rows = order[batch * settings.batch..<Swift.min((batch + 1) * settings.batch, count)]
                let size = rows.size(0)
                let x = problem.features.rows(rows)
                // [size, layers, classes]
                let logits = x.matmul(weight.reshaped(layers * classes, width).t).reshaped(size, layers, classes) + bias.squeezed(2)
                let logProbabilities = logits.logSoftmax(2)
                let target = targets.rows(rows).reshaped(size, 1, 1).expanded([size, layers, 1])
                lossSum.addInPlace(logProbabilities.gathered(2, target).sum(0, 2), scale: -1)
                let residual = logProbabilities.exp().scatterAdded(2, target, .full([size, layers, 1], -1, on: device)) / Double(size)

                weightSpeed.multiplyInPlace(settings.momentum)
                weightSpeed.addInPlace(residual.reshaped(size, layers * classes).t.matmul(x).reshaped(layers, classes, width))
                biasSpeed.multiplyInPlace(settings.momentum)
                biasSpeed.addInPlace(residual.sum(0).unsqueezed(2))
                let now = rate * ((1 + cos(.pi * Double(epoch * batches + batch) / Double(total))) / 2)
                weight = weight - now * weightSpeed
                bias = bias - now * biasSpeed
            }
        }
        let losses = (lossSum / Double(count)).doubles
        return rates.indices.map { layer in
            let finite = losses[layer].isFinite && weight[layer].isFinite().all().item != 0
            return LinearProbe.Solution(
                weight: weight[layer], bias: bias[layer].squeezed(1),
                trial: .init(
                    value: rates[layer], accuracy: nil, loss: finite ? losses[layer] : nil, iterations: settings.epochs, converged: finite))
        }
    }
}
