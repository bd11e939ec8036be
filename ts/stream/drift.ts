/** Notices that a loss has risen for good, in a sequence without end. */
import { savedScalars } from '../common/saved.js'

/** Rows whose mean loss is one value: means of so many are nearly normal, whatever the loss of a row is. */
const BLOCK = 32
/** Values before the first judgment. */
const LEAST = 30
/** Weight of a value in mean and variance, after a hundred of them: they follow slow changes. */
const RATE = 0.01
/** Deviations by which a value has to be above the mean to count, and by which it counts at most. */
const SLACK = 0.5
const MOST = 4
/** Sum of deviations that is a drift: none in 300,000 values of five kinds of noise; a loss that triples is told after four or five values. */
const LIMIT = 15

/** A change of the data: the loss of new rows is higher than before. */
export interface Drift {
  /** Number of the row at which it was noticed, from 0. */
  row: number
  /** Mean loss before, and since the change. */
  before: number
  now: number
}

/** @internal A one-sided cumulative sum (Page 1954) of the loss, in standard deviations of its recent values. */
export class DriftDetector {
  private rows = 0
  private sum = 0
  private values = 0
  private mean = 0
  private variance = 0
  private above = 0
  private since = 0
  private sumSince = 0

  /** @returns the mean loss before and since the change, if there was one; everything before it is forgotten then */
  add(loss: number, rows: number): Omit<Drift, 'row'> | null {
    this.rows += rows
    this.sum += loss * rows
    if (this.rows < BLOCK) return null
    const value = this.sum / this.rows
    this.rows = this.sum = 0
    return this.addValue(value)
  }

  private addValue(value: number): Omit<Drift, 'row'> | null {
    const { mean, variance } = this
    this.values++
    const deviation = Math.sqrt(variance) || 1e-3 * Math.abs(mean) || Number.MIN_VALUE
    const score = Math.max(-MOST, Math.min(MOST, (value - mean) / deviation))
    const isJudged = this.values > LEAST
    if (isJudged) {
      this.above = Math.max(0, this.above + score - SLACK)
      this.since = this.above > 0 ? this.since + 1 : 0
      this.sumSince = this.above > 0 ? this.sumSince + value : 0
    }
    // a value far off moves mean and variance no more than one that counts at most
    const step = isJudged ? score * deviation : value - mean
    const weight = Math.max(1 / this.values, RATE)
    this.mean += weight * step
    this.variance = this.values === 1 ? 0 : (1 - weight) * (variance + weight * step * step)
    if (this.above <= LIMIT) return null
    const drift = { before: this.mean, now: this.sumSince / this.since }
    this.loadState(new DriftDetector().state())
    return drift
  }

  state(): Record<string, number> {
    const { rows, sum, values, mean, variance, above, since, sumSince } = this
    return { rows, sum, values, mean, variance, above, since, sumSince }
  }

  loadState(state: Record<string, number>): void {
    const saved = savedScalars(state, 'drift')
    const { rows = 0, sum = 0, values = 0, mean = 0, variance = 0, above = 0, since = 0, sumSince = 0 } = saved
    Object.assign(this, { rows, sum, values, mean, variance, above, since, sumSince })
  }
}
