/** Kinds of files by their first bytes, so that an error can name the kind of a file that is not a table or a model. */

/** A kind of file. */
export interface FileKind {
  /** Name with its article: `an Excel workbook`. */
  name: string
  /** A table that is read by another reader, a model, or something else. */
  is: 'table' | 'model' | 'other'
  /** Advice if a table was expected. */
  asTable: string
  /** Advice if a model was expected. Default: none. */
  asModel?: string
  /** The format of `readTable` that reads it. */
  format?: string
}

const AS_CSV = 'save its sheet as CSV'
const UNPACK = 'unpack it first'
const SEE_MODEL =
  "a model, not a table; 'gradus predict MODEL TABLE' and 'gradus inspect MODEL' take it, and loadModel or loadTableModel read it"

const KINDS = {
  xlsx: { name: 'an Excel workbook', is: 'other', asTable: AS_CSV },
  ods: { name: 'an OpenDocument spreadsheet', is: 'other', asTable: AS_CSV },
  xls: { name: 'an old Excel workbook or another Office file', is: 'other', asTable: AS_CSV },
  zip: { name: 'a zip archive', is: 'other', asTable: UNPACK },
  npz: {
    name: 'an archive of NumPy arrays',
    is: 'other',
    asTable: 'parseNpz of gradus/data reads it, and numpy.savetxt writes one of its arrays as CSV',
  },
  npy: { name: 'an array of NumPy', is: 'other', asTable: 'parseNpy of gradus/data reads it, and numpy.savetxt writes it as CSV' },
  gzip: { name: 'a gzip file', is: 'other', asTable: UNPACK, asModel: UNPACK },
  zstd: { name: 'a Zstandard file', is: 'other', asTable: UNPACK },
  bzip2: { name: 'a bzip2 file', is: 'other', asTable: UNPACK },
  xz: { name: 'an xz file', is: 'other', asTable: UNPACK },
  sevenZip: { name: 'a 7z archive', is: 'other', asTable: UNPACK },
  safetensors: { name: 'a safetensors file', is: 'model', asTable: SEE_MODEL },
  onnx: {
    name: 'an ONNX file',
    is: 'model',
    asTable: 'a model, not a table',
    asModel: 'fromOnnx of gradus reads it, and saveModel makes a model file of that',
  },
  torch: {
    name: 'a PyTorch file',
    is: 'model',
    asTable: 'a model, not a table',
    asModel: 'save its state_dict with safetensors.torch.save_file, which fromPyTorch takes',
  },
  keras: { name: 'a Keras file', is: 'model', asTable: 'a model, not a table', asModel: 'fromKeras of gradus takes its weights' },
  hdf5: { name: 'an HDF5 file', is: 'other', asTable: 'write its table as CSV or Parquet' },
  parquet: {
    name: 'a Parquet file',
    is: 'table',
    asTable: "name it so that it ends in .parquet (in code, format: 'parquet')",
    format: 'parquet',
  },
  arrow: {
    name: 'an Arrow or Feather file',
    is: 'table',
    asTable: "name it so that it ends in .arrow (in code, format: 'arrow')",
    format: 'arrow',
  },
  json: { name: 'JSON', is: 'table', asTable: "name it so that it ends in .json (in code, format: 'json')", format: 'json' },
  jsonl: { name: 'JSON lines', is: 'table', asTable: "name it so that it ends in .jsonl (in code, format: 'jsonl')", format: 'jsonl' },
  sqlite: { name: 'an SQLite database', is: 'other', asTable: 'write its table as CSV: sqlite3 -header -csv FILE "select * from NAME"' },
  pickle: { name: 'a Python pickle', is: 'other', asTable: 'write its table as CSV or Parquet' },
  pdf: { name: 'a PDF', is: 'other', asTable: 'copy its table into a spreadsheet, and save that as CSV' },
  png: { name: 'a PNG picture', is: 'other', asTable: 'gradus/images learns pictures, and gradus train FOLDER' },
  jpeg: { name: 'a JPEG picture', is: 'other', asTable: 'gradus/images learns pictures, and gradus train FOLDER' },
  gif: { name: 'a GIF picture', is: 'other', asTable: 'gradus/images learns pictures, and gradus train FOLDER' },
  html: {
    name: 'an HTML page',
    is: 'other',
    asTable: 'download the file itself, instead of the page that shows it',
  },
  xml: { name: 'XML', is: 'other', asTable: 'write its table as CSV' },
  utf16: { name: 'text in UTF-16 without a byte order mark', is: 'other', asTable: "say encoding: 'utf-16le'" },
} as const satisfies Record<string, FileKind>

/** A test of the first bytes; `text` has them as Latin-1. */
type Test = (text: string, bytes: Uint8Array) => boolean

const begins =
  (...starts: readonly string[]): Test =>
  (text) =>
    starts.some((start) => text.startsWith(start))
const matches =
  (pattern: RegExp): Test =>
  (text) =>
    pattern.test(text)
/** The length of a header in eight bytes, below 2³², and the header. */
const isSafetensors: Test = (_, bytes) => bytes[8] === 0x7b && bytes.subarray(4, 8).every((byte) => byte === 0)
/** `ir_version`, and then the name of the producer, the graph or the operator set. */
const isOnnx: Test = (_, [a, version, field]) =>
  a === 8 && version > 0 && version < 33 && [0x12, 0x1a, 0x22, 0x32, 0x3a, 0x42].includes(field)
const isPickle: Test = (_, [a, version, code]) =>
  a === 0x80 && version >= 2 && version <= 5 && '\x95cX}])(q'.includes(String.fromCharCode(code))
/** Letters of ASCII, each with a byte 0 behind it. */
const isUtf16: Test = (_, bytes) =>
  bytes.length >= 16 && bytes.subarray(0, 16).every((byte, i) => (i % 2 === 0 ? byte > 8 && byte < 127 : byte === 0))

/** First bytes of files of each kind. The first match counts. */
const STARTS: readonly (readonly [Test, keyof typeof KINDS])[] = [
  [begins('PK\x03\x04'), 'zip'],
  [begins('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'), 'xls'],
  [begins('\x93NUMPY'), 'npy'],
  [begins('\x1f\x8b'), 'gzip'],
  [begins('\x28\xb5\x2f\xfd'), 'zstd'],
  [matches(/^BZh[1-9]1AY&SY/), 'bzip2'],
  [begins('\xfd7zXZ\0'), 'xz'],
  [begins('7z\xbc\xaf\x27\x1c'), 'sevenZip'],
  [begins('PAR1'), 'parquet'],
  [begins('ARROW1', 'FEA1', '\xff\xff\xff\xff'), 'arrow'],
  [begins('\x89HDF\r\n\x1a\n'), 'hdf5'],
  [begins('SQLite format 3\0'), 'sqlite'],
  [begins('%PDF-'), 'pdf'],
  [begins('\x89PNG\r\n\x1a\n'), 'png'],
  [begins('\xff\xd8\xff'), 'jpeg'],
  [begins('GIF87a', 'GIF89a'), 'gif'],
  [isSafetensors, 'safetensors'],
  [isOnnx, 'onnx'],
  [isPickle, 'pickle'],
  [matches(/^(\xef\xbb\xbf)?\s*<(!doctype html|html|head|body)\b/i), 'html'],
  [matches(/^(\xef\xbb\xbf)?\s*<\?xml\b/), 'xml'],
  [matches(/^(\xef\xbb\xbf)?\s*\[\s*(\{\s*"|\])/), 'json'],
  [matches(/^(\xef\xbb\xbf)?\s*\{\s*"(?:[^"\\\n]|\\.)*"\s*:/), 'jsonl'],
  [isUtf16, 'utf16'],
]

/** Names of the first entry of a zip archive, and the kinds that they say. */
const ENTRIES: readonly (readonly [RegExp, keyof typeof KINDS])[] = [
  [/^(\[Content_Types\]\.xml|_rels\/|xl\/|docProps\/)/, 'xlsx'],
  [/^mimetypeapplication\/vnd\.oasis\.opendocument\.spreadsheet/, 'ods'],
  [/^[^/]+\/(data\.pkl|\.format_version|byteorder|\.storage_alignment)/, 'torch'],
  [/^(metadata|config)\.json/, 'keras'],
  [/^[\w .-]+\.npy/, 'npz'],
]

/** Number of bytes to read for recognition. */
const START = 512

/** @internal The kind of file that begins with these bytes; undefined for text such as CSV, and for unknown kinds. */
export function kindOf(bytes: Uint8Array): FileKind | undefined {
  const start = Array.from(bytes.subarray(0, START), (byte) => String.fromCharCode(byte)).join('')
  const kind = STARTS.find(([isSo]) => isSo(start, bytes))?.[1]
  if (kind !== 'zip') return kind && KINDS[kind]
  // the name of the first entry follows a header of 30 bytes
  const entry = start.slice(30)
  return KINDS[ENTRIES.find(([pattern]) => pattern.test(entry))?.[1] ?? 'zip']
}

/** @internal The kind of model files of gradus, and of other programs that write safetensors. */
export const SAFETENSORS: FileKind = KINDS.safetensors

/** @internal True if bytes may be text: none of them is a control character that no text has. */
export function isText(bytes: Uint8Array): boolean {
  return bytes.subarray(0, START).every((byte) => byte > 31 || [9, 10, 12, 13, 26, 27].includes(byte))
}

/**
 * @internal Description of a file that was given instead of a model: `an ONNX file; fromOnnx …`, `text, as tables are`. Undefined if it is not known.
 */
export function asNoModel(bytes: Uint8Array): string | undefined {
  const kind = kindOf(bytes)
  if (kind !== undefined) return kind.asModel === undefined ? kind.name : `${kind.name}; ${kind.asModel}`
  return bytes.length > 0 && isText(bytes) ? 'text, as tables are' : undefined
}
