/** Weights of classes, in crossEntropy and in fit, against PyTorch's numbers on every backend; what they refuse. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  Adam,
  binaryCrossEntropy,
  createBackend,
  crossEntropy,
  Dense,
  type FitOptions,
  fit,
  gradients,
  type NestedNumbers,
  oneHot,
  Sequential,
  SGD,
  ShapeError,
  supportedVariants,
  tensor,
  trainSteps,
} from '../ts/index.js'

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
  test.each(losses)('crossEntropy of $name', ({ prediction, target, weight, labelSmoothing, reduction, loss, gradient }) => {
    const x = tensor(prediction, { requiresGrad: true, backend })
    const options = { classWeights: weight, labelSmoothing, reduction }
    const value = crossEntropy(x, tensor(target as number[], { backend }), options)
    expect(value.item()).toBeCloseTo(loss, digits)
    value.backward()
    expectNear(x.grad?.data() ?? [], gradient.flat(), digits)
    // the gradient that can be differentiated again
    const again = tensor(prediction, { requiresGrad: true, backend })
    const [g] = gradients(crossEntropy(again, tensor(target as number[], { backend }), options), [again], { createGraph: true })
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
    expect(crossEntropy(x, [0, 1, 0], { weights: w, classWeights: [1, 5] }).item()).toBeCloseTo(wanted, 5)
  })

  const net = () => new Sequential([new Dense(3, 4, { activation: 'tanh' }), new Dense(4, 3)], { seed: 1, backend })
  const named = (state: Record<string, number[]>) =>
    Object.fromEntries(Object.entries(state).map(([name, v]) => [name.replace('2.', '1.'), v]))

  test.each(trainings)(
    'fit on all rows follows PyTorch, classWeights $name',
    async ({ name, inputs, targets, weight, lr, start, losses, end }) => {
      for (const given of [targets, Int32Array.from(targets), oneHot(tensor(targets, { backend }), 3)]) {
        const model = net().loadState(named(start))
        const { epochs } = await fit(model, {
          inputs,
          targets: given,
          loss: crossEntropy,
          optimizer: new SGD(model.parameters(), { learningRate: lr }),
          epochs: losses.length,
          batchSize: 'full',
          classWeights: name === 'balanced' ? name : weight,
        })
        expectNear(
          epochs.map(({ loss }) => loss),
          losses,
          digits - 1,
        )
        for (const [place, values] of Object.entries(named(end))) expectNear(model.state()[place], values, digits - 1)
      }
    },
  )

  test('they are weights of rows, in batches, with weights of their own and in trainSteps', async () => {
    const [{ inputs, targets }] = trainings
    const own = targets.map((_, i) => 1 + (i % 3))
    const classWeights = [1, 3, 8]
    const mean = targets.reduce((sum, t) => sum + classWeights[t], 0) / targets.length
    const run = async (more: Partial<FitOptions>, steps = false) => {
      const model = net()
      const options = {
        inputs,
        targets: Int32Array.from(targets),
        loss: crossEntropy,
        optimizer: new Adam(model.parameters()),
        epochs: 4,
        batchSize: 5,
        ...more,
      }
      if (steps) for await (const _ of trainSteps(model, options));
      else await fit(model, options)
      return model.state()
    }
    const wanted = await run({ weights: targets.map((t, i) => (own[i] * classWeights[t]) / mean) })
    for (const [name, values] of Object.entries(await run({ weights: own, classWeights }))) expectNear(values, wanted[name], 5)
    for (const [name, values] of Object.entries(await run({ weights: own, classWeights }, true))) expectNear(values, wanted[name], 5)
    expect(await run({ classWeights: [2, 2, 2] })).toEqual(await run({ weights: targets.map(() => 1) }))
  })

  test('one output of yes or no has two classes', async () => {
    const [{ inputs, targets }] = trainings
    const yes = targets.map((t) => Number(t > 0))
    const factors: number[] = yes.map((y) => (y === 1 ? 4 : 1))
    const mean = factors.reduce((a, b) => a + b) / factors.length
    const run = async (targets: number[] | number[][], more: Partial<FitOptions>) => {
      const model = new Sequential([new Dense(3, 1)], { seed: 1, backend })
      await fit(model, {
        inputs,
        targets,
        loss: binaryCrossEntropy,
        optimizer: new Adam(model.parameters()),
        epochs: 3,
        batchSize: 'full',
        ...more,
      })
      return model.state()['0.weight']
    }
    const wanted = await run(yes, { weights: factors.map((f) => f / mean) })
    for (const targets of [yes, yes.map((y) => [y])]) expectNear(await run(targets, { classWeights: [1, 4] }), wanted, 6)
  })

  test('validation is judged without', async () => {
    const [{ inputs, targets }] = trainings
    const model = net()
    const data = { inputs, targets: Int32Array.from(targets) }
    const optimizer = new Adam(model.parameters())
    const history = await fit(model, { ...data, loss: crossEntropy, optimizer, validation: data, classWeights: [1, 3, 8] })
    expect(history.epochs[0].valLoss).toBeCloseTo(crossEntropy(model.predict(tensor(inputs, { backend })), data.targets).item(), 5)
  })
})

describe('what is refused', () => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ])
  test('factors that do not fit, in the loss', () => {
    expect(() => crossEntropy(x, [0, 1], { classWeights: [1] })).toThrow(ShapeError)
    expect(() => crossEntropy(x, [0, 1], { classWeights: [1] })).toThrow('classWeights: wants one factor for each of 2 classes, got 1')
    expect(() => crossEntropy(x, [0, 1], { classWeights: { 0: 1 } as never })).toThrow('got an object with 0')
    for (const w of [-1, Number.NaN, Infinity])
      expect(() => crossEntropy(x, [0, 1], { classWeights: [1, w] })).toThrow(`wants finite factors from 0, got ${w} for class 1`)
    expect(() => crossEntropy(x, [0, 2], { classWeights: [1, 1] })).toThrow('label: wants whole numbers from 0 to 1')
    expect(() =>
      crossEntropy(
        x,
        tensor(
          [
            [1, 0],
            [0, 1],
          ],
          { requiresGrad: true },
        ),
        { classWeights: [1, 1] },
      ),
    ).toThrow('target requires a gradient')
    expect(crossEntropy(x, [0, 0], { classWeights: [0, 1] }).item()).toBe(0)
  })

  test('factors that do not fit, and targets without classes, in fit', async () => {
    const run = async (classWeights: unknown, targets: NestedNumbers = [0, 1, 2]) => {
      const model = new Sequential([new Dense(1, 3)])
      const optimizer = new SGD(model.parameters())
      await fit(model, { inputs: [[1], [2], [3]], targets, loss: crossEntropy, optimizer, classWeights: classWeights as 'balanced' })
    }
    await expect(run([1, 2])).rejects.toThrow('fit: classWeights: wants one factor for each of 3 classes, got 2')
    await expect(run({ 0: 1 })).rejects.toThrow(
      "fit: classWeights wants a number for each class in an array, or 'balanced', got an object with 0",
    )
    await expect(run('even')).rejects.toThrow("got 'even'")
    await expect(run([1, -1, 1])).rejects.toThrow('wants finite factors from 0, got -1 for class 1')
    await expect(run([0, 0, 0, 1])).rejects.toThrow('classWeights are 0 for all classes that occur')
    await expect(run('balanced', [0.5, 1, 0])).rejects.toThrow('fit: classWeights wants one class a row as targets, row 0 has 0.5')
    await expect(
      run('balanced', [
        [1, 0, 0],
        [0.5, 0.5, 0],
        [0, 0, 1],
      ]),
    ).rejects.toThrow('row 1 has 0.5, 0.5, 0')
    await expect(
      run('balanced', [
        [1, 1, 0],
        [0, 1, 0],
        [0, 0, 1],
      ]),
    ).rejects.toThrow('row 0 has 1, 1, 0')
    await expect(run([1, 1, 1, 5])).resolves.toBeUndefined()
  })
})
