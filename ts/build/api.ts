/**
 * Writes docs/api.md: the signature of everything public, by the sections of ts/index.ts. It shows every change of the public surface as
 * a change of a file.
 * `make api` runs this program.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { writeDeclarations } from './declarations.js'
import { ENTRIES } from './entries.js'

export const FILE = 'docs/api.md'
/** Headings of entries besides the main one. */
const HEADINGS: Readonly<Record<string, string>> = {
  'ts/curvature/index.ts': 'Curvature: `gradus/curvature`',
  'ts/debug/index.ts': 'Checks of kernels: `gradus/debug`',
  'ts/export/index.ts': 'Other frameworks: `gradus/export`',
  'ts/conv/index.ts': 'Convolution: `gradus/conv`',
  'ts/metrics/index.ts': 'Metrics: `gradus/metrics`',
  'ts/notebook/index.ts': 'Displays of notebooks: `gradus/notebook`',
  'ts/optim/index.ts': 'All optimizers: `gradus/optim`',
  'ts/plot/index.ts': 'Pictures: `gradus/plot`',
  'ts/attention/index.ts': 'Attention: `gradus/attention`',
  'ts/recurrent/index.ts': 'Recurrent layers: `gradus/recurrent`',
  'ts/solve/index.ts': 'Solvers: `gradus/solve`',
  'ts/text/index.ts': 'Texts: `gradus/text`',
  'ts/data/index.ts': 'Data: `gradus/data`',
  'ts/head/index.ts': 'Classes on vectors: `gradus/head`',
  'ts/images/index.ts': 'Pictures in one call: `gradus/images`',
  'ts/series/index.ts': 'Forecasts: `gradus/series`',
  'ts/stream/index.ts': 'Streams of rows: `gradus/stream`',
  'ts/table/index.ts': 'Tables: `gradus/table`',
  'ts/tune/index.ts': 'Tuning: `gradus/tune`',
  'ts/xray/index.ts': 'X-ray of a training: `gradus/xray`',
}

const INTRODUCTION = `# API

Everything that the entries of gradus export, with its signature. Editors show the whole documentation of each name, with
examples; \`make docs\` in the repository builds a site from it. \`make api\` writes this file.
`

interface Entry {
  name: string
  symbol: ts.Symbol
  /** Line of its export in the index. */
  position: number
}

/** The text of docs/api.md. */
export function apiReport(): string {
  const files = Object.values(ENTRIES)
  const { program, declarations } = declare(files)
  const checker = program.getTypeChecker()
  const sections = Object.entries(ENTRIES).flatMap(([from, file]) => {
    const source = program.getSourceFile(file) as ts.SourceFile
    const entries = entriesOf(checker, checker.getSymbolAtLocation(source) as ts.Symbol)
    return sectionsOf(source, HEADINGS[file] ?? '', entries).map((section) => ({ ...section, from }))
  })
  const seen = new Map<ts.Symbol, string>()
  const written = sections.map(({ title, entries, from }) => {
    const texts = entries.map((entry) => {
      const before = seen.get(entry.symbol)
      if (before !== undefined) return `### ${entry.name}\n\nAs in \`${before}\`, above.\n`
      seen.set(entry.symbol, from)
      return textOf(checker, entry, declarations)
    })
    return `## ${title}\n\n${texts.join('\n')}`
  })
  return [INTRODUCTION, contentsOf(sections), ...written].join('\n')
}

/** A line for each section, with links to it and to its names except types. */
function contentsOf(sections: readonly { title: string; entries: readonly Entry[] }[]): string {
  const seen = new Map<string, number>()
  // GitHub adds numbers to repeated headings, from the second on
  const link = (heading: string) => {
    const anchor = heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-')
    const before = seen.get(anchor) ?? 0
    seen.set(anchor, before + 1)
    return `[${heading}](#${anchor}${before === 0 ? '' : `-${before}`})`
  }
  const lines = sections.map(({ title, entries }) => {
    const heading = link(title)
    const names = entries.map(({ name, symbol }) => ({ text: link(name), isValue: (symbol.flags & ts.SymbolFlags.Value) !== 0 }))
    const values = names.flatMap(({ text, isValue }) => (isValue ? [text] : []))
    return values.length === 0 ? `- **${heading}**` : `- **${heading}**: ${values.join(', ')}`
  })
  return `${lines.join('\n')}\n`
}

/** The program, and the declarations that the fast compiler makes from its files: without bodies and internal members. */
function declare(files: string[]) {
  const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, '.')
  const emitted = new Map<string, ts.SourceFile>()
  const folder = mkdtempSync(path.join(tmpdir(), 'gradus-api-'))
  try {
    writeDeclarations(folder, files, { noCheck: true, noEmitOnError: false, stripInternal: true })
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.d.ts')) continue
      const source = `ts/${nameOf(path.resolve(file)).replace(/\.d\.ts$/, '.ts')}`
      emitted.set(source, ts.createSourceFile(source, readFileSync(path.join(folder, file), 'utf8'), ts.ScriptTarget.ES2022, true))
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
  return { program: ts.createProgram(files, options), declarations: emitted }
}

function nameOf(file: string): string {
  return path.relative('.', file).split(path.sep).join('/')
}

/** Exports of a module. Exports of a namespace have its name as a prefix, `schedules.cosine`. */
function entriesOf(checker: ts.TypeChecker, module: ts.Symbol, prefix = '', at?: number): Entry[] {
  return checker.getExportsOfModule(module).flatMap((exported) => {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
    const position = at ?? exported.declarations?.[0].getStart() ?? 0
    const name = prefix + exported.name
    if (symbol.getJsDocTags(checker).some((tag) => tag.name === 'internal')) return []
    if (symbol.flags & ts.SymbolFlags.ValueModule) return entriesOf(checker, symbol, `${name}.`, position)
    return [{ name, symbol, position }]
  })
}

/** Entries under the comments that stand alone in the index, `// Layers and models`, in the order of the index. */
function sectionsOf(source: ts.SourceFile, title: string, entries: Entry[]) {
  const sections = [...source.text.matchAll(/^\/\/ (.+)$/gm)].map((match) => ({
    title: match[1],
    position: match.index,
    entries: [] as Entry[],
  }))
  if (title !== '') sections.unshift({ title, position: 0, entries: [] })
  for (const entry of entries.sort((a, b) => a.position - b.position)) {
    const section = sections.filter(({ position }) => position <= entry.position).at(-1)
    if (!section) throw new Error(`${source.fileName}: ${entry.name} stands above the first section`)
    section.entries.push(entry)
  }
  return sections.filter((section) => section.entries.length > 0)
}

/** A heading, the first sentence of the documentation, and the declaration. */
function textOf(checker: ts.TypeChecker, { name, symbol }: Entry, declarations: Map<string, ts.SourceFile>): string {
  const documentation = ts.displayPartsToString(symbol.getDocumentationComment(checker))
  const sentence = firstSentence(documentation)
  const code = [...new Set(symbol.declarations)].flatMap((declaration) => {
    return declarationsOf(declarations.get(nameOf(declaration.getSourceFile().fileName)), symbol.name)
  })
  const unique = [...new Set(code)]
  if (unique.length === 0) throw new Error(`${name}: found no declaration`)
  return `### ${name}\n\n${sentence}\n\n\`\`\`ts\n${unique.join('\n')}\n\`\`\`\n`
}

/** The text up to a full stop or a colon outside parentheses; a list in full. */
function firstSentence(documentation: string): string {
  const text = withoutLinks(documentation).trim()
  if (/^(- |`)/.test(text)) return text
  const isClosed = (start: string) => start.split('(').length === start.split(')').length
  const end = [...text.matchAll(/[.:](?=\s|$)/g)].map(({ index }) => index).find((index) => isClosed(text.slice(0, index)))
  return `${text.slice(0, end).replace(/\s+/g, ' ')}${end === undefined ? '' : '.'}`
}

/** `{@link Adam}` as a name in code quotes. */
function withoutLinks(text: string): string {
  return text.replace(/\{@link\s+([^\s}]+)\s*\}/g, '`$1`')
}

/** Options keep their comments, which give the defaults. */
const printers = { plain: ts.createPrinter({ removeComments: true }), commented: ts.createPrinter() }

/** Statements of a file that declare a name, printed without comments and private members. */
function declarationsOf(source: ts.SourceFile | undefined, name: string): string[] {
  if (source === undefined) return []
  return source.statements
    .filter((statement) => namesOf(statement).includes(name))
    .map((statement) => print(withoutPrivate(statement), source))
}

function namesOf(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations.map((declaration) => declaration.name.getText())
  const { name } = statement as { name?: ts.Identifier }
  return name ? [name.text] : []
}

function withoutPrivate(statement: ts.Statement): ts.Statement {
  if (!ts.isClassDeclaration(statement)) return statement
  const isPrivate = (member: ts.ClassElement) =>
    (ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Private) !== 0 ||
    (member.name !== undefined && ts.isPrivateIdentifier(member.name))
  const { modifiers, name, typeParameters, heritageClauses, members } = statement
  const kept = members.filter((member) => !isPrivate(member))
  return ts.factory.updateClassDeclaration(statement, modifiers, name, typeParameters, heritageClauses, kept)
}

function print(node: ts.Node, source: ts.SourceFile): string {
  const printer = ts.isInterfaceDeclaration(node) ? printers.commented : printers.plain
  return withoutLinks(printer.printNode(ts.EmitHint.Unspecified, node, source))
    .replace(/^(?:\/\*\*[\s\S]*?\*\/\n)+/, '')
    .replace(/^export (declare )?/, '')
    .replace(/import\("[^"]*"\)\./g, '')
    .replace(/\[\n\s*\]/g, '[]')
}

function write(file: string, text: string): void {
  const isNew = !existsSync(file) || readFileSync(file, 'utf8') !== text
  if (isNew) writeFileSync(file, text)
  console.log(`${file}: ${isNew ? 'written' : 'as it was'}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) write(FILE, apiReport())
