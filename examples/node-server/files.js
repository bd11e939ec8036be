// Where everything is kept.
export const TABLE = 'node_modules/gradus/docs/guide/penguins.csv'
export const EXAMPLES = 'examples.jsonl'
export const MODEL = 'penguins.safetensors'
