/** What the echo server is told, and what it answers. */
export interface EchoOrder {
  /** Answers carry a token as long as the real server's. */
  readonly positionToken: string;
}

export interface EchoAnswer {
  readonly address: string;
}
