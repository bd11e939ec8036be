/** Threads that run an objective, each one trial at a time. */
import { plainError, typeError } from '../../common/errors.js'
import { show } from '../../common/show.js'
import { load } from '../node.js'
import type { Space } from '../space.js'
import type { Objective, Trial } from '../trial.js'
import { isModuleObjective, type ModuleObjective, urlOf } from './module-objective.js'
import { type Runner, WorkerDied } from './runner.js'
import { WORKER_CODE } from './worker-code.js'

type Message =
  | { kind: 'ready' }
  | { kind: 'bad'; message: string }
  | { kind: 'report'; value: number; step: number }
  | { kind: 'note'; what: 'constraint' | 'attribute'; name: string; value: unknown }
  | { kind: 'done'; outcome: unknown }
  | { kind: 'failed'; name: string; message: string; stack: string }

type Thread = import('node:worker_threads').Worker

/** @internal @throws TypeError where the objective cannot run in a worker */
export async function workerPool<S extends Space>(objective: Objective<S> | URL | string | ModuleObjective): Promise<Runner<S>> {
  const [{ Worker }, { pathToFileURL }] = await Promise.all([
    load<typeof import('node:worker_threads')>('node:worker_threads'),
    load<typeof import('node:url')>('node:url'),
  ])
  const source =
    typeof objective === 'function'
      ? { code: functionText(objective), base: pathToFileURL(`${process.cwd()}/`).href }
      : isModuleObjective(objective)
        ? {
            url: urlOf(objective.module, pathToFileURL),
            factory: objective.factory ?? 'default',
            options: objective.options,
            isFactory: objective.factory !== undefined,
          }
        : { url: urlOf(objective, pathToFileURL) }

  const start = (): Promise<Thread> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(WORKER_CODE, { eval: true, workerData: source })
      const first = (message: Message) => {
        if (message.kind === 'ready') resolve(worker)
        else if (message.kind === 'bad') {
          reject(typeError(`optimize: ${message.message}`))
          void worker.terminate()
        }
        worker.off('message', first)
      }
      worker.on('message', first)
      worker.once('error', reject)
      worker.once('exit', () =>
        reject(plainError('optimize: the worker ended before it had begun; does the module of the objective end the process?')),
      )
    })

  const idle: Thread[] = []
  const all = new Set<Thread>()
  async function take(): Promise<Thread> {
    const free = idle.pop()
    if (free) return free
    const worker = await start()
    all.add(worker)
    worker.once('exit', () => {
      all.delete(worker)
      const at = idle.indexOf(worker)
      if (at >= 0) idle.splice(at, 1)
    })
    // a worker alone does not keep the process
    worker.unref()
    return worker
  }
  // what is wrong with the objective is said before the first trial
  idle.push(await take())

  return {
    async run(trial, signal) {
      const worker = await take()
      try {
        const outcome = await runIn(worker, trial, signal)
        idle.push(worker)
        return outcome
      } catch (error) {
        if (error instanceof WorkerDied || signal.aborted) {
          all.delete(worker)
          await worker.terminate()
        } else idle.push(worker)
        throw error
      }
    },
    async close() {
      await Promise.all([...all].map((worker) => worker.terminate()))
    },
  }
}

function runIn<S extends Space>(worker: Thread, trial: Trial<S>, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      worker.off('message', hear)
      worker.off('exit', gone)
      worker.off('error', broken)
      signal.removeEventListener('abort', abort)
      worker.unref()
      settle()
    }
    let last: Error | undefined
    const gone = (code: number) =>
      end(() => reject(new WorkerDied(`the worker died (${last ? last.message : `exit code ${code}`}) in trial ${trial.number}`)))
    const broken = (error: Error) => {
      last = error
    }
    const abort = () => end(() => reject(signal.reason))
    const hear = (message: Message) => {
      if (message.kind === 'done') end(() => resolve(message.outcome))
      else if (message.kind === 'failed') {
        const error = Object.assign(plainError(message.message), { name: message.name, stack: message.stack })
        end(() => reject(error))
      } else if (message.kind === 'note') {
        if (message.what === 'constraint') trial.constrain(message.name, message.value as number)
        else trial.setAttribute(message.name, message.value)
      } else if (message.kind === 'report') {
        trial.report(message.value, message.step).then(
          () => worker.postMessage({ prune: trial.shouldPrune() }),
          (error) => end(() => reject(error)),
        )
      }
    }
    worker.ref()
    worker.on('message', hear)
    worker.on('exit', gone)
    worker.on('error', broken)
    signal.addEventListener('abort', abort)
    if (signal.aborted) abort()
    else worker.postMessage({ number: trial.number, params: trial.params })
  })
}

/** The text of a function, which is all of it that a worker can have. */
function functionText(objective: (...args: never[]) => unknown): string {
  const text = String(objective)
  if (/\[native code\]/.test(text))
    throw typeError(`optimize: ${show(objective)} cannot run in workers; write it as a function, or in a module`)
  // a method, `objective(params) { … }`, is no expression by itself
  const isMethod = !/^(?:async\s+)?(?:function\b|\(|[\w$]+\s*=>)/.test(text)
  return isMethod ? `({ ${text} })[${JSON.stringify(objective.name)}]` : `(${text})`
}
