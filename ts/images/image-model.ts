/** A trained net with all that it needs to name pictures. */

import { rangeError } from '../common/errors.js'
import { checkFormat } from '../common/saved.js'
import { show } from '../common/show.js'
// registers the layers of convolution with model files
import '../conv/index.js'
import { encodeModel, loadModelFile, type ModelFile, type ModelSource, type Sequential, saveModel } from '../index.js'
import type { ImageInput } from './decode.js'
import { type LabeledImages, readImageSet, readPixels } from './image-set.js'
import { probabilitiesOf } from './probabilities.js'
import { evaluationOf, type ImageEvaluation, type ImageReport, isReport, mapOf } from './report.js'

const FORMAT = 'gradus-images/1'

/** What the model says of a picture. */
export interface ImagePrediction {
  class: string
  /** Of that class. */
  probability: number
  /** Of each class, by its name. */
  probabilities: Readonly<Record<string, number>>
}

interface State {
  size: number
  channels: 1 | 3
  classes: readonly string[]
  report: ImageReport
}

/** A net that names pictures: made by {@link trainImages}, or read from a file by {@link loadImageModel}. */
export class ImageModel {
  /** Height and width of the pictures that the net sees. */
  readonly size: number
  readonly channels: 1 | 3
  readonly classes: readonly string[]
  readonly report: ImageReport

  /** @internal */
  constructor(
    /** The net: [rows, size, size, channels], 0 to 1, to logits [rows, classes]. */
    readonly net: Sequential,
    { size, channels, classes, report }: State,
  ) {
    this.size = size
    this.channels = channels
    this.classes = classes
    this.report = report
  }

  /**
   * The class of each picture. Pictures may have any size and shape: the net sees the square in their middle, as in training.
   *
   * @throws RangeError naming the picture that cannot be read
   */
  async predict(images: readonly ImageInput[]): Promise<ImagePrediction[]> {
    const { size, channels, classes } = this
    if (!Array.isArray(images)) throw rangeError(`ImageModel: predict wants an array of pictures, got ${show(images)}`)
    const pixels = await readPixels('ImageModel', images, size, channels)
    const rows = Int32Array.from(images, (_, i) => i)
    const all = probabilitiesOf(this.net, { pixels, size, channels }, rows)
    return all.map((own) => {
      const best = mostProbable(own)
      return { class: classes[best], probability: own[best], probabilities: Object.fromEntries(classes.map((name, c) => [name, own[c]])) }
    })
  }

  /**
   * How good the model is on other pictures whose classes are known, such as `imagesInFolder` gives; `reportText` and `reportHtml` show it. A picture
   * that cannot be read is in `skipped`.
   *
   * @throws RangeError, TypeError for lists that do not fit, a class that the model does not know, or where more than half of the pictures cannot be read
   */
  async evaluate(images: LabeledImages): Promise<ImageEvaluation> {
    const set = await readImageSet('ImageModel', images, this)
    const rows = Int32Array.from(set.labels, (_, i) => i)
    return evaluationOf(this.net, set, rows)
  }

  /**
   * Where in a picture the net sees a class: `classActivationMap` of `gradus/conv`, for the square in the middle that the net sees.
   *
   * @param name the class. Default: the one that {@link predict} names
   * @returns [size · size], line by line, from 0 to 1
   * @throws RangeError for a picture that cannot be read, and for a class that the model does not know
   */
  async activationMap(image: ImageInput, name?: string): Promise<Float32Array> {
    const { size, channels, classes, net } = this
    const asked = name === undefined ? undefined : classes.indexOf(name)
    if (asked === -1)
      throw rangeError(
        `ImageModel: activationMap wants one of the model's ${classes.length} classes, such as ${show(classes[0])}, got ${show(name)}`,
      )
    const set = { pixels: await readPixels('ImageModel', [image], size, channels), size, channels }
    const [own] = probabilitiesOf(net, set, Int32Array.of(0))
    return mapOf(net, set, 0, asked ?? mostProbable(own))
  }

  /** The model as the bytes of one file, for {@link loadImageModel}. */
  bytes(): Uint8Array {
    return encodeModel(this.net, { images: this.stored })
  }

  /** Saves the model in one file, all or nothing; in a browser under a name in IndexedDB. */
  save(path: string): Promise<void> {
    return saveModel(this.net, path, { images: this.stored })
  }

  private get stored(): object {
    const { size, channels, classes, report } = this
    return { format: FORMAT, size, channels, classes, report }
  }
}

/** The class of the largest probability. @throws RangeError for NaN, of which none is the largest */
function mostProbable(probabilities: Float32Array): number {
  const best = probabilities.indexOf(Math.max(...probabilities))
  if (best < 0) throw rangeError('ImageModel: the net gives NaN; its weights are damaged: load or train it again')
  return best
}

/**
 * A model from a file that {@link ImageModel.save} wrote.
 *
 * @param source a path, URL, Blob, the bytes, or the result of `loadModelFile`
 * @example
 * const shade = (value: number) => ({ width: 8, height: 8, data: new Uint8Array(256).fill(value) })
 * const images = [0, 250, 10, 240].map(shade)
 * const model = await trainImages({ images, labels: ['dark', 'light', 'dark', 'light'] }, { epochs: 1 })
 * await model.save('shades.safetensors')
 * const again = await loadImageModel('shades.safetensors')
 * again.classes // ['dark', 'light']
 * @throws Error for a file that is not there, RangeError for one that is damaged, TypeError for one that holds no model of pictures
 */
export async function loadImageModel(source: ModelSource | ModelFile): Promise<ImageModel> {
  const file = ('model' in Object(source) ? source : await loadModelFile(source as ModelSource)) as ModelFile<Sequential, { images: State }>
  checkFormat('loadImageModel', 'model of pictures', file, 'images', FORMAT)
  const { model, images } = file
  const { size, channels, classes, report } = images
  const isRight =
    Number.isInteger(size) &&
    (channels === 1 || channels === 3) &&
    Array.isArray(classes) &&
    classes.every((name) => typeof name === 'string') &&
    isReport(report, { size, channels, classes })
  if (!isRight) throw rangeError('loadImageModel: the file is damaged: its parts do not fit; save the model again')
  return new ImageModel(model, { size, channels, classes, report })
}
