/** Nets trained on a table until the time is up, each judged by rows that it did not see, and the ensemble of the best. */
import { plainError } from '../common/errors.js'
import { joined } from '../common/joined.js'
import { type ColumnToEmbed, crossEntropy, EarlyStopping, Ensemble, fitMany, mse, softmax, tensor } from '../index.js'
import { chooseGreedily, type Judge, logLossOf, MOST, squaredErrorOf, type Voter } from './choose.js'
import {
  makeNet,
  makeOptimizer,
  type NetPlan,
  type NetSettings,
  type RoundPlan,
  randomPlan,
  scheduleOf,
  usualPlan,
  usualRound,
} from './nets.js'

type Net = ReturnType<typeof makeNet>

/** Numbers to learn from. */
export interface TableSamples {
  /** Row-major [count, width]. */
  inputs: Float32Array
  width: number
  count: number
  /** Classes, or numbers with mean 0 and deviation 1. */
  targets: Int32Array | Float32Array
  /** 0 for numbers. */
  classes: number
  /** Inputs that are numbers of categories. */
  embedded: readonly ColumnToEmbed[]
}

/** Rows to train on and rows to judge by. */
export interface Fold {
  train: Int32Array
  judge: Int32Array
}

/** A plan, its nets (one for each fold) and what they said of the rows that they did not see. */
export interface Candidate extends Voter {
  plan: NetPlan
  nets: Net[]
  /** Log loss, or mean squared error in deviations of the target. */
  loss: number
  /** Of each net the validation loss by epoch, and that of training. */
  histories: { loss: number[]; validation: number[] }[]
}

/** What the caller hears while nets are trained. */
export interface SearchProgress {
  /** Seconds since the start. */
  seconds: number
  /** Of the time there is, or of all steps. */
  share: number
  secondsLeft: number
  /** Nets that are trained. */
  nets: number
  /** Loss of the best candidate so far. */
  best: number | null
  /** Loss of training and of held-out rows, by epoch, of the net that is being trained. */
  curve: { loss: readonly number[]; validation: readonly number[] }
}

/** What {@link search} is asked for. */
export interface SearchOptions {
  /** When everything has to be over, as performance.now() counts; undefined for one plan, for as long as that takes. */
  end: number | undefined
  /** Seconds that what follows takes where all nets together take so many for a row. */
  reserve: (secondsOfRow: number) => number
  seed: number
  signal: AbortSignal | undefined
  onProgress: ((progress: SearchProgress) => void) | undefined
  /** What all nets have in common. */
  net: NetSettings
}

/** What was found. */
export interface SearchResult {
  model: Ensemble
  /** Rows that were judged, and what the ensemble said of them: probabilities, or numbers. */
  judged: Int32Array
  predictions: Float64Array
  candidates: Candidate[]
  /** How often each candidate was chosen. */
  votes: number[]
  nets: number
}

/** Epochs without improvement that end the training of a net. */
const PATIENCE = 16
/** Candidates that are kept, the best ones. */
const MAX_KEPT = 40
/** Rows of a first training, which says how long others take. */
const TASTE = 2000
/** Nets of a round where time is limited: as many folds as there are, times so many plans. */
const PLANS_A_ROUND = 2

/** @throws the signal's reason where it ends training before there is a net */
export async function search(data: TableSamples, folds: readonly Fold[], options: SearchOptions): Promise<SearchResult> {
  const { end, seed, signal } = options
  const began = performance.now()
  const outputs = data.classes || 1
  const judged = Int32Array.from(folds.flatMap(({ judge }) => [...judge]))
  const judge = judgeOf(data, judged)
  const x = tensor(data.inputs, [data.count, data.width])
  const targets = data.classes > 0 ? data.targets : tensor(data.targets as Float32Array, [data.count, 1])
  const held = folds.map(({ judge: rows }) => heldRows(data, rows))
  let candidates: Candidate[] = []
  let nets = 0
  let deadline = end && end - 1000 * options.reserve(0)
  const { batchSize: givenSize, epochs: _, ...given } = options.net
  const usual: NetPlan = { ...usualPlan(data.count), ...given }
  const { batchSize = usualRound(data.count).batchSize, epochs = usualRound(data.count).epochs } = options.net

  /** Seconds that a net of the rounds so far takes for a row, on average. */
  const pace = { seconds: 0, rows: 0 }

  /** Trains nets of these plans on a share of the rows. */
  const round = async (plans: NetPlan[], plan: RoundPlan, number: number, share = 1, isTimed = true): Promise<void> => {
    const rows = folds.map(({ train }) => (share < 1 ? train.filter((_, i) => Math.floor(i * share) < Math.floor((i + 1) * share)) : train))
    const controller = new AbortController()
    const stop = () => controller.abort()
    signal?.addEventListener('abort', stop)
    const timer = deadline === undefined || !isTimed ? undefined : setTimeout(stop, Math.max(0, deadline - performance.now()))
    const jobs = plans.flatMap((net, i) => folds.map((fold, k) => ({ net, fold, k, seed: seed + 1000 * number + 10 * i + k })))
    const models = jobs.map(({ net, seed }) => makeNet(net, data.width, outputs, seed, data.embedded))
    const curve: { loss: number[]; validation: number[] } = { loss: [], validation: [] }
    try {
      const histories = await fitMany(models, {
        inputs: x,
        targets,
        rows: jobs.map(({ k }) => rows[k]),
        validation: jobs.map(({ k }) => held[k]),
        loss: data.classes > 0 ? crossEntropy : mse,
        optimizers: models.map((model, i) => makeOptimizer(model, jobs[i].net)),
        schedule: jobs.map(({ net, k }) => scheduleOf(net, plan.epochs * Math.ceil(rows[k].length / plan.batchSize))),
        seed: jobs.map(({ seed }) => seed),
        ...plan,
        signal: controller.signal,
        callbacks: (net) => {
          const stopping = new EarlyStopping({ patience: PATIENCE })
          const watch = {
            onEpochEnd({ loss, validation }: { loss: number; validation?: { loss: number } }) {
              if (net > 0) return
              curve.loss.push(loss)
              curve.validation.push(validation?.loss ?? Number.NaN)
            },
          }
          return net === 0 ? [stopping, watch] : [stopping]
        },
        onProgress: ({ steps, totalSteps, secondsLeft, finished }) => {
          const seconds = (performance.now() - began) / 1000
          const left = deadline === undefined ? secondsLeft : (deadline - performance.now()) / 1000
          options.onProgress?.({
            seconds,
            share: Math.min(1, deadline === undefined ? steps / totalSteps : seconds / (seconds + Math.max(0, left))),
            secondsLeft: Math.max(0, left),
            nets: nets + finished,
            best: candidates[0]?.loss ?? null,
            curve,
          })
        },
      })
      for (const [i, net] of plans.entries()) {
        const own = folds.map((_, k) => i * folds.length + k)
        if (own.some((job) => histories[job].error !== undefined || histories[job].epochs.length === 0)) continue
        const members = own.map((job) => models[job])
        const asked = performance.now()
        const predictions = joined(
          Float64Array,
          members.map((member, k) => answersOf(member, held[k].inputs, data.classes)),
        )
        pace.seconds += (performance.now() - asked) / 1000
        pace.rows += judged.length
        const loss = judge(predictions)
        if (!Number.isFinite(loss)) continue
        const curves = own.map((job) => ({
          loss: histories[job].epochs.map((e) => e.loss),
          validation: histories[job].epochs.map((e) => e.validation?.loss ?? Number.NaN),
        }))
        candidates.push({ plan: net, nets: members, predictions, loss, histories: curves })
      }
      nets += models.length
      candidates.sort((a, b) => a.loss - b.loss)
      candidates = candidates.slice(0, MAX_KEPT)
      // of as many nets as may be chosen, those of the next round among them
      const most = Math.min(candidates.length + PLANS_A_ROUND, MOST) * folds.length
      if (end !== undefined) deadline = end - 1000 * options.reserve((most * pace.seconds) / Math.max(1, pace.rows))
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
    }
  }

  if (deadline === undefined) {
    const repeats = folds.length === 1 ? 2 : 1
    await round(
      Array.from({ length: repeats }, () => usual),
      { batchSize, epochs },
      0,
    )
  } else {
    // two short trainings first: there is a model early, and they say how long others take
    const all = Math.max(...folds.map(({ train }) => train.length))
    const taste = Math.min(1, TASTE / all)
    let started = performance.now()
    await round([usual], { batchSize, epochs: 2 }, 0, taste)
    const fits = (0.4 * (deadline - performance.now()) * 2 * taste) / (performance.now() - started)
    const few = Math.max(3, Math.round(Math.min(epochs / 6, fits)))
    const share = Math.min(1, Math.max(taste, fits / few))
    started = performance.now()
    await round([usual], { batchSize, epochs: few }, 0, share)
    const ofEpoch = (performance.now() - started) / few / share
    for (let number = 1; performance.now() < deadline && !signal?.aborted; number++) {
      const left = deadline - performance.now()
      const fitting = Math.floor((0.9 * left) / ofEpoch)
      // what is left is too short for a training worth its name: it is given to one that is stopped
      const own = Math.max(few, Math.min(epochs, fitting))
      const part = Math.min(1, Math.max(share, fitting / few))
      const count = fitting >= 4 * own ? PLANS_A_ROUND : 1
      const plans = Array.from({ length: count }, (_, i) =>
        number === 1 && i === 0 ? usual : { ...randomPlan(seed + 7919 * number + i), ...given },
      )
      const isGiven = number === 1 || givenSize !== undefined
      await round(plans, { batchSize: isGiven ? batchSize : batchSize * [1, 2, 0.5][number % 3], epochs: own }, number, part)
    }
    // not even one epoch of all folds
    if (candidates.length === 0 && !signal?.aborted)
      await round([{ ...usual, hidden: [32], dropout: 0 }], { batchSize, epochs: 2 }, 0, taste, false)
  }
  if (candidates.length === 0) {
    signal?.throwIfAborted()
    throw plainError('trainTable: no net was trained: there was no time for one, or the loss of all was not finite')
  }
  // half of the time that is left, at most: the other half is for the report
  const votes = chooseGreedily(candidates, judge, end === undefined ? undefined : (performance.now() + end) / 2)
  const members = candidates.flatMap(({ nets }, i) => (votes[i] > 0 ? nets.map((net) => ({ net, weight: votes[i] / nets.length })) : []))
  const model = new Ensemble(
    members.map(({ net }) => net),
    { average: data.classes > 0 ? 'softmax' : 'outputs', weights: members.map(({ weight }) => weight) },
  )
  const total = votes.reduce((sum, vote) => sum + vote, 0)
  const predictions = new Float64Array(judged.length * outputs)
  for (const [i, { predictions: own }] of candidates.entries())
    if (votes[i] > 0) for (let j = 0; j < own.length; j++) predictions[j] += (votes[i] / total) * own[j]
  return { model, judged, predictions, candidates, votes, nets }
}

function judgeOf({ targets, classes }: TableSamples, rows: Int32Array): Judge {
  if (targets instanceof Int32Array)
    return logLossOf(
      Int32Array.from(rows, (row) => targets[row]),
      classes,
    )
  return squaredErrorOf(Float32Array.from(rows, (row) => targets[row]))
}

function heldRows({ inputs, width, targets }: TableSamples, rows: Int32Array) {
  const out = new Float32Array(rows.length * width)
  for (const [i, row] of rows.entries()) out.set(inputs.subarray(row * width, (row + 1) * width), i * width)
  const own =
    targets instanceof Int32Array ? Int32Array.from(rows, (row) => targets[row]) : column(Float32Array.from(rows, (row) => targets[row]))
  return { inputs: tensor(out, [rows.length, width]), targets: own }
}

const column = (values: Float32Array) => tensor(values, [values.length, 1])

/** Probabilities of classes, or numbers, row-major. */
function answersOf(
  net: { predict(x: ReturnType<typeof tensor>): unknown },
  inputs: ReturnType<typeof tensor>,
  classes: number,
): Float64Array {
  const output = net.predict(inputs) as ReturnType<typeof tensor>
  return Float64Array.from((classes > 0 ? softmax(output) : output).data())
}
