/**
 * The examples in docstrings, as programs: found in the syntax trees of ts/, completed by the objects that they assume (a model, data, an optimizer),
 * and with a check in the place of each `expression // value`.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import ts from 'typescript'
import { ENTRIES } from '../../ts/build/entries.js'

/** An export of an entry. */
export interface Export {
  /** The name as users write it, such as `schedules.linear`. */
  name: string
  from: string
  kind: 'class' | 'function' | 'value' | 'type'
  documentation: string
  /** Names of the tags of its docstring. */
  tags: string[]
  /**
   * For a class, who makes its objects: users, gradus (if the constructor is internal), subclasses (if it is abstract), or whoever throws the error.
   */
  made: 'by users' | 'by gradus' | 'by its heirs' | 'as an error'
}

/** An example and where it stands. */
export interface Example {
  /** Such as `ts/ops/reduce.ts sum`. */
  name: string
  code: string
}

// ---- the public surface ----

let cached: Export[] | undefined

/** Everything that the entries export, namespaces opened. */
export function publicExports(): Export[] {
  if (cached) return cached
  const options = { strict: true, skipLibCheck: true, noEmit: true, target: ts.ScriptTarget.ES2022, types: ['node'] }
  const resolution = { module: ts.ModuleKind.Preserve, moduleResolution: ts.ModuleResolutionKind.Bundler }
  const program = ts.createProgram(Object.values(ENTRIES), { ...options, ...resolution })
  const checker = program.getTypeChecker()
  const open = (module: ts.Symbol, prefix: string, from: Export['from']): Export[] =>
    checker.getExportsOfModule(module).flatMap((exported) => {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
      if (symbol.flags & ts.SymbolFlags.ValueModule) return open(symbol, `${prefix}${exported.name}.`, from)
      const entry = describe(checker, symbol, prefix + exported.name, from)
      return [exported.declarations?.some(ts.isTypeOnlyExportDeclaration) ? { ...entry, kind: 'type' as const } : entry]
    })
  const files = Object.entries(ENTRIES) as [Export['from'], string][]
  cached = files.flatMap(([from, file]) => open(checker.getSymbolAtLocation(program.getSourceFile(file) as ts.Node) as ts.Symbol, '', from))
  return cached
}

function describe(checker: ts.TypeChecker, symbol: ts.Symbol, name: string, from: Export['from']): Export {
  const is = (flag: ts.SymbolFlags) => (symbol.flags & flag) !== 0
  const type = checker.getTypeOfSymbol(symbol)
  const callable = is(ts.SymbolFlags.Variable) && type.getCallSignatures().length > 0
  return {
    name,
    from,
    kind: is(ts.SymbolFlags.Class)
      ? 'class'
      : is(ts.SymbolFlags.Function) || callable
        ? 'function'
        : is(ts.SymbolFlags.Value)
          ? 'value'
          : 'type',
    documentation: ts.displayPartsToString(symbol.getDocumentationComment(checker)),
    tags: symbol.getJsDocTags(checker).map((tag) => tag.name),
    made: madeBy(symbol),
  }
}

function madeBy(symbol: ts.Symbol): Export['made'] {
  const node = symbol.valueDeclaration
  if (!node || !ts.isClassDeclaration(node)) return 'by users'
  if (/Error$/.test(symbol.name)) return 'as an error'
  if (node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.AbstractKeyword)) return 'by its heirs'
  const maker = node.members.find(ts.isConstructorDeclaration)
  const internal = maker !== undefined && ts.getJSDocTags(maker).some(({ tagName }) => tagName.text === 'internal')
  return internal ? 'by gradus' : 'by users'
}

// ---- the examples ----

/** Every `@example` in these files. */
export function findExamples(files: readonly string[]): Example[] {
  return files.flatMap((file) => {
    const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022, true)
    const found: Example[] = []
    const visit = (node: ts.Node, owner: string): void => {
      const name = nameOf(node) ?? owner
      for (const doc of (node as { jsDoc?: ts.JSDoc[] }).jsDoc ?? []) {
        for (const tag of doc.tags ?? []) {
          if (tag.tagName.text !== 'example') continue
          found.push({ name: `${path.posix.normalize(file)} ${name}`, code: ts.getTextOfJSDocComment(tag.comment) ?? '' })
        }
      }
      ts.forEachChild(node, (child) => visit(child, name))
    }
    visit(source, '')
    return found
  })
}

function nameOf(node: ts.Node): string | undefined {
  if (ts.isVariableStatement(node)) return node.declarationList.declarations[0].name.getText()
  const { name } = node as { name?: ts.Node }
  return name && ts.isIdentifier(name) ? name.text : undefined
}

/** Names that code uses and does not declare. */
export function freeNames(code: string): Set<string> {
  const source = ts.createSourceFile('example.ts', code, ts.ScriptTarget.ES2022, true)
  const used = new Set<string>()
  const declared = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) (isDeclaration(node) ? declared : isMemberName(node) ? new Set<string>() : used).add(node.text)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return new Set([...used].filter((name) => !declared.has(name)))
}

function isDeclaration(node: ts.Identifier): boolean {
  const { parent } = node
  const declares =
    ts.isVariableDeclaration(parent) || ts.isParameter(parent) || ts.isClassDeclaration(parent) || ts.isFunctionDeclaration(parent)
  return (declares && parent.name === node) || (ts.isBindingElement(parent) && parent.name === node)
}

function isMemberName(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node
  if (ts.isBindingElement(parent)) return parent.propertyName === node
  return (ts.isPropertyAssignment(parent) || ts.isClassElement(parent) || ts.isPropertySignature(parent)) && parent.name === node
}

/** `expression // value` as `__check(claim, expression, value)`; other comments stay comments. */
export function withClaims(code: string): { code: string; claims: number } {
  const source = ts.createSourceFile('example.ts', code, ts.ScriptTarget.ES2022, true)
  let claims = 0
  let out = code
  for (const statement of [...source.statements].reverse()) {
    if (!ts.isExpressionStatement(statement)) continue
    const comment = /^[;\s]*\/\/ (.*)/.exec(code.slice(statement.end).split('\n')[0])?.[1]
    const value = comment && valueIn(comment)
    if (!value) continue
    claims++
    const text = code.slice(statement.getStart(), statement.end).replace(/;$/, '')
    const check = `__check(${JSON.stringify(`${text} // ${value}`)}, ${text}, ${value})`
    out = out.slice(0, statement.getStart()) + check + out.slice(statement.end)
  }
  return { code: out, claims }
}

/** The value that a comment states, as in `[1, 2]` or `true: because …`; undefined for prose. */
function valueIn(comment: string): string | undefined {
  return [comment, comment.split(': ')[0]].map((text) => text.trim()).find(isValue)
}

function isValue(text: string): boolean {
  const file = ts.createSourceFile('value.ts', `(${text})`, ts.ScriptTarget.ES2022, true) as ts.SourceFile & { parseDiagnostics: unknown[] }
  const [statement] = file.statements
  if (file.parseDiagnostics.length > 0 || file.statements.length !== 1 || !ts.isExpressionStatement(statement)) return false
  return isLiteral((statement.expression as ts.ParenthesizedExpression).expression)
}

function isLiteral(node: ts.Node): boolean {
  if (ts.isArrayLiteralExpression(node)) return node.elements.every(isLiteral)
  if (ts.isObjectLiteralExpression(node)) return node.properties.every((p) => ts.isPropertyAssignment(p) && isLiteral(p.initializer))
  if (ts.isPrefixUnaryExpression(node)) return ts.isNumericLiteral(node.operand)
  if (ts.isCallExpression(node)) return /^\w+Array\.of$/.test(node.expression.getText()) && node.arguments.every(isLiteral)
  const { kind } = node
  return ts.isLiteralExpression(node) || [ts.SyntaxKind.TrueKeyword, ts.SyntaxKind.FalseKeyword, ts.SyntaxKind.NullKeyword].includes(kind)
}

// ---- as programs ----

/** Objects that examples assume, in the order of their dependencies. */
const GIVEN: Record<string, (code: string) => string> = {
  inputs: () => 'const inputs = [[5.1, 3.5, 1.4, 0.2], [7, 3.2, 4.7, 1.4], [6.3, 3.3, 6, 2.5]]',
  targets: (code) => (usesNumbers(code) ? 'const targets = [0.1, 0.2, 0.3]' : 'const targets = [0, 1, 2]'),
  x: () => 'const x = tensor([[5.1, 3.5, 1.4, 0.2], [7, 3.2, 4.7, 1.4], [6.3, 3.3, 6, 2.5]])',
  y: (code) => (usesNumbers(code) ? 'const y = [0.1, 0.2, 0.3]' : 'const y = [0, 1, 2]'),
  model: (code) => {
    const [outputs, loss] = usesNumbers(code) ? [1, 'mse'] : [3, 'crossEntropy']
    const made = `const model = new Sequential([new Dense(4, 8), new Dense(8, ${outputs})], { seed: 1 })`
    return `${made}\n${loss}(model.forward(inputs), targets).backward() // an optimizer finds gradients`
  },
  optimizer: () => 'const optimizer = new Adam(model.parameters())',
  rows: () => `const flowers = iris()
const rows = Array.from(flowers.targets, (label, i) => ({
  species: ['setosa', 'versicolor', 'virginica'][label],
  petalLength: flowers.inputs[4 * i + 2],
  petalWidth: flowers.inputs[4 * i + 3],
}))`,
}

const usesNumbers = (code: string) => /\bmse\b/.test(code)

/** The examples of one file as a module whose default export runs them by name. */
export function asModule(examples: readonly Example[]): string {
  const bodies = examples.map(({ name, code }) => ({ name, code: [...given(code), withClaims(code).code].join('\n') }))
  const free = new Set(bodies.flatMap(({ code }) => [...freeNames(code)]))
  const functions = bodies.map(({ name, code }) => `${JSON.stringify(name)}: async (__check: Check) => {\n${code}\n},`)
  const check = 'type Check = (claim: string, got: unknown, wanted: unknown) => void\n'
  return `${imports(free, examples[0].name.split(' ')[0])}${check}export default {\n${functions.join('\n')}\n}\n`
}

/** The lines that declare the objects that an example assumes. */
function given(code: string): string[] {
  const wanted = freeNames(code)
  const lines: string[] = []
  for (const [name, line] of Object.entries(GIVEN).reverse()) {
    if (!wanted.has(name)) continue
    lines.unshift(line(code))
    for (const needed of freeNames(line(code))) wanted.add(needed)
  }
  return lines
}

/** Imports of these names. If two entries export a name, the entry in whose folder the examples are is used, else the first. */
function imports(names: ReadonlySet<string>, file: string): string {
  const isHome = (from: string) => from !== 'gradus' && file.startsWith(`${path.posix.dirname(ENTRIES[from as Export['from']])}/`)
  const entries = Object.keys(ENTRIES).sort((a, b) => Number(isHome(b)) - Number(isHome(a)))
  const taken = new Set<string>()
  const lines = entries.map((from) => {
    const own = publicExports().filter((entry) => entry.from === from && !taken.has(entry.name))
    const plain = own.filter(({ name }) => names.has(name)).map(({ name, kind }) => (kind === 'type' ? `type ${name}` : name))
    const spaces = [
      ...new Set(own.map(({ name }) => name.split('.')).flatMap(([space, member]) => (member && names.has(space) ? [space] : []))),
    ]
    for (const { name } of own) taken.add(name)
    return `import { ${[...plain, ...spaces].join(', ')} } from '${from}'\n`
  })
  return lines.join('')
}
