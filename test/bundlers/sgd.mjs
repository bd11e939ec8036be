/** The smallest program that trains: one optimizer and a parameter, without WebAssembly. */
import { Parameter, SGD } from 'gradus/js'

globalThis.gradusParts = { Parameter, SGD }
