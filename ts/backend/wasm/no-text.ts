/** Stands in for each text in ./generated where no WebAssembly is carried as text: tsup.config.ts. */
export default ''
