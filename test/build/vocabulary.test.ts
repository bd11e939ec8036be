/** One word for one thing: options of exported interfaces use the words of the table in CONTRIBUTING.md, and no retired word. */
import { readdirSync, readFileSync } from 'node:fs'
import ts from 'typescript'
import { expect, test } from 'vitest'

/** The rows of the table: the current word, and the words that it replaced. */
const TABLE = /\n### Words of options\n[\s\S]*?\n\|[- |]+\|\n((?:\|.*\n)+)/.exec(readFileSync('CONTRIBUTING.md', 'utf8'))?.[1] ?? ''
const RETIRED = new Map(
  TABLE.trim()
    .split('\n')
    .flatMap((line) => {
      const [, , words, retired] = line.split('|')
      return [...retired.matchAll(/`(\w+)`/g)].map(([, word]): [string, string] => [word, words.trim()])
    }),
)

/** Options in which a retired word is right, with the reason. */
const RIGHT: Readonly<Record<string, string>> = {
  'LanczosOptions.tolerance': 'the only tolerance there is, of eigenvalues, as in SciPy',
  'NewtonDirectionOptions.tolerance': 'of the residual of linear equations',
  'LossOptions.reduction': 'a mean or a sum, as in PyTorch',
}

/** Names of options in the exported interfaces and types of a file whose names end in Options. */
function optionsIn(file: string): [owner: string, option: string][] {
  const found: [string, string][] = []
  const text = readFileSync(file, 'utf8')
  // most files need no parser
  if (!/\b(interface|type) \w*Options\b/.test(text)) return []
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest)
  const visit = (owner: string) => (node: ts.Node) => {
    if (ts.isPropertySignature(node) && node.name !== undefined) found.push([owner, node.name.getText(source)])
    ts.forEachChild(node, visit(owner))
  }
  for (const node of source.statements) {
    if (!ts.isInterfaceDeclaration(node) && !ts.isTypeAliasDeclaration(node)) continue
    if (/Options$/.test(node.name.text) && node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword))
      ts.forEachChild(node, visit(node.name.text))
  }
  return found
}

const files = readdirSync('ts', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
const options = files.flatMap((name) => optionsIn(`ts/${name}`))

test('no option has a word that was given up', () => {
  expect(RETIRED.size).toBeGreaterThan(20)
  expect(options.length).toBeGreaterThan(200)
  const wrong = options.filter(([owner, option]) => RETIRED.has(option) && RIGHT[`${owner}.${option}`] === undefined)
  expect(wrong.map(([owner, option]) => `${owner}.${option}: CONTRIBUTING.md has ${RETIRED.get(option)} for it`)).toEqual([])
})

test('exceptions are still needed', () => {
  const names = new Set(options.map(([owner, option]) => `${owner}.${option}`))
  expect(Object.keys(RIGHT).filter((name) => !names.has(name))).toEqual([])
})
