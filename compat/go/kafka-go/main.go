// segmentio/kafka-go: Writer and Reader produce and consume, ConsumerGroup joins, Client administers.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"blumfeld/compat/scenario"

	"github.com/segmentio/kafka-go"
)

type client struct{ kafka.Client }

func limited() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 20*time.Second)
}

func (c client) CreateTopic(name string, partitions int, configs map[string]string) error {
	ctx, cancel := limited()
	defer cancel()
	topic := kafka.TopicConfig{Topic: name, NumPartitions: partitions, ReplicationFactor: 1}
	for key, value := range configs {
		topic.ConfigEntries = append(topic.ConfigEntries, kafka.ConfigEntry{ConfigName: key, ConfigValue: value})
	}
	response, err := c.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{topic}})
	if err != nil {
		return err
	}
	return response.Errors[name]
}

func (c client) IsTopicExists(err error) bool { return errors.Is(err, kafka.TopicAlreadyExists) }

func (c client) DeleteTopic(name string) error {
	ctx, cancel := limited()
	defer cancel()
	response, err := c.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{name}})
	if err != nil {
		return err
	}
	return response.Errors[name]
}

// Topics and Topic go around the client's cache of metadata, with a client of their own.
func fresh() *kafka.Client {
	return &kafka.Client{Addr: kafka.TCP(scenario.Bootstrap), Transport: &kafka.Transport{}}
}

func (c client) Topics() (names []string, err error) {
	ctx, cancel := limited()
	defer cancel()
	metadata, err := fresh().Metadata(ctx, &kafka.MetadataRequest{})
	if err != nil {
		return nil, err
	}
	for _, topic := range metadata.Topics {
		names = append(names, topic.Name)
	}
	return names, nil
}

func (c client) Topic(name string) (scenario.Topic, error) {
	ctx, cancel := limited()
	defer cancel()
	metadata, err := fresh().Metadata(ctx, &kafka.MetadataRequest{Topics: []string{name}})
	if err != nil {
		return scenario.Topic{}, err
	}
	topic := scenario.Topic{Brokers: len(metadata.Brokers)}
	for _, partition := range metadata.Topics[0].Partitions {
		topic.Leaders = append(topic.Leaders, int32(partition.Leader.ID))
	}
	return topic, metadata.Topics[0].Error
}

func (c client) TopicConfig(name, key string) (string, error) {
	ctx, cancel := limited()
	defer cancel()
	resource := kafka.DescribeConfigRequestResource{ResourceType: kafka.ResourceTypeTopic, ResourceName: name, ConfigNames: []string{key}}
	response, err := c.DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{Resources: []kafka.DescribeConfigRequestResource{resource}})
	if err != nil {
		return "", err
	}
	if one := response.Resources[0]; one.Error != nil || len(one.ConfigEntries) != 1 {
		return "", fmt.Errorf("%d entries, %w", len(one.ConfigEntries), one.Error)
	}
	return response.Resources[0].ConfigEntries[0].ConfigValue, nil
}

func (c client) AlterTopicConfig(name, key, value string) error {
	ctx, cancel := limited()
	defer cancel()
	resource := kafka.IncrementalAlterConfigsRequestResource{ResourceType: kafka.ResourceTypeTopic, ResourceName: name,
		Configs: []kafka.IncrementalAlterConfigsRequestConfig{{Name: key, Value: value, ConfigOperation: kafka.ConfigOperationSet}}}
	response, err := c.IncrementalAlterConfigs(ctx, &kafka.IncrementalAlterConfigsRequest{Resources: []kafka.IncrementalAlterConfigsRequestResource{resource}})
	if err != nil {
		return err
	}
	return response.Resources[0].Error
}

func (c client) AddPartitions(name string, total int) error {
	ctx, cancel := limited()
	defer cancel()
	response, err := c.CreatePartitions(ctx, &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: name, Count: int32(total)}}})
	if err != nil {
		return err
	}
	return response.Errors[name]
}

func (c client) Produce(topic string, partition int32, records []scenario.Record, o scenario.Options) ([]int64, error) {
	if o.Idempotent {
		return nil, scenario.ErrNoSuchCall
	}
	ctx, cancel := limited()
	defer cancel()
	writer := &kafka.Writer{
		Addr:  kafka.TCP(scenario.Bootstrap),
		Topic: topic,
		Balancer: kafka.BalancerFunc(func(kafka.Message, ...int) int {
			return int(partition)
		}),
		RequiredAcks: map[string]kafka.RequiredAcks{"0": kafka.RequireNone, "1": kafka.RequireOne, "all": kafka.RequireAll}[o.Acks],
		Compression:  map[string]kafka.Compression{"none": 0, "gzip": kafka.Gzip, "snappy": kafka.Snappy, "lz4": kafka.Lz4, "zstd": kafka.Zstd}[o.Codec],
		BatchTimeout: 10 * time.Millisecond,
		Transport:    &kafka.Transport{},
	}
	messages := make([]kafka.Message, len(records))
	for i, one := range records {
		messages[i] = kafka.Message{Key: one.Key, Value: one.Value, Time: time.UnixMilli(one.Time)}
		for _, header := range one.Headers {
			messages[i].Headers = append(messages[i].Headers, kafka.Header(header))
		}
	}
	// The writer does not tell offsets.
	return nil, errors.Join(writer.WriteMessages(ctx, messages...), writer.Close())
}

func plain(message kafka.Message) scenario.Record {
	record := scenario.Record{Key: message.Key, Value: message.Value, Time: message.Time.UnixMilli()}
	for _, header := range message.Headers {
		record.Headers = append(record.Headers, scenario.Header(header))
	}
	return record
}

type reader struct{ *kafka.Reader }

func (r reader) Read(wait time.Duration) ([]scenario.Record, error) {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	message, err := r.FetchMessage(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, nil
	}
	return []scenario.Record{plain(message)}, err
}

func consume(topic string, partition int, offset int64) (*kafka.Reader, error) {
	one := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{scenario.Bootstrap}, Topic: topic, Partition: partition, MaxWait: 200 * time.Millisecond})
	return one, one.SetOffset(offset)
}

func (c client) Consume(topic string, partition int32, offset int64) (scenario.Reader, error) {
	one, err := consume(topic, int(partition), offset)
	return reader{one}, err
}

func (c client) OffsetAt(topic string, partition int32, ms int64) (int64, error) {
	ctx, cancel := limited()
	defer cancel()
	request := kafka.OffsetRequest{Partition: int(partition), Timestamp: ms}
	response, err := c.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: {request}}})
	if err != nil {
		return 0, err
	}
	listed := response.Topics[topic][0]
	switch ms {
	case scenario.Earliest:
		return listed.FirstOffset, listed.Error
	case scenario.Latest:
		return listed.LastOffset, listed.Error
	}
	for offset := range listed.Offsets {
		return offset, listed.Error
	}
	return -1, listed.Error
}

func (c client) DeleteRecords(string, int32, int64) error { return scenario.ErrNoSuchCall }

// member runs generation after generation; each reads its partitions in the background.
type member struct {
	group      *kafka.ConsumerGroup
	messages   chan scenario.Record
	failures   chan error
	cancel     context.CancelFunc
	lock       sync.Mutex
	generation *kafka.Generation
}

func (m *member) run(ctx context.Context, topic string) {
	for {
		generation, err := m.group.Next(ctx)
		if ctx.Err() != nil || errors.Is(err, kafka.ErrGroupClosed) {
			return
		}
		if err != nil {
			m.failures <- err
			return
		}
		m.lock.Lock()
		m.generation = generation
		m.lock.Unlock()
		for _, assignment := range generation.Assignments[topic] {
			generation.Start(func(ctx context.Context) { m.read(ctx, topic, assignment) })
		}
	}
}

func (m *member) read(ctx context.Context, topic string, at kafka.PartitionAssignment) {
	one, err := consume(topic, at.ID, at.Offset)
	if err != nil {
		m.failures <- err
		return
	}
	defer one.Close()
	for {
		message, err := one.FetchMessage(ctx)
		if errors.Is(err, kafka.ErrGenerationEnded) || ctx.Err() != nil || errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			m.failures <- err
			return
		}
		m.messages <- plain(message)
	}
}

func (m *member) Read(wait time.Duration) ([]scenario.Record, error) {
	select {
	case record := <-m.messages:
		return []scenario.Record{record}, nil
	case err := <-m.failures:
		return nil, err
	case <-time.After(wait):
		return nil, nil
	}
}

func (m *member) Assigned() int {
	m.lock.Lock()
	defer m.lock.Unlock()
	if m.generation == nil {
		return 0
	}
	n := 0
	for _, partitions := range m.generation.Assignments {
		n += len(partitions)
	}
	return n
}

func (m *member) Commit(topic string, partition int32, offset int64) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	owned := func(one kafka.PartitionAssignment) bool { return one.ID == int(partition) }
	if m.generation == nil || !slices.ContainsFunc(m.generation.Assignments[topic], owned) {
		return fmt.Errorf("partition %d is not this member's", partition)
	}
	return m.generation.CommitOffsets(map[string]map[int]int64{topic: {int(partition): offset}})
}

func (m *member) Close() error {
	m.cancel()
	return m.group.Close()
}

func (c client) Join(group, topic, clientID string) (scenario.Member, error) {
	consumer, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: group, Brokers: []string{scenario.Bootstrap}, Topics: []string{topic}, Dialer: &kafka.Dialer{ClientID: clientID},
		HeartbeatInterval: 500 * time.Millisecond, SessionTimeout: 10 * time.Second, StartOffset: kafka.FirstOffset,
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	one := &member{group: consumer, messages: make(chan scenario.Record, 1000), failures: make(chan error, 10), cancel: cancel}
	go one.run(ctx, topic)
	return one, nil
}

func (c client) Groups() (names []string, err error) {
	ctx, cancel := limited()
	defer cancel()
	response, err := c.ListGroups(ctx, &kafka.ListGroupsRequest{})
	if err != nil {
		return nil, err
	}
	for _, group := range response.Groups {
		names = append(names, group.GroupID)
	}
	return names, response.Error
}

func (c client) Group(group string) (scenario.Group, error) {
	ctx, cancel := limited()
	defer cancel()
	response, err := c.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{group}})
	if err != nil {
		return scenario.Group{}, err
	}
	described := scenario.Group{State: response.Groups[0].GroupState}
	for _, one := range response.Groups[0].Members {
		member := scenario.GroupMember{ClientID: one.ClientID}
		for _, topic := range one.MemberAssignments.Topics {
			for _, partition := range topic.Partitions {
				member.Partitions = append(member.Partitions, int32(partition))
			}
		}
		described.Members = append(described.Members, member)
	}
	return described, response.Groups[0].Error
}

func (c client) Committed(group, topic string, partition int32) (int64, error) {
	ctx, cancel := limited()
	defer cancel()
	response, err := c.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: group, Topics: map[string][]int{topic: {int(partition)}}})
	if err != nil {
		return 0, err
	}
	return response.Topics[topic][0].CommittedOffset, response.Error
}

func (c client) DeleteGroup(group string) error {
	ctx, cancel := limited()
	defer cancel()
	response, err := c.DeleteGroups(ctx, &kafka.DeleteGroupsRequest{GroupIDs: []string{group}})
	if err != nil {
		return err
	}
	return response.Errors[group]
}

func main() {
	scenario.EmptyIsNull = true
	scenario.Run(client{kafka.Client{Addr: kafka.TCP(scenario.Bootstrap), Timeout: 20 * time.Second}})
}
