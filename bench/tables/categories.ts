/**
 * Columns of very many categories in trainTable: a hash for all these columns, vectors for all of them, and the automatic choice of trainTable.
 *
 *   python bench/tables/categories.py .cache/tables    (the packages of requirements.txt)
 *   node --import tsx bench/tables/categories.ts [seeds, 0,1,2]
 */
import { parseArgs } from 'node:util'
import { trainTable } from '../../ts/table/index.js'

/** The target of each table, and its columns of many texts. */
const TABLES = {
  flights: { target: 'late', many: ['tailnum', 'dest'] },
  movies: { target: 'rating', many: ['title', 'userId', 'genres'] },
  restaurants: { target: 'inspection_score', many: ['business_name'] },
  hotels: { target: 'avg_price_per_room', many: ['agent', 'company'] },
} as const

const { positionals } = parseArgs({ allowPositionals: true })
const seeds = (positionals[0] ?? '0,1,2').split(',').map(Number)
// later rows have new categories, with a warning each time
console.warn = () => {}
console.log('| table: target | score | hash | vectors | by itself | embedded by itself |\n| --- | --- | ---: | ---: | ---: | --- |')
for (const [name, { target, many }] of Object.entries(TABLES)) {
  const cells: string[] = []
  let [score, embedded] = ['', '']
  for (const use of ['hash', 'embedding', undefined] as const) {
    const columns = use === undefined ? {} : Object.fromEntries(many.map((column) => [column, use]))
    const values: number[] = []
    for (const seed of seeds) {
      const { report } = await trainTable(`.cache/tables/${name}.csv`, { target, columns, seed })
      const metric = report.metrics.find((m) => m.name === 'ROC AUC') ?? report.metrics[0]
      values.push(metric.value)
      score = metric.name
      embedded = report.columns.flatMap((column) => (column.as === 'embedding' ? `${column.name} (${column.categories})` : [])).join(', ')
    }
    cells.push((values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(3))
  }
  console.log(`| ${name}: ${target} | ${score} | ${cells.join(' | ')} | ${embedded || '–'} |`)
}
