/** Values, gradients and second derivatives of attention beside PyTorch's, in float64: test/oracles/attention.py says how the numbers are made. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  GPT,
  loadTorchWeights,
  MultiHeadAttention,
  nextTokenLoss,
  RMSNorm,
  scaledDotProductAttention,
  TransformerBlock,
  torchWeights,
} from '../../ts/attention/index.js'
import {
  Adam,
  add,
  type Backend,
  createBackend,
  fit,
  gradients,
  type Module,
  mul,
  sum,
  type Tensor,
  tensor,
  transpose,
} from '../../ts/index.js'

/** Two sums of a tensor. */
type Sums = [number, number]
interface Derivatives {
  output: Sums
  first: Sums[]
  second: Sums[]
}
interface Case extends Derivatives {
  seed: number
  leading: number[]
  queries: number
  keys: number
  width: number
  valueWidth: number
  causal: boolean
  masked: boolean
}
interface LayerCase extends Derivatives {
  kind: 'attention' | 'block' | 'rms'
  seed: number
  width: number
  heads: number
  steps: number
  causal: boolean
  lengths: number[] | null
  memory: number | null
  rows: number
  names: string[]
}
interface Curve {
  vocabulary: number
  context: number
  width: number
  heads: number
  blocks: number
  rows: number
  names: string[]
  losses: number[]
}

const { cases, layers, curve } = JSON.parse(readFileSync('test/oracles/attention.json', 'utf8')) as {
  cases: Case[]
  layers: LayerCase[]
  curve: Curve
}
const doubles = createBackend({ backend: 'js', dtype: 'float64' })
const backends: [string, Backend, number][] = [
  ['JavaScript in float64', doubles, 1e-12],
  ['WebAssembly', createBackend(), 3e-6],
]

const sizeOf = (shape: readonly number[]) => shape.reduce((product, d) => product * d, 1)

/** `fill` of attention.py. */
function fill(shape: readonly number[], seed: number, scale = 1): number[] {
  return Array.from({ length: sizeOf(shape) }, (_, i) => (((i * 7919 + seed * 104729) % 2003) / 1001.5 - 1) * scale)
}

/** Compares two sums of a tensor; the tolerance is relative to the sum of absolute terms. */
function close(got: Tensor, wanted: Sums, tolerance: number, what: string): void {
  const values = got.data()
  wanted.forEach((sum, i) => {
    const weights = fill(got.shape, 1001 + i)
    let [total, absolute] = [0, 0]
    for (let j = 0; j < values.length; j++) {
      total += values[j] * weights[j]
      absolute += Math.abs(values[j] * weights[j])
    }
    const limit = tolerance * Math.max(1, absolute)
    // not toBeLessThanOrEqual, which takes microseconds for each of tens of thousands of numbers
    if (!(Math.abs(total - sum) <= limit)) expect.fail(`${what}: sum ${i} is ${total}, PyTorch ${sum}, ±${limit}`)
  })
}

/** Compares y and the derivatives of a function of leaves; `turned` leaves have the transpose in PyTorch. */
function compare(
  run: () => Tensor,
  leaves: readonly Tensor[],
  turned: readonly boolean[],
  c: Derivatives,
  tolerance: number,
  what: string,
): void {
  const asTorch = (t: Tensor, i: number) => (turned[i] ? (transpose(t) as Tensor) : t)
  const like = (t: Tensor, seed: number) => tensor(fill(t.shape, seed), t.shape, { backend: t.backend })
  const value = () => {
    const y = run()
    return { y, value: sum(mul(y, like(y, 7))) as Tensor }
  }
  const { y, value: first } = value()
  close(y, c.output, tolerance, `${what}: output`)
  gradients(first, leaves).forEach((g, i) => close(asTorch(g, i), c.first[i], tolerance, `${what}: gradient ${i}`))
  const recorded = gradients(value().value, leaves, { createGraph: true }).map(asTorch)
  recorded.forEach((g, i) => close(g, c.first[i], tolerance, `${what}: recorded gradient ${i}`))
  const along = recorded.map((g, i) => sum(mul(g, like(g, 11 + i))) as Tensor).reduce((a, b) => add(a, b) as Tensor)
  gradients(along, leaves).forEach((g, i) => close(asTorch(g, i), c.second[i], 20 * tolerance, `${what}: second derivative ${i}`))
}

describe.each(backends)('%s', (_, backend, tolerance) => {
  test('attention of 300 sizes has the values and derivatives of PyTorch', () => {
    for (const [i, c] of cases.entries()) {
      // each third in single precision, to save time
      if (backend !== doubles && i % 3 > 0) continue
      const { seed, leading, queries, keys, width, valueWidth, causal, masked } = c
      const make = (shape: number[], i: number) =>
        tensor(
          fill(shape, seed + i).map((x) => 2 * x),
          shape,
          { backend, requiresGrad: true },
        )
      const leaves = [make([...leading, queries, width], 0), make([...leading, keys, width], 1), make([...leading, keys, valueWidth], 2)]
      const mask = fill([...leading, keys], seed + 3).map((x, i) => (x > -0.4 || i % keys === 0 ? 1 : 0))
      const options = { causal, ...(masked && { mask: tensor(mask, [...leading, keys], { backend }) }) }
      const run = () => scaledDotProductAttention(leaves[0], leaves[1], leaves[2], options)
      compare(
        run,
        leaves,
        [false, false, false],
        c,
        tolerance,
        JSON.stringify({ seed, leading, queries, keys, width, valueWidth, causal, masked }),
      )
    }
  })

  test.each(layers)('$kind of width $width, $heads heads, $steps steps, lengths $lengths, memory $memory', (c) => {
    const { kind, seed, width, heads, steps, causal, lengths, memory, rows, names } = c
    const layer: Module =
      kind === 'attention'
        ? new MultiHeadAttention<number>(width, heads, { causal, backend })
        : kind === 'block'
          ? new TransformerBlock<number>(width, heads, { causal, hidden: 3 * width, backend })
          : new RMSNorm<number>(width, { backend })
    const isMatrix = (name: string) => name.endsWith('weight') && !/norm|^weight/.test(name)
    const own = layer.build().namedParameters()
    const named = kind === 'rms' ? { weight: own.get('weight') as Tensor } : torchWeights(layer)
    const shapes = names.map((name) => named[name].shape)
    const values = Object.fromEntries(names.map((name, i) => [name, tensor(fill(shapes[i], seed + i, 0.5), shapes[i], { backend })]))
    if (kind === 'rms') own.get('weight')?.assign(values.weight)
    else loadTorchWeights(layer, values)
    const parameters = names.map((name) => parameterAt(layer, name))
    const input = (n: number, at: number) => tensor(fill([rows, n, width], seed + at), [rows, n, width], { backend, requiresGrad: true })
    const x = input(steps, 50)
    const other = memory === null ? null : input(memory, 60)
    const leaves = [x, ...parameters, ...(other ? [other] : [])]
    const turned = [false, ...names.map(isMatrix), ...(other ? [false] : [])]
    const options = { ...(lengths && { lengths }), ...(other && { memory: other }) }
    const run = () => (layer instanceof RMSNorm ? (layer.forward(x) as Tensor) : (layer as MultiHeadAttention).run(x, options))
    compare(run, leaves, turned, c, tolerance, kind)
  })

  test('30 steps of Adam have the losses of PyTorch, from the same weights', async () => {
    const { vocabulary, context, width, heads, blocks, rows, names, losses } = curve
    const model = new GPT({ vocabulary, context, width, heads, blocks, backend })
    const shapes = torchWeights(model)
    const one = (name: string) => (/\.ln_.*weight$/.test(name) ? 1 : 0)
    loadTorchWeights(
      model,
      Object.fromEntries(
        names.map((name, i) => {
          const { shape } = shapes[name]
          return [
            name,
            tensor(
              fill(shape, 200 + i, 0.3).map((x) => x + one(name)),
              shape,
              { backend },
            ),
          ]
        }),
      ),
    )
    const text = [1]
    for (let i = 0; i < losses.length * rows * context; i++) text.push((3 * (text.at(-1) as number) + i) % vocabulary)
    const shape = [losses.length * rows, context]
    const means: number[] = []
    await fit(model, {
      ...{
        inputs: tensor(Int32Array.from(text.slice(0, -1)), shape, { backend }),
        targets: tensor(Int32Array.from(text.slice(1)), shape, { backend }),
      },
      ...{ loss: nextTokenLoss, epochs: 1, batchSize: rows, shuffle: false },
      optimizer: new Adam(model.parameters(), { learningRate: 0.01 }),
      callbacks: [{ onBatchEnd: ({ loss }) => void means.push(loss) }],
    })
    expect(means.length).toBe(losses.length)
    let total = 0
    losses.forEach((loss, i) => {
      total += loss
      const limit = 100 * tolerance * Math.max(1, loss)
      expect(Math.abs(means[i] - total / (i + 1)), `mean after step ${i + 1}: ${means[i]}, PyTorch ${total / (i + 1)}`).toBeLessThanOrEqual(
        limit,
      )
    })
  })
})

/** The parameter of a layer for PyTorch's name. */
function parameterAt(layer: Module, name: string): Tensor {
  const mine = name
    .replace('self_attn.', 'attention.')
    .replace('in_proj_', '')
    .replace('out_proj.weight', 'outputWeight')
    .replace('out_proj.bias', 'outputBias')
    .replace('linear1', 'expand')
    .replace('linear2', 'project')
  const parameter = layer.namedParameters().get(mine)
  if (parameter === undefined) throw new Error(`no parameter ${mine}`)
  return parameter
}
