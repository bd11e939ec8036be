/** A worker of a queue of trials. */

import { checkCount, checkPositive } from '../../common/checks.js'
import { plainError } from '../../common/errors.js'
import { checkNames } from '../../common/names.js'
import { openStudy } from '../create-study.js'
import { workerPool } from '../parallel/pool.js'
import { type Runner, WorkerDied } from '../parallel/runner.js'
import type { Space } from '../space.js'
import type { Study } from '../study.js'
import { isPruning } from '../trial.js'
import { connect, type Job } from './bullmq.js'

/** Options of {@link runWorker}. */
export interface WorkerOptions {
  /** Trials at once, each in a thread of its own. Default 1. */
  concurrency?: number
  /** Seconds without a sign of life after which others take over a trial. Default 60. */
  lockSeconds?: number
  /**
   * Modules by names of your own, for objectives that are elsewhere on each machine: with
   * `{ 'my:objective': new URL('./objective.js', import.meta.url) }` a study calls `optimize('my:objective', …)`. Default: none, so
   * objectives are under the same path everywhere.
   */
  modules?: Readonly<Record<string, URL>>
  /** Called when a trial begins and when it is over. */
  onTrial?: (trial: { study: string; number: number; state: 'begun' | 'complete' | 'pruned' | 'failed' | 'left' }) => void
}

/** A worker that runs. */
export interface QueueWorkerHandle {
  /** Ends it: trials at hand are left to others. */
  close(): Promise<void>
}

/**
 * Takes trials from a queue on a server of Redis or PostgreSQL and runs them, until it is closed: `gradus tune worker redis://…` as a
 * function. Any number may run on any number of machines; the objective's module must be there under the same path, or a name in `modules`,
 * and gradus, bullmq and ioredis or pg be installed.
 *
 * The training runs in a thread, so that this one tells the queue that it lives. A trial whose worker dies is run again by another; what it
 * reported is kept, and a result is written once.
 * @example
 * // const worker = await runWorker('redis://localhost:6379', { concurrency: 2 })
 * // await worker.close()
 * @throws RangeError for options that do not fit; Error where a package or the server is missing
 */
export async function runWorker(url: string, options: WorkerOptions = {}): Promise<QueueWorkerHandle> {
  checkNames('runWorker', options, ['concurrency', 'lockSeconds', 'onTrial', 'modules'])
  const { concurrency = 1, lockSeconds = 60, onTrial, modules = {} } = options
  checkCount('runWorker: concurrency', concurrency)
  checkPositive('runWorker: lockSeconds', lockSeconds)
  const connection = await connect(url)
  const studies = new Map<string, Promise<Study>>()
  const pools = new Map<string, Promise<Runner<Space>>>()
  const closing = new AbortController()
  const once = <T>(known: Map<string, Promise<T>>, name: string, make: () => Promise<T>): Promise<T> => {
    const found = known.get(name) ?? make()
    known.set(name, found)
    found.catch(() => known.delete(name))
    return found
  }

  async function runJob(job: Job, _token: string, lost?: AbortSignal): Promise<void> {
    const { study: name, prefix: own, number, objective } = job.data
    const study = await once(studies, `${own} ${name}`, () => openStudy({ storage: connection.storage(own), name }))
    await study.sync()
    // delivered again after its result was written
    if (study.isOver(number)) return
    const pool = await once(pools, JSON.stringify(objective), () =>
      workerPool({
        module: modules[objective.url] ?? objective.url,
        ...(objective.factory !== undefined && { factory: objective.factory, options: objective.options }),
      }),
    )
    onTrial?.({ study: name, number, state: 'begun' })
    const trial = study.onQueue(number, (step, value) => connection.patiently(() => job.updateProgress({ step, value })))
    const tell = async (outcome: Parameters<Study['tell']>[1], state: 'complete' | 'pruned' | 'failed') => {
      await study.tell(number, outcome).catch(async (error) => {
        await study.sync()
        // another worker was faster
        if (!study.isOver(number)) throw error
      })
      onTrial?.({ study: name, number, state })
    }
    // a signal for each trial: Node warns of more than ten listeners on one
    const stop = AbortSignal.any(lost ? [lost, closing.signal] : [closing.signal])
    let isResult = false
    try {
      const value = await pool.run(trial, stop)
      study.checkOutcome(trial, value)
      isResult = true
      await tell(value as number, 'complete')
    } catch (error) {
      if (isPruning(error)) return await tell({ state: 'pruned' }, 'pruned')
      // that a result could not be stored is not the fault of the trial: it is delivered again
      if (isResult || stop.aborted || error instanceof WorkerDied) {
        onTrial?.({ study: name, number, state: 'left' })
        throw error
      }
      await tell({ state: 'failed', error: (error as Error).message }, 'failed')
    }
  }

  const worker = connection.worker(runJob, {
    concurrency,
    lockDuration: 1000 * lockSeconds,
    stalledInterval: 500 * lockSeconds,
    // workers may die as often as they like: the trial is not to blame
    maxStalledCount: 1000,
  })
  worker.on('error', () => {}) // it connects again by itself
  return {
    async close() {
      closing.abort(plainError('the worker is closed'))
      await worker.close(true).catch(() => {})
      await Promise.all([...pools.values()].map(async (pool) => (await pool).close()))
      await Promise.all([...studies.values()].map(async (study) => (await study).close()))
      connection.close()
    },
  }
}
