/** `gradus tune worker URL`: run trials from a queue until Ctrl-C. */
import { Argument, Command, Option } from 'commander'
import { runWorker } from '../../tune/index.js'
import { interruptible } from '../interrupt.js'
import { numberIn } from '../options/values.js'
import { print } from '../terminal/terminal.js'

/** What workers have under a path of their own: the module of gradus/tune. */
export const TUNE_MODULE = 'gradus:tune'
/** The file of gradus/tune, which lies beside the built command in dist/. (It is not that of the command of this name.) */
export const TUNE_FILE = new URL('./tune.js', import.meta.url)
/** How many trials may run at once. */
export const AT_ONCE = { min: 1, max: 1024, whole: true }

interface WorkOptions {
  concurrency: number
}

/** The command and its options. */
export function workerCommand(): Command {
  return new Command('worker')
    .description('Takes trials from a queue and runs them until Ctrl-C. Any number of workers on any number of machines.')
    .addArgument(new Argument('<url>', 'the server of the queue, redis://host:6379 or postgres://host/database'))
    .addOption(new Option('--concurrency <n>', 'trials at once').default(1).argParser(numberIn(AT_ONCE)))
    .option('--debug', 'print the stack trace of an error')
    .action((url: string, options: WorkOptions) => work(url, options))
}

async function work(url: string, { concurrency }: WorkOptions): Promise<void> {
  await interruptible(async (signal) => {
    const worker = await runWorker(url, {
      concurrency,
      modules: { [TUNE_MODULE]: TUNE_FILE },
      onTrial: ({ study, number, state }) => print(`${study} trial ${number} ${state}`),
    })
    print('Waiting for trials; Ctrl-C ends it.')
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    await worker.close()
  })
}
