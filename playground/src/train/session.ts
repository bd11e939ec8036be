/** The task that trains: all runs from one start, as fast as asked, with a picture of the chosen one in each frame. */
import type { XrayReport } from 'gradus/xray'
import type { Context } from '../engine/context'
import { fetchOptimizers } from '../engine/optimizers'
import { ready } from '../engine/ready'
import type { Backprop } from './backprop'
import type { Change, TrainingConfig } from './config'
import { examples } from './data'
import type { Examples } from './examples'
import type { Noise } from './noise'
import { type Curve, Trainer } from './trainer'
import { inspectNet, type NetView, viewOf } from './view'
import type { TrainerXray } from './xray'

export interface SessionInput {
  config: TrainingConfig
  /** The run whose net is shown. */
  chosen: number
  /** The step up to which the task trains before anything is shown. */
  at: number
  isPlaying: boolean
  /** Number of steps per second; 0 for as many as possible. */
  speed: number
  /** Looks for what is wrong with the chosen run. */
  xray: boolean
}

export type SessionMessage =
  | { type: 'play'; isPlaying: boolean }
  | { type: 'speed'; speed: number }
  | { type: 'choose'; chosen: number }
  | { type: 'change'; change: Omit<Change, 'step'> }
  | { type: 'steps'; count: number }
  | { type: 'inspect' }
  | { type: 'variance' }
  | { type: 'backprop'; row: number }
  | { type: 'seen' }
  | { type: 'digit'; pixels: Float32Array }

export interface Frame {
  step: number
  stepsPerSecond: number
  runs: { curve: Curve; samplesPerStep: number; trainLoss: number; testLoss: number; testAccuracy: number; problem: string }[]
  view: NetView
  /** SHA-256 of all weights, for those who compare: same link, same bits. */
  weights: string
  /** Of the chosen run, if it was asked for. */
  xray?: XrayReport
}

export type SessionUpdate =
  | { type: 'data'; examples: Examples; backend: string }
  | { type: 'frame'; frame: Frame }
  | { type: 'changed'; change: Change }
  | { type: 'inspection'; text: string }
  | { type: 'digit'; outputs: number[] }
  | { type: 'variance'; noise: Noise }
  | { type: 'backprop'; backprop: Backprop }

const FRAME = 33
const MAX_STEPS = 1_000_000

export async function session(input: SessionInput, context: Context<SessionUpdate>): Promise<void> {
  await ready()
  const data = await examples(input.config.data)
  const { config } = input
  await fetchOptimizers([...config.runs, ...config.changes].flatMap(({ method }) => method ?? []))
  let { chosen, isPlaying, speed } = input
  const changes = [...config.changes]
  const trainers = config.runs.map((_, i) => new Trainer({ ...config, changes }, i, data))
  const xrays = input.xray && data.train.count > 0 ? await xraysOf(trainers, data, config) : []
  context.update({ type: 'data', examples: data, backend: String(trainers[0].model.backend.variant) })
  let due = 0
  let goal = input.at
  let isShown = false
  let isSeen = true
  let stepsPerSecond = 0
  /** The run whose net is shown: the last one, where the chosen one was removed. */
  const place = () => Math.min(chosen, trainers.length - 1)
  const show = async () => {
    for (const trainer of trainers) trainer.edit()
    const frame = await frameOf(trainers, data, trainers[place()], stepsPerSecond)
    const xray = xrays[place()]
    context.update({ type: 'frame', frame: { ...frame, ...(xray && { xray: xray.now() }) } })
    isShown = true
    isSeen = false
  }
  while (!context.isStopped) {
    for (const message of context.messages() as SessionMessage[]) {
      if (message.type === 'seen') {
        isSeen = true
        continue
      }
      const shown = trainers[place()]
      // Looks at the net that change nothing of it.
      if (message.type === 'variance' || message.type === 'backprop') {
        if (data.train.count === 0) continue
        if (message.type === 'variance') context.update({ type: 'variance', noise: (await import('./noise')).gradientNoise(shown, data) })
        else context.update({ type: 'backprop', backprop: (await import('./backprop')).backprop(shown, data, message.row) })
        continue
      }
      isShown = false
      if (message.type === 'play') isPlaying = message.isPlaying
      else if (message.type === 'speed') speed = message.speed
      else if (message.type === 'choose') chosen = message.chosen
      else if (message.type === 'change') {
        if (message.change.method !== undefined) await fetchOptimizers([message.change.method])
        // It holds from the next step on, which only the session knows.
        const change = { ...message.change, step: stepOf(trainers) }
        changes.push(change)
        context.update({ type: 'changed', change })
      } else if (message.type === 'steps') goal = stepOf(trainers) + message.count
      else if (message.type === 'inspect') context.update({ type: 'inspection', text: inspectionText(shown, data) })
      else if (message.type === 'digit') context.update({ type: 'digit', outputs: digitOutputs(shown, message.pixels) })
    }
    const start = performance.now()
    const step = stepOf(trainers)
    if (!trainers.some(isAlive)) {
      goal = step
      isPlaying = false
    }
    if (step < goal) advance(trainers, goal, start + 200)
    else if (isPlaying) {
      due += speed === 0 ? Number.POSITIVE_INFINITY : (speed * FRAME) / 1000
      const until = Math.min(speed === 0 ? MAX_STEPS : step + Math.floor(due), MAX_STEPS)
      due = speed === 0 ? 0 : due - Math.floor(due)
      advance(trainers, until, start + FRAME)
    }
    const taken = stepOf(trainers) - step
    const seconds = (performance.now() - start) / 1000
    if (taken > 0) {
      isShown = false
      stepsPerSecond = (taken * trainers.length) / seconds
    }
    if (stepOf(trainers) >= goal && !isShown && isSeen) await show()
    const rest = FRAME - (performance.now() - start)
    if (!isPlaying && stepOf(trainers) >= goal) await pause(20)
    else if (rest > 1 && speed !== 0 && stepOf(trainers) >= goal) await pause(rest)
    else await context.breathe()
  }
}

/** An X-ray of each run; all of them, as another run may be chosen at any step. */
async function xraysOf(trainers: readonly Trainer[], data: Examples, { decay }: TrainingConfig): Promise<TrainerXray[]> {
  const { TrainerXray } = await import('./xray')
  return trainers.map((trainer) => {
    const xray = new TrainerXray(trainer, data, decay)
    trainer.xray = xray
    return xray
  })
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))
const isAlive = ({ problem }: Trainer) => problem === ''

/** The step that all runs have reached; diverged runs stay behind. */
function stepOf(trainers: readonly Trainer[]): number {
  const alive = trainers.filter(isAlive)
  return alive.length > 0 ? Math.min(...alive.map(({ step }) => step)) : Math.max(...trainers.map(({ step }) => step))
}

/** Advances all runs to the same step, a few steps of each alternately. */
function advance(trainers: readonly Trainer[], until: number, deadline: number): void {
  while (performance.now() < deadline && stepOf(trainers) < until && trainers.some(isAlive)) {
    const next = Math.min(stepOf(trainers) + 20, until)
    for (const trainer of trainers) trainer.advance(next, Number.POSITIVE_INFINITY)
  }
}

async function frameOf(trainers: readonly Trainer[], data: Examples, shown: Trainer, stepsPerSecond: number): Promise<Frame> {
  return {
    step: stepOf(trainers),
    stepsPerSecond,
    runs: trainers.map((trainer) => ({
      curve: trainer.curve,
      samplesPerStep: trainer.step === 0 ? 0 : trainer.samples / trainer.step,
      trainLoss: trainer.lossOn(data.train),
      testLoss: trainer.lossOn(data.test),
      testAccuracy: trainer.accuracyOn(data.test.count > 0 ? data.test : data.train),
      problem: trainer.problem,
    })),
    view: viewOf(shown, data),
    weights: await fingerprint(shown),
  }
}

async function fingerprint({ model }: Trainer): Promise<string> {
  const lists = model.parameters().map((parameter) => parameter.view())
  const all = new Float32Array(lists.reduce((n, list) => n + list.length, 0))
  let at = 0
  for (const list of lists) {
    all.set(list, at)
    at += list.length
  }
  // Pages without a secure context have no digests.
  if (!globalThis.crypto?.subtle) return ''
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', all.buffer))
  return Array.from(digest.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function inspectionText(trainer: Trainer, data: Examples): string {
  try {
    const { kind, gradientNorm, lowest, highest } = inspectNet(trainer, data)
    const number = (v: number) => v.toPrecision(2).replace('-', '−')
    const stuck = gradientNorm < 1e-3 && lowest < 0 ? 'stuck: ' : ''
    return `${stuck}${kind}, ‖g‖ ${number(gradientNorm)}, eigenvalues of the Hessian from ${number(lowest)} to ${number(highest)}`
  } catch (error) {
    return (error as Error).message
  }
}

function digitOutputs({ model }: Trainer, pixels: Float32Array): number[] {
  const z = Array.from(model.predict([Array.from(pixels)]).data())
  const largest = Math.max(...z)
  const e = z.map((v) => Math.exp(v - largest))
  const total = e.reduce((a, v) => a + v, 0)
  return e.map((v) => v / total)
}
