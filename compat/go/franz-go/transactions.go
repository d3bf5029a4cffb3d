package main

import (
	"context"
	"errors"
	"time"

	"blumfeld/compat/scenario"

	"github.com/twmb/franz-go/pkg/kgo"
)

type transactional struct{ client *kgo.Client }

func (c client) TransactionalProducer(id string, timeout time.Duration) (scenario.TransactionalProducer, error) {
	producer, err := kgo.NewClient(kgo.SeedBrokers(scenario.Bootstrap), kgo.TransactionalID(id), kgo.TransactionTimeout(timeout), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	return transactional{producer}, err
}

func (t transactional) Begin() error { return t.client.BeginTransaction() }

func recordsFor(topic string, partition int32, records []scenario.Record) []*kgo.Record {
	sent := make([]*kgo.Record, len(records))
	for i, one := range records {
		sent[i] = &kgo.Record{Topic: topic, Partition: partition, Key: one.Key, Value: one.Value, Timestamp: time.UnixMilli(one.Time)}
		for _, header := range one.Headers {
			sent[i].Headers = append(sent[i].Headers, kgo.RecordHeader(header))
		}
	}
	return sent
}

func (t transactional) Send(topic string, partition int32, records []scenario.Record) error {
	ctx, cancel := limited()
	defer cancel()
	return t.client.ProduceSync(ctx, recordsFor(topic, partition, records)...).FirstErr()
}

func (t transactional) End(commit bool) error {
	ctx, cancel := limited()
	defer cancel()
	return t.client.EndTransaction(ctx, kgo.TransactionEndTry(commit))
}

func (t transactional) Close() error {
	t.client.Close()
	return nil
}

func (c client) ConsumeCommitted(topic string, partition int32) (scenario.Reader, error) {
	from := map[string]map[int32]kgo.Offset{topic: {partition: kgo.NewOffset().AtStart()}}
	consumer, err := kgo.NewClient(kgo.SeedBrokers(scenario.Bootstrap), kgo.ConsumePartitions(from), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	return reader{consumer}, err
}

// Copy by a GroupTransactSession, which aborts by itself when the group moves on.
func (c client) Copy(id, group, source, target string, n int, commit bool) error {
	session, err := kgo.NewGroupTransactSession(kgo.SeedBrokers(scenario.Bootstrap), kgo.TransactionalID(id), kgo.ConsumerGroup(group), kgo.ConsumeTopics(source),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.RequireStableFetchOffsets(),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.HeartbeatInterval(500*time.Millisecond))
	if err != nil {
		return err
	}
	defer session.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	if err := session.Begin(); err != nil {
		return err
	}
	for left := n; left > 0; {
		fetches := session.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		for one := range fetches.RecordsAll() {
			left--
			copied := &kgo.Record{Topic: target, Key: one.Key, Value: one.Value, Headers: one.Headers, Timestamp: one.Timestamp}
			if err := session.Client().ProduceSync(ctx, copied).FirstErr(); err != nil {
				return err
			}
		}
	}
	committed, err := session.End(ctx, kgo.TransactionEndTry(commit))
	if err == nil && committed != commit {
		return errors.New("the session aborted what was to be committed")
	}
	return err
}
