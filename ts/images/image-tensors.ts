/** Pictures as tensors, for a training of one's own. */
import { readOptions, type Schema, signal } from '../common/options.js'
import { type Tensor, tensor } from '../index.js'
import { plainRows } from './augment.js'
import { type LabeledImages, readImageSet, type SkippedImage } from './image-set.js'
import { TRAIN_IMAGES, type TrainImagesOptions } from './options.js'

/** Options of {@link imageTensors}. */
export interface ImageTensorsOptions extends Pick<TrainImagesOptions, 'size' | 'channels' | 'signal'> {
  /** The names of the classes in the order of their numbers, such as those of the training for pictures to test with. Default: the labels, sorted. */
  classes?: readonly string[]
}

export const IMAGE_TENSORS = {
  size: TRAIN_IMAGES.size,
  channels: TRAIN_IMAGES.channels,
  classes: {
    is: {
      wants: 'an array of different texts',
      fits: (value: unknown) =>
        Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string') && new Set(value).size === value.length,
    },
    aka: ['labels', 'classNames'],
  },
  signal: { is: signal },
} satisfies Schema<ImageTensorsOptions>

/** Result of {@link imageTensors}. */
export interface ImageTensors {
  /** Shape [rows, size, size, channels], from 0 for black to 1 for white, as the layers of `gradus/conv` take them. */
  inputs: Tensor<[number, number, number, number]>
  /** The class of each picture, as its number in `classes`. */
  targets: Int32Array
  classes: readonly string[]
  /** The name of each picture, such as its file. */
  names: readonly string[]
  /** Pictures that could not be read: they have no row. */
  skipped: readonly SkippedImage[]
}

/**
 * Pictures as tensors for `fit`, with a net and a loss of your own. They are decoded, turned as EXIF says, and cut to the square in their middle, as
 * {@link trainImages} does; nothing is changed at random. All are in memory: size² · channels · 4 bytes each.
 *
 * @param images pictures and the class of each, such as {@link imagesInFolder} gives
 * @example
 * const shade = (value: number) => ({ width: 8, height: 8, data: new Uint8Array(256).fill(value) })
 * const { inputs, targets } = await imageTensors({ images: [0, 255].map(shade), labels: ['light', 'dark'] }, { classes: ['dark', 'light'] })
 * inputs.shape // [2, 8, 8, 1]
 * targets // [1, 0]
 * @throws RangeError, TypeError for options or lists that do not fit, a label that is not in `classes`, or where more than half of the pictures cannot be
 *   read
 */
export async function imageTensors(images: LabeledImages, given: ImageTensorsOptions = {}): Promise<ImageTensors> {
  const set = await readImageSet('imageTensors', images, readOptions('imageTensors', given, IMAGE_TENSORS))
  const { count, size, channels, labels, classes, names, skipped } = set
  const rows = Int32Array.from(labels, (_, i) => i)
  const values = plainRows(set, rows)
  return { inputs: tensor(values, [count, size, size, channels]), targets: labels, classes, names, skipped }
}
