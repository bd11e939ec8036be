/** Convolution and pooling against PyTorch in float64, over random shapes: values, and derivatives of first and second order (test/oracles/conv.py). */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Backend } from '../../ts/backend/index.js'
import {
  adaptiveAvgPool,
  adaptiveMaxPool,
  avgPool,
  conv1d,
  conv2d,
  convTranspose1d,
  convTranspose2d,
  maxPool,
  type Padding,
} from '../../ts/conv/index.js'
import { supportedVariants } from '../../ts/debug/index.js'
import { add, createBackend, gradients, mul, sum, type Tensor, tensor } from '../../ts/index.js'

const POOLS = { max: maxPool, avg: avgPool, 'adaptive max': adaptiveMaxPool, 'adaptive avg': adaptiveAvgPool }

interface Case {
  kind: 'conv' | 'transposed' | keyof typeof POOLS
  x: number[]
  w: number[]
  size: [number]
  stride: [number]
  dilation: [number]
  groups: number
  padding: Padding
  outputPadding: [number]
  shape: number[]
  y: number[]
  dx: number[]
  dw: number[]
  db: number[]
  second: number[][]
}
const { cases } = JSON.parse(readFileSync(new URL('../oracles/conv.json', import.meta.url), 'utf8')) as { cases: Case[] }

const numbers = (count: number, salt: number) =>
  Float64Array.from({ length: count }, (_, i) => ((7919 * i + 104729 * salt + 13) % 2003) / 1001.5 - 1)
const sums = (t: Tensor) => {
  const values = t.data()
  return [11, 12].map((salt) => numbers(values.length, salt).reduce((total, n, i) => total + n * values[i], 0))
}

/** Everything that the file has of a case. */
function computed(c: Case, backend: Backend): Pick<Case, 'shape' | 'y' | 'dx'> & Partial<Case> {
  const of = (shape: readonly number[], salt: number): Tensor =>
    tensor(
      numbers(
        shape.reduce((a, b) => a * b, 1),
        salt,
      ),
      shape as number[],
      { backend, requiresGrad: true },
    )
  const { stride, dilation, groups, padding, outputPadding } = c
  const one = c.x.length === 3
  const x = of(c.x, 1)
  const window = { stride: stride as unknown as number, dilation: dilation as unknown as number, padding }
  if (c.kind !== 'conv' && c.kind !== 'transposed') {
    const pool = POOLS[c.kind]
    const run = () => pool(x, c.size as unknown as number, window)
    const y = run()
    const g = of(y.shape, 4)
    const values = sums(y)
    const [fused] = gradients(sum(mul(y, g)), [x])
    const [dx] = gradients(sum(mul(run(), g)), [x], { createGraph: true })
    expect(fused.toArray()).toEqual(dx.toArray())
    const [second] = gradients(sum(mul(dx, of(dx.shape, 5))), [g])
    return { shape: [...y.shape], y: values, dx: sums(fused), second: [sums(second)] }
  }
  const [w, b] = [of(c.w, 2), of([c.kind === 'conv' ? c.w[c.w.length - 1] : c.w[c.w.length - 2] * groups], 3)]
  const options = { ...window, groups, bias: b }
  const run = () =>
    c.kind === 'conv'
      ? (one ? conv1d : conv2d)(x, w, options)
      : (one ? convTranspose1d : convTranspose2d)(x, w, { ...options, outputPadding: outputPadding as unknown as number })
  const y = run()
  const g = of(y.shape, 4)
  const values = sums(y)
  const fused = gradients(sum(mul(y, g)), [x, w, b]).map(sums)
  const [dx, dw] = gradients(sum(mul(run(), g)), [x, w], { createGraph: true })
  const second = gradients(add(sum(mul(dx, of(dx.shape, 5))), sum(mul(dw, of(dw.shape, 6)))), [x, w, g]).map(sums)
  return { shape: [...y.shape], y: values, dx: fused[0], dw: fused[1], db: fused[2], second }
}

const backends: [string, Backend, number][] = [
  ['JavaScript, doubles', createBackend({ backend: 'js', dtype: 'float64' }), 1e-12],
  ...supportedVariants().map((variant): [string, Backend, number] => [variant, createBackend({ variant }), 3e-5]),
]

test.each(backends)('%s', (_, backend, tolerance) => {
  expect(cases.length).toBe(1900)
  for (const [i, c] of cases.entries()) {
    const found = computed(c, backend)
    expect(found.shape, `case ${i}`).toEqual(c.shape)
    for (const name of ['y', 'dx', 'dw', 'db', 'second'] as const) {
      const [actual, wanted] = [(found[name] ?? []).flat(), (c[name] ?? []).flat()]
      actual.forEach((value, j) => {
        const error = Math.abs(value - wanted[j]) / Math.max(10, Math.abs(wanted[j]))
        if (!(error <= tolerance)) expect.fail(`case ${i}, ${name}[${j}] is ${value}, wanted ${wanted[j]}: ${JSON.stringify(c)}`)
      })
      expect(actual.length).toBe(wanted.length)
    }
  }
})
