/** `gradus predict MODEL FILE`: the rows of a table with a model's predictions. */
import { Command, Option } from 'commander'
import { nearest } from '../../common/nearest.js'
import { fraction } from '../../common/options.js'
import { isImageFile } from '../../images/index.js'
import { driftOf, type Prediction, type TableModel, TargetsModel } from '../../table/index.js'
import { type FileOptions, fileOptions, names } from '../options/table.js'
import { checkForPictures, flag } from '../options/values.js'
import { checkOut, writeWhole } from '../out-file.js'
import { lineWriter } from '../table/csv-line.js'
import { naming, readRows } from '../table/files.js'
import { checkColumns, fillOption, modelsOf, readModelFor, tellDrift } from '../table/model.js'
import { whole } from '../terminal/format.js'
import { paint, print, printNote, shownLines } from '../terminal/terminal.js'
import { imageModelFor, predictImages } from './predict-images.js'

/** Options of `gradus predict`. */
export interface PredictOptions extends FileOptions {
  out?: string
  coverage: number
  json?: boolean
  only?: boolean
  columns?: string[]
  fillColumns?: boolean
}

export function predictCommand(): Command {
  const command = new Command('predict')
    .summary('say what a model says of rows')
    .description(
      'Prints the rows of a table with what the model says of each, as CSV. A column that the model learnt from has to be there; one that it left out, ' +
        'such as numbers of rows, need not be.',
    )
    .argument('<model>', 'a file that gradus train wrote')
    .argument('<file...>', 'a table with the same columns, - for stdin; the target may be missing; or pictures and folders of pictures')
    .option('--out <file>', 'write there instead, all or nothing')
    .addOption(fillOption())
    .addOption(new Option('--only', 'predictions alone, without the columns of the rows'))
    .addOption(
      new Option(
        '--columns <names>',
        'these columns alone, of the rows or of the predictions, with commas between; id=name gives one another name, as a competition may want: ' +
          '--columns id,price=predicted_price',
      )
        .argParser(names)
        .conflicts(['only', 'json']),
    )
    .addOption(flag('--coverage <x>', 'of numbers: how often the interval is to hold the true one', { is: fraction, default: 0.9 }))
    .addOption(new Option('--json', 'a JSON object for each row, a line each'))
  for (const option of fileOptions()) command.addOption(option)
  return command.action(async (model: string, [file, ...more]: string[], options: PredictOptions) => {
    const images = await imageModelFor(model, file)
    if (images !== undefined) {
      checkForPictures(command, file, ['json', 'out'], isImageFile(file) ? 'a picture' : undefined)
      return predictImages(images, model, [file, ...more], options)
    }
    if (more.length > 0) throw new Error(`predict wants one table, got ${file} and ${more.join(', ')}; several files can only be pictures`)
    return predict(model, file, options)
  })
}

/** Number of rows that are predicted at once. */
const PART = 4096

async function predict(
  modelFile: string,
  file: string,
  { out, coverage, json = false, only = false, columns, fillColumns = false, ...how }: PredictOptions,
): Promise<void> {
  if (out !== undefined) checkOut('--out', out, { 'the table itself': file, 'the model itself': modelFile })
  const model = await readModelFor('predict', modelFile, file)
  const rows = await readRows(file, how)
  checkColumns(model, rows, file, fillColumns)
  const models = modelsOf(model)
  const isOne = !(model instanceof TargetsModel)
  const cells = (answer: Prediction | Record<string, Prediction>) =>
    models.flatMap((one) => cellsOf(one, isOne ? (answer as Prediction) : (answer as Record<string, Prediction>)[one.target]))
  if (!json) models.forEach(tellFormulas)
  let answered = 0
  const writeAll = async (write: (text: string) => unknown) => {
    const own = only ? [] : Object.keys(rows[0])
    const csvLine = lineWriter(how.decimal)
    const all = [...own, ...models.flatMap((one) => headOf(one, isOne))]
    const taken = columns?.map((column) => placeOf(column, all))
    const shown = (cells: readonly unknown[]) => taken?.map(({ place }) => cells[place]) ?? cells
    // written with the first answers, so that there is no output without answers
    let head = json ? '' : `${csvLine(taken?.map(({ name }) => name) ?? all)}\n`
    for (let from = 0; from < rows.length; from += PART) {
      const some = rows.slice(from, from + PART)
      const answers = await naming(file, async () => model.predictPart(some, from, coverage), how)
      const lines = some.map((row, i) =>
        json
          ? JSON.stringify(only ? answers[i] : { ...row, prediction: answers[i] })
          : csvLine(shown([...own.map((name) => (Object.hasOwn(row, name) ? row[name] : '')), ...cells(answers[i])])),
      )
      await write(`${head}${lines.join('\n')}\n`)
      head = ''
      answered += some.length
    }
  }
  if (out === undefined)
    await writeAll(toStdout).catch((error: Error) => {
      if (answered > 0)
        error.message += `; the answers to the first ${whole(answered)} rows are printed above (--out writes all or nothing)`
      throw error
    })
  else await writeWhole(out, writeAll)
  tellDrift(models, [driftOf(model, rows)])
  if (out !== undefined) print(`${paint('green', '✓')} ${whole(rows.length)} rows with predictions are in ${paint('bold', out)}`)
}

/** The place of `column`, or of `old` for `new=old`, among all columns. @throws Error for one that is not there, or in the rows and the predictions */
function placeOf(column: string, all: readonly string[]): { name: string; place: number } {
  const [, name, old] = all.includes(column) ? ['', column, column] : (/^(.*?)\s*=\s*(.*)$/.exec(column) ?? ['', column, column])
  const place = all.indexOf(old)
  if (place !== all.lastIndexOf(old))
    throw new Error(`--columns: both the rows and the predictions have a column '${old}'; give that of the rows another name`)
  if (place >= 0) return { name, place }
  const near = nearest(old, all)
  throw new Error(`--columns: there is no column '${old}'${near === undefined ? `, only ${all.join(', ')}` : `; did you mean ${near}?`}`)
}

/** Waits until the reader has taken the text, so that not all answers wait in memory. */
function toStdout(text: string): Promise<void> {
  return new Promise((resolve, reject) =>
    process.stdout.write(process.stdout.isTTY ? shownLines(text) : text, (error) => (error ? reject(error) : resolve())),
  )
}

/** Cells stay unchanged, so that classes can be compared with other files; cells that a spreadsheet may read as formulas are reported. */
function tellFormulas({ classNames }: TableModel): void {
  const formula = classNames.find((name) => /^[=+\-@\t\r]/.test(name) && Number.isNaN(Number(name)))
  if (formula !== undefined)
    printNote(`the class '${formula}' begins as a formula does: open the answers in a spreadsheet only if you trust the model's file`)
}

/** Columns of predictions; with several targets all have the name of theirs. */
function headOf({ task, target, classNames }: TableModel, isOne: boolean): string[] {
  const about = isOne ? '' : `_${target}`
  if (task === 'regression') return [`predicted_${target}`, `low${about}`, `high${about}`]
  return [`predicted_${target}`, `probability${about}`, ...classNames.map((name) => `p${about}_${name}`)]
}

/** Digits of a number in CSV: enough to distinguish two floats, so that probabilities sum to 1. Numbers have them less the center of the target. */
const DIGITS = 9

function cellsOf({ classNames, center }: TableModel, answer: Prediction): unknown[] {
  const short = (x: number) => Number(x.toPrecision(DIGITS))
  if ('value' in answer) return [answer.value, answer.low, answer.high].map((x) => center + short(x - center))
  return [answer.class, short(answer.probability), ...classNames.map((name) => short(answer.probabilities[name]))]
}
