/** The parts of a report about what columns do. */
import { dayOf } from '../../data/table/values.js'
import { axisOf, categoryAxis, rangeOf, shortNumber } from '../../plot/scale.js'
import { COLOURS, chart, dot, frame, type Place, path } from '../../plot/svg.js'
import type { Block } from '../../report/blocks.js'
import { formatMetric } from '../../report/format.js'
import type { ColumnEffect, TableExplanation } from './explain.js'

/** Letters of a category under an axis, and number of categories from which on they are shorter. */
const MAX_LETTERS = 14
const WIDTH = 460

/** Blocks for a page and for a terminal. */
export function explanationBlocks({ target, about, rows, effects, interactions }: TableExplanation): Block[] {
  const shown = effects.filter(({ values }) => values.length > 0)
  const what = about === undefined ? `predicted ‘${target}’` : `probability of ‘${about}’`
  const [words, drawn] = [true, false].map((isWords) => shown.filter(({ kind }) => (kind === 'word') === isWords))
  const numbers = drawn.filter(({ kind }) => kind !== 'category')
  const categories = drawn.filter(({ kind }) => kind === 'category')
  const note = `mean ${what} where all of ${rows} rows have the same value`
  return [
    {
      ...({ kind: 'drawing', only: 'page', title: 'What columns do' } as const),
      note: `The thick line, or a point, is the ${note}. Each thin line is a row; lines that are not parallel mean that the effect depends on other columns.`,
      svgs: drawn.map((effect) => effectChart(effect, what)),
      wide: true,
    },
    {
      ...({ kind: 'courses', only: 'terminal', title: 'What columns do', note } as const),
      courses: numbers.map((effect) => ({ name: effect.column, values: effect.mean, text: courseInWords(effect) })),
    },
    ...categories.map((effect): Block => ({ ...barsOf(effect, note), only: 'terminal' })),
    // words need more room than an axis has
    ...words.map((effect) => barsOf({ ...effect, column: `${effect.column}, a text of this word alone` }, note)),
    {
      ...({ kind: 'table', title: 'Which columns act together', head: ['columns', 'H'] } as const),
      note: '0 if their effects add up; the larger, the more the effect of one depends on the other',
      rows: interactions.map(({ columns: [a, b], h }) => [`${a} and ${b}`, h.toFixed(2)]),
    },
  ]
}

const barsOf = ({ column, values, mean }: ColumnEffect, note: string) => ({
  ...({ kind: 'bars', title: column, note } as const),
  bars: values.map((value, i) => ({ name: String(value), value: mean[i], text: formatMetric(mean[i]) })),
})

/** Years have no sign between thousands. */
const plainNumber = (value: number) => (Number.isInteger(value) && Math.abs(value) < 1e4 ? String(value) : shortNumber(value))

/** `12.1 to 30.4 for 1 to 5` */
function courseInWords({ kind, values, mean }: ColumnEffect): string {
  const last = mean.length - 1
  const end = (value: number | string) => valueInWords(kind, value)
  return `${formatMetric(mean[0])} to ${formatMetric(mean[last])} for ${end(values[0])} to ${end(values[last])}`
}

const valueInWords = (kind: ColumnEffect['kind'], value: number | string) =>
  kind === 'date' ? dayOf(value as number) : String(typeof value === 'number' ? Number(value.toPrecision(5)) : value)

/** The mean prediction over the values of a column, above those of single rows. */
function effectChart({ column, kind, values, mean, rows }: ColumnEffect, what: string): string {
  const isCategory = kind === 'category'
  const options = { width: WIDTH, height: 280, title: column, yLabel: what }
  const { left, right, top, bottom } = frame(options)
  const letters = Math.min(MAX_LETTERS, Math.max(2, Math.floor(48 / values.length)))
  const short = (name: string) => (name.length > letters ? `${name.slice(0, letters - 1)}…` : name)
  const at = values.map((value, i) => (isCategory ? i : (value as number)))
  const names = values.map((value) => short(String(value)))
  const x = isCategory
    ? categoryAxis(names, left, right)
    : axisOf(rangeOf([at]), {
        from: left,
        to: right,
        text: plainNumber,
        ...(kind === 'date' && { spacing: 100, text: (day: number) => valueInWords('date', day) }),
      })
  const y = axisOf(rangeOf([...rows, mean]), { from: bottom, to: top, spacing: 48, margin: 0.03 })
  const places = (line: readonly number[]) => line.map((value, i): Place => [x.place(at[i]), y.place(value)])
  const titles = mean.map((value, i) => `${valueInWords(kind, values[i])}: ${formatMetric(value)}`)
  const marks = [
    ...rows.map((line) => path(places(line), 'stroke="currentColor" stroke-opacity="0.14" stroke-width="1"')),
    ...(isCategory ? [] : [path(places(mean), `stroke="${COLOURS[0]}" stroke-width="3"`)]),
    ...places(mean).map((place, i) => dot(place, isCategory ? 5 : 3.5, `fill="${COLOURS[0]}"`, titles[i])),
  ]
  return chart(x, y, marks, { ...options, name: `${what} by ${column}` })
}
