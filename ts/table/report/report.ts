/** The report on a model of a table. */
import type { ColumnReport, LeftOut } from '../../data/index.js'
import type { PairedDifference } from '../measure/compare.js'
import type { CalibrationBin, Importance, MeasuredMetric } from '../measure/measure.js'
import type { Leak } from '../rows/leaks.js'
import type { ReportedDecision } from '../target/decision.js'
import type { Distribution } from '../target/response.js'
import type { LearningCurve } from './learning-curve.js'

/** A training row that looks mislabelled. */
export interface Suspect {
  /** Number among the given rows, from 0; of a sample, among those of the file. */
  row: number
  given: string | number
  predicted: string | number
  /** For classes, the probabilities of both. */
  probabilities?: { given: number; predicted: number }
}

/** Intervals of a numeric target if they should be as wide as each row asks for. */
export interface ReportedIntervals {
  width: 'row' | 'constant'
  /**
   * Interval score at a coverage of 0.9 on rows that nets did not learn from, as a fraction of that of intervals of one width: below 1 is better. Absent
   * if there were too few rows, or no time, to learn from.
   */
  score?: number
}

/** The report of `trainTable`, as plain JSON. */
export interface TableModelReport extends ReportedDecision {
  task: 'classification' | 'regression'
  target: string
  /** Distribution of a numeric target around its prediction. Absent if it is `normal`. */
  distribution?: Distribution
  /** Present with `intervals: 'row'`. */
  intervals?: ReportedIntervals
  /** Empty if numbers are predicted. */
  classNames: string[]
  /** Number of training rows, of test rows, and of rows without a target. */
  rows: { train: number; test: number; dropped: number }
  /** Rows that were left out, including rows of `test`, with reasons. Together with training and test rows they are all given rows. */
  leftOut: LeftOut[]
  /** Rows of the whole table, if those above are a random sample of it. */
  sampledFrom?: number
  /** If the test rows are the latest ones: the column of times, and the value of the first test row. */
  splitBy?: { column: string; from: string }
  /** If rows of a group stayed together: the column, and numbers of groups to learn from and to test with. The latter is absent for rows of `test`. */
  groups?: { column: string; train: number; test?: number }
  /** Columns that alone predict nearly all of the target, as those do that are known only after it. Absent if there are none. */
  leaks?: readonly Leak[]
  /**
   * Training rows that look mislabelled, the surest first, at most 20: by nets that did not see them another class has a probability that is larger by
   * 0.5 or more (confident learning), or the number is further away than eight times the usual error. Absent if there are none, or if classes are hard
   * to tell apart, or errors heavy-tailed, so that a surprise is no mistake.
   */
  suspects?: readonly Suspect[]
  /** Present with `learningCurve: true`, unless the signal ended the training. */
  learningCurve?: LearningCurve
  /** The encoding of each column, with the reason. */
  columns: ColumnReport[]
  metrics: MeasuredMetric[]
  /**
   * Advantage of the model over a guess, a straight line, the target of the row before in time, and the model of `compareWith`, on the same test rows,
   * weighted as in training. Absent for fewer than three rows.
   */
  compared?: { guess: PairedDifference; line?: PairedDifference; before?: PairedDifference; other?: PairedDifference }
  /** Test rows by true class (rows) and predicted class (columns). */
  confusion?: number[][]
  /**
   * For classes: frequency with which the likeliest class was correct, beside its probability. For numbers: share of intervals that contained the
   * true number.
   */
  calibration: { bins: CalibrationBin[]; error: number }
  /** Rise of the loss when a column is shuffled; the most important first. */
  importance: Importance[]
  /** For numbers, some test rows: true and predicted values. */
  examples?: { true: number; predicted: number }[]
  /**
   * Kinds of nets that were tried, the best first; loss on held-out rows, or with `metric` 1 − its value (for `mae` the absolute error); number of
   * times chosen.
   */
  candidates: { plan: string; loss: number; votes: number }[]
  /** Nets that were trained, and nets that answer together. */
  nets: { trained: number; used: number }
  /** Losses by epoch of the best kind of net. */
  curve: { loss: number[]; validation: number[] }
  /** Of the whole call: reading, training and measuring. */
  seconds: number
  seed: number
  /** Possible problems, and suggestions for the next attempt. */
  advice: string[]
}

/** The report of `trainTable` on several targets, as plain JSON. */
export interface TargetsReport {
  targets: string[]
  /** Number of test rows that have all targets. */
  rows: { test: number }
  /** Metrics over all targets, on these rows: the mean R² of numbers; of classes, the share of rows in which all are right, and F1 of labels. */
  metrics: MeasuredMetric[]
  /** By target. */
  reports: Record<string, TableModelReport>
  /** Nets that were trained, and nets that the models consist of. */
  nets: { trained: number; used: number }
  /** Of the whole call: reading, training and measuring. */
  seconds: number
  seed: number
}
