/** Model files of tables, for the commands that take one: errors that name the file, and notes on rows that differ from the training rows. */
import { createReadStream, statSync } from 'node:fs'
import { Option } from 'commander'
import { asNoModel, type FileKind, kindOf, SAFETENSORS } from '../../common/file-kinds.js'
import { loadImageModel } from '../../images/index.js'
import { loadModelFile, type ModelFile } from '../../index.js'
import { loadTableModel, loadTargetsModel, type TableDrift, type TableModel, TargetsModel } from '../../table/index.js'
import { quoted } from '../options/table.js'
import { whole } from '../terminal/format.js'
import { printNote } from '../terminal/terminal.js'
import { naming } from './files.js'
import { nameOfInput } from './input.js'

/** Bytes at the beginning of a file that tell its kind. */
const START = 512

/** The first bytes of a file; undefined for a pipe, which can be read only once. @throws Error if there is no file */
async function startOf(file: string): Promise<Uint8Array | undefined> {
  // an address
  if (/^[a-z]+:\/\//i.test(file)) return undefined
  const found = statSync(file, { throwIfNoEntry: false })
  if (found === undefined) throw new Error(`there is no file ${file}`)
  if (found.isDirectory()) throw new Error(`${file} is a folder, not a file`)
  if (!found.isFile()) return undefined
  for await (const piece of createReadStream(file, { end: START - 1 })) return piece as Buffer
  return new Uint8Array()
}

/** The kind of a file by its first bytes; undefined for text such as CSV, and for anything but a file. */
export async function kindOfFile(file: string): Promise<FileKind | undefined> {
  const start = await startOf(file).catch(() => undefined)
  return start && kindOf(start)
}

/** Runs work on a model file. @throws Error that names the file, and its actual kind if it is not a model */
export async function withModelFile<T>(file: string, work: () => Promise<T>): Promise<T> {
  return naming(file, async () => {
    if (nameOfInput(file) !== file) throw new Error('stdin is no model: a model is read from a file')
    const start = await startOf(file)
    if (start !== undefined && kindOf(start) !== SAFETENSORS) throw new Error(noModel(file, start))
    return work()
  })
}

/** The message about a file that is not a model: its actual kind, and a remedy. */
function noModel(file: string, start: Uint8Array): string {
  const instead = start.length === 0 ? 'empty' : (asNoModel(start) ?? 'a binary file of a kind that is not known')
  const remedy = instead.includes(';') ? '' : ', not a model: gradus train writes one of a table, and saveModel any other'
  return `${file} is ${instead}${remedy}`
}

/** A model file whose net may have layers of any room: pictures bring those of convolution. The other rooms are loaded here, as few commands want them. */
export async function anyModelFile(file: string): Promise<ModelFile> {
  await Promise.all([import('../../attention/index.js'), import('../../recurrent/index.js')])
  return loadModelFile(file)
}

/** Reads a model of a table, of one target or of several. @throws as {@link withModelFile} does */
function readModel(file: string): Promise<TableModel | TargetsModel> {
  return withModelFile(file, async () => {
    const read = await loadModelFile(file)
    return tableModelIn(read).catch(async (error) => {
      await loadImageModel(read).catch(() => Promise.reject(error))
      throw new Error(`${file} holds a model of pictures, not of a table; gradus predict ${quoted(file)} picture.png names them`)
    })
  })
}

/** The model of a table in a file, of one target or of several. Unknown values are reported once, at the end, by the commands. */
export function tableModelIn(file: ModelFile): Promise<TableModel | TargetsModel> {
  return file.tableTargets === undefined ? loadTableModel(file, { warn: false }) : loadTargetsModel(file, { warn: false })
}

/** The option that chooses one of several targets. */
export function targetOption(): Option {
  return new Option('--target <column>', 'the target, of a model of several')
}

/** The model of one target. @throws Error for several targets, none of which was named, and for a target that the model does not have */
export function oneTarget(model: TableModel | TargetsModel, target: string | undefined): TableModel {
  const models = modelsOf(model)
  const name = target ?? (models.length === 1 ? models[0].target : undefined)
  const list = models.map((one) => `'${one.target}'`).join(', ')
  if (name === undefined) throw new Error(`the model has several targets, ${list}; --target says which`)
  const found = models.find((one) => one.target === name)
  if (found === undefined) throw new Error(`--target ${name}: the model predicts ${list}`)
  return found
}

/** The models of all targets. */
export function modelsOf(model: TableModel | TargetsModel): readonly TableModel[] {
  return model instanceof TargetsModel ? Object.values(model.models) : [model]
}

/** {@link readModel} for a command that takes a model and a table. @throws Error that says so if the two are swapped */
export async function readModelFor(command: string, modelFile: string, file: string): Promise<TableModel | TargetsModel> {
  const [asModel, asTable] = [await kindOfFile(modelFile), await kindOfFile(file)]
  if (asTable === SAFETENSORS && asModel !== SAFETENSORS)
    throw new Error(`${modelFile} is no model file; are model and table swapped? gradus ${command} ${quoted(file)} ${quoted(modelFile)}`)
  return readModel(modelFile)
}

/** The option that accepts rows that lack a column of the model. */
export function fillOption(): Option {
  return new Option('--fill-columns', 'fill in columns that the file lacks, as gaps were in training, instead of an error')
}

/** @throws Error for rows that lack a column of the model. If such columns are filled in, a note names them instead */
export function checkColumns(model: HasColumns, rows: readonly object[], file: string, fills: boolean): void {
  const absent = absentIn(model, rows)
  // if all are missing, the model's own error is better
  if (absent.length === 0 || absent.length === model.columns.length) return
  const what = `${nameOfInput(file)} has no column ${absent.map((name) => `'${name}'`).join(', ')}`
  if (!fills)
    throw new Error(
      `${what}, from which the model learnt; --fill-columns fills ${absent.length === 1 ? 'it' : 'them'} in as gaps were in training, for worse predictions`,
    )
  printNote(`${what}: filled in as gaps were in training`)
}

/** Notes the columns that the model learned from and the test rows lack: they count as gaps in each row. */
export function tellAbsent(model: HasColumns, rows: readonly object[], file: string): void {
  const absent = absentIn(model, rows)
  if (absent.length > 0 && absent.length < model.columns.length)
    printNote(`${file} has no column ${absent.map((name) => `'${name}'`).join(', ')}: filled in as gaps were in training`)
}

/** A model of one target, or of several. */
type HasColumns = Pick<TableModel, 'columns'>

function absentIn({ columns }: HasColumns, rows: readonly object[]): string[] {
  return columns.filter((name) => !rows.some((row) => Object.hasOwn(row, name)))
}

/** Notes how the rows differ from those that the model learned from; of a model without profiles, the values that it did not know. */
export function tellDrift(models: readonly TableModel[], drifts: readonly TableDrift[]): void {
  if (drifts.some(({ before }) => before === 0)) return models.forEach(tellUnknown)
  // several targets have many columns in common
  const notes = [...new Set(drifts.flatMap((drift) => drift.notes))]
  for (const note of notes.slice(0, MAX_NOTES)) printNote(note)
  if (notes.length > MAX_NOTES)
    printNote(`and ${notes.length - MAX_NOTES} more differences from the rows that the model learned from; --json lists all`)
}

/** Largest number of differences that are printed. */
const MAX_NOTES = 12

function tellUnknown({ unknown }: TableModel): void {
  for (const [column, { count, values }] of Object.entries(unknown))
    printNote(
      `column '${column}' had ${whole(count)} values that the table had not (${values.slice(0, 3).map(String).join(', ')}); they count as none`,
    )
}
