/** Giving way: a loop that trains lets other tasks of the page or server have their turns. */
import type { StepOptions } from './plan.js'

/** @internal lets other tasks have a turn when there was work for long enough */
export class Pacer {
  private worked = performance.now()
  private readonly every: number

  constructor({ yieldEvery = 16 }: StepOptions) {
    this.every = yieldEvery
  }

  get isDue(): boolean {
    return performance.now() - this.worked > this.every
  }

  async pause(): Promise<void> {
    await otherTasks()
    this.worked = performance.now()
  }
}

/** Resolves after other tasks had a turn: timers, messages, input. */
function otherTasks(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else if (typeof MessageChannel === 'function') {
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = () => {
        port1.close()
        resolve()
      }
      port2.postMessage(null)
    } else setTimeout(resolve, 0)
  })
}
