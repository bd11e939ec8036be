/** Convolution on every backend against the sum in its definition, with derivatives of first and second order. */
import { describe, expect, test } from 'vitest'
import { GEOMETRY } from '../../ts/backend/conv-kernels.js'
import type { Backend } from '../../ts/backend/index.js'
import { ACCUMULATE_W, ACTIVATIONS, type Ptr } from '../../ts/backend/kernels.js'
import { withConv } from '../../ts/backend/rooms/conv.js'
import { conv1d, conv2d } from '../../ts/conv/index.js'
import { windowOver } from '../../ts/conv/window.js'
import { supportedVariants } from '../../ts/debug/index.js'
import { createBackend, Generator, gradients, mul, sum, type Tensor, tensor } from '../../ts/index.js'
import { type ConvCase, convCase, draw } from './shapes.js'

const exact = createBackend({ backend: 'js', dtype: 'float64' })
const backends: [string, Backend, number][] = [
  ['JavaScript', createBackend({ backend: 'js' }), 1e-5],
  ...supportedVariants().map((variant): [string, Backend, number] => [variant, createBackend({ variant }), 1e-5]),
]

/** y, dx, dw, db, and the gradients of Σ dx·x + Σ dw·w with respect to x and w. */
function everything(c: ConvCase, backend: Backend, seed: number, activation: 'linear' | 'relu' | 'gelu' = 'linear'): Tensor[] {
  const random = new Generator(seed)
  const of = (shape: readonly number[]) => tensor(draw(random, shape), shape as number[], { backend, requiresGrad: true }) as Tensor
  const [x, w, b] = [of(c.x), of(c.w), of([c.filters])]
  const run = () => (c.axes === 1 ? conv1d : conv2d)(x, w, { ...c.options, bias: b, activation })
  const y = run()
  const upstream = tensor(draw(random, y.shape), y.shape as number[], { backend }) as Tensor
  const fused = gradients(sum(mul(y, upstream)), [x, w, b])
  const values = y.keep()
  const first = gradients(sum(mul(run(), upstream)), [x, w, b], { createGraph: true })
  const kept = first.map((t) => t.keep())
  const second = gradients(sum(mul(first[0], mul(first[0], x)) as Tensor), [x, w])
  return [values, ...fused, ...kept, ...second]
}

function expectClose(actual: Tensor, wanted: Tensor, tolerance: number, what: string): void {
  expect(actual.shape, what).toEqual(wanted.shape)
  const [a, b] = [actual.data(), wanted.data()]
  const scale = Math.max(1, ...b.map(Math.abs))
  for (let i = 0; i < a.length; i++)
    if (!(Math.abs(a[i] - b[i]) <= tolerance * scale)) expect.fail(`${what}: element ${i} is ${a[i]}, wanted ${b[i]}`)
}

const NAMES = ['y', 'dx', 'dw', 'db', 'dx, recorded', 'dw, recorded', 'db, recorded', 'second dx', 'second dw']

describe.each(backends)('%s', (_, backend, tolerance) => {
  test('agrees with double precision on random shapes', () => {
    const random = new Generator(11)
    for (let i = 0; i < 120; i++) {
      const c = convCase(random, i % 10 === 0 ? 4 : 1)
      const activation = (['linear', 'relu', 'gelu'] as const)[i % 3]
      const [actual, wanted] = [everything(c, backend, i, activation), everything(c, exact, i, activation)]
      NAMES.forEach((name, j) => {
        expectClose(actual[j], wanted[j], tolerance, `case ${i}, ${name} of ${JSON.stringify(c)}`)
      })
    }
  })
})

// [rows, height, width, channels, filters, groups, taps, stride]: some images at a time, one by one, channels as lanes, strides, panels that do not fit
describe.each([
  [11, 12, 12, 32, 24, 1, 3, 1],
  [3, 20, 20, 48, 16, 1, 3, 1],
  [3, 18, 18, 60, 12, 6, 2, 1],
  [3, 28, 28, 36, 36, 36, 3, 1],
  [3, 29, 30, 40, 40, 40, 3, 2],
  [3, 14, 14, 36, 20, 1, 3, 2],
  [3, 9, 9, 256, 128, 1, 3, 1],
])(
  '%i images of %i × %i × %i, %i filters in %i groups, %i taps, stride %i',
  (rows, height, width, channels, filters, groups, taps, stride) => {
    test.each(supportedVariants())('%s: gradients are those of one image at a time, to the bit', (variant) => {
      const backend = createBackend({ variant })
      const { heap } = backend
      const random = new Generator(rows * channels)
      const options = { kernel: [taps, taps], stride, padding: 'same', dilation: 1, groups } as const
      const window = windowOver([rows, height, width, channels], filters, groups, options, 'conv')
      const geometry = heap.allocate(4 * GEOMETRY.length)
      heap.intView(geometry, GEOMETRY.length).set(GEOMETRY.map((name) => window.geometry[name]))
      const [image, result, weights] = [window.inputShape.slice(1), window.outputShape.slice(1), window.weightShape].map((shape) =>
        shape.reduce((a, b) => a * b, 1),
      )
      const place = (size: number): Ptr => {
        const at = heap.allocate(4 * size)
        heap.view(at, size).set(random.normals(size))
        return at
      }
      const [x, w, saved, dy] = [rows * image, weights, rows * result, rows * result].map(place)
      const gradientsBy = (together: number) => {
        const [dz, dx, dw] = [rows * result, rows * image, weights].map((size) => heap.allocate(4 * size))
        for (let i = 0; i < rows; i += together) {
          const [images, results] = [4 * i * image, 4 * i * result]
          withConv(backend).convBackward(
            ...([x + images, w, saved + results, dy + results, dz + results, dw, 0, dx + images] as const),
            ...([together, geometry, ACTIVATIONS.indexOf('relu'), i === 0 ? 0 : ACCUMULATE_W, heap.scratch] as const),
          )
        }
        return [heap.view(dx, rows * image).slice(), heap.view(dw, weights).slice()]
      }
      expect(gradientsBy(rows)).toEqual(gradientsBy(1))
    })
  },
)
