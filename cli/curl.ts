/** The command line that sends the same delivery with curl, for a POSIX shell; bash where the body has control characters. */
export const curlOf = (url: string, headers: Readonly<Record<string, string>>, body: string): string =>
  [
    `curl -i -X POST ${quoted(url)}`,
    ...Object.entries(headers).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    `--data-raw ${quoted(body)}`,
  ].join(" \\\n  ");

/** One word of a shell's line, whatever is in it. */
const quoted = (text: string): string =>
  /\p{Cc}/u.test(text)
    ? `$'${text.replace(/[\\']/g, "\\$&").replace(/\p{Cc}/gu, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`)}'`
    : `'${text.replaceAll("'", "'\\''")}'`;
