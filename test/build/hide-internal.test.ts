import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { withoutInternal } from '../../ts/build/hide-internal.js'

test('members marked as internal go; others, types and constructors stay', () => {
  const types = (inside: string, one: string, two: string) => `/** @internal */
interface Node { a: number }
declare class Tensor extends Base {
    /** @internal */
    constructor(node: Node);
    /** Values. */
    data(): number[];${inside}
    private node;
}
interface Options {${one}
    /** Not \`@internal\`. */
    rate?: number;
}
type Both = { a: 1${two} };
`
  const inside = `
    /**
     * Of two lines.
     *
     * @internal
     */
    address(): number;
    /** @internal */
    get shown(): number;
    set shown(value: number);
    /** @internal */
    protected readonly [Symbol.iterator]: Node;`
  expect(
    withoutInternal(types(inside, '\n    /** @internal */\n    kernel: Node | undefined;', ';\n    /** @internal */\n    b: 2;')),
  ).toBe(types('', '', ';'))
  expect(withoutInternal(types('', '', ''))).toBe(types('', '', ''))
})

test('no editor offers what is internal', () => {
  const files = readdirSync('dist').filter((name) => name.endsWith('.d.ts'))
  expect(files.length).toBeGreaterThan(20)
  for (const file of files) {
    const text = readFileSync(`dist/${file}`, 'utf8')
    expect(withoutInternal(text) === text, file).toBe(true)
  }
})
