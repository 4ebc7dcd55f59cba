// The public interface of the machine, for programs that use Shuntbox as a library.
export { Router, RouterError, type RouterOptions, type RouterReport } from './router/router.js';
export { profiles, type Profile, type ProfileName } from './router/profiles.js';
export { Lifecycle, type DaemonStatus } from './router/lifecycle/lifecycle.js';
export { daemonMachine } from './router/lifecycle/daemon-machine.js';
export { routerMachine } from './router/lifecycle/router-machine.js';
export { mermaid } from './router/lifecycle/diagram.js';
export { failed, errnoName, loadGraph, saveGraph, snapshotClass, SnapshotError, type EventTarget, type LogEntry } from './base/index.js';
export { Cable, Capture, capturesToPcapng, Delay, Host, Loss, Rate, readCapture, Reorder, Switch, type HostHandler, type Link, type Port } from './net/index.js';
export { Kernel, Process, Thread, registerHooks, type RunResult } from './kernel/index.js';
