/** `gradus inspect FILE`: the contents of a model file, or of a table. */
import { Command } from 'commander'
import { describeTable } from '../../data/index.js'
import { loadImageModel } from '../../images/index.js'
import { type ModelFile, type Module, summary } from '../../index.js'
import { formatMetric, inspectTable, type TableModel, TargetsModel } from '../../table/index.js'
import { columnOptions, fileOptions, type TableData } from '../options/table.js'
import { naming, readRows, reportInFlags, tableOptions } from '../table/files.js'
import { sourceOfInput } from '../table/input.js'
import { anyModelFile, kindOfFile, tableModelIn, withModelFile } from '../table/model.js'
import { percent, whole } from '../terminal/format.js'
import { paint, print, printLines, printText } from '../terminal/terminal.js'

interface InspectOptions extends TableData {
  json?: boolean
}

export function inspectCommand(): Command {
  const command = new Command('inspect')
    .summary('say what is in a model file or a table')
    .description(
      'Of a model file: what it predicts, from which columns, and by which nets. Of a table: what gradus train with the same options ' +
        'takes each column for, and why.',
    )
    .argument('<file>', 'a model file, or a table; - for one from stdin')
  for (const option of columnOptions('the column to predict (default: the last one)')) command.addOption(option)
  command.option('--json', 'print JSON instead')
  for (const option of fileOptions()) command.addOption(option)
  return command.action((file: string, options: InspectOptions) => inspect(file, options))
}

async function inspect(file: string, { json = false, ...options }: InspectOptions): Promise<void> {
  if (/\.safetensors$/i.test(file) || (await kindOfFile(file))?.is === 'model') return inspectModel(file, { json })
  const [row] = await readRows(file, options, 1)
  const last = Object.keys(row).at(-1) ?? ''
  const source = await sourceOfInput(file)
  const report = reportInFlags(
    await naming(file, () => inspectTable(source, { ...tableOptions(options), target: options.target ?? last }), options),
  )
  if (json) print(JSON.stringify(report))
  else printLines(describeTable(report))
}

/** Shows the contents of a model file. */
async function inspectModel(file: string, { json = false }: { json?: boolean }): Promise<void> {
  const read = await withModelFile(file, () => anyModelFile(file))
  const { model: net, ...parts } = read
  if (typeof parts.images === 'object') return inspectImages(file, read, json)
  if (typeof parts.tableModel !== 'string' && parts.tableTargets === undefined) return inspectNet(file, net, Object.keys(parts), json)
  const model = await withModelFile(file, () => tableModelIn(read))
  if (!(model instanceof TargetsModel)) return inspectTarget(file, model, json)
  for (const one of Object.values(model.models)) inspectTarget(file, one, json)
}

const fact = (name: string, text: string) => printText(`  ${paint('dim', name.padEnd(10))} ${text}`, ' '.repeat(13))

const firstOf = (names: readonly string[]) => `${names.slice(0, 12).join(', ')}${names.length > 12 ? ', …' : ''}`

/** For the model of a target; of several, a JSON object a line. */
function inspectTarget(file: string, model: TableModel, json: boolean): void {
  const parameters = model.net.parameters().reduce((sum, { size }) => sum + size, 0)
  const members = 'members' in model.net ? (model.net.members as { layers?: readonly { describe(): string }[] }[]) : []
  const layers = members.map(({ layers = [] }) => layers.map((layer) => layer.describe()).join(' → '))
  const { task, target, classNames, columns } = model
  const facts = { file, task, target, classNames, columns, nets: members.length, parameters }
  if (json) return print(JSON.stringify({ ...facts, layers }))
  print(paint('bold', `${file}: predicts '${target}'`))
  fact('task', task === 'classification' ? `one of ${classNames.length} classes: ${firstOf(classNames)}` : 'a number')
  fact('columns', columns.join(', '))
  fact('nets', `${members.length}, ${whole(parameters)} parameters in all`)
  for (const text of [...new Set(layers)].slice(0, 6)) fact('', `${layers.filter((other) => other === text).length} × ${text}`)
  if (task === 'regression')
    fact(
      'interval',
      model.intervals ? 'as wide as the errors of similar rows' : `± ${formatMetric(model.halfWidth(0.9))} holds ${percent(0.9, 0)}`,
    )
}

/** For a model that names pictures. */
async function inspectImages(file: string, read: ModelFile, json: boolean): Promise<void> {
  const { net, classes, size, channels, report } = await loadImageModel(read)
  const parameters = net.parameters().reduce((sum, own) => sum + own.size, 0)
  if (json) return print(JSON.stringify({ file, classes, size, channels, parameters, accuracy: report.accuracy }))
  print(paint('bold', `${file}: names pictures`))
  fact('classes', `${classes.length}: ${firstOf(classes)}`)
  fact('sees', `${size} × ${size} pixels, ${channels === 1 ? 'gray' : 'in color'}`)
  fact('accuracy', `${percent(report.accuracy)} of pictures set aside`)
  fact('net', `${whole(parameters)} parameters: ${net.layers.map((layer) => layer.describe()).join(' → ')}`)
}

/** For a model that is not a table's: its layers, and the names of the values saved with it. */
function inspectNet(file: string, net: Module, parts: string[], json: boolean): void {
  const parameters = net.parameters().reduce((sum, { size }) => sum + size, 0)
  const layers = net.modulePaths(true).map(({ path, module }) => ({ path, layer: module.describe() }))
  if (json) return print(JSON.stringify({ file, parameters, layers, parts }))
  print(paint('bold', `${file}: a model of ${whole(parameters)} parameters`))
  for (const line of summary(net).split('\n')) print(`  ${line}`)
  if (parts.length > 0) print(`  ${paint('dim', 'beside it:')} ${parts.join(', ')}`)
}
