/** A study as one HTML file that needs nothing else. */
import { isShown, type Axis as PlotAxis } from '../../plot/scale.js'
import { type ChartOptions, chart, dot, frame, label, type Place, path, picture, rule } from '../../plot/svg.js'
import { type Block, checkShown } from '../../report/blocks.js'
import { formatNumber as number } from '../../report/format.js'
import { showInNotebooks } from '../../report/notebook.js'
import { PICTURE_WIDTH, page } from '../../report/page.js'
import { importance } from '../importance.js'
import type { Observation } from '../observations.js'
import type { Axis, Space } from '../space.js'
import { Study } from '../study.js'
import type { TrialRecord } from '../trial.js'
import { adviceLines, importanceBlock } from './advice.js'
import { lossAxis, numberAxis, parameterAxis, paramsText, shown } from './axes.js'
import { reportText } from './text.js'

/** Largest number of trials drawn as lines: more cannot be distinguished. */
const MAX_LINES = 400
/** Largest number of parameters for which a slice is drawn. */
const MAX_SLICES = 12
/** Cells of a contour along each axis. */
const CELLS = 28
/** Rows of a table, and trials whose reports are drawn. */
const MAX_ROWS = 10
/** Number of groups of trials by quality: the CSS classes q0 (worst) to q5 (best). */
const QUALITIES = 6

/**
 * A study as one self-contained HTML page: {@link advice}, importances, the history, a slice through each parameter, a map of the two that
 * mattered most, all trials as lines through all parameters, the rungs of early stopping, and the best trials in a table.
 * @example
 * const study = await createStudy({ space: { x: float(0, 1), y: float(0, 1) } })
 * await study.optimize(({ x, y }) => x + y, { trials: 30 })
 * reportHtml(study).startsWith('<!doctype html>') // true
 */
export function reportHtml<S extends Space>(study: Study<S>): string {
  checkShown(study instanceof Study, 'a study of createStudy', study)
  const head = { title: `${study.name}: ${study.trials.length} trials`, heading: study.name, style: STYLE }
  return page(head, new View(study as unknown as Study).blocks())
}

showInNotebooks<Study>(Study.prototype, reportText, reportHtml)

class View {
  private readonly axes: readonly Axis[]
  private readonly complete: readonly Observation[]
  private readonly trials: readonly TrialRecord[]
  private readonly isSingle: boolean
  private readonly sign: number
  private readonly shares: Readonly<Record<string, number>>
  /** Parameters that have more than one value, the most important first. */
  private readonly byImportance: readonly { axis: Axis; i: number; share: number }[]
  /** For each trial number, the share of complete trials that are better. */
  private readonly ranks: ReadonlyMap<number, number>

  constructor(private readonly study: Study) {
    const { axes, history } = study.observations
    this.axes = axes
    this.complete = history.ranked.filter(({ state, violation }) => state === 'complete' && violation === 0)
    this.ranks = new Map(this.complete.map((trial, i) => [trial.number, i / Math.max(1, this.complete.length)]))
    this.trials = study.trials
    this.isSingle = study.directions.length === 1
    this.sign = study.directions[0] === 'minimize' ? 1 : -1
    this.shares = importance(study, { evaluator: 'fanova' })
    this.byImportance = axes
      .map((axis, i) => ({ axis, i, share: this.shares[axis.name] }))
      .filter(({ axis }) => !axis.isSingle)
      .sort((a, b) => b.share - a.share)
  }

  blocks(): Block[] {
    const hasTrials = this.complete.length > 0
    const single =
      hasTrials && this.isSingle ? [...this.history(), ...this.contour(), ...this.rungs(), ...this.slices(), ...this.parallel()] : []
    return [
      { kind: 'facts', title: '', facts: this.facts() },
      { kind: 'advice', title: '', lines: adviceLines(this.study, this.shares) },
      importanceBlock(this.isSingle ? this.byImportance.map(({ axis, share }) => [axis.name, share]) : []),
      ...(hasTrials && !this.isSingle ? this.front() : []),
      ...single,
      ...this.best(),
      ...this.failures(),
    ]
  }

  private facts(): [string, string][] {
    const count = (state: string) => this.trials.filter((trial) => trial.state === state).length
    const facts: [string, string][] = [['trials', String(this.trials.length)]]
    for (const state of ['pruned', 'failed', 'running'])
      if (count(state) > 0) facts.push([state === 'running' ? 'unfinished' : state, String(count(state))])
    if (!this.isSingle || this.complete.length === 0) return facts
    const best = this.trials[this.complete[0].number]
    const params = Object.entries(best.params).map(([name, value]): [string, string] => [name, shown(value)])
    return [['best value', number(best.value as number)], ...params, ...facts]
  }

  private history(): Block[] {
    const numbers = this.trials.map(({ number: i }) => i)
    const x = numberAxis(numbers, ...across, true)
    const y = this.losses(...up)
    const at = (i: number, loss: number): Place => [x.place(i), y.place(this.sign * loss)]
    const done = [...this.complete].sort((a, b) => a.number - b.number)
    let best = done[0].losses[0]
    const course = done.flatMap(({ number: i, losses }) => {
      const before = best
      best = Math.min(best, losses[0])
      return [at(i, before), ...(best < before ? [at(i, best)] : [])]
    })
    const dots = done.map((trial) => this.dot(at(trial.number, trial.losses[0]), trial))
    const marks = [...dots, path([...course, at(this.trials.length - 1, best)], 'class="best"')]
    return drawing('History', 'Each point is a trial, the line the best so far.', [drawn('trial', 'value', x, y, marks)])
  }

  private front(): Block[] {
    const complete = this.trials.filter(({ state }) => state === 'complete')
    const objective = (k: number) => complete.map(({ values }) => values[k])
    const [x, y] = [across, up].map((ends, k) => numberAxis(objective(k), ...ends))
    const front = new Set(this.study.front.map(({ number: i }) => i))
    const marks = complete
      .sort((a, b) => Number(front.has(a.number)) - Number(front.has(b.number)))
      .map(({ number: i, values, params }) => {
        const title = `trial ${i}: ${values.map(number).join(', ')}\n${paramsText(params)}`
        return dot([x.place(values[0]), y.place(values[1])], 3.2, `class="q${front.has(i) ? QUALITIES - 1 : 0}"`, title)
      })
    const svg = drawn('objective 1', 'objective 2', x, y, marks)
    return drawing('Front', 'Trials on the front stand out: none is better than they are in everything.', [svg])
  }

  private slices(): Block[] {
    const y = this.losses(...up)
    const svgs = this.byImportance.slice(0, MAX_SLICES).map(({ axis, i }) => {
      const x = parameterAxis(axis, ...across)
      const marks = [...this.complete]
        .reverse()
        .filter(({ point }) => !Number.isNaN(point[i]))
        .map((trial) => {
          // trials of one category would hide each other, so each is shifted a little from the middle
          const aside = axis.choices > 0 ? (((trial.number * 0.618) % 1) - 0.5) * 0.6 : 0
          return this.dot([x.place(trial.point[i] + aside), y.place(this.sign * trial.losses[0])], trial)
        })
      return drawn(axis.name, 'value', x, y, marks)
    })
    return drawing('Slices', 'The value over each parameter, the most important first. Good trials stand out.', svgs, true)
  }

  /** The value that is expected between the trials of the two most important numbers: a mean weighted by nearness. */
  private contour(): Block[] {
    const pair = this.byImportance.filter(({ axis }) => axis.choices === 0 && axis.parent < 0).slice(0, 2)
    if (pair.length < 2 || this.complete.length < 10) return []
    const [a, b] = pair
    const [x, y] = [parameterAxis(a.axis, ...across), parameterAxis(b.axis, ...up)]
    const places = this.complete.map(({ point }): Place => [x.place(point[a.i]), y.place(point[b.i])])
    const [width, height] = [(x.to - x.from) / CELLS, (y.from - y.to) / CELLS]
    const cells: string[] = []
    for (let i = 0; i < CELLS; i++)
      for (let j = 0; j < CELLS; j++) {
        const [left, top] = [x.from + i * width, y.to + j * height]
        // ranks, so that one bad value does not use up all colors
        let [sum, weights] = [0, 1e-12]
        for (const [rank, [px, py]] of places.entries()) {
          const [dx, dy] = [(px - left) / width - 0.5, (py - top) / height - 0.5]
          const weight = Math.exp(-(dx * dx + dy * dy) / (2 * (0.08 * CELLS) ** 2))
          sum += (weight * rank) / Math.max(1, places.length - 1)
          weights += weight
        }
        if (weights < 0.05) continue
        const quality = Math.min(QUALITIES - 1, Math.floor((1 - sum / weights) * QUALITIES))
        cells.push(
          `<rect class="f${quality}" x="${left.toFixed(1)}" y="${top.toFixed(1)}" width="${(width + 0.4).toFixed(1)}" height="${(height + 0.4).toFixed(1)}"/>`,
        )
      }
    const rings = this.complete.map((trial, i) => dot(places[i], 2, 'class="ring"', this.titleOf(trial))).reverse()
    const text = 'It stands out where trials nearby were good, by their rank, and is empty where there were none.'
    return drawing(`${a.axis.name} and ${b.axis.name}`, text, [drawn(a.axis.name, b.axis.name, x, y, [...cells, ...rings])])
  }

  private parallel(): Block[] {
    if (this.byImportance.length === 0) return []
    const count = this.byImportance.length
    const [gap, top, height] = [Math.max(120, 850 / count), 34, 250]
    const ends = [top + height, top] as const
    const axes = [...this.byImportance.map(({ axis }) => parameterAxis(axis, ...ends)), this.losses(...ends)]
    const across = (k: number) => 50 + gap * k
    const lines = this.complete
      .slice(0, MAX_LINES)
      .reverse()
      .map((trial) => {
        const coordinates = [...this.byImportance.map(({ i }) => trial.point[i]), this.sign * trial.losses[0]]
        const places = coordinates.flatMap((at, k): Place[] => (Number.isNaN(at) ? [] : [[across(k), axes[k].place(at)]]))
        return path(places, `class="q${this.quality(trial)}"`, this.titleOf(trial))
      })
    const marks = axes.flatMap(({ ticks }, k) => [
      rule([across(k), top], [across(k), top + height]),
      label([across(k), 18], this.byImportance[k]?.axis.name ?? 'value', 'text-anchor="middle" font-weight="600"'),
      ...ticks.map(({ place, text }) => label([across(k) + 5, place + 4], text)),
    ])
    const svg = picture(gap * count + 90, top + height + 12, 'All trials', [...lines, ...marks])
    const text = 'A line for each trial, through all its parameters to its value at the right. The best are on top.'
    return drawing('All trials', text, [`<div class="wide">${svg}</div>`], true)
  }

  private rungs(): Block[] {
    const reported = this.complete
      .map((trial) => ({ trial, reports: [...this.trials[trial.number].reports].filter(([, value]) => isShown(value)) }))
      .filter(({ reports }) => reports.length > 1)
      .slice(0, MAX_ROWS)
    if (reported.length === 0) return []
    const all = reported.flatMap(({ reports }) => reports)
    const [steps, values] = [0, 1].map((k) => all.map((report) => report[k]))
    const [x, y] = [numberAxis(steps, ...across, true), lossAxis(values, ...up)]
    const marks = reported.reverse().map(({ trial, reports }) => {
      const places = reports.sort(([a], [b]) => a - b).map(([step, value]): Place => [x.place(step), y.place(value)])
      return path(places, `class="q${this.quality(trial)}"`, this.titleOf(trial))
    })
    const pruned = this.trials.filter(({ state }) => state === 'pruned').length
    const text = `What the ${reported.length === 1 ? 'best trial' : `best ${reported.length} trials`} reported on the way.${pruned > 0 ? ` ${pruned} others were pruned.` : ''}`
    return drawing('Rungs', text, [drawn('step', 'value', x, y, marks)])
  }

  private best(): Block[] {
    const best = this.isSingle
      ? this.complete.slice(0, MAX_ROWS).map(({ number: i }) => this.trials[i])
      : this.study.front.slice(0, MAX_ROWS)
    if (best.length === 0) return []
    const names = this.axes.map(({ name }) => name)
    const [{ losses }] = this.complete
    const ties = this.complete.filter((trial) => trial.losses[0] === losses[0]).length
    const note = `${ties} trials have the best value, ${number(this.sign * losses[0])}; the first ${MAX_ROWS} of them:`
    return [
      {
        ...{ kind: 'table', title: 'Best trials', ...(this.isSingle && ties > MAX_ROWS && { note }) },
        head: ['trial', ...this.study.directions.map((_, i) => (this.isSingle ? 'value' : `objective ${i + 1}`)), ...names, 'seconds'],
        rows: best.map((trial) => [
          String(trial.number),
          ...trial.values.map(number),
          ...names.map((name) => (trial.params[name] === undefined ? '' : shown(trial.params[name]))),
          number(trial.seconds ?? Number.NaN),
        ]),
      },
    ]
  }

  /** Why trials failed: each reason once, the most frequent first. */
  private failures(): Block[] {
    const reasons = new Map<string, number[]>()
    for (const { state, error = 'no reason is known', number: i } of this.trials)
      if (state === 'failed') reasons.set(error, [...(reasons.get(error) ?? []), i])
    if (reasons.size === 0) return []
    const rows = [...reasons]
      .sort(([, a], [, b]) => b.length - a.length || a[0] - b[0])
      .slice(0, MAX_ROWS)
      .map(([error, numbers]) => [
        String(numbers.length),
        `${numbers.slice(0, 5).join(', ')}${numbers.length > 5 ? ', …' : ''}`,
        error.slice(0, 500),
      ])
    const note = reasons.size > MAX_ROWS ? { note: `The ${MAX_ROWS} most frequent of ${reasons.size} reasons.` } : {}
    return [{ kind: 'table', title: 'Failed trials', ...note, head: ['trials', 'numbers', 'reason'], rows }]
  }

  private losses(from: number, to: number): PlotAxis {
    const values = this.complete.map((trial) => this.sign * trial.losses[0])
    return lossAxis(values, from, to)
  }

  private dot(place: Place, trial: Observation): string {
    return dot(place, 3.2, `class="q${this.quality(trial)}"`, this.titleOf(trial))
  }

  /** From 0, among the worst, to the best, by rank: the best twentieth is a class of its own. */
  private quality(trial: Observation): number {
    const rank = this.ranks.get(trial.number) ?? 1
    const worse = [0.05, 0.15, 0.3, 0.5, 0.75].findIndex((limit) => rank <= limit)
    return worse < 0 ? 0 : QUALITIES - 1 - worse
  }

  private titleOf(trial: Observation): string {
    return `trial ${trial.number}: ${number(this.sign * trial.losses[0])}\n${paramsText(this.trials[trial.number].params)}`
  }
}

const SIZE: ChartOptions = { width: PICTURE_WIDTH, height: 300 }
const { left, right, top, bottom } = frame(SIZE)
/** Ends of the axes of a chart. */
const across = [left, right] as const
const up = [bottom, top] as const

function drawn(xLabel: string, yLabel: string, x: PlotAxis, y: PlotAxis, marks: readonly string[]): string {
  return chart(x, y, marks, { ...SIZE, xLabel, yLabel, name: `${yLabel} over ${xLabel}` })
}

function drawing(title: string, note: string, svgs: readonly string[], wide = false): Block[] {
  return [{ kind: 'drawing', title, note, svgs, wide }]
}

const COLOURS = ['#c9ccd3', '#b4c1d4', '#8fb0d8', '#5d93d6', '#2b71c7', '#0a3f86']
const DARK = ['#454b57', '#46566d', '#476b95', '#4d88c8', '#6fb1ff', '#d3e8ff']
const variables = (colours: readonly string[]) => `:root{${colours.map((colour, i) => `--q${i}:${colour}`).join(';')}}`
const STYLE = `
${variables(COLOURS)}@media (prefers-color-scheme: dark){${variables(DARK)}}
${COLOURS.map((_, i) => `circle.q${i},.f${i}{fill:var(--q${i})}polyline.q${i}{stroke:var(--q${i})}`).join('')}
polyline{stroke-width:1.3;opacity:.85}polyline:hover{stroke:var(--accent);stroke-width:3.5;opacity:1}circle:hover{stroke:var(--accent);stroke-width:3}
.best{stroke:var(--accent);stroke-width:2;opacity:1;pointer-events:none}.ring{fill:none;stroke:var(--ink);stroke-width:.8;opacity:.55;pointer-events:all}.wide svg{max-width:none!important}.wide text{paint-order:stroke;stroke:var(--paper);stroke-width:3px}
`
