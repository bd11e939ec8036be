/** Programs that the compiler must accept, and others that it must refuse; `make check` compiles this file. */
import { expect, test } from 'vitest'
import { fromTable, type Row } from '../../ts/data/index.js'
import {
  Activation,
  Adam,
  createBackend,
  crossEntropy,
  Dense,
  Dropout,
  EarlyStopping,
  evaluateModel,
  Flatten,
  fit,
  type Module,
  Momentum,
  ReduceOnPlateau,
  RMSProp,
  Sequential,
} from '../../ts/index.js'

const backend = createBackend({ backend: 'js' })

test('shapes of layers are checked where they are literal', () => {
  new Sequential([new Dense(784, 128, { activation: 'relu' }), new Dense(128, 10)], { backend })
  new Sequential([new Dense(4, 8), new Dropout(0.5), new Activation('tanh'), new Dense(8, 2)], { backend })
  // @ts-expect-error Dense(64, 10) wants 64 inputs, but the layer before it gives 128
  expect(() => new Sequential([new Dense(784, 128), new Dense(64, 10)], { backend })).toThrow(
    'layer 1 wants 64 inputs, but layer 0 gives 128',
  )
  // @ts-expect-error through layers that keep the width
  new Sequential([new Dense(4, 8), new Dropout(0.5), new Dense(9, 2)], { backend })
})

test('widths that are not known are not judged', () => {
  const width: number = Number('8')
  new Sequential([new Dense(4, width), new Dense(8, 2)], { backend })
  new Sequential([new Flatten(), new Dense(8, 2)], { backend })
  const layers: Module[] = [new Dense(4, 8), new Dense(8, 2)]
  const model: Sequential = new Sequential(layers, { backend })
  expect(model.parameters().length).toBe(4)
})

test('names of options and their values are checked', () => {
  const model = new Sequential([new Dense(2, 1)], { backend })
  // @ts-expect-error no activation of that name
  expect(() => new Dense(2, 2, { activation: 'rellu' })).toThrow()
  // @ts-expect-error a misspelt option
  expect(() => new Adam(model.parameters(), { learningrate: 1 })).toThrow()
  // @ts-expect-error a value of the wrong kind
  expect(() => new Adam(model.parameters(), { epsilonPlacement: 'below' })).toThrow()
  // @ts-expect-error a number as text
  expect(() => new Adam(model.parameters(), { learningRate: '0.1' })).toThrow()
  // @ts-expect-error no variant of that name
  expect(() => createBackend({ variant: 'fast' })).toThrow()
  // @ts-expect-error a layer has inputs and outputs
  expect(() => new Dense(784)).toThrow()
  // @ts-expect-error a layer is an object, not a name
  expect(() => new Sequential([new Dense(2, 2), 'relu'], { backend })).toThrow()
})

test('every option that is a word is one of a few', () => {
  const model = new Sequential([new Dense(2, 1)], { backend })
  const parameters = model.parameters()
  // @ts-expect-error threads are a number or 'auto'
  expect(() => createBackend({ threads: 'all' })).toThrow()
  // @ts-expect-error no such precision
  expect(() => createBackend({ dtype: 'float16' })).toThrow()
  // @ts-expect-error no such backend
  expect(() => createBackend({ backend: 'gpu' })).toThrow()
  // @ts-expect-error no such form
  expect(() => new Momentum(parameters, { form: 'nesterov' })).toThrow()
  // @ts-expect-error no such maximum
  expect(() => new Adam(parameters, { amsgrad: true, amsgradMaximum: 'largest' })).toThrow()
  // @ts-expect-error ε has two places in RMSProp
  expect(() => new RMSProp(parameters, { centered: true, epsilonPlacement: 'hat' })).toThrow()
  // @ts-expect-error less or more is better
  expect(() => new EarlyStopping({ mode: 'best' })).toThrow()
  // @ts-expect-error the same for a plateau
  expect(() => new ReduceOnPlateau(new Adam(parameters), { mode: 'best' })).toThrow()
  // @ts-expect-error mean or sum
  expect(() => crossEntropy(model.predict([[1, 2]]), [0], { reduction: 'none' })).toThrow()
  // @ts-expect-error no such initialiser
  expect(() => new Sequential([new Dense(2, 2, { weightInitializer: 'he' })], { backend })).toThrow()
  // a user-defined metric may have any name
  expect(new EarlyStopping({ monitor: 'kappa', mode: 'max' }).bestEpoch).toBe(0)
})

test('what fit is given is checked', async () => {
  const model = new Sequential([new Dense(2, 2)], { backend })
  const optimizer = new Adam(model.parameters())
  const data = { inputs: [[1, 2]], targets: [1], optimizer }
  // @ts-expect-error a loss is a function, not a name
  await expect(fit(model, { ...data, loss: 'crossEntropy' })).rejects.toThrow()
  // @ts-expect-error a misspelt option
  await expect(fit(model, { ...data, loss: crossEntropy, epoch: 3 })).rejects.toThrow()
})

test('results have the names of the metrics that were asked for', () => {
  const model = new Sequential([new Dense(2, 2)], { backend })
  const data = { inputs: [[1, 2]], targets: [1], loss: crossEntropy }
  const named = evaluateModel(model, { ...data, metrics: ['accuracy'] })
  expect(named.accuracy + named.loss).toBeGreaterThan(0)
  // @ts-expect-error a misspelt metric
  expect(named.acuracy).toBeUndefined()
  // @ts-expect-error a metric that was not requested
  expect(evaluateModel(model, data).accuracy).toBeUndefined()
  const own = evaluateModel(model, { ...data, metrics: { always: () => 1 } })
  expect(own.always).toBe(1)
  // @ts-expect-error no metric of that name
  expect(own.accuracy).toBeUndefined()
})

test('rows of a table may have a type of one’s own, whose columns are then the names', () => {
  interface Penguin {
    island: string
    mass: number | null
  }
  const penguins: readonly Penguin[] = [
    { island: 'Dream', mass: 3700 },
    { island: 'Biscoe', mass: 5100 },
  ]
  expect(fromTable(penguins, { target: 'mass' }).encode(penguins)).toHaveLength(4)
  // @ts-expect-error no column of that name
  expect(() => fromTable(penguins, { target: 'weight' })).toThrow()
  // @ts-expect-error no input column of that name
  expect(() => fromTable(penguins, { target: 'mass', inputs: ['isle'] })).toThrow()
  const loose: Row[] = [{ a: 1, b: 2 }]
  const name: string = 'a'
  expect(fromTable(loose, { target: name }).features).toBe(1)
  expect(fromTable(JSON.parse('[{"a":1,"b":2}]'), { target: 'a' }).features).toBe(1)
  const unions = [{ a: 1, b: 2 }, { a: 1, b: 2, c: 3 }] // biome-ignore format: rows of several shapes
  expect(fromTable(unions, { target: 'b', inputs: ['a'] }).count).toBe(2)
})
