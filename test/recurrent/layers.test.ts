/** The recurrent layers in models: training, masks, states, dropout, messages, and weights of other libraries. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  Adam,
  type Backend,
  createBackend,
  Dense,
  decodeModel,
  encodeModel,
  fit,
  fitMany,
  Generator,
  mse,
  noGrad,
  ones,
  Sequential,
  sum,
  type Tensor,
  tensor,
  zeros,
} from '../../ts/index.js'
import {
  GRU,
  gru,
  kerasWeights,
  LSTM,
  loadKerasWeights,
  loadTorchWeights,
  lstm,
  type RecurrentLayer,
  type RecurrentOptions,
  SimpleRNN,
  simpleRNN,
  torchWeights,
} from '../../ts/recurrent/index.js'

const wasm = createBackend()
const simd = createBackend({ variant: 'simd' })
const js = createBackend({ backend: 'js' })
/** The layers; their differences do not matter to the compiler here. */
const LAYERS = [GRU, LSTM, SimpleRNN] as unknown as (typeof GRU)[]

function random(shape: number[], seed: number, backend: Backend = wasm): Tensor {
  const generator = new Generator(seed)
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 2 * generator.next() - 1)
  return tensor(values, shape, { backend })
}

const nothing = (shape: number[]) => zeros(shape, { backend: wasm })
const numbers = (t: Tensor) => [...t.data()]

function closeTo(got: readonly number[], wanted: readonly number[], tolerance = 1e-5) {
  expect(got.length).toBe(wanted.length)
  got.forEach((value, i) => expect(Math.abs(value - wanted[i]), `[${i}]: ${value}, wanted ${wanted[i]}`).toBeLessThanOrEqual(tolerance))
}

describe('shapes', () => {
  test.each(LAYERS)('%o: the last output, or those of all steps, of one direction or two', (Layer) => {
    const x = zeros([2, 5, 3], { backend: wasm })
    const make = (options: RecurrentOptions) => new Layer(3, 4, { ...options, backend: wasm })
    expect(make({}).forward(x).shape).toEqual([2, 4])
    expect(make({ returnSequences: true }).forward(x).shape).toEqual([2, 5, 4])
    expect(make({ bidirectional: true }).forward(x).shape).toEqual([2, 8])
    expect(make({ bidirectional: true, returnSequences: true }).forward(x).shape).toEqual([2, 5, 8])
    expect(make({}).forward(zeros([0, 5, 3], { backend: wasm })).shape).toEqual([0, 4])
  })

  test('the compiler knows them', () => {
    const x = zeros([2, 5, 3], { backend: wasm })
    const last: Tensor<[2, 4]> = new GRU(3, 4, { backend: wasm }).forward(x)
    const all: Tensor<[2, 5, 4]> = new LSTM(3, 4, { returnSequences: true, backend: wasm }).forward(x)
    const model = new Sequential([new GRU(3, 4, { returnSequences: true }), new SimpleRNN(4, 6), new Dense(6, 1)], { backend: wasm })
    const y: Tensor<[2, 1]> = model.predict(x)
    // @ts-expect-error GRU(3, 4) wants 3 columns
    expect(() => new GRU(3, 4, { backend: wasm }).forward(zeros([2, 5, 2], { backend: wasm }))).toThrow(
      'GRU(3, 4): wants inputs of shape [rows, steps, 3]',
    )
    // @ts-expect-error Dense(5, 1) wants 5 inputs, but the layer before it gives 4
    expect(() => new Sequential([new GRU(3, 4), new Dense(5, 1)], { backend: wasm }).predict(x)).toThrow('wants inputs of shape')
    expect([last.shape, all.shape, y.shape]).toEqual([
      [2, 4],
      [2, 5, 4],
      [2, 1],
    ])
  })
})

/** A task on which every layer learns a little in a few steps: the sum of a sequence. */
function sums(rows: number, steps: number, features: number) {
  const x = random([rows, steps, features], 7)
  const values = x.data()
  const targets = Float32Array.from({ length: rows }, (_, row) => {
    const own = values.subarray(row * steps * features, (row + 1) * steps * features)
    return (own as Float32Array).reduce((a, b) => a + b, 0) / Math.sqrt(own.length)
  })
  return { inputs: values as Float32Array, targets, shape: [rows, steps, features] }
}

describe('training', () => {
  const options: Record<string, RecurrentOptions> = {
    plain: {},
    'both directions, two layers': { bidirectional: true },
    'dropout of inputs and weights': { dropout: 0.25, recurrentDropout: 0.25 },
    'a mask by value': { maskValue: 0 },
    'state between batches': { statefulRows: 8 },
  }
  test.each(LAYERS.flatMap((Layer) => Object.keys(options).map((name) => [Layer.name, name, Layer] as const)))(
    '%s with %s: fit replays its steps, with the bits of steps that are written out',
    async (_, name, Layer) => {
      const train = sums(40, 6, 3)
      train.inputs.fill(0, 12, 18)
      const run = async (replay: boolean) => {
        const own = options[name]
        const width = own.bidirectional ? 10 : 5
        const first = new Layer(3, 5, { ...own, returnSequences: true })
        const model = new Sequential([first, new Layer(width, 5, own), new Dense(width, 1)], { seed: 3, backend: wasm })
        const history = await fit(model, {
          ...train,
          ...{ loss: mse, optimizer: new Adam(model.parameters(), { learningRate: 0.02 }), epochs: 4, batchSize: 8, replay },
        })
        return { state: model.state(), loss: history.epochs.map(({ loss }) => loss), execution: history.execution }
      }
      const [replayed, written] = [await run(true), await run(false)]
      expect(replayed.execution.replayed + replayed.execution.programs).toBeGreaterThan(15)
      expect(replayed.state).toEqual(written.state)
      expect(replayed.loss).toEqual(written.loss)
      expect(replayed.loss[3]).toBeLessThan(replayed.loss[0])
    },
  )

  test('the backends agree', async () => {
    const losses = []
    for (const backend of [wasm, js]) {
      const model = new Sequential([new GRU(3, 9, { returnSequences: true }), new LSTM(9, 7), new Dense(7, 1)], { seed: 1, backend })
      const { epochs } = await fit(model, {
        ...sums(30, 5, 3),
        loss: mse,
        optimizer: new Adam(model.parameters()),
        epochs: 3,
        batchSize: 30,
      })
      losses.push(epochs.map(({ loss }) => loss))
    }
    closeTo(losses[0], losses[1], 1e-5)
  })

  test('fitMany trains them as fit does, one by one', async () => {
    const make = (seed: number) => new Sequential([new GRU(3, 4), new Dense(4, 1)], { seed, backend: wasm })
    const options = { ...sums(12, 4, 3), loss: mse, epochs: 12, batchSize: 12 }
    const models = [1, 2].map(make)
    await fitMany(models, { ...options, optimizers: models.map((model) => new Adam(model.parameters())) })
    const alone = make(2)
    await fit(alone, { ...options, optimizer: new Adam(alone.parameters()) })
    expect(models[1].state()).toEqual(alone.state())
  })

  test('a state is saved and restored, with the last state of batches', async () => {
    const make = (seed: number) =>
      new Sequential([new LSTM(3, 4, { statefulRows: 10, dropout: 0.1 }), new Dense(4, 1)], { seed, backend: wasm })
    const model = make(1)
    await fit(model, { ...sums(10, 5, 3), loss: mse, optimizer: new Adam(model.parameters()), epochs: 2 })
    const other = make(2)
    other.loadState(JSON.parse(JSON.stringify(model)))
    expect(other.state()).toEqual(model.state())
    expect(Object.keys(model.state())).toEqual([
      ...['0.weight', '0.recurrentWeight', '0.bias', '1.weight', '1.bias', '0.lastState', '0.generator'],
    ])
  })
})

test('model files hold the layers, with their options and states', () => {
  const layers = [
    new GRU(3, 4, { bidirectional: true, returnSequences: true, maskValue: 0 }),
    new GRU(8, 4, { resetAfter: false, returnSequences: true, statefulRows: 2 }),
    new LSTM(4, 5, { dropout: 0.1, recurrentDropout: 0.2, returnSequences: true }),
    new SimpleRNN(5, 2, { bias: false }),
  ]
  const model = new Sequential(layers as never, { seed: 1, backend: wasm }) as Sequential
  const x = random([2, 5, 3], 1)
  model.forward(x)
  const bytes = encodeModel(model)
  const other = decodeModel(bytes, { backend: wasm }) as Sequential
  expect(other.layers.map((layer) => layer.describe())).toEqual(model.layers.map((layer) => layer.describe()))
  expect(other.state()).toEqual(model.state())
  expect(encodeModel(other)).toEqual(bytes)
  expect(numbers(other.predict(x))).toEqual(numbers(model.predict(x)))
})

/** Steps that are skipped do not matter: a batch of sequences of different lengths gives what each gives alone. */
test.each(LAYERS)('%o: sequences of different lengths are independent of each other and of what stands behind them', (Layer) => {
  for (const bidirectional of [false, true]) {
    const layer = new Layer(3, 5, { bidirectional, backend: wasm, seed: 4 })
    const x = random([4, 7, 3], 1)
    const lengths = [7, 3, 1, 5]
    const { output, state } = layer.run(x, { lengths })
    const mask = lengths.map((length) => Array.from({ length: 7 }, (_, step) => (step < length ? 1 : 0)))
    expect(numbers(layer.run(x, { mask }).output)).toEqual(numbers(output))
    lengths.forEach((length, row) => {
      const own = numbers(x).slice(row * 21, row * 21 + length * 3)
      const alone = layer.run(tensor(own, [1, length, 3], { backend: wasm }))
      const width = output.shape[2]
      closeTo(numbers(output).slice(row * 7 * width, (row * 7 + length) * width), numbers(alone.output), 1e-6)
      expect(numbers(output).slice((row * 7 + length) * width, (row + 1) * 7 * width)).toEqual(new Array((7 - length) * width).fill(0))
      closeTo(numbers(state).slice(row * state.shape[1], (row + 1) * state.shape[1]), numbers(alone.state), 1e-6)
    })
  }
})

test('maskValue skips what lengths skip', () => {
  const x = random([3, 5, 2], 3)
  const values = numbers(x)
  values.fill(-9, 4, 10)
  const filled = tensor(values, [3, 5, 2], { backend: wasm })
  const [plain, skips] = [{}, { maskValue: -9 }].map((o) => new GRU(2, 4, { ...o, returnSequences: true, seed: 1, backend: wasm }))
  expect(numbers(skips.forward(filled))).toEqual(numbers(plain.run(filled, { lengths: [2, 5, 5] }).output))
})

test('a sequence in two halves, with the state in between, is the whole sequence', () => {
  const x = random([2, 6, 3], 5)
  const half = (from: number) =>
    tensor(
      [0, 1].flatMap((row) => numbers(x).slice(row * 18 + from * 9, row * 18 + from * 9 + 9)),
      [2, 3, 3],
      { backend: wasm },
    )
  for (const Layer of LAYERS) {
    const layer = new Layer(3, 4, { seed: 2, backend: wasm })
    const whole = layer.run(x)
    const first = layer.run(half(0))
    closeTo(numbers(layer.run(half(1), { initialState: first.state }).state), numbers(whole.state), 1e-6)
    const kept = new Layer(3, 4, { seed: 2, statefulRows: 2, backend: wasm })
    kept.forward(half(0))
    closeTo(numbers(kept.run(half(1)).state), numbers(whole.state), 1e-6)
    kept.resetState()
    closeTo(numbers(kept.run(half(0)).state), numbers(first.state), 0)
  }
})

test('dropout is the same at every step of a sequence, and the identity in evaluation mode', () => {
  const x = ones([1, 6, 50], { backend: wasm })
  const layer = new SimpleRNN(50, 1, { dropout: 0.5, returnSequences: true, seed: 1, backend: wasm }).build()
  layer.recurrentWeight.view().fill(0)
  const steps = numbers(layer.forward(x))
  expect(new Set(steps).size).toBe(1)
  expect(numbers(layer.forward(x))).not.toEqual(steps)
  layer.evaluate()
  closeTo(numbers(layer.forward(x)), new Array(6).fill(Math.tanh(numbers(layer.weight).reduce((a, b) => a + b, 0))), 1e-5)
})

test('two threads give the bits of one', async () => {
  const two = createBackend({ threads: 2 })
  await two.ready
  for (const Layer of LAYERS) {
    const [one, many] = [wasm, two].map((backend) => {
      const layer = new Layer(16, 64, { bidirectional: true, returnSequences: true, seed: 1, backend })
      const x = random([37, 20, 16], 2, backend)
      // a first call has the workers load the part
      for (let i = 0; i < 3; i++) noGrad(() => layer.forward(x))
      const output = layer.forward(x)
      const values = numbers(output)
      ;(sum(output) as Tensor).backward()
      return [values, ...layer.parameters().map((p) => numbers(p.grad as Tensor))]
    })
    expect(many).toEqual(one)
  }
})

test('one tensor as both weights gets the sum of both gradients, and a kept graph gives them again', () => {
  const start = [0.3, 0.1, 0.2, -0.4]
  const x = random([2, 3, 2], 9)
  const run = (values: readonly number[]) => {
    const w = tensor(values, [2, 2], { backend: wasm, requiresGrad: true })
    return { w, value: sum(simpleRNN(x, { weight: w, recurrentWeight: w }).output) as Tensor }
  }
  const { w, value } = run(start)
  value.backward(undefined, { retainGraph: true })
  const once = numbers(w.grad as Tensor)
  const differences = start.map((_, i) => {
    const moved = (by: number) => run(start.map((value, k) => (k === i ? value + by : value))).value.item()
    return (moved(1e-2) - moved(-1e-2)) / 2e-2
  })
  closeTo(once, differences, 2e-3)
  value.backward()
  closeTo(
    numbers(w.grad as Tensor),
    once.map((g) => 2 * g),
    1e-6,
  )
})

describe('weights of other libraries', () => {
  const layers = (options: RecurrentOptions): RecurrentLayer[] => [
    ...[new GRU(3, 4, options), new LSTM(3, 4, options), new SimpleRNN(3, 4, options)],
    new GRU(3, 4, { ...options, resetAfter: false }),
  ]
  test('come back as they were', () => {
    for (const bidirectional of [false, true])
      for (const bias of [false, true]) {
        const [from, to] = [1, 2].map((seed) => layers({ bidirectional, bias, seed, biasInitializer: 'heNormal', backend: wasm }))
        from.forEach((layer, i) => {
          loadKerasWeights(to[i], kerasWeights(layer))
          expect(to[i].state()).toEqual(layer.state())
          if (i === 3) return expect(() => torchWeights(layer)).toThrow('PyTorch has no GRU with resetAfter: false')
          to[i].parameters().forEach((p) => p.view().fill(0.5))
          loadTorchWeights(to[i], torchWeights(layer, { prefix: 'a.', layer: 1 }), { prefix: 'a.', layer: 1 })
          expect(to[i].state()).toEqual(layer.state())
        })
      }
  })

  test("Keras' gates of a GRU are in the order z, r, h", () => {
    const layer = new GRU(1, 1, { backend: wasm })
    loadKerasWeights(layer, [
      [[1, 2, 3]],
      [[4, 5, 6]],
      [
        [7, 8, 9],
        [10, 20, 30],
      ],
    ])
    expect([layer.weight, layer.recurrentWeight, layer.bias, layer.recurrentBias].map((p) => numbers(p as Tensor))).toEqual([
      ...[[2, 1, 3], [5, 4, 6], [28, 17, 9], [30]],
    ])
  })

  test('that do not fit are errors, and change nothing', () => {
    const layer = new LSTM(2, 3, { seed: 1, backend: wasm })
    const before = layer.state()
    expect(() => loadTorchWeights(layer, {})).toThrow("loadTorchWeights: no tensor 'weight_ih_l0' among")
    expect(() => loadTorchWeights(layer, { weight_ih_l0: nothing([12, 3]) })).toThrow('weight_ih_l0 wants shape [12, 2], got [12, 3]')
    expect(() => loadKerasWeights(layer, [nothing([2, 12])])).toThrow('loadKerasWeights: wants 3 arrays')
    expect(() => loadKerasWeights(new Sequential([layer]) as never, [])).toThrow('layer wants a GRU, LSTM or SimpleRNN, got')
    expect(() => loadTorchWeights(new LSTM(2, 3, { bias: false, backend: wasm }), { ...torchWeights(layer) })).toThrow(
      'was made with bias: false',
    )
    expect(() => loadTorchWeights(layer, null as never)).toThrow('tensors wants an object of tensors by name')
    for (const call of [kerasWeights, torchWeights, loadKerasWeights, loadTorchWeights] as ((layer: unknown) => unknown)[])
      for (const wrong of [undefined, null, 3, {}, new Dense(2, 2)])
        expect(() => call(wrong)).toThrow('layer wants a GRU, LSTM or SimpleRNN, got')
    expect(layer.state()).toEqual(before)
  })
})

test.each(LAYERS)('%o: null is no options', (Layer) => {
  expect(() => new Layer(3, 4, null as never)).toThrow(`${Layer.name}: wants options as an object`)
})

describe('messages', () => {
  const layer = new LSTM(3, 4, { backend: wasm })
  const x = zeros([2, 5, 3], { backend: wasm })
  test.each([
    [
      'a table',
      () => layer.run(nothing([5, 3])),
      'LSTM(3, 4): wants inputs of shape [rows, steps, 3], got shape [5, 3]; a recurrent layer before this one wants returnSequences: true, and one sequence is a batch of one, [sequence]',
    ],
    [
      'no steps',
      () => layer.run(nothing([2, 0, 3])),
      'LSTM(3, 4): wants at least one step, got inputs of shape [2, 0, 3]; leave out empty sequences',
    ],
    [
      'a length of 0',
      () => layer.run(x, { lengths: [5, 0] }),
      'LSTM(3, 4): lengths[1] wants a whole number from 1 to 5, got 0; leave the row out',
    ],
    [
      'a length too long',
      () => layer.run(x, { lengths: [6, 1] }),
      'lengths[0] wants a whole number from 1 to 5, got 6; the inputs have 5 steps',
    ],
    ['a length of NaN', () => layer.run(x, { lengths: [Number.NaN, 1] }), 'lengths[0] wants a whole number from 1 to 5, got NaN'],
    ['lengths of another batch', () => layer.run(x, { lengths: [5] }), 'lengths wants 2 numbers, one for each row, got 1'],
    ['lengths as a number', () => layer.run(x, { lengths: 5 as never }), 'lengths wants an array, a whole number for each row, got 5'],
    [
      'a mask of another batch',
      () => layer.run(x, { mask: ones([1, 5], { backend: wasm }) }),
      'mask wants shape [2, 5], a number for each step, got [1, 5]',
    ],
    [
      'a mask of halves',
      () =>
        layer.run(x, {
          mask: [
            [1, 1, 0.5, 1, 1],
            [1, 1, 1, 1, 1],
          ],
        }),
      'mask wants 1 (counts) or 0 (is skipped), got 0.5 for step 2 of row 0',
    ],
    [
      'both',
      () => layer.run(x, { lengths: [1, 1], mask: ones([2, 5], { backend: wasm }) }),
      'wants lengths or a mask, got both; leave one out',
    ],
    [
      'the state of another batch',
      () => layer.run(x, { initialState: nothing([3, 8]) }),
      'initialState wants shape [2, 8], got [3, 8]; it is the state of another batch',
    ],
    ['half of a state', () => layer.run(x, { initialState: nothing([2, 4]) }), 'initialState wants shape [2, 8], got [2, 4]'],
    ['an unknown option', () => layer.run(x, { length: [1, 1] } as never), "there is no option 'length'; did you mean lengths?"],
    ['no units', () => new GRU(3, 0), 'GRU: units wants a whole number ≥ 1, got 0'],
    ['a rate of 1', () => new GRU(3, 4, { dropout: 1 }), 'GRU: dropout wants a number in [0, 1), got 1'],
    ["Keras' name", () => new GRU(3, 4, { return_sequences: true } as never), 'did you mean returnSequences?'],
    ['states of two directions', () => new GRU(3, 4, { statefulRows: 2, bidirectional: true }), 'statefulRows wants one direction'],
    [
      'another number of rows',
      () => new GRU(3, 4, { statefulRows: 3, backend: wasm }).forward(x),
      'GRU(3, 4): wants batches of 3 rows (statefulRows), got 2',
    ],
    [
      'lengths beside maskValue',
      () => new GRU(3, 4, { maskValue: 0, backend: wasm }).run(x, { lengths: [1, 1] }),
      'got maskValue and another; leave one out',
    ],
    ['weights that are none', () => gru(x, 3 as never), 'gru: weights wants { weight, recurrentWeight, bias }, got 3'],
    [
      'a weight that is an array',
      () => lstm(x, { weight: [[1]] as never, recurrentWeight: nothing([1, 4]) }),
      'lstm: weight wants a Tensor, got',
    ],
    [
      'gates that are not four',
      () => lstm(x, { weight: nothing([3, 9]), recurrentWeight: nothing([3, 9]) }),
      'lstm: recurrentWeight wants shape [units, 4 · units], got [3, 9]',
    ],
    [
      'a bias of q',
      () => gru(x, { weight: nothing([3, 3]), recurrentWeight: nothing([1, 3]), recurrentBias: nothing([1]) }, { resetAfter: false }),
      'gru: recurrentBias belongs to resetAfter',
    ],
    [
      'a bias of another size',
      () => simpleRNN(x, { weight: nothing([3, 2]), recurrentWeight: nothing([2, 2]), bias: nothing([1, 2]) }),
      'simpleRNN: bias wants shape [2], got [1, 2]',
    ],
  ])('%s', (_, run, message) => expect(run).toThrow(message))
})

test('any sizes: the backends agree on outputs, states and gradients', () => {
  const sizes = fc.record({
    kind: fc.integer({ min: 0, max: 3 }),
    backend: fc.constantFrom(wasm, simd),
    rows: fc.constantFrom(0, 1, 2, 3, 5, 23, 24, 25, 40),
    steps: fc.integer({ min: 1, max: 4 }),
    inputs: fc.integer({ min: 1, max: 5 }),
    units: fc.constantFrom(1, 2, 3, 4, 7, 8, 9, 12, 16, 17, 33),
    reverse: fc.boolean(),
    masked: fc.boolean(),
    started: fc.boolean(),
  })
  fc.assert(
    fc.property(sizes, ({ kind, backend: first, rows, steps, inputs, units, reverse, masked, started }) => {
      const gates = [3, 3, 4, 1][kind]
      const state = kind === 2 ? 2 : 1
      const [got, wanted] = [first, js].map((backend) => {
        const leaf = (shape: number[], seed: number) => {
          const t = random(shape, seed, backend)
          t.requiresGrad = true
          return t
        }
        const x = leaf([rows, steps, inputs], 1)
        const weights = {
          weight: leaf([inputs, gates * units], 2),
          recurrentWeight: leaf([units, gates * units], 3),
          bias: leaf([gates * units], 4),
        }
        const initialState = leaf([rows, state * units], 5)
        const mask = Array.from({ length: rows }, (_, row) =>
          Array.from({ length: steps }, (_, step) => ((row * 7 + step * 3) % 4 === 0 ? 0 : 1)),
        )
        const options = { reverse, ...(masked && rows > 0 && { mask }), ...(started && { initialState }) }
        const run = [
          () => gru(x, { ...weights, recurrentBias: leaf([units], 6) }, options),
          () => gru(x, weights, { ...options, resetAfter: false }),
          () => lstm(x, weights, options),
          () => simpleRNN(x, weights, options),
        ][kind]
        const { output, state: last } = run()
        const values = [numbers(output), numbers(last)]
        const total = sum(output) as Tensor
        total.backward()
        return [...values, ...[x, ...Object.values(weights)].map((t) => numbers(t.grad as Tensor))]
      })
      got.forEach((values, i) => {
        const scale = Math.max(1, ...wanted[i].map(Math.abs))
        closeTo(
          values.map((v) => v / scale),
          wanted[i].map((v) => v / scale),
          2e-5,
        )
      })
    }),
    { numRuns: 60, seed: 1 },
  )
})
