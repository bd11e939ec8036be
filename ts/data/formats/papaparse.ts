/** The one module that has the CSV library inside: what is bundled of it for programs that read CSV, and nothing else. */
export { default as Papa } from 'papaparse'
