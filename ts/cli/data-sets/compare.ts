/** The same net with the same start and the same batches on both backends: their speeds, and whether they agree. */

import { supportedVariants } from '../../debug/index.js'
import { type Backend, createBackend, trainSteps } from '../../index.js'
import { LiveBar } from '../terminal/bar.js'
import { percent, rate, table } from '../terminal/format.js'
import { isLive, paint, print } from '../terminal/terminal.js'
import { makeSetup, type Plan } from './setup.js'

/** Result of one backend. */
export interface Lap {
  /** Steps per second in the fastest window. */
  stepsPerSecond: number
  samplesPerSecond: number
  /** Mean over the first {@link JUDGED_STEPS}. */
  loss: number
}

export interface Comparison {
  steps: number
  wasm: Lap
  js: Lap
  /** Steps/s of WASM divided by steps/s of JS. */
  ratio: number
  /** |loss of WASM − loss of JS| / loss of JS. */
  lossDifference: number
  agrees: boolean
}

/**
 * The losses of the first steps decide whether both compute the same: rounding differs from the first step on, and training amplifies differences
 * without limit. The tolerance is far above the differences in so few steps, and far below the effect of a wrong gradient.
 */
const JUDGED_STEPS = 300
const TOLERANCE = 0.01
/** The fastest window counts: the first windows warm the machine up, and in others it may be busy. */
const WINDOWS = 20

/** Runs both backends; null if stopped, or without WebAssembly. */
export async function compare(plan: Plan, used: Backend, signal: AbortSignal, silent: boolean): Promise<Comparison | null> {
  const variant = used.variant === 'js' ? supportedVariants()[0] : used.variant
  if (variant === undefined) return null
  const steps = plan.task.compareSteps
  const bar = silent || !isLive() ? null : new LiveBar(2 * steps)
  const run = (backend: Backend, title: string, before: number) =>
    lap(plan, backend, signal, (step) => bar?.update(before + step, title, [`${step} of ${steps} steps`]))
  try {
    const wasm = await run(createBackend({ backend: 'wasm', variant, widen: used.widened }), 'WASM', 0)
    const js = wasm && (await run(createBackend({ backend: 'js' }), 'JS  ', steps))
    if (wasm === null || js === null) return null
    const lossDifference = Math.abs(wasm.loss - js.loss) / Math.abs(js.loss)
    return { steps, wasm, js, ratio: wasm.stepsPerSecond / js.stepsPerSecond, lossDifference, agrees: lossDifference <= TOLERANCE }
  } finally {
    bar?.stop()
  }
}

async function lap(plan: Plan, backend: Backend, signal: AbortSignal, onStep: (step: number) => void): Promise<Lap | null> {
  const steps = plan.task.compareSteps
  const perEpoch = Math.ceil(plan.data.train.count / plan.batchSize)
  const { model, options } = makeSetup(plan, backend, Math.ceil(steps / perEpoch))
  const window = Math.floor(steps / WINDOWS)
  let [best, lossSum] = [0, 0]
  let started = performance.now()
  for await (const { step, loss } of trainSteps(model, options)) {
    if (signal.aborted) return null
    if (step <= JUDGED_STEPS) lossSum += loss
    if (step % window !== 0) continue
    best = Math.max(best, (1000 * window) / (performance.now() - started))
    onStep(step)
    if (step >= steps) break
    started = performance.now()
  }
  return { stepsPerSecond: best, samplesPerSecond: best * plan.batchSize, loss: lossSum / Math.min(steps, JUDGED_STEPS) }
}

/** The comparison as a table and a sentence. */
export function printComparison({ steps, wasm, js, ratio, lossDifference, agrees }: Comparison): void {
  print(`The same net in a loop of trainSteps, ${steps} steps with each backend, the fastest of ${WINDOWS} stretches:`)
  const row = (name: string, lap: Lap) => [`  ${name}`, rate(lap.stepsPerSecond), rate(lap.samplesPerSecond), lap.loss.toFixed(4)]
  for (const line of table([['', 'steps/s', 'samples/s', `loss of ${JUDGED_STEPS}`], row('WASM', wasm), row('JS', js)])) print(line)
  const verdict = agrees
    ? `Their losses agree to ${percent(Math.max(lossDifference, 1e-5), 3)}`
    : `But their losses are ${percent(lossDifference)} apart`
  const speed = ratio >= 1 ? `WASM is ${rate(ratio)} times as fast as JS` : `JS is ${rate(1 / ratio)} times as fast as WASM`
  print(`${paint('bold', speed)}.`)
  print(agrees ? `${verdict}.` : paint('red', `${verdict}: one of them computes something else.`))
}
