/** Trainings in model files: everything on which the next step depends, and data to check that a program resumes the same training. */

import type { FloatArray } from '../backend/heap.js'
import { plainError, rangeError, typeError } from '../common/errors.js'
import { savedCount } from '../common/saved.js'
import { sizeOf } from '../common/shape.js'
import { show } from '../common/show.js'
import { crc32Of } from '../io/crc32.js'
import type { Bytes } from '../io/safetensors.js'
import { joinRows, rowsOf } from '../nn/rows.js'
import type { ShowsAverages } from '../optim/base/averaging.js'
import { Tensor } from '../tensor.js'
import type { Callback, Training } from '../train/callbacks.js'
import type { EpochRecord } from '../train/history.js'
import { encodeTrainedModel, readStates, type SavedModel, setModel } from './model-file.js'

/** An object whose state is saved with a training and restored with it. */
export interface StatefulPart {
  state(): object
  loadState(state: never): unknown
}

type State = Record<string, unknown>

/** A training in a file. */
interface SavedTraining {
  /** The layers of the model, as text: a training with other layers is another training. */
  layers: [path: string, description: string][]
  /** Further settings that must be the same in a resumed training. */
  settings: Record<string, unknown>
  optimizer: State
  /** The trained weights, if the model in the file has averaged weights instead. */
  weights: State | null
  /** States of the callbacks that have one. */
  callbacks: { name: string; state: State }[]
  epochs: EpochRecord[]
  seconds: number
  /** Position within an unfinished epoch; null, or missing in old files, between two epochs. */
  part?: EpochPart | null
}

/** The finished part of an epoch. */
interface EpochPart {
  batches: number
  seconds: number
  /** Number of rows so far, and the sums over them of the loss and of each metric that is a mean. */
  samples: number
  lossSum: number
  sums: number[]
  /** Predictions and targets so far, if a metric needs those of the whole epoch. */
  kept: { shape: number[]; values: FloatArray | Int32Array }[] | null
}

/** Number of rows that enter the checksum by which a resumed training recognizes its data. */
const ROWS_SEEN = 64

/**
 * @internal The file of a training between two batches. Its model is the one that validation used, which predicts best: with an averaging optimizer
 * the averages.
 */
export function encodeTraining(training: Training, parts: Readonly<Record<string, StatefulPart>>): Bytes {
  const { plan, callbacks, history } = training
  const { model, options } = plan
  const optimizer = options.optimizer as unknown as StatefulPart & ShowsAverages
  const trained = model.state()
  const restore = optimizer.showAverages?.()
  try {
    const saved: SavedTraining = {
      layers: layersOf(training),
      settings: settingsOf(training),
      optimizer: optimizer.state() as State,
      weights: restore === undefined ? null : trained,
      callbacks: callbacks.filter(isStateful).map((callback) => ({ name: nameOf(callback), state: callback.state() as State })),
      epochs: history.epochs,
      seconds: history.seconds + training.secondsSoFar,
      part: partOf(training),
    }
    return encodeTrainedModel(model, { ...parts, training: saved })
  } finally {
    restore?.()
  }
}

/** @internal Restores a training to the state in a file. @throws Error, RangeError for another model, other data or options */
export function restoreTraining(training: Training, file: Uint8Array | ArrayBuffer, parts: Readonly<Record<string, StatefulPart>>): void {
  const { plan, callbacks, control } = training
  const { model, options } = plan
  const { model: savedModel, training: found, ...savedParts } = readStates('resume', file)
  const saved = checked(found)
  checkSame(training, saved)
  const stateful = callbacks.filter(isStateful)
  const [own, theirs] = [stateful.map(nameOf), saved.callbacks.map(({ name }) => name)]
  if (own.join() !== theirs.join())
    throw plainError(
      `resume: the callbacks with a state were ${theirs.join(', ') || 'none'}, this training has ${own.join(', ') || 'none'}`,
    )
  for (const name of Object.keys(parts)) if (savedParts[name] === undefined) throw plainError(`resume: the file has no part '${name}'`)
  const optimizer = options.optimizer as unknown as StatefulPart
  const before = [model, optimizer, ...Object.values(parts)].map((part) => ({ part, state: part.state() }))
  try {
    setModel(model, savedModel as SavedModel)
    if (saved.weights !== null) model.loadState(saved.weights as never)
    optimizer.loadState(saved.optimizer as never)
    for (const [name, part] of Object.entries(parts)) part.loadState(savedParts[name] as never)
  } catch (error) {
    // all or nothing: a model of that file with an optimizer of this program would be neither training
    for (const { part, state } of before) part.loadState(state as never)
    throw error
  }
  training.goOnAfter(saved.epochs, saved.seconds, saved.part?.batches, saved.part?.seconds)
  if (saved.part) setMeans(training, saved.part)
  // callbacks last, as a restored callback may request at once that training stops
  for (const [i, callback] of stateful.entries()) callback.loadState(saved.callbacks[i].state as never, control)
}

function partOf({ batchesOfEpoch: batches, means, secondsOfEpoch }: Training): EpochPart | null {
  if (batches === 0) return null
  const kept = means.kept?.map((parts) => {
    const joined = joinRows('Checkpoint', parts)
    return { shape: [...joined.shape], values: joined.read() }
  })
  return {
    batches,
    seconds: secondsOfEpoch,
    samples: means.samples,
    lossSum: means.lossSum,
    sums: [...means.sums],
    kept: kept ?? null,
  }
}

function setMeans({ plan, means }: Training, { samples, lossSum, sums, kept }: EpochPart): void {
  means.samples = samples
  means.lossSum = lossSum
  sums.forEach((sum, i) => void (means.sums[i] = sum))
  const { backend } = plan.model
  if (kept !== null) means.kept = kept.map(({ shape, values }) => [Tensor.onHost(backend, shape, values)]) as [Tensor[], Tensor[]]
}

type StatefulCallback = Callback & Required<Pick<Callback, 'state' | 'loadState'>>

function isStateful(callback: Callback): callback is StatefulCallback {
  return typeof callback.state === 'function' && typeof callback.loadState === 'function'
}

/** Minifiers rename classes, so a callback without a name is not compared. */
function nameOf({ name }: Callback): string {
  return name ?? 'callback'
}

function layersOf({ plan: { model } }: Training): [string, string][] {
  return model.modulePaths(true).map(({ module, path }) => [path, module.describe()])
}

function settingsOf({ plan }: Training): Record<string, unknown> {
  const { batchSize, batchesPerEpoch, rows, options } = plan
  const { shuffle, seed, optimizer } = options
  return { optimizer: optimizer.name, rows: rows.count, batchSize, batchesPerEpoch, shuffle, seed, data: seen(rows) }
}

/** A checksum of some of the rows. */
function seen({ inputs, targets, count }: Training['plan']['rows']): string {
  const shown = Math.min(count, ROWS_SEEN)
  const at = Array.from({ length: shown }, (_, i) => Math.floor((i * count) / shown))
  const sums = at.flatMap((row) => [inputs, targets].map((t) => crc32Of(rowsOf(t, row, row + 1).read())))
  return crc32Of(new TextEncoder().encode(sums.join()))
}

function checked(found: unknown): SavedTraining {
  const { layers, settings, optimizer, weights, callbacks, epochs, seconds } = Object(found) as SavedTraining
  if (found === undefined) throw rangeError('resume: the file holds a model, but no training; Checkpoint saves those')
  for (const list of [layers, callbacks, epochs]) if (!Array.isArray(list)) throw typeError(`resume: wants a list, got ${show(list)}`)
  for (const object of [settings, optimizer]) if (Object(object) !== object) throw typeError(`resume: wants an object, got ${show(object)}`)
  if (weights !== null && Object(weights) !== weights) throw typeError(`resume: wants weights, got ${show(weights)}`)
  if (!(seconds >= 0)) throw rangeError(`resume: seconds wants a number ≥ 0, got ${show(seconds)}`)
  epochs.forEach((record, i) => {
    if (savedCount(record?.epoch, 'resume: epoch') !== i + 1)
      throw rangeError(`resume: epoch ${i + 1} is ${show(record.epoch)} in the file`)
  })
  return found as SavedTraining
}

/** @throws Error, RangeError for a part of an epoch from which this training cannot continue */
function checkPart({ plan, means }: Training, { epochs, part }: SavedTraining): void {
  if (part === null || part === undefined) return
  const { batches, seconds, samples, lossSum, sums, kept } = part
  savedCount(batches, 'resume: batches of the epoch')
  if (batches >= plan.batchesPerEpoch)
    throw rangeError(`resume: ${batches} batches are more than the part of an epoch of ${plan.batchesPerEpoch}`)
  // batches of a stream may have fewer rows: fitStream does not know their number
  const isStream = plan.batchesPerEpoch === Number.MAX_SAFE_INTEGER
  const most = batches * plan.batchSize
  if (!(samples === most || (isStream && samples >= batches && samples < most)) || !(seconds >= 0) || typeof lossSum !== 'number')
    throw rangeError(`resume: ${show(samples)} rows, ${show(seconds)} seconds and a loss of ${show(lossSum)} are no part of an epoch`)
  const isSame = Array.isArray(sums) && sums.length === means.sums.length && sums.every((sum) => typeof sum === 'number')
  const isKept =
    kept === null ? means.kept === null : means.kept !== null && kept?.length === 2 && kept.every((rows) => isTable(rows, samples))
  if (!isSame || !isKept)
    throw plainError(`resume: the file is of the midst of epoch ${epochs.length + 1}, for which the metrics have to be the same as there`)
}

function isTable({ shape, values }: { shape: readonly number[]; values: unknown }, rows: number): boolean {
  const isArray = values instanceof Float32Array || values instanceof Float64Array || values instanceof Int32Array
  return isArray && Array.isArray(shape) && shape[0] === rows && sizeOf(shape) === (values as Float32Array).length
}

function checkSame(training: Training, saved: SavedTraining): void {
  const own = layersOf(training)
  const length = Math.max(own.length, saved.layers.length)
  for (let i = 0; i < length; i++) {
    const [[path = '', now] = [], [oldPath = '', before] = []] = [own[i], saved.layers[i]] as [string, string][]
    if (path === oldPath && now === before) continue
    throw plainError(
      `resume: the model is another one: ${before === undefined ? 'it has' : `the file has ${before} at '${oldPath}', this one`} ${now ?? 'nothing'} at '${path}'`,
    )
  }
  const settings = settingsOf(training)
  for (const [name, now] of Object.entries(settings)) {
    const before = saved.settings[name]
    if (Object.is(now, before)) continue
    throw plainError(
      name === 'data'
        ? 'resume: these are other rows than those of the training in the file, or in another order'
        : `resume: ${name} was ${show(before)} in the training in the file, this one has ${show(now)}`,
    )
  }
  const { epochs } = training.plan
  const had = saved.epochs.length + (saved.part ? 1 : 0)
  if (had > epochs)
    throw rangeError(`resume: the training in the file has had ${had} epochs, this one is to have ${epochs}; give more epochs`)
  checkPart(training, saved)
}
