/** The layers of this room in ONNX: operations of opset 17, as the operation Attention came with opset 23. And as functions of JavaScript. */
import { exports, type OnnxGraph, ofWidth } from '../export/layer-exports.js'
import type { Module } from '../nn/module.js'
import type { GPT } from './gpt.js'
import type { MultiHeadAttention } from './multi-head-attention.js'
import type { LearnedPositions, SinusoidalPositions } from './positions.js'
import type { RMSNorm } from './rms-norm.js'
import type { TransformerBlock } from './transformer-block.js'

/** Numbers of data types in ONNX. */
const [FLOAT, INT64, DOUBLE] = [1, 7, 11]

const scalar = (graph: OnnxGraph, value: number) => graph.node('Squeeze', [graph.list([value])])
/** The length of an axis, as a list of one. */
const lengthOf = (graph: OnnxGraph, x: string, axis: number) => graph.node('Gather', [graph.node('Shape', [x]), graph.list([axis])])

/** The angles step / 10000^(2i / width), [steps, width / 2], in doubles, as those of late steps are large. */
function angles(graph: OnnxGraph, steps: string, width: number): string {
  const double = (x: string) => graph.node('Cast', [x], { to: DOUBLE })
  const range = graph.node('Range', [scalar(graph, 0), graph.node('Squeeze', [steps]), scalar(graph, 1)])
  const exponents = graph.node('Div', [double(graph.list(Array.from({ length: width / 2 }, (_, i) => 2 * i))), double(graph.list([width]))])
  const lengths = graph.node('Pow', [double(graph.list([10_000])), exponents])
  return graph.node('Div', [double(graph.node('Unsqueeze', [range, graph.list([1])])), lengths])
}

const wave = (graph: OnnxGraph, type: 'Sin' | 'Cos', angle: string) => graph.node('Cast', [graph.node(type, [angle])], { to: FLOAT })

/** Turns vectors [rows, heads, steps, width] by their positions. */
function turned(graph: OnnxGraph, x: string, width: number): string {
  const angle = angles(graph, lengthOf(graph, x, 2), width)
  const [sin, cos] = [wave(graph, 'Sin', angle), wave(graph, 'Cos', angle)]
  const part = (from: number, to: number) => graph.node('Slice', [x, graph.list([from]), graph.list([to]), graph.list([3])])
  const [first, second] = [part(0, width / 2), part(width / 2, width)]
  const times = (a: string, b: string) => graph.node('Mul', [a, b])
  return graph.node(
    'Concat',
    [graph.node('Sub', [times(first, cos), times(second, sin)]), graph.node('Add', [times(second, cos), times(first, sin)])],
    { axis: 3 },
  )
}

/** Columns of a matrix [rows, columns], or of a list of numbers. */
function columnsOf(values: ArrayLike<number>, columns: number, from: number, count: number): number[] {
  return Array.from({ length: (values.length / columns) * count }, (_, i) => values[Math.floor(i / count) * columns + from + (i % count)])
}

const ATTENTION = `  // softmax(q·k / √size)·v of each head; each step has queries, keys and values side by side
  const attention = (x, width, heads, isCausal) => {
    const [size, steps] = [width / heads, x.length / (3 * width)]
    const y = new Float64Array(steps * width)
    for (let step = 0; step < steps; step++) {
      for (let head = 0; head < heads; head++) {
        const at = (key, part) => 3 * width * key + part * width + size * head
        const scores = Float64Array.from({ length: isCausal ? step + 1 : steps }, (_, key) => {
          let sum = 0
          for (let i = 0; i < size; i++) sum += x[at(step, 0) + i] * x[at(key, 1) + i]
          return sum / Math.sqrt(size)
        })
        const most = scores.reduce((a, b) => Math.max(a, b))
        const shares = scores.map((score) => Math.exp(score - most))
        const all = shares.reduce((a, b) => a + b)
        shares.forEach((share, key) => {
          for (let i = 0; i < size; i++) y[width * step + size * head + i] += (share / all) * x[at(key, 2) + i]
        })
      }
    }
    return y
  }`

const ROTARY = `  // queries and keys turned by their positions: the second half of a head's columns is the other coordinate of the first
  const turned = (x, width, size) => x.map((value, i) => {
    const [step, column] = [Math.floor(i / (3 * width)), i % (3 * width)]
    if (column >= 2 * width) return value
    const angle = step / 10000 ** ((2 * (column % (size / 2))) / size)
    const other = column % size < size / 2 ? -x[i + size / 2] : x[i - size / 2]
    return value * Math.cos(angle) + other * Math.sin(angle)
  })`

const BESIDE = `  const besideShortcut = (x, f) => {
    const y = f(x)
    return x.map((value, i) => value + y[i])
  }`

const RMS_NORM = `  const rmsNorm = (x, weight, epsilon) => {
    const width = weight.length
    const squares = new Float64Array(x.length / width)
    x.forEach((value, i) => (squares[Math.floor(i / width)] += value ** 2 / width))
    return x.map((value, i) => (value / Math.sqrt(squares[Math.floor(i / width)] + epsilon)) * weight[i % width])
  }`

const AT_MOST = `  const atMost = (x, steps, width) => {
    if (x.length > steps * width) throw new RangeError('wants at most ' + steps + ' steps, got ' + x.length / width)
    return x
  }`

const WAVES = `  const withWaves = (x, width) => x.map((value, i) => {
    const [step, column] = [Math.floor(i / width), i % width]
    const angle = step / 10000 ** ((column - (column % 2)) / width)
    return value + (column % 2 === 0 ? Math.sin(angle) : Math.cos(angle))
  })`

const TIED = `  // products of vectors with each row of a table
  const timesRows = (x, table, width) => {
    const count = table.length / width
    const y = new Float64Array((x.length / width) * count)
    for (let at = 0; at < y.length; at++)
      for (let i = 0; i < width; i++) y[at] += x[Math.floor(at / count) * width + i] * table[(at % count) * width + i]
    return y
  }`

/** @internal */
export const attentionExports = exports<MultiHeadAttention>({
  ...ofWidth,
  source({ width, heads, weight, bias, outputWeight, outputBias, settings }, to) {
    to.helper(ATTENTION)
    const columns = { inputs: width, activation: 'linear' } as const
    let all = to.dense({ weight, bias, outputs: 3 * width, ...columns }, 'x')
    if (settings.rotary) {
      to.helper(ROTARY)
      all = `turned(${all}, ${width}, ${width / heads})`
    }
    const mixed = `attention(${all}, ${width}, ${heads}, ${settings.causal})`
    return to.dense({ weight: outputWeight, bias: outputBias, outputs: width, ...columns }, mixed)
  },
  onnx({ width, heads, weight, bias, outputWeight, outputBias, settings }, graph, x, _rank, at) {
    const plus = (product: string, name: string, values: ArrayLike<number> | undefined) =>
      values === undefined ? product : graph.node('Add', [product, graph.constant(`${at}.${name}`, values, [width])])
    // [rows, heads, steps, columns of a head], with the last two axes exchanged for keys
    const [query, key, value] = ['query', 'key', 'value'].map((name, i) => {
      const w = columnsOf(weight.data(), 3 * width, i * width, width)
      const b = bias === null ? undefined : columnsOf(bias.data(), 3 * width, i * width, width)
      const product = graph.node('MatMul', [x, graph.constant(`${at}.${name}Weight`, w, [width, width])])
      const split = graph.node('Reshape', [plus(product, `${name}Bias`, b), graph.list([0, 0, heads, width / heads])])
      const perHead = graph.node('Transpose', [split], { perm: [0, 2, 1, 3] })
      return settings.rotary && i < 2 ? turned(graph, perHead, width / heads) : perHead
    })
    const scale = graph.constant(`${at}.scale`, [1 / Math.sqrt(width / heads)], [])
    const product = graph.node('MatMul', [query, graph.node('Transpose', [key], { perm: [0, 1, 3, 2] })])
    let scores = graph.node('Mul', [product, scale])
    if (settings.causal) {
      const steps = lengthOf(graph, x, 1)
      const hidden = graph.constant(`${at}.hidden`, [Number.NEGATIVE_INFINITY], [])
      const square = graph.node('Expand', [hidden, graph.node('Concat', [steps, steps], { axis: 0 })])
      scores = graph.node('Add', [scores, graph.node('Trilu', [square, scalar(graph, 1)], { upper: 1 })])
    }
    const mixed = graph.node('MatMul', [graph.node('Softmax', [scores], { axis: -1 }), value])
    const joined = graph.node('Reshape', [graph.node('Transpose', [mixed], { perm: [0, 2, 1, 3] }), graph.list([0, 0, width])])
    const out = graph.node('MatMul', [joined, graph.constant(`${at}.outputWeight`, outputWeight.data(), [width, width])])
    return plus(out, 'outputBias', outputBias?.data())
  },
})

/** @internal */
export const blockExports = exports<TransformerBlock>({
  ...ofWidth,
  source({ norm1, attention, norm2, expand, project }, to) {
    to.helper(BESIDE)
    const parts = [
      [norm1, attention],
      [norm2, expand, project],
    ] as readonly Module[][]
    return parts.reduce((x, part) => `besideShortcut(${x}, ${to.layers(part)})`, 'x')
  },
  parts: ({ norm1, attention, norm2, expand, project }) => [norm1, attention, norm2, expand, project] as readonly Module[],
  onnx({ norm1, attention, norm2, expand, project }, graph, x, rank) {
    const middle = graph.node('Add', [x, graph.layers([norm1, attention] as readonly Module[], x, rank)])
    return graph.node('Add', [middle, graph.layers([norm2, expand, project] as readonly Module[], middle, rank)])
  },
})

/** @internal */
export const rmsNormExports = exports<RMSNorm>({
  ...ofWidth,
  source({ weight, epsilon }, to) {
    to.helper(RMS_NORM)
    return `rmsNorm(x, ${to.constant(weight.data())}, ${epsilon})`
  },
  onnx({ weight, width, epsilon }, graph, x, _rank, at) {
    const square = graph.node('ReduceMean', [graph.node('Mul', [x, x])], { axes: [-1], keepdims: 1 })
    const root = graph.node('Sqrt', [graph.node('Add', [square, graph.constant(`${at}.epsilon`, [epsilon], [])])])
    return graph.node('Mul', [graph.node('Div', [x, root]), graph.constant(`${at}.weight`, weight.data(), [width])])
  },
})

/** @internal */
export const learnedPositionsExports = exports<LearnedPositions>({
  ...ofWidth,
  source({ weight, context, width }, to) {
    to.helper(AT_MOST)
    return `atMost(x, ${context}, ${width}).map((value, i) => value + ${to.constant(weight.data())}[i])`
  },
  onnx({ weight, context, width }, graph, x, rank, at) {
    const table = graph.constant(`${at}.weight`, weight.data(), [context, width])
    return graph.node('Add', [x, graph.node('Slice', [table, graph.list([0]), lengthOf(graph, x, rank - 2), graph.list([0])])])
  },
})

/** @internal */
export const sinusoidalPositionsExports = exports<SinusoidalPositions>({
  ...ofWidth,
  source({ width }, to) {
    to.helper(WAVES)
    return `withWaves(x, ${width})`
  },
  onnx({ width }, graph, x, rank) {
    const angle = angles(graph, lengthOf(graph, x, rank - 2), width)
    const last = (type: 'Sin' | 'Cos') => graph.node('Unsqueeze', [wave(graph, type, angle), graph.list([2])])
    const pairs = graph.node('Concat', [last('Sin'), last('Cos')], { axis: 2 })
    return graph.node('Add', [x, graph.node('Reshape', [pairs, graph.list([0, width])])])
  },
})

/** @internal Tokens [rows, steps] become logits. A causal net takes shorter texts that are filled up at their end. */
export const gptExports = exports<GPT>({
  width: () => 1,
  inputShape: ({ settings }) => [settings.context],
  outputs: ({ settings }) => settings.vocabulary,
  source({ embedding, positions, blocks, norm, head, settings: { context, width } }, to) {
    to.helper(AT_MOST)
    const parts = [embedding, positions, ...blocks, norm, head].filter((layer) => layer !== null) as readonly Module[]
    const y = `(${to.layers(parts)})(atMost(x, ${context}, 1))`
    if (head !== null) return y
    to.helper(TIED)
    return `timesRows(${y}, ${to.constant(embedding.weight.data())}, ${width})`
  },
  takesIndices: true,
  rank: (_layer, rank) => rank + 1,
  parts: ({ positions, blocks, norm, head }) => [positions, ...blocks, norm, head].filter((layer) => layer !== null) as readonly Module[],
  onnx({ embedding, positions, blocks, norm, head }, graph, x, rank, at) {
    const { count, width, weight } = embedding
    const table = graph.constant(`${at}.embedding.weight`, weight.data(), [count, width])
    const tokens = x === 'input' ? x : graph.node('Cast', [x], { to: INT64 })
    const inside = [...(positions === null ? [] : [positions]), ...blocks, norm] as readonly Module[]
    const y = graph.layers(inside, graph.node('Gather', [table, tokens], { axis: 0 }), rank + 1)
    if (head !== null) return graph.layers([head as Module], y, rank + 1)
    return graph.node('MatMul', [y, graph.node('Transpose', [table], { perm: [1, 0] })])
  },
})
