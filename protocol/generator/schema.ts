/** The contract as it stands in the JSON files of protocol/. */
export interface Field {
  name: string;
  type: string;
  versions: string;
  nullable?: string;
  tagged?: string;
  tag?: number;
  default?: unknown;
  flexible?: string;
  ignorable?: boolean;
  fields?: Field[];
}

export interface Side {
  versions?: string;
  flexible?: string;
  fields: Field[];
  structs?: { name: string; versions?: string; fields: Field[] }[];
}

export interface Api {
  name: string;
  key: number;
  listeners: string[];
  versions: string;
  flexible: string;
  latestVersionUnstable?: boolean;
  request?: Side;
  response?: Side;
}

export interface Rec extends Side {
  name: string;
  family: string;
  framing: string;
  key?: number;
  keySchema?: Side;
  valueSchema?: Side;
}
