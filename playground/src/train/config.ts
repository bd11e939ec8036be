/** Configuration of a training: plain data, which determine the weights at any step. */
import type { Options } from '../engine/optimizers'
import type { ScheduleChoice } from '../schedules/choice'

export type DataKind = 'moons' | 'circles' | 'spirals' | 'blobs' | 'xor' | 'drawn' | 'csv' | 'digits'

export interface DataChoice {
  kind: DataKind
  count: number
  noise: number
  seed: number
  /** For `drawn`: x, y and class of each point, coordinates from −1 to 1. */
  points: readonly number[]
  /** For `csv`: the file's text, and the column to predict ('' for the last). */
  csv: string
  target: string
  /** Training rows by class, as in many files, and in this order in each epoch, where others are shuffled. Default false. */
  sorted?: boolean
}

export interface RunChoice {
  method: string
  rate: number
  options: Options
  /** Rows of a step; 0 for all. */
  batch: number
  schedule: ScheduleChoice
}

/** A setting that was changed during training. */
export interface Change {
  /** The first step to which the change applies. */
  step: number
  run: number
  method?: string
  rate?: number
  batch?: number
  schedule?: ScheduleChoice
  /** Weights that were set by hand. */
  weights?: readonly WeightEdit[]
}

/** A weight that was set by hand: its layer, its index (inputs × units) and its value. */
export interface WeightEdit {
  layer: number
  index: number
  value: number
}

export interface TrainingConfig {
  data: DataChoice
  hidden: readonly number[]
  activation: string
  seed: number
  decay: number
  runs: readonly RunChoice[]
  changes: readonly Change[]
}

/** A run after a change; options belong to a method, so another method has none. */
export function turned(now: RunChoice, { step: _, run: __, weights: ___, ...change }: Change): RunChoice {
  return { ...now, ...(change.method === undefined ? {} : { options: {} }), ...change }
}
