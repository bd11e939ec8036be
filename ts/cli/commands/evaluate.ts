/** `gradus evaluate MODEL FILE`: how good a model is on rows, or pictures, whose answers are known. */
import { Command } from 'commander'
import { describeLeftOut } from '../../data/index.js'
import { evaluateTable, reportText } from '../../table/index.js'
import { type FileOptions, fileOptions } from '../options/table.js'
import { checkForPictures } from '../options/values.js'
import { naming, readRows } from '../table/files.js'
import { nameOfInput } from '../table/input.js'
import { checkColumns, fillOption, modelsOf, readModelFor, tellDrift } from '../table/model.js'
import { percent, whole } from '../terminal/format.js'
import { columns, paint, print, printLines, printNote } from '../terminal/terminal.js'
import { evaluateImages } from './evaluate-images.js'
import { imageModelFor } from './predict-images.js'

interface EvaluateOptions extends FileOptions {
  json?: boolean
  fillColumns?: boolean
}

export function evaluateCommand(): Command {
  const command = new Command('evaluate')
    .summary('say how good a model is on rows with answers')
    .description('Metrics of a model on other rows, with 95 % intervals, beside a guess that looks at no column.')
    .argument('<model>', 'a file that gradus train wrote')
    .argument('<file>', 'a table with the same columns and the target, - for stdin; or a folder with a folder of pictures for each class')
    .option('--json', 'print JSON instead')
    .addOption(fillOption())
  for (const option of fileOptions()) command.addOption(option)
  return command.action(async (model: string, file: string, options: EvaluateOptions) => {
    const images = await imageModelFor(model, file)
    if (images === undefined) return evaluate(model, file, options)
    checkForPictures(command, file, ['json'])
    return evaluateImages(images, model, file, options.json ?? false)
  })
}

async function evaluate(modelFile: string, file: string, { json = false, fillColumns = false, ...how }: EvaluateOptions): Promise<void> {
  const model = await readModelFor('evaluate', modelFile, file)
  const rows = await readRows(file, how)
  checkColumns(model, rows, file, fillColumns)
  const found = await naming(file, async () => evaluateTable(model, rows), how)
  const each = 'evaluations' in found ? Object.entries(found.evaluations) : [[modelsOf(model)[0].target, found] as const]
  const learnt = Math.max(...each.map(([, one]) => one.learnt ?? 0))
  if (learnt > 0.05)
    printNote(
      `${learnt > 0.95 ? 'all' : `about ${percent(learnt, 0)} of the`} rows that the model learnt from are in ${nameOfInput(file)}: it knows these, and is not as good on others`,
    )
  if (json) return print(JSON.stringify(found))
  for (const [target, one] of each) {
    const left = describeLeftOut(one.leftOut)
    const which = left === '' ? `all ${whole(one.rows)}` : `${whole(one.rows)} of ${whole(rows.length)}`
    print(paint('bold', `'${target}' of ${which} rows of ${nameOfInput(file)}, by ${modelFile}`))
    if (left !== '') print(`  ${left}`)
  }
  printLines(reportText(found, { width: Math.min(columns(), 100), paint }))
  const drifts = each.map(([, { drift }]) => drift)
  tellDrift(modelsOf(model), drifts)
}
