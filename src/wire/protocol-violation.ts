/** A client sent what no client may send. Its connection is closed, nothing else happens; caught in broker/connection only. */
export class ProtocolViolation extends Error {
  override readonly name = 'ProtocolViolation';
}
