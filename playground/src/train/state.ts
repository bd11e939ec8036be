import { methodOf } from '../methods'
import { CONSTANT } from '../schedules/choice'
import { tabState } from '../tab-state'
import { type Change, type DataChoice, type DataKind, type RunChoice, type TrainingConfig, turned } from './config'

/** All that the Train tab shows comes from this; `seed` is that of the data as well. */
export interface TrainState extends Omit<TrainingConfig, 'data'>, Omit<DataChoice, 'kind'> {
  data: DataKind
  /** The run whose net is shown. */
  chosen: number
  /** The step that is shown. */
  at: number
  isPlaying: boolean
  /** Steps a second; 0 for as many as there can be. */
  speed: number
  axis: string
  loss: string
  /** The class that a click draws. */
  brush: number
}

export function run(method: string, changes: Partial<RunChoice> = {}): RunChoice {
  return { method, rate: methodOf(method).netRate, options: {}, batch: 16, schedule: CONSTANT, ...changes }
}

export const train = tabState<TrainState>('train', {
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
  chosen: 0,
  at: 0,
  isPlaying: true,
  speed: 100,
  axis: 'steps',
  loss: 'test',
  brush: 0,
})

export function configOf(state: TrainState): TrainingConfig {
  const { data: kind, count, noise, seed, points, csv, target, hidden, activation, decay, runs, changes } = state
  return { data: { kind, count, noise, seed, points, csv, target }, hidden, activation, seed, decay, runs, changes }
}

/** What a run does now: as chosen, with what was turned since. */
export function present(state: TrainState, index: number): RunChoice {
  return state.changes.filter(({ run }) => run === index).reduce(turned, state.runs[index])
}

/** Keeps what was turned at a step, beside what was turned there before. */
export function remember(change: Change): void {
  const { changes } = train.state.value
  const isSame = ({ step, run }: Change) => step === change.step && run === change.run
  train.set({ changes: [...changes.filter((old) => !isSame(old)), { ...changes.find(isSame), ...change }] })
}

/** From the start with what is chosen now. */
export function startAfresh(changes: Partial<TrainState> = {}): void {
  const state = train.state.value
  train.set({ runs: state.runs.map((_, i) => present(state, i)), changes: [], at: 0, ...changes })
}
