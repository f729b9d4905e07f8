import { google } from "./google.ts";

/** Google tells of a grant to YouTube as of any other. */
export const youtube = google;
