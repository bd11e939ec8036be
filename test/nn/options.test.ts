/** Refusals of layers, losses and operations: options that do not exist, calls that come too early. */
import { describe, expect, test } from 'vitest'
import { AdaptiveAvgPool, AdaptiveMaxPool, AvgPool, Concat, GlobalAvgPool, MaxPool } from '../../ts/conv/index.js'
import {
  Adam,
  createBackend,
  Dense,
  Dropout,
  evaluateModel,
  Flatten,
  fit,
  gather,
  initializers,
  mse,
  relu,
  Sequential,
  sum,
} from '../../ts/index.js'
import { centralize } from '../../ts/optim/index.js'
import { netOfTwo, threeRows } from '../tools/small-nets.js'

const backend = createBackend({ backend: 'js' })
// biome-ignore lint/suspicious/noExplicitAny: what JavaScript lets through
type Any = any

describe('calls that come too early', () => {
  test.each<[string, () => unknown, string]>([
    [
      'an axis as an option',
      () => (sum as Any)([[1, 2]], { axis: 1 }),
      'sum: axis wants a whole number, or several in an array, got an object with axis',
    ],
    [
      'an activation in the place of a layer',
      () => new Sequential([relu] as Any),
      "Sequential: layer 0 wants a Module, got a function; new Activation('relu') is one, and new Lambda(f)",
    ],
    ['a table of rows', () => gather([[1, 2]] as Any, [0]), 'gather: wants a table as a Tensor, got an array of 1'],
    [
      'a word of centralize',
      () => centralize({ outputAxis: 'middle' as Any }),
      "centralize: outputAxis wants 'first' or 'last', got 'middle'",
    ],
    ['an option of centralize', () => centralize({ axis: 'last' } as Any), "centralize: there is no option 'axis'"],
    [
      'an initializer that was not called, which left all weights 0',
      () => new Dense(1, 1, { weightInitializer: initializers.uniform as Any, backend }).parameters(),
      'Dense: call the initializer first',
    ],
  ])('%s', (_, call, message) => expect(call).toThrow(message))

  test('an initializer of your own may answer with what it filled', () => {
    const layer = new Dense(1, 1, { weightInitializer: (p) => p.view().fill(0.5), backend })
    expect(layer.predict([[2]]).item()).toBe(1)
    expect(sum([[1, 2]], [-1, 0]).item()).toBe(3)
  })
})

describe('with plain arguments', () => {
  const make = netOfTwo
  const data = threeRows

  test('misspelt options are named, also in plain JavaScript', async () => {
    const model = make()
    const optimizer = new Adam(model.parameters())
    await expect(fit(model, { ...data, optimizer, epoch: 5 } as never)).rejects.toThrow(/no option 'epoch'; did you mean epochs/)
    expect(() => new Dense(2, 2, { activaton: 'relu' } as never)).toThrow(/no option 'activaton'; did you mean activation/)
    const wanted = 'Sequential: wants layers in an array, [new Dense(…), …], got a Dense'
    expect(() => new Sequential(new Dense(2, 2) as never)).toThrow(new TypeError(wanted))
    expect(() => new Sequential(new Dense(2, 2) as never, new Dense(2, 1) as never)).toThrow(new TypeError(wanted))
    expect(() => new Adam(make().parameters(), { constructor: 1 } as never)).toThrow(/^Adam: there is no option 'constructor'/)
  })
})

test('names that every object has are no options and no metrics', () => {
  const model = new Sequential([new Dense(2, 1)])
  expect(() => new Adam(model.parameters(), { constructor: 1 } as object)).toThrow("there is no option 'constructor'")
  expect(() => evaluateModel(model, { inputs: [[1, 2]], targets: [1], loss: mse, metrics: ['toString' as 'accuracy'] })).toThrow(
    "metrics: 'toString' is none of",
  )
})

test('Sequential refuses options that do not exist', () => {
  expect(() => new Sequential([new Dense(1, 1)], { sed: 1 } as Any)).toThrow("Sequential: there is no option 'sed'; did you mean seed?")
})

test.each<[string, (options: Any) => unknown]>([
  ['Flatten', (o) => new Flatten(o)],
  ['Dropout', (o) => new Dropout(0.5, o)],
  ['MaxPool', (o) => new MaxPool(2, o)],
  ['AvgPool', (o) => new AvgPool(2, o)],
  ['AdaptiveMaxPool', (o) => new AdaptiveMaxPool(2, o)],
  ['AdaptiveAvgPool', (o) => new AdaptiveAvgPool(2, o)],
  ['GlobalAvgPool', (o) => new GlobalAvgPool(o)],
  ['Concat', (o) => new Concat([[new Flatten()]], o)],
])('%s, a layer without weights, refuses options that do not exist', (name, make) => {
  expect(() => make({ seed: 1 })).not.toThrow()
  expect(() => make({ startAxis: 2 })).toThrow(`${name}: there is no option 'startAxis'`)
  expect(() => make(1)).toThrow(`${name}: wants options as an object`)
})
