/** Residual blocks, branches and the other layers of residual nets: training, replay, model files, messages. */
import { describe, expect, test } from 'vitest'
import {
  Concat,
  Conv2d,
  GlobalAvgPool,
  GroupNorm,
  MaxPool,
  pad,
  Residual,
  SeparableConv2d,
  SqueezeExcite,
  unfold,
  upsample,
} from '../../ts/conv/index.js'
import {
  Activation,
  Adam,
  BatchNorm,
  createBackend,
  crossEntropy,
  cumsum,
  Dense,
  decodeModel,
  encodeModel,
  fit,
  Generator,
  Module,
  matmul,
  registerClass,
  reshape,
  Sequential,
  summary,
  type Tensor,
  tensor,
  zeros,
} from '../../ts/index.js'

const random = new Generator(5)
const images = tensor(random.normals(24 * 64), [24, 8, 8, 1])
const labels = Int32Array.from({ length: 24 }, (_, i) => i % 3)
const net = (seed = 3) =>
  new Sequential(
    [
      new SeparableConv2d(1, 4, 3, { padding: 'same', bias: false }),
      new GroupNorm(2, 4),
      new Residual([new Conv2d(4, 4, 3, { padding: 'same', activation: 'relu' }), new BatchNorm(4), new SqueezeExcite(4)], {
        activation: 'relu',
      }),
      new Residual([new Conv2d(4, 6, 3, { stride: 2, padding: 1 })], { shortcut: [new Conv2d(4, 6, 1, { stride: 2 }), new BatchNorm(6)] }),
      new Concat([[new Conv2d(6, 2, 1)], [new MaxPool(3, { stride: 1, padding: 'same' }), new Activation('tanh')], []]),
      new GlobalAvgPool(),
      new Dense(14, 3),
    ],
    { seed },
  )

const train = async (replay: boolean) => {
  const model = net()
  const optimizer = new Adam(model.parameters(), { learningRate: 0.01 })
  const { execution } = await fit(model, { inputs: images, targets: labels, batchSize: 8, epochs: 6, loss: crossEntropy, optimizer, replay }) // biome-ignore format: one line
  return { model, execution }
}

test('fit replays nets of blocks, with the bits of written-out steps; the same seed gives the same net', async () => {
  const [fast, slow] = [await train(true), await train(false)]
  expect(fast.execution.writtenOut).toBeLessThanOrEqual(2)
  expect(fast.model.state()).toEqual(slow.model.state())
  expect(net().state()).toEqual(net().state())
})

test('model files hold blocks with the layers inside', async () => {
  const { model } = await train(true)
  const again = decodeModel(encodeModel(model)) as Sequential
  expect(again.predict(images as never).data()).toEqual(model.predict(images as never).data())
  expect(summary(again as never)).toBe(summary(model as never))
  expect([...again.namedParameters().keys()]).toEqual([...model.namedParameters().keys()])
})

test('a class of one’s own may have the name of a layer of this room', () => {
  class Own extends Module {
    readonly inner: Dense
    constructor(readonly width: number) {
      super()
      this.inner = new Dense(width, width)
    }
    forward(x: Tensor): Tensor {
      return this.inner.forward(x)
    }
  }
  registerClass('Residual', Own, { save: ({ width }) => ({ width }), load: ({ width }) => new Own(width) })
  const model = new Sequential([new Own(3), new Residual([new Dense(3, 3)])], { seed: 1 })
  const again = decodeModel(encodeModel(model)) as Sequential
  expect(again.layers.map((layer) => layer.constructor)).toEqual([Own, Residual])
  expect(again.predict([[1, 2, 3]] as never).data()).toEqual(model.predict([[1, 2, 3]] as never).data())
})

test('a convolution is the product of unfolded windows and weights', () => {
  const layer = new Conv2d(3, 5, [3, 2], { stride: 2, padding: 1, bias: false })
  const x = tensor(random.normals(2 * 7 * 6 * 3), [2, 7, 6, 3])
  const wanted = layer.predict(x)
  const windows = unfold(x, [3, 2], { stride: 2, padding: 1 })
  const rows = windows.shape[0] * windows.shape[1] * windows.shape[2]
  const product = matmul(reshape(windows, [rows, 18]) as Tensor, reshape(layer.weight, [18, 5]) as Tensor) as Tensor
  ;[...product.data()].forEach((value, i) => expect(value).toBeCloseTo(wanted.data()[i], 5))
})

test('GroupNorm makes zeros of groups of equal values of any size', () => {
  for (const backend of [createBackend(), createBackend({ backend: 'js' })])
    for (const size of [0.1, 100_000.3, 1.7e9, 1e18 / 3])
      for (const side of [1, 3, 5, 20]) {
        // channels of two groups
        const pixel = [1, 1, 1, -3, -3, -3].map((factor) => factor * size)
        const x = tensor(
          Array(2 * side * side)
            .fill(pixel)
            .flat(),
          [2, side, side, 6],
          { backend },
        )
        expect([...new GroupNorm(2, 6, { backend }).predict(x).data()], `${size}`).toEqual(Array(x.size).fill(0))
      }
})

test('odd sizes: no rows, a pixel, no channels', () => {
  for (const backend of [createBackend(), createBackend({ backend: 'js' })]) {
    const none = zeros([0, 4, 4, 2], { backend })
    expect(pad(none, 1).shape).toEqual([0, 6, 6, 2])
    expect(upsample(none, 3, { mode: 'bilinear' }).shape).toEqual([0, 12, 12, 2])
    expect(unfold(none, 2).shape).toEqual([0, 3, 3, 8])
    expect(new GroupNorm(1, 2, { backend }).predict(none).shape).toEqual([0, 4, 4, 2])
    expect(cumsum(zeros([3, 0], { backend })).shape).toEqual([3, 0])
    const pixel = tensor([5], [1, 1, 1, 1], { backend })
    expect(
      upsample(pixel, 3, { mode: 'bilinear' })
        .data()
        .every((v) => v === 5),
    ).toBe(true)
    expect(
      pad(pixel, 1, { mode: 'edge' })
        .data()
        .every((v) => v === 5),
    ).toBe(true)
    expect([...pad(tensor([Number.NaN], [1, 1, 1], { backend }), 1, { value: 3 }).data()]).toEqual([3, NaN, 3])
    expect([...cumsum(tensor([1, Number.NaN, 2], [3], { backend })).data()]).toEqual([1, NaN, NaN])
  }
})

test('shapes are known to the compiler', () => {
  const y: Tensor<[2, 5, 5, 8]> = new GroupNorm(2, 8).forward(zeros([2, 5, 5, 8]))
  const z: Tensor<[2, number, number, 4]> = new SeparableConv2d(8, 4, 3).forward(zeros([2, 5, 5, 8]))
  expect([y.shape, z.shape]).toEqual([[2, 5, 5, 8], [2, 3, 3, 4]]) // biome-ignore format: one line
  // @ts-expect-error the layer before gives 4 channels
  new Sequential([new SeparableConv2d(1, 4, 3), new SqueezeExcite(8)])
})

describe('what does not fit is named', () => {
  // biome-ignore lint/suspicious/noExplicitAny: wrong arguments are the point
  const any = (value: unknown) => value as any
  const x = zeros([1, 4, 4, 2])
  test.each<[string, () => unknown, RegExp]>([
    [
      'a residual whose layers change the shape',
      () => new Residual([new Conv2d(2, 3, 1)]).predict(x),
      /Residual.*: wants results of one shape, got \[1, 4, 4, 3\] of the layers and \[1, 4, 4, 2\] of the input; a shortcut/,
    ],
    [
      'a shortcut of another shape',
      () => new Residual([new Conv2d(2, 3, 1)], { shortcut: [new Conv2d(2, 4, 1)] }).predict(x),
      /got \[1, 4, 4, 3\] of the layers and \[1, 4, 4, 4\] of the shortcut/,
    ],
    ['layers of a residual', () => new Residual(any(new Conv2d(2, 2, 1))), /Residual wants layers in an array/],
    ['no layer', () => new Residual([any(3)]), /Residual: layer 0 wants a Module, got 3/],
    ['an activation', () => new Residual([], { activation: any('softmax') }), /Residual: activation wants one of/],
    ['an option', () => new Residual([], any({ shortcuts: [] })), /did you mean shortcut\?/],
    ['branches', () => new Concat(any([])), /Concat: wants arrays of layers in an array/],
    ['a branch', () => new Concat(any([new Conv2d(1, 1, 1)])), /Concat: branch 0 wants layers in an array/],
    [
      'branches of two sizes',
      () => new Concat([[new Conv2d(2, 3, 3)], []]).predict(x),
      /Concat\(2\).*: wants branches whose results differ in their last axis alone, got \[1, 2, 2, 3\], \[1, 4, 4, 2\]; padding: 'same'/,
    ],
    ['groups', () => new GroupNorm(3, 8), /GroupNorm: groups wants a divisor of 8 channels, got 3/],
    [
      'channels',
      () => new GroupNorm(1, 3).forward(any(x)),
      /GroupNorm\(1, 3\): wants inputs of shape \[\.\.\., 3\], got shape \[1, 4, 4, 2\]/,
    ],
    ['a row alone', () => new GroupNorm(1, 2).forward(any(zeros([2]))), /wants inputs of shape \[rows, \.\.\., 2\], got shape \[2\]/],
    ['units', () => new SqueezeExcite(4, { units: 0 }), /SqueezeExcite: units wants/],
    ['a table for channels', () => new SqueezeExcite(2).forward(any(zeros([4, 2]))), /wants inputs of shape \[rows, length, channels\] or/],
    ['groups of a separable convolution', () => new SeparableConv2d(2, 2, 3, any({ groups: 2 })), /SeparableConv2d: .*groups/],
    ['a mode', () => pad(x, 1, { mode: any('wrap') }), /pad: mode wants 'constant', 'edge' or 'reflect', got 'wrap'/],
    [
      'reflection by all of the image',
      () => pad(x, 4, { mode: 'reflect' }),
      /pad: mode 'reflect' wants fewer than 4 pixels at an end of inputs of shape \[1, 4, 4, 2\], got 4/,
    ],
    [
      'the edge of nothing',
      () => pad(zeros([1, 0, 2]), 1, { mode: 'edge' }),
      /pad: mode 'edge' wants an image with pixels, got shape \[1, 0, 2\]/,
    ],
    ['amounts', () => pad(x, any('same')), /pad: amounts wants a whole number ≥ 0, or for each direction .*, got 'same'/],
    ['amounts below 0', () => pad(x, -1), /pad: amounts wants/],
    [
      'a result beyond memory',
      () => pad(x, 2 ** 31),
      /pad: wants a result of at most 2²⁸ numbers, got one of 4294967300 × 4294967300 pixels/,
    ],
    ['a factor beyond memory', () => upsample(x, 2 ** 30), /upsample: wants a result of at most 2²⁸ numbers/],
    [
      'windows beyond memory',
      () => unfold(zeros([1, 4000, 4000, 1]), 5, { padding: 'same' }),
      /unfold: wants a result of at most 2²⁸ numbers, got one of 4000 × 4000 × 25 pixels/,
    ],
    ['a value', () => pad(x, 1, { value: NaN }), /pad: value wants a finite number/],
    ['a table', () => pad(any([[1, 2]]), 1), /pad: wants inputs of shape \[rows, length, channels\]/],
    ['a factor', () => upsample(x, 1.5), /upsample: factor wants a whole number ≥ 1/],
    ['a mode of upsample', () => upsample(x, 2, { mode: any('cubic') }), /upsample: mode wants 'nearest' or 'bilinear', got 'cubic'/],
    ['a window larger than the image', () => unfold(x, 5), /unfold: wants inputs of a height of at least 5/],
    ['an axis', () => cumsum([1, 2], 1), /cumsum: .*axis/],
    ['a single number', () => cumsum(3), /cumsum: wants an axis to add along, got a single number/],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(message)
  })
})
