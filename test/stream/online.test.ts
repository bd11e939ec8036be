/** OnlineLearner: it follows a stream, remembers and forgets, and notices when the data change. */
import { describe, expect, test } from 'vitest'
import { RandomStream } from '../../ts/common/random-stream.js'
import { fromTable } from '../../ts/data/index.js'
import { Adam, crossEntropy, Dense, decodeState, encodeState, type Module, mse, Sequential, type Tensor, tensor } from '../../ts/index.js'
import { DriftDetector } from '../../ts/stream/drift.js'
import { type Drift, OnlineLearner, type OnlineOptions } from '../../ts/stream/index.js'

const weights = (model: Module) => model.parameters().map((p: Tensor) => [...p.data()])
const learner = (options: Partial<OnlineOptions> = {}, model: Module = new Sequential([new Dense(2, 1)], { seed: 1 })) =>
  new OnlineLearner(model, { loss: mse, optimizer: new Adam(model.parameters(), { learningRate: 0.02 }), ...options })
/** Rows of y = a + slope·b, with a little noise. */
function* rows(seed: number, slope = 2) {
  const random = new RandomStream(seed)
  for (;;) {
    const [a, b] = [random.normal(), random.normal()]
    yield { inputs: [a, b], targets: a + slope * b + 0.05 * random.normal() }
  }
}
const learn = (online: OnlineLearner, stream: Generator<{ inputs: number[]; targets: number }>, calls: number) => {
  let drift: Drift | null = null
  let loss = Number.NaN
  for (let i = 0; i < calls; i++) {
    const batch = Array.from({ length: 8 }, () => stream.next().value)
    const found = online.partialFit(batch)
    drift ??= found.drift
    loss = found.loss
  }
  return { drift, loss }
}

describe('a learner of rows that never end', () => {
  test('learns, tells a drift soon after the data change and not before, and follows it', () => {
    const online = learner({ afterDrift: 'forget' })
    const before = learn(online, rows(1), 2000)
    expect(before.drift).toBeNull()
    expect(before.loss).toBeLessThan(0.02)
    const { drift, loss } = learn(online, rows(2, -3), 300)
    expect(drift?.row).toBeGreaterThan(16_000)
    expect(drift?.row).toBeLessThan(16_000 + 400)
    expect(drift?.now).toBeGreaterThan(3 * (drift?.before as number))
    expect(loss).toBeLessThan(0.1)
    expect(online.rows).toBe(18_400)
  })

  test('has the same bits from the same rows, also when its state was saved in between', () => {
    const [one, two] = [learner(), learner()]
    const [a, b] = [rows(3), rows(3)]
    learn(one, a, 60)
    learn(two, b, 30)
    const state = decodeState(
      encodeState({ online: two.state(), optimizer: (two as never as { options: OnlineOptions }).options.optimizer.state() }),
    )
    const third = learner({}, new Sequential([new Dense(2, 1)], { seed: 1 }))
    third.model.loadState(two.model.state())
    ;(third as never as { options: OnlineOptions }).options.optimizer.loadState((state as never as { optimizer: never }).optimizer)
    third.loadState((state as never as { online: never }).online)
    learn(third, b, 30)
    expect(weights(third.model)).toEqual(weights(one.model))
  })

  test('remembers all rows alike, or lets them fade by its half-life', () => {
    /** The ages of remembered rows, whose target is their number. */
    const ages = (options: Partial<OnlineOptions>) => {
      const model = new Sequential([new Dense(1, 1)], { seed: 1 })
      const online = new OnlineLearner(model, { loss: mse, optimizer: new Adam(model.parameters(), { learningRate: 1e-9 }), ...options })
      for (let i = 0; i < 200; i++)
        online.partialFit({
          inputs: new Float32Array(100),
          shape: [100, 1],
          targets: Float32Array.from({ length: 100 }, (_, j) => i * 100 + j),
        })
      return [...(online.state().remembered?.targets ?? [])].map((row) => 20_000 - row).sort((x, y) => x - y)
    }
    const all = ages({ memory: 400 })
    expect(all.length).toBe(400)
    expect(Math.abs(all[200] - 10_000)).toBeLessThan(1500)
    const fading = ages({ memory: 400, halfLife: 2000 })
    expect(fading.length).toBe(400)
    expect(Math.abs(fading[200] - 2000)).toBeLessThan(400)
    // a half-life shorter than the memory: fewer rows are kept
    const short = ages({ memory: 400, halfLife: 100 })
    expect(short.length).toBe(144)
    expect(short[72]).toBeLessThan(160)
    expect(ages({ memory: 0 })).toEqual([])
  })

  test('does not forget what comes rarely', () => {
    const train = (memory: number) => {
      const model = new Sequential([new Dense(2, 16, { activation: 'relu' }), new Dense(16, 2)], { seed: 1 })
      const online = new OnlineLearner(model, {
        loss: crossEntropy,
        optimizer: new Adam(model.parameters(), { learningRate: 0.02 }),
        memory,
      })
      const random = new RandomStream(5)
      const at = (label: number) => [label * 2 - 1 + 0.3 * random.normal(), random.normal()]
      for (let i = 0; i < 600; i++) {
        // the second class comes in the first calls alone
        const labels = Array.from({ length: 8 }, (_, j) => (i < 60 ? j % 2 : 0))
        online.partialFit({ inputs: labels.map(at), targets: Int32Array.from(labels) })
      }
      const seen = Array.from({ length: 200 }, () => at(1))
      const logits = model.predict(tensor(seen)).data()
      return seen.filter((_, i) => logits[2 * i + 1] > logits[2 * i]).length
    }
    expect(train(1000)).toBeGreaterThan(190)
    expect(train(0)).toBeLessThan(train(1000))
  })

  test('learns nothing of a call with a row that it cannot read', () => {
    const model = new Sequential([new Dense(2, 2)], { seed: 1 })
    const online = learner({ loss: crossEntropy, batchSize: 4 }, model)
    online.partialFit({ inputs: [[1, 2]], targets: [0] })
    const before = [weights(model), online.state()]
    const many = Array.from({ length: 20 }, () => [1, 2])
    const labels = Array.from({ length: 20 }, (_, i) => (i === 17 ? 2 : 0))
    expect(() => online.partialFit({ inputs: many, targets: labels })).toThrow(/^partialFit: row 18: targets: .*2/)
    expect(() => online.partialFit({ inputs: [[1, Number.NaN]], targets: [0] })).toThrow(
      "partialFit: row 1: inputs want finite numbers, got NaN; badRows: 'skip'",
    )
    expect(() => online.partialFit({ inputs: [[1, 2, 3]], targets: [0] })).toThrow(
      'row 1: inputs have shape [3], those of the rows before [2]',
    )
    expect(() => online.partialFit(undefined as never)).toThrow('partialFit: row 1 wants an object, got undefined')
    expect(() => online.partialFit('x' as never)).toThrow("partialFit: row 1 wants an object, got 'x'")
    expect([weights(model), online.state()]).toEqual(before)
    expect(online.partialFit([])).toEqual({ rows: 0, loss: Number.NaN, drift: null, skipped: [] })
    const first = learner({}, new Sequential([new Dense(2, 1)], { seed: 1 }))
    expect(() => first.partialFit({ inputs: [[1, 2, 3]], targets: [0] })).toThrow('wants inputs of shape [..., 2], got shape [1, 3]')
    expect(first.partialFit({ inputs: [[1, 2]], targets: [0] }).rows).toBe(1)
    const skipping = learner({ badRows: 'skip' })
    expect(
      skipping.partialFit({
        inputs: [
          [1, 2],
          [1, Number.NaN],
        ],
        targets: [0, 1],
      }),
    ).toMatchObject({ rows: 1, skipped: [{ row: 1 }] })
    expect(skipping.rows).toBe(2)
  })

  test('takes rows of a table by an encoder, and a single row of numbers', () => {
    const table = fromTable(
      [
        { x: 1, y: 2 },
        { x: 2, y: 4 },
      ],
      { target: 'y' },
    )
    const model = new Sequential([new Dense(1, 1)], { seed: 1 })
    const online = learner({ encoder: table }, model)
    expect(online.partialFit([{ x: 3, y: 6 }]).rows).toBe(1)
    expect(online.partialFit({ x: 3, y: 6 }).rows).toBe(1)
    expect(() =>
      online.partialFit([
        { x: 3, y: 6 },
        { x: 'many', y: 6 },
      ]),
    ).toThrow(/^partialFit: .*row 3\b.*'many'/)
    expect(learner().partialFit({ inputs: [1, 2], targets: 3 }).rows).toBe(1)
  })

  test('refuses states of others, and options that do not fit', () => {
    const online = learner({ memory: 10 })
    learn(online, rows(1), 5)
    const state = online.state()
    expect(() => learner({ memory: 5 }).loadState(state)).toThrow('10 remembered rows are more than memory: 5')
    expect(() => learner().loadState({} as never)).toThrow(/OnlineLearner: rows/)
    expect(() => learner().loadState(null as never)).toThrow(/OnlineLearner: rows/)
    const wrong = { ...state, remembered: state.remembered && { ...state.remembered, inputs: new Float32Array(3) } }
    expect(() => learner().loadState(wrong)).toThrow('OnlineLearner: a Float32Array of 3 are no inputs of 10 remembered rows')
    for (const remembered of [undefined, 7, { count: 1 }, { ...state.remembered, shape: null }])
      expect(() => learner().loadState({ ...state, remembered } as never)).toThrow(
        'OnlineLearner: remembered wants rows as state() gives them',
      )
    expect(() => new OnlineLearner(7 as never, { loss: mse, optimizer: null as never })).toThrow('OnlineLearner: wants a model')
    expect(() => learner({ memory: -1 })).toThrow('OnlineLearner: memory wants')
  })
})

test('drift is not told of noise, however it is distributed', () => {
  const random = new RandomStream(1)
  const kinds: [string, () => number][] = [
    ['normal', () => 1 + 0.1 * random.normal()],
    ['squares', () => random.normal() ** 2],
    ['fourth powers', () => random.normal() ** 4],
    ['rare', () => (random.uniform() < 0.02 ? 5 : 0.01)],
    ['constant', () => 0.5],
    [
      'falling',
      (() => {
        let i = 0
        return () => Math.exp(-i++ / 1e4) + 0.1 * random.uniform()
      })(),
    ],
  ]
  for (const [name, next] of kinds) {
    const detector = new DriftDetector()
    let told = 0
    for (let i = 0; i < 60_000; i++) if (detector.add(next(), 1) !== null) told++
    expect([name, told]).toEqual([name, 0])
  }
})
