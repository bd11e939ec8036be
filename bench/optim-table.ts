/**
 * The tables of docs/optimizers.md, from the classes and their comments, the oracle cases that tests follow and bench/results/optim.json.
 * `node_modules/node/bin/node --import tsx bench/optim-table.ts` writes them; test/docs/optimizers.test.ts fails when that is necessary.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { ELEMENTWISE, LAYERWISE } from '../test/tools/optim-cases.js'
import { commentOf, papersIn, updateIn } from '../test/tools/optim-comments.js'
import { oracleCases } from '../test/tools/optim-problems.js'
import { makeSetting } from '../test/tools/optim-runner.js'
import { createBackend } from '../ts/backend/index.js'
import type { Optimizer } from '../ts/index.js'
import { OPTIMIZERS } from '../ts/optim/index.js'
import { Parameter } from '../ts/parameter.js'
import { bytesPerParameter, type OptimizerFigures, type Origin, passesTwice, readFigures, shareOf } from './optim.js'

type Name = keyof typeof OPTIMIZERS

/**
 * The update in short (m, v: running means of g and g², with bias correction if the method has it), and the paper, for classes whose comment does not
 * give them.
 */
const METHODS: Partial<Record<Name, [update: string, paper: string]>> = {
  SGD: ['p −= η·g (or of a momentum buffer)', 'Robbins & Monro 1951; Sutskever et al. 2013'],
  Momentum: ['m = β·m + (1−β)·g; p −= η·m', 'Polyak 1964'],
  Nesterov: ['b = μ·b + g; p −= η·(g + μ·b)', 'Nesterov 1983; Sutskever et al. 2013'],
  RMSProp: ['p −= η·g/(√v + ε)', 'Hinton 2012'],
  Adam: ['p −= η·m/(√v + ε)', 'Kingma & Ba 2015'],
  AdamW: ['p −= η·λ·p, then Adam', 'Loshchilov & Hutter 2019'],
  Adagrad: ['s += g²; p −= η·g/(√s + ε)', 'Duchi et al. 2011'],
  Adadelta: ['d = √(u+ε)/√(v+ε)·g; p −= η·d; u: mean of d²', 'Zeiler 2012'],
  Adamax: ['u = max(β₂·u, |g| + ε); p −= η·m/u', 'Kingma & Ba 2015'],
  NAdam: ['Adam with Nesterov’s look ahead in m', 'Dozat 2016'],
  RAdam: ['Adam whose division waits until v is reliable', 'Liu et al. 2020'],
  ASGD: ['p −= η·g; a: mean of p', 'Polyak & Juditsky 1992'],
  Rprop: ['step ×1.2 or ×0.5 by the sign of g; p −= sign(g)·step', 'Riedmiller & Braun 1993; Igel & Hüsken 2000'],
  Lion: ['p −= η·sign(β₁·m + (1−β₁)·g)', 'Chen et al. 2023'],
  SignSGD: ['p −= η·sign(g)', 'Bernstein et al. 2018'],
  Signum: ['p −= η·sign(m)', 'Bernstein et al. 2018'],
  AdaBelief: ['p −= η·m/(√s + ε); s: mean of (g − m)²', 'Zhuang et al. 2020'],
  Yogi: ['Adam with v −= (1−β₂)·sign(v − g²)·g²', 'Zaheer et al. 2018'],
  Adan: ['Adam with a mean of gradient differences', 'Xie et al. 2022'],
  ADOPT: ['u = clip(g/max(√v, ε)) with the old v; p −= η·mean(u)', 'Taniguchi et al. 2024'],
  AdEMAMix: ['p −= η·(m + α·m₂)/(√v + ε); m₂: slow mean', 'Pagliardini et al. 2024'],
  ScheduleFreeSGD: ['z −= γ·g at y between z and the mean x', 'Defazio et al. 2024'],
  ScheduleFreeAdamW: ['the same with g/(√v + ε)', 'Defazio et al. 2024'],
  Prodigy: ['Adam with η·d; d: estimate of the distance to go', 'Mishchenko & Defazio 2023'],
  DoG: ['p −= max‖p − p₀‖/√Σ‖g‖² · g', 'Ivgi et al. 2023'],
  LARS: ['momentum on g·‖p‖/‖g‖ per tensor', 'You et al. 2017'],
  LAMB: ['Adam’s u per tensor times ‖p‖/‖u‖', 'You et al. 2020'],
  Adafactor: ['RMSProp with v ≈ row means × column means', 'Shazeer & Stern 2018'],
  Muon: ['momentum made orthogonal (Newton–Schulz); AdamW for the rest', 'Jordan et al. 2024; Liu et al. 2025'],
  Shampoo: ['p −= η·L^(−¼)·G·R^(−¼)', 'Gupta et al. 2018'],
  SOAP: ['Adam in the eigenbasis of Shampoo’s L and R', 'Vyas et al. 2024'],
  SparseAdam: ['Adam on rows that have a gradient', 'Kingma & Ba 2015; PyTorch'],
}

/** Work of these methods in addition to one pass over p, g and their slots. */
const BESIDES: Partial<Record<Name, string>> = {
  Prodigy: '+ reductions',
  DoG: '+ norms',
  LARS: '+ norms',
  LAMB: '+ norms',
  Adafactor: '+ row and column means',
  Muon: '+ matrix products',
  Shampoo: '+ matrix products and roots',
  SOAP: '+ matrix products and QR',
}

const SOURCES: Record<string, string> = {
  'torch.optim': 'PyTorch',
  optax: 'optax',
  keras: 'Keras',
  spec: 'formula in NumPy',
}

const names = Object.keys(OPTIMIZERS) as Name[]
/** Thousands have commas. */
const whole = (x: number | undefined) => (x === undefined ? '–' : Math.round(x).toLocaleString('en'))
const figure = (x: number | undefined) => (x === undefined ? '–' : x >= 100 ? whole(x) : x.toPrecision(3))

/** Slots as large as p, bytes of all state and bytes moved a parameter for a matrix of 256·256, with default options. */
function stateOf(name: Name): { slots: number; bytes: number; moved: number } {
  const p = Parameter.ofShape([256, 256], { name: 'w', backend: createBackend({ backend: 'js' }) })
  const optimizer = new (OPTIMIZERS[name] as unknown as new (p: Parameter[]) => Optimizer)([p])
  const { slots } = optimizer.state().groups[0].parameters[0]
  const floats = Object.values(slots).reduce((sum, slot) => sum + slot.length, 0)
  return { slots: optimizer.groups[0].slotNames.length, bytes: (4 * floats) / p.size, moved: bytesPerParameter(optimizer) }
}

const describe = ({ cpu, node, variant, date }: Origin) => `${cpu}, one thread, Node ${node}, \`${variant}\`, ${date}.`

/** Other origins than the one in the head of the file, in the order in which figures with them occur. */
function otherOrigins({ updates, widened, stepOrigin = {} }: OptimizerFigures): string[] {
  const all = [...updates, ...(widened?.updates ?? [])].map(({ origin }) => origin)
  return [...new Set([...Object.values(stepOrigin), ...all].flatMap((origin) => (origin ? [describe(origin)] : [])))]
}

/** The number of the note with the origin of a figure; '' for the origin in the head. */
function markOf(figures: OptimizerFigures, origin: Origin | undefined): string {
  return origin ? `<sup>${otherOrigins(figures).indexOf(describe(origin)) + 1}</sup>` : ''
}

function overview(figures: OptimizerFigures): string {
  const { updates } = figures
  const rows = names.map((name) => {
    const [update, paper] = METHODS[name] ?? [updateIn(commentOf(name)), papersIn(commentOf(name))]
    const { slots, bytes, moved: least } = stateOf(name)
    const timing = updates.filter((u) => u.optimizer === name)
    const of = (n: number) => timing.find((u) => u.parameters === n)
    const streams = [`${2 + slots} / ${1 + slots}`, BESIDES[name]].filter(Boolean).join(' ')
    const moved = `${name in BESIDES && !passesTwice(name) ? '≥ ' : ''}${least}`
    const times = [figure(of(1e5)?.wasm), figure(of(1e5)?.js)]
    const mark = markOf(figures, timing.find((u) => u.parameters === 1e5)?.origin)
    return [
      `[${name}](https://github.com/gradus-js/gradus/blob/main/docs/api.md#${name.toLowerCase()})${mark}`,
      update,
      Number(bytes.toPrecision(2)),
      streams,
      moved,
      ...times,
      paper,
    ]
  })
  const head = ['optimizer', 'update', 'state', 'loads / stores', 'bytes', 'ns WASM', 'ns JS', 'paper']
  return table(head, ['---', '---', '---:', '---', '---:', '---:', '---:', '---'], rows)
}

function speeds(figures: OptimizerFigures): string {
  const { step, bookkeeping, updates, widened, stepOrigin } = figures
  const rows = names.map((name) => {
    const of = (n: number) => updates.find((u) => u.optimizer === name && u.parameters === n)
    const far = of(1e7)
    const wide = (n: number) => widened?.updates.find((u) => u.optimizer === name && u.parameters === n)
    const [share, wideShare] = [far, wide(1e7)].map((u) => (u ? `${(100 * shareOf(u)).toFixed(0)} %` : '–'))
    const gb = far ? `${figure(far.bandwidth)} of ${figure(far.triad)}` : '–'
    const origins = [stepOrigin?.[name], ...updates.filter((u) => u.optimizer === name).map(({ origin }) => origin), wide(1e5)?.origin]
    const marks = new Set(origins.map((origin) => markOf(figures, origin)))
    return [
      `${name}${[...marks].join('')}`,
      whole(step[name]),
      whole(bookkeeping[name]),
      figure(of(1e3)?.wasm),
      figure(of(1e5)?.wasm),
      figure(far?.wasm),
      gb,
      share,
      figure(wide(1e5)?.wasm),
      wideShare,
    ]
  })
  const head = [
    'optimizer',
    'step(), 100',
    'of it JS',
    'ns, 1 k',
    'ns, 100 k',
    'ns, 10 M',
    'GB/s, 10 M',
    'of triad',
    'wide: ns, 100 k',
    'wide: of triad',
  ]
  return table(head, ['---', ...head.slice(1).map(() => '---:')], rows)
}

/** Oracle cases by optimizer, as the tests run them. */
export function verifiedBy(): Map<string, string[]> {
  const backend = createBackend({ backend: 'js', dtype: 'float64' })
  const found = new Map<string, string[]>([['SOAP', ['soap']]])
  for (const [id, make] of [...ELEMENTWISE, ...LAYERWISE]) {
    const [[problem, { lr }]] = Object.entries(oracleCases.get(id)!.results)
    const { name } = make(makeSetting(problem, lr, backend)).constructor
    if (!found.get(name)?.includes(id)) found.set(name, [...(found.get(name) ?? []), id])
  }
  return found
}

function verified(): string {
  const cases = verifiedBy()
  const rows = names.map((name) => {
    const bySource = new Map<string, string[]>()
    for (const id of cases.get(name) ?? []) {
      const { source } = oracleCases.get(id) as unknown as { source: string }
      const shown = SOURCES[source] ?? source
      bySource.set(shown, [...(bySource.get(shown) ?? []), `\`${id}\``])
    }
    const text = [...bySource].map(([source, ids]) => `${source}: ${ids.join(', ')}`).join('; ')
    return [name, name === 'SOAP' ? `${text} (two steps, then properties)` : text]
  })
  return table(['optimizer', 'cases of test/oracles/optimizers.json'], ['---', '---'], rows)
}

function table(head: string[], rule: string[], rows: (string | number)[][]): string {
  const line = (row: (string | number)[]) => `| ${row.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`
  return [head, rule, ...rows].map(line).join('\n')
}

const DOCUMENT = new URL('../docs/optimizers.md', import.meta.url)

export function readDocument(): string {
  return readFileSync(DOCUMENT, 'utf8')
}

/** The document with its tables as they should be. */
export function withTables(text: string, figures = readFigures()): string {
  const { widened } = figures
  const wide = widened ? ` Wide: Node ${widened.node}, ${widened.date}.` : ''
  const parts = {
    overview: overview(figures),
    origin: [`${describe(figures)}${wide}`, ...otherOrigins(figures).map((origin, i) => `<sup>${i + 1}</sup> ${origin}`)].join('<br>\n'),
    speeds: speeds(figures),
    verified: verified(),
  }
  return Object.entries(parts).reduce(
    (all, [name, part]) =>
      all.replace(new RegExp(`(<!-- ${name}[^>]*-->\n)[\\s\\S]*?(<!-- /${name} -->)`), (_, open, close) => `${open}${part}\n${close}`),
    text,
  )
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(DOCUMENT, withTables(readDocument()))
}
