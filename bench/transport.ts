// How the load generator moves bytes. Behind this seam stand node:net, which works everywhere, and
// the addon's pump, which costs so much less that one generator core can keep a server core busy.

/** What the transport calls while it runs. */
export interface TransportHandler {
  /** Bytes arrived at start..end-1; they are valid only during the call. */
  received(connection: number, bytes: Uint8Array, start: number, end: number): void;
  /** Called on every turn of a polling run(). */
  poll(): void;
}

/** A fixed set of connections to one server. */
export interface Transport {
  readonly name: string;
  /** Opens `count` connections to 127.0.0.1, each with an output buffer of `outputSize` bytes. */
  connect(
    port: number,
    count: number,
    outputSize: number,
    handler: TransportHandler,
  ): Promise<void>;
  /** Where the next request of a connection is written before send(). */
  output(connection: number): Uint8Array;
  /** Sends the first `length` bytes of the connection's output buffer. */
  send(connection: number, length: number): void;
  /** Whether the output buffer is still being read by an earlier send(). */
  sending(connection: number): boolean;
  /**
   * Serves the connections until stop(). With `polling` it never sleeps and calls the handler's
   * poll() on each turn. Rejects when a connection fails or when the handler throws.
   */
  run(polling: boolean): Promise<void>;
  stop(): void;
  close(): void;
}
