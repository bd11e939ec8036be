/** What several targets share: the test rows, and the guesses that all are compared with. */
import { rangeError } from '../../common/errors.js'
import type { Row } from '../../data/index.js'
import { missingTest, valueIn } from '../../data/table/values.js'
import type { ColumnPlan } from './column-plan.js'
import { type AsideOptions, setAside } from './set-aside.js'

/** Least average number of rows of a value for which the values of a target count as classes in a cut. */
const ROWS_OF_CLASS = 5
const YES = /^(1|true|yes|y)$/i
const NO = /^(0|false|no|n)$/i

/** Rows to learn from and test rows, cut once for all targets: the plan of the first one says how times are written. */
export class SharedCut {
  /** Rows to learn from, and test rows; undefined before the first target, and for test rows that were given. */
  parts: readonly Row[][] | undefined
  /** For each target the guess that looks at no column, from the rows to learn from. */
  readonly guesses = new Map<string, readonly number[]>()

  constructor(private readonly targets: readonly string[]) {}

  /** The parts, without the rows that have a gap in the target of the plan. @throws RangeError if a part has no others */
  partsOf(plan: ColumnPlan, all: readonly Row[], options: AsideOptions): readonly Row[][] {
    this.parts ??= setAside('trainTable', plan, all, { ...options, classOf: rarestClasses(all, this.targets) })
    const own = new Set(plan.rows)
    const parts = this.parts.map((rows) => rows.filter((row) => own.has(row)))
    if (parts.some(({ length }) => length === 0))
      throw rangeError(
        `trainTable: column '${plan.target}' has so few values that the rows to learn from, or the test rows, have none; train it apart`,
      )
    return parts
  }
}

/**
 * For each row the rarest of its classes: in parts with the same share of these, every class that has rows enough is on both sides, as in iterative
 * stratification (Sechidis, Tsoumakas & Vlahavas 2011). Undefined if no target has classes.
 */
function rarestClasses(rows: readonly Row[], targets: readonly string[]): string[] | undefined {
  const isGap = missingTest()
  const classes = targets.flatMap((target) => {
    const counts = new Map<string, number>()
    for (const row of rows) {
      const value = valueIn(row, target)
      if (!isGap(value)) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1)
    }
    return counts.size > 1 && counts.size * ROWS_OF_CLASS <= rows.length ? [{ target, counts }] : []
  })
  if (classes.length === 0) return undefined
  return rows.map((row) => {
    let [rarest, least] = ['', Number.POSITIVE_INFINITY]
    for (const { target, counts } of classes) {
      const value = String(valueIn(row, target))
      const count = counts.get(value) ?? least
      if (count < least) [rarest, least] = [`${target}=${value}`, count]
    }
    return rarest
  })
}

/** The class that says yes, of two that say yes and no. */
export function yesOf(classNames: readonly string[]): string | undefined {
  const yes = classNames.find((name) => YES.test(name))
  return classNames.length === 2 && classNames.some((name) => NO.test(name)) ? yes : undefined
}
