/** `gradus tune status URL` and `gradus tune delete STORAGE`: the state of a queue, and deleting a study. */
import { Argument, Command } from 'commander'
import { deleteStudy, queueStatus } from '../../tune/index.js'
import { duration } from '../terminal/format.js'
import { print } from '../terminal/terminal.js'
import { withPrefix } from './tune-worker.js'

export function statusCommand(): Command {
  return new Command('status')
    .description('Says what goes on on a queue: workers, trials that run, wait or are stalled, and how far each study is.')
    .addArgument(new Argument('<url>', 'the server of the queue, redis://host:6379 or postgres://host/database'))
    .option('--prefix <name>', 'prefix of the keys of the queue, as in redis://host?prefix=name (default: gradus)')
    .option('--json', 'print one JSON object')
    .action((url: string, options: { prefix?: string; json?: boolean }) => status(url, options))
}

export function deleteCommand(): Command {
  return new Command('delete')
    .description('Deletes a study from its storage. Processes and workers that run it stop.')
    .addArgument(new Argument('<storage>', 'where the study is kept, such as redis://host or penguins.tune.log'))
    .requiredOption('--name <name>', 'which study')
    .action(async (storage: string, { name }: { name: string }) => {
      await deleteStudy({ storage, name })
      print(`Deleted the study ${name}.`)
    })
}

async function status(url: string, { prefix, json }: { prefix?: string; json?: boolean }): Promise<void> {
  const { workers, waiting, stalled, studies } = await queueStatus(withPrefix(url, prefix))
  if (json) return print(JSON.stringify({ workers, waiting, stalled, studies }))
  const running = workers.reduce((sum, one) => sum + one.running.length, 0)
  print(`${workers.length} workers; trials: ${running} running, ${waiting} waiting, ${stalled} stalled`)
  for (const { host, pid, concurrency, running, refused } of workers) {
    print(`  ${host} (process ${pid}): ${running.length} of ${concurrency} at work`)
    for (const { study, number, seconds } of running) print(`    ${study} trial ${number}, for ${duration(seconds)}`)
    for (const { objective, reason } of refused) print(`    cannot run ${objective}: ${reason}`)
  }
  for (const { name, complete, pruned, failed, running, perMinute, trials, secondsLeft, versions, runBy } of studies) {
    const of = trials === undefined ? '' : ` of ${trials}`
    const rate = perMinute > 0 ? `, ${perMinute.toPrecision(2)} a minute` : ''
    const left = secondsLeft ? `, ${duration(secondsLeft)} left` : ''
    const by = runBy.length > 0 ? `, run by ${runBy.join(', ')}` : ', run by nobody now'
    print(
      `study ${name}: ${complete + pruned + failed}${of} over (${failed} failed, ${pruned} pruned), ${running} begun${rate}${left}${by}`,
    )
    if (versions.length > 1) print(`  run by different versions of the objective, which cannot be compared: ${versions.join(', ')}`)
  }
}
