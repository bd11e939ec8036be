/** gradus programs that train the same nets as the page, on the same rows in the same order. */
import { Code, importing, literal, optimizers } from '../program'
import type { ScheduleChoice } from '../schedules/choice'
import { type Change, type RunChoice, type TrainingConfig, turned } from './config'
import { CUT_LINES, DIGIT_LINES } from './digit-lines'
import type { Examples } from './examples'
import { GAPS } from './gaps'
import { toyLines } from './toys'

/** The schedule as gradus has it; nothing if the rate is constant, or the loss decides. */
function scheduleText({ kind, steps, factor }: ScheduleChoice, rate: number): string {
  switch (kind) {
    case 'step':
      return `schedules.stepDecay(${rate}, ${literal({ factor, every: steps })})`
    case 'exponential':
      return `(step) => ${rate} * ${factor} ** (step / ${steps})`
    case 'inverse':
      return `(step) => ${rate} / (1 + step / ${steps})`
    case 'cosine':
      return `schedules.cosine(${rate}, ${literal({ steps })})`
    case 'warmup': {
      const rise = Math.max(1, Math.round(steps / 10))
      return `schedules.warmup(schedules.cosine(${rate}, ${literal({ steps: steps - rise })}), ${literal({ steps: rise })})`
    }
    case 'restarts':
      return `schedules.cosineRestarts(${rate}, ${literal({ steps, lengthen: 2 })})`
    case 'onecycle':
      return `schedules.oneCycle(${rate}, ${literal({ steps })})`
    default:
      return ''
  }
}

/** Columns of a table, of the rows that are shown. */
type Columns = Partial<Pick<Examples, 'featureNames' | 'target'>>

/** Words for a gap that have capitals inside. */
const TITLES: Record<string, string> = { nan: 'NaN', none: 'None' }

/** True for a file with semicolons whose numbers have decimal commas. */
const hasCommas = (csv: string) => csv.slice(0, csv.indexOf('\n')).includes(';') && /\d,\d/.test(csv)

interface Source {
  /** Names to import from `gradus/data`. */
  names: string[]
  /** Lines that make `data`; of digits also their order. */
  lines: readonly string[]
}

/** The set of the page as a data set of gradus. */
function source({ kind, count, noise, seed, points, csv }: TrainingConfig['data'], { featureNames, target }: Columns): Source {
  switch (kind) {
    case 'drawn': {
      const rows = Array.from({ length: Math.floor(points.length / 3) }, (_, i) => points.slice(3 * i, 3 * i + 3))
      const inputs = rows.map(([x, y]) => `[${x}, ${y}]`).join(', ')
      return {
        names: ['fromArrays'],
        lines: [`const data = fromArrays([${inputs}], Int32Array.of(${rows.map(([, , label]) => label).join(', ')}))`],
      }
    }
    case 'csv':
      return {
        names: ['fromTable', 'readTable'],
        lines: [
          '// Your file: its columns of numbers, and the rows without gaps.',
          `const inputs = ${JSON.stringify(featureNames)}`,
          `const missingValues = ${JSON.stringify(GAPS.flatMap((text) => [...new Set([text, text.toUpperCase(), TITLES[text] ?? text])]))}`,
          `const options = ${literal({ target, inputs: new Code('inputs'), categories: [target], scale: 'standard', missing: 'drop', missingValues: new Code('missingValues'), ...(hasCommas(csv) && { formatted: ',' }) })}`,
          "const data = fromTable(await readTable('table.csv'), options)",
        ],
      }
    case 'digits':
      return { names: ['fromArrays', 'loadMnist'], lines: DIGIT_LINES }
    default:
      return { names: [kind], lines: toyLines({ kind, count, noise, seed }) }
  }
}

/** Training and test rows. */
const cutOf = ({ kind, seed, sorted }: TrainingConfig['data']) => [
  ...(kind === 'digits'
    ? []
    : [`const order = new Generator(${seed + 1}).permutation(data.count)`, 'const tests = Math.round(0.3 * data.count)']),
  ...(sorted ? ['order.subarray(0, data.count - tests).sort((a, b) => data.targets[a] - data.targets[b]) // by class, not shuffled'] : []),
  ...CUT_LINES,
]

/**
 * The schedule of a run whose rate or schedule was turned while it trained, as parts that begin at their steps; null where something else was
 * turned, or the loss decides, which a schedule of steps cannot say.
 */
function partsText(run: RunChoice, changes: readonly Change[]): string | null {
  const own = [...changes].sort((a, b) => a.step - b.step)
  if (own.some(({ method, batch, weights }) => method !== undefined || batch !== undefined || weights !== undefined)) return null
  let now = run
  const parts = [{ step: 0, now }, ...own.map((change) => ({ step: change.step, now: (now = turned(now, change)) }))]
  if (parts.some(({ now }) => now.schedule.kind === 'plateau')) return null
  const texts = parts.map(({ step, now: { schedule, rate } }) => `[${step}, ${scheduleText(schedule, rate) || `() => ${rate}`}]`)
  return `parts([${texts.join(', ')}])`
}

/** A change during the run, for a comment. */
const turnText = ({ step, method, rate, batch, schedule, weights }: Change) =>
  `// from step ${step} on: ${JSON.stringify({ method, rate, batch, schedule, weights }).replaceAll('"', '')}`

/**
 * @param count of the rows to learn from
 * @param steps that each run takes
 * @param columns of a table
 */
export function trainCode(config: TrainingConfig, count: number, steps: number, columns: Columns = {}): string {
  const { data, hidden, activation, seed, decay, changes } = config
  const made = source(data, columns)
  const isBinary = data.kind !== 'blobs' && data.kind !== 'csv' && data.kind !== 'digits'
  const loss = isBinary ? 'binaryCrossEntropy' : 'crossEntropy'
  const ownChanges = config.runs.map((_, i) => changes.filter((change) => change.run === i))
  /** Of each run that was turned: its schedule in parts, if that says it all. */
  const parts = config.runs.map((run, i) => (ownChanges[i].length > 0 ? partsText(run, ownChanges[i]) : null))
  const runs = config.runs.map((run, i) => (parts[i] === null ? ownChanges[i].reduce(turned, run) : run))
  const turns = changes.flatMap((change) => (parts[change.run] === null ? `${turnText(change)} (run ${change.run + 1})` : []))
  const lost = changes.some(({ weights }) => weights) ? ' (weights that were set by hand do not)' : ''
  const calls = runs.map((run, i) => callOf(run, { count, steps, decay, sorted: data.sorted }, parts[i]))
  const hasParts = parts.some((text) => text !== null)
  const { names, own } = optimizers(runs.map(({ method }) => method))
  const schedules = calls.some((call) => call.includes('schedules.')) ? ['schedules'] : []
  const random = data.kind === 'digits' ? [] : ['Generator']
  const plateaus = calls.some((call) => call.includes('plateau:')) ? ['ReduceOnPlateau'] : []
  const sizes = ['data.features', ...hidden, isBinary ? 1 : 'data.classes']
  const layers = sizes.slice(1).map((units, i) => {
    const options = i < hidden.length ? `, { activation: '${activation}' }` : ''
    return `    new Dense(${sizes[i]}, ${units}${options}),`
  })
  const hasPlateau = plateaus.length > 0
  return [
    importing([...names, ...schedules, ...plateaus, 'Dense', 'evaluateModel', ...random, 'load', loss, 'Sequential', 'trainSteps']),
    importing([...made.names, 'selectRows'], 'gradus/data'),
    '',
    ...own,
    'await load({ reproducible: true })',
    ...made.lines,
    ...cutOf(data),
    `const loss = ${loss}`,
    ...(hasParts
      ? [
          '/** Schedules that take over at their steps. */',
          'const parts = (list) => (step) => {',
          '  const [start, rate] = list.findLast(([start]) => start <= step)',
          '  return rate(step - start)',
          '}',
        ]
      : []),
    '',
    `async function run(Optimizer, options, ${hasPlateau ? '{ plateau, ...training }' : 'training'}) {`,
    '  const model = new Sequential([',
    ...layers,
    `  ], { seed: ${seed} })`,
    '  const optimizer = new Optimizer(model.parameters(), options)',
    ...(hasPlateau ? ['  const reduce = plateau && new ReduceOnPlateau(optimizer, plateau)', '  let smooth = NaN'] : []),
    '  let mean = NaN',
    `  for await (const { step, loss: value } of trainSteps(model, { ...train, loss, optimizer, seed: ${seed}, ...training })) {`,
    '    mean = step === 1 ? value : mean + 0.03 * (value - mean)',
    ...(hasPlateau ? ['    smooth = step === 1 ? value : smooth + 0.05 * (value - smooth)', '    if (reduce) reduce.step(smooth)'] : []),
    `    if (step === ${steps}) break`,
    '  }',
    `  const of = (rows) => evaluateModel(model, { ...rows, loss, metrics: ['accuracy']${count > 1024 ? `, batchSize: ${count}` : ''} })`,
    '  console.log(Optimizer.name, { rate: optimizer.learningRate, runningMean: mean, train: of(train), test: of(test) })',
    '  return model',
    '}',
    '',
    ...(turns.length > 0
      ? [
          `// What was turned while it trained holds from the start here${lost}, so the numbers differ from those of the page. There:`,
          ...turns,
        ]
      : []),
    ...calls,
    '',
  ].join('\n')
}

function callOf(
  { method, rate, batch, schedule, options }: RunChoice,
  { count, steps, decay, sorted }: { count: number; steps: number; decay: number; sorted: boolean | undefined },
  parts: string | null,
): string {
  const size = batch === 0 ? count : Math.min(batch, count)
  const rule = parts ?? scheduleText(schedule, rate)
  const training = {
    // All rows at once need no order.
    ...(size === count ? { batchSize: 'full', shuffle: false } : { batchSize: size, ...(sorted && { shuffle: false }) }),
    epochs: Math.max(1, Math.ceil(steps / Math.ceil(count / size))),
    ...(rule === '' ? {} : { schedule: new Code(rule) }),
    ...(parts === null && schedule.kind === 'plateau'
      ? { plateau: new Code(literal({ factor: schedule.factor, patience: schedule.steps, threshold: schedule.threshold, cooldown: 0 })) }
      : {}),
  }
  const optimizer = { learningRate: rate, ...options, ...(decay > 0 ? { weightDecay: decay } : {}) }
  return `await run(${method}, ${literal(optimizer)}, ${literal(training)})`
}
