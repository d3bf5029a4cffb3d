import { expect } from 'chai';
import { OffsetTopics } from '../../src/api/offset-topics.ts';
import type { MetadataImage } from '../../src/machine/metadata/image.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { ZERO_UUID } from '../../src/wire/uuid.ts';

const ID = 'lAUzRX3ZRWiZ95BSMdX_Dw';
const ORDERS = { id: ID, name: 'orders', partitions: new Map([[0, {}]]) };
const IMAGE = {
  topicsByName: new Map([['orders', ORDERS]]),
  topicsById: new Map([[ID, ORDERS]]),
} as unknown as MetadataImage;

const asked = (topic: { readonly name?: string; readonly topicId?: string }, ...indexes: readonly number[]) => ({
  name: '',
  topicId: ZERO_UUID,
  ...topic,
  partitions: indexes.map((partitionIndex) => ({ partitionIndex, committedOffset: 7 })),
});

describe('Topics of a commit of offsets', () => {
  it('that exist get name and id, and keep the partitions that exist', () => {
    const byName = new OffsetTopics([asked({ name: 'orders' }, 0, 1)], IMAGE, false);
    const byId = new OffsetTopics([asked({ topicId: ID }, 0)], IMAGE, true);
    const expected = [{ name: 'orders', topicId: ID, partitions: [{ partitionIndex: 0, committedOffset: 7 }] }];
    expect(byName.existing).to.deep.equal(expected);
    expect(byId.existing).to.deep.equal(expected);
    expect([byName.allExist, byId.allExist]).to.deep.equal([false, true]);
  });

  it('that do not are answered by what the client goes by, also where no partition of them is named', () => {
    const errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    const byName = new OffsetTopics([asked({ name: 'nobody' }, 3), asked({ name: 'nothing' })], IMAGE, false);
    expect(byName.answers()).to.deep.equal([
      { name: 'nobody', partitions: [{ partitionIndex: 3, errorCode }] },
      { name: 'nothing', partitions: [] },
    ]);
    const byId = new OffsetTopics([asked({ topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' }, 3)], IMAGE, true);
    expect(byId.answers()).to.deep.equal([
      { topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partitions: [{ partitionIndex: 3, errorCode: ErrorCode.UNKNOWN_TOPIC_ID }] },
    ]);
  });

  it('are answered once, what was refused here first', () => {
    const topics = new OffsetTopics([asked({ name: 'orders' }, 0, 5), asked({ name: 'orders' }, 6)], IMAGE, false);
    topics.answer({ name: 'orders', topicId: ID }, 0, ErrorCode.NONE);
    const [only, ...more] = topics.answers();
    expect(more).to.deep.equal([]);
    expect(only?.partitions.map(({ partitionIndex }) => partitionIndex)).to.deep.equal([5, 6, 0]);
  });
});
