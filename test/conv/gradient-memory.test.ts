/** A backward pass reuses the memory of gradients that nothing will read again. With `retainGraph` it does not: both give the same bits. */
import { describe, expect, test } from 'vitest'
import { Conv2d, GlobalAvgPool, MaxPool, maxPool } from '../../ts/conv/index.js'
import { add, BatchNorm, concat, Dense, Dropout, dropout, exp, Flatten, Generator, type Module, type ModuleOptions, mean, mul, relu, reshape, silu, softmax, square, sum, type Tensor, tensor } from '../../ts/index.js' // biome-ignore format: one line
import { outputOf } from '../../ts/nn/module.js'
import { newEngines } from '../tools/small-nets.js'

const backends = newEngines()
const [ROWS, SIDE, CHANNELS] = [3, 4, 4]
const SHAPE = [ROWS, SIDE, SIDE, CHANNELS]

/** Operations that keep the shape: with kernels of their own for the gradient, and without; those that give a gradient on as it is; views. */
const OPERATIONS: ((x: Tensor, other: Tensor, own: Own) => Tensor)[] = [
  (x, _, own) => own(x, (o) => new Conv2d(CHANNELS, CHANNELS, 3, { padding: 1, activation: 'relu', ...o })),
  (x, _, own) => own(x, (o) => new Conv2d(CHANNELS, CHANNELS, 3, { padding: 1, activation: 'silu', groups: CHANNELS, ...o })),
  (x, _, own) => own(x, (o) => new Conv2d(CHANNELS, CHANNELS, 1, o)),
  (x, _, own) => own(x, (o) => new Dense(CHANNELS, CHANNELS, { activation: 'tanh', ...o })),
  (x, _, own) => own(x, (o) => new BatchNorm(CHANNELS, { activation: 'relu', ...o })),
  (x, _, own) => own(x, (o) => new BatchNorm(CHANNELS, o)),
  (x) => relu(x) as Tensor,
  (x) => silu(x) as Tensor,
  (x) => dropout(x, 0.3, new Generator(7)) as Tensor,
  (x) => softmax(x) as Tensor,
  (x) => maxPool(x, 3, { stride: 1, padding: 1 }),
  (x) => reshape(reshape(x, [ROWS, SIDE * SIDE * CHANNELS]), SHAPE) as Tensor,
  (x, other) => add(x, other) as Tensor,
  (x) => add(x, x) as Tensor,
  (x, other) => mul(x, other) as Tensor,
  (x) => exp(mul(x, 0.1)) as Tensor,
]

/** The result of a new layer. */
type Own = (x: Tensor, layer: (options: ModuleOptions) => Module) => Tensor

describe.each(backends)('$variant', (backend) => {
  test('random graphs with values used several times have the same gradients', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const passes = [true, false].map((retainGraph) => {
        const generator = new Generator(seed)
        const whole = (n: number) => Math.floor(generator.next() * n)
        const given = () => tensor(Float32Array.from(generator.normals(ROWS * SIDE * SIDE * CHANNELS)), SHAPE, { requiresGrad: true, backend }) // biome-ignore format: one line
        const leaves = [given(), given()]
        const values: Tensor[] = [...leaves]
        const layers: Module[] = []
        const own: Own = (x, make) => {
          layers.push(make({ backend, seed }))
          return outputOf(layers[layers.length - 1], x)
        }
        for (let i = 0; i < 12; i++) {
          // mostly the latest value, so that there are long chains
          const x = generator.next() < 0.7 ? (values.at(-1) as Tensor) : values[whole(values.length)]
          values.push(OPERATIONS[whole(OPERATIONS.length)](x, values[whole(values.length)], own))
        }
        const last = concat(values.slice(-3), -1) as Tensor
        const loss = mean(square(last)) as Tensor
        loss.backward(undefined, { retainGraph })
        return [...leaves, ...layers.flatMap((layer) => layer.parameters())].map((leaf) => (leaf.grad as Tensor | null)?.toArray() ?? null)
      })
      expect(passes[1], `seed ${seed}`).toEqual(passes[0])
    }
  })

  const own = { backend }
  // the image, layers, and bounds of what the forward pass and the whole step take, in sizes of the image and the results of layers
  const nets: [string, () => Module[], forward: number, step: number][] = [
    [
      'Keras’ for MNIST',
      () => [
        ...[new Conv2d(1, 32, 3, { activation: 'relu', ...own }), new Conv2d(32, 64, 3, { activation: 'relu', ...own })],
        ...[new MaxPool(2), new Dropout(0.25), new Flatten(), new Dense(9216, 10, own)],
      ],
      ...([1.15, 2.05] as const),
    ],
    [
      'depthwise blocks',
      () => [
        ...[new Conv2d(1, 32, 3, { padding: 1, bias: false, ...own }), new BatchNorm(32, { activation: 'relu', ...own })],
        ...[new Conv2d(32, 32, 3, { padding: 1, groups: 32, bias: false, ...own }), new BatchNorm(32, { activation: 'relu', ...own })],
        ...[new Conv2d(32, 64, 1, { bias: false, ...own }), new BatchNorm(64, { activation: 'relu', ...own })],
        ...[new GlobalAvgPool(), new Dense(64, 10, own)],
      ],
      ...([1.02, 1.65] as const),
    ],
  ]
  test.each(nets)('a step of a net takes little more than its results and their gradients: %s', (_, make, forward, step) => {
    const layers = make()
    const x = tensor(new Float32Array(2 * 784).fill(0.5), [2, 28, 28, 1], { backend })
    const used = () => (backend.arena as unknown as { usedBytes: number }).usedBytes
    const run = () => {
      backend.arena.discard()
      let floats = x.size
      const y = layers.reduce<Tensor>((value, layer) => {
        const result = outputOf(layer, value)
        floats += layer instanceof Flatten ? 0 : result.size
        return result
      }, x)
      const kept = used()
      sum(square(y)).backward()
      return [kept, used()].map((bytes) => bytes / (4 * floats))
    }
    // the first step ends with the memory in one block
    const [kept, all] = [run(), run()][1]
    expect(kept).toBeLessThan(forward)
    expect(all).toBeLessThan(step)
  })

  const chains: [string, (x: Tensor) => Tensor, activations: number][] = [
    ['layers', (x) => outputOf(new Dense(16, 16, { activation: 'relu', ...own }), x), 1],
    ['layers and activations', (x) => relu(outputOf(new Dense(16, 16, own), x)), 2],
    ['layers and dropout', (x) => dropout(outputOf(new Dense(16, 16, own), x), 0.5, new Generator(1)), 2],
    [
      'layers and their normalizations',
      (x) => outputOf(new BatchNorm(16, { activation: 'relu', ...own }), outputOf(new Dense(16, 16, own), x)),
      2,
    ],
  ]
  test.each(chains)('gradients of a chain of %s take the memory of two, whatever its length', (_, link, activations) => {
    const shape = [1 << 9, 16]
    const bytesOf = (count: number) => {
      // the step of another test may still be open
      backend.arena.discard()
      const x = tensor(new Float32Array(shape[0] * shape[1]).fill(0.5), shape, { requiresGrad: true, backend })
      const y = Array.from({ length: count }).reduce<Tensor>((value) => link(value), x)
      sum(y).backward()
      return (backend.arena as unknown as { usedBytes: number }).usedBytes
    }
    const activation = 4 * shape[0] * shape[1]
    // the first step of a length ends with the memory in one block
    const [longer, shorter] = [12, 12, 4].map(bytesOf).slice(1)
    const perLink = (longer - shorter) / 8 / activation
    expect(perLink).toBeGreaterThan(activations - 0.1)
    expect(perLink).toBeLessThan(activations + 0.1)
  })
})
