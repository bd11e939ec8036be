/** A study: trials of one space, what came of them, and what to try next. */

import { plainError, rangeError, typeError } from '../common/errors.js'
import { show, showNames } from '../common/show.js'
import type { History, Observation } from './history.js'
import { type OptimizeOptions, runTrials } from './optimize.js'
import type { ModuleObjective } from './parallel/pool.js'
import { lastStep, type Pruner } from './pruners/pruner.js'
import { RunningTrial } from './running-trial.js'
import { nsga2 } from './samplers/nsga2.js'
import type { Sampler } from './samplers/sampler.js'
import { tpe } from './samplers/tpe.js'
import { type Axis, type Choice, describeRange, type Params, pointOf, type Space, valuesAt } from './space.js'
import {
  internal,
  isOver,
  type Journal,
  type JournalStore,
  type NewEntry,
  OPERATION,
  rangeToJson,
  STATES,
  type StoredStudy,
  type StoredTrial,
  spaceToJson,
} from './storage/journal.js'
import { forgetWorker, isGone, NOBODY } from './storage/owner.js'
import { changesOf, SPACE, storedSpace } from './stored-space.js'
import { Suggester } from './suggest.js'
import type { Objective, Outcome, Trial, TrialRecord } from './trial.js'
import { TrialIndex } from './trial-index.js'
import { CONSTRAINT, ERROR, recordOf } from './trial-record.js'

/** Whether less or more is better. */
export type Direction = 'minimize' | 'maximize'

/** Options of {@link createStudy}. */
export interface StudyOptions<S extends Space> {
  /** What is tuned. */
  space: S
  /** Whether less or more is better; for several objectives one each. Default 'minimize'. */
  direction?: Direction | readonly Direction[]
  /** Chooses the parameters. Default: {@link tpe}; for several objectives {@link nsga2}. */
  sampler?: Sampler
  /** Ends trials that are not worth going on. Default: none is ended. */
  pruner?: Pruner
  /**
   * Where the study is kept. `'study.sqlite'` is a database, `'study.log'` a journal that Optuna and its dashboard read, `redis://host` or
   * `postgres://host/database` a server. If there is a study of this name it goes on. Default: in memory.
   */
  storage?: string | JournalStore
  /** Name of the study in its storage. Default 'study'. */
  name?: string
  /** The same seed gives the same trials. Default 0. */
  seed?: number
  /** Which combinations are allowed at all: others are not tried. */
  constraint?: (params: Params<S>) => boolean
  /** Goes on with a study whose space was another: its trials count where they fit into the new one. Default false, which is an error. */
  allowSpaceChange?: boolean
}

/** Who runs a trial now, where it was taken over from a process that ended. */
const OWNER = 'gradus:owner'
/** Set by the one that prunes, for a trial that runs somewhere else. */
const PRUNE = 'gradus:prune'

/**
 * Trials of one space and what came of them. {@link createStudy} makes one.
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
  private readonly index: TrialIndex
  private readonly suggester: Suggester
  private stored: StoredStudy | undefined
  private readonly constraint: ((params: Params<S>) => boolean) | undefined
  /** Numbers of trials whose process had ended when the study was opened. */
  private readonly abandoned = new Set<number>()
  private readonly unwritten = new Map<number, NewEntry[]>()
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
    this.constraint = options.constraint
    this.index = new TrialIndex(axes, directions, this.pruner !== undefined)
    this.suggester = new Suggester(this.sampler, axes, this.index.history, this.seed, directions.length, options.constraint)
    Object.defineProperty(this, Symbol.for('nodejs.util.inspect.custom'), { value: () => String(this) })
    journal.onChange((study, trial, change) => {
      // not by its name: one that was deleted before had the same
      if (study !== this.stored) return
      if (change === 'reported') this.index.updateReports(trial)
      else this.observe(trial)
    })
  }

  /**
   * @internal makes the study in the storage, or checks that it is the one there: with the same space, or one that it is to change to. To
   * look at it writes nothing.
   */
  async begin(purpose: 'same' | 'change' | 'look'): Promise<void> {
    const { name, directions, journal } = this
    const json = spaceToJson(this.space)
    await journal.write(() => {
      if (journal.studyNamed(name)) return []
      return [{ op_code: OPERATION.createStudy, study_name: name, directions: directions.map((d) => (d === 'minimize' ? 1 : 2)) }]
    })
    const stored = journal.studyNamed(name) as StoredStudy
    this.stored = stored
    if (stored.directions.join() !== directions.join())
      throw rangeError(
        `createStudy: the study '${name}' in ${journal.store.place} is to ${stored.directions.join(' and ')}, got direction ${show(directions.join(' and '))}; give this one another name`,
      )
    // what was read before this study listened
    for (const trial of stored.trials) if (!this.index.has(trial)) this.observe(trial)
    const before = stored.userAttributes[SPACE]
    if (typeof before === 'string' && before !== json && purpose === 'same')
      throw rangeError(
        `createStudy: the study '${name}' in ${journal.store.place} has another space: ${changesOf(storedSpace(stored), this.space)}. ` +
          'Give this one another name, or set allowSpaceChange: true, and its trials count where they fit',
      )
    if (before !== json && purpose !== 'look')
      await journal.write(() => [{ op_code: OPERATION.setStudyUserAttribute, study_id: stored.id, user_attr: { [SPACE]: json } }])
    for (const trial of this.index.running.values()) if (isGone(this.ownerOf(trial))) this.abandoned.add(trial.number)
  }

  /** The study in a line; Node and Deno print it so too. */
  toString(): string {
    const { best: trial } = this.index
    const best = trial === undefined || this.directions.length > 1 ? '' : `, best ${this.bestValue} in trial ${trial.number}`
    return `Study '${this.name}': ${this.all.length} trials${best}`
  }

  /** All trials, by number. */
  get trials(): TrialRecord<S>[] {
    return this.all.map((trial) => recordOf<S>(trial))
  }

  /**
   * The trial with the best value among those that are complete and feasible; undefined before the first. Of several objectives use
   * {@link front}.
   */
  get bestTrial(): TrialRecord<S> | undefined {
    if (this.directions.length > 1)
      throw plainError(`a study of ${this.directions.length} objectives has no best trial; front has those that no other beats`)
    return this.index.best && recordOf<S>(this.index.best)
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

  /** The Pareto front: complete, feasible trials of which none is as good in every objective and better in one. By number. */
  get front(): TrialRecord<S>[] {
    const complete = this.index.history.ranked.filter(({ state, violation }) => state === 'complete' && violation === 0)
    const isBeaten = (a: Observation) =>
      complete.some((b) => b.losses.every((loss, i) => loss <= a.losses[i]) && b.losses.some((loss, i) => loss < a.losses[i]))
    return complete
      .filter((a) => !isBeaten(a))
      .map(({ number }) => recordOf<S>(this.all[number]))
      .sort((a, b) => a.number - b.number)
  }

  /** Notes on the study as a whole, made by {@link setAttribute}: Optuna's `user_attrs`. */
  get attributes(): Readonly<Record<string, unknown>> {
    const { [SPACE]: _, ...attributes } = this.stored?.userAttributes ?? {}
    return attributes
  }

  /**
   * Notes something on the study as a whole, which its storage keeps: anything that JSON has. On a single trial it is `trial.setAttribute`.
   * @example
   * // await study.setAttribute('table', 'penguins.csv')
   * // study.attributes.table // 'penguins.csv'
   */
  async setAttribute(name: string, value: unknown): Promise<void> {
    const { journal } = this
    await journal.write(() => [{ op_code: OPERATION.setStudyUserAttribute, study_id: this.stored?.id, user_attr: { [name]: value } }])
  }

  /** How many trials are over. */
  get finished(): number {
    return this.index.finished
  }

  /** Reads what other processes wrote to the storage. */
  async sync(): Promise<void> {
    await this.journal.sync()
  }

  /**
   * The next trial to run. Of a study whose process was killed those come first that it had begun, with the same parameters.
   * @throws RangeError where a sampler such as a grid has no more points; Error where the storage fails
   */
  async ask(): Promise<Trial<S>> {
    return (await this.askBelow()) as Trial<S>
  }

  /** @internal the next trial, unless as many as `most` have been begun; trials that others run count */
  async askBelow(most?: number): Promise<Trial<S> | undefined> {
    const { journal } = this
    let number = -1
    await journal.write(() => {
      number = -1
      // asked here, where nothing comes between: of many that ask at once all would see the same last place
      if (most !== undefined && this.begun >= most) return []
      const [orphan] = this.orphans
      if (orphan) {
        number = orphan.number
        return [{ op_code: OPERATION.setTrialSystemAttribute, trial_id: orphan.id, system_attr: { [OWNER]: journal.worker } }]
      }
      const waiting = this.index.counts.waiting > 0 ? this.all.find(({ state }) => state === 'waiting') : undefined
      const fixed = (waiting?.systemAttributes.fixed_params ?? {}) as Record<string, unknown>
      const chosen = this.suggester.suggest(waiting?.number ?? this.all.length, fixed)
      if (chosen === undefined) {
        if (most !== undefined) return []
        throw rangeError(
          `ask: the sampler '${this.sampler.name}' has ${this.suggester.limit} points, and all have been asked for${this.constraint ? ' that keep the constraint' : ''}; give it more, or take tpe()`,
        )
      }
      number = waiting?.number ?? this.all.length
      const { values, attributes } = chosen
      const created = this.creation(values, attributes)
      if (waiting)
        return [
          { op_code: OPERATION.setTrialSystemAttribute, trial_id: waiting.id, system_attr: attributes },
          { op_code: OPERATION.setTrialState, trial_id: waiting.id, state: 0, values: null, datetime_start: now() },
          ...Object.keys(values).map((name) => ({
            op_code: OPERATION.setTrialParameter,
            trial_id: waiting.id,
            param_name: name,
            param_value_internal: created.params[name],
            distribution: created.distributions[name],
          })),
        ]
      return [created]
    })
    return number < 0 ? undefined : this.running(number)
  }

  /**
   * Says what came of a trial: a value, one for each objective, or that it was pruned or failed. A value that is NaN is a failure.
   * @throws RangeError for a trial that is over already, or does not exist; TypeError for what is no value
   */
  async tell(trial: Trial<S> | number, outcome: number | readonly number[] | Outcome): Promise<void> {
    const number = typeof trial === 'number' ? trial : trial.number
    const { state, values, error } = this.outcomeOf(number, outcome)
    await this.journal.write(() => {
      const stored = this.all[number]
      if (stored === undefined)
        throw rangeError(`tell: wants a trial that ask() gave, got ${show(number)}; the study has ${this.all.length} trials, from 0`)
      if (isOver(stored.state))
        throw rangeError(`tell: trial ${number} is over already: it is ${stored.state}; add() takes what came of another`)
      const more = [...(this.unwritten.get(number) ?? [])]
      if (error !== undefined) more.push({ op_code: OPERATION.setTrialUserAttribute, trial_id: stored.id, user_attr: { [ERROR]: error } })
      const end = { op_code: OPERATION.setTrialState, trial_id: stored.id, state: STATES.indexOf(state), values, datetime_complete: now() }
      return [...more, end]
    })
    this.unwritten.delete(number)
  }

  /** @internal a trial with these parameters, to be run at once: others that wait are left waiting */
  async askWith(params: Partial<Params<S>>): Promise<Trial<S>> {
    let number = -1
    await this.journal.write(() => {
      number = this.all.length
      const chosen = this.suggester.suggest(number, params)
      if (chosen === undefined) throw rangeError(`ask: the sampler '${this.sampler.name}' has no point left`)
      return [{ ...this.creation(chosen.values), system_attrs: { ...chosen.attributes, fixed_params: params } }]
    })
    return this.running(number)
  }

  /** @internal ends trials that nobody runs any more, for those who do not resume them */
  async failOrphans(): Promise<void> {
    for (const { number } of this.orphans) await this.tell(number, { state: 'failed', error: 'its process ended before it had a result' })
  }

  /** @internal says that a trial was stopped without a result: it is asked for again, with the same parameters, before new ones */
  async leave({ number }: Trial<S>): Promise<void> {
    const trial = this.all[number]
    this.unwritten.delete(number)
    await this.journal.write(() => {
      if (isOver(trial.state)) return []
      return [{ op_code: OPERATION.setTrialSystemAttribute, trial_id: trial.id, system_attr: { [OWNER]: NOBODY } }]
    })
  }

  /**
   * Adds a trial with these parameters, to be run before others: what is known to be good, or a suspicion. Parameters that are left out are
   * chosen by the sampler.
   * @throws RangeError for a value that is not in its range, or a parameter that is not in the space
   */
  async enqueue(params: Partial<Params<S>>): Promise<void> {
    for (const [name, value] of Object.entries(params)) {
      const axis = this.axes.find((a) => a.name === name)
      if (!axis)
        throw rangeError(`enqueue: there is no parameter '${name}' in the space; it has ${showNames(this.axes.map((a) => a.name))}`)
      if (Number.isNaN(axis.coordinate(value)))
        throw rangeError(`enqueue: ${name} wants a value of ${describeRange(axis.range)}, got ${show(value)}`)
    }
    const entry = { ...this.creation({}), state: STATES.indexOf('waiting'), datetime_start: null, system_attrs: { fixed_params: params } }
    await this.journal.write(() => [entry])
  }

  /**
   * Adds a trial that was run elsewhere, with its value or one for each objective: samplers learn from it as from any other.
   * @throws RangeError for parameters that are missing or not in their ranges; TypeError for what is no value
   */
  async add(params: Params<S>, value: number | readonly number[]): Promise<void> {
    const { axes } = this
    const point = pointOf(axes, params)
    if (point === null) {
      const before = new Float64Array(axes.length).fill(Number.NaN)
      const wrong = axes.find((axis, i) => {
        if (!axis.isActive(before)) return false
        before[i] = axis.coordinate(params[axis.name as keyof S])
        return Number.isNaN(before[i])
      }) as Axis
      throw rangeError(`add: ${wrong.name} wants a value of ${describeRange(wrong.parameter)}, got ${show(params[wrong.name as keyof S])}`)
    }
    const { state, values } = this.outcomeOf(this.all.length, value)
    const entry = { ...this.creation(valuesAt(axes, point)), state: STATES.indexOf(state), datetime_complete: now() }
    await this.journal.write(() => [
      { ...entry, value: values?.length === 1 ? values[0] : null, values: values?.length === 1 ? null : values },
    ])
  }

  /**
   * Asks for trials, runs the objective with the parameters of each, and tells what came of them, until there are as many as wanted, the
   * time is over or a signal stops it. What was told before an error or a stop is kept.
   *
   * @param objective a function of the parameters that returns the value, or an array of one for each objective; or a module, as a URL,
   *   that exports one by default, for workers
   * @throws what the objective throws, with the number of the trial, which counts as failed; losses that are not finite do not throw
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
    forgetWorker(this.journal.worker)
    await this.journal.store.close?.()
  }

  // ---- for the parts of this entry ----

  /** @internal */
  get all(): readonly StoredTrial[] {
    return this.stored?.trials ?? []
  }

  /** @internal */
  recordOf(number: number): TrialRecord<S> {
    return recordOf<S>(this.all[number])
  }

  /** @internal */
  get place(): string {
    return this.journal.store.place
  }

  /** @internal the axes of the space, and the finished trials */
  get observations(): { axes: readonly Axis[]; history: History } {
    return { axes: this.axes, history: this.index.history }
  }

  /** @internal the trial of this number, to be run by this process */
  running(number: number): Trial<S> {
    return new RunningTrial(this, number, recordOf<S>(this.all[number]).params)
  }

  /** @internal */
  async report(number: number, value: number, step: number): Promise<void> {
    if (typeof value !== 'number') throw typeError(`trial ${number}: report wants a number, got ${show(value)}`)
    if (!Number.isSafeInteger(step) || step < 0)
      throw rangeError(`trial ${number}: report wants a step from 0, a whole number, got ${show(step)}`)
    await this.journal.write(() => {
      const { id, state } = this.all[number]
      if (isOver(state)) return []
      return [{ op_code: OPERATION.setIntermediateValue, trial_id: id, step, intermediate_value: value }]
    })
  }

  /** @internal */
  shouldPrune(number: number): boolean {
    const { pruner } = this
    const stored = this.all[number]
    if (pruner === undefined || stored.reports.size === 0) return false
    const trial = this.index.reported.get(number)
    return trial !== undefined && pruner.shouldPrune({ trial, step: lastStep(trial.losses), trials: [...this.index.reported.values()] })
  }

  /** @internal */
  isOver(number: number): boolean {
    return isOver(this.all[number]?.state)
  }

  /** @internal */
  reportsOf(number: number): number {
    return this.all[number].reports.size
  }

  /** @internal */
  async askToPrune(number: number): Promise<void> {
    const { id } = this.all[number]
    await this.journal.write(() => [{ op_code: OPERATION.setTrialSystemAttribute, trial_id: id, system_attr: { [PRUNE]: true } }])
  }

  /** @internal the trial of this number, run for another process, which decides whether it is pruned */
  onQueue(number: number, onReport: (step: number, value: number) => Promise<void>): Trial<S> {
    const trial = new RunningTrial(this, number, recordOf<S>(this.all[number]).params)
    trial.report = async (value, step) => {
      await this.report(number, value, step)
      await onReport(step, value)
    }
    trial.shouldPrune = () => this.all[number].systemAttributes[PRUNE] === true
    return trial
  }

  /** @internal notes something that is written together with what comes of the trial */
  note(number: number, kind: 'constraint' | 'attribute', name: string, value: unknown): void {
    const entries = this.unwritten.get(number) ?? []
    this.unwritten.set(number, entries)
    const trial_id = this.all[number].id
    if (kind === 'constraint') {
      if (typeof value !== 'number' || Number.isNaN(value))
        throw rangeError(`trial ${number}: constraint '${name}' wants a number, at most 0 where it is kept, got ${show(value)}`)
      entries.push({ op_code: OPERATION.setTrialSystemAttribute, trial_id, system_attr: { [CONSTRAINT + name]: value } })
    } else entries.push({ op_code: OPERATION.setTrialUserAttribute, trial_id, user_attr: { [name]: value } })
  }

  /** The entry that makes a running trial. */
  private creation(values: Readonly<Record<string, Choice>>, attributes: Readonly<Record<string, unknown>> = {}) {
    const there = this.axes.filter(({ name }) => name in values)
    return {
      op_code: OPERATION.createTrial,
      study_id: this.stored?.id,
      datetime_start: now() as string | null,
      state: 0,
      value: null as number | null,
      values: null as number[] | null,
      distributions: Object.fromEntries(there.map(({ name, range }) => [name, rangeToJson(range)])),
      params: Object.fromEntries(there.map(({ name, range }) => [name, internal(range, values[name])])),
      user_attrs: {},
      system_attrs: attributes,
      intermediate_values: {},
    }
  }

  /** Running trials that nobody runs any more: asked for again before new ones. */
  private get orphans(): StoredTrial[] {
    return [...this.index.running.values()].filter((trial) => {
      const owner = this.ownerOf(trial)
      return owner === NOBODY || (this.abandoned.has(trial.number) && isGone(owner))
    })
  }

  /** How many trials are over or run somewhere. */
  private get begun(): number {
    return this.finished + this.index.counts.running - this.orphans.length
  }

  /** Takes a trial as it is now into account. */
  private observe(trial: StoredTrial): void {
    this.index.update(trial)
    this.suggester.note(trial.systemAttributes)
  }

  private ownerOf(trial: StoredTrial): string {
    return (trial.systemAttributes[OWNER] as string | undefined) ?? trial.owner
  }

  private outcomeOf(number: number, outcome: number | readonly number[] | Outcome): Ended {
    const { directions } = this
    if (typeof outcome === 'object' && outcome !== null && !Array.isArray(outcome)) {
      const { state, error } = outcome as Outcome
      if (state !== 'pruned' && state !== 'failed')
        throw typeError(`tell: wants a value, or { state: 'pruned' } or { state: 'failed' }, got state ${show(state)}`)
      return { state, values: null, error }
    }
    const values = (Array.isArray(outcome) ? outcome : [outcome]) as number[]
    const wrong = values.find((value) => typeof value !== 'number')
    if (wrong !== undefined || values.length !== directions.length || values.includes(undefined as unknown as number)) {
      const wanted = directions.length === 1 ? 'a number' : `an array of ${directions.length} numbers`
      throw typeError(`trial ${number}: the objective wants to return ${wanted}, got ${show(outcome)}; did it forget to return?`)
    }
    if (values.some(Number.isNaN)) return { state: 'failed', values: null, error: 'the value is NaN' }
    return { state: 'complete', values }
  }
}

interface Ended {
  state: 'complete' | 'pruned' | 'failed'
  values: number[] | null
  error?: string
}

/** As Python writes it. */
function now(): string {
  return new Date().toISOString().replace('Z', '000+00:00')
}
