import { flag, number, RATE, SEED, STEP, whole } from '../checks'
import { tabState } from '../tab-state'

/** What determines the weights at each step. */
export interface SeriesConfig {
  seed: number
  rate: number
  units: number
  /** Steps of one wave. */
  period: number
  /** Standard deviation of the noise on the values to learn from. */
  noise: number
}

/** The state of the Sequences tab. */
export interface SeriesState extends SeriesConfig {
  /** The step of training that is shown. */
  at: number
  isPlaying: boolean
  /** Number of steps per second; 0 for as many as possible. */
  speed: number
}

export const seriesTab = tabState<SeriesState>(
  'series',
  { seed: 1, rate: 0.01, units: 6, period: 16, noise: 0.05, at: 0, isPlaying: true, speed: 100 },
  {
    ...{ seed: SEED, rate: RATE, units: whole(1, 16), period: whole(4, 60), noise: number(0, 2) },
    ...{ at: STEP, isPlaying: flag, speed: number(0, 1e4) },
  },
)

export const configOf = ({ seed, rate, units, period, noise }: SeriesState): SeriesConfig => ({ seed, rate, units, period, noise })
