/** The one error that decoding bytes can raise: they are not what the protocol says. `position` is where in the buffer it was seen. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
  readonly position: number;

  constructor(message: string, position: number) {
    super(`${message} at byte ${position}`);
    this.position = position;
  }
}
