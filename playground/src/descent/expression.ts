/** Formulas that people type, as trees. Nothing is evaluated as code. */

export type Expression =
  | { kind: 'number'; value: number }
  | { kind: 'name'; name: string }
  /** An operator (+ − * / ^, and − alone with one argument) or a function by its name. */
  | { kind: 'call'; name: string; args: Expression[] }

/** Nobody types a longer formula by hand; the limit also bounds the recursion of the parser, which calls itself for each bracket. */
export const LONGEST_FORMULA = 1000

const TOKEN = /\s*(?:((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)|([a-z_]\w*)|(\*\*|[-+*/^(),−·|²³]))/iy
const SPELLINGS: Record<string, string> = { '**': '^', '−': '-', '·': '*' }

/**
 * sum = product (± product)*, product = signed (* or / signed)*, signed = ± signed | power, power = atom (^ signed)?, so that −x^2 is −(x^2)
 * and 2^−1 is a half. As people write it, 2x and 2(x + 1) are products, |x| is abs(x), and capitals are small letters.
 *
 * @throws Error that says where the formula is not understood
 */
export function parse(text: string): Expression {
  if (text.length > LONGEST_FORMULA) throw new Error(`the formula wants at most ${LONGEST_FORMULA} characters, got ${text.length}`)
  const tokens = tokensOf(text)
  let at = 0
  const isNext = (...words: string[]) => words.includes(tokens[at]?.text)
  const expect = (word: string) => {
    if (!isNext(word)) throw new Error(`the formula wants '${word}' ${tokens[at] ? `before '${tokens[at].text}'` : 'at its end'}`)
    at++
  }
  const joined = (part: () => Expression, ...operators: string[]) => {
    let left = part()
    while (isNext(...operators)) {
      const name = tokens[at++].text
      left = { kind: 'call', name, args: [left, part()] }
    }
    return left
  }
  const sum = (): Expression => joined(product, '+', '-')
  const product = (): Expression => joined(signed, '*', '/')
  const signed = (): Expression => {
    if (!isNext('+', '-')) return power()
    const isMinus = tokens[at++].text === '-'
    const value = signed()
    return isMinus ? { kind: 'call', name: '-', args: [value] } : value
  }
  const power = (): Expression => {
    const base = atom()
    if (!isNext('^')) return base
    at++
    return { kind: 'call', name: '^', args: [base, signed()] }
  }
  const atom = (): Expression => {
    const token = tokens[at++]
    if (token === undefined) throw new Error('the formula ends too early')
    if (token.kind === 'number') return { kind: 'number', value: Number(token.text) }
    if (token.kind === 'name') {
      if (!isNext('(')) return { kind: 'name', name: token.text }
      at++
      const args = [sum()]
      while (isNext(',')) {
        at++
        args.push(sum())
      }
      expect(')')
      return { kind: 'call', name: token.text, args }
    }
    if (token.text === '|') {
      const inner = sum()
      expect('|')
      return { kind: 'call', name: 'abs', args: [inner] }
    }
    if (token.text !== '(') throw new Error(`the formula has '${token.text}' where a number, a name or '(' belongs`)
    const inner = sum()
    expect(')')
    return inner
  }
  const whole = sum()
  if (at < tokens.length) throw new Error(`the formula goes on with '${tokens[at].text}' where it should end or have an operator`)
  return whole
}

interface Token {
  kind: 'number' | 'name' | 'sign'
  text: string
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  const source = text.trimEnd()
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < source.length) {
    const from = TOKEN.lastIndex
    const found = TOKEN.exec(source)
    if (!found) throw new Error(`the formula has '${source.slice(from).trim()[0]}', which is no part of one`)
    const [, number, name, sign] = found
    const before = tokens.at(-1)
    if ((before?.kind === 'number' || before?.text === ')') && (name !== undefined || sign === '('))
      tokens.push({ kind: 'sign', text: '*' })
    if (number !== undefined) tokens.push({ kind: 'number', text: number })
    else if (name !== undefined) tokens.push({ kind: 'name', text: name.toLowerCase() })
    else if (sign === '²' || sign === '³') tokens.push({ kind: 'sign', text: '^' }, { kind: 'number', text: sign === '²' ? '2' : '3' })
    else tokens.push({ kind: 'sign', text: SPELLINGS[sign] ?? sign })
  }
  return tokens
}

/** Every name in it that is not a function's. */
export function namesIn(expression: Expression): string[] {
  if (expression.kind === 'name') return [expression.name]
  return expression.kind === 'call' ? expression.args.flatMap(namesIn) : []
}
