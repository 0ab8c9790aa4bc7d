import protobuf from 'protobufjs/minimal.js';
import { DscAuditError } from '../../ir/errors.ts';
import { type ByteSource, readExactly } from '../byte-source.ts';
import { MAX_MESSAGE_DEPTH, MAX_STRING_BYTES, PAGE_BYTES } from '../limits.ts';
import { DEFAULT_LIMITS, type Limits, limitMet } from '../raisable-limits.ts';

const TWO_32 = 2 ** 32;

/** A field that the generated decoders do not know, as it lies in the file. */
export interface UnknownField {
  readonly number: number;
  /** Where the field's content begins: behind the length of a length-delimited one. */
  readonly offset: number;
  readonly length: number;
}

/** Where the message around the one that is being read goes on. */
export interface OuterMessage {
  readonly end: number;
  readonly unknownFields: UnknownField[] | null;
}

/**
 * Reads protobuf's wire format from a source that need not be in memory, one page at a time. Positions are those of the
 * file; 64-bit integers arrive as numbers. Every message is held within its parent's bytes and within the limits on
 * depth and number.
 */
export class PagedReader extends protobuf.Reader {
  readonly #source: ByteSource;
  readonly #limits: Limits;
  readonly #page = Buffer.alloc(PAGE_BYTES);
  readonly #view = new DataView(this.#page.buffer, this.#page.byteOffset, PAGE_BYTES);
  #pageStart = 0;
  #pageLength = 0;
  #end: number;
  #depth = 0;
  #messages = 0;
  #lastTag = 0;
  #unknownFields: UnknownField[] | null = null;

  constructor(source: ByteSource, limits: Limits = DEFAULT_LIMITS) {
    super(new Uint8Array(0));
    this.#limits = limits;
    this.#source = source;
    this.len = source.size;
    this.#end = source.size;
  }

  /** Where the message that is being read ends. */
  get end(): number {
    return this.#end;
  }

  /**
   * Goes into a message of `length` bytes (all that is left where undefined). What is returned goes to `leave` once the
   * message has been decoded.
   */
  enter(length: number | undefined): OuterMessage {
    const outer = { end: this.#end, unknownFields: this.#unknownFields };
    const end = length === undefined ? this.#end : this.pos + length;
    if (end > this.#end) throw this.#malformed('a part claims more bytes than the whole has');
    if (++this.#messages > this.#limits.messages) {
      throw limitMet('messages', this.#limits, `the file holds more than ${this.#limits.messages} messages`);
    }
    if (++this.#depth > MAX_MESSAGE_DEPTH) throw limit(`nested more than ${MAX_MESSAGE_DEPTH} messages deep`);
    this.#end = end;
    this.#unknownFields = null;
    return outer;
  }

  /** How many messages have been read. */
  get messageCount(): number {
    return this.#messages;
  }

  /** Fields of the message that is being read which the generated decoder had to pass over. */
  get unknownFields(): readonly UnknownField[] {
    return this.#unknownFields ?? [];
  }

  leave(outer: OuterMessage): void {
    if (this.pos !== this.#end) throw this.#malformed('a part does not end where it should');
    this.#end = outer.end;
    this.#unknownFields = outer.unknownFields;
    this.#depth--;
  }

  /** Bytes of the file, wherever they lie; the position stays. */
  bytesAt(offset: number, length: number): Uint8Array {
    const at = offset - this.#pageStart;
    if (at >= 0 && at + length <= this.#pageLength) return Uint8Array.prototype.slice.call(this.#page, at, at + length);
    return readExactly(this.#source, offset, length);
  }

  /** Tags and lengths. A message of more than 4 GB has a length of more than 32 bits: all that are exact are given. */
  override uint32(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) throw this.#malformed('a length is beyond all measure');
        this.#lastTag = value;
        return value;
      }
    }
    throw this.#malformed('a number does not end');
  }

  /** Negative ones take ten bytes; the lowest 32 bits tell them. */
  override int32(): number {
    const [low] = this.#varint64();
    return low | 0;
  }

  override sint32(): number {
    const [low] = this.#varint64();
    return (low >>> 1) ^ -(low & 1);
  }

  override bool(): boolean {
    const [low, high] = this.#varint64();
    return (low | high) !== 0;
  }

  // The declared result is a `Long`; generated decoders take a number as well, and nobody behind them needs more.
  static {
    Object.assign(PagedReader.prototype, {
      int64(this: PagedReader): number {
        const [low, high] = this.#varint64();
        return (high | 0) * TWO_32 + low;
      },
      uint64(this: PagedReader): number {
        const [low, high] = this.#varint64();
        return high * TWO_32 + low;
      },
    });
  }

  override float(): number {
    return this.#view.getFloat32(this.#advance(4), true);
  }

  override double(): number {
    return this.#view.getFloat64(this.#advance(8), true);
  }

  override fixed32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  override sfixed32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  override bytes(): Uint8Array {
    const length = this.#length();
    const start = this.pos;
    this.pos += length;
    return this.bytesAt(start, length);
  }

  override string(): string {
    const length = this.#length();
    if (length > MAX_STRING_BYTES) throw limit(`a string of more than ${MAX_STRING_BYTES} bytes`);
    if (length === 0) return '';
    if (length <= PAGE_BYTES) {
      const at = this.#advance(length);
      return this.#page.toString('utf8', at, at + length);
    }
    const text = TEXT.decode(this.bytesAt(this.pos, length));
    this.pos += length;
    return text;
  }

  override skip(length?: number): this {
    if (length === undefined) {
      this.#varint64();
      return this;
    }
    if (length > this.#end - this.pos) throw this.#malformed('a part claims more bytes than the whole has');
    this.pos += length;
    return this;
  }

  override skipType(wireType: number): this {
    const number = this.#lastTag >>> 3;
    if (number === 0) throw this.#malformed('a field has number 0');
    const extent = EXTENTS[wireType];
    if (extent === undefined) throw this.#malformed(`a field has wire type ${wireType}`);
    const length = extent === 'length-delimited' ? this.#length() : extent;
    const offset = this.pos;
    this.skip(length === 'varint' ? undefined : length);
    this.#unknownFields ??= [];
    this.#unknownFields.push({ number, offset, length: this.pos - offset });
    return this;
  }

  #byte(): number {
    let at = this.pos - this.#pageStart;
    if (at < 0 || at >= this.#pageLength) {
      this.#turnTo(1);
      at = 0;
    }
    this.pos++;
    return this.#page[at] ?? 0;
  }

  /** Steps over `length` bytes that lie on one page, and returns where on it they begin. */
  #advance(length: number): number {
    let at = this.pos - this.#pageStart;
    if (at < 0 || at + length > this.#pageLength) {
      this.#turnTo(length);
      at = 0;
    }
    this.pos += length;
    return at;
  }

  #turnTo(length: number): void {
    if (this.pos + length > this.#end) throw this.#malformed('it ends in the middle of a value');
    this.#pageStart = this.pos;
    this.#pageLength = this.#source.read(this.pos, this.#page);
    if (this.#pageLength < length) throw this.#malformed('the file ends in the middle of a value');
  }

  #length(): number {
    const length = this.uint32();
    if (length > this.#end - this.pos) throw this.#malformed('a part claims more bytes than the whole has');
    return length;
  }

  #varint64(): readonly [low: number, high: number] {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte();
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) return [low >>> 0, high >>> 0];
    }
    throw this.#malformed('a number does not end');
  }

  #malformed(what: string): DscAuditError {
    return new DscAuditError('malformed-model', `truncated or damaged at byte ${this.pos}: ${what}.`);
  }
}

const TEXT = new TextDecoder('utf-8');

/** Bytes behind a tag, by wire type. Groups (3 and 4) do not occur in ONNX. */
const EXTENTS: Readonly<Record<number, number | 'length-delimited' | 'varint'>> = {
  0: 'varint',
  1: 8,
  2: 'length-delimited',
  5: 4,
};

function limit(what: string): DscAuditError {
  return new DscAuditError('limit-exceeded', `the file holds ${what}: no real model does.`);
}
