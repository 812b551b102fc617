/* What GET field/devices and field/reconciliation answer (contract 18). */
export type DeviceState = 'active' | 'expired' | 'revoked' | 'lost' | 'wiped';

export interface Places {
  ledger: number;
  waiting: number;
  on_device: number;
  unknown: number;
  taken: number;
}

export interface Device extends Places {
  device: string;
  name: string;
  account: string;
  role_zh: string;
  role_en: string;
  area: string;
  area_zh: string;
  area_en: string;
  state: DeviceState;
  broken: boolean;
  enrolled: string;
  seen: string;
  lease_until: string;
  skew_ms: number;
  links: number;
  revoked?: string;
  order?: number;
  reason?: string;
  seat?: string;
  wiped?: string;
}

export interface Code {
  code: string;
  account: string;
  until: number;
  fingerprint: string;
  replaces: boolean;
}
