/** Recurrent layers in ONNX, and as functions of JavaScript. */
import { CELLS, type CellName } from '../backend/recurrent-kernels.js'
import { rangeError } from '../common/errors.js'
import { exports, type FunctionSource, type LayerExports, type OnnxGraph } from '../export/layer-exports.js'
import { type Members, type RecurrentLayer, weightsOf } from './layer.js'

const TYPES: Record<CellName, string> = { simple: 'RNN', gruAfter: 'GRU', gruBefore: 'GRU', lstm: 'LSTM' }
/** The order of gates in ONNX: z r h of a GRU, i o f c of an LSTM. Index of gradus' gate for each. */
const ORDER: Record<CellName, readonly number[]> = { simple: [0], gruAfter: [1, 0, 2], gruBefore: [1, 0, 2], lstm: [0, 3, 1, 2] }

/** The columns of a matrix [rows, gates · units] as rows, gate after gate in another order. */
function byGates(values: ArrayLike<number>, rows: number, units: number, order: readonly number[]): number[] {
  const width = order.length * units
  return order.flatMap((gate) =>
    Array.from({ length: units * rows }, (_, i) => values[(i % rows) * width + gate * units + Math.floor(i / rows)]),
  )
}

function check(layer: RecurrentLayer): void {
  const { maskValue, statefulRows } = layer.settings
  for (const [name, isSet, why] of [
    ['maskValue', maskValue !== undefined, 'ONNX skips steps behind a length alone'],
    ['statefulRows', statefulRows > 0, 'ONNX keeps no state between calls'],
  ] as const)
    if (isSet)
      throw rangeError(
        `toOnnx: ${layer.describe()} '${pathOf(layer)}' has ${name}, and ${why}; export the same weights in a layer without it`,
      )
}

const pathOf = ({ path }: RecurrentLayer) => (path === '' ? 'model' : path)

function onnx(layer: RecurrentLayer, graph: OnnxGraph, x: string, rank: number, at: string): string {
  const { cell, inputs, units, bidirectional, returnSequences, bias } = layer.settings
  if (rank !== 3)
    throw rangeError(`toOnnx: ${layer.describe()} '${at}' wants inputs of shape [rows, steps, ${inputs}]; give inputShape: [steps, …]`)
  const order = ORDER[cell]
  const { gates } = CELLS[cell]
  const directions = weightsOf(layer as unknown as Members)
  const matrix = (name: 'weight' | 'recurrentWeight', columns: number) =>
    graph.constant(
      `${at}.${name}`,
      directions.flatMap((d) => byGates(d[name].data(), columns, units, order)),
      [directions.length, gates * units, columns],
    )
  // the bias of x·W, then that of h·U, which only the candidate of a GRU has
  const biases = directions.flatMap((d) => [
    ...byGates(d.bias?.data() ?? new Float32Array(gates * units), 1, units, order),
    ...new Array<number>((gates - 1) * units).fill(0),
    ...(d.recurrentBias?.data() ?? new Float32Array(units)),
  ])
  const y = graph.node(
    TYPES[cell],
    [
      graph.node('Transpose', [x], { perm: [1, 0, 2] }),
      ...[matrix('weight', inputs), matrix('recurrentWeight', units)],
      ...(bias ? [graph.constant(`${at}.bias`, biases, [directions.length, 2 * gates * units])] : []),
    ],
    {
      ...{ hidden_size: units, direction: bidirectional ? 'bidirectional' : 'forward' },
      ...(TYPES[cell] === 'GRU' && { linear_before_reset: cell === 'gruAfter' ? 1 : 0 }),
    },
    returnSequences ? 0 : 1,
  )
  // [steps, directions, rows, units], or of the last states without steps
  const [perm, shape] = returnSequences ? [[2, 0, 1, 3], [0, 0, -1]] : [[1, 0, 2], [0, -1]] // biome-ignore format: one line
  return graph.node('Reshape', [graph.node('Transpose', [y], { perm }), graph.list(shape)])
}

/** A scan of one direction in JavaScript. `keep` asks for the outputs of all steps, and steps whose numbers all round to `skipped` do not count. */
const SCAN = `  const logistic = (x) => 1 / (1 + Math.exp(-x))
  // the new state of a unit j, from x·W + b and h·U of its gates
  const cells = {
    simple: (z, u, h, j) => Math.tanh(z[j] + u[j]),
    gruAfter: (z, u, h, j, n, b) => {
      const [r, update] = [logistic(z[j] + u[j]), logistic(z[n + j] + u[n + j])]
      const candidate = Math.tanh(z[2 * n + j] + r * (u[2 * n + j] + b[j]))
      return candidate + update * (h[j] - candidate)
    },
    gruBefore: (z, u, h, j, n) => {
      const [update, candidate] = [logistic(z[n + j] + u[n + j]), Math.tanh(z[2 * n + j] + u[2 * n + j])]
      return candidate + update * (h[j] - candidate)
    },
    lstm: (z, u, h, j, n, b, c) => {
      const [input, forget, output] = [0, 1, 3].map((gate) => logistic(z[gate * n + j] + u[gate * n + j]))
      c[j] = forget * c[j] + input * Math.tanh(z[2 * n + j] + u[2 * n + j])
      return output * Math.tanh(c[j])
    },
  }
  // h·U in the columns from \`from\` to \`to\`
  const timesState = (h, weight, from, to, u) => {
    u.fill(0, from, to)
    for (let i = 0; i < h.length; i++) for (let j = from; j < to; j++) u[j] += h[i] * weight[i * u.length + j]
  }
  const scan = (cell, x, inputs, n, weight, recurrent, bias, b, reverse, keep, skipped) => {
    const [steps, width] = [x.length / inputs, weight.length / inputs]
    const [z, u, c] = [new Float64Array(width), new Float64Array(width), new Float64Array(n)]
    const outputs = new Float64Array(keep ? steps * n : n)
    let h = new Float64Array(n)
    for (let at = 0; at < steps; at++) {
      const step = reverse ? steps - 1 - at : at
      const row = x.subarray(step * inputs, (step + 1) * inputs)
      if (row.every((value) => Math.fround(value) === skipped)) continue
      for (let j = 0; j < width; j++) z[j] = bias === null ? 0 : bias[j]
      for (let i = 0; i < inputs; i++) for (let j = 0; j < width; j++) z[j] += row[i] * weight[i * width + j]
      if (cell === 'gruBefore') {
        timesState(h, recurrent, 0, 2 * n, u)
        timesState(h.map((value, j) => value * logistic(z[j] + u[j])), recurrent, 2 * n, 3 * n, u)
      } else timesState(h, recurrent, 0, width, u)
      h = h.map((_, j) => cells[cell](z, u, h, j, n, b, c))
      if (keep) outputs.set(h, step * n)
    }
    return keep ? outputs : h
  }
  // the outputs of directions side by side, step by step
  const beside = (parts, n) => Float64Array.from({ length: parts.length * parts[0].length }, (_, i) => {
    const [step, column] = [Math.floor(i / (parts.length * n)), i % (parts.length * n)]
    return parts[Math.floor(column / n)][step * n + (column % n)]
  })`

function source(layer: RecurrentLayer, to: FunctionSource, at: string): string {
  const { cell, inputs, units, returnSequences, maskValue, statefulRows } = layer.settings
  if (statefulRows > 0)
    throw rangeError(
      `toFunction: ${layer.describe()} '${at}' has statefulRows, and a function keeps no state between calls; export the same weights in a layer without it`,
    )
  to.helper(SCAN)
  const directions = weightsOf(layer as unknown as Members).map(({ weight, recurrentWeight, bias, recurrentBias }, i) => {
    const candidate = to.wholes(recurrentBias?.data() ?? new Float32Array(units))
    const weights = [to.constant(weight.data()), to.constant(recurrentWeight.data()), bias ? to.wholes(bias.data()) : 'null', candidate]
    return `scan('${cell}', x, ${inputs}, ${units}, ${weights.join(', ')}, ${i === 1}, ${returnSequences}, ${Math.fround(maskValue ?? Number.NaN)})`
  })
  return directions.length === 1 ? directions[0] : `beside([${directions.join(', ')}], ${units})`
}

/** @internal */
export const recurrentExports: LayerExports = exports<RecurrentLayer>({
  check,
  onnx,
  source,
  width: ({ inputs }) => inputs,
  outputs: ({ settings: { units, bidirectional } }) => (bidirectional ? 2 * units : units),
  rank: ({ settings }) => (settings.returnSequences ? 3 : 2),
})
