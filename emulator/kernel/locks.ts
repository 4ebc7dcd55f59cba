import type { OpenFile } from './open-file.js';

export function dropRecordLocks(_file: OpenFile, _owner: object): void {}
