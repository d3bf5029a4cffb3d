// Sarama: a sync producer, plain and group consumers, the cluster admin.
package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"blumfeld/compat/scenario"

	"github.com/IBM/sarama"
)

type client struct{ admin sarama.ClusterAdmin }

var brokers = []string{scenario.Bootstrap}

func config() *sarama.Config {
	c := sarama.NewConfig()
	c.Version = sarama.MaxVersion
	c.Producer.Return.Successes = true
	c.Consumer.Return.Errors = true
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	c.Consumer.Offsets.AutoCommit.Enable = false
	c.Consumer.Group.Heartbeat.Interval = 500 * time.Millisecond
	c.Producer.MaxMessageBytes = 1_000_000
	return c
}

func (c client) CreateTopic(name string, partitions int, configs map[string]string) error {
	values := map[string]*string{}
	for key, value := range configs {
		values[key] = &value
	}
	return c.admin.CreateTopic(name, &sarama.TopicDetail{NumPartitions: int32(partitions), ReplicationFactor: 1, ConfigEntries: values}, false)
}

func (c client) IsTopicExists(err error) bool  { return errors.Is(err, sarama.ErrTopicAlreadyExists) }
func (c client) DeleteTopic(name string) error { return c.admin.DeleteTopic(name) }

func (c client) Topics() (names []string, err error) {
	topics, err := c.admin.ListTopics()
	for name := range topics {
		names = append(names, name)
	}
	return
}

func (c client) Topic(name string) (scenario.Topic, error) {
	nodes, _, err := c.admin.DescribeCluster()
	if err != nil {
		return scenario.Topic{}, err
	}
	topics, err := c.admin.DescribeTopics([]string{name})
	if err != nil {
		return scenario.Topic{}, err
	}
	topic := scenario.Topic{Brokers: len(nodes)}
	for _, partition := range topics[0].Partitions {
		topic.Leaders = append(topic.Leaders, partition.Leader)
	}
	return topic, nil
}

func (c client) TopicConfig(name, key string) (string, error) {
	entries, err := c.admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: name})
	for _, entry := range entries {
		if entry.Name == key {
			return entry.Value, err
		}
	}
	return "", err
}

func (c client) AlterTopicConfig(name, key, value string) error {
	entry := sarama.IncrementalAlterConfigsEntry{Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &value}
	return c.admin.IncrementalAlterConfig(sarama.TopicResource, name, map[string]sarama.IncrementalAlterConfigsEntry{key: entry}, false)
}

func (c client) AddPartitions(name string, total int) error {
	return c.admin.CreatePartitions(name, int32(total), nil, false)
}

func encoded(bytes []byte) sarama.Encoder {
	if bytes == nil {
		return nil
	}
	return sarama.ByteEncoder(bytes)
}

func messagesFor(topic string, partition int32, records []scenario.Record) []*sarama.ProducerMessage {
	messages := make([]*sarama.ProducerMessage, len(records))
	for i, one := range records {
		messages[i] = &sarama.ProducerMessage{Topic: topic, Partition: partition, Key: encoded(one.Key), Value: encoded(one.Value), Timestamp: time.UnixMilli(one.Time)}
		for _, header := range one.Headers {
			messages[i].Headers = append(messages[i].Headers, sarama.RecordHeader{Key: []byte(header.Key), Value: header.Value})
		}
	}
	return messages
}

func (c client) Produce(topic string, partition int32, records []scenario.Record, o scenario.Options) ([]int64, error) {
	settings := config()
	settings.Producer.Compression = map[string]sarama.CompressionCodec{
		"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy, "lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
	}[o.Codec]
	settings.Producer.RequiredAcks = map[string]sarama.RequiredAcks{"0": sarama.NoResponse, "1": sarama.WaitForLocal, "all": sarama.WaitForAll}[o.Acks]
	settings.Producer.Partitioner = sarama.NewManualPartitioner
	if o.Idempotent {
		settings.Producer.Idempotent = true
		settings.Net.MaxOpenRequests = 1
	}
	producer, err := sarama.NewSyncProducer(brokers, settings)
	if err != nil {
		return nil, err
	}
	defer producer.Close()
	messages := messagesFor(topic, partition, records)
	if err := producer.SendMessages(messages); err != nil {
		return nil, err.(sarama.ProducerErrors)[0].Err
	}
	offsets := make([]int64, len(messages))
	for i, one := range messages {
		offsets[i] = one.Offset
	}
	return offsets, nil
}

func plain(message *sarama.ConsumerMessage) scenario.Record {
	record := scenario.Record{Key: message.Key, Value: message.Value, Time: message.Timestamp.UnixMilli()}
	for _, header := range message.Headers {
		record.Headers = append(record.Headers, scenario.Header{Key: string(header.Key), Value: header.Value})
	}
	return record
}

// drained waits for one message and takes those that are there.
func drained(messages <-chan *sarama.ConsumerMessage, failures <-chan error, wait time.Duration) (records []scenario.Record, err error) {
	timer := time.After(wait)
	for {
		select {
		case message, open := <-messages:
			if !open {
				return records, errors.New("the consumer ended")
			}
			records = append(records, plain(message))
			if len(messages) == 0 {
				return records, nil
			}
		case err := <-failures:
			return records, err
		case <-timer:
			return records, nil
		}
	}
}

type reader struct {
	consumer sarama.Consumer
	part     sarama.PartitionConsumer
}

func (r reader) Read(wait time.Duration) ([]scenario.Record, error) {
	select {
	case err := <-r.part.Errors():
		return nil, err
	default:
		return drained(r.part.Messages(), nil, wait)
	}
}

func (r reader) Close() error { return errors.Join(r.part.Close(), r.consumer.Close()) }

func (c client) Consume(topic string, partition int32, offset int64) (scenario.Reader, error) {
	consumer, err := sarama.NewConsumer(brokers, config())
	if err != nil {
		return nil, err
	}
	part, err := consumer.ConsumePartition(topic, partition, offset)
	return reader{consumer, part}, err
}

func (c client) OffsetAt(topic string, partition int32, ms int64) (int64, error) {
	listed, err := c.admin.ListOffsets(map[string]map[int32]int64{topic: {partition: ms}}, nil)
	if err != nil {
		return 0, err
	}
	found := listed[topic][partition]
	if errors.Is(found.Err, sarama.ErrNoError) {
		// This answer alone carries the code of no error as an error.
		return found.Offset, nil
	}
	return found.Offset, found.Err
}

func (c client) DeleteRecords(topic string, partition int32, before int64) error {
	return c.admin.DeleteRecords(topic, map[int32]int64{partition: before})
}

// member consumes in the background; its session is that of the running generation.
type member struct {
	group    sarama.ConsumerGroup
	messages chan *sarama.ConsumerMessage
	cancel   context.CancelFunc
	ended    chan struct{}
	lock     sync.Mutex
	session  sarama.ConsumerGroupSession
}

func (m *member) Setup(session sarama.ConsumerGroupSession) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.session = session
	return nil
}

func (m *member) Cleanup(sarama.ConsumerGroupSession) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.session = nil
	return nil
}

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case message, open := <-claim.Messages():
			if !open {
				return nil
			}
			m.messages <- message
		case <-session.Context().Done():
			return nil
		}
	}
}

func (m *member) Read(wait time.Duration) ([]scenario.Record, error) {
	return drained(m.messages, m.group.Errors(), wait)
}

func (m *member) Assigned() int {
	m.lock.Lock()
	defer m.lock.Unlock()
	n := 0
	if m.session != nil {
		for _, partitions := range m.session.Claims() {
			n += len(partitions)
		}
	}
	return n
}

func (m *member) Commit(topic string, partition int32, offset int64) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	if m.session == nil {
		return errors.New("no session")
	}
	for _, claimed := range m.session.Claims()[topic] {
		if claimed == partition {
			m.session.MarkOffset(topic, partition, offset, "")
			m.session.ResetOffset(topic, partition, offset, "")
			m.session.Commit()
			return nil
		}
	}
	return fmt.Errorf("partition %d is not this member's", partition)
}

func (m *member) Close() error {
	m.cancel()
	err := m.group.Close()
	<-m.ended
	return err
}

func (c client) Join(group, topic, clientID string) (scenario.Member, error) {
	settings := config()
	settings.ClientID = clientID
	consumer, err := sarama.NewConsumerGroup(brokers, group, settings)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	one := &member{group: consumer, messages: make(chan *sarama.ConsumerMessage, 1000), cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(one.ended)
		for ctx.Err() == nil {
			if errors.Is(consumer.Consume(ctx, []string{topic}, one), sarama.ErrClosedConsumerGroup) {
				return
			}
		}
	}()
	return one, nil
}

func (c client) Groups() (names []string, err error) {
	groups, err := c.admin.ListConsumerGroups()
	for name := range groups {
		names = append(names, name)
	}
	return
}

func (c client) Group(group string) (scenario.Group, error) {
	groups, err := c.admin.DescribeConsumerGroups([]string{group})
	if err != nil {
		return scenario.Group{}, err
	}
	described := scenario.Group{State: groups[0].State}
	for _, one := range groups[0].Members {
		member := scenario.GroupMember{ClientID: one.ClientId}
		assignment, err := one.GetMemberAssignment()
		if err != nil {
			return described, err
		}
		for _, partitions := range assignment.Topics {
			member.Partitions = append(member.Partitions, partitions...)
		}
		described.Members = append(described.Members, member)
	}
	return described, nil
}

func (c client) Committed(group, topic string, partition int32) (int64, error) {
	offsets, err := c.admin.ListConsumerGroupOffsets(group, map[string][]int32{topic: {partition}})
	if err != nil {
		return 0, err
	}
	return offsets.GetBlock(topic, partition).Offset, nil
}

func (c client) DeleteGroup(group string) error { return c.admin.DeleteConsumerGroup(group) }

func main() {
	admin, err := sarama.NewClusterAdmin(brokers, config())
	if err != nil {
		panic(err)
	}
	scenario.Run(client{admin})
}
