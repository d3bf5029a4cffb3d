package main

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// spread creates topics of several partitions each, unless they are there, and writes a number of records to all partitions in turn.
func spread(o options) figures {
	client := connect(o, kgo.RecordPartitioner(kgo.RoundRobinPartitioner()), kgo.ProducerLinger(5*time.Millisecond))
	defer client.Close()
	admin := kadm.NewClient(client)
	for i := range o.topics {
		made, err := admin.CreateTopic(background, int32(o.partitions), 1, nil, fmt.Sprintf("%s-%d", o.topic, i))
		if err == nil {
			err = made.Err
		}
		if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			must(err)
		}
	}
	var done counter
	v := value(o.size)
	for i := range o.records {
		client.Produce(background, &kgo.Record{Topic: fmt.Sprintf("%s-%d", o.topic, i%o.topics), Value: v}, done.acknowledged)
	}
	must(client.Flush(background))
	return figures{"records": float64(done.now())}
}

// keyed writes records with so many different keys, one after the other again and again, into segments of 16 MiB.
func keyed(o options) figures {
	client := connect(o, kgo.DefaultProduceTopic(o.topic), kgo.ProducerBatchMaxBytes(256<<10), kgo.ProducerLinger(5*time.Millisecond))
	defer client.Close()
	size := "16777216"
	made, err := kadm.NewClient(client).CreateTopic(background, 1, 1, map[string]*string{"segment.bytes": &size}, o.topic)
	must(err)
	must(made.Err)
	var done counter
	for i := range o.records {
		client.Produce(background, &kgo.Record{Key: fmt.Appendf(nil, "key-%08d", i%o.keys), Value: value(o.size)}, done.acknowledged)
	}
	must(client.Flush(background))
	return figures{"records": float64(done.now())}
}

// compact lets the cleaner begin with a topic.
func compact(o options) figures {
	client := connect(o)
	defer client.Close()
	policy := "compact"
	answers, err := kadm.NewClient(client).AlterTopicConfigs(background, []kadm.AlterConfig{{Name: "cleanup.policy", Value: &policy}}, o.topic)
	must(err)
	for _, answer := range answers {
		must(answer.Err)
	}
	return figures{}
}

// past writes at a steady pace, first alone and then beside a reader that begins at the start of the log; latencies are from sending to the answer.
func past(o options) figures {
	writer := connect(o, kgo.DefaultProduceTopic(o.topic), kgo.ProducerLinger(0))
	defer writer.Close()
	var isBeside, isOver atomic.Bool
	latencies := [2][]time.Duration{}
	begin := time.Now()
	ended := make(chan struct{})
	like := value(o.size)
	go func() {
		for n := 0; !isOver.Load(); time.Sleep(time.Millisecond) {
			for ; float64(n) < time.Since(begin).Seconds()*float64(o.pace); n++ {
				phase, sent := 0, time.Now()
				if isBeside.Load() {
					phase = 1
				}
				writer.Produce(background, kgo.SliceRecord(like), func(_ *kgo.Record, err error) {
					must(err)
					if sent.Sub(begin) > time.Second {
						latencies[phase] = append(latencies[phase], time.Since(sent))
					}
				})
			}
		}
		must(writer.Flush(background))
		close(ended)
	}()
	time.Sleep(time.Second + o.seconds)
	reader := connect(o, kgo.ConsumeTopics(o.topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer reader.Close()
	isBeside.Store(true)
	read, from := 0, time.Now()
	for read < o.records {
		fetches := reader.PollFetches(background)
		must(fetches.Err())
		read += fetches.NumRecords()
	}
	rate := float64(read) / time.Since(from).Seconds()
	isOver.Store(true)
	<-ended
	alone, beside := quantiles(latencies[0], figures{}), quantiles(latencies[1], figures{})
	return figures{"rate": rate, "p99": beside["p99"], "alone": alone["p99"], "records": float64(read)}
}
