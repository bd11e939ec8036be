/** The pace of steps, for estimates of the time that is left. */
import { clock } from '../common/clock.js'

/**
 * Least and largest length, in milliseconds, of the window over which the pace is measured. The window is limited because a machine's load changes.
 */
const LEAST = 1000
const MOST = 10_000

/**
 * Seconds per step, from the steps of the latest seconds. The steps before the first call do not count: they compile, and wait for the rest of the machine.
 */
export class Pace {
  private readonly marks: { time: number; steps: number }[] = []

  /** @param steps taken so far @returns NaN before a second of steps was measured */
  secondsPerStep(steps: number): number {
    const { marks } = this
    const time = clock.now()
    marks.push({ time, steps })
    while (marks.length > 2 && time - marks[1].time >= MOST) marks.shift()
    const [first] = marks
    const took = time - first.time
    return took >= LEAST && steps > first.steps ? took / 1000 / (steps - first.steps) : Number.NaN
  }
}
