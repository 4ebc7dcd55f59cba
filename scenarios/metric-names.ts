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
  probes: { title: 'probes', unit: 'count', better: 'neither', meaning: 'probes sent from the first attack message on that had their whole timeout before the end' },
  injected: { title: 'faults injected', unit: 'count', better: 'neither', meaning: 'memory faults that the scenario injected; what the daemon did not notice is no fault of the next row' },
  faults: { title: 'faults', unit: 'count', better: 'lower', meaning: 'fatal signals raised in a daemon under test, whether it died of them or rolled back' },
  crashes: { title: 'crashes', unit: 'count', better: 'lower', meaning: 'times a daemon under test died' },
  rollbacks: { title: 'rollbacks', unit: 'count', better: 'neither', meaning: 'thaws: times a daemon jumped back to a frozen state' },
  hazards: { title: 'hazards', unit: 'count', better: 'lower', meaning: 'things a thaw could not take back or carry over, as the event log names them: semaphores and locks released since the freeze, descriptors closed, shared memory that others use, persisted ranges refused' },
  restarts: { title: 'restarts', unit: 'count', better: 'neither', meaning: 'times init started a daemon again' },
  recoveryP50: { title: 'recovery p50', unit: 'ns', better: 'lower', meaning: 'from the fault to the daemon serving again, median; never = it did not come back' },
  recoveryP99: { title: 'recovery p99', unit: 'ns', better: 'lower', meaning: 'the same, 99th percentile' },
  outage: { title: 'outage', unit: 'ns', better: 'lower', meaning: 'probes lost divided by their rate (the frame-loss method of RFC 6201)' },
  outages: { title: 'outages', unit: 'count', better: 'lower', meaning: 'rows of probes without an answer in time, from the first attack message on; what is shorter than the gap between two probes is not seen' },
  downP50: { title: 'down p50, time stamps', unit: 'ns', better: 'lower', meaning: 'length of an outage by RFC 6201\'s time-stamp method: from the last answer before it to the first after it, median over the outages; never = no answer came any more' },
  downP99: { title: 'down p99, time stamps', unit: 'ns', better: 'lower', meaning: 'the same, 99th percentile' },
  downLossP50: { title: 'down p50, frame loss', unit: 'ns', better: 'lower', meaning: 'length of an outage by RFC 6201\'s frame-loss method: its lost probes divided by their rate, median over the outages; an outage without end counts up to the end of the run' },
  downLossP99: { title: 'down p99, frame loss', unit: 'ns', better: 'lower', meaning: 'the same, 99th percentile' },
  probeGap: { title: "prober's resolution", unit: 'ns', better: 'neither', meaning: 'time between two probes: both methods of RFC 6201 are off by up to that, and shorter outages may go unseen' },
  cacheLost: { title: 'cache entries lost', unit: 'count', better: 'lower', meaning: 'names the router asked its resolver again while the earlier answer was still fresh, counted in the capture; a cache that is too small does that too, as the run without an attack shows' },
  leasesLost: { title: 'leases lost', unit: 'count', better: 'lower', meaning: 'running leases the server did not know any more when their client came back: it refused, or offered or gave another address; counted in the capture' },
  leasesTwice: { title: 'leases given twice', unit: 'count', better: 'lower', meaning: "addresses given to a client while another client's lease of them was running; counted in the capture" },
  repeatedIds: { title: 'DNS ids repeated', unit: 'count', better: 'lower', meaning: 'queries to the resolver with an id that an earlier one had, retransmissions aside; random ids repeat by chance too' },
  idsByChance: { title: '  as many by chance', unit: 'count', better: 'neither', meaning: 'repeated ids to be expected of that many queries with random 16-bit ids; the count itself scatters by about its square root' },
  repeatedPairs: { title: 'port and id repeated', unit: 'count', better: 'lower', meaning: 'queries to the resolver whose source port and id together an earlier one had: what a forger of answers has to guess' },
  pairsByChance: { title: '  as many by chance', unit: 'count', better: 'neither', meaning: 'the same for ids on the ports they were sent from' },
  answersContradicted: { title: 'answers contradicted', unit: 'count', better: 'lower', meaning: 'answers to clients that differ from the resolver\'s latest answer for the name, or promise it for longer than that did; counted in the captures' },
  requestsLost: { title: 'requests lost', unit: 'count', better: 'lower', meaning: 'good requests, probes included, that got no answer in time' },
  connectionsLost: { title: 'connections lost', unit: 'count', better: 'lower', meaning: 'TCP connections that their clients keep between requests and the router ended, quiet or with a request on them; noticed at the next request' },
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
