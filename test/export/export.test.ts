/** Exports compared with the results of onnxruntime, PyTorch and Keras (test/oracles/exports.json); exports as plain JavaScript; and the way back. */
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GPT, LearnedPositions, MultiHeadAttention, RMSNorm, SinusoidalPositions, TransformerBlock } from '../../ts/attention/index.js'
import { GlobalAvgPool } from '../../ts/conv/index.js'
import { encodeSafetensors, fromKeras, fromOnnx, fromPyTorch, toFunction, toKeras, toOnnx, toPyTorch } from '../../ts/export/index.js'
import {
  Activation,
  type ActivationName,
  BatchNorm,
  createBackend,
  Dense,
  EmbedColumns,
  Embedding,
  Ensemble,
  Flatten,
  Lambda,
  LayerNorm,
  Module,
  ones,
  Scale,
  Sequential,
  type Tensor,
  tensor,
} from '../../ts/index.js'
import { GRU, LSTM, SimpleRNN } from '../../ts/recurrent/index.js'
import { type Case, cases } from './models.js'

interface Checked {
  sha256: string
  output: number[]
  code?: string
}
interface Oracle {
  cases: { name: string; onnx: Checked; torch?: Checked; keras?: Checked }[]
  others: { name: string; file: string; inputs: number[][]; output: number[][] }[]
}
const FILE = 'test/oracles/exports.json'
const oracle: Oracle = existsSync(FILE) ? JSON.parse(readFileSync(FILE, 'utf8')) : { cases: [], others: [] }
const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const all = cases()
const predicted = ({ model, inputs }: Case) => [...model.predict(inputs).data()]

function expectClose(got: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number): void {
  expect(got.length).toBe(wanted.length)
  const off = Math.max(...Array.from(got, (value, i) => Math.abs(value - wanted[i]) / Math.max(1, Math.abs(wanted[i]))))
  expect(off).toBeLessThanOrEqual(tolerance)
}

describe('others', () => {
  test('have read every model of models.ts, in its order', () => {
    const remedy = 'write test/oracles/exports.json anew: python exports.py in test/oracles, after a new model at the end of cases()'
    expect(
      oracle.cases.map(({ name }) => name),
      remedy,
    ).toEqual(all.map(({ name }) => name))
  })

  test.each(oracle.cases)(
    'fault 38: $name: the files that they read are these, and they compute the same',
    ({ name, onnx, torch, keras }) => {
      const one = all.find((known) => known.name === name) as Case
      const wanted = predicted(one)
      expect(digest(toOnnx(one.model, one.inputShape ? { inputShape: one.inputShape } : {}))).toBe(onnx.sha256)
      expectClose(onnx.output, wanted, /^(recurrence|attention|a GPT)/.test(name) ? 2e-6 : 1e-5)
      for (const [checked, convert] of [
        [torch, toPyTorch],
        [keras, toKeras],
      ] as const) {
        if (checked === undefined) continue
        const { tensors, code } = convert(one.model)
        expect([digest(encodeSafetensors(tensors)), code]).toEqual([checked.sha256, checked.code])
        expectClose(checked.output, wanted, 1e-5)
      }
    },
  )

  test.each(oracle.others)('nets of other exporters are read: $name', ({ file, inputs, output }) => {
    const model = fromOnnx(Buffer.from(file, 'base64'))
    expectClose([...model.predict(inputs).data()], output.flat(), 1e-5)
  })
})

describe('toFunction', () => {
  test.each(all.filter((one) => one.in.includes('function')))('$name: within 1e-6 of the model', async (one) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'gradus-function-'))
    try {
      const file = path.join(folder, 'predict.mjs')
      writeFileSync(file, toFunction(one.model, { form: 'module' }))
      const { predict } = (await import(pathToFileURL(file).href)) as { predict(rows: unknown): number[][] }
      // the model's own sums, in float32, are less exact
      expectClose(predict(one.inputs.toArray()).flat(), predicted(one), one.name.startsWith('attention') ? 2e-6 : 1e-6)
      const script = toFunction(one.model, { name: 'other' })
      expect(script).toContain('function other(rows)')
      expect(script).not.toMatch(/\b(import|require|eval|export)\b/)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  test('recurrent nets of sequences of different lengths, with steps that do not count, in an ensemble', () => {
    const models = [1, 2].map(
      (seed) => new Sequential([new GRU(2, 4, { bidirectional: true, maskValue: -1 }), new Dense<number, number>(8, 1)] as const, { seed }),
    )
    const model = new Ensemble(models, { average: 'sigmoid' })
    const predict = new Function(`${toFunction(model)}; return predict`)() as (rows: unknown) => number[][]
    const [whole, skipping] = [[[1, 2], [3, 0.5], [-2, 1]], [[1, 2], [-1, -1], [3, 0.5], [-1, -1], [-2, 1]]] // biome-ignore format: one line
    expectClose(predict([whole]).flat(), [...model.predict([whole] as never).data()], 1e-6)
    expectClose(predict([skipping]).flat(), [...model.predict([skipping] as never).data()], 1e-6)
    expect(predict([skipping])).toEqual(predict([whole]))
  })

  test('recurrent nets of any size, for rows of any form', () => {
    const flag = fc.boolean()
    const some = fc.record({
      cell: fc.constantFrom(...([GRU, LSTM, SimpleRNN] as unknown as (typeof GRU)[])),
      sizes: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 6 })),
      options: fc.record({ bidirectional: flag, returnSequences: flag, bias: flag, maskValue: fc.constantFrom(undefined, 0, 0.1, -1e30) }),
      values: fc.array(fc.constantFrom(-1, -0.3, 0, 0.1, 0.7, 2, -1e30, 1e30), { minLength: 60, maxLength: 60 }),
      form: fc.constantFrom<(row: number[][]) => unknown>(
        (row) => row,
        (row) => Float32Array.from(row.flat()),
        (row) => row.map((step) => Float32Array.from(step)),
      ),
    })
    fc.assert(
      fc.property(some, ({ cell, sizes: [inputs, units, steps], options: { maskValue, ...options }, values, form }) => {
        const layer = new cell(inputs, units, { ...options, ...(maskValue !== undefined && { maskValue }) })
        const model = new Sequential([layer, new Dense<number, number>(options.bidirectional ? 2 * units : units, 2)] as never, { seed: 1 })
        // every other step has one value, so that masks find some
        const rows = [0, 1].map((row) =>
          Array.from({ length: steps }, (_, step) =>
            Array.from({ length: inputs }, (_, i) => values[(row * steps + step) * 5 + (step % 2 === 0 ? 0 : i)]),
          ),
        )
        const predict = new Function(`${toFunction(model)}; return predict`)() as (rows: unknown) => number[][]
        expectClose(predict(rows.map(form)).flat(), [...model.predict(tensor(rows) as never).data()], 2e-6)
      }),
      { numRuns: 300, seed: 1 },
    )
  })

  test('nets of attention of any size, for sequences of any length and form', () => {
    const [flag, backend] = [fc.boolean(), createBackend({ backend: 'js', dtype: 'float64' })]
    const options = { causal: flag, rotary: flag, bias: flag, normalization: fc.constantFrom<'layer' | 'rms'>('layer', 'rms') }
    const some = fc.record({
      kind: fc.constantFrom('attention', 'block', 'GPT'),
      sizes: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom(2, 4, 6), fc.integer({ min: 1, max: 9 })),
      positions: fc.constantFrom<'learned' | 'sinusoidal' | 'rotary'>('learned', 'sinusoidal', 'rotary'),
      options: fc.record({ ...options, activation: fc.constantFrom<ActivationName>('gelu', 'relu', 'silu') }),
      tied: flag,
      embeds: flag,
      values: fc.array(fc.constantFrom(-30, -1, -0.25, 0, 0.125, 0.75, 2, 30), { minLength: 400, maxLength: 400 }),
      form: fc.constantFrom<(row: number[][]) => unknown>(
        (row) => row,
        (row) => Float32Array.from(row.flat()),
        (row) => row.map((step) => Float32Array.from(step)),
      ),
    })
    fc.assert(
      fc.property(some, ({ kind, sizes: [heads, size, steps], positions, options, tied, embeds, values, form }) => {
        const [width, { causal, rotary, bias, normalization }] = [heads * size, options]
        const tokens = [0, 1].map((row) =>
          Array.from({ length: steps }, (_, step) => Math.floor(Math.abs(values[row * steps + step] * 7)) % 5),
        )
        const placed = positions === 'learned' ? new LearnedPositions<number>(9, width) : new SinusoidalPositions<number>(width)
        const inside =
          kind === 'block'
            ? new TransformerBlock<number>(width, heads, options)
            : new MultiHeadAttention(width, heads, { causal, rotary, bias })
        const norm = new RMSNorm<number>(width, { epsilon: 1e-4 })
        const model =
          kind === 'GPT'
            ? new GPT({ vocabulary: 5, context: 9, width, heads, blocks: 2, positions, tied, bias, normalization, seed: 3, backend })
            : new Sequential(
                [...(embeds ? [new Embedding(5, width)] : []), placed, inside, norm, new Dense<number, number>(width, 3)] as never,
                { seed: 3, backend },
              )
        // in doubles, so that nothing hides behind roundings; first weights of a GPT are small
        for (const parameter of model.build().parameters())
          parameter.assign(Float32Array.from(parameter.data(), (w, i) => w + 0.3 * Math.sin(i)))
        const rows = [0, 1].map((row) =>
          Array.from({ length: steps }, (_, step) => Array.from({ length: width }, (_, i) => values[(row * steps + step) * 18 + i])),
        )
        const predict = new Function(`${toFunction(model)}; return predict`)() as (rows: unknown) => number[][]
        const wanted =
          kind === 'GPT' || embeds ? model.predict(tokens as never) : model.predict(tensor(rows, [2, steps, width], { backend }) as never)
        expectClose(predict(kind === 'GPT' || embeds ? tokens : rows.map(form)).flat(), [...wanted.data()], 1e-9)
      }),
      { numRuns: 300, seed: 1 },
    )
  })

  test('rows that do not fit are refused: other numbers, other nesting, too many steps, tokens outside the vocabulary', () => {
    const of = (model: Module) => new Function(`${toFunction(model)}; return predict`)() as (rows: unknown) => number[][]
    const wants = (predict: (rows: unknown) => unknown, rows: unknown, message: string) => expect(() => predict(rows)).toThrow(message)
    const gru = of(new Sequential([new GRU(2, 3), new Dense(3, 1)]))
    // two steps of three numbers are not three steps of two
    wants(gru, [[[1, 2, 3], [4, 5, 6]]], 'wants steps or rows of 2 numbers, got 3') // biome-ignore format: one line
    wants(gru, [[[1], [2, 3, 4]]], 'wants steps or rows of 2 numbers, got 1')
    wants(gru, [[[1, 2], 3, 4]], 'wants steps or rows of 2 numbers, got 1')
    wants(gru, [[]], 'wants steps or rows of 2 numbers, got 0')
    const dense = of(new Sequential([new Activation('relu'), new Dense(2, 1)]))
    for (const rows of [[1, 2, 3], [[1]], [[1, 2], [1, 2, 3]], [[]], [[[1, 2, 3, 4]]]]) wants(dense, rows, 'wants steps or rows of 2 numbers, got') // biome-ignore format: one line
    for (const layer of [new LayerNorm(2), new BatchNorm(2), new Scale(2), new RMSNorm(2), new MultiHeadAttention(2, 1)])
      wants(of(new Sequential([layer as never])), [[1, 2, 3]], 'wants steps or rows of 2 numbers, got 3')
    // two pictures are not two rows of one
    const flat = of(new Sequential([new Flatten(), new Dense(4, 1)]))
    wants(flat, [[[1, 2], [3, 4], [5, 6], [7, 8]]], 'wants steps or rows of 4 numbers, got 8') // biome-ignore format: one line
    wants(flat, [[[1, 2, 3], [4]]], 'wants steps or rows of 3 numbers, got 1') // biome-ignore format: one line
    wants(of(new Sequential([new LearnedPositions(2, 1)])), [[[1], [2], [3]]], 'wants at most 2 steps, got 3') // biome-ignore format: one line
    const gpt = of(new GPT({ vocabulary: 5, context: 3, width: 2, heads: 1, blocks: 1, positions: 'rotary' }))
    wants(gpt, [[1, 2, 3, 4]], 'wants at most 3 steps, got 4')
    wants(gpt, [[1, 5]], 'wants whole numbers from 0 to 4, got 5')
  })

  test('layers that share weights share them in the text: a layer that runs twice, the table of a GPT', () => {
    const layer = new Dense(20, 20)
    const [once, twice] = [new Sequential([layer]), new Sequential([layer, layer])]
    expect(toFunction(twice).length).toBeLessThan(toFunction(once).length + 100)
    const gpt = (tied: boolean) => toFunction(new GPT({ vocabulary: 90, context: 3, width: 8, heads: 1, blocks: 1, tied })).length
    expect(gpt(false) - gpt(true)).toBeGreaterThan(3000)
  })

  test.each(['outputs', 'softmax', 'sigmoid'] as const)('an ensemble of sequences by its %s averages step by step', (average) => {
    const models = [1, 2].map((seed) => new GPT({ vocabulary: 5, context: 6, width: 4, heads: 2, blocks: 1, seed }))
    const gru = [1, 2].map((seed) => new Sequential([new GRU(1, 2, { bidirectional: true, returnSequences: true })], { seed }))
    for (const model of models) for (const p of model.build().parameters()) p.assign(p.data().map((w, i) => w + 0.5 * Math.sin(i)))
    const of = (model: Module) => new Function(`${toFunction(model)}; return predict`)() as (rows: unknown) => number[][]
    const [texts, series] = [new Ensemble(models, { average }), new Ensemble(gru, { average })]
    expectClose(of(texts)([[1, 4, 0]]).flat(), [...texts.predict([[1, 4, 0]] as never).data()], 1e-6)
    expectClose(of(series)([[1, 4, 0]]).flat(), [...series.predict([[[1], [4], [0]]] as never).data()], 1e-6)
  })

  test('halves take half the room', () => {
    const model = new Sequential([new Dense(50, 40), new Dense(40, 1)], { seed: 1 })
    const [whole, half] = [toFunction(model), toFunction(model, { weights: 'float16' })]
    const bytes = 4 * (50 * 40 + 40 + 40 + 1)
    expect(whole.length).toBeLessThan(1.4 * bytes + 2300)
    expect(half.length).toBeLessThan(0.7 * bytes + 2300)
  })

  test.each([1e-30, 1e-6, 1, 1e6, 1e30])(
    'halves keep three digits of weights that are %s times as large, and biases all digits',
    (scale) => {
      const model = new Sequential([new Dense(8, 6), new Dense(6, 2)], { seed: 2 })
      model.build()
      const [first, second] = model.layers
      first.weight.assign(first.weight.data().map((w) => w * scale))
      second.weight.assign(second.weight.data().map((w) => w / scale))
      second.bias?.assign([1e6, 0])
      const rows = [[1, 2, 3, 4, 5, 6, 7, 8]]
      const source = toFunction(model, { weights: 'float16' })
      const predict = new Function(`${source}; return predict`)() as (rows: number[][]) => number[][]
      expectClose(predict(rows).flat(), [...model.predict(rows).data()], 0.01)
    },
  )
})

describe('there and back', () => {
  test.each(all.filter((one) => one.in.includes('torch') && one.in.includes('keras')))(
    '$name: by the names of PyTorch and Keras',
    ({ model }) => {
      const before = model.state()
      const [torch, keras] = [toPyTorch(model).tensors, toKeras(model).tensors]
      const wipe = () => model.savedTensors().forEach(([, tensor]) => tensor.view().fill(9))
      wipe()
      expect(fromPyTorch(model, torch).state()).toEqual(before)
      wipe()
      expect(fromKeras(model, keras).state()).toEqual(before)
      wipe()
      expect(fromKeras(model, Object.values(keras)).state()).toEqual(before)
    },
  )

  test.each(all.filter(({ name }) => (name.startsWith('dense') && name !== 'dense gelu') || name === 'images'))(
    '$name: dense nets by ONNX',
    (one) => {
      const backend = one.model.backend
      const again = fromOnnx(toOnnx(one.model, one.inputShape ? { inputShape: one.inputShape } : {}), { backend })
      expectClose([...again.predict(one.inputs).data()], predicted(one), 1e-6)
    },
  )
})

test('a layer that runs twice has its weights in an ONNX file once, under one name', () => {
  const twice = new Dense(50, 50, { activation: 'tanh' })
  const model = new Sequential([twice, twice], { seed: 1 })
  const bytes = toOnnx(model)
  expect(bytes.length).toBeLessThan(1.2 * 4 * 50 * 51)
  const x = Array.from({ length: 50 }, (_, i) => i / 50)
  expectClose([...fromOnnx(bytes, { backend: model.backend }).predict([x]).data()], [...model.predict([x]).data()], 1e-6)
})

test('a GPT takes rows of its context in an ONNX file, unless another length is asked for', () => {
  const gpt = new GPT({ vocabulary: 5, context: 6, width: 4, heads: 2, blocks: 1 })
  expect(digest(toOnnx(gpt))).toBe(digest(toOnnx(gpt, { inputShape: [6] })))
  expect(digest(toOnnx(gpt))).not.toBe(digest(toOnnx(gpt, { inputShape: [5] })))
})

describe('what cannot be', () => {
  const own = new Sequential([new Dense(2, 2), new Lambda((x) => x)])
  test('columns that are embedded are for ONNX and JavaScript alone, and the others say so', () => {
    const embedding = new Sequential([new EmbedColumns(3, [{ feature: 1, count: 4, size: 2 }]), new Dense(4, 2)])
    for (const [name, convert] of Object.entries({ toPyTorch, toKeras }))
      expect(() => convert(embedding), name).toThrow(
        /can be exported: Dense, Embedding, BatchNorm, LayerNorm, Activation, Dropout, Flatten, layers of gradus\/conv other than Residual, Concat and SqueezeExcite, and Sequential of these; toOnnx and toFunction take EmbedColumns, .*EnsembleMean too$/,
      )
    for (const convert of [toOnnx, toFunction]) {
      expect(() => convert(embedding)).not.toThrow()
      expect(() => convert(own)).toThrow(/can be exported: .*EmbedColumns/)
    }
  })

  test('recurrence that ONNX has no words for is refused, with what to do', () => {
    const refused = (layer: Module, inputShape: number[]) => () => toOnnx(new Sequential([layer]), { inputShape })
    expect(refused(new GRU(3, 2, { maskValue: 0 }), [4, 3])).toThrow(
      /^toOnnx: GRU\(3, 2\) '0' has maskValue, and ONNX skips steps behind a length alone; export the same weights in a layer without it$/,
    )
    expect(refused(new LSTM(3, 2, { statefulRows: 1 }), [4, 3])).toThrow(
      /^toOnnx: LSTM\(3, 2\) '0' has statefulRows, and ONNX keeps no state/,
    )
    // one row would not fit, and the state of the model stays
    expect(refused(new LSTM(3, 2, { statefulRows: 2 }), [4, 3])).toThrow(/has statefulRows/)
    const stateful = new GRU(3, 2, { statefulRows: 1 })
    stateful.predict(ones([1, 4, 3]) as never)
    const before = [...(stateful.lastState?.data() ?? [])]
    expect(refused(stateful, [4, 3])).toThrow(/has statefulRows/)
    expect([...(stateful.lastState?.data() ?? [])]).toEqual(before)
    expect(() => toOnnx(new Sequential([new GRU(3, 2)]))).toThrow(/^toOnnx: wants the shape of one row/)
    expect(() => toFunction(new Sequential([stateful]))).toThrow(/^toFunction: GRU\(3, 2\) '0' has statefulRows, and a function keeps no/)
    expect(() => toFunction(new Sequential([new GlobalAvgPool()]))).toThrow(
      /^toFunction: GlobalAvgPool '0' is not among the layers.*EnsembleMean, layers of gradus\/recurrent and gradus\/attention, and Sequential of these$/,
    )
    expect(() => toPyTorch(new Sequential([new RMSNorm(2)]))).toThrow(/^toPyTorch: RMSNorm\(2\) '0' is not among/)
  })

  test('layers that no format has are named', () => {
    for (const [name, convert] of Object.entries({ toOnnx, toFunction, toPyTorch, toKeras }))
      expect(() => convert(own), name).toThrow(/Lambda '1' is not among the layers that can be exported/)
    class Mine extends Module {
      forward(x: Tensor): Tensor {
        return x
      }
    }
    expect(() => toFunction(new Sequential([new Mine()]))).toThrow("Mine '0' is not among the layers")
  })

  test('a layer of one’s own is named before the shape of the input is asked for', () => {
    class Mine extends Module {
      forward(x: Tensor): Tensor {
        return x
      }
    }
    for (const model of [new Mine(), new Sequential([new Flatten(), new Sequential([new Mine()])])])
      expect(() => toOnnx(model)).toThrow(/Mine.* is not among the layers that can be exported/)
  })

  test('shapes, names and tensors that do not fit', () => {
    expect(() => toOnnx(new Sequential([new Flatten(), new Dense(4, 1)]))).toThrow('{ inputShape: [28, 28] }')
    expect(() => toFunction(new Dense(1, 1), { name: 'a b' })).toThrow("toFunction: name wants that of a function, got 'a b'")
    const net = new Sequential([new Dense(2, 3), new BatchNorm(3), new Activation('relu')])
    const { tensors } = toPyTorch(net)
    const before = net.state()
    const { '0.bias': _, ...less } = tensors
    expect(() => fromPyTorch(net, less)).toThrow("fromPyTorch: there is no '0.bias' for '0.bias'")
    expect(() => fromPyTorch(net, { ...tensors, '0.scale': tensors['0.bias'] })).toThrow("the model has no place for '0.scale'")
    expect(() => fromPyTorch(net, { ...tensors, '0.weight': { shape: [2, 3], data: new Float32Array(6) } })).toThrow(
      "'0.weight' wants shape [3, 2] for '0.weight', got [2, 3]",
    )
    expect(net.state()).toEqual(before)
  })

  test('bytes that are no ONNX file end in an error of ours', () => {
    const file = toOnnx(new Sequential([new Dense(2, 3, { activation: 'relu' }), new Dense(3, 1)]))
    for (let at = 0; at < file.length; at++) {
      const broken = file.slice()
      broken[at] ^= 0x55
      for (const bytes of [broken, file.subarray(0, at)]) {
        try {
          fromOnnx(bytes)
        } catch (error) {
          expect((error as Error).message).toMatch(/^fromOnnx: /)
        }
      }
    }
  })
})

test.each(['outputs', 'softmax', 'sigmoid'] as const)('an ensemble by its %s: as a function, within 1e-6 of the model', async (average) => {
  const outputs = average === 'softmax' ? 3 : 2
  const members = [1, 2, 3].map(
    (seed) => new Sequential([new Dense(4, 6, { activation: 'gelu' }), new BatchNorm(6), new Dense(6, outputs)], { seed }),
  )
  const model = new Ensemble(members, { average, weights: [1, 2, 5] })
  const rows = Array.from({ length: 7 }, (_, i) => [0, 1, 2, 3].map((j) => 9 * Math.sin(i * 3 + j)))
  const folder = mkdtempSync(path.join(tmpdir(), 'gradus-function-'))
  try {
    const file = path.join(folder, 'predict.mjs')
    writeFileSync(file, toFunction(model, { form: 'module' }))
    const { predict } = (await import(pathToFileURL(file).href)) as { predict(rows: unknown): number[][] }
    expectClose(predict(rows).flat(), [...model.predict(rows).data()], 1e-6)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
