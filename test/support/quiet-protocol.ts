/**
 * What the protocols of transport tests have in common: sessions that are never in the middle of
 * anything.
 */
import { FEED_MORE } from '../../src/protocol/engine.ts';
import { Output } from '../../src/protocol/output.ts';

export class QuietProtocol {
  readonly output = new Output();
  open = () => null;
  resume = () => FEED_MORE;
  close = () => undefined;
  isOverdue = () => false;
  isBusy = () => false;
  idleSeconds = () => 0;
  isStalled = () => false;
  isEndless = () => false;
}
