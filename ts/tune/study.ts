/**
 * A study: trials of one space, their results, and the choice of the next trial. stored-trials.ts has its trials, asking.ts the choice of the next
 * one, telling.ts their reports and results, and entries.ts the entries in the journal.
 */

import { plainError } from '../common/errors.js'
import { Asking } from './asking.js'
import { deletion, isFaulty, ownerOf } from './entries.js'
import type { Observations } from './observations.js'
import { type OptimizeOptions, runTrials } from './optimize.js'
import type { ModuleObjective } from './parallel/module-objective.js'
import { paretoFront } from './pareto.js'
import type { Pruner } from './pruners/pruner.js'
import { Pulse } from './pulse.js'
import { RunningTrial } from './running-trial.js'
import { nsga2 } from './samplers/nsga2.js'
import type { Sampler } from './samplers/sampler.js'
import { tpe } from './samplers/tpe.js'
import type { Axis, Params, Space } from './space.js'
import { isOver, Journal, type JournalStore, type StoredTrial } from './storage/journal.js'
import { forgetWorker, NOBODY } from './storage/owner.js'
import { StoredTrials } from './stored-trials.js'
import { Suggester } from './suggest.js'
import { endedWith, Telling } from './telling.js'
import type { Objective, Outcome, Trial, TrialRecord } from './trial.js'
import { recordOf } from './trial-record.js'

/** Direction of the search: less or more is better. */
export type Direction = 'minimize' | 'maximize'

/** Seconds of silence of the process that runs a study after which a worker stops its trials. */
const DESERTED = 3600

/** Options of {@link createStudy}. */
export interface StudyOptions<S extends Space> {
  /** The space to search. */
  space: S
  /** Direction of the search; for several objectives one each. Default 'minimize'. */
  direction?: Direction | readonly Direction[]
  /** Chooses the parameters. Default: {@link tpe}; for several objectives {@link nsga2}. */
  sampler?: Sampler
  /** Ends unpromising trials early. Default: none is ended. */
  pruner?: Pruner
  /**
   * Storage of the study. `'study.sqlite'` is a database, `'study.log'` a journal that Optuna and its dashboard read, `redis://host` or
   * `postgres://host/database` a server. An existing study of this name is continued. Default: in memory.
   */
  storage?: string | JournalStore
  /** Name of the study in its storage. Default 'study'. */
  name?: string
  /** The same seed gives the same trials. Default 0. */
  seed?: number
  /** Returns true for allowed combinations: others are not tried. */
  constraint?: (params: Params<S>) => boolean
  /** Continues a study that had another space: its trials count if they fit the new one. Default false, which is an error. */
  allowSpaceChange?: boolean
}

/**
 * Trials of one space with their results. {@link createStudy} makes one.
 * @example
 * const study = await createStudy({ space: { x: float(0, 1) }, direction: 'maximize' })
 * const trial = await study.ask()
 * await study.tell(trial, Math.sin(trial.params.x))
 * study.trials[0].state // 'complete'
 */
export class Study<S extends Space = Space> {
  /** Name of the study in its storage. */
  readonly name: string
  readonly space: S
  readonly directions: readonly Direction[]
  readonly sampler: Sampler
  readonly pruner: Pruner | undefined
  readonly seed: number
  private readonly stored: StoredTrials
  private readonly asking: Asking
  private readonly telling: Telling
  private readonly pulse: Pulse
  private isEnded = false

  /** @internal use {@link createStudy} */
  constructor(
    private readonly journal: Journal,
    options: Omit<StudyOptions<S>, 'direction'> & { name: string; seed: number },
    private readonly axes: readonly Axis[],
    directions: readonly Direction[],
  ) {
    this.name = options.name
    this.space = options.space
    this.seed = options.seed
    this.directions = directions
    this.sampler = options.sampler ?? (directions.length > 1 ? nsga2() : tpe())
    this.pruner = options.pruner
    this.stored = new StoredTrials(
      journal,
      { name: options.name, space: options.space, axes, directions, pruner: options.pruner },
      // first called in begin(), when the suggester exists
      (trial) => suggester.note(trial.systemAttributes),
    )
    const suggester = new Suggester(this.sampler, axes, this.stored.index.history, this.seed, directions.length, options.constraint)
    this.pulse = new Pulse(this.stored)
    this.asking = new Asking(this.stored, suggester, this.pulse)
    this.telling = new Telling(this.stored, this.pulse)
    Object.defineProperty(this, Symbol.for('nodejs.util.inspect.custom'), { value: () => String(this) })
  }

  /**
   * @internal makes the study in the storage, or checks that it is the existing one: with the same space, or a space to which it may change. Opening
   * it to look writes nothing.
   */
  async begin(purpose: 'same' | 'change' | 'look'): Promise<void> {
    await this.stored.begin(purpose)
  }

  /** The study in a line, which Node and Deno also print for it. */
  toString(): string {
    const { best: trial } = this.stored.index
    const best = trial === undefined || this.directions.length > 1 ? '' : `, best ${this.bestValue} in trial ${trial.number}`
    return `Study '${this.name}': ${this.all.length} trials${best}`
  }

  /** All trials, by number. */
  get trials(): TrialRecord<S>[] {
    return this.all.map((trial) => recordOf<S>(trial))
  }

  /** The complete and feasible trial with the best value; undefined before the first. For several objectives use {@link front}. */
  get bestTrial(): TrialRecord<S> | undefined {
    if (this.directions.length > 1)
      throw plainError(`a study of ${this.directions.length} objectives has no best trial; front has those that no other beats`)
    const { best } = this.stored.index
    return best && recordOf<S>(best)
  }

  /** The best value. @throws Error before the first complete trial */
  get bestValue(): number {
    return this.best().value as number
  }

  /** The parameters of the best value. @throws Error before the first complete trial */
  get bestParams(): Params<S> {
    return this.best().params
  }

  private best(): TrialRecord<S> {
    const best = this.bestTrial
    if (best === undefined)
      throw plainError(`the study '${this.name}' has no complete trial yet; run optimize() first, or look at the errors of its trials`)
    return best
  }

  /** The Pareto front: complete, feasible trials for which no other trial is as good in every objective and better in one, sorted by number. */
  get front(): TrialRecord<S>[] {
    const complete = this.stored.index.history.ranked.filter(({ state, violation }) => state === 'complete' && violation === 0)
    return paretoFront(complete)
      .map(({ number }) => recordOf<S>(this.all[number]))
      .sort((a, b) => a.number - b.number)
  }

  /** Notes on the study as a whole, made by {@link setAttribute}: Optuna's `user_attrs`. */
  get attributes(): Readonly<Record<string, unknown>> {
    return this.stored.attributes
  }

  /**
   * Notes something on the study as a whole, which its storage keeps: anything that JSON has. For notes on a single trial use `trial.setAttribute`.
   * @example
   * // await study.setAttribute('table', 'penguins.csv')
   * // study.attributes.table // 'penguins.csv'
   */
  async setAttribute(name: string, value: unknown): Promise<void> {
    await this.stored.setAttribute(name, value)
  }

  /** Number of trials that are over. */
  get finished(): number {
    return this.stored.index.finished
  }

  /** Reads the entries of other processes from the storage. */
  async sync(): Promise<void> {
    await this.journal.sync()
  }

  /**
   * The next trial to run. After a process was killed, its unfinished trials come first, with the same parameters.
   * @throws RangeError if a sampler such as a grid has no more points; Error if the storage fails
   */
  async ask(): Promise<Trial<S>> {
    return (await this.askBelow()) as Trial<S>
  }

  /** @internal the next trial, unless as many as `most` have been begun; trials that others run count */
  async askBelow(most?: number): Promise<Trial<S> | undefined> {
    const number = await this.asking.next(most)
    return number === undefined ? undefined : this.running(number)
  }

  /**
   * Records the result of a trial: a value, one for each objective, or that it was pruned or failed. A value is a failure if it is NaN, or infinitely
   * good: `Infinity` if more is better, `-Infinity` if less is.
   * @throws RangeError for a trial that is over already, or does not exist; TypeError for an invalid value
   */
  async tell(trial: Trial<S> | number, outcome: number | readonly number[] | Outcome): Promise<void> {
    const number = typeof trial === 'number' ? trial : trial.number
    await this.telling.tell(number, endedWith(number, outcome, this.directions))
  }

  /** @internal @throws TypeError for an invalid result of an objective */
  checkOutcome({ number }: Trial<S>, outcome: unknown): void {
    endedWith(number, outcome as number, this.directions)
  }

  /** @internal a trial with these parameters, to be run at once; waiting trials keep waiting */
  async askWith(params: Partial<Params<S>>): Promise<Trial<S>> {
    return this.running(await this.asking.nextWith(params))
  }

  /** @internal ends orphaned trials, for programs that do not resume them */
  async failOrphans(): Promise<void> {
    for (const { number } of this.stored.orphans)
      await this.tell(number, { state: 'failed', error: 'its process ended before it had a result' })
  }

  /** @internal marks a trial as stopped without a result: it is repeated, with the same parameters, before new ones */
  async leave({ number }: Trial<S>): Promise<void> {
    this.telling.forget(number)
    await this.asking.leave(this.all[number])
  }

  /**
   * Adds a trial with these parameters, to be run before others: parameters that are known to be good, or a guess. The sampler chooses missing
   * parameters.
   * @throws RangeError for a value that is not in its range, a parameter that is not in the space, or values that the constraint forbids
   */
  async enqueue(params: Partial<Params<S>>): Promise<void> {
    await this.asking.enqueue(params)
  }

  /**
   * Adds a trial that was run elsewhere, with its value or one for each objective: samplers learn from it as from any other.
   * @throws RangeError for parameters that are missing, not in their ranges, or forbidden by the constraint; TypeError for an invalid value
   */
  async add(params: Params<S>, value: number | readonly number[]): Promise<void> {
    await this.asking.add(params, endedWith(this.all.length, value, this.directions))
  }

  /**
   * Runs trials: asks for the next one, calls the objective with its parameters, and records the result, until the number of trials or the time is
   * reached or a signal stops it. Results from before an error or a stop are kept.
   *
   * @param objective a function of the parameters that returns the value, or an array of one for each objective; or a module, as a URL, whose default
   *   export is one, for workers
   * @throws errors of the objective, with the number of the trial, which counts as failed; losses that are not finite do not throw
   * @example
   * const study = await createStudy({ space: { rate: float(1e-4, 1, { log: true }) }, pruner: median() })
   * await study.optimize(
   *   async ({ rate }, trial) => {
   *     let loss = 1
   *     for (let epoch = 0; epoch < 10; epoch++) {
   *       loss *= 1 - Math.min(0.5, rate)
   *       await trial.report(loss, epoch)
   *       if (trial.shouldPrune()) trial.prune()
   *     }
   *     return loss
   *   },
   *   { trials: 20 },
   * )
   * study.finished // 20
   */
  async optimize(objective: Objective<S> | URL | string | ModuleObjective, options: OptimizeOptions<S> = {}): Promise<void> {
    await runTrials(this, objective, options)
  }

  /** Ends the use of the storage. A study in memory needs no end. */
  async close(): Promise<void> {
    if (this.isEnded) return
    this.isEnded = true
    this.pulse.stop()
    forgetWorker(this.journal.worker)
    await this.journal.store.close?.()
  }

  // ---- for other files of gradus/tune ----

  /** @internal */
  get all(): readonly StoredTrial[] {
    return this.stored.all
  }

  /** @internal */
  recordOf(number: number): TrialRecord<S> {
    return recordOf<S>(this.all[number])
  }

  /** @internal */
  get place(): string {
    return this.journal.store.place
  }

  /** @internal called while the server of its storage does not answer; undefined for `console.warn` */
  set onSilence(say: ((text: string) => void) | undefined) {
    this.journal.store.onSilence = say
  }

  /** @internal the axes of the space, and the finished trials */
  get observations(): { axes: readonly Axis[]; history: Observations } {
    return { axes: this.axes, history: this.stored.index.history }
  }

  /** @internal the trial of this number, to be run by this process */
  running(number: number): Trial<S> {
    return new RunningTrial(this.telling, number, this.recordOf(number).params)
  }

  /** @internal the trial of this number, run for another process, which decides about pruning */
  onQueue(number: number): Trial<S> {
    // this process may have run the trial before, without a result
    this.telling.forget(number)
    const trial = this.running(number)
    trial.shouldPrune = () => this.telling.isPruneAsked(number)
    return trial
  }

  /** @internal */
  shouldPrune(number: number): boolean {
    return this.telling.shouldPrune(number)
  }

  /** @internal */
  askToPrune(number: number): Promise<void> {
    return this.telling.askToPrune(number)
  }

  /** @internal true if the objective runs in threads or other processes, so that this one is never busy for long */
  set isFree(value: boolean) {
    this.pulse.isFree = value
  }

  /** @internal trials of other processes that may have died, and the seconds until it is known whether they have */
  get uncertain(): { numbers: number[]; seconds: number } {
    const trials = this.stored.uncertain
    const left = trials.map((trial) => {
      const owner = ownerOf(trial)
      return (this.journal.maySilent(owner) ?? 0) - this.journal.silence(owner)
    })
    return { numbers: trials.map(({ number }) => number), seconds: Math.max(0, ...left) }
  }

  /** @internal announces this process in the storage, so that others notice when it falls silent */
  async announce(): Promise<void> {
    await this.journal.write(() => this.pulse.first)
  }

  /** @internal true if the journal in another store is this study's: it has this process's announcement */
  async isIn(store: JournalStore): Promise<boolean> {
    const other = new Journal(store, 'look')
    await other.sync()
    return other.maySilent(this.journal.worker) !== undefined && other.studyNamed(this.name) !== undefined
  }

  /** @internal deletes the study from its storage */
  async delete(): Promise<void> {
    await this.journal.write(() => (this.stored.isDeleted ? [] : [deletion(this.stored.study?.id)]))
  }

  /** @internal */
  get isDeleted(): boolean {
    return this.stored.isDeleted
  }

  /** @internal the reason to stop a trial of another process; undefined if there is none */
  stopReason(number: number): string | undefined {
    const trial = this.all[number]
    if (this.stored.isDeleted) return 'its study was deleted'
    if (trial === undefined || isOver(trial.state)) return 'it has a result of another worker'
    const owner = ownerOf(trial)
    if (owner === NOBODY) return 'its study was stopped'
    const { journal } = this
    return journal.maySilent(owner) !== undefined && journal.silence(owner) > DESERTED
      ? `the process that runs its study has been silent for ${Math.round(DESERTED / 60)} minutes`
      : undefined
  }

  /** @internal notes that a trial fails by an error of its objective */
  noteFault(number: number): void {
    this.telling.noteFault(number)
  }

  /** @internal the error of the objective, if it made the trial fail */
  faultOf(number: number): string | undefined {
    const trial = this.all[number]
    return trial.state === 'failed' && isFaulty(trial) ? (this.recordOf(number).error ?? 'no reason') : undefined
  }

  /** @internal */
  isOver(number: number): boolean {
    return isOver(this.all[number]?.state)
  }

  /** @internal */
  reportsOf(number: number): number {
    return this.all[number].reports.size
  }
}
