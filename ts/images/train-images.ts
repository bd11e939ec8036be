/** The training of a net on pictures, in one call. */
import { clock } from '../common/clock.js'
import { rangeError } from '../common/errors.js'
import { readOptions } from '../common/options.js'
import { RandomStream } from '../common/random-stream.js'
import { Conv2d, MaxPool } from '../conv/index.js'
import { Adam, BatchNorm, crossEntropy, Dense, Dropout, Flatten, fit, Generator, type Module, Sequential, schedules } from '../index.js'
import { cutParts } from '../rows/cut.js'
import { changeRows, plainRows } from './augment.js'
import { ImageModel } from './image-model.js'
import { type ImageSet, type LabeledImages, readImageSet } from './image-set.js'
import { AUGMENT, type Augment, TRAIN_IMAGES, type TrainImagesOptions } from './options.js'
import { probabilitiesOf } from './probabilities.js'
import { reportOf } from './report.js'

/** Pictures of each class that a training needs: one learns, one measures. */
const LEAST_OF_CLASS = 2
/** Pictures that all epochs together show, and epochs. */
const [SHOWN, LEAST_EPOCHS, MOST_EPOCHS] = [200_000, 4, 60]
/** Share of the epochs without a lower validation loss after which a training ends. */
const PATIENCE = 0.3
/** Pictures of a step: few where there are few, so that an epoch has some twenty steps. */
const [BATCH, LEAST_BATCH] = [64, 8]
/** The highest rate of the cycle: the best of 1, 2, 4 and 8e-3 on digits and emoji. */
const RATE = 0.004

/**
 * Trains a convolutional net on pictures: reads them, brings them to one size, sets some aside to measure with, changes the others at random in each
 * epoch, and keeps the weights of the best epoch.
 *
 * The net has blocks of a 3 × 3 convolution, batch normalization, relu and max pooling, as many as the size allows, and two dense layers behind them
 * (LeCun et al. 1998; Ioffe and Szegedy 2015). Its rate rises and falls in one cycle (Smith 2018).
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
 *   pictures cannot be read
 */
export async function trainImages(images: LabeledImages, given: TrainImagesOptions = {}): Promise<ImageModel> {
  const options = readOptions('trainImages', given, TRAIN_IMAGES)
  const how = options.augment === false ? false : readOptions('trainImages: augment', options.augment ?? {}, AUGMENT)
  const start = clock.now()
  const set = await readImageSet('trainImages', images, options)
  checkClasses(set)
  const order = new RandomStream(options.seed).permutation(set.count)
  const [train, held] = cutParts(Int32Array.from(order), [options.validationFraction], { classOf: set.labels })
  if (train.length === 0 || held.length === 0)
    throw rangeError(
      `trainImages: validationFraction ${options.validationFraction} of ${set.count} pictures leaves none to ${held.length === 0 ? 'measure with' : 'learn from'}; add pictures, or choose a ${held.length === 0 ? 'larger' : 'smaller'} fraction`,
    )
  const model = netOf(set, options.seed)
  await learn(model, set, train, held, how, options, start)
  const probabilities = probabilitiesOf(model, set, held)
  return new ImageModel(model, {
    ...stateOf(set),
    report: reportOf(model, set, { train, held, probabilities }),
  })
}

function stateOf({ size, channels, classes }: ImageSet) {
  return { size, channels, classes: [...classes] }
}

function checkClasses({ classes, labels, skipped }: ImageSet): void {
  if (classes.length < 2) throw rangeError(`trainImages: wants pictures of two classes or more, got those of '${classes[0]}' alone`)
  const counts = new Int32Array(classes.length)
  for (const c of labels) counts[c]++
  const few = counts.findIndex((count) => count < LEAST_OF_CLASS)
  if (few >= 0)
    throw rangeError(
      `trainImages: class '${classes[few]}' has ${counts[few]} picture${skipped.length > 0 ? ' that can be read' : ''}; ${LEAST_OF_CLASS} or more are needed, one to learn from and one to measure with`,
    )
}

/** Blocks of convolution, each half as large as the one before with more channels, and dense layers. */
function netOf({ size, channels, classes }: ImageSet, seed: number): Sequential {
  const layers: Module[] = []
  let [side, inputs, filters] = [size, channels as number, 16]
  for (; side >= 6 && filters <= 64; side = Math.floor(side / 2), inputs = filters, filters *= 2)
    layers.push(
      new Conv2d(inputs, filters, 3, { padding: 'same', bias: false }),
      new BatchNorm(filters, { activation: 'relu' }),
      new MaxPool(2),
    )
  // without normalization a hundred classes stay at chance: 2 % of characters are named right after ten epochs, with it 99 %
  const hidden = [new Dense(side * side * inputs, 64, { bias: false }), new BatchNorm(64, { activation: 'relu' }), new Dropout(0.3)]
  return new Sequential([...layers, new Flatten(), ...hidden, new Dense(64, classes.length)], { seed }) as Sequential
}

async function learn(
  model: Sequential,
  set: ImageSet,
  train: Int32Array,
  held: Int32Array,
  how: Required<Augment> | false,
  { epochs, time = Number.POSITIVE_INFINITY, seed, onEpoch, signal }: TrainImagesOptions & { seed: number },
  start: number,
): Promise<void> {
  const generator = new Generator(seed)
  const optimizer = new Adam(model.parameters(), { learningRate: RATE })
  const batchSize = batchSizeOf(train.length)
  const steps = Math.ceil(train.length / batchSize)
  let planned = epochs ?? Math.min(MOST_EPOCHS, Math.max(LEAST_EPOCHS, Math.round(SHOWN / train.length)))
  const [shape, targets] = [[train.length, set.size, set.size, set.channels], Int32Array.from(train, (row) => set.labels[row])]
  // all epochs have one array: of many pictures it is gigabytes
  const inputs = plainRows(set, train)
  let best = { loss: Number.POSITIVE_INFINITY, state: model.state(), epoch: 0 }
  for (let epoch = 1; epoch <= planned; epoch++) {
    signal?.throwIfAborted()
    const began = clock.now()
    if (how !== false) changeRows(set, train, how, generator, inputs)
    const cycle = schedules.oneCycle(RATE, { steps: planned * steps })
    const done = (epoch - 1) * steps
    const schedule = (step: number) => cycle(done + step)
    const history = await fit(model, {
      inputs,
      shape,
      targets,
      loss: crossEntropy,
      optimizer,
      schedule,
      batchSize,
      seed: seed + epoch,
      signal,
      verbose: false,
    })
    if (signal?.aborted) signal.throwIfAborted()
    const { loss, accuracy } = measure(probabilitiesOf(model, set, held), set, held)
    onEpoch?.({ epoch, epochs: planned, loss: history.epochs[0].loss, validationLoss: loss, accuracy })
    if (loss < best.loss) best = { loss, state: model.state(), epoch }
    if (epoch - best.epoch > PATIENCE * planned) break
    // as many epochs as the time allows, by the first: the rate has fallen when it is over
    if (epoch === 1 && Number.isFinite(time))
      planned = Math.max(1, Math.min(planned, Math.floor((1000 * time - (began - start)) / (clock.now() - began))))
    if (clock.now() - start > 1000 * time) break
  }
  model.loadState(best.state)
}

function batchSizeOf(count: number): number {
  let size = Math.min(BATCH, Math.max(LEAST_BATCH, Math.ceil(count / 20)))
  // a batch of one picture has no variance to normalize by
  while (count % size === 1) size++
  return size
}

function measure(probabilities: readonly Float32Array[], { labels }: ImageSet, rows: Int32Array): { loss: number; accuracy: number } {
  let [loss, right] = [0, 0]
  for (const [i, row] of rows.entries()) {
    const own = probabilities[i]
    loss -= Math.log(Math.max(own[labels[row]], 1e-12))
    if (own.indexOf(Math.max(...own)) === labels[row]) right++
  }
  return { loss: loss / rows.length, accuracy: right / rows.length }
}
