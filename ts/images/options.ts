/** Options of trainings on pictures. The command line takes values and defaults from here. */
import { count, flag, handler, type Kind, object, type Schema, seconds, seed, share, signal } from '../common/options.js'
import { NETS, type NetKind } from './nets.js'

/** How pictures are changed at random while a net learns, so that it sees more of them. */
export interface Augment {
  /** Mirror images, left and right swapped. Not for digits and letters. Default false. */
  flip?: boolean
  /** Shifts by up to this share of the side. Default 0.1. */
  shift?: number
  /** Turns by up to this many degrees. Default 0. */
  rotate?: number
  /** Brightness and contrast by up to this share. Default 0.1. */
  light?: number
  /** Red, green and blue of colored pictures, each by up to this share. Default 0. */
  color?: number
  /**
   * Cutout: a square is gray, with its middle anywhere and a side of this share of the picture's, so that no part alone can decide (DeVries & Taylor 2017).
   * From 0 to 1; 0.3 is usual. Default 0: none.
   */
  cutout?: number
  /**
   * α of mixup: pictures are paired at random, and each becomes λ times itself plus 1 − λ times its partner, its class likewise, with λ from Beta(α, α)
   * (Zhang et al. 2018). From 0 to 1; 0.2 is usual. Default 0: none.
   */
  mixup?: number
  /**
   * α of CutMix: the pictures of a pair swap a rectangle of 1 − λ of their area, and that much of their classes (Yun et al. 2019). From 0 to 1; 1 is
   * usual. With `mixup` as well, each pair does one of the two. Default 0: none.
   */
  cutmix?: number
}

/** What an epoch gave. */
export interface ImageEpoch {
  /** The net that learned: with a limit of time there may be two, one after the other. */
  net: NetKind
  epoch: number
  epochs: number
  /** Mean cross-entropy of the training pictures. */
  loss: number
  /** Cross-entropy and accuracy of the pictures set aside. */
  validationLoss: number
  accuracy: number
}

/** Options of `trainImages`. */
export interface TrainImagesOptions {
  /** Height and width that pictures are brought to. Default: the longer side of the median picture, at least 8 and at most 48. */
  size?: number
  /** 1 for gray pictures, 3 for colored ones. Default: 1 if no picture has a color. */
  channels?: 1 | 3
  /**
   * `small`: convolutions with pooling, and two dense layers. `residual`: blocks with ways around them (He et al. 2016), fewer weights, and a step takes
   * 1.3 times as long at 48 pixels, 4 times at 28, 5 times at 16. Default: small; with `time` also residual, if four epochs of it fit into the time that
   * is left, and the net with the lower validation loss stays.
   */
  net?: NetKind
  /** Share of the pictures of each class that measures. Default 0.2. */
  validationFraction?: number
  /** How pictures are changed at random; false: not at all. */
  augment?: Augment | false
  /** Epochs at most. Default: 200,000 pictures in all, at least 4 epochs and at most 60. Ends sooner where the validation loss no longer falls. */
  epochs?: number
  /** Seconds at most. The result then depends on the speed of the machine. Default: no limit. */
  time?: number
  /** Default 0. The same seed gives the same net. */
  seed?: number
  /** Called after each epoch. */
  onEpoch?: (epoch: ImageEpoch) => void
  /** Stops with the error of the signal. */
  signal?: AbortSignal
}

const augment: Kind = {
  wants: '{ flip, shift, rotate, light, color, cutout, mixup, cutmix } or false',
  fits: (value) => value === false || object.fits(value),
}

export const TRAIN_IMAGES = {
  size: { is: { min: 8, max: 256, whole: true }, aka: ['imageSize', 'img_size', 'target_size'] },
  channels: { is: [1, 3] },
  net: { is: NETS },
  validationFraction: { is: { min: 0, max: 0.9, openMin: true }, default: 0.2 },
  augment: { is: augment },
  epochs: { is: count },
  time: { is: seconds },
  seed: { is: seed, default: 0 },
  onEpoch: { is: handler },
  signal: { is: signal },
} satisfies Schema<TrainImagesOptions>

export const AUGMENT = {
  flip: { is: flag, default: false },
  shift: { is: share, default: 0.1 },
  rotate: { is: { min: 0, max: 180 }, default: 0 },
  light: { is: share, default: 0.1 },
  color: { is: share, default: 0, aka: ['colour', 'saturation', 'hue'] },
  cutout: { is: share, default: 0, aka: ['cutOut', 'erase'] },
  mixup: { is: share, default: 0 },
  cutmix: { is: share, default: 0, aka: ['cutMix'] },
} satisfies Schema<Augment>
