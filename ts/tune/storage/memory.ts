/** A study that is gone with the process. */
import type { JournalStore } from './journal.js'

/** @internal */
export function memoryStore(): JournalStore {
  return {
    place: 'memory',
    transact(_, __, write) {
      write()
      return undefined
    },
  }
}
