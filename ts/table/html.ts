/** A report as one page: text, tables and pictures, with nothing to load. */

import { describeLeftOut } from '../data/index.js'
import { barChart, confusionChart, escaped, lineChart, shortNumber } from '../plot/svg.js'
import { describeDecision, nameOfLoss } from './decision.js'
import { formatMetric } from './format-metric.js'
import type { TableModelReport } from './report.js'

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2530; --paper: #fcfcfa; --faint: #66727f; --line: #dfe4e8; --card: #fff; --accent: #0072b2; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaee; --paper: #14181d; --faint: #98a4b0; --line: #2d353e; --card: #1b2027; --accent: #56b4e9; } }
* { box-sizing: border-box; }
body { font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto; max-width: 60rem; padding: 1.5rem 1.1rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0.4rem 0 0.2rem; }
h2 { font-size: 1.15rem; margin: 2.4rem 0 0.6rem; }
p { margin: 0.4rem 0; max-width: 44rem; }
.faint { color: var(--faint); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 0.7rem; margin: 1.3rem 0 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 0.7rem 0.9rem; }
.card b { display: block; font-size: 1.55rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.card span { display: block; font-size: 0.85rem; color: var(--faint); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.94rem; }
th, td { text-align: left; padding: 0.3rem 0.9rem 0.3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; } td:first-child { min-width: 7.5rem; } td.number, th.number { text-align: right; white-space: nowrap; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1.2rem; }
figure { margin: 0; } figcaption { font-size: 0.88rem; color: var(--faint); }
@media (max-width: 500px) { table { font-size: 0.84rem; } td { overflow-wrap: anywhere; } th, td { padding-right: 0.55rem; } th:last-child, td:last-child { padding-right: 0; } td:first-child { min-width: 5.5rem; } th.number, td.number { white-space: normal; overflow-wrap: normal; } }
ul { padding-left: 1.2rem; max-width: 46rem; } li { margin: 0.35rem 0; }
svg { display: block; }
`

/**
 * A report as a page of HTML that holds everything it shows, pictures too: for a file, a mail or a browser.
 *
 * @param report of {@link trainTable}
 * @example
 * const { report } = await trainTable('docs/guide/penguins.csv', { target: 'species' })
 * reportHtml(report).startsWith('<!doctype html>') // true
 */
export function reportHtml(report: TableModelReport): string {
  const { target, task, rows, leftOut, splitBy, seconds, nets, seed } = report
  const latest = splitBy ? `, the latest by ‘${escaped(splitBy.column)}’, from ${escaped(splitBy.from)} on` : ''
  const decided = describeDecision(report).map(({ text }) => text)
  const what = task === 'classification' ? `One of ${report.classNames.length} classes` : 'A number'
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(target)}: report of a model</title>
<style>${STYLE}</style>
<h1>Predicting ‘${escaped(target)}’</h1>
<p class="faint">${what}, learnt from ${count(rows.train)} rows and judged by ${count(rows.test)} others${latest}${leftOut.length > 0 ? `; ${escaped(describeLeftOut(leftOut))}` : ''}. ${nets.trained === 1 ? '1 net was' : `${count(nets.trained)} nets were`} trained in ${shortNumber(seconds)} s, ${nets.used === 1 ? '1 of them answers' : `${count(nets.used)} of them answer together`}. Seed ${seed}.${decided.map((text) => ` ${escaped(text[0].toUpperCase() + text.slice(1))}.`).join('')}</p>
${cards(report)}
${section('What to look at, and what to try next', `<ul>${report.advice.map((line) => `<li>${escaped(line)}</li>`).join('')}</ul>`)}
${section('How good it is', metricsTable(report))}
${section('Pictures', `<div class="pictures">${pictures(report).join('')}</div>`)}
${section('Columns', columnsTable(report))}
${section('Nets', candidatesTable(report))}
</html>
`
}

function section(title: string, body: string): string {
  return `<section><h2>${title}</h2>${body}</section>`
}

const count = (n: number) => n.toLocaleString('en-US')

function cards({ metrics }: TableModelReport): string {
  const each = metrics
    .slice(0, 4)
    .map(
      ({ name, value, low, high, line, baseline }) =>
        `<div class="card"><span>${escaped(name)}</span><b>${formatMetric(value)}</b><span>${interval(low, high)}</span>${line === undefined ? '' : `<span>a line: ${formatMetric(line)}</span>`}<span>a guess: ${formatMetric(baseline)}</span></div>`,
    )
  return `<div class="cards">${each.join('')}</div>`
}

function metricsTable({ metrics, rows }: TableModelReport): string {
  const hasLine = metrics.some(({ line }) => line !== undefined)
  const cell = (text: string) => `<td class="number">${text}</td>`
  const lines = metrics.map(
    ({ name, value, low, high, line, baseline, better }) =>
      `<tr><td>${escaped(name)}${better === 'less' ? ' <span class="faint">(less is better)</span>' : ''}</td>${cell(formatMetric(value))}${cell(interval(low, high))}${hasLine ? cell(line === undefined ? '–' : formatMetric(line)) : ''}${cell(formatMetric(baseline))}</tr>`,
  )
  return `<div class="wide"><table><tr><th>on ${count(rows.test)} test rows</th><th class="number">value</th><th class="number">95 % interval</th>${hasLine ? '<th class="number">a straight line</th>' : ''}<th class="number">a guess</th></tr>${lines.join('')}</table></div>
<p class="faint">The guess looks at no column: it says the share of each class, or the mean.${hasLine ? ' The straight line, logistic or ridge regression, was fitted to the same rows as the nets: what they are better by is what they are worth.' : ''} Intervals say how much the test rows alone leave open (bootstrap; of accuracy Wilson’s).</p>`
}

function figure(title: string, svg: string, caption: string): string {
  return `<figure><b>${title}</b>${svg}<figcaption>${caption}</figcaption></figure>`
}

function pictures(report: TableModelReport): string[] {
  const { confusion, classNames, importance, calibration, examples, curve, task, classWeights } = report
  const out: string[] = []
  if (confusion && classNames.length <= 15)
    out.push(
      figure(
        'Confusion',
        confusionChart(confusion, classNames, { width: 460 }),
        'Test rows by what they are and what the model says. Blue is right.',
      ),
    )
  if (examples) {
    const all = examples.flatMap((e) => [e.true, e.predicted])
    const range = [all.reduce((a, b) => Math.min(a, b)), all.reduce((a, b) => Math.max(a, b))] as const
    const line = { name: 'test rows', x: examples.map((e) => e.true), y: examples.map((e) => e.predicted), points: true }
    const svg = lineChart([line], {
      width: 460,
      height: 400,
      xLabel: 'true',
      yLabel: 'predicted',
      xRange: range,
      yRange: range,
      diagonal: true,
    })
    out.push(figure('Predicted beside true', svg, 'Each point is a test row; on the dashed line it is right.'))
  }
  const bars = importance.slice(0, 15).map(({ column, rise, deviation }) => ({ name: column, value: rise, deviation }))
  if (bars.length > 0)
    out.push(
      figure(
        'Importance of columns',
        barChart(bars, { width: 460 }),
        `How much the ${task === 'classification' ? nameOfLoss({ task, ...(classWeights && { classWeights }) }) : 'squared error, in variances of the target,'} rises where a column is shuffled${importance.length > bars.length ? `; the first ${bars.length} of ${importance.length}` : ''}.`,
      ),
    )
  const said = calibration.bins.map((bin) => bin.said)
  const low = Math.floor(10 * Math.min(...said, ...calibration.bins.map((bin) => bin.true))) / 10
  out.push(
    figure(
      'Calibration',
      lineChart([{ name: 'test rows', x: said, y: calibration.bins.map((bin) => bin.true) }], {
        ...{ width: 460, height: 320, xRange: [low, 1], yRange: [low, 1], diagonal: true },
        ...(task === 'classification'
          ? { xLabel: 'probability that was said', yLabel: 'share that was right' }
          : { xLabel: 'coverage asked for', yLabel: 'share inside' }),
      }),
      `${task === 'classification' ? 'Where the model says 0.8, four of five should be right' : 'Of intervals for 0.9, nine of ten should hold the true number'}: on the dashed line they are. It is off by ${shortNumber(calibration.error)} on average.`,
    ),
  )
  const x = curve.loss.map((_, i) => i + 1)
  // a straight line has none
  if (x.length === 0) return out
  out.push(
    figure(
      'Learning',
      lineChart(
        [
          { name: 'training', x, y: curve.loss },
          { name: 'rows not seen', x, y: curve.validation },
        ],
        { width: 460, height: 320, xLabel: 'epoch', yLabel: nameOfLoss({ task, ...(classWeights && { classWeights }) }), logY: true },
      ),
      'Of the best kind of net. The weights of the epoch that is best on rows not seen are kept.',
    ),
  )
  return out
}

function columnsTable({ columns }: TableModelReport): string {
  const lines = columns.map(
    ({ name, role, as, why, gaps, notes }) =>
      `<tr><td>${escaped(name)}</td><td>${role === 'target' ? 'predicted, ' : ''}${as}</td><td>${escaped([why, ...(gaps > 0 ? [`${count(gaps)} gaps`] : []), ...notes].join('; '))}</td></tr>`,
  )
  return `<div class="wide"><table><tr><th>column</th><th>taken as</th><th>why</th></tr>${lines.join('')}</table></div>`
}

const MAX_CANDIDATES = 12

function candidatesTable(report: TableModelReport): string {
  const { candidates } = report
  const total = candidates.reduce((sum, { votes }) => sum + votes, 0)
  const lines = candidates
    .slice(0, MAX_CANDIDATES)
    .map(
      ({ plan, loss, votes }) =>
        `<tr><td>${escaped(plan)}</td><td class="number">${formatMetric(loss)}</td><td class="number">${votes > 0 ? `${Math.round((100 * votes) / total)} %` : '–'}</td></tr>`,
    )
  const more =
    candidates.length > MAX_CANDIDATES ? `<p class="faint">The best ${MAX_CANDIDATES} of ${candidates.length} that were kept.</p>` : ''
  return `<div class="wide"><table><tr><th>hidden layers and training</th><th class="number">${nameOfLoss(report)} on rows not seen</th><th class="number">share of the answer</th></tr>${lines.join('')}</table></div>${more}`
}

/** An interval in words. The same value in all resamples tells nothing of it. */
function interval(low: number, high: number): string {
  return low === high ? '–' : `${formatMetric(low)} to ${formatMetric(high)}`
}
