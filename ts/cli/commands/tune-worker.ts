/** `gradus tune worker URL`: run trials from a queue until Ctrl-C. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import { count, positive } from '../../common/options.js'
import { runWorker, type WorkerModule } from '../../tune/index.js'
import { interruptible } from '../interrupt.js'
import { flag, seconds } from '../options/values.js'
import { print, printNote } from '../terminal/terminal.js'

/** Name of the module of gradus/tune at all workers. */
export const TUNE_MODULE = 'gradus:tune'
/** The file of gradus/tune, beside the built command in dist/. (It is not the file of the command with this name.) */
export const TUNE_FILE = new URL('./tune.js', import.meta.url)

interface WorkOptions {
  concurrency: number
  module: Record<string, string>
  modules?: string
  table: Record<string, string>
  lockSeconds: number
  trialTime?: number
  wait: number
  prefix?: string
}

const EXAMPLES = `
Examples:
  gradus tune worker redis://host --module ./objective.js
      trials of a program that calls optimize('./objective.js', { queue: … })
  gradus tune worker redis://host --modules ./objectives
      any module in a folder
  gradus tune worker redis://host --table ./penguins.csv
      trials of gradus tune penguins.csv --storage redis://host

It runs the modules and opens the tables that it was started with, and nothing
else, and only where they are the same, to the byte, as those of the study.`

export function workerCommand(): Command {
  return new Command('worker')
    .description('Takes trials from a queue and runs them until Ctrl-C. Any number of workers on any number of machines.')
    .addArgument(new Argument('<url>', 'the server of the queue, redis://host:6379 or postgres://host/database'))
    .addOption(
      new Option('--module <file>', 'a module that it may run, ./objective.js or name=./objective.js; may be given again')
        .default({}, 'none')
        .argParser(named),
    )
    .option('--modules <folder>', 'a folder of modules that it may run')
    .addOption(
      new Option('--table <file>', 'a table for trials of gradus tune, ./penguins.csv; may be given again')
        .default({}, 'none')
        .argParser(named),
    )
    .addOption(flag('--concurrency <n>', 'trials at once', { is: count, default: 1 }))
    .addOption(trialTimeOption())
    .addOption(
      flag('--lock-seconds <n>', 'seconds after which others take over the trials of a worker that died', { is: positive, default: 10 }),
    )
    .addOption(
      new Option('--wait <duration>', 'how long it waits for a server that is not there at the start')
        .default(60, '60s')
        .argParser(seconds),
    )
    .option('--prefix <name>', 'prefix of the keys of the queue, as in redis://host?prefix=name (default: gradus)')
    .addHelpText('after', EXAMPLES)
    .action((url: string, options: WorkOptions) => work(url, options))
}

/** The option of a worker, and of a study that runs its own trials. */
export const trialTimeOption = () =>
  new Option('--trial-time <duration>', 'ends trials that take longer, such as 10m (default: no limit)').argParser(seconds)

/** Reads `./objective.js` or `name=./objective.js`. */
function named(text: string, before: Record<string, string>): Record<string, string> {
  const [, name, file] = /^(?:([^=/\\]+)=)?(.+)$/s.exec(text) ?? []
  if (!file) throw new InvalidArgumentError('Wants a file, or name=file.')
  return { ...before, [name ?? path.basename(file)]: file }
}

/** A URL with the prefix of --prefix. */
export function withPrefix(url: string, prefix: string | undefined): string {
  if (prefix === undefined || !URL.canParse(url)) return url
  const parsed = new URL(url)
  parsed.searchParams.set('prefix', prefix)
  return parsed.href
}

/** SHA-256 of a file. */
export async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk)
  return hash.digest('hex')
}

async function work(url: string, { module, modules, table, lockSeconds, prefix, ...options }: WorkOptions): Promise<void> {
  const tables = new Map<string, { file: string; hash: string }>()
  for (const [name, file] of Object.entries(table)) {
    const hash = await hashOf(file).catch(() => {
      throw new Error(`--table wants a file that is there, got ${file}`)
    })
    tables.set(name, { file: path.resolve(file), hash })
  }
  const own: WorkerModule = { module: TUNE_FILE, factories: ['tableObjective'], options: (given) => withTable(given, tables) }
  await interruptible(async (signal) => {
    const worker = await runWorker(withPrefix(url, prefix), {
      ...options,
      lockSeconds,
      modules: {
        ...Object.fromEntries(Object.entries(module).map(([name, file]) => [name, pathToFileURL(file)])),
        ...(tables.size > 0 && { [TUNE_MODULE]: own }),
      },
      ...(modules !== undefined && { folder: modules }),
      onTrial: ({ study, number, state, reason }) => print(`${study} trial ${number} ${state}${reason === undefined ? '' : `: ${reason}`}`),
      onMessage: printNote,
    })
    print('Waiting for trials; Ctrl-C ends it.')
    if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    await worker.close()
  })
}

/** The options of a table's trial, with the table of this machine. @throws Error if the worker was not started with that table */
function withTable(given: unknown, tables: ReadonlyMap<string, { file: string; hash: string }>): unknown {
  const { file: name, sha256, ...options } = Object(given) as Record<string, unknown>
  const found = typeof name === 'string' ? tables.get(name) : undefined
  if (found === undefined)
    throw new Error(
      `this worker has no table '${String(name).slice(0, 100)}'${tables.size > 0 ? `, only ${[...tables.keys()].join(', ')}` : ''}; start it with --table ./${String(name).slice(0, 100)}`,
    )
  if (sha256 !== found.hash)
    throw new Error(`the table ${name} is another here than that of the study; copy it from there, and start the worker again`)
  return { ...options, file: found.file }
}
