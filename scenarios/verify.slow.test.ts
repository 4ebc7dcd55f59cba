import { verifyCatalog } from '../test/support/verify-catalog.js';

verifyCatalog(0, 2);
