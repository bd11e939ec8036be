/** `gradus predict`, `evaluate` and `inspect`: what one does with a model file. */
import { loadModelFile, type Module, summary } from '../../index.js'
import { evaluateTable, loadTableModel, type Prediction, type TableModel } from '../../table/index.js'
import { checkOut, writeWhole } from '../out-file.js'
import { type FileOptions, naming, readRows } from '../table/files.js'
import { confusionLines, metricText } from '../table/report.js'
import { percent, table, whole } from '../terminal/format.js'
import { paint, print, printNote, printText } from '../terminal/terminal.js'

/** Options of `gradus predict`. */
export interface PredictOptions extends FileOptions {
  out?: string
  coverage: number
  json?: boolean
  only?: boolean
}

/** Reads a model of a table. @throws Error that names the file */
export function readModel(file: string): Promise<TableModel> {
  // what is unknown is told once, in the end
  return naming(file, () => loadTableModel(file, { warn: false }))
}

/** As {@link readModel}, of a command that takes a model and a table. @throws Error that says so where the two are swapped */
async function readModelFor(command: string, modelFile: string, file: string): Promise<TableModel> {
  try {
    return await readModel(modelFile)
  } catch (error) {
    if (!isTableFile(modelFile) || isTableFile(file)) throw error
    throw new Error(`${modelFile} is no model file; are model and table swapped? gradus ${command} ${file} ${modelFile}`, { cause: error })
  }
}

/** Rows that are answered at once. */
const PART = 4096

/** `gradus predict MODEL FILE`: the rows with what the model says of them, as CSV. */
export async function predict(
  modelFile: string,
  file: string,
  { out, coverage, json = false, only = false, ...how }: PredictOptions,
): Promise<void> {
  if (out !== undefined) checkOut('--out', out, { 'the table itself': file, 'the model itself': modelFile })
  const model = await readModelFor('predict', modelFile, file)
  const rows = await readRows(file, how)
  tellAbsent(model, rows, file)
  let answered = 0
  const writeAll = async (write: (text: string) => unknown) => {
    const names = only ? [] : Object.keys(rows[0])
    const csvLine = lineWriter(how.decimal)
    if (!json) await write(`${csvLine([...names, ...headOf(model)])}\n`)
    for (let from = 0; from < rows.length; from += PART) {
      const some = rows.slice(from, from + PART)
      const answers = await naming(file, async () => model.predictPart(some, from, coverage), how)
      const lines = some.map((row, i) =>
        json
          ? JSON.stringify(only ? answers[i] : { ...row, prediction: answers[i] })
          : csvLine([...names.map((name) => row[name]), ...cellsOf(model, answers[i])]),
      )
      await write(`${lines.join('\n')}\n`)
      answered += some.length
    }
  }
  if (out === undefined)
    await writeAll((text) => process.stdout.write(text)).catch((error: Error) => {
      if (answered > 0)
        error.message += `; the answers to the first ${whole(answered)} rows are printed above (--out writes all or nothing)`
      throw error
    })
  else await writeWhole(out, writeAll)
  tellUnknown(model)
  if (out !== undefined) print(`${paint('green', '✓')} ${whole(rows.length)} rows with predictions are in ${paint('bold', out)}`)
}

function headOf({ task, target, classNames }: TableModel): string[] {
  if (task === 'regression') return [`predicted_${target}`, 'low', 'high']
  return [`predicted_${target}`, 'probability', ...classNames.map((name) => `p_${name}`)]
}

function cellsOf({ classNames }: TableModel, answer: Prediction): unknown[] {
  const short = (x: number) => Number(x.toPrecision(6))
  if ('value' in answer) return [answer.value, answer.low, answer.high].map(short)
  return [answer.class, short(answer.probability), ...classNames.map((name) => short(answer.probabilities[name]))]
}

/** What makes a line of CSV of cells: with semicolons and decimal commas where the file that was read has those. */
function lineWriter(decimal: FileOptions['decimal'] = '.'): (cells: readonly unknown[]) => string {
  const isEuropean = decimal === ','
  const special = isEuropean ? /[";\r\n]/ : /[",\r\n]/
  return (cells) =>
    cells
      .map((cell) => {
        const plain = cell === null || cell === undefined ? '' : String(cell)
        const text = isEuropean && /^-?\d*\.\d+(e-?\d+)?$/i.test(plain) ? plain.replace('.', ',') : plain
        return special.test(text) ? `"${text.replaceAll('"', '""')}"` : text
      })
      .join(isEuropean ? ';' : ',')
}

/** Columns that the model knows and a file has not are gaps in each of its rows. */
export function tellAbsent({ columns }: TableModel, rows: readonly object[], file: string): void {
  const absent = columns.filter((name) => !rows.some((row) => Object.hasOwn(row, name)))
  if (rows.length > 0 && absent.length > 0 && absent.length < columns.length)
    printNote(`${file} has no column ${absent.map((name) => `'${name}'`).join(', ')}: filled in as gaps were in training`)
}

function tellUnknown({ unknown }: TableModel): void {
  for (const [column, { count, values }] of Object.entries(unknown))
    printNote(
      `column '${column}' had ${whole(count)} values that the table had not (${values.slice(0, 3).map(String).join(', ')}); they count as none`,
    )
}

/** `gradus evaluate MODEL FILE`: how good a model is on rows whose answers are known. */
export async function evaluate(modelFile: string, file: string, { json = false, ...how }: FileOptions & { json?: boolean }): Promise<void> {
  const model = await readModelFor('evaluate', modelFile, file)
  const rows = await readRows(file, how)
  tellAbsent(model, rows, file)
  const found = await naming(file, async () => evaluateTable(model, rows), how)
  if (json) return print(JSON.stringify(found))
  print(paint('bold', `'${model.target}' of ${whole(found.rows)} rows of ${file}, by ${modelFile}`))
  const [head, ...lines] = table([
    ['', 'value', '95 % interval', 'a guess'],
    ...found.metrics.map(({ name, value, low, high, baseline }) => [
      `  ${name}`,
      metricText(value),
      `${metricText(low)} to ${metricText(high)}`,
      metricText(baseline),
    ]),
  ])
  print(paint('dim', head))
  for (const line of lines) print(line)
  if (found.confusion) for (const line of ['', ...confusionLines(found.confusion, model.classNames)]) print(line)
  tellUnknown(model)
}

/** `gradus inspect FILE`: what a model file holds, or what is in a table. */
export async function inspectModel(file: string, { json = false }: { json?: boolean }): Promise<void> {
  const { model: net, ...parts } = await naming(file, () => loadModelFile(file))
  if (typeof parts.tableModel !== 'string') return inspectNet(file, net, Object.keys(parts), json)
  const model = await readModel(file)
  const parameters = model.net.parameters().reduce((sum, { size }) => sum + size, 0)
  const members = 'members' in model.net ? (model.net.members as { layers?: readonly { describe(): string }[] }[]) : []
  const layers = members.map(({ layers = [] }) => layers.map((layer) => layer.describe()).join(' → '))
  const { task, target, classNames, columns } = model
  const facts = { file, task, target, classNames, columns, nets: members.length, parameters }
  if (json) return print(JSON.stringify({ ...facts, layers }))
  const fact = (name: string, text: string) => printText(`  ${paint('dim', name.padEnd(10))} ${text}`, ' '.repeat(13))
  print(paint('bold', `${file}: predicts '${target}'`))
  fact(
    'task',
    task === 'classification'
      ? `one of ${classNames.length} classes: ${classNames.slice(0, 12).join(', ')}${classNames.length > 12 ? ', …' : ''}`
      : 'a number',
  )
  fact('columns', columns.join(', '))
  fact('nets', `${members.length}, ${whole(parameters)} parameters in all`)
  for (const text of [...new Set(layers)].slice(0, 6)) fact('', `${layers.filter((other) => other === text).length} × ${text}`)
  if (task === 'regression') fact('interval', `± ${metricText(model.halfWidth(0.9))} holds ${percent(0.9, 0)}`)
}

/** Of a model that is none of a table: its layers, and the names of what was saved beside it. */
function inspectNet(file: string, net: Module, parts: string[], json: boolean): void {
  const parameters = net.parameters().reduce((sum, { size }) => sum + size, 0)
  const layers = net.modulePaths(true).map(({ path, module }) => ({ path, layer: module.describe() }))
  if (json) return print(JSON.stringify({ file, parameters, layers, parts }))
  print(paint('bold', `${file}: a model of ${whole(parameters)} parameters`))
  for (const line of summary(net).split('\n')) print(`  ${line}`)
  if (parts.length > 0) print(`  ${paint('dim', 'beside it:')} ${parts.join(', ')}`)
}

/** @internal whether a file is a table by its name */
export function isTableFile(file: string): boolean {
  return /\.(csv|tsv|txt|tab|data|jsonl?|ndjson|parquet|arrow|feather|npy|npz)(\.gz)?$/i.test(file)
}
