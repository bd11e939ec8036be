/** The layers of this room in model files: importing `gradus/recurrent` is enough to read a file with them. */
import { CELLS, type CellName } from '../backend/recurrent-kernels.js'
import { kind, type LayerConfig, registerLayers } from '../files/kinds.js'
import type { Module } from '../nn/module.js'
import { recurrentExports } from './exports.js'
import { GRU } from './gru.js'
import type { RecurrentSettings } from './layer.js'
import { LSTM } from './lstm.js'
import type { GRUOptions } from './options.js'
import { SimpleRNN } from './simple-rnn.js'

/** Names in files: of sizes and options. `maskValue` is null for none. */
const NAMES = [
  ...(['inputs', 'units', 'returnSequences', 'bidirectional', 'bias', 'dropout', 'recurrentDropout', 'maskValue', 'statefulRows'] as const),
]

type Config = LayerConfig &
  Pick<RecurrentSettings, Exclude<(typeof NAMES)[number], 'maskValue'>> & { maskValue: number | null; resetAfter?: boolean }

/** The weights come from the file. */
const UNFILLED = { weightInitializer: 'zeros', recurrentInitializer: 'zeros', biasInitializer: 'zeros' } as const

/** A kind of layer; `make` gets options that the constructor checks. */
function recurrentKind<L extends Module & { settings: Readonly<RecurrentSettings & GRUOptions> }>(
  make: (inputs: number, units: number, options: GRUOptions) => L,
  cellOf: (config: Config) => CellName,
  own: readonly 'resetAfter'[] = [],
) {
  return kind<L, Config>({
    exports: recurrentExports,
    save: ({ settings }) => {
      const { maskValue = null, resetAfter, ...rest } = settings
      const named = Object.fromEntries(NAMES.map((name) => [name, name === 'maskValue' ? maskValue : rest[name]]))
      return { ...named, ...(own.length > 0 && { resetAfter }) } as unknown as Config
    },
    names: [...NAMES, ...own],
    load: ({ inputs, units, maskValue, ...options }, more) =>
      make(inputs, units, { ...options, ...(maskValue !== null && { maskValue }), ...UNFILLED, ...more }),
    shapes: (config) => shapesOf(cellOf(config), config),
  })
}

function shapesOf(cell: CellName, { inputs, units, bidirectional, bias, statefulRows }: Config): Record<string, number[]> {
  const { gates, state } = CELLS[cell]
  const own: Record<string, number[]> = {
    ...{ weight: [inputs, gates * units], recurrentWeight: [units, gates * units] },
    ...(bias && { bias: [gates * units] }),
    ...(bias && cell === 'gruAfter' && { recurrentBias: [units] }),
  }
  const other = Object.entries(own).map(([name, shape]) => [`reverse${name[0].toUpperCase()}${name.slice(1)}`, shape])
  return { ...own, ...(bidirectional && Object.fromEntries(other)), ...(statefulRows > 0 && { lastState: [statefulRows, state * units] }) }
}

const gru = recurrentKind(
  (inputs, units, options) => new GRU(inputs, units, options),
  ({ resetAfter }) => (resetAfter ? 'gruAfter' : 'gruBefore'),
  ['resetAfter'],
)
const lstm = recurrentKind(
  (inputs, units, options) => new LSTM(inputs, units, options),
  () => 'lstm',
)
const simple = recurrentKind(
  (inputs, units, options) => new SimpleRNN(inputs, units, options),
  () => 'simple',
)

registerLayers([
  ['GRU', GRU, gru],
  ['LSTM', LSTM, lstm],
  ['SimpleRNN', SimpleRNN, simple],
])
