/** What a report says in words: what to look at, and what to try next. */
import type { TableModelReport } from './report.js'

/** What is known besides the report. */
export interface Circumstances {
  /** Whether several kinds of nets were tried. */
  hasTime: boolean
  /** Training rows of each class. */
  counts: readonly number[]
}

/** A share of what all columns bring that is hardly worth one. */
const LITTLE = 0.01

/** @internal */
export function adviceOn(report: TableModelReport, { hasTime, counts }: Circumstances): string[] {
  const { rows, splitBy, metrics, importance, classNames, curve, columns } = report
  const advice: string[] = []
  const [main] = metrics
  if (main !== undefined && main.low <= main.baseline && main.value > main.baseline - 1)
    advice.push(
      `The ${main.name} is hardly better than a guess without columns (${short(main.value)} beside ${short(main.baseline)}): the columns say little about '${report.target}', or there are too few rows.`,
    )
  if (main?.line !== undefined && main.line >= main.low) {
    const kind = report.task === 'classification' ? 'logistic regression' : 'linear regression'
    const values = `${main.name} ${short(main.line)} beside ${short(main.value)} of the nets`
    advice.push(
      main.line >= main.value
        ? `A straight line (${kind}) is ${main.line > main.high ? 'better' : 'at least as good'}: ${values}. --hidden none trains one, which is smaller and easier to explain.`
        : `A straight line (${kind}) is nearly as good: ${values}, a difference that may be luck on ${rows.test} test rows.`,
    )
  }
  const total = importance.reduce((sum, { rise }) => sum + Math.max(0, rise), 0)
  const [first] = importance
  if (first !== undefined && importance.length > 2 && total > 0 && first.rise > 0.9 * total)
    advice.push(
      `Nearly all comes from '${first.column}'. If it is known only after '${report.target}' is, leave it out: --exclude ${quoted(first.column)}.`,
    )
  const rare = classNames.filter((_, i) => counts[i] < 10)
  if (rare.length > 0)
    advice.push(`Of ${names(rare)} there are fewer than 10 rows to learn from: gather more of them, or put such classes together.`)
  if (rows.test < 100)
    advice.push(
      `The test set has ${rows.test} ${rows.test === 1 ? 'row' : 'rows'}, so the intervals are wide. More rows${splitBy ? ' tell' : ', or another --seed, tell'} how much is luck.`,
    )
  const [trained, judged] = [curve.loss.at(-1) ?? 0, Math.min(...curve.validation.filter(Number.isFinite))]
  if (judged > 2 * trained && judged > 0.15)
    advice.push('The nets know their training rows much better than others: more rows would help more than longer training.')
  const useless = importance.filter(({ rise, deviation }) => rise <= deviation && rise < LITTLE * total).map(({ column }) => column)
  if (useless.length > 0 && useless.length < importance.length)
    advice.push(
      `Shuffling ${useless.length === 1 ? '' : 'any one of '}${names(useless)} changes next to nothing: --exclude tells whether the model is as good without ${useless.length === 1 ? 'it' : 'some of them'}, and simpler.`,
    )
  const ofTarget = columns
    .filter(({ role }) => role === 'target')
    .flatMap(({ name, notes }) => notes.map((note) => `Column '${name}': ${note}.`))
  const noted = columns.filter(({ role, notes }) => role === 'input' && notes.length > 0)
  for (const { name, notes } of noted.slice(0, 3)) advice.push(`Column '${name}': ${notes.join('; ')}.`)
  if (!hasTime) advice.push('--time 60s tries more kinds of nets and lets the best answer together, which is usually better.')
  return [...ofTarget, ...advice]
}

function short(x: number): string {
  return String(Number(x.toPrecision(3)))
}

function quoted(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`
}

/** `'a', 'b' and 5 more` */
function names(list: readonly string[]): string {
  const shown = list.slice(0, 4).map((name) => `'${name}'`)
  return list.length > 4 ? `${shown.join(', ')} and ${list.length - 4} more` : shown.join(', ')
}
