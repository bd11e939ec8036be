/** Weights of classes, as a loss and as weights of rows in fit, against PyTorch's numbers on every backend; and refused arguments. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { classWeights } from '../../ts/data/index.js'
import { supportedVariants } from '../../ts/debug/index.js'
import {
  createBackend,
  crossEntropy,
  Dense,
  fit,
  gradients,
  type NestedNumbers,
  oneHot,
  Sequential,
  SGD,
  ShapeError,
  tensor,
  weightedCrossEntropy,
} from '../../ts/index.js'

interface LossCase {
  kind: 'loss'
  name: string
  prediction: number[][]
  target: NestedNumbers
  weight: number[]
  labelSmoothing: number
  reduction: 'mean' | 'sum'
  loss: number
  gradient: number[][]
}
interface TrainingCase {
  kind: 'training'
  name: string
  inputs: number[][]
  targets: number[]
  weight: number[]
  lr: number
  start: Record<string, number[]>
  losses: number[]
  end: Record<string, number[]>
}
const { cases }: { cases: (LossCase | TrainingCase)[] } = JSON.parse(readFileSync('test/oracles/class_weights.json', 'utf8'))
const losses = cases.filter((one) => one.kind === 'loss')
const trainings = cases.filter((one) => one.kind === 'training')
const backends = [
  { name: 'js float64', digits: 12, backend: createBackend({ backend: 'js', dtype: 'float64' }) },
  { name: 'js', digits: 5, backend: createBackend({ backend: 'js' }) },
  ...supportedVariants().map((variant) => ({ name: `${variant}`, digits: 5, backend: createBackend({ variant }) })),
]

function expectNear(got: ArrayLike<number>, wanted: ArrayLike<number>, digits: number): void {
  expect(got.length).toBe(wanted.length)
  for (let i = 0; i < wanted.length; i++) expect(got[i]).toBeCloseTo(wanted[i], digits)
}

describe.each(backends)('on $name', ({ backend, digits }) => {
  test.each(losses)('weightedCrossEntropy of $name', ({ prediction, target, weight, labelSmoothing, reduction, loss, gradient }) => {
    const x = tensor(prediction, { requiresGrad: true, backend })
    const options = { labelSmoothing, reduction }
    const weighted = weightedCrossEntropy(weight)
    const value = weighted(x, tensor(target as number[], { backend }), options)
    expect(value.item()).toBeCloseTo(loss, digits)
    value.backward()
    expectNear(x.grad?.data() ?? [], gradient.flat(), digits)
    // the gradient that can be differentiated again
    const again = tensor(prediction, { requiresGrad: true, backend })
    const [g] = gradients(weighted(again, tensor(target as number[], { backend }), options), [again], { createGraph: true })
    expectNear(g.data(), gradient.flat(), digits)
  })

  test('weights of rows multiply those of classes', () => {
    const x = tensor(
      [
        [1, 2],
        [0.5, -1],
        [0, 3],
      ],
      { backend },
    )
    const alone = [0, 1, 2].map((r) => crossEntropy(tensor([(x.toArray() as number[][])[r]], { backend }), [[0, 1, 0][r]]).item())
    const [w, c] = [
      [1, 2, 3],
      [1, 5, 1],
    ]
    const wanted = alone.reduce((sum, l, r) => sum + w[r] * c[r] * l, 0) / 7
    expect(weightedCrossEntropy([1, 5])(x, [0, 1, 0], { weights: w }).item()).toBeCloseTo(wanted, 5)
  })

  const net = () => new Sequential([new Dense(3, 4, { activation: 'tanh' }), new Dense(4, 3)], { seed: 1, backend })
  const named = (state: Record<string, number[]>) =>
    Object.fromEntries(Object.entries(state).map(([name, v]) => [name.replace('2.', '1.'), v]))

  test.each(trainings)(
    'fit on all rows follows PyTorch, weights $name',
    async ({ name, inputs, targets, weight, lr, start, losses, end }) => {
      const weights = classWeights(targets, name === 'balanced' ? name : weight)
      const ways = [
        { targets, weights, loss: crossEntropy },
        { targets: Int32Array.from(targets), weights, loss: crossEntropy },
        { targets: oneHot(tensor(targets, { backend }), 3), weights, loss: crossEntropy },
        { targets, loss: weightedCrossEntropy(weight) },
      ]
      for (const way of ways) {
        const model = net().loadState(named(start))
        const optimizer = new SGD(model.parameters(), { learningRate: lr })
        const { epochs } = await fit(model, { inputs, ...way, optimizer, epochs: losses.length, batchSize: 'full' })
        expectNear(
          epochs.map(({ loss }) => loss),
          losses,
          digits - 1,
        )
        for (const [place, values] of Object.entries(named(end))) expectNear(model.state()[place], values, digits - 1)
      }
    },
  )
})

describe('classWeights', () => {
  test('are the factors of the classes, with a mean of 1', () => {
    expect([...classWeights([0, 2, 2, 0], [1, 7, 3])]).toEqual([0.5, 1.5, 1.5, 0.5])
    expect([...classWeights(Int32Array.of(1, 0, 1, 1), [6, 2])]).toEqual([2, 6, 2, 2].map((w) => w / 3))
    expect([...classWeights(Float32Array.of(0, 1), Float64Array.of(0, 2))]).toEqual([0, 2])
    expect(classWeights([], 'balanced')).toHaveLength(0)
  })

  test('balanced, each class counts the same', () => {
    const targets = [0, 0, 0, 0, 0, 3, 3, 9]
    const weights = classWeights(targets, 'balanced')
    for (const c of [0, 3, 9]) expect(targets.reduce((sum, t, i) => sum + (t === c ? weights[i] : 0), 0)).toBeCloseTo(8 / 3, 6)
  })

  test('refuse what does not fit', () => {
    expect(() => classWeights([0, 1, 2], [1, 2])).toThrow('classWeights: wants a finite factor from 0 for class 2, got undefined')
    for (const w of [-1, Number.NaN, Infinity]) expect(() => classWeights([0, 1], [1, w])).toThrow(`from 0 for class 1, got ${w}`)
    expect(() => classWeights([0, 1], { 0: 1 } as never)).toThrow(
      "a factor for each class in an array, or 'balanced', got an object with 0",
    )
    expect(() => classWeights([0, 1], 'even' as never)).toThrow("got 'even'")
    for (const t of [0.5, -1, Number.NaN]) expect(() => classWeights([0, t], 'balanced')).toThrow(`as targets, got ${t} at row 1`)
    expect(() => classWeights([0, 0], [0, 1])).toThrow('so that no row counts')
  })
})

describe('weightedCrossEntropy', () => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ])

  test('refuses factors and targets that do not fit', () => {
    expect(() => weightedCrossEntropy([1])(x, [0, 1])).toThrow(ShapeError)
    expect(() => weightedCrossEntropy([1])(x, [0, 1])).toThrow('weightedCrossEntropy: has factors for 1 classes, the prediction has 2')
    for (const w of [{ 0: 1 }, 'balanced', 3, null])
      expect(() => weightedCrossEntropy(w as never)).toThrow('wants a factor for each class in an array')
    for (const w of [-1, Number.NaN, Infinity])
      expect(() => weightedCrossEntropy([1, w])).toThrow(`weightedCrossEntropy: wants finite factors from 0, got ${w} for class 1`)
    expect(() => weightedCrossEntropy([-1, 1])).toThrow('got -1 for class 0')
    const loss = weightedCrossEntropy([1, 1])
    expect(() => loss(x, [0, 2])).toThrow('weightedCrossEntropy: label: wants whole numbers from 0 to 1')
    expect(() => loss(x, [0, 1], { labelSmoothing: 1 })).toThrow('weightedCrossEntropy: labelSmoothing')
    expect(() =>
      loss(
        x,
        tensor(
          [
            [1, 0],
            [0, 1],
          ],
          { requiresGrad: true },
        ),
      ),
    ).toThrow('target requires a gradient')
    expect(() => loss(tensor([1, 2]), [0])).toThrow('weightedCrossEntropy: wants logits of shape [rows, classes]')
  })

  test('where no row counts it is 0', () => {
    expect(weightedCrossEntropy([0, 1])(x, [0, 0]).item()).toBe(0)
  })

  test('keeps its factors, whatever becomes of the array', () => {
    const factors = [1, 3]
    const loss = weightedCrossEntropy(factors)
    const before = loss(x, [0, 1]).item()
    factors[1] = 100
    expect(loss(x, [0, 1]).item()).toBe(before)
  })
})
