/** Scores of gradus beside the field's on 25 tables: in words, and as the section on tables of docs/benchmarks.md. */
import { existsSync, readFileSync } from 'node:fs'

/** Folder of the files that export.py writes. */
export const FOLDER = '.cache/tables'

/** Scores on the test rows of one split. */
export interface Scores {
  /** The log loss of classes, or the RMSE of numbers. */
  loss: number
  accuracy?: number
  /** Of two classes. */
  rocAuc?: number
  r2?: number
  /** Seconds of CPU. */
  cpu: number
  date: string
}

/** Scores by table, split and contestant. null: not finished in its time. */
export type Results = Record<string, Record<string, Record<string, Scores | null>>>

const read = (file: string): Results => {
  const at = new URL(`../results/${file}`, import.meta.url)
  return existsSync(at) ? JSON.parse(readFileSync(at, 'utf8')) : {}
}

/** The results of gradus and of the others; each split has those of all. */
export function readTables(own: Results = read('tables.json')): Results {
  const field = read('tables-field.json')
  const splits = (name: string) => [...new Set([own, field].flatMap((results) => Object.keys(results[name] ?? {})))]
  const names = [...new Set([...Object.keys(own), ...Object.keys(field)])].sort()
  const both = (name: string, split: string) => ({ ...field[name]?.[split], ...own[name]?.[split] })
  return Object.fromEntries(names.map((name) => [name, Object.fromEntries(splits(name).map((split) => [split, both(name, split)]))]))
}

const GRADUS = 'gradus'
/** Ends the names of those whose answers are the mean of five trainings, as field.py writes them. */
const BAG = ', bag of 5'
const AUTOGLUON = 'AutoGluon '
/** Contestants that train many models: bags and AutoGluon. */
const trainsMany = (who: string) => who.endsWith(BAG) || who.startsWith(AUTOGLUON)
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
const median = (values: readonly number[]) => {
  const sorted = [...values].sort((a, b) => a - b)
  return mean([sorted[(values.length - 1) >> 1], sorted[values.length >> 1]])
}
const geometric = (ratios: readonly number[]) => Math.exp(mean(ratios.map(Math.log)))

/** What is said of gradus beside a contestant, over the tables and splits that both have. */
interface Beside {
  who: string
  tables: number
  /** Splits of these tables. */
  splits: number
  /** Geometric mean of the losses of gradus, divided by the contestant's. */
  ratio: number
  /** Median of the tables' ratios: no table decides it alone. */
  median: number
  /** Tables on which the loss of gradus is lower. */
  won: number
  /** Probability of such a difference by chance, two-sided: Wilcoxon's signed-rank test of the logarithms, by a normal approximation. */
  p: number
  /** Mean CPU seconds of the contestant. */
  cpu: number
}

/** Comparison of gradus with the field. */
interface Comparison {
  others: Beside[]
  /** Mean rank of the contestants with results on every table, by the losses relative to gradus. */
  ranks: [who: string, rank: number][]
  /** Losses of gradus divided by the lowest loss of another, by table. */
  beside: [table: string, ratio: number, best: string][]
}

/** gradus, or gradus with a limit of time, beside contestants that train once, or beside bags and AutoGluon. */
export function compared(results: Results, gradus = GRADUS, many = false): Comparison {
  const splits = Object.entries(results).flatMap(([name, splits]) =>
    Object.values(splits).flatMap((split) => (split[gradus] ? [{ name, split }] : [])),
  )
  const names = [...new Set(splits.map(({ name }) => name))]
  const all = [...new Set(splits.flatMap(({ split }) => Object.keys(split)))].filter(
    (who) => !who.startsWith(GRADUS) && trainsMany(who) === many,
  )
  /** Mean logarithm of the ratio on a table; NaN without a split that both have. */
  const logOf = (name: string, who: string) => mean(shared(who).flatMap((split) => (split.name === name ? [split.log] : [])))
  /** Splits that both have. */
  const shared = (who: string) =>
    splits.flatMap(({ name, split }) => {
      const [own, other] = [split[gradus]?.loss, split[who]?.loss]
      return own !== undefined && other !== undefined ? [{ name, log: Math.log(own / other) }] : []
    })
  const besides = all.map((who): Beside => {
    const logs = names.map((name) => logOf(name, who)).filter((log) => !Number.isNaN(log))
    const cpu = mean(splits.flatMap(({ split }) => (split[who] ? [split[who].cpu] : [])))
    const won = logs.filter((log) => log < 0).length
    return {
      who,
      tables: logs.length,
      splits: shared(who).length,
      ratio: Math.exp(mean(logs)),
      median: Math.exp(median(logs)),
      won,
      p: wilcoxon(logs),
      cpu,
    }
  })
  const others = besides.filter(({ tables }) => tables > 0)
  const whole = [gradus, ...others.filter(({ tables }) => tables === names.length).map(({ who }) => who)]
  const logsOf = names.map((name) => whole.map((who) => (who === gradus ? 0 : -logOf(name, who))))
  const rankOf = (i: number) =>
    mean(logsOf.map((logs) => 0.5 + logs.filter((log) => log < logs[i]).length + logs.filter((log) => log === logs[i]).length / 2))
  const beside = names.map((name): [string, number, string] => {
    const logs = all.map((who) => logOf(name, who)).map((log) => (Number.isNaN(log) ? Number.NEGATIVE_INFINITY : log))
    const worst = Math.max(...logs)
    return [name, Math.exp(worst), all[logs.indexOf(worst)]]
  })
  const ranks = whole.map((who, i): [string, number] => [who, rankOf(i)]).sort((a, b) => a[1] - b[1])
  return { others, ranks, beside: beside.filter(([, ratio]) => ratio > 0) }
}

/** Two-sided p of Wilcoxon's signed-rank test, without ties. */
function wilcoxon(values: readonly number[]): number {
  const n = values.length
  const sorted = [...values].sort((a, b) => Math.abs(a) - Math.abs(b))
  const sum = sorted.reduce((sum, value, i) => sum + (value > 0 ? i + 1 : 0), 0)
  const z = Math.abs(sum - (n * (n + 1)) / 4) / Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24)
  // the tail of the normal distribution (Abramowitz & Stegun 26.2.17)
  const t = 1 / (1 + 0.2316419 * z)
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  return 2 * (Math.exp(-(z ** 2) / 2) / Math.sqrt(2 * Math.PI)) * series
}

/** The comparison in lines, for a terminal. */
export function summaryOf(results: Results, gradus = GRADUS, many = false): string {
  const { others, ranks, beside } = compared(results, gradus, many)
  if (others.length === 0) return ''
  const sorted = [...beside].sort((a, b) => b[1] - a[1])
  return [
    `mean rank: ${ranks.map(([who, rank]) => `${who} ${rank.toFixed(2)}`).join(', ')}`,
    ...others.map(
      ({ who, ratio, median, won, tables, splits, p, cpu }) =>
        `beside ${who}: ${ratio.toFixed(3)}, median ${median.toFixed(3)}, better on ${won} of ${tables}, p ${p.toPrecision(2)}; ${splits} splits; it takes ${cpu.toFixed(1)} s`,
    ),
    `beside the best of each table: ${geometric(beside.map(([, ratio]) => ratio)).toFixed(3)}`,
    ...sorted.filter(([, ratio]) => ratio > 1.05).map(([name, ratio, who]) => `behind on ${name}: ${ratio.toFixed(3)} of ${who}`),
  ].join('\n')
}

/** The section, which ends the document. */
export function tablesSection(results: Results): string {
  const comparison = compared(results)
  if (comparison.others.length === 0) return ''
  const { ranks, beside } = comparison
  const [others, few] = byTables(comparison)
  const contestants = [GRADUS, ...others.map(({ who }) => who)]
  // the first split has the most contestants
  const firstOf = (name: string) => Object.values(results[name]).find((split) => split[GRADUS]) ?? {}
  const rows = beside.map(([name]) => {
    const split = firstOf(name)
    const best = Math.min(...contestants.flatMap((who) => split[who]?.loss ?? []))
    const short = (loss: number) => (loss > 1000 ? String(Math.round(loss)) : String(Number(loss.toPrecision(3))))
    const cells = contestants.map((who) => {
      const scores = split[who]
      if (!scores) return scores === null ? 'late' : '-'
      return scores.loss === best ? `**${short(scores.loss)}**` : short(scores.loss)
    })
    return `| ${name} | ${cells.join(' | ')} |`
  })
  const firsts = beside.map(([name]) => firstOf(name))
  const secondsOf = (who: string) => mean(firsts.flatMap((split) => (split[who] ? [split[who].cpu] : []))).toFixed(1)
  const own = firsts.map((split) => split[GRADUS] as Scores)
  const date = own
    .map(({ date }) => date)
    .sort()
    .at(-1)
  const behind = beside.filter(([, ratio]) => ratio > 1.05).map(([name]) => name)
  const line = (head: string, cell: (beside: Beside) => string, first = '') => `| ${head} | ${[first, ...others.map(cell)].join(' | ')} |`
  return `
## Tables

Loss of \`trainTable\` at its defaults beside the meta-tuned defaults of pytabkit 1.8 and scikit-learn's: log loss of classes, RMSE
of numbers. ${beside.length} tables of R's packages and scikit-learn's digits, a fifth of the rows to test by, at most 10,000 to learn from; losses and seconds of
one split. One core, ${date}. A dash: not run; late: over five CPU minutes.

| table | ${contestants.join(' | ')} |
| --- | ${contestants.map(() => '---:').join(' | ')} |
${rows.join('\n')}
${line('gradus divided by it', ({ ratio }) => ratio.toFixed(3))}
${line('median', ({ median }) => median.toFixed(3))}
${line('gradus better on', ({ won, tables }) => `${won} of ${tables}`)}
${line('p by Wilcoxon', shortP)}
${line('splits compared', ({ splits }) => String(splits))}
${line('CPU seconds', ({ who }) => secondsOf(who), secondsOf(GRADUS))}

Mean rank: ${ranks.map(([who, rank]) => `${who} ${rank.toFixed(2)}`).join(', ')}. More than 5 % behind the best: ${behind.join(', ') || 'none'}.
${few.map(inWords).join('')}${manySection(results)}
[Instead of XGBoost in a page](guide/instead-of-trees.md) says when trees are better.
`
}

/** Contestants with a column, and those with less than a fifth of the tables. */
function byTables({ others, beside }: Comparison): [Beside[], Beside[]] {
  const hasColumn = ({ tables }: Beside) => 5 * tables >= beside.length
  return [others.filter(hasColumn), others.filter((other) => !hasColumn(other))]
}

const inWords = ({ who, ratio, won, tables, cpu }: Beside) =>
  `${who} has few tables yet: ${ratio.toFixed(3)}, gradus better on ${won} of ${tables}, ${cpu.toFixed(0)} CPU seconds.\n`

/** The normal approximation wants six tables at least. */
const shortP = ({ p, tables }: Beside) => (tables < 6 ? '-' : p < 0.001 ? '< 0.001' : p.toPrecision(1))

/** gradus by default and with a minute beside bags and AutoGluon, where there are any. */
function manySection(results: Results): string {
  const contestants = [...new Set(Object.values(results).flatMap((splits) => Object.values(splits).flatMap((split) => Object.keys(split))))]
  const own = contestants.filter((who) => who.startsWith(GRADUS)).map((who) => ({ who, ...compared(results, who, true) }))
  if (own[0] === undefined || own[0].others.length === 0) return ''
  const [others, few] = byTables(own[0])
  const cell = (beside: Beside) => [beside.who, `${beside.ratio.toFixed(3)}, ${beside.won} of ${beside.tables}, p ${shortP(beside)}`]
  const rows = own.map((row) => {
    const cells = Object.fromEntries(row.others.map(cell))
    return `| ${row.who} | ${others.map(({ who }) => cells[who] ?? '-').join(' | ')} |`
  })
  return `
Beside bags, means of five trainings that each set another fifth aside, and AutoGluon 1.6 with a minute of CPU: gradus' loss divided by
theirs, tables on which gradus is better, p.

| | ${others.map(({ who }) => who.replace(BAG, '')).join(' | ')} |
| --- | ${others.map(() => '---:').join(' | ')} |
${rows.join('\n')}
| their CPU seconds | ${others.map(({ cpu }) => cpu.toFixed(1)).join(' | ')} |
${few.length === 0 ? '' : `\n${few.map(inWords).join('')}`}`
}
