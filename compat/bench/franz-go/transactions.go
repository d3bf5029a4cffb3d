package main

import (
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// idempotence writes with sequence numbers and without in turn; the part is the rate of the first to that of the second. The turns are many and short: with
// four of a second each, what the disk and the host do meanwhile made 0.93 to 1.44 of the same work.
func idempotence(o options) figures {
	numbered := connect(o, kgo.DefaultProduceTopic(o.topic))
	// As many requests under way as with sequence numbers.
	same := kgo.MaxProduceRequestsInflightPerBroker(5)
	plain := connect(o, kgo.DefaultProduceTopic(o.topic), kgo.DisableIdempotentWrite(), same)
	defer numbered.Close()
	defer plain.Close()
	v := value(o.size)
	total := 0
	rateOf := func(client *kgo.Client, seconds float64) float64 {
		var done counter
		begin := time.Now()
		for time.Since(begin).Seconds() < seconds {
			for range 64 {
				client.Produce(background, kgo.SliceRecord(v), done.acknowledged)
			}
		}
		must(client.Flush(background))
		total += done.now()
		return float64(done.now()) / time.Since(begin).Seconds()
	}
	rateOf(numbered, 0.5)
	rateOf(plain, 0.5)
	const turns = 16
	sums := [2]float64{}
	for i := range 2 * turns {
		// a, b, b, a and so on: what gets slower with time does so for both.
		which := (i + i/2) % 2
		sums[which] += rateOf([]*kgo.Client{numbered, plain}[which], o.seconds.Seconds()/turns)
	}
	return figures{"rate": sums[0] / turns, "part": sums[0] / sums[1], "records": float64(total)}
}

func transactional(o options, id string) *kgo.Client {
	return connect(o, kgo.DefaultProduceTopic(o.topic), kgo.TransactionalID(fmt.Sprintf("%s-%s-%d", id, o.topic, time.Now().UnixNano())))
}

// transaction writes so many records and ends.
func transaction(client *kgo.Client, v []byte, records int, end kgo.TransactionEndTry, done *counter) {
	must(client.BeginTransaction())
	for range records {
		client.Produce(background, kgo.SliceRecord(v), done.acknowledged)
	}
	must(client.Flush(background))
	must(client.EndTransaction(background, end))
}

// transactions counts transactions, one after the other.
func transactions(o options) figures {
	client := transactional(o, "count")
	defer client.Close()
	v := value(o.size)
	var done counter
	for range 50 {
		transaction(client, v, o.per, kgo.TryCommit, &done)
	}
	var latencies []time.Duration
	begin := time.Now()
	for start := begin; start.Sub(begin) < o.seconds; start = time.Now() {
		transaction(client, v, o.per, kgo.TryCommit, &done)
		latencies = append(latencies, time.Since(start))
	}
	rate := float64(len(latencies)) / time.Since(begin).Seconds()
	return quantiles(latencies, figures{"rate": rate, "records": float64(done.now())})
}

// isolation writes transactions, a tenth of them aborted, and reads what is committed and everything in turn; the part is the rate of the first to the second.
func isolation(o options) figures {
	client := transactional(o, "tenth")
	v := value(o.size)
	var done counter
	aborted := 0
	for i := 0; i*o.per < o.records; i++ {
		end := kgo.TryCommit
		if i%10 == 9 {
			end = kgo.TryAbort
			aborted += o.per
		}
		transaction(client, v, o.per, end, &done)
	}
	client.Close()
	all := done.now()
	read := func(level kgo.IsolationLevel, records int) float64 {
		reader := connect(o, kgo.ConsumeTopics(o.topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(level))
		defer reader.Close()
		begin := time.Now()
		for n := 0; n < records; {
			fetches := reader.PollFetches(background)
			must(fetches.Err())
			n += fetches.NumRecords()
		}
		// Of all records that were looked at: the aborted ones are sent too.
		return float64(all) / time.Since(begin).Seconds()
	}
	read(kgo.ReadUncommitted(), all)
	sums := [2]float64{}
	const turns = 3
	for range turns {
		sums[0] += read(kgo.ReadCommitted(), all-aborted)
		sums[1] += read(kgo.ReadUncommitted(), all)
	}
	return figures{"rate": sums[0] / turns, "part": sums[0] / sums[1], "records": float64(all * 2 * (turns + 1))}
}
