/** The training of a net on pictures, in one call. */
import { clock } from '../common/clock.js'
import { NonFiniteError, rangeError } from '../common/errors.js'
import { readOptions } from '../common/options.js'
import { RandomStream } from '../common/random-stream.js'
import { sizeOf } from '../common/shape.js'
import { Adam, crossEntropy, fit, Generator, type Sequential, schedules, type Tensor, tensor } from '../index.js'
import { cutParts } from '../rows/cut.js'
import { changeRows, mixRows, plainRows } from './augment.js'
import { ImageModel } from './image-model.js'
import { type ImageSet, type LabeledImages, readImageSet } from './image-set.js'
import { type NetKind, netOf } from './nets.js'
import { AUGMENT, type Augment, TRAIN_IMAGES, type TrainImagesOptions } from './options.js'
import { measure, probabilitiesOf } from './probabilities.js'
import { reportOf, type TriedNet } from './report.js'

/** Pictures of each class that a training needs: one learns, one measures. */
const MIN_OF_CLASS = 2
/** Pictures that a net learns from, at least: one alone has no variance to normalize by. */
const MIN_TO_LEARN = 2
/** Pictures that all epochs together show, and epochs. */
const [SHOWN, MIN_EPOCHS, MAX_EPOCHS] = [200_000, 4, 60]
/** Share of the epochs without a lower validation loss after which a training ends. */
const PATIENCE = 0.3
/** Pictures of a step: few where there are few, so that an epoch has some twenty steps. */
const [BATCH, MIN_BATCH] = [64, 8]
/** The highest rate of the cycle: the best of 1, 2, 4 and 8e-3 on digits and emoji. */
const RATE = 0.004

/**
 * Trains a convolutional net on pictures: reads them, brings them to one size, sets some aside to measure with, changes the others at random in each
 * epoch, and keeps the weights of the best epoch.
 *
 * The net has blocks of a 3 × 3 convolution, batch normalization, relu and max pooling, as many as the size allows, and two dense layers behind them
 * (LeCun et al. 1998; Ioffe and Szegedy 2015). With a limit of `time`, a residual net learns in the time that is left, and the net with the lower
 * validation loss stays. The rate rises and falls in one cycle (Smith 2018).
 *
 * @param images pictures and the class of each, such as {@link imagesInFolder} gives
 * @example
 * // a picture of 12 × 12 pixels: a line, upright or level
 * const line = (i: number) => {
 *   const data = new Uint8Array(12 * 12 * 4).fill(255)
 *   for (let k = 0; k < 12; k++) data.fill(0, 4 * (i % 2 ? 12 * k + (i % 11) : 12 * (i % 11) + k), 4 * (i % 2 ? 12 * k + (i % 11) : 12 * (i % 11) + k) + 3)
 *   return { width: 12, height: 12, data }
 * }
 * const images = Array.from({ length: 60 }, (_, i) => line(i))
 * const model = await trainImages({ images, labels: images.map((_, i) => (i % 2 ? 'upright' : 'level')) }, { epochs: 8 })
 * const [answer] = await model.predict([line(3)])
 * answer.class // 'upright'
 * @throws RangeError, TypeError for options or lists that do not fit, fewer than two classes, a class with one picture, or where more than half of the
 *   pictures cannot be read; NonFiniteError if every net diverges. A net that diverges later keeps the weights of its best epoch
 */
export async function trainImages(images: LabeledImages, given: TrainImagesOptions = {}): Promise<ImageModel> {
  const options = readOptions('trainImages', given, TRAIN_IMAGES)
  const how = options.augment === false ? false : readOptions('trainImages: augment', options.augment ?? {}, AUGMENT)
  const start = clock.now()
  const set = await readImageSet('trainImages', images, options)
  checkClasses(set)
  const order = new RandomStream(options.seed).permutation(set.count)
  const [train, held] = cutParts(Int32Array.from(order), [options.validationFraction], { classOf: set.labels })
  if (train.length < MIN_TO_LEARN || held.length === 0) {
    const few = held.length === 0 ? 'none to measure with' : `${train.length === 0 ? 'none' : 'one'} to learn from`
    throw rangeError(
      `trainImages: validationFraction ${options.validationFraction} of ${set.count} pictures leaves ${few}; add pictures, or choose a ${held.length === 0 ? 'larger' : 'smaller'} fraction`,
    )
  }
  const lesson: Lesson = { set, train, held, how, options, start, inputs: plainRows(set, train), batchSize: batchSizeOf(train.length) }
  let best = await learn(options.net ?? 'small', lesson)
  const nets = [best.tried]
  // only a limit of time says that there is some left
  if (options.net === undefined && options.time !== undefined && (await canLearn('residual', lesson))) {
    const other = await learn('residual', lesson)
    nets.push(other.tried)
    if (other.tried.validationLoss < best.tried.validationLoss) best = other
  }
  if (best.tried.validationLoss === Number.POSITIVE_INFINITY)
    throw new NonFiniteError(
      `trainImages: every net diverged (${nets.map(({ net }) => net).join(', ')}): the validation loss was NaN or infinite after each epoch; ` +
        `choose another seed, or net: '${nets[0].net === 'small' ? 'residual' : 'small'}'`,
      { cause: best.failure },
    )
  const { model } = best
  return new ImageModel(model, { ...stateOf(set), report: reportOf(model, set, { train, held, net: best.tried.net, nets }) })
}

function stateOf({ size, channels, classes }: ImageSet) {
  return { size, channels, classes: [...classes] }
}

function checkClasses({ classes, labels, skipped }: ImageSet): void {
  if (classes.length < 2) {
    const [first] = skipped
    const why = first === undefined ? '' : `; ${skipped.length} left out, the first is ${first.name}: ${first.reason}`
    throw rangeError(
      `trainImages: wants pictures of two classes or more, got those of '${classes[0]}' alone${why || '; add some of another class'}`,
    )
  }
  const counts = new Int32Array(classes.length)
  for (const c of labels) counts[c]++
  const few = counts.findIndex((count) => count < MIN_OF_CLASS)
  if (few >= 0)
    throw rangeError(
      `trainImages: class '${classes[few]}' has ${counts[few]} picture${skipped.length > 0 ? ' that can be read' : ''}; ${MIN_OF_CLASS} or more are needed, one to learn from and one to measure with`,
    )
}

/** What all nets of a training learn from, and how. */
interface Lesson {
  set: ImageSet
  train: Int32Array
  held: Int32Array
  how: Required<Augment> | false
  options: TrainImagesOptions & { seed: number }
  start: number
  /** The pictures of `train` as an epoch sees them. All epochs have one array: of many pictures it is gigabytes. */
  inputs: Float32Array
  batchSize: number
}

/** True if a net can learn for enough epochs in the time that is left, by the time of two batches. */
async function canLearn(
  kind: NetKind,
  { set, train, inputs, batchSize, options: { time = 0, seed, signal }, start }: Lesson,
): Promise<boolean> {
  const rows = Math.min(train.length, 2 * batchSize)
  const [shape, targets] = [[rows, set.size, set.size, set.channels], Int32Array.from(train.subarray(0, rows), (row) => set.labels[row])]
  const model = netOf(kind, set, seed)
  const began = clock.now()
  await fit(model, { inputs: inputs.subarray(0, sizeOf(shape)), shape, targets, loss: crossEntropy, optimizer: new Adam(model.parameters()), batchSize, epochs: 1, signal, verbose: false }) // biome-ignore format: one line
  signal?.throwIfAborted()
  const epoch = ((clock.now() - began) / rows) * train.length
  return start + 1000 * time - clock.now() >= MIN_EPOCHS * epoch
}

async function learn(kind: NetKind, lesson: Lesson): Promise<{ model: Sequential; tried: TriedNet; failure?: unknown }> {
  const { set, train, held, how, options, start, inputs, batchSize } = lesson
  const { epochs, time = Number.POSITIVE_INFINITY, seed, onEpoch, signal } = options
  const model = netOf(kind, set, seed)
  const generator = new Generator(seed)
  const optimizer = new Adam(model.parameters(), { learningRate: RATE })
  const steps = Math.ceil(train.length / batchSize)
  let planned = epochs ?? Math.min(MAX_EPOCHS, Math.max(MIN_EPOCHS, Math.round(SHOWN / train.length)))
  const shape = [train.length, set.size, set.size, set.channels]
  let best = { loss: Number.POSITIVE_INFINITY, accuracy: 0, state: model.state(), epoch: 0 }
  let done = 0
  let failure: unknown
  for (let epoch = 1; epoch <= planned; epoch++) {
    signal?.throwIfAborted()
    const began = clock.now()
    if (how !== false) changeRows(set, train, how, generator, inputs)
    const targets = targetsOf(set, train, how, generator, inputs)
    const cycle = schedules.oneCycle(RATE, { steps: planned * steps })
    const before = done * steps
    const schedule = (step: number) => cycle(before + step)
    const history = await fit(model, {
      inputs,
      shape,
      targets,
      loss: crossEntropy,
      optimizer,
      schedule,
      batchSize,
      seed: (seed + epoch) % Number.MAX_SAFE_INTEGER,
      signal,
      verbose: false,
    }).catch((error: Error) => {
      if (!(error instanceof NonFiniteError)) throw error
      failure = error
    })
    if (!history) break
    if (signal?.aborted) signal.throwIfAborted()
    const { loss, accuracy } = measure(probabilitiesOf(model, set, held), set, held)
    done = epoch
    onEpoch?.({ net: kind, epoch, epochs: planned, loss: history.epochs[0].loss, validationLoss: loss, accuracy })
    if (loss < best.loss) best = { loss, accuracy, state: model.state(), epoch }
    if (epoch - best.epoch > PATIENCE * planned) break
    // as many epochs as the time allows, by the first: the rate has fallen when it is over
    if (epoch === 1 && Number.isFinite(time))
      planned = Math.max(1, Math.min(planned, Math.floor((1000 * time - (began - start)) / (clock.now() - began))))
    if (clock.now() - start > 1000 * time) break
  }
  if (best.epoch > 0) model.loadState(best.state)
  const parameters = model.parameters().reduce((sum, { size }) => sum + size, 0)
  return { model, tried: { net: kind, parameters, epochs: done, validationLoss: best.loss, accuracy: best.accuracy }, failure }
}

/** The class of each picture, or the share of each class in it after mixing. */
function targetsOf(
  set: ImageSet,
  train: Int32Array,
  how: Required<Augment> | false,
  generator: Generator,
  inputs: Float32Array,
): Tensor | Int32Array {
  const labels = Int32Array.from(train, (row) => set.labels[row])
  if (how === false || (how.mixup === 0 && how.cutmix === 0)) return labels
  const classes = set.classes.length
  const values = new Float32Array(labels.length * classes)
  for (const [i, label] of labels.entries()) values[i * classes + label] = 1
  mixRows(inputs, { values, classes }, set.size, how, generator)
  return tensor(values, [labels.length, classes])
}

function batchSizeOf(count: number): number {
  let size = Math.min(BATCH, Math.max(MIN_BATCH, Math.ceil(count / 20)))
  // a batch of one picture has no variance to normalize by
  while (count % size === 1) size++
  return size
}
