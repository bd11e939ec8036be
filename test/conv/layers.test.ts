/** Convolutional layers as parts of models: types, replay, messages, model files. */
import { describe, expect, test } from 'vitest'
import {
  AdaptiveAvgPool,
  AdaptiveMaxPool,
  AvgPool,
  adaptiveAvgPool,
  adaptiveMaxPool,
  avgPool,
  Conv1d,
  Conv2d,
  ConvTranspose2d,
  conv1d,
  conv2d,
  convTranspose2d,
  GlobalAvgPool,
  MaxPool,
  maxPool,
} from '../../ts/conv/index.js'
import {
  Adam,
  BatchNorm,
  createBackend,
  crossEntropy,
  Dense,
  decodeModel,
  encodeModel,
  Flatten,
  fit,
  full,
  Generator,
  ones,
  Sequential,
  sum,
  summary,
  type Tensor,
  tensor,
  zeros,
} from '../../ts/index.js'

const random = new Generator(5)
const rows = 48
const images = tensor(random.normals(rows * 64), [rows, 8, 8, 1])
const labels = Int32Array.from({ length: rows }, (_, i) => i % 3)
const lenet = () =>
  new Sequential(
    [
      new Conv2d(1, 4, 3, { padding: 'same', activation: 'relu' }),
      new MaxPool(2),
      new Conv2d(4, 6, 3, { activation: 'tanh', stride: 2 }),
      new BatchNorm(6),
      new AdaptiveMaxPool([3, 2]),
      new AdaptiveAvgPool(1),
      new Flatten(),
      new Dense(6, 3),
    ],
    { seed: 3 },
  )

const train = async (replay: boolean) => {
  const model = lenet()
  const optimizer = new Adam(model.parameters(), { learningRate: 0.01 })
  const { execution } = await fit(model, {
    inputs: images,
    targets: labels,
    batchSize: 16,
    epochs: 4,
    loss: crossEntropy,
    optimizer,
    replay,
  })
  return { model, execution }
}

test('fit replays steps, with the bits of written-out ones', async () => {
  const [fast, slow] = [await train(true), await train(false)]
  expect(fast.execution.writtenOut).toBeLessThanOrEqual(2)
  expect(slow.execution.writtenOut).toBe(12)
  expect(fast.model.parameters().map((p) => [...p.data()])).toEqual(slow.model.parameters().map((p) => [...p.data()]))
})

test('threads give the bits of one thread, in a forward pass and in training', async () => {
  const trained = async (threads: number) => {
    const backend = createBackend({ threads })
    await backend.ready
    const model = new Sequential(
      [new Conv2d(8, 32, 3, { activation: 'gelu' }), new MaxPool(2), new Conv2d(32, 8, 3), new GlobalAvgPool()],
      {
        seed: 1,
        backend,
      },
    )
    const inputs = tensor(new Generator(2).normals(32 * 16 * 16 * 8), [32, 16, 16, 8], { backend })
    const targets = Int32Array.from({ length: 32 }, (_, i) => i % 8)
    const optimizer = new Adam(model.parameters())
    await fit(model, { inputs, targets, batchSize: 16, epochs: 2, loss: crossEntropy, optimizer })
    const kernels = backend.kernels as unknown as Record<string, object>
    return {
      isShared: 'single' in kernels.convForward && 'single' in kernels.convBackward,
      values: model.parameters().map((p) => [...p.data()]),
    }
  }
  const [one, two] = [await trained(1), await trained(2)]
  expect([one.isShared, two.isShared]).toEqual([false, true])
  expect(two.values).toEqual(one.values)
})

test('model files hold every layer', async () => {
  const model = new Sequential([
    new Conv2d(2, 4, [3, 1], { groups: 2, stride: [1, 2], dilation: 2, padding: [1, [0, 2]], activation: 'gelu', bias: false }),
    new MaxPool([2, 1], { stride: 1, padding: 'same' }),
    new AvgPool(2, { dilation: 2 }),
    new AdaptiveMaxPool([4, 3]),
    new AdaptiveAvgPool(2),
    new GlobalAvgPool(),
    new Dense(4, 2),
  ])
  const x = tensor(random.normals(3 * 9 * 9 * 2), [3, 9, 9, 2])
  const again = decodeModel(encodeModel(model))
  expect((again as Sequential).predict(x).toArray()).toEqual((model.predict(x) as Tensor).toArray())
  const larger = new Sequential([new ConvTranspose2d(2, 4, 3, { stride: 2, padding: 1, outputPadding: 1, groups: 2, activation: 'relu' })])
  const largerAgain = decodeModel(encodeModel(larger)) as Sequential
  expect(largerAgain.predict(x).toArray()).toEqual((larger.predict(x) as Tensor).toArray())
  expect((larger.predict(x) as Tensor).shape).toEqual([3, 18, 18, 4])
  const signals = new Sequential([new Conv1d(3, 4, 5, { padding: 'same' }), new MaxPool(2)])
  const y = tensor(random.normals(2 * 10 * 3), [2, 10, 3])
  expect((decodeModel(encodeModel(signals)) as Sequential).predict(y).toArray()).toEqual((signals.predict(y) as Tensor).toArray())
})

test('shapes are known to the compiler', () => {
  const layer = new Conv2d(3, 8, 3)
  const y: Tensor<[2, number, number, 8]> = layer.forward(zeros([2, 5, 5, 3]))
  expect(y.shape).toEqual([2, 3, 3, 8])
  // @ts-expect-error another number of channels
  expect(() => layer.forward(zeros([2, 5, 5, 4]))).toThrow(
    /Conv2d\(3, 8, 3 × 3\): wants inputs of 3 channels, as weights \[3, 3, 3, 8\] take them, got 4 in inputs of shape \[2, 5, 5, 4\]/,
  )
  // @ts-expect-error the layer before gives 8 channels
  new Sequential([new Conv2d(1, 8, 3), new MaxPool(2), new Conv2d(4, 8, 3)])
  const pooled: Tensor<[2, 3]> = new GlobalAvgPool().forward(zeros([2, 5, 5, 3]))
  expect(pooled.shape).toEqual([2, 3])
  expect(summary(lenet())).toContain('Conv2d(1, 4, 3 × 3, relu)')
})

describe('what does not fit is named', () => {
  // biome-ignore lint/suspicious/noExplicitAny: wrong arguments are the point
  const any = (value: unknown) => value as any
  const x = zeros([1, 4, 4, 2])
  test.each<[string, () => unknown, RegExp]>([
    [
      'a kernel larger than the image',
      () => conv2d(x, zeros([5, 3, 2, 1])),
      /conv2d: wants inputs of a height of at least 5, got shape \[1, 4, 4, 2\].*padding: 'same'/,
    ],
    ['a dilated kernel', () => conv2d(x, zeros([3, 3, 2, 1]), { dilation: 2 }), /window of 5 \(3 taps, 2 apart\) is larger/],
    [
      'a signal for images',
      () => conv2d(zeros([2, 9, 3]), zeros([3, 3, 1, 1])),
      /wants inputs of shape \[rows, height, width, channels\], got shape \[2, 9, 3\]; expandDims/,
    ],
    [
      'weights of other channels',
      () => conv2d(x, zeros([3, 3, 3, 1])),
      /conv2d: wants inputs of 3 channels, as weights \[3, 3, 3, 1\] take them, got 2 in inputs of shape \[1, 4, 4, 2\]/,
    ],
    [
      'weights of another rank',
      () => conv2d(x, zeros([3, 2, 1])),
      /conv2d: wants weights of shape \[height, width, 2, filters\], got \[3, 2, 1\]/,
    ],
    [
      'groups that do not divide',
      () => conv2d(x, zeros([3, 3, 1, 3]), { groups: 2 }),
      /groups wants a divisor of 2 channels and 3 filters, got 2/,
    ],
    ['groups of a layer', () => new Conv2d(4, 6, 3, { groups: 4 }), /Conv2d: groups wants a divisor of 4 channels and 6 filters, got 4/],
    ['a bias of another size', () => conv2d(x, zeros([3, 3, 2, 3]), { bias: zeros([2]) }), /wants a bias of 3, got shape \[2\]/],
    [
      'a stride of 0',
      () => conv2d(x, zeros([3, 3, 2, 3]), { stride: 0 }),
      /conv2d: stride wants a whole number ≥ 1, or one for each direction, got 0/,
    ],
    [
      'a stride of two numbers in 1-D',
      () => conv1d(zeros([1, 5, 2]), zeros([3, 2, 1]), { stride: [1, 2] }),
      /conv1d: stride wants one number, got/,
    ],
    ['padding of NaN', () => conv2d(x, zeros([3, 3, 2, 3]), { padding: NaN }), /padding wants 'same', 'valid'/],
    ['padding of three numbers', () => conv2d(x, zeros([3, 3, 2, 3]), { padding: any([1, 2, 3]) }), /padding wants 'same', 'valid'/],
    ['an unknown activation', () => conv2d(x, zeros([3, 3, 2, 3]), { activation: any('softmax') }), /activation wants one of/],
    ['a kernel of 0', () => new Conv2d(1, 1, 0), /Conv2d: kernel wants a whole number ≥ 1/],
    ['a kernel of two numbers in 1-D', () => new Conv1d(1, 1, any([3, 3])), /Conv1d: kernel wants one number, got/],
    ['a pool larger than the image', () => maxPool(x, 5), /maxPool: wants inputs of a height of at least 5/],
    ['a pool in the padding alone', () => maxPool(x, 2, { padding: 2 }), /windows that see a part of the image/],
    ['a size of a pool', () => new MaxPool(1.5), /MaxPool: size wants a whole number/],
    ['a size to adapt to', () => new AdaptiveAvgPool(0), /AdaptiveAvgPool: size wants a whole number ≥ 1/],
    ['two sizes of a signal', () => adaptiveMaxPool(zeros([1, 5, 2]), [2, 1]), /adaptiveMaxPool: size wants one number, got an array of 2/],
    [
      'no pixels to adapt',
      () => adaptiveAvgPool(zeros([1, 0, 4, 2]), 2),
      /adaptiveAvgPool: wants images with pixels, got shape \[1, 0, 4, 2\]/,
    ],
    ['a size that no memory holds', () => adaptiveAvgPool(x, 2 ** 31), /adaptiveAvgPool: wants sizes, .* up to 2³⁰, got 2147483648/],
    [
      'a transposed convolution without a result',
      () => convTranspose2d(zeros([1, 1, 1, 1]), zeros([2, 2, 1, 1]), { padding: 1 }),
      /padding that leaves a result/,
    ],
    [
      'padding of one direction',
      () => convTranspose2d(zeros([1, 2, 2, 1]), zeros([2, 2, 1, 1]), { padding: [1] }),
      /padding wants a number, \[height, width\] or/,
    ],
    ['a kernel of no taps', () => conv2d(x, zeros([0, 3, 2, 1])), /conv2d: wants a kernel of at least 1, got 0 × 3/],
    ['padding beyond 32 bits', () => conv2d(x, zeros([1, 1, 2, 1]), { padding: 2 ** 40, stride: 2 ** 40 }), /up to 2³⁰, got/],
    [
      'a window that no memory holds',
      () => conv2d(zeros([1, 400, 400, 1]), zeros([400, 400, 1, 1])),
      /wants a window of at most 131072 numbers, got 160000/,
    ],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(message)
  })
})

test('strides and dilations far beyond the image', () => {
  for (const backend of [createBackend(), createBackend({ backend: 'js' })]) {
    const x = tensor(new Generator(1).normals(50), [1, 5, 5, 2], { backend, requiresGrad: true })
    const w = tensor(new Generator(2).normals(8), [2, 1, 2, 2], { backend })
    const y = conv2d(x, w, { stride: 2 ** 20, padding: 1 })
    expect(y.shape).toEqual([1, 1, 1, 2])
    sum(y).backward()
    // the only window has its second tap above the image's left edge, in the padding
    expect(new Set(x.grad?.data())).toEqual(new Set([0]))
  }
})

test('windows of a pooling may be large: all pixels of many channels, and parts of a long signal', () => {
  const x = zeros([1, 300, 300, 2])
  expect(maxPool(x, 300).shape).toEqual([1, 1, 1, 2])
  expect(adaptiveAvgPool(x, 1).shape).toEqual([1, 1, 1, 2])
  const [length, count] = [200_000, 65_537]
  const signal = tensor(Float32Array.from({ length }, (_, i) => i), [1, length, 1]) // biome-ignore format: one line
  const last = (i: number) => Math.ceil(((i + 1) * length) / count) - 1
  expect([...adaptiveMaxPool(signal, count).data()]).toEqual(Array.from({ length: count }, (_, i) => last(i)))
  // the limit is one of taps, whatever the number of channels
  expect(adaptiveMaxPool(zeros([1, 300, 300, 200]), 1).shape).toEqual([1, 1, 1, 200])
  expect(() => adaptiveMaxPool(zeros([1, 2 ** 24 + 1, 1]), 1)).toThrow(/at most 16777216 numbers, got 16777217/)
})

test('the mean of a large window has the digits of a float', () => {
  for (const backend of [createBackend(), createBackend({ backend: 'js' })])
    for (const side of [16, 17, 300]) {
      const x = full([1, side, side, 13], 0.1, { backend })
      for (const y of [adaptiveAvgPool(x, 1), avgPool(x, side)])
        for (const mean of y.data()) expect(Math.abs(mean / 0.1 - 1)).toBeLessThan(5e-6)
    }
})

test('an image of no rows, of no channels, and weights of no filters', () => {
  for (const backend of [createBackend(), createBackend({ backend: 'js' })]) {
    expect(conv2d(zeros([0, 5, 5, 2], { backend }), zeros([3, 3, 2, 4], { backend })).shape).toEqual([0, 3, 3, 4])
    expect(conv2d(zeros([2, 5, 5, 2], { backend }), zeros([3, 3, 2, 0], { backend })).shape).toEqual([2, 3, 3, 0])
    expect(maxPool(zeros([0, 5, 5, 2], { backend }), 2).shape).toEqual([0, 2, 2, 2])
    const [x, w, b] = [[1, 3, 3, 0], [2, 2, 0, 1], [1]].map((shape) => ones(shape, { backend, requiresGrad: true }))
    const y = conv2d(x, w, { bias: b })
    expect(y.toArray()).toEqual([
      [
        [[1], [1]],
        [[1], [1]],
      ],
    ])
    sum(y).backward()
    expect(b.grad?.toArray()).toEqual([4])
  }
})
