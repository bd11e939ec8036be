/**
 * Decides whether sharing work with other threads is worth it. It is not if other programs occupy the cores: the main thread then waits for workers
 * that are suspended in the middle of their shares, or is suspended itself. There is no processor clock to detect that. Instead the time of calls on
 * one thread, measured now and then, is compared with their time when they are shared.
 */
import { clock } from '../../common/clock.js'

/** The first calls of each kind run on one thread, and later one in ONE_OF calls. */
const FIRST_ALONE = 3
const ONE_OF = 61
/**
 * Largest number of kinds of calls whose times are kept. With one more, all times are dropped and measured again: a program whose calls keep changing
 * in size would otherwise fill the memory.
 */
const MAX_KINDS = 1024
/** Weight of a call that takes longer on one thread than before, since other programs may be the cause. */
const SLOWER = 1 / 8

/** Milliseconds of work after which shared calls are compared with calls on one thread. */
const WINDOW = 20
/** Shared calls are worth it if they take less than this part of the time of one thread. */
const WORTH_BELOW = 0.97
/** Milliseconds for which all calls run on one thread after a window in which sharing did not pay: the first time, and the maximum. */
const FIRST_REST = 10
const LONGEST_REST = 1000

export class Gain {
  /** The milliseconds of each kind of call on one thread, with the number of measured calls. */
  private readonly alone = new Map<number, { time: number; count: number }>()
  private calls = 0
  /** Milliseconds that shared calls took in the current window, and that the same calls would have taken on one thread. */
  private taken = 0
  private expected = 0
  private rest = FIRST_REST
  private restUntil = 0

  /** True if the next call of a kind should be shared. Calls that do the same work are of one kind. */
  wants(kind: number): boolean {
    const { count } = this.alone.get(kind) ?? { count: 0 }
    if (count < FIRST_ALONE || ++this.calls % ONE_OF === 0) return false
    return this.restUntil === 0 || clock.now() >= this.restUntil
  }

  noteAlone(kind: number, milliseconds: number): void {
    const known = this.alone.get(kind)
    if (known === undefined) {
      if (this.alone.size === MAX_KINDS) this.alone.clear()
      this.alone.set(kind, { time: milliseconds, count: 1 })
    } else {
      known.time = Math.min(milliseconds, known.time + SLOWER * (milliseconds - known.time))
      known.count++
    }
  }

  noteShared(kind: number, milliseconds: number): void {
    const alone = this.alone.get(kind)?.time ?? milliseconds
    const kept = Math.max(0, 1 - alone / WINDOW)
    this.expected = kept * this.expected + alone
    this.taken = kept * this.taken + milliseconds
    if (this.expected < WINDOW / 2) return
    if (this.taken < WORTH_BELOW * this.expected) {
      this.rest = FIRST_REST
      return
    }
    this.restUntil = clock.now() + this.rest
    this.rest = Math.min(LONGEST_REST, 2 * this.rest)
    this.expected = this.taken = 0
  }
}
