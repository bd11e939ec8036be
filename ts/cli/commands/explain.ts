/** `gradus explain MODEL FILE`: what columns do to a model's predictions. */
import { Command, Option } from 'commander'
import { type ExplainTableOptions, explainTable, reportHtml, reportText, type TableExplanation } from '../../table/index.js'
import { type FileOptions, fileOptions, names } from '../options/table.js'
import { checkReport, writeFileWhole } from '../out-file.js'
import { naming, readRows } from '../table/files.js'
import { nameOfInput } from '../table/input.js'
import { checkColumns, fillOption, oneTarget, readModelFor, targetOption } from '../table/model.js'
import { columns, paint, print, printLines } from '../terminal/terminal.js'

interface ExplainOptions extends FileOptions {
  target?: string
  columns?: string[]
  about?: string
  report?: string
  json?: boolean
  fillColumns?: boolean
}

export function explainCommand(): Command {
  const command = new Command('explain')
    .summary('say what columns do to the predictions of a model')
    .description(
      'Mean prediction of some rows of a table over the values of a column (partial dependence), of the columns that change it most, and which ' +
        'columns act together (H statistic). The page of --report has a picture of each, with a line for single rows (ICE).',
    )
    .argument('<model>', 'a file that gradus train wrote')
    .argument('<file>', 'a table with the same columns, such as that of the training, - for stdin; the target may be missing')
    .addOption(
      new Option('--columns <names>', 'columns to explain, with commas between (default: the six that matter most)').argParser(names),
    )
    .addOption(targetOption())
    .option('--about <class>', 'the class whose probability is explained (default: the positive one of two, of more the commonest)')
    .option('--report <file.html>', 'write a page with pictures')
    .option('--json', 'print JSON instead')
    .addOption(fillOption())
  for (const option of fileOptions()) command.addOption(option)
  return command.action((model: string, file: string, options: ExplainOptions) => explain(model, file, options))
}

async function explain(
  modelFile: string,
  file: string,
  { target, columns: given, about, report, json = false, fillColumns = false, ...how }: ExplainOptions,
): Promise<void> {
  checkReport(report, { 'the table itself': file, 'the model itself': modelFile })
  const model = oneTarget(await readModelFor('explain', modelFile, file), target)
  const rows = await readRows(file, how)
  checkColumns(model, rows, file, fillColumns)
  const wanted: ExplainTableOptions = { ...(given && { columns: given }), ...(about !== undefined && { about }) }
  const found: TableExplanation = await naming(file, async () => explainTable(model, rows, wanted), how)
  if (report !== undefined) await writeFileWhole(report, reportHtml(found))
  if (json) return print(JSON.stringify(found))
  print(paint('bold', `What ${modelFile} says of '${model.target}', by rows of ${nameOfInput(file)}`))
  print()
  printLines(reportText(found, { width: Math.min(columns(), 100), paint }))
  if (report === undefined) return
  print()
  print(`${paint('green', '✓')} The page is in ${paint('bold', report)}`)
}
