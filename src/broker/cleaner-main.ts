/** What a thread of the log cleaner runs: the same program, of which it needs no more than this, on the machine's disk. */
import { serveCleaning } from '../log/cleaner-service.ts';
import { NodeFiles } from '../world/node-files.ts';
import { parentOfThread } from '../world/node-threads.ts';

serveCleaning(parentOfThread(), new NodeFiles());
