/** How the seconds of `time` are divided between the search for nets and the report on them. */
import { clock } from '../common/clock.js'
import { IMPORTANCE_ROWS, type ImportanceLimit, MIN_ROWS, SHUFFLES, secondsOfMetrics } from './measure.js'

/** Seconds that selection and report are left at least, beside what is measured. */
const LEAST_SECONDS = 0.15
/** Of the whole time: what they are left in addition, and what they may take at most. */
const ADDED_SHARE = 0.02
const MOST_SHARE = 0.4
/** A guess of the time of predictions is short by so much at times. */
const SAFETY = 1.2
/** Times that a few rows are predicted for importance, besides once for each column. */
const PASSES_OF_IMPORTANCE = 3
/** Seconds that importance takes at most where no time was given, about: there its work is counted, not its time. */
const SECONDS_FOR_IMPORTANCE = 5
/** Milliseconds before the end at which importance stops. */
const MARGIN = 20

/** When what has to be over, as clock.now() counts. */
export interface TimeBudget {
  /** The end of all; undefined where there is no limit. */
  end: number | undefined
  /** Seconds that the report takes where the ensemble takes so many for a row: the least where time is limited, else an estimate. */
  reserve: (secondsOfRow: number) => number
  /** When to stop resampling metrics: of the time that is left when they begin, importance gets the other half. */
  endOfMetrics(): number
  /** @param weights those of the model for each row */
  limitOfImportance(weights: number): ImportanceLimit
}

/** @param tested what the report is made from @param columns inputs whose importance is measured */
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
  const fixed = LEAST_SECONDS + ADDED_SHARE * time + secondsOfMetrics(tested.targets, baseline, tested.classes, 'least')
  // rows that the nets predict after the search, at least: those of the test, and some for the importance of each column
  const rows = tested.count + (PASSES_OF_IMPORTANCE + columns) * Math.min(MIN_ROWS, tested.count)
  return {
    end,
    reserve: (secondsOfRow) => Math.min(MOST_SHARE * time, fixed + SAFETY * secondsOfRow * rows),
    endOfMetrics: () => (clock.now() + end) / 2,
    limitOfImportance: () => ({ until: end - MARGIN }),
  }
}
