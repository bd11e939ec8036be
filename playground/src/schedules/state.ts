import { firstOrder, list, oneOf, RATE, SEED, schedule, whole } from '../checks'
import { tabState } from '../tab-state'
import type { TrainingConfig } from '../train/config'
import { CONSTANT, type ScheduleChoice } from './choice'

/** All that the Schedules tab shows comes from this. */
export interface SchedulesState {
  data: string
  method: string
  rate: number
  batch: number
  steps: number
  seed: number
  choices: readonly ScheduleChoice[]
}

export const schedulesTab = tabState<SchedulesState>(
  'schedules',
  {
    data: 'moons',
    method: 'SGD',
    rate: 0.5,
    batch: 4,
    steps: 1500,
    seed: 1,
    choices: [CONSTANT, { ...CONSTANT, kind: 'cosine', steps: 1500 }, { ...CONSTANT, kind: 'step', steps: 400, factor: 0.4 }],
  },
  {
    data: oneOf(['moons', 'circles', 'spirals', 'blobs']),
    method: firstOrder,
    rate: RATE,
    batch: whole(0, 1000),
    steps: whole(1, 20_000),
    seed: SEED,
    choices: list(schedule, 8, 1),
  },
)

const ROWS = 300
/** Number of training rows among them. */
export const TRAIN_ROWS = 210

/** A run for each schedule, from one start. */
export function configOf({ data, method, rate, batch, seed, choices }: SchedulesState): TrainingConfig {
  return {
    data: { kind: data as never, count: ROWS, noise: 0.25, seed, points: [], csv: '', target: '' },
    ...{ hidden: [8, 8], activation: 'tanh', seed, decay: 0, changes: [] },
    runs: choices.map((schedule) => ({ method, rate, options: {}, batch, schedule })),
  }
}
