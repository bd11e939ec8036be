/** Runs trials on a queue: each is a job, taken by any worker anywhere, which tells what came of it in the storage. */
import { typeError } from '../../common/errors.js'
import { show } from '../../common/show.js'
import { load } from '../node.js'
import { isModuleObjective, urlOf } from '../parallel/module-objective.js'
import { type Runner, TOLD, WorkerDied } from '../parallel/runner.js'
import type { Space } from '../space.js'
import { connect, jobId } from './bullmq.js'

/** Milliseconds between looks at the storage. */
const LOOK = 100
/** Looks between questions whether a job is still there. */
const ASK_EVERY = 20

/** @internal what of a study a queue looks at */
export interface QueuedStudy {
  readonly name: string
  sync(): Promise<void>
  isOver(number: number): boolean
  shouldPrune(number: number): boolean
  /** Writes into the storage that a trial is to end. */
  askToPrune(number: number): Promise<void>
  reportsOf(number: number): number
}

interface Waiting {
  number: number
  resolve(outcome: unknown): void
  reject(error: unknown): void
  /** Reports that the pruner has seen. */
  seen: number
  isPruned: boolean
}

/** @internal @throws TypeError for an objective that is no module */
export async function queueRunner<S extends Space>(study: QueuedStudy, objective: unknown, url: string): Promise<Runner<S>> {
  const { pathToFileURL } = await load<typeof import('node:url')>('node:url')
  if (typeof objective === 'function')
    throw typeError(
      `optimize: on a queue objective wants the URL of a module that exports it by default, got ${show(objective)}; write new URL('./objective.js', import.meta.url)`,
    )
  const found = isModuleObjective(objective)
    ? { url: urlOf(objective.module, pathToFileURL), factory: objective.factory, options: objective.options }
    : { url: urlOf(objective as URL | string, pathToFileURL) }
  const connection = await connect(url)
  const { prefix } = connection
  const queue = connection.queue()
  queue.on('error', () => {}) // it connects again by itself
  const waiting = new Map<number, Waiting>()
  let looks = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  const add = (number: number) =>
    connection.patiently(() =>
      queue.add(
        'trial',
        { study: study.name, prefix, number, objective: found },
        { jobId: jobId(study.name, number), removeOnComplete: true },
      ),
    )

  /** Adds a job again that is gone without a result, as when the server forgot it; takes away one that failed, and says why. */
  async function askAfter(number: number): Promise<string | undefined> {
    const job = await queue.getJob(jobId(study.name, number))
    if (job === undefined) await add(number)
    if ((await job?.getState()) !== 'failed') return undefined
    await job?.remove()
    return job?.failedReason ?? 'no reason'
  }

  async function look(): Promise<void> {
    await study.sync()
    looks++
    for (const trial of waiting.values()) {
      const { number } = trial
      if (study.isOver(number)) {
        waiting.delete(number)
        trial.resolve(TOLD)
        continue
      }
      const reports = study.reportsOf(number)
      if (reports > trial.seen && !trial.isPruned) {
        trial.seen = reports
        trial.isPruned = study.shouldPrune(number)
        if (trial.isPruned) await study.askToPrune(number)
      }
      if (looks % ASK_EVERY !== 0) continue
      const failure = await connection.patiently(() => askAfter(number))
      if (failure === undefined) continue
      waiting.delete(number)
      trial.reject(new WorkerDied(`the workers of trial ${number} died: ${failure}`))
    }
  }

  function watch(): void {
    timer ??= setTimeout(async () => {
      try {
        await look()
      } catch (error) {
        for (const trial of waiting.values()) trial.reject(error)
        waiting.clear()
      }
      timer = undefined
      if (waiting.size > 0) watch()
    }, LOOK)
  }

  return {
    async run({ number }, signal) {
      signal.throwIfAborted()
      await add(number)
      signal.throwIfAborted()
      return await new Promise((resolve, reject) => {
        const abort = () => {
          waiting.delete(number)
          reject(signal.reason)
        }
        const settled =
          <T>(settle: (value: T) => void) =>
          (value: T) => {
            signal.removeEventListener('abort', abort)
            settle(value)
          }
        waiting.set(number, { number, resolve: settled(resolve), reject: settled(reject), seen: 0, isPruned: false })
        signal.addEventListener('abort', abort)
        watch()
      })
    },
    async close() {
      clearTimeout(timer)
      await queue.close().catch(() => {})
      connection.close()
    },
  }
}
