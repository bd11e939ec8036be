import { firstOrder, flag, list, number, oneOf, options, RATE, record, SEED, STEP, schedule, text, whole } from '../checks'
import { methodOf } from '../methods'
import { CONSTANT } from '../schedules/choice'
import { tabState } from '../tab-state'
import { type Change, type DataChoice, type DataKind, type RunChoice, type TrainingConfig, turned } from './config'

/** Characters of a table that the page takes: it is all in memory. */
export const LARGEST_TABLE = 4_000_000

/** The state of the Train tab; `seed` is also the seed of the data. */
export interface TrainState extends Omit<TrainingConfig, 'data'>, Required<Omit<DataChoice, 'kind'>> {
  data: DataKind
  /** The run whose net is shown. */
  chosen: number
  /** The inputs that the map shows, across and upwards. */
  across: number
  upwards: number
  /** The step that is shown. */
  at: number
  isPlaying: boolean
  /** Number of steps per second; 0 for as many as possible. */
  speed: number
  axis: string
  loss: string
  /** The class that a click draws. */
  brush: number
  /** Looks for what is wrong with the run whose net is shown. */
  xray: boolean
  /** Shows one row forward through the net and back, in place of the net. */
  backprop: boolean
  /** Shows how noisy gradients of batches are. */
  variance: boolean
  /** Shows the sharpness of the loss beside the limit of the rate. */
  sharpness: boolean
}

export function run(method: string, changes: Partial<RunChoice> = {}): RunChoice {
  return { method, rate: methodOf(method).netRate, options: {}, batch: 16, schedule: CONSTANT, ...changes }
}

const BATCH = whole(0, 100_000)
const EDIT = record({ layer: whole(0, 8), index: whole(0, 1e6), value: number(-1e6, 1e6) })

export const train = tabState<TrainState>(
  'train',
  {
    data: 'moons',
    count: 300,
    noise: 0.15,
    points: [],
    csv: '',
    target: '',
    hidden: [8, 8],
    activation: 'tanh',
    seed: 1,
    decay: 0,
    runs: [run('Adam'), run('SGD')],
    changes: [],
    ...{ chosen: 0, across: 0, upwards: 1 },
    at: 0,
    isPlaying: true,
    speed: 100,
    axis: 'steps',
    loss: 'test',
    brush: 0,
    xray: false,
    backprop: false,
    variance: false,
    sharpness: false,
    sorted: false,
  },
  {
    data: oneOf(['moons', 'circles', 'spirals', 'blobs', 'xor', 'drawn', 'csv', 'digits']),
    count: whole(4, 10_000),
    noise: number(0, 10),
    points: list(number(-100, 100), 30_000),
    csv: text(LARGEST_TABLE),
    target: text(1000),
    hidden: list(whole(1, 256), 8),
    activation: oneOf(['tanh', 'relu', 'sigmoid', 'gelu', 'silu', 'linear', 'leakyRelu', 'softplus', 'elu', 'mish', 'selu']),
    seed: SEED,
    decay: number(0, 100),
    runs: list(record({ method: firstOrder, rate: RATE, options, batch: BATCH, schedule }), 8, 1),
    changes: list(
      record({ step: STEP, run: whole(0, 7) }, { method: firstOrder, rate: RATE, batch: BATCH, schedule, weights: list(EDIT, 100) }),
      1000,
    ),
    ...{ chosen: whole(0, 7), across: whole(0, 999), upwards: whole(0, 999) },
    at: STEP,
    isPlaying: flag,
    speed: number(0, 1e4),
    axis: oneOf(['steps', 'samples', 'seconds']),
    loss: oneOf(['test', 'train', 'batch']),
    brush: whole(0, 9),
    xray: flag,
    backprop: flag,
    variance: flag,
    sharpness: flag,
    sorted: flag,
  },
  (state) => ({
    ...state,
    chosen: Math.min(state.chosen, state.runs.length - 1),
    changes: state.changes.filter(({ run }) => run < state.runs.length),
  }),
  // A file stays on the visitor's machine. Older links had it, and still open.
  ['csv'],
)

export function configOf(state: TrainState): TrainingConfig {
  const { data: kind, count, noise, seed, points, csv, target, sorted, hidden, activation, decay, runs, changes } = state
  return { data: { kind, count, noise, seed, points, csv, target, sorted }, hidden, activation, seed, decay, runs, changes }
}

/** The present options of a run: as chosen, with later changes. */
export function present(state: TrainState, index: number): RunChoice {
  return state.changes.filter(({ run }) => run === index).reduce(turned, state.runs[index])
}

/** Records a change at a step, in addition to earlier changes at that step. */
export function remember(change: Change): void {
  const { changes } = train.state.value
  const isSame = ({ step, run }: Change) => step === change.step && run === change.run
  const before = changes.find(isSame)
  const weights = [...(before?.weights ?? []), ...(change.weights ?? [])]
  train.set({ changes: [...changes.filter((old) => !isSame(old)), { ...before, ...change, ...(weights.length > 0 && { weights }) }] })
}

/** Restarts with the present choices. */
export function startAfresh(changes: Partial<TrainState> = {}): void {
  const state = train.state.value
  train.set({ runs: state.runs.map((_, i) => present(state, i)), changes: [], at: 0, ...changes })
}
