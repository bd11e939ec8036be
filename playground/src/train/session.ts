/** The task that trains: all runs from one start, as fast as asked, with a picture of the chosen one in each frame. */
import type { XrayReport } from 'gradus/xray'
import type { Context } from '../engine/context'
import { fetchOptimizers } from '../engine/optimizers'
import { type Pace, type PaceMessage, paced } from '../engine/paced'
import { ready } from '../engine/ready'
import type { Backprop } from './backprop'
import type { Change, TrainingConfig } from './config'
import { examples } from './data'
import type { Examples } from './examples'
import type { Noise } from './noise'
import type { Sharpness, SharpnessMeter } from './sharpness'
import { type Curve, Trainer } from './trainer'
import { axesIn, inspectNet, type MapAxes, type NetView, viewOf } from './view'
import type { TrainerXray } from './xray'

export interface SessionInput extends Pace {
  config: TrainingConfig
  /** The run whose net is shown. */
  chosen: number
  /** The inputs that the map shows, across and upwards. */
  axes: MapAxes
  /** Looks for what is wrong with the chosen run. */
  xray: boolean
  /** Measures the sharpness of the loss as each run trains. */
  sharpness: boolean
}

export type SessionMessage =
  | PaceMessage
  | { type: 'choose'; chosen: number; axes: MapAxes }
  | { type: 'change'; change: Omit<Change, 'step'> }
  | { type: 'inspect' }
  | { type: 'variance' }
  | { type: 'backprop'; row: number }
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
  /** Of each run, if it was asked for. */
  sharpness?: Sharpness[]
}

export type SessionUpdate =
  | { type: 'data'; examples: Examples; backend: string }
  | { type: 'frame'; frame: Frame }
  | { type: 'changed'; change: Change }
  | { type: 'inspection'; text: string }
  | { type: 'digit'; outputs: number[] }
  | { type: 'variance'; noise: Noise }
  | { type: 'backprop'; backprop: Backprop }

export async function session(
  { config, chosen, axes, xray, sharpness, ...pace }: SessionInput,
  context: Context<SessionUpdate>,
): Promise<void> {
  await ready()
  const data = await examples(config.data)
  await fetchOptimizers([...config.runs, ...config.changes].flatMap(({ method }) => method ?? []))
  const changes = [...config.changes]
  const trainers = config.runs.map((_, i) => new Trainer({ ...config, changes }, i, data))
  const hasRows = data.train.count > 0
  const xrays = xray && hasRows ? await xraysOf(trainers, data, config) : []
  const meters = sharpness && hasRows ? await metersOf(trainers, data) : []
  context.update({ type: 'data', examples: data, backend: String(trainers[0].model.backend.variant) })
  /** The run whose net is shown: the last one, where the chosen one was removed. */
  const shown = () => trainers[Math.min(chosen, trainers.length - 1)]
  await paced<Exclude<SessionMessage, PaceMessage>>(pace, context, {
    step: () => stepOf(trainers),
    isAlive: () => trainers.some(isAlive),
    advance: (until, deadline) => advance(trainers, until, deadline),
    show: async (stepsPerSecond) => {
      for (const trainer of trainers) trainer.edit()
      const frame: Frame = await frameOf(trainers, data, shown(), axes, stepsPerSecond * trainers.length)
      if (xrays.length > 0) frame.xray = xrays[trainers.indexOf(shown())].now()
      if (meters.length > 0) frame.sharpness = meters.map((meter) => meter.sharpness)
      context.update({ type: 'frame', frame })
    },
    receive: async (message) => {
      switch (message.type) {
        // Looks at the net that change nothing of it.
        case 'variance':
          if (hasRows) context.update({ type: 'variance', noise: (await import('./noise')).gradientNoise(shown(), data) })
          return false
        case 'backprop':
          if (hasRows) context.update({ type: 'backprop', backprop: (await import('./backprop')).backprop(shown(), data, message.row) })
          return false
        case 'choose':
          chosen = message.chosen
          axes = message.axes
          return true
        case 'change': {
          if (message.change.method !== undefined) await fetchOptimizers([message.change.method])
          // It holds from the next step on, which only the session knows.
          const change = { ...message.change, step: stepOf(trainers) }
          changes.push(change)
          context.update({ type: 'changed', change })
          return true
        }
        case 'inspect':
          context.update({ type: 'inspection', text: inspectionText(shown(), data) })
          return true
        case 'digit':
          context.update({ type: 'digit', outputs: digitOutputs(shown(), message.pixels) })
          return true
      }
    },
  })
}

/** An X-ray of each run; all of them, as another run may be chosen at any step. */
async function xraysOf(trainers: readonly Trainer[], data: Examples, { decay }: TrainingConfig): Promise<TrainerXray[]> {
  const { TrainerXray } = await import('./xray')
  return trainers.map((trainer) => {
    const xray = new TrainerXray(trainer, data, decay)
    trainer.watchers.push(xray)
    return xray
  })
}

/** The sharpness of each run. */
async function metersOf(trainers: readonly Trainer[], data: Examples): Promise<SharpnessMeter[]> {
  const { SharpnessMeter } = await import('./sharpness')
  return trainers.map((trainer) => {
    const meter = new SharpnessMeter(trainer, data)
    trainer.watchers.push(meter)
    return meter
  })
}

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

async function frameOf(
  trainers: readonly Trainer[],
  data: Examples,
  shown: Trainer,
  axes: MapAxes,
  stepsPerSecond: number,
): Promise<Frame> {
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
    view: viewOf(shown, data, axesIn(axes, data.features)),
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
