/** The topic of the cluster's metadata, as far as its place on a disk goes. */
import { CLUSTER_METADATA_TOPIC } from '../wire/topic-name.ts';

export const METADATA_DIRECTORY = `${CLUSTER_METADATA_TOPIC}-0`;
/** The same in every cluster. */
export const METADATA_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ';
