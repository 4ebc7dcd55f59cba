export { TcpConnection, type TcpHandler } from './connection.js';
export type { TcpState } from './control-block.js';
export { takeUrgent } from './receive.js';
export { DEFAULT_SETTINGS, type TcpSettings } from './settings.js';
export { TcpStack, type Names, type TcpMemory, type TcpObserver } from './tcp-stack.js';
export { TimeWait } from './time-wait.js';
