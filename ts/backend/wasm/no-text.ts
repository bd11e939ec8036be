/** Replaces each text in ./generated in builds that do not contain WebAssembly as text: tsup.config.ts. */
export default ''
