/** Counters in the branches of a program: they tell the fuzzer which inputs reach new code. */
import ts from 'typescript'

/** The name of the counters in the program: a Uint8Array of as many as there are branches. */
const COUNTERS = 'fuzzCounters'

/** The program with a counter in each branch, and the number of them. It exports the counters as `counters`. */
export function instrumented(text: string): { text: string; branches: number } {
  const source = ts.createSourceFile('program.js', text, ts.ScriptTarget.ES2022, true, ts.ScriptKind.JS)
  const insertions: { at: number; text: string }[] = []
  let branches = 0
  const count = () => `${COUNTERS}[${branches++}]++`
  const insert = (at: number, added: string) => insertions.push({ at, text: added })
  const wrapExpression = (node: ts.Expression) => {
    insert(node.getStart(source), `(${count()}, `)
    insert(node.getEnd(), ')')
  }
  const enter = (node: ts.Statement | undefined) => {
    if (node === undefined) return
    if (ts.isBlock(node)) {
      insert(node.getStart(source) + 1, ` ${count()};`)
      return
    }
    insert(node.getStart(source), `{ ${count()}; `)
    insert(node.getEnd(), ' }')
  }
  const visit = (node: ts.Node): void => {
    if (ts.isIfStatement(node)) for (const branch of [node.thenStatement, node.elseStatement]) enter(branch)
    else if (ts.isIterationStatement(node, false)) enter(node.statement)
    else if (ts.isFunctionLike(node) && 'body' in node && node.body && ts.isBlock(node.body)) enter(node.body)
    else if (ts.isConditionalExpression(node)) for (const branch of [node.whenTrue, node.whenFalse]) wrapExpression(branch)
    else if (ts.isBinaryExpression(node) && isShortCircuit(node.operatorToken.kind)) wrapExpression(node.right)
    else if (ts.isCatchClause(node)) enter(node.block)
    ts.forEachChild(node, visit)
  }
  visit(source)
  // of insertions at the same place, the outer one, which came first, ends up outside
  const sorted = insertions.map((insertion, i) => ({ ...insertion, i })).sort((a, b) => a.at - b.at || a.i - b.i)
  const parts = sorted.map(({ at, text: added }, i) => text.slice(sorted[i - 1]?.at ?? 0, at) + added)
  const out = parts.join('') + text.slice(sorted[sorted.length - 1]?.at ?? 0)
  // a multiple of four, so that they can be looked at as words
  return {
    text: `const ${COUNTERS} = new Uint8Array(${4 * Math.ceil(branches / 4)});\n${out}\nmodule.exports.counters = ${COUNTERS};\n`,
    branches,
  }
}

function isShortCircuit(kind: ts.SyntaxKind): boolean {
  return (
    kind === ts.SyntaxKind.AmpersandAmpersandToken || kind === ts.SyntaxKind.BarBarToken || kind === ts.SyntaxKind.QuestionQuestionToken
  )
}
