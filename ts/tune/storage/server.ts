/** Shared code of storages on a server: entries whose confirmation was lost, and a journal that the server has lost. */
import { clock } from '../../common/clock.js'
import { plainError } from '../../common/errors.js'
import { entriesIn, type JournalStore, OPERATION, parseJson, toJson } from './journal.js'

/** True if the attempted entries are among those read since: the server had stored them, and its answer was lost. */
function hasAll(entries: readonly string[], tried: readonly string[]): boolean {
  return tried.length > 0 && entries.join('\n').includes(tried.join('\n'))
}

/** Entries at the end of a journal that are kept in memory, in case the server loses them. */
const KEPT = 20_000

/** @internal the journal differs from the one that was read */
export class JournalLost extends Error {
  override name = 'JournalLost'
}

/**
 * The end of a journal, as this process has read it. It shows that a server has lost entries, as one that comes back from a crash or from an old
 * copy, and says which of them to write again.
 * @internal
 */
export class KnownEntries {
  private texts: string[] = []
  /** Number of the first entry that is kept. */
  private first = 0

  constructor(
    /** The server, for messages. */
    private readonly place: string,
  ) {}

  /** Number of entries that were read. */
  get count(): number {
    return this.first + this.texts.length
  }

  /** Number of the first entry to compare with: the last entry that was read. */
  get check(): number {
    return Math.max(this.first, this.count - 1)
  }

  /** Number of the first entry that is kept. */
  get start(): number {
    return this.first
  }

  /** True if the server's entries from `check` on begin with the last entry that was read. */
  isSame(entries: readonly string[]): boolean {
    return this.texts.length === 0 || entries[0] === this.texts.at(-1)
  }

  /** Adds entries that were read or written. */
  add(entries: readonly string[]): void {
    for (const entry of entries) this.texts.push(entry)
    // kept until there is a tenth more, so that the beginning is not cut off at each new entry
    const surplus = this.texts.length - KEPT
    if (surplus < KEPT / 10) return
    this.texts = this.texts.slice(surplus)
    this.first += surplus
  }

  /**
   * Merges the entries that were read with the server's from `start` on, after it has lost entries.
   * @returns `lost`, to be appended to the journal, and `news`, which this process has not read
   * @throws JournalLost if both have made trials since, or nothing in common is left
   */
  reconcile(server: readonly string[]): { lost: string[]; news: string[] } {
    const { texts, first, place } = this
    let common = 0
    while (common < texts.length && texts[common] === server[common]) common++
    const lost = without(texts.slice(common), server.slice(common))
    const news = without(server.slice(common), texts.slice(common))
    if ((first > 0 && common === 0) || (lost.some(makesIds) && news.some(makesIds)))
      throw new JournalLost(
        `the journal in ${place} has ${first + server.length} entries where ${this.count} were read, and they are not the same: ` +
          'did the server lose its data? Run the study again: it goes on with what the server has. ' +
          'A server that writes to disk before it answers (Redis: appendonly yes, appendfsync always) loses nothing',
      )
    this.texts = [...texts.slice(0, common), ...server.slice(common)]
    return { lost, news }
  }

  /** A copy, on which changes can be tried. */
  copy(): KnownEntries {
    const copy = new KnownEntries(this.place)
    copy.become(this)
    return copy
  }

  /** Takes over the entries of another object. */
  become({ texts, first }: KnownEntries): void {
    this.texts = [...texts]
    this.first = first
  }
}

/**
 * @internal the journal on a server. The server keeps no lock or transaction for a client between two requests, so a client that is cut off blocks
 *   nobody
 */
export interface ServerJournal {
  entriesFrom(number: number): Promise<string[]>
  /** Appends entries, the first with this number; false if others have appended since. The entries may be there even if the answer is lost. */
  append(number: number, entries: readonly string[]): Promise<boolean>
}

/** @internal seconds without an answer after which a person is told, and seconds after which the message is repeated */
export const SILENCE = { first: 5, again: 6 }

/** @internal the message about a server that has not answered for some seconds */
export function silenceOf(place: string, seconds: number): string {
  return `no answer of ${place} for ${Math.round(seconds)} s; waiting for it`
}

/** @internal a store on a server */
export function serverStore(place: string, server: ServerJournal, close: () => Promise<void>): JournalStore {
  const known = new KnownEntries(place)
  const store: JournalStore = {
    place,
    async transact(_, read, write) {
      const say = (text: string) => (store.onSilence ? store.onSilence(text) : console.warn(`gradus: ${text}`))
      const end = sayWhileWaiting(place, say)
      try {
        let tried: string[] = []
        for (;;) {
          const { news, note } = await newEntries(known, server, place)
          read(entriesIn(news, place, known.count))
          note()
          if (hasAll(news, tried)) return 'read'
          const added = write()
          if (added.length === 0) return undefined
          tried = added.map(toJson)
          if (await server.append(known.count, tried)) {
            known.add(tried)
            return undefined
          }
          // another process was faster: its entries are read first
        }
      } finally {
        end()
      }
    },
    close,
  }
  return store
}

/** Says every few seconds that a server has not answered, until it is ended. */
function sayWhileWaiting(place: string, say: (text: string) => void): () => void {
  const began = clock.now()
  let next = SILENCE.first
  const timer = setInterval(() => {
    const seconds = (clock.now() - began) / 1000
    if (seconds < next) return
    next = seconds + SILENCE.again
    say(silenceOf(place, seconds))
  }, 1000)
  return () => clearInterval(timer)
}

/**
 * The entries that others wrote since. If the server has lost entries, they are written again first.
 * @returns the entries, and `note`, to be called after they were processed
 * @throws JournalLost if the server has another journal
 */
async function newEntries(known: KnownEntries, server: ServerJournal, place: string): Promise<{ news: string[]; note(): void }> {
  for (;;) {
    const texts = await server.entriesFrom(known.check)
    if (known.isSame(texts)) {
      const news = known.count > known.check ? texts.slice(1) : texts
      return { news, note: () => known.add(news) }
    }
    const there = await server.entriesFrom(known.start)
    const next = known.copy()
    const { lost, news } = next.reconcile(there)
    // requested again if another process was faster
    if (lost.length > 0 && !(await server.append(next.count, lost))) continue
    next.add(lost)
    return {
      news,
      note() {
        known.become(next)
        if (lost.length === 0) return
        console.warn(
          `gradus: ${place} had lost the last ${lost.length} entries of its journal; they are back from memory. ` +
            'Does it write to disk (Redis: appendonly yes)?',
        )
      },
    }
  }
}

/** The entries of `all` without the entries of `others`; of an entry that occurs several times, only as many are removed. */
function without(all: readonly string[], others: readonly string[]): string[] {
  const count = new Map<string, number>()
  for (const text of others) count.set(text, (count.get(text) ?? 0) + 1)
  return all.filter((text) => {
    const left = count.get(text) ?? 0
    if (left > 0) count.set(text, left - 1)
    return left === 0
  })
}

/** True if an entry makes a study or trial, whose number follows from its place in the journal. */
function makesIds(text: string): boolean {
  const { op_code } = Object(parseJson(text)) as { op_code?: unknown }
  return op_code === OPERATION.createTrial || op_code === OPERATION.createStudy || op_code === OPERATION.deleteStudy
}

/** @internal */
export function lostEntry(place: string, number: number, prefix: string): Error {
  return plainError(
    `${place}: entry ${number} of the journal '${prefix}' is missing; was it deleted, or does Redis evict keys (maxmemory-policy)? Use another prefix or an empty database for a new study`,
  )
}

/** @internal waits for work whose failure is nothing, but not for a server that does not answer */
export async function within(seconds: number, work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const end = new Promise((resolve) => {
    timer = setTimeout(resolve, 1000 * seconds)
  })
  await Promise.race([work.catch(() => {}), end])
  clearTimeout(timer)
}
