/** The pace of steps, for estimates of the time that is left. */
import { clock } from '../common/clock.js'

/**
 * Least and largest length, in milliseconds, of the window over which the pace is measured. The window is limited because a machine's load changes; in
 * a long training it is a quarter of the time so far, so that a busy minute does not change an estimate of half an hour.
 */
const LEAST = 1000
const MOST = 10_000
const QUARTER = 0.25

/** Seconds per step, from the steps of the latest seconds. The steps before the first call do not count: they compile, and wait for the rest of the machine. */
export class Pace {
  private readonly marks: { time: number; steps: number }[] = []
  private began: number | undefined

  /** @param steps taken so far @returns NaN before a second of steps was measured */
  secondsPerStep(steps: number): number {
    const { marks } = this
    const time = clock.now()
    this.began ??= time
    const most = Math.max(MOST, QUARTER * (time - this.began))
    marks.push({ time, steps })
    while (marks.length > 2 && time - marks[1].time >= most) marks.shift()
    const [first] = marks
    const took = time - first.time
    return took >= LEAST && steps > first.steps ? took / 1000 / (steps - first.steps) : Number.NaN
  }
}
