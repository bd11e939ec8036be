/** GradientAccumulation: its counts, its state, and the remaining batches at the end of an epoch of `fit`. */
import { describe, expect, test } from 'vitest'
import {
  Dense,
  decodeState,
  Embedding,
  encodeState,
  fit,
  GradientAccumulation,
  Lookahead,
  mse,
  mul,
  type Parameter,
  SAM,
  Sequential,
  SGD,
  sum,
} from '../../../ts/index.js'
import { OptimizerWrapper, SparseAdam } from '../../../ts/optim/index.js'
import { backend, batch, pairs, scalar } from '../../tools/wrappers.js'

describe('GradientAccumulation', () => {
  const accumulate = (p: Parameter, every: number) => new GradientAccumulation(new SGD([p], { learningRate: 1 }), { every })

  test.each([
    ['as it is', (state: object) => state],
    ['through JSON', (state: object) => JSON.parse(JSON.stringify(state))],
    ['through a file', (state: object) => decodeState(encodeState({ state })).state],
  ])('a new model goes on with the batches that have come together: state %s', (_, through) => {
    const [p, q] = pairs(scalar)
    const first = accumulate(p, 2)
    batch(first, p, 10)
    const second = accumulate(q, 2)
    second.loadState(through(first.state()))
    batch(second, q, 2)
    expect(q.view()[0]).toBe(-6)
  })

  test('a state from before the first of them knows nothing of them', () => {
    const p = scalar()
    const optimizer = accumulate(p, 2)
    const fresh = optimizer.state()
    batch(optimizer, p, 10)
    optimizer.loadState(fresh)
    batch(optimizer, p, 4)
    batch(optimizer, p, 2)
    expect(p.view()[0]).toBe(-3)
  })

  test('a row of a table that was looked up is one after a restart, though its gradient is 0', () => {
    const made = pairs(() => new Embedding(4, 2, { seed: 1, backend }))
    const [a, b] = made.map((table) => {
      const optimizer = new GradientAccumulation(new SparseAdam(table.parameters(), { learningRate: 0.1 }), { every: 2 })
      return { table, optimizer }
    })
    const look = ({ table, optimizer }: typeof a, rows: number[], times: number) => {
      sum(mul(table.forward(rows), times)).backward()
      optimizer.step()
    }
    for (const it of [a, b]) for (let k = 0; k < 2; k++) look(it, [1, 2], 1)
    for (const it of [a, b]) look(it, [1], 0)
    const table = new Embedding(4, 2, { seed: 2, backend }).loadState(b.table.state())
    const optimizer = new GradientAccumulation(new SparseAdam(table.parameters(), { learningRate: 0.1 }), { every: 2 })
    optimizer.loadState(b.optimizer.state())
    for (const it of [a, { table, optimizer }]) look(it, [2], 1)
    expect(table.state()).toEqual(a.table.state())
  })

  test('zeroGrad forgets the batches, too', () => {
    const p = scalar()
    const optimizer = accumulate(p, 2)
    batch(optimizer, p, 100)
    optimizer.zeroGrad()
    batch(optimizer, p, 4)
    batch(optimizer, p, 2)
    expect(p.view()[0]).toBe(-3)
  })

  test('of other parameters: refused, and nothing was changed', () => {
    const p = scalar()
    const optimizer = accumulate(p, 3)
    batch(optimizer, p, 10)
    const before = structuredClone(optimizer.state())
    const wrong = structuredClone(before)
    Object.assign(wrong.extra?.own as object, { gradients: [{ values: [1, 2], rows: null }] })
    wrong.groups[0].options.learningRate = 0.5
    expect(() => optimizer.loadState(wrong)).toThrow(
      'GradientAccumulation(SGD).loadState(): the state is of parameters with 2 values, these have 1',
    )
    expect(optimizer.state()).toEqual(before)
  })

  test.each([
    ['no word of pending', { pending: undefined }, 'pending wants a whole number ≥ 0, got undefined'],
    ['half a batch', { pending: 0.5 }, 'pending wants a whole number ≥ 0, got 0.5'],
    ['batches without gradients', { pending: 2, gradients: null }, 'the state has 2 batches pending and no gradients'],
    ['gradients of no batch', { pending: 0 }, 'the state has 0 batches pending and some gradients'],
    ['every 0', { every: 0 }, 'every wants a number ≥ 1, got 0'],
    ['an unknown option', { evry: 3 }, "there is no option 'evry'; did you mean every?"],
  ])('a state with %s: refused, and nothing was changed', (_, change, message) => {
    const p = scalar()
    const optimizer = accumulate(p, 3)
    batch(optimizer, p, 10)
    const before = structuredClone(optimizer.state())
    const wrong = structuredClone(before)
    Object.assign(wrong.extra?.own as object, change)
    wrong.groups[0].options.learningRate = 0.5
    expect(() => optimizer.loadState(wrong)).toThrow(`GradientAccumulation(SGD).loadState(): ${message}`)
    expect(optimizer.state()).toEqual(before)
  })

  test('has no second one inside, whose last batches nothing would flush', () => {
    const p = scalar()
    const message = 'adds batches up already; one of them is enough'
    expect(() => new GradientAccumulation(accumulate(p, 2), { every: 2 })).toThrow(`GradientAccumulation(SGD) ${message}`)
    expect(() => new GradientAccumulation(new Lookahead(accumulate(p, 2)), { every: 2 })).toThrow(message)
  })

  test('goes into SAM neither way, at any depth', () => {
    const p = scalar()
    expect(() => new SAM(accumulate(p, 2))).toThrow('SAM: GradientAccumulation(SGD) steps on the mean of several batches')
    expect(() => new SAM(new Lookahead(accumulate(p, 2)))).toThrow('SAM: Lookahead(GradientAccumulation(SGD)) steps')
    expect(() => new GradientAccumulation(new SAM(new SGD([p])), { every: 2 })).toThrow('nothing adds up for it')
  })
})

describe('fit with GradientAccumulation', () => {
  const inputs = Array.from({ length: 6 }, (_, i) => [Math.sin(i), Math.cos(2 * i)])
  const targets = inputs.map(([a, b]) => [a - b])
  const data = { inputs, targets, loss: mse, batchSize: 1, shuffle: false }
  const net = () => new Sequential([new Dense(2, 3, { activation: 'tanh' }), new Dense(3, 1)], { seed: 1, backend })
  const made = () => {
    const model = net()
    return { model, optimizer: new GradientAccumulation(new SGD(model.parameters(), { learningRate: 0.1 }), { every: 4 }) }
  }
  const isWaiting = (model: Sequential) => model.parameters().some((p) => p.gradientState === 'ready')

  test.each([
    ['unwatched', {}],
    ['with a metric', { metrics: ['meanAbsoluteError'] as 'meanAbsoluteError'[] }],
    ['with validation', { validation: { inputs, targets } }],
  ])('what is left over at the end of an epoch makes a step of its own: %s', async (_, options) => {
    const { model, optimizer } = made()
    await fit(model, { ...data, ...options, optimizer, epochs: 2 })
    expect([optimizer.stepCount, isWaiting(model)]).toEqual([4, false])
    const twin = net()
    const plain = new SGD(twin.parameters(), { learningRate: 0.1 })
    // the mean over four batches of a row, then over two
    for (const rows of [
      [0, 4],
      [4, 6],
      [0, 4],
      [4, 6],
    ]) {
      mse(twin.forward(inputs.slice(...rows)), targets.slice(...rows)).backward()
      plain.step()
    }
    model.parameters().forEach((p, i) => {
      p.view().forEach((x, k) => expect(x).toBeCloseTo(twin.parameters()[i].view()[k], 12))
    })
  })

  test('each epoch makes its step, also where many epochs run at once', async () => {
    const states = []
    for (const options of [{}, { metrics: ['meanAbsoluteError'] as 'meanAbsoluteError'[] }]) {
      const { model, optimizer } = made()
      await fit(model, { ...data, ...options, optimizer, epochs: 500 })
      expect(optimizer.stepCount).toBe(1000)
      states.push(model.state())
    }
    expect(states[0]).toEqual(states[1])
  })

  test('a wrapper of one’s own that flushes makes as many steps, however many epochs run at once', async () => {
    class Alternating extends OptimizerWrapper {
      calls = 0
      waiting = false
      override step() {
        this.calls++
        this.waiting = this.calls % 4 !== 0
        if (!this.waiting) this.inner.step()
        else this.groups[0].backend.arena.end()
      }
      override flush() {
        if (this.waiting) this.inner.step()
        this.waiting = false
      }
      extra = () => ({})
      loadExtra = () => () => {}
    }
    const { model } = made()
    const optimizer = new Alternating(new SGD(model.parameters(), { learningRate: 0.1 }))
    await fit(model, { ...data, optimizer, epochs: 200 })
    // six batches per epoch: fit steps at the fourth call and at the end; a loop without flush at the eighth and the twelfth
    expect(optimizer.stepCount).toBe(400)
  })

  test('validation sees the whole epoch', async () => {
    const { model, optimizer } = made()
    const { epochs } = await fit(model, { ...data, optimizer, epochs: 1, validation: { inputs, targets } })
    expect(epochs[0].validation?.loss).toBeCloseTo(mse(model.predict(inputs), targets).item(), 12)
  })

  test('a training that is stopped in the middle leaves nothing behind', async () => {
    const { model, optimizer } = made()
    const callbacks = [
      { onBatchEnd: ({ step }: { step: number }, control: { stop(reason: string): void }) => void (step === 5 && control.stop('enough')) },
    ]
    await fit(model, { ...data, optimizer, epochs: 2, callbacks })
    expect([optimizer.stepCount, isWaiting(model)]).toEqual([2, false])
  })

  test('one that fails neither: the next begins with no batch', async () => {
    const { model, optimizer } = made()
    const broken = { ...data, targets: targets.map((row, i) => (i === 2 ? [1e200] : row)) }
    await expect(fit(model, { ...broken, optimizer, epochs: 1 })).rejects.toThrow('loss is Infinity at step 3')
    expect([optimizer.stepCount, isWaiting(model)]).toEqual([0, false])
    const other = made()
    await fit(model, { ...data, optimizer, epochs: 1 })
    await fit(other.model, { ...data, optimizer: other.optimizer, epochs: 1 })
    expect(model.state()).toEqual(other.model.state())
  })
})
