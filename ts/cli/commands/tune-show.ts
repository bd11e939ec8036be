/** `gradus tune show STORAGE`: the results of a study. */
import { Argument, Command } from 'commander'
import { openStudy, reportHtml, reportText } from '../../tune/index.js'
import { checkOut, writeFileWhole } from '../out-file.js'
import { columns, print, printLines } from '../terminal/terminal.js'

interface ShowOptions {
  name?: string
  html?: string
  json?: boolean
}

export function showCommand(): Command {
  return new Command('show')
    .description('Says what a study found: the best trial, what mattered, what to try next.')
    .addArgument(new Argument('<storage>', 'where the study is kept, such as penguins.tune.log; also one by Optuna'))
    .option('--name <name>', 'which study, where there are several')
    .option('--html <file>', 'write a report with pictures')
    .option('--json', 'print all trials as one JSON object')
    .action((storage: string, options: ShowOptions) => showStudy(storage, options))
}

async function showStudy(storage: string, { name, html, json }: ShowOptions): Promise<void> {
  if (html !== undefined) checkOut('--html', html, { 'the study itself': storage })
  const study = await openStudy({ storage, ...(name !== undefined && { name }) })
  try {
    if (html !== undefined) await writeFileWhole(html, reportHtml(study))
    if (json) print(JSON.stringify({ study: study.name, trials: study.trials.map((trial) => ({ ...trial, reports: [...trial.reports] })) }))
    else {
      printLines(reportText(study, { width: columns() }))
      if (html !== undefined) printLines(`\nThe report is in ${html}.`)
    }
  } finally {
    await study.close()
  }
}
