/** What a training is made of: plain data, from which the same weights come again at any step. */
import type { Options } from '../engine/optimizers'
import type { ScheduleChoice } from '../schedules/choice'

export type DataKind = 'moons' | 'circles' | 'spirals' | 'blobs' | 'xor' | 'drawn' | 'csv' | 'digits'

export interface DataChoice {
  kind: DataKind
  count: number
  noise: number
  seed: number
  /** Of `drawn`: x, y and class in turn, coordinates from −1 to 1. */
  points: readonly number[]
  /** Of `csv`: the file's text, and the column to predict ('' for the last). */
  csv: string
  target: string
}

export interface RunChoice {
  method: string
  rate: number
  options: Options
  /** Rows of a step; 0 for all. */
  batch: number
  schedule: ScheduleChoice
}

/** Something that was turned while training went on. */
export interface Change {
  /** The first step that it holds for. */
  step: number
  run: number
  method?: string
  rate?: number
  batch?: number
  schedule?: ScheduleChoice
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

/** A run as it is after something was turned; options are those of a method, so another method has none. */
export function turned(now: RunChoice, { step: _, run: __, ...change }: Change): RunChoice {
  return { ...now, ...(change.method === undefined ? {} : { options: {} }), ...change }
}
