/** Runs the trials of a study: in this thread, in workers, or on a queue. */
import { checkCount, checkPositive } from '../common/checks.js'
import { plainError, rangeError, typeError } from '../common/errors.js'
import { checkNames } from '../common/names.js'
import { show } from '../common/show.js'
import { isNode, load, type Os } from './node.js'
import type { ModuleObjective } from './parallel/pool.js'
import { type Runner, TOLD, WorkerDied } from './parallel/runner.js'
import type { Watched } from './queue/runner.js'
import type { Space } from './space.js'
import { isPruning, type Objective, type Outcome, type Trial, type TrialRecord } from './trial.js'

/** Options of `study.optimize`. */
export interface OptimizeOptions<S extends Space = Space> {
  /**
   * Trials of the study when it is done, those that were there before included: a program that was killed and is run again goes on to the
   * same end. Default: as many as the time allows, or as the sampler has points.
   */
  trials?: number
  /** Seconds after which no trial is begun and those that run are stopped; the next run has them anew. At most 24 days. Default: no limit. */
  time?: number
  /**
   * Trials at once. For a module 'auto', which is a worker for each core; of a function 1, in this thread, so that it may use what is
   * around it. With 'auto' or a number above 1 a function runs in workers too, if it uses nothing but its arguments and what it imports
   * itself.
   */
  parallel?: number | 'auto'
  /** How often a trial is begun again whose worker died. Default 1. */
  retries?: number
  /** What an error of the objective does besides that its trial has failed. Default 'stop'. */
  onError?: 'stop' | 'continue'
  /**
   * Runs the trials on a queue on a server of Redis or PostgreSQL, `redis://localhost:6379`, by any number of `gradus tune worker`
   * anywhere. The storage is to be the same server, and the objective a module. `parallel` is then how many trials are in the queue at
   * once. Default: no queue.
   */
  queue?: string
  /** Stops the study: trials that run are asked to stop, have no result, and are run anew, with the same parameters, by the next run. */
  signal?: AbortSignal
  /** Called after each trial. */
  onTrial?: (trial: TrialRecord<S>) => void
}

const OPTIONS = ['trials', 'time', 'parallel', 'queue', 'retries', 'onError', 'signal', 'onTrial']
const ALIASES = {
  n_trials: 'trials',
  nTrials: 'trials',
  timeout: 'time',
  n_jobs: 'parallel',
  nJobs: 'parallel',
  callbacks: 'onTrial',
  catch: 'onError',
}

/** The page or server gets a turn after so many milliseconds. */
const TURN = 30
/** Seconds that a timer can wait: its milliseconds are 32 bits. */
const LONGEST = Math.floor((2 ** 31 - 1) / 1000)
/** If all of the first trials fail, something else is wrong. */
const HOPELESS = 10

/** @internal what of a study is needed to run its trials */
export interface Tasks<S extends Space> extends Watched {
  readonly sampler: { limit?: unknown }
  /** The next trial; undefined where `most` have been begun. */
  askBelow(most: number): Promise<Trial<S> | undefined>
  tell(trial: Trial<S>, outcome: number | Outcome): Promise<void>
  /** Hands back a trial that was stopped. */
  leave(trial: Trial<S>): Promise<void>
  recordOf(number: number): TrialRecord<S>
}

/** @internal */
export async function runTrials<S extends Space>(
  study: Tasks<S>,
  objective: Objective<S> | URL | string | ModuleObjective,
  options: OptimizeOptions<S>,
): Promise<void> {
  checkNames('optimize', options, OPTIONS, ALIASES)
  const { trials, time, retries = 1, onError = 'stop', signal, onTrial } = options
  if (trials !== undefined) checkCount('optimize: trials', trials)
  if (time !== undefined) checkPositive('optimize: time', time)
  if (time !== undefined && time > LONGEST)
    throw rangeError(`optimize: time wants at most ${LONGEST} seconds (24 days), got ${time}; leave it out for no limit`)
  checkCount('optimize: retries', retries, 0)
  if (!['stop', 'continue'].includes(onError)) throw rangeError(`optimize: onError wants 'stop' or 'continue', got ${show(onError)}`)
  const most = trials ?? Number.POSITIVE_INFINITY
  if (most === Number.POSITIVE_INFINITY && time === undefined && signal === undefined && !study.sampler.limit)
    throw rangeError('optimize: wants trials, time or a signal, got none, so it would never end; { trials: 100 } is a start')
  const isModule =
    objective instanceof URL ||
    typeof objective === 'string' ||
    (typeof objective === 'object' && objective !== null && 'module' in objective)
  if (!isModule && typeof objective !== 'function')
    throw typeError(`optimize: objective wants a function of the parameters, or the URL of a module, got ${show(objective)}`)
  const { parallel = isModule ? 'auto' : 1 } = options
  if (parallel !== 'auto') checkCount('optimize: parallel', parallel, 1, " or 'auto'")
  const count = parallel === 'auto' ? await cores() : parallel
  await study.sync()

  const stop = new AbortController()
  /** One for each trial that runs: Node warns of more than ten listeners on one signal. */
  const running = new Set<AbortController>()
  stop.signal.addEventListener('abort', () => {
    for (const own of running) own.abort(stop.signal.reason)
  })
  const stopped = () => stop.abort(signal?.reason)
  if (signal?.aborted) stopped()
  signal?.addEventListener('abort', stopped)
  const timer = time === undefined ? undefined : setTimeout(() => stop.abort(plainError('the time is over')), 1000 * time)
  let runner: Runner<S> | undefined
  let failure: unknown
  let [ended, failed] = [0, 0]
  let turn = performance.now()

  async function one(trial: Trial<S>): Promise<void> {
    const own = new AbortController()
    running.add(own)
    if (stop.signal.aborted) own.abort(stop.signal.reason)
    try {
      await untilTold(trial, own.signal)
    } finally {
      running.delete(own)
    }
  }

  async function untilTold(trial: Trial<S>, signal: AbortSignal): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        const outcome = await (runner as Runner<S>).run(trial, signal)
        if (outcome !== TOLD) await study.tell(trial, outcome as number)
        return
      } catch (error) {
        if (isPruning(error)) return await study.tell(trial, { state: 'pruned' })
        // what was stopped is no result: the trial goes on when the study does
        if (stop.signal.aborted) return await study.leave(trial)
        if (error instanceof WorkerDied && tries < retries) continue
        const message = error instanceof Error ? error.message : String(error)
        await study.tell(trial, { state: 'failed', error: message })
        if (error instanceof WorkerDied || (error as Error)?.name === 'NonFiniteError' || onError === 'continue') return
        if (error instanceof Error)
          error.message = `trial ${trial.number}: ${message.replace(/^trial \d+: /, '')} (parameters ${JSON.stringify(trial.params)})`
        throw error
      }
    }
  }

  async function lane(): Promise<void> {
    while (!stop.signal.aborted && failure === undefined) {
      const trial = await study.askBelow(most)
      if (trial === undefined) return
      await one(trial)
      const record = study.recordOf(trial.number)
      if (record.state === 'running') return
      ended++
      if (record.state === 'failed') failed++
      if (failed === HOPELESS && ended === HOPELESS)
        throw plainError(`optimize: the first ${HOPELESS} trials all failed; the last: ${record.error}`)
      onTrial?.(record)
      if (performance.now() - turn > TURN) {
        await new Promise((resolve) => setTimeout(resolve))
        turn = performance.now()
      }
    }
  }

  try {
    if (options.queue !== undefined) {
      const { queueRunner } = await import('./queue/runner.js')
      runner = await queueRunner<S>(study, objective, options.queue)
    } else if (!isModule && count === 1) runner = inThisThread(objective as Objective<S>)
    else {
      const { workerPool } = await import('./parallel/pool.js')
      runner = await workerPool<S>(objective as Objective<S> | ModuleObjective)
    }
    const lanes = Array.from({ length: count }, () =>
      lane().catch((error) => {
        failure ??= error
        stop.abort(error)
      }),
    )
    await Promise.all(lanes)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stopped)
    await runner?.close()
  }
  if (failure !== undefined) throw failure
}

function inThisThread<S extends Space>(objective: Objective<S>): Runner<S> {
  return {
    async run(trial, signal) {
      const own = trial as Trial<S> & { abort(reason: unknown): void }
      const abort = () => own.abort(signal.reason)
      signal.throwIfAborted()
      signal.addEventListener('abort', abort)
      try {
        const outcome = await objective(trial.params, trial)
        // fit returns when it is stopped, so what comes now may be of a net that is half trained
        signal.throwIfAborted()
        return outcome
      } finally {
        signal.removeEventListener('abort', abort)
      }
    },
    async close() {},
  }
}

/** How many trials run at once by themselves. */
async function cores(): Promise<number> {
  if (!isNode()) return 1
  const os = await load<Os>('node:os')
  return os.availableParallelism?.() ?? os.cpus().length
}
