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

/** Scores by table, split and contestant. null: no result in its time. */
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
const isBag = (who: string) => who.endsWith(BAG)
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
const geometric = (ratios: readonly number[]) => Math.exp(mean(ratios.map(Math.log)))

/** What is said of gradus beside a contestant, over the tables and splits that both have. */
interface Beside {
  who: string
  tables: number
  /** Geometric mean of the losses of gradus, divided by the contestant's. */
  ratio: number
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
  /** Mean rank of those that have results in every split of every table. */
  ranks: [who: string, rank: number][]
  /** Losses of gradus divided by the lowest loss of another, by table. */
  beside: [table: string, ratio: number, best: string][]
}

/** gradus, or gradus with a limit of time, beside those that train once, or beside bags. */
export function compared(results: Results, gradus = GRADUS, bags = false): Comparison {
  const splits = Object.entries(results).flatMap(([name, splits]) =>
    Object.values(splits).flatMap((split) => (split[gradus] ? [{ name, split }] : [])),
  )
  const names = [...new Set(splits.map(({ name }) => name))]
  const all = [...new Set(splits.flatMap(({ split }) => Object.keys(split)))].filter(
    (who) => !who.startsWith(GRADUS) && isBag(who) === bags,
  )
  /** Mean logarithm of the ratio on a table; NaN without a split that both have. */
  const logOf = (name: string, who: string) =>
    mean(
      splits.flatMap(({ name: of, split }) => {
        const [own, other] = [split[gradus]?.loss, split[who]?.loss]
        return of === name && own !== undefined && other !== undefined ? [Math.log(own / other)] : []
      }),
    )
  const others = all.map((who): Beside => {
    const logs = names.map((name) => logOf(name, who)).filter((log) => !Number.isNaN(log))
    const cpu = mean(splits.flatMap(({ split }) => (split[who] ? [split[who].cpu] : [])))
    return { who, tables: logs.length, ratio: Math.exp(mean(logs)), won: logs.filter((log) => log < 0).length, p: wilcoxon(logs), cpu }
  })
  const whole = [gradus, ...all.filter((who) => splits.every(({ split }) => split[who]))]
  const rankOf = (who: string) =>
    mean(
      names.map((name) => {
        const means = whole.map((one) => mean(splits.flatMap(({ name: of, split }) => (of === name ? [split[one]?.loss as number] : []))))
        const own = means[whole.indexOf(who)]
        return 0.5 + means.filter((loss) => loss < own).length + means.filter((loss) => loss === own).length / 2
      }),
    )
  const beside = names.map((name): [string, number, string] => {
    const logs = all.map((who) => logOf(name, who)).map((log) => (Number.isNaN(log) ? Number.NEGATIVE_INFINITY : log))
    const worst = Math.max(...logs)
    return [name, Math.exp(worst), all[logs.indexOf(worst)]]
  })
  const ranks = whole.map((who): [string, number] => [who, rankOf(who)]).sort((a, b) => a[1] - b[1])
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
export function summaryOf(results: Results, gradus = GRADUS, bags = false): string {
  const { others, ranks, beside } = compared(results, gradus, bags)
  if (others.length === 0) return ''
  const sorted = [...beside].sort((a, b) => b[1] - a[1])
  return [
    `mean rank: ${ranks.map(([who, rank]) => `${who} ${rank.toFixed(2)}`).join(', ')}`,
    ...others.map(
      ({ who, ratio, won, tables, p, cpu }) =>
        `beside ${who}: ${ratio.toFixed(3)}, better on ${won} of ${tables}, p ${p.toPrecision(2)}; it takes ${cpu.toFixed(1)} s`,
    ),
    `beside the best of each table: ${geometric(beside.map(([, ratio]) => ratio)).toFixed(3)}`,
    ...sorted.filter(([, ratio]) => ratio > 1.05).map(([name, ratio, who]) => `behind on ${name}: ${ratio.toFixed(3)} of ${who}`),
  ].join('\n')
}

/** The section, which ends the document. */
export function tablesSection(results: Results): string {
  const { others, ranks, beside } = compared(results)
  if (others.length === 0) return ''
  const contestants = [GRADUS, ...others.map(({ who }) => who)]
  // the first split has the most contestants
  const lossOf = (name: string, who: string) => Object.values(results[name]).find((split) => split[GRADUS])?.[who]?.loss ?? Number.NaN
  const rows = beside.map(([name]) => {
    const losses = contestants.map((who) => lossOf(name, who))
    const best = Math.min(...losses.filter((loss) => !Number.isNaN(loss)))
    const short = (loss: number) => (loss > 1000 ? String(Math.round(loss)) : String(Number(loss.toPrecision(3))))
    const cells = losses.map((loss) => (Number.isNaN(loss) ? '-' : loss === best ? `**${short(loss)}**` : short(loss)))
    return `| ${name} | ${cells.join(' | ')} |`
  })
  const firsts = Object.values(results).flatMap((splits) =>
    Object.values(splits)
      .filter((split) => split[GRADUS])
      .slice(0, 1),
  )
  const secondsOf = (who: string) => mean(firsts.flatMap((split) => (split[who] ? [split[who].cpu] : []))).toFixed(1)
  const own = firsts.map((split) => split[GRADUS] as Scores)
  const date = own
    .map(({ date }) => date)
    .sort()
    .at(-1)
  const behind = beside.filter(([, ratio]) => ratio > 1.05).map(([name]) => name)
  const line = (head: string, cell: (beside: Beside) => string, first = '') => `| ${head} | ${[first, ...others.map(cell)].join(' | ')} |`
  const splits = Math.max(...Object.values(results).map((splits) => Object.values(splits).filter((split) => split[GRADUS]).length))
  return `
## Tables

Loss of \`trainTable\` with its defaults beside the meta-tuned defaults of pytabkit 1.8 and scikit-learn's HistGradientBoosting: log loss of classes, RMSE
of numbers. ${beside.length} tables of R's packages and scikit-learn's digits, a fifth of the rows to test by, at most 10,000 to learn from; losses and seconds of one
split${splits === 1 ? '' : `, comparisons over ${splits} where both have results`}.
One core, ${date}. A dash: not run yet, or not finished in five CPU minutes.

| table | ${contestants.join(' | ')} |
| --- | ${contestants.map(() => '---:').join(' | ')} |
${rows.join('\n')}
${line('gradus divided by it', ({ ratio }) => ratio.toFixed(3))}
${line('gradus better on', ({ won, tables }) => `${won} of ${tables}`)}
${line('CPU seconds', ({ who }) => secondsOf(who), secondsOf(GRADUS))}

Mean rank of those with results everywhere: ${ranks.map(([who, rank]) => `${who} ${rank.toFixed(2)}`).join(', ')}. More than 5 % behind the best of all: ${behind.join(', ') || 'none'}.
${bagsSection(results)}
\`make tables\` goes on with the missing results. [Instead of XGBoost in a page](guide/instead-of-trees.md) says when trees are better.
`
}

/** gradus by default and with a minute beside bags, where there are any. */
function bagsSection(results: Results): string {
  const contestants = [...new Set(Object.values(results).flatMap((splits) => Object.values(splits).flatMap((split) => Object.keys(split))))]
  const own = contestants.filter((who) => who.startsWith(GRADUS)).map((who) => ({ who, ...compared(results, who, true) }))
  const bags = own[0]?.others ?? []
  if (bags.length === 0) return ''
  const cell = ({ who, ratio, won, tables }: Beside) => [who, `${ratio.toFixed(3)}, better on ${won} of ${tables}`]
  const rows = own.map(({ who, others }) => {
    const cells = Object.fromEntries(others.map(cell))
    return `| ${who} divided by it | ${bags.map((bag) => cells[bag.who] ?? '-').join(' | ')} |`
  })
  return `
Beside bags, the mean of five trainings that each set another fifth of the rows aside:

| | ${bags.map(({ who }) => who.slice(0, -BAG.length)).join(' | ')} |
| --- | ${bags.map(() => '---:').join(' | ')} |
${rows.join('\n')}
| CPU seconds of the bag | ${bags.map(({ cpu }) => cpu.toFixed(1)).join(' | ')} |
`
}
