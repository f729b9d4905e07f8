import type { Child } from "hono/jsx";

type Props = {
  readonly id: string;
  readonly tone: "good" | "calm" | "keep" | "warn" | "still";
  readonly heading: string;
  readonly intro?: Child;
  readonly entries: readonly { readonly holder: string; readonly says: Child }[];
};

/** Those who hold data, each with what there is to say about it; nothing at all where there is nobody to list. */
export const HolderList = ({ id, tone, heading, intro, entries }: Props) =>
  entries.length === 0 ? null : (
    <section class={tone} aria-labelledby={id}>
      <h2 id={id}>{heading}</h2>
      {intro}
      <ul>
        {entries.map(({ holder, says }) => (
          <li>
            <h3>{holder}</h3>
            {says}
          </li>
        ))}
      </ul>
    </section>
  );
