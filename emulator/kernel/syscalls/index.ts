/** Every family of system calls; loading them fills the table. */
import './adjtimex.js';
import './attributes.js';
import './credentials.js';
import './file.js';
import './fs.js';
import './futex.js';
import './ipc.js';
import './limits.js';
import './memory.js';
import './misc.js';
import './poll.js';
import './process.js';
import './signal.js';
import './socket.js';
import './time.js';
import './wait.js';
