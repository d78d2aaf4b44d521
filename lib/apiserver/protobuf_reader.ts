import { narrowIntegers } from "../base/mod.ts";
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Reads the wire format. @throws {RangeError} from every method for invalid or truncated bytes. */
export class ProtobufReader {
  readonly #bytes: Uint8Array;
  readonly #decoder = new TextDecoder();
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Undefined at the end. */
  field(): { number: number; wire: number } | undefined {
    if (this.#at >= this.#bytes.length) return undefined;
    const key = Number(this.#varint());
    return { number: Math.floor(key / 8), wire: key & 7 };
  }

  /** Signed; a bigint beyond 2^53, as in `parseJson`. */
  integer(): number | bigint {
    return narrowIntegers(BigInt.asIntN(64, this.#varint())) as number | bigint;
  }

  double(): number {
    const bytes = this.#take(8);
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#take(Number(this.#varint()));
  }

  text(): string {
    return this.#decoder.decode(this.bytes());
  }

  skip(wire: number): void {
    switch (wire) {
      case WIRE.varint:
        this.#varint();
        return;
      case WIRE.fixed64:
        this.#take(8);
        return;
      case WIRE.bytes:
        this.bytes();
        return;
      case WIRE.fixed32:
        this.#take(4);
        return;
      default:
        throw new RangeError(`wire type ${wire} is not known`);
    }
  }

  #varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new RangeError("the message ends inside a number");
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError("a number is longer than 64 bits");
  }

  #take(length: number): Uint8Array<ArrayBuffer> {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError("the message ends inside a field");
    const part = this.#bytes.subarray(this.#at, end) as Uint8Array<ArrayBuffer>;
    this.#at = end;
    return part;
  }
}
