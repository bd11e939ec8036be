/** Nets for images from ONNX files against onnxruntime (test/oracles/onnx_features.py), and against the nets that toOnnx wrote. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Conv2d, fromOnnxFeatures, GlobalAvgPool, MaxPool } from '../../ts/conv/index.js'
import { toOnnx } from '../../ts/export/index.js'
import { decodeMessage, encodeMessage, type Field } from '../../ts/export/protobuf.js'
import { createBackend, encodeModel, Sequential, type Tensor, tensor, zeros } from '../../ts/index.js'
import { cases as exported } from '../export/models.js'

interface Case {
  name: string
  file: string
  shape: number[]
  x: number[]
  y: number[]
}
const { cases } = JSON.parse(readFileSync(new URL('../oracles/onnx_features.json', import.meta.url), 'utf8')) as { cases: Case[] }
const fileOf = ({ file }: Case) => new Uint8Array(Buffer.from(file, 'base64'))

const largest = (a: ArrayLike<number>, b: ArrayLike<number>) => Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i])))

const backends = [createBackend({ backend: 'js', dtype: 'float64' }), createBackend()]

test.each(backends)('nets of PyTorch compute what onnxruntime does, $variant $dtype', (backend) => {
  for (const c of cases) {
    const net = fromOnnxFeatures(fileOf(c), { backend })
    expect(net.channelsFirst).toBe(true)
    const x = tensor(c.x, c.shape, { backend })
    for (let again = 0; again < 2; again++) {
      const y = net.predict(x)
      expect(y.size, c.name).toBe(c.y.length)
      expect(largest(y.data(), c.y), c.name).toBeLessThan(2e-6)
    }
    // a batch at a time
    expect(largest(net.predict(x, { batchSize: 1 }).data(), c.y), c.name).toBeLessThan(2e-6)
  }
})

test.each(exported().filter(({ inputs, in: formats }) => inputs.rank === 4 && formats.includes('onnx')))('$name of toOnnx', (one) => {
  const { model, inputs, inputShape } = one
  const net = fromOnnxFeatures(toOnnx(model, { inputShape }), { backend: inputs.backend })
  const [got, wanted] = [net, model].map((either) => (either.predict(inputs) as Tensor).data())
  expect(got.length).toBe(wanted.length)
  expect(largest(got, wanted)).toBeLessThan(2e-5)
})

test('values inside of a net are features', () => {
  const file = fileOf(cases[2])
  const [conv] = ['/body/body.0/Conv_output_0'].map((output) => fromOnnxFeatures(file, { output }))
  expect(conv.predict(zeros([3, 6, 8, 1])).shape).toEqual([3, 6, 8, 3])
  expect(fromOnnxFeatures(file, { output: '/body/body.5/Sigmoid_output_0' }).predict(zeros([3, 6, 8, 1])).shape).toEqual([3, 4])
  expect(conv.describe()).toBe('OnnxFeatures(1 operations)')
  expect(conv.parameters()).toEqual([])
})

type Given = Readonly<Record<string, number | number[] | string | Field[]>>
type NodeWith = [type: string, inputs: string[], output: string, attributes?: Given]

/** Attributes: whole numbers, lists of them, texts, and tensors. */
const attributesOf = (given: Given): Field[] =>
  Object.entries(given).map(([name, value]): Field => {
    if (typeof value === 'number') return [5, [[1, name], [3, value]]] // biome-ignore format: nested
    if (typeof value === 'string') return [5, [[1, name], [4, value]]] // biome-ignore format: nested
    const isTensor = Array.isArray(value[0])
    return [5, [[1, name], ...(isTensor ? [[5, value as Field[]] as Field] : (value as number[]).map((n): Field => [8, n]))]]
  })

/** A tensor of whole numbers. */
const whole = (shape: number[], values: number[]): Field[] => [
  ...shape.map((n): Field => [1, n]),
  [2, 7],
  ...values.map((n): Field => [7, n]),
]

/** The file of a graph with these nodes, between an input of images and an output. */
function fileWith(nodes: NodeWith[], shape = [0, 3, 8, 8], inputs = ['image'], version?: number): Uint8Array {
  const value = (name: string): Field[] => [
    [1, name],
    [2, [[1, [[1, 1], [2, shape.map((n): Field => [1, n === 0 ? [[2, 'rows']] : [[1, n]]])]]]]],
  ] // biome-ignore format: nested
  const graph: Field[] = [
    ...nodes.map(
      ([type, from, output, given = {}]): Field => [
        1,
        [...from.map((name): Field => [1, name]), [2, output], [4, type], ...attributesOf(given)],
      ],
    ),
    ...inputs.map((name): Field => [11, value(name)]),
    [12, value('result')],
  ]
  return encodeMessage([[7, graph], ...(version === undefined ? [] : [[8, [[2, version]]] as Field])])
}

describe('files of other versions of the operators', () => {
  // channels 0, 1 and 2, each the same at all pixels
  const x = tensor(Array.from({ length: 2 * 8 * 8 * 3 }, (_, i) => i % 3), [2, 8, 8, 3]) // biome-ignore format: one line
  const run = (version: number | undefined, ...nodes: NodeWith[]) =>
    fromOnnxFeatures(fileWith([['GlobalAveragePool', ['image'], 'pooled'], ...nodes], undefined, undefined, version)).predict(x)

  test('before version 13 Softmax is over all axes from the given one on', () => {
    const y = run(12, ['Softmax', ['pooled'], 'result'])
    expect(y.shape).toEqual([2, 3, 1, 1])
    const e = [1, Math.E, Math.E ** 2]
    const sum = e[0] + e[1] + e[2]
    expect(
      largest(
        y.data(),
        [...e, ...e].map((one) => one / sum),
      ),
    ).toBeLessThan(1e-6)
    expect([...run(13, ['Softmax', ['pooled'], 'result']).data()]).toEqual([1, 1, 1, 1, 1, 1])
  })
  test('a part of a shape', () => {
    const parts: NodeWith[] = [
      ['Shape', ['pooled'], 'a', { start: 0, end: 1 }],
      ['Shape', ['pooled'], 'b', { start: 1, end: 2 }],
      ['Concat', ['a', 'b'], 'shape', { axis: 0 }],
      ['Reshape', ['pooled', 'shape'], 'result'],
    ]
    const y = run(17, ...parts)
    expect(y.shape).toEqual([2, 3])
    expect(largest(y.data(), [0, 1, 2, 0, 1, 2])).toBeLessThan(1e-6)
    const sliced = run(9, ['Shape', ['pooled'], 'all'], ['Slice', ['all'], 'shape', { starts: [0], ends: [2] }], parts[3])
    expect(sliced.shape).toEqual([2, 3])
  })
  test('channels are where the first turn of the axes takes them from', () => {
    const turned = (perm: number[], shape: number[]) => fromOnnxFeatures(fileWith([['Transpose', ['image'], 'result', { perm }]], shape))
    const [second, last] = [turned([0, 2, 3, 1], [0, 3, 8, 8]), turned([0, 3, 1, 2], [0, 8, 8, 3])]
    expect([second.channelsFirst, last.channelsFirst]).toEqual([true, false])
    for (const net of [second, last]) expect([...net.predict(x).data()]).toEqual([...x.data()])
  })
  test('products of stacks of matrices, in the axes of the graph', () => {
    // all pixels of a channel are alike, so that its 8 × 8 matrix times itself is 8 times its square
    const y = run(undefined, ['MatMul', ['image', 'image'], 'result'])
    expect(y.shape).toEqual([2, 3, 8, 8])
    expect([0, 64, 128, 383].map((i) => y.data()[i])).toEqual([0, 8, 32, 32])
  })
  test.each<[string, NodeWith[], RegExp]>([
    ['an axis of a sum', [['Add', ['image', 'pooled'], 'result', { axis: 1 }]], /^Add 'result' cannot be read, with an axis of its own/],
    [
      'zeros that count, by auto_pad',
      [['AveragePool', ['image'], 'result', { auto_pad: 'SAME_UPPER', count_include_pad: 1, kernel_shape: [3, 3] }]],
      /with auto_pad SAME_UPPER and count_include_pad/,
    ],
    [
      'output_shape',
      [
        ['Constant', [], 'w', { value: whole([3, 1, 1, 1], [1, 1, 1]) }],
        ['ConvTranspose', ['image', 'w'], 'result', { output_shape: [9, 9] }],
      ],
      /^ConvTranspose 'result' cannot be read, with output_shape/,
    ],
    ['a cast to whole numbers', [['Cast', ['pooled'], 'result', { to: 7 }]], /^Cast 'result' cannot be read, to anything but floats/],
    [
      'an axis that a shape does not have',
      [
        ['Shape', ['image'], 'shape'],
        ['Constant', [], 'four', { value: whole([1], [4]) }],
        ['Gather', ['shape', 'four'], 'one'],
        ['Reshape', ['pooled', 'one'], 'result'],
      ],
      /^Gather 'one' cannot be read, of axis 4 of 4/,
    ],
    ['a slice without an end', [['Shape', ['image'], 'shape'], ['Slice', ['shape'], 'result', { starts: [0] }]], /^Slice 'result' cannot/], // biome-ignore format: one line
  ])('%s is named', (_, nodes, message) => {
    expect(() => run(undefined, ...nodes)).toThrow(message)
  })
})

describe('what cannot be read is named', () => {
  const own = toOnnx(new Sequential([new Conv2d(1, 2, 3), new MaxPool(2), new GlobalAvgPool()]), { inputShape: [8, 8, 1] })
  test.each<[string, () => unknown, RegExp]>([
    ['no bytes', () => fromOnnxFeatures('net.onnx' as never), /^fromOnnxFeatures: wants the bytes of a file.*got 'net.onnx'/],
    ['an empty file', () => fromOnnxFeatures(new Uint8Array(0)), /^fromOnnxFeatures: there is no graph in the file/],
    ['another file', () => fromOnnxFeatures(encodeModel(new Sequential([new Conv2d(1, 1, 1)]))), /^fromOnnxFeatures: /],
    ['half a file', () => fromOnnxFeatures(own.slice(0, own.length / 2)), /^fromOnnxFeatures: /],
    ['an unknown output', () => fromOnnxFeatures(own, { output: 'features' }), /^fromOnnxFeatures: no node gives 'features'; there are /],
    [
      'an unknown operation',
      () => fromOnnxFeatures(fileWith([['Loop', ['image'], 'result']])),
      /^fromOnnxFeatures: Loop 'result' cannot be read, as it is none of Shape, /,
    ],
    [
      'a circle',
      () =>
        fromOnnxFeatures(
          fileWith([
            ['Add', ['a', 'image'], 'result'],
            ['Relu', ['result'], 'a'],
          ]),
        ),
      /^fromOnnxFeatures: the nodes go round in a circle/,
    ],
    [
      'a value that no node gives',
      () => fromOnnxFeatures(fileWith([['Add', ['image', 'nothing'], 'result']])),
      /^fromOnnxFeatures: no node gives 'nothing'/,
    ],
    [
      'two inputs',
      () => fromOnnxFeatures(fileWith([['Add', ['a', 'b'], 'result']], [0, 3, 8, 8], ['a', 'b'])),
      /^fromOnnxFeatures: wants one input, the graph has 2/,
    ],
    [
      'rows',
      () => fromOnnxFeatures(fileWith([['Relu', ['image'], 'result']], [0, 3])),
      /^fromOnnxFeatures: wants an input with 4 axes, of images; the graph has 2/,
    ],
    ['an option', () => fromOnnxFeatures(own, { outputs: 'x' } as never), /did you mean output\?/],
    [
      'images of another size',
      () => fromOnnxFeatures(own).predict(zeros([1, 9, 8, 1])),
      /OnnxFeatures: wants images of shape \[rows, 8, 8, 1\], got shape \[1, 9, 8, 1\]/,
    ],
    [
      'channels second',
      () => fromOnnxFeatures(fileOf(cases[0])).predict(zeros([1, 3, 10, 8])),
      /wants images of shape \[rows, 10, 8, 3\], got shape \[1, 3, 10, 8\]/,
    ],
    [
      'a convolution by a computed value',
      () => fromOnnxFeatures(fileWith([['Conv', ['image', 'image'], 'result']])).predict(zeros([1, 8, 8, 3])),
      /^Conv 'result' cannot be read, whose input 1 is no constant of the file/,
    ],
    [
      'a list as features',
      () => fromOnnxFeatures(fileWith([['Shape', ['image'], 'result']])).predict(zeros([1, 8, 8, 3])),
      /'result' is a list of whole numbers, and no features/,
    ],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(message)
  })
  test('the message of protobuf is read', () => expect(decodeMessage(own).size).toBeGreaterThan(2))
})
