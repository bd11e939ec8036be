/**
 * Draws bench/results/overview.svg and writes the tables of docs/design/measured.md, both from bench/results/*.json (see results.ts).
 * `node_modules/node/bin/node --import tsx bench/chart.ts`
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as vega from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import { HUES, LIGHT } from '../playground/src/ui/hues.js'
import { type Curves, readResults, type Speed } from './results.js'

export const INK = '#1f2933'
const FAINT = '#e4e7eb'
const PAPER = '#fdfdfb'
const FONT = 'Helvetica, Arial, "DejaVu Sans", sans-serif'
const BACKEND_COLOURS = { WebAssembly: INK, JavaScript: '#9aa5b1' }
/** Colors of optimizers: the same in every picture, and nothing else in a picture of optimizers has one of them. */
export const OPTIMIZER_COLOURS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(['SGD', 'Momentum', 'RMSProp', 'Adam', 'Lion'].map((name) => [name, LIGHT[HUES[name]]])),
  // PyTorch's form of Momentum.
  'SGD, momentum 0.9': LIGHT[HUES.Momentum],
}

/** Without a canvas Vega takes letters for 0.8 em wide, which leaves gaps. This is the average width in Helvetica and Arial. */
const { textMetrics } = vega as unknown as { textMetrics: { width(item: { fontSize?: number }, text: unknown): number } }
textMetrics.width = ({ fontSize = 11 }, text) => 0.6 * fontSize * String(text ?? '').length

/** Style that all pictures share. */
export const STYLE = {
  background: PAPER,
  padding: 16,
  spacing: 8,
  config: {
    font: FONT,
    view: { stroke: null },
    axis: {
      labelPadding: 6,
      labelColor: INK,
      titleColor: INK,
      labelFontSize: 14,
      titleFontSize: 14,
      titleFontWeight: 'normal',
      domain: false,
      ticks: false,
      gridColor: FAINT,
    },
    title: { color: INK, fontSize: 17, subtitleColor: INK, subtitleFontSize: 14, anchor: 'start', offset: 14, frame: 'group' },
    legend: { labelColor: INK, labelFontSize: 14, title: null, titleLimit: 400 },
  },
  resolve: {
    scale: { color: 'independent', strokeDash: 'independent', x: 'independent', y: 'independent' },
    legend: { color: 'independent', strokeDash: 'independent' },
  },
} as const

/** A specification as a file's text. */
export async function toSvg(spec: TopLevelSpec): Promise<string> {
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none' })
  return `${(await view.toSVG()).trim()}\n`
}

// ---- the picture ----

/** The picture as a Vega-Lite specification. */
export function overview(curves: Curves, speed: Speed): TopLevelSpec {
  return { ...STYLE, hconcat: [learning(curves), speeds(speed)] } as TopLevelSpec
}

function learning({ curves, net, batchSize }: Curves): object {
  const names = curves.map(({ optimizer, learningRate }) => `${optimizer} ${learningRate}`)
  const values = curves.flatMap(({ points }, i) => points.map((point) => ({ ...point, name: names[i] })))
  return {
    title: { text: 'Learning handwritten digits', subtitle: `test error on MNIST; ${net}, batch size ${batchSize}` },
    width: 350,
    height: 300,
    data: { values },
    mark: { type: 'line', strokeWidth: 2.5, strokeJoin: 'round', clip: true },
    encoding: {
      x: {
        field: 'step',
        type: 'quantitative',
        title: 'training step',
        scale: { type: 'log', domain: [1, 938] },
        axis: { values: [1, 3, 10, 30, 100, 300, 938] },
      },
      y: {
        field: 'testError',
        type: 'quantitative',
        title: null,
        scale: { type: 'log', domain: [0.03, 1] },
        axis: { values: [0.03, 0.05, 0.1, 0.2, 0.5, 1], format: '.0%' },
      },
      color: {
        field: 'name',
        sort: names,
        scale: { domain: names, range: curves.map(({ optimizer }) => OPTIMIZER_COLOURS[optimizer]) },
        legend: {
          orient: 'top-right',
          title: 'learning rate',
          titleColor: INK,
          titleFontWeight: 'normal',
          titleFontSize: 14,
          symbolStrokeWidth: 3,
          fillColor: PAPER,
          padding: 8,
          offset: 0,
        },
      },
    },
  }
}

function speeds({ steps }: Speed): object {
  const nets = steps.map(({ net, batch }) => `${net}, ${batch}`)
  const values = steps.flatMap(({ stepsPerSecond: { js, ...wasm } }, i) => [
    { net: nets[i], backend: 'WebAssembly', speed: Math.max(...Object.values(wasm)) },
    { net: nets[i], backend: 'JavaScript', speed: js },
  ])
  const y = { field: 'net', type: 'nominal', sort: nets, title: null, axis: { labelPadding: 8, labelLimit: 300, grid: true } }
  const speed = { field: 'speed', type: 'quantitative', scale: { type: 'log', domain: [1, 1e6] } }
  /** Figures stand to the left and right of a line's two points, which may be close together. */
  const figures = (backend: keyof typeof BACKEND_COLOURS, place: object) => ({
    transform: [{ filter: { field: 'backend', equal: backend } }],
    mark: { type: 'text', fontSize: 13, color: INK, ...place },
    encoding: { x: speed, text: { field: 'speed', format: ',.2~r' } },
  })
  return {
    title: {
      text: 'Training steps per second',
      subtitle: 'by net and batch size; Adam, one thread',
      offset: 20,
    },
    width: 270,
    height: 300,
    data: { values },
    encoding: { y },
    layer: [
      {
        mark: { type: 'point', filled: true, size: 110, opacity: 1 },
        encoding: {
          x: {
            ...speed,
            title: ' ',
            axis: { values: [1, 10, 100, 1000, 10_000, 100_000], labelExpr: "datum.value < 1000 ? datum.value : datum.value / 1000 + 'k'" },
          },
          color: {
            field: 'backend',
            scale: { domain: Object.keys(BACKEND_COLOURS), range: Object.values(BACKEND_COLOURS) },
            legend: { orient: 'bottom-right', symbolType: 'circle', symbolOpacity: 1, fillColor: PAPER, padding: 8, offset: 0 },
          },
        },
      },
      figures('WebAssembly', { align: 'left', dx: 10 }),
      figures('JavaScript', { align: 'right', dx: -10 }),
    ],
  }
}

/** The picture. */
export async function draw(curves: Curves, speed: Speed): Promise<string> {
  return toSvg(overview(curves, speed))
}

// ---- the tables ----

const BEGIN = '<!-- measured: written by bench/chart.ts from bench/results/speed.json -->'
const END = '<!-- /measured -->'
const STEPS = `Training steps per second in a loop written by hand: forward, loss, backward and Adam, one call after the other. \`fit\` replays
recorded steps and is some six times as fast on the smallest nets.`

/** The tables of docs/design/measured.md. */
export function tables({ cpu, node, date, steps, gemm, optimizers }: Speed): string {
  const variants = Object.keys(gemm)
  const line = (cells: (string | number)[]) => `| ${cells.join(' | ')} |`
  const table = (head: string[], rows: (string | number)[][]) =>
    [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
  const limits = variants.map((v) => `${v} ${gemm[v].product.toFixed(1)} of ${gemm[v].limit.toFixed(1)} GFLOP/s`).join(', ')
  const sizes = [...new Set(optimizers.map((o) => o.parameters))]
  const find = (name: string, parameters: number) => optimizers.find((o) => o.optimizer === name && o.parameters === parameters)
  const compact = (n: number) => (n < 1e6 ? `${Math.round(n / 1e3)}k` : `${n / 1e6}M`)
  const speed = (n: number) => (n >= 100 ? Math.round(n).toLocaleString('en') : n.toPrecision(3))
  return [
    `${cpu}, one thread, Node ${node}, ${date}. Each figure is the best of many short windows in\nseveral runs.`,
    STEPS,
    table(
      ['net', 'batch', ...variants, 'js', 'best / js'],
      steps.map(({ net, batch, stepsPerSecond: s }) => {
        const ratio = Math.max(...variants.map((v) => s[v])) / s.js
        return [net, batch, ...[...variants, 'js'].map((v) => speed(s[v])), `${ratio.toFixed(1)} ×`]
      }),
    ),
    `Matrix product 512·512·512, beside the most that one core's 128-bit multiply-adds did in the same runs: ${limits}.`,
    `Optimizers, nanoseconds per parameter and step, with ${sizes.map(compact).join(' and ')} parameters.`,
    table(
      ['', ...sizes.flatMap((n) => [...variants, 'js'].map((v) => `${v}, ${compact(n)}`))],
      [...new Set(optimizers.map((o) => o.optimizer))].map((name) => [
        name,
        ...sizes.flatMap((n) => [...variants, 'js'].map((v) => find(name, n)?.nanoseconds[v].toFixed(2) ?? '-')),
      ]),
    ),
  ].join('\n\n')
}

/** docs/design/measured.md with these tables in place. @throws Error if the markers are gone */
export function withTables(page: string, speed: Speed): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (from < 0 || to < from) throw new Error('docs/design/measured.md has lost the markers of its tables')
  return `${page.slice(0, from + BEGIN.length)}\n${tables(speed)}\n${page.slice(to)}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const speed = readResults<Speed>('speed')
  const page = new URL('../docs/design/measured.md', import.meta.url)
  writeFileSync(new URL('./results/overview.svg', import.meta.url), await draw(readResults<Curves>('curves'), speed))
  writeFileSync(page, withTables(readFileSync(page, 'utf8'), speed))
}
