/** If a file of another kind is given instead of a table or a model, one sentence names its kind and the remedy, in every command. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodeSafetensors, toOnnx } from '../../../ts/export/index.js'
import { Dense, encodeModel, Sequential } from '../../../ts/index.js'
import { gradus } from '../../tools/command.js'

let folder: string
const latin = (text: string) => Uint8Array.from([...text].map((c) => c.charCodeAt(0)))
const zip = (entry: string) => latin(`PK\x03\x04${'\0'.repeat(26)}${entry}`)
const net = () => new Sequential([new Dense(2, 3), new Dense(3, 1)], { seed: 1 })
const random = Uint8Array.from({ length: 3000 }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 13) & 255)
const iris = () => readFileSync('docs/guide/iris.csv')
const model = () => readFileSync(path.join(folder, 'iris.safetensors'))

const TRAINED =
  '; a model, not a table; gradus inspect FILE says what it holds, and gradus predict FILE new-rows.csv takes it if it is of a table'
const WRITES = ', not a model: gradus train writes one of a table, and saveModel any other'
const BINARY = 'FILE is no text, but a binary file of a kind that is not known; tables are CSV, TSV, JSON, JSON lines, Parquet or Arrow'

/** For each kind of file its content, the message if a table is expected, and the message if a model is expected; null if it is one. */
const KINDS: Record<string, [content: () => Uint8Array | string, asTable: string | null, asModel: string | null]> = {
  'empty.csv': [() => '', 'FILE: there are no rows', `FILE is empty${WRITES}`],
  'header.csv': [() => 'sepal_length,species\n', 'FILE: there are no rows', `FILE is text, as tables are${WRITES}`],
  'random.csv': [() => random, BINARY, `FILE is a binary file of a kind that is not known${WRITES}`],
  'random.safetensors': [() => random, BINARY, `FILE is a binary file of a kind that is not known${WRITES}`],
  'book.xlsx': [() => zip('[Content_Types].xml'), 'FILE is an Excel workbook; save its sheet as CSV', `FILE is an Excel workbook${WRITES}`],
  'book.csv': [() => zip('[Content_Types].xml'), 'FILE is an Excel workbook; save its sheet as CSV', `FILE is an Excel workbook${WRITES}`],
  'archive.zip': [() => zip('notes.txt'), 'FILE is a zip archive; unpack it first', `FILE is a zip archive${WRITES}`],
  'net.onnx': [
    () => toOnnx(net()),
    'FILE is an ONNX file; a model, not a table',
    'FILE is an ONNX file; fromOnnx of gradus reads it, and saveModel makes a model file of that',
  ],
  'net.pt': [
    () => zip('archive/data.pkl'),
    'FILE is a PyTorch file; a model, not a table',
    'FILE is a PyTorch file; save its state_dict with safetensors.torch.save_file, which fromPyTorch takes',
  ],
  'weights.safetensors': [
    () => encodeSafetensors({ w: { shape: [2], data: Float32Array.of(1, 2) } } as never),
    `FILE is a safetensors file${TRAINED}`,
    'FILE holds tensors, but no model that gradus saved; in code, decodeSafetensors reads them',
  ],
  'cut.safetensors': [() => model().subarray(0, 900), `FILE is a safetensors file${TRAINED}`, 'FILE: truncated: the header should have'],
  'model.csv': [model, `FILE is a safetensors file${TRAINED}`, null],
  'packed.safetensors.gz': [() => gzipSync(model()), `FILE is a safetensors file${TRAINED}`, 'FILE is a gzip file; unpack it first'],
  'table.safetensors': [iris, null, `FILE is text, as tables are${WRITES}`],
  'packed.csv.gz': [() => gzipSync(iris()), null, 'FILE is a gzip file; unpack it first'],
  'damaged.csv.gz': [
    () => gzipSync(iris()).subarray(0, 200),
    'FILE: packed data (gzip) are damaged, or end too early',
    'FILE is a gzip file; unpack it first',
  ],
  'table.parquet': [
    iris,
    'FILE: cannot be read as Parquet: it is text, as CSV is; name it so that it ends in .csv',
    `FILE is text, as tables are${WRITES}`,
  ],
  'broken.parquet': [() => 'PAR1 and no more', 'FILE: cannot be read as Parquet: parquet file invalid', `FILE is a Parquet file${WRITES}`],
  'broken.arrow': [
    () => 'ARROW1 and no more',
    'FILE: cannot be read as Arrow: it is damaged, or ends too early',
    `FILE is an Arrow or Feather file${WRITES}`,
  ],
  'page.html': [
    () => '<!doctype html>\n<p>x',
    'FILE is an HTML page; download the file itself, instead of the page that shows it',
    `FILE is an HTML page${WRITES}`,
  ],
  'picture.png': [
    () => latin('\x89PNG\r\n\x1a\n'),
    'FILE is a PNG picture; gradus/images learns pictures, and gradus train FOLDER',
    `FILE is a PNG picture${WRITES}`,
  ],
  'number.json': [
    () => '7',
    'FILE: wants rows as an array of objects, or an object a line (JSON lines)',
    `FILE is text, as tables are${WRITES}`,
  ],
  'utf16.csv': [
    () => Buffer.from('a,b\n1,2\n3,4\n5,6\n', 'utf16le'),
    'FILE is text in UTF-16 without a byte order mark; say --encoding utf-16le',
    `FILE is text in UTF-16 without a byte order mark${WRITES}`,
  ],
  'vectors.npy': [
    () => latin('\x93NUMPY\x01\x00'),
    'FILE is an array of NumPy; parseNpy of gradus/data reads it, and numpy.savetxt writes it as CSV',
    `FILE is an array of NumPy${WRITES}`,
  ],
}
/** Paths that are not readable files. */
const PLACES: Record<string, string> = {
  folder: 'FILE is a folder, not a file',
  'missing.csv': 'there is no file FILE',
  'iriss.csv': 'there is no file FILE; did you mean iris.csv?',
}

const TABLE_DOORS: Record<string, (file: string) => string[]> = {
  train: (file) => ['train', file, '--target', 'species'],
  'train --test': (file) => ['train', 'iris.csv', '--target', 'species', '--test', file],
  predict: (file) => ['predict', 'iris.safetensors', file],
  evaluate: (file) => ['evaluate', 'iris.safetensors', file],
  explain: (file) => ['explain', 'iris.safetensors', file],
  race: (file) => ['race', file, '--target', 'species'],
  'lr-find': (file) => ['lr-find', file, '--target', 'species'],
  xray: (file) => ['xray', file, '--target', 'species'],
  tune: (file) => ['tune', file, '--target', 'species'],
}
const MODEL_DOORS: Record<string, (file: string) => string[]> = {
  predict: (file) => ['predict', file, 'iris.csv'],
  evaluate: (file) => ['evaluate', file, 'iris.csv'],
  explain: (file) => ['explain', file, 'iris.csv'],
  export: (file) => ['export', file, '--to', 'js', '--out', 'x.mjs'],
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'gradus-kinds-'))
  copyFileSync('docs/guide/iris.csv', path.join(folder, 'iris.csv'))
  await gradus(['train', 'iris.csv', '--target', 'species', '--hidden', '4', '--epochs', '2', '--quiet'], { cwd: folder })
  writeFileSync(path.join(folder, 'plain.safetensors'), encodeModel(net()))
  for (const [name, [content]] of Object.entries(KINDS)) writeFileSync(path.join(folder, name), content())
  mkdirSync(path.join(folder, 'folder'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The command ends with one line on stderr, which begins so. */
async function expectSaid(args: string[], said: string, file: string): Promise<void> {
  const { code, stdout, stderr } = await gradus(args, { cwd: folder })
  const about = args.join(' ')
  expect([code, stdout], about).toEqual([1, ''])
  expect(stderr, about).toMatch(/^error: [^\n]+\n$/)
  expect(stderr.replace('--test ', '').replace(`${file}: ${file}`, file), about).toContain(`error: ${said.replaceAll('FILE', file)}`)
}

test.each(Object.entries(KINDS))('fault 19: %s where a table is wanted, and where a model is', async (file, [, asTable, asModel]) => {
  for (const args of Object.values(TABLE_DOORS)) if (asTable !== null) await expectSaid(args(file), asTable, file)
  for (const args of Object.values(MODEL_DOORS)) if (asModel !== null) await expectSaid(args(file), asModel, file)
  // inspect takes tables and models; for another file it gives the message of the kind that the file resembles
  const { code, stderr } = await gradus(['inspect', file], { cwd: folder })
  const isGood = file === 'model.csv' || file === 'packed.csv.gz'
  expect(code, stderr).toBe(isGood ? 0 : 1)
  const said = [asTable, asModel].flatMap((text) => text?.replaceAll('FILE', file) ?? [])
  if (!isGood)
    expect(
      said.some((text) => stderr.startsWith(`error: ${text}`)),
      stderr,
    ).toBe(true)
})

test.each(Object.entries(PLACES))('%s', async (file, said) => {
  // a folder may have pictures
  for (const args of [...Object.values(TABLE_DOORS), ...Object.values(MODEL_DOORS), (name: string) => ['inspect', name]])
    await expectSaid(
      args(file),
      file === 'folder' && args === TABLE_DOORS.train ? '--target is not for a folder of pictures, which FILE is' : said,
      file,
    )
})

test('a model of no table, where one is wanted, and stdin as a model', async () => {
  const file = 'plain.safetensors'
  const said = 'FILE holds a model, but none of a table, as gradus train makes; gradus inspect FILE and gradus export FILE take it'
  for (const door of ['predict', 'evaluate']) await expectSaid([door, file, 'iris.csv'], said, file)
  for (const args of [
    ['inspect', file],
    ['export', file, '--to', 'onnx'],
  ])
    expect((await gradus(args, { cwd: folder })).code).toBe(0)
  await expectSaid(['predict', '-', 'iris.csv'], 'stdin is no model: a model is read from a file', '-')
  await expectSaid(
    ['predict', 'iris.csv', 'iris.safetensors'],
    'iris.csv is no model file; are model and table swapped? gradus predict iris.safetensors iris.csv',
    'iris.csv',
  )
})

test('a model at an address is read from there', async () => {
  const address = pathToFileURL(path.join(folder, 'iris.safetensors')).href
  for (const args of [
    ['predict', address, 'iris.csv'],
    ['inspect', address],
    ['export', address, '--to', 'onnx', '--out', 'x.onnx'],
  ])
    expect(await gradus(args, { cwd: folder }), args.join(' ')).toMatchObject({ code: 0, stderr: '' })
  const { stderr } = await gradus(['predict', `${address}x`, 'iris.csv'], { cwd: folder })
  expect(stderr).toMatch(/^error: there is no file file:.*iris\.safetensorsx\n$/)
})
