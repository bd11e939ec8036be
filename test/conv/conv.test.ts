/** Convolution on every backend against the sum in its definition, with derivatives of first and second order. */
import { describe, expect, test } from 'vitest'
import type { Backend } from '../../ts/backend/index.js'
import { conv1d, conv2d } from '../../ts/conv/index.js'
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
