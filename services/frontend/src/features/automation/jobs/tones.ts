/** The colours of a job's states. */
import type { Tone } from "@/ui/badge";
import type { JobStatus } from "../api";

export const JOB_TONES: Readonly<Record<JobStatus, Tone>> = {
  pending: "accent",
  running: "accent",
  succeeded: "good",
  failed: "bad",
  cancelled: "neutral",
};
