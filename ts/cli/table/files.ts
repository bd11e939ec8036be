/** Tables in files, for the commands that take one: options as the library takes them, and errors that name the file. */
import { readdirSync } from 'node:fs'
import { nearest } from '../../common/nearest.js'
import { type ColumnReport, describeLeftOut, namingLines, type ReadOptions, type Row, readTable } from '../../data/index.js'
import type { PreparedTable } from '../../table/index.js'
import { type FileOptions, names, quoted, type TableData } from '../options/table.js'
import { kebab } from '../options/values.js'
import { printNote } from '../terminal/terminal.js'
import { nameOfInput, sourceOfInput } from './input.js'

/** Options for readTable. */
function formatOptions({ ragged, delimiter, encoding, header, decimal, thousands }: FileOptions): ReadOptions {
  return {
    ...(ragged && { ragged: 'fill' as const }),
    ...(delimiter !== undefined && { delimiter }),
    ...(encoding !== undefined && { encoding }),
    ...(header === false && { header }),
    ...(decimal !== undefined && { decimal }),
    ...(thousands !== undefined && { thousands }),
  }
}

/** Column options for trainTable. */
export function tableOptions({ exclude, categories, numbers = [], embed = [], missingValues, formatted, sample, ...file }: TableData) {
  const columns = Object.fromEntries([
    ...numbers.map((name) => [name, 'number'] as const),
    ...embed.map((name) => [name, 'embedding'] as const),
  ])
  return {
    ...(exclude && { exclude }),
    ...(categories && { categories }),
    ...(missingValues && { missingValues }),
    ...(sample !== undefined && { sample }),
    ...(formatted && { formatted: file.decimal ?? true }),
    columns,
    read: formatOptions(file),
  }
}

/** Options for prepareTable: if the test rows are a file of their own, none are held out. */
export function trialOptions(options: TableData & { target: string; seed: number }) {
  const { target, seed, test } = options
  return { ...tableOptions(options), target, seed, ...asideOptions(options), ...(test !== undefined && { testFraction: 0 }) }
}

/** Options for the test rows of a table. */
export function asideOptions({ testFraction, splitBy, groups }: TableData) {
  return {
    ...(testFraction !== undefined && { testFraction }),
    ...(splitBy !== undefined && { splitBy }),
    ...(groups !== undefined && { groups }),
  }
}

/** The options with one target. @throws Error as {@link withTargets} does, and for several targets */
export async function withTarget<O extends TableData>(file: string, options: O): Promise<O & { target: string }> {
  const { target } = await withTargets(file, options)
  if (typeof target === 'string') return { ...options, target }
  throw new Error(`--target ${options.target}: gradus train takes several targets, this command one of ${target.join(', ')}`)
}

/**
 * The options with a target, or several with commas between unless a column has such a name.
 * @throws Error that lists the columns of the file if it is missing, or names options that exclude each other
 */
export async function withTargets<O extends TableData>(
  file: string,
  options: O,
): Promise<Omit<O, 'target'> & { target: string | readonly string[] }> {
  const { target, test, splitBy } = options
  if (test !== undefined && splitBy !== undefined)
    throw new Error(
      `--split-by says which rows of ${nameOfInput(file)} are those to test with, and --test gives other ones; give one of the two`,
    )
  if (test === file)
    throw new Error(
      `--test: ${nameOfInput(file)} is the table itself, whose rows the model learns from; give other rows, or leave --test out`,
    )
  if (target === undefined)
    throw new Error(`--target is missing: which column of ${nameOfInput(file)} is to be predicted? ${await fileHint(file, options)}`)
  if (!target.includes(',') || (await columnsOf(file, options)).includes(target)) return { ...options, target }
  return { ...options, target: names(target) }
}

/** Options as errors and notes of the library name them, and as the command line does. */
const IN_COMMANDS = [
  ["ragged: 'fill' takes", '--ragged takes'],
  ["decimal: ',' or thousands: ','", "--decimal ',' or --thousands ','"],
  ['`report.suspects` has', '--report and --json show'],
  ['explainTable: columns wants', '--columns wants'],
  ['explainTable: about wants', '--about wants'],
  ['explainTable: about is', '--about is'],
  ['learningCurve wants rows at random, and splitBy', '--learning-curve wants rows at random, and --split-by'],
  ['learningCurve is for nets, and hidden: []', '--learning-curve is for nets, and --hidden none'],
  ['weights: column', '--weights: column'],
  ['weights: there', '--weights: there'],
  ['splitBy: ', '--split-by: '],
  ['groups: ', '--groups: '],
  ['splitBy sets the latest rows aside, and groups whole groups', '--split-by sets the latest rows aside, and --groups whole groups'],
  ['give header: false, or the names as header', 'give --no-header'],
  ['toOnnx and toFunction take', '--to onnx and --to js take'],
  ['is in order and in missingValues', 'is in --order and in --missing-values'],
  ["columns has 'number' for it", '--numbers names it'],
  ["columns: 'number' for it makes", '--numbers with its name makes'],
  ['Lower the learningRate (', 'Lower --learning-rate ('],
  ['or give a learningRate (', 'or give a --learning-rate ('],
  ['add it to missingValues', 'name it in --missing-values'],
  ['formatted: true reads', '--formatted reads'],
  ['with formatted: true,', 'with --formatted,'],
  ["say formatted: ','", 'add --decimal ,'],
  ["say formatted: '.'", 'add --decimal .'],
  ['say missingValues: []', "say --missing-values ''"],
  ['give season: 1 for', 'give --season 1 for'],
  ["give every: 'day' or", 'give --every day or'],
  ['give every: a longer period', 'give --every with a longer period'],
  ['tells series apart as by,', 'tells series apart by --by,'],
] as const

/** An option of nets that was given together with `hidden: []`, which makes none. */
const OF_LINE = /hidden: \[\] is a straight line, which has no (\w+)/

/** Beginning of an error about an option for targets. */
const OF_CLASSES = /trainTable: (classWeights|threshold|metric|positive|order|distribution|intervals)\b/

/** Options in backticks, as advice has them: `hidden: []`, `exclude: ['a', 'b']`, `time: 60`, `threshold: 'f1'`, `seed`. */
const IN_BACKTICKS = /`(target|hidden|exclude|time|threshold|classWeights|order|seed)(?:: ([^`]*))?`/g

/** A text of the library, with options in the form of the command line. */
export function inFlags(text: string): string {
  const words = text
    .replace(/say missingValues: \['([^']+)'\]/g, "say --missing-values '$1'")
    .replace(/encoding: '([\w-]+)'/g, '--encoding $1')
    .replace(OF_CLASSES, (_, option: string) => `trainTable: --${kebab(option)}`)
    .replace(OF_LINE, (_, option: string) => `--hidden none is a straight line, which has no --${kebab(option)}`)
  const flagged = words.replace(
    IN_BACKTICKS,
    (_, name: string, value: string | undefined) => `--${kebab(name)}${value === undefined ? '' : ` ${valueInShell(name, value)}`}`,
  )
  return IN_COMMANDS.reduce((changed, [option, flag]) => changed.replaceAll(option, flag), flagged)
}

/** A report whose texts name options in the form of the command line (`--time 60` for `time: 60`), for JSON, pages and terminals. */
export function reportInFlags<R extends { columns: readonly ColumnReport[]; advice?: string[] }>(report: R): R {
  const columns = report.columns.map((column) => ({ ...column, why: inFlags(column.why), notes: column.notes.map(inFlags) }))
  return { ...report, columns, ...(report.advice && { advice: report.advice.map(inFlags) }) }
}

/** `['a', 'b c']` → `'a,b c'`; `[]` → `none`; `60` → `60s`; `'f1'` → `f1`. */
function valueInShell(name: string, code: string): string {
  if (code === '[]') return 'none'
  if (/^'\w+'$/.test(code)) return code.slice(1, -1)
  if (!code.startsWith('[')) return name === 'time' ? `${code}s` : code
  const list = [...code.matchAll(/'((?:[^'\\]|\\.)*)'/g)].map(([, name]) => name.replace(/\\(.)/g, '$1')).join()
  return /^[\w.,-]+$/.test(list) ? list : `'${list.replaceAll("'", "'\\''")}'`
}

/** Prints, even if nothing else is printed, which rows were left out, and which words of the target may be gaps or a class. */
export function printTargetNotes(target: string, { leftOut, notes }: Pick<PreparedTable, 'leftOut' | 'notes'>): void {
  if (leftOut.length > 0) printNote(describeLeftOut(leftOut))
  for (const note of notes) printNote(`column '${target}': ${inFlags(note)}`)
}

/** Advice, as commands to copy, if a model file was given instead of a table, or a model that does not predict rows of a table. */
function withFile(text: string, file: string): string {
  const name = quoted(file)
  return text
    .replace(
      "'gradus predict MODEL TABLE' and 'gradus inspect MODEL' take it, and loadModel or loadTableModel read it",
      `gradus inspect ${name} says what it holds, and gradus predict ${name} new-rows.csv takes it if it is of a table`,
    )
    .replace(
      'loadTableModel: this file holds a model, but none of a table; loadModel reads it, and trainTable makes the other kind',
      `${file} holds a model, but none of a table, as gradus train makes; gradus inspect ${name} and gradus export ${name} take it`,
    )
    .replace(
      /decodeModel: encodeModel did not make this file; decodeSafetensors gives its tensors.*/,
      `${file} holds tensors, but no model that gradus saved; in code, decodeSafetensors reads them`,
    )
}

/** A file with nearly the same name as a missing file, in the same folder, if there is one. */
export function fileNear(file: string): string | undefined {
  const [, folder, name] = /^(.*[\\/])?([^\\/]*)$/s.exec(file) as RegExpExecArray
  try {
    const others = readdirSync(folder ?? '.').filter((other) => other !== name)
    const near = nearest(name, others)
    return near === undefined ? undefined : `${folder ?? ''}${near}`
  } catch {
    return undefined
  }
}

const ABSENT = /there is no (such )?file/

/** Beginning of errors about a model file, which repeat the name of the file. */
const OF_LOADING = /^loadModel(\('[^']*'\))?: (decodeSafetensors: )?/

/** Beginning of errors about the rows of the option `test` in trainTable. */
const OF_TEST = 'trainTable: test: '

/**
 * Rewrites errors of work: they begin with the name of the file, name its lines instead of rows, and name options in the form of the command line.
 * @param how format of the file, and `test`, the file whose rows are the option `test` of trainTable
 */
export async function naming<T>(file: string, work: () => Promise<T>, { test, ...how }: FileOptions & { test?: string } = {}): Promise<T> {
  try {
    return await work()
  } catch (error) {
    // an error that stops work has a message that must not change
    if (!(error instanceof Error) || error.name === 'AbortError') throw error
    const isOfTest = test !== undefined && error.message.startsWith(OF_TEST)
    const source = await sourceOfInput(isOfTest ? test : file)
    const name = nameOfInput(file)
    error.message = await namingLines(error.message, source, formatOptions(how)).catch(() => error.message)
    // a long stdin is in a temporary file
    if (name !== file && typeof source === 'string') error.message = error.message.replaceAll(source, name)
    error.message = withFile(inFlags(error.message), isOfTest ? test : file).replace(OF_LOADING, '')
    const near = ABSENT.test(error.message) ? fileNear(isOfTest ? test : file) : undefined
    if (near !== undefined) error.message += `; did you mean ${near}?`
    if (isOfTest) error.message = `--test ${test}: ${error.message.slice(OF_TEST.length)}`
    else if (!error.message.includes(name))
      error.message = `${name}: ${error.message.replace(/^(fromTable|encode|dataset|predict|trainTable|prepareTable|inspectTable|evaluateTable): /, '')}`
    throw error
  }
}

/** All rows of a file or of stdin, or the first ones. @throws Error that names the file, also if it has no rows */
export async function readRows(file: string, options: FileOptions, limit = Number.POSITIVE_INFINITY): Promise<Row[]> {
  const source = await sourceOfInput(file)
  const rows = await naming(file, () => readTable(source, { ...formatOptions(options), limit }), options)
  if (rows.length === 0) throw new Error(`${nameOfInput(file)}: there are no rows`)
  return rows
}

/** The columns of a file, by its first row. */
async function columnsOf(file: string, options: FileOptions): Promise<string[]> {
  const source = await sourceOfInput(file, true)
  const [row] = await naming(file, () => readTable(source, { ...formatOptions(options), limit: 1 }), options)
  return Object.keys(row ?? {})
}

const SHOWN = 12

/** A sentence with the columns of a file, `It has sepal_length, … and species.`, from which the user can choose one. */
async function fileHint(file: string, options: FileOptions): Promise<string> {
  const names = await columnsOf(file, options)
  if (names.length === 0) return 'It has no columns.'
  if (names.length === 1 && /\S\s+\S/.test(names[0]) && options.delimiter === undefined)
    return `It has one column, ${quoted(names[0])}: if spaces stand between its values, --delimiter ' ' reads them.`
  return `It has ${names.slice(0, SHOWN).join(', ')}${names.length > SHOWN ? ` and ${names.length - SHOWN} more` : ''}.`
}
