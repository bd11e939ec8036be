/** Threads that run an objective, each one trial at a time. */
import { plainError, typeError } from '../../common/errors.js'
import { nodeModule } from '../../common/node-module.js'
import { show } from '../../common/show.js'
import type { Space } from '../space.js'
import type { Objective, Trial } from '../trial.js'
import { isModuleObjective, type ModuleObjective, urlOf } from './module-objective.js'
import { versionName, versionOf } from './module-version.js'
import { LoadError, type Runner, WorkerDied } from './runner.js'
import { VERSION } from './versions.js'
import { WORKER_CODE } from './worker-code.js'

/** Messages of a trial have the number of its run: unfinished work of a trial may still post messages when the thread has the next one. */
type Message = { run?: number } & (
  | { kind: 'ready' }
  | { kind: 'bad'; message: string; name: string; stack: string }
  | { kind: 'report'; value: number; step: number }
  | { kind: 'note'; what: 'constraint' | 'attribute'; name: string; value: unknown }
  | { kind: 'done'; outcome: unknown }
  | { kind: 'failed'; name: string; message: string; stack: string }
)

type Thread = import('node:worker_threads').Worker

/** @internal how a thread loads the objective */
export interface Loading {
  /** Hash of the version that is wanted; a thread that has loaded another runs nothing. Default: any. */
  hash?: string
  /** Seconds that it may take. Default: no limit. */
  seconds?: number
}

/** An objective for threads, its file if it is one, and its name in messages. */
interface Source {
  data: { code: string; base: string } | { url: string; factory?: string; options?: unknown; isFactory?: boolean }
  url?: string
  file?: string
  name: string
}

async function sourceOf<S extends Space>(objective: Objective<S> | URL | string | ModuleObjective): Promise<Source> {
  const [{ fileURLToPath, pathToFileURL }, { basename }] = await Promise.all([
    nodeModule<typeof import('node:url')>('node:url'),
    nodeModule<typeof import('node:path')>('node:path'),
  ])
  if (typeof objective === 'function')
    return { data: { code: functionText(objective), base: pathToFileURL(`${process.cwd()}/`).href }, name: '' }
  const isModule = isModuleObjective(objective)
  const url = urlOf(isModule ? objective.module : objective, pathToFileURL)
  const file = url.startsWith('file:') ? fileURLToPath(url) : undefined
  const name = (isModule ? objective.name : undefined) ?? (file === undefined ? '' : basename(file))
  if (!isModule) return { data: { url }, url, file, name }
  const { factory, options } = objective
  return { data: { url, factory: factory ?? 'default', options, isFactory: factory !== undefined }, url, file, name }
}

/** Threads that have loaded an objective. */
class Threads {
  /** Threads that have not ended. */
  private readonly alive = new Set<Thread>()
  private readonly idle: Thread[] = []
  /** The version that a thread has loaded, if the objective is a file. */
  private readonly versions = new WeakMap<Thread, string>()

  constructor(
    private readonly Worker: typeof import('node:worker_threads').Worker,
    private readonly source: Source,
    private readonly loading: Loading,
  ) {}

  versionOf(worker: Thread): string | undefined {
    return this.versions.get(worker)
  }

  /** An idle thread, or a new one that has loaded the objective. @throws LoadError */
  async take(signal: AbortSignal | undefined): Promise<Thread> {
    signal?.throwIfAborted()
    const { alive, idle } = this
    // a thread may end while it is idle, even in the turn of the event loop in which its last result arrives
    for (let free = idle.pop(); free !== undefined; free = idle.pop()) if (alive.has(free)) return free
    const worker = await this.start(signal)
    if (!alive.has(worker)) throw new WorkerDied('the worker died before its first trial')
    // a worker alone does not keep the process
    worker.unref()
    return worker
  }

  giveBack(worker: Thread): void {
    this.idle.push(worker)
  }

  async end(): Promise<void> {
    await Promise.all([...this.alive].map((worker) => worker.terminate()))
  }

  private start(signal: AbortSignal | undefined): Promise<Thread> {
    const { seconds } = this.loading
    return new Promise((resolve, reject) => {
      const worker = new this.Worker(WORKER_CODE, { eval: true, workerData: this.source.data })
      this.alive.add(worker)
      const settle = (done: () => void) => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
        done()
      }
      const refuse = (error: unknown) => {
        settle(() => reject(error))
        void worker.terminate()
      }
      const abort = () => refuse(signal?.reason)
      const timer =
        seconds && setTimeout(() => refuse(new LoadError(`optimize: the module takes longer than ${seconds} s to load`)), 1000 * seconds)
      signal?.addEventListener('abort', abort)
      let isBad = false
      worker.once('message', (message: Message) => {
        isBad = message.kind === 'bad'
        if (message.kind === 'ready') this.noteVersion(worker).then(() => settle(() => resolve(worker)), refuse)
        else if (message.kind === 'bad') void locate(message, this.source.url).then((text) => refuse(new LoadError(`optimize: ${text}`)))
      })
      worker.once('error', (error) => refuse(new LoadError(`optimize: ${error.message}`, { cause: error })))
      worker.once('exit', () => {
        this.alive.delete(worker)
        // a thread that could not load the objective ends, too
        if (isBad) return
        refuse(new LoadError('optimize: the worker ended before it had begun; does the module of the objective end the process?'))
      })
    })
  }

  private async noteVersion(worker: Thread): Promise<void> {
    const { file, name } = this.source
    if (file === undefined) return
    const { hash } = await versionOf(file)
    if (this.loading.hash !== undefined && hash !== this.loading.hash)
      throw new LoadError(`${name} was changed since the study began to use it; run the study again to go on with the new version`)
    this.versions.set(worker, versionName(name, hash))
  }
}

/** @internal @throws LoadError if the objective cannot run in a worker */
export async function workerPool<S extends Space>(
  objective: Objective<S> | URL | string | ModuleObjective,
  loading: Loading = {},
): Promise<Runner<S>> {
  const { Worker } = await nodeModule<typeof import('node:worker_threads')>('node:worker_threads')
  const threads = new Threads(Worker, await sourceOf(objective), loading)
  // mistakes of the objective are reported before the first trial
  const first = await threads.take(undefined)
  threads.giveBack(first)

  return {
    version: threads.versionOf(first),
    async run(trial, signal, onBegin) {
      const worker = await threads.take(signal)
      const version = threads.versionOf(worker)
      if (version !== undefined) trial.setAttribute(VERSION, version)
      onBegin?.()
      let ended: Ended
      try {
        ended = await runIn(worker, trial, signal)
      } catch (error) {
        // the trial's objective may still run, and its answer would be taken for the next trial's
        await worker.terminate()
        throw error
      }
      threads.giveBack(worker)
      if (ended.error !== undefined) throw ended.error
      return ended.outcome
    },
    close: () => threads.end(),
  }
}

/** An error in loading a module, with its file and line. Node does not report the place of a syntax error, but its check does. */
async function locate(
  { message, name, stack }: { message: string; name: string; stack: string },
  url: string | undefined,
): Promise<string> {
  const place = /(?:file:\/\/)?((?:[A-Z]:)?[\\/][^\s():]+):(\d+)/
  const say = (text: string) => {
    const [, file, line] = place.exec(text) ?? []
    return file === undefined ? message : `${message} (${file.split(/[\\/]/).at(-1)}, line ${line})`
  }
  if (name !== 'SyntaxError' || url === undefined || !url.startsWith('file:')) return url === undefined ? message : say(stack)
  const { fileURLToPath } = await nodeModule<typeof import('node:url')>('node:url')
  const { execFile } = await nodeModule<typeof import('node:child_process')>('node:child_process')
  const { files } = await versionOf(fileURLToPath(url)).catch(() => ({ files: [] as string[] }))
  for (const file of files) {
    const said = await new Promise<string>((resolve) => {
      execFile(process.execPath, ['--check', file], { timeout: 10_000 }, (error, _, stderr) => resolve(error ? stderr : ''))
    })
    if (said !== '') return say(said)
  }
  return message
}

let runs = 0

/** The result of an objective, or its error. */
interface Ended {
  outcome?: unknown
  error?: Error
}

/** @throws if it did not end: the thread died, the signal stopped it, or a report could not be stored */
function runIn<S extends Space>(worker: Thread, trial: Trial<S>, signal: AbortSignal): Promise<Ended> {
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
    const run = runs++
    const hear = (message: Message) => {
      if (message.run !== run) return
      if (message.kind === 'done') end(() => resolve({ outcome: message.outcome }))
      else if (message.kind === 'failed') {
        const error = Object.assign(plainError(message.message), { name: message.name, stack: message.stack })
        end(() => resolve({ error }))
      } else if (message.kind === 'note') {
        if (message.what === 'constraint') trial.constrain(message.name, message.value as number)
        else trial.setAttribute(message.name, message.value)
      } else if (message.kind === 'report') {
        trial.report(message.value, message.step).then(
          () => worker.postMessage({ run, prune: trial.shouldPrune() }),
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
    else worker.postMessage({ run, number: trial.number, params: trial.params })
  })
}

/** The source text of a function, because only text can be sent to a worker. */
function functionText(objective: (...args: never[]) => unknown): string {
  const text = String(objective)
  if (/\[native code\]/.test(text))
    throw typeError(`optimize: ${show(objective)} cannot run in workers; write it as a function, or in a module`)
  // a method, `objective(params) { … }`, is not an expression alone
  const isMethod = !/^(?:async\s+)?(?:function\b|\(|[\w$]+\s*=>)/.test(text)
  return isMethod ? `({ ${text} })[${JSON.stringify(objective.name)}]` : `(${text})`
}
