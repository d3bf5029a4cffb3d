package main

import (
	"context"
	"errors"
	"time"

	"blumfeld/compat/scenario"

	"github.com/IBM/sarama"
)

type transactional struct{ producer sarama.SyncProducer }

func (c client) TransactionalProducer(id string, timeout time.Duration) (scenario.TransactionalProducer, error) {
	settings := config()
	settings.Producer.Idempotent = true
	settings.Producer.RequiredAcks = sarama.WaitForAll
	settings.Producer.Partitioner = sarama.NewManualPartitioner
	settings.Producer.Transaction.ID = id
	settings.Producer.Transaction.Timeout = timeout
	settings.Net.MaxOpenRequests = 1
	producer, err := sarama.NewSyncProducer(brokers, settings)
	return transactional{producer}, err
}

func (t transactional) Begin() error { return t.producer.BeginTxn() }

func (t transactional) Send(topic string, partition int32, records []scenario.Record) error {
	return t.producer.SendMessages(messagesFor(topic, partition, records))
}

func (t transactional) End(commit bool) error {
	if commit {
		return t.producer.CommitTxn()
	}
	return t.producer.AbortTxn()
}

func (t transactional) Close() error { return t.producer.Close() }

func (c client) ConsumeCommitted(topic string, partition int32) (scenario.Reader, error) {
	settings := config()
	settings.Consumer.IsolationLevel = sarama.ReadCommitted
	consumer, err := sarama.NewConsumer(brokers, settings)
	if err != nil {
		return nil, err
	}
	part, err := consumer.ConsumePartition(topic, partition, sarama.OffsetOldest)
	return reader{consumer, part}, err
}

func (c client) Copy(id, group, source, target string, n int, commit bool) error {
	one, err := c.TransactionalProducer(id, 30*time.Second)
	if err != nil {
		return err
	}
	defer one.Close()
	member, err := c.Join(group, source, "copier")
	if err != nil {
		return err
	}
	defer member.Close()
	if err := one.Begin(); err != nil {
		return err
	}
	for left, end := n, time.Now().Add(40*time.Second); left > 0; {
		records, err := member.Read(time.Second)
		if err != nil {
			return err
		}
		if len(records) > 0 {
			if err := one.Send(target, 0, records); err != nil {
				return err
			}
		}
		left -= len(records)
		if time.Now().After(end) {
			return errors.Join(context.DeadlineExceeded, one.End(false))
		}
	}
	offsets := map[string][]*sarama.PartitionOffsetMetadata{source: {{Partition: 0, Offset: int64(n)}}}
	if err := one.(transactional).producer.AddOffsetsToTxn(offsets, group); err != nil {
		return err
	}
	return one.End(commit)
}
