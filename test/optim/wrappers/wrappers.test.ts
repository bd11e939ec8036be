/** Wrappers of optimizers: what they count, what they keep in their state, and what `fit` does with batches that are left over. */
import { describe, expect, test } from 'vitest'
import {
  Adam,
  add,
  createBackend,
  Dense,
  decodeState,
  Embedding,
  encodeState,
  fit,
  GradientAccumulation,
  LBFGS,
  Lookahead,
  mse,
  mul,
  type OptimizerLike,
  type OptimizerState,
  OptimizerWrapper,
  Parameter,
  SAM,
  Sequential,
  SGD,
  SparseAdam,
  sum,
} from '../../../ts/index.js'

const backend = createBackend({ backend: 'js', dtype: 'float64' })
const scalar = (value = 0) => new Parameter([value], { backend })
const pairs = <T>(make: () => T): [T, T] => [make(), make()]

/** A batch whose gradient is g. */
function batch(optimizer: OptimizerLike, p: Parameter, g: number): void {
  const before = p.gradientState === 'ready' ? p.gradientView()[0] : 0
  p.gradientView()[0] = before + g
  optimizer.step()
}

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
    ['every 0', { every: 0 }, 'every wants a finite number ≥ 1, got 0'],
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
      step() {
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
    // of six batches an epoch: at the fourth call and at the end, then at the eighth and the twelfth
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

describe('Lookahead', () => {
  test('counts steps of the inner optimizer, of one that accumulates those that it takes', () => {
    const p = scalar(0)
    const inner = new GradientAccumulation(new SGD([p], { learningRate: 1 }), { every: 2 })
    const optimizer = new Lookahead(inner, { every: 2, alpha: 0.5 })
    const seen = Array.from({ length: 4 }, () => {
      batch(optimizer, p, -1)
      return p.view()[0]
    })
    expect(seen).toEqual([0, 1, 1, 1])
    batch(optimizer, p, -1)
    optimizer.flush()
    expect(p.view()[0]).toBe(2)
  })

  test('the slow weights come back through JSON', () => {
    const [p, q] = pairs(scalar)
    const [first, second] = [p, q].map((x) => new Lookahead(new SGD([x], { learningRate: 1 }), { every: 2 }))
    for (let k = 0; k < 2; k++) batch(first, p, -1)
    second.loadState(JSON.parse(JSON.stringify(first.state())))
    expect(second.averages()).toEqual([Float64Array.of(1)])
  })

  test('those of other parameters are refused, and nothing was changed', () => {
    const optimizer = new Lookahead(new Adam([scalar()]))
    const [before, wrong] = pairs(() => structuredClone(optimizer.state()))
    Object.assign(wrong.extra?.own as object, { slow: [[1, 2]] })
    wrong.groups[0].options.learningRate = 0.5
    expect(() => optimizer.loadState(wrong)).toThrow('Lookahead(Adam).loadState(): the state is of parameters with 2 values, these have 1')
    expect(optimizer.state()).toEqual(before)
  })
})

describe('states of wrappers', () => {
  const adam = (p: Parameter) => new Adam([p], { learningRate: 0.1 })
  const kinds: [string, (p: Parameter) => OptimizerLike][] = [
    ['Adam', adam],
    ['Lookahead(Adam)', (p) => new Lookahead(adam(p), { every: 2 })],
    ['Lookahead(Lookahead(Adam))', (p) => new Lookahead(new Lookahead(adam(p), { every: 2 }), { every: 3, alpha: 0.7 })],
    ['GradientAccumulation(Adam)', (p) => new GradientAccumulation(adam(p), { every: 3 })],
    [
      'GradientAccumulation(Lookahead(Adam))',
      (p) => new GradientAccumulation(new Lookahead(adam(p), { every: 2, alpha: 0.3 }), { every: 2 }),
    ],
    ['Lookahead(GradientAccumulation(Adam))', (p) => new Lookahead(new GradientAccumulation(adam(p), { every: 2 }), { every: 2 })],
    ['Lookahead(SAM(Adam))', (p) => new Lookahead(new SAM(adam(p), { rho: 0.5 }), { every: 2 })],
  ]
  const ways: [string, (state: object) => OptimizerState][] = [
    ['JSON', (state) => JSON.parse(JSON.stringify(state))],
    ['a file', (state) => decodeState(encodeState({ state })).state],
  ]
  const train = (optimizer: OptimizerLike, p: Parameter, from: number, to: number) => {
    for (let k = from; k < to; k++) {
      const loss = () => sum(mul(add(p, Math.sin(k)), add(p, Math.sin(k)))).backward()
      if (optimizer.wantsClosure) (optimizer.step as (closure: () => void) => void)(loss)
      else {
        loss()
        optimizer.step()
      }
    }
  }

  test.each(kinds.flatMap(([name, make]) => ways.map(([way, through]) => [name, way, make, through] as const)))(
    '%s goes on after a restart as if there had been none: through %s',
    (name, _, make, through) => {
      for (const stop of [0, 1, 4, 5, 7]) {
        const [p, q] = [scalar(3), scalar(3)]
        const [whole, half] = [make(p), make(q)]
        expect(whole.name).toBe(name)
        train(whole, p, 0, 20)
        train(half, q, 0, stop)
        const r = scalar(q.view()[0])
        const resumed = make(r)
        resumed.loadState(through(half.state()))
        train(resumed, r, stop, 20)
        expect(r.view()[0]).toBe(p.view()[0])
      }
    },
  )

  test.each(
    kinds.flatMap(([saved, from]) => kinds.filter(([name]) => name !== saved).map(([name, to]) => [saved, name, from, to] as const)),
  )('that of %s is none of %s, and nothing was changed', (_saved, _name, from, to) => {
    const [p, q] = pairs(() => scalar(3))
    const [other, optimizer] = [from(p), to(q)]
    train(other, p, 0, 5)
    train(optimizer, q, 0, 3)
    const before = structuredClone(optimizer.state())
    // the first that finds another inside says so, of what is left of both
    expect(() => optimizer.loadState(other.state())).toThrow(/^(.+)\.loadState\(\): this is the state of (?!\1$)\S+$/)
    expect(optimizer.state()).toEqual(before)
  })

  test.each([
    ['nothing', undefined],
    ['a model', { '0.weight': [1] }],
  ])('%s is none', (_, state) => {
    expect(() => new Lookahead(adam(scalar())).loadState(state as never)).toThrow(
      'Lookahead(Adam).loadState(): this is no state of an optim',
    )
    expect(() => adam(scalar()).loadState(state as never)).toThrow('Adam.loadState(): this is no state of an optimizer')
  })

  test.each(ways)('bring their options, as those of optimizers do: through %s', (_, through) => {
    const [p, q] = pairs(scalar)
    const first = new Lookahead(new GradientAccumulation(adam(p), { every: 5 }), { every: Infinity, alpha: 0.25 })
    const second = new Lookahead(new GradientAccumulation(adam(q), { every: 2 }))
    for (let k = 0; k < 4; k++) batch(first, p, 1)
    second.loadState(through(first.state()))
    expect([second.every, second.alpha, (second.inner as GradientAccumulation).every]).toEqual([Infinity, 0.25, 5])
    batch(second, q, 1)
    expect(second.stepCount).toBe(1)
    const sam = new SAM(adam(scalar()))
    sam.loadState(through(new SAM(adam(scalar()), { rho: 0.25 }).state()))
    expect(sam.rho).toBe(0.25)
  })

  test.each([
    [
      'Lookahead',
      (p: Parameter) => new Lookahead(adam(p)),
      { every: 0 },
      'Lookahead(Adam).loadState(): every wants a finite number ≥ 1, got 0',
    ],
    [
      'Lookahead',
      (p: Parameter) => new Lookahead(adam(p)),
      { alpha: 2 },
      'Lookahead(Adam).loadState(): alpha wants a number in [0, 1], got 2',
    ],
    [
      'Lookahead',
      (p: Parameter) => new Lookahead(adam(p)),
      { taken: -1 },
      'Lookahead(Adam).loadState(): taken wants a whole number ≥ 0, got -1',
    ],
    [
      'Lookahead',
      (p: Parameter) => new Lookahead(adam(p)),
      { slow: undefined },
      'Lookahead(Adam).loadState(): the state is of parameters with  values',
    ],
    ['SAM', (p: Parameter) => new SAM(adam(p)), { rho: -1 }, 'SAM(Adam).loadState(): rho wants a finite number ≥ 0, got -1'],
  ])('of %s with what it cannot have: refused, and nothing was changed', (_, make, change, message) => {
    const optimizer = make(scalar())
    const [before, wrong] = pairs(() => structuredClone(optimizer.state()))
    Object.assign(wrong.extra?.own as object, change)
    wrong.groups[0].options.learningRate = 0.5
    expect(() => optimizer.loadState(wrong)).toThrow(message)
    expect(optimizer.state()).toEqual(before)
  })

  test('are what JSON.stringify writes, also of methods that take a closure', () => {
    const [p, q] = pairs(() => scalar(3))
    for (const optimizer of [new Lookahead(new SAM(adam(p))), new LBFGS([p])])
      expect(JSON.stringify({ optimizer })).toBe(JSON.stringify({ optimizer: optimizer.state() }))
    const first = new Lookahead(adam(p), { every: 2 })
    train(first, p, 0, 3)
    const second = new Lookahead(adam(q))
    second.loadState(JSON.parse(JSON.stringify(first)))
    expect(second.state()).toEqual(first.state())
  })
})
