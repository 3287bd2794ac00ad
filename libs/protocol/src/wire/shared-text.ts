/** A text that items of one message share, like the type of tasks: it is made once for items that follow each other. */
export class SharedText {
  private text = '';
  private at = 0;
  private length = 0;

  /** @param encoding latin1, which is read faster, where the text is ASCII. */
  constructor(
    private readonly bytes: Buffer,
    private readonly encoding: 'latin1' | 'utf8',
  ) {}

  read(at: number, end: number): string {
    const { bytes } = this;
    const length = end - at;
    if (length === this.length) {
      let same = 0;
      while (same < length && bytes[this.at + same] === bytes[at + same]) same += 1;
      if (same === length) return this.text;
    }
    this.text = bytes.toString(this.encoding, at, end);
    this.at = at;
    this.length = length;
    return this.text;
  }
}
