/** `gradus forecast sales.csv --time date --value units`: forecasts of series in a table, with a picture and one model file. */
import { Command, Option } from 'commander'
import { type ForecastPoint, forecast, loadSeriesModel, reportHtml, reportText, type SeriesModel } from '../../series/index.js'
import { FORECAST, type ForecastOptions } from '../../series/options.js'
import { interruptible, NO_MODEL } from '../interrupt.js'
import { type FileOptions, fileOptions, names } from '../options/table.js'
import { flag } from '../options/values.js'
import { checkOut, checkReport, leavingNoRest, writeFileWhole } from '../out-file.js'
import { lineWriter } from '../table/csv-line.js'
import { naming, readRows } from '../table/files.js'
import { withModelFile } from '../table/model.js'
import { chartLines } from '../terminal/chart.js'
import { columns, paint, print, printLines, printNote, printText } from '../terminal/terminal.js'

type ForecastFlags = Pick<ForecastOptions, 'horizon' | 'season' | 'every' | 'combine' | 'coverage' | 'min' | 'seed'>

/** Options of `gradus forecast`. */
export interface ForecastCommandOptions extends FileOptions, ForecastFlags {
  time?: string
  value?: string[]
  by?: string[]
  known?: string[]
  static?: string[]
  model?: string
  out?: string
  report?: string
  csv?: boolean
  json?: boolean
}

export function forecastCommand(): Command {
  const command = new Command('forecast')
    .summary('say how series in a table go on')
    .description(
      'Of a table with a column of times and one of values, finds the frequency, tries classics and dense nets by a backtest, and says how each series ' +
        'goes on, with a band for each value. With --model, a model that was written by --out goes on from the rows of the table.',
    )
    .argument('<file>', 'a table (CSV, TSV, JSON, JSON lines, Parquet), - for stdin')
    .option('--time <column>', 'the column of times: dates, instants or numbers')
    .addOption(new Option('--value <columns>', 'the column of values, or several with commas between, each a series').argParser(names))
    .addOption(new Option('--by <columns>', 'the columns that tell series apart, such as store').argParser(names))
    .addOption(flag('--horizon <n>', 'how many values to forecast (default: a season, at most a quarter of the series)', FORECAST.horizon))
    .addOption(new Option('--known <columns>', 'columns whose future is known, in rows whose value is empty').argParser(names))
    .addOption(new Option('--static <columns>', 'columns that stay the same within a series').argParser(names))
    .addOption(flag('--season <n>', 'values of a season, 1 for none (default: by the frequency, such as 12 for months)', FORECAST.season))
    .addOption(flag('--every <period>', 'add rows up to periods of this length', FORECAST.every))
    .addOption(flag('--combine <how>', 'how --every joins rows (default: sum)', { is: FORECAST.combine.is }))
    .addOption(flag('--coverage <x>', 'share of future values that bands should hold (default: 0.8)', { is: FORECAST.coverage.is }))
    .addOption(flag('--min <x>', 'no forecast is below this, such as 0 for sales', FORECAST.min))
    .addOption(flag('--seed <n>', 'the same seed gives the same forecast (default: 0)', { is: FORECAST.seed.is }))
    .option('--model <file>', 'go on with this model from the rows of the table, later ones or all')
    .option('--out <file>', 'write the model there')
    .option('--report <file.html>', 'the report as a page with pictures')
    .option('--csv', 'print the forecasts alone, as CSV')
    .option('--json', 'print forecasts and report as one JSON object')
  for (const option of fileOptions()) command.addOption(option)
  return command.addHelpText('after', EXAMPLES).action((file: string, options: ForecastCommandOptions) => run(file, options, command))
}

const EXAMPLES = `
Examples:
  gradus forecast sales.csv --time date --value units --horizon 12
  gradus forecast sales.csv --time date --value units --by store --out sales.safetensors --report sales.html
  gradus forecast orders.csv --time at --value amount --every week --min 0
  gradus forecast new-sales.csv --model sales.safetensors --csv`

/** Options of a training, which a model has already. */
const OF_TRAINING = ['time', 'value', 'by', 'known', 'static', 'horizon', 'season', 'every', 'combine', 'coverage', 'min', 'seed'] as const

async function run(file: string, options: ForecastCommandOptions, command: Command): Promise<void> {
  const { model: from, out, report, json = false, csv = false } = options
  if (json && csv) throw new Error('--json and --csv are two forms of one output; give one of the two')
  const reads = { 'the table': file, 'the model': from }
  if (out !== undefined) checkOut('--out', out, { 'the table': file })
  checkReport(report, { ...reads, 'the new model': out })
  const model = from === undefined ? await trained(file, options) : await extended(file, from, options)
  for (const { key, reason } of model.report.leftOut) printNote(`series '${key.join(', ')}' is left out: it ${reason}`)
  if (out !== undefined) await leavingNoRest(out, () => model.save(out))
  if (report !== undefined) await writeFileWhole(report, reportHtml(model))
  if (json)
    return print(
      JSON.stringify({ forecasts: model.forecasts.map((point) => rowOf(model, point)), report: model.report, ...(out && { model: out }) }),
    )
  if (csv) return printLines(csvOf(model))
  tell(model)
  if (out !== undefined) {
    print()
    printText(
      `${paint('green', '✓')} The model is in ${paint('bold', out)}${report === undefined ? '' : `, the report in ${paint('bold', report)}`}. It goes on from later rows:`,
    )
    print(paint('dim', `  ${command.parent?.name() ?? 'gradus'} forecast new-rows.csv --model ${out}`))
  }
}

async function trained(file: string, { time, value, ...options }: ForecastCommandOptions): Promise<SeriesModel> {
  const rows = await readRows(file, options)
  const has = `The columns of ${file} are ${Object.keys(rows[0]).slice(0, 12).join(', ')}`
  if (time === undefined) throw new Error(`--time is missing: which column has the times? ${has}`)
  if (value === undefined) throw new Error(`--value is missing: which column is to be forecast? ${has}`)
  const given = Object.fromEntries(OF_TRAINING.flatMap((name) => (name in options ? [[name, options[name as keyof typeof options]]] : [])))
  return interruptible((signal) => naming(file, () => forecast(rows, { ...given, time, value, signal }), options), NO_MODEL)
}

async function extended(file: string, from: string, options: ForecastCommandOptions): Promise<SeriesModel> {
  const wrong = OF_TRAINING.find((name) => options[name] !== undefined)
  if (wrong !== undefined) throw new Error(`--${wrong} is for a new model; the one in ${from} has it already`)
  const model = await withModelFile(from, () => loadSeriesModel(from))
  const rows = await readRows(file, options)
  return naming(file, async () => model.extend(rows), options)
}

/** A forecast as a row, in the form of the table: the columns of keys by their names. */
function rowOf(
  { columns: { time, by, values } }: SeriesModel,
  { key, time: at, value, low, high }: ForecastPoint,
): Record<string, string | number> {
  const keys = [...by, ...(values.length > 1 ? ['column'] : [])]
  return { ...Object.fromEntries(keys.map((name, i) => [name, key[i]])), [time]: at, forecast: value, low, high }
}

function csvOf(model: SeriesModel): string {
  const rows = model.forecasts.map((point) => rowOf(model, point))
  const short = (value: string | number) => (typeof value === 'number' ? Number(value.toPrecision(9)) : value)
  return [Object.keys(rows[0]), ...rows.map((row) => Object.values(row).map(short))].map(lineWriter()).join('\n')
}

/** The picture of the first series, and the report. */
function tell(model: SeriesModel): void {
  const width = Math.min(columns(), 100)
  const { values } = model.state.series[0]
  const from = Math.max(0, values.length - Math.max(4 * model.horizon, 3 * model.state.seasons[0]))
  const ahead = model.forecasts.slice(0, model.horizon)
  const x = ahead.map((_, h) => values.length + h)
  const lines = chartLines(
    [
      { name: 'known', x: Array.from({ length: values.length - from }, (_, i) => from + i), y: [...values.subarray(from)] },
      { name: 'forecast', x, y: ahead.map(({ value }) => value) },
      { name: 'low', x, y: ahead.map(({ low }) => low) },
      { name: 'high', x, y: ahead.map(({ high }) => high) },
    ],
    { width, height: 12, caption: ahead[0].key.join(', ') },
  )
  for (const line of lines) print(line)
  print()
  printLines(reportText(model, { width, paint }))
}
