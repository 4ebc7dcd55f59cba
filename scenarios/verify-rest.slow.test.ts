import { verifyCatalog } from '../test/support/verify-catalog.js';

verifyCatalog(1, 2);
