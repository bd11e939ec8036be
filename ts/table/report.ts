/** What is found out about a model of a table. */
import type { ColumnReport, LeftOut } from '../data/index.js'
import type { PairedDifference } from './compare.js'
import type { ReportedDecision } from './decision.js'
import type { CalibrationBin, Importance, MeasuredMetric } from './measure.js'

/** What `trainTable` found out, as plain JSON. */
export interface TableModelReport extends ReportedDecision {
  task: 'classification' | 'regression'
  target: string
  /** Empty where numbers are predicted. */
  classNames: string[]
  /** Rows that nets were trained on, rows of the report, and rows without a target. */
  rows: { train: number; test: number; dropped: number }
  /** Rows that were left out, those of `test` included, and why. With those that were trained on and tested with they are all rows that were given. */
  leftOut: LeftOut[]
  /** Where test rows are the latest ones: by which column, and the value of the first of them. */
  splitBy?: { column: string; from: string }
  /** What became of each column, and why. */
  columns: ColumnReport[]
  metrics: MeasuredMetric[]
  /**
   * How much less the model loses than a guess, a straight line, and the model of `compareWith`, on the same test rows, which count as those of training.
   * Left out of fewer than three rows.
   */
  compared?: { guess: PairedDifference; line?: PairedDifference; other?: PairedDifference }
  /** Test rows by true class (rows) and predicted class (columns). */
  confusion?: number[][]
  /** Of classes: how often the likeliest one was right, beside its probability. Of numbers: how often intervals held the true one. */
  calibration: { bins: CalibrationBin[]; error: number }
  /** How much the loss rises where a column is shuffled; the most important first. */
  importance: Importance[]
  /** Of numbers, some test rows: what is true and what was predicted. */
  examples?: { true: number; predicted: number }[]
  /**
   * Kinds of nets that were tried, the best first; loss on rows they did not see, or with `metric` 1 − what it gave (absolute error of `mae`); how often
   * chosen.
   */
  candidates: { plan: string; loss: number; votes: number }[]
  /** Nets that were trained, and nets that the model consists of. */
  nets: { trained: number; used: number }
  /** Losses by epoch of the best kind of net. */
  curve: { loss: number[]; validation: number[] }
  seconds: number
  seed: number
  /** What to look at, and what to try next. */
  advice: string[]
}
