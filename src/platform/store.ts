import type { RedisClient } from "./redis.ts";
import { type ConnectionStore, connectionStore } from "./store/connections.ts";
import { type ContentStore, contentStore } from "./store/content.ts";
import { type DeliveryStore, deliveryStore } from "./store/deliveries.ts";
import { type LaneStore, laneStore } from "./store/lanes.ts";
import { type RegistryStore, registryStore } from "./store/registry.ts";
import { type RequestStore, requestStore } from "./store/requests.ts";
import { type StreamStore, streamStore } from "./store/streams.ts";
import { type TransmitterStore, transmitterStore } from "./store/transmitters.ts";

/** The durable state, as the core sees it: each method is one round trip. */
export type Store = LaneStore &
  RequestStore &
  RegistryStore &
  DeliveryStore &
  ContentStore &
  ConnectionStore &
  StreamStore &
  TransmitterStore;

export const createStore = (redis: RedisClient): Store => ({
  ...laneStore(redis),
  ...requestStore(redis),
  ...registryStore(redis),
  ...deliveryStore(redis),
  ...contentStore(redis),
  ...connectionStore(redis),
  ...streamStore(redis),
  ...transmitterStore(redis),
});
