/**
 * Draws docs/guide/figures/*.svg from bench/results: tuning.json (see tuning.ts), valley.json (valley.ts) and tune-digits.json (tune/digits.ts).
 * `node_modules/node/bin/node --import tsx bench/figures.ts`
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { TopLevelSpec } from 'vega-lite'
import { INK, OPTIMIZER_COLOURS, STYLE, toSvg } from './chart.js'
import { readResults } from './results.js'
import type { TunedDigits } from './tune/digits.js'
import type { Height, Trial, Tuning } from './tuning.js'
import type { Valley } from './valley.js'
import { valleyFigure } from './valley-figure.js'

/** Shades for the values of a varied setting, from light to dark, in the color of the optimizer that is used. */
const SHADES = {
  Momentum: ['#f2b78d', OPTIMIZER_COLOURS.Momentum, '#7a3600'],
  Adam: ['#dda3c1', OPTIMIZER_COLOURS.Adam, '#641f43'],
} as const
/** Nets that learned nothing are at 90 %; the axis ends a little above. */
const WORST = 0.95

type Layer = Record<string, unknown>

/** The figures on the learning rate and what comes next, by the names of their files. */
export function figures(tuning: Tuning): Record<string, TopLevelSpec> {
  const { trainingImages, epochs } = tuning
  const what = `784-64-10, ${trainingImages.toLocaleString('en')} digits, ${epochs} epochs`
  return {
    'learning-rate': page([sweep('Test error by learning rate', what, tuning.rates, 460, OPTIMIZER_COLOURS)]),
    'find-learning-rate': page([finder(tuning)]),
    second: page([
      sweep('β of Momentum', 'batch 64, 64 hidden units', tuning.beta, 230, SHADES.Momentum),
      sweep('Batch size', 'Adam, 64 hidden units', tuning.batchSize, 230, SHADES.Adam),
      sweep('Hidden units', 'Adam, batch 64', tuning.hidden, 230, SHADES.Adam),
    ]),
    third: page([
      sweep('Hidden layers of 64', 'Adam, batch 64', tuning.layers, 300, SHADES.Adam),
      sweep('Learning-rate decay', 'Adam, batch 64, one hidden layer', tuning.decay, 300, [SHADES.Adam[0], SHADES.Adam[2]]),
    ]),
    saddle: page([
      descent('A saddle, x² − y²', 'from (1, 0.001), learning rate 0.01', tuning.saddle, [-1, 1]),
      descent('A plateau, 1 − exp(−x² − y²)', 'from (1.5, 2), learning rate 0.01', tuning.plateau, [0, 1]),
    ]),
  }
}

function page(panels: Layer[]): TopLevelSpec {
  return { ...STYLE, spacing: 28, hconcat: panels } as unknown as TopLevelSpec
}

/** Test error over the learning rate, a line for each choice. */
function sweep(title: string, subtitle: string, trials: readonly Trial[], width: number, palette: Palette): Layer {
  const choices = [...new Set(trials.map(({ choice }) => choice))]
  const values = trials.map((trial) => ({ ...trial, testError: Math.min(trial.testError ?? WORST, WORST) }))
  return {
    title: { text: title, subtitle },
    width,
    height: 260,
    data: { values },
    mark: { type: 'line', strokeWidth: 2.5, point: { size: 36 }, clip: true },
    encoding: {
      x: rateAxis(width < 250 ? [1e-4, 1e-2, 1] : [1e-4, 1e-3, 1e-2, 0.1, 1, 10], [1e-4, 10]),
      y: {
        field: 'testError',
        type: 'quantitative',
        title: null,
        scale: { type: 'log', domain: [0.05, 1] },
        axis: { values: [0.05, 0.1, 0.2, 0.5, 1], format: '.0%' },
      },
      ...colours(choices, 'choice', palette),
    },
  }
}

function rateAxis(values: readonly number[], domain: readonly number[]): Layer {
  return {
    field: 'learningRate',
    type: 'quantitative',
    title: 'learning rate',
    scale: { type: 'log', domain },
    axis: { values, labelExpr: "datum.value < 0.001 ? format(datum.value, '.0e') : datum.value" },
  }
}

/** Colors in the order of the choices, or by their names. */
type Palette = readonly string[] | Readonly<Record<string, string>>

/** Lines that may coincide with others are dashed and drawn on top. */
const DASHED = ['Momentum']

function colours(names: readonly string[], field: string, palette: Palette): Layer {
  const range = names.map((name, i) => (Array.isArray(palette) ? palette[i] : (palette as Record<string, string>)[name]))
  const legend = { orient: 'bottom', direction: 'horizontal', symbolStrokeWidth: 3, symbolType: 'stroke' }
  const shared = { field, type: 'nominal', sort: names, legend }
  const color = { ...shared, scale: { domain: names, range } }
  if (!names.some((name) => DASHED.includes(name))) return { color }
  const dashes = names.map((name) => (DASHED.includes(name) ? [7, 5] : [1, 0]))
  return { color, strokeDash: { ...shared, scale: { domain: names, range: dashes } } }
}

/** The suggestion `minimum` is a tenth of the rate at the minimum. */
const MINIMUM = 'minimum / 10'

/** The smoothed loss of the range test, with its suggestions as marks. */
function finder({ finder: { learningRates, smoothed, suggestions } }: Tuning): Layer {
  const values = learningRates.map((learningRate, i) => ({ learningRate, loss: smoothed[i] }))
  const marks = Object.entries(suggestions).flatMap(([name, rate]) => {
    if (rate === null) return []
    const nearest = values.reduce((a, b) => (Math.abs(Math.log(b.learningRate / rate)) < Math.abs(Math.log(a.learningRate / rate)) ? b : a))
    return [{ ...nearest, name: name === 'minimum' ? MINIMUM : name }]
  })
  const label = (values: typeof marks, place: Layer): Layer => ({
    data: { values },
    mark: { type: 'text', fontSize: 14, color: INK, ...place },
    encoding: { x, y, text: { field: 'name' } },
  })
  const x = rateAxis([1e-7, 1e-5, 1e-3, 0.1, 10], [1e-7, 10])
  const y = { field: 'loss', type: 'quantitative', title: 'smoothed loss', scale: { domain: [1, 3] } }
  return {
    title: { text: 'Learning-rate range test', subtitle: 'Adam, 784-64-10, one step at each rate' },
    width: 460,
    height: 240,
    layer: [
      { data: { values }, mark: { type: 'line', strokeWidth: 2.5, color: OPTIMIZER_COLOURS.Adam, clip: true }, encoding: { x, y } },
      { data: { values: marks }, mark: { type: 'point', filled: true, size: 80, opacity: 1, color: INK }, encoding: { x, y } },
      label(
        marks.filter(({ name }) => name !== MINIMUM),
        { align: 'left', dx: 8, dy: -8 },
      ),
      label(
        marks.filter(({ name }) => name === MINIMUM),
        { align: 'right', dx: -8, dy: 10 },
      ),
    ],
  }
}

/** Height over the step, a line for each optimizer. */
function descent(title: string, subtitle: string, heights: readonly Height[], domain: readonly number[]): Layer {
  const names = [...new Set(heights.map(({ optimizer }) => optimizer))]
  return {
    title: { text: title, subtitle },
    width: 340,
    height: 240,
    data: { values: heights },
    mark: { type: 'line', strokeWidth: 2.5, clip: true },
    encoding: {
      x: { field: 'step', type: 'quantitative', title: 'step', axis: { tickCount: 5 } },
      y: { field: 'height', type: 'quantitative', title: 'height', scale: { domain } },
      ...colours(names, 'optimizer', OPTIMIZER_COLOURS),
    },
  }
}

/** The nets of a tuning of bench/tune/digits.ts, and the importances. */
function tunedDigits({ points, runs: [{ seed, importance }] }: TunedDigits): TopLevelSpec {
  const stages = ['by default', ...[...new Set(points.map(({ stage }) => stage))].filter((stage) => stage !== 'by default').sort()]
  const shares = Object.entries(importance).map(([name, share]) => ({ name, share }))
  return page([
    {
      title: { text: 'All nets of a tuning', subtitle: `10,000 digits, seed ${seed}; each net where it ended` },
      width: 430,
      height: 280,
      data: { values: points },
      mark: { type: 'point', filled: true, size: 80, opacity: 0.85 },
      encoding: {
        x: rateAxis([1e-4, 1e-3, 1e-2, 0.1, 1], [1e-4, 1]),
        y: {
          field: 'error',
          type: 'quantitative',
          title: 'validation error',
          scale: { type: 'log', domain: [0.03, 1] },
          axis: { values: [0.03, 0.05, 0.1, 0.2, 0.5, 1], format: '.0%' },
        },
        color: {
          field: 'stage',
          type: 'nominal',
          scale: { domain: stages, range: [INK, '#9aa5b1', '#e8890c', '#2f7ed8'] },
          legend: { orient: 'bottom', columns: 1, labelLimit: 400 },
        },
      },
    },
    {
      title: { text: 'What mattered', subtitle: 'share of the differences' },
      width: 250,
      height: 280,
      data: { values: shares },
      mark: { type: 'bar', color: '#2f7ed8', height: 22 },
      encoding: {
        y: { field: 'name', type: 'nominal', sort: shares.map(({ name }) => name), title: null },
        x: { field: 'share', type: 'quantitative', title: null, scale: { domain: [0, 1] }, axis: { format: '.0%', values: [0, 0.5, 1] } },
      },
    },
  ])
}

/** The text of every figure. */
export async function drawFigures(tuning = readResults<Tuning>('tuning')): Promise<Record<string, string>> {
  const all = {
    ...figures(tuning),
    valley: valleyFigure(readResults<Valley>('valley')),
    'tune-digits': tunedDigits(readResults<TunedDigits>('tune-digits')),
  }
  const drawn = Object.entries(all).map(async ([name, spec]) => [name, await toSvg(spec)] as const)
  return Object.fromEntries(await Promise.all(drawn))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = new URL('../docs/guide/figures/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  for (const [name, svg] of Object.entries(await drawFigures())) writeFileSync(new URL(`${name}.svg`, folder), svg)
}
