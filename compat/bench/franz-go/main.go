// The franz-go loads of the benchmark: `load ADDRESS KIND [flags]` runs one and prints its figures as one line of JSON.
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

type options struct {
	address, topic, acks, codec              string
	size, records, partitions, clients, pace int
	topics, keys, per                        int
	seconds                                  time.Duration
}

type figures map[string]float64

var background = context.Background()

func main() {
	var o options
	set := flag.NewFlagSet("load", flag.ExitOnError)
	set.StringVar(&o.topic, "topic", "load", "")
	set.StringVar(&o.acks, "acks", "all", "1 or all")
	set.StringVar(&o.codec, "codec", "none", "none or lz4")
	set.IntVar(&o.size, "size", 1024, "bytes of a record")
	set.IntVar(&o.records, "records", 1000, "")
	set.IntVar(&o.partitions, "partitions", 1, "of each topic")
	set.IntVar(&o.topics, "topics", 100, "")
	set.IntVar(&o.clients, "clients", 64, "")
	set.IntVar(&o.pace, "pace", 20000, "records a second")
	set.IntVar(&o.keys, "keys", 1000, "different keys")
	set.IntVar(&o.per, "per", 10, "records of a transaction")
	seconds := set.Float64("seconds", 3, "")
	o.address = os.Args[1]
	must(set.Parse(os.Args[3:]))
	o.seconds = time.Duration(*seconds * float64(time.Second))
	kinds := map[string]func(options) figures{
		"create": create, "delete": remove, "fill": fill, "produce": produce, "consume": consume,
		"roundtrip": roundTrip, "single": single, "tail": tail, "many": many,
		"spread": spread, "keyed": keyed, "compact": compact, "past": past,
		"memory": memory, "idempotence": idempotence, "transactions": transactions, "isolation": isolation,
	}
	out, err := json.Marshal(kinds[os.Args[2]](o))
	must(err)
	fmt.Println(string(out))
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func connect(o options, more ...kgo.Opt) *kgo.Client {
	codec := kgo.NoCompression()
	if o.codec == "lz4" {
		codec = kgo.Lz4Compression()
	}
	all := []kgo.Opt{kgo.SeedBrokers(o.address), kgo.ProducerBatchCompression(codec), kgo.RecordDeliveryTimeout(30 * time.Second)}
	if o.acks == "1" {
		all = append(all, kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite())
	}
	client, err := kgo.NewClient(append(all, more...)...)
	must(err)
	return client
}

// value is letters with some repetition: lz4 brings it down to about a half.
func value(size int) []byte {
	out := make([]byte, 0, size+16)
	for len(out) < size {
		out = append(out, fmt.Sprintf("field%02d=%d&", rand.Intn(20), rand.Intn(1000))...)
	}
	return out[:size]
}

func create(o options) figures {
	client := connect(o)
	defer client.Close()
	made, err := kadm.NewClient(client).CreateTopic(background, int32(o.partitions), 1, nil, o.topic)
	must(err)
	must(made.Err)
	return figures{}
}

func remove(o options) figures {
	client := connect(o)
	defer client.Close()
	_, err := kadm.NewClient(client).DeleteTopics(background, strings.Split(o.topic, ",")...)
	must(err)
	return figures{}
}

// counter counts acknowledged records; those that fail end the load.
type counter struct {
	sync.Mutex
	n int
}

func (c *counter) acknowledged(_ *kgo.Record, err error) {
	must(err)
	c.Lock()
	c.n++
	c.Unlock()
}

func (c *counter) now() int {
	c.Lock()
	defer c.Unlock()
	return c.n
}

// fill writes a number of records in batches as small as those of Java's producer by default.
func fill(o options) figures {
	client := connect(o, kgo.DefaultProduceTopic(o.topic), kgo.ProducerBatchMaxBytes(16<<10), kgo.ProducerLinger(5*time.Millisecond))
	defer client.Close()
	var done counter
	v := value(o.size)
	for range o.records {
		client.Produce(background, kgo.SliceRecord(v), done.acknowledged)
	}
	must(client.Flush(background))
	return figures{"records": float64(done.now())}
}

// produce writes as fast as it gets, and counts after a second of warming up.
func produce(o options) figures {
	client := connect(o, kgo.DefaultProduceTopic(o.topic))
	defer client.Close()
	var done counter
	v := value(o.size)
	begin := time.Now()
	warm, end := begin.Add(time.Second), begin.Add(time.Second+o.seconds)
	counted, from := 0, time.Time{}
	for now := begin; now.Before(end); now = time.Now() {
		for range 64 {
			client.Produce(background, kgo.SliceRecord(v), done.acknowledged)
		}
		if from.IsZero() && now.After(warm) {
			counted, from = done.now(), now
		}
	}
	rate := float64(done.now()-counted) / time.Since(from).Seconds()
	must(client.Flush(background))
	return figures{"rate": rate, "records": float64(done.now())}
}

// consume reads a topic of one partition as fast as it gets, from its start again whenever it has come to its end, and counts after a second of
// warming up.
func consume(o options) figures {
	client := connect(o, kgo.ConsumeTopics(o.topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer client.Close()
	start := map[string]map[int32]kgo.EpochOffset{o.topic: {0: {Epoch: -1, Offset: 0}}}
	limit, cancel := context.WithTimeout(background, 60*time.Second)
	defer cancel()
	var begin, from time.Time
	n, counted := 0, 0
	for from.IsZero() || time.Since(from) < o.seconds {
		fetches := client.PollFetches(limit)
		must(fetches.Err())
		n += fetches.NumRecords()
		now := time.Now()
		if begin.IsZero() {
			begin = now
		}
		if from.IsZero() && now.Sub(begin) > time.Second {
			from, counted = now, n
		}
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			if last := len(p.Records) - 1; last >= 0 && p.Records[last].Offset+1 >= int64(o.records) {
				client.SetOffsets(start)
			}
		})
	}
	return figures{"rate": float64(n-counted) / time.Since(from).Seconds(), "records": float64(n)}
}

func quantiles(latencies []time.Duration, into figures) figures {
	slices.Sort(latencies)
	at := func(q float64) float64 {
		return float64(latencies[int(q*float64(len(latencies)-1))].Microseconds()) / 1000
	}
	into["p50"], into["p99"] = at(0.5), at(0.99)
	return into
}

// roundTrip sends a record and waits until another client has read it, again and again.
func roundTrip(o options) figures {
	writer := connect(o, kgo.DefaultProduceTopic(o.topic), kgo.ProducerLinger(0))
	reader := connect(o, kgo.ConsumeTopics(o.topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer writer.Close()
	defer reader.Close()
	v := value(o.size)
	var latencies []time.Duration
	sent := uint64(0)
	for begin := time.Now(); time.Since(begin) < o.seconds; sent++ {
		binary.BigEndian.PutUint64(v, sent)
		start := time.Now()
		writer.Produce(background, kgo.SliceRecord(v), func(_ *kgo.Record, err error) { must(err) })
		for seen := false; !seen; {
			fetches := reader.PollFetches(background)
			must(fetches.Err())
			fetches.EachRecord(func(r *kgo.Record) { seen = seen || binary.BigEndian.Uint64(r.Value) == sent })
		}
		if sent > 100 {
			latencies = append(latencies, time.Since(start))
		}
	}
	return quantiles(latencies, figures{"records": float64(sent)})
}

// single has many clients, each of which sends one record a request and waits for its answer.
func single(o options) figures {
	v := value(o.size)
	clients := make([]*kgo.Client, o.clients)
	for i := range clients {
		clients[i] = connect(o, kgo.DefaultProduceTopic(o.topic), kgo.ProducerLinger(0))
		must(clients[i].ProduceSync(background, kgo.SliceRecord(v)).FirstErr())
	}
	latencies := make([][]time.Duration, o.clients)
	warm := time.Now().Add(time.Second)
	end := warm.Add(o.seconds)
	var all sync.WaitGroup
	var requests counter
	for i, client := range clients {
		all.Add(1)
		go func() {
			defer all.Done()
			for start := time.Now(); start.Before(end); start = time.Now() {
				err := client.ProduceSync(background, kgo.SliceRecord(v)).FirstErr()
				requests.acknowledged(nil, err)
				if start.After(warm) {
					latencies[i] = append(latencies[i], time.Since(start))
				}
			}
		}()
	}
	all.Wait()
	counted := slices.Concat(latencies...)
	return quantiles(counted, figures{"rate": float64(len(counted)) / o.seconds.Seconds(), "records": float64(requests.now() + o.clients)})
}

// tail writes at a steady pace and reads at the end of the log; latencies are from sending to having read.
func tail(o options) figures {
	writer := connect(o, kgo.DefaultProduceTopic(o.topic), kgo.ProducerLinger(0))
	reader := connect(o, kgo.ConsumeTopics(o.topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer writer.Close()
	defer reader.Close()
	begin := time.Now()
	warm, end := begin.Add(time.Second), begin.Add(time.Second+o.seconds)
	sent := make(chan int, 1)
	like := value(o.size)
	go func() {
		n := 0
		for now := begin; now.Before(end); now = time.Now() {
			for ; float64(n) < now.Sub(begin).Seconds()*float64(o.pace); n++ {
				v := slices.Clone(like)
				binary.BigEndian.PutUint64(v, uint64(time.Since(begin)))
				writer.Produce(background, kgo.SliceRecord(v), func(_ *kgo.Record, err error) { must(err) })
			}
			time.Sleep(time.Millisecond)
		}
		sent <- n
	}()
	var latencies []time.Duration
	read, total := 0, -1
	for total < 0 || read < total {
		// All may have been read before it is known how many there are.
		limit, cancel := context.WithTimeout(background, 100*time.Millisecond)
		fetches := reader.PollFetches(limit)
		cancel()
		if !errors.Is(fetches.Err0(), context.DeadlineExceeded) {
			must(fetches.Err())
		}
		now := time.Since(begin)
		fetches.EachRecord(func(r *kgo.Record) {
			read++
			if at := time.Duration(binary.BigEndian.Uint64(r.Value)); begin.Add(at).After(warm) {
				latencies = append(latencies, now-at)
			}
		})
		select {
		case total = <-sent:
		default:
		}
	}
	return quantiles(latencies, figures{"rate": float64(read) / time.Since(begin).Seconds(), "records": float64(read)})
}

// many creates topics of several partitions each and writes to all of them in turn.
func many(o options) figures {
	client := connect(o, kgo.RecordPartitioner(kgo.RoundRobinPartitioner()), kgo.MaxBufferedRecords(50000))
	defer client.Close()
	names := make([]string, o.topics)
	for i := range names {
		names[i] = fmt.Sprintf("%s-%d", o.topic, i)
	}
	admin := kadm.NewClient(client)
	begin := time.Now()
	made, err := admin.CreateTopics(background, int32(o.partitions), 1, nil, names...)
	must(err)
	must(made.Error())
	v := value(o.size)
	for _, name := range names { // until every topic takes records
		must(client.ProduceSync(background, &kgo.Record{Topic: name, Value: v}).FirstErr())
	}
	out := figures{"created": float64(time.Since(begin).Milliseconds())}
	var done counter
	warm := time.Now().Add(3 * time.Second)
	end := warm.Add(o.seconds)
	counted, from := 0, time.Time{}
	for i := 0; ; i++ {
		now := time.Now()
		if from.IsZero() && now.After(warm) {
			counted, from = done.now(), now
		}
		if now.After(end) {
			break
		}
		client.Produce(background, &kgo.Record{Topic: names[i%len(names)], Value: v}, done.acknowledged)
	}
	must(client.Flush(background))
	out["rate"] = float64(done.now()-counted) / time.Since(from).Seconds()
	out["records"] = float64(done.now() + len(names))
	_, err = admin.DeleteTopics(background, names...)
	must(err)
	return out
}
