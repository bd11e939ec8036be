/** The same net, the same start and the same batches on both backends: how fast each is, and whether they agree. */
import { type Backend, createBackend, supportedVariants, trainSteps } from '../index.js'
import { LiveBar } from './bar.js'
import { percent, rate, table } from './format.js'
import { makeSetup, type Plan } from './setup.js'
import { isLive, paint, print } from './terminal.js'

/** What one backend did. */
export interface Lap {
  stepsPerSecond: number
  samplesPerSecond: number
  /** Mean loss of the last tenth of the steps. */
  loss: number
}

export interface Comparison {
  steps: number
  wasm: Lap
  js: Lap
  /** Steps/s of WASM divided by those of JS. */
  ratio: number
  /** |loss of WASM − loss of JS| / loss of JS. */
  lossDifference: number
  agrees: boolean
}

/** Rounding differs from the first step on and grows with training; this is far above it, and far below what a wrong gradient does. */
export const TOLERANCE = 0.01
/** Share of the steps that only warm up the machine. */
const WARM_UP = 0.1

/** Runs both; null if stopped, or where WebAssembly is not there. */
export async function compare(plan: Plan, used: Backend, signal: AbortSignal, silent: boolean): Promise<Comparison | null> {
  const variant = used.variant === 'js' ? supportedVariants()[0] : used.variant
  if (variant === undefined) return null
  const steps = plan.task.compareSteps
  const bar = silent || !isLive() ? null : new LiveBar(2 * steps)
  try {
    const wasm = await lap(plan, createBackend({ backend: 'wasm', variant }), signal, (step) =>
      bar?.update(step, 'WASM', [`${step} of ${steps} steps`]),
    )
    const js =
      wasm &&
      (await lap(plan, createBackend({ backend: 'js' }), signal, (step) =>
        bar?.update(steps + step, 'JS  ', [`${step} of ${steps} steps`]),
      ))
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
  const losses: number[] = []
  const skipped = Math.floor(steps * WARM_UP)
  let samples = 0
  let started = performance.now()
  for await (const { step, loss, size } of trainSteps(model, options)) {
    if (signal.aborted) return null
    losses.push(loss)
    if (step <= skipped) started = performance.now()
    else samples += size
    if (step % 10 === 0) onStep(step)
    if (step === steps) break
  }
  const seconds = (performance.now() - started) / 1000
  const last = losses.slice(-Math.ceil(steps / 10))
  return {
    stepsPerSecond: (losses.length - skipped) / seconds,
    samplesPerSecond: samples / seconds,
    loss: last.reduce((sum, loss) => sum + loss, 0) / last.length,
  }
}

/** The comparison as a table and a sentence. */
export function printComparison({ steps, wasm, js, ratio, lossDifference, agrees }: Comparison): void {
  print(`The same net, ${steps} steps with each backend:`)
  const row = (name: string, lap: Lap) => [`  ${name}`, rate(lap.stepsPerSecond), rate(lap.samplesPerSecond), lap.loss.toFixed(4)]
  for (const line of table([['', 'steps/s', 'samples/s', 'loss'], row('WASM', wasm), row('JS', js)])) print(line)
  const verdict = agrees
    ? `Their losses agree to ${percent(Math.max(lossDifference, 1e-5), 3)}`
    : `But their losses are ${percent(lossDifference)} apart`
  const speed = ratio >= 1 ? `WASM is ${rate(ratio)} times as fast as JS` : `JS is ${rate(1 / ratio)} times as fast as WASM`
  print(`${paint('bold', speed)}.`)
  print(agrees ? `${verdict}.` : paint('red', `${verdict}: one of them computes something else.`))
}
