/** Refusals of `loadState` and `decodeState`: invalid numbers, which used to become 0, NaN or a wrong order silently. */

import { describe, expect, test } from 'vitest'
import { fitScaler, scalerFromState } from '../../ts/data/index.js'
import {
  Adam,
  Dense,
  Dropout,
  decodeState,
  encodeState,
  GradientAccumulation,
  mse,
  ReduceOnPlateau,
  Sequential,
  SGD,
  tensor,
  WeightAverage,
} from '../../ts/index.js'
import { LBFGS } from '../../ts/solve/index.js'
import { withHeader } from '../tools/model-files.js'

const model = () => new Sequential([new Dense(2, 2), new Dropout(0.5)])
type Json = Record<string, unknown>
const copyOf = (state: unknown): Json => JSON.parse(JSON.stringify(state)) as Json

/** Loading is refused and changes nothing. */
function refuses(target: { state(): object; loadState(state: never): unknown }, state: unknown, message: RegExp): void {
  const before = JSON.stringify(target.state())
  expect(() => target.loadState(state as never)).toThrow(message)
  expect(JSON.stringify(target.state())).toBe(before)
}

describe('a model', () => {
  test.each<[string, unknown, RegExp]>([
    [
      'null, as JSON writes NaN',
      { 0: 1, 1: null, 2: 3, 3: 4 },
      /loadState: '0.weight': value 1 wants a number, got null.*NaN and infinities/,
    ],
    ['text', { 0: 'abc', 1: 2, 2: 3, 3: 4 }, /value 0 wants a number, got 'abc'/],
    ['numbers in text', ['1', '2', '3', '4'], /value 0 wants a number, got '1'/],
    ['1e999', JSON.parse('[1, 2, 1e999, 4]'), /value 2 wants a finite number, got Infinity/],
    ['keys that are no places', { 0: 1, 1: 2, 2: 3, x: 4 }, /wants values by the keys 0, 1, 2 …, got 'x' in the place of 3/],
    ['keys from 1', { 1: 1, 2: 2, 3: 3, 4: 4 }, /got '1' in the place of 0/],
    ['a hole', [1, undefined, 3, 4], /value 1 wants a number, got undefined/],
    ['nothing', null, /'0.weight': wants numbers in an array, got null/],
  ])('refuses %s', (_, weight, message) => {
    const m = model()
    refuses(m, { ...copyOf(m.state()), '0.weight': weight }, message)
  })

  test.each([[-1], [0.5], ['x'], [null]])('refuses %s as a count of random numbers', (count) => {
    const m = model()
    const [name] = Object.keys(m.state()).filter((key) => key.includes('generator'))
    refuses(m, { ...copyOf(m.state()), [name]: [count] }, /generator'/)
  })

  test('whose weights are NaN is refused after JSON, by bytes and from copies', () => {
    const broken = model()
    const [weight] = broken.parameters()
    weight.view().set([1, Number.NaN, Number.POSITIVE_INFINITY, 4])
    refuses(model(), copyOf(broken.state()), /got null/)
    expect(() => encodeState({ broken })).toThrow(/'broken\.0\.weight' is NaN at position 1/)
    expect(() => model().loadState(broken.state())).toThrow(/0\.weight.*NaN/)
  })
})

describe('an optimizer', () => {
  const trained = () => {
    const m = new Sequential([new Dense(2, 1)])
    const optimizer = new Adam(m.parameters())
    mse(m.forward(tensor([[1, 2]])), [[1]]).backward()
    optimizer.step()
    return optimizer
  }
  /** The state after JSON with one entry changed, found by its path. */
  const changed = (state: unknown, path: readonly (string | number)[], value: unknown): Json => {
    const copy = copyOf(state)
    let at = copy
    for (const key of path.slice(0, -1)) at = at[key] as Json
    at[path[path.length - 1]] = value
    return copy
  }
  const first = ['groups', 0, 'parameters', 0]

  test.each<[string, readonly (string | number)[], unknown, RegExp]>([
    ['a count of steps that is text', ['stepCount'], 'x', /Adam.loadState\(\): stepCount wants a whole number ≥ 0, got 'x'/],
    ['a negative count', ['stepCount'], -1, /stepCount wants a whole number/],
    ['a negative count of a parameter', [...first, 'stepCount'], -1, /'0.weight': stepCount wants a whole number ≥ 0, got -1/],
    ['half a step of a parameter', [...first, 'stepCount'], 0.5, /got 0.5/],
    ['null in a slot', [...first, 'slots', 'm'], { 0: null, 1: 2 }, /'0.weight': slot 'm': value 0 wants a number, got null/],
    ['text in a slot', [...first, 'slots', 'v'], { 0: 1, 1: 'abc' }, /slot 'v': value 1 wants a number, got 'abc'/],
    ['a wrong key in a slot', [...first, 'slots', 'v'], { 0: 1, x: 2 }, /keys 0, 1, 2/],
    ['scalars that are none', [...first, 'scalars'], { d: 'x' }, /scalars: 'd' wants a number, got 'x'/],
    ['globals that are none', ['globals'], { d: null }, /globals: 'd' wants a number, got null/],
  ])('refuses %s', (_, path, value, message) => {
    const optimizer = trained()
    refuses(optimizer, changed(optimizer.state(), path, value), message)
  })

  test('its own state passes, as it is and after JSON', () => {
    const optimizer = trained()
    const other = trained()
    other.loadState(optimizer.state())
    other.loadState(copyOf(optimizer.state()) as never)
    expect(copyOf(other.state())).toEqual(copyOf(optimizer.state()))
  })

  test('wrappers, averages and solvers look at theirs', () => {
    const m = new Sequential([new Dense(2, 1)])
    const average = new WeightAverage(new SGD(m.parameters()))
    refuses(average, changed(average.state(), ['extra', 'own', 'count'], -1), /WeightAverage.*loadState\(\): count wants a whole number/)
    refuses(average, changed(average.state(), ['extra', 'own', 'values', 0], { 0: 'x', 1: 2 }), /array 0: value 0 wants a number, got 'x'/)
    const pending = new GradientAccumulation(new SGD(m.parameters()), { every: 2 })
    mse(m.forward(tensor([[1, 2]])), [[1]]).backward()
    pending.step()
    refuses(pending, changed(pending.state(), ['extra', 'own', 'gradients', 0, 'values'], { 0: null, 1: 2 }), /array 0: value 0 wants/)
    const solver = new LBFGS(m.parameters())
    refuses(solver, { ...copyOf(solver.state()), stepCount: 'x' }, /LBFGS.loadState\(\): stepCount wants a whole number/)
  })
})

test('a plateau of before its first step comes back from JSON, which has no infinity', () => {
  const optimizer = new SGD(new Dense(1, 1).parameters(), { learningRate: 1 })
  const plateau = new ReduceOnPlateau(optimizer, { patience: 0 })
  plateau.loadState(copyOf(plateau.state()) as never)
  expect(plateau.state().best).toBe(Number.POSITIVE_INFINITY)
  plateau.step(5)
  expect(plateau.state()).toEqual({ best: 5, badSteps: 0, cooldownLeft: 0 })
  refuses(plateau, { best: 'x', badSteps: 0, cooldownLeft: 0 }, /best wants a number, got 'x'/)
  refuses(plateau, { best: 1, badSteps: -1, cooldownLeft: 0 }, /badSteps wants a whole number/)
})

test('a scaler whose numbers JSON lost is refused', () => {
  const state = copyOf(fitScaler([1, 2, 3], 1).state())
  expect(() => scalerFromState({ ...state, mean: [null] } as never)).toThrow(RangeError)
})

describe('decodeState', () => {
  const fileOf = (text: string) => withHeader({ a: Float32Array.of(1) }, text, 'gradus-state/1')
  const file = (skeleton: unknown) => fileOf(JSON.stringify(skeleton))

  test.each<[unknown, RegExp]>([
    [{ x: { $number: 'abc' } }, /'abc' is no number/],
    [{ x: { $number: '' } }, /'' is no number/],
    [{ x: { $number: ' 1 ' } }, /' 1 ' is no number/],
    [{ x: { $number: '0x10' } }, /'0x10' is no number/],
    [{ x: { $number: null } }, /null is no number/],
    [{ x: { $number: [7] } }, /an array of 1 is no number/],
    [{ x: { $tensor: 'b' } }, /there is no tensor 'b'/],
    [{ x: { $tensor: 'toString' } }, /there is no tensor 'toString'/],
    [{ x: { $tensor: ['a'] } }, /there is no tensor an array/],
    [{ x: { $entries: [['a']] } }, /pairs of a name and a value/],
    [{ x: { $entries: 'ab' } }, /pairs of a name and a value/],
  ])('refuses %j', (skeleton, message) => {
    expect(() => decodeState(file(skeleton))).toThrow(RangeError)
    expect(() => decodeState(file(skeleton))).toThrow(message)
  })

  test('gives back what JSON cannot say', () => {
    const numbers = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0]
    expect(decodeState(encodeState({ numbers })).numbers).toEqual(numbers)
  })

  test('refuses to nest without end, both ways', () => {
    let nested: object = {}
    for (let i = 0; i < 20_000; i++) nested = { nested }
    expect(() => encodeState(nested)).toThrow(/nested more than 1000 deep/)
    expect(() => decodeState(fileOf(`${'['.repeat(5000)}${']'.repeat(5000)}`))).toThrow(/nested more than 1000 deep/)
  })

  test('a name that every object inherits stays data', () => {
    const state = decodeState(file(JSON.parse('{"__proto__": {"polluted": 1}, "constructor": 2}')))
    expect(Object.keys(state)).toEqual(['__proto__', 'constructor'])
    expect(({} as Json).polluted).toBeUndefined()
  })
})
