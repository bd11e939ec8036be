/** A report as one page of HTML that holds everything it shows. */
import { barChart, confusionChart, escaped, lineChart } from '../plot/svg.js'
import { sparkline } from '../plot/text.js'
import { type Block, type Score, shownTo } from './blocks.js'
import { formatInterval, formatMetric } from './format.js'

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2530; --paper: #fcfcfa; --faint: #5d6873; --line: #dfe4e8; --card: #fff; --accent: #0b62c4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaee; --paper: #14181d; --faint: #98a4b0; --line: #2d353e; --card: #1b2027; --accent: #6fb1ff; } }
* { box-sizing: border-box; }
body { font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto; max-width: 64rem; padding: 1.5rem 1.1rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0.4rem 0 0.2rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.4rem 0 0.6rem; overflow-wrap: anywhere; }
p { margin: 0.4rem 0; max-width: 46rem; color: var(--faint); }
.faint { color: var(--faint); }
.cards { display: flex; flex-wrap: wrap; gap: 0.6rem; margin: 1.2rem 0; }
.scores { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); }
.cards div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 0.5rem 0.9rem; min-width: 6rem; }
dt, .cards span { display: block; font-size: 0.85rem; color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
.cards b { display: block; font-size: 1.55rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.94rem; }
th, td { text-align: left; padding: 0.3rem 0.9rem 0.3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: break-word; }
th { font-weight: 600; } td:first-child { min-width: 5.5rem; } td.number, th.number { text-align: right; white-space: nowrap; }
.pictures p { font-size: 0.9rem; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 0 1.2rem; }
@media (max-width: 500px) { table { font-size: 0.84rem; } td { overflow-wrap: anywhere; } th, td { padding-right: 0.55rem; } td.number, th.number { white-space: normal; overflow-wrap: normal; } }
ul { padding-left: 1.2rem; max-width: 46rem; } li { margin: 0.35rem 0; }
svg { display: block; } footer { margin-top: 2.5rem; font-size: 0.85rem; color: var(--faint); }
`

/** Blocks that are pictures: they stand side by side if there is room. */
const PICTURES: readonly Block['kind'][] = ['curve', 'bars', 'matrix', 'drawing']
/** Pixels of a picture that may have others beside it. */
export const PICTURE_WIDTH = 460
/** Number of scores that have a card of their own, the first ones. */
const MAX_CARDS = 4

/**
 * The page, with nothing to load.
 * @param head `title` of the tab, `heading`, a `lead` below it, and rules of `style` for drawings
 */
export function page(head: { title: string; heading: string; lead?: string; style?: string }, blocks: readonly Block[]): string {
  const shown = shownTo('page', blocks)
  const sections = shown.map((block, i) => {
    const [isFirst, isLast] = [!isPicture(shown[i - 1]), !isPicture(shown[i + 1])]
    return isPicture(block) ? `${isFirst ? '<div class="pictures">' : ''}${section(block)}${isLast ? '</div>' : ''}` : section(block)
  })
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(head.title)}</title>
<style>${STYLE}${head.style ?? ''}</style>
<h1>${escaped(head.heading)}</h1>
${head.lead ? `<p>${escaped(head.lead)}</p>\n` : ''}${sections.join('\n')}
<footer>Made by gradus.</footer>
</html>
`
}

/** True if a block stands beside others if there is room. */
const isPicture = (block?: Block) => block !== undefined && PICTURES.includes(block.kind) && !(block.kind === 'drawing' && block.wide)

function section(block: Block): string {
  const { title, note = '', more = '' } = block
  const text = note + more === '' ? '' : `<p>${escaped([note, more].filter(Boolean).map(sentence).join(' '))}</p>`
  const heading = title === '' ? '' : `<h2>${escaped(title)}</h2>`
  const body = bodyOf(block)
  return `<section>${heading}${isPicture(block) || block.kind === 'scores' ? body + text : text + body}</section>`
}

/** A note with a capital and a full stop. */
const sentence = (text: string) => `${text[0].toUpperCase()}${text.slice(1)}${/[.:]$/.test(text) ? '' : '.'}`

function bodyOf(block: Block): string {
  switch (block.kind) {
    case 'facts':
      return `<dl class="cards">${block.facts.map(([name, text]) => `<div><dt>${escaped(name)}</dt><dd>${escaped(text)}</dd></div>`).join('')}</dl>`
    case 'scores':
      return `${cards(block.scores)}${table(...scoresTable(block.on, block.scores))}`
    case 'table':
      return table(block.head, block.rows)
    case 'curve':
      return lineChart(block.lines, { width: PICTURE_WIDTH, ...block.axes })
    case 'bars':
      return barChart(block.bars, { width: PICTURE_WIDTH })
    case 'courses': {
      const rows = block.courses.map(({ name, values, text, ...scale }) => [name, sparkline(values, scale), text])
      return table(['', 'course', 'now'], rows)
    }
    case 'matrix':
      return confusionChart(block.counts, block.names, { width: PICTURE_WIDTH })
    case 'advice':
      return `<ul>${block.lines.map((line) => `<li>${escaped(line)}</li>`).join('')}</ul>`
    case 'drawing':
      return block.svgs.length > 1 ? `<div class="pictures">${block.svgs.join('')}</div>` : block.svgs.join('')
  }
}

function cards(scores: readonly Score[]): string {
  const each = scores.slice(0, MAX_CARDS).map(({ name, value, low, high, beside }) => {
    const others = Object.entries(beside).flatMap(([other, its]) => (its === undefined ? [] : `${other}: ${formatMetric(its)}`))
    const lines = [formatInterval(low, high), ...others].map((text) => `<span>${escaped(text)}</span>`)
    return `<div><span>${escaped(name)}</span><b>${formatMetric(value)}</b>${lines.join('')}</div>`
  })
  return `<div class="cards scores">${each.join('')}</div>`
}

/** Head and rows of the table of scores. */
export function scoresTable(on: string, scores: readonly Score[]): [head: string[], rows: string[][]] {
  const others = Object.keys(scores[0]?.beside ?? {}).filter((name) => scores.some(({ beside }) => beside[name] !== undefined))
  const cell = (value: number | undefined) => (value === undefined ? '–' : formatMetric(value))
  return [
    [on, 'value', '95 % interval', ...others],
    scores.map(({ name, value, low, high, better, beside }) => [
      `${name}${better === 'less' ? ' (less is better)' : ''}`,
      formatMetric(value),
      formatInterval(low, high),
      ...others.map((other) => cell(beside[other])),
    ]),
  ]
}

/** True if a column has only numbers, for its alignment: not `128-128 silu, dropout 0.2`. */
export function isNumeric(rows: readonly (readonly string[])[], column: number): boolean {
  return rows.every((row) => /^(?:[+−-]?[\d.](?!.*, [a-z])|–|NaN|$)/.test(row[column]))
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const classes = head.map((_, column) => (isNumeric(rows, column) ? ' class="number"' : ''))
  const line = (tag: string, cells: readonly string[]) =>
    `<tr>${cells.map((text, i) => `<${tag}${classes[i]}>${escaped(text)}</${tag}>`).join('')}</tr>`
  return `<div class="wide"><table>${line('th', head)}${rows.map((row) => line('td', row)).join('')}</table></div>`
}
