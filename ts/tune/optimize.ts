/** Runs the trials of a study: in this thread, in workers, or on a queue. */

import { clock } from '../common/clock.js'
import { plainError, rangeError, reword, typeError } from '../common/errors.js'
import { nodeModule } from '../common/node-module.js'
import { count, countFrom0, handler, positive, type Read, readOptions, type Schema, seconds, signal, text } from '../common/options.js'
import { Pacer } from '../common/pacer.js'
import { show } from '../common/show.js'
import { isNode, type Os } from './node.js'
import { isModuleObjective, type ModuleObjective } from './parallel/module-objective.js'
import { LoadError, limitTime, type Runner, TOLD, TrialTimeout, WorkerDied } from './parallel/runner.js'
import { Versions } from './parallel/versions.js'
import type { QueuedStudy } from './queue/runner.js'
import type { Space } from './space.js'
import type { StoredTrial } from './storage/journal.js'
import { isPruning, type Objective, type Outcome, type Trial, type TrialRecord } from './trial.js'

/** Options of `study.optimize`. */
export interface OptimizeOptions<S extends Space = Space> {
  /**
   * Total number of trials of the study, including earlier ones: a program that was killed and runs again ends at the same total. Default: as many as
   * the time or the sampler's points allow.
   */
  trials?: number
  /** Seconds after which no trial is started and running ones are stopped; the next run repeats those. The maximum is 24 days. Default: no limit. */
  time?: number
  /**
   * Trials at once. Default for a module: 'auto', a worker per core. Default for a function: 1, in this thread, so that it may use surrounding
   * variables. With 'auto' or a number above 1 a function runs in workers, too, if it uses only its arguments and its own imports.
   */
  parallel?: number | 'auto'
  /**
   * Seconds that a trial may take, so that one that hangs does not hold up the study: it is ended, and has failed. A function in this thread is asked
   * to end by `trial.signal`; nothing can end one that neither listens nor waits, so use a module. Default: no limit.
   */
  trialTime?: number
  /** Number of times that a trial is restarted after its worker died. Default 1. */
  retries?: number
  /** Effect of an error of the objective, besides that its trial fails. Default 'stop'. */
  onError?: 'stop' | 'continue'
  /**
   * Runs the trials on a queue on a server of Redis or PostgreSQL, `redis://localhost:6379`, with any number of `gradus tune worker` anywhere. The
   * storage must be the same server, and the objective a module. `parallel` is then the number of trials in the queue at once. Default: no queue.
   */
  queue?: string
  /** Stops the study: running trials are asked to stop and have no result; the next run repeats them with the same parameters. */
  signal?: AbortSignal
  /** Called after each trial. */
  onTrial?: (trial: TrialRecord<S>) => void
  /** Called with messages for people while the study waits, such as that a queue has no worker. Default: `console.warn`. */
  onMessage?: (text: string) => void
}

/** Seconds that a timer can wait: its milliseconds are 32 bits. */
const LONGEST = Math.floor((2 ** 31 - 1) / 1000)
/** @internal the options of optimize; `aka` has Optuna's names for them */
export const OPTIMIZE = {
  trials: { is: count, aka: ['n_trials', 'nTrials'] },
  time: { is: seconds, aka: ['timeout'] },
  parallel: { is: { ...count, or: ['auto'] }, aka: ['n_jobs', 'nJobs'] },
  trialTime: { is: positive },
  retries: { is: countFrom0, default: 1 },
  onError: { is: ['stop', 'continue'], default: 'stop', aka: ['catch'] },
  queue: { is: text },
  signal: { is: signal },
  onTrial: { is: handler, aka: ['callbacks'] },
  onMessage: { is: handler },
} satisfies Schema<OptimizeOptions>

/** Milliseconds after which the page or server gets a turn. */
const TURN = 30
/** Milliseconds until the message that the study waits is repeated. */
const SAY_AGAIN = 6000
/** Number of first trials that must all fail for the study to end: the cause is then not one trial. */
const HOPELESS = 10

/** @internal the methods of a study that running its trials needs */
export interface RunnableStudy<S extends Space> extends QueuedStudy {
  readonly sampler: { limit?: unknown }
  readonly all: readonly StoredTrial[]
  /** The next trial; undefined if `most` have been started. */
  askBelow(most: number): Promise<Trial<S> | undefined>
  tell(trial: Trial<S>, outcome: number | Outcome): Promise<void>
  checkOutcome(trial: Trial<S>, outcome: unknown): void
  /** Hands back a trial that was stopped. */
  leave(trial: Trial<S>): Promise<void>
  recordOf(number: number): TrialRecord<S>
  /** True if the objective runs elsewhere, so that this process can always send signs of life. */
  isFree: boolean
  /** Called while the server of the storage does not answer; undefined for `console.warn`. */
  onSilence: ((text: string) => void) | undefined
  /** Trials of other processes that may have died, and the seconds until it is known whether they have. */
  readonly uncertain: { numbers: number[]; seconds: number }
  /** The error of its objective, if a trial of another process failed by it. */
  faultOf(number: number): string | undefined
}

/** @internal */
export async function runTrials<S extends Space>(
  study: RunnableStudy<S>,
  objective: Objective<S> | URL | string | ModuleObjective,
  given: OptimizeOptions<S>,
): Promise<void> {
  const options = readOptions('optimize', given, OPTIMIZE)
  checkEnd(options, study.sampler.limit !== undefined)
  const isModule = checkObjective(objective)
  const parallel = options.parallel ?? (isModule ? 'auto' : 1)
  const count = parallel === 'auto' ? await cores() : parallel
  study.onSilence = messagesOf(options)
  await study.sync()
  const run = new TrialRun(study, options)
  let runner: Runner<S> | undefined
  try {
    study.isFree = options.queue !== undefined || isModule || count > 1
    // from now on the sign of life says it
    if (options.queue !== undefined) study.onSilence = () => {}
    runner = await runnerFor(study, objective, isModule, count, options)
    await run.all(runner, count)
  } finally {
    run.end()
    study.onSilence = undefined
    await runner?.close()
  }
}

/** @throws RangeError if nothing would end the run, or a timer cannot wait so long */
function checkEnd<S extends Space>({ trials, time, trialTime, signal }: OptimizeOptions<S>, isLimited: boolean): void {
  for (const [name, seconds] of Object.entries({ time, trialTime }))
    if (seconds !== undefined && seconds > LONGEST)
      throw rangeError(`optimize: ${name} wants at most ${LONGEST} seconds (24 days), got ${seconds}; leave it out for no limit`)
  if (trials === undefined && time === undefined && signal === undefined && !isLimited)
    throw rangeError('optimize: wants trials, time or a signal, got none, so it would never end; { trials: 100 } is a start')
}

/** @returns true for a module, which runs in workers @throws TypeError for anything but an objective */
function checkObjective(objective: unknown): boolean {
  const isModule = objective instanceof URL || typeof objective === 'string' || isModuleObjective(objective)
  if (!isModule && typeof objective !== 'function')
    throw typeError(`optimize: objective wants a function of the parameters, or the URL of a module, got ${show(objective)}`)
  return isModule
}

/** The runner of the objective: workers of a queue, threads, or this thread. */
async function runnerFor<S extends Space>(
  study: RunnableStudy<S>,
  objective: Objective<S> | URL | string | ModuleObjective,
  isModule: boolean,
  count: number,
  options: OptimizeOptions<S>,
): Promise<Runner<S>> {
  const { queue } = options
  if (queue !== undefined) {
    const { queueRunner } = await import('./queue/runner.js')
    return queueRunner<S>(study, objective, { ...options, queue, say: messagesOf(options) })
  }
  if (!isModule && count === 1) return inThisThread(objective as Objective<S>)
  const { workerPool } = await import('./parallel/pool.js')
  return workerPool<S>(objective as Objective<S> | ModuleObjective)
}

function messagesOf<S extends Space>({ onMessage }: OptimizeOptions<S>): (text: string) => void {
  return onMessage ?? ((text) => console.warn(`gradus: ${text}`))
}

/** The trials of one call of `optimize`, until there are enough of them, the time is over, a signal stops them or one fails. */
class TrialRun<S extends Space> {
  /** Stops all trials: with the caller's signal, when the time is over, and after an error. */
  private readonly stopping = new AbortController()
  private readonly stop = this.stopping.signal
  /** One for each trial that runs: Node warns of more than ten listeners on one signal. */
  private readonly running = new Set<AbortController>()
  private readonly timer: ReturnType<typeof setTimeout> | undefined
  private failure: { error: unknown } | undefined
  private ended = 0
  private failed = 0
  private pausing: Promise<void> | undefined
  private versions: Versions | undefined
  private sayNext = 0
  private readonly pacer = new Pacer(TURN)

  constructor(
    private readonly study: RunnableStudy<S>,
    private readonly options: Read<OptimizeOptions<S>, typeof OPTIMIZE>,
  ) {
    const { signal, time } = options
    this.stop.addEventListener('abort', () => {
      for (const own of this.running) own.abort(this.stop.reason)
    })
    if (signal?.aborted) this.onSignal()
    signal?.addEventListener('abort', this.onSignal)
    if (time !== undefined) this.timer = setTimeout(() => this.stopping.abort(plainError('the time is over')), 1000 * time)
  }

  /** Runs `count` trials at once. @throws the error of the first that failed */
  async all(runner: Runner<S>, count: number): Promise<void> {
    this.versions = new Versions(runner.version, messagesOf(this.options))
    for (const trial of this.study.all) this.versions.note(trial)
    const lanes = Array.from({ length: count }, () => this.oneAfterTheOther(runner).catch((error) => this.fail(error)))
    await Promise.all(lanes)
    if (this.failure) throw this.failure.error
  }

  end(): void {
    clearTimeout(this.timer)
    this.options.signal?.removeEventListener('abort', this.onSignal)
  }

  private readonly onSignal = () => this.stopping.abort(this.options.signal?.reason)

  private fail(error: unknown): void {
    this.failure ??= { error }
    this.stopping.abort(error)
  }

  private async oneAfterTheOther(runner: Runner<S>): Promise<void> {
    const { trials = Number.POSITIVE_INFINITY, onTrial } = this.options
    while (!this.stop.aborted) {
      const trial = await this.study.askBelow(trials)
      if (trial === undefined) {
        if (!this.isUncertain()) return
        await this.pause()
        continue
      }
      const own = new AbortController()
      this.running.add(own)
      if (this.stop.aborted) own.abort(this.stop.reason)
      await this.runUntilTold(runner, trial, own).finally(() => this.running.delete(own))
      const record = this.study.recordOf(trial.number)
      // it was stopped, and is handed back
      if (record.state === 'running') return
      this.checkHope(record)
      this.versions?.note(this.study.all[trial.number])
      onTrial?.(record)
      if (this.pacer.isDue) await this.pacer.pause()
    }
  }

  private async runUntilTold(runner: Runner<S>, trial: Trial<S>, own: AbortController): Promise<void> {
    const { study, stop } = this
    const { retries, onError } = this.options
    for (let tries = 0; ; tries++) {
      let isResult = false
      try {
        const outcome = await this.inTime(runner, trial, own)
        if (outcome === TOLD) {
          const fault = study.faultOf(trial.number)
          if (fault === undefined || onError === 'continue') return
          isResult = true
          throw plainError(faultText(trial, fault))
        }
        study.checkOutcome(trial, outcome)
        isResult = true
        return await this.tell(trial, outcome as number)
      } catch (error) {
        // that a result could not be stored is not the fault of the trial
        if (isResult) throw error
        if (isPruning(error)) return await this.tell(trial, { state: 'pruned' })
        // a stopped trial has no result: it is repeated when the study continues
        if (stop.aborted) return await study.leave(trial)
        if (error instanceof LoadError) {
          // if that cannot be written, either, the trial is an orphan for the next run
          await study.leave(trial).catch(() => {})
          throw error
        }
        if (error instanceof WorkerDied && tries < retries) continue
        const message = error instanceof Error ? error.message : String(error)
        await this.tell(trial, { state: 'failed', error: message })
        if (
          error instanceof WorkerDied ||
          error instanceof TrialTimeout ||
          (error as Error)?.name === 'NonFiniteError' ||
          onError === 'continue'
        )
          return
        reword(error, () => faultText(trial, message))
        throw error
      }
    }
  }

  /** Records the outcome of a trial, unless another process took the trial over while this one was silent, and recorded it. */
  private async tell(trial: Trial<S>, outcome: number | Outcome): Promise<void> {
    try {
      await this.study.tell(trial, outcome)
    } catch (error) {
      if (!this.study.isOver(trial.number)) throw error
    }
  }

  /** Runs a trial within its time limit; workers of a queue enforce the limit themselves. */
  private async inTime(runner: Runner<S>, trial: Trial<S>, own: AbortController): Promise<unknown> {
    const { trialTime, queue } = this.options
    if (trialTime === undefined || queue !== undefined) return await runner.run(trial, own.signal)
    let end = () => {}
    const onBegin = () => {
      end = limitTime(trial, trialTime, own)
    }
    return await runner.run(trial, own.signal, onBegin).finally(() => end())
  }

  /** True if others may have left trials behind; reports it. */
  private isUncertain(): boolean {
    const { numbers, seconds } = this.study.uncertain
    if (numbers.length === 0) return false
    const now = clock.now()
    if (now > this.sayNext) {
      const many = numbers.length > 1
      messagesOf(this.options)(
        `waiting up to ${Math.ceil(seconds)} s for trial${many ? 's' : ''} ${numbers.slice(0, 10).join(', ')}: ` +
          `another process has ${many ? 'them' : 'it'}, and has not been heard of yet`,
      )
      this.sayNext = now + SAY_AGAIN
    }
    return true
  }

  /** A second that all lanes wait for together; a stop ends it. */
  private pause(): Promise<void> {
    this.pausing ??= new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer)
        this.stop.removeEventListener('abort', end)
        this.pausing = undefined
        resolve()
      }
      const timer = setTimeout(end, 1000)
      this.stop.addEventListener('abort', end)
    })
    return this.pausing
  }

  /** @throws Error if all of the first trials failed */
  private checkHope({ state, error }: TrialRecord<S>): void {
    this.ended++
    if (state === 'failed') this.failed++
    if (this.failed === HOPELESS && this.ended === HOPELESS)
      throw plainError(`optimize: the first ${HOPELESS} trials all failed; the last: ${error}`)
  }
}

function faultText({ number, params }: Trial, message: string): string {
  return `trial ${number}: ${message.replace(/^trial \d+: /, '')} (the objective got the parameters ${JSON.stringify(params)}, and the trial second)`
}

function inThisThread<S extends Space>(objective: Objective<S>): Runner<S> {
  return {
    async run(trial, signal, onBegin) {
      const own = trial as Trial<S> & { abort(reason: unknown): void }
      let giveUp = (_: unknown) => {}
      const tooLong = new Promise<never>((_, reject) => {
        giveUp = reject
      })
      tooLong.catch(() => {})
      const abort = () => {
        own.abort(signal.reason)
        // a trial that was asked to stop is waited for, but not one that exceeds its time
        if (signal.reason instanceof TrialTimeout) giveUp(signal.reason)
      }
      signal.throwIfAborted()
      signal.addEventListener('abort', abort)
      onBegin?.()
      try {
        const outcome = await Promise.race([objective(trial.params, trial), tooLong])
        // fit returns when it is stopped, so a value from now on may belong to a half-trained net
        signal.throwIfAborted()
        return outcome
      } finally {
        signal.removeEventListener('abort', abort)
      }
    },
    async close() {},
  }
}

/** Default number of trials at once. */
async function cores(): Promise<number> {
  if (!isNode()) return 1
  const os = await nodeModule<Os>('node:os')
  return os.availableParallelism?.() ?? os.cpus().length
}
