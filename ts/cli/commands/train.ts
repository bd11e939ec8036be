/** `gradus train DATA`: the options of both kinds, and the choice between train-table.ts and train-data-set.ts. */
import { statSync } from 'node:fs'
import { Argument, Command, Option } from 'commander'
import { nearest } from '../../common/nearest.js'
import type { DataSetOptions } from '../data-sets/setup.js'
import { TASK_NAMES, type TaskName } from '../data-sets/tasks.js'
import { netOptions } from '../options/net.js'
import { dataOptions } from '../options/table.js'
import { checkForPictures, givenFlag } from '../options/values.js'
import { fileNear } from '../table/files.js'
import { nameOfInput } from '../table/input.js'
import { dataSetOptions, defaultsHelp, taskHelp, trainOnDataSet } from './train-data-set.js'
import { type ImageTrainOptions, imageTrainOptions, trainOnImages } from './train-images.js'
import { type TableTrainOptions, tableTrainOptions, trainOnTable } from './train-table.js'

export function trainCommand(): Command {
  const command = new Command('train')
    .summary('train a model on a table or pictures of yours, or on a data set that comes with it')
    .description(
      'Of a table (CSV, TSV, JSON, JSON lines, also .gz): finds out what each column is and whether classes or numbers are predicted, sets rows ' +
        'aside to test with, trains nets that answer together, and says how good they are. The model is one file that takes rows as they are. ' +
        'Rows are held in memory, 150 to 200 bytes a value; of a table of more than 10 million values, a random sample; of a file of more than 1 GB, a ' +
        'smaller one, with which training takes less than 300 MB.\n\n' +
        'Of a folder with a folder of pictures for each class: trains a convolutional net, and says how good it is on pictures set aside. --time, --epochs, ' +
        '--seed, --out and --report are as for tables. sharp decodes the pictures: npm install sharp.\n\n' +
        'Of a data set by name: trains a net of dense layers with softmax cross-entropy, tests it on data it has not seen, shows a few of its ' +
        'answers, and then trains the same net with WASM and with JS for comparison. Ctrl-C stops and says how far it came.',
    )
    .addArgument(new Argument('<data>', `a file or address, - for stdin; a folder of pictures; or a data set: ${taskHelp()}`))
  const groups: [title: string, options: Option[]][] = [
    ['Options of a table:', [...dataOptions(), ...tableTrainOptions()]],
    ['Options of the net and its training:', netOptions()],
    ['Options of a folder of pictures:', imageTrainOptions()],
    ['Options of data sets by name:', dataSetOptions()],
    ['Options:', outputOptions()],
  ]
  for (const [title, options] of groups) {
    command.optionsGroup?.(title)
    for (const option of options) command.addOption(option)
  }
  return command
    .addHelpText(
      'after',
      `\nThe default net of a table depends on its number of rows; that of a data set is:\n${defaultsHelp()}\n${TRAIN_EXAMPLES}`,
    )
    .action((data: string, options: DataSetOptions & TableTrainOptions) => trainAny(data, options, command))
}

const TRAIN_EXAMPLES = `
Examples:
  gradus train iris.csv --target species --report iris.html
  gradus train sales.csv --target price --exclude id,comment --time 60s
  gradus train sales.csv --target price --hidden 64,32 --learning-rate 0.003
  gradus train schools.csv --target reading,math
  gradus train patients.csv --target ill --threshold f1 --positive yes
  gradus train https://example.com/sales.parquet --target price --sample 50000
  zcat sales.csv.gz | gradus train - --target price --out sales.safetensors
  gradus train photos --flip --time 5m
  gradus train mnist --hidden 256,128 --activation gelu
  gradus train moons --optimizer SGD --learning-rate 0.1 --schedule constant
  gradus train spirals --optimizer Lion --learning-rate auto
  gradus train iris --seed 7 --backend js --no-compare`

const isTask = (name: string): name is TaskName => (TASK_NAMES as readonly string[]).includes(name.toLowerCase())

/** A data set by its name, or a table in a file. */
async function trainAny(data: string, options: DataSetOptions & TableTrainOptions, command: Command): Promise<void> {
  const pictures = givenFlag(command, IMAGES_ONLY)
  const found = isTask(data) ? undefined : statSync(data, { throwIfNoEntry: false })
  if (pictures !== undefined && !found?.isDirectory()) throw new Error(`${pictures} is for a folder of pictures, which ${data} is not`)
  if (isTask(data)) {
    const wrong = givenFlag(command, TABLE_ONLY)
    if (wrong !== undefined) throw new Error(`${wrong} is for tables in files; ${data} is a data set that comes with gradus`)
    return trainOnDataSet(data.toLowerCase() as TaskName, options)
  }
  if (found?.isDirectory()) {
    checkForPictures(command, data, OF_IMAGES)
    return trainOnImages(data, options as unknown as ImageTrainOptions)
  }
  if (found === undefined && nameOfInput(data) === data && !/^[a-z]+:/.test(data)) {
    const near = fileNear(data) ?? nearest(data, TASK_NAMES)
    throw new Error(
      `there is no file ${data}${near === undefined ? '.' : `; did you mean ${near}?`} A data set by name is one of ${TASK_NAMES.join(', ')}`,
    )
  }
  const wrong = givenFlag(command, TASK_ONLY)
  if (wrong !== undefined) throw new Error(`${wrong} is for data sets by name (${TASK_NAMES.join(', ')}), not for a table`)
  if ((options.learningRate as DataSetOptions['learningRate']) === 'auto')
    throw new Error(
      `--learning-rate auto is for data sets by name (${TASK_NAMES.join(', ')}); the nets of a table have rates that suit them`,
    )
  return trainOnTable(data, options)
}

const attributes = (options: readonly Option[]) => options.map((option) => option.attributeName())
const TABLE_ONLY = [...attributes([...dataOptions(), ...tableTrainOptions()]), 'dropout', 'weightDecay']
const TASK_ONLY = attributes(dataSetOptions())
const IMAGES_ONLY = attributes(imageTrainOptions())
/** Options of a folder of pictures. */
const OF_IMAGES = [...IMAGES_ONLY, 'time', 'epochs', 'seed', 'out', 'report', 'quiet', 'json']

function outputOptions(): Option[] {
  return [
    new Option('-q, --quiet', 'print the result only'),
    new Option('--json', 'print one JSON object instead, with every epoch'),
    new Option('--xray', 'look at the training, and say what is wrong with it; of a table, at one net that is trained alone'),
  ]
}
