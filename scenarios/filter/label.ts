import type { Form } from './form.js';

/** What a form does to the unprotected daemon; none = it lives and waits for the next message. */
export interface Label {
  harm: 'none' | 'crash' | 'hang';
  /** Of the crash; 0 without, or when it ended by itself. */
  signal: number;
  /** It lives and sends an answer: whoever drops such a message takes something from a client. */
  answered: boolean;
}

export type Labelled = Form & Label;
