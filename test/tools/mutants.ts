/**
 * Mutation testing: `make mutants` changes one place of the source at a time in a copy of this folder, such as + to −, and runs the tests of its
 * folder, one of which should fail. The places are drawn by a seed (MUTANTS=300 SEED=1); ONLY=optim,loss is for these folders. Survivors are listed:
 * each needs a test or, if the change makes no difference, a line with the reason in test/tools/equivalent-mutants.json.
 *
 * Classes that nothing imports, such as most optimizers, are changed many at once: a failing test has the name of the class in its own name. Classes
 * that no failing test names are tried again alone.
 */
import { execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/** The tests of each folder, the likeliest to fail first. */
const FOLDERS: Record<string, readonly string[]> = {
  'ts/ops': ['test/ops'],
  'ts/optim': ['test/optim'],
  'ts/loss': ['test/loss', 'test/ops'],
  // what reads files is also tested by files that are damaged
  'ts/data': ['test/data', 'test/reliability/hostile-files.test.ts', 'test/reliability/idx.test.ts', 'test/stream/fit-stream.test.ts'],
  'ts/train': ['test/train'],
  'ts/table': ['test/table'],
  'ts/series': ['test/series'],
  'ts/head': ['test/head'],
}
/** Indices of exports, and what tests in Rust write. */
const LEFT_OUT = /\/index\.ts$|\/numbers\.ts$/
const TREE = '.cache/mutants/tree'
/** Tests that do not end are stopped after so many times the time that they take without a mutant, and their mutant is killed. */
const [PATIENCE, LEAST_SECONDS] = [10, 60]
const limits = new Map<readonly string[], number>()

export interface Mutant {
  file: string
  line: number
  from: number
  to: number
  /** The text there, and what takes its place. */
  was: string
  becomes: string
}

const BINARY: Record<string, string> = {
  ...{ '+': '-', '-': '+', '*': '/', '/': '*', '%': '*', '**': '*' },
  ...{ '<': '<=', '<=': '<', '>': '>=', '>=': '>', '===': '!==', '!==': '===' },
  ...{ '&&': '||', '||': '&&', '&': '|', '|': '&', '>>>': '<<', '<<': '>>>' },
  ...{ '+=': '-=', '-=': '+=', '*=': '/=', '/=': '*=' },
}

/** All mutants of a file: other operators, negated conditions, numbers increased by one, calls with side effects left out. */
export function mutantsOf(file: string, text: string): Mutant[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const found: Mutant[] = []
  const add = (node: ts.Node, becomes: string) => {
    const [from, to] = [node.getStart(), node.getEnd()]
    const { line } = source.getLineAndCharacterOfPosition(from)
    found.push({ file, line: line + 1, from, to, was: text.slice(from, to), becomes })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isInterfaceDeclaration(node) || ts.isThrowStatement(node)) return
    if (ts.isBinaryExpression(node)) {
      const other = BINARY[node.operatorToken.getText()]
      if (other !== undefined) add(node.operatorToken, other)
    } else if (ts.isNumericLiteral(node)) add(node, node.text === '0' ? '1' : node.text === '1' ? '0' : `(${node.getText()} + 1)`)
    else if (node.kind === ts.SyntaxKind.TrueKeyword) add(node, 'false')
    else if (node.kind === ts.SyntaxKind.FalseKeyword) add(node, 'true')
    else if (ts.isIfStatement(node)) add(node.expression, `!(${node.expression.getText()})`)
    else if (ts.isConditionalExpression(node)) add(node.condition, `!(${node.condition.getText()})`)
    else if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.MinusToken) add(node, node.operand.getText())
    else if (ts.isExpressionStatement(node) && ts.isCallExpression(node.expression)) add(node, 'void 0')
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** Numbers in [0, 1) from a seed. */
function generator(seed: number): () => number {
  let state = (seed * 48_271 + 11) % 2_147_483_647
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647
}

/** A sample without order. */
function drawn<T>(all: readonly T[], count: number, seed: number): T[] {
  const [rest, random] = [[...all], generator(seed)]
  return Array.from({ length: Math.min(count, rest.length) }, () => rest.splice(Math.floor(random() * rest.length), 1)[0])
}

/** Mutants that provably make no difference, each with the reason. */
const EQUIVALENT: Record<string, string> = JSON.parse(readFileSync('test/tools/equivalent-mutants.json', 'utf8'))
/** A name for a mutant that does not depend on the lines before it. */
const nameOf = ({ file, from, to, becomes }: Mutant, text: string): string => {
  const [start, end] = [text.lastIndexOf('\n', from) + 1, text.indexOf('\n', to)]
  return `${file}: ${text.slice(start, from).trimStart()}⟦${text.slice(from, to)} → ${becomes}⟧${text.slice(to, end)}`
}

/** Copies tracked and new files, with the build results. */
function copyTree(): void {
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' }).trim().split('\n')
  mkdirSync(TREE, { recursive: true })
  for (const file of [...files, 'ts/backend/wasm/generated']) if (existsSync(file)) cpSync(file, path.join(TREE, file), { recursive: true })
  if (!existsSync(path.join(TREE, 'node_modules'))) symlinkSync(path.resolve('node_modules'), path.join(TREE, 'node_modules'))
}

/** True if the tests fail, or do not end. @param file that has changed, whose tests run first */
function isKilled(tests: readonly string[], file = '', more = ['--bail=1', '--reporter=dot']): Promise<boolean> {
  const config = ['--root', '.', '--config', 'test/tools/nearest-first.ts']
  const args = ['node_modules/vitest/vitest.mjs', 'run', ...tests, ...config, ...more, '--maxWorkers=1', '--no-isolate']
  // as in the suite, so that a kernel that writes too far is noticed
  const env = { ...process.env, GRADUS_CANARIES: '1', CHANGED: file }
  const run = spawn(process.execPath, args, { cwd: TREE, stdio: 'ignore', detached: true, env })
  const limit = limits.get(tests)
  const end = limit && setTimeout(() => run.pid && process.kill(-run.pid, 'SIGKILL'), 1000 * limit)
  return new Promise((resolve) =>
    run.on('exit', (code) => {
      clearTimeout(end || undefined)
      resolve(code !== 0)
    }),
  )
}

/** The longest of these names that is in the name of a test: `ScheduleFreeSGD` in `schedulefree_sgd on rosen`. */
function namedIn(test: string, names: readonly string[]): string | undefined {
  const words = test.toLowerCase().split(/[^a-z0-9]+/)
  const isIn = (name: string) =>
    words.some((_, i) => words.slice(i).some((_, j) => words.slice(i, i + j + 1).join('') === name.toLowerCase()))
  return names.filter(isIn).sort((a, b) => b.length - a.length)[0]
}

/** The names of the mutants that tests notice. All mutants are in place at once, each in a file of its own that nothing imports. */
async function killedOf(mutants: readonly (Mutant & { name: string })[], texts: ReadonlyMap<string, string>, tests: readonly string[]) {
  for (const mutant of mutants) put(mutant, texts)
  const out = path.resolve('.cache/mutants/report.json')
  rmSync(out, { force: true })
  await isKilled(tests, '', ['--reporter=json', `--outputFile=${out}`])
  for (const { file } of mutants) writeFileSync(path.join(TREE, file), texts.get(file) as string)
  // if a file cannot even be loaded, nothing is known about any mutant
  if (!existsSync(out)) return new Set<string>()
  const { testResults } = JSON.parse(readFileSync(out, 'utf8')) as {
    testResults: { assertionResults: { fullName: string; status: string }[] }[]
  }
  const failed = testResults.flatMap(({ assertionResults }) => assertionResults.filter(({ status }) => status === 'failed'))
  const names = mutants.map(({ name }) => name)
  return new Set(failed.map(({ fullName }) => namedIn(fullName, names)))
}

function put({ file, from, to, becomes }: Mutant, texts: ReadonlyMap<string, string>): void {
  const text = texts.get(file) as string
  writeFileSync(path.join(TREE, file), text.slice(0, from) + becomes + text.slice(to))
}

async function main(): Promise<void> {
  const { MUTANTS = '300', SEED = '1', ONLY = '' } = process.env
  copyTree()
  const folders = Object.keys(FOLDERS).filter((folder) => ONLY.split(',').some((name) => folder.includes(name)))
  const files = execFileSync('git', ['ls-files', ...folders], { encoding: 'utf8' })
    .trim()
    .split('\n')
  const texts = new Map(files.filter((file) => !LEFT_OUT.test(file)).map((file) => [file, readFileSync(file, 'utf8')]))
  const all = [...texts].flatMap(([file, text]) => mutantsOf(file, text))
  const names = new Set(all.map((mutant) => nameOf(mutant, texts.get(mutant.file) as string)))
  const stale = Object.keys(EQUIVALENT).filter((name) => !names.has(name) && folders.some((folder) => name.startsWith(folder)))
  if (stale.length > 0) throw new Error(`no places of the sources any more, in equivalent-mutants.json:\n${stale.join('\n')}`)
  const sample = drawn(all, Number(MUTANTS), Number(SEED))
  const folderOf = (file: string) => folders.find((folder) => file.startsWith(folder)) as string
  for (const folder of folders) {
    const began = performance.now()
    if (await isKilled(FOLDERS[folder])) throw new Error(`the tests of ${folder} fail before anything has changed`)
    limits.set(FOLDERS[folder], Math.max(LEAST_SECONDS, (PATIENCE * (performance.now() - began)) / 1000))
  }
  console.log(`${sample.length} of ${all.length} mutants`)
  const tally: Record<string, { killed: number; of: number; equivalent: number }> = {}
  const count = (mutant: Mutant, killed: boolean) => {
    const of = (tally[folderOf(mutant.file)] ??= { killed: 0, of: 0, equivalent: 0 })
    of.of++
    if (killed) of.killed++
    else console.log(`survives: ${mutant.file}:${mutant.line}: ${nameOf(mutant, texts.get(mutant.file) as string)}`)
    if (++done % 10 === 0) console.log(done, JSON.stringify(tally))
  }
  let done = 0
  const rest: Mutant[] = []
  let batches: (Mutant & { name: string })[][] = []
  const isImported = (file: string) => {
    const from = new RegExp(`from '[./a-z-]*/${path.basename(file, '.ts')}\\.js'`)
    return [...texts].some(([other, text]) => other !== file && !other.endsWith('/optimizers.ts') && from.test(text))
  }
  for (const mutant of sample) {
    const text = texts.get(mutant.file) as string
    if (EQUIVALENT[nameOf(mutant, text)] !== undefined) {
      const of = (tally[folderOf(mutant.file)] ??= { killed: 0, of: 0, equivalent: 0 })
      of.equivalent++
      continue
    }
    const [, name] = /export class (\w+)/.exec(text) ?? []
    if (name === undefined || folderOf(mutant.file) !== 'ts/optim' || isImported(mutant.file)) rest.push(mutant)
    else {
      const batch = batches.find((others) => others.every(({ file }) => file !== mutant.file))
      if (batch === undefined) batches = [...batches, [{ ...mutant, name }]]
      else batch.push({ ...mutant, name })
    }
  }
  console.log(`${batches.length} batches, ${rest.length} alone`)
  for (const batch of batches) {
    const killed = await killedOf(batch, texts, FOLDERS['ts/optim'])
    for (const mutant of batch) {
      if (killed.has(mutant.name)) count(mutant, true)
      else rest.push(mutant)
    }
  }
  for (const mutant of rest) {
    put(mutant, texts)
    const killed = await isKilled(FOLDERS[folderOf(mutant.file)], mutant.file)
    writeFileSync(path.join(TREE, mutant.file), texts.get(mutant.file) as string)
    count(mutant, killed)
  }
  for (const [folder, { killed, of, equivalent }] of Object.entries(tally))
    console.log(`${folder}: ${killed} of ${of} (${((100 * killed) / of).toFixed(1)} %), ${equivalent} without effect`)
  const sum = (key: 'killed' | 'of') => Object.values(tally).reduce((total, one) => total + one[key], 0)
  const fraction = sum('killed') / sum('of')
  console.log(`killed ${sum('killed')} of ${sum('of')} mutants, ${(100 * fraction).toFixed(1)} %`)
  if (fraction < 0.9) process.exitCode = 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
