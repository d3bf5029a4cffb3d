// franz-go: kgo produces and consumes, kadm administers.
package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"blumfeld/compat/scenario"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

type client struct{ admin *kadm.Client }

func limited() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 20*time.Second)
}

func (c client) CreateTopic(name string, partitions int, configs map[string]string) error {
	ctx, cancel := limited()
	defer cancel()
	values := map[string]*string{}
	for key, value := range configs {
		values[key] = &value
	}
	_, err := c.admin.CreateTopic(ctx, int32(partitions), 1, values, name)
	return err
}

func (c client) IsTopicExists(err error) bool { return errors.Is(err, kerr.TopicAlreadyExists) }

func (c client) DeleteTopic(name string) error {
	ctx, cancel := limited()
	defer cancel()
	_, err := c.admin.DeleteTopic(ctx, name)
	return err
}

func (c client) Topics() ([]string, error) {
	ctx, cancel := limited()
	defer cancel()
	topics, err := c.admin.ListTopics(ctx)
	return topics.Names(), err
}

func (c client) Topic(name string) (scenario.Topic, error) {
	ctx, cancel := limited()
	defer cancel()
	metadata, err := c.admin.Metadata(ctx, name)
	if err != nil {
		return scenario.Topic{}, err
	}
	topic := scenario.Topic{Brokers: len(metadata.Brokers)}
	for _, partition := range metadata.Topics[name].Partitions.Sorted() {
		topic.Leaders = append(topic.Leaders, partition.Leader)
	}
	return topic, metadata.Topics[name].Err
}

func (c client) TopicConfig(name, key string) (string, error) {
	ctx, cancel := limited()
	defer cancel()
	resources, err := c.admin.DescribeTopicConfigs(ctx, name)
	if err != nil {
		return "", err
	}
	resource, err := resources.On(name, nil)
	if err != nil {
		return "", err
	}
	for _, config := range resource.Configs {
		if config.Key == key {
			return config.MaybeValue(), nil
		}
	}
	return "", resource.Err
}

func (c client) AlterTopicConfig(name, key, value string) error {
	ctx, cancel := limited()
	defer cancel()
	altered, err := c.admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: key, Value: &value}}, name)
	if err != nil {
		return err
	}
	return altered[0].Err
}

func (c client) AddPartitions(name string, total int) error {
	ctx, cancel := limited()
	defer cancel()
	changed, err := c.admin.UpdatePartitions(ctx, total, name)
	if err != nil {
		return err
	}
	return changed.Error()
}

func (c client) Produce(topic string, partition int32, records []scenario.Record, o scenario.Options) ([]int64, error) {
	codec := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}[o.Codec]
	acks := map[string]kgo.Acks{"0": kgo.NoAck(), "1": kgo.LeaderAck(), "all": kgo.AllISRAcks()}[o.Acks]
	options := []kgo.Opt{kgo.SeedBrokers(scenario.Bootstrap), kgo.ProducerBatchCompression(codec), kgo.RequiredAcks(acks), kgo.RecordPartitioner(kgo.ManualPartitioner())}
	if !o.Idempotent {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	producer, err := kgo.NewClient(options...)
	if err != nil {
		return nil, err
	}
	defer producer.Close()
	sent := recordsFor(topic, partition, records)
	ctx, cancel := limited()
	defer cancel()
	if err := producer.ProduceSync(ctx, sent...).FirstErr(); err != nil {
		return nil, err
	}
	offsets := make([]int64, len(sent))
	for i, one := range sent {
		offsets[i] = one.Offset
	}
	return offsets, nil
}

type reader struct{ client *kgo.Client }

func (r reader) Read(wait time.Duration) ([]scenario.Record, error) {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	fetches := r.client.PollFetches(ctx)
	for _, one := range fetches.Errors() {
		if !errors.Is(one.Err, context.DeadlineExceeded) {
			return nil, one.Err
		}
	}
	var records []scenario.Record
	for one := range fetches.RecordsAll() {
		record := scenario.Record{Key: one.Key, Value: one.Value, Time: one.Timestamp.UnixMilli()}
		for _, header := range one.Headers {
			record.Headers = append(record.Headers, scenario.Header(header))
		}
		records = append(records, record)
	}
	return records, nil
}

func (r reader) Close() error {
	r.client.Close()
	return nil
}

func (c client) Consume(topic string, partition int32, offset int64) (scenario.Reader, error) {
	at := kgo.NewOffset().At(offset)
	switch offset {
	case scenario.Earliest:
		at = kgo.NewOffset().AtStart()
	case scenario.Latest:
		at = kgo.NewOffset().AtEnd()
	}
	consumer, err := kgo.NewClient(kgo.SeedBrokers(scenario.Bootstrap), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {partition: at}}))
	return reader{consumer}, err
}

func (c client) OffsetAt(topic string, partition int32, ms int64) (int64, error) {
	ctx, cancel := limited()
	defer cancel()
	var listed kadm.ListedOffsets
	var err error
	switch ms {
	case scenario.Earliest:
		listed, err = c.admin.ListStartOffsets(ctx, topic)
	case scenario.Latest:
		listed, err = c.admin.ListEndOffsets(ctx, topic)
	default:
		listed, err = c.admin.ListOffsetsAfterMilli(ctx, ms, topic)
	}
	if err != nil {
		return 0, err
	}
	one, _ := listed.Lookup(topic, partition)
	if ms > 0 && one.Timestamp == -1 {
		// kadm puts the end's offset where the broker has none for the time; the timestamp tells.
		return -1, one.Err
	}
	return one.Offset, one.Err
}

func (c client) DeleteRecords(topic string, partition int32, before int64) error {
	ctx, cancel := limited()
	defer cancel()
	offsets := kadm.Offsets{}
	offsets.AddOffset(topic, partition, before, -1)
	deleted, err := c.admin.DeleteRecords(ctx, offsets)
	if err != nil {
		return err
	}
	return deleted.Error()
}

type member struct {
	reader
	lock *sync.Mutex
	held map[int32]bool
}

func (m member) Assigned() int {
	m.lock.Lock()
	defer m.lock.Unlock()
	return len(m.held)
}

func (m member) Commit(topic string, partition int32, offset int64) error {
	if m.lock.Lock(); !m.held[partition] {
		m.lock.Unlock()
		return fmt.Errorf("partition %d is not this member's", partition)
	}
	m.lock.Unlock()
	var failed error
	ctx, cancel := limited()
	defer cancel()
	offsets := map[string]map[int32]kgo.EpochOffset{topic: {partition: {Epoch: -1, Offset: offset}}}
	m.client.CommitOffsetsSync(ctx, offsets, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, response *kmsg.OffsetCommitResponse, err error) {
		if failed = err; err == nil {
			failed = kerr.ErrorForCode(response.Topics[0].Partitions[0].ErrorCode)
		}
	})
	return failed
}

func (c client) Join(group, topic, clientID string) (scenario.Member, error) {
	one := member{lock: &sync.Mutex{}, held: map[int32]bool{}}
	change := func(held bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
			one.lock.Lock()
			defer one.lock.Unlock()
			for _, partition := range partitions[topic] {
				if held {
					one.held[partition] = true
				} else {
					delete(one.held, partition)
				}
			}
		}
	}
	consumer, err := kgo.NewClient(kgo.SeedBrokers(scenario.Bootstrap), kgo.ClientID(clientID), kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(), kgo.HeartbeatInterval(500*time.Millisecond),
		kgo.OnPartitionsAssigned(change(true)), kgo.OnPartitionsRevoked(change(false)), kgo.OnPartitionsLost(change(false)))
	one.reader = reader{consumer}
	return one, err
}

func (c client) Groups() ([]string, error) {
	ctx, cancel := limited()
	defer cancel()
	groups, err := c.admin.ListGroups(ctx)
	return groups.Groups(), err
}

func (c client) Group(group string) (scenario.Group, error) {
	ctx, cancel := limited()
	defer cancel()
	groups, err := c.admin.DescribeGroups(ctx, group)
	if err != nil {
		return scenario.Group{}, err
	}
	described := scenario.Group{State: groups[group].State}
	for _, one := range groups[group].Members {
		described.Members = append(described.Members, scenario.GroupMember{ClientID: one.ClientID})
		if assignment, is := one.Assigned.AsConsumer(); is {
			for _, topic := range assignment.Topics {
				last := &described.Members[len(described.Members)-1]
				last.Partitions = append(last.Partitions, topic.Partitions...)
			}
		}
	}
	return described, groups[group].Err
}

func (c client) Committed(group, topic string, partition int32) (int64, error) {
	ctx, cancel := limited()
	defer cancel()
	offsets, err := c.admin.FetchOffsets(ctx, group)
	if err != nil {
		return 0, err
	}
	one, _ := offsets.Lookup(topic, partition)
	return one.At, one.Err
}

func (c client) DeleteGroup(group string) error {
	ctx, cancel := limited()
	defer cancel()
	_, err := c.admin.DeleteGroup(ctx, group)
	return err
}

func main() {
	seed, err := kgo.NewClient(kgo.SeedBrokers(scenario.Bootstrap))
	if err != nil {
		panic(err)
	}
	scenario.Run(client{kadm.NewClient(seed)})
}
