/** `gradus xray FILE --target COLUMN`: what goes wrong when a net trains on the user's table. */
import { Command, Option } from 'commander'
import { count } from '../../common/options.js'
import { plotXray, reportHtml, reportText } from '../../xray/index.js'
import { SCHEDULE_NAMES } from '../data-sets/schedules.js'
import { interruptible } from '../interrupt.js'
import { netOptions, OPTIMIZER_NAMES } from '../options/net.js'
import { dataOptions } from '../options/table.js'
import { flag } from '../options/values.js'
import { checkEnding, checkOut, checkReport, writeFileWhole } from '../out-file.js'
import { printTargetNotes, withTarget } from '../table/files.js'
import { type XrayedNet, type XrayedTraining, type XrayOptions, xrayTable } from '../table/xray.js'
import { columns, paint, print, printLines, printText } from '../terminal/terminal.js'

interface XrayCommandOptions extends Omit<XrayedNet, 'target'>, XrayOptions {
  target?: string
  report?: string
  picture?: string
  quiet?: boolean
  json?: boolean
}

export function xrayCommand(): Command {
  const command = new Command('xray')
    .summary('say what is wrong with a training on a table')
    .description(
      'Trains one net on a table and looks at it while it learns: how far each layer moves, its gradients, dead units, the learning rate against ' +
        'the largest stable one, the noise of the gradients against the batch size. Says what is wrong, the remedy first.',
    )
    .argument('<file>', 'a table')
  const groups: [title: string, options: Option[]][] = [
    ['Options of the table:', dataOptions()],
    [
      'Options of the net and its training:',
      [
        ...netOptions(),
        flag('-o, --optimizer <name>', 'the optimizer, at its default rate unless --learning-rate is given (default: as gradus train)', {
          is: OPTIMIZER_NAMES,
        }),
        flag(
          '--schedule <name>',
          `course of the learning rate: ${SCHEDULE_NAMES.join(', ')} (default: as gradus train; with --optimizer constant)`,
          {
            is: SCHEDULE_NAMES,
          },
        ),
      ],
    ],
    [
      'Options of the X-ray:',
      [
        flag('--level <name>', 'light, or full: more looks at the sharpness, and rows that look mislabelled (default: full)', {
          is: ['light', 'full'],
        }),
        flag('--every <n>', 'steps between two samples (default: as many as cost about a tenth of the training)', { is: count }),
      ],
    ],
    [
      'Options:',
      [
        new Option('--report <file.html>', 'a page with pictures'),
        new Option('--picture <file.svg>', 'one picture of all'),
        new Option('-q, --quiet', 'print the verdicts only'),
        new Option('--json', 'print one JSON object instead'),
      ],
    ],
  ]
  for (const [title, options] of groups) {
    command.optionsGroup?.(title)
    for (const option of options) command.addOption(option)
  }
  return command.addHelpText('after', EXAMPLES).action((file: string, options: XrayCommandOptions) => xrayFile(file, options))
}

const EXAMPLES = `
Examples:
  gradus xray iris.csv --target species
  gradus xray sales.csv -t price -o SGD -l 0.5 --report xray.html
  gradus xray sales.csv -t price --hidden 64,64,64 -a sigmoid --json`

async function xrayFile(file: string, given: XrayCommandOptions): Promise<void> {
  const { report: page, picture, quiet, json, optimizer, schedule, level = 'full', every, ...rest } = await withTarget(file, given)
  const reads = { 'the table itself': file, 'the file of --test': rest.test }
  checkReport(page, { ...reads, 'the file of --picture': picture })
  if (picture !== undefined) checkOut('--picture', picture, reads)
  if (picture !== undefined) checkEnding('--picture', picture, 'a picture in SVG', ['svg'])
  const silent = quiet === true || json === true
  await interruptible(async (signal) => {
    const xrayed = await xrayTable(file, rest, { optimizer, schedule, level, every }, { signal, silent })
    const { report, prepared } = xrayed
    printTargetNotes(rest.target, prepared)
    if (page !== undefined) await writeFileWhole(page, reportHtml(report))
    if (picture !== undefined) await writeFileWhole(picture, plotXray(report, { width: 1200, title: `X-ray: '${rest.target}' of ${file}` }))
    if (json) return print(JSON.stringify({ file, target: rest.target, ...xrayJson(xrayed) }))
    if (quiet) return printVerdicts(xrayed)
    print(paint('bold', `X-ray of a net that learns '${rest.target}' from ${file}`))
    printXray(xrayed)
    const made = [page, picture].filter((name) => name !== undefined)
    if (made.length > 0) printText(`${paint('green', '✓')} The pictures are in ${made.map((name) => paint('bold', name)).join(' and ')}`)
    else print(paint('dim', '--report xray.html shows it as a page with pictures'))
  }, 'stopped before there was an X-ray')
}

/** The report, for programs. */
export function xrayJson({ report, diverged }: Pick<XrayedTraining, 'report' | 'diverged'>): object {
  return { ...report, ...(diverged !== undefined && { diverged }) }
}

/** The report, for people. */
export function printXray({ report, diverged }: Pick<XrayedTraining, 'report' | 'diverged'>): void {
  if (diverged !== undefined) printText(paint('yellow', `Training ended early: ${diverged}`))
  printLines(reportText(report, { width: Math.min(columns(), 100), paint }))
  print()
}

function printVerdicts({ report: { verdicts } }: XrayedTraining): void {
  if (verdicts.length === 0) print('no fault was found')
  for (const { severity, remedy, says } of verdicts) print(`${severity}: ${remedy}; ${says}`)
}
