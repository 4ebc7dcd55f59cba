/** Constants of the protocol, with Linux's values where the standards leave a choice. Times in nanoseconds. */
const MS = 1e6;
const S = 1e9;

/** RFC 6298 section 2.1. */
export const INITIAL_RTO = 1 * S;
/** Linux: TCP_RTO_MIN, the least that is added to the smoothed round-trip time; RFC 6298 would have a second. */
export const MIN_RTO_VARIANCE = 200 * MS;
export const MAX_RTO = 120 * S;
/** RFC 9293 section 3.8.6.3: below half a second; Linux's minimum. */
export const DELAYED_ACK = 40 * MS;
/** Twice the maximum segment lifetime, and how long an orphan stays in FIN-WAIT-2 (Linux: TCP_TIMEWAIT_LEN, tcp_fin_timeout). */
export const TIME_WAIT = 60 * S;
export const FIN_WAIT_2 = 60 * S;
/** Linux: tcp_retries2, tcp_orphan_retries, tcp_syn_retries, tcp_synack_retries. */
export const MAX_RETRIES = 15;
export const ORPHAN_RETRIES = 8;
export const SYN_RETRIES = 6;
export const SYNACK_RETRIES = 5;
/** Linux: tcp_keepalive_time, _intvl, _probes. */
export const KEEP_IDLE = 7200 * S;
export const KEEP_INTERVAL = 75 * S;
export const KEEP_COUNT = 9;
/** RFC 6928. */
export const INITIAL_WINDOW = 10;
export const DUP_THRESHOLD = 3;
/** RFC 9293 section 3.7.1, without an MSS option. */
export const DEFAULT_MSS = 536;
/** Linux: TCP_MIN_MSS; a smaller one is an attack (88 - 40). */
export const MIN_MSS = 48;
/** Shift that lets a window of 8 MiB be announced; RFC 7323 allows up to 14. */
export const WINDOW_SCALE = 7;
export const MAX_WINDOW_SCALE = 14;
/** Linux: tcp_rmem[1]; half of it is the window. tcp_wmem[1] grows by itself to four times the congestion window, up to the maximum. */
export const RECEIVE_BUFFER = 131_072;
export const SEND_BUFFER = 16_384;
export const MAX_SEND_BUFFER = 524_288;
/** What a segment kept out of order costs besides its bytes. */
export const SEGMENT_OVERHEAD = 512;
/** Charged to the device's memory for a connection; half-open ones are not, their number is limited (SYN_BACKLOG). */
export const CONNECTION_BYTES = 2048;
/** Linux: tcp_invalid_ratelimit; tcp_challenge_ack_limit a second (RFC 5961 section 7). */
export const INVALID_ACK_INTERVAL = 500 * MS;
export const CHALLENGE_ACKS_A_SECOND = 1000;
/** Linux: tcp_max_syn_backlog with little memory; somaxconn; tcp_max_tw_buckets with little memory. */
export const SYN_BACKLOG = 128;
export const SOMAXCONN = 4096;
export const MAX_TIME_WAITS = 4096;
/** Linux: ip_local_port_range. */
export const EPHEMERAL_FIRST = 32_768;
export const EPHEMERAL_LAST = 60_999;
