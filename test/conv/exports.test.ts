/** Convolutional nets to and from other programs. test/export/export.test.ts compares them with onnxruntime, PyTorch and Keras. */
import { describe, expect, test } from 'vitest'
import * as room from '../../ts/conv/index.js'
import {
  AvgPool,
  Concat,
  Conv1d,
  Conv2d,
  ConvTranspose2d,
  GlobalAvgPool,
  GroupNorm,
  MaxPool,
  Residual,
  SeparableConv2d,
} from '../../ts/conv/index.js'
import { fromKeras, fromPyTorch, toFunction, toKeras, toOnnx, toPyTorch } from '../../ts/export/index.js'
import { ROOMS } from '../../ts/files/kinds.js'
import { BatchNorm, Dense, Dropout, Flatten, Generator, LayerNorm, type Module, Sequential, tensor } from '../../ts/index.js'

/** Layers of a random net for images of 8 × 7, with two channels. */
function randomLayers(random: Generator): Module[] {
  const oneOf = <T>(values: readonly T[]): T => values[Math.floor(random.uniforms(1)[0] * values.length)]
  const layers: Module[] = []
  let channels = 2
  for (let i = 0; i < 1 + oneOf([0, 1, 2]); i++) {
    const filters = oneOf([2, 4, 6])
    const groups = oneOf([1, 2])
    layers.push(new Conv2d(channels, filters, [oneOf([1, 2, 3]), 2], { padding: 'same', groups, bias: oneOf([true, false]) }))
    channels = filters
    layers.push(...oneOf([() => [], () => [new BatchNorm(channels)], () => [new GroupNorm(2, channels)]])())
    layers.push(...oneOf([() => [], () => [new MaxPool(2, { stride: 1 })]])())
  }
  if (oneOf([true, false, false])) return [...layers, new GlobalAvgPool(), new Dense(channels, 3)]
  const [height, width, c] = new Sequential(layers).predict(tensor(new Float32Array(112), [1, 8, 7, 2])).shape.slice(1)
  const size = height * width * c
  const between = oneOf([() => [], () => [new BatchNorm(size), new Dropout(0.3)], () => [new LayerNorm(size)]])()
  return [...layers, new Flatten(), ...between, new Dense(size, 4, { activation: 'relu' }), new Dense(4, 3)]
}

test('random nets come back from PyTorch and Keras', () => {
  for (let seed = 0; seed < 40; seed++) {
    const net = (draw: number) => new Sequential(randomLayers(new Generator(seed)), { seed: draw })
    const model = net(1)
    const x = tensor(new Generator(seed).normals(3 * 112), [3, 8, 7, 2])
    const wanted = model.predict(x as never).data()
    expect(
      fromPyTorch(net(2), toPyTorch(model).tensors)
        .predict(x as never)
        .data(),
    ).toEqual(wanted)
    expect(
      fromKeras(net(3), toKeras(model).tensors)
        .predict(x as never)
        .data(),
    ).toEqual(wanted)
  }
})

test('weights have the layout of PyTorch, behind Flatten, too', () => {
  const model = new Sequential([new Conv2d(2, 3, [4, 5], { bias: false }), new Flatten(), new Dense(6, 1, { bias: false })])
  const [conv, , dense] = model.layers
  const tensors = toPyTorch(model).tensors
  expect(tensors['0.weight'].shape).toEqual([3, 2, 4, 5])
  expect(tensors['0.weight'].data[5 * 4 * 2 + 7]).toBe(conv.weight.data()[((1 * 5 + 2) * 2 + 0) * 3 + 1])
  // a result of two pixels with three channels: PyTorch has both pixels of a channel side by side
  expect([...tensors['2.weight'].data]).toEqual([0, 3, 1, 4, 2, 5].map((i) => dense.weight.data()[i]))
  const larger = new Sequential([new ConvTranspose2d(4, 6, 3, { groups: 2, padding: 1 })])
  const own = toPyTorch(larger).tensors
  expect(own['0.weight'].shape).toEqual([4, 3, 3, 3])
  const wanted = [...larger.layers[0].weight.data()]
  larger.layers[0].weight.assign(new Float32Array(wanted.length))
  expect([...fromPyTorch(larger, own).layers[0].weight.data()]).toEqual(wanted)
})

describe('what another program does not have is named', () => {
  const net = (...layers: Module[]) => new Sequential(layers)
  test.each<[string, () => unknown, RegExp]>([
    [
      "padding 'same' with a stride",
      () => toPyTorch(net(new Conv2d(1, 1, 3, { stride: 2, padding: 'same' }))),
      /^toPyTorch: Conv2d\(1, 1, 3 × 3\) has padding 'same' with a stride, which PyTorch has not; give the padding in numbers/,
    ],
    [
      'padding of different sides',
      () => toPyTorch(net(new Conv1d(1, 1, 3, { padding: [[2, 0]] }))),
      /modules of PyTorch have the same on both sides/,
    ],
    [
      'a separable convolution',
      () => toPyTorch(net(new SeparableConv2d(1, 1, 3))),
      /SeparableConv2d.* is two modules there; use a Conv2d with groups/,
    ],
    ['branches', () => toPyTorch(net(new Concat([[], []]))), /^toPyTorch: Concat\(2\) '0' is not among the layers/],
    ['branches in Keras', () => toKeras(net(new Concat([[], []]))), /^toKeras: Concat\(2\) '0' is not among the layers/],
    [
      'a dense layer of pixels',
      () => toPyTorch(net(new Conv2d(1, 2, 1), new Dense(2, 2))),
      /^toPyTorch: Dense\(2, 2\) '1' works on the channels of each pixel; use a convolution of 1 × 1, or Flatten before/,
    ],
    [
      'the padding of a pooling',
      () => toPyTorch(net(new Conv2d(1, 1, 1), new MaxPool(3, { padding: 'same' }))),
      /MaxPool\(3\) has padding 'same'/,
    ],
    [
      'dilation of an average',
      () => toOnnx(net(new AvgPool(2, { dilation: 2 })), { inputShape: [5, 5, 1] }),
      /^toOnnx: AvgPool\(2\) has a dilation/,
    ],
    [
      "padding 'same' with a stride in ONNX",
      () => toOnnx(net(new Conv2d(1, 1, 3, { stride: 2, padding: 'same' })), { inputShape: [5, 5, 1] }),
      /^toOnnx: .*whose zeros depend on the size of images/,
    ],
    [
      'a layer of one’s own in a branch',
      () => toOnnx(net(new Concat([[new (class Own extends Flatten {})()]])), { inputShape: [5, 5, 1] }),
      /is not among the layers that can be exported/,
    ],
    [
      'the directions of a pooling',
      () => toPyTorch(net(new MaxPool(2))),
      /^toPyTorch: MaxPool\(2\) takes images or signals, and no convolution of the net says which/,
    ],
    ['those of an average', () => toKeras(net(new GlobalAvgPool())), /^toKeras: GlobalAvgPool takes images or signals, and no/],
    [
      'the order of pixels behind Flatten',
      () => fromPyTorch(net(new MaxPool(2), new Flatten(), new Dense(8, 1)), { 'a.weight': tensor(new Float32Array(8), [1, 8]) } as never),
      /^PyTorch: Dense\(8, 1\) '2' is behind a Flatten of images.* no convolution says their channels/,
    ],
    [
      'that behind groups',
      () => toPyTorch(net(new GroupNorm(1, 2), new Flatten(), new Dense(8, 1))),
      /^PyTorch: Dense\(8, 1\) '2' is behind a Flatten of images/,
    ],
    ['a shape', () => toOnnx(net(new Conv2d(1, 1, 3))), /^toOnnx: wants the shape of one row of the input/],
    ['a plain function', () => toFunction(net(new Conv2d(1, 1, 3))), /^toFunction: Conv2d\(1, 1, 3 × 3\) '0' is not among the layers/],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(message)
  })
})

test.each([
  ['torch', toPyTorch],
  ['keras', toKeras],
] as const)('a message about a layer without %s names all such layers of the room', (format, convert) => {
  // other rooms of a process that tests share may be registered as well
  const conv = ROOMS.filter(([name]) => Object.hasOwn(room, name))
  const without = conv.flatMap(([name, , { exports }]) => (exports?.[format] === undefined ? [name] : []))
  expect(without.length).toBeGreaterThan(0)
  let message = ''
  try {
    convert(new Sequential([new Residual([new Conv2d(1, 1, 1)])]))
  } catch (error) {
    message = (error as Error).message
  }
  expect(
    /gradus\/conv other than ([^;]*), and/
      .exec(message)?.[1]
      .split(/, | and /)
      .sort(),
  ).toEqual(without.sort())
})
