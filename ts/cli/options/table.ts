/** Options for the table of a training: the same for every command that trains on one. */
import { Option } from 'commander'
import { count, fraction } from '../../common/options.js'
import { DECIMALS, THOUSANDS } from '../../data/formats/decimals.js'
import type { Decimal, Thousands } from '../../data/index.js'
import type { NetSettings } from '../../table/index.js'
import { flag, kebab } from './values.js'

/** Options that say how a file is written. */
export interface FileOptions {
  ragged?: boolean
  /** What stands between values. */
  delimiter?: string
  encoding?: string
  header?: boolean
  decimal?: Decimal
  thousands?: Thousands
}

/** Options for the columns and rows of a table. */
export interface TableData extends FileOptions {
  target?: string
  /** A file of rows to test with. */
  test?: string
  testFraction?: number
  /** Rows that are held in memory. */
  sample?: number
  /** A column by which the latest rows are the test rows. */
  splitBy?: string
  /** A column of groups whose rows stay together. */
  groups?: string
  exclude?: string[]
  categories?: string[]
  numbers?: string[]
  embed?: string[]
  missingValues?: string[]
  /** Reads numbers and dates in human formats. */
  formatted?: boolean
}

/** Options for the format of a CSV file. */
export function fileOptions(): Option[] {
  return [
    new Option('--ragged', 'take lines with too few or too many values as they are, instead of an error'),
    new Option(
      '--delimiter <text>',
      "what stands between values, such as ' ' (default: comma, tab, semicolon or bar, whichever fits)",
    ).argParser(delimiter),
    new Option('--encoding <name>', 'of the text, such as windows-1252 (default: utf-8)'),
    flag('--decimal <sign>', 'what stands before the decimals of numbers, a point or a comma (default: a point)', { is: DECIMALS }),
    flag('--thousands <sign>', 'what stands between thousands (default: nothing, or with --decimal , a point)', { is: THOUSANDS }),
    new Option('--no-header', 'the first line has values, no names: columns are column1, column2 …'),
  ]
}

/** Options for the encoding of columns. */
export function columnOptions(target = 'the column to predict'): Option[] {
  return [
    new Option('-t, --target <column>', target),
    new Option('--exclude <columns>', 'columns to leave out, with commas between').argParser(names),
    new Option('--categories <columns>', 'columns of numbers that are names, such as a postcode').argParser(names),
    new Option('--numbers <columns>', 'columns that are numbers, such as a target 0, 1, 2 that is an amount').argParser(names),
    new Option('--embed <columns>', 'columns whose categories become vectors that are learnt, as those of very many do').argParser(names),
    new Option('--formatted', 'read numbers and dates that are written for people: $1,250.00, 8.9 %, (300), 70 kg, 31.12.2024'),
    new Option(
      '--missing-values <texts>',
      "texts that stand for a gap, with commas between, in place of the usual ones (NA, N/A, null, ? …); '' for none but empty cells",
    ).argParser((text) => (text === '' ? [] : names(text))),
  ]
}

/** All options for the rows and columns of a training. */
export function dataOptions(): Option[] {
  return [
    ...columnOptions('the column to predict (gradus train takes several, with commas between)'),
    new Option('--test <file>', 'rows to test with, instead of a share of those to learn from'),
    flag('--test-fraction <x>', 'share of the rows that are set aside to test with (default: 0.2)', { is: fraction }),
    new Option('--split-by <column>', 'test with the latest rows by a column of dates or numbers, instead of some at random'),
    new Option(
      '--group, --groups <column>',
      'keep rows with the same value together, such as those of a patient: never to learn from and to test with',
    ),
    flag(
      '--sample <n>',
      'rows to hold in memory: of a longer table a random sample (default: as many as have 10 million values, or 400,000 of a file above 1 GB)',
      {
        is: count,
      },
    ),
    ...fileOptions(),
  ]
}

/** Reads a delimiter; in a shell, '\\t' is easier to write than a tab. */
function delimiter(text: string): string {
  return text === '\\t' ? '\t' : text
}

/** Reads names with commas between. */
export function names(text: string): string[] {
  return text.split(',').map((name) => name.trim())
}

/** The command that trains on the same table in the same way, to be copied into a shell. */
export function trainLine(file: string, options: TableData & { seed: number }, net: NetSettings): string {
  const { target, exclude, categories, numbers, embed, missingValues, test, testFraction, splitBy, groups, seed, formatted } = options
  const { hidden, activation, dropout, learningRate, weightDecay, batchSize, epochs } = net
  const short = (x: number | undefined) => x && Number(x.toPrecision(4))
  const flags = {
    ...{ target, exclude, categories, numbers, embed, missingValues, test, testFraction, splitBy, groups },
    ...{ hidden: hidden?.length === 0 ? 'none' : hidden, activation, dropout: short(dropout), learningRate: short(learningRate) },
    ...{ weightDecay: short(weightDecay), batchSize, epochs, seed },
  }
  return ['gradus train', quoted(file), ...flagsOf(flags), ...(formatted ? ['--formatted'] : []), ...fileFlags(options)].join(' ')
}

/** The command that predicts rows of a file that is written as the table was, to be copied into a shell. */
export function predictLine(model: string, options: FileOptions): string {
  return ['gradus predict', quoted(model), 'new-rows.csv', ...fileFlags(options)].join(' ')
}

function fileFlags({ delimiter, encoding, decimal, thousands, ragged, header }: FileOptions): string[] {
  return [
    ...flagsOf({ delimiter, encoding, decimal, thousands }),
    ...(ragged ? ['--ragged'] : []),
    ...(header === false ? ['--no-header'] : []),
  ]
}

/** `{ testFraction: 0.1 }` → `--test-fraction 0.1`, for each that is given. */
function flagsOf(values: object): string[] {
  return Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [`--${kebab(name)} ${quoted(String(value))}`]))
}

/** A text for a shell: in quotes if necessary. */
export function quoted(text: string): string {
  if (/^[\w@%+:,./-]+$/.test(text)) return text
  return process.platform === 'win32' ? `"${text.replaceAll('"', '""')}"` : `'${text.replaceAll("'", "'\\''")}'`
}
