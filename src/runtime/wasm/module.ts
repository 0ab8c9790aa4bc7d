/** One WebAssembly module over an imported shared memory. */
import { type Bytes, flatten, sized, text, unsigned, vector } from './bytes.ts';
import { FunctionBody, type FunctionReference } from './function-body.ts';
import { int, TYPE_CODES, type ValueType } from './values.ts';

export interface Signature {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

interface DefinedFunction {
  readonly typeIndex: number;
  readonly body: FunctionBody;
  readonly exportName: string | null;
}

const SECTION = { type: 1, import: 2, function: 3, table: 4, global: 6, export: 7, element: 9, code: 10 } as const;
const MAGIC_AND_VERSION = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const SHARED_WITH_MAXIMUM = 3;
const MAX_PAGES = 65536;

export class WasmModule {
  private readonly types: Signature[] = [];
  private readonly imports: { readonly name: string; readonly typeIndex: number }[] = [];
  private readonly functions: DefinedFunction[] = [];
  private readonly table: FunctionReference[] = [];
  private globalCount = 0;

  /** A function of the host; all of them are declared before the first function. */
  importFunction(name: string, signature: Signature): FunctionReference {
    this.imports.push({ name, typeIndex: this.typeIndex(signature) });
    return { index: this.imports.length - 1 };
  }

  /** Defines a function; exported where it has a name. */
  defineFunction(signature: Signature, write: (body: FunctionBody) => void, exportName?: string): FunctionReference {
    const body = new FunctionBody(signature.parameters.length);
    const reference = { index: this.imports.length + this.functions.length };
    this.functions.push({ typeIndex: this.typeIndex(signature), body, exportName: exportName ?? null });
    write(body);
    return reference;
  }

  /** The slot of the function in the table, for indirect calls. */
  addToTable(reference: FunctionReference): number {
    this.table.push(reference);
    return this.table.length - 1;
  }

  /** A mutable integer of each instance, 0 at first. */
  defineGlobal(): number {
    this.globalCount += 1;
    return this.globalCount - 1;
  }

  typeIndex(signature: Signature): number {
    const key = JSON.stringify(signature);
    const known = this.types.findIndex((type) => JSON.stringify(type) === key);
    if (known >= 0) return known;
    this.types.push(signature);
    return this.types.length - 1;
  }

  /** The binary. The memory is imported as `env.memory`, functions of the host as `env.<name>`. */
  encode(): Uint8Array<ArrayBuffer> {
    const elements: Bytes = [0, int(0).code, 0x0b, vector(this.table.map(({ index }) => unsigned(index)))];
    return new Uint8Array(
      flatten([
        MAGIC_AND_VERSION,
        section(SECTION.type, vector(this.types.map(encodeSignature))),
        section(SECTION.import, vector(this.encodeImports())),
        section(SECTION.function, vector(this.functions.map(({ typeIndex }) => unsigned(typeIndex)))),
        section(SECTION.table, vector([[0x70, 0, unsigned(this.table.length)]])),
        section(
          SECTION.global,
          vector(Array.from({ length: this.globalCount }, () => [TYPE_CODES.i32, 1, int(0).code, 0x0b])),
        ),
        section(SECTION.export, vector(this.encodeExports())),
        section(SECTION.element, vector([elements])),
        section(SECTION.code, vector(this.functions.map(({ body }) => sized(body.encode())))),
      ]),
    );
  }

  private encodeImports(): Bytes[] {
    const functions = this.imports.map(({ name, typeIndex }) => [text('env'), text(name), 0x00, unsigned(typeIndex)]);
    const memory = [text('env'), text('memory'), 0x02, SHARED_WITH_MAXIMUM, unsigned(1), unsigned(MAX_PAGES)];
    return [...functions, memory];
  }

  private encodeExports(): Bytes[] {
    return this.functions.flatMap(({ exportName }, position) =>
      exportName === null ? [] : [[text(exportName), 0x00, unsigned(this.imports.length + position)]],
    );
  }
}

const encodeSignature = ({ parameters, results }: Signature): Bytes => [
  0x60,
  vector(parameters.map((type) => [TYPE_CODES[type]])),
  vector(results.map((type) => [TYPE_CODES[type]])),
];

const section = (id: number, content: Bytes): Bytes => [id, sized(content)];
