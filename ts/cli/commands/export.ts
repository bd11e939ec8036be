/** `gradus export MODEL --to FORMAT`: a model for other programs. */
import { Command, Option } from 'commander'
import { visible } from '../../common/visible.js'
import { encodeSafetensors, toFunction, toKeras, toOnnx, toPyTorch } from '../../export/index.js'
import { ImageModel, loadImageModel } from '../../images/index.js'
import { Ensemble, type Module } from '../../index.js'
import { type TableModel, tableToFunction } from '../../table/index.js'
import { checkOut, writeFileWhole } from '../out-file.js'
import { naming } from '../table/files.js'
import { anyModelFile, oneTarget, tableModelIn, targetOption, withModelFile } from '../table/model.js'
import { whole } from '../terminal/format.js'
import { paint, print, printText } from '../terminal/terminal.js'

/** Formats by the endings of their files. */
const EXPORT_FORMATS = ['onnx', 'js', 'pytorch', 'keras'] as const
/** One of {@link EXPORT_FORMATS}. */
type ExportFormat = (typeof EXPORT_FORMATS)[number]

const ENDINGS: Readonly<Record<ExportFormat, string>> = {
  onnx: '.onnx',
  js: '.mjs',
  pytorch: '.pytorch.safetensors',
  keras: '.keras.safetensors',
}

/** Options of `gradus export`. */
interface ExportOptions {
  target?: string
  to?: ExportFormat
  out?: string
  half?: boolean
  json?: boolean
}

/** The written file, and instructions for its use. */
interface Written {
  bytes: Uint8Array | string
  /** Lines of a program that uses it. */
  use: string[]
  /** A note for the user. */
  note: string
}

export function exportCommand(): Command {
  return new Command('export')
    .summary('write a model for other programs: ONNX, JavaScript, PyTorch, Keras')
    .description(
      'ONNX for onnxruntime and others; a JavaScript module that needs nothing, and takes rows of a table as they are; weights for PyTorch or Keras, ' +
        'with the line of Python that makes the model.',
    )
    .argument('<model>', 'a file that gradus train or saveModel wrote')
    .addOption(new Option('--to <format>', 'what for (default: by the ending of --out)').choices(EXPORT_FORMATS))
    .addOption(new Option('--out <file>', 'where it goes (default: the name of the model, with another ending)'))
    .addOption(new Option('--half', 'of js: weights of 16 bits, half as long and good to three digits'))
    .addOption(targetOption())
    .option('--json', 'print JSON instead')
    .action((model: string, options: ExportOptions) => exportModel(model, options))
}

async function exportModel(file: string, { target, to, out, half = false, json = false }: ExportOptions): Promise<void> {
  const format = to ?? formatOf(out)
  if (half && format !== 'js') throw new Error(`--half is for --to js; ${format} has weights as they are`)
  const ofTarget = target === undefined ? '' : `.${target.replace(/[^\p{L}\p{N}._-]/gu, '_')}`
  const path = out ?? `${file.replace(/^.*[\\/]/, '').replace(/\.safetensors$/i, '')}${ofTarget}${ENDINGS[format]}`
  checkOut('--out', path, { 'the model itself': file })
  const model = await withModelFile(file, () => read(file, target))
  const { bytes, use, note } = await naming(file, async () => written(model, format, path, half))
  await writeFileWhole(path, bytes)
  if (json) return print(JSON.stringify({ file: path, format, bytes: bytes.length, note }))
  printText(`${paint('green', '✓')} ${paint('bold', path)}, ${whole(Math.ceil(bytes.length / 1000))} kB.${note === '' ? '' : ` ${note}`}`)
  for (const line of use.flatMap((text) => `  ${text}`.split('\n'))) print(paint('dim', line))
}

function formatOf(out: string | undefined): ExportFormat {
  if (out === undefined) throw new Error('say what for: --to onnx, js, pytorch or keras')
  if (/\.onnx$/i.test(out)) return 'onnx'
  if (/\.m?js$/i.test(out)) return 'js'
  throw new Error(`${out}: say what for, --to onnx, js, pytorch or keras; by itself only .onnx, .js and .mjs are known`)
}

/** A model of a table, of pictures, or any other. */
async function read(file: string, target: string | undefined): Promise<TableModel | ImageModel | Module> {
  const read = await anyModelFile(file)
  if (read.tableTargets !== undefined) return oneTarget(await tableModelIn(read), target)
  if (target !== undefined) throw new Error(`--target is for a model of several targets, which ${file} is not`)
  if (read.images !== undefined) return loadImageModel(read)
  return typeof read.tableModel === 'string' ? oneTarget(await tableModelIn(read), undefined) : read.model
}

function written(model: TableModel | ImageModel | Module, format: ExportFormat, path: string, half: boolean): Written {
  const isTable = 'net' in model && 'columns' in model
  const pictures = model instanceof ImageModel ? model : undefined
  const net = isTable ? (model as TableModel).net : (pictures?.net ?? (model as Module))
  const weights = half ? 'float16' : 'float32'
  if (format === 'js')
    return {
      bytes: isTable ? tableToFunction(model as TableModel, { weights }) : toFunction(net, { form: 'module', weights }),
      use: [`import { predict } from './${path.replace(/^.*[\\/]/, '')}'`],
      note: `predict(rows) takes ${isTable ? 'rows as they are in the table' : 'rows of numbers'}, and needs nothing.`,
    }
  const inputs = isTable
    ? `Its input is what model.inputs(rows) of gradus/table gives, rows as numbers${whatItGives(model as TableModel)}.`
    : pictures
      ? inputOfPictures(pictures, format)
      : ''
  if (format === 'onnx')
    return {
      bytes: toOnnx(net, pictures && { inputShape: [pictures.size, pictures.size, pictures.channels] }),
      use: [`session = onnxruntime.InferenceSession('${path}')`, "session.run(None, {'input': x})"],
      note: inputs,
    }
  return format === 'pytorch' ? forPyTorch(net, path, inputs) : forKeras(net, inputs)
}

/** A note on the pictures that a net takes. */
function inputOfPictures({ size, channels, classes }: ImageModel, format: ExportFormat): string {
  const shape = format === 'pytorch' ? [channels, size, size] : [size, size, channels]
  const names = classes.map((name) => `'${visible(name)}'`).join(', ')
  return `Its input is pictures [rows, ${shape.join(', ')}], from 0 to 1; it gives logits of the classes ${names}.`
}

function whatItGives({ task, classNames, decision }: TableModel): string {
  if (task === 'regression') return '; it gives (y − mean)/deviation of the numbers'
  const { positive = 0, threshold, isOrdered } = decision ?? {}
  const named = isOrdered
    ? ', of which the median is named'
    : threshold === undefined
      ? ''
      : `, of which '${visible(classNames[positive])}' is named from a probability of ${threshold} on`
  return `; it gives logits of the classes${named}`
}

function forPyTorch(net: Module, path: string, inputs: string): Written {
  const load = `model.load_state_dict(safetensors.torch.load_file('${path}'))`
  if (!(net instanceof Ensemble)) {
    const { tensors, code } = toPyTorch(net)
    return { bytes: encodeSafetensors(tensors), use: [`model = ${code}`, load], note: inputs }
  }
  const members = net.members.map((member) => toPyTorch(member))
  const tensors = members.flatMap(({ tensors }, i) => Object.entries(tensors).map(([name, tensor]) => [`${i}.${name}`, tensor] as const))
  const list = membersIn(members.map(({ code }) => code))
  return {
    bytes: encodeSafetensors(Object.fromEntries(tensors)),
    use: [`model = nn.ModuleList(${list})`, load, `weights = [${shares(net)}]`],
    note: `${inputs} It has ${members.length} nets, which answer by the weighted mean of their ${net.average}.`.trim(),
  }
}

function shares(net: Ensemble): string {
  const weights = [...net.weights.data()]
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return weights.map((weight) => Number((weight / sum).toPrecision(6))).join(', ')
}

function forKeras(net: Module, inputs: string): Written {
  if (net instanceof Ensemble) return ensembleForKeras(net, inputs)
  const { tensors, code } = toKeras(net)
  return {
    bytes: encodeSafetensors(tensors),
    use: [`model = ${code}`, 'model.set_weights([weights[name] for name in sorted(weights)])'],
    note: inputs,
  }
}

/** One Keras model with all nets in it, which returns their mean: of probabilities, if the ensemble returns their logits. */
function ensembleForKeras(net: Ensemble, inputs: string): Written {
  const members = net.members.map((member) => toKeras(member))
  const prefix = (i: number) => `${String(i).padStart(2, '0')}.`
  const tensors = members.flatMap(({ tensors }, i) => Object.entries(tensors).map(([name, tensor]) => [prefix(i) + name, tensor] as const))
  const width = members[0].tensors['0000.kernel'].shape[0]
  const isSoftmax = net.average === 'softmax'
  return {
    bytes: encodeSafetensors(Object.fromEntries(tensors)),
    use: [
      `members = ${membersIn(members.map(({ code }) => code))}`,
      `x = keras.Input((${width},))`,
      `answers = [${isSoftmax ? 'keras.activations.softmax(member(x))' : 'member(x)'} for member in members]`,
      `model = keras.Model(x, sum(share * answer for share, answer in zip([${shares(net)}], answers)))`,
      'for i, member in enumerate(members):',
      "    member.set_weights([weights[name] for name in sorted(weights) if name.startswith(f'{i:02d}.')])",
    ],
    note: `${inputs.replace('logits', 'probabilities')} It has ${members.length} nets, whose weighted mean the model gives.`.trim(),
  }
}

/** A list in Python of one model for each code. */
function membersIn(codes: readonly string[]): string {
  if (new Set(codes).size === 1) return `[${codes[0]} for _ in range(${codes.length})]`
  return `[\n    ${codes.join(',\n    ')},\n  ]`
}
