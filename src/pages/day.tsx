const LONG = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" });

/** A date as people write it, such as 21 November 2033, in UTC. */
export const Day = ({ at }: { readonly at: string }) => {
  const date = new Date(at);
  return <time datetime={date.toISOString().slice(0, 10)}>{LONG.format(date)}</time>;
};

/** " on" a day, or nothing where the day is not known. */
export const OnDay = ({ at }: { readonly at: string | undefined }) =>
  at === undefined ? null : (
    <>
      {" on "}
      <Day at={at} />
    </>
  );
