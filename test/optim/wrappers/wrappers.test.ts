/** States of wrappers around any optimizer: saving, loading, and refused states. */
import { describe, expect, test } from 'vitest'
import {
  Adam,
  add,
  decodeState,
  encodeState,
  GradientAccumulation,
  Lookahead,
  mul,
  type OptimizerState,
  type Parameter,
  SAM,
  sum,
} from '../../../ts/index.js'
import type { OptimizerLike } from '../../../ts/optim/index.js'
import { LBFGS } from '../../../ts/solve/index.js'
import { batch, pairs, scalar } from '../../tools/wrappers.js'

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
    // the outermost wrapper whose inner optimizer differs reports it, and names the rest of both chains
    expect(() => optimizer.loadState(other.state())).toThrow(/^(.+)\.loadState\(\): this is the state of (?!\1$)\S+$/)
    expect(optimizer.state()).toEqual(before)
  })

  test.each([
    ['Lookahead', (inner: OptimizerLike) => new Lookahead(inner)],
    ['SAM', (inner: OptimizerLike) => new SAM(inner)],
    ['GradientAccumulation', (inner: OptimizerLike) => new GradientAccumulation(inner, { every: 2 })],
  ])('%s refuses an optimizer of arrays, which would miss its part', (name, wrap) => {
    const inner = new Adam([{ value: Float32Array.of(1), gradient: Float32Array.of(1) }])
    expect(() => wrap(inner)).toThrow(`${name}: Adam updates arrays of your own; wrap an optimizer of Parameters`)
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
    ['Lookahead', (p: Parameter) => new Lookahead(adam(p)), { every: 0 }, 'Lookahead(Adam).loadState(): every wants a number ≥ 1, got 0'],
    [
      'Lookahead',
      (p: Parameter) => new Lookahead(adam(p)),
      { alpha: 2 },
      'Lookahead(Adam).loadState(): alpha wants a number from 0 to 1, got 2',
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
