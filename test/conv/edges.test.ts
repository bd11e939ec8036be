/**
 * Edge values through the operations and layers of the room: on every backend of single precision the result is that of JavaScript in doubles, rounded.
 * Where squares leave single precision, NaN may stand in its place, but never another number.
 */
import { expect, test } from 'vitest'
import type { Backend } from '../../ts/backend/index.js'
import * as conv from '../../ts/conv/index.js'
import { supportedVariants } from '../../ts/debug/index.js'
import { BatchNorm, createBackend, Generator, gradients, LayerNorm, type Module, sum, type Tensor, tensor } from '../../ts/index.js'

const exact = createBackend({ backend: 'js', dtype: 'float64' })
const backends: [string, Backend][] = [
  ['JavaScript', createBackend({ backend: 'js' })],
  ...supportedVariants().map((variant): [string, Backend] => [variant, createBackend({ variant })]),
]

/** Values that no sum of a few products with numbers around 1 makes larger than a float, and those that are for results that only choose. */
const MILD = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 1e19, -1e19, 1e-40, -0]
const WILD = [...MILD, 3e38, -3e38]

type Run = (x: Tensor, of: (shape: readonly number[]) => Tensor, backend: Backend) => Tensor
const layer =
  (make: (backend: Backend) => Module): Run =>
  (x, of, backend) => {
    const module = make(backend)
    for (const parameter of module.parameters()) parameter.assign(of(parameter.shape).data())
    return module.forward(x)
  }

const CASES: Record<string, { values?: number[]; mayBeNaN?: boolean; run: Run }> = {
  conv2d: { run: (x, of) => conv.conv2d(x, of([3, 3, 4, 5]), { padding: 1 }) },
  'conv2d with a stride and dilation': {
    run: (x, of) => conv.conv2d(x, of([2, 3, 4, 9]), { stride: 2, dilation: [1, 2], padding: 'same' }),
  },
  'conv2d, depthwise': { run: (x, of) => conv.conv2d(x, of([3, 3, 1, 4]), { groups: 4, padding: 'same', activation: 'relu' }) },
  convTranspose2d: { run: (x, of) => conv.convTranspose2d(x, of([3, 2, 5, 4]), { stride: 2 }) },
  maxPool: { values: WILD, run: (x) => conv.maxPool(x, 2) },
  'maxPool, overlapping': { values: WILD, run: (x) => conv.maxPool(x, 3, { stride: 2, padding: 1 }) },
  avgPool: { run: (x) => conv.avgPool(x, 2) },
  adaptiveMaxPool: { values: WILD, run: (x) => conv.adaptiveMaxPool(x, [3, 2]) },
  adaptiveAvgPool: { run: (x) => conv.adaptiveAvgPool(x, [7, 2]) },
  globalAvgPool: { run: (x) => conv.globalAvgPool(x) },
  pad: { values: WILD, run: (x) => conv.pad(x, 2, { mode: 'reflect' }) },
  'upsample, nearest': { values: WILD, run: (x) => conv.upsample(x, [2, 3]) },
  'upsample, bilinear': { values: WILD, run: (x) => conv.upsample(x, [2, 3], { mode: 'bilinear' }) },
  unfold: { values: WILD, run: (x) => conv.unfold(x, 2, { padding: 1 }) },
  BatchNorm: { mayBeNaN: true, run: layer((backend) => new BatchNorm(4, { backend })) },
  LayerNorm: { mayBeNaN: true, run: layer((backend) => new LayerNorm(4, { backend })) },
  GroupNorm: { mayBeNaN: true, run: layer((backend) => new conv.GroupNorm(2, 4, { backend })) },
  SeparableConv2d: { run: layer((backend) => new conv.SeparableConv2d(4, 3, 3, { backend })) },
  SqueezeExcite: { run: layer((backend) => new conv.SqueezeExcite(4, { backend })) },
  Residual: {
    run: layer((backend) => new conv.Residual([new conv.Conv2d(4, 4, 3, { padding: 1, backend })], { backend, activation: 'relu' })),
  },
  Concat: { run: layer((backend) => new conv.Concat([[], [new conv.Conv2d(4, 2, 1, { backend })]], { backend })) },
}

/** The result and the gradient of its sum, as numbers. */
function computed(run: Run, values: Float64Array, shape: number[], backend: Backend): Record<string, ArrayLike<number>> {
  const random = new Generator(5)
  const of = (size: readonly number[]) =>
    tensor(Float32Array.from(random.normals(size.reduce((a, b) => a * b, 1))), size as number[], { backend })
  const x = tensor(values, shape, { backend, requiresGrad: true })
  const y = run(x, of, backend)
  const kept = y.keep()
  const [dx] = gradients(sum(y), [x])
  return { y: kept.data(), dx: dx.data() }
}

const LARGEST = 3.4028234663852886e38

test.each(backends.flatMap(([name, backend]) => Object.keys(CASES).map((kind) => [name, kind, backend] as const)))(
  '%s: %s',
  (_, kind, backend) => {
    const { values: edges = MILD, mayBeNaN = false, run } = CASES[kind]
    const random = new Generator(11)
    for (let i = 0; i < 30; i++) {
      const shape = [2, 4 + (i % 3), 5, 4]
      const values = Float64Array.from(Float32Array.from(random.normals(shape.reduce((a, b) => a * b, 1))))
      const count = 1 + (i % 4)
      for (const at of random.uniforms(count))
        values[Math.floor(at * values.length)] = Math.fround(edges[Math.floor(random.uniforms(1)[0] * edges.length)])
      const [got, wanted] = [computed(run, values, shape, backend), computed(run, values, shape, exact)]
      for (const part of ['y', 'dx']) {
        const finite = Array.from(wanted[part]).filter((v) => Number.isFinite(v))
        const scale = Math.max(1, ...finite.map(Math.abs))
        for (let j = 0; j < wanted[part].length; j++) {
          const [a, b] = [got[part][j], wanted[part][j]]
          const same = Number.isNaN(b)
            ? Number.isNaN(a)
            : Math.abs(b) > LARGEST
              ? a === Math.sign(b) * Number.POSITIVE_INFINITY
              : Math.abs(a - b) <= 1e-5 * scale
          if (!same && !(mayBeNaN && Number.isNaN(a))) expect.fail(`picture ${i}, ${part}[${j}] is ${a}, wanted ${b}`)
        }
      }
    }
  },
)
