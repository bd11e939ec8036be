/**
 * toOnnx and back by fromOnnx: random models of everything that toOnnx writes predict the same. The seed is fixed; `FUZZ=seed,runs` tries others, and
 * more.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ACTIVATIONS } from '../../ts/backend/kernels.js'
import { fromOnnx, toOnnx } from '../../ts/export/index.js'
import {
  Activation,
  type ActivationName,
  BatchNorm,
  createBackend,
  Dense,
  Dropout,
  EmbedColumns,
  Embedding,
  Ensemble,
  Flatten,
  Generator,
  LayerNorm,
  type Module,
  Sequential,
  type Tensor,
  tensor,
} from '../../ts/index.js'
import { cases } from './models.js'

const [SEED, RUNS] = (process.env.FUZZ ?? '1,150').split(',').map(Number)
const backend = createBackend({ backend: 'js' })

function expectSame(model: Module, inputs: Tensor, inputShape?: readonly number[]): void {
  const bytes = toOnnx(model, inputShape ? { inputShape } : {})
  const [wanted, got] = [model, fromOnnx(bytes, { backend: inputs.backend })].map((one) => one.predict(inputs))
  expect(got.shape).toEqual(wanted.shape)
  const [a, b] = [wanted.data(), got.data()]
  a.forEach((value: number, i: number) => {
    if (!(Math.abs(b[i] - value) <= 2e-5 * Math.max(1, Math.abs(value)))) throw new Error(`element ${i}: ${b[i]}, the model gives ${value}`)
  })
}

/** Layers that ONNX has as several operations, of which fromOnnx does not make layers again. */
const ONLY_WRITTEN = /^(pooling to a size|members that share|numbers as|convolution|transposed|separable|blocks|recurrence|attention|a GPT)/

describe('every model of models.ts', () => {
  test.each(cases().filter(({ name }) => !ONLY_WRITTEN.test(name)))('$name', ({ model, inputs, inputShape }) =>
    expectSame(model, inputs, inputShape),
  )

  test.each(cases().filter(({ name }) => ONLY_WRITTEN.test(name)))('$name: reading says which operation it does not know', (one) =>
    expect(() => expectSame(one.model, one.inputs, one.inputShape)).toThrow(/^fromOnnx: \w+ '\w+' cannot be read/),
  )
})

/** A random layer: its kind and the numbers that determine it. Its width follows from the layers before it. */
type Drawn =
  | { kind: 'dense'; outputs: number; activation: ActivationName; bias: boolean }
  | { kind: 'activation'; activation: ActivationName }
  | { kind: 'batchNorm' | 'layerNorm' | 'dropout' | 'flatten' }
  | { kind: 'sequential'; layers: Drawn[] }
  | { kind: 'ensemble'; members: Drawn[][]; outputs: number; average: 'outputs' | 'softmax' | 'sigmoid'; weights: number[] }

const activation = fc.constantFrom(...ACTIVATIONS)
const width = fc.integer({ min: 1, max: 5 })
const { layers } = fc.letrec<{ layer: Drawn; layers: Drawn[] }>((tie) => ({
  layer: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ kind: fc.constant('dense' as const), outputs: width, activation, bias: fc.boolean() }),
    fc.record({ kind: fc.constant('activation' as const), activation }),
    fc.record({ kind: fc.constantFrom('batchNorm' as const, 'layerNorm' as const, 'dropout' as const, 'flatten' as const) }),
    fc.record({ kind: fc.constant('sequential' as const), layers: tie('layers') }),
    fc.record({
      kind: fc.constant('ensemble' as const),
      members: fc.array(tie('layers'), { minLength: 1, maxLength: 3 }),
      outputs: width,
      average: fc.constantFrom('outputs' as const, 'softmax' as const, 'sigmoid' as const),
      weights: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 3, maxLength: 3 }),
    }),
  ),
  layers: fc.array(tie('layer'), { maxLength: 4 }),
}))

/** Layers that follow each other: of rows [n, columns], or [n, rows, columns] until a Flatten. */
class Maker {
  constructor(
    public shape: number[],
    private readonly generator = new Generator(3),
  ) {}

  layers(drawn: readonly Drawn[]): Module[] {
    return drawn.map((layer) => this.layer(layer))
  }

  private layer(drawn: Drawn): Module {
    const last = this.shape.length - 1
    const columns = this.shape[last]
    switch (drawn.kind) {
      case 'dense': {
        this.shape[last] = drawn.outputs
        const { activation, bias } = drawn
        return new Dense(columns, drawn.outputs, { activation, bias, biasInitializer: (p, g) => p.view().set(g.normals(p.size)) })
      }
      case 'activation':
        return new Activation(drawn.activation)
      case 'dropout':
        return new Dropout(0.5)
      case 'batchNorm':
        return this.noisy(new BatchNorm(columns, { epsilon: 1e-3, activation: columns % 2 === 0 ? 'silu' : 'linear' }))
      case 'layerNorm':
        return this.noisy(new LayerNorm(columns, { epsilon: 1e-2 }))
      case 'flatten':
        this.shape = [this.shape.reduce((product, n) => product * n, 1)]
        return new Flatten()
      case 'sequential':
        return new Sequential(this.layers(drawn.layers) as Module[], { backend })
      case 'ensemble': {
        const { outputs, average, members, weights } = drawn
        const before = [...this.shape]
        const made = members.map((own) => {
          const maker = new Maker([...before], this.generator)
          // all members return the same shape
          const inner = maker.layers(own.filter(({ kind }) => kind !== 'flatten' && kind !== 'sequential' && kind !== 'ensemble'))
          const end = new Dense(maker.shape[maker.shape.length - 1], outputs)
          return new Sequential([...inner, end] as Module[], { seed: weights[0], backend })
        })
        this.shape[last] = outputs
        return new Ensemble(made, { average, weights: weights.slice(0, made.length) })
      }
    }
  }

  /** Statistics and scales that differ from their initial values. */
  private noisy<M extends Module>(layer: M): M {
    layer.build({ backend, path: '', nextGenerator: () => this.generator })
    for (const [name, own] of layer.savedTensors())
      own.view().set(this.generator.uniforms(own.size).map((u) => (name.endsWith('Variance') ? 0.5 + u : 2 * u - 1)))
    return layer
  }
}

const floats = (shape: number[]) => tensor(new Generator(8).normals(shape.reduce((product, n) => product * n, 1)), shape, { backend })

const begins = {
  numbers: fc.tuple(width, layers).map(([columns, drawn]) => ({ shape: [columns], begin: [] as Module[], columns: [columns], drawn })),
  'rows of rows': fc
    .tuple(width, width, layers)
    .map(([rows, columns, drawn]) => ({ shape: [rows, columns], begin: [] as Module[], columns: [rows, columns], drawn })),
}

describe('fault 43: random models', () => {
  test.each(Object.entries(begins))('of %s', (_name, arbitrary) => {
    fc.assert(
      fc.property(arbitrary, ({ shape, columns, drawn }) => {
        const model = new Sequential(new Maker([...columns]).layers(drawn) as Module[], { seed: 2, backend })
        expectSame(model, floats([3, ...shape]), shape)
      }),
      { seed: SEED, numRuns: RUNS },
    )
  })

  test('of whole numbers that are looked up', () => {
    fc.assert(
      fc.property(width, width, fc.integer({ min: 1, max: 3 }), layers, (count, size, length, drawn) => {
        const model = new Sequential([new Embedding(count, size), ...new Maker([length, size]).layers(drawn)] as Module[], {
          seed: 2,
          backend,
        })
        const indices = Int32Array.from({ length: 3 * length }, (_, i) => (i * 7) % count)
        expectSame(model, tensor(indices, [3, length], { backend }), [length])
      }),
      { seed: SEED, numRuns: RUNS },
    )
  })

  test('of a table with columns of categories', () => {
    const column = fc.record({ count: width, size: width })
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 3 }),
        fc.array(column, { minLength: 1, maxLength: 3 }),
        fc.nat(),
        layers,
        (others, embedded, turn, drawn) => {
          const features = others + embedded.length
          const columns = embedded.map(({ count, size }, i) => ({ feature: (i + turn) % features, count, size }))
          const embed = new EmbedColumns(features, columns)
          const model = new Sequential([embed, ...new Maker([embed.width]).layers(drawn)] as Module[], { seed: 2, backend })
          const values = new Generator(8).normals(3 * features)
          for (const { feature, count } of columns) for (let row = 0; row < 3; row++) values[row * features + feature] = (row * 7) % count
          expectSame(model, tensor(values, [3, features], { backend }))
        },
      ),
      { seed: SEED, numRuns: RUNS },
    )
  })
})
