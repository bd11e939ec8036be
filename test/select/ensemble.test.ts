/** Ensemble: the mean and the spread of its members, selection, saving. */
import { describe, expect, test } from 'vitest'
import { blobs, moons, trainTestSplit } from '../../ts/data/index.js'
import {
  Adam,
  binaryCrossEntropy,
  createBackend,
  crossEntropy,
  Dense,
  decodeState,
  Ensemble,
  type EnsembleAverage,
  encodeState,
  evaluateModel,
  fit,
  fitMany,
  type Loss,
  mse,
  Sequential,
  sigmoid,
  softmax,
  type Tensor,
} from '../../ts/index.js'

const backends = [createBackend({ backend: 'js' }), createBackend({ backend: 'js', dtype: 'float64' }), createBackend()]
const [js] = backends

const x = [
  [0.1, -2],
  [1, 0.5],
  [-3, 4],
]
const net = (seed: number, outputs = 3, backend = js) =>
  new Sequential([new Dense(2, 5, { activation: 'tanh' }), new Dense(5, outputs)], { seed, backend })
const numbersOf = (t: Tensor) => [...t.data()]

describe.each(backends)('on $variant $dtype', (backend) => {
  const members = [1, 2, 3].map((seed) => net(seed, 3, backend))
  const shares = [0.5, 0.25, 0.25]
  /** Weighted means and spreads of the members' outputs, in plain arithmetic. */
  const expected = (of: (t: Tensor) => Tensor) => {
    const each = members.map((member) => numbersOf(of(member.predict(x))))
    const mean = each[0].map((_, i) => each.reduce((sum, values, m) => sum + shares[m] * values[i], 0))
    return { mean, spread: mean.map((y, i) => Math.sqrt(each.reduce((sum, values, m) => sum + shares[m] * (values[i] - y) ** 2, 0))) }
  }
  const close = (got: number[], wanted: number[]) => got.forEach((value, i) => void expect(value).toBeCloseTo(wanted[i], 5))

  test.each<[EnsembleAverage, (t: Tensor) => Tensor]>([
    ['outputs', (t) => t],
    ['softmax', softmax],
    ['sigmoid', sigmoid],
  ])('the mean and spread of %s', (average, of) => {
    const ensemble = new Ensemble(members, { average, weights: [2, 1, 1] })
    const { mean, spread } = expected(of)
    const output = ensemble.predict(x)
    expect(output.shape).toEqual([3, 3])
    close(numbersOf(of(output)), mean)
    close(numbersOf(ensemble.spread(x)), spread)
    expect(ensemble.spread(x).shape).toEqual([3, 3])
  })

  test('members that agree have no spread, and logits far from 0 stay finite', () => {
    const one = net(1, 1, backend)
    const same = net(1, 1, backend)
    for (const member of [one, same]) member.parameters()[3].view().set([400])
    for (const average of ['outputs', 'sigmoid'] as const) {
      const ensemble = new Ensemble([one, same], { average })
      expect(numbersOf(ensemble.spread(x)).every((value) => value < 1e-6)).toBe(true)
      close(
        numbersOf(ensemble.predict(x)).map((z) => z / 400),
        numbersOf(one.predict(x)).map((z) => z / 400),
      )
    }
  })

  test('has the state of its members and their weights, and is saved as they are', () => {
    const ensemble = new Ensemble(members, { average: 'softmax', weights: [5, 1, 2] })
    expect(Object.keys(ensemble.state())).toContain('members.2.1.weight')
    const other = new Ensemble(
      [4, 5, 6].map((seed) => net(seed, 3, backend)),
      { average: 'softmax' },
    )
    expect(numbersOf(other.predict(x))).not.toEqual(numbersOf(ensemble.predict(x)))
    other.loadState(decodeState(encodeState({ ensemble })).ensemble)
    expect(numbersOf(other.predict(x))).toEqual(numbersOf(ensemble.predict(x)))
    expect(other.weights.toArray()).toEqual([5, 1, 2])
  })
})

test('members keep their own seeds, and may be trained and asked alone', async () => {
  const members = [net(1), net(2)]
  const ensemble = new Ensemble(members)
  expect(members[1].state()).toEqual(net(2).state())
  await fit(members[0], { inputs: x, targets: Int32Array.of(0, 1, 2), loss: crossEntropy, optimizer: new Adam(members[0].parameters()) })
  const [a, b, mean] = [...members, ensemble].map((model) => numbersOf(model.predict(x)))
  mean.forEach((value, i) => void expect(value).toBeCloseTo((a[i] + b[i]) / 2, 6))
})

test('may be trained as a whole', async () => {
  const ensemble = new Ensemble([net(1), net(2)], { average: 'softmax' })
  const data = { inputs: x, targets: Int32Array.of(0, 1, 2), loss: crossEntropy }
  const before = evaluateModel(ensemble, data).loss
  await fit(ensemble, { ...data, optimizer: new Adam(ensemble.parameters(), { learningRate: 0.05 }), epochs: 100 })
  expect(evaluateModel(ensemble, data).loss).toBeLessThan(before / 10)
})

test('is at least as good as its members are on average', async () => {
  const { train, test: held } = trainTestSplit(blobs({ count: 300, classes: 3, spread: 2, seed: 2 }), { seed: 1 })
  const models = [1, 2, 3, 4].map((seed) => net(seed))
  const optimizers = models.map((model) => new Adam(model.parameters(), { learningRate: 0.02 }))
  await fitMany(models, { ...train, loss: crossEntropy, optimizers, epochs: 20, seed: [1, 2, 3, 4] })
  const lossOf = (model: Sequential | Ensemble) => evaluateModel(model, { ...held, loss: crossEntropy }).loss
  const mean = models.reduce((sum, model) => sum + lossOf(model) / models.length, 0)
  // Jensen: −log is convex
  expect(lossOf(new Ensemble(models, { average: 'softmax' }))).toBeLessThanOrEqual(mean)
})

describe('select', () => {
  const data = moons({ count: 120, seed: 3 })
  const labels = { inputs: data.inputs, shape: data.shape, targets: data.targets }
  const numbers = { ...labels, targets: Float32Array.from(data.targets) }
  const trained = async (outputs: number, loss: Loss, validation: typeof labels | typeof numbers) => {
    const models = Array.from({ length: 8 }, (_, seed) => net(seed, outputs))
    const optimizers = models.map((model, i) => new Adam(model.parameters(), { learningRate: 0.001 * 3 ** i }))
    await fitMany(models, { ...validation, loss, optimizers, epochs: 10, batchSize: 30 })
    return models
  }

  test.each<[EnsembleAverage, number, Loss, typeof labels | typeof numbers]>([
    ['softmax', 2, crossEntropy, labels],
    ['sigmoid', 1, binaryCrossEntropy as Loss, numbers],
    ['outputs', 1, mse as Loss, numbers],
  ])('%s: each choice is the best there is, and the best ensemble on the way is kept', async (average, outputs, loss, validation) => {
    const models = await trained(outputs, loss, validation)
    const lossOf = (members: readonly Sequential[], weights: readonly number[]) =>
      evaluateModel(new Ensemble(members, { average, weights }), { ...validation, loss }).loss
    // the same selection written out: each candidate ensemble is evaluated as a model
    const counts = models.map(() => 0)
    let best = { loss: Number.POSITIVE_INFINITY, counts: [...counts] }
    for (let round = 0; round < 12; round++) {
      const losses = models.map((_, i) => {
        const tried = counts.map((count, j) => count + Number(i === j))
        const kept = [...models.keys()].filter((j) => tried[j] > 0)
        return lossOf(
          kept.map((j) => models[j]),
          kept.map((j) => tried[j]),
        )
      })
      const chosen = losses.indexOf(Math.min(...losses))
      counts[chosen]++
      if (losses[chosen] < best.loss - 1e-7) best = { loss: losses[chosen], counts: [...counts] }
    }
    const ensemble = Ensemble.select(models, validation, { loss, average, maxMembers: 12 })
    const got = evaluateModel(ensemble, { ...validation, loss }).loss
    expect(got).toBeCloseTo(best.loss, 5)
    expect(got).toBeLessThanOrEqual(Math.min(...models.map((model) => lossOf([model], [1]))) + 1e-6)
    for (const member of ensemble.members) expect(models).toContain(member)
    const total = numbersOf(ensemble.weights).reduce((sum, weight) => sum + weight, 0)
    expect(total).toBeLessThanOrEqual(12)
  })

  test('one choice is the best member; weights of rows count', async () => {
    const models = await trained(2, crossEntropy, labels)
    const weights = Float32Array.from(data.targets, (t) => (t === 0 ? 1 : 0))
    for (const more of [{}, { weights }]) {
      const losses = models.map((model) => evaluateModel(model, { ...labels, ...more, loss: crossEntropy }).loss)
      const { members } = Ensemble.select(models, { ...labels, ...more }, { loss: crossEntropy, average: 'softmax', maxMembers: 1 })
      expect(members).toEqual([models[losses.indexOf(Math.min(...losses))]])
    }
  })

  test('members that give no numbers are left out', async () => {
    const models = [net(1, 1), net(2, 1)]
    models[0].parameters()[0].view().fill(Number.NaN)
    expect(Ensemble.select(models, numbers, { loss: mse }).members).toEqual([models[1]])
    models[1].parameters()[0].view().fill(Number.NaN)
    expect(() => Ensemble.select(models, numbers, { loss: mse })).toThrow('Ensemble.select: no member has a finite loss')
  })
})

describe('bad input', () => {
  const [a, b] = [net(1), net(2)]
  const data = { inputs: x, targets: [0, 1, 2] }
  test.each<[string, () => unknown, string]>([
    ['no members', () => new Ensemble([]), 'Ensemble: members wants models in an array, at least one, got'],
    ['no model', () => new Ensemble([a, 3 as never]), 'Ensemble: members[1] wants a Module, got 3'],
    ['one twice', () => new Ensemble([a, b, a]), 'Ensemble: members[2] is the same as members[0]; let it count more by its weight'],
    [
      'an average',
      () => new Ensemble([a], { average: 'mean' as never }),
      "Ensemble: average wants 'outputs', 'softmax' or 'sigmoid', got 'mean'",
    ],
    [
      'too few weights',
      () => new Ensemble([a, b], { weights: [1] }),
      'Ensemble: weights wants a number for each of 2 members, got an array of 1',
    ],
    ['a weight', () => new Ensemble([a, b], { weights: [1, 0] }), 'Ensemble: weights[1] wants a number above 0, got 0'],
    ['an option', () => new Ensemble([a], { weight: 1 } as never), "Ensemble: there is no option 'weight'; did you mean weights?"],
    [
      'shapes',
      () => new Ensemble([a, net(2, 4)]).predict(x),
      'Ensemble: members want outputs of one shape, got [3, 4] of members[1] and [3, 3]',
    ],
    ['shapes of spread', () => new Ensemble([a, net(2, 4)]).spread(x), 'Ensemble: members want outputs of one shape'],
    ['backends', () => new Ensemble([a, net(1, 3, backends[1])]), 'Ensemble: members want to be on one backend'],
    [
      'no loss',
      () => Ensemble.select([a], data, {} as never),
      'Ensemble.select: loss wants a function, such as mse or crossEntropy, got undefined',
    ],
    [
      'maxMembers',
      () => Ensemble.select([a], data, { loss: crossEntropy, maxMembers: 0 }),
      'Ensemble.select: maxMembers wants a whole number ≥ 1, got 0',
    ],
    [
      'validation',
      () => Ensemble.select([a], { ...data, targets: [1] }, { loss: crossEntropy }),
      'Ensemble.select: validation: 3 rows of inputs but 1',
    ],
  ])('%s', (_, make, message) => {
    expect(make).toThrow(message)
  })
})
