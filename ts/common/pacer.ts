/**
 * Yielding: training loops let other tasks of the page or server run, and finalizers, which release the memory of forgotten models.
 *
 * A *turn* of the event loop is what runs between two of its tasks. All loops of the process share the time of a turn: when it is used up, each
 * waits, and they continue one after the other, one per turn. So a turn takes as long with a thousand loops as with one.
 */
import { clock } from './clock.js'

/** Start of the current turn. Each turn has an object of its own. */
let turn = { began: clock.now() }
/** Loops that wait for a turn. */
let waiting = 0

/** @internal tells a loop when its turn is over, and waits for its next turn */
export class Pacer {
  /** @param milliseconds length of a turn */
  constructor(private readonly milliseconds = 16) {}

  /** True if the loops have worked long enough in this turn. */
  get isDue(): boolean {
    const worked = clock.now() - turn.began
    // a clock that was put back, as a test may do, would make the turn endless
    return worked > this.milliseconds || worked < 0
  }

  /** Resolves in a turn that has time left for this loop; loops that have waited longer come first. */
  async pause(): Promise<void> {
    let ahead = waiting++
    try {
      for (; ; ahead--) {
        const seen = turn
        await otherTasks()
        // a loop that waited longer gets this turn
        if (ahead > 0) continue
        if (turn === seen) {
          turn = { began: clock.now() }
          return
        }
        // another loop worked in this turn already, and may have left time
        if (!this.isDue) return
      }
    } finally {
      waiting--
    }
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
