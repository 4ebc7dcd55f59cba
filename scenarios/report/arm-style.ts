import type { ArmName } from '../arms.js';

export interface ArmStyle {
  colour: string;
  symbol: 'circle' | 'square' | 'triangle' | 'diamond2' | 'star' | 'cross' | 'wye';
  /** Lines that lie on one another are drawn thick to thin, so that each is seen. */
  width: number;
  dash: string;
}

/** How an arm is drawn in every figure; told apart by symbol and width too, for those who see few colours. */
export const armStyles: Record<ArmName, ArmStyle> = {
  none: { colour: '#6b6b76', symbol: 'cross', width: 2, dash: '2 3' },
  respawn: { colour: '#b8860b', symbol: 'triangle', width: 8, dash: 'none' },
  procd: { colour: '#c2334a', symbol: 'square', width: 2.5, dash: 'none' },
  'rollback-vnode': { colour: '#7fb2e5', symbol: 'circle', width: 5.5, dash: 'none' },
  'rollback-shunt': { colour: '#1f5fa8', symbol: 'diamond2', width: 3, dash: 'none' },
  'rollback-newest': { colour: '#8a5cc2', symbol: 'diamond2', width: 2.2, dash: '6 3' },
  'rollback-one-stack': { colour: '#5a4a3a', symbol: 'square', width: 2.2, dash: '1 3' },
  'rollback-filter': { colour: '#2f9e5b', symbol: 'star', width: 1.4, dash: 'none' },
  transparent: { colour: '#c8641e', symbol: 'wye', width: 1.2, dash: '5 2' },
};
