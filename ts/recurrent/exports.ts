/** Recurrent layers in ONNX. */
import { CELLS, type CellName } from '../backend/recurrent-kernels.js'
import { rangeError } from '../common/errors.js'
import { exports, type LayerExports, type OnnxGraph } from '../export/layer-exports.js'
import type { Parameter } from '../parameter.js'
import type { Members, RecurrentLayer } from './layer.js'

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

/** The weights of one direction: of inputs, of the state, and both biases. */
interface Direction {
  weight: Parameter
  recurrentWeight: Parameter
  bias: Parameter | null
  recurrentBias?: Parameter | null
}

function directionsOf(m: Members): Direction[] {
  if (m.reverseWeight === undefined) return [m]
  const reverse = { weight: m.reverseWeight, recurrentWeight: m.reverseRecurrentWeight as Parameter, bias: m.reverseBias ?? null }
  return [m, { ...reverse, recurrentBias: m.reverseRecurrentBias ?? null }]
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
  const directions = directionsOf(layer as unknown as Members)
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

/** @internal */
export const recurrentExports: LayerExports = exports<RecurrentLayer>({
  check,
  onnx,
  rank: ({ settings }) => (settings.returnSequences ? 3 : 2),
})
