/** A small net for pictures: two convolutions, the mean of each map, and a class from the means. */
import { crossEntropy, Dense, noGrad, Sequential, type Tensor, tensor } from 'gradus'
import { Conv2d, GlobalAvgPool, MaxPool } from 'gradus/conv'
import { backend, WatchedNet } from '../engine/watched-net'
import type { Examples, Part } from '../train/examples'
import type { PicturesConfig } from './state'

/** Pixels on a side of a digit, of a map of the first convolution; the second one's maps have half of it. */
export const SIDE = 14
export const HALF = SIDE / 2
export const CLASSES = 10
const BATCH = 16
/** Steps from one point of the curve to the next, and test digits that it counts. */
const [STRIDE, COUNTED] = [20, 200]

/** What the net makes of one picture. */
export interface Look {
  pixels: Float32Array
  /** A map of each filter of the first convolution, SIDE × SIDE, and of the second, HALF × HALF. */
  first: Float32Array[]
  second: Float32Array[]
  scores: number[]
  /** Probabilities of the classes. */
  shares: number[]
  /** For each class, what each place adds to its score, HALF × HALF: the mean of these and the bias are the score. */
  evidence: Float32Array[]
}

export interface PicturesCurve {
  steps: number[]
  /** Loss of the batch. */
  loss: number[]
  /** Share of the first {@link COUNTED} test digits that it names. */
  accuracy: number[]
}

export class PicturesNet extends WatchedNet {
  readonly curve: PicturesCurve = { steps: [], loss: [], accuracy: [] }
  private order: Int32Array = new Int32Array(0)
  private place = 0

  constructor(
    readonly config: PicturesConfig,
    private readonly data: Examples,
  ) {
    const { seed, filters, kernel } = config
    const layers = [
      new Conv2d(1, filters, kernel, { padding: 'same', activation: 'relu' }),
      new MaxPool(2),
      new Conv2d(filters, 2 * filters, 3, { padding: 'same', activation: 'relu' }),
      new GlobalAvgPool(),
      new Dense(2 * filters, CLASSES),
    ]
    super(new Sequential(layers as Dense[], { seed, backend }), config)
  }

  protected nextLoss(): Tensor {
    const { inputs, labels } = this.nextBatch()
    return crossEntropy(this.model.forward(imagesOf(inputs)), labels)
  }

  protected record(loss: number): void {
    if (this.step % STRIDE !== 0) return
    this.curve.steps.push(this.step)
    this.curve.loss.push(loss)
    this.curve.accuracy.push(this.accuracy(COUNTED))
  }

  private nextBatch(): { inputs: Float32Array; labels: Int32Array } {
    const { train } = this.data
    if (this.place + BATCH > this.order.length) {
      this.order = this.random.permutation(train.count)
      this.place = 0
    }
    const rows = this.order.subarray(this.place, this.place + BATCH)
    this.place += BATCH
    const inputs = new Float32Array(BATCH * SIDE * SIDE)
    rows.forEach((row, i) => inputs.set(pixelsOf(train, row), i * SIDE * SIDE))
    return { inputs, labels: Int32Array.from(rows, (row) => train.labels[row]) }
  }

  /** The class of each picture of a part. */
  answers({ inputs }: Pick<Part, 'inputs'>): number[] {
    const scores = this.model.predict(imagesOf(inputs)).data()
    return Array.from({ length: scores.length / CLASSES }, (_, i) => largest(scores.subarray(i * CLASSES, (i + 1) * CLASSES)))
  }

  /** The share of the first test digits that it names. */
  accuracy(count = this.data.test.count): number {
    const { inputs, labels } = this.data.test
    const answers = this.answers({ inputs: inputs.subarray(0, count * SIDE ** 2) })
    return answers.filter((answer, i) => answer === labels[i]).length / count
  }

  look(pixels: Float32Array): Look {
    const [conv, pool, second, mean, dense] = this.model.layers as unknown as { forward(x: Tensor): Tensor }[]
    return noGrad(() => {
      const first = conv.forward(imagesOf(pixels))
      const deep = second.forward(pool.forward(first))
      const scores = Array.from(dense.forward(mean.forward(deep)).data())
      const weight = (this.model.layers[4] as Dense).weight.view()
      const maps = mapsOf(deep)
      const exps = scores.map((score) => Math.exp(score - Math.max(...scores)))
      const total = exps.reduce((sum, e) => sum + e, 0)
      return {
        ...{ pixels, first: mapsOf(first), second: maps, scores, shares: exps.map((e) => e / total) },
        evidence: scores.map((_, c) => maps[0].map((_, p) => maps.reduce((sum, map, k) => sum + map[p] * weight[k * CLASSES + c], 0))),
      }
    })
  }

  /** The filters of the first convolution, each kernel × kernel. */
  filters(): Float32Array[] {
    const values = (this.model.layers[0] as Conv2d).weight.view()
    const { filters } = this.config
    return Array.from({ length: filters }, (_, f) =>
      Float32Array.from({ length: values.length / filters }, (_, i) => values[i * filters + f]),
    )
  }
}

const imagesOf = (inputs: Float32Array) => tensor(inputs, [inputs.length / SIDE ** 2, SIDE, SIDE, 1], { backend })

export const pixelsOf = ({ inputs }: Pick<Part, 'inputs'>, row: number) => inputs.subarray(row * SIDE ** 2, (row + 1) * SIDE ** 2)

/** The maps of one picture, from [1, height, width, channels]. */
function mapsOf(images: Tensor): Float32Array[] {
  const data = images.data()
  const channels = images.shape[3]
  return Array.from({ length: channels }, (_, c) => Float32Array.from({ length: data.length / channels }, (_, i) => data[i * channels + c]))
}

/** The index of the largest of some numbers. */
export function largest(values: ArrayLike<number>): number {
  let best = 0
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i
  return best
}
