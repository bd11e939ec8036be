/** Signs of life of this process in the journal of a study, while it runs trials: other processes do not take these over. */
import { alive } from './entries.js'
import type { NewEntry } from './storage/journal.js'
import type { StoredTrials } from './stored-trials.js'

/** Seconds of silence after which others take the trials of a process whose objective may block it. */
const BLOCKING = 120
/** The same for a process whose objective runs in threads or other processes. */
const FREE = 45
/** Number of signs of life in the time for which a process may be silent. */
const SIGNS = 4

export class Pulse {
  private readonly running = new Set<number>()
  private timer: ReturnType<typeof setInterval> | undefined
  private may = BLOCKING

  constructor(private readonly trials: StoredTrials) {}

  /** Set to true if the objective runs in threads or other processes, so that this process can always write. */
  set isFree(value: boolean) {
    this.may = value ? FREE : BLOCKING
  }

  /** Entries to write with the first trial: the time for which this process may be silent. */
  get first(): NewEntry[] {
    const { journal, study } = this.trials
    return !journal.isShared || journal.maySilent(journal.worker) === this.may ? [] : [alive(study?.id, this.may)]
  }

  begin(number: number): void {
    this.running.add(number)
    if (!this.trials.journal.isShared) return
    this.timer ??= setInterval(() => this.beat(), (1000 * this.may) / SIGNS)
    // the timer alone does not keep a Node process alive
    ;(this.timer as { unref?(): void }).unref?.()
  }

  end(number: number): void {
    this.running.delete(number)
    if (this.running.size > 0) return
    clearInterval(this.timer)
    this.timer = undefined
  }

  /** Ends all. */
  stop(): void {
    for (const number of this.running) this.end(number)
  }

  /** Writes that this process lives, unless it has written something else. */
  private beat(): void {
    const { journal, study } = this.trials
    if (journal.silence(journal.worker) < this.may / SIGNS / 2) return
    // if nothing can be written, the next writer reports it
    journal.write(() => [alive(study?.id, this.may)]).catch(() => {})
  }
}
