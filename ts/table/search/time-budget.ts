/** Division of the seconds of `time` between the search for nets and the report. */
import { clock } from '../../common/clock.js'
import { IMPORTANCE_ROWS, type ImportanceLimit, MIN_ROWS, SHUFFLES, secondsOfMetrics } from '../measure/measure.js'

/** Guaranteed minimum of seconds for selection and report, in addition to measured times. */
const MIN_SECONDS = 0.15
/** Shares of the time budget for the report: an addition to the guaranteed minimum, and the maximum. */
const ADDED_SHARE = 0.02
const MAX_SHARE = 0.4
/** Safety factor, since estimates of prediction times are sometimes too short. */
const SAFETY = 1.2
/** Number of predictions of a few rows for importance, besides one per column. */
const PASSES_OF_IMPORTANCE = 3
/** Seconds for importance without a time limit, approximately: its work is then limited, not its time. */
const SECONDS_FOR_IMPORTANCE = 5
/** Milliseconds before the end at which importance stops. */
const MARGIN = 20

/** Deadlines in the time of clock.now(). */
export interface TimeBudget {
  /** The end of everything; undefined without a limit. */
  end: number | undefined
  /** Seconds for the report if the ensemble takes `secondsOfRow` per row: the minimum if time is limited, else an estimate. */
  reserve: (secondsOfRow: number) => number
  /** Time at which resampling of metrics stops; importance gets the other half of the time that is left then. */
  endOfMetrics(): number
  /** @param weights number of weights of the model per row */
  limitOfImportance(weights: number): ImportanceLimit
}

/** @param tested test rows @param columns inputs whose importance is measured */
export function timeBudget(
  time: number | undefined,
  began: number,
  tested: { count: number; targets: Int32Array | Float32Array; classes: number },
  baseline: readonly number[],
  columns: number,
): TimeBudget {
  if (time === undefined) {
    let metrics: number | undefined
    const forImportance = (1 + SHUFFLES * columns) * Math.min(IMPORTANCE_ROWS, tested.count)
    return {
      end: undefined,
      reserve(secondsOfRow) {
        metrics ??= secondsOfMetrics(tested.targets, baseline, tested.classes, 'all')
        return metrics + secondsOfRow * tested.count + Math.min(SECONDS_FOR_IMPORTANCE, secondsOfRow * forImportance)
      },
      endOfMetrics: () => Number.POSITIVE_INFINITY,
      limitOfImportance: (weights) => ({ weights }),
    }
  }
  const end = began + 1000 * time
  const fixed = MIN_SECONDS + ADDED_SHARE * time + secondsOfMetrics(tested.targets, baseline, tested.classes, 'least')
  // least number of rows that the nets predict after the search: the test rows, and some for the importance of each column
  const rows = tested.count + (PASSES_OF_IMPORTANCE + columns) * Math.min(MIN_ROWS, tested.count)
  return {
    end,
    reserve: (secondsOfRow) => Math.min(MAX_SHARE * time, fixed + SAFETY * secondsOfRow * rows),
    endOfMetrics: () => (clock.now() + end) / 2,
    limitOfImportance: () => ({ until: end - MARGIN }),
  }
}

/** The budget of work that leaves a share of the remaining time to other work. */
export function withTime(budget: TimeBudget, share: number): TimeBudget {
  const { end, reserve } = budget
  if (end === undefined) return budget
  const others = Math.max(0, (share * (end - clock.now())) / 1000)
  return { ...budget, reserve: (secondsOfRow) => reserve(secondsOfRow) + others }
}
