/** A study as one HTML file that needs nothing else. */

import { importance } from '../importance.js'
import type { Observation } from '../observations.js'
import { type Axis, describeRange, type Space } from '../space.js'
import type { Study } from '../study.js'
import type { TrialRecord } from '../trial.js'
import { advice } from './advice.js'
import { axisScale, chart, dot, line, linear, lossScale, QUALITIES, round, type Scale } from './charts.js'
import { escaped, number, paramsText, shown } from './format.js'

/** Lines of more trials cannot be told apart. */
const MAX_LINES = 400
/** Parameters that have a slice. */
const MAX_SLICES = 12
/** Cells of a contour along each axis. */
const CELLS = 28
/** Rows of a table, and trials whose reports are drawn. */
const MAX_ROWS = 10

/**
 * A study as one self-contained HTML page: {@link advice}, importances, the history, a slice through each parameter, a map of the two that
 * mattered most, all trials as lines through all parameters, the rungs of early stopping, and the best trials in a table.
 * @example
 * const study = await createStudy({ space: { x: float(0, 1), y: float(0, 1) } })
 * await study.optimize(({ x, y }) => x + y, { trials: 30 })
 * reportHtml(study).startsWith('<!doctype html>') // true
 */
export function reportHtml<S extends Space>(study: Study<S>): string {
  const view = new View(study as unknown as Study)
  const sections = [
    view.importances(),
    view.front(),
    beside([section('History', 'Each point is a trial, the line the best so far.', view.history()), view.contour(), view.rungs()]),
    section('Slices', 'The value over each parameter, the most important first. Good trials stand out.', view.slices()),
    section(
      'All trials',
      'A line for each trial, through all its parameters to its value at the right. The best are on top.',
      view.parallel(),
    ),
    section('Best trials', view.ties(), view.table()),
    view.failures(),
  ]
  const title = `${study.name}: ${study.trials.length} trials`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
<h1>${escaped(study.name)}</h1>
${view.facts()}
<p class="advice">${escaped(advice(study))}</p>
</header>
${sections.filter((text) => text !== '').join('\n')}
<footer>Made by gradus/tune.</footer>
</main>
</body>
</html>
`
}

function section(title: string, text: string, body: string): string {
  if (body === '') return ''
  return `<section><h2>${escaped(title)}</h2>${text === '' ? '' : `<p>${escaped(text)}</p>`}${body}</section>`
}

/** Sections side by side where there is room. */
function beside(sections: readonly string[]): string {
  const text = sections.join('')
  return text === '' ? '' : `<div class="beside">${text}</div>`
}

function figure(title: string, svg: string): string {
  return `<figure><figcaption>${escaped(title)}</figcaption>${svg}</figure>`
}

class View {
  private readonly axes: readonly Axis[]
  private readonly ranked: readonly Observation[]
  private readonly complete: readonly Observation[]
  private readonly trials: readonly TrialRecord[]
  private readonly isSingle: boolean
  private readonly sign: number
  /** Parameters that have more than one value, the most important first. */
  private readonly byImportance: readonly { axis: Axis; i: number; share: number }[]
  private readonly scale: Scale

  constructor(private readonly study: Study) {
    const { axes, history } = study.observations
    this.axes = axes
    this.ranked = history.ranked
    this.complete = history.ranked.filter(({ state, violation }) => state === 'complete' && violation === 0)
    this.trials = study.trials
    this.isSingle = study.directions.length === 1
    this.sign = study.directions[0] === 'minimize' ? 1 : -1
    const shares = importance(study, { evaluator: 'fanova' }) as Record<string, number>
    this.byImportance = axes
      .map((axis, i) => ({ axis, i, share: shares[axis.name] }))
      .filter(({ axis }) => !axis.isSingle)
      .sort((a, b) => b.share - a.share)
    this.scale = lossScale(this.complete.map((trial) => this.sign * trial.losses[0]))
  }

  facts(): string {
    const count = (state: string) => this.trials.filter((trial) => trial.state === state).length
    const facts: [string, string][] = [['trials', String(this.trials.length)]]
    for (const state of ['pruned', 'failed', 'running'])
      if (count(state) > 0) facts.push([state === 'running' ? 'unfinished' : state, String(count(state))])
    if (this.isSingle && this.complete.length > 0) {
      const best = this.trials[this.complete[0].number]
      facts.unshift(
        ['best value', number(best.value as number)],
        ...Object.entries(best.params).map(([name, value]): [string, string] => [name, shown(value)]),
      )
    }
    return `<dl>${facts.map(([name, value]) => `<div><dt>${escaped(name)}</dt><dd>${escaped(value)}</dd></div>`).join('')}</dl>`
  }

  importances(): string {
    const shares = this.byImportance
    if (!this.isSingle || shares.length < 2 || shares[0].share === 0) return ''
    const rows = shares.map(
      ({ axis, share }) =>
        `<div class="bar"><span title="${escaped(describeRange(axis.parameter))}">${escaped(axis.name)}</span><i><b style="width:${(100 * share).toFixed(1)}%"></b></i><em>${Math.round(100 * share)} %</em></div>`,
    )
    return section(
      'What mattered',
      'Which share of the differences over the whole space each parameter explains by itself (functional ANOVA).',
      `<div class="bars">${rows.join('')}</div>`,
    )
  }

  history(): string {
    if (!this.isSingle || this.complete.length === 0) return ''
    const x = linear(this.trials.map(({ number: i }) => i))
    const done = [...this.complete].sort((a, b) => a.number - b.number)
    let best = Number.POSITIVE_INFINITY
    const course = done.flatMap((trial) => {
      const before = best
      best = Math.min(best, trial.losses[0])
      return before === Number.POSITIVE_INFINITY
        ? [[trial.number, best]]
        : [
            [trial.number, before],
            [trial.number, best],
          ]
    })
    course.push([this.trials.length - 1, best])
    const svg = chart({ title: 'Value of each trial, and the best so far', x: 'trial', y: 'value' }, { x, y: this.scale }, (frame) => {
      const at = ([i, loss]: readonly number[]) => [frame.x(x.share(i)), frame.y(this.scale.share(this.sign * loss))] as const
      return (
        done.map((trial) => dot(...at([trial.number, trial.losses[0]]), this.quality(trial), this.titleOf(trial))).join('') +
        line(course.map(at), 'best')
      )
    })
    return `<div class="charts wide">${figure('value', svg)}</div>`
  }

  front(): string {
    if (this.isSingle || this.complete.length === 0) return ''
    const [one, two] = [0, 1].map((i) => this.trials.filter(({ state }) => state === 'complete').map(({ values }) => values[i]))
    const [x, y] = [linear(one), linear(two)]
    const front = new Set(this.study.front.map(({ number: i }) => i))
    const svg = chart({ title: 'The objectives', x: 'objective 1', y: 'objective 2' }, { x, y }, (frame) =>
      this.trials
        .filter(({ state }) => state === 'complete')
        .sort((a, b) => Number(front.has(a.number)) - Number(front.has(b.number)))
        .map((trial) => {
          const title = `trial ${trial.number}: ${trial.values.map(number).join(', ')}\n${paramsText(trial.params)}`
          return dot(
            frame.x(x.share(trial.values[0])),
            frame.y(y.share(trial.values[1])),
            front.has(trial.number) ? QUALITIES - 1 : 0,
            title,
          )
        })
        .join(''),
    )
    return section(
      'Front',
      'Trials on the front stand out: none is better than they are in everything.',
      `<div class="charts wide">${figure('objective 2', svg)}</div>`,
    )
  }

  slices(): string {
    if (!this.isSingle || this.complete.length === 0) return ''
    const worstFirst = [...this.complete].reverse()
    const charts = this.byImportance.slice(0, MAX_SLICES).map(({ axis, i }) => {
      const x = axisScale(axis)
      const svg = chart({ title: `Value over ${axis.name}`, x: axis.name, y: 'value' }, { x, y: this.scale }, (frame) =>
        worstFirst
          .filter(({ point }) => !Number.isNaN(point[i]))
          .map((trial) => {
            // categories would hide each other: each trial has its place beside the middle
            const aside = axis.choices > 0 ? (((trial.number * 0.618) % 1) - 0.5) * (0.6 / axis.choices) : 0
            return dot(
              frame.x(x.share(trial.point[i]) + aside),
              frame.y(this.scale.share(this.sign * trial.losses[0])),
              this.quality(trial),
              this.titleOf(trial),
            )
          })
          .join(''),
      )
      return figure(axis.name, svg)
    })
    return `<div class="charts">${charts.join('')}</div>`
  }

  /** What the value is expected to be between the trials of the two most important numbers: a mean weighted by nearness. */
  contour(): string {
    const pair = this.byImportance.filter(({ axis }) => axis.choices === 0 && axis.parent < 0).slice(0, 2)
    if (!this.isSingle || pair.length < 2 || this.complete.length < 10) return ''
    const [a, b] = pair
    const [x, y] = [axisScale(a.axis), axisScale(b.axis)]
    const points = this.complete.map(({ point, losses }) => [a.axis.share(point[a.i]), b.axis.share(point[b.i]), losses[0]])
    // ranks, so that one bad value does not take all colours
    const order = [...points].sort((p, q) => p[2] - q[2])
    const ranks = new Map(order.map((point, rank) => [point, rank / Math.max(1, order.length - 1)]))
    const svg = chart({ title: `Value over ${a.axis.name} and ${b.axis.name}`, x: a.axis.name, y: b.axis.name }, { x, y }, (frame) => {
      const cells: string[] = []
      const [width, height] = [(0.92 * (frame.x(1) - frame.x(0))) / CELLS, (0.92 * (frame.y(0) - frame.y(1))) / CELLS]
      for (let i = 0; i < CELLS; i++)
        for (let j = 0; j < CELLS; j++) {
          const [u, v] = [(i + 0.5) / CELLS, (j + 0.5) / CELLS]
          let [sum, weights] = [0, 1e-12]
          for (const point of points) {
            const weight = Math.exp(-((u - point[0]) ** 2 + (v - point[1]) ** 2) / (2 * 0.08 ** 2))
            sum += weight * (ranks.get(point) as number)
            weights += weight
          }
          const quality = weights < 0.05 ? 'none' : `f${Math.min(QUALITIES - 1, Math.floor((1 - sum / weights) * QUALITIES))}`
          cells.push(
            `<rect class="${quality}" x="${round(frame.x(0.04 + (0.92 * i) / CELLS))}" y="${round(frame.y(0.04 + (0.92 * (j + 1)) / CELLS))}" width="${round(width + 0.4)}" height="${round(height + 0.4)}"/>`,
          )
        }
      const dots = [...this.complete]
        .reverse()
        .map(
          (trial) =>
            `<circle class="ring" cx="${round(frame.x(x.share(trial.point[a.i])))}" cy="${round(frame.y(y.share(trial.point[b.i])))}" r="2"><title>${escaped(this.titleOf(trial))}</title></circle>`,
        )
      return cells.join('') + dots.join('')
    })
    const text = 'It stands out where trials nearby were good, by their rank, and is empty where there were none.'
    return section(`${a.axis.name} and ${b.axis.name}`, text, `<div class="charts wide">${figure(b.axis.name, svg)}</div>`)
  }

  parallel(): string {
    const shownAxes = this.byImportance
    if (!this.isSingle || shownAxes.length === 0 || this.complete.length === 0) return ''
    const [gap, top, height] = [120, 34, 250]
    const width = gap * shownAxes.length + 90
    const y = (share: number) => top + (1 - share) * height
    const scales = [...shownAxes.map(({ axis }) => axisScale(axis)), this.scale]
    const place = (k: number) => 50 + gap * k
    const lines = this.complete
      .slice(0, MAX_LINES)
      .reverse()
      .map((trial) => {
        const points = shownAxes.flatMap(({ i }, k) =>
          Number.isNaN(trial.point[i]) ? [] : [[place(k), y(scales[k].share(trial.point[i]))] as const],
        )
        const end = [place(shownAxes.length), y(this.scale.share(this.sign * trial.losses[0]))] as const
        return line([...points, end], `q${this.quality(trial)}`, this.titleOf(trial))
      })
    const axes = scales.map((scale, k) => {
      const x = place(k)
      const ticks = scale.ticks.map(
        ({ share, text }) => `<text class="tick" x="${x + 5}" y="${round(y(share) + 4)}">${escaped(text)}</text>`,
      )
      const name = k < shownAxes.length ? shownAxes[k].axis.name : 'value'
      return `<line class="axis" x1="${x}" x2="${x}" y1="${top}" y2="${top + height}"/><text class="name" x="${x}" y="18" text-anchor="middle">${escaped(name)}</text>${ticks.join('')}`
    })
    return `<div class="scroll"><svg class="parallel" style="min-width:${Math.round(width * 0.75)}px" viewBox="0 0 ${width} ${top + height + 12}" role="img" aria-label="All trials">${lines.join('')}${axes.join('')}</svg></div>`
  }

  rungs(): string {
    const best = this.complete.map((trial) => this.trials[trial.number]).filter(({ reports }) => reports.size > 1)
    const reported = best.slice(0, MAX_ROWS)
    if (reported.length === 0) return ''
    const x = linear(reported.flatMap(({ reports }) => [...reports.keys()]))
    const y = lossScale(reported.flatMap(({ reports }) => [...reports.values()]))
    const rank = new Map(this.ranked.map((trial) => [trial.number, trial]))
    const svg = chart({ title: 'Values that trials reported', x: 'step', y: 'value' }, { x, y }, (frame) =>
      [...reported]
        .reverse()
        .map((trial) => {
          const points = [...trial.reports].filter(([, value]) => Number.isFinite(value)).sort(([a], [b]) => a - b)
          const observation = rank.get(trial.number)
          const quality = observation ? `q${this.quality(observation)}` : 'cut'
          return line(
            points.map(([step, value]) => [frame.x(x.share(step)), frame.y(y.share(value))] as const),
            quality,
            `trial ${trial.number}, ${trial.state}\n${paramsText(trial.params)}`,
          )
        })
        .join(''),
    )
    const pruned = this.trials.filter(({ state }) => state === 'pruned').length
    const text = `What the ${reported.length === 1 ? 'best trial' : `best ${reported.length} trials`} reported on the way.${pruned > 0 ? ` ${pruned} others were pruned.` : ''}`
    return section('Rungs', text, `<div class="charts wide">${figure('value', svg)}</div>`)
  }

  /** How many trials share the best value, where not all of them are in the table. */
  ties(): string {
    if (!this.isSingle || this.complete.length === 0) return ''
    const [{ losses }] = this.complete
    const ties = this.complete.filter((trial) => trial.losses[0] === losses[0]).length
    return ties > MAX_ROWS ? `${ties} trials have the best value, ${number(this.sign * losses[0])}; the first ${MAX_ROWS} of them:` : ''
  }

  /** Why trials failed: each reason once, the most frequent first. */
  failures(): string {
    const reasons = new Map<string, number[]>()
    for (const { state, error = 'no reason is known', number: i } of this.trials)
      if (state === 'failed') reasons.set(error, [...(reasons.get(error) ?? []), i])
    if (reasons.size === 0) return ''
    const rows = [...reasons]
      .sort(([, a], [, b]) => b.length - a.length || a[0] - b[0])
      .slice(0, MAX_ROWS)
      .map(([error, numbers]) => {
        const list = `${numbers.slice(0, 5).join(', ')}${numbers.length > 5 ? ', …' : ''}`
        return `<tr><td>${numbers.length}</td><td>${list}</td><td class="text">${escaped(error.slice(0, 500))}</td></tr>`
      })
    const more = reasons.size > MAX_ROWS ? `The ${MAX_ROWS} most frequent of ${reasons.size} reasons.` : ''
    return section(
      'Failed trials',
      more,
      `<div class="scroll"><table><thead><tr><th>trials</th><th>numbers</th><th class="text">reason</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`,
    )
  }

  table(): string {
    const best = this.isSingle
      ? this.complete.slice(0, MAX_ROWS).map(({ number: i }) => this.trials[i])
      : this.study.front.slice(0, MAX_ROWS)
    if (best.length === 0) return ''
    const names = this.axes.map(({ name }) => name)
    const head = ['trial', ...this.study.directions.map((_, i) => (this.isSingle ? 'value' : `objective ${i + 1}`)), ...names, 'seconds']
    const rows = best.map((trial) => {
      const cells = [
        String(trial.number),
        ...trial.values.map(number),
        ...names.map((name) => (trial.params[name] === undefined ? '' : shown(trial.params[name]))),
        number(trial.seconds ?? Number.NaN),
      ]
      return `<tr>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`
    })
    return `<div class="scroll"><table><thead><tr>${head.map((name) => `<th>${escaped(name)}</th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`
  }

  /** From 0, among the worst, to the best, by rank: the best twentieth is a class of its own. */
  private quality(trial: Observation): number {
    const rank = this.ranks.get(trial.number) ?? 1
    const limits = [0.05, 0.15, 0.3, 0.5, 0.75]
    const worse = limits.findIndex((limit) => rank <= limit)
    return worse < 0 ? 0 : QUALITIES - 1 - worse
  }

  private cached: Map<number, number> | undefined
  private get ranks(): Map<number, number> {
    this.cached ??= new Map(this.complete.map((trial, i) => [trial.number, i / Math.max(1, this.complete.length)]))
    return this.cached
  }

  private titleOf(trial: Observation): string {
    return `trial ${trial.number}: ${number(this.sign * trial.losses[0])}\n${paramsText(this.trials[trial.number].params)}`
  }
}

const STYLE = `
:root{color-scheme:light dark;--back:#fff;--card:#f7f7f8;--text:#1d2129;--weak:#5d6470;--grid:#dfe2e7;--accent:#0b62c4;
--q0:#c9ccd3;--q1:#b4c1d4;--q2:#8fb0d8;--q3:#5d93d6;--q4:#2b71c7;--q5:#0a3f86}
@media (prefers-color-scheme:dark){:root{--back:#14161a;--card:#1c1f25;--text:#e8eaee;--weak:#a2a9b5;--grid:#333842;--accent:#6fb1ff;
--q0:#454b57;--q1:#46566d;--q2:#476b95;--q3:#4d88c8;--q4:#6fb1ff;--q5:#d3e8ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--text);font:16px/1.5 system-ui,sans-serif}
main{max-width:1120px;margin:0 auto;padding:24px 16px 48px}
h1{font-size:26px;margin:0 0 8px;overflow-wrap:anywhere}h2{font-size:19px;margin:32px 0 4px}
p{margin:4px 0 12px;color:var(--weak);max-width:75ch}p.advice{color:var(--text);font-size:17px}
dl{display:flex;flex-wrap:wrap;gap:8px;margin:0 0 12px}dl div{background:var(--card);border-radius:8px;padding:6px 12px;min-width:84px}
dt{font-size:12px;color:var(--weak)}dd{margin:0;font-weight:600;font-variant-numeric:tabular-nums}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,340px),1fr));gap:14px}
.charts.wide{max-width:680px;grid-template-columns:1fr}
.beside{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,340px),1fr));gap:0 14px}
.beside section{display:flex;flex-direction:column}.beside .charts{margin-top:auto}
figure{margin:0;background:var(--card);border-radius:10px;padding:8px}figcaption{font-size:12px;color:var(--weak);padding-left:6px}
svg{display:block;width:100%;height:auto;overflow:visible}svg text{font:11px system-ui,sans-serif;fill:var(--weak)}svg .name{font-weight:600;fill:var(--text)}
.charts svg text{font-size:13px}td.text,th.text{text-align:left;white-space:normal;overflow-wrap:anywhere}
.scroll{overflow-x:auto;background:var(--card);border-radius:10px;padding:10px}
.parallel text{paint-order:stroke;stroke:var(--card);stroke-width:3px}
.grid{stroke:var(--grid);stroke-width:.7}.axis{stroke:var(--weak);stroke-width:1.2}
circle{stroke:var(--card);stroke-width:.6}polyline{fill:none;stroke-width:1.3;stroke-linejoin:round;opacity:.85}
polyline:hover{stroke:var(--accent);stroke-width:3.5;opacity:1}circle:hover{stroke:var(--accent);stroke-width:3}
.best{stroke:var(--accent);stroke-width:2;opacity:1;pointer-events:none}.cut{stroke:var(--q1);stroke-dasharray:3 3}
.ring{fill:none;stroke:var(--text);stroke-width:.8;opacity:.55;pointer-events:all}.none{fill:none}
${[0, 1, 2, 3, 4, 5].map((i) => `circle.q${i},.f${i}{fill:var(--q${i})}polyline.q${i}{stroke:var(--q${i})}`).join('')}
.bars{display:grid;gap:6px;max-width:680px}.bar{display:grid;grid-template-columns:minmax(80px,140px) 1fr 46px;gap:10px;align-items:center}
.bar span{overflow-wrap:anywhere}.bar i{background:var(--card);border-radius:4px;height:16px;overflow:hidden}.bar b{display:block;height:100%;background:var(--accent);min-width:2px}
.bar em{font-style:normal;text-align:right;font-variant-numeric:tabular-nums}
table{border-collapse:collapse;font-size:14px;font-variant-numeric:tabular-nums}th,td{padding:4px 12px;text-align:right;white-space:nowrap}
th{color:var(--weak);font-weight:600;border-bottom:1px solid var(--grid)}td{border-bottom:1px solid var(--grid)}
footer{margin-top:40px;color:var(--weak);font-size:13px}
`.replace(/\n/g, '')

/** @deprecated for {@link reportHtml}, as in `gradus/table`; goes with the next version */
export const htmlReport: typeof reportHtml = reportHtml
