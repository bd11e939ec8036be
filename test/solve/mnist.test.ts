/** L-BFGS on real digits takes no more iterations than SciPy's L-BFGS-B, by 1.3; bench/solve/solve.ts does so on all 60,000. */
import { expect, test } from 'vitest'
import { loadMnist } from '../../ts/data/index.js'
import { add, createBackend, crossEntropy, Dense, mul, Sequential, SGD, square, sum, type Tensor, tensor } from '../../ts/index.js'
import { KFAC, LBFGS, minimize } from '../../ts/solve/index.js'
import { CLASSES, mnistObjective, mnistOracles } from '../tools/mnist-softmax.js'

const { train } = await loadMnist()
const small = mnistOracles.filter(({ rows }) => rows <= 2000)

test.each(small)('softmax regression on $rows digits, decay $decay, |g| ≤ $tolerance', ({ rows, decay, tolerance, value, iterations }) => {
  const start = new Float64Array((train.features + 1) * CLASSES)
  const result = minimize(mnistObjective(train, rows, decay), start, { gradientTolerance: tolerance, valueTolerance: 0, stepTolerance: 0 })
  expect(result.reason).toBe('gradient')
  expect(Math.abs(result.value - value)).toBeLessThan(1e-4 * value)
  expect(result.iterations).toBeLessThanOrEqual(1.3 * iterations)
})

test('the optimizer LBFGS on a model in single precision does, too', () => {
  const { rows, decay, tolerance, value, iterations } = mnistOracles.find((o) => o.rows === 2000)!
  const backend = createBackend()
  const model = new Sequential([new Dense(train.features, CLASSES, { weightInitializer: 'zeros' })], { backend })
  const x = tensor(train.inputs.subarray(0, rows * train.features), [rows, train.features], { backend })
  const y = tensor(Int32Array.from(train.targets.subarray(0, rows)), { backend })
  const [weight] = model.parameters()
  const optimizer = new LBFGS(model.parameters(), { maxIterations: 500, gradientTolerance: tolerance, changeTolerance: 0 })
  const result = optimizer.step(() => add(crossEntropy(model.forward(x), y), mul(sum(square(weight)), 0.5 * decay)))
  expect(result.reason).toBe('gradient')
  expect(Math.abs(result.loss - value)).toBeLessThan(1e-3 * value)
  expect(result.iterations).toBeLessThanOrEqual(1.3 * iterations)
})

test('KFAC on mini-batches: two epochs of a thousand digits leave less than half of the loss of the best SGD', () => {
  const [rows, batch] = [1000, 100]
  const backend = createBackend()
  const part = (from: number, count: number) => ({
    x: tensor(train.inputs.subarray(from * train.features, (from + count) * train.features), [count, train.features], { backend }),
    y: Int32Array.from(train.targets.subarray(from, from + count)),
  })
  const batches = Array.from({ length: rows / batch }, (_, b) => part(b * batch, batch))
  const all = part(0, rows)
  const lossAfter = (make: (model: Sequential) => (x: Tensor, y: Int32Array) => void) => {
    const model = new Sequential([new Dense(train.features, 16, { activation: 'tanh' }), new Dense(16, CLASSES)], { seed: 3, backend })
    const step = make(model)
    for (let epoch = 0; epoch < 2; epoch++) for (const { x, y } of batches) step(x, y)
    return crossEntropy(model.predict(all.x), all.y).item()
  }
  const sgd = (learningRate: number) =>
    lossAfter((model) => {
      const optimizer = new SGD(model.parameters(), { learningRate })
      return (x, y) => {
        crossEntropy(model.forward(x), y).backward()
        optimizer.step()
      }
    })
  const kfac = lossAfter((model) => {
    const optimizer = new KFAC(model, { learningRate: 0.3, damping: 1e-2 })
    return (x, y) => optimizer.step(x, y)
  })
  expect(kfac).toBeLessThan(0.5 * Math.min(...[0.1, 0.3, 0.6, 1, 2].map(sgd)))
})
