/** What a command may touch, handed to it as a parameter. */
export type Terminal = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly fetch: typeof fetch;
  /** One line for whoever reads the result. */
  readonly print: (line: string) => void;
  /** One line for whoever made a mistake. */
  readonly complain: (line: string) => void;
  readonly colours: boolean;
};

/** 0: everything that was checked holds, or was taken. 1: a check failed, or something was refused. 2: wrong usage, or something could not be read. */
export type ExitCode = 0 | 1 | 2;

export type Tone = "good" | "bad" | "strong" | "faint";
export type Line = { readonly text: string; readonly tone?: Tone };

const CODES: Readonly<Record<Tone, number>> = { good: 32, bad: 31, strong: 1, faint: 2 };

export function printLines(terminal: Terminal, lines: readonly Line[]): void {
  for (const { text, tone } of lines)
    terminal.print(
      terminal.colours && tone !== undefined ? `\u001b[${CODES[tone]}m${plain(text)}\u001b[0m` : plain(text),
    );
}

export function printJson(terminal: Terminal, value: unknown): void {
  for (const line of JSON.stringify(value, undefined, 2).split("\n")) terminal.print(plain(line));
}

/** One message for the caller, who gets no stack trace. */
export function complain(terminal: Terminal, message: string): void {
  terminal.complain(plain(`quittance: ${message}`));
}

/**
 * What others wrote must not move the cursor, recolour or reorder what is on the screen: control and format characters
 * are shown as JSON escapes, so that JSON stays JSON.
 */
const plain = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (found) =>
    Array.from({ length: found.length }, (_, at) => `\\u${found.charCodeAt(at).toString(16).padStart(4, "0")}`).join(
      "",
    ),
  );
