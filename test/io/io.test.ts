/** Files: safetensors byte for byte as Python writes them, whatever is damaged, and states of whole trainings there and back. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fitScaler, fromTable, scalerFromState } from '../../ts/data/index.js'
import {
  Adam,
  createBackend,
  crossEntropy,
  Dense,
  Dropout,
  decodeSafetensors,
  decodeState,
  encodeSafetensors,
  encodeState,
  fit,
  Lookahead,
  Module,
  mse,
  OPTIMIZERS,
  Parameter,
  ReduceOnPlateau,
  Scheduler,
  Sequential,
  ShapeError,
  type StoredArray,
  schedules,
  type Tensor,
  tensor,
  transpose,
  WeightAverage,
} from '../../ts/index.js'
import { BufferTensor } from '../../ts/nn/buffer.js'

interface Case {
  name: string
  tensors: Record<string, { shape: number[]; dtype: string; values: (number | string)[] }>
  metadata: Record<string, string>
  file: string
}
const { cases }: { cases: Case[] } = JSON.parse(readFileSync('test/oracles/safetensors_files.json', 'utf8'))
const bytesOf = ({ file }: Case) => new Uint8Array(Buffer.from(file, 'base64'))
const plain = (data: StoredArray) =>
  Array.from(data as Iterable<number | bigint>, (v) => (typeof v === 'bigint' ? String(v) : v === 0 ? 0 : v))

/** A file of a header and bytes as they are. */
function file(header: unknown, body = 0, length?: number): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const out = new Uint8Array(8 + text.length + body)
  new DataView(out.buffer).setBigUint64(0, BigInt(length ?? text.length), true)
  out.set(text, 8)
  return out
}

describe('safetensors', () => {
  test.each(cases)('$name: reads what Python wrote', (one) => {
    const { tensors, metadata } = decodeSafetensors(bytesOf(one))
    expect(metadata).toEqual(one.metadata)
    expect(Object.keys(tensors).sort()).toEqual(Object.keys(one.tensors).sort())
    for (const [name, { shape, values }] of Object.entries(one.tensors)) {
      expect(tensors[name].shape, name).toEqual(shape)
      expect(plain(tensors[name].data), name).toEqual(values)
    }
  })

  test.each(cases.filter(({ name }) => name !== 'halves'))('$name: writes the bytes that Python wrote', (one) => {
    const { tensors, metadata } = decodeSafetensors(bytesOf(one))
    const reversed = Object.fromEntries(Object.entries(tensors).reverse())
    expect(Buffer.from(encodeSafetensors(reversed, metadata)).toString('base64')).toBe(one.file)
  })

  test('reads an ArrayBuffer, and a view that begins anywhere in one; gives copies', () => {
    const bytes = encodeSafetensors({ x: Float64Array.of(Math.PI, 2) })
    for (let at = 0; at < 8; at++) {
      const room = new Uint8Array(bytes.length + 11).fill(99)
      room.set(bytes, at)
      const { tensors } = decodeSafetensors(room.subarray(at, at + bytes.length))
      room.fill(0)
      expect(tensors.x).toEqual({ dtype: 'F64', shape: [2], data: Float64Array.of(Math.PI, 2) })
    }
    expect(decodeSafetensors(bytes.buffer).tensors.x.data).toEqual(Float64Array.of(Math.PI, 2))
    expect(decodeSafetensors(Buffer.from(bytes)).tensors.x.data).toEqual(Float64Array.of(Math.PI, 2))
  })

  test('takes tensors of every kind, views of arrays, and names that are numbers or strange', () => {
    const all = Float32Array.of(1, 2, 3, 4)
    const { tensors } = decodeSafetensors(
      encodeSafetensors({
        10: tensor([
          [1, 2],
          [3, 4],
        ]),
        9: new Parameter([5], { name: 'p' }),
        'labels "a"\n': tensor(Int32Array.of(0, 2)),
        view: all.subarray(1, 3),
        constructor: { shape: [2, 1], data: Uint8Array.of(7, 8) },
        exact: tensor([1 / 3], { backend: createBackend({ backend: 'js', dtype: 'float64' }) }),
      }),
    )
    expect(tensors).toEqual({
      10: { dtype: 'F32', shape: [2, 2], data: all },
      9: { dtype: 'F32', shape: [1], data: Float32Array.of(5) },
      'labels "a"\n': { dtype: 'I32', shape: [2], data: Int32Array.of(0, 2) },
      view: { dtype: 'F32', shape: [2], data: Float32Array.of(2, 3) },
      constructor: { dtype: 'U8', shape: [2, 1], data: Uint8Array.of(7, 8) },
      exact: { dtype: 'F64', shape: [1], data: Float64Array.of(1 / 3) },
    })
  })

  test('refuses what are no bytes', () => {
    for (const file of ['text', undefined, [1, 2]] as unknown as ArrayBuffer[])
      expect(() => decodeSafetensors(file)).toThrow(/decodeSafetensors: wants the bytes of a file.*got ('text'|undefined|an array of 2)/)
  })

  test('refuses to write what is no tensor', () => {
    for (const value of [null, 3, [1, 2], 'x', {}, { shape: [1] }, { data: Float32Array.of(1) }, { shape: 1, data: Float32Array.of(1) }])
      expect(() => encodeSafetensors({ w: value as never }), JSON.stringify(value)).toThrow(
        "'w' wants a tensor, a typed array, or { shape, data }",
      )
    expect(() => encodeSafetensors({ w: { shape: [2, 3], data: new Float32Array(5) } })).toThrow(
      "'w' has 5 values, which do not fill shape [2, 3]",
    )
    expect(() => encodeSafetensors({ __metadata__: Float32Array.of(1) })).toThrow('no tensor can be named')
    expect(() => encodeSafetensors({}, { epoch: 3 as never })).toThrow("metadata 'epoch' wants text, got 3")
  })

  const F32 = (from: number, to: number, shape = [(to - from) / 4]) => ({ dtype: 'F32', shape, data_offsets: [from, to] })
  test.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /truncated: 0 bytes/],
    ['half a length', new Uint8Array(7), /truncated: 7 bytes/],
    ['a length alone', new Uint8Array(8), /the header is no JSON/],
    ['half a header', file({ x: F32(0, 4) }, 0, 999), /truncated: the header should have 999 bytes/],
    ['an absurd length', file('{', 0).fill(255, 0, 8), /truncated: the header should have 18446744073709552000 bytes/],
    ['another format', new TextEncoder().encode('PK\x03\x04 something zipped'), /no safetensors file: wants a { after 8 bytes, got 0x65/],
    ['text that is no JSON', file('{"x"'), /the header is no JSON/],
    ['bytes that are no text', file('{"x"}').fill(0xff, 10, 12), /the header is no JSON/],
    ['an array', file('[]'), /wants a {/],
    ['metadata that are no texts', file({ __metadata__: { a: 1 } }), /wants an object of texts/],
    ['a tensor that is none', file({ x: 3 }), /'x' wants a dtype, a shape and two data_offsets, got 3/],
    ['a tensor without place', file({ x: { dtype: 'F32', shape: [1] } }, 4), /'x' wants a dtype, a shape and two/],
    ['a negative size', file({ x: F32(0, 4, [-1]) }, 4), /'x' wants/],
    ['places the wrong way round', file({ x: F32(4, 0, [1]) }, 4), /'x' wants/],
    ['an unknown dtype', file({ x: { ...F32(0, 4), dtype: 'F8_E4M3' } }, 4), /'x' has dtype 'F8_E4M3'; known are U64, .* and BOOL/],
    ['a dtype of objects', file({ x: { ...F32(0, 4), dtype: 'constructor' } }, 4), /'x' has dtype 'constructor'/],
    ['a shape that is not filled', file({ x: F32(0, 4, [2]) }, 4), /'x' of F32 \[2\] wants 8 bytes, the header gives it 4/],
    ['too few bytes', file({ x: F32(0, 8) }, 4), /truncated: the header promises \d+ bytes, but there are \d+/],
    ['too many', file({ x: F32(0, 4) }, 5), /left over/],
    ['a hole', file({ x: F32(0, 4), y: F32(8, 12) }, 12), /'y' begins at byte 8, but what is before it ends at 4/],
    ['two in one place', file({ x: F32(0, 4), y: F32(0, 4) }, 4), /'y' begins at byte 0, but what is before it ends at 4/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes)).toThrow(RangeError)
    expect(() => decodeSafetensors(bytes)).toThrow(message)
    expect(() => decodeSafetensors(bytes)).toThrow(/^decodeSafetensors: /)
  })

  test('damage anywhere gives an error or tensors that fill the file, and never more', () => {
    const good = encodeState({ weights: { '0.w': new Float32Array(200), '0.b': Float64Array.of(4) }, epoch: Number.NaN, $: [1] })
    const damage = fc.record({ at: fc.nat(good.length - 1), byte: fc.nat(255), cut: fc.option(fc.nat(good.length), { freq: 1 }) })
    let [refused, read] = [0, 0]
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), fc.boolean(), (places, asState) => {
        let bytes: Uint8Array = good.slice()
        for (const { at, byte } of places) bytes[at] = byte
        if (places[0].cut !== null) bytes = bytes.subarray(0, places[0].cut)
        try {
          if (asState) decodeState(bytes)
          else {
            const { tensors } = decodeSafetensors(bytes)
            const total = Object.values(tensors).reduce((sum, { data }) => sum + data.byteLength, 0)
            expect(total).toBeLessThan(2 * bytes.length) // halves become floats
          }
          read++
        } catch (error) {
          if (!(error instanceof RangeError)) throw error
          expect(error.message).toMatch(/^decode(Safetensors|State): /)
          refused++
        }
      }),
      { seed: 1, numRuns: 3000 },
    )
    expect(Math.min(refused, read)).toBeGreaterThan(100)
  })
})

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
    const broken = (text: string) => () => decodeState(encodeSafetensors({}, { 'gradus-state/1': text }))
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
    // and a part has names of its own
    expect(Object.keys(one.layers[0].state())).toEqual(['0.weight', '0.bias', '2.weight', '2.bias', '1.generator'])
  })

  test('schedulers, plateaus, averages, wrappers, scalers and tables', () => {
    const model = nets()
    const optimizer = new Lookahead(new Adam(model.parameters()))
    const scheduler = new Scheduler(optimizer, schedules.cosine(0.1, { steps: 10 }))
    const average = new WeightAverage(model.parameters())
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
      average.update()
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
    const parts = { optimizer, scheduler, average, plateau, scaler, table }
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
