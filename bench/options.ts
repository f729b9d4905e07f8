/** How much is measured. Every count and time has a bound, whatever the machine. */
export type Options = {
  readonly intake: {
    /** Closed-loop connections that are tried; the best is used. */
    readonly concurrencies: readonly number[];
    readonly warmSeconds: number;
    readonly probeSeconds: number;
    /** Rounds of gateway, floor and floor without encryption, one after another. */
    readonly rounds: number;
    readonly roundSeconds: number;
    readonly offeredPerSecond: number;
    readonly offeredSeconds: number;
  };
  /** Rounds of one vendor of each scheme and the floor, one after another. */
  readonly schemes: { readonly connections: number; readonly rounds: number; readonly roundSeconds: number };
  /** Rounds of all schemes, one after another, each for about so long. */
  readonly verification: { readonly rounds: number; readonly roundMs: number };
  readonly propagation: { readonly requests: number };
  readonly memory: { readonly requests: number };
  /** Requests in waves; before every so many waves comes one whose vendors are well. */
  readonly isolation: { readonly requests: number; readonly wave: number; readonly floorEvery: number };
  readonly startup: { readonly starts: number };
  /** Connections that are renewed in each of so many rounds, and requests for the token of one. */
  readonly connections: { readonly renewals: number; readonly rounds: number; readonly burst: number };
};

export const whole: Options = {
  intake: {
    concurrencies: [8, 16, 32],
    warmSeconds: 2,
    probeSeconds: 1,
    rounds: 9,
    roundSeconds: 1.5,
    offeredPerSecond: 200,
    offeredSeconds: 5,
  },
  schemes: { connections: 16, rounds: 5, roundSeconds: 0.7 },
  verification: { rounds: 5, roundMs: 100 },
  propagation: { requests: 1000 },
  memory: { requests: 200 },
  isolation: { requests: 10_000, wave: 1000, floorEvery: 3 },
  startup: { starts: 7 },
  connections: { renewals: 300, rounds: 7, burst: 200 },
};

/** A minute or two: enough to see that a change has not broken a figure, too little to compare two. */
export const quick: Options = {
  intake: {
    concurrencies: [16],
    warmSeconds: 1,
    probeSeconds: 0.5,
    rounds: 3,
    roundSeconds: 0.7,
    offeredPerSecond: 200,
    offeredSeconds: 1.5,
  },
  schemes: { connections: 16, rounds: 1, roundSeconds: 0.3 },
  verification: { rounds: 3, roundMs: 15 },
  propagation: { requests: 100 },
  memory: { requests: 40 },
  isolation: { requests: 120, wave: 60, floorEvery: 1 },
  startup: { starts: 3 },
  connections: { renewals: 50, rounds: 1, burst: 200 },
};

/** For the test that every figure is there. The figures themselves mean nothing. */
export const tiny: Options = {
  intake: {
    concurrencies: [4],
    warmSeconds: 0.2,
    probeSeconds: 0.1,
    rounds: 1,
    roundSeconds: 0.2,
    offeredPerSecond: 50,
    offeredSeconds: 0.2,
  },
  schemes: { connections: 4, rounds: 1, roundSeconds: 0.1 },
  verification: { rounds: 1, roundMs: 2 },
  propagation: { requests: 3 },
  memory: { requests: 2 },
  isolation: { requests: 4, wave: 2, floorEvery: 2 },
  startup: { starts: 1 },
  connections: { renewals: 2, rounds: 1, burst: 20 },
};
