/** States of whole trainings, encoded as bytes and decoded: equal to the bit, with everything saved with the weights; and refused values. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fitScaler, fromTable, scalerFromState } from '../../ts/data/index.js'
import { decodeSafetensors, encodeSafetensors } from '../../ts/export/index.js'
import {
  Adam,
  createBackend,
  crossEntropy,
  Dense,
  Dropout,
  decodeState,
  encodeState,
  fit,
  Lookahead,
  Module,
  mse,
  ReduceOnPlateau,
  Scheduler,
  Sequential,
  ShapeError,
  schedules,
  type Tensor,
  tensor,
  transpose,
  WeightAverage,
} from '../../ts/index.js'
import { BufferTensor } from '../../ts/nn/buffer.js'
import { OPTIMIZERS } from '../../ts/optim/index.js'
import { withHeader } from '../tools/model-files.js'

describe('loadState', () => {
  const make = () => new Sequential([new Dense(2, 3), new Dense(3, 1)], { seed: 1 })

  test('takes the tensors of a file, and checks their shapes', () => {
    const model = make()
    const { tensors } = decodeSafetensors(encodeSafetensors(model.namedParameters()))
    expect(tensors['0.weight'].shape).toEqual([2, 3])
    const other = new Sequential([new Dense(2, 3), new Dense(3, 1)], { seed: 2 })
    expect(other.state()).not.toEqual(model.state())
    expect(other.loadState(tensors).state()).toEqual(model.state())
    const turned = transpose(tensor(tensors['0.weight'].data as Float32Array, [2, 3]))
    const wrong = { ...tensors, '0.weight': turned }
    const before = model.state()
    expect(() => model.loadState(wrong)).toThrow(ShapeError)
    expect(() => model.loadState(wrong)).toThrow("'0.weight' has shape [2, 3] (6 values), got shape [3, 2]")
    expect(model.loadState({ ...wrong, '0.weight': transpose(turned) }).state()).toEqual(before)
    const whole = { ...tensors, '1.bias': { shape: [1], data: BigInt64Array.of(1n) } }
    expect(() => model.loadState(whole)).toThrow("'1.bias' has shape [1] (1 values), got 1 of 64-bit integers")
    expect(model.state()).toEqual(before)
  })
})

describe('encodeState', () => {
  test('gives back numbers, texts, arrays and objects as they were', () => {
    const value = {
      nothing: null,
      numbers: [0, -0, 1.5, 1e-320, Infinity, -Infinity, Number.NaN, 2 ** 53],
      texts: ['', '«ü»', '\0'],
      deep: [{ a: [true, [false]] }],
      $tensor: 'name',
      $other: { $number: 3, $entries: [] },
      arrays: [Float32Array.of(1, Number.NaN, -0), new Float64Array(0), Int32Array.of(-1), Uint8Array.of(255), BigInt64Array.of(-1n)],
      7: 'seven',
    }
    expect(decodeState(encodeState(value))).toEqual(value)
    expect(decodeState(encodeState({}))).toEqual({})
    expect(decodeState(encodeState([1, [Float32Array.of(2)]]))).toEqual([1, [Float32Array.of(2)]])
  })

  test('anything JSON can say comes back', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.oneof(fc.jsonValue(), fc.double(), fc.float32Array(), fc.int32Array())), (value) => {
        const copy = Object.fromEntries(Object.entries(value)) // fast-check's have no prototype
        expect(decodeState(encodeState(copy))).toEqual(structuredClone(copy))
      }),
      { seed: 1, numRuns: 300 },
    )
  })

  test('arrays whose paths read the same are kept apart', () => {
    const value = { 'a.b': Float32Array.of(1), a: { b: Float32Array.of(2) } }
    expect(decodeState(encodeState(value))).toEqual(value)
  })

  test('refuses what would be lost, by its place', () => {
    const loop: { me?: unknown } = {}
    loop.me = [loop]
    const bad: [unknown, string][] = [
      [() => 1, "'a.b.0' cannot be kept, it is a function"],
      [undefined, "'a.b.0' cannot be kept, it is undefined"],
      [1n, "'a.b.0' cannot be kept, it is 1"],
      [new Date(0), "'a.b.0' cannot be kept, it is a Date; it is no plain object and has no state()"],
      [new Map(), "'a.b.0' cannot be kept, it is a Map"],
      [loop, "'a.b.0.me.0' contains itself"],
    ]
    for (const [value, message] of bad) expect(() => encodeState({ a: { b: [value] } }), message).toThrow(message)
    const twice = { x: 1 }
    expect(decodeState(encodeState({ a: twice, b: twice }))).toEqual({ a: twice, b: twice })
    for (const parts of [null, 3, Float32Array.of(1)]) expect(() => encodeState(parts as object)).toThrow('wants parts by name')
  })

  test('refuses files of other makers, and ones that do not fit together', () => {
    expect(() => decodeState(encodeSafetensors({ x: Float32Array.of(1) }))).toThrow('encodeState did not make this file')
    const broken = (text: string) => () => decodeState(withHeader({}, text, 'gradus-state/1'))
    expect(broken('{')).toThrow("decodeState: 'gradus-state/1' in the file is damaged")
    expect(broken('{"x":{"$tensor":"y"}}')).toThrow("damaged: there is no tensor 'y'")
    expect(broken('{"$entries":3}')).toThrow('damaged')
  })

  const nets = () => new Sequential([new Dense(3, 4, { activation: 'tanh' }), new Dense(4, 2)], { seed: 1 })
  const x = [
    [1, -2, 0.5],
    [0.1, 0.3, -1],
  ]

  test.each(Object.keys(OPTIMIZERS).filter((name) => name !== 'SparseAdam'))('fault 14: %s goes on with the same bits', (name) => {
    const Class = OPTIMIZERS[name as 'Adam']
    const run = (model: Sequential, optimizer: Adam, steps: number) => {
      for (let i = 0; i < steps; i++) {
        crossEntropy(model.forward(tensor(x)), [0, 1]).backward()
        optimizer.step()
      }
    }
    const [one, two] = [nets(), nets()]
    const first = new Class(one.parameters())
    run(one, first, 3)
    const saved = decodeState(encodeState({ model: one, optimizer: first }))
    const second = new Class(two.parameters())
    two.loadState(saved.model)
    second.loadState(saved.optimizer)
    run(one, first, 3)
    run(two, second, 3)
    expect(two.state()).toEqual(one.state())
    expect(second.state()).toEqual(first.state())
  })

  test('buffers are in the file with their shapes, as parameters are', () => {
    class Counts extends Module {
      counts = new BufferTensor([2, 3], { name: 'counts', backend: createBackend({ backend: 'js' }), value: 1 })
      forward(input: Tensor): Tensor {
        return input
      }
    }
    const { tensors } = decodeSafetensors(encodeState({ model: new Counts() }))
    expect(tensors['model.counts'].shape).toEqual([2, 3])
  })

  test('dropout goes on with the same bits: how far its random numbers are belongs to a model', async () => {
    const layers = () => [new Dense(3, 8), new Dropout(0.3), new Dense(8, 2)]
    const make = () => new Sequential([new Sequential(layers()), new Dropout(0.5)], { seed: 4 })
    const run = async (model: Sequential, optimizer: Adam) => {
      await fit(model, { inputs: x, targets: [0, 1], loss: crossEntropy, optimizer, epochs: 3, batchSize: 1 })
    }
    const one = make()
    const first = new Adam(one.parameters())
    await run(one, first)
    const files = [
      decodeState(encodeState({ model: one, optimizer: first })),
      JSON.parse(JSON.stringify({ model: one.state(), optimizer: first.state() })),
    ]
    expect([one.state()['0.1.generator'], one.state()['1.generator']]).toEqual([Float64Array.of(6), Float64Array.of(6)])
    await run(one, first)
    for (const saved of files) {
      const two = make().loadState(saved.model)
      const second = new Adam(two.parameters())
      second.loadState(saved.optimizer)
      await run(two, second)
      expect(two.state()).toEqual(one.state())
    }
    // files that others made have weights alone
    const weights = Object.fromEntries(one.namedParameters())
    const third = make().loadState(weights)
    expect(third.state()['1.generator']).toEqual(Float64Array.of(0))
    // a part that is saved alone has its own names
    expect(Object.keys(one.layers[0].state())).toEqual(['0.weight', '0.bias', '2.weight', '2.bias', '1.generator'])
  })

  test('schedulers, plateaus, wrappers, averages, scalers and tables', () => {
    const model = nets()
    const optimizer = new WeightAverage(new Lookahead(new Adam(model.parameters())))
    const scheduler = new Scheduler(optimizer, schedules.cosine(0.1, { steps: 10 }))
    for (let i = 0; i < 3; i++) {
      mse(
        model.forward(tensor(x)),
        tensor([
          [1, 2],
          [3, 4],
        ]),
      ).backward()
      optimizer.step()
      scheduler.step()
    }
    const plateau = new ReduceOnPlateau(optimizer)
    const scaler = fitScaler(Float32Array.of(1, 2, 4), 1)
    const table = fromTable(
      [
        { a: 1, b: 'x' },
        { a: 2, b: 'y' },
      ],
      { target: 'b' },
    )
    const parts = { optimizer, scheduler, plateau, scaler, table }
    const saved = decodeState<{ [K in keyof typeof parts]: ReturnType<(typeof parts)[K]['state']> }>(encodeState(parts))
    for (const [name, part] of Object.entries(parts)) expect(saved[name as keyof typeof parts], name).toEqual(part.state())
    expect(saved.plateau.best).toBe(Infinity)
    expect(scalerFromState(saved.scaler).apply(Float32Array.of(3))).toEqual(scaler.apply(Float32Array.of(3)))
  })

  test('others find the weights by name and with their shapes, and the file is small', () => {
    const model = new Sequential([new Dense(50, 40), new Dense(40, 1)], { seed: 1 })
    const bytes = encodeState({ model, epoch: 3 })
    const { tensors } = decodeSafetensors(bytes)
    expect(Object.entries(tensors).map(([name, { shape }]) => [name, shape])).toEqual([
      ['model.0.bias', [40]],
      ['model.0.weight', [50, 40]],
      ['model.1.bias', [1]],
      ['model.1.weight', [40, 1]],
    ])
    expect(bytes.length).toBeLessThan(4 * (50 * 40 + 40 + 40 + 1) + 800)
    expect(JSON.stringify(model.state()).length).toBeGreaterThan(6 * bytes.length)
  })

  test('a model in double precision keeps its digits', () => {
    const backend = createBackend({ backend: 'js', dtype: 'float64' })
    const model = new Sequential([new Dense(3, 4)], { seed: 1, backend })
    const saved = decodeState(encodeState({ model }))
    expect(saved.model['0.weight']).toBeInstanceOf(Float64Array)
    expect(saved.model).toEqual(model.state())
  })
})
