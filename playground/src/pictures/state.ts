import { flag, number, RATE, SEED, STEP, whole } from '../checks'
import { tabState } from '../tab-state'

/** What determines the weights at each step. */
export interface PicturesConfig {
  seed: number
  rate: number
  /** Filters of the first convolution; the second has twice as many. */
  filters: number
  /** Side of the first filters, in pixels. */
  kernel: number
}

/** The state of the Pictures tab. */
export interface PicturesState extends PicturesConfig {
  /** The step that is shown. */
  at: number
  isPlaying: boolean
  /** Number of steps per second; 0 for as many as possible. */
  speed: number
  /** The test digit that is shown. */
  digit: number
  /** How far it is moved, in pixels. */
  shift: number
  /** The class whose evidence is shown; −1 for the net's answer. */
  asked: number
}

export const picturesTab = tabState<PicturesState>(
  'pictures',
  { seed: 1, rate: 0.02, filters: 8, kernel: 5, at: 0, isPlaying: true, speed: 0, digit: 0, shift: 0, asked: -1 },
  {
    ...{ seed: SEED, rate: RATE, filters: whole(1, 16), kernel: whole(1, 7), at: STEP, isPlaying: flag },
    ...{ speed: number(0, 1e4), digit: whole(0, 499), shift: whole(-4, 4), asked: whole(-1, 9) },
  },
)

export const configOf = ({ seed, rate, filters, kernel }: PicturesState): PicturesConfig => ({ seed, rate, filters, kernel })
