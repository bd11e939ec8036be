/**
 * Learns a hidden layer in front of the lines: h = max(0, x·W + b), by a net of two layers. From then on it stays, like the penalty and the temperature,
 * and lines on h follow the rule of all heads. So `add`, `forget` and new classes work as without it. This file needs the engine of nets: it is imported
 * when a net is tried.
 */
import {
  AdamW,
  binaryCrossEntropy,
  crossEntropy,
  Dense,
  Dropout,
  EarlyStopping,
  fitMany,
  Sequential,
  type Tensor,
  tensor,
} from '../index.js'
import { takeRows } from '../rows/take.js'
import type { Answers } from './answers.js'
import type { EngineRows } from './engine-rows.js'
import { lift } from './lift.js'
import type { Line } from './lines.js'
import type { Rows } from './vectors.js'

/** Options of the nets; chosen on the sets of bench/head.ts. */
const [LEARNING_RATE, WEIGHT_DECAY, DROPOUT, BATCH, PATIENCE] = [0.005, 0.1, 0.2, 32, 5]
/** Epochs at most: as many as take this number of steps, from 10 to 200. */
const STEPS = 6000

/** What a net learns from. */
export interface Lesson {
  rows: Rows
  /** The same rows in the engine, with their center and spread. */
  engine: EngineRows
  answerOf: Int32Array
  classes: number
  answers: Answers
  neurons: number
}

/** A hidden layer, and all rows behind it. */
export interface Learnt {
  hidden: Line
  lifted: Rows
  /** Epochs after which its net was best, and its loss on the held-out rows then. */
  epochs: number
  loss: number
}

/** Rows to learn from, and rows that say when to stop; without those a number of epochs says it. */
export interface Part {
  train: Int32Array
  held: Int32Array | null
  epochs?: number
  seed: number
}

/** Learns a hidden layer from each part, side by side. @returns null if a net diverged */
export async function learnHidden(
  { rows, engine, answerOf, classes, answers, neurons }: Lesson,
  parts: readonly Part[],
): Promise<Learnt[] | null> {
  const { width, center, spread } = engine
  // columns of deviation 1 on average
  const scale = spread / Math.sqrt(width)
  const scaled = rows.vectors.map((x, i) => (x - center[i % width]) / scale)
  const samples = (own: Int32Array) => ({
    inputs: tensor(takeRows(scaled, own, width), [own.length, width]),
    targets: targetsOf(answers, takeRows(answerOf, own)),
  })
  const nets = parts.map(({ seed }) => {
    const first = new Dense(width, neurons, { activation: 'relu' })
    const model = new Sequential([first, new Dropout(DROPOUT), new Dense(neurons, classes)], { seed })
    return { model, first, stop: new EarlyStopping({ patience: PATIENCE }) }
  })
  const [{ train, held, epochs = Math.min(200, Math.max(10, Math.ceil((STEPS * BATCH) / train.length))) }] = parts
  const histories = await fitMany(
    nets.map(({ model }) => model),
    {
      data: parts.map((part) => samples(part.train)),
      ...(held && { validation: parts.map((part) => samples(part.held as Int32Array)), callbacks: (net: number) => [nets[net].stop] }),
      loss: answers.sets !== null ? binaryCrossEntropy : crossEntropy,
      optimizers: nets.map(({ model }) => new AdamW(model.parameters(), { learningRate: LEARNING_RATE, weightDecay: WEIGHT_DECAY })),
      seed: parts.map(({ seed }) => seed),
      ...{ batchSize: BATCH, epochs },
    },
  )
  if (histories.some(({ error }) => error !== undefined)) return null
  const learnt = nets.map(({ first, stop }) => ({
    ...scaledLayer(rows, unscaled(first, center, scale)),
    ...{ epochs: held ? stop.bestEpoch : epochs, loss: stop.bestValue },
  }))
  return learnt.every(({ lifted }) => Number.isFinite(lifted.vectors[0])) ? learnt : null
}

function targetsOf({ sets }: Answers, answerOf: Int32Array): Tensor {
  if (sets === null) return tensor(answerOf)
  const classes = sets[0].length
  const out = new Float32Array(answerOf.length * classes)
  for (const [i, answer] of answerOf.entries()) out.set(sets[answer], i * classes)
  return tensor(out, [answerOf.length, classes])
}

/** The layer for rows as they came. */
function unscaled(layer: Dense, center: Float64Array, scale: number): Line {
  const weights = Float64Array.from(layer.weight.data(), (w) => w / scale)
  const bias = Float64Array.from(layer.bias?.data() ?? [])
  for (let i = 0; i < weights.length; i++) bias[i % bias.length] -= center[Math.floor(i / bias.length)] * weights[i]
  return { weights, bias }
}

/** The layer times a factor that makes the mean of |h|² 1, so that a penalty means the same behind every layer. */
function scaledLayer(rows: Rows, { weights, bias }: Line): { hidden: Line; lifted: Rows } {
  const lifted = lift(rows, { weights, bias })
  const factor = Math.sqrt(rows.count / lifted.vectors.reduce((sum, h) => sum + h * h, 0))
  const times = (x: number) => x * factor
  return { hidden: { weights: weights.map(times), bias: bias.map(times) }, lifted: { ...lifted, vectors: lifted.vectors.map(times) } }
}
