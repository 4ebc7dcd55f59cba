/** What one arm is judged by. Every metric is a number; `better` says in which direction. */
export interface MetricInfo {
  title: string;
  unit: 'share' | 'count' | 'ns' | 'bytes';
  better: 'higher' | 'lower' | 'neither';
  meaning: string;
}

export const metricInfo = {
  availability: { title: 'availability', unit: 'share', better: 'higher', meaning: 'probes answered in time, of all probes sent from the first attack message on' },
  availabilityLastThird: { title: 'availability, last third', unit: 'share', better: 'higher', meaning: 'the same over the last third of the run: what is left when the supervisor has given up' },
  faults: { title: 'faults', unit: 'count', better: 'lower', meaning: 'fatal signals raised in a daemon under test, whether it died of them or rolled back' },
  crashes: { title: 'crashes', unit: 'count', better: 'lower', meaning: 'times a daemon under test died' },
  rollbacks: { title: 'rollbacks', unit: 'count', better: 'neither', meaning: 'thaws: times a daemon jumped back to a frozen state' },
  hazards: { title: 'hazards', unit: 'count', better: 'lower', meaning: 'things a thaw could not take back or carry over, as the event log names them: semaphores and locks released since the freeze, descriptors closed, shared memory that others use, persisted ranges refused' },
  restarts: { title: 'restarts', unit: 'count', better: 'neither', meaning: 'times init started a daemon again' },
  recoveryP50: { title: 'recovery p50', unit: 'ns', better: 'lower', meaning: 'from the fault to the daemon serving again, median; never = it did not come back' },
  recoveryP99: { title: 'recovery p99', unit: 'ns', better: 'lower', meaning: 'the same, 99th percentile' },
  outage: { title: 'outage', unit: 'ns', better: 'lower', meaning: 'probes lost divided by their rate (the frame-loss method of RFC 6201)' },
  requestsLost: { title: 'requests lost', unit: 'count', better: 'lower', meaning: 'good requests, probes included, that got no answer in time' },
  falseDrops: { title: 'false drops', unit: 'count', better: 'lower', meaning: 'good requests the filter dropped' },
  filtered: { title: 'filtered', unit: 'count', better: 'higher', meaning: 'attack messages the filter dropped before they were parsed' },
  missedVariants: { title: 'missed variants', unit: 'count', better: 'lower', meaning: 'attack messages that still caused a fault after the filter had seen a first one' },
  freezes: { title: 'freezes', unit: 'count', better: 'neither', meaning: 'checkpoints taken' },
  imageBytes: { title: 'image bytes', unit: 'bytes', better: 'lower', meaning: 'size of the largest image' },
  imagesHeld: { title: 'images held', unit: 'count', better: 'neither', meaning: 'most images alive at once' },
  ramHeld: { title: 'RAM held', unit: 'bytes', better: 'lower', meaning: 'most router RAM that images held at once' },
  freezeCopied: { title: 'bytes copied a freeze', unit: 'bytes', better: 'lower', meaning: 'mean over all freezes' },
  freezeVnodeOps: { title: 'vnode operations a freeze', unit: 'count', better: 'lower', meaning: 'mean over all freezes' },
  freezeTime: { title: 'time a freeze', unit: 'ns', better: 'lower', meaning: 'modelled device time, mean' },
  pageBreaks: { title: 'pages copied later a freeze', unit: 'count', better: 'lower', meaning: 'pages the router copied because a process wrote to them while an image or another process shared them, for each freeze' },
  breakTime: { title: 'time of that', unit: 'ns', better: 'lower', meaning: 'modelled device time of these page breaks for each freeze: what sharing saves at the freeze and pays afterwards' },
  thawTime: { title: 'time a thaw', unit: 'ns', better: 'lower', meaning: 'modelled device time, mean' },
  thawVnodeOps: { title: 'vnode operations a thaw', unit: 'count', better: 'lower', meaning: 'mean over all thaws' },
  latencyP50: { title: 'answer time p50', unit: 'ns', better: 'lower', meaning: 'of answered probes' },
  latencyP99: { title: 'answer time p99', unit: 'ns', better: 'lower', meaning: 'of all probes; unanswered ones count as never' },
} as const satisfies Record<string, MetricInfo>;

export type MetricName = keyof typeof metricInfo;
export type Metrics = Record<MetricName, number>;
export const metricNames = Object.keys(metricInfo) as MetricName[];
