export { Addressing6, type Path6 } from './addressing6.js';
export { Interface6, type Address6, type Conf6 } from './interface6.js';
export { Ipv6 } from './ipv6.js';
