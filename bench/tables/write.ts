/** The section on tables of docs/benchmarks.md, from bench/results/tables.json. */
import { existsSync, readFileSync } from 'node:fs'
import type { Scores, TableResults } from './run.js'

/** Contestants, by the heads of their columns. */
const CONTESTANTS = { mlp: 'scikit-learn MLP', trees: 'HistGradientBoosting', gradus: '`gradus train`', gradus60: '`--time 60s`' } as const
type Contestant = keyof typeof CONTESTANTS

const FILE = new URL('../results/tables.json', import.meta.url)

/** The results; null if there are none. */
export function readTables(): TableResults | null {
  return existsSync(FILE) ? JSON.parse(readFileSync(FILE, 'utf8')) : null
}

/** Scores of a contestant on the splits that all contestants have. */
function scoresOf(tables: TableResults, name: string, who: Contestant): number[] {
  const isClasses = tables.about[name].task === 'classification'
  const of = ({ accuracy, r2 }: Scores) => (isClasses ? accuracy : r2) as number
  return tables.results[name].flatMap((split) => (split?.[who] ? [of(split[who])] : []))
}

const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length

/** Mean difference on the splits that both have, and twice its standard error, from splits and from test rows. */
function compare(tables: TableResults, name: string, a: Contestant, b: Contestant): { difference: number; noise: number } {
  const splits = tables.results[name].filter((split) => split?.[a] && split[b])
  const isClasses = tables.about[name].task === 'classification'
  const of = ({ accuracy, r2 }: Scores) => (isClasses ? accuracy : r2) as number
  const differences = splits.map((split) => of(split[a]) - of(split[b]))
  const difference = mean(differences)
  const spread = Math.sqrt(differences.reduce((sum, d) => sum + (d - difference) ** 2, 0) / Math.max(1, differences.length - 1))
  // for accuracies the standard error over test rows counts, too; they are a fifth of the rows
  const p = mean(splits.map((split) => of(split[a])))
  const rows = isClasses ? Math.sqrt((p * (1 - p)) / (tables.about[name].rows / 5) / splits.length) : 0
  return { difference, noise: 2 * Math.max(spread / Math.sqrt(differences.length), rows) }
}

/** `better`, `alike` or `worse`. */
function verdict(tables: TableResults, name: string, a: Contestant, b: Contestant): string {
  const { difference, noise } = compare(tables, name, a, b)
  if (Number.isNaN(difference)) return '-'
  return Math.abs(difference) <= noise ? 'alike' : difference > 0 ? 'better' : 'worse'
}

/** Splits of each table. */
const SPLITS = 3

/** The section, which ends the document. */
export function tablesSection(tables: TableResults | null): string {
  if (tables === null) return ''
  const names = Object.keys(tables.about)
  const cell = (name: string, who: Contestant) => {
    const scores = scoresOf(tables, name, who)
    return scores.length === 0 ? '-' : `${mean(scores).toFixed(3)}`
  }
  const seconds = (name: string, who: Contestant) => {
    const all = tables.results[name].flatMap((split) => (split?.[who] ? [split[who].seconds] : []))
    return all.length === 0 ? '-' : mean(all).toFixed(all[0] < 9.5 ? 1 : 0)
  }
  const contestants = Object.keys(CONTESTANTS) as Contestant[]
  const rows = names.map((name) => {
    const { task, rows, columns, target } = tables.about[name]
    const means = contestants.map((who) => mean(scoresOf(tables, name, who)))
    const counts = contestants.map((who) => scoresOf(tables, name, who).length)
    // means over other splits are not comparable
    const best = Math.max(...means.filter((_, i) => counts[i] === SPLITS))
    const cells = contestants.map((who, i) => {
      if (counts[i] < SPLITS) return counts[i] === 0 ? '-' : `${cell(name, who)} (${counts[i]} of ${SPLITS})`
      return means[i] === best ? `**${cell(name, who)}**` : cell(name, who)
    })
    return `| ${name}: ${target}, ${rows.toLocaleString('en-US')} × ${columns} | ${task === 'classification' ? 'accuracy' : 'R²'} | ${cells.join(' | ')} | ${verdict(tables, name, 'gradus', 'mlp')} | ${verdict(tables, name, 'gradus60', 'trees')} | ${seconds(name, 'gradus')} |`
  })
  const higher = names.filter((name) => compare(tables, name, 'gradus60', 'trees').difference > 0)
  const lower = names.filter((name) => compare(tables, name, 'gradus60', 'trees').difference < 0)
  const losses = names.filter((name) => compare(tables, name, 'gradus', 'mlp').difference < 0)
  return `
## Tables

\`gradus train FILE --target COLUMN\` on ten real tables, beside scikit-learn's \`MLPClassifier\` and \`MLPRegressor\` behind the usual pipeline and its
\`HistGradientBoosting\`, all with their defaults. Means of three splits, a fifth of the rows to test by. One core, ${tables.date}.

| table, rows × columns | score | ${contestants.map((who) => CONTESTANTS[who]).join(' | ')} | beside MLP | 60 s beside trees | seconds |
| --- | --- | ${contestants.map(() => '---:').join(' | ')} | --- | --- | ---: |
${rows.join('\n')}

*Alike* is a difference of less than two standard errors, of splits or of test rows. With a minute the score is higher than that of the trees on
${higher.length} of ${names.length} tables${lower.length > 0 ? `, and lower on ${lower.join(', ')}` : ''}. Below the MLP, within the noise or not, without a minute: ${losses.join(', ') || 'none'}.
\`make tables\` takes them again.

[Instead of XGBoost in a page](guide/instead-of-trees.md) has fourteen other tables beside LightGBM and CatBoost, and says when trees are better.
`
}
