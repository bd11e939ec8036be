/** Options of trainings, with one class a row or several. */
import { anything, flag, type Kind, positive, type Schema, seed, share } from '../common/options.js'
import { hiddenLayer } from './choose-hidden.js'
import type { Priors } from './priors.js'
import type { Label } from './vectors.js'

/** Options of `trainHead`. */
export interface TrainHeadOptions<L extends Label = Label> {
  /**
   * The penalty of the squared weights, λ in Σ −log p(class) + ½·λ·Σ w²: 1/C of scikit-learn's `LogisticRegression`. Default: the one with the least
   * log loss in a stratified cross-validation, of steps by √10.
   */
  l2?: number
  /**
   * The neurons of a hidden layer in front of the weights, `[64]`, or `[]` for none. Default: 64 if there are at least 300 rows and 30 for each class, and
   * if in the cross-validation a net with them has a log loss that is lower by 3 %, and lower in a paired test over the folds; none where `l2` is given.
   */
  hidden?: readonly number[]
  /**
   * Divides logits by the temperature with the least held-out log loss, so that predicted probabilities match observed frequencies. Without a
   * cross-validation it is 1. Default true.
   */
  calibrate?: boolean
  /** Shares of classes in the place where the head is used. Default `examples`: as in the examples. */
  priors?: Priors<L>
  /** A prediction with a p-value below this is `isNone`; about this share of vectors of known classes is, too. 0: none is. Default 0.05. */
  noneBelow?: number
  /**
   * The search for the weights ends where no component of the gradient of the mean loss is larger, for vectors that are centered and scaled to columns of
   * deviation 1/2. Default 1e-4, as in scikit-learn: probabilities are right to about three digits. Below 1e-8 single precision ends it.
   */
  gradientTolerance?: number
  /** Decides the folds, and the rows of the cross-validation where there are many. Default 0. */
  seed?: number
}

/** Options of `trainHead` with arrays as labels. */
export interface TrainMultiLabelOptions extends Omit<TrainHeadOptions, 'priors' | 'noneBelow'> {
  /**
   * The least probability with which a class is named, above 0 and below 1, or `f1`: for each class the one with the largest F1 on held-out rows. Default
   * 0.5.
   */
  threshold?: number | 'f1'
}

const BOTH = {
  l2: { is: positive, aka: ['penalty', 'weightDecay', 'alpha'] },
  hidden: { is: hiddenLayer, aka: ['hiddenLayers', 'units'] },
  calibrate: { is: flag, default: true },
  gradientTolerance: { is: positive, default: 1e-4, aka: ['tol'] },
  seed: { is: seed, default: 0 },
} satisfies Schema<Omit<TrainHeadOptions, 'priors' | 'noneBelow'>>

export const TRAIN_HEAD = {
  ...BOTH,
  priors: { is: anything, default: 'examples' },
  noneBelow: { is: share, default: 0.05, aka: ['threshold'] },
} satisfies Schema<TrainHeadOptions>

const threshold: Kind = {
  wants: "a number above 0 and below 1, or 'f1'",
  fits: (value) => value === 'f1' || (typeof value === 'number' && value > 0 && value < 1),
}

export const TRAIN_MULTI_LABEL = {
  ...BOTH,
  threshold: { is: threshold, default: 0.5, aka: ['thresholds'] },
} satisfies Schema<TrainMultiLabelOptions>
