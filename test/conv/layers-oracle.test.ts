/** Resampling, cumulative sums and the layers around convolutions against PyTorch in float64, over random shapes (test/oracles/conv_layers.py). */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Backend } from '../../ts/backend/index.js'
import { GroupNorm, pad, SeparableConv2d, SqueezeExcite, unfold, upsample } from '../../ts/conv/index.js'
import { supportedVariants } from '../../ts/debug/index.js'
import {
  type Activation,
  BatchNorm,
  createBackend,
  cumsum,
  gradients,
  type Module,
  mul,
  type Parameter,
  square,
  sum,
  type Tensor,
  tensor,
} from '../../ts/index.js'

interface Case {
  kind: 'pad' | 'upsample' | 'unfold' | 'cumsum' | 'groupNorm' | 'batchNorm' | 'separable' | 'squeeze'
  x: number[]
  options: Record<string, number> & { mode: 'constant'; activation: Activation; units: number }
  amounts: [number, number][]
  factor: [number, number]
  size: [number, number]
  axis: number
  groups: number
  filters: number
  kernel: number
  shape: number[]
  y: number[]
  gradients: number[][]
  second: number[][]
}
const { cases } = JSON.parse(readFileSync(new URL('../oracles/conv_layers.json', import.meta.url), 'utf8')) as { cases: Case[] }

const numbers = (count: number, salt: number) =>
  Float64Array.from({ length: count }, (_, i) => ((7919 * i + 104729 * salt + 13) % 2003) / 1001.5 - 1)
const sums = (t: Tensor) => {
  const values = t.data()
  return [11, 12].map((salt) => numbers(values.length, salt).reduce((total, n, i) => total + n * values[i], 0))
}

/** The layer of a case, with weights in the order of the file; an operation has none. */
function layerOf({ kind, x, groups, filters, kernel, options }: Case, backend: Backend): Module | null {
  const channels = x[x.length - 1]
  const own = { ...options, backend } as object
  if (kind === 'groupNorm') return new GroupNorm(groups, channels, own)
  if (kind === 'batchNorm') return new BatchNorm(channels, own)
  if (kind === 'separable') return new SeparableConv2d(channels, filters, kernel, own)
  if (kind === 'squeeze') return new SqueezeExcite(channels, own)
  return null
}

function computed(c: Case, backend: Backend): Pick<Case, 'shape' | 'y' | 'gradients' | 'second'> {
  const of = (shape: readonly number[], salt: number): Tensor => {
    const values = numbers(
      shape.reduce((a, b) => a * b, 1),
      salt,
    )
    return tensor(values, shape as number[], { backend, requiresGrad: true })
  }
  const x = of(c.x, 1)
  const layer = layerOf(c, backend)
  const weights = (layer?.parameters() ?? []) as Parameter[]
  weights.forEach((weight, i) => weight.assign(numbers(weight.size, 2 + i)))
  const one = c.x.length === 3
  const run = (): Tensor => {
    if (layer !== null) return layer.forward(x)
    if (c.kind === 'pad') return pad(x, c.amounts, c.options)
    if (c.kind === 'upsample') return upsample(x, one ? c.factor[0] : c.factor, c.options as never)
    if (c.kind === 'unfold') return unfold(x, c.size, c.options as never)
    return square(cumsum(x, c.axis))
  }
  const y = run()
  const g = of(y.shape, 40)
  const values = sums(y)
  const shape = [...y.shape]
  const fused = gradients(sum(mul(y, g)), [x, ...weights]).map(sums)
  const [dx] = gradients(sum(mul(run(), g)), [x], { createGraph: true })
  const second = gradients(sum(mul(dx, of(dx.shape, 50))), [x, g, ...weights]).map(sums)
  return { shape, y: values, gradients: fused, second }
}

const backends: [string, Backend, number][] = [
  ['JavaScript, doubles', createBackend({ backend: 'js', dtype: 'float64' }), 1e-12],
  ...supportedVariants().map((variant): [string, Backend, number] => [variant, createBackend({ variant }), 3e-4]),
]

test.each(backends)('%s', (_, backend, tolerance) => {
  expect(cases.length).toBe(320)
  for (const [i, c] of cases.entries()) {
    const found = computed(c, backend)
    expect(found.shape, `case ${i}`).toEqual(c.shape)
    const [actual, wanted] = [found, c].map(({ y, gradients: first, second }) => [y, first, second].flat(2))
    // of nearly equal pixels with a small epsilon, single precision has few digits of second derivatives
    const largest = Math.max(10, ...wanted.map(Math.abs))
    actual.forEach((value, j) => {
      const error = Math.abs(value - wanted[j]) / largest
      if (!(error <= tolerance)) expect.fail(`case ${i}, number ${j} is ${value}, wanted ${wanted[j]}: ${JSON.stringify(c)}`)
    })
    expect(actual.length).toBe(wanted.length)
  }
})
